package session

import (
	"context"
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/airlock-signer/airlock/airgap"
	"github.com/airlock-signer/airlock/reader"
	"github.com/airlock-signer/airlock/reader/card"
	"github.com/airlock-signer/airlock/reader/simcard"
)

// toPIN puts a card in and goes to its PIN.
func (x *sitting) toPIN(c simcard.Card) State {
	x.Helper()
	x.insert(c)
	x.open("payment.psbt")
	x.s.Do(GoOn{})
	return x.step(StepPIN)
}

// paused is a run that stopped after its first signature, with the card out.
func (x *sitting) paused() simcard.Card {
	x.Helper()
	var armed atomic.Bool
	var count atomic.Int32
	c := simcard.WithFaults(demoCard(x.T, "0.14", "one"), func(_ int, apdu []byte, next func([]byte) []byte) []byte {
		if armed.Load() && count.Add(1) == 4 {
			armed.Store(false)
			_ = x.readers.Remove(testReader)
			return nil
		}
		return next(apdu)
	})
	st := x.toApproval("payment.psbt", c)
	armed.Store(true)
	x.s.Do(TypeAmount{Text: st.Review.Confirmation.Text})
	if st = x.step(StepPaused); st.Progress.Made == 0 {
		x.Fatal("nothing was signed yet")
	}
	x.until("the card to be out", func(st State) bool { return !st.Slots[0].Present })
	return c
}

// TestSteppingBackKeepsWhatWasSigned: one key on the way back into a run must
// not drop its signatures.
func TestSteppingBackKeepsWhatWasSigned(t *testing.T) {
	for name, leave := range map[string]Event{"back": Back{}, "home": ShowHome{}, "files": ShowFiles{}} {
		t.Run(name, func(t *testing.T) {
			x := newSitting(t)
			c := x.paused()
			x.s.Do(GoOn{})
			x.step(StepCard)
			x.s.Do(leave)
			st := x.s.State()
			if st.Step != StepPaused && st.Step != StepCard || !st.Unwritten || st.Progress.Made == 0 {
				t.Fatalf("step %d, %d signatures", st.Step, st.Progress.Made)
			}
			if st.Step == StepPaused {
				x.s.Do(GoOn{})
			}
			x.insert(c)
			st = x.until("the result", func(st State) bool { return st.Result != nil && st.Result.Done() })
			checkResult(t, x, st)
		})
	}
}

// TestIdleForgetsThePINOfACardThatIsOut: whoever puts it back hours later is
// asked for it.
func TestIdleForgetsThePINOfACardThatIsOut(t *testing.T) {
	x := newSitting(t, func(c *Config) { c.Idle = 40 * time.Millisecond })
	c := demoCard(t, "0.12", "one")
	st := x.toApproval("payment.psbt", c)
	x.remove()
	x.now = x.now.Add(time.Hour)
	x.s.Do(tick{})
	x.s.Do(TypeAmount{Text: st.Review.Confirmation.Text})
	x.step(StepCard)
	x.insert(c)
	if st = x.s.State(); st.Step != StepPIN {
		t.Fatalf("step %d: the PIN was sent by itself", st.Step)
	}
}

// TestNetworkForgetsThePINOfACardThatIsOut in a review and in a paused run.
func TestNetworkForgetsThePINOfACardThatIsOut(t *testing.T) {
	for name, begin := range map[string]func(*sitting) simcard.Card{
		"review": func(x *sitting) simcard.Card {
			c := demoCard(x.T, "0.12", "one")
			st := x.toApproval("payment.psbt", c)
			x.remove()
			x.s.Do(Back{})
			x.step(StepReview)
			x.s.Do(isolationChanged{networkUp()})
			x.s.Do(isolationChanged{quietNetwork()})
			x.s.Do(GoOn{})
			x.s.Do(TypeAmount{Text: st.Review.Confirmation.Text})
			return c
		},
		"paused": func(x *sitting) simcard.Card {
			c := x.paused()
			x.s.Do(isolationChanged{networkUp()})
			x.s.Do(isolationChanged{quietNetwork()})
			return c
		},
	} {
		t.Run(name, func(t *testing.T) {
			x := newSitting(t)
			c := begin(x)
			x.insert(c)
			if st := x.s.State(); st.Step != StepPIN {
				t.Fatalf("step %d: the PIN was sent by itself", st.Step)
			}
		})
	}
}

// noLogout is a card that cannot be logged out once it is told so.
type noLogout struct {
	card.Card
	fails *atomic.Bool
	wait  chan struct{}
}

func (n *noLogout) Logout(ctx context.Context) error {
	if n.fails.Load() {
		<-n.wait
		return errors.New("no answer")
	}
	return n.Card.Logout(ctx)
}

// TestPINForACardThatDiedMeanwhile: the card that was to be logged out was
// closed while its PIN was typed. The PIN goes nowhere, and nothing panics.
func TestPINForACardThatDiedMeanwhile(t *testing.T) {
	for _, early := range []bool{true, false} {
		var fails atomic.Bool
		wait := make(chan struct{})
		x := newSitting(t, func(c *Config) {
			c.OpenCard = func(ctx context.Context, tr card.Transport) (card.Card, error) {
				opened, err := reader.Open(ctx, tr, rand.Reader)
				if err != nil {
					return nil, err
				}
				return &noLogout{opened, &fails, wait}, nil
			}
		})
		x.toPIN(demoCard(t, "0.12", "one"))
		x.pin(simcard.DemoPIN)
		x.step(StepReview)
		fails.Store(true)
		x.s.Do(Back{})
		x.s.Do(GoOn{})
		x.step(StepPIN)
		if early {
			x.pin(simcard.DemoPIN)
		}
		close(wait)
		x.until("the card to be given up", func(st State) bool { return !st.Slots[0].Opened })
		fails.Store(false)
		x.pin(simcard.DemoPIN)
		x.until("the card to be opened again", func(st State) bool { return st.Slots[0].Opened && st.Step == StepPIN })
		x.pin(simcard.DemoPIN)
		x.step(StepReview)
	}
}

// TestTaskDoesNotGoToAnotherCard: a reader exchanges the card without a word
// while a PIN is typed for it. What was typed is wiped.
func TestTaskDoesNotGoToAnotherCard(t *testing.T) {
	var fails, swapped atomic.Bool
	wait := make(chan struct{})
	elsewhere := simcard.NewReaders(secondReader)
	if err := elsewhere.Insert(secondReader, demoCard(t, "0.12", "two")); err != nil {
		t.Fatal(err)
	}
	x := newSitting(t, func(c *Config) {
		c.OpenCard = func(ctx context.Context, tr card.Transport) (card.Card, error) {
			if swapped.Load() {
				var err error
				if tr, err = elsewhere.Connect(ctx, secondReader); err != nil {
					return nil, err
				}
			}
			opened, err := reader.Open(ctx, tr, rand.Reader)
			if err != nil {
				return nil, err
			}
			return &noLogout{opened, &fails, wait}, nil
		}
	})
	x.toPIN(demoCard(t, "0.12", "one"))
	x.pin(simcard.DemoPIN)
	x.step(StepReview)
	fails.Store(true)
	x.s.Do(ShowHome{})
	x.s.Do(ShowCards{})
	x.s.Do(ShowCard{Slot: testReader})
	x.s.Do(DoTask{Task: TaskUnlock})
	st := x.s.State()
	if st.Care == nil || st.Care.Secret == nil {
		t.Fatalf("no PIN is asked for: step %d, problem %q", st.Step, st.Problem)
	}
	if err := st.Care.Secret.Append([]byte(simcard.DemoPIN)...); err != nil {
		t.Fatal(err)
	}
	swapped.Store(true)
	before := x.s.slots[testReader].id()
	close(wait)
	x.until("the other card", func(State) bool {
		h := x.s.slots[testReader]
		return h.card != nil && h.id() != before
	})
	fails.Store(false)
	x.s.Do(SecretTyped{})
	if st = x.s.State(); st.Step != StepCare || st.Busy != "" {
		t.Errorf("step %d, busy %q: the PIN went to the other card", st.Step, st.Busy)
	}
	mentions(t, st.Problem, "another card")
}

// TestTryThatWasLeftBehindCounts: a wrong PIN whose answer came when the person
// had gone back already. The next time, the tries left are those of the card.
func TestTryThatWasLeftBehindCounts(t *testing.T) {
	x := newSitting(t)
	st := x.toPIN(demoCard(t, "0.12", "one"))
	before := st.PIN.Left
	x.pin("0000")
	ev := <-x.events // the outcome, on its way
	x.s.Do(Back{})
	x.s.Do(ev)
	x.s.Do(GoOn{})
	st = x.step(StepPIN)
	if st.PIN.Left != before-1 {
		t.Errorf("%d tries left on screen, %d before the wrong one", st.PIN.Left, before)
	}
}

// TestPulledJustAfterUnlocking: the news that the card is out comes before that
// it was unlocked.
func TestPulledJustAfterUnlocking(t *testing.T) {
	x := newSitting(t)
	x.toPIN(demoCard(t, "0.12", "one"))
	x.pin(simcard.DemoPIN)
	ev := <-x.events
	if _, ok := ev.(unlocked); !ok {
		t.Fatalf("%T", ev)
	}
	x.remove()
	x.s.Do(ev)
	if st := x.step(StepReview); !st.Locked {
		t.Error("a card that is out counts as unlocked")
	}
}

// TestNoLastTryByItself: somebody used up tries of the card while it was out.
func TestNoLastTryByItself(t *testing.T) {
	x := newSitting(t)
	c := demoCard(t, "0.12", "one")
	st := x.toApproval("payment.psbt", c)
	x.remove()
	useTries(t, c, 1)
	x.s.Do(TypeAmount{Text: st.Review.Confirmation.Text})
	x.step(StepCard)
	x.insert(c)
	st = x.until("the PIN", func(st State) bool { return st.Step == StepPIN || st.Step == StepResult })
	if st.Step != StepPIN || st.PIN.Left != 1 || st.PIN.WantWord == "" {
		t.Errorf("step %d, %+v", st.Step, st.PIN)
	}
}

// useTries types wrong PINs elsewhere, until so many tries are left.
func useTries(t *testing.T, c simcard.Card, left int) {
	t.Helper()
	other := simcard.NewReaders("Elsewhere")
	if err := other.Insert("Elsewhere", c); err != nil {
		t.Fatal(err)
	}
	tr, err := other.Connect(context.Background(), "Elsewhere")
	if err != nil {
		t.Fatal(err)
	}
	opened, err := reader.Open(context.Background(), tr, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for opened.Info().PINTries > left {
		pin := pinBuffer(t, "0000")
		if err := opened.VerifyPIN(context.Background(), pin); err == nil {
			t.Fatal("a wrong PIN was taken")
		}
		pin.Release()
	}
	if err := opened.Close(); err != nil {
		t.Fatal(err)
	}
	if err := other.Remove("Elsewhere"); err != nil {
		t.Fatal(err)
	}
}

const secondReader = "Second reader"

// second puts a card into a reader of its own.
func (x *sitting) second(c simcard.Card) {
	x.Helper()
	x.readers.Plug(secondReader)
	if err := x.readers.Insert(secondReader, c); err != nil {
		x.Fatal(err)
	}
	x.until("the second card", func(st State) bool {
		for _, v := range st.Slots {
			if v.Name == secondReader && v.Opened {
				return true
			}
		}
		return false
	})
}

// TestPINGoesToNoOtherReader: a PIN is being typed for one card, which is
// pulled while another lies in a second reader. That one gets it only after a
// person picked it.
func TestPINGoesToNoOtherReader(t *testing.T) {
	x := newSitting(t)
	x.toPIN(demoCard(t, "0.12", "one"))
	x.second(demoCard(t, "0.12", "two"))
	turn := x.s.State().Turn
	x.remove2(testReader)
	if st := x.s.State(); st.Step != StepCard {
		t.Fatalf("step %d, card %+v: the PIN is asked for the other card", st.Step, st.Card)
	}
	x.pin(simcard.DemoPIN)
	for _, v := range x.s.State().Slots {
		if v.LoggedIn {
			t.Errorf("%s got the PIN", v.Name)
		}
	}
	x.s.Do(ChooseSlot{Name: secondReader})
	if st := x.step(StepPIN); st.Card == nil || st.Card.Name != secondReader || st.Turn == turn {
		t.Errorf("card %+v, turn %d", st.Card, st.Turn)
	}
}

// remove2 takes a card out where there are several readers.
func (x *sitting) remove2(name string) {
	x.Helper()
	if err := x.readers.Remove(name); err != nil {
		x.Fatal(err)
	}
	x.until("the card to be out", func(st State) bool {
		for _, v := range st.Slots {
			if v.Name == name {
				return !v.Present
			}
		}
		return true
	})
}

// TestBlockedCardLeavesRoomForAnother: a card that blocked itself stays in, and
// another in a second reader can be picked.
func TestBlockedCardLeavesRoomForAnother(t *testing.T) {
	x := newSitting(t)
	c := demoCard(t, "0.12", "one")
	useTries(t, c, 1)
	x.toPIN(c)
	x.s.Do(TypeWord{Word: x.s.State().PIN.WantWord})
	x.pin("0000")
	x.until("the block", func(st State) bool { return st.Step == StepCard && st.Slots[0].Trouble != "" })
	x.second(demoCard(t, "0.12", "two"))
	x.s.Do(ChooseSlot{Name: secondReader})
	if st := x.step(StepPIN); st.Card.Name != secondReader {
		t.Errorf("card %+v", st.Card)
	}
}

// fails is media on which a write fails, once for each name in it.
type fails struct {
	Media
	names map[string]bool
}

func (f *fails) Write(ctx context.Context, v airgap.Volume, dir, name string, data []byte) (airgap.Written, error) {
	if f.names[name] {
		delete(f.names, name)
		return airgap.Written{}, airgap.ErrMediumGone
	}
	return f.Media.Write(ctx, v, dir, name, data)
}

// TestAnotherStickAtTheSamePlace gets everything, although the first stick took
// a part of it; at its top, where it has no such folder.
func TestAnotherStickAtTheSamePlace(t *testing.T) {
	x := newSitting(t, func(c *Config) {
		c.Media = &fails{c.Media, map[string]bool{"payment-text-final.txn": true}}
	})
	st := x.toApproval("more/payment-text.psbt", demoCard(t, "0.14", "one"))
	x.s.Do(TypeAmount{Text: st.Review.Confirmation.Text})
	st = x.until("the trouble", func(st State) bool { return st.Result != nil && st.Result.Trouble != "" })
	if len(st.Result.Written) != 1 {
		t.Fatalf("written: %+v", st.Result.Written)
	}
	entries, err := os.ReadDir(x.stick)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if err := os.RemoveAll(filepath.Join(x.stick, e.Name())); err != nil {
			t.Fatal(err)
		}
	}
	other := st.Result.Volume
	other.ID += " mounted anew"
	x.s.Do(WriteResult{Volume: other})
	st = x.until("the result", func(st State) bool { return st.Result.Done() || st.Result.Trouble != "" })
	if found := x.files(); len(found) != 2 {
		t.Errorf("%d files on the other stick, problem %q", len(found), st.Result.Trouble)
	}
}
