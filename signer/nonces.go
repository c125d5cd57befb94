package signer

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"

	"github.com/airlock-signer/airlock/signer/container"
	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcutil"
	"github.com/btcsuite/btcd/txscript"
)

// keyLeaks is what a repeated or weak nonce means.
const keyLeaks = "Whoever sees its signatures can compute the private key: the card or what is between you and it is broken or malicious. " +
	"Do not use this card again, and move the coins of its keys with another device."

// checkNonce looks whether the secret number behind a verified signature was
// used before under the same master key, for another digest, or is one that
// anybody finds. Sibling keys differ by known offsets, so all keys of a master
// key count as one.
func (n *run) checkNonce(req *Request, r nonce) error {
	if n.ledger.nonceIsWeak(r) {
		return lying(CodeNonceRepeated, req.Input, fmt.Sprintf(
			"The card's signature for input %d was made with a secret number that anybody can guess. %s", req.Input, keyLeaks))
	}
	if n.inFile.clashes(r, req.Digest) || n.ledger.nonceRepeats(n.fingerprint, r, req.Digest) {
		return lying(CodeNonceRepeated, req.Input, fmt.Sprintf(
			"The card's signature for input %d was made with a secret number that it has used before. %s", req.Input, keyLeaks))
	}
	return nil
}

// noncesInFile collects what the signatures in the file show. Those that are
// not ours count too: a number that somebody else knows is as bad as one used
// twice. Two of ours that repeat one stop the run before it begins.
func (n *run) noncesInFile(ctx context.Context, c *container.Container, h *hasher) (nonceSet, error) {
	set := nonceSet{}
	for i := range c.Inputs {
		if err := ctx.Err(); err != nil {
			return nil, n.interrupted(err)
		}
		ours := n.review.report.Inputs[i].Owner == Ours
		for _, sig := range signaturesIn(&c.Inputs[i], h, i) {
			if ours && (n.ledger.nonceIsWeak(sig.nonce) || n.ledger.nonceRepeats(n.fingerprint, sig.nonce, sig.digest)) {
				return nil, lying(CodeNonceRepeated, i, fmt.Sprintf(
					"The signature that input %d brought along was made with a secret number that was used before or that anybody can guess. %s", i, keyLeaks))
			}
			set[sig.nonce] = sig.digest
		}
	}
	return set, nil
}

// foundSignature is one that the file brought along.
type foundSignature struct {
	nonce  nonce
	digest [32]byte
}

// signaturesIn lists the signatures of one input, partial and final. Where the
// digest cannot be known (scripts of several keys), a stand-in is given that is
// no digest, so that the same nonce anywhere else is a clash.
func signaturesIn(in *container.Map, h *hasher, input int) []foundSignature {
	var found []foundSignature
	taproot := txscript.IsPayToTaproot(h.spent(input).PkScript)
	add := func(kind ScriptType, keyHash, sig []byte) {
		if f, ok := readSignature(h, input, kind, keyHash, sig); ok {
			found = append(found, f)
		}
	}
	for pair := range in.All(container.InPartialSig) {
		kind, keyHash := keySpends(h.spent(input).PkScript, pair.KeyData)
		add(kind, keyHash, pair.Value)
	}
	if pair, ok := in.Get(container.InTapKeySig); ok && taproot {
		add(P2TR, nil, pair.Value)
	}
	for pair := range in.All(container.InTapScriptSig) {
		add(UnknownScript, nil, pair.Value)
	}
	stack := finalStack(in)
	for i, item := range stack {
		kind, keyHash := UnknownScript, []byte(nil)
		switch {
		case taproot && len(stack) == 1:
			kind = P2TR
		case len(stack) == 2 && i == 0: // in single-key scripts the key follows its signature
			kind, keyHash = keySpends(h.spent(input).PkScript, stack[1])
		}
		add(kind, keyHash, item)
	}
	return found
}

// finalStack is what a final scriptSig pushes, and then the final witness.
func finalStack(in *container.Map) [][]byte {
	var stack [][]byte
	if pair, ok := in.Get(container.InFinalScriptWitness); ok {
		stack, _ = readWitness(pair.Value)
	}
	if pair, ok := in.Get(container.InFinalScriptSig); ok && len(stack) == 0 {
		for t := txscript.MakeScriptTokenizer(0, pair.Value); t.Next(); {
			stack = append(stack, t.Data())
		}
	}
	return stack
}

// readSignature takes bytes that may be a signature with its sighash byte, for
// a script of one key or of a kind that is not known.
func readSignature(h *hasher, input int, kind ScriptType, keyHash, sig []byte) (foundSignature, bool) {
	var f foundSignature
	hashType := txscript.SigHashDefault
	if txscript.IsPayToTaproot(h.spent(input).PkScript) {
		if len(sig) != 64 && len(sig) != 65 {
			return f, false
		}
		var x btcec.FieldVal
		if overflow := x.SetByteSlice(sig[:32]); overflow {
			return f, false
		}
		f.nonce = nonceOf(&x)
	} else {
		if len(sig) < 2 {
			return f, false
		}
		r, _, err := parseDER(sig[:len(sig)-1])
		if err != nil {
			return f, false
		}
		f.nonce = nonce(r.Bytes())
	}
	if len(sig) != 64 {
		hashType = txscript.SigHashType(sig[len(sig)-1])
	}
	digest, err := h.digest(input, kind, keyHash, hashType)
	if err != nil {
		digest = sha256.Sum256(fmt.Appendf(nil, "airlock/no digest/%d/%x", input, sig))
	}
	f.digest = digest
	return f, true
}

// keySpends tells which single-key ECDSA script a key spends, and gives its
// HASH160; UnknownScript where it is none or another key's. The key may be
// uncompressed for P2PKH.
func keySpends(script, pub []byte) (kind ScriptType, keyHash []byte) {
	hash := btcutil.Hash160(pub)
	witness := append([]byte{txscript.OP_0, txscript.OP_DATA_20}, hash...)
	nested := append([]byte{txscript.OP_HASH160, txscript.OP_DATA_20}, btcutil.Hash160(witness)...)
	switch {
	case len(pub) != 33 && len(pub) != 65:
	case bytes.Equal(script, keyHashScript(hash)):
		return P2PKH, hash
	case len(pub) != 33:
	case bytes.Equal(script, witness):
		return P2WPKH, hash
	case bytes.Equal(script, append(nested, txscript.OP_EQUAL)):
		return P2SHP2WPKH, hash
	}
	return UnknownScript, nil
}

// parseCompressed reads a compressed public key that is on the curve.
func parseCompressed(key [33]byte) (*btcec.PublicKey, error) { return btcec.ParsePubKey(key[:]) }
