package session

import (
	"context"
	"errors"

	"github.com/airlock-signer/airlock/reader/card"
	"github.com/airlock-signer/airlock/reader/secret"
	"github.com/airlock-signer/airlock/signer"
)

// keyOf reads the master key of an unlocked card; nil where it holds none.
func keyOf(ctx context.Context, c card.Card) (*cardKey, error) {
	if c.Info().State != card.StateReady {
		return nil, nil
	}
	return newCardKey(ctx, c)
}

// loggedInTo is what is known of a card once its PIN was taken.
type loggedInTo struct {
	key     *cardKey // nil where it holds no key, or cannot use it
	trouble error    // why it cannot
	label   string
}

// logIn verifies a PIN and reads what only an unlocked card tells. A card that
// cannot use its key is logged in all the same, so that it can be cared for.
func logIn(ctx context.Context, c card.Card, pin *secret.Buffer) (loggedInTo, error) {
	var l loggedInTo
	if err := c.VerifyPIN(ctx, pin); err != nil {
		return l, err
	}
	var err error
	if l.key, err = keyOf(ctx, c); err != nil {
		if !settled(err) {
			return l, err
		}
		l.trouble = err
	}
	if lb, ok := c.(card.Labeler); ok {
		if l.label, err = lb.Label(ctx); err != nil && !settled(err) {
			return l, err
		}
	}
	return l, nil
}

// keep takes note of a login. The PIN is kept where the card can be told from
// others, so that it can be sent to the same card again; else it is wiped.
func (s *Session) keep(l loggedInTo, pin *secret.Buffer) {
	c, h := s.care, s.careCard()
	c.forgetLogin()
	if h == nil {
		pin.Release()
		return
	}
	h.loggedIn, h.info.Label = true, l.label
	s.seen[h.id()] = h.id().certain()
	c.key = l.key
	if h.id().certain() {
		c.pin = pin
	} else {
		pin.Release()
	}
	if l.trouble != nil {
		s.problem = careSentence(l.trouble) + " " + needsReset
	}
}

// needsReset is the way on for a card whose derivations fail.
const needsReset = "The card took the PIN but cannot use its key. A factory reset helps; set it up and load the seed again after it."

// take hands over what was typed at a stage: the task does not wipe it any more.
func (c *care) take(g Stage) *secret.Buffer {
	b := c.codes[g]
	delete(c.codes, g)
	return b
}

// unlockCare logs in with the PIN typed, and goes on with the task.
func (s *Session) unlockCare() {
	c := s.care
	pin := c.codes[StageUnlock]
	s.run("Checking the PIN", false, func(ctx context.Context, opened card.Card) (func(), error) {
		l, err := logIn(ctx, opened, pin)
		if err != nil {
			return nil, err
		}
		return func() {
			s.keep(l, c.take(StageUnlock))
			if l.trouble != nil {
				problem := s.problem
				s.toPage(problem)
				return
			}
			s.nextStage()
		}, nil
	})
}

// perform does a task once everything for it was typed.
func (s *Session) perform() {
	switch s.care.task {
	case TaskUnlock:
		s.toPage("")
	case TaskSetup:
		s.setUp()
	case TaskUnblock:
		s.unblock()
	case TaskTest:
		s.testCard()
	case TaskAttest:
		s.attest()
	case TaskName:
		s.nameCard()
	case TaskChangePIN:
		s.changePIN()
	case TaskLogout:
		s.logout()
		s.care.forgetLogin()
		s.done("The card is logged out.")
	case TaskErase:
		s.erase()
	case TaskReset:
		s.beginReset()
	case TaskSeed:
		s.loadSeed()
	}
}

// done shows the page of the card with what was done.
func (s *Session) done(notice string) {
	problem := s.problem
	s.toPage(problem)
	s.care.notice = notice
}

func (s *Session) setUp() {
	c := s.care
	pin, puk := c.codes[StageNewPIN], c.codes[StageNewPUK]
	s.run("Setting the card up", false, func(ctx context.Context, opened card.Card) (func(), error) {
		if err := opened.(card.Initializer).Setup(ctx, pin, puk); err != nil {
			return nil, err
		}
		l, err := logIn(ctx, opened, pin) // which proves that the card has the PIN
		if err != nil {
			return nil, afterwards("The card was set up with your PIN and PUK, and then this happened: ", err)
		}
		return func() {
			s.keep(l, c.take(StageNewPIN))
			s.done("The card is set up: it has your PIN and your PUK, and is unlocked. Next: load a seed.")
		}, nil
	})
}

// afterError is an error after the change itself was made.
type afterError struct {
	done  string
	cause error
}

func afterwards(done string, err error) error { return &afterError{done, err} }

func (e *afterError) Error() string { return e.done + sentence(e.cause) }

// Unwrap gives what happened, but not a wrong PIN: it must not be asked for anew.
func (e *afterError) Unwrap() error {
	if errors.As(e.cause, new(card.WrongPINError)) {
		return nil
	}
	return e.cause
}

func (s *Session) unblock() {
	c := s.care
	puk, pin := c.codes[StagePUK], c.codes[StageNewPIN]
	s.run("Checking the PUK", false, func(ctx context.Context, opened card.Card) (func(), error) {
		if err := opened.(card.Unblocker).Unblock(ctx, puk, pin); err != nil {
			return nil, err
		}
		return func() {
			if pin == nil {
				s.done("The PIN is unblocked: it is the one it was before.")
				return
			}
			s.done("The PIN is unblocked: it is the new one.")
		}, nil
	})
}

func (s *Session) nameCard() {
	name := s.care.name
	s.run("Writing the name", true, func(ctx context.Context, opened card.Card) (func(), error) {
		l := opened.(card.Labeler)
		if err := l.SetLabel(ctx, name); err != nil {
			return nil, err
		}
		got, err := l.Label(ctx)
		if err != nil {
			return nil, err
		}
		if got != name {
			return nil, card.BadReplyError{What: "the card keeps another name than was written"}
		}
		return func() {
			if h := s.careCard(); h != nil {
				h.info.Label = got
			}
			s.done("The card has its name.")
		}, nil
	})
}

func (s *Session) changePIN() {
	c := s.care
	old, fresh := c.codes[StagePIN], c.codes[StageNewPIN]
	s.run("Changing the PIN", false, func(ctx context.Context, opened card.Card) (func(), error) {
		if err := opened.(card.PINChanger).ChangePIN(ctx, old, fresh); err != nil {
			return nil, err
		}
		l, err := logIn(ctx, opened, fresh) // which proves that the card has it
		if err != nil {
			return nil, afterwards("The PIN was changed to the new one, and then this happened: ", err)
		}
		return func() {
			s.keep(l, c.take(StageNewPIN))
			s.done("The PIN is changed. The old one is of no use any more.")
		}, nil
	})
}

func (s *Session) erase() {
	c := s.care
	h := s.careCard()
	pin, in := c.codes[StagePIN], h != nil && h.loggedIn
	s.run("Erasing the key", false, func(ctx context.Context, opened card.Card) (func(), error) {
		if !in { // a wrong PIN before this one logged out
			if err := opened.VerifyPIN(ctx, pin); err != nil {
				return nil, err
			}
		}
		if err := opened.(card.SeedEraser).EraseSeed(ctx, pin); err != nil {
			return nil, err
		}
		return func() {
			if h := s.careCard(); h != nil {
				h.loggedIn = false
			}
			s.care.forgetLogin()
			s.done("The card says that its key is erased. PIN, PUK and name are as before.")
		}, nil
	})
}

// testAccount is the account below which a card proves that it can sign.
func (s *Session) testAccount() signer.Path {
	h := signer.HardenedOffset
	return signer.Path{uint32(KindWPKH) + h, s.settings.Network.CoinType() + h, h}
}

func (s *Session) testCard() {
	c := s.care
	key, account := c.key, s.testAccount()
	if key == nil {
		s.toPage(needsReset)
		return
	}
	s.run("The card signs a random number", true, func(ctx context.Context, opened card.Card) (func(), error) {
		// Not c.key: its answers are remembered, and here the card is asked.
		fresh, err := newCardKey(ctx, opened)
		if err != nil {
			return nil, err
		}
		if fresh.Fingerprint() != key.Fingerprint() {
			return nil, card.BadReplyError{What: "the master key is another than when the card was unlocked"}
		}
		if err := signer.Challenge(ctx, fresh, account); err != nil {
			return nil, err
		}
		return func() {
			s.done("The test is passed: the card signed a random number, and the signature is that of its key.")
		}, nil
	})
}

func (s *Session) attest() {
	s.run("Checking the origin of the card", true, func(ctx context.Context, opened card.Card) (func(), error) {
		a, err := opened.(card.Attester).Attest(ctx)
		if err != nil {
			return nil, err
		}
		return func() {
			s.enterStage(StageDone)
			s.care.attested = &a
		}, nil
	})
}
