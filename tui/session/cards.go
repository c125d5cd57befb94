package session

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/airlock-signer/airlock/reader"
	"github.com/airlock-signer/airlock/reader/card"
)

// held is one reader and the card this session holds in it, opened
// exclusively from the moment it is put in.
type held struct {
	slot     reader.Slot
	card     card.Card // nil while opening, or where it could not be opened
	info     card.Info
	opening  bool
	trouble  string
	inUse    bool // it could not be opened because it was held already
	again    bool // by an opening of our own that came too late: open it again
	loggedIn bool
	io       *sync.Mutex // cards are not safe for concurrent use
	// out is closed when the last logout has ended; nil before the first. A PIN
	// waits for it, or the logout could come after it.
	out chan struct{}
}

// cardID tells one card from another, as far as that is possible before a PIN.
type cardID struct {
	identity string // of the identity key; "" where the card has none of its own
	make     string
}

func (h *held) id() cardID {
	if h.info.SharedIdentity {
		return cardID{make: h.info.Make}
	}
	return cardID{identity: string(h.info.Identity), make: h.info.Make}
}

// certain reports whether the id names one card and no other.
func (c cardID) certain() bool { return c.identity != "" }

func (h *held) view() SlotView {
	v := SlotView{Slot: h.slot, Opening: h.opening, Opened: h.card != nil, Info: h.info, Trouble: h.trouble, LoggedIn: h.loggedIn}
	if !h.info.SharedIdentity {
		v.Code = card.IdentityCode(h.info.Identity)
	}
	return v
}

// onSlots compares what is in the readers with what is held.
func (s *Session) onSlots(n reader.Snapshot) {
	s.snapshot, s.watching = n, true
	if n.Err != nil {
		for name := range s.slots {
			s.drop(name)
		}
		return
	}
	present := map[string]bool{}
	for _, slot := range n.Slots {
		present[slot.Name] = true
		h := s.slots[slot.Name]
		if h != nil && (h.slot.Insertions != slot.Insertions || h.slot.Present != slot.Present || h.slot.Mute != slot.Mute) {
			s.drop(slot.Name)
			h = nil
		}
		if h == nil {
			h = &held{io: &sync.Mutex{}}
			s.slots[slot.Name] = h
			h.slot = slot
			s.openSlot(h)
		}
		h.slot = slot
	}
	for name := range s.slots {
		if !present[name] {
			s.drop(name)
		}
	}
	s.advance()
}

// openSlot opens the card in a slot in the background.
func (s *Session) openSlot(h *held) {
	h.trouble = ""
	switch {
	case !h.slot.Present:
		return
	case h.slot.Mute:
		h.trouble = card.ErrNoResponse.Error()
		return
	}
	if s.resetting(h.slot.Name) {
		s.resetSlot(h)
		return
	}
	h.opening = true
	ctx, name, n, cfg, post := s.ctx, h.slot.Name, h.slot.Insertions, s.cfg, s.post
	go func() {
		ev := cardOpened{slot: name, insertions: n}
		t, err := cfg.Readers.Connect(ctx, name)
		if err == nil {
			if ev.card, err = cfg.OpenCard(ctx, t); err != nil {
				_ = t.Close() // it is of no use; the reset is best effort
			}
		}
		ev.err = err
		post(ev)
	}()
}

func (s *Session) onCardOpened(ev cardOpened) {
	h := s.slots[ev.slot]
	if h == nil || !h.opening || h.slot.Insertions != ev.insertions {
		s.openedLate(ev)
		return
	}
	h.opening = false
	if h.inUse = errors.Is(ev.err, card.ErrInUse); h.inUse && h.again {
		h.again = false
		s.openSlot(h)
		return
	}
	if ev.err != nil {
		h.trouble = ev.err.Error()
		return
	}
	h.card, h.info = ev.card, ev.card.Info()
	h.trouble = infoTrouble(h.info)
	s.advance()
}

// openedLate gives up an opening that nobody waits for any more. Where a card
// was put back fast, it held that card, and kept the opening after it out.
func (s *Session) openedLate(ev cardOpened) {
	if ev.card == nil {
		s.onSlotLeft(ev.slot)
		return
	}
	go func() {
		_ = ev.card.Close()
		s.post(slotLeft{ev.slot})
	}()
}

// onSlotLeft opens a slot that our own late opening kept from being opened.
func (s *Session) onSlotLeft(name string) {
	switch h := s.slots[name]; {
	case h == nil || h.card != nil:
	case h.opening:
		h.again = true
	case h.inUse:
		s.openSlot(h)
	}
}

// infoTrouble is why a PIN must not be asked for such a card; "" where it may.
func infoTrouble(i card.Info) string {
	if i.State == card.StateReady && !i.TwoFactor {
		return ""
	}
	return i.Sentence()
}

// drop forgets the card of a slot that went away.
func (s *Session) drop(name string) {
	h := s.slots[name]
	delete(s.slots, name)
	if h == nil {
		return
	}
	if h.card != nil {
		go closeCard(h)
	}
	if name == s.chosen {
		s.chosen = ""
	}
	if s.job.slot == name {
		s.job.key, s.job.slot = nil, ""
		s.onCardGone()
	}
	s.careDropped(name)
}

func closeCard(h *held) {
	h.io.Lock()
	defer h.io.Unlock()
	_ = h.card.Close() // gone, or reset by the transport: nothing more can be done
}

// onCardGone is called when the card of the job under way went away. While it
// checks a PIN or signs, that work itself notices, and knows what it means.
func (s *Session) onCardGone() {
	switch s.step {
	case StepReview, StepApprove:
		s.problem = "The card was taken out. Your review is kept; the card is wanted again before signing."
	case StepPIN:
		s.problem = card.ErrRemoved.Error()
		s.step = StepCard
		s.job.lost = s.job.asked.slot.Name
	}
}

// reopen closes a card whose channel cannot be trusted any more (the reset
// logs it out) and opens it again, with its state and tries left as they are
// now. Where it is gone, the watch says so.
func (s *Session) reopen(h *held) {
	if h.card == nil || s.slots[h.slot.Name] != h {
		return
	}
	dead, fresh := *h, s.renew(h)
	fresh.opening = true
	go func() {
		closeCard(&dead)
		s.post(slotFree{fresh})
	}()
}

// renew puts an empty slot in the place of a card that is of no use any more.
// What was asked for or begun with that card does not go to the one that is
// found there next.
func (s *Session) renew(h *held) *held {
	fresh := &held{slot: h.slot, io: &sync.Mutex{}}
	s.slots[h.slot.Name] = fresh
	if s.job.slot == h.slot.Name {
		s.job.key, s.job.slot = nil, ""
	}
	return fresh
}

// onCardDead opens anew what could not be logged out and was closed.
func (s *Session) onCardDead(ev cardDead) {
	if s.slots[ev.slot] == ev.held {
		s.openSlot(s.renew(ev.held))
		s.advance()
	}
}

func (s *Session) onSlotFree(h *held) {
	if s.slots[h.slot.Name] == h {
		h.opening = false
		s.openSlot(h)
	}
}

func (s *Session) retrySlot(name string) {
	h := s.slots[name]
	if h == nil || h.opening || h.card != nil {
		return
	}
	s.openSlot(h)
}

// current is the card to be used now: the one in use, the one picked, else the
// only usable one.
func (s *Session) current() *held {
	for _, name := range []string{s.job.slot, s.chosen} {
		if h := s.slots[name]; h != nil && h.card != nil {
			return h
		}
	}
	var only *held
	for _, h := range s.slots {
		if h.card == nil || h.trouble != "" {
			continue
		}
		if only != nil {
			return nil
		}
		only = h
	}
	return only
}

// slotViews lists the readers in the order of the snapshot.
func (s *Session) slotViews() []SlotView {
	views := make([]SlotView, 0, len(s.snapshot.Slots))
	for _, slot := range s.snapshot.Slots {
		if h := s.slots[slot.Name]; h != nil {
			views = append(views, h.view())
		}
	}
	return views
}

func (s *Session) slotsTrouble() string {
	switch {
	case !s.watching:
		return ""
	case s.snapshot.Err != nil:
		return s.snapshot.Err.Error()
	case len(s.snapshot.Slots) == 0:
		return card.ErrNoReader.Error()
	}
	return ""
}

// logout ends the login of the card in use, in the background.
func (s *Session) logout() {
	for _, h := range s.slots {
		if h.card == nil || !h.loggedIn {
			continue
		}
		h.loggedIn = false
		done := make(chan struct{})
		h.out = done
		go func(ctx context.Context, h *held, name string, post func(Event)) {
			defer close(done)
			h.io.Lock()
			defer h.io.Unlock()
			if err := h.card.Logout(ctx); err != nil {
				_ = h.card.Close() // what cannot be logged out is reset
				post(cardDead{name, h})
			}
		}(s.ctx, h, h.slot.Name, s.post)
	}
	s.job.key, s.job.slot = nil, ""
}

// lock logs out and keeps the review.
func (s *Session) lock(why string) {
	if s.step == StepSigning {
		s.pause(why)
	}
	s.logout()
	s.forgetPIN()
	if s.step == StepUnlocking || s.step == StepPIN {
		s.abort()
		s.step = StepCard
	}
	s.problem = why
}

// forgetPIN wipes the PIN kept.
func (s *Session) forgetPIN() {
	if s.job.pin != nil {
		s.job.pin.Release()
		s.job.pin = nil
	}
}

// sentence is what a person reads of an error.
func sentence(err error) string {
	if errors.Is(err, context.Canceled) {
		return "It was stopped."
	}
	return err.Error()
}

// otherCard names the card that is wanted.
func otherCard(want, got cardID) string {
	return fmt.Sprintf("This is another card (%s) than the one this run began with (%s). Put that one back to go on.",
		card.IdentityCode([]byte(got.identity)), card.IdentityCode([]byte(want.identity)))
}
