package signer

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"slices"
	"testing"

	"github.com/airlock-signer/airlock/signer/container"
	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcec/v2/ecdsa"
	"github.com/btcsuite/btcd/btcutil"
	"github.com/btcsuite/btcd/txscript"
)

// coreRoles is what Bitcoin Core's tests of its PSBT commands give each role.
type coreRoles struct {
	Signer []struct {
		Privkeys     []string
		PSBT, Result string
	}
	Combiner []struct {
		Combine []string
		Result  string
	}
	Finalizer []struct{ Finalize, Result string }
	Extractor []struct{ Extract, Result string }
}

func coreRoleVectors(t *testing.T) (roles coreRoles) {
	t.Helper()
	if err := json.Unmarshal(vectorFile(t, "bitcoin-core/rpc_psbt.json"), &roles); err != nil {
		t.Fatal(err)
	}
	if len(roles.Signer) != 6 || len(roles.Combiner) != 1 || len(roles.Finalizer) != 1 || len(roles.Extractor) != 1 {
		t.Fatalf("%d signers, %d combiners, %d finalisers, %d extractors",
			len(roles.Signer), len(roles.Combiner), len(roles.Finalizer), len(roles.Extractor))
	}
	return roles
}

func fromBase64(t *testing.T, text string) []byte {
	t.Helper()
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func openRaw(t *testing.T, raw []byte) *Transaction {
	t.Helper()
	tx, err := Open(raw, DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	return tx
}

// ascending writes a PSBT as Bitcoin Core does: the fields of a map in the order
// of their types.
func ascending(t *testing.T, raw []byte) []byte {
	t.Helper()
	c := openRaw(t, raw).container
	out := []byte(container.Magic)
	for _, m := range append(append([]container.Map{c.Global}, c.Inputs...), c.Outputs...) {
		pairs := slices.Clone(m.Pairs)
		slices.SortStableFunc(pairs, func(a, b container.Pair) int { return cmp.Compare(a.Type, b.Type) })
		for _, p := range pairs {
			out = append(out, raw[p.Start:p.End]...)
		}
		out = append(out, 0)
	}
	return out
}

// signAll is a signer that does not ask whose a script is: every key that the
// script of an input names signs the digest that the station computes for it.
// Nonces are those of RFC 6979; with lowR searched as Bitcoin Core does.
func signAll(t *testing.T, raw []byte, wifs []string, lowR bool) []byte {
	t.Helper()
	tx := openRaw(t, raw)
	h, err := newHasher(tx.tx(), tx.spentOutputs())
	if err != nil {
		t.Fatal(err)
	}
	var adds []container.Addition
	for i := range tx.ins {
		f := &tx.ins[i]
		v := verifier{h: h, input: i, f: f, in: &inputState{script: f.script, sighash: uint32(txscript.SigHashAll)}}
		for _, text := range wifs {
			wif, err := btcutil.DecodeWIF(text)
			if err != nil {
				t.Fatal(err)
			}
			pub := wif.PrivKey.PubKey().SerializeCompressed()
			if v.keyBelongs(pub) != nil {
				continue
			}
			digest, err := v.ecdsaDigest(pub)
			if err != nil {
				t.Fatal(err)
			}
			adds = append(adds, container.Addition{
				Input: i, Key: append([]byte{byte(container.InPartialSig)}, pub...),
				Value: append(signECDSA(wif.PrivKey, digest, lowR), byte(txscript.SigHashAll)),
			})
		}
	}
	out, err := tx.container.Splice(adds)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// signECDSA signs as RFC 6979 says. With lowR a counter goes into the nonce,
// from the second try on, until r is below 2^255 (Bitcoin Core, CKey::Sign).
func signECDSA(key *btcec.PrivateKey, digest [32]byte, lowR bool) []byte {
	for counter := byte(0); ; counter++ {
		var extra []byte
		if counter > 0 {
			extra = append([]byte{counter}, make([]byte, 31)...)
		}
		k := btcec.NonceRFC6979(key.Serialize(), digest[:], extra, nil, 0)
		var point btcec.JacobianPoint
		btcec.ScalarBaseMultNonConst(k, &point)
		point.ToAffine()
		var r, s btcec.ModNScalar
		r.SetBytes(point.X.Bytes())
		if b := r.Bytes(); lowR && b[0] >= 0x80 {
			continue
		}
		var e btcec.ModNScalar
		e.SetBytes(&digest)
		s.Mul2(&key.Key, &r).Add(&e).Mul(k.InverseNonConst())
		return ecdsa.NewSignature(&r, &s).Serialize()
	}
}

// combine takes from the other what the base lacks, as a combiner does.
func combine(t *testing.T, base, other []byte) []byte {
	t.Helper()
	c, from := openRaw(t, base).container, openRaw(t, other).container
	var adds []container.Addition
	for i := range from.Inputs {
		for _, p := range from.Inputs[i].Pairs {
			if _, there := c.Inputs[i].Find(p.Key); !there {
				adds = append(adds, container.Addition{Input: i, Key: p.Key, Value: p.Value})
			}
		}
	}
	out, err := c.Splice(adds)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// extract makes the transaction for the network out of a final PSBT.
func extract(t *testing.T, raw []byte) []byte {
	t.Helper()
	tx := openRaw(t, raw)
	h, err := newHasher(tx.tx(), tx.spentOutputs())
	if err != nil {
		t.Fatal(err)
	}
	final, complete := finalise(tx.container, h)
	if !complete {
		t.Fatal("not complete")
	}
	for i := range final.TxIn {
		if err := h.executeInput(final, i); err != nil {
			t.Errorf("input %d: %v", i, err)
		}
	}
	var out bytes.Buffer
	if err := final.Serialize(&out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestCoreRoles reproduces the published bytes of each role that the station
// has. Its signers write a PSBT in ascending order, the station leaves every
// byte in its place: so the files of the signers are put in order first.
func TestCoreRoles(t *testing.T) {
	roles := coreRoleVectors(t)
	text := base64.StdEncoding.EncodeToString
	for i, v := range roles.Signer[:2] {
		if got := text(signAll(t, ascending(t, fromBase64(t, v.PSBT)), v.Privkeys, true)); got != v.Result {
			t.Errorf("signer %d: %s", i, got)
		}
	}
	c := roles.Combiner[0]
	if got := text(combine(t, fromBase64(t, c.Combine[0]), fromBase64(t, c.Combine[1]))); got != c.Result {
		t.Errorf("combiner: %s", got)
	}
	e := roles.Extractor[0]
	if got := hex.EncodeToString(extract(t, fromBase64(t, e.Extract))); got != e.Result {
		t.Errorf("extractor: %s", got)
	}
	// The station finalises one key a script: this one is left to others.
	tx := openRaw(t, fromBase64(t, roles.Finalizer[0].Finalize))
	h, err := newHasher(tx.tx(), tx.spentOutputs())
	if err != nil {
		t.Fatal(err)
	}
	if _, complete := finalise(tx.container, h); complete {
		t.Error("a script of two keys was finalised")
	}
}

// TestCoreSignerRefuses: what Core's signer leaves as it is because it must not
// sign it, is refused, for the reason that is in the file.
func TestCoreSignerRefuses(t *testing.T) {
	want := [][]Code{{CodeLegacyWitnessUtxo}, {CodeRedeemScriptMismatch, CodePartialSigInvalid},
		{CodeRedeemScriptMismatch, CodePartialSigInvalid}, {CodeWitnessScriptMismatch, CodePartialSigInvalid}}
	for i, v := range coreRoleVectors(t).Signer[2:] {
		if v.PSBT != v.Result {
			t.Errorf("signer %d: Core signs this", i+2)
		}
		r := openRaw(t, fromBase64(t, v.PSBT)).Preview(Settings{Network: Testnet, AcceptUnproven: true})
		found := map[Code]bool{}
		for _, f := range r.Findings {
			found[f.Code] = true
		}
		for _, code := range want[i] {
			if !found[code] || r.Verdict != VerdictRefused {
				t.Errorf("signer %d: %s without %s", i+2, r.Verdict, code)
			}
		}
	}
}

// TestBIP174Roles follows the BIP from the updated PSBT on: two signers and
// their combiner, byte for byte; and a combiner of unknown fields.
func TestBIP174Roles(t *testing.T) {
	var list []struct{ Section, Case, Base64, Expect string }
	if err := json.Unmarshal(vectorFile(t, "bips/bip0174_psbt.json"), &list); err != nil {
		t.Fatal(err)
	}
	var chain []string
	for _, v := range list {
		if v.Expect == "role-chain" {
			chain = append(chain, v.Base64)
		}
	}
	if len(chain) != 10 {
		t.Fatalf("%d steps", len(chain))
	}
	text := base64.StdEncoding.EncodeToString
	updated := fromBase64(t, chain[2])
	keys := [][]string{
		{"cP53pDbR5WtAD8dYAW9hhTjuvvTVaEiQBdrz9XPrgLBeRFiyCbQr", "cR6SXDoyfQrcp4piaiHE97Rsgta9mNhGTen9XeonVgwsh4iSgw6d"},
		{"cT7J9YpCwY3AVRFSjN6ukeEeWY6mhpbJPxRaDaP5QTdygQRxP9Au", "cNBc3SWUip9PPm1GjRoLEJT6T41iNzCYtD7qro84FMnM5zEqeJsE"},
	}
	for i, wifs := range keys {
		if got := text(signAll(t, ascending(t, updated), wifs, false)); got != chain[3+i] {
			t.Errorf("signer %d: %s", i, got)
		}
	}
	if got := text(combine(t, fromBase64(t, chain[3]), fromBase64(t, chain[4]))); got != chain[5] {
		t.Errorf("combiner: %s", got)
	}
	extract(t, fromBase64(t, chain[6])) // runs the engine over what the finaliser made
	last := openRaw(t, combine(t, fromBase64(t, chain[7]), fromBase64(t, chain[8]))).container
	want := openRaw(t, fromBase64(t, chain[9])).container
	for i := range want.Inputs {
		for _, p := range want.Inputs[i].Pairs {
			if got, ok := last.Inputs[i].Find(p.Key); !ok || !bytes.Equal(got.Value, p.Value) {
				t.Errorf("unknown field %x of input %d is lost", p.Key, i)
			}
		}
	}
}
