package session

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/airlock-signer/airlock/reader/card"
	"github.com/airlock-signer/airlock/reader/simcard"
)

// fairRolls are 99 rolls that look like dice.
const fairRolls = "316254613524661532414326556123142635514362" +
	"225361446132513645216324553161422364515263341526" + "142635316"

const demoWords = "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about "

// unseededCard is set up and holds no key.
func unseededCard(t *testing.T, version string) *simcard.Satochip {
	t.Helper()
	o := simcard.Demo(version, "one")
	o.Seed = nil
	if version == simcard.Satochip011 {
		o.Label, o.Authentikey = "", nil
	}
	c, err := simcard.NewSatochip(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// atSeed is a sitting where the words are about to be made.
func atSeed(t *testing.T, c simcard.Card, change ...func(*Config)) *sitting {
	t.Helper()
	x := atPage(t, c, change...)
	x.task(TaskSeed)
	x.stage(StageUnlock)
	x.typeSecret(simcard.DemoPIN)
	x.stage(StageSeedHow)
	return x
}

// answer answers every question of the words.
func (x *sitting) answer() {
	x.Helper()
	x.stage(StageSeedWords)
	x.s.Do(GoOn{})
	for {
		st := x.s.State()
		if st.Care.Stage != StageSeedAsk {
			return
		}
		v := st.Care.Seed
		x.typeSecret(v.Words.WordAt(v.Position - 1))
	}
}

// load goes on without a passphrase and loads.
func (x *sitting) load() State {
	x.Helper()
	x.stage(StageSeedPass)
	x.s.Do(GoOn{})
	st := x.stage(StageSeedConfirm)
	x.s.Do(TextTyped{Text: st.Care.Seed.Fingerprint[4:]})
	return x.page()
}

func (x *sitting) enterWords(words string) {
	x.Helper()
	x.s.Do(MakeSeed{Source: SeedEntered})
	x.stage(StageSeedEnter)
	x.typeSecret(words)
	if x.s.State().Care.Stage == StageSeedEnter {
		x.typeSecret("")
	}
}

func TestSeedFromEachSource(t *testing.T) {
	for _, source := range []SeedSource{SeedKernel, SeedMixed, SeedDice} {
		for _, words := range []int{12, 24} {
			x := atSeed(t, unseededCard(t, "0.14"))
			x.s.Do(MakeSeed{Source: source, Words: words})
			if source != SeedKernel {
				x.stage(StageSeedDice)
				x.typeSecret(fairRolls)
			}
			if source == SeedDice {
				st := x.stage(StageSeedHand)
				byHand(t, st.Care.Seed)
				x.s.Do(GoOn{})
			}
			st := x.stage(StageSeedWords)
			if n := st.Care.Seed.Words.Len(); n != words {
				t.Errorf("%d words, want %d", n, words)
			}
			x.answer()
			st = x.stage(StageSeedPass)
			made := st.Care.Seed.Words
			st = x.load()
			mentions(t, st.Care.Notice, "loaded", "wiped")
			if st.Care.Slot.Info.State != card.StateReady || st.Care.Fingerprint == "" {
				t.Errorf("state %s, fingerprint %q, problem %q", st.Care.Slot.Info.State, st.Care.Fingerprint, st.Problem)
			}
			if made.Len() != 0 {
				t.Error("the words outlive the task")
			}
			x.noSecrets()
		}
	}
}

// byHand makes the entropy as a person would.
func byHand(t *testing.T, v *SeedView) {
	t.Helper()
	e, err := v.Words.Entropy()
	if err != nil {
		t.Fatal(err)
	}
	defer e.Release()
	sum := sha256.Sum256([]byte(fairRolls))
	e.Use(func(p []byte) {
		if want := hex.EncodeToString(sum[:len(p)]); hex.EncodeToString(p) != want {
			t.Errorf("by hand %s", want)
		}
	})
	if v.Rolls != len(fairRolls) {
		t.Errorf("%d rolls", v.Rolls)
	}
}

func TestTwoSeedsDiffer(t *testing.T) {
	var first string
	for range 2 {
		x := atSeed(t, unseededCard(t, "0.12"))
		x.s.Do(MakeSeed{Source: SeedKernel, Words: 12})
		st := x.stage(StageSeedWords)
		all := ""
		for i := range 12 {
			all += st.Care.Seed.Words.WordAt(i) + " "
		}
		if all == first {
			t.Error("the same words twice")
		}
		first = all
	}
}

func TestDiceThatAreNone(t *testing.T) {
	x := atSeed(t, unseededCard(t, "0.12"))
	x.s.Do(MakeSeed{Source: SeedDice, Words: 12})
	x.stage(StageSeedDice)
	said := func(rolls string, words ...string) {
		t.Helper()
		x.typeSecret(rolls)
		st := x.s.State()
		mentions(t, st.Problem, words...)
		if st.Care.Stage != StageSeedDice {
			t.Fatalf("stage %d", st.Care.Stage)
		}
	}
	said("", "no roll")
	said("7890abc\x00", "no roll")
	said("123", "3 rolls are too few", "50")
	x.s.State().Care.Secret.Clear()
	said(strings.Repeat("6", 50), "all rolls are the same")
	said("", "all rolls are the same")
	x.s.State().Care.Secret.Clear()
	said(strings.Repeat("123456", 9), "made up")
	x.typeSecret("") // taken all the same
	x.stage(StageSeedHand)
}

func TestWordsAskedBack(t *testing.T) {
	x := atSeed(t, unseededCard(t, "0.12"))
	x.s.Do(MakeSeed{Source: SeedKernel, Words: 24})
	x.stage(StageSeedWords)
	x.s.Do(GoOn{})
	st := x.stage(StageSeedAsk)
	if st.Care.Seed.Of != 9 {
		t.Errorf("%d questions of 24 words", st.Care.Seed.Of)
	}
	wrong := "zoo"
	if st.Care.Seed.Words.WordAt(st.Care.Seed.Position-1) == wrong {
		wrong = "about"
	}
	x.typeSecret(wrong)
	st = x.stage(StageSeedWords)
	mentions(t, st.Problem, "not word", "asked anew")
	last := 0
	x.s.Do(GoOn{})
	for x.s.State().Care.Stage == StageSeedAsk {
		v := x.s.State().Care.Seed
		last = v.Position
		x.typeSecret(v.Words.WordAt(v.Position - 1))
	}
	if last != 24 {
		t.Errorf("the last word asked is %d", last)
	}
}

func TestEnteredWords(t *testing.T) {
	x := atSeed(t, unseededCard(t, "0.12"))
	x.s.Do(MakeSeed{Source: SeedEntered})
	x.stage(StageSeedEnter)
	said := func(text string, count int, words ...string) {
		t.Helper()
		x.typeSecret(text)
		st := x.s.State()
		mentions(t, st.Problem, words...)
		if n := st.Care.Seed.Words.Len(); n != count || st.Care.Stage != StageSeedEnter {
			t.Fatalf("%d words, stage %d", n, st.Care.Stage)
		}
	}
	said("aban ABANDON aba", 2, "several words")
	said("ndxx", 2, "no word")
	x.s.State().Care.Secret.Clear()
	said("", 2, "2 words")
	said(strings.Repeat("abandon ", 10), 12)
	said("", 12, "do not fit", "checksum")
	x.s.Do(SecretBack{})
	said("about", 12)
	x.typeSecret("")
	st := x.load()
	if st.Care.Fingerprint != demoFingerprint {
		t.Errorf("fingerprint %q: %s", st.Care.Fingerprint, st.Problem)
	}
}

// TestPassphrase is the first vector of BIP39 with its passphrase.
func TestPassphrase(t *testing.T) {
	x := atSeed(t, unseededCard(t, "0.12"))
	x.enterWords(demoWords)
	x.stage(StageSeedPass)
	x.s.Do(WantPassphrase{})
	x.stage(StagePassphrase)
	x.typeSecret("")
	mentions(t, x.s.State().Problem, "nothing was typed")
	x.typeSecret(strings.Repeat("x", maxPassphrase+1))
	mentions(t, x.s.State().Problem, "too long")
	x.typeSecret("TREZOR")
	x.stage(StagePassAgain)
	x.typeSecret("TREZ0R")
	mentions(t, x.s.State().Problem, "not the same")
	x.stage(StagePassphrase)
	x.typeSecret("TREZOR")
	x.typeSecret("TREZOR")
	st := x.stage(StageSeedConfirm)
	if st.Care.Seed.Fingerprint != "b4e3f5ed" || !st.Care.Seed.Passphrase {
		t.Errorf("fingerprint %s", st.Care.Seed.Fingerprint)
	}
	for _, wrong := range []string{"", "b4e3", "b4e3f5ed", "f5ee"} {
		x.s.Do(TextTyped{Text: wrong})
		if st := x.s.State(); st.Care.Stage != StageSeedConfirm || st.Busy != "" {
			t.Fatalf("%q was taken", wrong)
		}
	}
	x.s.Do(TextTyped{Text: "F5ED"})
	if st = x.page(); st.Care.Fingerprint != "b4e3f5ed" {
		t.Errorf("%q: %s", st.Care.Fingerprint, st.Problem)
	}
	x.noSecrets()
}

// TestSeedIntoAnOldCard: on 0.11 the identity of the card comes with the seed.
func TestSeedIntoAnOldCard(t *testing.T) {
	x := atSeed(t, unseededCard(t, "0.11"))
	x.enterWords(demoWords)
	if st := x.load(); st.Care.Fingerprint != demoFingerprint {
		t.Errorf("%q: %s", st.Care.Fingerprint, st.Problem)
	}
}

// TestTrapOf014: a card of 0.14 whose seed was erased cannot use another. It is
// said, with what helps, and what helps does.
func TestTrapOf014(t *testing.T) {
	c := demoCard(t, "0.14", "one")
	x := atPage(t, c)
	x.unlockCard(simcard.DemoPIN)
	x.task(TaskErase)
	mentions(t, x.s.State().Care.Warning, "0.14", "factory reset")
	x.s.Do(TextTyped{Text: "da0a"})
	x.typeSecret(simcard.DemoPIN)
	x.page()
	x.task(TaskSeed)
	x.stage(StageUnlock)
	x.typeSecret(simcard.DemoPIN)
	x.stage(StageSeedHow)
	x.enterWords(demoWords)
	st := x.load()
	mentions(t, st.Problem, "reset it", "wiped")
	x.noSecrets()
	x.factoryReset(c)
	x.setUp("1357", "24682468")
	x.task(TaskSeed)
	x.stage(StageSeedHow)
	x.enterWords(demoWords)
	if st = x.load(); st.Care.Fingerprint != demoFingerprint {
		t.Errorf("%q: %s", st.Care.Fingerprint, st.Problem)
	}
}

// TestPassphraseThatWalletsReadDifferently is asked for anew.
func TestPassphraseThatWalletsReadDifferently(t *testing.T) {
	x := atSeed(t, unseededCard(t, "0.12"))
	x.enterWords(demoWords)
	x.s.Do(WantPassphrase{})
	bad := "a" + strings.Repeat("\u0301", 40)
	x.typeSecret(bad)
	x.typeSecret(bad)
	st := x.stage(StagePassphrase)
	mentions(t, st.Problem, "choose another passphrase")
	x.typeSecret("a")
	x.stage(StagePassAgain)
	x.typeSecret("a")
	x.stage(StageSeedConfirm)
}
