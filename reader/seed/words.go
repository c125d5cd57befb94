package seed

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/airlock-signer/airlock/reader/secret"
)

// MaxWords of a BIP39 sentence.
const MaxWords = 24

// ErrChecksum says that these words never were one BIP39 sentence: one is
// wrong, or they are in another order.
var ErrChecksum = errors.New("seed: the words do not fit together (checksum)")

// CountError refuses a number of words: BIP39 has 12, 15, 18, 21 and 24, and
// this station makes 12 and 24.
type CountError struct{ Count int }

func (e *CountError) Error() string { return fmt.Sprintf("seed: %d words", e.Count) }

// EntropyError refuses a length of entropy in bytes: 16, 20, 24, 28 or 32.
type EntropyError struct{ Size int }

func (e *EntropyError) Error() string { return fmt.Sprintf("seed: %d bytes of entropy", e.Size) }

// entropySize is the number of bytes behind so many words, 0 for a count that
// BIP39 does not have.
func entropySize(words int) int {
	if words < 12 || words > MaxWords || words%3 != 0 {
		return 0
	}
	return words / 3 * 4
}

// Words is a BIP39 sentence in English, or the beginning of one while it is
// being entered: indexes into the list, two bytes each, in locked pages. It is
// not safe for concurrent use.
type Words struct{ page *secret.Buffer }

// NewWords is an empty sentence, to be entered. Release it.
func NewWords() (*Words, error) {
	page, err := secret.New(2 * MaxWords)
	if err != nil {
		return nil, err
	}
	return &Words{page}, nil
}

// FromEntropy is the sentence of 16, 20, 24, 28 or 32 bytes of entropy, else
// *EntropyError. The caller keeps and releases entropy.
func FromEntropy(entropy *secret.Buffer) (*Words, error) {
	size := entropy.Len()
	count := size / 4 * 3
	if entropySize(count) != size || size == 0 {
		return nil, &EntropyError{size}
	}
	bits, err := filled(size+1, func(p []byte) {
		entropy.Use(func(e []byte) { copy(p, e) })
		p[size] = checksum(p[:size])
	})
	if err != nil {
		return nil, err
	}
	defer bits.Release()
	w, err := NewWords()
	if err != nil {
		return nil, err
	}
	bits.Use(func(p []byte) {
		for i := range count {
			if err == nil {
				err = w.Append(word11(p, i))
			}
		}
	})
	if err != nil {
		w.Release()
		return nil, err
	}
	return w, nil
}

// checksum is the first byte of the SHA-256 of the entropy; its first
// size/4 bits count.
func checksum(entropy []byte) (first byte) {
	scrubbed(func() {
		sum := sha256.Sum256(entropy)
		first = sum[0]
		clear(sum[:])
	})
	return first
}

// word11 is the i-th group of 11 bits.
func word11(bits []byte, i int) int {
	index := 0
	for b := 11 * i; b < 11*i+11; b++ {
		index = index<<1 | int(bits[b/8]>>(7-b%8)&1)
	}
	return index
}

// Len is the number of words.
func (w *Words) Len() int { return w.page.Len() / 2 }

// Append adds the word with this index (0 to 2047). secret.ErrFull after 24.
func (w *Words) Append(index int) error {
	if index < 0 || index >= ListSize {
		return ErrNotAWord
	}
	return w.page.Append(byte(index>>8), byte(index))
}

// RemoveLast takes the last word away.
func (w *Words) RemoveLast() {
	w.page.Use(func(p []byte) {
		if len(p) >= 2 {
			p[len(p)-2], p[len(p)-1] = 0, 0 // one byte of UTF-8 each
		}
	})
	w.page.Backspace()
	w.page.Backspace()
}

// Clear takes all words away.
func (w *Words) Clear() { w.page.Clear() }

// Release zeroes the words.
func (w *Words) Release() { w.page.Release() }

// indexAt is the index of word i (from 0), -1 where there is none.
func (w *Words) indexAt(i int) (index int) {
	index = -1
	w.page.Use(func(p []byte) {
		if i >= 0 && 2*i+2 <= len(p) {
			index = int(binary.BigEndian.Uint16(p[2*i:]))
		}
	})
	return index
}

// WordAt is word i (from 0) for the screen, "" where there is none. The string
// is the public list's own; that it is this one is the secret, so what is made
// of it must not outlive the page on screen.
func (w *Words) WordAt(i int) string { return Word(w.indexAt(i)) }

// Is tells whether the word that was typed is word i (from 0). The time it
// takes depends on what was typed, not on the word.
func (w *Words) Is(i int, typed *secret.Buffer) bool {
	index, err := Find(typed)
	if err != nil {
		return false
	}
	return subtle.ConstantTimeEq(int32(index), int32(w.indexAt(i))) == 1
}

// Same tells whether both are the same words, in constant time for their count.
func (w *Words) Same(other *Words) bool { return w.page.Equal(other.page) }

// Check tells whether the words are a BIP39 sentence: *CountError, ErrChecksum.
func (w *Words) Check() error {
	entropy, err := w.Entropy()
	if err != nil {
		return err
	}
	entropy.Release()
	return nil
}

// Entropy is what the sentence stands for: *CountError, ErrChecksum.
func (w *Words) Entropy() (*secret.Buffer, error) {
	size := entropySize(w.Len())
	if size == 0 {
		return nil, &CountError{w.Len()}
	}
	bits, err := w.bits()
	if err != nil {
		return nil, err
	}
	defer bits.Release()
	fits := false
	entropy, err := filled(size, func(e []byte) {
		bits.Use(func(p []byte) {
			copy(e, p)
			want := checksum(p[:size]) & (0xFF << (8 - size/4))
			fits = subtle.ConstantTimeByteEq(p[size], want) == 1
		})
	})
	if err != nil {
		return nil, err
	}
	if !fits {
		entropy.Release()
		return nil, ErrChecksum
	}
	return entropy, nil
}

// bits packs the indexes, 11 bits each, into room for the longest sentence.
func (w *Words) bits() (*secret.Buffer, error) {
	return filled((11*MaxWords+7)/8, func(out []byte) {
		w.page.Use(func(p []byte) {
			for i := 0; 2*i+2 <= len(p); i++ {
				put11(out, i, int(binary.BigEndian.Uint16(p[2*i:])))
			}
		})
	})
}

// put11 writes the i-th group of 11 bits where all are zero.
func put11(bits []byte, i, index int) {
	for b := range 11 {
		at := 11*i + b
		bits[at/8] |= byte(index>>(10-b)&1) << (7 - at%8)
	}
}

// LastWords yields the index of every word that makes the checksum right as the
// next and last one, in the order of the list: 128 of them after 11 words, 64
// after 14, 32 after 17, 16 after 20, 8 after 23, and none after any other
// number. It is an iter.Seq[int].
func (w *Words) LastWords(yield func(index int) bool) {
	n := w.Len()
	size := entropySize(n + 1)
	if size == 0 {
		return
	}
	bits, err := w.bits()
	if err != nil {
		return
	}
	defer bits.Release()
	sumBits := size / 4
	for high := range 1 << (11 - sumBits) {
		index := high << sumBits
		bits.Use(func(p []byte) {
			clear(p[size:])
			clear11(p, n)
			put11(p, n, index)
			index |= int(checksum(p[:size]) >> (8 - sumBits))
		})
		if !yield(index) {
			return
		}
	}
}

// clear11 zeroes the i-th group of 11 bits.
func clear11(bits []byte, i int) {
	for at := 11 * i; at < 11*i+11; at++ {
		bits[at/8] &^= 1 << (7 - at%8)
	}
}
