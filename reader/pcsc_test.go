package reader_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/airlock-signer/airlock/reader"
	"github.com/airlock-signer/airlock/reader/card"
	"github.com/airlock-signer/airlock/reader/pcsctest"
)

// These tests run against the real pcscd and its virtual reader.

// tooLong bounds what is waited for; no test depends on how long things take.
const tooLong = 30 * time.Second

// watcher collects the snapshots of one Watch.
type watcher struct {
	t     *testing.T
	mu    sync.Mutex
	all   []reader.Snapshot
	fresh chan struct{}
	ended chan error
	stop  context.CancelFunc
}

func watch(t *testing.T, b reader.Backend) *watcher {
	ctx, cancel := context.WithCancel(context.Background())
	w := &watcher{t: t, fresh: make(chan struct{}, 1), ended: make(chan error, 1), stop: cancel}
	go func() {
		w.ended <- b.Watch(ctx, func(s reader.Snapshot) {
			w.mu.Lock()
			w.all = append(w.all, s)
			w.mu.Unlock()
			select {
			case w.fresh <- struct{}{}:
			default:
			}
		})
	}()
	t.Cleanup(cancel)
	return w
}

// until waits for a snapshot, the latest or a later one, that is as wanted.
func (w *watcher) until(what string, is func(reader.Snapshot) bool) reader.Snapshot {
	w.t.Helper()
	late := time.After(tooLong)
	for {
		w.mu.Lock()
		n := len(w.all)
		var last reader.Snapshot
		if n > 0 {
			last = w.all[n-1]
		}
		w.mu.Unlock()
		if n > 0 && is(last) {
			return last
		}
		select {
		case <-w.fresh:
		case <-late:
			w.t.Fatalf("no snapshot with %s; last: %+v", what, last)
		}
	}
}

func noService(s reader.Snapshot) bool { return errors.Is(s.Err, card.ErrNoService) }
func noReader(s reader.Snapshot) bool  { return s.Err == nil && len(s.Slots) == 0 }
func empty(s reader.Snapshot) bool {
	return s.Err == nil && len(s.Slots) == 1 && s.Slots[0].Name == pcsctest.Reader && !s.Slots[0].Present
}
func filled(s reader.Snapshot) bool {
	return s.Err == nil && len(s.Slots) == 1 && s.Slots[0].Name == pcsctest.Reader && s.Slots[0].Present
}

// echo answers an APDU with itself and 9000.
func echo(apdu []byte) []byte { return append(bytes.Clone(apdu), 0x90, 0x00) }

func newCard() *pcsctest.Card { return &pcsctest.Card{ATR: pcsctest.ATRT1(), Answer: echo} }

func newPCSC(t *testing.T) *reader.PCSC {
	return reader.NewPCSC(func(line string) { t.Log(line) })
}

func within(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), tooLong)
	t.Cleanup(cancel)
	return ctx
}

var apdu = []byte{0xB0, 0x3C, 0x00, 0x00}

func TestWatchServiceReaderAndCard(t *testing.T) {
	s := pcsctest.New(t)
	b := newPCSC(t)
	w := watch(t, b)
	w.until("no service", noService)

	s.Unplug()
	s.Start()
	w.until("a service and no reader", noReader)
	s.Plug()
	w.until("an empty reader", empty)

	c := newCard()
	c.Insert(t, s.CardAddr())
	got := w.until("a card", filled)
	if slot := got.Slots[0]; slot.Insertions != 1 || !bytes.Equal(slot.ATR, c.ATR) || slot.Mute || slot.InUse || slot.Simulated {
		t.Errorf("card in: %+v", slot)
	}
	c.Remove()
	if got = w.until("an empty reader", empty); got.Slots[0].ATR != nil {
		t.Errorf("ATR of an empty reader: %x", got.Slots[0].ATR)
	}
	c = newCard()
	c.Insert(t, s.CardAddr())
	w.until("the second card", func(s reader.Snapshot) bool { return filled(s) && s.Slots[0].Insertions == 2 })

	s.Unplug()
	w.until("no reader", noReader)
	if _, err := b.Connect(within(t), pcsctest.Reader); !errors.Is(err, card.ErrReaderGone) {
		t.Errorf("connect without the reader: %v", err)
	}
	s.Plug()
	w.until("the reader back", empty)
	newCard().Insert(t, s.CardAddr())
	w.until("the third card", func(s reader.Snapshot) bool { return filled(s) && s.Slots[0].Insertions == 3 })

	s.Stop()
	w.until("no service", noService)
	if _, err := b.Connect(within(t), pcsctest.Reader); !errors.Is(err, card.ErrNoService) {
		t.Errorf("connect without a service: %v", err)
	}
	s.Start()
	w.until("all back", empty)

	w.stop()
	if err := <-w.ended; !errors.Is(err, context.Canceled) {
		t.Errorf("Watch ended with %v", err)
	}
}

// A reader that is there, with a card, before the watch begins, and a watch that
// ends before it has begun.
func TestWatchWhatIsThereAlready(t *testing.T) {
	s := pcsctest.New(t)
	s.Start()
	newCard().Insert(t, s.CardAddr())
	b := newPCSC(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := b.Watch(ctx, func(reader.Snapshot) { t.Error("a snapshot after the end") }); !errors.Is(err, context.Canceled) {
		t.Errorf("Watch: %v", err)
	}
	w := watch(t, b)
	w.until("the card that was there", filled)
}

// Cards that come and go while nobody looks are counted all the same, so that
// one that was out is told from one that stayed.
func TestWatchCountsWhatItDidNotSee(t *testing.T) {
	s := pcsctest.New(t)
	s.Start()
	c := newCard()
	c.Insert(t, s.CardAddr())
	s.UntilLogged("Card inserted", 1)

	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	looking := make(chan struct{})
	seen := make(chan int, 100)
	ended := make(chan error, 1)
	go func() {
		ended <- newPCSC(t).Watch(ctx, func(s reader.Snapshot) {
			if filled(s) {
				seen <- s.Slots[0].Insertions
				<-looking
			}
		})
	}()
	if n := <-seen; n != 0 {
		t.Errorf("a card that was in counts as put in %d times", n)
	}
	for i := range 2 {
		c.Remove()
		s.UntilLogged("Card Removed", i+1)
		c = newCard()
		c.Insert(t, s.CardAddr())
		s.UntilLogged("Card inserted", i+2)
	}
	close(looking)
	for {
		if n := <-seen; n == 2 {
			break
		} else if n > 2 {
			t.Fatalf("%d insertions counted", n)
		}
	}
	cancel()
	<-ended
}

func TestConnectIsExclusive(t *testing.T) {
	s := pcsctest.New(t)
	s.Start()
	mine, theirs := newPCSC(t), newPCSC(t)
	w := watch(t, mine)
	if _, err := mine.Connect(within(t), pcsctest.Reader); !errors.Is(err, card.ErrRemoved) {
		t.Errorf("connect to an empty reader: %v", err)
	}
	c := newCard()
	c.Insert(t, s.CardAddr())
	w.until("the card", filled)

	other, err := theirs.Connect(within(t), pcsctest.Reader)
	if err != nil {
		t.Fatal(err)
	}
	w.until("in use elsewhere", func(s reader.Snapshot) bool { return filled(s) && s.Slots[0].InUse })
	if _, err := mine.Connect(within(t), pcsctest.Reader); !errors.Is(err, card.ErrInUse) {
		t.Errorf("connect to a card in use: %v", err)
	}
	if err := other.Close(); err != nil {
		t.Error(err)
	}
	w.until("free again", func(s reader.Snapshot) bool { return filled(s) && !s.Slots[0].InUse })

	own, err := mine.Connect(within(t), pcsctest.Reader)
	if err != nil {
		t.Fatal(err)
	}
	reply, err := own.Transmit(within(t), apdu)
	if err != nil || !bytes.Equal(reply, echo(apdu)) {
		t.Errorf("reply %x, %v", reply, err)
	}
	resets := c.Resets()
	for range 2 { // once is enough
		if err := own.Close(); err != nil {
			t.Error(err)
		}
	}
	if got := c.Resets(); got != resets+1 {
		t.Errorf("closing reset the card %d times", got-resets)
	}
	if _, err := own.Transmit(within(t), apdu); err == nil {
		t.Error("an exchange after Close")
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range w.all[len(w.all)-1:] {
		if s.Slots[0].InUse {
			t.Error("its own card is shown as in use elsewhere")
		}
	}
}

func TestLongestExchanges(t *testing.T) {
	s := pcsctest.New(t)
	s.Start()
	b := newPCSC(t)
	c := newCard()
	c.Insert(t, s.CardAddr())
	watch(t, b).until("the card", filled)
	tr, err := b.Connect(within(t), pcsctest.Reader)
	if err != nil {
		t.Fatal(err)
	}
	defer tr.Close()
	long := append([]byte{0xB0, 0x82, 0, 0, 255}, bytes.Repeat([]byte{7}, 255)...)
	reply, err := tr.Transmit(within(t), long)
	if err != nil || !bytes.Equal(reply, echo(long)) {
		t.Fatalf("%d bytes back, %v", len(reply), err)
	}
	again, err := tr.Transmit(within(t), apdu)
	if err != nil || !bytes.Equal(again, echo(apdu)) {
		t.Fatalf("%x, %v", again, err)
	}
	if !bytes.Equal(reply, echo(long)) {
		t.Error("the first reply changed with the second exchange")
	}
}

// What happens to an exchange when card, reader or service go away during it.
func TestGoneDuringTransmit(t *testing.T) {
	for name, tc := range map[string]struct {
		atr  []byte
		gone func(*pcsctest.Service, *pcsctest.Card)
		want error
	}{
		"contact card out":  {pcsctest.ATRT1(), func(_ *pcsctest.Service, c *pcsctest.Card) { c.Remove() }, card.ErrRemoved},
		"T=0 card out":      {pcsctest.ATRT0(), func(_ *pcsctest.Service, c *pcsctest.Card) { c.Remove() }, card.ErrRemoved},
		"contactless out":   {pcsctest.ATRContactless(), func(_ *pcsctest.Service, c *pcsctest.Card) { c.Remove() }, card.ErrRemoved},
		"service stops":     {pcsctest.ATRT1(), func(s *pcsctest.Service, _ *pcsctest.Card) { s.Stop() }, card.ErrNoService},
		"reader pulled out": {pcsctest.ATRT1(), func(s *pcsctest.Service, c *pcsctest.Card) { s.Pull(c) }, card.ErrReaderGone},
	} {
		t.Run(name, func(t *testing.T) {
			s := pcsctest.New(t)
			s.Start()
			b := newPCSC(t)
			w := watch(t, b)
			asked := make(chan struct{})
			c := &pcsctest.Card{ATR: tc.atr, Answer: func([]byte) []byte { close(asked); return nil }}
			c.Insert(t, s.CardAddr())
			w.until("the card", filled)
			tr, err := b.Connect(within(t), pcsctest.Reader)
			if err != nil {
				t.Fatal(err)
			}
			result := make(chan error, 1)
			go func() {
				_, err := tr.Transmit(within(t), apdu)
				result <- err
			}()
			<-asked
			tc.gone(s, c)
			if err := <-result; !errors.Is(err, tc.want) {
				t.Errorf("%v, want %v", err, tc.want)
			}
			if _, again := tr.Transmit(within(t), apdu); !errors.Is(again, tc.want) {
				t.Errorf("the dead transport says %v", again)
			}
			if err := tr.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
			w.until("no card", func(s reader.Snapshot) bool { return !filled(s) })
			if tc.want == card.ErrRemoved {
				s.UntilLogged("Card Removed", 1)
				w.until("an empty reader", empty)
			}
		})
	}
}

// The card was taken out and put back between two exchanges: the second one
// must not reach it.
func TestOutAndInBetweenTransmits(t *testing.T) {
	s := pcsctest.New(t)
	s.Start()
	b := newPCSC(t)
	w := watch(t, b)
	c := newCard()
	c.Insert(t, s.CardAddr())
	was := w.until("the card", filled).Slots[0].Insertions
	tr, err := b.Connect(within(t), pcsctest.Reader)
	if err != nil {
		t.Fatal(err)
	}
	defer tr.Close()
	c.Remove()
	back := &pcsctest.Card{ATR: pcsctest.ATRT1(), Answer: func(a []byte) []byte {
		t.Errorf("%x reached the card that came later", a)
		return echo(a)
	}}
	back.Insert(t, s.CardAddr())
	w.until("it back", func(s reader.Snapshot) bool { return filled(s) && s.Slots[0].Insertions == was+1 })
	if _, err := tr.Transmit(within(t), apdu); !errors.Is(err, card.ErrRemoved) {
		t.Errorf("%v, want ErrRemoved", err)
	}
}

// A card that was taken out is closed, and not reset: pcscd would take the reader
// for empty, whatever is in it by then.
func TestCloseAfterRemoval(t *testing.T) {
	s := pcsctest.New(t)
	s.Start()
	b := newPCSC(t)
	w := watch(t, b)
	c := newCard()
	c.Insert(t, s.CardAddr())
	w.until("the card", filled)
	tr, err := b.Connect(within(t), pcsctest.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c.Remove()
	w.until("the reader empty", empty)
	if err := tr.Close(); err != nil {
		t.Error(err)
	}
	if strings.Contains(s.Log(), "Error resetting card") {
		t.Error("the card that was gone was reset")
	}
	// A new watch says first what the service says now.
	w.stop()
	<-w.ended
	first := watch(t, b).until("a first look", func(reader.Snapshot) bool { return true })
	if !empty(first) {
		t.Errorf("the empty reader is shown as %+v", first)
	}
}

// A card that never answers holds up neither its caller nor the watch.
func TestHungCard(t *testing.T) {
	s := pcsctest.New(t)
	s.Start()
	b := newPCSC(t)
	w := watch(t, b)
	asked := make(chan struct{})
	c := &pcsctest.Card{ATR: pcsctest.ATRT1(), Answer: func([]byte) []byte { close(asked); return nil }}
	c.Insert(t, s.CardAddr())
	w.until("the card", filled)
	tr, err := b.Connect(within(t), pcsctest.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		<-asked
		cancel()
	}()
	if _, err := tr.Transmit(ctx, apdu); !errors.Is(err, context.Canceled) {
		t.Fatalf("Transmit: %v", err)
	}
	if _, err := tr.Transmit(within(t), apdu); !errors.Is(err, card.ErrNoResponse) {
		t.Errorf("the dead transport says %v", err)
	}
	if err := tr.Close(); !errors.Is(err, card.ErrNoResponse) {
		t.Errorf("Close: %v", err)
	}
	// The watch ends and another begins while the card still hangs.
	w.stop()
	if err := <-w.ended; !errors.Is(err, context.Canceled) {
		t.Errorf("Watch ended with %v", err)
	}
	w = watch(t, b)
	w.until("the card that hangs", filled)
	c.Remove()
	w.until("the reader empty", empty)
	newCard().Insert(t, s.CardAddr())
	w.until("a card that answers", filled)
	tr, err = b.Connect(within(t), pcsctest.Reader)
	if err != nil {
		t.Fatalf("after the card that hung: %v", err)
	}
	defer tr.Close()
	if _, err := tr.Transmit(within(t), apdu); err != nil {
		t.Error(err)
	}
}

func TestHostileReplies(t *testing.T) {
	s := pcsctest.New(t)
	s.Start()
	b := newPCSC(t)
	c := newCard()
	c.Answer = func([]byte) []byte { return []byte{0x90} }
	c.Insert(t, s.CardAddr())
	watch(t, b).until("the card", filled)
	tr, err := b.Connect(within(t), pcsctest.Reader)
	if err != nil {
		t.Fatal(err)
	}
	defer tr.Close()
	if _, err := tr.Transmit(within(t), nil); err == nil {
		t.Error("an empty APDU was sent")
	}
	if reply, err := tr.Transmit(within(t), apdu); !errors.Is(err, card.ErrBadReply) {
		t.Errorf("a reply of one byte: %x, %v", reply, err)
	}
}

func TestConnectToImpossibleNames(t *testing.T) {
	for _, name := range []string{"", "a\x00b", strings.Repeat("x", 200)} {
		if _, err := newPCSC(t).Connect(context.Background(), name); !errors.Is(err, card.ErrReaderGone) {
			t.Errorf("%q: %v", name, err)
		}
	}
}
