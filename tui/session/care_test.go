package session

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/airlock-signer/airlock/reader"
	"github.com/airlock-signer/airlock/reader/card"
	"github.com/airlock-signer/airlock/reader/simcard"
)

const demoFingerprint = "73c5da0a" // of the published demo seed

func withReset(c *Config) {
	c.ResetStep = func(ctx context.Context, t card.Transport) (int, error) { return reader.ResetStep(ctx, t) }
}

// newCard is a card as it leaves the drawer.
func newCard(t *testing.T, version string) *simcard.Satochip {
	t.Helper()
	c, err := simcard.NewSatochip(simcard.SatochipOptions{Version: version})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// atPage is a sitting on the page of a card.
func atPage(t *testing.T, c simcard.Card, change ...func(*Config)) *sitting {
	t.Helper()
	x := newSitting(t, append(change, withReset)...)
	x.insert(c)
	x.until("the network to be looked at", func(st State) bool { return len(st.Isolation.Items) > 0 })
	x.s.Do(ShowCards{})
	x.s.Do(ShowCard{Slot: testReader})
	x.step(StepCare)
	return x
}

func (x *sitting) offers(t Task) bool {
	for _, o := range x.s.State().Care.Offers {
		if o == t {
			return true
		}
	}
	return false
}

// task begins a task.
func (x *sitting) task(t Task) State {
	x.Helper()
	x.until("the task to be offered", func(st State) bool { return st.Step == StepCare && x.offers(t) })
	x.s.Do(DoTask{Task: t})
	return x.s.State()
}

func (x *sitting) stage(want Stage) State {
	x.Helper()
	return x.until("a stage", func(st State) bool { return st.Care != nil && st.Step == StepCareTask && st.Care.Stage == want })
}

// typeSecret types where keys go that nobody may see, and presses Enter.
func (x *sitting) typeSecret(text string) {
	x.Helper()
	b := x.s.State().Care.Secret
	if b == nil {
		x.Fatal("nothing secret is asked for")
	}
	if err := b.Append([]byte(text)...); err != nil {
		x.Fatal(err)
	}
	x.s.Do(Activity{})
	x.s.Do(SecretTyped{})
}

// page waits until the page of the card is there again.
func (x *sitting) page() State {
	x.Helper()
	return x.until("the page", func(st State) bool { return st.Step == StepCare && st.Busy == "" && !st.Care.Slot.Opening })
}

func (x *sitting) unlockCard(pin string) State {
	x.Helper()
	x.task(TaskUnlock)
	x.stage(StageUnlock)
	x.typeSecret(pin)
	return x.until("the login", func(st State) bool { return st.Step == StepCare && !st.Care.Locked })
}

// noSecrets fails where something secret outlives its task.
func (x *sitting) noSecrets() {
	x.Helper()
	c := x.s.care
	if c == nil {
		return
	}
	if c.typing != nil || len(c.codes) > 0 || c.seed != nil {
		x.Errorf("secrets outlive the task: typing %v, %d codes, seed %v", c.typing != nil, len(c.codes), c.seed != nil)
	}
}

func (x *sitting) setUp(pin, puk string) State {
	x.Helper()
	x.task(TaskSetup)
	x.s.Do(GoOn{})
	for _, code := range []struct {
		stage Stage
		text  string
	}{{StageNewPIN, pin}, {StageNewPINAgain, pin}, {StageNewPUK, puk}, {StageNewPUKAgain, puk}} {
		x.stage(code.stage)
		x.typeSecret(code.text)
	}
	return x.page()
}

func TestOffersFollowTheCard(t *testing.T) {
	unseeded := simcard.Demo("0.12", "one")
	unseeded.Seed = nil
	blocked := simcard.Demo("0.12", "one")
	blocked.WrongPINs = 5
	dead := blocked
	dead.WrongPUKs = 3
	second := simcard.Demo("0.12", "one")
	second.TwoFactor = true
	for _, c := range []struct {
		name  string
		o     simcard.SatochipOptions
		want  []Task
		wants []string
	}{
		{"new", simcard.SatochipOptions{}, []Task{TaskSetup}, []string{"never set up", "set it up"}},
		{"ready", simcard.Demo("0.12", "one"), []Task{TaskUnlock, TaskKeys, TaskTest, TaskAttest, TaskName, TaskChangePIN, TaskErase, TaskReset}, nil},
		{"0.11", simcard.Demo("0.11", ""), []Task{TaskUnlock, TaskKeys, TaskTest, TaskChangePIN, TaskErase}, nil},
		{"no key", unseeded, []Task{TaskUnlock, TaskSeed, TaskAttest, TaskName, TaskChangePIN, TaskReset}, []string{"no key", "load a seed"}},
		{"PIN blocked", blocked, []Task{TaskUnblock, TaskReset}, []string{"blocked", "PUK"}},
		{"PUK blocked", dead, []Task{TaskReset}, []string{"PUK", "factory reset"}},
		{"second device", second, []Task{TaskUnlock, TaskKeys, TaskAttest, TaskName, TaskChangePIN, TaskReset}, []string{"second device"}},
	} {
		o, err := simcard.NewSatochip(c.o)
		if err != nil {
			t.Fatal(err)
		}
		x := atPage(t, o)
		st := x.s.State()
		if got := st.Care.Offers; len(got) != len(c.want) {
			t.Errorf("%s: offers %v, want %v", c.name, got, c.want)
		} else {
			for i := range got {
				if got[i] != c.want[i] {
					t.Errorf("%s: offers %v, want %v", c.name, got, c.want)
				}
			}
		}
		mentions(t, st.Care.Slot.Trouble, c.wants...)
	}
}

func TestUnlockTestAndLogout(t *testing.T) {
	for _, version := range []string{"0.11", "0.12", "0.14"} {
		x := atPage(t, demoCard(t, version, ""))
		st := x.unlockCard(simcard.DemoPIN)
		if st.Care.Fingerprint != demoFingerprint {
			t.Errorf("%s: fingerprint %q", version, st.Care.Fingerprint)
		}
		x.task(TaskTest)
		st = x.page()
		mentions(t, st.Care.Notice, "passed", "signed")
		x.task(TaskLogout)
		if st = x.page(); !st.Care.Locked || st.Care.Fingerprint != "" {
			t.Errorf("%s: still logged in", version)
		}
		x.noSecrets()
		if x.s.care.pin != nil {
			t.Error("the PIN outlives the login")
		}
	}
}

// TestTasksUnlockFirst: a task that wants the login asks for the PIN itself.
func TestTasksUnlockFirst(t *testing.T) {
	x := atPage(t, demoCard(t, "0.12", "one"))
	x.task(TaskAttest)
	x.stage(StageUnlock)
	x.typeSecret("0000")
	st := x.until("the wrong PIN", func(st State) bool { return st.Problem != "" && st.Busy == "" })
	mentions(t, st.Problem, "Wrong PIN", "4 tries")
	if st.Care.Stage != StageUnlock || st.Care.Tries != 4 {
		t.Errorf("stage %d, tries %d", st.Care.Stage, st.Care.Tries)
	}
	x.typeSecret(simcard.DemoPIN)
	st = x.stage(StageDone)
	if a := st.Care.Attested; a == nil || a.Certificate || !a.Alive {
		t.Errorf("attestation %+v", a)
	}
	x.s.Do(GoOn{})
	x.page()
	x.noSecrets()
}

func TestLastTryWantsAWordHereToo(t *testing.T) {
	o := simcard.Demo("0.12", "one")
	o.WrongPINs = 4
	c, err := simcard.NewSatochip(o)
	if err != nil {
		t.Fatal(err)
	}
	x := atPage(t, c)
	x.task(TaskUnlock)
	st := x.stage(StageUnlock)
	if st.Care.Secret != nil || st.Care.WantWord == "" {
		t.Fatal("the PIN is asked for without the word")
	}
	x.s.Do(SecretTyped{})
	x.s.Do(TextTyped{Text: "yes"})
	if x.s.State().Care.Secret != nil {
		t.Fatal("another word will do")
	}
	x.s.Do(TextTyped{Text: st.Care.WantWord})
	x.typeSecret("0000")
	st = x.page()
	mentions(t, st.Problem, "No try is left", "PUK")
	if !x.offers(TaskUnblock) {
		t.Errorf("offers %v", st.Care.Offers)
	}
	unblock(t, x)
}

// unblock tries a wrong PUK, then the right one, and unlocks with the old PIN.
func unblock(t *testing.T, x *sitting) {
	t.Helper()
	x.task(TaskUnblock)
	x.stage(StageRules)
	x.s.Do(GoOn{})
	x.stage(StagePUK)
	x.typeSecret("00000000")
	st := x.until("the wrong PUK", func(st State) bool { return st.Problem != "" && st.Busy == "" })
	mentions(t, st.Problem, "Wrong PUK", "2 tries")
	x.typeSecret(simcard.DemoPUK)
	st = x.page()
	mentions(t, st.Care.Notice, "unblocked")
	x.unlockCard(simcard.DemoPIN)
	x.noSecrets()
}

func TestLastPUKTry(t *testing.T) {
	o := simcard.Demo("0.12", "one")
	o.WrongPINs, o.WrongPUKs = 5, 2
	c, err := simcard.NewSatochip(o)
	if err != nil {
		t.Fatal(err)
	}
	x := atPage(t, c)
	x.task(TaskUnblock)
	x.s.Do(GoOn{})
	st := x.stage(StagePUK)
	if st.Care.Secret != nil {
		t.Fatal("the last PUK try wants no word")
	}
	x.s.Do(TextTyped{Text: st.Care.WantWord})
	x.typeSecret("00000000")
	st = x.page()
	mentions(t, st.Problem, "Wrong PUK", "factory reset")
	if len(st.Care.Offers) != 1 || st.Care.Offers[0] != TaskReset {
		t.Errorf("offers %v", st.Care.Offers)
	}
}

func TestSetUpNewCard(t *testing.T) {
	for _, version := range []string{"0.11", "0.12", "0.14"} {
		x := atPage(t, newCard(t, version))
		st := x.setUp("2468", "13579135")
		mentions(t, st.Care.Notice, "set up")
		if st.Care.Locked || st.Care.Slot.Info.State != card.StateNoSeed {
			t.Errorf("%s: locked %v, state %s", version, st.Care.Locked, st.Care.Slot.Info.State)
		}
		if !x.offers(TaskSeed) || x.offers(TaskSetup) {
			t.Errorf("%s: offers %v", version, st.Care.Offers)
		}
		x.noSecrets()
	}
}

func TestCodesAreCheckedBeforeTheCardHasThem(t *testing.T) {
	c := newCard(t, "0.12")
	x := atPage(t, c)
	x.task(TaskSetup)
	x.s.Do(GoOn{})
	said := func(text string, stage Stage, words ...string) {
		t.Helper()
		x.typeSecret(text)
		st := x.s.State()
		mentions(t, st.Problem, words...)
		if st.Care.Stage != stage {
			t.Errorf("stage %d, want %d", st.Care.Stage, stage)
		}
	}
	said("123", StageNewPIN, "4 to 16")
	said("12345678901234567", StageNewPIN, "4 to 16")
	said("12\xc3\xa44", StageNewPIN, "accents")
	said("2468", StageNewPINAgain)
	said("2469", StageNewPIN, "not the same")
	said("2468", StageNewPINAgain)
	said("2468", StageNewPUK)
	said("2468", StageNewPUK, "must not be the same")
	x.s.Do(Back{})
	x.page()
	x.noSecrets()
	if c.Count(0x2A) != 0 {
		t.Error("the card was set up")
	}
}

func TestChangePIN(t *testing.T) {
	c := demoCard(t, "0.12", "one")
	x := atPage(t, c)
	x.task(TaskChangePIN)
	x.stage(StageUnlock)
	x.typeSecret(simcard.DemoPIN)
	x.stage(StageRules)
	x.s.Do(GoOn{})
	x.stage(StagePIN)
	x.typeSecret("9999")
	mentions(t, x.s.State().Problem, "no try was used")
	x.typeSecret(simcard.DemoPIN)
	x.stage(StageNewPIN)
	x.typeSecret(simcard.DemoPIN)
	mentions(t, x.s.State().Problem, "same as the old")
	x.typeSecret("8642")
	x.typeSecret("8642")
	st := x.page()
	mentions(t, st.Care.Notice, "changed")
	if st.Care.Locked {
		t.Error("logged out")
	}
	x.remove()
	x.insert(c)
	x.unlockCard("8642")
	x.noSecrets()
}

// TestMistakenPINOfAnUnlockedCard: nobody can try them all at a station that
// was left unlocked, where a try costs the card nothing.
func TestMistakenPINOfAnUnlockedCard(t *testing.T) {
	x := atPage(t, demoCard(t, "0.12", "one"))
	x.unlockCard(simcard.DemoPIN)
	x.task(TaskChangePIN)
	x.stage(StageRules)
	x.s.Do(GoOn{})
	x.stage(StagePIN)
	for range maxMisses {
		x.typeSecret("9999")
	}
	st := x.page()
	mentions(t, st.Problem, "logged out", "nothing was changed")
	if !st.Care.Locked {
		t.Error("still logged in")
	}
	x.noSecrets()
}

func TestName(t *testing.T) {
	x := atPage(t, demoCard(t, "0.12", "one"))
	x.unlockCard(simcard.DemoPIN)
	x.task(TaskName)
	x.stage(StageName)
	x.s.Do(TextTyped{Text: strings.Repeat("x", 65)})
	mentions(t, x.s.State().Problem, "too long", "64")
	x.s.Do(TextTyped{Text: "Daily"})
	st := x.page()
	if st.Care.Slot.Info.Label != "Daily" {
		t.Errorf("label %q, problem %q", st.Care.Slot.Info.Label, st.Problem)
	}
}

func TestEraseAndReset(t *testing.T) {
	x := atPage(t, demoCard(t, "0.12", "one"))
	x.unlockCard(simcard.DemoPIN)
	x.task(TaskErase)
	st := x.stage(StageConfirm)
	if st.Care.Confirm != demoFingerprint {
		t.Errorf("confirm %q", st.Care.Confirm)
	}
	for _, wrong := range []string{"", "73c5", "da0b", demoFingerprint} {
		x.s.Do(TextTyped{Text: wrong})
		if x.s.State().Care.Stage != StageConfirm {
			t.Fatalf("%q was taken", wrong)
		}
	}
	x.s.Do(TextTyped{Text: "DA0A"})
	x.stage(StagePIN)
	x.typeSecret("1111")
	mentions(t, x.s.State().Problem, "no try was used")
	x.typeSecret(simcard.DemoPIN)
	st = x.page()
	mentions(t, st.Care.Notice, "erased")
	if st.Care.Slot.Info.State != card.StateNoSeed {
		t.Errorf("state %s", st.Care.Slot.Info.State)
	}
	x.noSecrets()
}

func TestNetworkAndIdleLockCare(t *testing.T) {
	x := atPage(t, demoCard(t, "0.12", "one"))
	x.unlockCard(simcard.DemoPIN)
	x.task(TaskErase)
	x.s.Do(TextTyped{Text: "da0a"})
	x.stage(StagePIN)
	x.network <- networkUp()
	st := x.page()
	mentions(t, st.Problem, "network", "logged out")
	x.noSecrets()
	if x.s.care.pin != nil || !st.Care.Locked {
		t.Error("not locked")
	}
	x.s.Do(DoTask{Task: TaskUnlock})
	if st = x.s.State(); st.Step != StepCare || st.Problem == "" {
		t.Error("a PIN is asked for with the network up")
	}
	y := atPage(t, demoCard(t, "0.12", "one"), func(c *Config) { c.Idle = 40 * time.Millisecond })
	y.unlockCard(simcard.DemoPIN)
	y.now = y.now.Add(time.Hour)
	st = y.until("the lock", func(st State) bool { return st.Care.Locked })
	mentions(t, st.Problem, "nobody pressed a key", "logged out")
}
