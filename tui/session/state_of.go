package session

// State is the sitting as it stands.
func (s *Session) State() State {
	st := State{
		Step: s.step, Problem: s.problem, Busy: s.busy,
		Slots: s.slotViews(), SlotsTrouble: s.slotsTrouble(),
		Volumes: append(s.volumes[:0:0], s.volumes...),
		Files:   append(s.files[:0:0], s.files...), Scanning: s.scanning, Gists: s.gists, Gisting: s.gistProgress, FilesNote: s.filesNote,
		Isolation: s.isolation, AllowNetwork: s.cfg.AllowNetwork, Settings: s.settings,
		File: s.job.file, Preview: s.job.preview, Malformed: s.job.malformed, Progress: s.job.progress,
		Previous: s.job.previous, OtherNetwork: s.job.other,
		Unwritten: s.unwritten(),
		Locked:    s.job.review != nil && s.job.key == nil,
	}
	if d := s.cfg.Demo; d != nil {
		st.Demo = &DemoView{PIN: d.PIN, Inserted: d.In()}
	}
	st.Blank = s.blank
	st.Doubt, st.KeyboardsUnknown = s.doubtView(), s.keyboardsUnknown
	if s.ejection != nil {
		v := *s.ejection
		st.Eject = &v
	}
	if h := s.current(); h != nil {
		v := h.view()
		v.SeenPIN = s.seen[h.id()]
		st.Card = &v
		st.PIN = s.pinView(h)
	}
	if s.job.review != nil {
		st.Review = s.reviewView()
	}
	st.Care, st.Turn = s.careView(), s.turn
	if s.job.result != nil {
		v := s.job.result.view()
		st.Result = &v
	}
	return st
}
