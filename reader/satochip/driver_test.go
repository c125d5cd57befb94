package satochip

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/btcsuite/btcd/btcec/v2/ecdsa"
	"github.com/btcsuite/btcd/btcec/v2/schnorr"
	"github.com/btcsuite/btcd/txscript"

	"github.com/airlock-signer/airlock/reader/apdu"
	"github.com/airlock-signer/airlock/reader/card"
)

const h = 1 << 31

// request for one signature, as an honest review makes it.
func (f *fake) request(t testing.TB, scheme card.Scheme, digest byte, path ...uint32) card.SignRequest {
	x := f.truth(t, path)
	return card.SignRequest{Path: path, PubKey: x.PubKey, Digest: [32]byte{digest}, Scheme: scheme}
}

func TestExchanges(t *testing.T) {
	f := newFake(t)
	ctx := context.Background()
	expect := func(what string, want ...byte) {
		t.Helper()
		if !bytes.Equal(f.log, want) {
			t.Errorf("%s: exchanges %x, want %x", what, f.log, want)
		}
		f.log = nil
	}
	d := openFake(t, f)
	expect("open", 0xA4, insStatus, insInitChannel, insInitChannel)
	if err := d.VerifyPIN(ctx, pinOf(t, "1234")); err != nil {
		t.Fatal(err)
	}
	expect("login", insVerifyPIN, insExportAuthKey)
	for _, path := range [][]uint32{{h + 84, h, h}, nil, {h + 84, h, h + 1}, {h + 84, h, h}} {
		x, err := d.ExtendedKey(ctx, path)
		want := f.truth(t, path)
		if err != nil || x.PubKey != want.PubKey || x.ChainCode != want.ChainCode || x.ParentFingerprint != want.ParentFingerprint {
			t.Fatalf("%v: %+v %v", path, x, err)
		}
	}
	expect("keys: parent and key, master, sibling, again", insExtendedKey, insExtendedKey, insExtendedKey, insExtendedKey)
	sigs, err := d.SignDigests(ctx, []card.SignRequest{
		f.request(t, card.ECDSA, 1, h+84, h, h, 0, 0),
		f.request(t, card.ECDSA, 2, h+84, h, h, 0, 0),
		f.request(t, card.SchnorrKeyPath, 3, h+86, h, h, 0, 0),
		f.request(t, card.SchnorrKeyPath, 4, h+86, h, h, 0, 0),
	}, nil)
	if err != nil || len(sigs) != 4 {
		t.Fatal(err)
	}
	expect("signing", insExtendedKey, insSignHash, insSignHash,
		insExtendedKey, insTweak, insSignSchnorr, insTweak, insSignSchnorr)
	f.cacheFull = true
	if _, err := d.ExtendedKey(ctx, []uint32{h + 5}); err != nil {
		t.Fatal(err)
	}
	expect("cache full", insExtendedKey, insExtendedKey)
	if err := d.Logout(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := d.ExtendedKey(ctx, nil); !errors.Is(err, card.ErrPINNeeded) {
		t.Errorf("after logout: %v", err)
	}
	expect("logout", insLogoutAll)
	if err := errors.Join(d.Close(), d.Close()); err != nil || f.closed != 1 {
		t.Errorf("close: %v, %d times", err, f.closed)
	}
	expect("close, logged out before")
	if err := d.VerifyPIN(ctx, pinOf(t, "1234")); err == nil || len(f.log) > 0 {
		t.Error("a PIN after Close")
	}
}

// checkSignature as signer would.
func checkSignature(t testing.TB, r card.SignRequest, sig []byte) bool {
	t.Helper()
	key := mustKey(t, r.PubKey[:])
	if r.Scheme == card.ECDSA {
		s, err := ecdsa.ParseDERSignature(sig)
		return err == nil && s.Verify(r.Digest[:], key)
	}
	s, err := schnorr.ParseSignature(sig)
	return err == nil && s.Verify(r.Digest[:], txscript.ComputeTaprootKeyNoScript(key))
}

func TestStates(t *testing.T) {
	for _, tt := range []struct {
		name  string
		reply []byte
		state card.State
		pin   error // of VerifyPIN; nil: it logs in
		sent  bool
	}{
		{"never set up", []byte{0, 12, 0, 6, 0, 0, 0, 0, 0, 0, 0, 1}, card.StateNotSetUp, card.ErrNotSetUp, false},
		{"no seed", []byte{0, 12, 0, 6, 5, 3, 0, 0, 0, 0, 1, 1}, card.StateNoSeed, nil, true},
		{"PIN blocked", []byte{0, 12, 0, 6, 0, 3, 0, 0, 0, 1, 1, 1}, card.StatePINBlocked, card.ErrBlocked, false},
		{"PIN and PUK blocked", []byte{0, 12, 0, 6, 0, 0, 0, 0, 0, 1, 1, 1}, card.StateBlocked, card.ErrBlocked, false},
		{"ready", []byte{0, 14, 0, 1, 5, 3, 0, 0, 0, 1, 1, 1}, card.StateReady, nil, true},
		{"ready, sold later", []byte{0, 14, 0, 4, 5, 3, 0, 0, 0, 1, 1, 1, 0, 0, 0, 0}, card.StateReady, nil, true},
		{"0.11", []byte{0, 11, 0, 1, 5, 3, 0, 0, 0, 1, 1, 1}, card.StateReady, nil, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFake(t)
			f.statusReply = tt.reply
			d := openFake(t, f)
			info := d.Info()
			if info.State != tt.state || info.Make != "Satochip" || info.SharedIdentity != (tt.reply[1] == 11) ||
				!bytes.Equal(info.Identity, f.authentikey.PubKey().SerializeCompressed()) {
				t.Errorf("%+v", info)
			}
			at := len(f.log)
			err := d.VerifyPIN(context.Background(), pinOf(t, "1234"))
			if !errors.Is(err, tt.pin) || (len(f.log) > at) != tt.sent {
				t.Errorf("PIN: %v, %x", err, f.log[at:])
			}
			if tt.sent && tt.reply[1] == 11 && f.log[len(f.log)-1] != insAuthentikey {
				t.Errorf("0.11 has no INS AD: %x", f.log)
			}
		})
	}
}

// TestOldCardWithoutSeed: up to 0.11 there is no authentikey then.
func TestOldCardWithoutSeed(t *testing.T) {
	f := newFake(t)
	f.statusReply, f.authentikey = []byte{0, 11, 0, 1, 5, 3, 0, 0, 0, 0, 1, 1}, nil
	d := loginFake(t, f)
	if d.Info().Identity != nil || !d.Info().SharedIdentity {
		t.Errorf("%+v", d.Info())
	}
	if _, err := d.ExtendedKey(context.Background(), nil); !errors.Is(err, card.ErrNoSeed) {
		t.Errorf("%v", err)
	}
	// Seeded behind our back: its identity is another thing now.
	f.statusReply[9] = 1
	if _, err := d.Refresh(context.Background()); !errors.Is(err, card.ErrOtherCard) {
		t.Errorf("%v", err)
	}
	g := newFake(t) // a newer card always has one
	g.authentikey = nil
	if _, err := Open(context.Background(), g, g.random); !errors.Is(err, card.ErrBadReply) {
		t.Errorf("%v", err)
	}
}

func TestVersions(t *testing.T) {
	for _, tt := range []struct {
		major, minor byte
		want         error
	}{
		{0, 0, card.ErrTooOld}, {0, 10, card.ErrTooOld}, {0, 11, nil}, {0, 12, nil}, {0, 13, nil}, {0, 14, nil},
		{0, 15, card.ErrTooNew}, {1, 0, card.ErrTooNew}, {1, 12, card.ErrTooNew}, {255, 255, card.ErrTooNew},
	} {
		f := newFake(t)
		f.statusReply[0], f.statusReply[1] = tt.major, tt.minor
		_, err := Open(context.Background(), f, f.random)
		if !errors.Is(err, tt.want) {
			t.Errorf("%d.%d: %v", tt.major, tt.minor, err)
		}
		if tt.want != nil && (len(f.log) != 2 || !strings.Contains(err.Error(), "0.11 to 0.14")) {
			t.Errorf("%d.%d: exchanges %x, %q", tt.major, tt.minor, f.log, err)
		}
	}
}

func TestCan(t *testing.T) {
	const v12, v14 = 12, 14
	root := make([]byte, 32)
	deep := make([]uint32, 11)
	for _, tt := range []struct {
		name   string
		change func(*fake)
		r      card.SignRequest
		want   error
	}{
		{"ecdsa", func(f *fake) {}, card.SignRequest{}, nil},
		{"taproot", func(f *fake) {}, card.SignRequest{Scheme: card.SchnorrKeyPath}, nil},
		{"taproot on 0.12", func(f *fake) { f.statusReply[1] = v12 }, card.SignRequest{Scheme: card.SchnorrKeyPath}, card.ErrNotSupported},
		{"merkle root", func(f *fake) {}, card.SignRequest{Scheme: card.SchnorrKeyPath, MerkleRoot: root}, card.ErrNotSupported},
		{"merkle root on a later card", func(f *fake) { f.statusReply[3] = 4 }, card.SignRequest{Scheme: card.SchnorrKeyPath, MerkleRoot: root}, card.ErrNotSupported},
		{"script path", func(f *fake) {}, card.SignRequest{Scheme: card.SchnorrScriptPath}, card.ErrNotSupported},
		{"unknown scheme", func(f *fake) {}, card.SignRequest{Scheme: 9}, card.ErrNotSupported},
		{"too deep", func(f *fake) {}, card.SignRequest{Path: deep}, card.ErrNotSupported},
		{"second device", func(f *fake) { f.statusReply[8] = 1 }, card.SignRequest{}, card.ErrTwoFactor},
		{"schnorr switched off", func(f *fake) { f.statusReply = append(f.statusReply, 0, 1, 0, 0) }, card.SignRequest{Scheme: card.SchnorrKeyPath}, card.ErrNotSupported},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFake(t)
			tt.change(f)
			d := loginFake(t, f)
			at := len(f.log)
			if err := d.Can(tt.r); !errors.Is(err, tt.want) {
				t.Errorf("%v", err)
			}
			if tt.want == nil {
				return
			}
			if sigs, err := d.SignDigests(context.Background(), []card.SignRequest{tt.r}, nil); !errors.Is(err, tt.want) || len(sigs) > 0 || len(f.log) != at {
				t.Errorf("signing: %v, exchanges %x", err, f.log[at:])
			}
		})
	}
}

func TestPINIsNotSentInAnImpossibleLength(t *testing.T) {
	f := newFake(t)
	d := openFake(t, f)
	for _, pin := range []string{"", "123", "12345678901234567"} {
		at := len(f.log)
		if err := d.VerifyPIN(context.Background(), pinOf(t, pin)); err == nil || len(f.log) != at {
			t.Errorf("%d characters: %v, exchanges %x", len(pin), err, f.log[at:])
		}
	}
}

func TestPINLeavesNoTrace(t *testing.T) {
	f := newFake(t)
	f.pin = "9753186420864213"
	d := loginFake(t, f)
	if d.link.channel.scratch != [maxSealed]byte{} {
		t.Errorf("scratch buffer holds %x", d.link.channel.scratch)
	}
}

// TestWrongPIN counts down, and tells what the card tells.
func TestWrongPIN(t *testing.T) {
	f := newFake(t)
	f.tries = 2
	d := openFake(t, f)
	ctx := context.Background()
	if err := d.VerifyPIN(ctx, pinOf(t, "0000")); err != (card.WrongPINError{Left: 1}) {
		t.Error(err)
	}
	if err := d.VerifyPIN(ctx, pinOf(t, "0000")); err != (card.WrongPINError{Left: 0}) {
		t.Error(err)
	}
	if d.Info().State != card.StatePINBlocked {
		t.Errorf("%+v", d.Info())
	}
}

// TestOutcomeUnknown: the card goes away, or answers nonsense, with the PIN.
func TestOutcomeUnknown(t *testing.T) {
	for _, tt := range []struct {
		name  string
		reply []byte
		err   error
		also  error
	}{
		{"removed", nil, card.ErrRemoved, card.ErrRemoved},
		{"reader gone", nil, card.ErrReaderGone, card.ErrReaderGone},
		{"given up", nil, context.Canceled, context.Canceled},
		{"nonsense", []byte{1}, nil, card.ErrBadReply},
		{"data", []byte{1, 2, 3, 0x90, 0}, nil, card.ErrBadReply},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFake(t)
			d := openFake(t, f)
			f.wire = func(int, []byte) ([]byte, error) { return tt.reply, tt.err }
			err := d.VerifyPIN(context.Background(), pinOf(t, "1234"))
			if !errors.Is(err, card.ErrOutcomeUnknown) || !errors.Is(err, tt.also) {
				t.Error(err)
			}
		})
	}
}

// TestContext: once it is over nothing is sent, and a PIN that was not sent is
// no unknown outcome.
func TestContext(t *testing.T) {
	f := newFake(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Open(ctx, f, f.random); !errors.Is(err, context.Canceled) || len(f.log) > 0 {
		t.Errorf("open: %v", err)
	}
	d := openFake(t, f)
	at := len(f.log)
	if err := d.VerifyPIN(ctx, pinOf(t, "1234")); !errors.Is(err, context.Canceled) || errors.Is(err, card.ErrOutcomeUnknown) || len(f.log) != at {
		t.Errorf("PIN: %v", err)
	}
	if err := d.VerifyPIN(context.Background(), pinOf(t, "1234")); err != nil {
		t.Errorf("the card is as usable as before: %v", err)
	}
	// Cancelled in the middle: what was made comes back.
	requests := []card.SignRequest{f.request(t, card.ECDSA, 1, h), f.request(t, card.ECDSA, 2, h), f.request(t, card.ECDSA, 3, h)}
	ctx, cancel = context.WithCancel(context.Background())
	defer cancel()
	sigs, err := d.SignDigests(ctx, requests, func(n int) {
		if n == 2 {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) || len(sigs) != 2 {
		t.Fatalf("%d signatures, %v", len(sigs), err)
	}
	for i, sig := range sigs {
		if !checkSignature(t, requests[i], sig) {
			t.Errorf("signature %d", i)
		}
	}
}

// TestEveryStatusWord of the protocol page ends in a sentence, whatever was
// asked, and the words that package card has a condition for carry it.
func TestEveryStatusWord(t *testing.T) {
	words := []uint16{
		0x63C0, 0x63C5, 0x6700, 0x6A82, 0x6D00, 0x6E00, 0x6F00, 0x9C01, 0x9C02, 0x9C03, 0x9C04, 0x9C05, 0x9C06, 0x9C07, 0x9C09,
		0x9C0B, 0x9C0C, 0x9C0E, 0x9C0F, 0x9C10, 0x9C11, 0x9C13, 0x9C14, 0x9C15, 0x9C17, 0x9C18, 0x9C19, 0x9C1A, 0x9C1E, 0x9C1F,
		0x9C20, 0x9C21, 0x9C22, 0x9C23, 0x9C26, 0x9C32, 0x9C33, 0x9C34, 0x9C35, 0x9C40, 0x9C43, 0x9C48, 0x9C49, 0x9CFF,
		0xFF00, 0xFF01, 0xFF02, 0xFF03, 0xFF04, 0xFFFF,
	}
	conditions := map[uint16]error{
		0x9C04: card.ErrNotSetUp, 0x9C06: card.ErrPINNeeded, 0x9C0B: card.ErrTwoFactor, 0x9C0C: card.ErrBlocked, 0x9C14: card.ErrNoSeed,
		0x6D00: card.ErrNotSupported,
	}
	for _, w := range words {
		err := refusal("testing", apdu.SW(w))
		var status card.StatusError
		if !errors.As(err, &status) || status.SW != w {
			t.Errorf("%04X: %v is not that status", w, err)
		}
		if err.Error() == status.Error() {
			t.Errorf("%04X has no sentence of its own: %v", w, err)
		}
		if want := conditions[w]; want != nil && !errors.Is(err, want) {
			t.Errorf("%04X is not %v", w, want)
		}
		// And through the driver, in answer to each command.
		for _, ins := range []byte{insExtendedKey, insSignHash, insTweak, insSignSchnorr, insExportAuthKey, insVerifyPIN} {
			f := newFake(t)
			d := loginFake(t, f)
			f.answer = map[byte]apdu.SW{ins: apdu.SW(w)}
			if err := useAll(d, f, t); err == nil || err.Error() == "" {
				t.Errorf("%04X to %02X: %v", w, ins, err)
			}
		}
		for _, ins := range []byte{insSetup, insImportSeed, insLabel, insCertificate, insChallenge, insChangePIN, insResetSeed, insUnblockPIN} {
			f := newFake(t)
			f.answer = map[byte]apdu.SW{ins: apdu.SW(w)}
			if err := aLife(t, f, nil); err == nil || strings.Contains(err.Error(), "The card refused while") {
				t.Errorf("%04X to %02X: %v", w, ins, err)
			}
		}
	}
	if err := refusal("testing", 0x1234); err.Error() != "The card refused while testing (status 1234)." {
		t.Error(err)
	}
}

// useAll uses everything a logged-in card does and returns the first error.
func useAll(d *driver, f *fake, t testing.TB) error {
	ctx := context.Background()
	if _, err := d.SignDigests(ctx, []card.SignRequest{
		f.request(t, card.ECDSA, 1, h+84, h, h, 0, 1),
		f.request(t, card.SchnorrKeyPath, 2, h+86, h, h, 0, 1),
	}, nil); err != nil {
		return err
	}
	return d.VerifyPIN(ctx, pinOf(t, "1234"))
}
