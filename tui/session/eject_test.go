package session

import (
	"context"
	"testing"

	"github.com/airlock-signer/airlock/airgap"
)

// ejects are media that answer for ejecting, when the test lets them.
type ejects struct {
	Media
	let    chan struct{}
	result airgap.EjectResult
	err    error
	asked  int
}

func (e *ejects) Eject(ctx context.Context, _ airgap.Volume) (airgap.EjectResult, error) {
	e.asked++
	select {
	case <-e.let:
	case <-ctx.Done():
	}
	return e.result, e.err
}

func ejectSitting(t *testing.T) (*sitting, *ejects) {
	e := &ejects{let: make(chan struct{}), result: airgap.EjectResult{State: airgap.EjectSafe}}
	x := newSitting(t, func(c *Config) { e.Media = c.Media; c.Media = e })
	return x, e
}

// TestEjectFromHome says that it is safe only once it is, and takes it back
// when the medium is mounted anew.
func TestEjectFromHome(t *testing.T) {
	x, e := ejectSitting(t)
	st := x.until("the stick", func(st State) bool { return len(st.Volumes) == 1 && !st.Scanning && len(st.Files) > 0 })
	x.s.Do(Eject{Volume: st.Volumes[0]})
	x.s.Do(Eject{Volume: st.Volumes[0]})
	st = x.s.State()
	if st.Eject == nil || !st.Eject.Running || st.Eject.Safe || st.Eject.Sentence != "" {
		t.Fatalf("while it runs: %+v", st.Eject)
	}
	x.s.Do(OpenFile{File: st.Files[0]})
	if st = x.s.State(); st.Step != StepHome || st.Problem == "" {
		t.Errorf("a file was opened on a medium that is being ejected: step %d", st.Step)
	}
	e.let <- struct{}{}
	st = x.until("the end", func(st State) bool { return st.Eject != nil && !st.Eject.Running })
	if !st.Eject.Safe || st.Eject.Sentence != e.result.Sentence() {
		t.Errorf("%+v", st.Eject)
	}
	if e.asked != 1 {
		t.Errorf("ejected %d times", e.asked)
	}
	again := st.Volumes[0]
	again.ID += " mounted anew"
	x.s.Do(volumesChanged{[]airgap.Volume{again}})
	if st = x.s.State(); st.Eject != nil {
		t.Errorf("it counts as ejected, and is mounted: %+v", st.Eject)
	}
}

// TestEjectWithoutSafety: what is not safe is never called so.
func TestEjectWithoutSafety(t *testing.T) {
	for _, c := range []struct {
		state airgap.EjectState
		err   error
		says  string
	}{
		{state: airgap.EjectHeld, says: "desktop"},
		{state: airgap.EjectInUse, says: "still in use"},
		{state: airgap.EjectUnconfirmed, says: "light"},
		{state: airgap.EjectFolder, says: "folder"},
		{err: &airgap.MediumError{Condition: airgap.ErrBusy, Step: "unmount"}, says: "leave it in"},
		{state: airgap.EjectSafe, err: airgap.ErrIO, says: "leave it in"},
	} {
		x, e := ejectSitting(t)
		e.result, e.err = airgap.EjectResult{State: c.state}, c.err
		st := x.until("the stick", func(st State) bool { return len(st.Volumes) == 1 })
		x.s.Do(Eject{Volume: st.Volumes[0]})
		e.let <- struct{}{}
		st = x.until("the end", func(st State) bool { return st.Eject != nil && !st.Eject.Running })
		if st.Eject.Safe {
			t.Errorf("%s, %v: called safe", c.state, c.err)
		}
		mentions(t, st.Eject.Sentence, c.says)
	}
}

// TestEjectAfterWriting: from the result page, and not before all is written.
func TestEjectAfterWriting(t *testing.T) {
	x, e := ejectSitting(t)
	st := x.toApproval("payment.psbt", demoCard(t, "0.14", "one"))
	x.s.Do(Eject{Volume: st.Volumes[0]})
	x.s.Do(TypeAmount{Text: st.Review.Confirmation.Text})
	x.s.Do(Eject{Volume: st.Volumes[0]})
	st = x.until("the result", func(st State) bool { return st.Result != nil && st.Result.Done() })
	if st.Eject != nil || e.asked != 0 {
		t.Fatal("ejected before everything was written")
	}
	x.s.Do(Eject{Volume: st.Result.Volume})
	e.let <- struct{}{}
	st = x.until("the end", func(st State) bool { return st.Eject != nil && !st.Eject.Running })
	if !st.Eject.Safe || st.Step != StepResult {
		t.Errorf("step %d, %+v", st.Step, st.Eject)
	}
	x.s.Do(ShowHome{})
	if st = x.s.State(); st.Eject != nil {
		t.Error("said for ever")
	}
}
