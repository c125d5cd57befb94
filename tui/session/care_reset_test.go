package session

import (
	"testing"

	"github.com/airlock-signer/airlock/reader/card"
	"github.com/airlock-signer/airlock/reader/simcard"
)

// factoryReset goes through all insertions.
func (x *sitting) factoryReset(c simcard.Card) State {
	x.Helper()
	x.task(TaskReset)
	st := x.stage(StageConfirm)
	x.s.Do(TextTyped{Text: "zzzz"})
	if x.s.State().Care.Stage != StageConfirm {
		x.Fatal("wrong characters were taken")
	}
	x.s.Do(TextTyped{Text: st.Care.Confirm[len(st.Care.Confirm)-4:]})
	for n := 1; n < 5; n++ {
		st = x.until("a step", func(st State) bool { return st.Care.Reset != nil && st.Care.Reset.Done == n && !st.Care.Reset.Working })
		if !st.Care.Reset.In || st.Care.Reset.Total != 5 {
			x.Errorf("step %d: %+v", n, st.Care.Reset)
		}
		_ = x.readers.Remove(testReader)
		x.until("out", func(st State) bool { return !st.Care.Reset.In })
		_ = x.readers.Insert(testReader, c)
	}
	return x.page()
}

func TestFactoryReset(t *testing.T) {
	blocked := simcard.Demo("0.12", "one")
	blocked.WrongPINs, blocked.WrongPUKs = 5, 3
	for _, o := range []simcard.SatochipOptions{simcard.Demo("0.14", "one"), blocked} {
		c, err := simcard.NewSatochip(o)
		if err != nil {
			t.Fatal(err)
		}
		x := atPage(t, c)
		code := x.s.State().Care.Slot.Code
		x.factoryReset(c)
		st := x.until("the card as new", func(st State) bool { return st.Care.Slot.Opened })
		mentions(t, st.Care.Notice, "reset is done")
		if st.Care.Slot.Info.State != card.StateNotSetUp || st.Care.Slot.Code != code {
			t.Errorf("state %s, code %s", st.Care.Slot.Info.State, st.Care.Slot.Code)
		}
		x.setUp("1357", "24682468")
	}
}

// TestAnotherCardInAReset is stopped before it counts.
func TestAnotherCardInAReset(t *testing.T) {
	x := atPage(t, demoCard(t, "0.12", "one"))
	x.task(TaskReset)
	st := x.stage(StageConfirm)
	x.s.Do(TextTyped{Text: st.Care.Confirm[len(st.Care.Confirm)-4:]})
	x.until("step 1", func(st State) bool { return st.Care.Reset != nil && st.Care.Reset.Done == 1 })
	_ = x.readers.Remove(testReader)
	other := demoCard(t, "0.12", "two")
	_ = x.readers.Insert(testReader, other)
	st = x.until("the end", func(st State) bool { return st.Step == StepCare && st.Care.Slot.Opened })
	mentions(t, st.Problem, "another card")
	x.unlockCard(simcard.DemoPIN) // it has everything still
}

func TestResetGivenUp(t *testing.T) {
	x := atPage(t, demoCard(t, "0.12", "one"))
	x.task(TaskReset)
	st := x.stage(StageConfirm)
	x.s.Do(TextTyped{Text: st.Care.Confirm[len(st.Care.Confirm)-4:]})
	x.until("step 1", func(st State) bool { return st.Care.Reset != nil && st.Care.Reset.Done == 1 })
	x.s.Do(Back{})
	st = x.until("the card as before", func(st State) bool { return st.Step == StepCare && st.Care.Slot.Opened })
	mentions(t, st.Care.Notice, "stopped after step 1", "nothing is erased")
	x.unlockCard(simcard.DemoPIN)
}
