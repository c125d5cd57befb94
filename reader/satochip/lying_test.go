package satochip

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcec/v2/schnorr"

	"github.com/airlock-signer/airlock/reader/card"
)

// everything uses the card from Open to signatures and checks that whatever
// comes back without an error is true. tampered tells which exchange was lied
// about, -1 for none: only a signature that was itself tampered with may come
// back wrong, for signer to find. The first error is returned.
func everything(t testing.TB, f *fake, tampered func(exchange int) bool) error {
	t.Helper()
	ctx := context.Background()
	c, err := Open(ctx, f, f.random)
	if err != nil {
		return err
	}
	d := driverOf(t, c)
	if id := d.Info().Identity; !bytes.Equal(id, f.authentikey.PubKey().SerializeCompressed()) {
		t.Errorf("a wrong identity: %x", id)
	}
	if err := d.VerifyPIN(ctx, pinOf(t, f.pin)); err != nil {
		return err
	}
	path := []uint32{h + 84, h, h, 0}
	x, err := d.ExtendedKey(ctx, path)
	if err != nil {
		return err
	}
	if want := f.truth(t, path); x.PubKey != want.PubKey || x.ChainCode != want.ChainCode || x.ParentFingerprint != want.ParentFingerprint {
		t.Errorf("a wrong key: %+v", x)
	}
	requests := []card.SignRequest{
		f.request(t, card.ECDSA, 1, h+84, h, h, 0, 1),
		f.request(t, card.SchnorrKeyPath, 2, h+86, h, h, 0, 1),
	}
	sigs, err := d.SignDigests(ctx, requests, nil)
	for i, sig := range sigs {
		if !checkSignature(t, requests[i], sig) && !tampered(lastOf(f.log, signing[i])) {
			t.Errorf("a wrong signature: %x", sig)
		}
	}
	return err
}

var signing = []byte{insSignHash, insSignSchnorr}

func lastOf(log []byte, ins byte) int { return bytes.LastIndexByte(log, ins) }

// TestLyingReader changes one reply at a time: every byte of it, its length,
// all of it. The flow ends in an error, or in what is true all the same.
func TestLyingReader(t *testing.T) {
	honest := newFake(t)
	var lengths []int
	honest.wire = func(_ int, reply []byte) ([]byte, error) {
		lengths = append(lengths, len(reply))
		return reply, nil
	}
	if err := everything(t, honest, func(int) bool { return false }); err != nil {
		t.Fatal(err)
	}
	for exchange, length := range lengths {
		t.Run(fmt.Sprintf("%d-%02X", exchange, honest.log[exchange]), func(t *testing.T) {
			t.Parallel()
			lieAbout(t, everything, exchange, length)
		})
	}
}

// flow uses a card, as everything does.
type flow func(t testing.TB, f *fake, tampered func(exchange int) bool) error

func lieAbout(t *testing.T, use flow, exchange, length int) {
	run := func(lie func(reply []byte) []byte) error {
		f := newFake(t)
		f.wire = func(n int, reply []byte) ([]byte, error) {
			if n == exchange {
				return lie(reply), nil
			}
			return reply, nil
		}
		return use(t, f, func(n int) bool { return n == exchange })
	}
	step := 1
	if testing.Short() {
		step = 9 // with the race detector every byte takes minutes
	}
	for offset := 0; offset < length; offset += step {
		_ = run(func(reply []byte) []byte {
			reply[min(offset, len(reply)-1)] ^= 1 << (offset % 8)
			return reply
		})
	}
	for _, cut := range []int{0, 1, 2, 3, length / 2, length - 3, length - 2, length - 1} {
		if cut < 0 || cut >= length {
			continue
		}
		err := run(func(reply []byte) []byte { return reply[:min(cut, len(reply))] })
		if err == nil {
			t.Errorf("nothing said about a reply cut to %d bytes", cut)
		}
	}
	for name, lie := range map[string][]byte{
		"oversized":  make([]byte, 259),
		"huge":       make([]byte, 1<<16),
		"garbage":    append(bytes.Repeat([]byte{0xA5}, 120), 0x90, 0),
		"no such sw": {0x12, 0x34},
	} {
		if err := run(func([]byte) []byte { return lie }); err == nil {
			t.Errorf("nothing said about a reply that is %s", name)
		}
	}
	if length > 2 {
		if err := run(func([]byte) []byte { return []byte{0x90, 0} }); err == nil {
			t.Error("nothing said about a bare 9000")
		}
	}
}

// TestReplayedReply: a reply given before, with right keys and signatures, in
// place of the one asked for.
func TestReplayedReply(t *testing.T) {
	f := newFake(t)
	var first []byte
	f.wire = func(n int, reply []byte) ([]byte, error) {
		if f.log[n] != insExtendedKey {
			return reply, nil
		}
		if first == nil {
			first = bytes.Clone(reply)
		}
		return first, nil
	}
	d := loginFake(t, f)
	x, err := d.ExtendedKey(context.Background(), []uint32{h + 84})
	if !errors.Is(err, card.ErrBadReply) {
		t.Errorf("%+v %v", x, err)
	}
	// Nor with its counter made to fit: it is part of what decrypts to the chain code.
	f = newFake(t)
	first = nil
	f.wire = func(n int, reply []byte) ([]byte, error) {
		if f.log[n] != insExtendedKey {
			return reply, nil
		}
		if first == nil {
			first = bytes.Clone(reply)
			return reply, nil
		}
		copy(first[ivRandom:ivSize], reply[ivRandom:ivSize])
		return first, nil
	}
	d = loginFake(t, f)
	if x, err = d.ExtendedKey(context.Background(), []uint32{h + 84}); !errors.Is(err, card.ErrBadReply) {
		t.Errorf("%+v %v", x, err)
	}
}

// TestNothingMoreAfterALie: whatever is asked next, nothing goes out.
func TestNothingMoreAfterALie(t *testing.T) {
	f := newFake(t)
	d := loginFake(t, f)
	f.inside = func(_ byte, data []byte) []byte { return data[:len(data)-1] }
	ctx := context.Background()
	_, err := d.ExtendedKey(ctx, nil)
	if !errors.Is(err, card.ErrBadReply) {
		t.Fatal(err)
	}
	at := len(f.log)
	_, again := d.ExtendedKey(ctx, nil)
	_, refresh := d.Refresh(ctx)
	for _, err := range []error{again, refresh, d.Logout(ctx), d.VerifyPIN(ctx, pinOf(t, "1234"))} {
		if !errors.Is(err, card.ErrBadReply) || errors.Is(err, card.ErrOutcomeUnknown) {
			t.Error(err)
		}
	}
	if len(f.log) != at {
		t.Errorf("sent %x", f.log[at:])
	}
	if d.Close() != nil || f.closed != 1 {
		t.Error("not released")
	}
}

// TestLyingCard lies inside the channel, with signatures that are right as far
// as the liar can make them.
func TestLyingCard(t *testing.T) {
	other := newFake(t)
	otherKey := other.newKey()
	for _, tt := range []struct {
		name string
		lie  func(f *fake, ins byte, data []byte) []byte
		want error
	}{
		{"another authentikey", func(f *fake, ins byte, data []byte) []byte {
			if ins == insExportAuthKey {
				return selfSigned(nil, otherKey)
			}
			return data
		}, card.ErrOtherCard},
		{"keys signed by another authentikey", func(f *fake, ins byte, data []byte) []byte {
			if ins == insExtendedKey {
				key, _ := f.last.ECPrivKey()
				return signed(selfSigned(bytes.Clone(f.last.ChainCode()), key), otherKey)
			}
			return data
		}, card.ErrBadReply},
		{"keys without their own signature", func(f *fake, ins byte, data []byte) []byte {
			if ins == insExtendedKey {
				x := append([]byte{0, 32}, schnorr.SerializePubKey(otherKey.PubKey())...)
				return signed(signed(append(bytes.Clone(f.last.ChainCode()), x...), f.authentikey), f.authentikey)
			}
			return data
		}, card.ErrBadReply},
		{"the parent's key for the child", func(f *fake, ins byte, data []byte) []byte {
			if ins == insExtendedKey {
				return f.extendedKey(f.derive([]byte{0x80, 0, 0, 84, 0x80, 0, 0, 0, 0x80, 0, 0, 0}))
			}
			return data
		}, card.ErrBadReply},
		{"another taproot key", func(f *fake, ins byte, data []byte) []byte {
			if ins == insTweak {
				return signed(append([]byte{0, 65}, otherKey.PubKey().SerializeUncompressed()...), f.authentikey)
			}
			return data
		}, card.ErrBadReply},
		{"a taproot key signed by nobody known", func(f *fake, ins byte, data []byte) []byte {
			if ins == insTweak {
				return signed(append([]byte{0, 65}, f.tweaked.PubKey().SerializeUncompressed()...), otherKey)
			}
			return data
		}, card.ErrBadReply},
		{"a signature with a byte behind it", func(f *fake, ins byte, data []byte) []byte {
			if ins == insSignHash {
				return append(data, 0)
			}
			return data
		}, card.ErrBadReply},
		{"a Schnorr signature of 65 bytes", func(f *fake, ins byte, data []byte) []byte {
			if ins == insSignSchnorr {
				return append(data, 1)
			}
			return data
		}, card.ErrBadReply},
		{"a Schnorr signature out of range", func(f *fake, ins byte, data []byte) []byte {
			if ins == insSignSchnorr {
				return bytes.Repeat([]byte{0xFF}, 64)
			}
			return data
		}, card.ErrBadReply},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFake(t)
			f.inside = func(ins byte, data []byte) []byte { return tt.lie(f, ins, data) }
			err := everything(t, f, func(int) bool { return false })
			if !errors.Is(err, tt.want) {
				t.Error(err)
			}
		})
	}
}

// TestOtherKeyIsNotSignedWith: where the path has another key than the review
// expects, the card is not asked to sign.
func TestOtherKeyIsNotSignedWith(t *testing.T) {
	for _, scheme := range []card.Scheme{card.ECDSA, card.SchnorrKeyPath} {
		f := newFake(t)
		d := loginFake(t, f)
		good := f.request(t, scheme, 1, h+84, h, h, 0, 1)
		wrong := f.request(t, scheme, 1, h+84, h, h, 0, 2)
		wrong.Path = good.Path
		at := len(f.log)
		sigs, err := d.SignDigests(context.Background(), []card.SignRequest{good, wrong}, nil)
		if !errors.Is(err, card.ErrBadReply) || len(sigs) != 1 {
			t.Errorf("%d signatures: %v", len(sigs), err)
		}
		if n := bytes.Count(f.log[at:], signing[scheme:scheme+1]); n != 1 {
			t.Errorf("signed %d times", n)
		}
	}
}

// TestIdentityWantsTwoDifferentOpenings of one card.
func TestIdentityWantsTwoDifferentOpenings(t *testing.T) {
	f := newFake(t)
	f.wire = func(n int, reply []byte) ([]byte, error) {
		if n == 2 {
			f.authentikey = f.newKey() // another card answers the second time
		}
		return reply, nil
	}
	if _, err := Open(context.Background(), f, f.random); !errors.Is(err, card.ErrBadReply) {
		t.Errorf("two cards: %v", err)
	}
	f = newFake(t)
	var first []byte
	f.wire = func(n int, reply []byte) ([]byte, error) {
		if n == 2 {
			first = bytes.Clone(reply)
		}
		if n == 3 {
			return first, nil
		}
		return reply, nil
	}
	if _, err := Open(context.Background(), f, f.random); !errors.Is(err, card.ErrBadReply) {
		t.Errorf("the same opening twice: %v", err)
	}
}

// TestPINTakenByNobody: 9000 to a PIN is not authenticated. A reader that says
// so of a wrong one gets no further than the proof.
func TestPINTakenByNobody(t *testing.T) {
	f := newFake(t)
	d := openFake(t, f)
	f.wire = func(n int, reply []byte) ([]byte, error) {
		if f.log[n] == insVerifyPIN {
			return []byte{0x90, 0}, nil
		}
		return reply, nil
	}
	if err := d.VerifyPIN(context.Background(), pinOf(t, "0000")); !errors.Is(err, card.ErrBadReply) {
		t.Error(err)
	}
	if d.in {
		t.Error("logged in")
	}
}

// TestStrictDER: forms that the library lets pass.
func TestStrictDER(t *testing.T) {
	key, _ := btcec.PrivKeyFromBytes([]byte{7})
	good := signed(nil, key)[2:]
	if _, err := parseDER(good); err != nil {
		t.Fatal(err)
	}
	for name, bad := range map[string][]byte{
		"nothing": nil, "one byte": {0x30}, "a byte behind": append(bytes.Clone(good), 0),
		"cut": good[:len(good)-1], "long length": append([]byte{0x30, 0x81}, good[1:]...),
	} {
		if _, err := parseDER(bad); !errors.Is(err, card.ErrBadReply) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
