package satochip_test

import (
	"context"
	"crypto/rand"
	"testing"

	"github.com/airlock-signer/airlock/reader"
	"github.com/airlock-signer/airlock/reader/card"
	"github.com/airlock-signer/airlock/reader/simcard"
)

// cost is what something takes in exchanges with the card, as doc.go lists it.
type cost struct {
	what string
	want int
	do   func(s *station) error
}

// station is one sitting with a software card.
type station struct {
	testing.TB
	card *simcard.Satochip
	c    card.Card
}

func newStation(t testing.TB, o simcard.SatochipOptions) *station {
	t.Helper()
	s, err := simcard.NewSatochip(o)
	if err != nil {
		t.Fatal(err)
	}
	return &station{TB: t, card: s}
}

func (s *station) sign(scheme card.Scheme, indexes ...uint32) error {
	var requests []card.SignRequest
	for _, i := range indexes {
		requests = append(requests, softwareRequest(s, scheme, i))
	}
	_, err := s.c.SignDigests(context.Background(), requests, nil)
	return err
}

func (s *station) key(path ...uint32) error {
	_, err := s.c.ExtendedKey(context.Background(), path)
	return err
}

// costs of a sitting, in order.
func costs() []cost {
	ctx := context.Background()
	return []cost{
		{"identify", 4, func(s *station) (err error) { s.c, err = reader.Open(ctx, wire{s.card}, rand.Reader); return err }},
		{"unlock", 2, func(s *station) error { return s.c.VerifyPIN(ctx, buffer(s, pinBytes)) }},
		{"master-key", 1, func(s *station) error { return s.key() }},
		{"account-key", 2, func(s *station) error { return s.key(hard+84, hard, hard) }},
		{"next-account-key", 1, func(s *station) error { return s.key(hard+84, hard, hard+1) }},
		{"account-key-again", 0, func(s *station) error { return s.key(hard+84, hard, hard) }},
		{"ecdsa-input", 2, func(s *station) error { return s.sign(card.ECDSA, 0) }},
		{"ecdsa-input-same-key", 1, func(s *station) error { return s.sign(card.ECDSA, 0) }},
		{"taproot-input", 3, func(s *station) error { return s.sign(card.SchnorrKeyPath, 1) }},
		{"taproot-input-same-key", 2, func(s *station) error { return s.sign(card.SchnorrKeyPath, 1) }},
		{"ten-ecdsa-inputs-of-three-keys", 3 + 10, func(s *station) error { return s.sign(card.ECDSA, 2, 2, 2, 2, 3, 3, 3, 4, 4, 4) }},
		{"label", 1, func(s *station) error { _, err := s.c.(card.Labeler).Label(ctx); return err }},
		{"attest-without-certificate", 2, func(s *station) error { _, err := s.c.(card.Attester).Attest(ctx); return err }},
		{"log-out", 1, func(s *station) error { return s.c.Logout(ctx) }},
		{"unlock-again", 2, func(s *station) error { return s.c.VerifyPIN(ctx, buffer(s, pinBytes)) }},
		{"change-pin", 1, func(s *station) error {
			return s.c.(card.PINChanger).ChangePIN(ctx, buffer(s, pinBytes), buffer(s, pinBytes))
		}},
		{"wrong-pin", 1, func(s *station) error {
			if err := s.c.VerifyPIN(ctx, buffer(s, []byte("0000"))); err != (card.WrongPINError{Left: 4}) {
				return err
			}
			return nil
		}},
		{"unlock-after-wrong-pin", 3, func(s *station) error { return s.c.VerifyPIN(ctx, buffer(s, pinBytes)) }},
		{"erase-seed", 2, func(s *station) error { return s.c.(card.SeedEraser).EraseSeed(ctx, buffer(s, pinBytes)) }},
	}
}

// newCardCosts are those of a new card.
func newCardCosts() []cost {
	ctx := context.Background()
	return []cost{
		costs()[0],
		{"set-up", 2, func(s *station) error {
			return s.c.(card.Initializer).Setup(ctx, buffer(s, pinBytes), buffer(s, []byte(simcard.DemoPUK)))
		}},
		costs()[1],
		{"load-seed-and-prove", 2, func(s *station) error {
			return s.c.(card.SeedLoader).LoadSeed(ctx, buffer(s, simcard.DemoSeed()))
		}},
		{"master-key-after-load", 0, func(s *station) error { return s.key() }},
	}
}

// count does all of it and tells what each took.
func count(s *station, all []cost, tell func(c cost, got int)) {
	s.Helper()
	for _, c := range all {
		at := len(s.card.Log())
		if err := c.do(s); err != nil {
			s.Fatalf("%s: %v", c.what, err)
		}
		tell(c, len(s.card.Log())-at)
	}
}

// TestExchangesAreCounted by the card itself.
func TestExchangesAreCounted(t *testing.T) {
	check := func(c cost, got int) {
		if got != c.want {
			t.Errorf("%s takes %d exchanges, want %d", c.what, got, c.want)
		}
	}
	count(newStation(t, simcard.Demo(simcard.Satochip014, "count")), costs(), check)
	count(newStation(t, simcard.SatochipOptions{Version: simcard.Satochip014}), newCardCosts(), check)
}

// BenchmarkExchanges reports how many exchanges each thing takes, which is what
// a person waits for. There is nothing else to measure: a software card's times
// say nothing of a card's.
func BenchmarkExchanges(b *testing.B) {
	report := func(c cost, got int) {
		b.Run(c.what, func(b *testing.B) {
			b.ReportMetric(0, "ns/op") // leaves it out
			b.ReportMetric(float64(got), "exchanges")
		})
	}
	count(newStation(b, simcard.Demo(simcard.Satochip014, "bench")), costs(), report)
	count(newStation(b, simcard.SatochipOptions{Version: simcard.Satochip014}), newCardCosts(), func(c cost, got int) {
		if c.what == "set-up" || c.what == "load-seed-and-prove" {
			report(c, got)
		}
	})
}
