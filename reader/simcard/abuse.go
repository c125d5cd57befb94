package simcard

import "encoding/binary"

// Digests are the 32-byte digests that the card's keys have signed, oldest
// first (the last few thousand): what a test compares with what was approved.
func (s *Satochip) Digests() [][32]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([][32]byte(nil), s.digests...)
}

// signed takes note of a digest that is being signed.
func (s *Satochip) signed(digest []byte) {
	if len(s.digests) == maxLog {
		s.digests = append(s.digests[:0], s.digests[maxLog/2:]...)
	}
	s.digests = append(s.digests, [32]byte(digest))
}

// Substitute has the card, from now on, give and use the key at the path that
// instead returns where it is asked for another: properly signed, for the
// card's signature does not cover the path. nil makes it honest again.
func (s *Satochip) Substitute(instead func(path []uint32) []uint32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.instead = instead
}

// substituted is the path whose key is given for the one asked for, both as
// they are in a command.
func (s *Satochip) substituted(path []byte) []byte {
	if s.instead == nil {
		return path
	}
	var asked []uint32
	for ; len(path) >= 4; path = path[4:] {
		asked = append(asked, binary.BigEndian.Uint32(path))
	}
	var out []byte
	for _, n := range s.instead(asked) {
		out = binary.BigEndian.AppendUint32(out, n)
	}
	return out
}
