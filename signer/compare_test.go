package signer_test

import (
	"context"
	"errors"
	"testing"

	"github.com/airlock-signer/airlock/signer"
	"github.com/airlock-signer/airlock/signer/container"
	"github.com/airlock-signer/airlock/signer/samples"
)

// TestEarlier: a fee bump that drops a coin, takes another, pays one more and
// gives less change.
func TestEarlier(t *testing.T) {
	me, k, l := samples.Demo(), demoKey(t), signer.NewLedger()
	first := payment("bumped", samples.P2WPKH, samples.P2WPKH)
	if _, err := signer.Sign(t.Context(), approve(t, reviewFile(t, first.Bytes(), k, mainnet, l)), k, nil); err != nil {
		t.Fatal(err)
	}
	if e := reviewFile(t, first.Bytes(), k, mainnet, l).Earlier(); len(e) != 0 {
		t.Errorf("the same transaction again: %+v", e)
	}
	second := samples.NewPacket("bump")
	kept := first.Inputs[0]
	second.SpendFrom(me.At(samples.P2WPKH, 0, 0), kept.Previous, kept.Outpoint.Index)
	second.Spend(me.At(samples.P2WPKH, 0, 9), 70_000)
	second.Pay(samples.Stranger(0).At(samples.P2WPKH, 0, 0).Script, 100_000)
	second.Pay(samples.Stranger(1).At(samples.P2WPKH, 0, 0).Script, 20_000)
	second.Change(me.At(samples.P2WPKH, 1, 0), 140_000)
	r := reviewFile(t, second.Bytes(), k, mainnet, l)
	if len(r.Earlier()) != 1 {
		t.Fatalf("%d earlier", len(r.Earlier()))
	}
	e := r.Earlier()[0]
	if e.TxID != first.Tx().TxHash() || e.Shared != 1 || e.Dropped != 1 || e.Added != 1 || e.Identical || e.Same != 1 {
		t.Errorf("%+v", e)
	}
	if e.Fee != (signer.Amount{Sat: 3_000, Known: true}) {
		t.Errorf("its fee: %+v", e.Fee)
	}
	if len(e.Outputs) != 2 {
		t.Fatalf("%+v", e.Outputs)
	}
	change, added := e.Outputs[0], e.Outputs[1]
	if !change.Back || change.Before.Sat != 297_000 || change.Now.Sat != 140_000 || change.Address == "" {
		t.Errorf("%+v", change)
	}
	if added.Back || added.Before.Known || added.Now.Sat != 20_000 {
		t.Errorf("%+v", added)
	}
}

// TestEarlierIdentical: only the sequence differs.
func TestEarlierIdentical(t *testing.T) {
	k, l := demoKey(t), signer.NewLedger()
	p := payment("sequence", samples.P2WPKH)
	if _, err := signer.Sign(t.Context(), approve(t, reviewFile(t, p.Bytes(), k, mainnet, l)), k, nil); err != nil {
		t.Fatal(err)
	}
	p.Inputs[0].Sequence--
	e := reviewFile(t, p.Bytes(), k, mainnet, l).Earlier()
	if len(e) != 1 || !e[0].Identical || e[0].Fee.Sat != 3_000 || e[0].Same != 2 {
		t.Errorf("%+v", e)
	}
}

// TestPart: what an interrupted run has, and no more; then the approval is
// used.
func TestPart(t *testing.T) {
	k := demoKey(t)
	p := payment("part", samples.P2WPKH, samples.P2WPKH, samples.P2TR)
	a := approve(t, reviewDemo(t, p.Bytes()))
	if _, err := a.Part(t.Context()); !errors.Is(err, signer.ErrNothingSigned) {
		t.Errorf("before anything: %v", err)
	}
	c := &card{Key: k}
	c.sign = func(ctx context.Context, reqs []signer.Request, progress func(int)) ([]signer.Signature, error) {
		sigs, err := k.Sign(ctx, reqs, progress)
		return sigs[:2], errors.Join(err, errPulled)
	}
	var stopped *signer.InterruptedError
	if _, err := signer.Sign(t.Context(), a, c, nil); !errors.As(err, &stopped) || stopped.Made != 2 {
		t.Fatal(err)
	}
	part, err := a.Part(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if part.Added != 2 || part.Complete || part.FinalTx != nil {
		t.Errorf("%+v", part)
	}
	checkOnlySignatures(t, p.Bytes(), part.PSBT)
	signed, err := container.Parse(part.PSBT)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for i := range signed.Inputs {
		for range signed.Inputs[i].All(container.InPartialSig) {
			n++
		}
		if _, ok := signed.Inputs[i].Get(container.InTapKeySig); ok {
			n++
		}
	}
	if n != 2 {
		t.Errorf("%d signatures in the part", n)
	}
	if _, err := a.Part(t.Context()); !errors.Is(err, signer.ErrApprovalUsed) {
		t.Errorf("twice: %v", err)
	}
	if _, err := signer.Sign(t.Context(), a, k, nil); !errors.Is(err, signer.ErrApprovalUsed) {
		t.Errorf("went on after the part: %v", err)
	}
	// The part is a file like any other: the rest is signed from it.
	result, err := signer.Sign(t.Context(), approve(t, reviewDemo(t, part.PSBT)), k, nil)
	if err != nil || !result.Complete || result.Added != 1 {
		t.Errorf("from the part: %v", err)
	}
	if _, err := (signer.Approval{}).Part(t.Context()); !errors.Is(err, signer.ErrNoApproval) {
		t.Errorf("the zero value: %v", err)
	}
}

// TestPartChecks: a part is bound to what was approved like a result.
func TestPartChecks(t *testing.T) {
	k := demoKey(t)
	file := payment("changed part", samples.P2WPKH, samples.P2WPKH).Bytes()
	a := approve(t, reviewDemo(t, file))
	c := &card{Key: k}
	c.sign = func(ctx context.Context, reqs []signer.Request, progress func(int)) ([]signer.Signature, error) {
		sigs, err := k.Sign(ctx, reqs, progress)
		return sigs[:1], errors.Join(err, errPulled)
	}
	if _, err := signer.Sign(t.Context(), a, c, nil); err == nil {
		t.Fatal("not interrupted")
	}
	file[len(file)-20] ^= 1
	if _, err := a.Part(t.Context()); !errors.Is(err, signer.ErrReviewChanged) {
		t.Errorf("%v", err)
	}
}

// TestOtherNetwork: offered where every path that names a network names the
// other one.
func TestOtherNetwork(t *testing.T) {
	testnet := signer.Settings{Network: signer.Testnet}
	r := reviewFile(t, payment("network", samples.P2WPKH, samples.P2TR).Bytes(), demoKey(t), testnet, nil)
	if got := r.Report().OtherNetwork(); got != signer.Mainnet || countCodes(r.Report())[signer.CodeNetworkMismatch] == 0 {
		t.Errorf("on testnet: %q", got)
	}
	if got := reviewDemo(t, payment("network", samples.P2WPKH).Bytes()).Report().OtherNetwork(); got != "" {
		t.Errorf("on mainnet: %q", got)
	}
}
