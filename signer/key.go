package signer

import (
	"context"
	"strconv"
	"strings"

	"github.com/btcsuite/btcd/btcutil/hdkeychain"
)

// HardenedOffset is the first hardened child number (BIP32).
const HardenedOffset uint32 = 1 << 31

// Path is a BIP32 derivation path from the master key, one child number a
// level.
type Path []uint32

// String writes the path with h for hardened: m/84h/0h/0h/0/3.
func (p Path) String() string {
	var b strings.Builder
	b.WriteByte('m')
	for _, n := range p {
		b.WriteByte('/')
		b.WriteString(strconv.FormatUint(uint64(n&^HardenedOffset), 10))
		if n >= HardenedOffset {
			b.WriteByte('h')
		}
	}
	return b.String()
}

// Account is an account key: the public key and chain code at a hardened
// prefix of the master key with this fingerprint (BIP32). It is what a card
// gives once it is unlocked, and what own scripts are rebuilt from.
type Account struct {
	Fingerprint [4]byte                 // of the master key
	Path        Path                    // of Key, from the master key
	Key         *hdkeychain.ExtendedKey // public
}

// Scheme of a signature.
type Scheme uint8

// Schemes.
const (
	ECDSA             Scheme = iota // strict DER, low S
	SchnorrKeyPath                  // BIP340 with the key tweaked as BIP341 says, by MerkleRoot
	SchnorrScriptPath               // BIP340 with the untweaked key
)

// Request asks a key for one signature.
type Request struct {
	Input      int      // index of the input it is for; -1 where it is for none
	Path       Path     // from the master key
	PubKey     [33]byte // compressed key expected at Path, before any tweak
	Digest     [32]byte // what is signed, exactly
	Scheme     Scheme
	MerkleRoot []byte // SchnorrKeyPath: 32 bytes, or nil for a key without scripts (BIP86)
}

// Signature answers one Request: strict DER without sighash byte (ECDSA; S may
// be high, the package normalises), or 64 bytes (BIP340). It is checked as if
// it came from an enemy.
type Signature []byte

// Key signs. Adapters from cards live in tui/session; only this package calls
// Sign (a test on the syntax tree keeps it so).
type Key interface {
	// Fingerprint of the master key (BIP32).
	Fingerprint() [4]byte
	// Account gives the account key at path. Asked again for the same path in
	// one unlocked session it answers the same without card I/O.
	Account(ctx context.Context, path Path) (*Account, error)
	// Can says whether this make of card can answer the request: nil, or an
	// error whose text says what it cannot do. No card I/O.
	Can(Request) error
	// Sign answers the requests in order. On an error it returns the
	// signatures made before it. progress is called with the number made so
	// far, from the same goroutine.
	Sign(ctx context.Context, requests []Request, progress func(made int)) ([]Signature, error)
}
