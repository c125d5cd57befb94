package session

import (
	"errors"
	"fmt"

	"github.com/airlock-signer/airlock/reader/card"
)

// resetRun is a factory reset, step by step. While it is under way the slot is
// opened for nothing else.
type resetRun struct {
	total int
	left  int // steps still wanted, as the card counts
}

// resetStepped is the end of one step.
type resetStepped struct {
	slot       string
	insertions int
	left       int
	err        error
}

func (resetStepped) event() {}

// ResetView is a factory reset under way.
type ResetView struct {
	Total, Done int
	Working     bool // the card is being told
	In          bool // the card is in: it must come out now
}

func (s *Session) resetView() *ResetView {
	r, h := s.care.reset, s.slots[s.care.slot]
	if r == nil {
		return nil
	}
	v := &ResetView{Total: r.total, Done: r.total - r.left}
	if h != nil {
		v.Working, v.In = h.opening, h.slot.Present
	}
	return v
}

// beginReset takes the first step with the card as it is in the slot: it was
// identified, and held since, so that the step goes to no other.
func (s *Session) beginReset() {
	c, h := s.care, s.careCard()
	if h == nil {
		s.toPage(card.ErrRemoved.Error())
		return
	}
	n := h.card.(card.Resetter).ResetInsertions()
	c.forgetLogin()
	c.reset = &resetRun{total: n, left: n}
	s.enterStage(StageReset)
	s.reopen(h)
}

// resetting reports whether the slot is in a factory reset.
func (s *Session) resetting(slot string) bool {
	return s.care != nil && s.care.reset != nil && s.care.slot == slot
}

// resetSlot takes one step with the card that was just put in. Nothing else is
// said to it: it would start over.
func (s *Session) resetSlot(h *held) {
	h.opening = true
	ctx, name, n, cfg, post := s.ctx, h.slot.Name, h.slot.Insertions, s.cfg, s.post
	go func() {
		ev := resetStepped{slot: name, insertions: n}
		t, err := cfg.Readers.Connect(ctx, name)
		if err == nil {
			ev.left, err = cfg.ResetStep(ctx, t)
			_ = t.Close() // the next step begins with a card that is put in
		}
		ev.err = err
		post(ev)
	}()
}

func (s *Session) onResetStepped(ev resetStepped) {
	h := s.slots[ev.slot]
	if h == nil || !h.opening || h.slot.Insertions != ev.insertions {
		s.onSlotLeft(ev.slot) // that card is out already; what it counted, the next step tells
		return
	}
	h.opening = false
	if h.inUse = errors.Is(ev.err, card.ErrInUse); h.inUse && h.again {
		h.again = false
		s.openSlot(h)
		return
	}
	if !s.resetting(ev.slot) {
		s.openSlot(h) // the reset was given up meanwhile
		return
	}
	s.turn++
	r := s.care.reset
	switch {
	case errors.Is(ev.err, card.ErrResetInterrupted) && r.left == r.total:
		s.problem = "" // the reader did not cut the power: the next insertion is the first that counts
	case ev.err != nil && card.Gone(ev.err):
		s.problem = careSentence(ev.err)
	case ev.err != nil:
		s.stopReset(h, careSentence(ev.err))
	case ev.left >= r.left:
		s.stopReset(h, "The count did not go on: this is another card, or the card was used elsewhere meanwhile. The reset was stopped, and this card keeps what it holds.")
	case ev.left == 0:
		s.care.reset = nil
		s.done("The factory reset is done: key, PIN, PUK and name are gone. The card can be set up anew.")
		s.openSlot(h)
	default:
		r.left, s.problem = ev.left, ""
	}
}

// stopReset gives up and opens the slot as always, which starts the card's
// count over.
func (s *Session) stopReset(h *held, problem string) {
	s.care.reset = nil
	s.toPage(problem)
	s.openSlot(h)
}

// endReset leaves a reset half-way, where one is under way.
func (s *Session) endReset() {
	c := s.care
	if c == nil || c.reset == nil {
		return
	}
	done := c.reset.total - c.reset.left
	c.reset = nil
	if h := s.slots[c.slot]; h != nil && !h.opening && h.card == nil {
		s.openSlot(h)
	}
	c.notice = fmt.Sprintf("The reset was stopped after step %d. Nothing is erased, and the card will count from the beginning.", done)
}
