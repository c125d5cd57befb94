package session

import (
	"encoding/hex"

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

// setReview takes a new review, and lists once what of it never changes.
func (s *Session) setReview(r *signer.Review, ready readyView) {
	s.job.review, s.job.ready, s.job.approval = r, ready, nil
	s.job.other = r.Report().OtherNetwork()
	v := &ReviewView{Report: r.Report(), Items: r.Items(), Confirmation: r.Confirmation(), ToSign: r.ToSign(),
		Earlier: r.Earlier(), Fingerprint: hex.EncodeToString(ready.fingerprint[:])}
	for _, c := range r.Cautions() {
		v.Cautions = append(v.Cautions, CautionView{Code: c, Places: r.Places(c)})
	}
	s.job.shown = v
}

// reviewView adds to that the account of what was shown.
func (s *Session) reviewView() *ReviewView {
	r, v := s.job.review, *s.job.shown
	v.CanApprove = v.ToSign > 0 && (v.Report.Verdict == signer.VerdictClear || v.Report.Verdict == signer.VerdictCaution)
	v.Seen = make([]bool, len(v.Items))
	for i, item := range v.Items {
		v.Seen[i] = r.Seen(item)
		v.CanApprove = v.CanApprove && v.Seen[i]
	}
	v.Cautions = append([]CautionView(nil), v.Cautions...)
	for i := range v.Cautions {
		v.Cautions[i].Acknowledged = r.Acknowledged(v.Cautions[i].Code)
		v.CanApprove = v.CanApprove && v.Cautions[i].Acknowledged
	}
	return &v
}
