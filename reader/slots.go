// Package reader turns PC/SC into events and opens the cards in the slots.
// Drivers of the makes are in folders of their own (satochip), what they share
// in card and apdu, the same makes in software in simcard.
package reader

import (
	"context"

	"github.com/airlock-signer/airlock/reader/card"
)

// Backend is where slots come from: the machine's PC/SC service (pcsc.go, the
// one file that imports scard) or simulated readers (simcard).
type Backend interface {
	// Watch calls emit from one goroutine at each change until ctx ends: first
	// the state as it is, then what changes. It survives the service stopping
	// and starting and says so with a Snapshot that has Err set.
	Watch(ctx context.Context, emit func(Snapshot)) error
	// Connect opens the card in the slot exclusively, in a transaction.
	Connect(ctx context.Context, slot string) (card.Transport, error)
}

// Snapshot is all slots at one moment.
type Snapshot struct {
	Slots []Slot // sorted by name
	Err   error  // card.ErrNoService where there is no service; nil otherwise
}

// Slot is one reader as the service names it. Name is outside text: escape it
// before it is shown.
type Slot struct {
	Name    string
	Present bool // a card is in
	Mute    bool // it does not answer (put in the wrong way up, say)
	InUse   bool // another program holds it exclusively
	ATR     []byte
	// Insertions counts cards put in since the watch began, so that a card that
	// was out and in again between two snapshots is told from one that stayed.
	Insertions int
	Simulated  bool // a software card: never in an image
}
