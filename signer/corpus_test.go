package signer_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode"

	"github.com/airlock-signer/airlock/signer"
	"github.com/airlock-signer/airlock/signer/plain"
	"github.com/airlock-signer/airlock/signer/samples"
)

// update writes the table of the corpus anew: go test ./signer -run Corpus -args
// -update.
var update = flag.Bool("update", false, "write testdata/corpus.txt anew")

var corpus = sync.OnceValue(samples.Corpus)

// later are the codes that no transaction of one key in version 0 can have, with
// what brings them.
var later = map[signer.Code]string{
	signer.CodeOutputScriptMissing:     "PSBT version 2 and silent payments",
	signer.CodeSilentPaymentUnverified: "PSBT version 2 and silent payments",
	signer.CodeWalletInvalid:           "registration of wallets",
	signer.CodePolicyDelay:             "policies",
	signer.CodeUnsortedMultisig:        "multisig",
	signer.CodeSignatureInvalid:        "a lying card (liars_test.go)",
	signer.CodeSignatureWrongKey:       "a lying card (liars_test.go)",
	signer.CodeNonceRepeated:           "a lying card (liars_test.go)",
	signer.CodeCardSwapped:             "a lying card (liars_test.go)",
	signer.CodeResultInvalid:           "a lying card (liars_test.go)",
}

// settingsOf a case.
func settingsOf(c *samples.Case) signer.Settings {
	s := signer.Settings{Network: signer.Mainnet, AcceptUnproven: c.AcceptUnproven, Height: c.Height}
	if c.Network != "" {
		s.Network = signer.Network(c.Network)
	}
	return s
}

// ownershipOf is what the demo card and the registered wallets of a case give.
func ownershipOf(t testing.TB, c *samples.Case, tx *signer.Transaction) signer.Ownership {
	t.Helper()
	own := signer.Ownership{}
	for _, text := range c.Wallets {
		// A wallet's name comes from outside.
		w, err := signer.ParseWallet("Sav\x1b[2J\u202eings", []byte(text), settingsOf(c).Network)
		if err != nil {
			t.Fatal(err)
		}
		own.Wallets = append(own.Wallets, w)
	}
	if c.NoCard {
		return own
	}
	own.Fingerprint, own.HasFingerprint = me.Fingerprint, true
	paths := c.Accounts
	if paths == nil {
		for _, path := range tx.AccountsWanted(me.Fingerprint) {
			paths = append(paths, path.String())
		}
	}
	for _, path := range paths {
		a := &signer.Account{Fingerprint: me.Fingerprint, Key: me.Account(path)}
		if path != "m" {
			a.Path = samples.ParsePath(path)
		}
		own.Accounts = append(own.Accounts, a)
	}
	if c.NoSchnorr {
		own.Can = noSchnorr{}.Can
	}
	return own
}

// ledgerOf is the session's memory: empty, or of the file signed before.
func ledgerOf(t testing.TB, c *samples.Case) *signer.Ledger {
	t.Helper()
	l := signer.NewLedger()
	if c.Before != nil {
		k := demoKey(t)
		if _, err := signer.Sign(t.Context(), approve(t, reviewFile(t, c.Before, k, settingsOf(c), l)), k, nil); err != nil {
			t.Fatal(err)
		}
	}
	return l
}

// look previews and reviews the bytes of a case; nil where they are malformed.
func look(t testing.TB, c *samples.Case, file []byte, l *signer.Ledger) (preview, review *signer.Report) {
	t.Helper()
	tx, err := signer.Open(file, signer.DefaultLimits())
	var bad *signer.MalformedError
	if errors.As(err, &bad) && bad.What != "" && bad.Offset >= 0 && bad.Offset <= len(file) {
		return nil, nil
	}
	if err != nil {
		t.Fatal(err)
	}
	r, err := tx.Review(t.Context(), settingsOf(c), ownershipOf(t, c, tx), l)
	if err != nil {
		t.Fatal(err)
	}
	return tx.Preview(settingsOf(c)), r.Report()
}

// codesIn a report of these severities, each once, sorted.
func codesIn(r *signer.Report, least, most signer.Severity) []string {
	codes := []string{}
	for _, f := range r.Findings {
		if f.Severity >= least && f.Severity <= most {
			codes = append(codes, string(f.Code))
		}
	}
	slices.Sort(codes)
	return slices.Compact(codes)
}

// TestCorpus: every case is what it says, to the code; and so is the table that
// people read.
func TestCorpus(t *testing.T) {
	var table strings.Builder
	fmt.Fprintf(&table, "%d transactions and what the station must say of them, with a card of the demo keys.\n", len(corpus()))
	table.WriteString("Made by signer/samples; held by TestCorpus. A preview has a line where it says something else.\n")
	names := map[string]bool{}
	for i := range corpus() {
		c := &corpus()[i]
		if names[c.Name] || !strings.HasSuffix(c.About, ".") {
			t.Errorf("%s: twice, or without a sentence: %q", c.Name, c.About)
		}
		names[c.Name] = true
		t.Run(c.Name, func(t *testing.T) {
			preview, review := look(t, c, c.Data, ledgerOf(t, c))
			checkCase(t, c, preview, review)
			tabulate(&table, c, preview, review)
		})
	}
	golden := filepath.Join("testdata", "corpus.txt")
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(golden, []byte(table.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got := table.String(); got != string(want) && !t.Failed() {
		t.Errorf("%s differs; where that is meant: go test ./signer -run Corpus -args -update", golden)
		for i, line := range strings.Split(got, "\n") {
			if old := strings.Split(string(want), "\n"); i >= len(old) || old[i] != line {
				t.Fatalf("line %d: %s", i+1, line)
			}
		}
	}
}

// checkCase compares verdict and codes exactly, and holds the reports against
// what is always true.
func checkCase(t *testing.T, c *samples.Case, preview, review *signer.Report) {
	t.Helper()
	if review == nil || c.Verdict == string(signer.VerdictMalformed) {
		if review != nil || c.Verdict != string(signer.VerdictMalformed) {
			t.Errorf("malformed is %v, want %s", review == nil, c.Verdict)
		}
		return
	}
	got := codesIn(review, signer.Caution, signer.Refuse)
	if string(review.Verdict) != c.Verdict || !slices.Equal(got, c.Codes) {
		t.Errorf("%s %v, want %s %v", review.Verdict, got, c.Verdict, c.Codes)
		for _, f := range review.Findings {
			t.Logf("%s %s %d: %s", f.Code, f.Subject, f.Index, f.Message())
		}
	}
	if code, rest, _ := strings.Cut(c.Name, "/"); c.Family == samples.FamilyRule {
		found := slices.Contains(codesIn(review, signer.Note, signer.Refuse), code)
		if strings.HasPrefix(rest, "hit") != found || !found && !strings.HasPrefix(rest, "miss") {
			t.Errorf("%s found: %v", code, found)
		}
	}
	if c.Family == samples.FamilyOrdinary && review.Verdict != signer.VerdictClear {
		t.Errorf("an ordinary transaction is %s", review.Verdict)
	}
	checkPreview(t, preview, review)
	for _, r := range []*signer.Report{preview, review} {
		checkReport(t, r)
		checkSentences(t, r)
	}
}

// checkPreview: without keys nothing is proven, and what is refused stays
// refused, but for what was only claimed to be ours.
func checkPreview(t *testing.T, preview, review *signer.Report) {
	t.Helper()
	if preview.Checked || preview.Totals.BackToUs != 0 {
		t.Errorf("a preview proved something: %+v", preview.Totals)
	}
	refused := codesIn(review, signer.Refuse, signer.Refuse)
	for _, code := range codesIn(preview, signer.Refuse, signer.Refuse) {
		claim := code == string(signer.CodeSighashUnsafe) || code == string(signer.CodeScriptUnsupported)
		if !claim && !slices.Contains(refused, code) {
			t.Errorf("the preview refuses for %s, the review does not", code)
		}
	}
}

// raw tells whether a text holds what should have been escaped. The backslash of
// an escape is itself escaped by plain.Text.
func raw(s string) bool {
	s = strings.ReplaceAll(s, `\`, "")
	return plain.Text(s) != s
}

// checkSentences: sentences that a console can show, that end, and that carry
// nothing raw from outside.
func checkSentences(t testing.TB, r *signer.Report) {
	t.Helper()
	for _, f := range r.Findings {
		for _, s := range []string{f.What, f.Cost, f.Remedy} {
			if s == "" {
				continue
			}
			if !strings.HasSuffix(s, ".") || strings.Contains(s, "%!") || unicode.IsLower(rune(s[0])) {
				t.Errorf("%s: no sentence: %q", f.Code, s)
			}
			if raw(s) {
				t.Errorf("%s: raw text: %q", f.Code, s)
			}
			if i := strings.IndexFunc(s, func(c rune) bool { return c > unicode.MaxASCII }); i >= 0 && f.Code != signer.CodeDataOutput {
				t.Errorf("%s: not in the console's font: %q", f.Code, s[i:])
			}
		}
	}
	for _, in := range r.Inputs {
		if raw(in.Wallet) {
			t.Errorf("raw text: %q", in.Wallet)
		}
	}
	for _, out := range r.Outputs {
		if raw(out.Proof) {
			t.Errorf("raw text: %q", out.Proof)
		}
	}
}

// tabulate writes a case for people.
func tabulate(b *strings.Builder, c *samples.Case, preview, review *signer.Report) {
	fmt.Fprintf(b, "\n%s\n    %s\n", c.Name, plain.Text(c.About))
	if review == nil {
		fmt.Fprintf(b, "    %s\n", signer.VerdictMalformed)
		return
	}
	line := func(r *signer.Report) string {
		return strings.TrimSpace(fmt.Sprintf("%-9s %s", r.Verdict, strings.Join(codesIn(r, signer.Caution, signer.Refuse), " ")))
	}
	fmt.Fprintf(b, "    %s\n", line(review))
	if line(preview) != line(review) {
		fmt.Fprintf(b, "    preview   %s\n", line(preview))
	}
	if notes := codesIn(review, signer.Note, signer.Note); len(notes) > 0 {
		fmt.Fprintf(b, "    notes     %s\n", strings.Join(notes, " "))
	}
}

// TestCorpusCoversTheRuleBook: each code that can occur has a transaction that
// triggers it and one close to it that does not.
func TestCorpusCoversTheRuleBook(t *testing.T) {
	hits, misses := map[string]int{}, map[string]int{}
	for _, c := range corpus() {
		code, rest, _ := strings.Cut(c.Name, "/")
		switch {
		case c.Family != samples.FamilyRule:
		case strings.HasPrefix(rest, "hit"):
			hits[code]++
		case strings.HasPrefix(rest, "miss"):
			misses[code]++
		}
	}
	for _, code := range signer.Codes() {
		have := hits[string(code)] > 0 && misses[string(code)] > 0
		if because, isLater := later[code]; isLater == have {
			t.Errorf("%s: %d hits and %d misses (later: %q)", code, hits[string(code)], misses[string(code)], because)
		}
		delete(hits, string(code))
		delete(misses, string(code))
	}
	if len(hits)+len(misses) > 0 {
		t.Errorf("cases of codes that do not exist: %v %v", hits, misses)
	}
}

// TestCorpusEncodings: the same bytes in base64 and hex are the same preview and
// the same review.
func TestCorpusEncodings(t *testing.T) {
	if testing.Short() {
		t.Skip("two thousand reviews: not with -short")
	}
	for i := range corpus() {
		c := &corpus()[i]
		if c.Verdict == string(signer.VerdictMalformed) || len(c.Data) > 1<<20 {
			continue
		}
		l := ledgerOf(t, c)
		var want [2]*signer.Report
		want[0], want[1] = look(t, c, c.Data, l)
		for encoding, file := range encodings(c.Data) {
			var got [2]*signer.Report
			got[0], got[1] = look(t, c, file, l)
			for i := range got {
				if got[i] == nil || got[i].Encoding != encoding || got[i].FileSHA256 == want[i].FileSHA256 {
					t.Fatalf("%s: not read as %s", c.Name, encoding)
				}
				got[i].Encoding, got[i].FileSHA256 = want[i].Encoding, want[i].FileSHA256
				if !reflect.DeepEqual(got[i], want[i]) {
					t.Errorf("%s: another report in %s", c.Name, encoding)
				}
			}
		}
	}
}
