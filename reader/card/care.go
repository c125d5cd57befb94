package card

import (
	"context"

	"github.com/airlock-signer/airlock/reader/secret"
)

// What a card can do besides signing. A driver implements what its make has;
// the screens ask with a type assertion and offer just that. Nothing is
// inferred from the name of the make.

// CodeRule is what a PIN or PUK must be like.
type CodeRule struct {
	Min, Max int  // characters
	Digits   bool // digits alone; else any printable ASCII
}

// SetupRules say how a card is set up.
type SetupRules struct {
	PIN, PUK           CodeRule
	PINTries, PUKTries int // wrong tries until it is blocked
}

// Initializer sets up a card that never was (StateNotSetUp). Afterwards nobody
// is logged in.
type Initializer interface {
	SetupRules() SetupRules
	Setup(ctx context.Context, pin, puk *secret.Buffer) error
}

// SeedLoader loads a BIP32 seed into a card without a key (StateNoSeed), logged
// in. Lengths says which seed lengths in bytes it takes. Info afterwards tells
// the new state. The caller proves the load: the master key against BIP32(seed),
// and a challenge (package signer).
type SeedLoader interface {
	SeedLengths() []int
	LoadSeed(ctx context.Context, seed *secret.Buffer) error
}

// PINChanger changes the PIN. On some makes that logs out: Info tells nothing
// of it, so the caller verifies the new PIN afterwards.
type PINChanger interface {
	ChangePIN(ctx context.Context, old, new *secret.Buffer) error
}

// Unblocker frees a blocked PIN with the PUK (StatePINBlocked). KeepsPIN says
// that the old PIN is valid again and newPIN is not used (nil); else newPIN
// becomes the PIN.
type Unblocker interface {
	KeepsPIN() bool
	Unblock(ctx context.Context, puk, newPIN *secret.Buffer) error
}

// Labeler reads and writes the name that its owner gave a card, logged in.
// LabelMax is in bytes of UTF-8.
type Labeler interface {
	LabelMax() int
	Label(ctx context.Context) (string, error)
	SetLabel(ctx context.Context, label string) error
}

// Attestation is what a card shows of its origin.
type Attestation struct {
	// Certificate says that the card has a vendor's certificate at all; absent is
	// said plainly and proves nothing either way.
	Certificate bool
	// Genuine says that the certificate leads to a key of the vendor that is
	// compiled in, and is of the identity key.
	Genuine bool
	Issuer  string // as the certificate names it; outside text
	// Alive says that the card signed a fresh challenge with its identity key.
	Alive bool
	Note  string // a sentence where something of it could not be checked; "" where all was
}

// Attester checks a card's authenticity, logged in.
type Attester interface {
	Attest(ctx context.Context) (Attestation, error)
}

// SeedEraser erases the key and keeps the card set up. Logged in; it asks for
// the PIN once more. Afterwards nobody is logged in.
type SeedEraser interface {
	EraseSeed(ctx context.Context, pin *secret.Buffer) error
}

// Resetter says that this make can be reset to its factory state without a PIN,
// and how often it must be put in for that. The reset itself happens on fresh
// transports (reader.ResetStep): nothing else may be said to the card.
type Resetter interface {
	ResetInsertions() int
}

// EraseWarner has something to say before its key is erased (SeedEraser): a
// sentence on what else that does to this card, "" where nothing.
type EraseWarner interface {
	EraseWarning() string
}
