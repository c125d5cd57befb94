package reader

import (
	"context"
	"errors"
	"testing"

	"github.com/airlock-signer/airlock/reader/card"
)

// answers gives the same reply to each INS, 6D00 to all others.
type answers struct {
	byAID map[string][]byte // to SELECT of that name
	byINS map[byte][]byte
	sent  []byte
	err   error
}

func (a *answers) Transmit(_ context.Context, command []byte) ([]byte, error) {
	a.sent = append(a.sent, command[1])
	if a.err != nil {
		return nil, a.err
	}
	if len(command) > 5 && command[1] == 0xA4 && a.byAID[string(command[5:])] != nil {
		return a.byAID[string(command[5:])], nil
	}
	if reply, ok := a.byINS[command[1]]; ok {
		return reply, nil
	}
	return []byte{0x6D, 0}, nil
}

func (a *answers) Close() error { return nil }

var seedKeeperStatus = []byte{0, 2, 0, 1, 5, 3, 0, 0, 0, 1, 1, 1, 0, 0x90, 0}

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
		{"a SeedKeeper", answers{byAID: map[string][]byte{"SeedKeeper": seedKeeperStatus}, byINS: map[byte][]byte{sel: {0x6A, 0x82}}}, card.ErrSeedKeeper},
		{"a SeedKeeper that was selected before", answers{byAID: map[string][]byte{"SeedKeeper": seedKeeperStatus},
			byINS: map[byte][]byte{sel: ok, status: seedKeeperStatus}}, card.ErrSeedKeeper},
		{"an old Satochip that says 9000 to any name", answers{byAID: map[string][]byte{"SeedKeeper": ok},
			byINS: map[byte][]byte{sel: ok, status: {0, 10, 0, 4, 5, 3, 5, 3, 0, 1, 1, 0x90, 0}}}, card.ErrTooOld},
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

// TestResetStep: FACTORY RESET is the only command after SELECT, and each
// answer is told apart.
func TestResetStep(t *testing.T) {
	const sel, reset = 0xA4, 0xFF
	ok := []byte{0x90, 0}
	says := func(reply ...byte) answers { return answers{byINS: map[byte][]byte{sel: ok, reset: reply}} }
	for _, tt := range []struct {
		name string
		card answers
		left int
		want error
	}{
		{"first", says(0xFF, 4), 4, nil},
		{"fourth", says(0xFF, 1), 1, nil},
		{"done", says(0xFF, 0), 0, nil},
		{"interrupted", says(0xFF, 0xFF), 0, card.ErrResetInterrupted},
		{"more than five", says(0xFF, 5), 0, card.StatusError{Doing: "resetting it", SW: 0xFF05}},
		{"no such command", says(0x6D, 0), 0, card.ErrNotSupported},
		{"wants the channel", says(0x9C, 0x20), 0, card.ErrNotSupported},
		{"a bare 9000", says(0x90, 0), 0, card.ErrBadReply},
		{"data", says(1, 0xFF, 4), 0, card.ErrBadReply},
		{"half a status word", says(0xFF), 0, card.ErrBadReply},
		{"another make", answers{byINS: map[byte][]byte{sel: {0x6A, 0x82}}}, 0, card.ErrUnknownCard},
		{"gone", answers{err: card.ErrRemoved}, 0, card.ErrRemoved},
	} {
		left, err := ResetStep(context.Background(), &tt.card)
		if left != tt.left || !errors.Is(err, tt.want) || (err != nil && err.Error() == "") {
			t.Errorf("%s: %d %v", tt.name, left, err)
		}
		if sent := tt.card.sent; tt.want == nil && (len(sent) != 2 || sent[0] != sel || sent[1] != reset) {
			t.Errorf("%s: sent %x", tt.name, sent)
		}
	}
	if got := ResetMakes(); len(got) != 1 || got[0] != "Satochip" {
		t.Errorf("makes with a reset: %v", got)
	}
}
