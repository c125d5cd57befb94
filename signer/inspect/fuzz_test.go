package inspect_test

import (
	"encoding/json"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/airlock-signer/airlock/signer"
	"github.com/airlock-signer/airlock/signer/inspect"
	"github.com/airlock-signer/airlock/signer/samples"
)

// FuzzFile (run with -fuzzminimizetime 10x: minimising files of some kilobytes
// takes up the whole run otherwise): whatever the bytes, there is a document, its JSON reads back, its
// text moves nothing on a terminal, and what is called clear sums.
func FuzzFile(f *testing.F) {
	var wallets []*signer.Wallet
	for _, s := range samples.Stick() {
		f.Add(s.Data)
		if w, err := signer.ParseWallet("demo", s.Data, signer.Mainnet); err == nil {
			wallets = append(wallets, w)
		}
	}
	bare := options()
	with := options()
	with.Wallets, with.Fingerprints = wallets, [][4]byte{samples.Demo().Fingerprint}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, o := range []inspect.Options{bare, with} {
			d, err := inspect.File(t.Context(), "fuzz", data, o)
			if err != nil {
				t.Fatal(err)
			}
			line, err := d.JSON()
			if err != nil || !json.Valid(line) {
				t.Fatalf("%s: %v", line, err)
			}
			text := d.Text()
			if !utf8.ValidString(text) {
				t.Fatalf("not UTF-8: %q", text)
			}
			for _, r := range text {
				if r != '\n' && !unicode.IsPrint(r) {
					t.Fatalf("%U in %q", r, text)
				}
			}
			if d.Verdict != signer.VerdictClear {
				continue
			}
			if n := d.Totals; n.In == nil || n.Fee == nil || *n.In != n.ToOthers+n.BackToUs+*n.Fee {
				t.Fatalf("clear, and does not sum: %s", line)
			}
		}
	})
}
