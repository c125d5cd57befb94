package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/airlock-signer/airlock/signer/samples"
)

// stick writes the sample stick into a folder of the test.
func stick(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, f := range samples.Stick() {
		name := filepath.Join(dir, filepath.FromSlash(f.Name))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, f.Data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func sample(t *testing.T, name string) []byte {
	t.Helper()
	for _, f := range samples.Stick() {
		if f.Name == name {
			return f.Data
		}
	}
	t.Fatalf("no sample %s", name)
	return nil
}

// inspected runs the command from within the sample stick.
func inspected(t *testing.T, stdin []byte, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	status = run(append([]string{"inspect"}, args...), bytes.NewReader(stdin), &out, &errs)
	return status, out.String(), errs.String()
}

func TestInspectExitStatus(t *testing.T) {
	t.Chdir(stick(t))
	wallet := strings.TrimSpace(string(sample(t, "wallets/native.txt")))
	cases := []struct {
		args []string
		want int
	}{
		{[]string{"payment.psbt"}, 0},
		{[]string{"--json", "payment.psbt", "more/payment-taproot.psbt"}, 0},
		{[]string{"payment.psbt", "--json"}, 0},
		{[]string{"-json", "--", "payment.psbt"}, 0},
		{[]string{"--wallet", "wallets/native.txt", "payment.psbt"}, 0},
		{[]string{"--wallet", wallet, "--json", "payment.psbt"}, 0},
		{[]string{"--wallet=" + wallet, "--fingerprint", "73C5DA0A", "payment.psbt"}, 0},
		{[]string{"payment.psbt", "caution/data-output.psbt"}, 10},
		{[]string{"--wallet", "wallets/native.txt", "caution/high-fee.psbt"}, 10},
		{[]string{"refused/no-previous.psbt", "payment.psbt"}, 20},
		{[]string{"--wallet", "wallets/native.txt", "refused/fake-change.psbt"}, 20},
		{[]string{"malformed/cut-off.psbt", "refused/no-previous.psbt"}, 30},
		{[]string{"README.txt"}, 30},
		{[]string{"nowhere.psbt", "malformed/cut-off.psbt"}, 40},
		{[]string{"."}, 40},
		{nil, 2},
		{[]string{"--json"}, 2},
		{[]string{"--sign", "payment.psbt"}, 2},
		{[]string{"--network", "liquid", "payment.psbt"}, 2},
		{[]string{"--fingerprint", "73c5da", "payment.psbt"}, 2},
		{[]string{"--fingerprint", "xx", "payment.psbt"}, 2},
		{[]string{"--wallet", "nowhere.txt", "payment.psbt"}, 2},
		{[]string{"--wallet", "README.txt", "payment.psbt"}, 2},
		{[]string{"--wallet", "wsh(pk(a))", "payment.psbt"}, 2},
		{[]string{"--help"}, 0},
	}
	for _, c := range cases {
		status, out, errs := inspected(t, nil, c.args...)
		if status != c.want {
			t.Errorf("%q: status %d, want %d\n%s%s", c.args, status, c.want, out, errs)
		}
		if c.want == 2 && (out != "" || !strings.Contains(errs, "usage:")) {
			t.Errorf("%q: usage error on the wrong stream: %q, %q", c.args, out, errs)
		}
		if c.want < 40 && c.want != 2 && (errs != "" || out == "") {
			t.Errorf("%q: %q, %q", c.args, out, errs)
		}
	}
}

// TestInspectWalletReason: a wallet that is not taken says why.
func TestInspectWalletReason(t *testing.T) {
	t.Chdir(stick(t))
	for arg, say := range map[string]string{
		"nowhere.txt":         "no such file",
		"README.txt":          "descriptor",
		"multi(2,a,b)":        "multi() is not supported",
		"wpkh(\x1b[2J\u202e)": "character",
	} {
		_, _, errs := inspected(t, nil, "--wallet", arg, "payment.psbt")
		if !strings.Contains(errs, say) || strings.ContainsAny(errs, "\x1b\u202e") {
			t.Errorf("%q: %q", arg, errs)
		}
	}
	_, _, errs := inspected(t, nil, "--\x1b[2J", "payment.psbt")
	if strings.Contains(errs, "\x1b") {
		t.Errorf("an unknown option is printed raw: %q", errs)
	}
}

// TestInspectStandardInput: "-" reads it; one document a file, one a line.
func TestInspectStandardInput(t *testing.T) {
	t.Chdir(stick(t))
	status, out, errs := inspected(t, sample(t, "more/payment-text.psbt"), "--json", "--wallet", "wallets/native.txt", "-", "payment.psbt", "nowhere.psbt")
	if status != 40 || !strings.Contains(errs, "nowhere.psbt") {
		t.Errorf("status %d: %s", status, errs)
	}
	lines := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
	if len(lines) != 3 {
		t.Fatalf("%d lines:\n%s", len(lines), out)
	}
	var docs [3]struct {
		File, Encoding, Verdict, Ownership, Error string
		Sha256                                    *string
		Totals                                    struct {
			In  int64 `json:"in_sat"`
			Fee int64 `json:"fee_sat"`
		}
	}
	for i, line := range lines {
		if err := json.Unmarshal([]byte(line), &docs[i]); err != nil {
			t.Fatal(err)
		}
	}
	if docs[0].File != "-" || docs[0].Encoding != "base64" || docs[1].File != "payment.psbt" || docs[1].Encoding != "binary" {
		t.Errorf("%+v", docs[:2])
	}
	if docs[0].Totals != docs[1].Totals || docs[0].Totals.In != 360_000 || docs[1].Ownership != "checked" {
		t.Errorf("%+v", docs[:2])
	}
	if docs[2].Verdict != "unreadable" || docs[2].Sha256 != nil || docs[2].Error == "" {
		t.Errorf("%+v", docs[2])
	}
}

// TestInspectWritesNothing: the stick is byte for byte what it was.
func TestInspectWritesNothing(t *testing.T) {
	dir := stick(t)
	t.Chdir(dir)
	inspected(t, nil, "--wallet", "wallets/native.txt", "payment.psbt", "malformed/cut-off.psbt")
	count := 0
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			count++
		}
		return err
	})
	if err != nil || count != len(samples.Stick()) {
		t.Errorf("%d files, %v", count, err)
	}
	for _, f := range samples.Stick() {
		if data, err := os.ReadFile(filepath.FromSlash(f.Name)); err != nil || !bytes.Equal(data, f.Data) {
			t.Errorf("%s changed: %v", f.Name, err)
		}
	}
}

// endless never ends: reading is bounded.
type endless struct{ read int }

func (e *endless) Read(p []byte) (int, error) { e.read += len(p); return len(p), nil }

func TestInspectBoundedReading(t *testing.T) {
	in := &endless{}
	var out, errs bytes.Buffer
	status := runInspect([]string{"--json", "-"}, in, &out, &errs)
	if status != 30 || !strings.Contains(out.String(), `"sha256":null`) {
		t.Errorf("status %d: %s%s", status, &out, &errs)
	}
	if in.read > 65<<20 {
		t.Errorf("%d bytes were read", in.read)
	}
}

func TestUnknownCommand(t *testing.T) {
	var out, errs bytes.Buffer
	if got := run([]string{"sing\x1b[2J"}, nil, &out, &errs); got != 2 || strings.Contains(errs.String(), "\x1b") || !strings.Contains(errs.String(), "inspect") {
		t.Errorf("status %d: %q", got, errs.String())
	}
}
