package seed

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"

	"golang.org/x/sys/unix"

	"github.com/airlock-signer/airlock/reader/secret"
)

// Source of entropy.
type Source uint8

// Sources, in the order in which they are mixed.
const (
	Kernel Source = iota
	DiceRolls
	CardBytes // random bytes of a smart card
	sources
)

func (s Source) String() string {
	switch s {
	case Kernel:
		return "kernel"
	case DiceRolls:
		return "dice"
	case CardBytes:
		return "card"
	}
	return fmt.Sprintf("source %d", uint8(s))
}

// Errors of a Mixer.
var (
	ErrSource = errors.New("seed: no source that was announced and is still missing")
	ErrMixed  = errors.New("seed: the sources were mixed before")
	ErrKernel = errors.New("seed: the kernel gave no random bytes")
)

// MissingError says which sources were announced and have not come.
type MissingError struct{ Sources []Source }

func (e *MissingError) Error() string { return fmt.Sprintf("seed: missing: %v", e.Sources) }

// mixTag is the tag of the hash (BIP340).
const mixTag = "airlock/seed-entropy/v1"

// Draw from the kernel, and the most of a card, in bytes.
const (
	kernelSize = 32
	maxCard    = 1024
)

// Mixer collects entropy from the sources announced at its start, each once,
// and mixes them when the last is in, not before:
//
//	SHA-256(SHA-256(tag) || SHA-256(tag) || for kernel, dice, card: length || bytes)
//
// tag "airlock/seed-entropy/v1", lengths 8 bytes big-endian, 0 for a source that
// was not announced; dice as ASCII digits. 24 words take all 32 bytes, 12 words
// the first 16. It is not safe for concurrent use.
type Mixer struct {
	words  int
	wanted [sources]bool
	have   [sources]*secret.Buffer
	mixed  bool
	random func([]byte) (int, error)
}

// NewMixer announces the sources for 12 or 24 words: the kernel always, and
// those that are named. Release it.
func NewMixer(words int, also ...Source) (*Mixer, error) {
	if Rolls(words) == 0 {
		return nil, &CountError{words}
	}
	m := &Mixer{words: words, random: getrandom}
	m.wanted[Kernel] = true
	for _, s := range also {
		if s >= sources {
			return nil, ErrSource
		}
		m.wanted[s] = true
	}
	return m, nil
}

// getrandom fills p, and blocks until the kernel's generator is seeded. Up to
// 256 bytes come whole, or a signal came first.
func getrandom(p []byte) (int, error) {
	for {
		n, err := unix.Getrandom(p, 0)
		if !errors.Is(err, unix.EINTR) {
			return n, err
		}
	}
}

// DrawKernel takes 32 bytes from the kernel. Early after the start of a machine
// it may block until the kernel has collected enough.
func (m *Mixer) DrawKernel() error {
	if err := m.takes(Kernel); err != nil {
		return err
	}
	b, err := secret.New(kernelSize)
	if err != nil {
		return err
	}
	// Fail closed on a generator that is plainly none.
	alike := true
	n, err := b.Fill(func(p []byte) (int, error) {
		n, err := m.random(p)
		for _, c := range p {
			alike = alike && c == p[0]
		}
		return n, err
	})
	if err != nil || n != kernelSize || alike {
		b.Release()
		return ErrKernel
	}
	m.have[Kernel] = b
	return nil
}

// AddDice takes rolls, any number from one on since the kernel is there too.
// The caller keeps and releases d. Errors: those of Dice.Entropy.
func (m *Mixer) AddDice(d *Dice, accepted Doubt) error {
	if d.Count() == 0 {
		return &TooFewError{0, 1}
	}
	if err := d.check(accepted); err != nil {
		return err
	}
	return m.add(DiceRolls, d.page)
}

// AddCard takes random bytes of a card, 1 to 1024. They may come from a false
// card: mixed with the kernel's they do no harm. The caller keeps and releases b.
func (m *Mixer) AddCard(b *secret.Buffer) error {
	if n := b.Len(); n < 1 || n > maxCard {
		return fmt.Errorf("seed: %d random bytes of a card", n)
	}
	return m.add(CardBytes, b)
}

func (m *Mixer) takes(s Source) error {
	switch {
	case m.mixed:
		return ErrMixed
	case !m.wanted[s] || m.have[s] != nil:
		return ErrSource
	}
	return nil
}

func (m *Mixer) add(s Source, from *secret.Buffer) (err error) {
	if err := m.takes(s); err != nil {
		return err
	}
	from.Use(func(p []byte) { m.have[s], err = filled(len(p), func(own []byte) { copy(own, p) }) })
	return err
}

// Missing lists the sources that were announced and have not come.
func (m *Mixer) Missing() (list []Source) {
	for s := range sources {
		if m.wanted[s] && m.have[s] == nil {
			list = append(list, s)
		}
	}
	return list
}

// Mix gives the entropy (16 or 32 bytes) once, when no source is missing, and
// zeroes the sources.
func (m *Mixer) Mix() (*secret.Buffer, error) {
	if m.mixed {
		return nil, ErrMixed
	}
	if missing := m.Missing(); len(missing) != 0 {
		return nil, &MissingError{missing}
	}
	entropy, err := filled(entropySize(m.words), func(out []byte) { scrubbed(func() { m.hash(out) }) })
	if err != nil {
		return nil, err
	}
	m.Release()
	return entropy, nil
}

func (m *Mixer) hash(out []byte) {
	h := sha256.New()
	defer wipeHash(h)
	tag := sha256.Sum256([]byte(mixTag))
	h.Write(tag[:])
	h.Write(tag[:])
	for _, b := range m.have {
		if b == nil {
			writePrefixed(h, nil)
			continue
		}
		b.Use(func(p []byte) { writePrefixed(h, p) })
	}
	var sum [sha256.Size]byte
	h.Sum(sum[:0])
	copy(out, sum[:])
	clear(sum[:])
}

func writePrefixed(h hash.Hash, p []byte) {
	var length [8]byte
	binary.BigEndian.PutUint64(length[:], uint64(len(p)))
	h.Write(length[:])
	h.Write(p)
}

// Release zeroes what was collected; the mixer is used up.
func (m *Mixer) Release() {
	m.mixed = true
	for s, b := range m.have {
		if b != nil {
			b.Release()
		}
		m.have[s] = nil
	}
}
