package session

import (
	"github.com/airlock-signer/airlock/airgap"
)

// Eject flushes a medium and unmounts it where the station may. Only from the
// first screen, and from a result that is written; State.Eject tells how it
// went.
type Eject struct{ Volume airgap.Volume }

// ejected: it came to its end.
type ejected struct {
	volume airgap.Volume
	result airgap.EjectResult
	err    error
}

func (Eject) event()   {}
func (ejected) event() {}

// EjectView is the ejecting of one medium.
type EjectView struct {
	Volume   airgap.Volume
	Running  bool
	Safe     bool   // the medium may be taken out
	Sentence string // what the person is told; "" while it runs
}

// eject begins it. A look through the media would keep them busy, so it ends.
func (s *Session) eject(v airgap.Volume) {
	r := s.job.result
	written := s.step == StepResult && r != nil && r.view().Done() && !r.writing
	if s.ejecting() || s.step != StepHome && !written {
		return
	}
	s.stopScan()
	s.problem, s.ejection = "", &EjectView{Volume: v, Running: true}
	ctx, media, post := s.ctx, s.cfg.Media, s.post
	go func() {
		result, err := media.Eject(ctx, v)
		post(ejected{v, result, err})
	}()
}

func (s *Session) ejecting() bool { return s.ejection != nil && s.ejection.Running }

func (s *Session) onEjected(ev ejected) {
	view := EjectView{Volume: ev.volume, Safe: ev.err == nil && ev.result.Safe(), Sentence: ev.result.Sentence()}
	if ev.err != nil {
		view.Sentence = sentence(ev.err) + " It was not ejected: leave it in."
	}
	s.ejection = &view
	s.mountedAnew()
	switch s.step {
	case StepHome, StepFiles:
		s.scan()
	}
}

// mountedAnew takes back what was said of a medium that is there again: it was
// mounted since, by a desktop perhaps.
func (s *Session) mountedAnew() {
	e := s.ejection
	if e == nil || e.Running {
		return
	}
	for _, v := range s.volumes {
		same := v.Path == e.Volume.Path || v.Device != "" && v.Device == e.Volume.Device
		if same && v.ID != e.Volume.ID {
			s.ejection = nil
			return
		}
	}
}
