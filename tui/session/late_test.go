package session

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/airlock-signer/airlock/reader"
	"github.com/airlock-signer/airlock/reader/card"
)

// lateReaders connect the first time only when the second is asked for: so the
// first gets the card that was put back, and the second finds it in use.
type lateReaders struct {
	reader.Backend
	calls                  atomic.Int32
	first                  chan struct{}
	asked, inside, refused chan struct{}
}

func (l *lateReaders) Connect(ctx context.Context, slot string) (card.Transport, error) {
	switch l.calls.Add(1) {
	case 1:
		close(l.first)
		<-l.asked
		defer close(l.inside)
	case 2:
		close(l.asked)
		<-l.inside
		defer close(l.refused)
	}
	return l.Backend.Connect(ctx, slot)
}

// TestCardPutBackFast: an opening of our own that came too late does not leave
// the card in use.
func TestCardPutBackFast(t *testing.T) {
	late := &lateReaders{first: make(chan struct{}), asked: make(chan struct{}), inside: make(chan struct{}), refused: make(chan struct{})}
	x := newSitting(t, func(c *Config) {
		late.Backend = c.Readers
		c.Readers = late
		open := c.OpenCard
		c.OpenCard = func(ctx context.Context, tr card.Transport) (card.Card, error) {
			<-late.refused // the first holds the card until the second was refused
			return open(ctx, tr)
		}
	})
	c := demoCard(t, "0.12", "one")
	if err := x.readers.Insert(testReader, c); err != nil {
		t.Fatal(err)
	}
	x.until("the card in", func(st State) bool { return len(st.Slots) == 1 && st.Slots[0].Present })
	<-late.first
	if err := x.readers.Remove(testReader); err != nil {
		t.Fatal(err)
	}
	x.until("the card out", func(st State) bool { return len(st.Slots) == 1 && !st.Slots[0].Present })
	if err := x.readers.Insert(testReader, c); err != nil {
		t.Fatal(err)
	}
	st := x.until("the card opened", func(st State) bool { return len(st.Slots) == 1 && st.Slots[0].Opened })
	if st.Slots[0].Info.Make != "Satochip" || late.calls.Load() < 3 {
		t.Errorf("%+v after %d openings", st.Slots[0], late.calls.Load())
	}
}
