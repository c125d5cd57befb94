package reader

import (
	"context"
	"errors"
	"io"

	"github.com/airlock-signer/airlock/reader/card"
	"github.com/airlock-signer/airlock/reader/satochip"
)

// opener recognises cards of one make by SELECT and a status reply of the
// make's own (never by a bare 9000) and opens them. It answers
// card.ErrUnknownCard where the card is of another make, before it has sent
// anything that could change it.
type opener func(ctx context.Context, t card.Transport, random io.Reader) (card.Card, error)

// makes is the table of makes, in the order in which they are tried. A new
// make is one row here.
func makes() []opener {
	return []opener{
		satochip.Open,
	}
}

// Open recognises the card behind t and opens it: its identity established,
// its channel open, nobody logged in. random is the source of its channel keys
// and nonces, crypto/rand.Reader but in tests. A card of no known make is
// card.ErrUnknownCard. The transport stays the caller's on an error.
func Open(ctx context.Context, t card.Transport, random io.Reader) (card.Card, error) {
	for _, open := range makes() {
		c, err := open(ctx, t, random)
		if errors.Is(err, card.ErrUnknownCard) {
			continue
		}
		if err != nil {
			return nil, err
		}
		return c, nil
	}
	return nil, card.ErrUnknownCard
}
