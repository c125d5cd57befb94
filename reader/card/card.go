// Package card is what the station asks of a smart card, whatever its make:
// the small Card interface, its identity, its state, and errors that a caller
// can ask about and a person can act on. The makes (satochip, …) implement it;
// it imports none of them.
package card

import (
	"context"

	"github.com/airlock-signer/airlock/reader/secret"
)

// Transport exchanges raw APDUs with one card, exclusively. Transmit returns
// the whole reply, status word last (at least 2 bytes), or an error of this
// package (ErrRemoved, ErrReaderGone, …). It returns when ctx ends even if the
// reader hangs; after any error but a context's the transport is dead.
type Transport interface {
	Transmit(ctx context.Context, apdu []byte) ([]byte, error)
	// Close releases the card (reset, so that it is logged out).
	Close() error
}

// State of a card, before any PIN.
type State uint8

// States.
const (
	StateUnknown    State = iota
	StateReady            // set up, seeded, PIN not blocked
	StateNotSetUp         // never set up: a PIN must not be sent to it
	StateNoSeed           // set up, holds no key
	StatePINBlocked       // PIN blocked, PUK left
	StateBlocked          // PIN and PUK blocked: factory reset only
	StateNeedsReset       // holds a key that it turned out not to be able to use: factory reset only
)

// Info is what a card tells before a PIN. Text in it comes from the card and
// is hostile until escaped.
type Info struct {
	Make      string // "Satochip"
	Version   string // "0.12"
	Label     string // name given by the owner, "" where not known yet
	State     State
	PINTries  int  // left; -1 where the card does not tell
	PUKTries  int  // left; -1 where the card does not tell
	TwoFactor bool // wants a second device for each signature: not supported
	// Identity is the key that identifies this very card, proven by a signature
	// before the PIN (Satochip from 0.12: the authentikey), compressed; nil
	// where this card has none.
	Identity []byte
	// SharedIdentity says that Identity comes from the seed, so that a whole set
	// of backup cards shares it: it does not tell one card from another.
	SharedIdentity bool
}

// ExtendedKey is a public key and chain code at a path, proven as far as the
// make allows.
type ExtendedKey struct {
	Path              []uint32
	PubKey            [33]byte // compressed
	ChainCode         [32]byte
	ParentFingerprint [4]byte // 0 for the master key
}

// Scheme of a signature.
type Scheme uint8

// Schemes.
const (
	ECDSA Scheme = iota
	SchnorrKeyPath
	SchnorrScriptPath
)

// SignRequest asks for one signature over exactly Digest.
type SignRequest struct {
	Path       []uint32 // from the master key
	PubKey     [33]byte // compressed, expected at Path, before any tweak
	Digest     [32]byte
	Scheme     Scheme
	MerkleRoot []byte // SchnorrKeyPath: nil (BIP86) or 32 bytes
}

// Card is an opened card: exclusively held, recognised by make, its identity
// established, its secure channel open, nobody logged in. Methods are not safe
// for concurrent use.
type Card interface {
	Info() Info
	// VerifyPIN logs in. WrongPINError tells the tries left; ErrBlocked says
	// that none is; ErrOutcomeUnknown that the card went away before it
	// answered. The caller keeps and wipes pin.
	VerifyPIN(ctx context.Context, pin *secret.Buffer) error
	// Logout ends the login; the channel stays.
	Logout(ctx context.Context) error
	// Refresh asks the card for its state and tries left again.
	Refresh(ctx context.Context) (Info, error)
	// ExtendedKey at path from the master key (empty: the master). Logged in.
	ExtendedKey(ctx context.Context, path []uint32) (ExtendedKey, error)
	// Can says whether this card can answer such a request, without I/O.
	Can(SignRequest) error
	// SignDigests answers the requests in order; on an error it returns what was
	// made before it: strict DER (ECDSA, S as the card gave it), or 64 bytes.
	// Called by the signer.Key adapter alone (a test keeps it so).
	SignDigests(ctx context.Context, requests []SignRequest, progress func(made int)) ([][]byte, error)
	// Close logs out and releases the card and its reader.
	Close() error
}
