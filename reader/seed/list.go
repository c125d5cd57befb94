package seed

import (
	"errors"
	"fmt"

	"github.com/tyler-smith/go-bip39/wordlists"

	"github.com/airlock-signer/airlock/reader/secret"
)

// ListSize is the number of words in the list.
const ListSize = 2048

// Shape of the English list: no word is longer, and any four letters that begin
// a word begin no other.
const (
	maxLetters = 8
	tellingly  = 4
)

// Errors of a typed word.
var (
	ErrNotAWord  = errors.New("seed: not a word of the list")
	ErrAmbiguous = errors.New("seed: several words of the list begin like this")
)

// WordError says which word of a sentence is wrong (from 1), not what it is. It
// unwraps to ErrNotAWord or ErrAmbiguous.
type WordError struct {
	Position int
	Err      error
}

func (e *WordError) Error() string { return fmt.Sprintf("%v: word %d", e.Err, e.Position) }

// Unwrap gives the cause.
func (e *WordError) Unwrap() error { return e.Err }

// Word is the list's word with this index, "" for an index outside the list.
func Word(index int) string {
	if index < 0 || index >= ListSize {
		return ""
	}
	return wordlists.English[index]
}

// match is what a typed text is, measured against the list.
type match struct {
	exact int // index of the word that it is, -1 for none
	first int // index of the first word that begins with it
	count int // how many begin with it: they stand together in the list
}

// matching goes over the whole list, whatever was typed. Capital letters count
// as small ones.
func matching(typed []byte) match {
	m := match{exact: -1, first: -1}
	if len(typed) == 0 || len(typed) > maxLetters {
		return m
	}
	for i, word := range wordlists.English {
		if !begins(word, typed) {
			continue
		}
		if m.first < 0 {
			m.first = i
		}
		m.count++
		if len(word) == len(typed) {
			m.exact = i
		}
	}
	return m
}

// begins tells whether the word begins with the letters typed.
func begins(word string, typed []byte) bool {
	if len(word) < len(typed) {
		return false
	}
	var differ byte
	for i, c := range typed {
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		differ |= word[i] ^ c
	}
	return differ == 0
}

// found is the word meant by typed letters.
func found(typed []byte) (int, error) {
	m := matching(typed)
	switch {
	case m.exact >= 0:
		return m.exact, nil
	case m.count == 1 && len(typed) >= tellingly:
		return m.first, nil
	case m.count > 0:
		return -1, ErrAmbiguous
	}
	return -1, ErrNotAWord
}

// Find is the index of the word that was typed: whole, or its first four
// letters or more, as steel plates carry them. Errors: ErrAmbiguous for a
// beginning that is too short, ErrNotAWord.
func Find(typed *secret.Buffer) (index int, err error) {
	typed.Use(func(p []byte) { index, err = found(p) })
	return index, err
}

// Complete gives the words that begin with what was typed: count of them, from
// index first on; they stand together in the list. Nothing typed gives none.
func Complete(typed *secret.Buffer) (first, count int) {
	typed.Use(func(p []byte) {
		m := matching(p)
		first, count = m.first, m.count
	})
	if count == 0 {
		return 0, 0
	}
	return first, count
}

// Decode reads a whole sentence, its words separated by spaces (any number, also
// around it), each as Find takes it. Errors: *WordError with the position,
// *CountError, ErrChecksum. The caller keeps and releases typed.
func Decode(typed *secret.Buffer) (*Words, error) {
	w, err := NewWords()
	if err != nil {
		return nil, err
	}
	count := 0
	typed.Use(func(p []byte) { count, err = w.enter(p) })
	switch {
	case err != nil:
	case count != w.Len():
		err = &CountError{count}
	default:
		err = w.Check()
	}
	if err != nil {
		w.Release()
		return nil, err
	}
	return w, nil
}

// enter appends the words of a sentence as far as there is room, and counts
// all of them.
func (w *Words) enter(p []byte) (count int, err error) {
	for len(p) > 0 {
		if p[0] == ' ' {
			p = p[1:]
			continue
		}
		end := 0
		for end < len(p) && p[end] != ' ' {
			end++
		}
		count++
		index, err := found(p[:end])
		if err != nil {
			return count, &WordError{count, err}
		}
		if count <= MaxWords {
			if err := w.Append(index); err != nil {
				return count, err
			}
		}
		p = p[end:]
	}
	return count, nil
}
