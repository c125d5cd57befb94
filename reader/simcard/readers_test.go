package simcard

import (
	"bytes"
	"context"
	"errors"
	"reflect"
	"sync"
	"testing"

	"github.com/airlock-signer/airlock/reader"
	"github.com/airlock-signer/airlock/reader/card"
)

const slotA, slotB = "Reader A", "Reader B"

var selectSatochip = append([]byte{0x00, 0xA4, 0x04, 0x00, 8}, satochipAID...)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// watched follows the readers until the test ends.
type watched struct {
	t *testing.T
	c chan reader.Snapshot
}

func watch(t *testing.T, r *Readers) *watched {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	w := &watched{t, make(chan reader.Snapshot, 64)}
	done := make(chan error, 1)
	go func() { done <- r.Watch(ctx, func(s reader.Snapshot) { w.c <- s }) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("Watch ended with %v", err)
		}
	})
	return w
}

// until reads snapshots until one is as it should be.
func (w *watched) until(what string, is func(reader.Snapshot) bool) reader.Snapshot {
	w.t.Helper()
	for {
		s, ok := <-w.c
		if !ok {
			w.t.Fatalf("no snapshot where %s", what)
		}
		if is(s) {
			return s
		}
	}
}

func slotOf(s reader.Snapshot, name string) reader.Slot {
	for _, slot := range s.Slots {
		if slot.Name == name {
			return slot
		}
	}
	return reader.Slot{}
}

func TestWatchTellsEachChange(t *testing.T) {
	r := NewReaders(slotB, slotA)
	c := newSatochip(t, Demo(Satochip012, "a"))
	must(t, r.Insert(slotA, c))
	w := watch(t, r)
	first := <-w.c
	want := reader.Snapshot{Slots: []reader.Slot{
		{Name: slotA, Present: true, ATR: c.ATR(), Simulated: true},
		{Name: slotB, Simulated: true},
	}}
	if !reflect.DeepEqual(first, want) {
		t.Fatalf("first snapshot %+v", first)
	}
	must(t, r.Remove(slotA))
	w.until("A is empty", func(s reader.Snapshot) bool { return !slotOf(s, slotA).Present })
	must(t, r.Insert(slotA, c))
	must(t, r.Remove(slotA))
	must(t, r.Insert(slotA, c))
	w.until("a card was put into A twice", func(s reader.Snapshot) bool {
		return slotOf(s, slotA).Present && slotOf(s, slotA).Insertions == 2
	})
	must(t, r.SetInUse(slotA, true))
	w.until("A is in use", func(s reader.Snapshot) bool { return slotOf(s, slotA).InUse })
	must(t, r.Insert(slotB, mute{}))
	w.until("B is mute", func(s reader.Snapshot) bool { return slotOf(s, slotB).Present && slotOf(s, slotB).Mute })
	must(t, r.Unplug(slotB))
	w.until("B is gone", func(s reader.Snapshot) bool { return len(s.Slots) == 1 })
	r.Plug("Another")
	s := w.until("another is there", func(s reader.Snapshot) bool { return len(s.Slots) == 2 })
	if s.Slots[0].Name != "Another" || s.Slots[0].Present {
		t.Errorf("%+v", s.Slots)
	}
	r.Plug(slotB)
	w.until("B is back", func(s reader.Snapshot) bool { return slotOf(s, slotB).Insertions == 2 })
	r.ServiceDown()
	down := w.until("there is no service", func(s reader.Snapshot) bool { return s.Err != nil })
	if !errors.Is(down.Err, card.ErrNoService) || len(down.Slots) != 0 {
		t.Errorf("%+v", down)
	}
	r.ServiceUp()
	w.until("the service is back", func(s reader.Snapshot) bool { return s.Err == nil && slotOf(s, slotA).Insertions == 3 })
	if err := r.Insert("none", c); err == nil {
		t.Error("a card went into no reader")
	}
}

// mute is a card put in the wrong way up.
type mute struct{}

func (mute) ATR() []byte            { return nil }
func (mute) Reset()                 {}
func (mute) Transmit([]byte) []byte { return nil }

func TestConnect(t *testing.T) {
	ctx := context.Background()
	r := NewReaders(slotA, slotB)
	c := newSatochip(t, Demo(Satochip012, "a"))
	connects := func(want error) card.Transport {
		t.Helper()
		tr, err := r.Connect(ctx, slotA)
		if !errors.Is(err, want) {
			t.Fatalf("Connect: %v, want %v", err, want)
		}
		return tr
	}
	connects(card.ErrRemoved)
	must(t, r.Insert(slotA, c))
	first := connects(nil)
	connects(card.ErrInUse)
	if _, err := first.Transmit(ctx, selectSatochip); err != nil {
		t.Fatal(err)
	}
	must(t, first.Close())
	must(t, first.Close())
	if _, err := first.Transmit(ctx, selectSatochip); err == nil {
		t.Error("a closed transport answers")
	}
	second := connects(nil)
	if reply, err := second.Transmit(ctx, []byte{0xB0, 0x3C, 0, 0}); err != nil || !bytes.Equal(reply, []byte{0x6E, 0}) {
		t.Errorf("the card was not reset by Close: %x %v", reply, err)
	}
	must(t, second.Close())
	must(t, r.SetInUse(slotA, true))
	connects(card.ErrInUse)
	must(t, r.SetInUse(slotA, false))
	must(t, r.Insert(slotA, mute{}))
	connects(card.ErrNoResponse)
	must(t, r.Unplug(slotA))
	connects(card.ErrReaderGone)
	if _, err := r.Connect(ctx, "none"); !errors.Is(err, card.ErrReaderGone) {
		t.Error(err)
	}
	r.ServiceDown()
	connects(card.ErrNoService)
	ended, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := r.Connect(ended, slotA); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// TestTakenAway: each way for a card to go, before a command and during one.
func TestTakenAway(t *testing.T) {
	for name, tc := range map[string]struct {
		take func(*Readers)
		want error
	}{
		"card out":      {func(r *Readers) { _ = r.Remove(slotA) }, card.ErrRemoved},
		"another card":  {func(r *Readers) { _ = r.Insert(slotA, newSatochip(t, SatochipOptions{})) }, card.ErrRemoved},
		"reader out":    {func(r *Readers) { _ = r.Unplug(slotA) }, card.ErrReaderGone},
		"service ended": {func(r *Readers) { r.ServiceDown() }, card.ErrNoService},
	} {
		for _, during := range []bool{false, true} {
			r := NewReaders(slotA)
			var faults []Fault
			if during {
				faults = append(faults, LoseReply(1, func() { tc.take(r) }))
			}
			must(t, r.Insert(slotA, WithFaults(newSatochip(t, Demo(Satochip012, "a")), faults...)))
			tr, err := r.Connect(context.Background(), slotA)
			must(t, err)
			if !during {
				tc.take(r)
			}
			for range 2 {
				if _, err := tr.Transmit(context.Background(), selectSatochip); !errors.Is(err, tc.want) {
					t.Errorf("%s, during %v: %v", name, during, err)
				}
			}
			must(t, tr.Close())
		}
	}
}

// TestHungCard: a caller gets away by its context, nobody else gets the card
// until it has answered, and the command after that is answered in its turn.
func TestHungCard(t *testing.T) {
	r := NewReaders(slotA, slotB)
	release := make(chan struct{})
	c := WithFaults(newSatochip(t, Demo(Satochip012, "a")), Hold(2, release))
	must(t, r.Insert(slotA, c))
	must(t, r.Insert(slotB, newSatochip(t, Demo(Satochip012, "b"))))
	tr, err := r.Connect(context.Background(), slotA)
	must(t, err)
	if _, err := tr.Transmit(context.Background(), selectSatochip); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	hung := make(chan error, 1)
	go func() {
		_, err := tr.Transmit(ctx, []byte{0xB0, 0x3C, 0, 0})
		hung <- err
	}()
	other, err := r.Connect(context.Background(), slotB)
	must(t, err)
	if _, err := other.Transmit(context.Background(), selectSatochip); err != nil {
		t.Errorf("a hung card holds up another: %v", err)
	}
	cancel()
	if err := <-hung; !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	next := make(chan []byte, 1)
	go func() {
		reply, _ := tr.Transmit(context.Background(), []byte{0xB0, 0x11, 0, 0})
		next <- reply
	}()
	close(release)
	if reply := <-next; !bytes.Equal(reply, []byte{0x9C, 0x20}) {
		t.Errorf("the next command got %x", reply)
	}
}

// TestCloseOfAHungCard returns at once; the card is free when it has answered.
func TestCloseOfAHungCard(t *testing.T) {
	r := NewReaders(slotA)
	release, began := make(chan struct{}), make(chan struct{})
	stuck := func(n int, apdu []byte, next func([]byte) []byte) []byte {
		if n == 1 {
			close(began)
			<-release
		}
		return next(apdu)
	}
	must(t, r.Insert(slotA, WithFaults(newSatochip(t, Demo(Satochip012, "a")), stuck)))
	tr, err := r.Connect(context.Background(), slotA)
	must(t, err)
	go func() { _, _ = tr.Transmit(context.Background(), selectSatochip) }()
	<-began
	must(t, tr.Close())
	if _, err := r.Connect(context.Background(), slotA); !errors.Is(err, card.ErrInUse) {
		t.Errorf("a busy card is free: %v", err)
	}
	close(release)
	for {
		tr, err = r.Connect(context.Background(), slotA)
		if err == nil {
			break
		}
		if !errors.Is(err, card.ErrInUse) {
			t.Fatal(err)
		}
	}
	if reply, err := tr.Transmit(context.Background(), []byte{0xB0, 0x3C, 0, 0}); err != nil || !bytes.Equal(reply, []byte{0x6E, 0}) {
		t.Errorf("not reset: %x %v", reply, err)
	}
}

// TestAllAtOnce is for the race detector.
func TestAllAtOnce(t *testing.T) {
	r := NewReaders(slotA)
	c := newSatochip(t, Demo(Satochip012, "a"))
	ctx, cancel := context.WithCancel(context.Background())
	var hands, eyes sync.WaitGroup
	for range 2 {
		eyes.Go(func() { _ = r.Watch(ctx, func(reader.Snapshot) {}) })
		hands.Go(func() {
			for range 50 {
				_ = r.Insert(slotA, c)
				_ = r.Remove(slotA)
				_ = r.Unplug(slotA)
				r.Plug(slotA)
			}
		})
		hands.Go(func() {
			for range 200 {
				if tr, err := r.Connect(ctx, slotA); err == nil {
					_, _ = tr.Transmit(ctx, selectSatochip)
					_ = tr.Close()
				}
			}
		})
	}
	hands.Wait()
	cancel()
	eyes.Wait()
	must(t, r.Insert(slotA, c))
	tr, err := r.Connect(context.Background(), slotA)
	must(t, err)
	if reply, err := tr.Transmit(context.Background(), selectSatochip); err != nil || !bytes.Equal(reply, []byte{0x90, 0}) {
		t.Errorf("after all that: %x %v", reply, err)
	}
}
