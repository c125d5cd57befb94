package simcard

import (
	"bytes"
	"testing"
)

var getStatus = []byte{0xB0, 0x3C, 0, 0}

func TestFaults(t *testing.T) {
	whole := []byte{0, 12, 0, 6, 5, 3, 1, 1, 0, 1, 1, 1, 0x90, 0x00}
	flipped := bytes.Clone(whole)
	flipped[9] ^= 1
	lastFlipped := bytes.Clone(whole)
	lastFlipped[13] ^= 1
	pulled := 0
	for name, tc := range map[string]struct {
		fault Fault
		want  [4][]byte // replies to SELECT, GET STATUS three times
	}{
		"none":        {BareOK(9), [4][]byte{{0x90, 0}, whole, whole, whole}},
		"truncate":    {Truncate(3, 5), [4][]byte{{0x90, 0}, whole, whole[:5], whole}},
		"to nothing":  {Truncate(3, 0), [4][]byte{{0x90, 0}, whole, {}, whole}},
		"corrupt":     {Corrupt(2, 9), [4][]byte{{0x90, 0}, flipped, whole, whole}},
		"status word": {Corrupt(2, -1), [4][]byte{{0x90, 0}, lastFlipped, whole, whole}},
		"far off":     {Corrupt(2, 99), [4][]byte{{0x90, 0}, whole, whole, whole}},
		"bare 9000":   {BareOK(2), [4][]byte{{0x90, 0}, {0x90, 0}, whole, whole}},
		"replace":     {Replace(4, []byte{0x6F, 0}), [4][]byte{{0x90, 0}, whole, whole, {0x6F, 0}}},
		"pull":        {PullAfter(2, func() { pulled++ }), [4][]byte{{0x90, 0}, whole, nil, whole}},
		"lose":        {LoseReply(3, func() { pulled++ }), [4][]byte{{0x90, 0}, whole, nil, whole}},
		"swap":        {Swap(3, newSatochip(t, SatochipOptions{})), [4][]byte{{0x90, 0}, whole, {0x6E, 0}, {0x6E, 0}}},
	} {
		inside := newSatochip(t, Demo(Satochip012, "a"))
		c := WithFaults(inside, tc.fault)
		c.Reset()
		for i, command := range [][]byte{selectSatochip, getStatus, getStatus, getStatus} {
			if got := c.Transmit(command); !bytes.Equal(got, tc.want[i]) || (got == nil) != (tc.want[i] == nil) {
				t.Errorf("%s: reply %d is %x, want %x", name, i+1, got, tc.want[i])
			}
		}
		reached := map[string]int{"pull": 3, "swap": 2}[name]
		if reached == 0 {
			reached = 4
		}
		if n := len(inside.Log()); n != reached || c.Exchanges() != 4 {
			t.Errorf("%s: %d commands reached the card, want %d", name, n, reached)
		}
		if !bytes.Equal(c.ATR(), inside.ATR()) {
			t.Errorf("%s: ATR", name)
		}
	}
	if pulled != 2 {
		t.Errorf("pulled %d times", pulled)
	}
}

// TestPullBetweenTwoSignatures is how a test of a whole flow says when.
func TestPullBetweenTwoSignatures(t *testing.T) {
	inside := newSatochip(t, Demo(Satochip012, "a"))
	c := WithFaults(inside, PullWhen(func(int) bool { return inside.Count(0x7A) == 1 }, nil))
	h := login(t, c)
	h.derive(0x40, 84|hard)
	sign := inner(0x7A, 0xFF, 0, digestOf(1)...)
	h.expect(0x9000, sign)
	if got := c.Transmit(h.wrapped(sign, h.counter)); got != nil {
		t.Fatalf("reply %x of a card that is out", got)
	}
	h = login(t, c) // put back
	h.expect(0x9000, sign)
	if inside.Count(0x7A) != 2 {
		t.Error("the lost command was carried out")
	}
}

// TestSwapAuthentikey: all is as before but who signs for it.
func TestSwapAuthentikey(t *testing.T) {
	first, other := newSatochip(t, Demo(Satochip012, "a")), newSatochip(t, Demo(Satochip012, "b"))
	if bytes.Equal(first.Authentikey(), other.Authentikey()) {
		t.Fatal("the two have one authentikey")
	}
	if again := newSatochip(t, Demo(Satochip014, "a")); !bytes.Equal(again.Authentikey(), first.Authentikey()) {
		t.Error("a demo card has another authentikey each time")
	}
	c := WithFaults(first, SwapAuthentikey(4, other))
	opened := func() []byte {
		h := &host{t: t, card: c}
		for _, k := range h.open(bytes.Repeat([]byte{3}, 32)) {
			for _, card := range []*Satochip{first, other} {
				if bytes.Equal(k.SerializeCompressed(), card.Authentikey()) {
					return card.Authentikey()
				}
			}
		}
		return nil
	}
	h := login(t, c) // commands 1 to 3
	before, _ := h.derive(0x40, 84|hard)
	if !bytes.Equal(opened(), other.Authentikey()) {
		t.Error("not swapped at command 4")
	}
	c.Reset()
	h = &host{t: t, card: c}
	h.selectCard()
	h.open(bytes.Repeat([]byte{3}, 32))
	h.expect(0x9000, inner(0x42, 0, 0, []byte(DemoPIN)...))
	got := h.expect(0x9000, inner(0x6D, 1, 0x40, path(84|hard)...))
	x, rest := lv2(t, got[32:])
	self, _ := lv2(t, rest)
	if !recoverX(t, x, got[:66], self).IsEqual(before) {
		t.Error("another seed")
	}
}
