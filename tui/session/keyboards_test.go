package session

import (
	"context"
	"fmt"
	"testing"

	"github.com/airlock-signer/airlock/airgap"
	"github.com/airlock-signer/airlock/reader/simcard"
)

func keyboardNo(n int) airgap.Keyboard {
	return airgap.Keyboard{Node: fmt.Sprintf("input%d", n), Name: "Keyboard", Phys: fmt.Sprintf("usb-%d/input0", n)}
}

// plugs are keyboards that a test plugs in, and types on.
type plugs struct {
	list chan []airgap.Keyboard
	keys chan string
}

func keyboardSitting(t *testing.T, listens bool) (*sitting, *plugs) {
	p := &plugs{list: make(chan []airgap.Keyboard), keys: make(chan string)}
	x := newSitting(t, func(c *Config) {
		c.WatchKeyboards = func(ctx context.Context, emit func([]airgap.Keyboard, error)) {
			emit([]airgap.Keyboard{keyboardNo(1)}, nil)
			for {
				select {
				case l := <-p.list:
					emit(l, nil)
				case <-ctx.Done():
					return
				}
			}
		}
		c.WatchPresses = func(ctx context.Context, k airgap.Keyboard, emit func()) error {
			if !listens {
				return airgap.ErrNoPresses
			}
			for {
				select {
				case <-p.keys:
					emit()
				case <-ctx.Done():
					return ctx.Err()
				}
			}
		}
	})
	x.until("the keyboards", func(State) bool { return x.s.keyboardsSeen })
	return x, p
}

func (x *sitting) plug(p *plugs, list ...airgap.Keyboard) State {
	x.Helper()
	p.list <- list
	return x.until("the doubt", func(st State) bool { return st.Doubt != nil })
}

func (x *sitting) typeOn(p *plugs, node string, keys int) {
	x.Helper()
	for range keys {
		p.keys <- node
	}
	x.until("the presses", func(State) bool { return x.s.doubt.presses[node] >= keys })
}

// TestKeyboardStopsApproval: the card is logged out, nothing that is typed does
// anything, and with the code typed on it the review goes on.
func TestKeyboardStopsApproval(t *testing.T) {
	x, p := keyboardSitting(t, true)
	c := demoCard(t, "0.14", "one")
	st := x.toApproval("payment.psbt", c)
	amount := st.Review.Confirmation.Text
	if st.Doubt != nil {
		t.Fatal("the keyboard of the start is in doubt")
	}
	st = x.plug(p, keyboardNo(1), keyboardNo(2))
	if !st.Locked || st.Review == nil || len(st.Doubt.Keyboards) != 1 || !st.Doubt.CanTell {
		t.Fatalf("locked %v, %+v", st.Locked, st.Doubt)
	}
	for _, ev := range []Event{TypeAmount{Text: amount}, GoOn{}, Back{}, ShowHome{}, ShowFiles{}, Activity{}, WriteResult{}} {
		x.s.Do(ev)
		if now := x.s.State(); now.Step != StepApprove || now.Doubt == nil {
			t.Fatalf("%T led to step %d", ev, now.Step)
		}
	}
	x.s.Do(TypeCode{Text: st.Doubt.Code})
	if now := x.s.State(); now.Doubt == nil || now.Doubt.Code == st.Doubt.Code {
		t.Fatal("a code that was typed elsewhere was taken")
	}
	x.typeOn(p, "input2", codeDigits)
	x.s.Do(TypeCode{Text: x.s.State().Doubt.Code})
	if st = x.s.State(); st.Doubt != nil || st.Step != StepApprove {
		t.Fatalf("step %d, %+v", st.Step, st.Doubt)
	}
	x.s.Do(TypeAmount{Text: amount})
	x.step(StepPIN)
	x.pin(simcard.DemoPIN)
	x.until("the result", func(st State) bool { return st.Result != nil && st.Result.Done() })
}

// TestKeyboardStopsPIN: a PIN that was begun goes nowhere, and is not asked for
// before the doubt has ended.
func TestKeyboardStopsPIN(t *testing.T) {
	x, p := keyboardSitting(t, false)
	x.insert(demoCard(t, "0.14", "one"))
	x.open("payment.psbt")
	x.s.Do(GoOn{})
	x.step(StepPIN)
	x.plug(p, keyboardNo(1), keyboardNo(2))
	st := x.until("that nobody can tell", func(st State) bool { return !st.Doubt.CanTell })
	if st.Step != StepCard {
		t.Errorf("step %d", st.Step)
	}
	x.pin(simcard.DemoPIN)
	x.s.Do(isolationChanged{quietNetwork()})
	if st = x.s.State(); st.Step != StepCard {
		t.Errorf("step %d", st.Step)
	}
	x.s.Do(TypeCode{Text: st.Doubt.Code}) // nobody can tell on which, so it is enough
	if st = x.step(StepPIN); st.Doubt != nil {
		t.Errorf("%+v", st.Doubt)
	}
}

// TestKeyboardWrongCode: another code for each try, few tries, and pulling the
// keyboard ends it.
func TestKeyboardWrongCode(t *testing.T) {
	x, p := keyboardSitting(t, false)
	st := x.plug(p, keyboardNo(1), keyboardNo(2))
	for try := 1; try <= codeTries; try++ {
		before := x.s.State().Doubt.Code
		if before == "" {
			t.Fatalf("no code at try %d", try)
		}
		x.s.Do(TypeCode{Text: before + "0"})
		if now := x.s.State(); now.Doubt == nil || now.Doubt.Code == before {
			t.Fatalf("try %d: %+v", try, now.Doubt)
		}
	}
	x.s.Do(TypeCode{Text: st.Doubt.Code})
	x.s.Do(TypeCode{Text: ""})
	if st = x.s.State(); st.Doubt == nil || st.Doubt.Code != "" {
		t.Fatalf("%+v", st.Doubt)
	}
	p.list <- []airgap.Keyboard{keyboardNo(1)}
	x.until("the end of it", func(st State) bool { return st.Doubt == nil })
	again := x.plug(p, keyboardNo(1), keyboardNo(3))
	if again.Doubt.Code == "" {
		t.Error("no code for another keyboard")
	}
}

// TestKeyboardOfTwoParts is one device; another one stays in doubt.
func TestKeyboardOfTwoParts(t *testing.T) {
	x, p := keyboardSitting(t, true)
	second := keyboardNo(3)
	second.Phys = "usb-2/input1"
	x.plug(p, keyboardNo(1), keyboardNo(2), second, keyboardNo(4))
	x.s.Do(pressed{"input2"})
	for range codeDigits {
		x.s.Do(pressed{"input2"})
	}
	x.s.Do(TypeCode{Text: x.s.State().Doubt.Code})
	st := x.s.State()
	if st.Doubt == nil || len(st.Doubt.Keyboards) != 1 || st.Doubt.Keyboards[0].Node != "input4" {
		t.Errorf("%+v", st.Doubt)
	}
}

// TestKeyboardsUnknown is said, and stops nothing.
func TestKeyboardsUnknown(t *testing.T) {
	x := newSitting(t)
	x.s.Do(keyboardsChanged{err: airgap.ErrIO})
	if st := x.s.State(); !st.KeyboardsUnknown || st.Doubt != nil {
		t.Errorf("%v, %+v", st.KeyboardsUnknown, st.Doubt)
	}
	x.s.Do(keyboardsChanged{list: []airgap.Keyboard{keyboardNo(1)}})
	if st := x.s.State(); st.KeyboardsUnknown || st.Doubt != nil {
		t.Errorf("%v, %+v", st.KeyboardsUnknown, st.Doubt)
	}
}
