package reader

import (
	"context"
	"errors"
	"io"

	"github.com/airlock-signer/airlock/reader/card"
	"github.com/airlock-signer/airlock/reader/satochip"
	"github.com/airlock-signer/airlock/reader/seedkeeper"
)

// cardMake is a make of card.
type cardMake struct {
	name string
	// open recognises cards of this make by SELECT and a status reply of the
	// make's own (never by a bare 9000) and opens them. It answers
	// card.ErrUnknownCard where the card is of another make, before it has sent
	// anything that could change it; a card.RecognisedError where it is of this
	// make and cannot be used.
	open func(ctx context.Context, t card.Transport, random io.Reader) (card.Card, error)
	// reset is one insertion of a factory reset without a PIN, nil where the
	// make has none.
	reset func(ctx context.Context, t card.Transport) (left int, err error)
}

// makes is the table of makes, in the order in which they are tried. A new
// make is one row here.
func makes() []cardMake {
	return []cardMake{
		{satochip.Make, satochip.Open, satochip.ResetStep},
		{seedkeeper.Make, seedkeeper.Open, nil},
	}
}

// Open recognises the card behind t and opens it: its identity established,
// its channel open, nobody logged in. random is the source of its channel keys
// and nonces, crypto/rand.Reader but in tests. A card of no known make is
// card.ErrUnknownCard, one of a known make that cannot be used a
// *card.RecognisedError. The transport stays the caller's on an error.
func Open(ctx context.Context, t card.Transport, random io.Reader) (card.Card, error) {
	var refused error
	for _, m := range makes() {
		c, err := m.open(ctx, t, random)
		switch {
		case err == nil:
			return c, nil
		case errors.Is(err, card.ErrUnknownCard):
			continue
		case refused == nil && errors.Is(err, card.ErrTooOld):
			// A SeedKeeper that was selected before answers to the name of Satochip
			// with its own, lower version. Asked by its own name it tells.
			refused = err
			continue
		case refused != nil && !errors.Is(err, card.ErrSeedKeeper):
			return nil, refused
		}
		return nil, err
	}
	if refused != nil {
		return nil, refused
	}
	return nil, card.ErrUnknownCard
}

// ResetMakes names the makes that ResetStep can reset.
func ResetMakes() []string {
	var names []string
	for _, m := range makes() {
		if m.reset != nil {
			names = append(names, m.name)
		}
	}
	return names
}

// ResetStep is one insertion of a factory reset (card.Resetter says how many it
// takes). t must be fresh, from Backend.Connect to a card that was just put in,
// and nothing else may have been said to it; it stays the caller's. left is how
// many insertions are still wanted, 0 when the reset is done.
//
// Nothing can be asked of the card but this, so its identity is not known here.
// The count is kept in the card: where left is not one less than before, it is
// another card. card.ErrResetInterrupted: it starts over. card.ErrNotSupported
// and card.ErrUnknownCard: this card cannot be reset so.
func ResetStep(ctx context.Context, t card.Transport) (left int, err error) {
	for _, m := range makes() {
		if m.reset == nil {
			continue
		}
		left, err = m.reset(ctx, t)
		if errors.Is(err, card.ErrUnknownCard) {
			continue
		}
		return left, err
	}
	return 0, card.ErrUnknownCard
}
