package signer_test

import (
	"encoding/hex"
	"errors"
	"testing"

	"github.com/airlock-signer/airlock/signer"
	"github.com/airlock-signer/airlock/signer/samples"
	"github.com/btcsuite/btcd/chaincfg/chainhash"
)

// without is a payment whose inputs lack their previous transactions, and
// those.
func without(t *testing.T, name string, types ...samples.Type) (*signer.Transaction, *samples.Packet, [][]byte) {
	t.Helper()
	p := payment(name, types...)
	var prevs [][]byte
	for _, in := range p.Inputs {
		in.WithoutPrevious()
		prevs = append(prevs, samples.TxBytes(in.Previous))
	}
	tx, err := signer.Open(p.Bytes(), signer.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	return tx, p, prevs
}

func countCodes(r *signer.Report) map[signer.Code]int {
	n := map[signer.Code]int{}
	for _, f := range r.Findings {
		n[f.Code]++
	}
	return n
}

// TestPreviousFound: what lies beside the file proves the amounts as what is in
// it would; one of three is not enough; the bytes stay the same.
func TestPreviousFound(t *testing.T) {
	tx, p, prevs := without(t, "beside", samples.P2WPKH, samples.P2SHP2WPKH, samples.P2PKH)
	missing := tx.MissingPrevious()
	if len(missing) != 3 || missing[0] != p.Inputs[0].Outpoint.Hash {
		t.Fatalf("%v", missing)
	}
	some := tx.WithPrevious(prevs[:1])
	if got := countCodes(some.Preview(mainnet)); got[signer.CodePrevtxMissing] != 1 || got[signer.CodeLegacyWitnessUtxo]+got[signer.CodeAmountMissing] != 1 {
		t.Errorf("one of three: %v", got)
	}
	more := tx.WithPrevious(append([][]byte{{1, 2, 3}, samples.TxBytes(samples.NewPacket("other").Tx())}, prevs...))
	if len(more.FoundPrevious()) != 3 || len(more.MissingPrevious()) != 0 || len(tx.FoundPrevious()) != 0 || len(tx.MissingPrevious()) != 3 {
		t.Errorf("found %v, missing %v", more.FoundPrevious(), more.MissingPrevious())
	}
	if r := more.Preview(mainnet); r.Verdict != signer.VerdictClear || !r.Totals.Fee.Known || !r.Inputs[2].AmountProven {
		t.Errorf("%+v", r)
	}
	if more.SHA256() != tx.SHA256() {
		t.Error("the bytes changed")
	}
}

// TestPreviousFoundIsChecked: it proves a lie as it would in the file.
func TestPreviousFoundIsChecked(t *testing.T) {
	tx, p, prevs := without(t, "lie", samples.P2WPKH)
	_ = tx
	p.Inputs[0].Claim(150_000)
	lying, err := signer.Open(p.Bytes(), signer.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	if got := countCodes(lying.WithPrevious(prevs).Preview(mainnet)); got[signer.CodeUtxoConflict] != 1 {
		t.Errorf("another amount: %v", got)
	}
}

// TestPreviousFoundIsNotPreferred: a previous transaction in the file is not
// replaced, taproot wants none.
func TestPreviousFoundIsNotPreferred(t *testing.T) {
	p := payment("in file", samples.P2WPKH, samples.P2TR)
	p.Inputs[1].WithoutPrevious()
	tx, err := signer.Open(p.Bytes(), signer.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	if m := tx.MissingPrevious(); len(m) != 0 {
		t.Errorf("missing: %v", m)
	}
	more := tx.WithPrevious([][]byte{samples.TxBytes(p.Inputs[0].Previous), samples.TxBytes(p.Inputs[1].Previous)})
	if len(more.FoundPrevious()) != 0 {
		t.Error("taken where nothing was missing")
	}
}

// TestSignWithPreviousFound: the whole way, and the approval holds what was
// found.
func TestSignWithPreviousFound(t *testing.T) {
	tx, p, prevs := without(t, "sign beside", samples.P2WPKH, samples.P2SHP2WPKH)
	k := demoKey(t)
	review := func() *signer.Review {
		more := tx.WithPrevious(prevs)
		own := signer.Ownership{Fingerprint: k.Fingerprint(), HasFingerprint: true, Can: k.Can}
		for _, path := range more.AccountsWanted(k.Fingerprint()) {
			a, err := k.Account(t.Context(), path)
			if err != nil {
				t.Fatal(err)
			}
			own.Accounts = append(own.Accounts, a)
		}
		r, err := more.Review(t.Context(), mainnet, own, signer.NewLedger())
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	result, err := signer.Sign(t.Context(), approve(t, review()), k, nil)
	if err != nil {
		t.Fatal(err)
	}
	checkResult(t, p, p.Bytes(), "binary", result)
	a := approve(t, review())
	prevs[0][len(prevs[0])-1] ^= 1 // its lock time: another transaction
	if _, err := signer.Sign(t.Context(), a, k, nil); !errors.Is(err, signer.ErrReviewChanged) {
		t.Errorf("what was found changed after the approval: %v", err)
	}
}

// TestFindPrevious: in a PSBT of each encoding, and alone as binary and hex.
func TestFindPrevious(t *testing.T) {
	p := payment("holds", samples.P2WPKH, samples.P2WPKH)
	prev := samples.TxBytes(p.Inputs[1].Previous)
	want := []chainhash.Hash{p.Inputs[1].Outpoint.Hash}
	for name, file := range map[string][]byte{
		"psbt": p.Bytes(), "base64": p.Base64(), "hex": p.Hex(),
		"raw": prev, "raw hex": []byte("  " + hex.EncodeToString(prev) + "\r\n"),
	} {
		hits := signer.FindPrevious(file, want, signer.DefaultLimits())
		if len(hits) != 1 || string(hits[0]) != string(prev) {
			t.Errorf("%s: %d hits", name, len(hits))
		}
		if hits := signer.FindPrevious(file, []chainhash.Hash{{1}}, signer.DefaultLimits()); len(hits) != 0 {
			t.Errorf("%s: found what was not wanted", name)
		}
		if hits := signer.FindPrevious(file, want, signer.Limits{MaxFile: 10}); len(hits) != 0 {
			t.Errorf("%s: above the limit", name)
		}
		if hits := signer.FindPrevious(file[:len(file)/2], want, signer.DefaultLimits()); len(hits) != 0 {
			t.Errorf("%s: cut in half", name)
		}
	}
	if hits := signer.FindPrevious(nil, want, signer.DefaultLimits()); len(hits) != 0 {
		t.Error("in nothing")
	}
}
