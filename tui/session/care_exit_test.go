package session

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/airlock-signer/airlock/reader/card"
	"github.com/airlock-signer/airlock/reader/secret"
	"github.com/airlock-signer/airlock/reader/simcard"
)

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
