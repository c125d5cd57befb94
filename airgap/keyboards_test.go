package airgap

import (
	"context"
	"fmt"
	"io/fs"
	"math/bits"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

// Bitmaps of keys as real devices have them, on 64 bits.
const (
	keysPC     = "402000000 3803078f800d001 feffffdfffefffff fffffffffffffffe" // a PC keyboard
	keysPower  = "10000000000000 0"                                            // KEY_POWER
	keysMouse  = "1f0000 0 0 0 0"                                              // BTN_LEFT …
	keysVolume = "c000000000000 0"                                             // KEY_VOLUMEDOWN, KEY_VOLUMEUP
)

// input adds a device; an empty keys leaves its keys out.
func input(node, name, phys, keys string) change {
	dir := "sys/class/input/" + node
	c := change{
		dir + "/name": name + "\n", dir + "/phys": phys + "\n", dir + "/uniq": "\n",
		dir + "/id/bustype": "0003\n", dir + "/id/vendor": "046d\n", dir + "/id/product": "c31c\n", dir + "/id/version": "0110\n",
	}
	if keys != "" {
		c[dir+"/capabilities/key"] = keys + "\n"
	}
	return c
}

func nodesOf(list []Keyboard) string {
	var all []string
	for _, k := range list {
		all = append(all, k.Node)
	}
	return strings.Join(all, " ")
}

func skipUnless64(t *testing.T) {
	t.Helper()
	if bits.UintSize != 64 {
		t.Skip("SKIPPED: the bitmaps of this test have words of 64 bits")
	}
}

func TestWhatCountsAsKeyboard(t *testing.T) {
	skipUnless64(t)
	for _, c := range []struct {
		name, keys string
		want       bool
	}{
		{"a PC keyboard", keysPC, true},
		{"Enter alone", "10000000", true},
		{"the keypad's Enter alone", "100000000 0", true},
		{"one letter", "40000000", true},
		{"one digit", "4", true},
		{"Esc", "2", true},
		{"Delete", "800000000000 0", true},
		{"KEY_RESERVED is no key", "1", false},
		{"the key after Delete", "1000000000000 0", false},
		{"a power button", keysPower, false},
		{"a mouse", keysMouse, false},
		{"volume keys", keysVolume, false},
		{"no key", "0", false},
		{"a joystick", "7fdb000000000000 0 0 0 0", false},
		{"no bitmap", "", false}, // it has not appeared yet
		{"an empty bitmap", " ", true},
		{"letters that are no hex", "xyz", true},
		{"a word too long", "11111111111111111", true},
	} {
		got, err := Keyboards(input("input3", "x", "y", c.keys).on(fstest.MapFS{}))
		if err != nil || (len(got) == 1) != c.want {
			t.Errorf("%s: %+v %v", c.name, got, err)
		}
	}
}

func TestKeyboardFields(t *testing.T) {
	skipUnless64(t)
	m := offline()
	input("input12", "Evil\x1b[2J\nB: KEY=0", "usb-0000:00:14.0-3/input0", keysPC).on(m)
	input("input3", "AT Translated Set 2 keyboard", "isa0060/serio0/input0", keysPC).on(m)
	input("input4", "Power Button", "LNXPWRBN/button/input0", keysPower).on(m)
	change{"sys/class/input/event0/dev": "x", "sys/class/input/mice/dev": "x", "sys/class/input/inputx/name": "x"}.on(m)
	got, err := Keyboards(m)
	if err != nil || nodesOf(got) != "input12 input3" {
		t.Fatalf("%+v %v", got, err)
	}
	want := Keyboard{Node: "input3", Name: "AT Translated Set 2 keyboard", Phys: "isa0060/serio0/input0", ID: "0003:046d:c31c:0110"}
	if got[1] != want || got[0].Name != "Evil\x1b[2J\nB: KEY=0" {
		t.Errorf("%+v", got)
	}
}

func TestKeyboardsWhereNothingIsKnown(t *testing.T) {
	if list, err := Keyboards(offline()); err != nil || len(list) != 0 {
		t.Errorf("a kernel without input: %v %v", list, err)
	}
	if _, err := Keyboards(fstest.MapFS{}); err == nil {
		t.Error("no /sys, and no error")
	}
	m := input("input1", "x", "y", keysPC).on(offline())
	if _, err := Keyboards(shut{m, "sys/class/input"}); err == nil {
		t.Error("closed, and no error")
	}
	// One whose keys may not be read may be a keyboard.
	if list, err := Keyboards(shut{input("input1", "x", "y", keysMouse).on(offline()), "sys/class/input/input1/cap"}); err != nil || len(list) != 1 {
		t.Errorf("%v %v", list, err)
	}
}

func TestAppeared(t *testing.T) {
	a := Keyboard{Node: "input1", Name: "a", Phys: "p"}
	again, other := a, a
	again.Node, other.Node, other.Phys = "input9", "input10", "q"
	if got := Appeared([]Keyboard{a}, []Keyboard{a}); len(got) != 0 {
		t.Errorf("%v", got)
	}
	if got := Appeared([]Keyboard{a}, []Keyboard{again, other}); nodesOf(got) != "input9 input10" {
		t.Errorf("%v", got)
	}
	if !a.Same(again) || a.Same(other) {
		t.Error("Same")
	}
}

// TestWatchKeyboards steps from one look to the next.
func TestWatchKeyboards(t *testing.T) {
	skipUnless64(t)
	type look struct {
		list []Keyboard
		err  error
	}
	ctx, cancel := context.WithCancel(t.Context())
	ticks, seen, done := make(chan time.Time), make(chan look, 1), make(chan struct{})
	machine := func(nodes ...string) fs.FS {
		m := offline()
		for _, n := range nodes {
			input(n, "x", "y", keysPC).on(m)
		}
		return m
	}
	current := &switching{fs: machine("input1")}
	go func() {
		watchKeyboards(ctx, current, ticks, func(l []Keyboard, err error) { seen <- look{l, err} })
		close(done)
	}()
	expect := func(want string) {
		t.Helper()
		if got := <-seen; nodesOf(got.list) != want || (got.err != nil) != (want == "") {
			t.Errorf("%+v, not %q", got, want)
		}
	}
	expect("input1")
	ticks <- time.Time{} // nothing changed
	ticks <- time.Time{} // the look before it is over
	if len(seen) != 0 {
		t.Error("emitted without a change")
	}
	for _, step := range [][]string{{"input1", "input5"}, {"input5"}, {"input6"}} {
		current.set(machine(step...))
		ticks <- time.Time{}
		expect(strings.Join(step, " "))
	}
	current.set(fstest.MapFS{})
	ticks <- time.Time{}
	expect("")
	ticks <- time.Time{}
	ticks <- time.Time{}
	if len(seen) != 0 {
		t.Error("the same error twice")
	}
	current.set(machine("input6"))
	ticks <- time.Time{}
	expect("input6")
	cancel()
	<-done
}

func TestKeyboardsOfTheRealMachine(t *testing.T) {
	list, err := Keyboards(os.DirFS("/"))
	if err != nil {
		t.Skipf("SKIPPED: %v", err)
	}
	for _, k := range list {
		t.Logf("%+v", k)
		if !strings.HasPrefix(k.Node, "input") {
			t.Errorf("%+v", k)
		}
	}
}

func FuzzKeys(f *testing.F) {
	for _, s := range []string{keysPC, keysPower, keysMouse, "", "0", "1 0", "g", strings.Repeat("f ", 1000)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		typing, ok := hasTypingKey(s)
		if !ok {
			return // counts as a keyboard
		}
		// The long way: every code written out, and looked up.
		var codes []int
		words := strings.Fields(s)
		slices.Reverse(words)
		for i, w := range words {
			var n uint
			if _, err := fmt.Sscanf(w, "%x", &n); err != nil {
				t.Fatalf("%q is no word, and was taken", w)
			}
			for b := range bits.UintSize {
				if n>>b&1 == 1 {
					codes = append(codes, i*bits.UintSize+b)
				}
			}
		}
		if typing != slices.ContainsFunc(codes, func(c int) bool { return c >= 1 && c <= 111 }) {
			t.Errorf("%q: %v", s, typing)
		}
	})
}
