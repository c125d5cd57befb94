package session

import "github.com/airlock-signer/airlock/signer"

// maxHeight is the first lock time that is no height but a time (BIP65).
const maxHeight = 500_000_000

// setSettings takes settings for the rest of the sitting. Not during a review:
// the approval is bound to them. A file that is open is previewed anew.
func (s *Session) setSettings(n signer.Settings) {
	if n.Network.Params() == nil || n.Height >= maxHeight || n.Unit > signer.Sat {
		return
	}
	switch s.step {
	case StepHome, StepFiles:
		s.settings = n
		s.scan() // the gists depend on them
	case StepPreview:
		if n != s.settings {
			s.settings = n
			s.previewAgain()
		}
	}
}

// switchNetwork goes to the network that all paths of the file are of, and
// begins with the preview again.
func (s *Session) switchNetwork() {
	to := s.job.other
	if to == "" || s.step != StepPreview && s.step != StepReview {
		return
	}
	s.toPreview()
	s.settings.Network = to
	s.previewAgain()
}
