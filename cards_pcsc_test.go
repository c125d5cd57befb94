package main

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/airlock-signer/airlock/reader"
	"github.com/airlock-signer/airlock/reader/card"
	"github.com/airlock-signer/airlock/reader/pcsctest"
	"github.com/airlock-signer/airlock/reader/simcard"
)

// TestCardsThroughPCSC: the command on the real pcscd, its service, reader and
// card appearing one after the other.
func TestCardsThroughPCSC(t *testing.T) {
	s := pcsctest.New(t)
	s.Unplug()
	says := func(status int, want string) {
		t.Helper()
		var out bytes.Buffer
		got := listCards(context.Background(), reader.NewPCSC(nil), cardsSettle, false, &out, &out)
		if got != status || !strings.Contains(out.String(), want) {
			t.Errorf("status %d, want %d and %q:\n%s", got, status, want, out.String())
		}
	}
	says(1, card.ErrNoService.Sentence)
	s.Start()
	says(1, card.ErrNoReader.Sentence)
	s.Plug()
	says(1, "Reader 1: "+pcsctest.Reader+"\n  "+errNoCard.Sentence)

	unknown := &pcsctest.Card{ATR: pcsctest.ATRT1(), Answer: func([]byte) []byte { return []byte{0x6A, 0x82} }}
	unknown.Insert(t, s.CardAddr())
	s.UntilLogged("Card inserted", 1)
	says(1, card.ErrUnknownCard.Sentence)
	unknown.Remove()
	s.UntilLogged("Card Removed", 1)

	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	twin := demoSatochip(t, simcard.Satochip012, nil)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = simcard.ServeVPCD(ctx, s.CardAddr(), twin, nil) // until cancel
	}()
	s.UntilLogged("Card inserted", 2)
	says(0, "Card: Satochip 0.12")

	elsewhere, err := reader.NewPCSC(nil).Connect(context.Background(), pcsctest.Reader)
	if err != nil {
		t.Fatal(err)
	}
	says(1, card.ErrInUse.Sentence)
	if err := elsewhere.Close(); err != nil {
		t.Error(err)
	}
	says(0, "Tries left: PIN 5, PUK 3")
	cancel()
	<-ended
}
