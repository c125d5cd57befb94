package samples_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/airlock-signer/airlock/signer"
	"github.com/airlock-signer/airlock/signer/samples"
)

// demoCard is what the demo card would give for a transaction: the account keys
// it asks for.
func demoCard(t *testing.T, tx *signer.Transaction) signer.Ownership {
	t.Helper()
	me := samples.Demo()
	own := signer.Ownership{Fingerprint: me.Fingerprint, HasFingerprint: true}
	for _, path := range tx.AccountsWanted(me.Fingerprint) {
		own.Accounts = append(own.Accounts, &signer.Account{Fingerprint: me.Fingerprint, Path: path, Key: me.Account(path.String())})
	}
	return own
}

// warnings are the codes of a report that are more than a note, each once.
func warnings(r *signer.Report) []string {
	var codes []string
	for _, f := range r.Findings {
		if f.Severity > signer.Note {
			codes = append(codes, string(f.Code))
		}
	}
	slices.Sort(codes)
	return slices.Compact(codes)
}

// TestStickExpectations: each sample is what its line says, no more and no
// less.
func TestStickExpectations(t *testing.T) {
	for _, f := range samples.Stick() {
		if f.Verdict == "" {
			continue
		}
		t.Run(f.Name, func(t *testing.T) {
			tx, err := signer.Open(f.Data, signer.DefaultLimits())
			var bad *signer.MalformedError
			if f.Verdict == string(signer.VerdictMalformed) {
				if !errors.As(err, &bad) || bad.What == "" {
					t.Fatalf("opened: %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			review, err := tx.Review(t.Context(), signer.Settings{Network: signer.Mainnet}, demoCard(t, tx), signer.NewLedger())
			if err != nil {
				t.Fatal(err)
			}
			r := review.Report()
			if got := warnings(r); string(r.Verdict) != f.Verdict || !slices.Equal(got, f.Codes) {
				t.Errorf("verdict %s %v, want %s %v", r.Verdict, got, f.Verdict, f.Codes)
			}
			if !r.Checked || tx.Preview(signer.Settings{Network: signer.Mainnet}).Checked {
				t.Error("ownership: checked in the preview, or not in the review")
			}
			if in := r.Totals.In; in.Known && in.Sat != r.Totals.ToOthers+r.Totals.BackToUs+r.Totals.Fee.Sat {
				t.Errorf("%+v does not sum", r.Totals)
			}
		})
	}
}

// TestMainPayment: what `make demo` shows first.
func TestMainPayment(t *testing.T) {
	tx, err := signer.Open(samples.Stick()[0].Data, signer.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	review, err := tx.Review(t.Context(), signer.Settings{Network: signer.Mainnet}, demoCard(t, tx), signer.NewLedger())
	if err != nil {
		t.Fatal(err)
	}
	r := review.Report()
	if r.Totals.ToOthers != 250_000 || r.Totals.BackToUs != 108_338 || r.Totals.Fee.Sat != 1_662 {
		t.Errorf("totals %+v", r.Totals)
	}
	if len(r.Inputs) != 3 || r.Outputs[1].Kind != signer.KindChange || r.Outputs[0].Kind != signer.KindPayment {
		t.Errorf("%d inputs, outputs %v %v", len(r.Inputs), r.Outputs[0].Kind, r.Outputs[1].Kind)
	}
	var notes []string
	for _, f := range r.Findings {
		notes = append(notes, string(f.Code))
	}
	slices.Sort(notes)
	if got := strings.Join(notes, " "); got != "locktime-height replaceable" {
		t.Errorf("findings %s", got)
	}
}

// TestStickWallets: the descriptors parse, their checksums are ours, and they
// derive the spots the builder makes.
func TestStickWallets(t *testing.T) {
	types := map[string]samples.Type{
		"wallets/native.txt": samples.P2WPKH, "wallets/taproot.txt": samples.P2TR,
		"wallets/nested.txt": samples.P2SHP2WPKH, "wallets/legacy.txt": samples.P2PKH,
	}
	seen := 0
	for _, f := range samples.Stick() {
		kind, ok := types[f.Name]
		if !ok {
			continue
		}
		seen++
		w, err := signer.ParseWallet("demo", f.Data, signer.Mainnet)
		if err != nil {
			t.Errorf("%s: %v", f.Name, err)
			continue
		}
		if got := w.Descriptor() + "\n"; got != string(f.Data) {
			t.Errorf("%s: canonical form %s", f.Name, got)
		}
		for branch := range uint32(2) {
			script, err := w.Script(branch, 11)
			if want := samples.Demo().At(kind, branch, 11).Script; err != nil || !slices.Equal(script, want) {
				t.Errorf("%s: script %x, %v, want %x", f.Name, script, err, want)
			}
		}
	}
	if seen != len(types) {
		t.Errorf("%d wallets on the stick", seen)
	}
}
