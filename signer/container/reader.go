package container

import (
	"encoding/binary"
	"strconv"
)

// maxKey is the longest key in bytes, type included, that is accepted.
const maxKey = 10_000

// place names what is being read, for errors: "input 2". It is put into words
// only where there is an error.
type place struct {
	kind  string
	index int // -1: there is only one
}

func (p place) String() string {
	if p.index < 0 {
		return p.kind
	}
	return p.kind + " " + strconv.Itoa(p.index)
}

// reader walks b[off:end]. Offsets in its errors are those of b, so one that
// reads inside a value still names the byte of the container. It allocates
// nothing.
type reader struct {
	b     []byte
	off   int
	end   int
	place place
}

// inside gives a reader over the value of a pair.
func (r *reader) inside(p Pair) reader {
	return reader{r.b, p.valueOffset(), p.End, r.place}
}

func (r *reader) left() int { return r.end - r.off }

// take gives the next n bytes. n is compared before it is converted: a claimed
// length may be any 64-bit number.
func (r *reader) take(n uint64, what string) ([]byte, error) {
	if n > uint64(r.left()) {
		return nil, fail(r.off, "%s in %s runs past the end: %d bytes wanted, %d left", what, r.place, n, r.left())
	}
	s := r.b[r.off : r.off+int(n) : r.off+int(n)]
	r.off += int(n)
	return s, nil
}

// compactSize reads a compact size, which must be the shortest form of its
// number.
func (r *reader) compactSize(what string) (uint64, error) {
	start := r.off
	first, err := r.take(1, what)
	if err != nil {
		return 0, err
	}
	if first[0] < 0xfd {
		return uint64(first[0]), nil
	}
	s, err := r.take(2<<(first[0]-0xfd), what)
	if err != nil {
		return 0, err
	}
	var buf [8]byte
	copy(buf[:], s)
	n := binary.LittleEndian.Uint64(buf[:])
	if sizeLen(n) != r.off-start {
		return 0, fail(start, "%s in %s is not in its shortest form", what, r.place)
	}
	return n, nil
}

// vector reads bytes that their length precedes.
func (r *reader) vector(length, what string) ([]byte, error) {
	n, err := r.compactSize(length)
	if err != nil {
		return nil, err
	}
	return r.take(n, what)
}

// finish wants everything to be read.
func (r *reader) finish(what string) error {
	if r.left() != 0 {
		return fail(r.off, "bytes are left over after %s in %s: %d", what, r.place, r.left())
	}
	return nil
}

// pair reads one pair; ok is false at the separator, which is consumed.
func (r *reader) pair() (p Pair, ok bool, err error) {
	p.Start = r.off
	n, err := r.compactSize("the length of a key")
	if err != nil || n == 0 {
		return p, false, err
	}
	if n > maxKey {
		return p, false, fail(p.Start, "a key in %s is %d bytes long, more than %d", r.place, n, maxKey)
	}
	start := r.off
	if p.Key, err = r.take(n, "a key"); err != nil {
		return p, false, err
	}
	k := reader{r.b, start, r.off, r.place}
	if p.Type, err = k.compactSize("the key type of a key"); err != nil {
		return p, false, err
	}
	p.KeyData = p.Key[k.off-start:]
	if p.Value, err = r.vector("the length of a value", "a value"); err != nil {
		return p, false, err
	}
	p.End = r.off
	return p, true, nil
}

// sizeLen is the length in bytes of n as the shortest compact size.
func sizeLen(n uint64) int {
	switch {
	case n < 0xfd:
		return 1
	case n <= 0xffff:
		return 3
	case n <= 0xffff_ffff:
		return 5
	}
	return 9
}

// appendSize writes n as a compact size.
func appendSize(b []byte, n uint64) []byte {
	switch sizeLen(n) {
	case 1:
		return append(b, byte(n))
	case 3:
		return binary.LittleEndian.AppendUint16(append(b, 0xfd), uint16(n))
	case 5:
		return binary.LittleEndian.AppendUint32(append(b, 0xfe), uint32(n))
	}
	return binary.LittleEndian.AppendUint64(append(b, 0xff), n)
}
