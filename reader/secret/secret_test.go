package secret

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestBufferHoldsEditsAndForgets(t *testing.T) {
	b, err := New(8)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Append([]byte("12é")...); err != nil {
		t.Fatal(err)
	}
	if b.Len() != 4 || b.Runes() != 3 {
		t.Fatalf("len %d runes %d", b.Len(), b.Runes())
	}
	b.Backspace()
	b.Use(func(p []byte) {
		if string(p) != "12" {
			t.Errorf("after backspace: %q", p)
		}
	})
	if err := b.Append([]byte("3456789")...); !errors.Is(err, ErrFull) {
		t.Errorf("overfull: %v", err)
	}
	b.Clear()
	if b.Len() != 0 {
		t.Error("not cleared")
	}
	b.Release()
	b.Release()
	if err := b.Append('1'); !errors.Is(err, ErrReleased) {
		t.Errorf("after release: %v", err)
	}
}

func TestBufferNeverPrints(t *testing.T) {
	b, err := New(16)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Release()
	_ = b.Append([]byte("87654321")...)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		if s := fmt.Sprintf(verb, b); s != "[secret]" || strings.Contains(s, "8765") {
			t.Errorf("%s prints %q", verb, s)
		}
	}
}

func TestEqual(t *testing.T) {
	a, _ := New(4)
	b, _ := New(9)
	defer a.Release()
	defer b.Release()
	_ = a.Append('1', '2')
	_ = b.Append('1', '2')
	if !a.Equal(b) {
		t.Error("same secrets differ")
	}
	b.Backspace()
	if a.Equal(b) {
		t.Error("different secrets equal")
	}
}

func TestFilter(t *testing.T) {
	b, err := New(8)
	if err != nil {
		t.Fatal(err)
	}
	digit := func(c byte) bool { return c >= '0' && c <= '9' }
	_ = b.Append([]byte("a1b23c")...)
	if n := b.Filter(digit); n != 3 {
		t.Errorf("dropped %d", n)
	}
	b.Use(func(p []byte) {
		if string(p) != "123" {
			t.Errorf("kept %q", p)
		}
	})
	// What was dropped is zero in the page as well.
	if tail := b.page[3:cap(b.page)]; strings.Trim(string(tail), "\x00") != "" {
		t.Errorf("left in the page: %q", tail)
	}
	b.Release()
	if b.Filter(digit) != 0 {
		t.Error("a released buffer held something")
	}
}
