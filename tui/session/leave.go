package session

// leave ends what is under way, logs the card out, and goes to a step that
// needs none.
func (s *Session) leave(to Step) {
	s.abort()
	s.endCare()
	s.logout()
	s.forgetPIN()
	s.job = job{}
	s.problem = ""
	s.step = to
	if !s.ejecting() {
		s.ejection = nil
	}
}

// back goes one step back.
func (s *Session) back() {
	s.problem = ""
	switch s.step {
	case StepFiles:
		s.leave(StepHome)
	case StepOpening, StepMalformed, StepPreview, StepFailed, StepResult:
		s.goTo(StepFiles)
	case StepCard, StepPIN, StepUnlocking:
		if s.halfway() {
			s.toPaused()
			return
		}
		s.toPreview()
	case StepReview:
		s.toPreview()
	case StepApprove:
		s.step = StepReview
	case StepCards, StepCare, StepCareTask:
		s.careBack()
	case StepSigning:
		s.pause("You stopped the run. What the card signed so far is kept in memory, and nothing was written.")
	}
}

// goTo leaves for the first screen or the list of files, unless something
// would be lost: that wants Discard.
func (s *Session) goTo(step Step) {
	if s.unwritten() {
		s.problem = "What was signed is not written yet and would be lost. Write it first, or discard it."
		return
	}
	s.leave(step)
	s.scan()
}

// unwritten tells whether leaving would lose what was signed, or what is being
// signed.
func (s *Session) unwritten() bool {
	waits := s.job.result != nil && !s.job.result.view().Done()
	return waits || s.halfway() || s.step == StepSigning || s.step == StepPaused
}

// halfway tells whether an approved run has made some of its signatures.
func (s *Session) halfway() bool { return s.job.approval != nil && s.job.progress.Made > 0 }

// toPaused goes back to a run that was about to go on, with what it has.
func (s *Session) toPaused() {
	s.abort()
	s.logout()
	s.job.asked, s.job.lost, s.job.resume = nil, "", false
	s.step, s.problem = StepPaused, "The run waits. What the card signed so far is kept in memory, and nothing was written."
}

// toPreview drops the review and logs out; the file stays open.
func (s *Session) toPreview() {
	s.abort()
	s.logout()
	s.forgetPIN()
	s.job = job{file: s.job.file, tx: s.job.tx, preview: s.job.preview, previous: s.job.previous}
	s.job.other = s.job.preview.OtherNetwork()
	s.step = StepPreview
}

// onTick is the idle lock: cards logged out, the screen blanked, the review
// kept.
func (s *Session) onTick() {
	s.blankWhenIdle()
	s.careIdle()
	if s.job.key == nil && s.job.pin == nil || s.step == StepSigning || s.cfg.Now().Sub(s.activity) < s.cfg.Idle {
		return
	}
	s.lock("Nobody pressed a key for a while, so the card was logged out and its PIN forgotten. Your review is kept.")
}

// blankWhenIdle shows nothing until a key is pressed, where nobody waits for
// anything.
func (s *Session) blankWhenIdle() {
	if s.blank || s.step == StepSigning || s.busy != "" || s.cfg.Now().Sub(s.activity) < s.cfg.Idle {
		return
	}
	s.blank = true
	s.turn++ // what was being typed is forgotten
}

// active: a person is there.
func (s *Session) active() {
	s.activity = s.cfg.Now()
	if s.blank {
		s.blank = false
		s.turn++
	}
}
