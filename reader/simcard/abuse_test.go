package simcard

import (
	"bytes"
	"slices"
	"testing"
)

// TestDigestsAndSubstitute: what a card signed is on record, and a card that
// substitutes a key gives exactly the other one.
func TestDigestsAndSubstitute(t *testing.T) {
	s := newSatochip(t, Demo(Satochip014, "a"))
	h := login(t, s)
	account, other := []uint32{84 | hard, hard, hard}, []uint32{84 | hard, hard, hard | 5}
	want, _ := h.derive(0x40, other...)
	s.Substitute(func(path []uint32) []uint32 {
		if slices.Equal(path, account) {
			return other
		}
		return path
	})
	if got, _ := h.derive(0x40, account...); !got.IsEqual(want) {
		t.Error("not the key at the other path")
	}
	s.Substitute(nil)
	if got, _ := h.derive(0x40, account...); got.IsEqual(want) {
		t.Error("substituted still")
	}
	if len(s.Digests()) != 0 {
		t.Error("signed before it was asked to")
	}
	h.expect(0x9000, inner(0x7A, 0xFF, 0, digestOf(1)...))
	if d := s.Digests(); len(d) != 1 || !bytes.Equal(d[0][:], digestOf(1)) {
		t.Errorf("%x", d)
	}
}
