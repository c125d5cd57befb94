package satochip

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/airlock-signer/airlock/reader/card"
)

// stream gives the bytes of a fuzz input as replies, each behind its length.
type stream struct {
	rest []byte
	sent int
}

func (s *stream) Transmit(_ context.Context, command []byte) ([]byte, error) {
	if s.sent++; s.sent > 100 {
		return nil, errors.New("the driver does not stop asking")
	}
	if len(s.rest) == 0 {
		return nil, card.ErrRemoved
	}
	n := min(int(s.rest[0]), len(s.rest)-1)
	reply := s.rest[1 : 1+n]
	s.rest = s.rest[1+n:]
	return reply, nil
}

func (s *stream) Close() error { return nil }

// script changes replies of an otherwise honest card. Each step of four bytes
// is: exchange, what to do, and two arguments.
func script(f *fake, steps []byte) func(int, []byte) ([]byte, error) {
	var before [][]byte
	return func(n int, reply []byte) ([]byte, error) {
		before = append(before, bytes.Clone(reply))
		for s := steps; len(s) >= 4; s = s[4:] {
			if int(s[0]) != n {
				continue
			}
			at := int(s[2]) % max(len(reply), 1)
			switch s[1] % 6 {
			case 0:
				if len(reply) > 0 {
					reply[at] ^= s[3]
				}
			case 1:
				reply = reply[:at]
			case 2:
				reply = append(reply, bytes.Repeat([]byte{s[3]}, int(s[2]))...)
			case 3:
				reply = bytes.Clone(before[int(s[2])%len(before)])
			case 4:
				reply = []byte{s[2], s[3]}
			case 5:
				return nil, card.ErrRemoved
			}
		}
		return reply, nil
	}
}

// FuzzReplies: the driver against any stream of replies, and against an honest
// card whose replies are changed on the way. It never panics or hangs, and
// never gives an identity or key that is not the card's (everything checks).
func FuzzReplies(f *testing.F) {
	f.Add(false, []byte{2, 0x90, 0, 14, 0, 14, 0, 1, 5, 3, 0, 0, 0, 1, 1, 1, 0x90, 0, 2, 0x90, 0})
	f.Add(false, []byte{2, 0x6A, 0x82})
	f.Add(true, []byte{})
	f.Add(true, []byte{1, 0, 9, 1})                // a status without a seed
	f.Add(true, []byte{3, 3, 2, 0})                // the same opening twice
	f.Add(true, []byte{5, 0, 20, 4, 6, 3, 6, 0})   // a changed proof, a repeated reply
	f.Add(true, []byte{7, 4, 0x9C, 0x01})          // cache full
	f.Add(true, []byte{9, 1, 40, 0, 10, 2, 8, 16}) // cut, lengthened
	f.Fuzz(func(t *testing.T, honest bool, data []byte) {
		if !honest {
			fuzzStream(t, data)
			return
		}
		c := newFake(t)
		c.wire = script(c, data)
		_ = everything(t, c, func(n int) bool {
			for s := data; len(s) >= 4; s = s[4:] {
				if int(s[0]) == n {
					return true
				}
			}
			return false
		})
		if len(c.log) > 40 {
			t.Errorf("%d exchanges", len(c.log))
		}
	})
}

// FuzzCare is FuzzReplies for set-up and care (aLife checks).
func FuzzCare(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{4, 4, 0x9C, 0x07})                // SETUP: done before
	f.Add([]byte{9, 0, 20, 4, 8, 3, 6, 0})         // a changed key, a repeated reply
	f.Add([]byte{11, 0, 0, 1})                     // the IV of a name
	f.Add([]byte{12, 1, 40, 0, 15, 2, 8, 16})      // cut, lengthened
	f.Add([]byte{5, 0, 4, 5, 20, 0, 9, 1})         // states
	f.Add([]byte{13, 5, 0, 0})                     // gone
	f.Add([]byte{16, 4, 0x63, 0xC0, 21, 4, 99, 1}) // wrong PIN, nonsense
	f.Fuzz(func(t *testing.T, steps []byte) {
		c := newFake(t)
		c.wire = script(c, steps)
		_ = aLife(t, c, nil)
		if len(c.log) > 60 {
			t.Errorf("%d exchanges", len(c.log))
		}
	})
}

// fuzzStream: nothing in a stream without keys can log in or give a key.
func fuzzStream(t *testing.T, data []byte) {
	s := &stream{rest: data}
	c, err := Open(context.Background(), s, rand.NewChaCha8([32]byte{3}))
	if err != nil {
		return
	}
	// Two signatures with one key recoverable from both: a stream can have them,
	// like any false card. It cannot have the channel's keys.
	if info := c.Info(); len(info.Identity) != 33 && !info.SharedIdentity {
		t.Errorf("opened without an identity: %+v", c.Info())
	}
	if err := c.VerifyPIN(context.Background(), pinOf(t, "1234")); err == nil && c.Info().Identity != nil {
		t.Error("logged in to a stream of bytes")
	}
	_ = c.Close()
}

// FuzzParsers: the parsers of replies alone, deeper than a stream gets.
func FuzzParsers(f *testing.F) {
	key, _ := newFake(f).master.ECPrivKey()
	f.Add(selfSigned(nil, key))
	f.Add(signed(selfSigned(make([]byte, 32), key), key))
	f.Add(signed(append([]byte{0, 65}, key.PubKey().SerializeUncompressed()...), key))
	f.Add([]byte{0, 14, 0, 1, 5, 3, 0, 0, 0, 1, 1, 1})
	f.Fuzz(func(t *testing.T, data []byte) {
		if d, err := parseExtendedKey(data, key.PubKey()); err == nil && d.key == nil {
			t.Error("no key and no error")
		}
		if o, err := parseOpening(data); err == nil && o.ephemeral == nil {
			t.Error("no key and no error")
		}
		if s, err := parseStatus(data); err == nil && s.version.check() != nil {
			t.Error("a status of an unknown version")
		}
		_ = checkTweak(data, key.PubKey(), key.PubKey())
		if k, err := parseAuthentikey(data); err == nil && k == nil {
			t.Error("no authentikey and no error")
		}
		if keys, err := recoverKeys(nil, data); err == nil && len(keys) > 4 {
			t.Error("too many keys")
		}
	})
}
