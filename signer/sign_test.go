package signer_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/airlock-signer/airlock/signer"
	"github.com/airlock-signer/airlock/signer/container"
	"github.com/airlock-signer/airlock/signer/samples"
	"github.com/btcsuite/btcd/btcutil/psbt"
	"github.com/btcsuite/btcd/txscript"
	"github.com/btcsuite/btcd/wire"
)

var allTypes = []samples.Type{samples.P2PKH, samples.P2SHP2WPKH, samples.P2WPKH, samples.P2TR}

// TestSign: each script type, all of them mixed, one key for several coins; in
// each encoding. The result is checked with implementations that are not ours.
func TestSign(t *testing.T) {
	cases := map[string]*samples.Packet{"mixed": payment("mixed", allTypes...)}
	for _, typ := range allTypes {
		cases["one "+string(typ)] = payment("one"+string(typ), typ)
		cases["three "+string(typ)] = payment("three"+string(typ), typ, typ, typ)
	}
	for name, p := range cases {
		t.Run(name, func(t *testing.T) {
			for encoding, file := range map[string][]byte{"binary": p.Bytes(), "base64": p.Base64(), "hex": p.Hex()} {
				k := demoKey(t)
				var seen []signer.Progress
				result, err := signer.Sign(t.Context(), approve(t, reviewDemo(t, file)), k, func(p signer.Progress) { seen = append(seen, p) })
				if err != nil {
					t.Fatal(err)
				}
				checkResult(t, p, file, encoding, result)
				n := len(p.Inputs)
				if len(seen) != n+1 || seen[0] != (signer.Progress{Total: n}) || seen[n] != (signer.Progress{Made: n, Total: n}) {
					t.Errorf("progress %v", seen)
				}
			}
		})
	}
}

// checkResult holds a complete result against btcutil/psbt and txscript.
func checkResult(t *testing.T, p *samples.Packet, file []byte, encoding string, result *signer.Result) {
	t.Helper()
	if !result.Complete || result.Added != len(p.Inputs) {
		t.Fatalf("complete %v, %d added", result.Complete, result.Added)
	}
	raw, enc, err := container.Decode(result.PSBT)
	if err != nil || string(enc) != encoding {
		t.Fatalf("encoding %s (%v), want %s", enc, err, encoding)
	}
	checkOnlySignatures(t, file, raw)
	final := &wire.MsgTx{}
	if err := final.Deserialize(bytes.NewReader(result.FinalTx)); err != nil {
		t.Fatal(err)
	}
	if final.TxHash() != result.TxID {
		t.Errorf("txid %v, want %v", result.TxID, final.TxHash())
	}
	runEngine(t, p, final)

	packet, err := psbt.NewFromRawBytes(bytes.NewReader(raw), false)
	if err != nil {
		t.Fatalf("btcutil/psbt: %v", err)
	}
	if err := psbt.MaybeFinalizeAll(packet); err != nil {
		t.Fatalf("btcutil/psbt: %v", err)
	}
	theirs, err := psbt.Extract(packet)
	if err != nil {
		t.Fatalf("btcutil/psbt: %v", err)
	}
	var b bytes.Buffer
	if err := theirs.Serialize(&b); err != nil || !bytes.Equal(b.Bytes(), result.FinalTx) {
		t.Errorf("btcutil/psbt extracts %x (%v)\nwe %x", b.Bytes(), err, result.FinalTx)
	}
}

// runEngine runs a transaction with the coins the packet was built from.
func runEngine(t *testing.T, p *samples.Packet, tx *wire.MsgTx) {
	t.Helper()
	fetch := txscript.NewMultiPrevOutFetcher(nil)
	for _, in := range p.Inputs {
		fetch.AddPrevOut(in.Outpoint, &wire.TxOut{Value: in.Amount, PkScript: in.Script})
	}
	for i, in := range p.Inputs {
		vm, err := txscript.NewEngine(in.Script, tx, i, txscript.StandardVerifyFlags, nil, txscript.NewTxSigHashes(tx, fetch), in.Amount, fetch)
		if err == nil {
			err = vm.Execute()
		}
		if err != nil {
			t.Errorf("input %d: %v", i, err)
		}
	}
}

// checkOnlySignatures: every pair that came in is there, in its order; what is
// new is a signature.
func checkOnlySignatures(t *testing.T, file, signed []byte) {
	t.Helper()
	raw, _, err := container.Decode(file)
	if err != nil {
		t.Fatal(err)
	}
	before, err := container.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	after, err := container.Parse(signed)
	if err != nil {
		t.Fatal(err)
	}
	same := func(what string, a, b container.Map) {
		kept := b.Pairs
		for _, p := range a.Pairs {
			for len(kept) > 0 && !bytes.Equal(kept[0].Key, p.Key) {
				if typ := kept[0].Type; typ != container.InPartialSig && typ != container.InTapKeySig {
					t.Errorf("%s: a pair of type %d is new", what, typ)
				}
				kept = kept[1:]
			}
			if len(kept) == 0 || !bytes.Equal(kept[0].Value, p.Value) {
				t.Fatalf("%s: the pair with key %x was changed or lost", what, p.Key)
			}
			kept = kept[1:]
		}
		for _, p := range kept {
			if p.Type != container.InPartialSig && p.Type != container.InTapKeySig {
				t.Errorf("%s: a pair of type %d is new", what, p.Type)
			}
		}
	}
	same("global", before.Global, after.Global)
	for i := range before.Inputs {
		same(fmt.Sprintf("input %d", i), before.Inputs[i], after.Inputs[i])
	}
	for i := range before.Outputs {
		same(fmt.Sprintf("output %d", i), before.Outputs[i], after.Outputs[i])
		if len(before.Outputs[i].Pairs) != len(after.Outputs[i].Pairs) {
			t.Errorf("output %d has new pairs", i)
		}
	}
}

// TestSignTaprootAll: a taproot signature for ALL has its sighash byte.
func TestSignTaprootAll(t *testing.T) {
	p := payment("tr-all", samples.P2TR, samples.P2TR)
	p.Inputs[0].Sighash(1)
	file := p.Bytes()
	result, err := signer.Sign(t.Context(), approve(t, reviewDemo(t, file)), demoKey(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	checkResult(t, p, file, "binary", result)
	c, err := container.Parse(result.PSBT)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []int{65, 64} {
		if sig, _ := c.Inputs[i].Get(container.InTapKeySig); len(sig.Value) != want {
			t.Errorf("input %d: %d bytes, want %d", i, len(sig.Value), want)
		}
	}
}

// TestRequests: what the key is asked, and that it cannot change what is
// signed by changing it.
func TestRequests(t *testing.T) {
	me, p := samples.Demo(), samples.NewPacket("requests")
	for _, index := range []uint32{5, 6, 5, 7, 6, 5} {
		p.Spend(me.At(samples.P2WPKH, 0, index), 50_000)
	}
	p.Pay(samples.Stranger(0).At(samples.P2WPKH, 0, 0).Script, 290_000)
	c := &card{Key: demoKey(t)}
	c.sign = func(ctx context.Context, reqs []signer.Request, progress func(int)) ([]signer.Signature, error) {
		sigs, err := c.Key.Sign(ctx, reqs, progress)
		for i := range reqs { // hostile: after signing
			reqs[i].Digest[0] ^= 1
			reqs[i].Path[4]++
			reqs[i].Input = 0
		}
		return sigs, err
	}
	var order []int
	spy := &card{Key: c, sign: func(ctx context.Context, reqs []signer.Request, progress func(int)) ([]signer.Signature, error) {
		for _, r := range reqs {
			order = append(order, r.Input)
		}
		return c.Sign(ctx, reqs, progress)
	}}
	result, err := signer.Sign(t.Context(), approve(t, reviewDemo(t, p.Bytes())), spy, nil)
	if err != nil {
		t.Fatal(err)
	}
	if want := []int{0, 2, 5, 1, 4, 3}; !slices.Equal(order, want) {
		t.Errorf("asked in the order %v, want %v: one key's next to each other", order, want)
	}
	checkResult(t, p, p.Bytes(), "binary", result)
}

// TestForeignInputs: another's unsigned coin makes a part, a finished one stays
// and is run with the rest.
func TestForeignInputs(t *testing.T) {
	p := payment("foreign", samples.P2WPKH)
	them := samples.Stranger(1).At(samples.P2WPKH, 0, 0)
	in := p.Spend(them, 40_000)
	p.Outputs[0].Amount += 40_000
	file := p.Bytes()
	result, err := signer.Sign(t.Context(), approve(t, reviewDemo(t, file)), demoKey(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	checkOnlySignatures(t, file, result.PSBT)
	if result.Complete || result.FinalTx != nil || result.Added != 1 {
		t.Errorf("complete %v with %d added", result.Complete, result.Added)
	}

	// Now the stranger's own station signs and finalises it.
	fetch := txscript.NewMultiPrevOutFetcher(nil)
	for _, in := range p.Inputs {
		fetch.AddPrevOut(in.Outpoint, &wire.TxOut{Value: in.Amount, PkScript: in.Script})
	}
	tx := p.Tx()
	witness, err := txscript.WitnessSignature(tx, txscript.NewTxSigHashes(tx, fetch), 1, in.Amount, them.Script,
		txscript.SigHashAll, samples.Stranger(1).Private("m/84h/0h/0h/0/0"), true)
	if err != nil {
		t.Fatal(err)
	}
	stack := []byte{2}
	for _, item := range witness {
		stack = append(append(stack, byte(len(item))), item...)
	}
	in.Add(container.InFinalScriptWitness, nil, stack)
	file = p.Bytes()
	result, err = signer.Sign(t.Context(), approve(t, reviewDemo(t, file)), demoKey(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	checkOnlySignatures(t, file, result.PSBT)
	if !result.Complete {
		t.Fatal("not complete")
	}
	final := &wire.MsgTx{}
	if err := final.Deserialize(bytes.NewReader(result.FinalTx)); err != nil {
		t.Fatal(err)
	}
	runEngine(t, p, final)
	if !slices.EqualFunc(final.TxIn[1].Witness, witness, bytes.Equal) {
		t.Error("the stranger's witness was changed")
	}
}

// TestUnable: one request the card cannot answer, and none is asked.
func TestUnable(t *testing.T) {
	c := &card{Key: &noSchnorr{demoKey(t)}}
	a := approve(t, reviewDemo(t, payment("unable", samples.P2WPKH, samples.P2TR).Bytes()))
	var unable *signer.UnableError
	if _, err := signer.Sign(t.Context(), a, c, nil); !errors.As(err, &unable) || unable.Input != 1 || c.calls != 0 {
		t.Errorf("%v after %d calls", err, c.calls)
	}
	if _, err := signer.Sign(t.Context(), a, demoKey(t), nil); err != nil {
		t.Errorf("with one that can: %v", err)
	}
}

type noSchnorr struct{ signer.Key }

func (noSchnorr) Can(r signer.Request) error {
	if r.Scheme != signer.ECDSA {
		return errors.New("it does not know Schnorr signatures")
	}
	return nil
}

// TestResultEncodings: text comes back as text of one line.
func TestResultEncodings(t *testing.T) {
	p := payment("encodings", samples.P2WPKH)
	var raws [][]byte
	for _, file := range [][]byte{p.Bytes(), p.Base64(), p.Hex()} {
		result, err := signer.Sign(t.Context(), approve(t, reviewDemo(t, file)), demoKey(t), nil)
		if err != nil {
			t.Fatal(err)
		}
		raws = append(raws, result.PSBT)
	}
	text := strings.TrimSuffix(string(raws[1]), "\n")
	if b, err := base64.StdEncoding.DecodeString(text); err != nil || !bytes.Equal(b, raws[0]) {
		t.Errorf("base64: %v", err)
	}
	text = strings.TrimSuffix(string(raws[2]), "\n")
	if b, err := hex.DecodeString(text); err != nil || !bytes.Equal(b, raws[0]) {
		t.Errorf("hex: %v", err)
	}
}
