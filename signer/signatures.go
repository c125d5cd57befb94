package signer

import (
	"bytes"
	"errors"
	"slices"

	"github.com/airlock-signer/airlock/signer/container"
	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcec/v2/schnorr"
	"github.com/btcsuite/btcd/btcutil"
	"github.com/btcsuite/btcd/chaincfg/chainhash"
	"github.com/btcsuite/btcd/txscript"
	"github.com/btcsuite/btcd/wire"
)

// signed is what the signatures that are already in an input come to.
type signed struct {
	good    int      // signatures that verify
	bad     []string // what is wrong with the others, each once, as parts of sentences
	ours    bool     // a good one is of our key
	ran     bool     // the script engine ran over the final input
	invalid error    // … and this is what it said
	// allAmounts: a good taproot signature commits to the amounts of all
	// inputs.
	allAmounts bool
}

// signatures verifies every signature in the file, and runs the engine over
// every final input. Where the amounts or scripts spent are not all known, or a
// coin is spent twice, nothing can be verified; other rules refuse that.
func (a *assessment) signatures() error {
	h, err := newHasher(a.msg, a.tx.spentOutputs())
	if err != nil {
		return a.ctx.Err()
	}
	defer func() { a.work.add(h.work) }()
	var filled *wire.MsgTx // with all final fields; made when first needed
	for i := range a.in {
		if err := a.ctx.Err(); err != nil {
			return err
		}
		v := verifier{h: h, input: i, f: &a.tx.ins[i], in: &a.in[i]}
		for p := range v.f.fields.All(container.InPartialSig) {
			v.take(v.partial(p.KeyData, p.Value), p.KeyData)
		}
		for p := range v.f.fields.All(container.InTapKeySig) {
			v.take(v.keyPath(p.Value), nil)
		}
		for p := range v.f.fields.All(container.InTapScriptSig) {
			v.take(v.scriptPath(p.KeyData, p.Value), p.KeyData[:min(32, len(p.KeyData))])
		}
		if !v.f.final {
			continue
		}
		if filled == nil {
			filled = a.tx.fillFinal()
		}
		v.in.signed.ran, v.in.signed.invalid = true, h.executeInput(filled, i)
		v.finalCommits()
	}
	return nil
}

// fillFinal is the transaction with every final scriptSig and witness in it.
func (t *Transaction) fillFinal() *wire.MsgTx {
	tx := *t.tx()
	ins := make([]wire.TxIn, len(tx.TxIn))
	tx.TxIn = make([]*wire.TxIn, len(ins))
	for i := range ins {
		ins[i] = *t.tx().TxIn[i]
		ins[i].SignatureScript, ins[i].Witness = t.ins[i].finalSig, t.ins[i].finalWitness
		tx.TxIn[i] = &ins[i]
	}
	return &tx
}

// verifier verifies the signatures of one input.
type verifier struct {
	h      *hasher
	input  int
	f      *inputFacts
	in     *inputState
	ecdsa  *[32]byte // digest of the declared sighash, computed once an input
	inner  *innerCode
	leaves map[chainhash.Hash]*leafCode
}

// innerCode is the script of several keys, looked at once an input.
type innerCode struct {
	script []byte
	err    error
	pushed map[string]bool // what it pushes that can be a key or its hash
}

// leafCode is a leaf script, and its digest once that was computed.
type leafCode struct {
	script []byte
	digest *[32]byte
}

// maxScript is the longest script in bytes that the network runs (outside
// tapscript).
const maxScript = 10_000

// take notes the outcome for the signature of a key.
func (v *verifier) take(err error, key []byte) {
	s := &v.in.signed
	if err != nil {
		// Thousands of bad signatures are bad in a few ways.
		if why := err.Error(); !slices.Contains(s.bad, why) {
			s.bad = append(s.bad, why)
		}
		return
	}
	s.good++
	own := v.in.standing.key
	if v.in.standing.status == proven && (key == nil || bytes.Equal(key, own[:]) || bytes.Equal(key, own[1:])) {
		s.ours = true
	}
}

// What can be wrong with a signature beside its form.
var (
	errSighashByte  = errors.New("its sighash byte is not the one the input declares")
	errHighS        = errors.New("its S is high")
	errForeignKey   = errors.New("its key does not occur in the script")
	errScriptHidden = errors.New("the script it belongs to is not in the file")
	errWrongField   = errors.New("it is of another kind than this script takes")
)

// partial verifies one PSBT_IN_PARTIAL_SIG: DER and a sighash byte.
func (v *verifier) partial(key, sig []byte) error {
	if len(sig) < 2 {
		return errNotDER
	}
	if uint32(sig[len(sig)-1]) != v.in.sighash {
		return errSighashByte
	}
	if v.in.script == P2TR {
		return errWrongField
	}
	if err := v.keyBelongs(key); err != nil {
		return err
	}
	pub, err := btcec.ParsePubKey(key)
	if err != nil {
		return errForeignKey
	}
	if v.ecdsa == nil {
		digest, err := v.ecdsaDigest(key)
		if err != nil {
			return err
		}
		v.ecdsa = &digest
	}
	v.h.work.points++
	checked, err := checkECDSA(pub, *v.ecdsa, sig[:len(sig)-1])
	switch {
	case err != nil:
		return err
	case checked.highS:
		return errHighS
	}
	return nil
}

// keyBelongs tells whether a signature of the key can ever be used here.
func (v *verifier) keyBelongs(key []byte) error {
	kind, _ := keySpends(v.f.spent.PkScript, key)
	if v.in.script == P2SH && v.f.redeem == nil && kind == P2SHP2WPKH {
		v.in.script = kind // the key shows what is behind the hash
	}
	if singleKey(v.in.script) {
		if kind != v.in.script {
			return errForeignKey
		}
		return nil
	}
	code := v.code()
	if code.err != nil {
		return code.err
	}
	if !code.pushed[string(key)] && !code.pushed[string(btcutil.Hash160(key))] {
		return errForeignKey
	}
	return nil
}

// code is the script that an ECDSA signature of more than one key, or of a bare
// key, is made for.
func (v *verifier) code() *innerCode {
	if v.inner != nil {
		return v.inner
	}
	c := &innerCode{script: v.f.spent.PkScript, pushed: map[string]bool{}}
	v.inner = c
	switch v.in.script {
	case P2WSH, P2SHP2WSH, P2SH:
		inner, known, fits := innermost(v.f.spent.PkScript, v.f.redeem, v.f.witness)
		if !known || !fits {
			c.err = errScriptHidden
		}
		c.script = inner
	}
	if c.err != nil || len(c.script) > maxScript {
		return c
	}
	v.h.work.hashed += len(c.script)
	pushes(c.script, func(d []byte) bool {
		if n := len(d); n == 33 || n == 65 || n == 20 {
			c.pushed[string(d)] = true
		}
		return true
	})
	return c
}

// ecdsaDigest is the signature hash with the declared sighash. The key matters
// only for scripts of its hash, where there is but one.
func (v *verifier) ecdsaDigest(key []byte) ([32]byte, error) {
	hashType := txscript.SigHashType(v.in.sighash)
	if v.in.sighash > 0xff {
		return [32]byte{}, errSighashByte
	}
	if singleKey(v.in.script) {
		return v.h.digest(v.input, v.in.script, btcutil.Hash160(key), hashType)
	}
	code := v.code()
	if code.err != nil {
		return [32]byte{}, code.err
	}
	var sum []byte
	var err error
	if segwitV0(v.in.script) {
		sum, err = txscript.CalcWitnessSigHash(code.script, v.h.mid, hashType, v.h.tx, v.input, v.f.spent.Value)
	} else {
		sum, err = txscript.CalcSignatureHash(code.script, hashType, v.h.tx, v.input)
	}
	if err != nil {
		return [32]byte{}, errScriptHidden
	}
	return [32]byte(sum), nil
}

// schnorrParts splits a BIP341 signature; without a sighash byte it is DEFAULT,
// and the byte is never 0.
func (v *verifier) schnorrParts(sig []byte) ([]byte, error) {
	hashType := uint32(txscript.SigHashDefault)
	switch {
	case v.in.script != P2TR:
		return nil, errWrongField
	case len(sig) == 65 && sig[64] != 0:
		hashType = uint32(sig[64])
	case len(sig) != 64:
		return nil, errNot64
	}
	if hashType != v.in.sighash {
		return nil, errSighashByte
	}
	return sig[:64], nil
}

// keyPath verifies PSBT_IN_TAP_KEY_SIG.
func (v *verifier) keyPath(value []byte) error {
	sig, err := v.schnorrParts(value)
	if err != nil {
		return err
	}
	digest, err := v.h.digest(v.input, P2TR, nil, txscript.SigHashType(v.in.sighash))
	if err != nil {
		return err
	}
	pub, err := schnorr.ParsePubKey(v.f.spent.PkScript[2:])
	if err != nil {
		return err
	}
	v.h.work.points++
	if _, err := checkSchnorr(pub, digest, sig); err != nil {
		return err
	}
	v.in.signed.allAmounts = v.in.sighash <= uint32(txscript.SigHashAll)
	return nil
}

// scriptPath verifies one PSBT_IN_TAP_SCRIPT_SIG, whose key data are an x-only
// key and the hash of the leaf.
func (v *verifier) scriptPath(keyData, value []byte) error {
	sig, err := v.schnorrParts(value)
	if err != nil {
		return err
	}
	if len(keyData) != 64 {
		return errForeignKey
	}
	leaf, ok := v.leaf(chainhash.Hash(keyData[32:]))
	if !ok {
		return errScriptHidden
	}
	pub, err := schnorr.ParsePubKey(keyData[:32])
	if err != nil {
		return errForeignKey
	}
	if leaf.digest == nil {
		sum, err := txscript.CalcTapscriptSignaturehash(v.h.mid, txscript.SigHashType(v.in.sighash), v.h.tx, v.input, v.h.outs,
			txscript.NewBaseTapLeaf(leaf.script))
		if err != nil {
			return err
		}
		leaf.digest = (*[32]byte)(sum)
	}
	v.h.work.points++
	_, err = checkSchnorr(pub, *leaf.digest, sig)
	return err
}

// leaf finds a leaf script by its hash.
func (v *verifier) leaf(hash chainhash.Hash) (*leafCode, bool) {
	if v.leaves == nil {
		v.leaves = map[chainhash.Hash]*leafCode{}
		if v.f.taproot != nil {
			for _, leaf := range v.f.taproot.leaves {
				v.leaves[txscript.NewBaseTapLeaf(leaf).TapHash()] = &leafCode{script: leaf}
			}
		}
	}
	leaf, ok := v.leaves[hash]
	return leaf, ok
}

// finalCommits notes a valid final key path signature that commits to all
// amounts.
func (v *verifier) finalCommits() {
	s, w := &v.in.signed, v.f.finalWitness
	if s.ran && s.invalid == nil && v.in.script == P2TR && len(w) == 1 {
		s.allAmounts = len(w[0]) == 64 || len(w[0]) == 65 && w[0][64] == byte(txscript.SigHashAll)
	}
}
