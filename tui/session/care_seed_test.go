package session

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/airlock-signer/airlock/reader/card"
	"github.com/airlock-signer/airlock/reader/secret"
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

// seedPages are the locked pages of a seed in the making.
func seedPages(c *care) (pages []*secret.Buffer) {
	if c.typing != nil {
		pages = append(pages, c.typing)
	}
	for _, b := range c.codes {
		pages = append(pages, b)
	}
	if c.seed != nil && c.seed.seed != nil {
		pages = append(pages, c.seed.seed)
	}
	return pages
}

// TestSeedIsWipedAtEachExit leaves from each stage in each way.
func TestSeedIsWipedAtEachExit(t *testing.T) {
	exits := map[string]func(x *sitting){
		"Esc":          func(x *sitting) { x.s.Do(Back{}) },
		"first screen": func(x *sitting) { x.s.Do(ShowHome{}) },
		"card pulled":  func(x *sitting) { x.remove() },
		"network up": func(x *sitting) {
			x.network <- networkUp()
			x.until("the lock", func(st State) bool { return len(st.Blocking()) > 0 })
		},
		"idle": func(x *sitting) {
			x.now = x.now.Add(time.Hour)
			x.until("the lock", func(st State) bool { return st.Step == StepCare })
		},
		"quit": func(x *sitting) { x.s.Close(context.Background()) },
	}
	for name, exit := range exits {
		for _, stage := range []Stage{StageSeedDice, StageSeedEnter, StageSeedWords, StageSeedAsk, StagePassAgain, StageSeedConfirm} {
			x := atSeed(t, unseededCard(t, "0.12"), func(c *Config) { c.Idle = 40 * time.Millisecond })
			x.toSeedStage(stage)
			c := x.s.care
			words, pages := c.seed.words, seedPages(c)
			exit(x)
			if words != nil && words.Len() != 0 {
				t.Errorf("%s at stage %d: the words are still there", name, stage)
			}
			for _, b := range pages {
				if err := b.Append('x'); !errors.Is(err, secret.ErrReleased) {
					t.Errorf("%s at stage %d: a page was not released", name, stage)
				}
			}
			if st := x.s.State(); st.Step == StepCareTask && st.Care != nil {
				t.Errorf("%s at stage %d: the task goes on", name, stage)
			}
			x.noSecrets()
		}
	}
}

// toSeedStage goes there, with something secret at it.
func (x *sitting) toSeedStage(g Stage) {
	x.Helper()
	if g == StageSeedDice {
		x.s.Do(MakeSeed{Source: SeedMixed, Words: 12})
		x.stage(g)
		_ = x.s.State().Care.Secret.Append([]byte("1234")...)
		return
	}
	if g == StageSeedWords || g == StageSeedAsk {
		x.s.Do(MakeSeed{Source: SeedKernel, Words: 12})
		x.stage(StageSeedWords)
		if g == StageSeedAsk {
			x.s.Do(GoOn{})
			_ = x.s.State().Care.Secret.Append('a')
		}
		return
	}
	x.s.Do(MakeSeed{Source: SeedEntered})
	x.stage(StageSeedEnter)
	if g == StageSeedEnter {
		_ = x.s.State().Care.Secret.Append([]byte("zoo zoo zo")...)
		x.s.Do(Activity{})
		return
	}
	x.typeSecret(demoWords)
	x.stage(StageSeedPass)
	x.s.Do(WantPassphrase{})
	x.typeSecret("secret")
	if g == StageSeedConfirm {
		x.typeSecret("secret")
		x.stage(g)
	}
}

// TestPulledWhileLoading pulls the card at each exchange of loading a seed. The
// words are gone, and the card says itself whether it has them.
func TestPulledWhileLoading(t *testing.T) {
	for n := 1; n < 40; n++ {
		var x *sitting
		var armed atomic.Bool
		var count atomic.Int32
		pulling := simcard.WithFaults(unseededCard(t, "0.12"), func(_ int, apdu []byte, next func([]byte) []byte) []byte {
			if armed.Load() && int(count.Add(1)) == n {
				armed.Store(false)
				_ = x.readers.Remove(testReader)
				return nil
			}
			return next(apdu)
		})
		x = atSeed(t, pulling)
		x.enterWords(demoWords)
		x.stage(StageSeedPass)
		x.s.Do(GoOn{})
		x.stage(StageSeedConfirm)
		armed.Store(true)
		x.s.Do(TextTyped{Text: demoFingerprint[4:]})
		st := x.page()
		if armed.Load() {
			if n < 5 {
				t.Errorf("loading took %d exchanges", n-1)
			}
			return
		}
		if st.Problem == "" {
			t.Errorf("exchange %d: no sentence", n)
		}
		x.noSecrets()
		x.insert(pulling)
		st = x.unlockCard(simcard.DemoPIN)
		if s := st.Care.Slot.Info.State; s != card.StateNoSeed && (s != card.StateReady || st.Care.Fingerprint != demoFingerprint) {
			t.Errorf("exchange %d: state %s, fingerprint %q", n, s, st.Care.Fingerprint)
		}
	}
}

// otherSeed is a card that takes one seed and loads another.
type otherSeed struct{ card.Card }

func (o otherSeed) SeedLengths() []int { return []int{64} }

func (o otherSeed) LoadSeed(ctx context.Context, s *secret.Buffer) error {
	other, err := secret.New(s.Len())
	if err != nil {
		return err
	}
	defer other.Release()
	s.Use(func(p []byte) { err = other.Append(p...) })
	other.Use(func(p []byte) { p[0] ^= 1 })
	return errors.Join(err, o.Card.(card.SeedLoader).LoadSeed(ctx, other))
}

// TestCardLoadsAnotherSeed: a card that took the words and shows other keys is
// found out.
func TestCardLoadsAnotherSeed(t *testing.T) {
	x := atSeed(t, unseededCard(t, "0.12"), func(c *Config) {
		open := c.OpenCard
		c.OpenCard = func(ctx context.Context, tr card.Transport) (card.Card, error) {
			opened, err := open(ctx, tr)
			return otherSeed{opened}, err
		}
	})
	x.enterWords(demoWords)
	st := x.load()
	mentions(t, st.Problem, "keys of another", "do not use this card")
	if st.Care.Notice != "" {
		t.Errorf("notice %q", st.Care.Notice)
	}
	x.noSecrets()
}

// TestPulledWhileComputing: the words that were being made are not shown.
func TestPulledWhileComputing(t *testing.T) {
	x := atSeed(t, unseededCard(t, "0.12"))
	x.s.Do(MakeSeed{Source: SeedKernel, Words: 12})
	if err := x.readers.Remove(testReader); err != nil {
		t.Fatal(err)
	}
	st := x.until("the card to be out", func(st State) bool { return len(st.Slots) == 1 && !st.Slots[0].Present })
	if st.Step != StepCare || st.Care.Seed != nil {
		t.Errorf("step %d", st.Step)
	}
	x.noSecrets()
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
