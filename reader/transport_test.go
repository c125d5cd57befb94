package reader

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"github.com/airlock-signer/airlock/reader/card"
)

// fakeHandle is a card whose exchanges are made by a function.
type fakeHandle struct {
	answer   func([]byte) ([]byte, error)
	got      []byte // the memory of the last command
	released int
}

func (h *fakeHandle) exchange(apdu []byte) ([]byte, error) {
	h.got = apdu
	return h.answer(apdu)
}
func (h *fakeHandle) release() { h.released++ }

func open(h *fakeHandle) (*transport, chan struct{}) {
	released := make(chan struct{})
	return newTransport(h, func() { close(released) }), released
}

var command = []byte{0xB0, 0x42, 0x00, 0x00, 0x04, '1', '2', '3', '4'}

func TestTransportWipesItsCopy(t *testing.T) {
	h := &fakeHandle{answer: func(a []byte) ([]byte, error) {
		if !bytes.Equal(a, command) {
			t.Errorf("the card got %x", a)
		}
		return []byte{0x90, 0x00}, nil
	}}
	tr, released := open(h)
	mine := bytes.Clone(command)
	if _, err := tr.Transmit(context.Background(), mine); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(mine, command) {
		t.Error("the caller's memory was changed")
	}
	if !bytes.Equal(h.got, make([]byte, len(command))) {
		t.Errorf("the copy was left as %x", h.got)
	}
	if err := errors.Join(tr.Close(), tr.Close()); err != nil {
		t.Error(err)
	}
	<-released
	if h.released != 1 {
		t.Errorf("released %d times", h.released)
	}
	if _, err := tr.Transmit(context.Background(), mine); !errors.Is(err, errReleased) {
		t.Errorf("after Close: %v", err)
	}
}

func TestTransportEndsWithItsContext(t *testing.T) {
	asked, answer := make(chan struct{}), make(chan struct{})
	h := &fakeHandle{answer: func([]byte) ([]byte, error) {
		close(asked)
		<-answer
		return []byte{0x90, 0x00}, nil
	}}
	tr, released := open(h)
	over, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := tr.Transmit(over, command); !errors.Is(err, context.Canceled) || h.got != nil {
		t.Errorf("a context that was over: %v, sent %x", err, h.got)
	}
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		<-asked
		cancel()
	}()
	if _, err := tr.Transmit(ctx, command); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if _, err := tr.Transmit(context.Background(), command); !errors.Is(err, card.ErrNoResponse) {
		t.Errorf("after an exchange of unknown outcome: %v", err)
	}
	if err := tr.Close(); !errors.Is(err, card.ErrNoResponse) {
		t.Errorf("Close of a card that hangs: %v", err)
	}
	close(answer) // the reader lets go after all
	<-released
	if h.released != 1 {
		t.Errorf("released %d times", h.released)
	}
}

func TestTransportIsDeadAfterAnError(t *testing.T) {
	for name, tc := range map[string]struct {
		reply []byte
		err   error
		want  error
	}{
		"removed":      {nil, card.ErrRemoved, card.ErrRemoved},
		"no reply":     {nil, nil, card.ErrBadReply},
		"half a reply": {[]byte{0x90}, nil, card.ErrBadReply},
	} {
		calls := 0
		tr, _ := open(&fakeHandle{answer: func([]byte) ([]byte, error) {
			calls++
			return tc.reply, tc.err
		}})
		for range 2 {
			if _, err := tr.Transmit(context.Background(), command); !errors.Is(err, tc.want) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if calls != 1 {
			t.Errorf("%s: the card was asked %d times", name, calls)
		}
		tr.Close()
	}
}

func TestTransportRefusesWhatIsNoAPDU(t *testing.T) {
	h := &fakeHandle{answer: func([]byte) ([]byte, error) { return []byte{0x90, 0}, nil }}
	tr, _ := open(h)
	defer tr.Close()
	for _, bad := range [][]byte{nil, {1, 2, 3}, make([]byte, maxAPDU+1)} {
		if _, err := tr.Transmit(context.Background(), bad); err == nil || h.got != nil {
			t.Errorf("%d bytes: %v", len(bad), err)
		}
	}
	if _, err := tr.Transmit(context.Background(), command); err != nil {
		t.Errorf("the transport died of it: %v", err)
	}
}

// exchanges is a card that answers each command it expects, in order.
func exchanges(t *testing.T, pairs ...[]byte) func([]byte) ([]byte, error) {
	return func(apdu []byte) ([]byte, error) {
		if len(pairs) == 0 || !bytes.Equal(apdu, pairs[0]) {
			t.Errorf("unexpected %x", apdu)
			return nil, card.ErrRemoved
		}
		reply := pairs[1]
		pairs = pairs[2:]
		return bytes.Clone(reply), nil
	}
}

func TestExchangeT0(t *testing.T) {
	ask := []byte{0xB0, 0x3C, 0, 0}
	long := bytes.Repeat([]byte{7}, 256)
	for name, tc := range map[string]struct {
		pairs [][]byte
		want  []byte
	}{
		"at once":     {[][]byte{ask, {1, 2, 0x90, 0}}, []byte{1, 2, 0x90, 0}},
		"an error":    {[][]byte{ask, {0x6D, 0}}, []byte{0x6D, 0}},
		"two steps":   {[][]byte{ask, {0x61, 3}, {0, 0xC0, 0, 0, 3}, {1, 2, 3, 0x90, 0}}, []byte{1, 2, 3, 0x90, 0}},
		"256 bytes":   {[][]byte{ask, {0x61, 0}, {0, 0xC0, 0, 0, 0}, append(bytes.Clone(long), 0x90, 0)}, append(bytes.Clone(long), 0x90, 0)},
		"three steps": {[][]byte{ask, {0x61, 2}, {0, 0xC0, 0, 0, 2}, {1, 2, 0x61, 1}, {0, 0xC0, 0, 0, 1}, {3, 0x90, 0}}, []byte{1, 2, 3, 0x90, 0}},
		"another Le":  {[][]byte{ask, {0x6C, 4}, {0xB0, 0x3C, 0, 0, 4}, {1, 2, 3, 4, 0x90, 0}}, []byte{1, 2, 3, 4, 0x90, 0}},
		"Le of the rest": {[][]byte{ask, {0x61, 9}, {0, 0xC0, 0, 0, 9}, {0x6C, 1}, {0, 0xC0, 0, 0, 1}, {5, 0x90, 0}},
			[]byte{5, 0x90, 0}},
		"data that looks like it": {[][]byte{ask, {0x61, 3, 0x90, 0}}, []byte{0x61, 3, 0x90, 0}},
	} {
		got, err := exchangeT0(exchanges(t, tc.pairs...), ask)
		if err != nil || !bytes.Equal(got, tc.want) {
			t.Errorf("%s: %x, %v", name, got, err)
		}
	}
	for name, pairs := range map[string][][]byte{
		"one byte":           {ask, {0x90}},
		"one byte of a part": {ask, {0x61, 9}, {0, 0xC0, 0, 0, 9}, {1, 0x90, 0x61, 1}, {0, 0xC0, 0, 0, 1}, {0}},
	} {
		if got, err := exchangeT0(exchanges(t, pairs...), ask); !errors.Is(err, card.ErrBadReply) {
			t.Errorf("%s: %x, %v", name, got, err)
		}
	}
	// A command with data is never sent again: it could count twice (a PIN).
	if got, err := exchangeT0(exchanges(t, command, []byte{0x6C, 4}), command); err != nil || !bytes.Equal(got, []byte{0x6C, 4}) {
		t.Errorf("%x, %v", got, err)
	}
}

// A card that always has more ends as an error.
func TestExchangeT0Endless(t *testing.T) {
	for name, reply := range map[string][]byte{
		"nothing more": {0x61, 0x01},
		"ever more":    append(bytes.Repeat([]byte{1}, 250), 0x61, 0xFF),
		"other length": {0x6C, 0x01},
	} {
		calls := 0
		got, err := exchangeT0(func([]byte) ([]byte, error) { calls++; return bytes.Clone(reply), nil }, []byte{0, 1, 0, 0, 5})
		if calls > 300 || name != "other length" && !errors.Is(err, card.ErrBadReply) {
			t.Errorf("%s: %d exchanges, %x, %v", name, calls, got, err)
		}
	}
}

// FuzzExchangeT0: whatever a card answers, the exchange ends, and the reply is
// no longer than replies are.
func FuzzExchangeT0(f *testing.F) {
	f.Add([]byte{2, 0x61, 3, 5, 1, 2, 3, 0x90, 0})
	f.Add([]byte{2, 0x6C, 4, 2, 0x61, 0, 2, 0x61, 0})
	f.Add([]byte{0, 1, 0x61, 2, 0x90, 0})
	f.Fuzz(func(t *testing.T, script []byte) {
		at := 0
		next := func([]byte) ([]byte, error) {
			if len(script) == 0 {
				return nil, card.ErrRemoved
			}
			n := int(script[at%len(script)])
			at++
			reply := make([]byte, n)
			for i := range reply {
				reply[i] = script[at%len(script)]
				at++
			}
			return reply, nil
		}
		got, err := exchangeT0(next, []byte{0xB0, 0x3C, 0, 0})
		if err == nil && (len(got) > maxReply || len(got) >= 2 && got[len(got)-2] == 0x61) {
			t.Errorf("%d bytes", len(got))
		}
	})
}

func TestContactlessATR(t *testing.T) {
	for _, tc := range []struct {
		atr  []byte
		want bool
	}{
		{[]byte{0x3B, 0x80, 0x80, 0x01, 0x01}, true},
		{[]byte{0x3B, 0x8F, 0x80, 0x01, 0x80}, true},
		{[]byte{0x3B, 0x80, 0x01, 0x81}, false},
		{[]byte{0x3B, 0x80, 0x80}, false},
		{nil, false},
	} {
		if got := contactlessATR(tc.atr); got != tc.want {
			t.Errorf("%x: %v", tc.atr, got)
		}
	}
}
