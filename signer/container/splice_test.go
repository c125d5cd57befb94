package container

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func mustParse(t testing.TB, raw []byte) *Container {
	t.Helper()
	c, err := Parse(raw)
	if err != nil {
		t.Fatalf("%v: %x", err, raw)
	}
	return c
}

// keys writes the keys of a map as hex, for comparing.
func keys(m Map) string {
	var s []string
	for _, p := range m.Pairs {
		s = append(s, string(p.Key))
	}
	return strings.Join(s, " ")
}

func TestSplicePlace(t *testing.T) {
	for _, c := range []struct {
		name, have string
		add        []string
		want       string
	}{
		{"empty map", "", []string{"\xf0"}, "\xf0"},
		{"before the first greater type", "\x30 \x50 \x70", []string{"\x40"}, "\x30 \x40 \x50 \x70"},
		{"after its own type", "\x30 \x40a \x40b \x50", []string{"\x40\x01"}, "\x30 \x40a \x40b \x40\x01 \x50"},
		{"at the end", "\x30 \x40", []string{"\x50"}, "\x30 \x40 \x50"},
		{"types of more than a byte", "\x30 \xfd\x00\x01", []string{"\xf0"}, "\x30 \xf0 \xfd\x00\x01"},
		{"map not ascending", "\x50 \x30", []string{"\x40"}, "\x50 \x30 \x40"},
		{"several, one place", "\x30 \x50", []string{"\x42", "\x40b", "\x40a"}, "\x30 \x40b \x40a \x42 \x50"},
		{"several, not ascending", "\x50 \x30", []string{"\x42", "\x40"}, "\x50 \x30 \x42 \x40"},
		{"ascending in types, not in keys", "\x30b \x30a \x50", []string{"\x40"}, "\x30b \x30a \x40 \x50"},
	} {
		var input string
		for _, key := range strings.Fields(c.have) {
			input += kv(key, "old")
		}
		var adds []Addition
		for _, key := range c.add {
			adds = append(adds, Addition{0, []byte(key), []byte("new")})
		}
		out, err := mustParse(t, file("", input, "")).Splice(adds)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if got := keys(mustParse(t, out).Inputs[0]); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestSpliceRefuses(t *testing.T) {
	c := mustParse(t, file("", kvh("03", "01000000"), ""))
	for _, r := range []struct {
		adds []Addition
		what string
	}{
		{[]Addition{{1, []byte("\xf0"), nil}}, "addition 0: there is no input 1"},
		{[]Addition{{-1, []byte("\xf0"), nil}}, "there is no input -1"},
		{[]Addition{{0, nil, nil}}, "its key is empty"},
		{[]Addition{{0, []byte("\x03"), []byte("abcd")}}, "its key stands in input 0 already"},
		{[]Addition{{0, []byte("\xf0"), nil}, {0, []byte("\xf0"), nil}}, "addition 1: its key is added to input 0 twice"},
		{[]Addition{{0, []byte("\x13"), []byte("short")}}, "5 bytes long, not 64 or 65"},
		{[]Addition{{0, []byte("\x10"), []byte("abcd")}}, "of PSBT version 2"},
		{[]Addition{{0, []byte("\xfd\x01\x00"), nil}}, "shortest form"},
		{[]Addition{{0, bytes.Repeat([]byte{0xf0}, maxKey+1), nil}}, "more than 10000"},
	} {
		if out, err := c.Splice(r.adds); err == nil || !strings.Contains(err.Error(), r.what) {
			t.Errorf("%x %v, want %q", out, err, r.what)
		}
	}
}

// checkSplice is the promise of Splice: the result parses, every old pair
// stands in it byte for byte and in its order, and what is new is what was
// added.
func checkSplice(t *testing.T, c *Container, adds []Addition) {
	t.Helper()
	before := slices.Clone(c.Raw)
	out, err := c.Splice(adds)
	if err != nil {
		t.Fatalf("%v", err)
	}
	if !bytes.Equal(before, c.Raw) {
		t.Fatal("the original has changed")
	}
	got := mustParse(t, out)
	same(t, c.Raw, out, c.Global, got.Global, nil)
	for i := range c.Inputs {
		var own []Addition
		for _, a := range adds {
			if a.Input == i {
				own = append(own, a)
			}
		}
		same(t, c.Raw, out, c.Inputs[i], got.Inputs[i], own)
	}
	for i := range c.Outputs {
		same(t, c.Raw, out, c.Outputs[i], got.Outputs[i], nil)
	}
}

// same compares a map with what became of it.
func same(t *testing.T, raw, out []byte, old, now Map, added []Addition) {
	t.Helper()
	if len(now.Pairs) != len(old.Pairs)+len(added) {
		t.Fatalf("%d pairs and %d added are %d", len(old.Pairs), len(added), len(now.Pairs))
	}
	ascending := func(m Map) bool {
		return slices.IsSortedFunc(m.Pairs, func(p, q Pair) int { return cmp.Compare(p.Type, q.Type) })
	}
	if ascending(old) && !ascending(now) {
		t.Error("the map was ascending and is no more")
	}
	next := 0
	for _, p := range now.Pairs {
		if next < len(old.Pairs) && bytes.Equal(p.Key, old.Pairs[next].Key) {
			if o := old.Pairs[next]; !bytes.Equal(out[p.Start:p.End], raw[o.Start:o.End]) {
				t.Errorf("pair %x has changed", p.Key)
			}
			next++
			continue
		}
		i := slices.IndexFunc(added, func(a Addition) bool { return bytes.Equal(a.Key, p.Key) && bytes.Equal(a.Value, p.Value) })
		if i < 0 {
			t.Errorf("pair %x comes from nowhere", p.Key)
		}
	}
	if next != len(old.Pairs) {
		t.Errorf("%d old pairs are missing or out of order", len(old.Pairs)-next)
	}
}

func TestSpliceProperty(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	// key draws one of few, so that types repeat and cross the sizes of a
	// compact size.
	key := func(n int) string {
		types := []uint64{0x30, 0x31, 0xf0, 0x100, 0x1_0000, 0x1_0000_0000}
		return string(appendSize(nil, types[rng.IntN(len(types))])) + string(binary.BigEndian.AppendUint16(nil, uint16(n)))
	}
	for range 500 {
		var maps [3]string
		tx := h("02000000 03")
		for i := range maps {
			tx += h(hashHex) + "\x00\x00\x00\x00\x00\xff\xff\xff\xff"
			for n := range rng.IntN(6) {
				maps[i] += kv(key(n), strings.Repeat("v", rng.IntN(300)))
			}
		}
		tx += h("01 0000000000000000 00 00000000")
		raw := Magic + kv("\x00", tx) + "\x00" + strings.Join(maps[:], "\x00") + "\x00" + kv("\xf0", "") + "\x00"
		var adds []Addition
		for n := range rng.IntN(8) {
			adds = append(adds, Addition{rng.IntN(3), []byte(key(100 + n)), bytes.Repeat([]byte("n"), rng.IntN(300))})
		}
		checkSplice(t, mustParse(t, []byte(raw)), adds)
	}
}
