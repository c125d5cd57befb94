package session

import (
	"github.com/airlock-signer/airlock/airgap"
	"github.com/airlock-signer/airlock/reader/card"
	"github.com/airlock-signer/airlock/reader/secret"
)

// Task is something that a person has a card do besides signing.
type Task uint8

// Tasks, in the order in which they are offered.
const (
	TaskNone Task = iota
	TaskSetup
	TaskUnlock
	TaskSeed // make or enter a seed, and load it
	TaskUnblock
	TaskKeys // show and export public keys
	TaskTest
	TaskAttest
	TaskName
	TaskChangePIN
	TaskLogout
	TaskErase
	TaskReset
)

// wantsLogin says that the card must be unlocked for it.
func (t Task) wantsLogin() bool {
	switch t {
	case TaskSeed, TaskKeys, TaskTest, TaskAttest, TaskName, TaskChangePIN, TaskErase:
		return true
	}
	return false
}

// wantsQuiet says that secrets are typed or made for it, so that no network
// may be up.
func (t Task) wantsQuiet() bool { return t != TaskLogout && t != TaskReset }

// Stage is where a task stands. Each has a screen of its own.
type Stage uint8

// Stages.
const (
	StageNone        Stage = iota
	StageRules             // what will happen; Enter goes on
	StageUnlock            // the PIN, which unlocks
	StagePIN               // the PIN once more, for what is destructive
	StageNewPIN            // a new PIN
	StageNewPINAgain       // and once more
	StagePUK               // the PUK
	StageNewPUK            // a new PUK
	StageNewPUKAgain       // and once more
	StageName              // a name for the card
	StageConfirm           // the last characters of what identifies the card
	StageBusy              // the card works: State.Busy says at what
	StageGone              // the card went away in the middle; it goes on when it is back
	StageDone              // the result of a check is shown
	StageKeyKind           // which public key
	StageKey               // the public key
	StageReset             // the insertions of a factory reset

	StageSeedHow     // how the words come to be: State.Care.Seed says what was chosen
	StageSeedDice    // dice are rolled
	StageSeedHand    // dice alone: how the result can be made again by hand
	StageSeedWords   // words are shown
	StageSeedAsk     // a word is asked back
	StageSeedEnter   // words are entered
	StageSeedPass    // whether there is a passphrase
	StagePassphrase  // the passphrase
	StagePassAgain   // and once more
	StageSeedConfirm // the resulting fingerprint, before anything is loaded
)

// secret says that something is typed there that must not be seen.
func (g Stage) secret() bool {
	switch g {
	case StageUnlock, StagePIN, StageNewPIN, StageNewPINAgain, StagePUK, StageNewPUK, StageNewPUKAgain,
		StageSeedDice, StageSeedAsk, StageSeedEnter, StagePassphrase, StagePassAgain:
		return true
	}
	return false
}

// What a person does with a card besides signing. GoOn and Back go on and back
// here as elsewhere.
type (
	// ShowCards goes from the first screen to the list of cards.
	ShowCards struct{}
	// ShowCard goes to the page of the card in a slot.
	ShowCard struct{ Slot string }
	// DoTask begins one of CareView.Offers.
	DoTask struct{ Task Task }
	// SecretTyped says that what goes to CareView.Secret is complete. Secrets
	// are in no event.
	SecretTyped struct{}
	// TextTyped is typed text that is no secret: a name, a word, the last
	// characters, a path.
	TextTyped struct{ Text string }
)

func (ShowCards) event()   {}
func (ShowCard) event()    {}
func (DoTask) event()      {}
func (SecretTyped) event() {}
func (TextTyped) event()   {}

// care is one card being cared for.
type care struct {
	slot   string         // reader that was picked
	id     cardID         // of the card in it, as far as it was seen
	key    *cardKey       // while logged in to a card with a key
	pin    *secret.Buffer // kept while a card with an identity is unlocked
	notice string         // what was done last; "" where nothing was
	misses int            // how often a PIN asked for once more was not the one that unlocked

	task      Task
	stage     Stage
	next      []Stage                  // still to come
	typing    *secret.Buffer           // what is typed now
	codes     map[Stage]*secret.Buffer // what was typed before in this task
	word      bool                     // the word before the last try was typed
	settled   int                      // length of what was typed when it was looked at
	name      string
	warning   string // what else the task does to this card
	computing bool   // busy with something that wants no card
	again     func() // does the work that was interrupted once more; nil where that is not safe
	wanted    cardID // the card that must be back for it

	attested *card.Attestation
	keys     *keyRun
	reset    *resetRun
	seed     *seedRun
}

// doCare takes what a person did with a card; false for any other event.
func (s *Session) doCare(ev Event) bool {
	switch ev := ev.(type) {
	case ShowCards:
		if s.step == StepHome {
			s.leave(StepCards)
		}
	case ShowCard:
		if s.step == StepCards && s.slots[ev.Slot] != nil {
			s.care = &care{slot: ev.Slot, id: s.slots[ev.Slot].id()}
			s.step, s.problem = StepCare, ""
		}
	case DoTask:
		s.doTask(ev.Task)
	case SecretTyped:
		s.secretTyped()
	case TextTyped:
		s.textTyped(ev.Text)
	case ShowKey:
		s.showKey(ev)
	case ExportKey:
		s.exportKey(ev.Volume)
	default:
		return s.doSeed(ev)
	}
	return true
}

// onCare takes what happened by itself.
func (s *Session) onCare(ev Event) {
	switch ev := ev.(type) {
	case careDone:
		s.onCareDone(ev)
	case resetStepped:
		s.onResetStepped(ev)
	case keyWritten:
		s.onKeyWritten(ev)
	}
}

// careCard is the card that is cared for, nil where it is not there.
func (s *Session) careCard() *held {
	if s.care == nil {
		return nil
	}
	h := s.slots[s.care.slot]
	if h == nil || h.card == nil {
		return nil
	}
	return h
}

// wipe forgets everything secret of the task under way.
func (c *care) wipeTask() {
	if c.typing != nil {
		c.typing.Release()
		c.typing = nil
	}
	for _, b := range c.codes {
		b.Release()
	}
	c.codes = nil
	c.seed.release()
	c.seed = nil
}

// forget ends the task, whatever it was.
func (c *care) forget() {
	c.wipeTask()
	c.task, c.stage, c.next, c.again, c.word, c.name, c.warning = TaskNone, StageNone, nil, nil, false, "", ""
	c.attested, c.keys = nil, nil
}

// forgetLogin wipes the PIN and drops the key.
func (c *care) forgetLogin() {
	c.key, c.misses = nil, 0
	if c.pin != nil {
		c.pin.Release()
		c.pin = nil
	}
}

// endCare is called wherever the cards are left.
func (s *Session) endCare() {
	if s.care == nil {
		return
	}
	s.endReset()
	s.care.forget()
	s.care.forgetLogin()
	s.care = nil
}

// toPage ends the task and shows the page of the card.
func (s *Session) toPage(problem string) {
	s.endReset()
	s.care.forget()
	s.step, s.problem = StepCare, problem
	s.turn++
}

// careBack is Back on the screens of the cards.
func (s *Session) careBack() {
	switch {
	case s.step == StepCards:
		s.leave(StepHome)
	case s.step == StepCare:
		s.leave(StepCards)
	case s.busy != "":
		s.abort() // the card's answer is not waited for: its end opens the card anew
		s.care.forgetLogin()
		s.toPage("It was stopped. What the card did of it is seen when it was looked at again.")
	case s.care.stage == StageKey && s.care.keys.writing:
		s.problem = "The file is being written. It takes a moment."
	case s.care.stage == StageKey:
		s.enterStage(StageKeyKind)
	default:
		s.toPage("")
	}
}

// lockCare logs out and wipes every secret; the page of the card stays.
func (s *Session) lockCare(why string) {
	c := s.care
	if c == nil || s.step == StepCare && c.key == nil && !s.careLoggedIn() || c.reset != nil {
		return
	}
	if s.busy != "" {
		s.abort()
	}
	s.logout()
	c.forgetLogin()
	s.toPage(why)
}

func (s *Session) careLoggedIn() bool {
	h := s.careCard()
	return h != nil && h.loggedIn
}

// careIdle is the idle lock.
func (s *Session) careIdle() {
	if s.care != nil && s.busy == "" && s.cfg.Now().Sub(s.activity) >= s.cfg.Idle {
		s.lockCare("Nobody pressed a key for a while, so the card was logged out and what was typed was wiped.")
	}
}

// careIsolation locks when the network comes up.
func (s *Session) careIsolation(i airgap.Isolation) {
	if s.care != nil && s.networkBlocks() && (s.careLoggedIn() || s.step == StepCareTask) {
		s.lockCare("The network came up (" + i.Blocking()[0].State + "), so the card was logged out and what was typed was wiped. Switch it off to go on.")
	}
}

// careGoOn is Enter where it goes on.
func (s *Session) careGoOn() {
	c := s.care
	if c == nil || s.step != StepCareTask || s.busy != "" {
		return
	}
	switch c.stage {
	case StageRules:
		s.nextStage()
	case StageDone:
		s.toPage("")
	case StageSeedHand:
		s.enterStage(StageSeedWords)
	case StageSeedWords:
		s.askBack()
	case StageSeedPass:
		c.seed.withPass = false
		s.deriveSeed()
	}
}
