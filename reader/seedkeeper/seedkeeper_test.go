package seedkeeper

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"github.com/airlock-signer/airlock/reader/card"
)

// answer is a card that says the same to everything.
type answer struct {
	reply []byte
	err   error
	sent  []byte
}

func (a *answer) Transmit(_ context.Context, command []byte) ([]byte, error) {
	a.sent = command
	return a.reply, a.err
}
func (a *answer) Close() error { return nil }

func TestOpen(t *testing.T) {
	status := []byte{0, 2, 0, 1, 5, 3, 0, 0, 0, 1, 1, 1, 0}
	with := func(sw ...byte) []byte { return append(bytes.Clone(status), sw...) }
	odd := with(0x90, 0)
	odd[9] = 7
	for _, tt := range []struct {
		name  string
		reply []byte
		err   error
		want  error
	}{
		{"a SeedKeeper", with(0x90, 0), nil, card.ErrSeedKeeper},
		{"with a shorter status", append(bytes.Clone(status[:12]), 0x90, 0), nil, card.ErrSeedKeeper},
		{"a bare 9000", []byte{0x90, 0}, nil, card.ErrUnknownCard},
		{"a template", append([]byte{0x6F, 9, 0x84, 7, 1, 2, 3, 4, 5, 6, 7, 8}, 0x90, 0), nil, card.ErrUnknownCard},
		{"flags that are none", odd, nil, card.ErrUnknownCard},
		{"too long", append(make([]byte, 65), 0x90, 0), nil, card.ErrUnknownCard},
		{"no such applet", []byte{0x6A, 0x82}, nil, card.ErrUnknownCard},
		{"a status with an error", with(0x6A, 0x82), nil, card.ErrUnknownCard},
		{"half a status word", []byte{0x90}, nil, card.ErrBadReply},
		{"gone", nil, card.ErrRemoved, card.ErrRemoved},
	} {
		a := &answer{reply: tt.reply, err: tt.err}
		c, err := Open(context.Background(), a, nil)
		if c != nil || !errors.Is(err, tt.want) {
			t.Errorf("%s: %v %v", tt.name, c, err)
		}
		if string(a.sent) != "\x00\xA4\x04\x00\x0ASeedKeeper" {
			t.Errorf("sent %x", a.sent)
		}
	}
	_, err := Open(context.Background(), &answer{reply: with(0x90, 0)}, nil)
	var known *card.RecognisedError
	if !errors.As(err, &known) || known.Make != Make || known.Version != "0.2" || err.Error() != card.ErrSeedKeeper.Sentence {
		t.Errorf("%#v", err)
	}
}

func FuzzOpen(f *testing.F) {
	f.Add([]byte{0, 2, 0, 1, 5, 3, 0, 0, 0, 1, 1, 1, 0, 0x90, 0})
	f.Add([]byte{0x6A, 0x82})
	f.Fuzz(func(t *testing.T, reply []byte) {
		if c, err := Open(context.Background(), &answer{reply: reply}, nil); c != nil || err == nil {
			t.Errorf("opened: %v", c)
		}
	})
}
