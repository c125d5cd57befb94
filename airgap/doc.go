// Package airgap is what crosses the gap: removable media (volumes, files,
// writing), and the proof that nothing else does (isolation). It knows neither
// transactions nor cards.
package airgap
