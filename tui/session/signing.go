package session

import (
	"context"
	"errors"

	"github.com/airlock-signer/airlock/reader/card"
	"github.com/airlock-signer/airlock/signer"
)

// startSigning runs the approval with the unlocked card, or asks for the card
// first where it was logged out meanwhile.
func (s *Session) startSigning() {
	h := s.slots[s.job.slot]
	if s.job.key == nil || h == nil || s.blocked() {
		s.step = StepCard
		s.advance()
		return
	}
	s.step, s.problem = StepSigning, ""
	s.job.resume, s.job.stopping = false, ""
	approval, key, post := *s.job.approval, s.job.key, s.post
	s.begin(func(ctx context.Context, gen int) Event {
		h.io.Lock()
		defer h.io.Unlock()
		result, err := signer.Sign(ctx, approval, key, func(p signer.Progress) { post(signProgress{gen, p}) })
		return signed{gen, result, err}
	})
}

// pause stops the run: the card's exchange under way is given up, and what was
// verified is kept. The step changes at once, the rest when the run has ended:
// it may just have finished, and then its result counts.
func (s *Session) pause(why string) {
	if s.step != StepSigning || s.cancel == nil {
		return
	}
	s.cancel()
	s.job.stopping = why
	s.step, s.problem = StepPaused, why
}

func (s *Session) onSigned(ev signed) {
	if ev.gen != s.gen {
		return // discarded
	}
	stopping := s.job.stopping
	s.job.stopping = ""
	if ev.err == nil {
		s.finish(ev.result)
		return
	}
	if s.over(ev.err) {
		s.fail(ev.err)
		return
	}
	s.step = StepPaused
	s.problem = stopping
	var stopped *signer.InterruptedError
	if errors.As(ev.err, &stopped) { // what was checked; the card may have claimed more
		s.job.progress = signer.Progress{Made: stopped.Made, Total: stopped.Total}
	}
	if stopping == "" {
		s.problem = sentence(cause(ev.err))
		s.job.resume = card.Gone(ev.err)
	}
	if h := s.slots[s.job.slot]; h != nil {
		s.reopen(h)
	}
	s.job.key = nil
	s.advance()
}

// writePart ends a paused run: what was signed so far goes to the medium.
func (s *Session) writePart() {
	if s.step != StepPaused || s.job.approval == nil || s.job.stopping != "" || s.job.progress.Made == 0 {
		return
	}
	s.job.resume, s.job.stopping = false, "Putting together what was signed so far."
	s.problem = s.job.stopping
	approval := *s.job.approval
	s.begin(func(ctx context.Context, gen int) Event {
		result, err := approval.Part(ctx)
		return partMade{gen, result, err}
	})
}

func (s *Session) onPartMade(ev partMade) {
	if ev.gen != s.gen {
		return
	}
	s.job.stopping = ""
	switch {
	case ev.err == nil:
		s.finish(ev.result)
	case s.over(ev.err):
		s.fail(ev.err)
	default:
		s.problem = sentence(ev.err)
	}
}

// fail ends a run with nothing written.
func (s *Session) fail(err error) {
	s.logout()
	s.forgetPIN()
	s.job.approval = nil
	s.step, s.problem = StepFailed, sentence(err)
}

// over reports whether the run is at its end: the card lied, or the approval
// does not hold any more. Another card in mid-run only pauses it.
func (s *Session) over(err error) bool {
	var lie *signer.SigningError
	if errors.As(err, &lie) {
		return lie.Code != signer.CodeCardSwapped
	}
	return errors.Is(err, signer.ErrReviewChanged) || errors.Is(err, signer.ErrApprovalUsed) || errors.Is(err, signer.ErrNoApproval)
}

// cause is what stopped a run; how far it came, the screen says itself.
func cause(err error) error {
	var stopped *signer.InterruptedError
	if errors.As(err, &stopped) {
		return stopped.Unwrap()
	}
	return err
}

// discard drops a paused run, or a result that nobody wants to write.
func (s *Session) discard() {
	switch s.step {
	case StepPaused, StepResult:
		s.leave(StepFiles)
		s.scan()
	}
}
