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
// What a person waits for; counted by the software card (TestExchangesAreCounted)
// and printed by make bench.
//
//	identify       4  SELECT; GET STATUS (version and tries, before a PIN may go
//	                  out); INIT SECURE CHANNEL twice, one more than a channel
//	                  needs: only two openings tell the identity before the PIN
//	unlock         2  VERIFY PIN; EXPORT AUTHENTIKEY, for its 9000 is not
//	                  authenticated: this proves that the card identified took it.
//	                  GET STATUS as well where tries were missing, to say the right
//	                  number: the limit is told by nothing else
//	master key     1  its fingerprint is that of every account
//	account key    2  the card gives no parent fingerprint, so the parent is asked
//	                  too; 1 where it is known, 0 the second time in a login
//	ECDSA input    2  GET EXTENDED KEY makes the key the one derived last, SIGN HASH
//	                  signs; 1 where the key is that of the signature before
//	taproot input  3  TWEAK in between, before every signature: the card overwrites
//	                  the tweaked key with its nonce; 2 where the key repeats
//	name           1  asked for only through card.Labeler, never while signing
//	authenticity   2  size of the certificate, challenge; 1 more for each 128 bytes
//	set up         2  SETUP; GET STATUS, to see it done
//	load a seed    2  IMPORT SEED; GET EXTENDED KEY of the master, which must work
//	                  before the card is called ready, and is not asked for again
//	change PIN     1  and GET STATUS where tries were missing
//	unblock        2  UNBLOCK PIN; GET STATUS, for the tries that it gave back
//	erase          2  RESET SEED; GET STATUS, to see it done
//	factory reset  2  each time: SELECT and FACTORY RESET, five times
//
// A full node cache in the card costs one more, once in a while.
//
// # Whole life
//
// A PIN is never sent before SETUP: it would be counted against the factory PIN.
// SETUP is sent only with a PIN and PUK of 4 to 16 bytes: what it had set before
// it finds a fault stays set, which would spoil the card. On 0.14 a seed loaded
// after one was erased cannot be used until a factory reset and a new set-up
// (the applet clears a key object whose curve is set in SETUP alone); LoadSeed
// finds out, and says so. Empty answers come in clear, so that a reader can say
// "done" for the card: set-up, a new PIN and a loaded seed prove themselves at
// the next login and derivation, an erased seed cannot be proven gone.
//
// # Secrets
//
// PIN, PUK and seed are read from their secret.Buffer into scratch buffers of a
// fixed size, encrypted from there and wiped. The key schedule of the session inside crypto/aes and
// what that package may copy to the stack are not within reach; they end with
// the session and encrypt one channel only.
package satochip
