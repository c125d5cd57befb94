package tui

import (
	"os"
	"testing"

	"github.com/airlock-signer/airlock/reader/secret"
)

// TestEnterThatCameTooEarly: what follows an Enter that nobody answered is
// taken again once the screen takes keys, and was not taken before.
func TestEnterThatCameTooEarly(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	in, err := newInput(r)
	if err != nil {
		t.Fatal(err)
	}
	b, err := secret.New(64)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Release()
	in.hide(b)
	read := func(keys string) {
		t.Helper()
		if _, err := w.WriteString(keys); err != nil {
			t.Fatal(err)
		}
		var p [256]byte
		if _, err := in.Read(p[:]); err != nil {
			t.Fatal(err)
		}
	}
	read("12\r99")
	in.resume()
	read("34")
	b.Use(func(held []byte) {
		if string(held) != "1234" {
			t.Errorf("held: %d bytes", len(held))
		}
	})
}
