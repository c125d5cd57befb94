package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/airlock-signer/airlock/reader/simcard"
)

// allCards has a reader for every kind of card, and their names are hostile.
func allCards(t *testing.T) *simcard.Readers {
	t.Helper()
	const names = "ABCDEFGHIJ"
	r := simcard.NewReaders()
	at := 0
	put := func(c simcard.Card) {
		name := "Reader " + names[at:at+1] + " \x1b[2J\u202e<&>"
		at++
		r.Plug(name)
		if c == nil {
			return
		}
		if err := r.Insert(name, c); err != nil {
			t.Fatal(err)
		}
	}
	put(demoSatochip(t, simcard.Satochip014, nil))
	put(demoSatochip(t, simcard.Satochip011, nil))
	put(demoSatochip(t, simcard.Satochip012, func(o *simcard.SatochipOptions) {
		*o = simcard.SatochipOptions{Version: o.Version, Authentikey: o.Authentikey}
	}))
	put(demoSatochip(t, simcard.Satochip012, func(o *simcard.SatochipOptions) { o.Seed = nil }))
	put(demoSatochip(t, simcard.Satochip012, func(o *simcard.SatochipOptions) { o.WrongPINs, o.WrongPUKs = 5, 2 }))
	put(demoSatochip(t, simcard.Satochip012, func(o *simcard.SatochipOptions) { o.WrongPINs, o.WrongPUKs = 5, 3 }))
	put(demoSatochip(t, simcard.Satochip014, func(o *simcard.SatochipOptions) { o.TwoFactor = true }))
	put(seedKeeper{})
	put(future{})
	put(nil)
	return r
}

// TestCardsGolden compares the whole output with its picture. AIRLOCK_GOLDEN=write
// writes it anew.
func TestCardsGolden(t *testing.T) {
	for _, tc := range []struct {
		file   string
		asJSON bool
	}{{"cards.txt", false}, {"cards.json", true}} {
		t.Run(tc.file, func(t *testing.T) {
			var out, errs bytes.Buffer
			// One reader is empty, so this waits as long as it may.
			if status := listCards(context.Background(), allCards(t), 50*time.Millisecond, tc.asJSON, &out, &errs); status != 1 || errs.Len() > 0 {
				t.Errorf("status %d, %q", status, errs.String())
			}
			if tc.asJSON && bytes.Count(out.Bytes(), []byte("\n")) != 1 {
				t.Error("not one line")
			}
			if bytes.ContainsAny(out.Bytes(), "\x1b\u202e") {
				t.Error("something got out unescaped")
			}
			compareGolden(t, tc.file, pretty(t, tc.asJSON, out.Bytes()))
		})
	}
}

// pretty makes the picture of a document readable.
func pretty(t *testing.T, isJSON bool, out []byte) []byte {
	t.Helper()
	if !isJSON {
		return out
	}
	var b bytes.Buffer
	if err := json.Indent(&b, out, "", " "); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func compareGolden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name+".golden")
	if os.Getenv("AIRLOCK_GOLDEN") == "write" {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("differs from %s:\n%s", file, got)
	}
}

// TestCardsJSONWithoutReaders says why, in the document, and its form stays.
func TestCardsJSONWithoutReaders(t *testing.T) {
	for condition, set := range map[string]func(*simcard.Readers){
		"no-service": func(r *simcard.Readers) { r.ServiceDown() },
		"no-reader":  func(*simcard.Readers) {},
	} {
		r := simcard.NewReaders()
		set(r)
		var out, errs bytes.Buffer
		if status := listCards(context.Background(), r, 20*time.Millisecond, true, &out, &errs); status != 1 || errs.Len() > 0 {
			t.Errorf("status %d, %q", status, errs.String())
		}
		var d struct {
			Format    int
			Error     string
			Condition string
			Readers   []any
		}
		if err := json.Unmarshal(out.Bytes(), &d); err != nil || d.Format != 1 || d.Condition != condition || d.Error == "" || d.Readers == nil {
			t.Errorf("%s: %v in %s", condition, err, out.String())
		}
	}
}
