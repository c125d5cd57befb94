package signer

import (
	"fmt"

	"github.com/btcsuite/btcd/btcutil"
	"github.com/btcsuite/btcd/txscript"
	"github.com/btcsuite/btcd/wire"
)

// prevouts are the outputs that a transaction spends, one an input. It is a
// txscript.PrevOutputFetcher.
type prevouts map[wire.OutPoint]*wire.TxOut

// FetchPrevOutput gives the output, nil where it is not known.
func (p prevouts) FetchPrevOutput(o wire.OutPoint) *wire.TxOut { return p[o] }

// hasher computes signature hashes of one transaction. What all inputs share
// is hashed once (BIP143, BIP341); only the legacy hash of p2pkh costs the
// whole transaction an input.
type hasher struct {
	tx   *wire.MsgTx
	outs prevouts
	mid  *txscript.TxSigHashes
	size int // of the transaction without witnesses, in bytes
	work work
}

// newHasher takes the transaction and, in the order of its inputs, what they
// spend. All of it must be known and no coin spent twice: the hashes would mean
// something else than what was shown.
func newHasher(tx *wire.MsgTx, spent []*wire.TxOut) (*hasher, error) {
	if len(spent) != len(tx.TxIn) {
		return nil, fmt.Errorf("%d previous outputs for %d inputs", len(spent), len(tx.TxIn))
	}
	outs := make(prevouts, len(spent))
	for i, in := range tx.TxIn {
		if spent[i] == nil {
			return nil, fmt.Errorf("input %d: what it spends is not known", i)
		}
		if outs[in.PreviousOutPoint] != nil {
			return nil, fmt.Errorf("input %d: its coin is spent twice", i)
		}
		outs[in.PreviousOutPoint] = spent[i]
	}
	size := tx.SerializeSizeStripped()
	return &hasher{tx: tx, outs: outs, mid: txscript.NewTxSigHashes(tx, outs), size: size, work: work{hashed: size}}, nil
}

// spent is the output that an input spends.
func (h *hasher) spent(input int) *wire.TxOut {
	return h.outs[h.tx.TxIn[input].PreviousOutPoint]
}

// digest is what a single-key signature of an input signs. keyHash is the
// HASH160 of the public key (BIP143's script code and p2pkh's script are made
// from it); it is not used for P2TR. Any hash type is computed, the unsafe ones
// too, since signatures that are already there are checked with it.
func (h *hasher) digest(input int, script ScriptType, keyHash []byte, hashType txscript.SigHashType) ([32]byte, error) {
	if input < 0 || input >= len(h.tx.TxIn) {
		return [32]byte{}, fmt.Errorf("no input %d", input)
	}
	h.count(script)
	var sum []byte
	var err error
	switch script {
	case P2PKH:
		sum, err = txscript.CalcSignatureHash(keyHashScript(keyHash), hashType, h.tx, input)
	case P2WPKH, P2SHP2WPKH:
		sum, err = txscript.CalcWitnessSigHash(keyHashScript(keyHash), h.mid, hashType, h.tx, input, h.spent(input).Value)
	case P2TR:
		sum, err = txscript.CalcTaprootSignatureHash(h.mid, hashType, h.tx, input, h.outs)
	default:
		err = fmt.Errorf("no signature hash of type %s", script)
	}
	if err != nil {
		return [32]byte{}, fmt.Errorf("input %d: %w", input, err)
	}
	return [32]byte(sum), nil
}

// count notes the work of one digest: of all of the transaction, or only of what
// is the input's own.
func (h *hasher) count(script ScriptType) {
	const own = 200 // bytes, about
	if segwitV0(script) || script == P2TR {
		h.work.hashed += own
	} else {
		h.work.hashed += h.size
	}
}

// spendDigest is the digest of an input of ours, after checking once more that
// what is spent is the script and amount that were proven ours.
func (h *hasher) spendDigest(s *spend) ([32]byte, error) {
	if s.input < 0 || s.input >= len(h.tx.TxIn) {
		return [32]byte{}, fmt.Errorf("no input %d", s.input)
	}
	out := h.spent(s.input)
	if out.Value != s.amount || string(out.PkScript) != string(s.pkScript) {
		return [32]byte{}, fmt.Errorf("input %d: what it spends is not what was proven", s.input)
	}
	return h.digest(s.input, s.script, btcutil.Hash160(s.pubkey[:]), txscript.SigHashType(s.sighash))
}

// keyHashScript is the p2pkh script of a HASH160.
func keyHashScript(hash []byte) []byte {
	script := make([]byte, 0, 25)
	script = append(script, txscript.OP_DUP, txscript.OP_HASH160, txscript.OP_DATA_20)
	script = append(script, hash...)
	return append(script, txscript.OP_EQUALVERIFY, txscript.OP_CHECKSIG)
}
