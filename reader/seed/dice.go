package seed

import (
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/airlock-signer/airlock/reader/secret"
)

// MaxRolls is how many rolls are taken.
const MaxRolls = 256

// ErrNotDice says that something was typed that no die shows.
var ErrNotDice = errors.New("seed: a die shows 1 to 6")

// Rolls is how many rolls of a six-sided die make 12 or 24 words without any
// other source: 2.585 bits a roll for 128 or 256 bits. It is 0 for any other
// number of words, which this station does not make.
func Rolls(words int) int {
	switch words {
	case 12:
		return 50
	case 24:
		return 99
	}
	return 0
}

// TooFewError says that dice alone do not suffice yet.
type TooFewError struct{ Have, Want int }

func (e *TooFewError) Error() string {
	return fmt.Sprintf("seed: %d rolls of %d", e.Have, e.Want)
}

// Doubt is a set of reasons to believe that rolls were made up.
type Doubt uint8

// Doubts. An honest die raises Uneven or Patterned about once in a thousand
// times each: they are warnings, and a person may go on. AllSame is refused.
const (
	AllSame   Doubt = 1 << iota // one face only
	Uneven                      // the faces are not about equally frequent
	Patterned                   // a roll follows from the one before, or a sequence repeats
)

// DoubtError refuses rolls with doubts that nobody has accepted.
type DoubtError struct{ Doubt Doubt }

func (e *DoubtError) Error() string {
	switch {
	case e.Doubt&AllSame != 0:
		return "seed: every roll is the same"
	case e.Doubt&Uneven != 0:
		return "seed: some faces came up far too often for a fair die"
	}
	return "seed: the rolls follow a pattern"
}

// Dice are rolls of a six-sided die, as the ASCII digits 1 to 6, in locked
// pages. They are not safe for concurrent use, their page is.
type Dice struct{ page *secret.Buffer }

// NewDice has no rolls yet. Release it.
func NewDice() (*Dice, error) {
	page, err := secret.New(MaxRolls)
	if err != nil {
		return nil, err
	}
	return &Dice{page}, nil
}

// Page is where a keyboard may write digits to directly; Settle then drops what
// is none.
func (d *Dice) Page() *secret.Buffer { return d.page }

// Settle drops everything from the page that is no digit 1 to 6, and tells how
// many bytes that was.
func (d *Dice) Settle() (dropped int) {
	return d.page.Filter(func(c byte) bool { return c >= '1' && c <= '6' })
}

// Roll adds one roll: the digit '1' to '6', else ErrNotDice. secret.ErrFull
// after MaxRolls.
func (d *Dice) Roll(digit byte) error {
	if digit < '1' || digit > '6' {
		return ErrNotDice
	}
	return d.page.Append(digit)
}

// Undo takes the last roll away.
func (d *Dice) Undo() { d.page.Backspace() }

// Count of rolls so far.
func (d *Dice) Count() int { return d.page.Len() }

// Doubts looks for what honest dice do not do.
func (d *Dice) Doubts() (found Doubt) {
	d.page.Use(func(p []byte) { found = doubts(p) })
	return found
}

// Release zeroes the rolls.
func (d *Dice) Release() { d.page.Release() }

// Entropy is made of the dice alone, as other signers make it and a person can
// do again by hand: the SHA-256 of the ASCII digits in the order rolled (printf
// 123456 | sha256sum), all 32 bytes for 24 words, the first 16 for 12
// (https://coldcard.com/docs/verifying-dice-roll-math, and rolls12.py there;
// SeedSigner does the same).
//
// Errors: *TooFewError below Rolls(words), *DoubtError for a doubt that is not
// in accepted, ErrNotDice, *CountError.
func (d *Dice) Entropy(words int, accepted Doubt) (*secret.Buffer, error) {
	want := Rolls(words)
	if want == 0 {
		return nil, &CountError{words}
	}
	if n := d.Count(); n < want {
		return nil, &TooFewError{n, want}
	}
	if err := d.check(accepted); err != nil {
		return nil, err
	}
	return diceEntropy(d.page, entropySize(words))
}

// check refuses what no die shows, and doubts that were not accepted.
func (d *Dice) check(accepted Doubt) error {
	valid := true
	d.page.Use(func(p []byte) {
		for _, c := range p {
			valid = valid && c >= '1' && c <= '6'
		}
	})
	if !valid {
		return ErrNotDice
	}
	if left := d.Doubts() &^ (accepted &^ AllSame); left != 0 {
		return &DoubtError{left}
	}
	return nil
}

// diceEntropy is the convention itself, for any number of rolls.
func diceEntropy(rolls *secret.Buffer, size int) (*secret.Buffer, error) {
	return filled(size, func(out []byte) {
		rolls.Use(func(p []byte) {
			scrubbed(func() {
				sum := sha256.Sum256(p)
				copy(out, sum[:])
				clear(sum[:])
			})
		})
	})
}

// Below these counts of rolls nothing can be said: of six faces, five each are
// expected at least for a chi-square test.
const (
	sameFrom = 8
	testFrom = 30
)

// doubts of rolls. Settled or not, every byte counts as one of six faces.
func doubts(rolls []byte) (found Doubt) {
	var faces, steps [6]int
	for i, c := range rolls {
		faces[c%6]++
		if i > 0 {
			// Of fair rolls, the differences modulo 6 are fair as well: this sees
			// rows (123456), alternation, and people who avoid repeating a face.
			steps[(c+6-rolls[i-1]%6)%6]++
		}
	}
	n := len(rolls)
	if n >= sameFrom && faces[rolls[0]%6] == n {
		return AllSame
	}
	if n < testFrom {
		return 0
	}
	if unfair(faces, n) {
		found |= Uneven
	}
	if unfair(steps, n-1) || repeats(rolls) {
		found |= Patterned
	}
	clear(faces[:])
	clear(steps[:])
	return found
}

// unfair is the chi-square test against six equal frequencies: five degrees of
// freedom, 20.515 for one false alarm in a thousand.
func unfair(counts [6]int, n int) bool {
	sum := 0
	for _, c := range counts {
		sum += (6*c - n) * (6*c - n)
	}
	// Σ (c − n/6)² / (n/6) = sum / 6n
	return sum*1000 > 20515*6*n
}

// repeats tells whether the rolls are a shorter sequence said at least twice.
func repeats(rolls []byte) bool {
	for period := 1; period <= len(rolls)/2; period++ {
		same := true
		for i := period; i < len(rolls) && same; i++ {
			same = rolls[i] == rolls[i-period]
		}
		if same {
			return true
		}
	}
	return false
}
