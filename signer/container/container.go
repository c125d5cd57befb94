// Package container reads and extends the raw PSBT container: the key-value
// maps of BIP174, with the fields of BIP370, BIP371, BIP373 and BIP375.
//
// It is the judge of what is malformed. It keeps every byte in its place: a
// Container is a set of views into the bytes that came in, and Splice is the
// only way to make other bytes out of them. Nothing here says what a
// transaction means; a field that is well formed and wrong (a signature that
// does not verify, a previous transaction of another outpoint) is the
// business of package signer.
//
// Memory: what Parse takes is counted before it is taken, and stays within the
// size of the container plus 12 MiB. A claimed count or length never decides
// an allocation.
package container

import (
	"bytes"
	"errors"
	"fmt"
	"iter"

	"github.com/btcsuite/btcd/wire"
)

// ErrVersion2 is inside the *Error that Parse gives for a PSBT version 2 whose
// maps can be walked: a valid file, but not one this station reads yet.
var ErrVersion2 = errors.New("PSBT version 2")

// Error says what is malformed and where.
type Error struct {
	// Offset in bytes from the start of the raw container or, for an error in
	// the encoding, of the file.
	Offset int
	// What is wrong, as a sentence part without full stop. Numbers and hex
	// only come from outside: it is safe to print.
	What string

	cause error
}

// Error gives the defect and its place in one line.
func (e *Error) Error() string { return fmt.Sprintf("%s, at byte %d", e.What, e.Offset) }

// Unwrap gives ErrVersion2 or nil.
func (e *Error) Unwrap() error { return e.cause }

// fail makes an *Error.
func fail(offset int, format string, args ...any) error {
	return &Error{Offset: offset, What: fmt.Sprintf(format, args...)}
}

// Pair is one key-value pair. Its slices are views into Container.Raw: do not
// change them.
type Pair struct {
	Type    uint64 // key type, a compact size of any length
	Key     []byte // whole key: type and key data
	KeyData []byte
	Value   []byte
	Start   int // offset in bytes of the length before the key
	End     int // offset in bytes after the value
}

// keyDataOffset and valueOffset are where key data and value start: errors
// name them.
func (p Pair) keyDataOffset() int {
	return p.Start + sizeLen(uint64(len(p.Key))) + len(p.Key) - len(p.KeyData)
}
func (p Pair) valueOffset() int { return p.End - len(p.Value) }

// Map is the pairs of one map in the order of the file.
type Map struct {
	Pairs []Pair
	Start int // offset in bytes of the first pair, or of the separator
	End   int // offset in bytes of the separator 0x00
}

// Get gives the first pair of a type. For types without key data it is the
// only one.
func (m *Map) Get(typ uint64) (Pair, bool) {
	for i := range m.Pairs {
		if m.Pairs[i].Type == typ {
			return m.Pairs[i], true
		}
	}
	return Pair{}, false
}

// Find gives the pair with this whole key.
func (m *Map) Find(key []byte) (Pair, bool) {
	for i := range m.Pairs {
		if bytes.Equal(m.Pairs[i].Key, key) {
			return m.Pairs[i], true
		}
	}
	return Pair{}, false
}

// All walks the pairs of a type in the order of the file.
func (m *Map) All(typ uint64) iter.Seq[Pair] {
	return func(yield func(Pair) bool) {
		for i := range m.Pairs {
			if m.Pairs[i].Type == typ && !yield(m.Pairs[i]) {
				return
			}
		}
	}
}

// Container is a well-formed PSBT version 0.
type Container struct {
	Raw     []byte // the bytes as they came; do not change
	Version uint32 // 0
	Global  Map
	Inputs  []Map // as many as the transaction has inputs
	Outputs []Map // as many as the transaction has outputs
	// Tx is the unsigned transaction. Its scripts are views into Raw: do not
	// change them (Copy gives one that may be changed).
	Tx *wire.MsgTx
}
