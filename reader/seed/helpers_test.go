package seed

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/airlock-signer/airlock/reader/secret"
)

// buffer holds bytes for a test and is released after it.
func buffer(t testing.TB, p []byte) *secret.Buffer {
	t.Helper()
	b, err := secret.New(len(p) + 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Append(p...); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Release)
	return b
}

func text(t testing.TB, s string) *secret.Buffer { return buffer(t, []byte(s)) }

func unhex(t testing.TB, s string) *secret.Buffer {
	t.Helper()
	p, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return buffer(t, p)
}

// open copies what a buffer holds: these tests have no secrets.
func open(b *secret.Buffer) (p []byte) {
	b.Use(func(held []byte) { p = append(p, held...) })
	return p
}

func opened(b *secret.Buffer) string { return hex.EncodeToString(open(b)) }

func said(w *Words) string {
	list := make([]string, w.Len())
	for i := range list {
		list[i] = w.WordAt(i)
	}
	return strings.Join(list, " ")
}

func fromEntropy(t testing.TB, entropy *secret.Buffer) *Words {
	t.Helper()
	w, err := FromEntropy(entropy)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Release)
	return w
}

// entering is a sentence without any check.
func entering(t testing.TB, indexes ...int) *Words {
	t.Helper()
	w, err := NewWords()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Release)
	for _, i := range indexes {
		if err := w.Append(i); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

func rolled(t testing.TB, digits string) *Dice {
	t.Helper()
	d, err := NewDice()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Release)
	for _, c := range []byte(digits) {
		if err := d.Roll(c); err != nil {
			t.Fatal(err)
		}
	}
	return d
}
