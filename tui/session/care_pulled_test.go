package session

import (
	"strings"
	"sync/atomic"
	"testing"

	"github.com/airlock-signer/airlock/reader/card"
	"github.com/airlock-signer/airlock/reader/simcard"
)

// pulled is a task whose last input is about to be made.
type pulled struct {
	name    string
	o       simcard.SatochipOptions
	prepare func(x *sitting)
	last    func(x *sitting)
}

func pulledTasks() []pulled {
	ready := simcard.Demo("0.12", "one")
	blocked := ready
	blocked.WrongPINs = 5
	login := func(x *sitting) { x.unlockCard(simcard.DemoPIN) }
	begin := func(t Task) func(x *sitting) { return func(x *sitting) { x.task(t) } }
	return []pulled{
		{"unlock", ready, begin(TaskUnlock), func(x *sitting) { x.typeSecret(simcard.DemoPIN) }},
		{"test", ready, login, begin(TaskTest)},
		{"origin", ready, login, begin(TaskAttest)},
		{"log out", ready, login, begin(TaskLogout)},
		{"name", ready, func(x *sitting) { login(x); x.task(TaskName) }, func(x *sitting) { x.s.Do(TextTyped{Text: "Daily"}) }},
		{"key", ready, func(x *sitting) { login(x); x.task(TaskKeys) }, func(x *sitting) { x.s.Do(ShowKey{Kind: KindWPKH}) }},
		{"change PIN", ready, func(x *sitting) {
			login(x)
			x.task(TaskChangePIN)
			x.s.Do(GoOn{})
			x.typeSecret(simcard.DemoPIN)
			x.typeSecret("8642")
		}, func(x *sitting) { x.typeSecret("8642") }},
		{"set up", simcard.SatochipOptions{}, func(x *sitting) {
			x.task(TaskSetup)
			x.s.Do(GoOn{})
			x.typeSecret("2468")
			x.typeSecret("2468")
			x.typeSecret("13579135")
		}, func(x *sitting) { x.typeSecret("13579135") }},
		{"unblock", blocked, func(x *sitting) { x.task(TaskUnblock); x.s.Do(GoOn{}) }, func(x *sitting) { x.typeSecret(simcard.DemoPUK) }},
		{"erase", ready, func(x *sitting) {
			login(x)
			x.task(TaskErase)
			x.s.Do(TextTyped{Text: demoFingerprint[4:]})
		}, func(x *sitting) { x.typeSecret(simcard.DemoPIN) }},
	}
}

// TestPulledAtEachExchange pulls the card at every exchange of every task,
// before the command arrives and after it was done, and expects a sentence, no
// secrets left, and a card that can be used when it is back.
func TestPulledAtEachExchange(t *testing.T) {
	for _, task := range pulledTasks() {
		for _, heard := range []bool{false, true} {
			if heard && testing.Short() {
				continue // the race detector is slow enough with the half of it
			}
			n := 1
			for pulledAt(t, task, n, heard) {
				if n++; n > 40 {
					t.Fatalf("%s has no end", task.name)
				}
			}
			if n < 2 && task.name != "log out" {
				t.Errorf("%s took no exchange", task.name)
			}
		}
	}
}

// pulledAt reports whether the task had so many exchanges.
func pulledAt(t *testing.T, task pulled, n int, heard bool) bool {
	t.Helper()
	var x *sitting
	var armed atomic.Bool
	var count atomic.Int32
	c, err := simcard.NewSatochip(task.o)
	if err != nil {
		t.Fatal(err)
	}
	pulling := simcard.WithFaults(c, func(_ int, apdu []byte, next func([]byte) []byte) []byte {
		if !armed.Load() || int(count.Add(1)) != n {
			return next(apdu)
		}
		armed.Store(false)
		if heard {
			_ = next(apdu)
		}
		_ = x.readers.Remove(testReader)
		return nil
	})
	x = atPage(t, pulling)
	task.prepare(x)
	armed.Store(true)
	task.last(x)
	settled := func(st State) bool {
		return st.Busy == "" && !st.Care.Slot.Opening && (st.Step == StepCare || st.Care.Stage == StageGone || st.Care.Stage == StageDone || st.Care.Stage == StageKey)
	}
	st := x.until("the end of "+task.name, settled)
	if task.name == "log out" || armed.Load() {
		return false
	}
	if st.Problem == "" && st.Care.Notice == "" && st.Step == StepCare {
		t.Errorf("%s, exchange %d: no sentence", task.name, n)
	}
	gone := st.Step == StepCareTask && st.Care.Stage == StageGone
	x.insert(pulling)
	st = x.until("the result", func(st State) bool { return settled(st) && (st.Step != StepCareTask || st.Care.Stage != StageGone) })
	if gone && st.Care.Notice == "" && st.Care.Attested == nil && st.Care.Key == nil {
		t.Errorf("%s, exchange %d: it did not go on: %q", task.name, n, st.Problem)
	}
	if st.Step == StepCare {
		x.noSecrets()
	}
	usable(x, task.name, n)
	return true
}

// usable unlocks what can be unlocked, with the code that it has now.
func usable(x *sitting, name string, n int) {
	x.Helper()
	for x.s.State().Step == StepCareTask {
		x.s.Do(Back{})
	}
	st := x.page()
	if !st.Care.Locked {
		return
	}
	pins := []string{simcard.DemoPIN}
	switch {
	case st.Care.Slot.Info.State == card.StateNotSetUp || st.Care.Slot.Info.State == card.StatePINBlocked:
		return
	case name == "set up":
		pins = []string{"2468"}
	case name == "change PIN":
		pins = []string{"8642", simcard.DemoPIN}
	}
	for _, pin := range pins {
		x.task(TaskUnlock)
		x.typeSecret(pin)
		st = x.until("an answer", func(st State) bool { return st.Busy == "" })
		if !st.Care.Locked {
			return
		}
		x.s.Do(Back{})
	}
	x.Errorf("%s, exchange %d: the card cannot be unlocked any more: %q", name, n, st.Problem)
}

// TestHungReader: a card that does not answer holds up nothing, and can be left.
func TestHungReader(t *testing.T) {
	release := make(chan struct{})
	var armed atomic.Bool
	hung := simcard.WithFaults(demoCard(t, "0.12", "one"), func(_ int, apdu []byte, next func([]byte) []byte) []byte {
		if armed.CompareAndSwap(true, false) {
			<-release
		}
		return next(apdu)
	})
	x := atPage(t, hung)
	x.unlockCard(simcard.DemoPIN)
	armed.Store(true)
	x.task(TaskTest)
	x.until("the card to hang", func(State) bool { return !armed.Load() })
	x.network <- quietNetwork() // the sitting is alive
	x.s.Do(Back{})
	if st := x.s.State(); st.Step != StepCare || st.Busy != "" {
		t.Fatalf("step %d, busy %q", st.Step, st.Busy)
	}
	close(release)
	x.remove()
	x.insert(hung)
	x.unlockCard(simcard.DemoPIN)
}

// TestAnotherCardAfterADrop: the PIN goes to no other card.
func TestAnotherCardAfterADrop(t *testing.T) {
	var x *sitting
	var armed atomic.Bool
	pulling := simcard.WithFaults(demoCard(t, "0.12", "one"), func(_ int, apdu []byte, next func([]byte) []byte) []byte {
		if armed.CompareAndSwap(true, false) {
			_ = x.readers.Remove(testReader)
			return nil
		}
		return next(apdu)
	})
	x = atPage(t, pulling)
	x.unlockCard(simcard.DemoPIN)
	x.task(TaskName)
	armed.Store(true)
	x.s.Do(TextTyped{Text: "Daily"})
	x.stage(StageGone)
	other := demoCard(t, "0.12", "two")
	x.insert(other)
	st := x.until("the other card to be named", func(st State) bool { return strings.Contains(st.Problem, "another card") })
	if st.Care.Stage != StageGone {
		t.Errorf("stage %d", st.Care.Stage)
	}
	if other.Count(0x42) != 0 {
		t.Error("the other card got the PIN")
	}
	x.remove()
	x.insert(pulling)
	if st = x.page(); st.Care.Slot.Info.Label != "Daily" {
		t.Errorf("label %q", st.Care.Slot.Info.Label)
	}
}
