package signer

import (
	"github.com/btcsuite/btcd/txscript"
	"github.com/btcsuite/btcd/wire"
)

// Sizes in bytes of what signing adds. A DER signature with low S, which is all
// that the network relays, has 71 bytes at most, and its sighash byte makes 72.
const (
	ecdsaLen   = 72
	pubKeyLen  = 33
	schnorrLen = 64
)

// maxWeight is that of a block, and standardWeight that of a transaction that
// is relayed (BIP141; MAX_STANDARD_TX_WEIGHT of Bitcoin Core).
const (
	maxWeight      = 4_000_000
	standardWeight = 400_000
)

// weigh estimates the weight of the finished transaction in weight units
// (BIP141), with signatures of the worst size. Inputs that are final count as
// they are.
func (a *assessment) weigh() int64 {
	base, witness := int64(a.msg.SerializeSizeStripped()), int64(0)
	any := false
	for i := range a.in {
		sig, wit := a.inputSize(i)
		base += sig
		any = any || wit > 1
		witness += wit
	}
	if !any {
		return 4 * base
	}
	return 4*base + 2 + witness // marker and flag
}

// inputSize gives the bytes that scriptSig and witness add: the scriptSig
// beyond the length byte that stands there already, the witness with its item
// count.
func (a *assessment) inputSize(i int) (scriptSig, witness int64) {
	f, t := &a.tx.ins[i], a.in[i].script
	if f.final {
		return vectorSize(int64(len(f.finalSig))) - 1, int64(f.finalWitness.SerializeSize())
	}
	const keyWitness = 1 + 1 + ecdsaLen + 1 + pubKeyLen
	switch t {
	case P2PKH:
		return 1 + ecdsaLen + 1 + pubKeyLen, 1
	case P2WPKH:
		return 0, keyWitness
	case P2SHP2WPKH:
		return 1 + 22, keyWitness
	case P2TR:
		if a.in[i].sighash != uint32(txscript.SigHashDefault) {
			return 0, 1 + 1 + schnorrLen + 1
		}
		return 0, 1 + 1 + schnorrLen
	case P2PK:
		return 1 + ecdsaLen, 1
	case P2A:
		return 0, 1
	case P2WSH:
		return 0, scriptWitness(f.witness)
	case P2SHP2WSH:
		return 1 + 34, scriptWitness(f.witness)
	case P2SH:
		if f.redeem == nil { // unknown: as if nested p2wpkh, what most of them are
			return 1 + 22, keyWitness
		}
		size := 1 + scriptInputs(f.redeem) + vectorSize(int64(len(f.redeem)))
		return vectorSize(size) - 1, 1
	}
	if isWitness(f.spent.PkScript) {
		return 0, keyWitness
	}
	return vectorSize(1+scriptInputs(f.spent.PkScript)) - 1, 1
}

// scriptWitness is the size of a p2wsh witness: item count, an empty item, the
// signatures, the script.
func scriptWitness(script []byte) int64 {
	return 1 + 1 + scriptInputs(script) + vectorSize(int64(len(script)))
}

// scriptInputs is the size of the signatures a script wants: m of them for a
// multisig, else one for each key that occurs in it, one at least.
func scriptInputs(script []byte) int64 {
	n := int64(signaturesNeeded(script))
	return n * (1 + ecdsaLen)
}

// signaturesNeeded is m for an m-of-n script; for any other, which this
// package does not read, it is the number of keys in it, and one at least.
func signaturesNeeded(script []byte) int {
	if m, _, ok := multisigOf(script); ok {
		return m
	}
	n := 0
	pushes(script, func(d []byte) bool {
		if len(d) == pubKeyLen || len(d) == 32 {
			n++
		}
		return true
	})
	return max(n, 1)
}

// vectorSize is n bytes and the compact size before them.
func vectorSize(n int64) int64 { return int64(wire.VarIntSerializeSize(uint64(n))) + n }
