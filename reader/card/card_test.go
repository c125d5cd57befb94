package card

import (
	"errors"
	"strings"
	"testing"
)

// TestSentences: each state of a card, and each count of tries, has a sentence
// of its own that says what to do.
func TestSentences(t *testing.T) {
	seen := map[string]string{}
	say := func(name, sentence string, mentions ...string) {
		t.Helper()
		if before, again := seen[sentence]; again {
			t.Errorf("%s and %s say the same: %q", name, before, sentence)
		}
		seen[sentence] = name
		if !strings.HasSuffix(sentence, ".") || len(strings.Fields(sentence)) < 5 {
			t.Errorf("%s: no sentence: %q", name, sentence)
		}
		for _, m := range mentions {
			if !strings.Contains(sentence, m) {
				t.Errorf("%s: %q is not in %q", name, m, sentence)
			}
		}
	}
	words := map[string]bool{}
	for s := StateUnknown; s <= StateNeedsReset; s++ {
		say(s.String(), Info{State: s}.Sentence())
		if words[s.String()] {
			t.Errorf("%s stands twice", s)
		}
		words[s.String()] = true
		say(s.String()+", 2FA", Info{State: s, TwoFactor: true}.Sentence(), "2FA")
	}
	say("last PUK try", Info{State: StatePINBlocked, PUKTries: 1}.Sentence(), "One try of the PUK")
	say("wrong PIN 2", WrongPINError{Left: 2}.Error(), "2 tries")
	say("wrong PIN 1", WrongPINError{Left: 1}.Error(), "1 try", "PUK")
	say("wrong PIN 0", WrongPINError{Left: 0}.Error(), "blocked", "needs its PUK")
	say("wrong PIN 1, no PUK", WrongPINError{Left: 1, NoPUK: true}.Error(), "1 try", "factory reset", "backup")
	say("wrong PIN 0, no PUK", WrongPINError{Left: 0, NoPUK: true}.Error(), "factory reset", "backup")
	say("wrong PUK 2", WrongPUKError{Left: 2}.Error(), "2 tries")
	say("wrong PUK 1", WrongPUKError{Left: 1}.Error(), "1 try", "factory reset")
	say("wrong PUK 0", WrongPUKError{Left: 0}.Error(), "factory reset", "backup")
	for _, e := range []*Error{ErrPUKBlocked, ErrPINNotBlocked, ErrSetUpBefore, ErrHasSeed, ErrResetInterrupted, ErrSeedKeeper, ErrTooOld, ErrTooNew} {
		if seen[e.Sentence] == "" {
			say(e.Sentence, e.Error())
		}
	}
}

func TestRecognisedError(t *testing.T) {
	var err error = &RecognisedError{Make: "SeedKeeper", Version: "0.2", Condition: ErrSeedKeeper}
	if !errors.Is(err, ErrSeedKeeper) || err.Error() != ErrSeedKeeper.Sentence {
		t.Error(err)
	}
	err = &RecognisedError{Make: "Satochip", Version: "0.9", Condition: ErrTooOld, Sentence: "It is 0.9."}
	if !errors.Is(err, ErrTooOld) || err.Error() != "It is 0.9." {
		t.Error(err)
	}
}
