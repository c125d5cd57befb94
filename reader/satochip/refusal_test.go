package satochip

import (
	"bytes"
	"context"
	"crypto/cipher"
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"github.com/btcsuite/btcd/btcec/v2"

	"github.com/airlock-signer/airlock/reader/apdu"
	"github.com/airlock-signer/airlock/reader/card"
)

// TestStrictUnpadding: a reply whose padding is not exactly PKCS#7 is refused,
// as is one with nothing in it.
func TestStrictUnpadding(t *testing.T) {
	c, err := newChannel(bytes.Repeat([]byte{1}, 32), newFake(t).random)
	if err != nil {
		t.Fatal(err)
	}
	c.counter = 1
	reply := func(plain []byte) []byte {
		iv := make([]byte, 16)
		iv[15] = 2
		sealed := make([]byte, len(plain))
		cipher.NewCBCEncrypter(c.block, iv).CryptBlocks(sealed, plain)
		return append(binary.BigEndian.AppendUint16(iv, uint16(len(sealed))), sealed...)
	}
	block := func(last ...byte) []byte { return append(make([]byte, 16-len(last)), last...) }
	if plain, err := c.open(reply(block(2, 2))); err != nil || len(plain) != 14 {
		t.Fatalf("%x %v", plain, err)
	}
	two := bytes.Repeat([]byte{17}, 32)
	for name, plain := range map[string][]byte{
		"none": block(0), "too long": bytes.Repeat([]byte{17}, 16), "longer than a block": two,
		"uneven": block(3, 2), "all padding": bytes.Repeat([]byte{16}, 16), "255": block(255),
	} {
		if got, err := c.open(reply(plain)); !errors.Is(err, card.ErrBadReply) {
			t.Errorf("%s: %x %v", name, got, err)
		}
	}
	for name, data := range map[string][]byte{
		"nothing": nil, "no blocks": append(block(2), 0, 0), "half a block": append(append(block(2), 0, 8), make([]byte, 8)...),
	} {
		if got, err := c.open(data); !errors.Is(err, card.ErrBadReply) {
			t.Errorf("%s: %x %v", name, got, err)
		}
	}
}

// TestStatusForm: what no Satochip says.
func TestStatusForm(t *testing.T) {
	good := []byte{0, 14, 0, 1, 5, 3, 0, 0, 0, 1, 1, 1}
	change := func(at int, b byte) []byte {
		s := bytes.Clone(good)
		s[at] = b
		return s
	}
	for name, tt := range map[string]struct {
		data []byte
		want error
	}{
		"good":                 {good, nil},
		"no version":           {good[:3], card.ErrUnknownCard},
		"cut":                  {good[:11], card.ErrBadReply},
		"endless":              {append(bytes.Clone(good), make([]byte, 60)...), card.ErrBadReply},
		"2FA neither yes nor":  {change(8, 2), card.ErrBadReply},
		"seed neither yes nor": {change(9, 0xFF), card.ErrBadReply},
		"wants no channel":     {change(11, 0), card.ErrBadReply},
	} {
		if _, err := parseStatus(tt.data); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestTweakForm: the taproot key comes as an uncompressed point, no other way.
func TestTweakForm(t *testing.T) {
	f := newFake(t)
	d := loginFake(t, f)
	r := f.request(t, card.SchnorrKeyPath, 1, h+86)
	if _, err := d.SignDigests(context.Background(), []card.SignRequest{r}, nil); err != nil {
		t.Fatal(err)
	}
	point := f.tweaked.PubKey().SerializeUncompressed()
	hybrid := bytes.Clone(point)
	hybrid[0] = 6 + point[64]&1
	internal := mustKey(t, r.PubKey[:])
	for name, tt := range map[string]struct {
		point []byte
		ok    bool
	}{
		"uncompressed": {point, true},
		"hybrid":       {hybrid, false},
		"compressed":   {f.tweaked.PubKey().SerializeCompressed(), false},
		"off curve":    {append(bytes.Clone(point[:64]), point[64]^1), false},
	} {
		reply := signed(append([]byte{0, byte(len(tt.point))}, tt.point...), f.authentikey)
		if err := checkTweak(reply, internal, f.authentikey.PubKey()); (err == nil) != tt.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestKeyForm: X with the flag that old applets set; nothing else.
func TestKeyForm(t *testing.T) {
	key, _ := btcec.PrivKeyFromBytes([]byte{9})
	flagged := append([]byte{0x80, 32}, key.PubKey().SerializeCompressed()[1:]...)
	if got, err := pubKeyFromX(readCoordinate(apdu.NewCursor(flagged)), flagged, signed(bytes.Clone(flagged), key)[36:]); err != nil || !got.IsEqual(key.PubKey()) {
		t.Errorf("flag: %v", err)
	}
	for _, length := range [][]byte{{0, 31}, {0, 33}, {1, 32}, {0, 0}} {
		if x := readCoordinate(apdu.NewCursor(append(length, make([]byte, 33)...))); x != nil {
			t.Errorf("a coordinate of length %x", length)
		}
	}
}

// TestRepliesWhereNoneBelong: data with an error, data where nothing was asked,
// nothing where something was.
func TestRepliesWhereNoneBelong(t *testing.T) {
	ctx := context.Background()
	f := newFake(t)
	d := loginFake(t, f)
	f.wire = func(_ int, reply []byte) ([]byte, error) {
		return append(reply[:len(reply)-2], 0x9C, 0x06), nil
	}
	if _, err := d.ExtendedKey(ctx, nil); !errors.Is(err, card.ErrBadReply) {
		t.Errorf("data with an error: %v", err)
	}
	f = newFake(t)
	d = loginFake(t, f)
	f.inside = func(byte, []byte) []byte { return []byte{1} }
	if err := d.Logout(ctx); !errors.Is(err, card.ErrBadReply) {
		t.Errorf("an answer to logging out: %v", err)
	}
	f = newFake(t)
	d = openFake(t, f)
	f.inside = func(byte, []byte) []byte { return []byte{1} }
	if err := d.VerifyPIN(ctx, pinOf(t, "1234")); !errors.Is(err, card.ErrBadReply) || !errors.Is(err, card.ErrOutcomeUnknown) {
		t.Errorf("an answer to the PIN: %v", err)
	}
	for _, ins := range []byte{insExportAuthKey, insExtendedKey, insSignHash, insTweak, insSignSchnorr} {
		f = newFake(t)
		f.inside = func(got byte, data []byte) []byte {
			if got == ins {
				return nil
			}
			return data
		}
		if err := everything(t, f, func(int) bool { return false }); !errors.Is(err, card.ErrBadReply) {
			t.Errorf("nothing in answer to %02X: %v", ins, err)
		}
	}
}

// TestLoginEnds with a wrong PIN, and where the card says so.
func TestLoginEnds(t *testing.T) {
	ctx := context.Background()
	f := newFake(t)
	d := loginFake(t, f)
	if err := d.VerifyPIN(ctx, pinOf(t, "0000")); err != (card.WrongPINError{Left: 4}) {
		t.Fatal(err)
	}
	at := len(f.log)
	if _, err := d.ExtendedKey(ctx, nil); !errors.Is(err, card.ErrPINNeeded) || len(f.log) != at {
		t.Errorf("after a wrong PIN: %v", err)
	}
	for name, use := range map[string]func(*driver, *fake) error{
		"key": func(d *driver, _ *fake) error { _, err := d.ExtendedKey(ctx, nil); return err },
		"signature": func(d *driver, f *fake) error {
			_, err := d.SignDigests(ctx, []card.SignRequest{f.request(t, card.ECDSA, 1, h)}, nil)
			return err
		},
	} {
		f = newFake(t)
		d = loginFake(t, f)
		f.in = false // it lost power for a moment, say, and somebody opened the same channel
		if err := use(d, f); !errors.Is(err, card.ErrPINNeeded) {
			t.Errorf("%s: %v", name, err)
		}
		if d.in {
			t.Errorf("%s: still logged in", name)
		}
		if err := d.VerifyPIN(ctx, pinOf(t, "1234")); err != nil || use(d, f) != nil {
			t.Errorf("%s: not usable after the PIN: %v", name, err)
		}
	}
}

// TestLastKeyIsForgotten where a derivation failed: what the card derived last
// is not known then.
func TestLastKeyIsForgotten(t *testing.T) {
	ctx := context.Background()
	f := newFake(t)
	d := loginFake(t, f)
	a, b := f.request(t, card.ECDSA, 1, h), f.request(t, card.ECDSA, 2, h+1)
	if _, err := d.SignDigests(ctx, []card.SignRequest{a}, nil); err != nil {
		t.Fatal(err)
	}
	// The card derives b's key, but its answer is lost.
	f.answer = map[byte]apdu.SW{insExtendedKey: swInternal}
	if _, err := d.SignDigests(ctx, []card.SignRequest{b}, nil); !errors.As(err, new(card.StatusError)) {
		t.Fatal(err)
	}
	f.answer = nil
	sigs, err := d.SignDigests(ctx, []card.SignRequest{a}, nil)
	if err != nil || !checkSignature(t, a, sigs[0]) {
		t.Errorf("signed with another key: %v", err)
	}
}

func TestRefresh(t *testing.T) {
	ctx := context.Background()
	f := newFake(t)
	d := loginFake(t, f)
	f.statusReply[4], f.statusReply[9] = 2, 0
	info, err := d.Refresh(ctx)
	if err != nil || info.PINTries != 2 || info.State != card.StateNoSeed || info.Identity == nil {
		t.Errorf("%+v %v", info, err)
	}
	if _, err := d.ExtendedKey(ctx, nil); err != nil {
		t.Errorf("asking for the state ended the login: %v", err)
	}
	f.statusReply[3] = 9
	if _, err := d.Refresh(ctx); !errors.Is(err, card.ErrBadReply) {
		t.Errorf("another version than before: %v", err)
	}
}

// TestCloseLogsOut where somebody may be logged in, and releases the card
// whatever it answers.
func TestCloseLogsOut(t *testing.T) {
	f := newFake(t)
	d := loginFake(t, f)
	if err := d.Close(); err != nil || f.in || f.closed != 1 {
		t.Errorf("%v", err)
	}
	f = newFake(t)
	d = loginFake(t, f)
	f.wire = func(int, []byte) ([]byte, error) { return nil, card.ErrRemoved }
	if err := d.Close(); err != nil || f.closed != 1 {
		t.Errorf("%v", err)
	}
}

// TestBlockedSaysWhatHelps: with the PUK gone too, the sentence must not send
// a person looking for it.
func TestBlockedSaysWhatHelps(t *testing.T) {
	f := newFake(t)
	f.tries = 1
	f.statusReply[5] = 0
	d := openFake(t, f)
	err := d.VerifyPIN(context.Background(), pinOf(t, "0000"))
	if err != (card.WrongPINError{NoPUK: true}) || !strings.Contains(err.Error(), "factory reset") {
		t.Fatal(err)
	}
	err = d.VerifyPIN(context.Background(), pinOf(t, "1234"))
	if !errors.Is(err, card.ErrBlocked) || !errors.Is(err, card.ErrPUKBlocked) || err.Error() != card.ErrPUKBlocked.Sentence {
		t.Error(err)
	}
}
