package seed

import (
	"bytes"
	"errors"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/airlock-signer/airlock/reader/secret"
)

// Size of a BIP39 seed in bytes.
const Size = 64

// ErrPassphrase says that a passphrase is no UTF-8 text, or has more than 30
// combining marks in a row: different software would make different seeds of it.
var ErrPassphrase = errors.New("seed: this passphrase is no text that every wallet reads alike")

// iterations of PBKDF2 (BIP39).
const iterations = 2048

// nfkdGrowth is the most that NFKD makes a text longer in UTF-8 (U+FDFA: 3
// bytes become 33; https://www.unicode.org/faq/normalization.html).
const nfkdGrowth = 11

// Seed is the BIP39 seed (64 bytes) of the words and the passphrase, nil or
// empty for none: PBKDF2-HMAC-SHA512, 2048 rounds, of the sentence with the salt
// "mnemonic" || passphrase, both NFKD. The same passphrase typed twice is
// compared with secret.Buffer.Equal. Errors: those of Check, ErrPassphrase.
//
// ASCII never passes through the normalising library's own memory. Of characters
// that it takes apart (é, ㍍), it leaves the last one with its accents in the
// heap, and the tail of a longer one before it, until the collector reuses it.
func (w *Words) Seed(passphrase *secret.Buffer) (*secret.Buffer, error) {
	if err := w.Check(); err != nil {
		return nil, err
	}
	sentence, err := w.sentence()
	if err != nil {
		return nil, err
	}
	defer sentence.Release()
	salt, err := makeSalt(passphrase)
	if err != nil {
		return nil, err
	}
	defer salt.Release()
	return pbkdf2(sentence, salt)
}

// sentence is the words with single spaces: ASCII, so NFKD changes nothing.
func (w *Words) sentence() (*secret.Buffer, error) {
	b, err := secret.New(MaxWords * (maxLetters + 1))
	if err != nil {
		return nil, err
	}
	for i := range w.Len() {
		if i > 0 {
			err = errors.Join(err, b.Append(' '))
		}
		word := w.WordAt(i)
		for j := range len(word) { // no copy of the word in other memory
			err = errors.Join(err, b.Append(word[j]))
		}
	}
	if err != nil {
		b.Release()
		return nil, err
	}
	return b, nil
}

// makeSalt is "mnemonic" and the normalised passphrase.
func makeSalt(passphrase *secret.Buffer) (*secret.Buffer, error) {
	const prefix = "mnemonic"
	size := 0
	if passphrase != nil {
		size = passphrase.Len()
	}
	b, err := secret.New(len(prefix) + nfkdGrowth*size)
	if err != nil {
		return nil, err
	}
	if size == 0 {
		return b, b.Append([]byte(prefix)...)
	}
	_, err = b.Fill(func(p []byte) (n int, err error) {
		out := p[:copy(p, prefix)]
		passphrase.Use(func(text []byte) {
			scrubbed(func() { n, err = normalise(out, text) })
		})
		return n, err
	})
	if err != nil {
		b.Release()
		return nil, err
	}
	return b, nil
}

// normalise appends the NFKD of text to out, which has room for it, and gives
// the length of both. norm keeps to the stream-safe text format: it puts a
// combining grapheme joiner after 30 combining marks, which NFKD alone, as other
// wallets have it, does not. Such texts are refused.
func normalise(out, text []byte) (int, error) {
	if !utf8.Valid(text) {
		return 0, ErrPassphrase
	}
	joiner := []byte("\u034f")
	all := norm.NFKD.Append(out, text...)
	added := all[len(out):]
	if bytes.Count(added, joiner) != bytes.Count(text, joiner) || cap(all) != cap(out) {
		clear(all)
		return 0, ErrPassphrase
	}
	return len(all), nil
}

// pbkdf2 is PBKDF2-HMAC-SHA512 (RFC 8018) for one block of output.
func pbkdf2(password, salt *secret.Buffer) (seed *secret.Buffer, err error) {
	var prf *mac
	scrubbed(func() {
		password.Use(func(p []byte) { prf, err = newMAC(p) })
	})
	if err != nil {
		return nil, err
	}
	defer prf.release()
	round, err := filled(digestSize, func([]byte) {})
	if err != nil {
		return nil, err
	}
	defer round.Release()
	return filled(Size, func(sum []byte) {
		round.Use(func(u []byte) {
			salt.Use(func(s []byte) {
				scrubbed(func() {
					prf.sum(u, s, []byte{0, 0, 0, 1})
					copy(sum, u)
					for range iterations - 1 {
						prf.sum(u, u)
						for i := range sum {
							sum[i] ^= u[i]
						}
					}
				})
			})
		})
	})
}
