package session

import (
	"github.com/airlock-signer/airlock/signer"
)

func (s *Session) acknowledge(code signer.Code) {
	if s.job.review == nil || s.step != StepReview {
		return
	}
	s.problem = ""
	if err := s.job.review.Acknowledge(code); err != nil {
		s.problem = sentence(err)
	}
}

// typeAmount confirms and, if everything else is done, approves: this is the
// one place where signing begins.
func (s *Session) typeAmount(text string) {
	if s.step != StepApprove || s.job.review == nil {
		return
	}
	s.problem = ""
	if err := s.job.review.Confirm(text); err != nil {
		s.problem = sentence(err)
		return
	}
	approval, err := s.job.review.Approve()
	if err != nil {
		s.problem = sentence(err)
		s.step = StepReview
		return
	}
	s.job.approval = &approval
	s.startSigning()
}

// setUnit changes how amounts are shown. Not during a review: the approval is
// bound to what was shown.
func (s *Session) setUnit(u signer.Unit) {
	switch s.step {
	case StepHome, StepFiles:
		s.settings.Unit = u
	case StepPreview:
		s.settings.Unit = u
		if s.job.file != nil {
			s.openFile(*s.job.file)
		}
	}
}
