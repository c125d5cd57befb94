package session

import (
	"context"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/airlock-signer/airlock/airgap"
	"github.com/airlock-signer/airlock/reader"
	"github.com/airlock-signer/airlock/reader/card"
	"github.com/airlock-signer/airlock/reader/pcsctest"
	"github.com/airlock-signer/airlock/reader/simcard"
)

// A reader that never answers: everything else stays alive.

// beside is a rig with another reader beside it.
type beside struct {
	rig
	other *simcard.Readers
}

const otherReader = "Other reader"

// Watch emits what both have, each time one of them changes.
func (b beside) Watch(ctx context.Context, emit func(reader.Snapshot)) error {
	type change struct {
		other bool
		reader.Snapshot
	}
	changes := make(chan change)
	send := func(other bool) func(reader.Snapshot) {
		return func(s reader.Snapshot) {
			select {
			case changes <- change{other, s}:
			case <-ctx.Done():
			}
		}
	}
	go func() { _ = b.rig.Watch(ctx, send(false)) }()
	go func() { _ = b.other.Watch(ctx, send(true)) }()
	var one, two reader.Snapshot
	for {
		select {
		case c := <-changes:
			if c.other {
				two = c.Snapshot
			} else {
				one = c.Snapshot
			}
			emit(reader.Snapshot{Slots: slices.Concat(one.Slots, two.Slots), Err: one.Err})
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (b beside) Connect(ctx context.Context, slot string) (card.Transport, error) {
	if slot == otherReader {
		return b.other.Connect(ctx, slot)
	}
	return b.rig.Connect(ctx, slot)
}

// hangs is one time at which the reader hangs, and the step in which it is seen.
type hangs struct {
	task string
	n    int
	step Step
}

func hangingTimes() []hangs {
	return []hangs{
		{"opening", 1, StepCard}, {"opening", 3, StepCard},
		{"unlocking", 1, StepUnlocking}, {"unlocking", 4, StepUnlocking},
		{"signing", 1, StepSigning}, {"signing", 4, StepSigning},
	}
}

// TestAbuseHung hangs it in different work: media are followed, the first
// screen is in reach, and another card in another reader signs. Once the card
// is out and back, it signs too.
func TestAbuseHung(t *testing.T) {
	for i, m := range makers() {
		k := newKit(t, m)
		for j, h := range hangingTimes() {
			if !all() && (i > 0 || testing.Short() || j%2 == 0) && i != j {
				continue
			}
			t.Run(fmt.Sprintf("%s, %s exchange %d", m.name, h.task, h.n), func(t *testing.T) {
				hung(t, k, newSimulated(t), h)
			})
		}
	}
}

// TestAbuseHungPCSC is the same through the real pcscd.
func TestAbuseHungPCSC(t *testing.T) {
	service := pcsctest.New(t)
	service.Start()
	r := &real{PCSC: reader.NewPCSC(nil), service: service}
	k := newKit(t, makers()[0])
	for i, h := range hangingTimes() {
		if all() || i%3 == 2 {
			t.Run(fmt.Sprintf("%s exchange %d", h.task, h.n), func(t *testing.T) { hung(t, k, r, h) })
		}
	}
}

func hung(t *testing.T, k kit, r rig, h hangs) {
	b := beside{r, simcard.NewReaders(otherReader)}
	release := make(chan struct{})
	f := fault{exchange: func(a *abuse, _ *played, _ []byte, _ func([]byte) []byte) []byte {
		a.byHand(func() {}) // so that the person looks again
		<-release
		return nil
	}}
	a := newAbuse(t, k, b, &f, moment{name: h.task, n: h.n})
	a.until("the readers", func(st State) bool { return len(st.Slots) == 2 })
	if h.task == "opening" {
		a.begin()
	}
	a.in(a.own)
	a.goTo(h.step)
	a.until("the reader to hang", func(State) bool { fired, _ := a.hasFired(); return fired })
	a.alive()
	a.leave(h.step)
	// The other reader, with another card.
	one := a.own
	a.cards, a.notes = nil, nil // its own account begins here
	two := a.newCard("two")
	a.own, a.printed = two, k.code(two.card)
	if err := b.other.Insert(otherReader, two); err != nil {
		t.Fatal(err)
	}
	a.until("the other card", func(st State) bool {
		return slices.ContainsFunc(st.Slots, func(v SlotView) bool { return v.Name == otherReader && v.Usable() })
	})
	a.s.Do(ChooseSlot{Name: otherReader})
	a.fault, a.moment = nil, moment{}
	a.rig = renamed{b, otherReader}
	a.ended(a.sign(clean))
	a.check()
	// The card that hung, out and back.
	if err := b.other.Remove(otherReader); err != nil {
		t.Fatal(err)
	}
	a.own, a.printed, a.rig = one, k.code(one.card), r
	close(release)
	a.out()
	a.seat(one)
	a.s.Do(ChooseSlot{Name: r.name()})
	a.ended(a.sign(k.file))
	for _, d := range one.card.Digests() {
		if !slices.Contains(k.approved, d) {
			t.Errorf("signed %x, which nobody approved", d)
		}
	}
}

// renamed looks at another reader of the same rig.
type renamed struct {
	rig
	reader string
}

func (r renamed) name() string { return r.reader }

// goTo goes on until the step.
func (a *abuse) goTo(step Step) {
	a.Helper()
	if a.s.State().Step == StepHome {
		a.open()
	}
	for late := time.After(tooLong); ; {
		st := a.look()
		switch {
		case st.Step == step:
			return
		case st.Step == StepReview:
			a.approvable()
		}
		if !a.act(st) {
			a.once("the step", late)
		}
	}
}

// open opens the file that is to be signed.
func (a *abuse) open() {
	a.Helper()
	a.s.Do(ShowFiles{})
	st := a.until("the files", func(st State) bool { return !st.Scanning && len(st.Files) > 0 })
	i := slices.IndexFunc(st.Files, func(f airgap.File) bool { return f.Path == a.file })
	a.s.Do(OpenFile{File: st.Files[i]})
}

// alive: the stick is seen to go and to come, and no screen waits.
func (a *abuse) alive() {
	a.Helper()
	away := a.stick + "-away"
	if err := os.Rename(a.stick, away); err != nil {
		a.Fatal(err)
	}
	a.until("the stick to be gone", func(st State) bool { return len(st.Volumes) == 0 })
	if err := os.Rename(away, a.stick); err != nil {
		a.Fatal(err)
	}
	a.until("the stick to be back", func(st State) bool { return len(st.Volumes) == 1 })
}

// leave goes to the first screen: out of a run by stopping it first.
func (a *abuse) leave(step Step) {
	a.Helper()
	if step == StepSigning {
		a.s.Do(Back{})
		a.until("the run to be stopped", func(st State) bool { return st.Step == StepPaused && st.Problem != "" })
		a.s.Do(Discard{})
	}
	a.s.Do(ShowHome{})
	if st := a.look(); st.Step != StepHome {
		a.Fatalf("the first screen is out of reach: step %d, %q", st.Step, st.Problem)
	}
}
