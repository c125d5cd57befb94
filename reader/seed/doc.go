// Package seed makes the secret that a card's keys come from: entropy
// (kernel, dice, a card's own random bytes), BIP39 words in English, the
// passphrase, the BIP39 seed, and of BIP32 as much as a loaded card is compared
// with: public keys and chain codes.
//
//   - BIP39: https://github.com/bitcoin/bips/blob/master/bip-0039.mediawiki
//   - BIP32: https://github.com/bitcoin/bips/blob/master/bip-0032.mediawiki
//   - BIP340 for the tagged hash: https://github.com/bitcoin/bips/blob/master/bip-0340.mediawiki
//
// Everything secret lives in a *secret.Buffer: never in a Go string, an error
// or a log. Where a standard library would leave copies in the Go heap without
// a way to wipe them (crypto/hmac, pbkdf2, hdkeychain), the few lines are
// written here over locked pages, and tested against those libraries. What is
// left: machine registers, a stack that the garbage collector happens to move in
// the few milliseconds of a computation (see scrubbed), and single characters of
// a passphrase outside ASCII (see Words.Seed).
//
// Of a word, the index is the secret. The strings that WordAt and Word return
// are those of the public list; which of them are on screen is as secret as the
// seed.
package seed
