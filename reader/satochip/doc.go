// Package satochip drives the Satochip card, applets with protocol 0.11 to
// 0.14. The protocol is described in the design's cards/satochip.md, the
// exchanges of the published applets are in its vectors/cards; both are the
// authority for what is said here.
//
// # Layers
//
//	card.Transport → apdu → link (clear and sealed exchanges) → commands → driver (card.Card)
//
// # Trust
//
// The reader is an enemy. Commands are encrypted and carry a MAC; replies are
// encrypted only, errors and empty replies come in clear. So a reply counts for
// what is verified in it: every public key comes with a signature of the card's
// authentikey, whose own signature opened the channel; a reply must carry the
// counter that follows the command's, so that it cannot be one given before;
// a key used for signing must be the one the review expects. Signatures
// themselves are verified by whoever asked for them (package signer). After a
// reply that cannot be right the driver sends nothing more: the card is opened
// anew.
//
// The authentikey is known before the PIN: each opening of the channel has a
// signature from which two keys can be recovered, and two openings have one of
// them in common. From 0.12 it is made at the applet's installation and tells
// this card from every other; up to 0.11 it comes from the seed.
//
// # Exchanges
//
// Opening takes four: SELECT, GET STATUS, and INIT SECURE CHANNEL twice (one
// more than the least there is, for the identity before the PIN). Logging in
// takes two: VERIFY PIN and EXPORT AUTHENTIKEY, which proves that the PIN was
// taken by the card identified. A public key takes one, and one more for its
// parent where that is not known yet in this login. An ECDSA signature takes
// two, one where the key is that of the signature before; a Schnorr signature
// three, or two. A full node cache in the card costs one more, once in a while.
//
// # Secrets
//
// The PIN is read from its secret.Buffer into one scratch buffer, encrypted
// from there and wiped. The key schedule of the session inside crypto/aes and
// what that package may copy to the stack are not within reach; they end with
// the session and encrypt one channel only.
package satochip
