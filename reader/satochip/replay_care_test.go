package satochip

import (
	"context"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/btcsuite/btcd/btcec/v2"

	"github.com/airlock-signer/airlock/reader/apdu"
	"github.com/airlock-signer/airlock/reader/card"
	"github.com/airlock-signer/airlock/reader/secret"
)

// next is the exchange after the one to be played.
func (p *player) next() recorded {
	if at := p.tape.pos + 1; at < len(p.session.Exchanges) {
		return p.session.Exchanges[at]
	}
	return recorded{}
}

// draws is how many random numbers the driver's own command takes.
func (p *player) draws(plain []byte) int {
	switch {
	case plain[1] == insSetup && len(codes(plain[5:])) > 0:
		return 3
	case plain[1] == insChallenge && len(plain) == 5+challengeSize:
		return 2
	}
	return 1
}

// codes are PIN 0 and PUK 0 in the data of SETUP, nil where the driver would
// not send such ones.
func codes(data []byte) [][]byte {
	c := apdu.NewCursor(data)
	c.LV()
	c.Take(2)
	pin, puk := c.LV(), c.LV()
	if len(pin) < minPINSize || len(puk) < minPINSize {
		return nil
	}
	return [][]byte{pin, puk}
}

// care plays a command of set-up and care by the function that the driver has
// for it; false where it would not send such a one.
func (p *player) care(e recorded, inner apdu.Command, isOK bool) bool {
	ctx := context.Background()
	buffer := func(b []byte) *secret.Buffer { return pinOf(p.t, string(b)) }
	var sw apdu.SW
	var sent bool
	var err error
	switch c := apdu.NewCursor(inner.Data); {
	case inner.INS == insSetup && codes(inner.Data) != nil:
		pair := codes(inner.Data)
		sw, sent, err = p.link.setup(ctx, buffer(pair[0]), buffer(pair[1]))
	case inner.INS == insChangePIN && !strings.Contains(e.Note, "3 characters"):
		sw, sent, err = p.link.changePIN(ctx, buffer(c.LV()), buffer(c.LV()))
	case inner.INS == insUnblockPIN:
		sw, sent, err = p.link.unblockPIN(ctx, buffer(inner.Data))
	case inner.INS == insResetSeed:
		sw, sent, err = p.link.resetSeed(ctx, buffer(inner.Data))
	case inner.INS == insImportSeed:
		var key *btcec.PublicKey
		key, sw, sent, err = p.link.importSeed(ctx, buffer(inner.Data))
		if isOK && (key == nil || !key.IsEqual(p.authentikey)) {
			p.t.Errorf("%s: authentikey %v", e.Note, key)
		}
	default:
		return p.careOf12(e, inner, isOK)
	}
	p.cares[inner.INS]++
	if want := e.PlainR[len(e.PlainR)-4:]; err != nil || !sent || !strings.EqualFold(sw.String(), want) {
		p.t.Errorf("%s: %s %v, want %s", e.Note, sw, err, want)
	}
	return true
}

// careOf12 is what came with 0.12.
func (p *player) careOf12(e recorded, inner apdu.Command, isOK bool) bool {
	ctx := context.Background()
	var err error
	switch {
	case inner.INS == insLabel && inner.P2 == 1:
		var label string
		label, err = p.link.label(ctx)
		if isOK && hex.EncodeToString([]byte(label))+"9000" != e.PlainR[2:] {
			p.t.Errorf("%s: %q", e.Note, label)
		}
	case inner.INS == insLabel && len(inner.Data) <= maxLabel+1:
		err = p.link.setLabel(ctx, string(inner.Data[1:]))
	case inner.INS == insCertificate && inner.P2 == 1:
		var der []byte
		der, err = p.link.certificate(ctx)
		if der != nil {
			p.t.Errorf("%s: %x", e.Note, der)
		}
	case inner.INS == insChallenge && len(inner.Data) == challengeSize:
		err = p.link.challenge(ctx, p.authentikey)
	default:
		return false
	}
	p.cares[inner.INS]++
	if isOK != (err == nil) {
		p.t.Errorf("%s: %v", e.Note, err)
	}
	return true
}

func (p *player) resetStep() {
	e := p.next()
	left, err := ResetStep(context.Background(), p.tape)
	p.cares[insFactoryReset]++
	if strings.HasPrefix(e.R, "ff0") && (err != nil || left != int(e.R[3]-'0')) {
		p.t.Errorf("%s: %d %v", e.Note, left, err)
	}
}

// onTape opens the driver on a session with another status, and puts a status
// in after each exchange with one of the notes: the recorded host did not ask
// where the driver does.
func onTape(t *testing.T, rec recording, name, status string, after ...string) (*driver12, *tape) {
	t.Helper()
	version := "000c0006"
	if strings.HasPrefix(rec.session(t, "pin-blocked").Exchanges[8].R, "000e") {
		version = "000e0001"
	}
	d, tp := openOnTape(t, rec, name)
	s, err := parseStatus(unhex(t, version+status))
	if err != nil {
		t.Fatal(err)
	}
	d.setStatus(s)
	var with []recorded
	for _, e := range tp.exchanges {
		with = append(with, e)
		for i := 0; i+1 < len(after); i += 2 {
			if strings.HasPrefix(e.Note, after[i]) && strings.HasSuffix(e.R, "9000") {
				with = append(with, recorded{Note: "GET STATUS, put in", C: "b03c0000", R: version + after[i+1] + "9000"})
			}
		}
	}
	tp.exchanges = with
	return &driver12{driver: d, vendors: vendorKeys()}, tp
}

// TestCardIsSetUpAsRecorded: the driver's own set-up, its first login and the
// empty name of a card that came out of a factory reset.
func TestCardIsSetUpAsRecorded(t *testing.T) {
	bothRecordings(t, func(t *testing.T, rec recording) {
		ctx := context.Background()
		d, tp := onTape(t, rec, "after-factory-reset", "0000000000000001", "SETUP", "0503010100000101")
		if err := d.VerifyPIN(ctx, pinOf(t, "1234")); !errors.Is(err, card.ErrNotSetUp) {
			t.Fatalf("a PIN before SETUP: %v", err)
		}
		if err := d.Setup(ctx, pinOf(t, "1234"), pinOf(t, "87654321")); err != nil {
			t.Fatal(err)
		}
		if i := d.Info(); i.State != card.StateNoSeed || i.PINTries != 5 || i.PUKTries != 3 {
			t.Errorf("%+v", i)
		}
		at := tp.pos
		if err := d.Setup(ctx, pinOf(t, "1234"), pinOf(t, "87654321")); !errors.Is(err, card.ErrSetUpBefore) || tp.pos != at {
			t.Errorf("a second time: %v", err)
		}
		if err := d.VerifyPIN(ctx, pinOf(t, "1234")); err != nil {
			t.Fatal(err)
		}
		if label, err := d.Label(ctx); label != "" || err != nil {
			t.Errorf("%q %v", label, err)
		}
	})
}

func TestCardChangesItsPINAsRecorded(t *testing.T) {
	bothRecordings(t, func(t *testing.T, rec recording) {
		ctx := context.Background()
		d, tp := onTape(t, rec, "change-pin", "0503010100010101", "CHANGE PIN 1234", "0503010100010101")
		loginOnTape(t, d.driver, "1234")
		if err := d.ChangePIN(ctx, pinOf(t, "9999"), pinOf(t, "567890")); err != (card.WrongPINError{Left: 4}) {
			t.Fatal(err)
		}
		if d.in || d.Info().PINTries != 4 {
			t.Errorf("after a wrong PIN: %v %d", d.in, d.Info().PINTries)
		}
		loginOnTape(t, d.driver, "1234")
		if err := d.ChangePIN(ctx, pinOf(t, "1234"), pinOf(t, "567890")); err != nil {
			t.Fatal(err)
		}
		at := tp.pos
		if _, err := d.Label(ctx); !errors.Is(err, card.ErrPINNeeded) || tp.pos != at || d.Info().PINTries != 5 {
			t.Errorf("changing the PIN logs out: %v", err)
		}
		d.in = true // the card says the same
		if _, err := d.Label(ctx); !errors.Is(err, card.ErrPINNeeded) || tp.pos != at+1 || d.in {
			t.Errorf("changing the PIN logs out: %v", err)
		}
		if err := d.VerifyPIN(ctx, pinOf(t, "1234")); err != (card.WrongPINError{Left: 4}) {
			t.Error(err)
		}
		loginOnTape(t, d.driver, "567890")
	})
}

func TestCardIsUnblockedAsRecorded(t *testing.T) {
	bothRecordings(t, func(t *testing.T, rec recording) {
		ctx := context.Background()
		d, _ := onTape(t, rec, "pin-blocked", "0503010100010101", "UNBLOCK PIN, right PUK", "0503010100010101")
		if err := d.Unblock(ctx, pinOf(t, "87654321"), nil); !errors.Is(err, card.ErrPINNotBlocked) {
			t.Errorf("not blocked yet: %v", err)
		}
		for range 5 {
			_ = d.VerifyPIN(ctx, pinOf(t, "0000"))
		}
		d.info.State = card.StateReady
		if err := d.VerifyPIN(ctx, pinOf(t, "567890")); !errors.Is(err, card.ErrBlocked) {
			t.Fatal(err)
		}
		if i, err := d.Refresh(ctx); err != nil || i.State != card.StatePINBlocked {
			t.Fatalf("%+v %v", i, err)
		}
		if err := d.Unblock(ctx, pinOf(t, "00000000"), nil); err != (card.WrongPUKError{Left: 2}) || d.Info().PUKTries != 2 {
			t.Fatal(err)
		}
		if err := d.Unblock(ctx, pinOf(t, "87654321"), nil); err != nil {
			t.Fatal(err)
		}
		if i := d.Info(); i.State != card.StateReady || i.PINTries != 5 || i.PUKTries != 3 || d.in {
			t.Errorf("%+v", i)
		}
	})
}

func TestCardBlocksItsPUKAsRecorded(t *testing.T) {
	bothRecordings(t, func(t *testing.T, rec recording) {
		ctx := context.Background()
		d, tp := onTape(t, rec, "puk-blocked", "0503010100010101")
		for range 5 {
			_ = d.VerifyPIN(ctx, pinOf(t, "0000"))
		}
		for left := 2; left >= 0; left-- {
			if err := d.Unblock(ctx, pinOf(t, "00000000"), nil); err != (card.WrongPUKError{Left: left}) {
				t.Fatal(err)
			}
		}
		at := tp.pos
		if err := d.Unblock(ctx, pinOf(t, "87654321"), nil); !errors.Is(err, card.ErrPUKBlocked) || tp.pos != at {
			t.Errorf("a PUK to a card that has blocked it: %v", err)
		}
		d.info.State = card.StatePINBlocked // the card says the same
		if err := d.Unblock(ctx, pinOf(t, "87654321"), nil); !errors.Is(err, card.ErrPUKBlocked) || tp.pos != at+1 {
			t.Error(err)
		}
		if i, err := d.Refresh(ctx); err != nil || i.State != card.StateBlocked {
			t.Errorf("%+v %v", i, err)
		}
	})
}

// TestSeedIsErasedAsRecorded, with a wrong PIN first.
func TestSeedIsErasedAsRecorded(t *testing.T) {
	bothRecordings(t, func(t *testing.T, rec recording) {
		ctx := context.Background()
		d, _ := onTape(t, rec, "reset-seed", "0503010100010101")
		loginOnTape(t, d.driver, "567890")
		if err := d.EraseSeed(ctx, pinOf(t, "0000")); err != (card.WrongPINError{Left: 4}) {
			t.Fatal(err)
		}
		d.in = true
		if err := d.EraseSeed(ctx, pinOf(t, "567890")); err != nil {
			t.Fatal(err)
		}
		if i := d.Info(); i.State != card.StateNoSeed || i.PINTries != 5 || d.in {
			t.Errorf("%+v", i)
		}
	})
}
