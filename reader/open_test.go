package reader

import (
	"context"
	"errors"
	"testing"

	"github.com/airlock-signer/airlock/reader/card"
)

// answers gives the same reply to each INS, 6D00 to all others.
type answers struct {
	byINS map[byte][]byte
	sent  []byte
	err   error
}

func (a *answers) Transmit(_ context.Context, command []byte) ([]byte, error) {
	a.sent = append(a.sent, command[1])
	if a.err != nil {
		return nil, a.err
	}
	if reply, ok := a.byINS[command[1]]; ok {
		return reply, nil
	}
	return []byte{0x6D, 0}, nil
}

func (a *answers) Close() error { return nil }

// zeros is a source of random numbers for cards that see none.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestOpenRecognises(t *testing.T) {
	const sel, status = 0xA4, 0x3C
	ok := []byte{0x90, 0}
	for _, tt := range []struct {
		name string
		card answers
		want error
	}{
		{"a card that knows no such applet", answers{byINS: map[byte][]byte{sel: {0x6A, 0x82}}}, card.ErrUnknownCard},
		{"a card without SELECT", answers{}, card.ErrUnknownCard},
		{"a card that says yes to everything", answers{byINS: map[byte][]byte{sel: ok, status: ok}}, card.ErrUnknownCard},
		{"a card that selects, and knows no status", answers{byINS: map[byte][]byte{sel: ok}}, card.ErrUnknownCard},
		{"an applet that describes itself", answers{byINS: map[byte][]byte{sel: {0x6F, 0, 0x90, 0}}}, card.ErrUnknownCard},
		{"an old Satochip", answers{byINS: map[byte][]byte{sel: ok, status: {0, 10, 0, 4, 5, 3, 5, 3, 0, 1, 1, 0x90, 0}}}, card.ErrTooOld},
		{"a Satochip of the future", answers{byINS: map[byte][]byte{sel: ok, status: {1, 0, 0, 0, 5, 3, 0, 0, 0, 1, 1, 1, 0x90, 0}}}, card.ErrTooNew},
		{"no card", answers{err: card.ErrRemoved}, card.ErrRemoved},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := Open(context.Background(), &tt.card, zeros{})
			if c != nil || !errors.Is(err, tt.want) {
				t.Errorf("%v %v", c, err)
			}
			for _, ins := range tt.card.sent {
				if ins != sel && ins != status {
					t.Errorf("sent %02X to a card it does not know", ins)
				}
			}
		})
	}
}
