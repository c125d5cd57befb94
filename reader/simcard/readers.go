package simcard

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/airlock-signer/airlock/reader"
	"github.com/airlock-signer/airlock/reader/card"
)

// Readers are simulated card readers: a reader.Backend whose cards a program
// puts in and takes out. All slots say Simulated. Safe for concurrent use.
type Readers struct {
	mu      sync.Mutex
	slots   map[string]*slot
	down    bool
	changed chan struct{} // closed at each change, and replaced
}

var _ reader.Backend = (*Readers)(nil)

// slot is one reader, whether it is plugged in or not.
type slot struct {
	plugged    bool
	card       Card // nil: empty
	insertions int
	inUse      bool
	connected  *connection // the exclusive connection, nil where there is none
}

// NewReaders plugs in a reader for each name; all are empty.
func NewReaders(names ...string) *Readers {
	r := &Readers{slots: make(map[string]*slot), changed: make(chan struct{})}
	for _, name := range names {
		r.slots[name] = &slot{plugged: true}
	}
	return r
}

// change does something to the slots and tells those that watch.
func (r *Readers) change(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f()
	close(r.changed)
	r.changed = make(chan struct{})
}

// with changes one slot; it is an error if there is none of that name.
func (r *Readers) with(name string, f func(*slot)) error {
	err := fmt.Errorf("simcard: no reader named %q", name)
	r.change(func() {
		if s := r.slots[name]; s != nil {
			f(s)
			err = nil
		}
	})
	return err
}

// Insert puts a card in, in place of one that was there, and powers it up.
func (r *Readers) Insert(name string, c Card) error {
	return r.with(name, func(s *slot) {
		s.end(card.ErrRemoved)
		c.Reset()
		s.card = c
		s.insertions++
	})
}

// Remove pulls the card, also in the middle of an exchange.
func (r *Readers) Remove(name string) error {
	return r.with(name, func(s *slot) {
		s.end(card.ErrRemoved)
		s.card = nil
	})
}

// Plug plugs a reader in, an unplugged one again or a new one. A card left in
// it counts as put in.
func (r *Readers) Plug(name string) {
	r.change(func() {
		s := r.slots[name]
		if s == nil {
			s = &slot{}
			r.slots[name] = s
		}
		if !s.plugged && s.card != nil {
			s.card.Reset()
			s.insertions++
		}
		s.plugged = true
	})
}

// Unplug takes the reader away; its card stays in it.
func (r *Readers) Unplug(name string) error {
	return r.with(name, func(s *slot) {
		s.end(card.ErrReaderGone)
		s.plugged = false
	})
}

// SetInUse says that another program holds the card, or no longer does.
func (r *Readers) SetInUse(name string, inUse bool) error {
	return r.with(name, func(s *slot) { s.inUse = inUse })
}

// ServiceDown stops the smart card service, ServiceUp starts it again. What
// happened to the cards meanwhile nobody knows: each counts as put in anew.
func (r *Readers) ServiceDown() {
	r.change(func() {
		r.down = true
		for _, s := range r.slots {
			s.end(card.ErrNoService)
		}
	})
}

// ServiceUp is told at ServiceDown.
func (r *Readers) ServiceUp() {
	r.change(func() {
		if !r.down {
			return
		}
		r.down = false
		for _, s := range r.slots {
			if s.card != nil {
				s.card.Reset()
				s.insertions++
			}
		}
	})
}

// Watch is that of reader.Backend. Changes that follow each other faster than
// emit returns come as one; Insertions tells.
func (r *Readers) Watch(ctx context.Context, emit func(reader.Snapshot)) error {
	r.mu.Lock()
	begin := make(map[string]int)
	for name, s := range r.slots {
		begin[name] = s.insertions
	}
	r.mu.Unlock()
	for ctx.Err() == nil {
		r.mu.Lock()
		snapshot, changed := r.snapshot(begin), r.changed
		r.mu.Unlock()
		emit(snapshot)
		select {
		case <-changed:
		case <-ctx.Done():
		}
	}
	return ctx.Err()
}

// snapshot is the state now, with insertions counted from begin on.
func (r *Readers) snapshot(begin map[string]int) reader.Snapshot {
	if r.down {
		return reader.Snapshot{Err: card.ErrNoService}
	}
	var out reader.Snapshot
	for name, s := range r.slots {
		if !s.plugged {
			continue
		}
		slot := reader.Slot{Name: name, Insertions: s.insertions - begin[name], Simulated: true}
		if s.card != nil {
			slot.Present, slot.InUse = true, s.inUse
			slot.ATR = slices.Clone(s.card.ATR())
			slot.Mute = slot.ATR == nil
		}
		out.Slots = append(out.Slots, slot)
	}
	slices.SortFunc(out.Slots, func(a, b reader.Slot) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// Connect is that of reader.Backend.
func (r *Readers) Connect(ctx context.Context, name string) (card.Transport, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.slots[name]
	switch {
	case r.down:
		return nil, card.ErrNoService
	case s == nil || !s.plugged:
		return nil, card.ErrReaderGone
	case s.card == nil:
		return nil, card.ErrRemoved
	case s.connected != nil || s.inUse:
		return nil, card.ErrInUse
	case s.card.ATR() == nil:
		return nil, card.ErrNoResponse
	}
	s.connected = &connection{
		readers: r, slot: s, card: s.card,
		gone: make(chan struct{}), turn: make(chan struct{}, 1),
	}
	return s.connected, nil
}

// end breaks the connection to the card. The caller holds the lock.
func (s *slot) end(why *card.Error) {
	if s.connected != nil {
		s.connected.why = why
		close(s.connected.gone)
		s.connected = nil
	}
}

// connection is the card.Transport of a simulated reader.
type connection struct {
	readers *Readers
	slot    *slot
	card    Card
	why     *card.Error   // set before gone is closed
	gone    chan struct{} // closed when card or reader went away, or at Close
	turn    chan struct{} // holds one token while the card is busy
}

// Transmit exchanges one command. A reply that nobody waited for is thrown
// away; the next command waits until the card is done with this one.
func (c *connection) Transmit(ctx context.Context, apdu []byte) ([]byte, error) {
	select {
	case <-c.gone:
		return nil, c.why
	case <-ctx.Done():
		return nil, ctx.Err()
	case c.turn <- struct{}{}:
	}
	select {
	case <-c.gone:
		<-c.turn
		return nil, c.why
	default:
	}
	replies := make(chan []byte, 1)
	command := slices.Clone(apdu)
	go func() {
		replies <- c.card.Transmit(command)
		<-c.turn
	}()
	select {
	case <-c.gone:
		return nil, c.why
	case <-ctx.Done():
		return nil, ctx.Err()
	case reply := <-replies:
		return c.deliver(reply)
	}
}

// deliver hands a reply on, unless the card went away while it made it. After
// no reply the connection is dead.
func (c *connection) deliver(reply []byte) ([]byte, error) {
	c.readers.mu.Lock()
	defer c.readers.mu.Unlock()
	if c.slot.connected == c && len(reply) < 2 {
		c.slot.end(card.ErrNoResponse)
	}
	if c.slot.connected != c {
		return nil, c.why
	}
	return reply, nil
}

// Close resets the card, as soon as it is done with a command that is under way;
// until then nobody else gets it.
func (c *connection) Close() error {
	select {
	case c.turn <- struct{}{}:
		c.release()
	default:
		go func() {
			c.turn <- struct{}{}
			c.release()
		}()
	}
	return nil
}

// release ends the connection of a card that is not busy. One that went away
// before may be somebody else's by now, and is left alone.
func (c *connection) release() {
	c.readers.mu.Lock()
	defer c.readers.mu.Unlock()
	if c.slot.connected == c {
		c.card.Reset()
		c.slot.end(card.ErrNoResponse)
	}
	<-c.turn
}
