package session

import (
	"fmt"

	"github.com/airlock-signer/airlock/reader/card"
	"github.com/airlock-signer/airlock/reader/secret"
)

// Sizes of what is typed, in bytes.
const (
	codeSize = 64  // PIN, PUK
	textSize = 512 // words, dice, passphrase
)

// offers lists what the card in the slot can do now: by its interfaces and its
// state, never by the name of its make.
func (s *Session) offers() []Task {
	h := s.careCard()
	if h == nil || h.opening {
		return nil
	}
	var list []Task
	for t := TaskSetup; t <= TaskReset; t++ {
		if s.offered(t, h) {
			list = append(list, t)
		}
	}
	return list
}

func (s *Session) offered(t Task, h *held) bool {
	usable := h.info.State == card.StateReady || h.info.State == card.StateNoSeed
	ready := h.info.State == card.StateReady
	switch t {
	case TaskSetup:
		_, ok := h.card.(card.Initializer)
		return ok && h.info.State == card.StateNotSetUp
	case TaskUnlock:
		return usable && !h.loggedIn
	case TaskLogout:
		return usable && h.loggedIn
	case TaskSeed:
		_, ok := h.card.(card.SeedLoader)
		return ok && h.info.State == card.StateNoSeed && !h.info.TwoFactor
	case TaskUnblock:
		_, ok := h.card.(card.Unblocker)
		return ok && h.info.State == card.StatePINBlocked
	case TaskKeys:
		return ready
	case TaskTest:
		return ready && !h.info.TwoFactor
	case TaskAttest:
		_, ok := h.card.(card.Attester)
		return ok && usable
	case TaskName:
		_, ok := h.card.(card.Labeler)
		return ok && usable
	case TaskChangePIN:
		_, ok := h.card.(card.PINChanger)
		return ok && usable
	case TaskErase:
		_, ok := h.card.(card.SeedEraser)
		return ok && ready && !h.info.TwoFactor
	case TaskReset:
		_, ok := h.card.(card.Resetter)
		return ok && s.cfg.ResetStep != nil && h.info.State != card.StateNotSetUp
	}
	return false
}

// plan is what is asked for a task, in order.
func plan(t Task, c card.Card) []Stage {
	switch t {
	case TaskSetup:
		return []Stage{StageRules, StageNewPIN, StageNewPINAgain, StageNewPUK, StageNewPUKAgain}
	case TaskSeed:
		return []Stage{StageSeedHow}
	case TaskUnblock:
		if u, ok := c.(card.Unblocker); ok && !u.KeepsPIN() {
			return []Stage{StageRules, StagePUK, StageNewPIN, StageNewPINAgain}
		}
		return []Stage{StageRules, StagePUK}
	case TaskKeys:
		return []Stage{StageKeyKind}
	case TaskName:
		return []Stage{StageName}
	case TaskChangePIN:
		return []Stage{StageRules, StagePIN, StageNewPIN, StageNewPINAgain}
	case TaskErase:
		return []Stage{StageConfirm, StagePIN}
	case TaskReset:
		return []Stage{StageConfirm}
	}
	return nil
}

// doTask begins a task that the page offers.
func (s *Session) doTask(t Task) {
	h := s.careCard()
	if s.step != StepCare || h == nil || h.opening || s.busy != "" || !s.offered(t, h) {
		return
	}
	c := s.care
	if t.wantsQuiet() && s.blocked() {
		s.problem = "The network is up (" + s.isolation.Blocking()[0].State + "), so nothing secret is asked for. Switch it off first."
		return
	}
	c.forget()
	s.problem, c.notice = "", ""
	c.task, c.id = t, h.id()
	c.next = plan(t, h.card)
	if w, ok := h.card.(card.EraseWarner); ok && t == TaskErase {
		c.warning = w.EraseWarning()
	}
	if t == TaskUnlock || t.wantsLogin() && !h.loggedIn {
		c.next = append([]Stage{StageUnlock}, c.next...)
	}
	s.nextStage()
}

// nextStage goes to the next stage of the task, or does it.
func (s *Session) nextStage() {
	c := s.care
	if len(c.next) == 0 {
		s.perform()
		return
	}
	g := c.next[0]
	c.next = c.next[1:]
	s.enterStage(g)
}

// enterStage shows a stage, with an empty page for what is typed there.
func (s *Session) enterStage(g Stage) {
	c := s.care
	s.turn++
	s.step, c.stage, c.word, c.settled = StepCareTask, g, false, 0
	if c.typing != nil {
		c.typing.Release()
		c.typing = nil
	}
	if !g.secret() {
		return
	}
	size := codeSize
	if g >= StageSeedHow {
		size = textSize
	}
	b, err := secret.New(size)
	if err != nil {
		s.toPage(sentence(err))
		return
	}
	c.typing = b
}

// tries left of the code that a stage sends to the card; -1 where none is sent
// or the card does not tell.
func (s *Session) tries(g Stage) int {
	h := s.careCard()
	if h == nil {
		return -1
	}
	switch g {
	case StageUnlock, StagePIN:
		return h.info.PINTries
	case StagePUK:
		return h.info.PUKTries
	}
	return -1
}

// wantWord is typed before a last try.
func (s *Session) wantWord() string {
	c := s.care
	if c == nil || c.word || s.tries(c.stage) != 1 {
		return ""
	}
	return lastTryWord
}

// secretTyped takes what is in the page as complete.
func (s *Session) secretTyped() {
	c := s.care
	if c == nil || s.step != StepCareTask || s.busy != "" || c.typing == nil || s.wantWord() != "" || s.blocked() {
		return
	}
	if c.stage >= StageSeedHow {
		s.seedTyped()
		return
	}
	s.problem = ""
	if c.typing.Len() == 0 {
		s.turn++
		return
	}
	if problem := s.checkCode(); problem != "" {
		s.problem = problem
		c.typing.Clear()
		s.turn++
		if c.misses >= maxMisses {
			s.lockCare("That was not the PIN that unlocked the card, several times, so it was logged out. Nothing was changed.")
		}
		return
	}
	if c.codes == nil {
		c.codes = map[Stage]*secret.Buffer{}
	}
	if old := c.codes[c.stage]; old != nil {
		old.Release()
	}
	c.codes[c.stage], c.typing = c.typing, nil
	if first, ok := firstOf(c.stage); ok && !c.codes[first].Equal(c.codes[c.stage]) {
		s.retype(first, "The two are not the same. Type it anew, and then once more.")
		return
	}
	if c.stage == StageUnlock {
		s.unlockCare()
		return
	}
	s.nextStage()
}

// firstOf is the stage whose entry is repeated at g.
func firstOf(g Stage) (Stage, bool) {
	switch g {
	case StageNewPINAgain:
		return StageNewPIN, true
	case StageNewPUKAgain:
		return StageNewPUK, true
	case StagePassAgain:
		return StagePassphrase, true
	}
	return StageNone, false
}

// retype goes back to a stage and the one after it.
func (s *Session) retype(first Stage, problem string) {
	c := s.care
	c.next = append([]Stage{c.stage}, c.next...)
	s.enterStage(first)
	s.problem = problem
}

// maxMisses is how often the PIN of an unlocked card may be mistaken where it is
// asked for once more.
const maxMisses = 3

// checkCode says what is wrong with a code before it is used; "" where nothing
// is.
func (s *Session) checkCode() string {
	c := s.care
	rule, name := s.rule()
	switch c.stage {
	case StagePIN:
		// The PIN that unlocked this card is known, so a wrong one costs no try.
		// But nobody may try them all at a station that was left unlocked.
		if c.pin != nil && !c.pin.Equal(c.typing) {
			c.misses++
			return "This is not the PIN that unlocked the card. Nothing was sent to the card, so no try was used."
		}
		return ""
	case StageNewPIN, StageNewPUK:
	default:
		return ""
	}
	if problem := breaksRule(c.typing, rule); problem != "" {
		return "The " + name + " " + problem
	}
	if c.stage == StageNewPUK && c.codes[StageNewPIN] != nil && c.codes[StageNewPIN].Equal(c.typing) {
		return "The PUK must not be the same as the PIN."
	}
	if c.stage == StageNewPIN && c.codes[StagePIN] != nil && c.codes[StagePIN].Equal(c.typing) {
		return "The new PIN is the same as the old one."
	}
	return ""
}

// rule of the code that is typed at this stage, and what it is called. Without
// a rule of the card nothing is checked here.
func (s *Session) rule() (card.CodeRule, string) {
	h := s.careCard()
	if h == nil {
		return card.CodeRule{}, ""
	}
	i, ok := h.card.(card.Initializer)
	if !ok {
		return card.CodeRule{Min: 1, Max: codeSize}, "code"
	}
	if s.care.stage == StageNewPUK {
		return i.SetupRules().PUK, "PUK"
	}
	return i.SetupRules().PIN, "PIN"
}

func breaksRule(b *secret.Buffer, r card.CodeRule) string {
	if n := b.Len(); n < r.Min || n > r.Max {
		return fmt.Sprintf("must have %d to %d characters.", r.Min, r.Max)
	}
	problem := ""
	b.Use(func(p []byte) {
		for _, ch := range p {
			switch {
			case r.Digits && (ch < '0' || ch > '9'):
				problem = "must be digits alone."
			case ch < 0x20 || ch > 0x7e:
				problem = "must be of letters, digits and signs without accents, as every keyboard has them."
			}
		}
	})
	return problem
}

// textTyped takes typed text that is no secret.
func (s *Session) textTyped(text string) {
	c := s.care
	if c == nil || s.step != StepCareTask || s.busy != "" {
		return
	}
	s.problem = ""
	if s.wantWord() != "" {
		c.word = text == lastTryWord
		s.turn++
		return
	}
	switch c.stage {
	case StageName:
		s.nameTyped(text)
	case StageConfirm:
		if !sameEnd(text, s.confirmed()) {
			s.problem = "Those are not its last four characters. Nothing was done."
			return
		}
		s.nextStage()
	case StageKeyKind:
		s.pathTyped(text)
	case StageSeedConfirm:
		s.seedConfirmed(text)
	}
}

func (s *Session) nameTyped(text string) {
	h := s.careCard()
	if h == nil {
		return
	}
	if l, ok := h.card.(card.Labeler); ok && len(text) > l.LabelMax() {
		s.problem = fmt.Sprintf("This name is too long for the card: it takes %d bytes, and this has %d.", l.LabelMax(), len(text))
		return
	}
	s.care.name = text
	s.nextStage()
}
