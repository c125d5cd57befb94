package satochip

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"io"
	"strconv"
	"strings"
	"testing"

	"github.com/btcsuite/btcd/btcec/v2/ecdsa"
	"github.com/btcsuite/btcd/btcec/v2/schnorr"

	"github.com/airlock-signer/airlock/reader/apdu"
	"github.com/airlock-signer/airlock/reader/card"
)

// openOnTape opens the driver on a tape of SELECT, GET STATUS, the opening of
// the session before and then the session itself from its own opening on. What
// comes before that in the session is left out.
func openOnTape(t *testing.T, rec recording, name string) (*driver, *tape) {
	t.Helper()
	var before, s session
	for i := range rec.Sessions {
		if rec.Sessions[i].Name == name {
			before, s = rec.Sessions[i-1], rec.Sessions[i]
		}
	}
	if name == "after-factory-reset" {
		before = rec.session(t, "reset-seed")
	}
	isOpening := func(e recorded) bool { return e.text("card_ephemeral") != "" }
	var first recorded
	for _, e := range before.Exchanges {
		if isOpening(e) {
			first = e
		}
	}
	status := recorded{Note: "GET STATUS, a card in use", C: "b03c0000", R: "000c000605030000000101019000"}
	if strings.HasPrefix(rec.session(t, "pin-blocked").Exchanges[8].R, "000e") {
		status.R = "000e000105030000000101019000"
	}
	tp := &tape{t: t, exchanges: []recorded{s.Exchanges[0], status, first}}
	start := len(s.Exchanges)
	for i, e := range s.Exchanges {
		if isOpening(e) {
			start = i
			break
		}
	}
	tp.exchanges = append(tp.exchanges, s.Exchanges[start:]...)
	random := io.MultiReader(
		bytes.NewReader(unhex(t, before.HostRandom[first.Rand[0]].Hex)),
		s.random(t),
	)
	c, err := Open(context.Background(), tp, random)
	if err != nil {
		t.Fatal(err)
	}
	d := driverOf(t, c)
	if got := hex.EncodeToString(d.Info().Identity); got != rec.Secrets.Authentikey {
		t.Fatalf("identity %s", got)
	}
	return d, tp
}

// loginOnTape sends the PIN and takes the identity as proven: the recorded host
// asked for the authentikey in other sessions.
func loginOnTape(t *testing.T, d *driver, pin string) {
	t.Helper()
	sw, _, err := d.link.verifyPIN(context.Background(), pinOf(t, pin))
	if err != nil || sw != apdu.OK {
		t.Fatal(sw, err)
	}
	d.in = true
}

func parsePath(t testing.TB, s string) []uint32 {
	t.Helper()
	path := []uint32{}
	for _, level := range strings.Split(s, "/")[1:] {
		n, err := strconv.ParseUint(strings.TrimSuffix(level, "h"), 10, 31)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(level, "h") {
			n |= 1 << 31
		}
		path = append(path, uint32(n))
	}
	return path
}

func bothRecordings(t *testing.T, f func(t *testing.T, rec recording)) {
	for _, name := range []string{"satochip-0.12.json", "satochip-0.14.json"} {
		t.Run(name, func(t *testing.T) { f(t, loadRecording(t, name)) })
	}
}

func TestCardGivesRecordedAccounts(t *testing.T) {
	bothRecordings(t, func(t *testing.T, rec recording) {
		d, tp := openOnTape(t, rec, "xpubs")
		loginOnTape(t, d, rec.Secrets.PIN)
		var asked int
		for _, p := range []string{"m", "m/84h/0h/0h", "m/49h/0h/0h", "m/44h/0h/0h", "m/86h/0h/0h", "m/48h/0h/0h/2h"} {
			x, err := d.ExtendedKey(context.Background(), parsePath(t, p))
			if err != nil {
				t.Fatalf("%s: %v", p, err)
			}
			for _, want := range rec.Expected.Xpubs {
				if want.Path != p {
					continue
				}
				asked++
				if hex.EncodeToString(x.PubKey[:]) != want.Pubkey || hex.EncodeToString(x.ChainCode[:]) != want.ChainCode ||
					hex.EncodeToString(x.ParentFingerprint[:]) != want.ParentFingerprint {
					t.Errorf("%s: %+v, want %+v", p, x, want)
				}
			}
			at := tp.pos
			if again, err := d.ExtendedKey(context.Background(), parsePath(t, p)); err != nil || again.PubKey != x.PubKey || tp.pos != at {
				t.Errorf("%s: asked the card again", p)
			}
		}
		if asked < 5 {
			t.Errorf("only %d of the keys are in the file", asked)
		}
		if m, _ := d.know(context.Background(), nil); hex.EncodeToString(bytesOf(m.fingerprint())) != rec.Expected.MasterFingerprint {
			t.Error("master fingerprint")
		}
	})
}

func bytesOf(b [4]byte) []byte { return b[:] }

// requestOf makes the request that the recorded exchange answered.
func requestOf(t *testing.T, path, pubkey string, digest []byte, scheme card.Scheme) card.SignRequest {
	return card.SignRequest{Path: parsePath(t, path), PubKey: [33]byte(unhex(t, pubkey)), Digest: [32]byte(digest), Scheme: scheme}
}

// TestCardSignsAsRecorded signs the recorded digests in one batch: derivations
// only where the key changes.
func TestCardSignsAsRecorded(t *testing.T) {
	bothRecordings(t, func(t *testing.T, rec recording) {
		d, tp := openOnTape(t, rec, "sign-ecdsa")
		loginOnTape(t, d, rec.Secrets.PIN)
		var requests []card.SignRequest
		var answers []recorded
		for _, e := range tp.exchanges {
			if strings.HasPrefix(e.PlainC, "b07aff0020") {
				requests = append(requests, requestOf(t, e.text("path"), e.text("pubkey"), unhex(t, e.text("digest")), card.ECDSA))
				answers = append(answers, e)
			}
		}
		made := 0
		sigs, err := d.SignDigests(context.Background(), requests, func(n int) { made = n })
		if err != nil || made != len(requests) || len(requests) < 10 {
			t.Fatalf("%d of %d: %v", made, len(requests), err)
		}
		for i, sig := range sigs {
			if hex.EncodeToString(sig)+"9000" != answers[i].PlainR {
				t.Errorf("%s: %x", answers[i].Note, sig)
			}
			s, err := ecdsa.ParseDERSignature(sig)
			if err != nil {
				t.Fatal(err)
			}
			key := mustKey(t, requests[i].PubKey[:])
			if !s.Verify(requests[i].Digest[:], key) {
				t.Errorf("%s: does not verify", answers[i].Note)
			}
		}
	})
}

func TestCardSignsTaprootAsRecorded(t *testing.T) {
	rec := loadRecording(t, "satochip-0.14.json")
	d, tp := openOnTape(t, rec, "sign-schnorr")
	loginOnTape(t, d, rec.Secrets.PIN)
	// The tape signs once before any tweak: derive, be refused, go on.
	if _, err := d.derive(context.Background(), parsePath(t, "m/86h/0h/0h/0/0")); err != nil {
		t.Fatal(err)
	}
	if _, err := d.link.signSchnorr(context.Background(), [32]byte(unhex(t, rec.Secrets.Digests["1"]))); err == nil {
		t.Fatal("signed before any tweak")
	}
	d.last = nil // and it derives the same key again
	keys := map[string]string{}
	var path string
	var requests []card.SignRequest
	var want []recorded
	for _, e := range tp.exchanges {
		if p := e.text("path"); p != "" {
			path = p
		}
		if k := e.text("pubkey"); len(k) == 66 {
			keys[path] = k
		}
		if strings.HasPrefix(e.PlainC, "b07bff0020") && e.text("output_key") != "" {
			if e.Expect["trap"] != nil {
				break
			}
			requests = append(requests, requestOf(t, path, keys[path], unhex(t, e.text("digest")), card.SchnorrKeyPath))
			want = append(want, e)
		}
	}
	sigs, err := d.SignDigests(context.Background(), requests, nil)
	if err != nil || len(sigs) != 4 {
		t.Fatalf("%d signatures: %v", len(sigs), err)
	}
	for i, sig := range sigs {
		s, err := schnorr.ParseSignature(sig)
		if err != nil {
			t.Fatal(err)
		}
		key, err := schnorr.ParsePubKey(unhex(t, want[i].text("output_key")))
		if err != nil || !s.Verify(requests[i].Digest[:], key) {
			t.Errorf("%s: does not verify", want[i].Note)
		}
	}
	// The trap: a second signature without a new tweak is wrong; the driver's own
	// next signature starts with one.
	if _, err := d.link.signSchnorr(context.Background(), [32]byte(unhex(t, rec.Secrets.Digests["5"]))); err != nil {
		t.Fatal(err)
	}
	again := requests[3]
	again.Digest = [32]byte(unhex(t, rec.Secrets.Digests["5"]))
	sigs, err = d.SignDigests(context.Background(), []card.SignRequest{again}, nil)
	if err != nil {
		t.Fatal(err)
	}
	s, _ := schnorr.ParseSignature(sigs[0])
	key, _ := schnorr.ParsePubKey(unhex(t, want[3].text("output_key")))
	if !s.Verify(again.Digest[:], key) {
		t.Error("the signature after the trap does not verify")
	}
}

// TestCardLogsInAsRecorded logs in and proves the identity, the driver's whole
// login, on a card that has just been set up; then it has no key, then it has.
func TestCardLogsInAsRecorded(t *testing.T) {
	bothRecordings(t, func(t *testing.T, rec recording) {
		ctx := context.Background()
		d, tp := openOnTape(t, rec, "after-factory-reset")
		d.link.random = rec.session(t, "after-factory-reset").random(t)
		_, _ = io.CopyN(io.Discard, d.link.random, 32+16+16) // opening, and SETUP's PIN 1 and PUK 1
		d.link.channel.random = d.link.random
		play := func() {
			plain := unhex(t, tp.exchanges[tp.pos].PlainC)
			inner := apdu.Command{CLA: plain[0], INS: plain[1], P1: plain[2], P2: plain[3]}
			if len(plain) > 4 {
				inner.Data = plain[5:]
			}
			if _, sw, err := d.link.sealed(ctx, inner); err != nil || sw != apdu.OK {
				t.Fatal(sw, err)
			}
		}
		play() // SETUP
		if err := d.VerifyPIN(ctx, pinOf(t, "1234")); err != nil {
			t.Fatal(err)
		}
		play() // GET LABEL
		if _, err := d.ExtendedKey(ctx, nil); !errors.Is(err, card.ErrNoSeed) {
			t.Fatalf("no seed: %v", err)
		}
		play() // IMPORT SEED
		last := tp.exchanges[len(tp.exchanges)-1]
		sigs, err := d.SignDigests(ctx, []card.SignRequest{
			requestOf(t, last.text("path"), last.text("pubkey"), unhex(t, last.text("digest")), card.ECDSA),
		}, nil)
		if err != nil || hex.EncodeToString(sigs[0])+"9000" != last.PlainR || tp.pos != len(tp.exchanges) {
			t.Fatalf("%x %v", sigs, err)
		}
	})
}

func TestCardCountsTriesAsRecorded(t *testing.T) {
	bothRecordings(t, func(t *testing.T, rec recording) {
		ctx := context.Background()
		d, tp := openOnTape(t, rec, "pin-blocked")
		for left := 4; left >= 0; left-- {
			err := d.VerifyPIN(ctx, pinOf(t, "0000"))
			if err != (card.WrongPINError{Left: left}) || d.Info().PINTries != left {
				t.Fatalf("%v, %d in Info", err, d.Info().PINTries)
			}
		}
		at := tp.pos
		if err := d.VerifyPIN(ctx, pinOf(t, "567890")); !errors.Is(err, card.ErrBlocked) || tp.pos != at {
			t.Fatalf("a PIN to a blocked card: %v, %d exchanges", err, tp.pos-at)
		}
		// The card's own word for it, where the driver had not known.
		d.info.State = card.StateReady
		if err := d.VerifyPIN(ctx, pinOf(t, "567890")); !errors.Is(err, card.ErrBlocked) || tp.pos != at+1 {
			t.Fatalf("blocked: %v", err)
		}
		info, err := d.Refresh(ctx)
		if err != nil || info.State != card.StatePINBlocked || info.PUKTries != 3 {
			t.Fatalf("%+v %v", info, err)
		}
	})
}
