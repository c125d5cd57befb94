package signer_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/airlock-signer/airlock/signer"
	"github.com/airlock-signer/airlock/signer/container"
	"github.com/airlock-signer/airlock/signer/samples"
	"github.com/btcsuite/btcd/wire"
)

// FuzzSign gives any bytes to the whole way, with an honest key and a person
// who accepts everything that can be accepted. Whatever can be approved can be
// signed; nothing but signatures is added; a second review of the outcome finds
// nothing left to sign and the same transaction; a complete result is a
// transaction of the same coins and payments.
func FuzzSign(f *testing.F) {
	for _, file := range samples.Stick() {
		f.Add(file.Data)
	}
	mixed := payment("mixed", allTypes...)
	f.Add(mixed.Bytes())
	mixed.KeepOrder = true
	mixed.Global.Add(container.GlobalProprietary, []byte("\x03own"), []byte("kept"))
	mixed.Inputs[1].Add(0xfd12, []byte("unknown"), []byte("kept"))
	mixed.Inputs[2].Pairs[0], mixed.Inputs[2].Pairs[1] = mixed.Inputs[2].Pairs[1], mixed.Inputs[2].Pairs[0]
	f.Add(mixed.Bytes())
	k := demoKey(f)
	f.Fuzz(func(t *testing.T, file []byte) { wholeWay(t, k, file) })
}

// TestFlippedBits flips one bit of every third byte of a file with each script
// type, and goes the whole way with what is still well formed.
func TestFlippedBits(t *testing.T) {
	k, file := demoKey(t), payment("flipped", allTypes...).Bytes()
	tried, opened, signed := 0, 0, 0
	for i := 0; i < len(file); i += 3 {
		flipped := bytes.Clone(file)
		flipped[i] ^= 1 << (i % 8)
		tried++
		well, approved := wholeWay(t, k, flipped)
		if t.Failed() {
			t.Fatalf("byte %d", i)
		}
		if well {
			opened++
		}
		if approved {
			signed++
		}
	}
	if opened == 0 || signed == 0 || signed == opened {
		t.Errorf("of %d files %d were well formed and %d signed: the test shows nothing", tried, opened, signed)
	}
	t.Logf("of %d files %d were well formed and %d signed", tried, opened, signed)
}

// wholeWay does what FuzzSign says.
func wholeWay(t *testing.T, k signer.Key, file []byte) (well, approved bool) {
	t.Helper()
	if _, err := signer.Open(file, signer.DefaultLimits()); err != nil {
		return false, false
	}
	r := reviewFile(t, bytes.Clone(file), k, mainnet, signer.NewLedger())
	a, ok := accepted(t, r)
	if !ok {
		return true, false
	}
	result, err := signer.Sign(t.Context(), a, k, nil)
	if err != nil {
		t.Fatalf("approved, and then: %v", err)
	}
	raw, _, err := container.Decode(result.PSBT)
	if err != nil {
		t.Fatal(err)
	}
	checkOnlySignatures(t, file, raw)
	again := reviewFile(t, result.PSBT, k, mainnet, signer.NewLedger())
	if again.Report().TxID != r.Report().TxID || again.Report().Totals != r.Report().Totals {
		t.Fatal("the signed file is another transaction")
	}
	if _, ok := accepted(t, again); ok {
		t.Fatal("the signed file can be signed again")
	}
	if result.Complete {
		checkSameTransaction(t, r.Report(), result.FinalTx)
	}
	return true, true
}

// accepted does all that a person can to approve.
func accepted(t *testing.T, r *signer.Review) (signer.Approval, bool) {
	t.Helper()
	for _, item := range r.Items() {
		r.Shown(item)
	}
	for _, code := range r.Cautions() {
		if err := r.Acknowledge(code); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.Confirm(r.Confirmation().Text); err != nil && r.Report().Verdict != signer.VerdictRefused && r.Report().Totals.Fee.Known {
		t.Fatalf("the amount on the page is not taken: %v", err)
	}
	a, err := r.Approve()
	var no *signer.NotApprovableError
	if err != nil && !errors.As(err, &no) {
		t.Fatal(err)
	}
	if err == nil && r.Report().Verdict == signer.VerdictRefused {
		t.Fatal("approved what is refused")
	}
	return a, err == nil
}

// checkSameTransaction: the final transaction spends and pays what was shown.
func checkSameTransaction(t *testing.T, r *signer.Report, final []byte) {
	t.Helper()
	tx := &wire.MsgTx{}
	if err := tx.Deserialize(bytes.NewReader(final)); err != nil {
		t.Fatal(err)
	}
	if len(tx.TxIn) != len(r.Inputs) || len(tx.TxOut) != len(r.Outputs) {
		t.Fatalf("%d inputs and %d outputs", len(tx.TxIn), len(tx.TxOut))
	}
	for i, in := range tx.TxIn {
		if in.PreviousOutPoint != r.Inputs[i].Outpoint || in.Sequence != r.Inputs[i].Sequence {
			t.Errorf("input %d is another", i)
		}
		in.SignatureScript, in.Witness = nil, nil
	}
	if tx.TxHash() != r.TxID {
		t.Error("without its signatures it is another transaction")
	}
}

// TestEncodingsReviewAlike: the same container in another encoding is the same
// review.
func TestEncodingsReviewAlike(t *testing.T) {
	p := costly()
	want := reviewDemo(t, p.Bytes()).Report()
	for _, file := range [][]byte{p.Base64(), p.Hex()} {
		got := *reviewDemo(t, file).Report()
		got.Encoding, got.FileSHA256 = want.Encoding, want.FileSHA256
		if len(got.Findings) != len(want.Findings) || got.SHA256 != want.SHA256 || got.Totals != want.Totals || got.Verdict != want.Verdict {
			t.Errorf("another review: %+v", got)
		}
	}
}
