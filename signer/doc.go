// Package signer says what a transaction means: bytes in; preview, review,
// approval, signatures; bytes out. It knows no files, no clock, no terminal
// and no cards.
//
// One way, no way back:
//
//	Open(bytes) ─▶ Transaction ─ Preview (all claimed)
//	                    │
//	                    └─ Review(account keys) ─▶ Review ─ Shown, Acknowledge, Confirm ─▶ Approve ─▶ Approval
//	                                                                                        │
//	                            Result ◀─ verified signatures ◀─ Sign(ctx, Approval, Key) ◀─┘
//
// The rule book is review-rules.md of the design; every rule has one place in
// this package (rules*.go), one stable Code and one Severity.
//
// Bitcoin amounts are satoshis (int64), sizes are bytes, weights are weight
// units (BIP141), rates are satoshis a virtual byte.
package signer
