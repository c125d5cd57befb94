package signer_test

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/airlock-signer/airlock/signer"
	"github.com/airlock-signer/airlock/signer/container"
	"github.com/airlock-signer/airlock/signer/samples"
	"github.com/airlock-signer/airlock/signer/softkey"
	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcec/v2/ecdsa"
	"github.com/btcsuite/btcd/txscript"
)

// answer changes what an honest card would have answered.
type answer func(t *testing.T, k *softkey.Key, reqs []signer.Request, sigs []signer.Signature) []signer.Signature

// private is the key that answers a request, tweaked where it is for a key path.
func private(t *testing.T, k *softkey.Key, r signer.Request) *btcec.PrivateKey {
	t.Helper()
	priv, err := k.Private(r.Path)
	if err != nil {
		t.Fatal(err)
	}
	if r.Scheme == signer.SchnorrKeyPath {
		return txscript.TweakTaprootPrivKey(*priv, r.MerkleRoot)
	}
	return priv
}

// signWith signs a request with any key and any secret number.
func signWith(priv *btcec.PrivateKey, r signer.Request, nonce *btcec.ModNScalar) signer.Signature {
	if r.Scheme == signer.ECDSA {
		return softkey.SignECDSAWithNonce(priv, r.Digest, nonce).Serialize()
	}
	return softkey.SignSchnorrWithNonce(priv, r.Digest, nonce)
}

func scalar(n uint32) *btcec.ModNScalar { return new(btcec.ModNScalar).SetInt(n) }

// withNonce answers every request with the same secret number.
func withNonce(n *btcec.ModNScalar) answer {
	return func(t *testing.T, k *softkey.Key, reqs []signer.Request, sigs []signer.Signature) []signer.Signature {
		for i, r := range reqs {
			sigs[i] = signWith(private(t, k, r), r, n)
		}
		return sigs
	}
}

// change alters one signature.
func change(i int, change func(signer.Signature) signer.Signature) answer {
	return func(_ *testing.T, _ *softkey.Key, _ []signer.Request, sigs []signer.Signature) []signer.Signature {
		sigs[i] = change(sigs[i])
		return sigs
	}
}

func flip(at int) func(signer.Signature) signer.Signature {
	return func(s signer.Signature) signer.Signature {
		s = bytes.Clone(s)
		s[at] ^= 1
		return s
	}
}

// TestLiars: what a lying card answers, for each script type and mixed, and
// what becomes of it. Every case also tries to go on and to use the approval
// again.
func TestLiars(t *testing.T) {
	half := new(btcec.ModNScalar).SetInt(2).InverseNonConst()
	cases := []struct {
		name  string
		lie   answer
		code  signer.Code
		types []samples.Type // nil: each type twice
	}{
		{"a bit of r", change(1, flip(10)), signer.CodeSignatureInvalid, nil},
		{"a bit of s", change(1, flip(60)), signer.CodeSignatureInvalid, nil},
		{"truncated", change(1, func(s signer.Signature) signer.Signature { return s[:len(s)-1] }), signer.CodeSignatureInvalid, nil},
		{"cut in half", change(0, func(s signer.Signature) signer.Signature { return s[:len(s)/2] }), signer.CodeSignatureInvalid, nil},
		{"a byte more", change(0, func(s signer.Signature) signer.Signature { return append(s, 1) }), signer.CodeSignatureInvalid, nil},
		{"empty", change(0, func(signer.Signature) signer.Signature { return nil }), signer.CodeSignatureInvalid, nil},
		{"a status word", change(0, func(signer.Signature) signer.Signature { return []byte{0x90, 0x00} }), signer.CodeSignatureInvalid, nil},
		{"zeros", change(0, func(s signer.Signature) signer.Signature { return make([]byte, len(s)) }), signer.CodeSignatureInvalid, nil},
		{"a placeholder of the right form", change(0, func(signer.Signature) signer.Signature {
			return ecdsa.NewSignature(scalar(5), scalar(7)).Serialize()
		}), signer.CodeSignatureInvalid, []samples.Type{samples.P2WPKH}},
		{"swapped", func(_ *testing.T, _ *softkey.Key, _ []signer.Request, s []signer.Signature) []signer.Signature {
			s[0], s[1] = s[1], s[0]
			return s
		}, signer.CodeSignatureInvalid, nil},
		{"one twice", func(_ *testing.T, _ *softkey.Key, _ []signer.Request, s []signer.Signature) []signer.Signature {
			s[1] = s[0]
			return s
		}, signer.CodeSignatureInvalid, nil},
		{"too many", func(_ *testing.T, _ *softkey.Key, _ []signer.Request, s []signer.Signature) []signer.Signature {
			return append(s, s[0])
		}, signer.CodeSignatureInvalid, nil},
		{"too few", func(_ *testing.T, _ *softkey.Key, _ []signer.Request, s []signer.Signature) []signer.Signature {
			return s[:1]
		}, signer.CodeSignatureInvalid, nil},
		{"none", func(*testing.T, *softkey.Key, []signer.Request, []signer.Signature) []signer.Signature {
			return nil
		}, signer.CodeSignatureInvalid, nil},
		{"the other input's key", func(t *testing.T, k *softkey.Key, r []signer.Request, s []signer.Signature) []signer.Signature {
			s[0] = signWith(private(t, k, r[1]), r[0], scalar(123_456))
			return s
		}, signer.CodeSignatureWrongKey, nil},
		{"taproot without its tweak", func(t *testing.T, k *softkey.Key, r []signer.Request, s []signer.Signature) []signer.Signature {
			untweaked := r[0]
			untweaked.Scheme = signer.SchnorrScriptPath
			s[0] = signWith(private(t, k, untweaked), untweaked, scalar(123_456))
			return s
		}, signer.CodeSignatureWrongKey, []samples.Type{samples.P2TR}},
		{"r repeated", withNonce(scalar(123_456)), signer.CodeNonceRepeated, nil},
		{"r repeated across schemes", withNonce(scalar(123_456)), signer.CodeNonceRepeated, []samples.Type{samples.P2WPKH, samples.P2TR}},
		{"k and -k", func(t *testing.T, k *softkey.Key, r []signer.Request, s []signer.Signature) []signer.Signature {
			s[0] = signWith(private(t, k, r[0]), r[0], scalar(123_456))
			s[1] = signWith(private(t, k, r[1]), r[1], scalar(123_456).Negate())
			return s
		}, signer.CodeNonceRepeated, nil},
		{"k = 1", withNonce(scalar(1)), signer.CodeNonceRepeated, nil},
		{"k = 1000", withNonce(scalar(1000)), signer.CodeNonceRepeated, nil},
		{"k = -2", withNonce(scalar(2).Negate()), signer.CodeNonceRepeated, nil},
		{"k = 1/2", withNonce(half), signer.CodeNonceRepeated, nil},
	}
	for _, c := range cases {
		all := [][]samples.Type{c.types}
		if c.types == nil {
			all = [][]samples.Type{}
			for _, typ := range allTypes {
				all = append(all, []samples.Type{typ, typ})
			}
		}
		for _, types := range all {
			t.Run(c.name+"/"+string(types[0]), func(t *testing.T) { catch(t, types, c.lie, c.code) })
		}
	}
}

// catch has a card lie and expects the code.
func catch(t *testing.T, types []samples.Type, lie answer, code signer.Code) {
	t.Helper()
	k := demoKey(t)
	c := &card{Key: k}
	c.sign = func(ctx context.Context, reqs []signer.Request, progress func(int)) ([]signer.Signature, error) {
		sigs, err := k.Sign(ctx, reqs, progress)
		if err != nil {
			t.Fatal(err)
		}
		return lie(t, k, reqs, sigs), nil
	}
	a := approve(t, reviewDemo(t, payment("liar", types...).Bytes()))
	result, err := signer.Sign(t.Context(), a, c, nil)
	var bad *signer.SigningError
	if result != nil || !errors.As(err, &bad) || bad.Code != code {
		t.Fatalf("result %v, error %v, want %s", result, err, code)
	}
	if bad.Sentence == "" || bad.Input < 0 || bad.Input >= len(types) {
		t.Errorf("input %d: %q", bad.Input, bad.Sentence)
	}
	if r, err := signer.Sign(t.Context(), a, k, nil); r != nil || !errors.Is(err, signer.ErrApprovalUsed) {
		t.Errorf("the approval outlives the lie: %v", err)
	}
}

// TestLieAfterInterruption: good signatures of the first call do not survive
// the lie of the second, and a lie beside an error is still one.
func TestLieAfterInterruption(t *testing.T) {
	k := demoKey(t)
	a := approve(t, reviewDemo(t, payment("late", samples.P2WPKH, samples.P2WPKH, samples.P2WPKH).Bytes()))
	c := &card{Key: k}
	c.sign = func(ctx context.Context, reqs []signer.Request, progress func(int)) ([]signer.Signature, error) {
		sigs, err := k.Sign(ctx, reqs, progress)
		if len(reqs) == 3 {
			return sigs[:1], errors.Join(err, errPulled)
		}
		sigs[0][40] ^= 1
		return sigs[:1], errPulled
	}
	var stopped *signer.InterruptedError
	if _, err := signer.Sign(t.Context(), a, c, nil); !errors.As(err, &stopped) {
		t.Fatal(err)
	}
	var bad *signer.SigningError
	if _, err := signer.Sign(t.Context(), a, c, nil); !errors.As(err, &bad) || bad.Code != signer.CodeSignatureInvalid {
		t.Fatal(err)
	}
	if _, err := signer.Sign(t.Context(), a, k, nil); !errors.Is(err, signer.ErrApprovalUsed) {
		t.Errorf("afterwards: %v", err)
	}
}

// TestNonceRepeatedInSession: one transaction after the other, one signature
// each; the ledger of the session notices, another session's does not.
func TestNonceRepeatedInSession(t *testing.T) {
	for _, typ := range allTypes {
		t.Run(string(typ), func(t *testing.T) {
			k := demoKey(t)
			c := &card{Key: k}
			c.sign = func(_ context.Context, reqs []signer.Request, _ func(int)) ([]signer.Signature, error) {
				return withNonce(scalar(987_654))(t, k, reqs, make([]signer.Signature, len(reqs))), nil
			}
			session := signer.NewLedger()
			sign := func(name string, l *signer.Ledger) error {
				r := reviewFile(t, payment(name, typ).Bytes(), k, mainnet, l)
				_, err := signer.Sign(t.Context(), approve(t, r), c, nil)
				return err
			}
			if err := sign("first", session); err != nil {
				t.Fatalf("the first time nobody can know: %v", err)
			}
			if err := sign("first", session); err != nil {
				t.Errorf("the same transaction again: %v", err)
			}
			var bad *signer.SigningError
			if err := sign("second", session); !errors.As(err, &bad) || bad.Code != signer.CodeNonceRepeated {
				t.Errorf("the second time: %v", err)
			}
			if err := sign("second", signer.NewLedger()); err != nil {
				t.Errorf("another session: %v", err)
			}
		})
	}
}

// TestNonceRepeatedInFile: the number was used in a signature that the file
// brought along, ours or a stranger's, partial or final.
func TestNonceRepeatedInFile(t *testing.T) {
	for _, ours := range []bool{true, false} {
		for _, final := range []bool{true, false} {
			p := payment("in file", samples.P2WPKH)
			who, path := samples.Demo(), "m/84h/0h/0h/0/9"
			if !ours {
				who = samples.Stranger(1)
			}
			spot := who.Spot(samples.P2WPKH, path)
			in := p.Spend(spot, 40_000)
			p.Outputs[0].Amount += 40_000
			sig := strangerSignature(t, p, 1, who.Private(path), scalar(987_654))
			pub := spot.PubKey.SerializeCompressed()
			if final {
				in.Drop(uint64(container.InBip32Derivation))
				if ours {
					in.Derive(spot)
				}
				witness := append([]byte{2, byte(len(sig))}, sig...)
				in.Add(container.InFinalScriptWitness, nil, append(append(witness, 33), pub...))
			} else {
				in.Add(container.InPartialSig, pub, sig)
			}
			k := demoKey(t)
			c := &card{Key: k}
			c.sign = func(_ context.Context, reqs []signer.Request, _ func(int)) ([]signer.Signature, error) {
				return withNonce(scalar(987_654))(t, k, reqs, make([]signer.Signature, len(reqs))), nil
			}
			var bad *signer.SigningError
			if _, err := signer.Sign(t.Context(), approve(t, reviewDemo(t, p.Bytes())), c, nil); !errors.As(err, &bad) || bad.Code != signer.CodeNonceRepeated {
				t.Errorf("ours %v, final %v: %v", ours, final, err)
			}
			result, err := signer.Sign(t.Context(), approve(t, reviewDemo(t, p.Bytes())), k, nil)
			if err != nil || !result.Complete || result.Added != 1 {
				t.Errorf("ours %v, final %v: an honest card: %v", ours, final, err)
			}
		}
	}
}

// strangerSignature signs input i of a packet, p2wpkh, for ALL.
func strangerSignature(t *testing.T, p *samples.Packet, i int, priv *btcec.PrivateKey, nonce *btcec.ModNScalar) []byte {
	t.Helper()
	fetch := txscript.NewMultiPrevOutFetcher(nil)
	for _, in := range p.Inputs {
		fetch.AddPrevOut(in.Outpoint, in.Previous.TxOut[in.Outpoint.Index])
	}
	in := p.Inputs[i]
	digest, err := txscript.CalcWitnessSigHash(in.Script, txscript.NewTxSigHashes(p.Tx(), fetch), txscript.SigHashAll, p.Tx(), i, in.Amount)
	if err != nil {
		t.Fatal(err)
	}
	return append(softkey.SignECDSAWithNonce(priv, [32]byte(digest), nonce).Serialize(), 1)
}

// TestOursInFileRepeat: two signatures of ours that came along share a number;
// the card is not even asked.
func TestOursInFileRepeat(t *testing.T) {
	me, p := samples.Demo(), payment("ours repeat", samples.P2WPKH, samples.P2WPKH, samples.P2WPKH)
	for i, path := range []string{"m/84h/0h/0h/0/0", "m/84h/0h/0h/0/1"} {
		sig := strangerSignature(t, p, i, me.Private(path), scalar(555_555))
		p.Inputs[i].Add(container.InPartialSig, me.Spot(samples.P2WPKH, path).PubKey.SerializeCompressed(), sig)
	}
	c := &card{Key: demoKey(t)}
	var bad *signer.SigningError
	if _, err := signer.Sign(t.Context(), approve(t, reviewDemo(t, p.Bytes())), c, nil); !errors.As(err, &bad) || bad.Code != signer.CodeNonceRepeated || c.calls != 0 {
		t.Errorf("%v after %d calls", err, c.calls)
	}
}

// TestHighS: a card may give the S above half; what is written has the other.
func TestHighS(t *testing.T) {
	k := demoKey(t)
	honest, err := signer.Sign(t.Context(), approve(t, reviewDemo(t, payment("high", samples.P2PKH, samples.P2WPKH).Bytes())), k, nil)
	if err != nil {
		t.Fatal(err)
	}
	c := &card{Key: k}
	c.sign = func(ctx context.Context, reqs []signer.Request, progress func(int)) ([]signer.Signature, error) {
		sigs, err := k.Sign(ctx, reqs, progress)
		for i := range sigs {
			sigs[i] = highS(t, sigs[i])
		}
		return sigs, err
	}
	p := payment("high", samples.P2PKH, samples.P2WPKH)
	result, err := signer.Sign(t.Context(), approve(t, reviewDemo(t, p.Bytes())), c, nil)
	if err != nil {
		t.Fatal(err)
	}
	checkResult(t, p, p.Bytes(), "binary", result)
	if !bytes.Equal(result.PSBT, honest.PSBT) {
		t.Error("not the low S")
	}
}

// highS writes the other S of a low-S signature.
func highS(t *testing.T, low []byte) []byte {
	t.Helper()
	parsed, err := ecdsa.ParseDERSignature(low)
	if err != nil {
		t.Fatal(err)
	}
	r, s := parsed.R(), parsed.S()
	s.Negate()
	rb, sb := r.Bytes(), s.Bytes()
	integer := func(b []byte) []byte {
		b = bytes.TrimLeft(b, "\x00")
		if b[0] >= 0x80 {
			b = append([]byte{0}, b...)
		}
		return append([]byte{2, byte(len(b))}, b...)
	}
	body := slices.Concat(integer(rb[:]), integer(sb[:]))
	return append([]byte{0x30, byte(len(body))}, body...)
}

// TestLedgerOfSession: what was signed is remembered, with amount and
// transaction.
func TestLedgerOfSession(t *testing.T) {
	p, l, k := payment("remembered", samples.P2WPKH, samples.P2TR), signer.NewLedger(), demoKey(t)
	coin := p.Inputs[1].Outpoint
	r := reviewFile(t, p.Bytes(), k, mainnet, l)
	if l.Signed(coin) != nil {
		t.Error("a review signs nothing")
	}
	if _, err := signer.Sign(t.Context(), approve(t, r), k, nil); err != nil {
		t.Fatal(err)
	}
	got := l.Signed(coin)
	if len(got) != 1 || got[0].Amount != 200_000 || got[0].TxID != p.Tx().TxHash() || got[0].Tx.TxHash() != p.Tx().TxHash() {
		t.Errorf("%+v", got)
	}
}
