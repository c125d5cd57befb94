package satochip

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/btcsuite/btcd/btcec/v2"

	"github.com/airlock-signer/airlock/reader/apdu"
	"github.com/airlock-signer/airlock/reader/card"
)

// aLife uses every command of set-up and care on a new card, and checks that
// what went well by the driver's word did so by the card's. States are not
// checked: they come unsigned, and a reader can change them.
func aLife(t testing.TB, f *fake, _ func(exchange int) bool) error {
	t.Helper()
	ctx := context.Background()
	f.asNew()
	f.der = testCertificate(t, f.authentikey.PubKey(), testIssuer(), 4)
	c, err := Open(ctx, f, f.random)
	if err != nil {
		return err
	}
	d := c.(*driver12)
	steps := []struct {
		name string
		do   func() error
		good func() bool
	}{
		{"set-up", func() error { return d.Setup(ctx, pinOf(t, "1234"), pinOf(t, "87654321")) }, func() bool { return f.pin == "1234" && f.puk == "87654321" }},
		{"login", func() error { return d.VerifyPIN(ctx, pinOf(t, "1234")) }, func() bool { return f.in }},
		{"seed", func() error { return d.LoadSeed(ctx, pinOf(t, strings.Repeat("s", 32))) }, func() bool { return f.master != nil }},
		{"name", func() error { return d.SetLabel(ctx, "Daily") }, func() bool { return string(f.label) == "Daily" }},
		{"name again", func() error { _, err := d.Label(ctx); return err }, func() bool { return len(d.Info().Label) == 5 }},
		{"attest", func() error { _, err := d.Attest(ctx); return err }, func() bool { return true }},
		{"new PIN", func() error { return d.ChangePIN(ctx, pinOf(t, "1234"), pinOf(t, "5678")) }, func() bool { return f.pin == "5678" && !d.in }},
		{"login again", func() error { return d.VerifyPIN(ctx, pinOf(t, "5678")) }, func() bool { return f.in }},
		{"erase", func() error { return d.EraseSeed(ctx, pinOf(t, "5678")) }, func() bool { return f.master == nil }},
		{"block", func() error {
			f.tries, f.statusReply[4] = 0, 0
			return d.refresh(ctx)
		}, func() bool { return true }},
		{"unblock", func() error { return d.Unblock(ctx, pinOf(t, "87654321"), nil) }, func() bool { return f.tries == 5 }},
	}
	for _, s := range steps {
		if err := s.do(); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		if !s.good() {
			t.Errorf("%s: all well, says the driver", s.name)
		}
	}
	return nil
}

// TestLyingReaderInCare is TestLyingReader for set-up and care.
func TestLyingReaderInCare(t *testing.T) {
	honest := newFake(t)
	var lengths []int
	honest.wire = func(_ int, reply []byte) ([]byte, error) {
		lengths = append(lengths, len(reply))
		return reply, nil
	}
	if err := aLife(t, honest, nil); err != nil {
		t.Fatal(err)
	}
	for exchange, length := range lengths {
		if exchange < 4 { // the opening: TestLyingReader
			continue
		}
		t.Run(fmt.Sprintf("%d-%02X", exchange, honest.log[exchange]), func(t *testing.T) {
			t.Parallel()
			lieAbout(t, aLife, exchange, length)
		})
	}
}

// TestLyingCardInCare lies inside the channel.
func TestLyingCardInCare(t *testing.T) {
	otherKey, _ := btcec.PrivKeyFromBytes([]byte{8})
	for _, tt := range []struct {
		name string
		ins  byte
		lie  func(f *fake, data []byte) []byte
	}{
		{"a seed taken by another card", insImportSeed, func(*fake, []byte) []byte { return selfSigned(nil, otherKey) }},
		{"a seed taken without a word", insImportSeed, func(*fake, []byte) []byte { return nil }},
		{"a set-up with an answer", insSetup, func(*fake, []byte) []byte { return []byte{1} }},
		{"a new PIN with an answer", insChangePIN, func(*fake, []byte) []byte { return []byte{1} }},
		{"an erased seed with an answer", insResetSeed, func(*fake, []byte) []byte { return []byte{1} }},
		{"an unblocked PIN with an answer", insUnblockPIN, func(*fake, []byte) []byte { return []byte{1} }},
		{"a name of 65 bytes", insLabel, func(f *fake, data []byte) []byte {
			if data == nil {
				return nil
			}
			return append([]byte{65}, make([]byte, 65)...)
		}},
		{"a name and more", insLabel, func(f *fake, data []byte) []byte {
			if data == nil {
				return nil
			}
			return append(data, 0)
		}},
		{"a name cut short", insLabel, func(f *fake, data []byte) []byte {
			if data == nil {
				return nil
			}
			return data[:len(data)-1]
		}},
		{"a certificate of 64 KiB", insCertificate, func(_ *fake, data []byte) []byte {
			if len(data) == 2 {
				return []byte{0xFF, 0xFF}
			}
			return data
		}},
		{"a size of three bytes", insCertificate, func(_ *fake, data []byte) []byte { return append(data, 0) }},
		{"parts of a certificate that are short", insCertificate, func(_ *fake, data []byte) []byte {
			if len(data) == 2 {
				return data
			}
			return data[1:]
		}},
		{"a challenge signed by another", insChallenge, func(f *fake, data []byte) []byte {
			return signed(bytes.Clone(data[:32]), otherKey)
		}},
		{"a challenge with another nonce", insChallenge, func(f *fake, data []byte) []byte {
			data[0] ^= 1
			return data
		}},
		{"a challenge with a byte behind it", insChallenge, func(f *fake, data []byte) []byte { return append(data, 0) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFake(t)
			f.inside = func(ins byte, data []byte) []byte {
				if ins == tt.ins {
					return tt.lie(f, data)
				}
				return data
			}
			err := aLife(t, f, nil)
			if !errors.Is(err, card.ErrBadReply) {
				t.Error(err)
			}
		})
	}
}

// TestStateThatDoesNotFollow: a card that says yes and shows no.
func TestStateThatDoesNotFollow(t *testing.T) {
	for _, tt := range []struct {
		ins byte
		lie func(f *fake)
	}{
		{insSetup, func(f *fake) { f.statusReply[10] = 0 }},
		{insResetSeed, func(f *fake) { f.statusReply[9] = 1 }},
		{insUnblockPIN, func(f *fake) { f.tries, f.statusReply[4] = 0, 0 }},
	} {
		f := newFake(t)
		f.inside = func(ins byte, data []byte) []byte {
			if ins == tt.ins {
				tt.lie(f)
			}
			return data
		}
		if err := aLife(t, f, nil); !errors.Is(err, card.ErrBadReply) {
			t.Errorf("%02X: %v", tt.ins, err)
		}
	}
}

// TestOutcomeUnknownInCare: the card goes away with each command that changes
// something or is counted.
func TestOutcomeUnknownInCare(t *testing.T) {
	for _, ins := range []byte{insSetup, insImportSeed, insChangePIN, insResetSeed, insUnblockPIN} {
		for _, gone := range []error{card.ErrRemoved, card.ErrReaderGone, context.Canceled, nil} {
			f := newFake(t)
			f.wire = func(n int, reply []byte) ([]byte, error) {
				if f.log[n] != ins {
					return reply, nil
				}
				if gone == nil {
					return []byte{1}, nil
				}
				return nil, gone
			}
			err := aLife(t, f, nil)
			if !errors.Is(err, card.ErrOutcomeUnknown) || (gone != nil && !errors.Is(err, gone)) {
				t.Errorf("%02X, %v: %v", ins, gone, err)
			}
			if err != nil && !strings.Contains(err.Error(), "not known") {
				t.Errorf("%02X: %v", ins, err)
			}
		}
	}
}

// TestCareLeavesNoTrace of PIN, PUK and seed in the channel's scratch buffer,
// nor in the buffer that a command is put together in.
func TestCareLeavesNoTrace(t *testing.T) {
	f := newFake(t)
	f.asNew()
	d := openFake(t, f)
	ctx := context.Background()
	if err := d.Setup(ctx, pinOf(t, "97531864"), pinOf(t, "86429753")); err != nil {
		t.Fatal(err)
	}
	if d.link.channel.scratch != [maxSealed]byte{} {
		t.Errorf("scratch buffer holds %x", d.link.channel.scratch)
	}
	var data secretData
	data.code(pinOf(t, "97531864"))
	if _, _, _, err := d.link.sendSecret(ctx, apdu.Command{CLA: cla, INS: insUnblockPIN}, &data); err != nil {
		t.Fatal(err)
	}
	if data.buf != [maxInner]byte{} {
		t.Errorf("buffer holds %x", data.buf)
	}
	data.put(make([]byte, maxInner+1)...)
	if _, _, sent, err := d.link.sendSecret(ctx, apdu.Command{CLA: cla, INS: insUnblockPIN}, &data); err == nil || sent {
		t.Error("sent what did not fit")
	}
}
