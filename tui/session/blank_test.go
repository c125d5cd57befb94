package session

import (
	"testing"
	"time"

	"github.com/airlock-signer/airlock/reader/simcard"
)

// TestIdleBlanks: after a while nothing is shown, the card is logged out, and a
// key brings the review back as it was.
func TestIdleBlanks(t *testing.T) {
	x := newSitting(t)
	st := x.toApproval("payment.psbt", demoCard(t, "0.14", "one"))
	x.now = x.now.Add(DefaultIdle - time.Second)
	x.s.Do(tick{})
	if x.s.State().Blank {
		t.Fatal("blank too early")
	}
	x.now = x.now.Add(time.Second)
	x.s.Do(tick{})
	now := x.s.State()
	if !now.Blank || !now.Locked || now.Turn == st.Turn {
		t.Fatalf("blank %v, locked %v", now.Blank, now.Locked)
	}
	x.s.Do(isolationChanged{quietNetwork()})
	if !x.s.State().Blank {
		t.Error("it came back by itself")
	}
	x.s.Do(Activity{})
	now = x.s.State()
	if now.Blank || now.Step != StepApprove || now.Review == nil || !now.Review.CanApprove {
		t.Fatalf("blank %v, step %d", now.Blank, now.Step)
	}
	x.s.Do(TypeAmount{Text: st.Review.Confirmation.Text})
	x.step(StepPIN)
	x.pin(simcard.DemoPIN)
	x.until("the result", func(st State) bool { return st.Result != nil && st.Result.Done() })
}
