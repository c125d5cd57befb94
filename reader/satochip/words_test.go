package satochip_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/airlock-signer/airlock/reader"
	"github.com/airlock-signer/airlock/reader/card"
	"github.com/airlock-signer/airlock/reader/satochip"
	"github.com/airlock-signer/airlock/reader/simcard"
)

// A wordCase brings the software card to answer with a status word.
type wordCase struct {
	sw      uint16
	options func(*simcard.SatochipOptions) // nil: the demo card, logged in
	say     func(p *satochip.Probe) error
}

var pinBytes = []byte(simcard.DemoPIN)

func blank(o *simcard.SatochipOptions) { *o = simcard.SatochipOptions{Version: o.Version} }

func wordCases() []wordCase {
	sealed := func(ins, p1, p2 byte, data ...byte) func(*satochip.Probe) error {
		return func(p *satochip.Probe) error { return p.Sealed(ins, p1, p2, data...) }
	}
	pin := func(ins byte, pin string) func(*satochip.Probe) error { return sealed(ins, 0, 0, []byte(pin)...) }
	importKey := func(head ...byte) func(*satochip.Probe) error {
		return sealed(0x32, 3, 0, append(head, make([]byte, 40)...)...)
	}
	withOptions := func(c wordCase, change func(*simcard.SatochipOptions)) wordCase {
		c.options = change
		return c
	}
	hash := make([]byte, 32)
	cases := []wordCase{
		{sw: 0x63C4, say: pin(0x42, "0000")},
		{sw: 0x6700, say: sealed(0x7A, 0xFF, 0, hash[:31]...)},
		{sw: 0x6A82, say: func(p *satochip.Probe) error { return p.Clear(0, 0xA4, 4, 0, 2, 1, 2) }},
		{sw: 0x6D00, say: sealed(0x11, 0, 0)},
		{sw: 0x6E00, say: func(p *satochip.Probe) error { return p.Clear(0x80, 0x3C, 0, 0) }},
		{sw: 0x6F00, say: sealed(0x7A, 0xFF, 0, hash...)},
		{sw: 0x9C01, say: sealed(0x6D, 2, 0x40, 0x80, 0, 0, 1, 0x80, 0, 0, 2)},
		{sw: 0x9C03, say: pin(0x46, simcard.DemoPUK)},
		{sw: 0x9C05, say: importKey(1, 0x0C, 1, 0)},
		{sw: 0x9C07, say: sealed(0x2A, 0, 0, 1)},
		{sw: 0x9C09, say: importKey(0, 0x0D, 1, 0)},
		{sw: 0x9C0F, say: pin(0x42, "123")},
		{sw: 0x9C10, say: sealed(0x6D, 11, 0x40, make([]byte, 44)...)},
		{sw: 0x9C11, say: sealed(0x42, 0, 1, pinBytes...)},
		{sw: 0x9C13, say: sealed(0x6E, 0xFF, 2, 0, 0)},
		{sw: 0x9C17, say: sealed(0x6C, 16, 0, hash[:16]...)},
		{sw: 0x9C19, say: sealed(0x78, 0, 0, hash[:20]...)},
		{sw: 0x9C1F, say: (*satochip.Probe).Long},
		{sw: 0x9C20, say: func(p *satochip.Probe) error { return p.Clear(0xB0, 0x60, 0, 0) }},
		{sw: 0x9C21, say: func(p *satochip.Probe) error {
			if err := p.Clear([]byte("\x00\xA4\x04\x00\x08SatoChip")...); err != nil {
				return err
			}
			return p.Sealed(0x60, 0, 0)
		}},
		{sw: 0x9C22, say: func(p *satochip.Probe) error { p.Count(1); return p.Sealed(0x60, 0, 0) }},
		{sw: 0x9C23, say: func(p *satochip.Probe) error { p.Forge(); return p.Sealed(0x60, 0, 0) }},
		{sw: 0x9C26, say: sealed(0x72, 0, 0)},
		{sw: 0x9C35, say: sealed(0xAB, 0, 0)},
		{sw: 0xFFFF, say: func(p *satochip.Probe) error { return p.Clear(0xB0, 0xFF, 0, 0) }},
	}
	return append(cases,
		withOptions(wordCase{sw: 0x9C04, say: sealed(0x3D, 0, 1)}, blank),
		withOptions(wordCase{sw: 0x9C0B, say: sealed(0x7A, 0xFF, 0, append(append(hash, 0x80, 0), hash[:20]...)...)},
			func(o *simcard.SatochipOptions) { o.TwoFactor = true }),
		withOptions(wordCase{sw: 0x9C18, say: sealed(0x79, 0, 0, hash[:28]...)},
			func(o *simcard.SatochipOptions) { o.TwoFactor = true }),
		withOptions(wordCase{sw: 0x9C06, say: func(p *satochip.Probe) error {
			if err := p.Sealed(0x60, 0, 0); err != nil {
				return err
			}
			return p.Sealed(0xAD, 0, 0)
		}}, nil),
		withOptions(wordCase{sw: 0x9C0C, say: pin(0x42, simcard.DemoPIN)}, func(o *simcard.SatochipOptions) { o.WrongPINs = 5 }),
		withOptions(wordCase{sw: 0x9C14, say: sealed(0x6D, 0, 0x40)}, func(o *simcard.SatochipOptions) { o.Seed = nil }),
	)
}

// notPlayed are the words that the software card has no reason to say, with the
// reason; it is made to say them (simcard.Replace).
var notPlayed = map[uint16]string{
	0x9C02: "applets before 0.11, which have no channel",
	0x9C0E: "a key that BIP32 does not have: one in 2^127",
	0x9C15: "transaction parsing for the second factor is not played",
	0x9C1A: "no published command that the software card plays answers it",
	0x9C1E: "the applet's own HMAC keys are never too long",
	0x9C32: "import from a SeedKeeper is not played",
	0x9C33: "import from a SeedKeeper is not played",
	0x9C34: "import from a SeedKeeper is not played",
	0x9C40: "the vendor's commands are not played",
	0x9C43: "a tweak out of range: one in 2^128",
	0x9C48: "policies of later applets",
	0x9C49: "policies of later applets",
	0x9CFF: "internal",
}

// resetWords are answered to the factory reset (TestWholeLife counts them down).
var resetWords = []uint16{0xFF00, 0xFF01, 0xFF02, 0xFF03, 0xFF04}

// TestEveryStatusWordOfTheSoftwareCard of the protocol page ends in a sentence,
// and no word of the page is left out here.
func TestEveryStatusWordOfTheSoftwareCard(t *testing.T) {
	seen := map[uint16]bool{}
	for _, tc := range wordCases() {
		t.Run(fmt.Sprintf("%04X", tc.sw), func(t *testing.T) {
			seen[tc.sw] = true
			o := simcard.Demo(simcard.Satochip012, "words")
			o.NodeSlots = 1
			if tc.options != nil {
				tc.options(&o)
			}
			s, err := simcard.NewSatochip(o)
			if err != nil {
				t.Fatal(err)
			}
			p, err := satochip.NewProbe(wire{s}, rand.Reader)
			if err != nil {
				t.Fatal(err)
			}
			_ = p.Sealed(0x42, 0, 0, pinBytes...) // refused by some of these cards
			isSentence(t, tc.sw, tc.say(p))
		})
	}
	for sw, why := range notPlayed {
		t.Run(fmt.Sprintf("%04X", sw), func(t *testing.T) {
			seen[sw] = true
			isSentence(t, sw, made(t, sw))
			t.Log("made to say it:", why)
		})
	}
	for _, sw := range satochip.StatusWords() {
		if !seen[sw] && !slices.Contains(resetWords, sw) {
			t.Errorf("%04X is not produced", sw)
		}
	}
}

// made has the demo card answer a public key with the word, through the driver.
func made(t *testing.T, sw uint16) error {
	s, err := simcard.NewSatochip(simcard.Demo(simcard.Satochip012, "words"))
	if err != nil {
		t.Fatal(err)
	}
	// SELECT, GET STATUS, two openings, VERIFY PIN, EXPORT AUTHENTIKEY, and then.
	f := simcard.WithFaults(s, simcard.Replace(7, []byte{byte(sw >> 8), byte(sw)}))
	c, err := reader.Open(context.Background(), faultyWire{f}, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.VerifyPIN(context.Background(), buffer(t, pinBytes)); err != nil {
		t.Fatal(err)
	}
	_, err = c.ExtendedKey(context.Background(), nil)
	return err
}

// faultyWire is a software card with faults as a transport.
type faultyWire struct{ card *simcard.Faulty }

func (w faultyWire) Transmit(_ context.Context, apdu []byte) ([]byte, error) {
	reply := w.card.Transmit(apdu)
	if reply == nil {
		return nil, card.ErrRemoved
	}
	return reply, nil
}

func (w faultyWire) Close() error { w.card.Reset(); return nil }

// isSentence wants the word, and more than the word.
func isSentence(t *testing.T, sw uint16, err error) {
	t.Helper()
	var status card.StatusError
	if !errors.As(err, &status) || status.SW != sw {
		t.Fatalf("%v, want status %04X", err, sw)
	}
	text := err.Error()
	if text == status.Error() || !strings.Contains(text, ". (") || len(strings.Fields(text)) < 8 {
		t.Errorf("no sentence: %q", text)
	}
}
