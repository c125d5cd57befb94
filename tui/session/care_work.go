package session

import (
	"context"
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/airlock-signer/airlock/reader/card"
	"github.com/airlock-signer/airlock/reader/seed"
)

// careDone is the end of a piece of work with a card.
type careDone struct {
	gen  int
	held *held
	info card.Info
	then func() // where it succeeded: what follows, run by Do
	drop func() // wipes what nobody wants any more; nil where there is nothing
	err  error
}

func (careDone) event() {}

// work is what a card does in one go, in a goroutine of its own. It must not
// touch the session; what follows of it does.
type work func(ctx context.Context, c card.Card) (then func(), err error)

// run has the card do something. again says that it is safe to do once more
// where the card went away in the middle.
func (s *Session) run(busy string, again bool, w work) {
	c, h := s.care, s.careCard()
	if h == nil || h.opening {
		s.toPage(card.ErrRemoved.Error())
		return
	}
	c.again = nil
	if again {
		c.again = func() { s.run(busy, true, w) }
	}
	out, opened := h.out, h.card
	s.begin(func(ctx context.Context, gen int) Event {
		if out != nil {
			<-out
		}
		h.io.Lock()
		defer h.io.Unlock()
		ev := careDone{gen: gen, held: h}
		ev.then, ev.err = w(ctx, opened)
		ev.info = opened.Info()
		return ev
	})
	s.busy, s.step, s.problem = busy, StepCareTask, ""
	c.computing = false
	s.turn++
}

// compute does something that wants no card, in a goroutine of its own. What it
// made is dropped where nobody waits for it any more.
func (s *Session) compute(busy string, f func() (then, drop func(), err error)) {
	s.begin(func(_ context.Context, gen int) Event {
		ev := careDone{gen: gen}
		ev.then, ev.drop, ev.err = f()
		return ev
	})
	s.busy, s.step, s.problem = busy, StepCareTask, ""
	s.care.computing = true
	s.turn++
}

func (s *Session) onCareDone(ev careDone) {
	h := ev.held
	if ev.gen != s.gen || s.care == nil {
		if ev.drop != nil {
			ev.drop()
		}
		if h != nil {
			s.reopen(h) // given up in the middle: its state is read anew
		}
		return
	}
	s.busy = ""
	s.turn++
	if h == nil {
		if ev.err != nil {
			s.toPage(careSentence(ev.err))
			return
		}
		ev.then()
		return
	}
	s.noteInfo(h, ev.info)
	if ev.err != nil {
		s.careFailed(h, ev.err)
		return
	}
	ev.then()
	if s.care != nil && s.slots[h.slot.Name] != h {
		s.careDropped(h.slot.Name) // it was pulled while it answered
	}
}

// noteInfo takes what the card last told of itself.
func (s *Session) noteInfo(h *held, i card.Info) {
	if i.Label == "" {
		i.Label = h.info.Label
	}
	h.info = i
	h.trouble = infoTrouble(i)
	if s.care.id == h.id() {
		return
	}
	if i.SharedIdentity { // it comes with the seed
		s.care.id = h.id()
	}
}

// careFailed goes where a person can do something about it.
func (s *Session) careFailed(h *held, err error) {
	var pin card.WrongPINError
	var puk card.WrongPUKError
	isPIN, isPUK := errors.As(err, &pin), errors.As(err, &puk)
	if isPIN || isPUK {
		h.loggedIn = false
		s.care.forgetLogin()
	}
	switch {
	case isPIN && pin.Left > 0, isPUK && puk.Left > 0:
		s.askCodeAgain()
		s.problem = careSentence(err)
	case isPIN, isPUK, errors.Is(err, card.ErrBlocked), errors.Is(err, card.ErrPUKBlocked):
		s.toPage(careSentence(err))
	case card.Gone(err):
		s.wentAway(h, err)
	default:
		s.toPage(careSentence(err) + s.wiped())
		if !settled(err) {
			s.care.forgetLogin()
			s.reopen(h)
		}
	}
}

// settled reports whether the card answered with a refusal: then its channel
// and its login are as before.
func settled(err error) bool {
	return errors.As(err, new(card.StatusError)) || errors.Is(err, card.ErrNotSupported) || errors.Is(err, card.ErrHasSeed) ||
		errors.Is(err, card.ErrSetUpBefore) || errors.Is(err, card.ErrNeedsReset)
}

// askCodeAgain goes back to where the wrong code was typed.
func (s *Session) askCodeAgain() {
	c := s.care
	switch {
	case c.stage == StageGone:
		s.toPage("")
	case c.stage == StageUnlock:
		s.enterStage(StageUnlock)
	case c.task == TaskUnblock:
		c.next = nil
		s.enterStage(StagePUK)
	default:
		c.next = nil
		s.enterStage(StagePIN)
	}
}

// wentAway waits for the card to come back where the work can be done once
// more, and else says what is not known.
func (s *Session) wentAway(h *held, err error) {
	c := s.care
	if c.again != nil && c.pin != nil && c.id.certain() && !errors.Is(err, card.ErrOutcomeUnknown) {
		c.wanted, c.key = c.id, nil
		s.enterStage(StageGone)
		s.problem = sentence(err)
		s.reopen(h)
		return
	}
	s.reopen(h)
	c.forgetLogin()
	s.toPage(careSentence(err) + s.wiped())
}

// wiped is said where words were made or entered, and a person needs them again.
func (s *Session) wiped() string {
	if s.care.seed == nil {
		return ""
	}
	return " The words were wiped from this station; if the card did not take them, enter them from paper."
}

// careDropped is called when the card of a slot went away. While it works,
// that work itself notices.
func (s *Session) careDropped(slot string) {
	c := s.care
	if c == nil || c.slot != slot || s.busy != "" && !c.computing || c.reset != nil || s.step == StepCareTask && c.stage == StageGone {
		return
	}
	c.forgetLogin()
	if s.busy != "" {
		s.abort()
	}
	if s.step == StepCareTask {
		s.toPage("The card was taken out, and what was typed was wiped. Put the card back to begin again.")
	}
}

// careAdvance goes on with what waited for the card.
func (s *Session) careAdvance() {
	c, h := s.care, s.careCard()
	if c == nil || h == nil || h.opening {
		return
	}
	if s.step != StepCareTask || c.stage != StageGone || s.busy != "" {
		if h.id() != c.id {
			c.id, c.notice = h.id(), ""
			c.forgetLogin()
			if s.step == StepCareTask && (s.busy == "" || c.computing) {
				s.abort() // what was typed or made was for the card before
				s.toPage("Another card is in the reader than the one this was begun with, so what was typed was wiped.")
			}
		}
		return
	}
	switch {
	case s.blocked():
	case h.id() != c.wanted:
		s.problem = otherCard(c.wanted, h.id())
	case h.trouble != "" || c.pin == nil || h.info.PINTries == 1:
		s.toPage("")
	default:
		s.resume(h)
	}
}

// resume logs in again to the same card, over a new channel, with the PIN that
// it took before, and does the interrupted work once more.
func (s *Session) resume(h *held) {
	c := s.care
	pin, again := c.pin, c.again
	s.run("Unlocking the same card again", false, func(ctx context.Context, opened card.Card) (func(), error) {
		if err := opened.VerifyPIN(ctx, pin); err != nil {
			return nil, err
		}
		key, err := keyOf(ctx, opened)
		if err != nil {
			return nil, err
		}
		return func() {
			h.loggedIn, c.key = true, key
			again()
		}, nil
	})
}

// careSentence is what a person reads of an error: errors of the machinery are
// no sentences of their own.
func careSentence(err error) string {
	switch {
	case errors.Is(err, seed.ErrKernel):
		return "This machine gave no random numbers, so no words were made. Start it again, or use dice alone."
	case errors.Is(err, seed.ErrUnusable):
		return "These words make no key (one chance in 2^127). Make new ones."
	}
	text := sentence(err)
	first, size := utf8.DecodeRuneInString(text)
	text = string(unicode.ToUpper(first)) + text[size:]
	if !strings.HasSuffix(text, ".") && !strings.HasSuffix(text, ")") {
		text += "."
	}
	return text
}
