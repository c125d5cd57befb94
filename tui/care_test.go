package tui

import (
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/airlock-signer/airlock/reader/simcard"
	"github.com/airlock-signer/airlock/tui/session"
)

// caring is a player at the page of a card made from options.
func caring(t *testing.T, o simcard.SatochipOptions) *player {
	t.Helper()
	p := play(t)
	o.Random = &stream{seed: "card"}
	c, err := simcard.NewSatochip(o)
	if err != nil {
		t.Fatal(err)
	}
	p.card = c
	ready(p)
	p.insert()
	p.press("c")
	p.step(session.StepCards)
	p.press("enter")
	p.step(session.StepCare)
	return p
}

// do chooses a task on the page.
func (p *player) do(t session.Task) {
	p.Helper()
	for i, o := range p.m.state.Care.Offers {
		if o == t {
			p.m.screen.(*carePage).list.chosen = i
			p.press("enter")
			return
		}
	}
	p.Fatalf("task %d is not offered:\n%s", t, p.m.View())
}

func (p *player) stage(g session.Stage) {
	p.Helper()
	p.until("a stage", func(st session.State) bool {
		return st.Step == session.StepCareTask && st.Care.Stage == g
	})
}

func (p *player) page() {
	p.Helper()
	p.until("the page", func(st session.State) bool { return st.Step == session.StepCare && !st.Care.Slot.Opening })
}

// inner is the screen of the stage.
func (p *player) inner() screen { return p.m.screen.(*careTask).of(p.m.state) }

// code types a secret and Enter.
func (p *player) code(text string) {
	p.Helper()
	p.pin(text)
	p.press("enter")
}

// text types text that is no secret, and Enter.
func (p *player) text(text string) {
	p.Helper()
	for _, r := range text {
		p.press(string(r))
	}
	p.press("enter")
}

func newCardOptions() simcard.SatochipOptions {
	return simcard.SatochipOptions{Version: simcard.Satochip014, Authentikey: simcard.Demo("", "Demo savings").Authentikey}
}

// fairRolls are 99 rolls that look like dice.
const fairRolls = "316254613524661532414326556123142635514362" +
	"225361446132513645216324553161422364515263341526" + "142635316"

// TestNewCardScreens takes a picture of each screen from a new card to a loaded
// one.
func TestNewCardScreens(t *testing.T) {
	p := caring(t, newCardOptions())
	p.golden("care-page-new")
	p.do(session.TaskSetup)
	p.golden("care-setup-rules")
	p.press("enter")
	p.golden("care-new-pin")
	p.pin("2468")
	p.golden("care-new-pin-typed")
	p.m.Update(keyMsg("ctrl+r"))
	p.golden("care-new-pin-shown")
	p.press("enter")
	p.golden("care-new-pin-again")
	p.code("2469")
	p.golden("care-new-pin-differs")
	p.code("2468")
	p.code("2468")
	p.golden("care-new-puk")
	p.code("13579135")
	p.code("13579135")
	p.page()
	p.golden("care-page-set-up")
	p.do(session.TaskSeed)
	p.golden("care-seed-how")
	p.inner().(*seedHowScreen).list.chosen = 4 // 12 words by dice alone
	p.press("enter")
	p.pin(fairRolls[:30])
	p.golden("care-seed-dice")
	p.press("enter")
	p.golden("care-seed-dice-few")
	p.pin(fairRolls[30:60])
	p.press("enter")
	p.stage(session.StageSeedHand)
	p.golden("care-seed-hand")
	p.press("enter")
	p.golden("care-seed-words-1")
	p.press("enter")
	p.golden("care-seed-words-2")
	p.askedBack()
	p.stage(session.StageSeedPass)
	p.golden("care-seed-passphrase")
	p.press("p")
	p.golden("care-passphrase")
	p.code("Gruen \xc3\xa4")
	p.golden("care-passphrase-again")
	p.code("Gruen \xc3\xa4")
	p.stage(session.StageSeedConfirm)
	p.golden("care-seed-fingerprint")
	p.text("0000")
	p.golden("care-seed-fingerprint-wrong")
	fp := p.m.state.Care.Seed.Fingerprint
	p.text(fp[4:])
	p.page()
	p.golden("care-page-loaded")
	if p.m.state.Care.Fingerprint != fp {
		t.Errorf("the card has %s, the words %s", p.m.state.Care.Fingerprint, fp)
	}
}

// askedBack answers what is asked of the words, once wrongly.
func (p *player) askedBack() {
	p.Helper()
	p.press("enter")
	p.stage(session.StageSeedAsk)
	// Which words are asked is chance: the numbers are no part of the picture.
	p.picture("care-seed-ask", regexp.MustCompile(`Word +\d+: *`).ReplaceAllString(p.m.View(), "Word NN:"))
	p.code("zoo")
	p.stage(session.StageSeedWords)
	if !strings.Contains(p.m.View(), "That is not word") {
		p.Errorf("no word of the wrong word:\n%s", p.m.View())
	}
	p.press("enter", "enter")
	for p.m.state.Care.Stage == session.StageSeedAsk {
		v := p.m.state.Care.Seed
		p.code(v.Words.WordAt(v.Position - 1))
	}
}

// TestEnteredWordsScreens enters the published words, and compares what comes
// of them.
func TestEnteredWordsScreens(t *testing.T) {
	o := simcard.Demo("0.14", "Demo savings")
	o.Seed = nil
	p := caring(t, o)
	p.golden("care-page-no-key")
	p.do(session.TaskSeed)
	p.golden("care-unlock")
	p.code(simcard.DemoPIN)
	p.stage(session.StageSeedHow)
	p.inner().(*seedHowScreen).list.chosen = 6
	p.press("enter")
	p.pin(strings.Repeat("abandon ", 5) + "aban ab")
	p.golden("care-seed-enter")
	p.pin(" ")
	if !strings.Contains(p.m.View(), "Several words begin like this") {
		t.Errorf("an unclear word was passed over:\n%s", p.m.View())
	}
	p.press("enter")
	p.golden("care-seed-enter-ambiguous")
	p.pin("andon ")
	p.pin(strings.Repeat("abandon ", 4))
	p.golden("care-seed-enter-last")
	p.code("zoo ")
	p.golden("care-seed-enter-checksum")
	p.m.Update(keyMsg("backspace"))
	p.pin("about ")
	p.golden("care-seed-enter-fits")
	p.press("enter")
	p.stage(session.StageSeedPass)
	p.press("enter")
	p.stage(session.StageSeedConfirm)
	if fp := p.m.state.Care.Seed.Fingerprint; fp != "73c5da0a" {
		t.Errorf("fingerprint %s", fp)
	}
	p.text("da0a")
	p.page()
	if fp := p.m.state.Care.Fingerprint; fp != "73c5da0a" {
		t.Errorf("the card has %q: %s", fp, p.m.View())
	}
}

// TestReadyCardScreens takes pictures of what a card in use can do.
func TestReadyCardScreens(t *testing.T) {
	p := caring(t, simcard.Demo("0.14", "Demo savings"))
	p.golden("care-page-ready")
	p.do(session.TaskAttest)
	p.code(simcard.DemoPIN)
	p.stage(session.StageDone)
	p.golden("care-origin")
	p.press("enter")
	p.golden("care-page-unlocked")
	p.do(session.TaskTest)
	p.page()
	p.golden("care-page-tested")
	p.do(session.TaskKeys)
	p.golden("care-key-kind")
	p.press("enter")
	p.stage(session.StageKey)
	p.golden("care-key")
	p.press("enter")
	p.until("the export", func(st session.State) bool { return st.Care.Key.Written != nil })
	p.golden("care-key-written")
	p.press("esc", "up", "down", "down", "down", "down")
	p.golden("care-key-path")
	p.press("esc")
	p.page()
	p.do(session.TaskName)
	p.golden("care-name")
	p.press("esc")
	p.do(session.TaskChangePIN)
	p.golden("care-change-rules")
	p.press("enter")
	p.golden("care-change-pin")
	p.press("esc")
	p.do(session.TaskErase)
	p.golden("care-erase")
	p.text("da0a")
	p.golden("care-erase-pin")
	p.press("esc")
	p.do(session.TaskReset)
	p.golden("care-reset")
	p.text(p.m.state.Care.Confirm[15:])
	p.until("a step", func(st session.State) bool {
		return st.Care.Reset != nil && st.Care.Reset.Done == 1 && !st.Care.Reset.Working
	})
	p.golden("care-reset-out")
	if err := p.readers.Remove(goldenReader); err != nil {
		t.Fatal(err)
	}
	p.until("out", func(st session.State) bool { return st.Care.Reset != nil && !st.Care.Reset.In })
	p.golden("care-reset-in")
	p.press("esc")
	p.golden("care-page-reset-stopped")
}

// TestTroubleScreens takes a picture of each trouble, and of its way on.
func TestTroubleScreens(t *testing.T) {
	blocked := simcard.Demo("0.12", "Demo savings")
	blocked.WrongPINs, blocked.WrongPUKs = 5, 2
	p := caring(t, blocked)
	p.golden("care-page-pin-blocked")
	p.do(session.TaskUnblock)
	p.golden("care-unblock-rules")
	p.press("enter")
	p.golden("care-unblock-last-try")
	p.text("last try")
	p.golden("care-unblock-puk")
	dead := blocked
	dead.WrongPUKs = 3
	caring(t, dead).golden("care-page-puk-blocked")
	second := simcard.Demo("0.12", "Demo savings")
	second.TwoFactor = true
	caring(t, second).golden("care-page-second-device")
	last := simcard.Demo("0.12", "Demo savings")
	last.WrongPINs = 4
	p = caring(t, last)
	p.do(session.TaskUnlock)
	p.golden("care-unlock-last-try")
}

// TestCardsScreen shows several readers, a contactless one among them.
func TestCardsScreen(t *testing.T) {
	p := play(t)
	ready(p)
	p.insert()
	p.readers.Plug("ACS ACR122U PICC Interface 00 00")
	o := simcard.Demo("0.12", "Second")
	o.Random = &stream{seed: "second"}
	c, err := simcard.NewSatochip(o)
	if err != nil {
		t.Fatal(err)
	}
	p.readers.Plug("Third reader")
	if err := p.readers.Insert("Third reader", c); err != nil {
		t.Fatal(err)
	}
	p.until("three readers", func(st session.State) bool { return len(st.Slots) == 3 && st.Slots[2].Opened })
	p.press("c")
	p.golden("cards")
	p.press("enter")
	p.step(session.StepCare)
	p.golden("care-page-contactless")
}

// TestWorkingScreens takes pictures while a card works, and when it went away
// in the middle.
func TestWorkingScreens(t *testing.T) {
	p := play(t)
	o := simcard.Demo("0.14", "Demo savings")
	o.Random = &stream{seed: "card"}
	c, err := simcard.NewSatochip(o)
	if err != nil {
		t.Fatal(err)
	}
	var armed atomic.Bool
	release := make(chan struct{})
	p.card = simcard.WithFaults(c, func(_ int, apdu []byte, next func([]byte) []byte) []byte {
		if !armed.CompareAndSwap(true, false) {
			return next(apdu)
		}
		<-release
		_ = p.readers.Remove(goldenReader)
		return nil
	})
	ready(p)
	p.insert()
	p.press("c", "enter")
	p.step(session.StepCare)
	p.do(session.TaskUnlock)
	p.code(simcard.DemoPIN)
	p.page()
	armed.Store(true)
	p.do(session.TaskTest)
	p.golden("care-working")
	close(release)
	p.stage(session.StageGone)
	p.until("the card out", func(st session.State) bool { return !st.Slots[0].Present })
	p.golden("care-gone")
	p.insert()
	p.page()
	if !strings.Contains(p.m.View(), "The test is passed") {
		t.Errorf("it did not go on:\n%s", p.m.View())
	}
}

// TestSigningSaysWhereCardsAreSetUp: the way on for a card that cannot sign yet.
func TestSigningSaysWhereCardsAreSetUp(t *testing.T) {
	p := play(t)
	c, err := simcard.NewSatochip(newCardOptions())
	if err != nil {
		t.Fatal(err)
	}
	p.card = c
	ready(p)
	p.open("payment.psbt")
	p.press("enter")
	p.insert()
	p.golden("card-never-set-up")
}
