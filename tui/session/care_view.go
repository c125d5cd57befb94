package session

import (
	"encoding/hex"
	"strings"

	"github.com/airlock-signer/airlock/reader/card"
	"github.com/airlock-signer/airlock/reader/secret"
)

// CareView is a card that is cared for: its page, and the task under way.
type CareView struct {
	Slot        SlotView
	Offers      []Task
	Fingerprint string // of the master key, 8 hex digits; "" while it is not known
	Notice      string // what was done last
	Locked      bool   // logged out: tasks that want it begin with the PIN

	Task     Task
	Stage    Stage
	Secret   *secret.Buffer // where keys go that nobody may see; nil where none are wanted
	Rule     card.CodeRule  // of the code that is typed
	Tries    int            // left of the code that is asked for; -1 where none, or not known
	WantWord string         // to be typed before a last try; "" where none is wanted
	Confirm  string         // what the characters to be typed are the end of: fingerprint or identity code
	Setup    card.SetupRules
	KeepsPIN bool // unblocking leaves the PIN as it was
	LabelMax int
	Warning  string // what else the task does to this card; "" where nothing
	Attested *card.Attestation
	Key      *KeyView
	Writing  bool
	Reset    *ResetView
	Seed     *SeedView
	Knows    bool // the PIN that unlocked is known: a wrong one costs no try
}

// careView is what the screens of a card draw; nil where none is cared for.
func (s *Session) careView() *CareView {
	c := s.care
	if c == nil {
		return nil
	}
	v := &CareView{Offers: s.offers(), Notice: c.notice, Task: c.task, Stage: c.stage, Tries: s.tries(c.stage), WantWord: s.wantWord(),
		Confirm: s.confirmed(), Warning: c.warning, Locked: !s.careLoggedIn(), Knows: c.pin != nil}
	v.Slot.Name = c.slot
	if h := s.slots[c.slot]; h != nil {
		v.Slot = h.view()
		v.Slot.SeenPIN = s.seen[h.id()]
		v.about(h)
	}
	v.Rule, _ = s.rule()
	if c.key != nil {
		fp := c.key.Fingerprint()
		v.Fingerprint = hex.EncodeToString(fp[:])
	}
	if v.WantWord == "" && s.busy == "" {
		v.Secret = c.typing
	}
	if s.busy != "" {
		v.Stage = StageBusy
	}
	v.Attested = c.attested
	if c.keys != nil {
		key := c.keys.view
		v.Key, v.Writing = &key, c.keys.writing
	}
	if c.seed != nil {
		v.Seed = c.seed.view()
	}
	v.Reset = s.resetView()
	return v
}

// about asks the interfaces of the card for what the screens say: only what
// never changes, for the card may be at work.
func (v *CareView) about(h *held) {
	if i, ok := h.card.(card.Initializer); ok {
		v.Setup = i.SetupRules()
	}
	if u, ok := h.card.(card.Unblocker); ok {
		v.KeepsPIN = u.KeepsPIN()
	}
	if l, ok := h.card.(card.Labeler); ok {
		v.LabelMax = l.LabelMax()
	}
}

// confirmed is what a person types the last four characters of.
func (s *Session) confirmed() string {
	c, h := s.care, s.careCard()
	switch {
	case h == nil:
		return ""
	case c.task == TaskErase && c.key != nil:
		return fingerprintText(c.key.Fingerprint())
	}
	return h.view().Code
}

// noCode is typed where a card has neither fingerprint nor code.
const noCode = "erase"

// sameEnd reports whether text is the last four characters of what is
// confirmed.
func sameEnd(text, whole string) bool {
	if len(whole) < 4 {
		whole = noCode
	} else {
		whole = whole[len(whole)-4:]
	}
	return strings.EqualFold(strings.TrimSpace(text), whole)
}
