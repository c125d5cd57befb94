// Package seedkeeper recognises a SeedKeeper, the card of Satochip's maker that
// keeps seeds and does not sign, so that it can be called by its name. The
// protocol is described in the design's cards/seedkeeper.md.
package seedkeeper

import (
	"context"
	"fmt"
	"io"

	"github.com/airlock-signer/airlock/reader/apdu"
	"github.com/airlock-signer/airlock/reader/card"
)

// Make is the name of this make.
const Make = "SeedKeeper"

// statusSize is the least that its status has: versions, tries and four flags,
// as a Satochip's; newer ones add policies.
const (
	statusSize    = 12
	statusSizeMax = 64
	flagsOffset   = 8
)

// Open selects the applet. One that answers with its status is a
// card.RecognisedError that is card.ErrSeedKeeper; all else card.ErrUnknownCard.
// A bare 9000 is all else: an applet selected before may have said it.
func Open(ctx context.Context, t card.Transport, _ io.Reader) (card.Card, error) {
	command, err := apdu.Command{INS: 0xA4, P1: 0x04, Data: []byte("SeedKeeper")}.Bytes()
	if err != nil {
		return nil, err
	}
	data, sw, err := apdu.Exchange(ctx, t, command)
	if err != nil {
		return nil, err
	}
	if sw != apdu.OK || len(data) < statusSize || len(data) > statusSizeMax {
		return nil, card.ErrUnknownCard
	}
	for _, flag := range data[flagsOffset:statusSize] {
		if flag > 1 {
			return nil, card.ErrUnknownCard
		}
	}
	return nil, &card.RecognisedError{Make: Make, Version: fmt.Sprintf("%d.%d", data[0], data[1]), Condition: card.ErrSeedKeeper}
}
