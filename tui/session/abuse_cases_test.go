package session

import (
	"slices"
	"testing"

	"github.com/airlock-signer/airlock/reader/simcard"
)

// Cases of abuse that need a story of their own.

// account is that of the payment.
func account() []uint32 { return []uint32{84 | 1<<31, 1 << 31, 1 << 31} }

// substituting gives the key of another account for the payment's, and is
// honest with all other paths.
func substituting(path []uint32) []uint32 {
	if slices.Equal(path, account()) {
		return []uint32{84 | 1<<31, 1 << 31, 1 | 1<<31}
	}
	return path
}

// TestSubstitutedAccount: the card gives another account's key, from the first
// moment. Nothing in the file is its own then, and there is no way on.
func TestSubstitutedAccount(t *testing.T) {
	for _, m := range makers() {
		if m.file != "payment.psbt" {
			continue
		}
		t.Run(m.name, func(t *testing.T) {
			k := newKit(t, m)
			a := newAbuse(t, k, newSimulated(t), &fault{mayFail: true}, moment{n: 1})
			k.lie(a.own.card, substituting)
			a.seat(a.own)
			st := a.sign(k.file)
			if st.Step != StepReview || st.Review.ToSign != 0 {
				t.Errorf("step %d, %d inputs to sign", st.Step, st.Review.ToSign)
			}
			a.s.Do(GoOn{})
			if st := a.look(); st.Step != StepReview {
				t.Errorf("goes on to step %d", st.Step)
			}
			if len(a.own.card.Digests()) > 0 {
				t.Error("it signed")
			}
			k.lie(a.own.card, nil)
			a.s.Do(Back{})
			a.ended(a.sign(k.file))
			a.check()
		})
	}
}

// TestSubstitutedAfterReview: the same, from the moment that a run was
// interrupted. The keys are not those that were approved: it signs no more,
// and ends well once it gives the right ones again.
func TestSubstitutedAfterReview(t *testing.T) {
	k := newKit(t, makers()[0])
	a := newAbuse(t, k, newSimulated(t), &fault{}, moment{name: "resuming", paused: true, step: StepHome, n: 1})
	a.seat(a.own)
	a.goTo(StepPaused)
	a.out()
	made := len(a.own.card.Digests())
	k.lie(a.own.card, substituting)
	a.in(a.own)
	st := a.until("the other keys to be noticed", func(st State) bool {
		return st.Step == StepPaused && st.Slots[0].Opened && !st.Slots[0].LoggedIn && st.Problem != "" && a.own.asked(k.verify) == 2
	})
	mentions(t, st.Problem, "other keys", "put that one back")
	if made == 0 || len(a.own.card.Digests()) != made {
		t.Errorf("%d signatures, %d before", len(a.own.card.Digests()), made)
	}
	k.lie(a.own.card, nil)
	a.struck = true
	a.out()
	a.ended(a.rest(""))
	a.check()
}

// TestSubstitutedLeaf: the account's key is right, but as the card is to sign it
// takes the key of another address. Nothing is signed with that one.
func TestSubstitutedLeaf(t *testing.T) {
	for _, m := range makers() {
		t.Run(m.name, func(t *testing.T) {
			k := newKit(t, m)
			a := newAbuse(t, k, newSimulated(t), nil, moment{})
			a.seat(a.own)
			a.goTo(StepApprove)
			lies := 0
			k.lie(a.own.card, func(path []uint32) []uint32 {
				if len(path) != 5 || lies > 0 {
					return path
				}
				lies++
				return append(slices.Clone(path[:4]), path[4]+1)
			})
			a.goTo(StepPaused)
			mentions(t, a.look().Problem, "another key than the one reviewed", "nothing was signed")
			if n := len(a.own.card.Digests()); n > 0 || lies != 1 {
				t.Errorf("%d signatures after %d lies", n, lies)
			}
			a.ended(a.rest(""))
			a.check()
		})
	}
}

// asked is how often the card was asked something.
func (p *played) asked(ins byte) (n int) {
	for _, e := range p.card.Log() {
		if e.INS == ins {
			n++
		}
	}
	return n
}

// TestPINWhileLogoutFails: the card is logged out for being idle, the person
// types the PIN again before that has ended, and then it fails. The PIN goes
// nowhere, and is asked for again once the card was reset.
func TestPINWhileLogoutFails(t *testing.T) {
	for name, reply := range map[string][]byte{"refused": {0x6F, 0x00}, "cannot be right": {0x90}, "no reply": nil} {
		t.Run(name, func(t *testing.T) {
			k := newKit(t, makers()[0])
			a := newAbuse(t, k, newSimulated(t), nil, moment{})
			a.seat(a.own)
			a.goTo(StepApprove)
			hold := make(chan struct{})
			a.arm(1, func(a *abuse, _ *played, _ []byte, _ func([]byte) []byte) []byte {
				a.byHand(func() {}) // so that the person looks again
				<-hold
				return reply
			})
			a.now = a.now.Add(2 * DefaultIdle)
			a.s.Do(tick{})
			st := a.until("the lock", func(st State) bool { fired, _ := a.hasFired(); return st.Locked && fired })
			a.s.Do(TypeAmount{Text: st.Review.Confirmation.Text})
			a.note(note{approved: true})
			st = a.until("the PIN", func(st State) bool { return st.Step == StepPIN })
			a.note(note{typed: true})
			a.pin(simcard.DemoPIN)
			close(hold)
			a.ended(a.rest(""))
			a.check()
		})
	}
}
