package satochip

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcec/v2/ecdsa"
	"github.com/btcsuite/btcd/btcec/v2/schnorr"

	"github.com/airlock-signer/airlock/reader/apdu"
	"github.com/airlock-signer/airlock/reader/secret"
)

func (p *player) checkECDSA(e recorded, sig []byte, err error) {
	if err != nil {
		p.t.Fatalf("%s: %v", e.Note, err)
	}
	s, err := parseDER(sig)
	if err != nil {
		p.t.Fatal(err)
	}
	key, err := btcec.ParsePubKey(unhex(p.t, e.text("pubkey")))
	if err != nil {
		p.t.Fatal(err)
	}
	r, sv := s.R(), s.S()
	rb, sb := r.Bytes(), sv.Bytes()
	if hex.EncodeToString(rb[:]) != e.text("r") || hex.EncodeToString(sb[:]) != e.text("s") || sv.IsOverHalfOrder() != e.Expect["high_s"] {
		p.t.Errorf("%s: r %x s %x", e.Note, rb, sb)
	}
	if sv.IsOverHalfOrder() {
		sv.Negate()
	}
	low := sv.Bytes()
	digest := unhex(p.t, e.text("digest"))
	if hex.EncodeToString(low[:]) != e.text("s_low") || !ecdsa.NewSignature(&r, &sv).Verify(digest, key) || !s.Verify(digest, key) {
		p.t.Errorf("%s: does not verify", e.Note)
	}
	p.signatures++
}

// tweak: the driver asks for no merkle root; a tweak with one is the trap that
// checkTweak must not let through.
func (p *player) tweak(e recorded, inner apdu.Command) {
	internal, err := schnorr.ParsePubKey(unhex(p.t, e.text("internal_key")))
	if err != nil {
		p.t.Fatal(err)
	}
	if bytes.Equal(inner.Data, append([]byte{32}, make([]byte, 32)...)) {
		if err := p.link.tweak(context.Background(), internal, p.authentikey); err != nil {
			p.t.Errorf("%s: %v", e.Note, err)
		}
		return
	}
	reply, err := p.link.ask(context.Background(), "testing", inner, true)
	if err != nil {
		p.t.Fatal(err)
	}
	err = checkTweak(reply, internal, p.authentikey)
	if e.Expect["is_bip341"] == true || err == nil || !strings.Contains(err.Error(), "BIP341") {
		p.t.Errorf("%s: %v", e.Note, err)
	}
	if got := hex.EncodeToString(reply[3:35]); got != e.text("output_key") || got == e.text("bip341_output_key") {
		p.t.Errorf("%s: output key %s", e.Note, got)
	}
}

func (p *player) checkSchnorr(e recorded, sig []byte, err error) {
	if err != nil {
		p.t.Fatalf("%s: %v", e.Note, err)
	}
	key, err := schnorr.ParsePubKey(unhex(p.t, e.text("output_key")))
	if err != nil {
		p.t.Fatal(err)
	}
	s, err := schnorr.ParseSignature(sig)
	if err != nil {
		p.t.Fatal(err)
	}
	if s.Verify(unhex(p.t, e.text("digest")), key) != (e.Expect["verified"] == true) {
		p.t.Errorf("%s: verifies otherwise than recorded", e.Note)
	}
	p.signatures++
}

// other plays a command that the driver does not make, and checks what came
// back through the channel.
func (p *player) other(e recorded, inner apdu.Command, isOK bool) {
	if inner.Size() > maxInner {
		if _, err := p.link.channel.seal(inner); !errors.Is(err, errInnerTooLong) {
			p.t.Errorf("%s: %v", e.Note, err)
		}
		// What the card says to it is still played.
		p.link.channel.counter += 2
		if _, err := io.CopyN(io.Discard, p.random, ivRandom); err != nil {
			p.t.Fatal(err)
		}
		p.raw(e)
		return
	}
	data, sw, err := p.link.sealed(context.Background(), inner)
	if err != nil {
		p.t.Fatalf("%s: %v", e.Note, err)
	}
	if got := hex.EncodeToString(data) + strings.ToLower(sw.String()); got != e.PlainR {
		p.t.Errorf("%s: %s, want %s", e.Note, got, e.PlainR)
	}
	if !isOK {
		if refusal("testing", sw).Error() == "" {
			p.t.Errorf("%s: no sentence", e.Note)
		}
		return
	}
	switch {
	case e.text("label") != "":
		c := apdu.NewCursor(data)
		if label := c.LV(); c.End() != nil || string(label) != e.text("label") {
			p.t.Errorf("label %q", label)
		}
	case inner.INS == insTweak: // P2 = 1 is ignored: as without
		internal, err := schnorr.ParsePubKey(unhex(p.t, e.text("internal_key")))
		if err != nil {
			p.t.Fatal(err)
		}
		if err := checkTweak(data, internal, p.authentikey); err != nil {
			p.t.Errorf("%s: %v", e.Note, err)
		}
	case inner.INS == insSignSchnorr:
		p.checkSchnorr(e, data, nil)
	case e.text("r") != "" && len(data) > 0 && data[0] == 0x30:
		p.checkECDSA(e, data, nil)
	}
}

// pinOf puts a test PIN into a buffer that ends with the test.
func pinOf(t testing.TB, pin string) *secret.Buffer {
	t.Helper()
	b, err := secret.New(64)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Append([]byte(pin)...); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Release)
	return b
}
