package main

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/airlock-signer/airlock/reader"
	"github.com/airlock-signer/airlock/reader/card"
	"github.com/airlock-signer/airlock/reader/simcard"
)

// demoSatochip is the demo card, changed.
func demoSatochip(t *testing.T, version string, change func(*simcard.SatochipOptions)) simcard.Card {
	t.Helper()
	o := simcard.Demo(version, "Daily")
	if change != nil {
		change(&o)
	}
	c, err := simcard.NewSatochip(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// stranger is a card of no make that the station knows.
type stranger struct{}

func (stranger) ATR() []byte            { return []byte{0x3B, 0x00} }
func (stranger) Reset()                 {}
func (stranger) Transmit([]byte) []byte { return []byte{0x6D, 0x00} }

// mute is a card that was put in the wrong way up.
type mute struct{ stranger }

func (mute) ATR() []byte { return nil }

// seedKeeper answers to its own name alone.
type seedKeeper struct{ stranger }

func (seedKeeper) Transmit(apdu []byte) []byte {
	if bytes.HasSuffix(apdu, []byte("SeedKeeper")) {
		return []byte{0, 2, 0, 1, 5, 3, 0, 0, 0, 1, 1, 1, 0, 0x90, 0}
	}
	return []byte{0x6A, 0x82}
}

// future is a Satochip of a version that nobody knows yet.
type future struct{ stranger }

func (future) Transmit(apdu []byte) []byte {
	switch {
	case bytes.HasSuffix(apdu, []byte("SatoChip")):
		return []byte{0x90, 0}
	case apdu[1] == 0x3C:
		return []byte{1, 0, 0, 0, 5, 3, 0, 0, 0, 1, 1, 1, 0x90, 0}
	}
	return []byte{0x6A, 0x82}
}

// TestCards: each state of readers and cards, and the sentence for each trouble.
func TestCards(t *testing.T) {
	const hostile = "Evil\x1b[2Jreader"
	for _, tc := range []struct {
		name   string
		set    func(r *simcard.Readers)
		status int
		want   []string // in this order
	}{
		{"no service", func(r *simcard.Readers) { r.ServiceDown() }, 1, []string{card.ErrNoService.Sentence}},
		{"no reader", func(r *simcard.Readers) { _ = r.Unplug("One") }, 1, []string{card.ErrNoReader.Sentence}},
		{"no card", func(*simcard.Readers) {}, 1, []string{"Reader 1: One (SIMULATED)\n", errNoCard.Sentence}},
		{"unknown card", func(r *simcard.Readers) { _ = r.Insert("One", stranger{}) }, 1, []string{"One", card.ErrUnknownCard.Sentence}},
		{"mute", func(r *simcard.Readers) { _ = r.Insert("One", mute{}) }, 1, []string{"One", card.ErrNoResponse.Sentence}},
		{"in use", func(r *simcard.Readers) {
			_ = r.Insert("One", demoSatochip(t, simcard.Satochip012, nil))
			_ = r.SetInUse("One", true)
		}, 1, []string{"One", card.ErrInUse.Sentence}},
		{"ready", func(r *simcard.Readers) { _ = r.Insert("One", demoSatochip(t, simcard.Satochip012, nil)) }, 0,
			[]string{"Card: Satochip 0.12", "State: The card is set up", "Tries left: PIN 5, PUK 3", "Identity code: ", "printed plan"}},
		{"wrong PINs before", func(r *simcard.Readers) {
			_ = r.Insert("One", demoSatochip(t, simcard.Satochip012, func(o *simcard.SatochipOptions) { o.WrongPINs = 3 }))
		}, 0, []string{"Tries left: PIN 2, PUK 3"}},
		{"blocked", func(r *simcard.Readers) {
			_ = r.Insert("One", demoSatochip(t, simcard.Satochip012, func(o *simcard.SatochipOptions) { o.WrongPINs = 5 }))
		}, 0, []string{"State: " + card.ErrBlocked.Sentence, "PIN 0"}},
		{"never set up", func(r *simcard.Readers) {
			c, err := simcard.NewSatochip(simcard.SatochipOptions{Version: simcard.Satochip012})
			if err != nil {
				t.Fatal(err)
			}
			_ = r.Insert("One", c)
		}, 0, []string{"State: " + card.ErrNotSetUp.Sentence, "Set it up"}},
		{"no seed", func(r *simcard.Readers) {
			_ = r.Insert("One", demoSatochip(t, simcard.Satochip012, func(o *simcard.SatochipOptions) { o.Seed = nil }))
		}, 0, []string{"State: " + card.ErrNoSeed.Sentence}},
		{"two factors", func(r *simcard.Readers) {
			_ = r.Insert("One", demoSatochip(t, simcard.Satochip012, func(o *simcard.SatochipOptions) { o.TwoFactor = true }))
		}, 0, []string{"State: " + card.ErrTwoFactor.Sentence, "Signs: nothing"}},
		{"PIN and PUK blocked", func(r *simcard.Readers) {
			_ = r.Insert("One", demoSatochip(t, simcard.Satochip012, func(o *simcard.SatochipOptions) { o.WrongPINs, o.WrongPUKs = 5, 3 }))
		}, 0, []string{"State: " + card.ErrPUKBlocked.Sentence, "PIN 0, PUK 0"}},
		{"SeedKeeper", func(r *simcard.Readers) { _ = r.Insert("One", seedKeeper{}) }, 1,
			[]string{"Card: SeedKeeper 0.2", card.ErrSeedKeeper.Sentence}},
		{"too new", func(r *simcard.Readers) { _ = r.Insert("One", future{}) }, 1,
			[]string{"Card: Satochip 1.0", card.ErrTooNew.Sentence}},
		{"shared identity", func(r *simcard.Readers) { _ = r.Insert("One", demoSatochip(t, simcard.Satochip011, nil)) }, 0,
			[]string{"Card: Satochip 0.11", "all cards with this seed share it"}},
		{"two readers, one with a hostile name", func(r *simcard.Readers) {
			_ = r.Insert("One", demoSatochip(t, simcard.Satochip014, nil))
			r.Plug(hostile)
		}, 1, []string{`Reader 1: Evil\u{1B}[2Jreader`, errNoCard.Sentence, "Reader 2: One", "Satochip 0.14"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := simcard.NewReaders("One")
			tc.set(r)
			var out bytes.Buffer
			if got := listCards(context.Background(), r, 50*time.Millisecond, false, &out, &out); got != tc.status {
				t.Errorf("status %d, want %d", got, tc.status)
			}
			rest := out.String()
			for _, want := range tc.want {
				_, after, found := strings.Cut(rest, want)
				if !found {
					t.Fatalf("%q is not (there) in\n%s", want, out.String())
				}
				rest = after
			}
			if strings.ContainsRune(out.String(), 0x1B) {
				t.Errorf("an escape got out: %q", out.String())
			}
			// Whatever was found, the card is free again.
			if c, err := r.Connect(context.Background(), "One"); err == nil {
				c.Close()
			} else if err == card.ErrInUse && tc.name != "in use" {
				t.Error("the card was not released")
			}
		})
	}
}

// counting counts what is sent to a card, and whether a PIN was among it.
type counting struct {
	simcard.Card
	sent *[][]byte
}

func (c counting) Transmit(apdu []byte) []byte {
	*c.sent = append(*c.sent, bytes.Clone(apdu))
	return c.Card.Transmit(apdu)
}

// TestCardsSendsNoPIN: the command asks for status and identity alone. The PIN
// would go through the secure channel (instruction 82), so none of those.
func TestCardsSendsNoPIN(t *testing.T) {
	var sent [][]byte
	r := simcard.NewReaders("One")
	if err := r.Insert("One", counting{demoSatochip(t, simcard.Satochip014, nil), &sent}); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if status := listCards(context.Background(), r, time.Second, false, &out, &out); status != 0 || len(sent) == 0 {
		t.Fatalf("status %d after %d commands\n%s", status, len(sent), out.String())
	}
	for _, apdu := range sent {
		if apdu[1] == 0x42 || apdu[1] == 0x82 {
			t.Errorf("sent %x", apdu[:4])
		}
	}
}

// hung is a service that says nothing at all.
type hung struct{ reader.Backend }

func (hung) Watch(ctx context.Context, _ func(reader.Snapshot)) error {
	<-ctx.Done()
	return ctx.Err()
}

func TestCardsWithAServiceThatHangs(t *testing.T) {
	var out, errs bytes.Buffer
	if status := listCards(context.Background(), hung{}, time.Millisecond, false, &out, &errs); status != 1 || !strings.Contains(errs.String(), card.ErrNoService.Sentence) {
		t.Errorf("status %d, %q", status, errs.String())
	}
}

func TestCardsArguments(t *testing.T) {
	for _, tc := range []struct {
		arg    string
		status int
	}{{"--help", 0}, {"--pin=1234", 2}, {"reader", 2}, {"--json=", 2}} {
		var out bytes.Buffer
		if got := runCards([]string{tc.arg}, nil, &out, &out); got != tc.status || !strings.HasPrefix(out.String(), "usage: airlock cards") {
			t.Errorf("%s: status %d, %q", tc.arg, got, out.String())
		}
	}
}
