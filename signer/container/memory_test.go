package container

import (
	"errors"
	"runtime"
	"strings"
	"testing"
	"unsafe"

	"github.com/btcsuite/btcd/wire"
)

// allocated gives the bytes that f allocates, garbage included.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// TestCosts holds the prices of the budget against the compiler's sizes.
func TestCosts(t *testing.T) {
	if unsafe.Sizeof(uintptr(0)) != 8 {
		t.Skip("prices are those of a 64-bit machine, the dearest")
	}
	pointer := unsafe.Sizeof(uintptr(0))
	for name, c := range map[string][2]uintptr{
		"pair":   {pairCost, unsafe.Sizeof(Pair{}) + unsafe.Sizeof(int32(0))},
		"map":    {mapCost, unsafe.Sizeof(Map{})},
		"input":  {inCost, unsafe.Sizeof(wire.TxIn{}) + pointer},
		"output": {outCost, unsafe.Sizeof(wire.TxOut{}) + pointer},
	} {
		if c[0] != c[1] {
			t.Errorf("a %s costs %d bytes, the budget says %d", name, c[1], c[0])
		}
	}
}

// TestMemory parses hostile files: whatever they claim or hold, all that Parse
// allocates stays within their size and 13 MiB.
func TestMemory(t *testing.T) {
	const mib = 1 << 20
	huge := "\xff\xff\xff\xff\xff\xff\xff\x7f\x00"[:9]
	pairs := func(n int) string {
		var b strings.Builder
		for i := range n { // descending: the order has to be sorted
			b.WriteString(h("05 fe") + string([]byte{byte(n - i), byte((n - i) >> 8), byte((n - i) >> 16), 0x80}) + "\x00")
		}
		return b.String()
	}
	v2 := kvh("02", "02000000") + kvh("fb", "02000000")
	cases := map[string]struct {
		raw    []byte
		beyond bool // more than the budget has
	}{
		"claimed inputs":         {fileTx(h("02000000")+huge, 2), false},
		"claimed outputs":        {fileTx(h("02000000 00")+huge, 2), false},
		"claimed script":         {fileTx(h("02000000 00 01 0000000000000000")+huge, 2), false},
		"claimed key":            {file("", huge, ""), false},
		"claimed value":          {file("", "\x01\xf0"+huge, ""), false},
		"claimed witness items":  {file("", kv("\x08", huge), ""), false},
		"claimed leaf hashes":    {file("", kv("\x16"+h(xHex), huge+"abcd"), ""), false},
		"claimed previous in":    {file("", kv("\x00", h("01000000")+huge), ""), false},
		"claimed previous out":   {file("", kv("\x00", prevTx()[:4+1+43]+huge), ""), false},
		"claimed version 2 maps": {[]byte(Magic + v2 + kv("\x04", huge) + kv("\x05", huge) + "\x00"), false},
		"outputs of a block":     {fileTx(h("02000000 00 fe98b10100")+strings.Repeat("\x00", 111_000*9+4), 111_000), false},
		"too many inputs":        {fileTx(h("02000000 fe60ea0300")+strings.Repeat("\x00", 256_608*41+5), 256_608), true},
		"too many outputs":       {fileTx(h("02000000 00 fe40420f00")+strings.Repeat("\x00", 1_000_000*9+4), 1_000_000), true},
		"too many maps": {[]byte(Magic + v2 + kvh("04", "fe00000040") + kvh("05", "00") + "\x00" +
			strings.Repeat("\x00", 0x4000_0000>>8)), false},
		"version 2, too many maps": {[]byte(Magic + v2 + kvh("04", "fe00002000") + kvh("05", "00") + "\x00" +
			strings.Repeat("\x00", 0x20_0000)), true},
		"many pairs":     {file("", pairs(50_000), ""), false},
		"too many pairs": {file("", pairs(1_000_000), ""), true},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			var err error
			used := allocated(func() { _, err = Parse(c.raw) })
			if limit := uint64(len(c.raw) + 13*mib); used > limit {
				t.Errorf("%d bytes allocated for %d", used, len(c.raw))
			}
			var e *Error
			if errors.As(err, &e); c.beyond && (e == nil || !strings.Contains(e.What, "more than a file of this size may hold")) {
				t.Errorf("%v, want a refusal over its size", err)
			}
			if strings.HasPrefix(name, "claimed") && used > mib/16 {
				t.Errorf("%d bytes allocated for a claim", used)
			}
		})
	}
}

// TestDecodeMemory wants one allocation of the decoded size.
func TestDecodeMemory(t *testing.T) {
	raw := file("", kv("\xf0", strings.Repeat("a", 1<<20)), "")
	for _, enc := range []Encoding{Base64, Hex} {
		text := Encode(raw, enc)
		if used := allocated(func() { _, _, _ = Decode(text) }); used > uint64(len(raw))+64<<10 {
			t.Errorf("%s: %d bytes allocated for %d", enc, used, len(raw))
		}
	}
	spaces := append(Encode(raw, Hex), strings.Repeat("\n", 1<<20)...)
	if used := allocated(func() { _, _, _ = Decode(spaces) }); used > uint64(len(raw))+64<<10 {
		t.Errorf("white space: %d bytes allocated for %d", used, len(raw))
	}
}

// TestLinear looks up nothing by chance: parsing allocates as often for a
// thousand pairs as for ten.
func TestLinear(t *testing.T) {
	count := func(n int) float64 {
		var b strings.Builder
		for i := range n {
			b.WriteString(kv("\xf0"+string([]byte{byte(i >> 8), byte(i)}), "v"))
		}
		raw := file("", b.String(), "")
		return testing.AllocsPerRun(10, func() {
			if _, err := Parse(raw); err != nil {
				t.Fatal(err)
			}
		})
	}
	if few, many := count(10), count(1000); many > few+2 {
		t.Errorf("%v allocations for 10 pairs, %v for 1000", few, many)
	}
}
