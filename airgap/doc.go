// Package airgap is what crosses the gap, and the proof that nothing else does.
//
// Removable media: Volumes finds and ejects them, Scan and Read bring files in,
// Write puts results out. The proof: InspectIsolation looks at what could be a
// network, DenyNetwork takes the means from this process, Keyboards tells who
// can type. It knows neither transactions nor cards.
package airgap
