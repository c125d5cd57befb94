package inspect_test

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/airlock-signer/airlock/signer"
	"github.com/airlock-signer/airlock/signer/inspect"
	"github.com/airlock-signer/airlock/signer/samples"
)

// demoWallets are the wallet files of the sample stick.
func demoWallets(t *testing.T) []*signer.Wallet {
	t.Helper()
	var all []*signer.Wallet
	for _, f := range samples.Stick() {
		name, ok := strings.CutPrefix(f.Name, "wallets/")
		if !ok {
			continue
		}
		w, err := signer.ParseWallet(strings.TrimSuffix(name, ".txt"), f.Data, signer.Mainnet)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, w)
	}
	return all
}

func options() inspect.Options {
	return inspect.Options{Network: signer.Mainnet, Limits: signer.DefaultLimits()}
}

func document(t *testing.T, name string, data []byte, o inspect.Options) *inspect.Document {
	t.Helper()
	d, err := inspect.File(t.Context(), name, data, o)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

var update = flag.Bool("update", false, "write the golden files again")

// golden compares with a file under testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs (go test ./signer/inspect -update writes it again):\n%s", path, got)
	}
}

// goldenSamples have a golden picture: one of each verdict and kind.
var goldenSamples = []string{
	"payment.psbt", "more/payment-taproot.psbt", "caution/data-output.psbt", "caution/foreign-input.psbt",
	"refused/no-previous.psbt", "refused/fake-change.psbt", "malformed/cut-off.psbt",
}

// TestGolden is JSON and text, with the demo wallets and without any.
func TestGolden(t *testing.T) {
	with := options()
	with.Wallets = demoWallets(t)
	for _, mode := range []struct {
		name string
		o    inspect.Options
	}{{"wallet", with}, {"bare", options()}} {
		var lines, text strings.Builder
		for _, f := range samples.Stick() {
			if !slices.Contains(goldenSamples, f.Name) {
				continue
			}
			d := document(t, f.Name, f.Data, mode.o)
			line, err := d.JSON()
			if err != nil {
				t.Fatal(err)
			}
			lines.Write(line)
			text.WriteString(d.Text() + "\n")
		}
		golden(t, mode.name+".jsonl", lines.String())
		golden(t, mode.name+".txt", text.String())
	}
}

// TestStickWithWallets: with the demo wallets a sample is what the demo card
// says it is.
func TestStickWithWallets(t *testing.T) {
	o := options()
	o.Wallets = demoWallets(t)
	for _, f := range samples.Stick() {
		if f.Verdict == "" {
			continue
		}
		d := document(t, f.Name, f.Data, o)
		var codes []string
		for found := range d.Findings() {
			if found.Severity != "note" {
				codes = append(codes, string(found.Code))
			}
		}
		slices.Sort(codes)
		if codes = slices.Compact(codes); string(d.Verdict) != f.Verdict || !slices.Equal(codes, f.Codes) {
			t.Errorf("%s: %s %v, want %s %v", f.Name, d.Verdict, codes, f.Verdict, f.Codes)
		}
		want := map[string]int{"clear": 0, "caution": 10, "refused": 20, "malformed": 30}[f.Verdict]
		if d.ExitStatus() != want {
			t.Errorf("%s: exit status %d, want %d", f.Name, d.ExitStatus(), want)
		}
	}
}

// TestWithoutWallet: ownership rules are silent, nothing is called ours or
// change, and nothing-to-sign is not raised.
func TestWithoutWallet(t *testing.T) {
	claimOnly := options()
	claimOnly.Fingerprints = [][4]byte{samples.Demo().Fingerprint}
	stranger := options()
	stranger.Fingerprints = [][4]byte{{1, 2, 3, 4}}
	silent := []signer.Code{
		signer.CodeNothingToSign, signer.CodeChangeFraud, signer.CodeInputNotProven, signer.CodeForeignInput,
		signer.CodeChangeUnproven, signer.CodePathFar, signer.CodePathUnusual, signer.CodeOtherAccount, signer.CodeWalletUnregistered,
	}
	for _, f := range samples.Stick() {
		if f.Verdict == "" || f.Verdict == "malformed" {
			continue
		}
		for name, o := range map[string]inspect.Options{"bare": options(), "fingerprint": claimOnly, "stranger": stranger} {
			d := document(t, f.Name, f.Data, o)
			if d.Ownership != "not checked" || d.Totals.BackToUs != 0 {
				t.Errorf("%s, %s: ownership %s, back to us %d", f.Name, name, d.Ownership, d.Totals.BackToUs)
			}
			for in := range d.Inputs() {
				want := signer.Claimed
				if name == "stranger" || (name == "fingerprint" && f.Name == "caution/foreign-input.psbt" && in.Index == 1) {
					want = signer.Theirs
				}
				if in.Owner != want {
					t.Errorf("%s, %s: input %d is %s, want %s", f.Name, name, in.Index, in.Owner, want)
				}
			}
			for out := range d.Outputs() {
				if out.Kind == signer.KindChange || out.Kind == signer.KindOwn || out.Proof != "none" {
					t.Errorf("%s, %s: output %d is %s, proof %q", f.Name, name, out.Index, out.Kind, out.Proof)
				}
			}
			for found := range d.Findings() {
				if slices.Contains(silent, found.Code) {
					t.Errorf("%s, %s: %s", f.Name, name, found.Code)
				}
			}
		}
	}
}

// TestMalformedAndUnreadable: what, at which byte, and empty lists.
func TestMalformedAndUnreadable(t *testing.T) {
	o := options()
	o.Limits.MaxFile = 1000
	cases := map[string]struct {
		d      *inspect.Document
		hasSHA bool
		exit   int
	}{
		"empty":    {document(t, "x", nil, o), true, 30},
		"no psbt":  {document(t, "x", []byte("hello"), o), true, 30},
		"too long": {document(t, "x", make([]byte, 1001), o), false, 30},
		"missing":  {o.Missing("x", errors.New("no \x1b[31msuch\u202e file")), false, 40},
	}
	for name, c := range cases {
		if c.d.ExitStatus() != c.exit || (c.d.SHA256 != nil) != c.hasSHA || c.d.Error == "" {
			t.Errorf("%s: exit %d, sha256 %v, error %q", name, c.d.ExitStatus(), c.d.SHA256, c.d.Error)
		}
		if c.exit == 30 && !strings.Contains(c.d.Error, "at byte ") {
			t.Errorf("%s: %q does not name the byte", name, c.d.Error)
		}
		line, err := c.d.JSON()
		if err != nil || !strings.Contains(string(line), `"inputs":[],"outputs":[],"totals":null,"findings":[]`) {
			t.Errorf("%s: %s, %v", name, line, err)
		}
		if text := c.d.Text(); strings.ContainsAny(text, "\x1b\u202e") || !strings.Contains(text, strings.ToUpper(string(c.d.Verdict))) {
			t.Errorf("%s: text %q", name, text)
		}
	}
}

// TestUnknownIsNull: no amount that is not known is ever a number.
func TestUnknownIsNull(t *testing.T) {
	r := &signer.Report{Encoding: "binary", Verdict: signer.VerdictRefused, Inputs: make([]signer.Input, 1), Outputs: make([]signer.Output, 1),
		Totals: signer.Totals{FeeRate: 7, FeePercent: 7}}
	line, err := inspect.FromReport("x", r).JSON()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"in_sat":null`, `"fee_sat":null`, `"fee_rate_sat_vb":null`, `"fee_percent":null`,
		`"amount_sat":null,"address":null`, `"wallet":null,"path":null`} {
		if !strings.Contains(string(line), want) {
			t.Errorf("no %s in %s", want, line)
		}
	}
	if text := inspect.FromReport("x", r).Text(); strings.Count(text, "unknown BTC") != 3 {
		t.Errorf("text:\n%s", text)
	}
}

// TestNumbers: rates have two decimals, and what is no number is unknown.
func TestNumbers(t *testing.T) {
	for _, c := range []struct {
		rate float64
		want string
	}{{200.0 / 141, "1.42"}, {0.4, "0.4"}, {5, "5"}, {0, "0"}, {2.1e15, "2100000000000000"}, {math.NaN(), "null"}, {math.Inf(1), "null"}} {
		r := &signer.Report{Totals: signer.Totals{Fee: signer.Amount{Sat: 1, Known: true}, FeeRate: c.rate}}
		line, err := inspect.FromReport("x", r).JSON()
		if err != nil || !strings.Contains(string(line), fmt.Sprintf(`"fee_rate_sat_vb":%s,`, c.want)) {
			t.Errorf("%v: %s, %v", c.rate, line, err)
		}
	}
}

// TestUnknownVerdictFailsClosed: an exit status of 0 is for clear alone.
func TestUnknownVerdictFailsClosed(t *testing.T) {
	for _, v := range []signer.Verdict{"", "fine", "CLEAR"} {
		if got := (&inspect.Document{Verdict: v}).ExitStatus(); got != inspect.ExitRefused {
			t.Errorf("%q: %d", v, got)
		}
	}
}

// TestHostileNames: a file name reads back the same from JSON, where JSON can
// carry it, and moves nothing on a terminal.
func TestHostileNames(t *testing.T) {
	for _, name := range []string{"pay\u202etbsp.psbt", "a\x1b[2Jb", "\u009b31m", "zero\u200bwidth", "del\x7f", "\U0001f600", "line\nfeed", "\xff\xfe", `back\slash"<&>`} {
		d := document(t, name, []byte("hello"), options())
		line, err := d.JSON()
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range line[:len(line)-1] {
			if c < 0x20 || c > 0x7e {
				t.Errorf("%q: byte %x in %s", name, c, line)
			}
		}
		var back struct{ File string }
		if err := json.Unmarshal(line, &back); err != nil {
			t.Fatal(err)
		}
		if want := name; back.File != want && back.File != "hex:"+hex.EncodeToString([]byte(name)) {
			t.Errorf("%q reads back as %q", name, back.File)
		}
		if text := d.Text(); strings.ContainsAny(text, "\x1b\u202e\u009b\u200b\x7f") || strings.Contains(text, "line\nfeed") {
			t.Errorf("%q: text %q", name, text)
		}
	}
}

// TestTextWidth: every line fits an 80-column console, and no word is lost.
func TestTextWidth(t *testing.T) {
	long := strings.Repeat("x", 500)
	r := &signer.Report{Encoding: "binary", Verdict: signer.VerdictCaution, Findings: []signer.Finding{
		{Code: signer.CodeDataOutput, Severity: signer.Caution, Subject: signer.SubjectOutput, What: "before " + long + " after."}}}
	text := inspect.FromReport("x", r).Text()
	for line := range strings.Lines(text) {
		if len(line) > 81 {
			t.Errorf("%d characters: %s", len(line), line)
		}
	}
	if got := strings.Count(text, "x") - strings.Count(text, "0x"); got < 500 || !strings.Contains(text, "before") || !strings.Contains(text, "after.") {
		t.Errorf("something was cut off (%d):\n%s", got, text)
	}
	for _, name := range []string{"bare.txt", "wallet.txt"} {
		data, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(data)) {
			if len([]rune(line)) > 81 {
				t.Errorf("%s: %d characters: %s", name, len(line), line)
			}
		}
	}
}
