package session

import (
	"bytes"
	"fmt"
	"os"
	"testing"

	"github.com/airlock-signer/airlock/reader/card"
)

// The abuse matrix: every fault at every moment, with every make of card. A
// fault is a row of faults, a moment one of moments, a make one of makers.

// moment is when a fault comes: while nothing is asked of the card, or in the
// nth exchange of some work.
type moment struct {
	name   string
	step   Step // of those between exchanges
	n      int  // of those within work: 1 is the first exchange; 0: between
	paused bool // the run was interrupted before
}

// between is when a fault comes that is not one of an exchange.
func (m moment) between(st State) bool {
	if m.n > 0 || st.Step != m.step {
		return false
	}
	if m.step != StepPaused {
		return true
	}
	return len(st.Slots) > 0 && !st.Slots[0].Present // seen to be out
}

// moments between exchanges, in the order of the main job.
func moments() []moment {
	return []moment{
		{name: "preview", step: StepPreview},
		{name: "no card yet", step: StepCard},
		{name: "PIN", step: StepPIN},
		{name: "review", step: StepReview},
		{name: "approve", step: StepApprove},
		{name: "paused", step: StepPaused, paused: true},
	}
}

// tasks are what a card is asked exchange by exchange. Resuming is all that comes
// once the card of an interrupted run is back.
func tasks() []moment {
	return []moment{{name: "opening"}, {name: "unlocking"}, {name: "signing"}, {name: "resuming", paused: true}}
}

// fault is one row.
type fault struct {
	name string
	// strike does it between exchanges; nil: it is one of an exchange alone.
	strike func(a *abuse)
	// exchange does it in the middle of one; nil: it is none of an exchange.
	exchange exchangeFault
	// mend puts right what a person would put right; nil where nothing is broken.
	mend func(a *abuse)
	// empty: it can come while no card is in.
	empty bool
	// hasty: quicker than pcscd follows (it looks every 400 ms), so it is for
	// simulated readers alone.
	hasty bool
	// mayFail: the run may end with a sentence and without a result. Otherwise it
	// has to be signed whole in the end.
	mayFail bool
}

// faults lists what goes wrong around the card, and what goes wrong on the wire.
func faults() []fault { return append(handFaults(), wireFaults()...) }

func handFaults() []fault {
	return []fault{
		{
			name: "service stopped and started", empty: true,
			strike:   func(a *abuse) { a.rig.stop() },
			exchange: during(func(a *abuse) { a.rig.stop() }),
			mend: func(a *abuse) {
				a.until("the service to be missed", func(st State) bool { return st.SlotsTrouble != "" })
				a.rig.start()
				a.back()
			},
		},
		{
			name: "reader unplugged and plugged in", empty: true,
			strike:   func(a *abuse) { a.rig.unplug() },
			exchange: during(func(a *abuse) { a.rig.unplug() }),
			mend: func(a *abuse) {
				a.until("the reader to be missed", func(st State) bool { return len(st.Slots) == 0 })
				a.rig.plug()
				a.back()
			},
		},
		{
			name:     "card out and back",
			strike:   func(a *abuse) { a.pullOut() },
			exchange: during(func(a *abuse) { a.pullOut() }),
			mend:     func(a *abuse) { a.out(); a.in(a.own) },
		},
		{
			name:   "card out and back at once",
			hasty:  true,
			strike: func(a *abuse) { a.pullOut(); a.in(a.own) },
		},
		{
			name: "another card at once", hasty: true,
			strike: func(a *abuse) { a.pullOut(); a.in(a.newCard("two")) },
			mend: func(a *abuse) {
				a.until("it to be told apart", func(st State) bool {
					v := a.slot(st)
					return a.opened(st) && (v.Code != a.printed || !a.identity)
				})
				a.out()
				a.in(a.own)
			},
		},
		{
			name: "card out before its reply, and back",
			exchange: func(a *abuse, _ *played, apdu []byte, next func([]byte) []byte) []byte {
				next(apdu)
				a.byHand(a.pullOut)
				return nil
			},
			mend: func(a *abuse) { a.out(); a.in(a.own) },
		},
		{
			name: "a reply after the card is gone",
			exchange: func(a *abuse, _ *played, apdu []byte, next func([]byte) []byte) []byte {
				reply := next(apdu)
				a.byHand(a.pullOut)
				return reply
			},
			mend: func(a *abuse) { a.out(); a.in(a.own) },
		},
		{
			name:     "another card, then the first",
			strike:   func(a *abuse) { a.pullOut() },
			exchange: during(func(a *abuse) { a.pullOut() }),
			mend:     anotherCard,
		},
		{
			name:   "another program tries to take the card",
			strike: noRoom,
			exchange: func(a *abuse, _ *played, apdu []byte, next func([]byte) []byte) []byte {
				a.byHand(func() { noRoom(a) })
				return next(apdu)
			},
		},
		{
			name:   "another program took the card",
			strike: func(a *abuse) { a.pullOut() },
			mend:   tooLate,
		},
	}
}

// during does something while the card is being asked, which never answers.
func during(what func(*abuse)) exchangeFault {
	return func(a *abuse, _ *played, _ []byte, _ func([]byte) []byte) []byte {
		a.byHand(func() { what(a) })
		return nil
	}
}

// back waits until the reader is back, with the card that was left in it.
func (a *abuse) back() {
	a.Helper()
	in := a.inside != nil
	a.until("the reader to be back", func(st State) bool { v := a.slot(st); return v != nil && v.Present == in })
}

// anotherCard puts another one in while the first is out: it is told apart, and
// gets no PIN.
func anotherCard(a *abuse) {
	a.out()
	two := a.newCard("two")
	st := a.seat(two)
	if v := a.slot(st); !v.Opened {
		a.Errorf("another card cannot be opened: %s", v.Trouble)
	} else if a.identity && v.Code == a.printed {
		a.Error("another card is not told apart")
	}
	if st.Step == StepPaused && a.identity {
		st = a.until("it to be named", func(st State) bool { return st.Problem != "" })
		a.s.Do(GoOn{}) // a person who does not look
		st = a.look()
		if st.Step == StepUnlocking || st.Step == StepSigning || st.Step == StepPIN {
			a.Errorf("goes on with another card: step %d", st.Step)
		}
		mentions(a.T, st.Problem, "another card")
	}
	a.out()
	a.in(a.own)
}

// noRoom: another program asks for the card while the station has it.
func noRoom(a *abuse) {
	if v := a.slot(a.s.State()); v == nil || !v.Opened {
		return // it would get it, as below
	}
	t, err := a.rig.Connect(a.s.ctx, a.rig.name())
	if err == nil {
		_ = t.Close()
		a.Error("another program got the card that the station holds")
		return
	}
	if err != error(card.ErrInUse) {
		a.Errorf("another program is told %v", err)
	}
}

// tooLate: another program has the card before the station. The station says
// so, and has it once it is free.
func tooLate(a *abuse) {
	a.out()
	taken := make(chan card.Transport, 1)
	a.gate <- func() {
		t, err := a.rig.Connect(a.s.ctx, a.rig.name())
		if err != nil {
			a.Errorf("another program cannot take the card: %v", err)
		}
		taken <- t
	}
	st := a.seat(a.own)
	if v := a.slot(st); v.Opened || v.Trouble != card.ErrInUse.Sentence {
		a.Errorf("a card that another program holds: %+v", v)
	}
	if t := <-taken; t != nil {
		_ = t.Close()
	}
	a.s.Do(RetrySlot{Name: a.rig.name()})
	if v := a.slot(a.until("the card to be opened", a.opened)); !v.Opened {
		a.Errorf("the card is free, and the station says %q", v.Trouble)
	}
}

func wireFaults() []fault {
	all := []fault{
		{name: "delayed", exchange: func(a *abuse, _ *played, apdu []byte, next func([]byte) []byte) []byte {
			reply := next(apdu)
			for range 3 {
				a.byHand(func() { a.s.Do(Activity{}); a.look() })
			}
			return reply
		}},
		{name: "asked twice", exchange: func(_ *abuse, _ *played, apdu []byte, next func([]byte) []byte) []byte {
			next(bytes.Clone(apdu))
			return next(apdu)
		}},
		{name: "replayed", exchange: func(_ *abuse, p *played, apdu []byte, next func([]byte) []byte) []byte {
			reply := next(apdu)
			if old := p.before(); len(old) >= 2 {
				return old
			}
			return reply
		}},
		{name: "replayed, the card not asked", exchange: func(_ *abuse, p *played, apdu []byte, next func([]byte) []byte) []byte {
			if old := p.before(); len(old) >= 2 {
				return old
			}
			return next(apdu)
		}},
		{name: "replayed, of the same command", exchange: func(_ *abuse, p *played, apdu []byte, next func([]byte) []byte) []byte {
			reply := next(apdu)
			log := p.card.Log()
			if old := p.beforeOf(log[len(log)-1].INS); len(old) >= 2 {
				return old
			}
			return reply
		}},
		{name: "another card answers", exchange: func(a *abuse, p *played, apdu []byte, _ func([]byte) []byte) []byte {
			return a.stand(p, nil).Transmit(apdu)
		}, mend: func(a *abuse) { a.own.honest(); a.out(); a.in(a.own) }},
		{name: "another card answers, selected", exchange: func(a *abuse, p *played, apdu []byte, _ func([]byte) []byte) []byte {
			return a.stand(p, a.picked).Transmit(apdu)
		}, mend: func(a *abuse) { a.own.honest(); a.out(); a.in(a.own) }},
	}
	for _, f := range []struct {
		name    string
		change  func([]byte) []byte
		mayFail bool
	}{
		{"half", func(r []byte) []byte { return r[:len(r)/2] }, false},
		{"one byte short", func(r []byte) []byte { return r[:len(r)-1] }, false},
		{"one byte", func(r []byte) []byte { return r[:1] }, false},
		{"twice in one", func(r []byte) []byte { return append(r, r...) }, false},
		{"too long", func([]byte) []byte { return bytes.Repeat([]byte{0x90, 0x00}, 2000) }, false},
		{"first byte corrupt", flip(0), true},
		{"byte 20 corrupt", flip(20), true},
		{"byte 60 corrupt", flip(60), true},
		{"last data byte corrupt", flip(-3), true},
		{"status corrupt", flip(-1), false},
		{"bare 9000", status(0x90, 0x00), false},
		{"bare 6F00", status(0x6F, 0x00), false},
		{"claims that the PIN is wrong", status(0x63, 0xC1), false},
		{"claims that the PIN is blocked", status(0x9C, 0x0C), false},
		{"claims to want the PIN", status(0x9C, 0x06), false},
	} {
		all = append(all, fault{name: f.name, mayFail: f.mayFail, exchange: func(_ *abuse, _ *played, apdu []byte, next func([]byte) []byte) []byte {
			return f.change(next(apdu))
		}})
	}
	return all
}

func flip(at int) func([]byte) []byte {
	return func(r []byte) []byte {
		i := at
		if i < 0 {
			i += len(r)
		}
		if i >= 0 && i < len(r) {
			r[i] ^= 1
		}
		return r
	}
}

func status(sw1, sw2 byte) func([]byte) []byte {
	return func([]byte) []byte { return []byte{sw1, sw2} }
}

// stand has another card answer in the place of one, from now on.
func (a *abuse) stand(p *played, first []byte) *played {
	a.mu.Lock()
	two := &played{a: a, name: "two", card: a.make(a.T, "two")}
	a.cards = append(a.cards, two)
	a.mu.Unlock()
	two.Reset()
	if first != nil {
		two.Transmit(first)
	}
	return p.standIn(two)
}

// abused is one cell of the matrix. It reports whether the fault came at all:
// the loop over the exchanges of some work ends where it does not.
func abused(t *testing.T, k kit, r rig, f fault, at moment) (came bool) {
	a := newAbuse(t, k, r, &f, at)
	a.until("the reader", func(st State) bool { return len(st.Slots) > 0 })
	if at.name == "opening" {
		a.begin()
	}
	if at.step != StepCard {
		a.in(a.own)
		a.until("the card to be seen", func(st State) bool { v := a.slot(st); return v != nil && (v.Present || a.struck) })
	}
	st := a.sign(k.file)
	came = a.disarm() || at.n == 0 && a.struck
	if came && !a.mended && f.mend != nil { // it came as the card was logged out
		f.mend(a)
	}
	a.ended(st)
	a.check()
	// The station is still usable.
	if st.Step == StepFailed {
		a.s.Do(Back{})
	}
	a.own.honest()
	a.fault, a.moment = nil, moment{}
	a.ended(a.sign(clean))
	a.check()
	return came
}

// TestAbuse is the matrix over simulated readers: with the first make of card
// every fault in every exchange, but for what repeats itself; with the others,
// and with -short, fewer exchanges.
func TestAbuse(t *testing.T) {
	for i, m := range makers() {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			k, rows := newKit(t, m), 0
			for j, f := range faults() {
				rows += matrix(t, f, func(t *testing.T, at moment) bool {
					return abused(t, k, newSimulated(t), f, at)
				}, func(at moment) bool {
					every := 1
					switch {
					case all(), at.n == 0 && i == 0:
					case i > 0 || testing.Short():
						every = 12
					case f.strike == nil:
						every = 4
					}
					return (at.n+j)%every == 0
				})
			}
			t.Logf("%d rows", rows)
		})
	}
}

// all: everything, everywhere (AIRLOCK_ABUSE=all).
func all() bool { return os.Getenv("AIRLOCK_ABUSE") == "all" }

// maxExchanges of any work, so that a loop ends whatever a card does.
const maxExchanges = 60

// matrix runs a fault at all its moments, and in the exchanges that are wanted
// until the work needs no more. It returns how many there were.
func matrix(t *testing.T, f fault, run func(t *testing.T, at moment) bool, wanted func(at moment) bool) (rows int) {
	for _, at := range moments() {
		if f.strike == nil || at.step == StepCard && !f.empty || !wanted(at) {
			continue
		}
		rows++
		t.Run(fmt.Sprintf("%s, %s", f.name, at), func(t *testing.T) {
			if !run(t, at) {
				t.Error("the moment never came")
			}
		})
	}
	if f.exchange == nil {
		return rows
	}
	for _, at := range tasks() {
		for at.n = 1; at.n < maxExchanges; at.n++ {
			if !wanted(at) {
				continue
			}
			came := false
			t.Run(fmt.Sprintf("%s, %s", f.name, at), func(t *testing.T) { came = run(t, at) })
			if !came {
				break
			}
			rows++
		}
	}
	return rows
}
