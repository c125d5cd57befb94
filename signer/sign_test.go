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
	"sync"
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

var errPulled = errors.New("card pulled")

// TestInterrupted pulls the card after each signature and goes on.
func TestInterrupted(t *testing.T) {
	p := payment("interrupted", samples.P2WPKH, samples.P2TR, samples.P2PKH, samples.P2SHP2WPKH, samples.P2WPKH)
	total := len(p.Inputs)
	whole, err := signer.Sign(t.Context(), approve(t, reviewDemo(t, p.Bytes())), demoKey(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	for after := range total + 1 {
		t.Run(fmt.Sprintf("after %d", after), func(t *testing.T) {
			c := &card{Key: demoKey(t)}
			c.sign = func(ctx context.Context, reqs []signer.Request, progress func(int)) ([]signer.Signature, error) {
				sigs, err := c.Key.Sign(ctx, reqs[:after], progress)
				return sigs, errors.Join(err, errPulled)
			}
			a := approve(t, reviewDemo(t, p.Bytes()))
			result, err := signer.Sign(t.Context(), a, c, nil)
			if after == total { // pulled when all was done
				if err != nil || !bytes.Equal(result.PSBT, whole.PSBT) {
					t.Fatalf("all signatures were there: %v", err)
				}
				return
			}
			var stopped *signer.InterruptedError
			if result != nil || !errors.As(err, &stopped) || !errors.Is(err, errPulled) || stopped.Made != after || stopped.Total != total {
				t.Fatalf("%v, result %v", err, result)
			}
			c.sign = nil
			var seen []signer.Progress
			result, err = signer.Sign(t.Context(), a, c, func(p signer.Progress) { seen = append(seen, p) })
			if err != nil {
				t.Fatal(err)
			}
			if len(c.asked) != total-after {
				t.Errorf("%d were asked for again, %d were missing", len(c.asked), total-after)
			}
			if seen[0].Made != after || seen[len(seen)-1].Made != total {
				t.Errorf("progress %v", seen)
			}
			if !bytes.Equal(result.PSBT, whole.PSBT) || !bytes.Equal(result.FinalTx, whole.FinalTx) {
				t.Error("another result than without interruption")
			}
			if _, err := signer.Sign(t.Context(), a, c, nil); !errors.Is(err, signer.ErrApprovalUsed) {
				t.Errorf("used again: %v", err)
			}
		})
	}
}

// TestInterruptedOneByOne: a loose contact, one signature a call.
func TestInterruptedOneByOne(t *testing.T) {
	p := payment("one by one", allTypes...)
	c := &card{Key: demoKey(t)}
	c.sign = func(ctx context.Context, reqs []signer.Request, progress func(int)) ([]signer.Signature, error) {
		sigs, err := c.Key.Sign(ctx, reqs[:1], progress)
		return sigs, errors.Join(err, errPulled)
	}
	a := approve(t, reviewDemo(t, p.Bytes()))
	for i := range p.Inputs {
		result, err := signer.Sign(t.Context(), a, c, nil)
		if last := i == len(p.Inputs)-1; last != (err == nil) {
			t.Fatalf("call %d: %v", i, err)
		}
		if err == nil {
			checkResult(t, p, p.Bytes(), "binary", result)
		}
	}
}

// TestCancelled: a context that ended asks nothing of the card.
func TestCancelled(t *testing.T) {
	c := &card{Key: demoKey(t)}
	a := approve(t, reviewDemo(t, payment("cancelled", samples.P2WPKH).Bytes()))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := signer.Sign(ctx, a, c, nil); !errors.Is(err, context.Canceled) || c.calls != 0 {
		t.Fatalf("%v after %d calls", err, c.calls)
	}
	if _, err := signer.Sign(t.Context(), a, c, nil); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

// TestCancelledAtTheEnd: cancelled while the card signed the last input; what
// it made is kept, and the next call asks it for nothing.
func TestCancelledAtTheEnd(t *testing.T) {
	p := payment("at the end", allTypes...)
	a := approve(t, reviewDemo(t, p.Bytes()))
	ctx, cancel := context.WithCancel(t.Context())
	c := &card{Key: demoKey(t)}
	c.sign = func(ctx context.Context, reqs []signer.Request, progress func(int)) ([]signer.Signature, error) {
		sigs, err := c.Key.Sign(ctx, reqs, progress)
		cancel()
		return sigs, err
	}
	var stopped *signer.InterruptedError
	if _, err := signer.Sign(ctx, a, c, nil); !errors.As(err, &stopped) || stopped.Made != 4 || stopped.Total != 4 {
		t.Fatal(err)
	}
	result, err := signer.Sign(t.Context(), a, c, nil)
	if err != nil || c.calls != 1 {
		t.Fatalf("%v after %d calls", err, c.calls)
	}
	checkResult(t, p, p.Bytes(), "binary", result)
}

// TestApprovalMisused: the zero value, a second use, another key, two at once.
func TestApprovalMisused(t *testing.T) {
	file := payment("misused", samples.P2WPKH, samples.P2TR).Bytes()
	k := demoKey(t)
	if _, err := signer.Sign(t.Context(), signer.Approval{}, k, nil); !errors.Is(err, signer.ErrNoApproval) {
		t.Errorf("zero value: %v", err)
	}
	a := approve(t, reviewDemo(t, file))
	other := newKey(t, "legal winner thank year wave sausage worth useful legal winner thank yellow", signer.Mainnet)
	for name, k := range map[string]signer.Key{
		"no key": nil, "another key": other,
		"another key with our fingerprint": &imitation{Key: other, fingerprint: k.Fingerprint()},
		"no account":                       &imitation{Key: other, fingerprint: k.Fingerprint(), silent: true},
	} {
		var bad *signer.SigningError
		if _, err := signer.Sign(t.Context(), a, k, nil); !errors.As(err, &bad) || bad.Code != signer.CodeCardSwapped {
			t.Errorf("%s: %v", name, err)
		}
	}
	var inner error
	c := &card{Key: k}
	c.sign = func(ctx context.Context, reqs []signer.Request, progress func(int)) ([]signer.Signature, error) {
		var wait sync.WaitGroup
		wait.Go(func() { _, inner = signer.Sign(ctx, a, k, nil) })
		wait.Wait()
		return c.Key.Sign(ctx, reqs, progress)
	}
	if _, err := signer.Sign(t.Context(), a, c, nil); err != nil {
		t.Fatalf("the right card after the wrong ones: %v", err)
	}
	if !errors.Is(inner, signer.ErrApprovalBusy) {
		t.Errorf("two at once: %v", inner)
	}
	copied := a
	if _, err := signer.Sign(t.Context(), copied, k, nil); !errors.Is(err, signer.ErrApprovalUsed) {
		t.Errorf("second use: %v", err)
	}
}

// imitation says it is another.
type imitation struct {
	signer.Key
	fingerprint [4]byte
	silent      bool
}

func (k *imitation) Fingerprint() [4]byte { return k.fingerprint }

func (k *imitation) Account(ctx context.Context, path signer.Path) (*signer.Account, error) {
	if k.silent {
		return nil, nil
	}
	a, err := k.Key.Account(ctx, path)
	if err == nil {
		a.Fingerprint = k.fingerprint
	}
	return a, err
}

// TestReviewChanged: whatever is changed after the approval, before or during
// signing, nothing is handed out.
func TestReviewChanged(t *testing.T) {
	changes := map[string]func(file []byte, r *signer.Report){
		"a byte of the file":  func(file []byte, _ *signer.Report) { file[bytes.Index(file, []byte{0xa0, 0x86, 0x01})]++ },
		"an amount shown":     func(_ []byte, r *signer.Report) { r.Outputs[0].Amount++ },
		"an input's amount":   func(_ []byte, r *signer.Report) { r.Inputs[0].Amount.Sat++ },
		"a script spent":      func(_ []byte, r *signer.Report) { r.Inputs[0].Script = []byte{0x51} },
		"the totals":          func(_ []byte, r *signer.Report) { r.Totals.ToOthers-- },
		"the verdict":         func(_ []byte, r *signer.Report) { r.Verdict = signer.VerdictCaution },
		"the network":         func(_ []byte, r *signer.Report) { r.Network = signer.Testnet },
		"a finding more":      func(_ []byte, r *signer.Report) { r.Findings = append(r.Findings, signer.Finding{Code: "x"}) },
		"an output forgotten": func(_ []byte, r *signer.Report) { r.Outputs = r.Outputs[:1] },
	}
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			file := payment("changed", samples.P2WPKH).Bytes()
			review := reviewDemo(t, file)
			a, c := approve(t, review), &card{Key: demoKey(t)}
			change(file, review.Report())
			if r, err := signer.Sign(t.Context(), a, c, nil); r != nil || !errors.Is(err, signer.ErrReviewChanged) || c.calls != 0 {
				t.Errorf("before: %v, %v after %d calls", r, err, c.calls)
			}

			file = payment("changed", samples.P2WPKH).Bytes()
			review = reviewDemo(t, file)
			a = approve(t, review)
			c.sign = func(ctx context.Context, reqs []signer.Request, progress func(int)) ([]signer.Signature, error) {
				sigs, err := c.Key.Sign(ctx, reqs, progress)
				change(file, review.Report())
				return sigs, err
			}
			if r, err := signer.Sign(t.Context(), a, c, nil); r != nil || err == nil {
				t.Errorf("during: %v, %v", r, err)
			}
			if _, err := signer.Sign(t.Context(), a, c, nil); !errors.Is(err, signer.ErrApprovalUsed) {
				t.Errorf("afterwards: %v", err)
			}
		})
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
