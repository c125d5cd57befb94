// Package samples builds transactions (PSBT version 0, BIP174) byte by byte
// from published keys: the sample stick that teaches people, and test data for
// the whole project, hostile cases included (Corpus: each with the verdict it must
// have). The same call gives the same bytes each time.
//
// It knows neither package signer nor signer/container, so that their own tests
// can use it, and so that what they read was not written by them. All its input
// is fixed: it panics on a caller's mistake.
package samples
