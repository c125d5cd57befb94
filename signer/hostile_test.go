package signer_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/airlock-signer/airlock/signer"
	"github.com/airlock-signer/airlock/signer/container"
	"github.com/airlock-signer/airlock/signer/samples"
)

// hangs is how long a test waits before it takes a review for one that never
// ends. It decides nothing else.
const hangs = 2 * time.Minute

// reviewEnds reviews a file, and fails where that does not come to an end.
func reviewEnds(t *testing.T, file []byte) *signer.Report {
	t.Helper()
	tx, err := signer.Open(file, signer.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), hangs)
	defer cancel()
	r, err := tx.Review(ctx, mainnet, cardFor(tx), nil)
	if err != nil {
		t.Fatal(err)
	}
	return r.Report()
}

// TestBeyondBlock: a transaction that no block can take and that is too large
// to be looked at is refused for its weight, and cannot be approved.
func TestBeyondBlock(t *testing.T) {
	script := samples.Stranger(0).At(samples.P2WPKH, 0, 0).Script
	file := append(psbtOf(rawTx(1, 60_000, output(600, script)), nil), make([]byte, 60_000)...)
	tx, err := signer.Open(file, signer.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []*signer.Report{tx.Preview(mainnet), reviewDemo(t, file).Report()} {
		if r.Verdict != signer.VerdictRefused || len(r.Findings) != 1 || r.Findings[0].Code != signer.CodeTxTooLarge || len(r.Outputs) != 0 {
			t.Errorf("%s, %d findings, %d outputs", r.Verdict, len(r.Findings), len(r.Outputs))
		}
		if want := int64(4 * (4 + 1 + 41 + 3 + 60_000*31 + 4)); r.Weight != want {
			t.Errorf("weight %d, want %d", r.Weight, want)
		}
	}
	if _, ok := accepted(t, reviewDemo(t, file)); ok {
		t.Error("approved")
	}
	// One that just does not fit into a block and can be looked at is refused
	// with everything that there is to see.
	heavy := append(psbtOf(rawTx(1, 1, output(600, bytes.Repeat([]byte{0x51}, 1_000_000))), nil), 0)
	if r := reviewDemo(t, heavy).Report(); r.Verdict != signer.VerdictRefused || len(r.Outputs) != 1 || placesOf(r, signer.CodeTxTooLarge) != 1 {
		t.Errorf("%s, %d outputs", r.Verdict, len(r.Outputs))
	}
}

// TestTooMuchForTheStation: what a block could take and the station cannot look
// at within its memory is said to be that.
func TestTooMuchForTheStation(t *testing.T) {
	file := append(psbtOf(rawTx(1, 100_000, output(0, nil)), nil), make([]byte, 100_000)...)
	_, err := signer.Open(file, signer.DefaultLimits())
	var bad *signer.MalformedError
	if !errors.As(err, &bad) || !strings.Contains(bad.What, "100,000 outputs") {
		t.Errorf("%v", err)
	}
}

// TestEndlessWitness: a final witness of more items than any stack can hold is
// invalid, whatever it is for.
func TestEndlessWitness(t *testing.T) {
	for _, typ := range allTypes {
		p := payment("endless", typ)
		p.Inputs[0].Set(inFinalWit, nil, append(samples.Compact(100_000), make([]byte, 100_000)...))
		r := reviewDemo(t, p.Bytes()).Report()
		if placesOf(r, signer.CodeFinalInvalid) != 1 || r.Verdict != signer.VerdictRefused {
			t.Errorf("%s: %s %v", typ, r.Verdict, codesOf(r))
		}
	}
}

// TestEndlessSearch: a coin at the last index there is does not make the station
// look through all indexes for another one without derivation.
func TestEndlessSearch(t *testing.T) {
	p := samples.NewPacket("endless search")
	p.Spend(me.Spot(samples.P2WPKH, "m/84h/0h/0h/0/2147483646"), 50_000)
	near := p.Spend(me.Spot(samples.P2WPKH, "m/84h/0h/0h/1/2147483000"), 50_000)
	near.Drop(inDerivation)
	near.Set(inFinalWit, nil, []byte{0})
	first := p.Spend(me.At(samples.P2WPKH, 0, 499), 50_000)
	first.Drop(inDerivation)
	first.Set(inFinalWit, nil, []byte{0})
	p.Pay(friend.At(samples.P2WPKH, 0, 0).Script, 140_000)
	r := reviewEnds(t, p.Bytes())
	for i, in := range r.Inputs {
		if in.Owner != signer.Ours {
			t.Errorf("input %d: %s", i, in.Owner)
		}
	}
}

// TestManyClaims: among many claims on one input a lie is found, and so is a key
// of ours behind many of strangers.
func TestManyClaims(t *testing.T) {
	lying, crowded := payment("lies", samples.P2WPKH), payment("crowd", samples.P2WPKH)
	for i := range uint32(300) {
		key := thief.At(samples.P2WPKH, 0, i).PubKey.SerializeCompressed()
		path := samples.ParsePath("m/84h/0h/0h/0/0")
		path[4] = i
		lying.Inputs[0].Add(inDerivation, key, samples.Origin(me.Fingerprint, path))
		crowded.Inputs[0].Add(inDerivation, key, samples.Origin(thief.Fingerprint, path))
	}
	if r := reviewEnds(t, lying.Bytes()); placesOf(r, signer.CodeInputNotProven) != 1 {
		t.Error(codesOf(r))
	}
	if r := reviewEnds(t, crowded.Bytes()); r.Inputs[0].Owner != signer.Ours {
		t.Error(codesOf(r))
	}
}

// TestManySignatures: however many bad signatures an input has, each way of
// being bad is said once.
func TestManySignatures(t *testing.T) {
	p := payment("signatures", samples.P2WPKH)
	for i := range uint32(300) {
		key := thief.At(samples.P2WPKH, 0, i).PubKey.SerializeCompressed()
		p.Inputs[0].Add(container.InPartialSig, key, []byte{0, 1})
	}
	p.Inputs[0].Add(container.InPartialSig, me.At(samples.P2WPKH, 0, 0).PubKey.SerializeCompressed(), []byte{0, 1})
	r := reviewEnds(t, p.Bytes())
	if n := placesOf(r, signer.CodePartialSigInvalid); n != 2 || r.Verdict != signer.VerdictRefused {
		t.Errorf("%d findings", n)
	}
}

// placesOf counts the places of a code.
func placesOf(r *signer.Report, code signer.Code) int {
	n := 0
	for _, f := range r.Findings {
		if f.Code == code {
			n++
		}
	}
	return n
}

// TestOpenCancelled: a file of many keys, each of which is looked for on the
// curve, is given up as soon as nobody waits for it.
func TestOpenCancelled(t *testing.T) {
	pub := me.At(samples.P2WPKH, 0, 0).PubKey.SerializeCompressed()
	key := append([]byte{byte(container.InTapLeafScript), 0xc0}, pub[1:]...)
	one := rawTx(1, 1, output(1000, friend.At(samples.P2WPKH, 0, 0).Script))
	file := psbtOf(one, each(2_000, func(i int) []byte {
		return field(append(bytes.Clone(key), bytes.Repeat(four(i), 8)...), []byte{0x51, 0xc0})
	}), nil)
	tx, err := signer.OpenContext(t.Context(), file, signer.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := signer.OpenContext(ctx, file, signer.DefaultLimits()); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if _, err := tx.PreviewContext(ctx, mainnet); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}
