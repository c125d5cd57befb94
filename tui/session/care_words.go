package session

import (
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"
	"slices"

	"github.com/airlock-signer/airlock/reader/secret"
	"github.com/airlock-signer/airlock/reader/seed"
)

// settleSeed looks at what was typed so far: dice are digits 1 to 6, and a word
// ends with a space.
func (s *Session) settleSeed() {
	c := s.care
	if c == nil || s.step != StepCareTask || c.typing == nil {
		return
	}
	switch c.stage {
	case StageSeedDice:
		c.seed.dice.Settle()
	case StageSeedEnter:
		if c.typing.Len() == c.settled { // nothing was typed: what was said of it stands
			return
		}
		s.problem = ""
		if err := s.takeWords(); err != nil {
			s.problem = wordSentence(err)
		}
		c.settled = c.typing.Len()
	}
}

// takeWords moves the words that a space ended from what is typed to the
// sentence. One that is not clear stays, without its space.
func (s *Session) takeWords() error {
	c := s.care
	for {
		token, err := secret.New(codeSize)
		if err != nil {
			return err
		}
		size, ended := 0, false
		c.typing.Use(func(p []byte) {
			if size = slices.Index(p, ' '); size >= 0 {
				ended = true
				err = token.Append(p[:size]...)
			}
		})
		if !ended {
			token.Release()
			return nil
		}
		index := -1
		if size > 0 && err == nil {
			index, err = seed.Find(token)
		}
		token.Release()
		if err != nil {
			c.typing.Filter(func(b byte) bool { return b != ' ' })
			return err
		}
		taken := 0
		c.typing.Filter(func(byte) bool { taken++; return taken > size+1 })
		if index >= 0 {
			if err := c.seed.words.Append(index); err != nil {
				return err
			}
		}
	}
}

// wordsEntered is Enter while words are entered: it ends a word, and where none
// is typed, the sentence.
func (s *Session) wordsEntered() {
	c := s.care
	if c.typing.Len() > 0 {
		err := c.typing.Append(' ')
		if err == nil {
			err = s.takeWords()
		}
		if err != nil {
			s.problem = wordSentence(err)
		}
		return
	}
	if err := c.seed.words.Check(); err != nil {
		s.problem = wordSentence(err)
		return
	}
	c.seed.count = c.seed.words.Len()
	s.enterStage(StageSeedPass)
}

// wordSentence says what is wrong with words, never which they are.
func wordSentence(err error) string {
	var count *seed.CountError
	switch {
	case errors.Is(err, seed.ErrAmbiguous):
		return "Several words begin like this. Type more letters."
	case errors.Is(err, seed.ErrNotAWord):
		return "No word of the list begins like this. Correct it with Backspace, or delete it with Ctrl+U."
	case errors.Is(err, seed.ErrChecksum):
		return "These words do not fit together: one is wrong, or they are in another order (checksum). Compare them with the paper; Backspace takes the last one away."
	case errors.As(err, &count):
		return fmt.Sprintf("These are %d words. There must be 12, 15, 18, 21 or 24.", count.Count)
	case errors.Is(err, secret.ErrFull):
		return "There are 24 words at most."
	}
	return err.Error()
}

// askBack begins to ask: a third of the words by chance, and the last, in order.
func (s *Session) askBack() {
	r := s.care.seed
	n := r.words.Len()
	order := make([]int, n-1)
	for i := range order {
		order[i] = i
	}
	for i := range order { // Fisher-Yates
		j, err := rand.Int(rand.Reader, big.NewInt(int64(len(order)-i)))
		if err != nil {
			s.toPage(sentence(err))
			return
		}
		k := i + int(j.Int64())
		order[i], order[k] = order[k], order[i]
	}
	r.asked = append(order[:n/3:n/3], n-1)
	slices.Sort(r.asked)
	r.of = len(r.asked)
	s.enterStage(StageSeedAsk)
}

func (s *Session) wordAnswered() {
	c := s.care
	r := c.seed
	if c.typing.Len() == 0 {
		return
	}
	if !r.words.Is(r.asked[0], c.typing) {
		problem := fmt.Sprintf("That is not word %d. Look at the words again and compare them with what you wrote; then they are asked anew.", r.asked[0]+1)
		r.asked = nil
		s.enterStage(StageSeedWords)
		s.problem = problem
		return
	}
	if r.asked = r.asked[1:]; len(r.asked) == 0 {
		s.enterStage(StageSeedPass)
		return
	}
	s.enterStage(StageSeedAsk)
}
