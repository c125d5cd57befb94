package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/airlock-signer/airlock/reader"
	"github.com/airlock-signer/airlock/reader/card"
)

const (
	// cardsSettle is how long readers get to report their cards: a service that
	// was started just now lists a reader before it has looked into it.
	cardsSettle = time.Second
	// cardsPatience bounds the time one card may take.
	cardsPatience = 20 * time.Second
)

const cardsUsage = `usage: airlock cards [--json]

Lists the smart card readers and what is in them: make, version, state, tries
left, identity code and what each card can do. Asks for no PIN and sends none.

  --json   one JSON document, on one line

The exit status is 0 where every reader holds a card that could be read, 1 where
something was in the way (it says what), 2 when the command was not understood.
`

// runCards is `airlock cards` on this machine's readers. It returns the exit
// status.
func runCards(args []string, _ io.Reader, stdout, stderr io.Writer) int {
	asJSON := false
	for _, arg := range args {
		switch arg {
		case "--json", "-json":
			asJSON = true
		case "-h", "--help", "-help":
			fmt.Fprint(stdout, cardsUsage)
			return 0
		default:
			fmt.Fprint(stderr, cardsUsage)
			return 2
		}
	}
	return listCards(context.Background(), reader.NewPCSC(nil), cardsSettle, asJSON, stdout, stderr)
}

// listCards writes what is in the readers of b, after settle at the latest.
func listCards(ctx context.Context, b reader.Backend, settle time.Duration, asJSON bool, stdout, stderr io.Writer) int {
	d := inventory(ctx, b, settle)
	if asJSON {
		if err := d.writeJSON(stdout); err != nil {
			fmt.Fprintf(stderr, "airlock cards: the list could not be printed: %v\n", err)
			return 1
		}
		return d.exitStatus()
	}
	if d.Error != "" {
		fmt.Fprintf(stderr, "airlock cards: %s\n", d.Error)
		return d.exitStatus()
	}
	d.writeText(stdout)
	return d.exitStatus()
}

// inventory looks into every reader.
func inventory(ctx context.Context, b reader.Backend, settle time.Duration) cardsDocument {
	d := cardsDocument{Format: 1, Readers: []readerEntry{}}
	s := settled(ctx, b, settle)
	if s.Err == nil && len(s.Slots) == 0 {
		s.Err = card.ErrNoReader
	}
	if s.Err != nil {
		d.Error, d.Condition = trouble(s.Err)
		return d
	}
	for _, slot := range s.Slots {
		d.Readers = append(d.Readers, lookInto(ctx, b, slot))
	}
	return d
}

// settled is the state of the readers once all hold a card, or when the time is over.
func settled(ctx context.Context, b reader.Backend, settle time.Duration) reader.Snapshot {
	ctx, cancel := context.WithTimeout(ctx, settle)
	defer cancel()
	last := reader.Snapshot{Err: card.ErrNoService} // one that does not even answer
	_ = b.Watch(ctx, func(s reader.Snapshot) {
		last = s
		full := s.Err == nil && len(s.Slots) > 0
		for _, slot := range s.Slots {
			full = full && slot.Present
		}
		if full {
			cancel()
		}
	}) // ends with ctx, which is no error here
	return last
}

// errNoCard is an empty reader, which is no fault.
var errNoCard = &card.Error{Sentence: "No card is in this reader. Put one in, chip first; on a contactless reader, lay it on top."}

// lookInto opens the card in a slot, describes it and lets go of it again.
func lookInto(ctx context.Context, b reader.Backend, slot reader.Slot) readerEntry {
	e := newReaderEntry(slot)
	c, err := openCard(ctx, b, slot)
	if err == nil {
		e.Card = describeCard(c)
		_ = c.Close() // nobody is logged in, and everything was read
		return e
	}
	e.Error, e.Condition = trouble(err)
	var known *card.RecognisedError
	if errors.As(err, &known) {
		e.Card = describeUnusable(known)
	}
	return e
}

func openCard(ctx context.Context, b reader.Backend, slot reader.Slot) (card.Card, error) {
	switch {
	case !slot.Present:
		return nil, errNoCard
	case slot.Mute:
		return nil, card.ErrNoResponse
	case slot.InUse:
		return nil, card.ErrInUse
	}
	ctx, cancel := context.WithTimeout(ctx, cardsPatience)
	defer cancel()
	t, err := b.Connect(ctx, slot.Name)
	if err != nil {
		return nil, err
	}
	c, err := reader.Open(ctx, t, rand.Reader)
	if err != nil {
		_ = t.Close() // what matters was said by Open
		return nil, err
	}
	return c, nil
}
