package reader_test

import (
	"context"
	"crypto/rand"
	"errors"
	"testing"

	"github.com/airlock-signer/airlock/reader"
	"github.com/airlock-signer/airlock/reader/card"
	"github.com/airlock-signer/airlock/reader/pcsctest"
	"github.com/airlock-signer/airlock/reader/secret"
	"github.com/airlock-signer/airlock/reader/simcard"
)

// serve plays a card into the reader until pull is called.
func serve(t *testing.T, s *pcsctest.Service, c simcard.Card) (pull func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = simcard.ServeVPCD(ctx, s.CardAddr(), c, nil) // ends as ctx does, or with a card pulled
	}()
	t.Cleanup(cancel)
	return func() {
		cancel()
		<-ended
	}
}

// TestSatochipThroughPCSC: the driver and the software Satochip over the real
// pcscd and scard: identity, a wrong PIN, the right one, a key; and the same
// card again after it was pulled out.
func TestSatochipThroughPCSC(t *testing.T) {
	s := pcsctest.New(t)
	s.Start()
	b := newPCSC(t)
	w := watch(t, b)
	twin, err := simcard.NewSatochip(simcard.Demo(simcard.Satochip012, "Daily"))
	if err != nil {
		t.Fatal(err)
	}
	pull := serve(t, s, twin)
	w.until("the card", filled)
	c := openCard(t, b)
	first := c.Info()
	if first.Make != "Satochip" || first.State != card.StateReady || card.IdentityCode(first.Identity) == "" {
		t.Fatalf("%+v", first)
	}
	var wrong card.WrongPINError
	if err := c.VerifyPIN(within(t), pin(t, "9999")); !errors.As(err, &wrong) || wrong.Left != first.PINTries-1 {
		t.Fatalf("wrong PIN: %v", err)
	}
	if err := c.VerifyPIN(within(t), pin(t, simcard.DemoPIN)); err != nil {
		t.Fatal(err)
	}
	key, err := c.ExtendedKey(within(t), []uint32{84 | 1<<31, 1 << 31, 1 << 31})
	if err != nil || key.PubKey == [33]byte{} {
		t.Fatalf("%+v, %v", key, err)
	}

	pull()
	if _, err := c.ExtendedKey(within(t), nil); !card.Gone(err) {
		t.Errorf("a card that was pulled says %v", err)
	}
	_ = c.Close() // the card is gone
	w.until("the reader empty", empty)
	serve(t, s, twin)
	w.until("the card again", filled)
	c = openCard(t, b)
	defer c.Close()
	if again := c.Info(); string(again.Identity) != string(first.Identity) {
		t.Error("the same card has another identity")
	}
	if _, err := c.ExtendedKey(within(t), nil); !errors.Is(err, card.ErrPINNeeded) {
		t.Errorf("a card that was out is logged in: %v", err)
	}
}

func openCard(t *testing.T, b reader.Backend) card.Card {
	t.Helper()
	tr, err := b.Connect(within(t), pcsctest.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c, err := reader.Open(within(t), tr, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func pin(t *testing.T, digits string) *secret.Buffer {
	t.Helper()
	b, err := secret.New(16)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Release)
	if err := b.Append([]byte(digits)...); err != nil {
		t.Fatal(err)
	}
	return b
}
