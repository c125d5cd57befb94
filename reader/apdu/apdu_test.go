package apdu

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"testing"

	"github.com/airlock-signer/airlock/reader/card"
)

func TestCommand(t *testing.T) {
	for _, tt := range []struct {
		c    Command
		want string
	}{
		{Command{CLA: 0xB0, INS: 0x3C}, "b03c0000"},
		{Command{CLA: 0xB0, INS: 0x6D, P2: 0x40, Data: []byte{}}, "b06d004000"},
		{Command{INS: 0xA4, P1: 4, Data: []byte{1, 2, 3}}, "00a4040003010203"},
	} {
		got, err := tt.c.Bytes()
		if err != nil || hex.EncodeToString(got) != tt.want || len(got) != tt.c.Size() {
			t.Errorf("%x %v, want %s, size %d", got, err, tt.want, tt.c.Size())
		}
	}
	longest, err := Command{Data: make([]byte, MaxData)}.Bytes()
	if err != nil || len(longest) != 260 || longest[4] != 255 {
		t.Errorf("%d bytes, %v", len(longest), err)
	}
	if _, err := (Command{Data: make([]byte, MaxData+1)}).Bytes(); err == nil {
		t.Error("256 bytes of data")
	}
}

// TestAppendToStaysInTheBuffer: a secret is nowhere but where it can be wiped.
func TestAppendToStaysInTheBuffer(t *testing.T) {
	buffer := make([]byte, 0, 16)
	got, err := Command{CLA: 1, Data: []byte{9, 9}}.AppendTo(buffer)
	if err != nil || &got[0] != &buffer[:1][0] {
		t.Error("moved")
	}
}

func TestSplit(t *testing.T) {
	for _, tt := range []struct {
		reply []byte
		data  int
		sw    SW
		bad   bool
	}{
		{nil, 0, 0, true},
		{[]byte{0x90}, 0, 0, true},
		{[]byte{0x90, 0}, 0, OK, false},
		{[]byte{7, 0x63, 0xC4}, 1, 0x63C4, false},
		{append(make([]byte, 256), 0x90, 0), 256, OK, false},
		{append(make([]byte, 257), 0x90, 0), 0, 0, true},
	} {
		data, sw, err := Split(tt.reply)
		if len(data) != tt.data || sw != tt.sw || errors.Is(err, card.ErrBadReply) != tt.bad {
			t.Errorf("%d bytes: %d %s %v", len(tt.reply), len(data), sw, err)
		}
	}
}

func TestStatusWord(t *testing.T) {
	if left, ok := SW(0x63C3).TriesLeft(); !ok || left != 3 {
		t.Error(left, ok)
	}
	if _, ok := SW(0x6300).TriesLeft(); ok {
		t.Error("6300 counts nothing")
	}
	if SW(0x9C0C).String() != "9C0C" || SW(0x63).String() != "0063" {
		t.Error("hex")
	}
}

type replies struct {
	reply []byte
	err   error
	sent  int
}

func (r *replies) Transmit(context.Context, []byte) ([]byte, error) {
	r.sent++
	return r.reply, r.err
}
func (r *replies) Close() error { return nil }

func TestExchange(t *testing.T) {
	r := &replies{reply: []byte{1, 0x90, 0}}
	data, sw, err := Exchange(context.Background(), r, []byte{0, 0, 0, 0})
	if !bytes.Equal(data, []byte{1}) || sw != OK || err != nil {
		t.Error(data, sw, err)
	}
	r.err = card.ErrRemoved
	if _, _, err := Exchange(context.Background(), r, nil); err != error(card.ErrRemoved) {
		t.Errorf("changed on the way: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, _, err := Exchange(ctx, r, nil); err != context.Canceled || r.sent != 2 {
		t.Errorf("sent after the end: %v", err)
	}
}

func TestCursor(t *testing.T) {
	c := NewCursor([]byte{5, 2, 0xA, 0xB, 0, 1, 0xC, 0xD})
	if c.Byte() != 5 || !bytes.Equal(c.LV(), []byte{0xA, 0xB}) || !bytes.Equal(c.LV2(), []byte{0xC}) {
		t.Error("fields")
	}
	if len(c.Read()) != 7 || c.Left() != 1 {
		t.Error("position")
	}
	if !errors.Is(c.End(), card.ErrBadReply) {
		t.Error("one byte is left over")
	}
	for name, read := range map[string]func(*Cursor) []byte{
		"take":      func(c *Cursor) []byte { return c.Take(4) },
		"negative":  func(c *Cursor) []byte { return c.Take(-1) },
		"LV":        (*Cursor).LV,
		"LV2":       (*Cursor).LV2,
		"after bad": func(c *Cursor) []byte { c.Take(9); return c.Take(1) },
	} {
		c := NewCursor([]byte{9, 9, 9})
		if read(c) != nil || !errors.Is(c.End(), card.ErrBadReply) {
			t.Errorf("%s of three bytes", name)
		}
	}
	if c := NewCursor(nil); c.Byte() != 0 || c.End() == nil {
		t.Error("a byte of nothing")
	}
	if NewCursor(nil).End() != nil {
		t.Error("nothing is all of nothing")
	}
}

func FuzzCursor(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3}, []byte{0, 1, 2, 3})
	f.Add([]byte{0xFF, 0xFF, 0}, []byte{2, 1})
	f.Fuzz(func(t *testing.T, data, steps []byte) {
		c := NewCursor(data)
		read := 0
		for _, s := range steps {
			switch s % 4 {
			case 0:
				read += len(c.Take(int(s)))
			case 1:
				c.Byte()
			case 2:
				read += len(c.LV())
			case 3:
				read += len(c.LV2())
			}
		}
		if read > len(data) || len(c.Read())+c.Left() != len(data) {
			t.Errorf("read %d of %d bytes, %d left", read, len(data), c.Left())
		}
	})
}
