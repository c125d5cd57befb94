package container

import (
	"bytes"
	"crypto/sha256"

	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcutil"
)

const (
	v0Only = "%s carries the field 0x%02x of PSBT version 2 in a version 0"
	// depthAt and keyAt are where an xpub (BIP32) has its depth and public key.
	depthAt, keyAt, xpubLen = 4, 45, 78
)

// checkGlobal looks at one pair of the global map of a version 0. The unsigned
// transaction and the version are read elsewhere.
func checkGlobal(r *reader, p Pair) error {
	switch p.Type {
	case GlobalUnsignedTx, GlobalVersion:
		return checkBare(r, p)
	case GlobalXpub:
		return checkXpub(r, p)
	case GlobalTxVersion, GlobalFallbackLocktime, GlobalInputCount, GlobalOutputCount,
		GlobalTxModifiable, GlobalSPECDHShare, GlobalSPDLEQ:
		return fail(p.Start, v0Only, r.place, p.Type)
	case GlobalProprietary:
		return checkProprietary(r, p)
	}
	return nil
}

// checkInput looks at one pair of an input map of a version 0.
func checkInput(r *reader, p Pair) error {
	switch p.Type {
	case InNonWitnessUTXO:
		return checkPrevTx(r, p)
	case InWitnessUTXO:
		return checkWitnessUTXO(r, p)
	case InPartialSig:
		// The signature itself is judged by partial-sig-invalid.
		return checkPubKey(r, p)
	case InSighashType:
		return checkBareLen(r, p, 4)
	case InRedeemScript, InWitnessScript, InFinalScriptSig, InPorCommitment:
		return checkBare(r, p)
	case InBip32Derivation:
		return checkDerivation(r, p)
	case InFinalScriptWitness:
		return checkFinalWitness(r, p)
	case InRIPEMD160, InSHA256, InHASH160, InHASH256:
		return checkPreimage(r, p)
	case InPreviousTxid, InOutputIndex, InSequence, InRequiredTimeLocktime, InRequiredHeightLocktime,
		InSPECDHShare, InSPDLEQ:
		return fail(p.Start, v0Only, r.place, p.Type)
	case InProprietary:
		return checkProprietary(r, p)
	}
	return checkTaprootInput(r, p)
}

// checkOutput looks at one pair of an output map of a version 0.
func checkOutput(r *reader, p Pair) error {
	switch p.Type {
	case OutRedeemScript, OutWitnessScript:
		return checkBare(r, p)
	case OutBip32Derivation:
		return checkDerivation(r, p)
	case OutAmount, OutScript, OutSPV0Info, OutSPV0Label:
		return fail(p.Start, v0Only, r.place, p.Type)
	case OutTapInternalKey:
		return checkInternalKey(r, p)
	case OutTapTree:
		return checkTapTree(r, p)
	case OutTapBip32Derivation:
		return checkTapDerivation(r, p)
	case OutMusig2Participants:
		return checkParticipants(r, p)
	case OutProprietary:
		return checkProprietary(r, p)
	}
	return nil
}

// checkBare wants a key that is its type alone.
func checkBare(r *reader, p Pair) error {
	if len(p.KeyData) != 0 {
		return fail(p.keyDataOffset(), "the key of type 0x%02x in %s has key data, which it must not have", p.Type, r.place)
	}
	return nil
}

// checkKeyLen wants key data of n bytes.
func checkKeyLen(r *reader, p Pair, n int) error {
	if len(p.KeyData) != n {
		return fail(p.keyDataOffset(), "the key data of type 0x%02x in %s is %d bytes long, not %d", p.Type, r.place, len(p.KeyData), n)
	}
	return nil
}

// checkValueLen wants a value of n bytes.
func checkValueLen(r *reader, p Pair, n int) error {
	if len(p.Value) != n {
		return fail(p.valueOffset(), "the value of type 0x%02x in %s is %d bytes long, not %d", p.Type, r.place, len(p.Value), n)
	}
	return nil
}

// checkBareLen wants a bare key and a value of n bytes.
func checkBareLen(r *reader, p Pair, n int) error {
	if err := checkBare(r, p); err != nil {
		return err
	}
	return checkValueLen(r, p, n)
}

// onCurve wants a public key of 33 or 65 bytes that is a point of the curve.
func onCurve(r *reader, p Pair, key []byte, at int) error {
	if _, err := btcec.ParsePubKey(key); err != nil {
		return fail(at, "the public key of type 0x%02x in %s is not on the curve", p.Type, r.place)
	}
	return nil
}

// checkPubKey wants key data that is a public key, compressed or not.
func checkPubKey(r *reader, p Pair) error {
	if n := len(p.KeyData); n != 33 && n != 65 {
		return fail(p.keyDataOffset(), "the public key of type 0x%02x in %s is %d bytes long, not 33 or 65", p.Type, r.place, n)
	}
	return onCurve(r, p, p.KeyData, p.keyDataOffset())
}

// checkPath wants a fingerprint and whole child numbers (BIP32) in path, which
// ends where the value ends.
func checkPath(r *reader, p Pair, path []byte) error {
	if len(path) < 4 || len(path)%4 != 0 {
		return fail(p.End-len(path), "the derivation of type 0x%02x in %s is %d bytes long: "+
			"a fingerprint and child numbers are 4·n bytes", p.Type, r.place, len(path))
	}
	return nil
}

func checkDerivation(r *reader, p Pair) error {
	if err := checkPubKey(r, p); err != nil {
		return err
	}
	return checkPath(r, p, p.Value)
}

// checkXpub wants an extended public key of the depth that its path has.
func checkXpub(r *reader, p Pair) error {
	if err := checkKeyLen(r, p, xpubLen); err != nil {
		return err
	}
	if err := onCurve(r, p, p.KeyData[keyAt:], p.keyDataOffset()+keyAt); err != nil {
		return err
	}
	if err := checkPath(r, p, p.Value); err != nil {
		return err
	}
	if depth, steps := int(p.KeyData[depthAt]), len(p.Value)/4-1; depth != steps {
		return fail(p.valueOffset(), "an extended public key in %s has depth %d and a path of %d steps", r.place, depth, steps)
	}
	return nil
}

// checkProprietary wants an identifier with its length, and a subtype (BIP174).
func checkProprietary(r *reader, p Pair) error {
	k := reader{r.b, p.keyDataOffset(), p.keyDataOffset() + len(p.KeyData), r.place}
	if _, err := k.vector("the length of a proprietary identifier", "a proprietary identifier"); err != nil {
		return err
	}
	_, err := k.compactSize("a proprietary subtype")
	return err
}

func checkPrevTx(r *reader, p Pair) error {
	if err := checkBare(r, p); err != nil {
		return err
	}
	v := r.inside(p)
	v.place.kind = "the previous transaction of " + r.place.kind
	_, err := readFull(&v)
	return err
}

func checkWitnessUTXO(r *reader, p Pair) error {
	if err := checkBare(r, p); err != nil {
		return err
	}
	v := r.inside(p)
	if _, err := readTxOut(&v); err != nil {
		return err
	}
	return v.finish("the witness UTXO")
}

func checkFinalWitness(r *reader, p Pair) error {
	if err := checkBare(r, p); err != nil {
		return err
	}
	v := r.inside(p)
	if _, err := readWitness(&v); err != nil {
		return err
	}
	return v.finish("the final witness")
}

// checkPreimage wants a preimage that gives the hash in its key (BIP174). Of
// RIPEMD-160 alone only the length is checked: whoever puts such a preimage
// into a witness runs the script engine over it.
func checkPreimage(r *reader, p Pair) error {
	var hash []byte
	n := 32
	switch p.Type {
	case InSHA256, InHASH256:
		h := sha256.Sum256(p.Value)
		if p.Type == InHASH256 {
			h = sha256.Sum256(h[:])
		}
		hash = h[:]
	case InHASH160:
		hash, n = btcutil.Hash160(p.Value), 20
	default:
		n = 20
	}
	if err := checkKeyLen(r, p, n); err != nil {
		return err
	}
	if hash != nil && !bytes.Equal(hash, p.KeyData) {
		return fail(p.valueOffset(), "the preimage of type 0x%02x in %s does not give its hash", p.Type, r.place)
	}
	return nil
}
