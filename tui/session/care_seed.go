package session

import (
	"context"
	"errors"
	"fmt"

	"github.com/airlock-signer/airlock/reader/card"
	"github.com/airlock-signer/airlock/reader/secret"
	"github.com/airlock-signer/airlock/reader/seed"
	"github.com/airlock-signer/airlock/signer"
)

// SeedSource is where the words come from.
type SeedSource uint8

// Sources.
const (
	SeedKernel  SeedSource = iota // this machine's random numbers
	SeedMixed                     // and dice, mixed
	SeedDice                      // dice alone: a person can make the result again by hand
	SeedEntered                   // words from paper
)

type (
	// MakeSeed chooses how the words come to be. Words is 12 or 24, and of no
	// meaning where they are entered.
	MakeSeed struct {
		Source SeedSource
		Words  int
	}
	// WantPassphrase asks for a passphrase; GoOn there goes on without one.
	WantPassphrase struct{}
	// SecretBack is Backspace where nothing is typed: the word before goes.
	SecretBack struct{}
)

func (MakeSeed) event()       {}
func (WantPassphrase) event() {}
func (SecretBack) event()     {}

// seedRun is a seed in the making. All of it is secret, and is in locked pages.
type seedRun struct {
	source   SeedSource
	count    int
	dice     *seed.Dice
	rolls    int        // when they were taken
	doubt    seed.Doubt // that the person was told of
	words    *seed.Words
	asked    []int // positions still to be asked back, from 0
	of       int   // how many are asked
	seed     *secret.Buffer
	master   *seed.PublicKey
	withPass bool
}

// release wipes everything. Of nil it does nothing.
func (r *seedRun) release() {
	if r == nil {
		return
	}
	if r.dice != nil {
		r.dice.Release()
	}
	if r.words != nil {
		r.words.Release()
	}
	if r.seed != nil {
		r.seed.Release()
	}
}

// SeedView is a seed in the making, as the screens draw it. Words is a handle on
// locked pages: it is drawn, and never kept.
type SeedView struct {
	Source      SeedSource
	Count       int // words wanted
	Rolls       int // of dice, so far
	Enough      int // rolls that suffice without any other source
	Doubt       seed.Doubt
	Words       *seed.Words
	Position    int // of the word that is asked for, from 1
	Asked, Of   int // which question of how many, from 1
	Fingerprint string
	Passphrase  bool
}

func (r *seedRun) view() *SeedView {
	v := &SeedView{Source: r.source, Count: r.count, Enough: seed.Rolls(r.count), Doubt: r.doubt, Words: r.words, Passphrase: r.withPass}
	if v.Rolls = r.rolls; r.dice != nil && v.Rolls == 0 {
		v.Rolls = r.dice.Count()
	}
	if len(r.asked) > 0 {
		v.Position, v.Asked, v.Of = r.asked[0]+1, r.of-len(r.asked)+1, r.of
	}
	if r.master != nil {
		v.Fingerprint = fingerprintText(r.master.Fingerprint())
	}
	return v
}

func fingerprintText(fp [4]byte) string { return fmt.Sprintf("%x", fp[:]) }

// doSeed takes what a person does while making a seed.
func (s *Session) doSeed(ev Event) bool {
	switch ev := ev.(type) {
	case MakeSeed:
		s.makeSeed(ev)
	case WantPassphrase:
		if s.care != nil && s.care.stage == StageSeedPass && s.busy == "" {
			s.care.seed.withPass = true
			s.care.next = []Stage{StagePassAgain}
			s.enterStage(StagePassphrase)
		}
	case SecretBack:
		if s.care != nil && s.care.stage == StageSeedEnter && s.care.typing.Len() == 0 {
			s.care.seed.words.RemoveLast()
		}
	default:
		return false
	}
	return true
}

func (s *Session) makeSeed(ev MakeSeed) {
	c := s.care
	if c == nil || s.step != StepCareTask || c.stage != StageSeedHow || s.busy != "" || s.blocked() {
		return
	}
	if ev.Source != SeedEntered && seed.Rolls(ev.Words) == 0 {
		return
	}
	c.seed.release()
	c.seed = &seedRun{source: ev.Source, count: ev.Words}
	var err error
	switch ev.Source {
	case SeedKernel:
		s.mixSeed()
	case SeedEntered:
		if c.seed.words, err = seed.NewWords(); err == nil {
			s.enterStage(StageSeedEnter)
		}
	default:
		if c.seed.dice, err = seed.NewDice(); err == nil {
			s.enterStage(StageSeedDice)
			c.typing.Release()
			c.typing = c.seed.dice.Page()
		}
	}
	if err != nil {
		s.toPage(careSentence(err))
	}
}

// seedTyped is Enter on a page of a seed in the making.
func (s *Session) seedTyped() {
	s.problem = ""
	s.turn++ // what is typed from here on answers what is shown now
	switch s.care.stage {
	case StageSeedDice:
		s.diceDone()
	case StageSeedEnter:
		s.wordsEntered()
	case StageSeedAsk:
		s.wordAnswered()
	case StagePassphrase, StagePassAgain:
		s.passphraseTyped()
	}
}

// diceDone goes on once there are enough rolls. Rolls that look made up are
// taken after a warning, but for those that are all the same.
func (s *Session) diceDone() {
	r := s.care.seed
	r.dice.Settle()
	doubt := r.dice.Doubts()
	want := seed.Rolls(r.count)
	switch n := r.dice.Count(); {
	case n == 0:
		s.problem = "No roll was typed yet: type the digits 1 to 6 as the dice fall."
	case r.source == SeedDice && n < want:
		s.problem = fmt.Sprintf("%d rolls are too few: %d words of dice alone want %d.", n, r.count, want)
	case doubt&seed.AllSame != 0:
		s.problem = "All rolls are the same, so they are no dice. Ctrl+U deletes them."
	case doubt&^r.doubt != 0:
		r.doubt |= doubt
		s.problem = "These rolls look made up: they are uneven, or follow a pattern. Honest dice look so once in five hundred times. Ctrl+U deletes them; Enter takes them all the same."
	case r.source == SeedDice:
		s.diceAlone()
	default:
		s.mixSeed()
	}
}

// diceAlone makes the words of the dice and nothing else.
func (s *Session) diceAlone() {
	r := s.care.seed
	r.rolls = r.dice.Count()
	entropy, err := r.dice.Entropy(r.count, r.doubt)
	if err == nil {
		r.words, err = seed.FromEntropy(entropy)
		entropy.Release()
	}
	if err != nil {
		s.toPage(careSentence(err))
		return
	}
	s.enterStage(StageSeedHand)
}

// mixSeed makes the words of the kernel's random numbers, and the dice where
// they were wanted. Early after the start of a machine the kernel lets one wait.
func (s *Session) mixSeed() {
	c, r := s.care, s.care.seed
	var also []seed.Source
	if r.source == SeedMixed {
		also = []seed.Source{seed.DiceRolls}
	}
	mixer, err := seed.NewMixer(r.count, also...)
	if err == nil && r.source == SeedMixed {
		err = mixer.AddDice(r.dice, r.doubt)
	}
	if err != nil {
		s.toPage(careSentence(err))
		return
	}
	s.compute("Collecting random numbers", func() (then, drop func(), err error) {
		defer mixer.Release()
		if err := mixer.DrawKernel(); err != nil {
			return nil, nil, err
		}
		entropy, err := mixer.Mix()
		if err != nil {
			return nil, nil, err
		}
		defer entropy.Release()
		words, err := seed.FromEntropy(entropy)
		if err != nil {
			return nil, nil, err
		}
		return func() {
			c.seed.words = words
			s.enterStage(StageSeedWords)
		}, words.Release, nil
	})
}

// maxPassphrase in bytes: half of the page, so that what did not fit into the
// page is noticed, and never cut off.
const maxPassphrase = textSize / 2

func (s *Session) passphraseTyped() {
	c := s.care
	if c.typing.Len() == 0 {
		s.problem = "Nothing was typed. Esc leaves; without a passphrase the words alone make the key."
		return
	}
	if c.typing.Len() > maxPassphrase {
		c.typing.Clear()
		s.problem = fmt.Sprintf("This is too long: a passphrase has %d bytes at most here. Nothing of it was used.", maxPassphrase)
		return
	}
	if c.codes == nil {
		c.codes = map[Stage]*secret.Buffer{}
	}
	if old := c.codes[c.stage]; old != nil {
		old.Release()
	}
	c.codes[c.stage], c.typing = c.typing, nil
	if c.stage == StagePassphrase {
		s.nextStage()
		return
	}
	if !c.codes[StagePassphrase].Equal(c.codes[StagePassAgain]) {
		s.retype(StagePassphrase, "The two are not the same. Type it anew, and then once more.")
		return
	}
	s.deriveSeed()
}

// deriveSeed makes the seed and its master key of words and passphrase.
func (s *Session) deriveSeed() {
	c, r := s.care, s.care.seed
	pass := c.codes[StagePassphrase]
	if !r.withPass {
		pass = nil
	}
	words := r.words
	s.compute("Making the key of the words", func() (then, drop func(), err error) {
		made, err := words.Seed(pass)
		if errors.Is(err, seed.ErrPassphrase) {
			return func() {
				c.next = []Stage{StagePassAgain}
				s.enterStage(StagePassphrase)
				s.problem = "Wallets do not read these characters alike, so they would make different keys of it. Choose another passphrase."
			}, func() {}, nil
		}
		if err != nil {
			return nil, nil, err
		}
		master, err := seed.Derive(made, nil)
		if err != nil {
			made.Release()
			return nil, nil, err
		}
		return func() {
			if r.seed != nil {
				r.seed.Release()
			}
			r.seed, r.master = made, master
			s.enterStage(StageSeedConfirm)
		}, made.Release, nil
	})
}

// seedConfirmed loads once the end of the fingerprint was typed.
func (s *Session) seedConfirmed(text string) {
	if !sameEnd(text, fingerprintText(s.care.seed.master.Fingerprint())) {
		s.problem = "Those are not the last four characters of the fingerprint. Nothing was loaded."
		return
	}
	s.perform()
}

// ErrOtherSeed says that a card gave other keys than those of the seed that it
// took.
var ErrOtherSeed = errors.New("the card took the seed, and then showed keys of another one: do not use this card, and take another reader")

// loadSeed loads it and has the card prove that it holds these keys: the master
// key and an account key are compared with BIP32, and a challenge is signed.
func (s *Session) loadSeed() {
	c, r := s.care, s.care.seed
	if c == nil || r == nil || r.seed == nil || s.blocked() {
		return
	}
	account := s.testAccount()
	s.run("Loading the seed and checking the card's keys. This takes a moment", false, func(ctx context.Context, opened card.Card) (func(), error) {
		if err := opened.(card.SeedLoader).LoadSeed(ctx, r.seed); err != nil {
			return nil, err
		}
		for _, path := range []signer.Path{nil, account} {
			if err := sameKey(ctx, opened, r.seed, path); err != nil {
				return nil, err
			}
		}
		key, err := newCardKey(ctx, opened)
		if err != nil {
			return nil, err
		}
		if err := signer.Challenge(ctx, key, account); err != nil {
			return nil, err
		}
		return func() {
			c.key = key
			s.done("The seed is loaded: the card showed the right keys and signed a test. The words are wiped from this station.")
		}, nil
	})
}

// sameKey compares what the card says of a path with BIP32.
func sameKey(ctx context.Context, c card.Card, from *secret.Buffer, path signer.Path) error {
	want, err := seed.Derive(from, path)
	if err != nil {
		return err
	}
	got, err := c.ExtendedKey(ctx, path)
	if err != nil {
		return err
	}
	if got.PubKey != want.PubKey || got.ChainCode != want.ChainCode {
		return ErrOtherSeed
	}
	return nil
}
