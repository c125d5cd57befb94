package session

import (
	"context"
	"errors"

	"github.com/airlock-signer/airlock/reader/card"
	"github.com/airlock-signer/airlock/reader/secret"
	"github.com/airlock-signer/airlock/signer"
)

// lastTryWord is typed before the last PIN try.
const lastTryWord = "last try"

// readyView is what an unlocked card said of itself: what a review was made
// with.
type readyView struct {
	fingerprint [4]byte
	accounts    []*signer.Account
}

func (r readyView) same(o readyView) bool {
	if r.fingerprint != o.fingerprint || len(r.accounts) != len(o.accounts) {
		return false
	}
	for i, a := range r.accounts {
		if a.Path.String() != o.accounts[i].Path.String() || a.Key.String() != o.accounts[i].Key.String() {
			return false
		}
	}
	return true
}

// goOn is Enter where it goes on.
func (s *Session) goOn() {
	switch s.step {
	case StepPreview:
		if s.job.preview == nil || s.job.preview.Verdict == signer.VerdictRefused {
			return
		}
		s.step, s.problem = StepCard, ""
		s.advance()
	case StepCareTask:
		s.careGoOn()
	case StepReview:
		if v := s.reviewView(); v.CanApprove {
			s.step, s.problem = StepApprove, ""
		}
	case StepCard:
		s.problem = ""
		s.advance()
	case StepPaused:
		if s.job.stopping == "" {
			s.step, s.problem = StepCard, ""
			s.advance()
		}
	}
}

// blocked reports whether the network, or a keyboard in doubt, keeps the station
// from asking for a PIN.
func (s *Session) blocked() bool { return s.doubt != nil || s.networkBlocks() }

// networkBlocks is that of the network. Until it was looked at, it does.
func (s *Session) networkBlocks() bool {
	return !s.cfg.AllowNetwork && len(s.isolation.Blocking()) > 0
}

// advance goes on from a step that waits for something outside, once it is
// there.
func (s *Session) advance() {
	s.careAdvance()
	switch s.step {
	case StepPIN:
		if h := s.job.asked; s.slots[h.slot.Name] != h || h.trouble != "" || s.blocked() {
			if !s.blocked() {
				s.job.lost = h.slot.Name
			}
			s.job.asked, s.job.slot = nil, ""
			s.step = StepCard
			s.advance()
		}
	case StepPaused:
		if s.job.resume && s.job.stopping == "" && s.rightCard() != nil {
			s.step = StepCard
			s.advance()
		}
	case StepCard:
		h := s.rightCard()
		if h == nil || s.blocked() {
			return
		}
		s.job.slot, s.job.asked = h.slot.Name, h
		s.job.word, s.job.wrongPIN, s.job.lost = false, false, ""
		// The last try is a person's: the card's PIN may have been changed meanwhile.
		if s.job.pin != nil && h.id() == s.job.cardID && h.id().certain() && h.info.PINTries != 1 {
			pin := s.job.pin
			s.job.pin = nil
			s.unlock(h, pin)
			return
		}
		s.step = StepPIN
		s.turn++ // a PIN that was begun for another card is not for this one
	}
}

// rightCard is the card to unlock now. A run under way wants the card that
// began it, where cards can be told apart before the PIN; where they cannot,
// the approval itself is bound to the master key.
func (s *Session) rightCard() *held {
	h := s.current()
	if h == nil || h.trouble != "" {
		return nil
	}
	if s.job.lost != "" && h.slot.Name != s.job.lost {
		return nil // a PIN was being typed for a card that is gone: a person picks another
	}
	want := s.job.cardID
	if s.job.approval != nil && want.certain() && h.id() != want {
		s.problem = otherCard(want, h.id())
		return nil
	}
	return h
}

func (s *Session) pinView(h *held) PINView {
	v := PINView{Left: h.info.PINTries, Wrong: s.job.wrongPIN}
	if v.Left == 1 {
		v.WantWord, v.WordDone = lastTryWord, s.job.word
	}
	return v
}

func (s *Session) typeWord(word string) {
	if s.step == StepPIN {
		s.job.word = word == lastTryWord
	}
}

// enterPIN unlocks the card with what was typed. The buffer is the session's
// from here on.
func (s *Session) enterPIN(pin *secret.Buffer) {
	h := s.job.asked
	if s.step != StepPIN || h == nil || s.slots[h.slot.Name] != h || s.blocked() || pin.Len() == 0 {
		pin.Release()
		return
	}
	if v := s.pinView(h); v.WantWord != "" && !v.WordDone {
		pin.Release()
		return
	}
	s.unlock(h, pin)
}

// unlock verifies the PIN, reads the account keys the file asks for, and makes
// the review, unless the one kept was made with the same keys.
func (s *Session) unlock(h *held, pin *secret.Buffer) {
	s.step, s.problem = StepUnlocking, ""
	s.job.slot, s.job.wrongPIN = h.slot.Name, false
	tx, kept, settings, ledger := s.job.tx, s.job.review != nil, s.settings, s.ledger
	had, out, opened := s.job.ready, h.out, h.card
	s.begin(func(ctx context.Context, gen int) Event {
		if out != nil {
			<-out
		}
		h.io.Lock()
		defer h.io.Unlock()
		ev := unlocked{gen: gen, held: h, pin: pin}
		if ev.err = opened.VerifyPIN(ctx, pin); ev.err != nil {
			return ev
		}
		ev.pinOK = true
		if ev.key, ev.err = newCardKey(ctx, opened); ev.err != nil {
			return ev
		}
		if ev.ready, ev.err = readAccounts(ctx, ev.key, tx); ev.err != nil {
			return ev
		}
		if kept && had.same(ev.ready) {
			return ev
		}
		ev.review, ev.err = tx.Review(ctx, settings, signer.Ownership{
			Fingerprint: ev.ready.fingerprint, HasFingerprint: true,
			Accounts: ev.ready.accounts, Can: ev.key.Can,
		}, ledger)
		return ev
	})
	s.busy = "Checking the PIN, reading the account keys, making the review"
}

// readAccounts asks for the account keys that the file's derivations name.
func readAccounts(ctx context.Context, key *cardKey, tx *signer.Transaction) (readyView, error) {
	r := readyView{fingerprint: key.Fingerprint()}
	for _, path := range tx.AccountsWanted(r.fingerprint) {
		a, err := key.Account(ctx, path)
		if err != nil {
			return r, err
		}
		r.accounts = append(r.accounts, a)
	}
	return r, nil
}

func (s *Session) onUnlocked(ev unlocked) {
	h := ev.held
	if ev.gen != s.gen { // the person went elsewhere meanwhile
		ev.pin.Release()
		s.reopen(h) // it may be logged in, have a try less, or hang in an exchange
		s.advance()
		return
	}
	s.busy = ""
	if ev.err != nil {
		ev.pin.Release()
		s.unlockFailed(h, ev.err)
		return
	}
	h.loggedIn = true
	s.seen[h.id()] = h.id().certain()
	if ev.review != nil && s.job.approval != nil && s.job.progress.Made > 0 {
		s.swapped(ev.pin)
		return
	}
	s.job.key, s.job.slot, s.job.cardID = ev.key, h.slot.Name, h.id()
	s.forgetPIN()
	if h.id().certain() {
		s.job.pin = ev.pin
	} else {
		ev.pin.Release()
	}
	h.info.PINTries = h.card.Info().PINTries
	if s.slots[h.slot.Name] != h { // pulled since
		s.job.key, s.job.slot = nil, ""
	}
	switch {
	case ev.review != nil:
		lost := s.job.review != nil
		s.setReview(ev.review, ev.ready)
		s.step = StepReview
		if lost {
			s.problem = "This card holds other keys than the one before, so the review was made anew."
		}
	case s.job.approval != nil:
		s.startSigning()
	default:
		s.step = StepReview
	}
}

// swapped: another card, with other keys, was unlocked in the middle of a run.
// What was signed is kept for the card that began it.
func (s *Session) swapped(pin *secret.Buffer) {
	pin.Release()
	s.forgetPIN()
	s.logout()
	s.step, s.problem = StepPaused, "This card holds other keys than the one this run began with, so it was logged out. "+
		"Put that one back to go on; for this card, discard the run and review the file again."
}

func (s *Session) unlockFailed(h *held, err error) {
	s.job.key = nil
	s.problem = sentence(err)
	var wrong card.WrongPINError
	switch {
	case errors.As(err, &wrong) && wrong.Left > 0:
		h.info.PINTries = wrong.Left
		s.job.word, s.job.wrongPIN = false, true
		s.step = StepPIN
	case errors.As(err, &wrong), errors.Is(err, card.ErrBlocked):
		// The driver knows whether the PUK is blocked as well. Whatever it says,
		// this card gets no further PIN.
		h.info = h.card.Info()
		if h.trouble = infoTrouble(h.info); h.trouble == "" {
			h.trouble = sentence(err)
		}
		s.job.slot, s.chosen = "", "" // another card may be picked
		s.step = StepCard
	default:
		s.step = StepCard
		s.reopen(h)
	}
	s.advance() // another card may be in by now
}
