package seed

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/airlock-signer/airlock/reader/secret"
)

// rolls99 are 99 rolls of a pseudo-random die; the hashes were made with
// Python's hashlib.
const rolls99 = "324611513515211441215415126651554121523425153562155623156151524654345433226215354364351154232441615"

// TestDicePublished: the convention of other signers.
func TestDicePublished(t *testing.T) {
	for name, tc := range map[string]struct {
		rolls   string
		size    int
		entropy string // where published
		words   string
	}{
		// https://coldcard.com/docs/verifying-dice-roll-math; the words are those of
		// SeedSigner's tests for the same rolls.
		"Coldcard, 123456": {"123456", 32, "8d969eef6ecad3c29a3a629280e686cf0c3f5d5a86aff3ca12020c923adc6c92",
			"mirror reject rookie talk pudding throw happy era myth already payment own sentence push head sting video explain letter bomb casual hotel rather garment"},
		"Coldcard, no roll": {"", 32, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", ""},
		// SeedSigner, tests/test_mnemonic_generation.py, checked there against
		// iancoleman.io/bip39.
		"SeedSigner, 50 in a row": {"12345612345612345612345612345612345612345612345612", 16, "",
			"unveil nice picture region tragic fault cream strike tourist control recipe tourist"},
		"SeedSigner, 50 sixes": {strings.Repeat("6", 50), 16, "",
			"senior morning song proud recycle toy search apple trigger lend vibrant arrest"},
		"SeedSigner, 99": {"5" + strings.Repeat("2", 44) + strings.Repeat("5", 54), 32, "",
			"resource timber firm banner horror pupil frozen main pear direct pioneer broken grid core insane begin sister pony end debate task silk empty curious"},
	} {
		t.Run(name, func(t *testing.T) {
			entropy, err := diceEntropy(text(t, tc.rolls), tc.size)
			if err != nil {
				t.Fatal(err)
			}
			defer entropy.Release()
			if got := opened(entropy); tc.entropy != "" && got != tc.entropy {
				t.Errorf("entropy %s", got)
			}
			if got := said(fromEntropy(t, entropy)); tc.words != "" && got != tc.words {
				t.Errorf("words %s", got)
			}
		})
	}
}

func TestDiceEntropy(t *testing.T) {
	for name, tc := range map[string]struct {
		rolls    string
		words    int
		accepted Doubt
		want     string
		err      error
	}{
		"12":             {rolls99[:50], 12, 0, "b4b7bf155511dfa13688d93685fea50b", nil},
		"24":             {rolls99, 24, 0, "716b8053a22bd08eee89fdbaa64d6630a7747b8d1de2251d1b9fd3e131d17130", nil},
		"49 of 50":       {rolls99[:49], 12, 0, "", &TooFewError{49, 50}},
		"98 of 99":       {rolls99[:98], 24, 0, "", &TooFewError{98, 99}},
		"15 words":       {rolls99, 15, 0, "", &CountError{15}},
		"the same":       {strings.Repeat("4", 50), 12, 0, "", &DoubtError{AllSame}},
		"the same, yes":  {strings.Repeat("4", 50), 12, AllSame | Uneven | Patterned, "", &DoubtError{AllSame}},
		"in a row":       {strings.Repeat("123456", 9), 12, 0, "", &DoubtError{Patterned}},
		"in a row, yes":  {"12345612345612345612345612345612345612345612345612", 12, Patterned, "ee72ae915a4e6ea7ccbeb8e5e5eecef2", nil},
		"other accepted": {strings.Repeat("123456", 9), 12, Uneven, "", &DoubtError{Patterned}},
	} {
		t.Run(name, func(t *testing.T) {
			d := rolled(t, tc.rolls)
			got, err := d.Entropy(tc.words, tc.accepted)
			if tc.err != nil {
				if err == nil || err.Error() != tc.err.Error() {
					t.Fatalf("error %v, want %v", err, tc.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer got.Release()
			if !strings.HasPrefix(opened(got), tc.want) || got.Len() != entropySize(tc.words) {
				t.Errorf("got %s", opened(got))
			}
			if d.Count() != len(tc.rolls) {
				t.Error("the rolls are gone")
			}
		})
	}
}

func TestDiceDoubts(t *testing.T) {
	for name, tc := range map[string]struct {
		rolls string
		want  Doubt
	}{
		"fair":                    {rolls99, 0},
		"fair, 50":                {rolls99[:50], 0},
		"few":                     {"1111111", 0},
		"the same":                {"33333333", AllSame},
		"two faces":               {strings.Repeat("1224112112", 5), Uneven | Patterned},
		"loaded":                  {strings.ReplaceAll(rolls99, "3", "6")[:60] + strings.Repeat("6", 20), Uneven},
		"loaded, mixed":           {"6165626361646663616261626566666163626465666661626662616466636665666666616366626666", Uneven},
		"a row":                   {"123456123456123456123456123456", Patterned},
		"a row, with slips":       {"123456123456123456512345612345612345461234561234", Patterned},
		"a long sequence, twice":  {rolls99[:25] + rolls99[:25], Uneven | Patterned},
		"back and forth":          {strings.Repeat("1234565432", 5), Patterned},
		"never the same twice":    {neverTwice(99), Patterned},
		"short, nothing to say":   {"12341234123412341234123412341", 0},
		"all but one of the same": {strings.Repeat("2", 40) + "3", Uneven | Patterned},
	} {
		t.Run(name, func(t *testing.T) {
			if got := rolled(t, tc.rolls).Doubts(); got != tc.want {
				t.Errorf("doubts %03b, want %03b", got, tc.want)
			}
		})
	}
}

// neverTwice are rolls of somebody who believes that chance does not repeat.
func neverTwice(n int) string {
	random := rand.New(rand.NewPCG(1, 2))
	rolls := []byte{'1'}
	for len(rolls) < n {
		if c := byte('1' + random.IntN(6)); c != rolls[len(rolls)-1] {
			rolls = append(rolls, c)
		}
	}
	return string(rolls)
}

// TestDiceFalseAlarms: fair dice are doubted about twice in a thousand times.
func TestDiceFalseAlarms(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for _, n := range []int{50, 99} {
		const rounds = 20000
		alarms := 0
		rolls := make([]byte, n)
		for range rounds {
			for i := range rolls {
				rolls[i] = byte('1' + random.IntN(6))
			}
			if doubts(rolls) != 0 {
				alarms++
			}
		}
		if alarms < rounds/2000 || alarms > rounds/250 {
			t.Errorf("%d alarms in %d rounds of %d fair rolls", alarms, rounds, n)
		}
	}
}

func TestDiceTyping(t *testing.T) {
	d := rolled(t, "12")
	for _, c := range []byte{'0', '7', 'a', 0, 1, ' '} {
		if err := d.Roll(c); !errors.Is(err, ErrNotDice) {
			t.Errorf("%q: %v", c, err)
		}
	}
	d.Undo()
	if d.Count() != 1 {
		t.Errorf("count %d", d.Count())
	}
	// The keyboard writes to the page itself.
	if err := d.Page().Append([]byte("7x3é 5")...); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Entropy(12, 0); err == nil {
		t.Error("entropy of what no die shows")
	}
	if n := d.Settle(); n != 5 || string(open(d.Page())) != "135" {
		t.Errorf("dropped %d, left %q", n, open(d.Page()))
	}
	unsettled := rolled(t, rolls99[:50])
	_ = unsettled.Page().Append('9')
	if _, err := unsettled.Entropy(12, 0); !errors.Is(err, ErrNotDice) {
		t.Errorf("unsettled: %v", err)
	}
	full := rolled(t, strings.Repeat("1", MaxRolls))
	if err := full.Roll('1'); !errors.Is(err, secret.ErrFull) {
		t.Errorf("full: %v", err)
	}
	full.Release()
	if full.Count() != 0 || full.Doubts() != 0 {
		t.Error("a released die has rolls")
	}
}

// FuzzDice: whatever comes to the page, entropy is the hash of digits 1 to 6
// alone, or there is none.
func FuzzDice(f *testing.F) {
	f.Add([]byte(rolls99), uint8(0), true)
	f.Add([]byte(rolls99[:50]), uint8(7), false)
	f.Add(bytes.Repeat([]byte("1"), 99), uint8(7), true)
	f.Add([]byte("1\x00\xff7"), uint8(1), false)
	f.Fuzz(func(t *testing.T, typed []byte, accepted uint8, long bool) {
		d := rolled(t, "")
		if len(typed) > MaxRolls {
			typed = typed[:MaxRolls]
		}
		if err := d.Page().Append(typed...); err != nil {
			t.Fatal(err)
		}
		words := 12
		if long {
			words = 24
		}
		valid := len(bytes.Trim(typed, "123456")) == 0 && !bytes.ContainsFunc(typed, func(r rune) bool { return r < '1' || r > '6' })
		entropy, err := d.Entropy(words, Doubt(accepted))
		if err == nil {
			defer entropy.Release()
			sum := sha256.Sum256(typed)
			if !valid || len(typed) < Rolls(words) || !bytes.Equal(open(entropy), sum[:entropySize(words)]) {
				t.Errorf("entropy of %q", typed)
			}
			if d.Doubts()&^Doubt(accepted) != 0 || d.Doubts()&AllSame != 0 {
				t.Error("a doubt was passed over")
			}
		}
		if dropped := d.Settle(); (dropped == 0) != valid || d.Count()+dropped != len(typed) {
			t.Errorf("%q: dropped %d, left %d", typed, dropped, d.Count())
		}
	})
}
