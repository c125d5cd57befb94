package session

import (
	"context"
	"testing"

	"github.com/airlock-signer/airlock/reader"
	"github.com/airlock-signer/airlock/reader/card"
	"github.com/airlock-signer/airlock/reader/pcsctest"
	"github.com/airlock-signer/airlock/reader/simcard"
)

// TestCardLifeThroughPCSC is the life of a card behind the real pcscd: a factory
// reset with its insertions, set up, a seed, a test.
func TestCardLifeThroughPCSC(t *testing.T) {
	service := pcsctest.New(t)
	service.Start()
	twin := demoCard(t, "0.12", "one")
	insert := func() (pull func()) {
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			_ = simcard.ServeVPCD(ctx, service.CardAddr(), twin, nil) // ends as ctx does
		}()
		t.Cleanup(cancel)
		return func() {
			cancel()
			<-ended
		}
	}
	x := newSitting(t, withReset, func(c *Config) { c.Readers = reader.NewPCSC(func(line string) {}) })
	pull := insert()
	st := x.until("the card", func(st State) bool { return len(st.Isolation.Items) > 0 && opened(st) != "" })
	x.s.Do(ShowCards{})
	x.s.Do(ShowCard{Slot: opened(st)})
	x.task(TaskReset)
	code := x.stage(StageConfirm).Care.Confirm
	x.s.Do(TextTyped{Text: code[len(code)-4:]})
	for n := 1; n < 5; n++ {
		x.until("a step", func(st State) bool { return st.Care.Reset != nil && st.Care.Reset.Done == n && !st.Care.Reset.Working })
		pull()
		x.until("out", func(st State) bool { return st.Care.Reset != nil && !st.Care.Reset.In })
		pull = insert()
	}
	st = x.until("the card as new", func(st State) bool { return st.Step == StepCare && st.Care.Slot.Opened })
	if st.Care.Slot.Info.State != card.StateNotSetUp || st.Care.Slot.Code != code {
		t.Fatalf("state %s, code %s, %q", st.Care.Slot.Info.State, st.Care.Slot.Code, st.Problem)
	}
	x.setUp("2468", "13579135")
	x.task(TaskSeed)
	x.stage(StageSeedHow)
	x.enterWords(demoWords)
	if st = x.load(); st.Care.Fingerprint != demoFingerprint {
		t.Fatalf("fingerprint %q: %s", st.Care.Fingerprint, st.Problem)
	}
	x.task(TaskTest)
	mentions(t, x.page().Care.Notice, "passed")
	pull()
	x.until("the card out", func(st State) bool { return !st.Care.Slot.Present })
	insert()
	x.until("the card back", func(st State) bool { return st.Care.Slot.Opened })
	if st = x.unlockCard("2468"); st.Care.Fingerprint != demoFingerprint {
		t.Errorf("fingerprint %q", st.Care.Fingerprint)
	}
}

// opened is the reader with an opened card.
func opened(st State) string {
	for _, v := range st.Slots {
		if v.Opened {
			return v.Name
		}
	}
	return ""
}
