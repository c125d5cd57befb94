package signer

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"slices"

	"github.com/airlock-signer/airlock/signer/container"
	"github.com/btcsuite/btcd/chaincfg/chainhash"
)

// found is a previous transaction that the file lacks and that was given
// beside it.
type found struct {
	txid chainhash.Hash
	raw  []byte
}

// MissingPrevious lists the previous transactions that the file lacks and the
// rules want, each once, in the order of the inputs. Taproot inputs want none
// (see proveAmounts).
func (t *Transaction) MissingPrevious() []chainhash.Hash {
	var missing []chainhash.Hash
	listed := map[chainhash.Hash]bool{}
	for i := range t.ins {
		txid := t.tx().TxIn[i].PreviousOutPoint.Hash
		if t.ins[i].lacksPrevious() && !listed[txid] {
			listed[txid] = true
			missing = append(missing, txid)
		}
	}
	return missing
}

func (f *inputFacts) lacksPrevious() bool { return !f.hasPrev && f.script != P2TR }

// FoundPrevious lists the previous transactions that were given beside the
// file (see WithPrevious), in the order in which they were taken.
func (t *Transaction) FoundPrevious() []chainhash.Hash {
	txids := make([]chainhash.Hash, len(t.found))
	for i := range t.found {
		txids[i] = t.found[i].txid
	}
	return txids
}

// WithPrevious is the same transaction, the same bytes, with previous
// transactions that it lacks taken from candidates (serialised, as in
// PSBT_IN_NON_WITNESS_UTXO). A candidate counts where its txid is that of a
// coin spent: a hash proves it, so it does not matter where it came from.
// Others, and what does not parse, are left alone, and so are inputs that have
// their previous transaction. The candidates are kept: they must not be changed
// afterwards. What was taken is part of what an Approval binds.
func (t *Transaction) WithPrevious(candidates [][]byte) *Transaction {
	lacking := map[chainhash.Hash][]int{}
	for i := range t.ins {
		if t.ins[i].lacksPrevious() {
			txid := t.tx().TxIn[i].PreviousOutPoint.Hash
			lacking[txid] = append(lacking[txid], i)
		}
	}
	more := *t
	more.ins, more.found = slices.Clone(t.ins), slices.Clone(t.found)
	for _, raw := range candidates {
		tx, err := container.ReadPrevTx(raw)
		if err != nil {
			continue
		}
		txid := tx.TxID()
		for _, i := range lacking[txid] {
			more.ins[i].complete(tx, t.tx().TxIn[i].PreviousOutPoint.Index)
		}
		if len(lacking[txid]) > 0 {
			more.found = append(more.found, found{txid, raw})
			delete(lacking, txid)
		}
	}
	return &more
}

// complete takes the previous transaction, whose txid is the outpoint's, into
// the facts of an input that lacked it: what the file itself claims must agree.
func (f *inputFacts) complete(tx container.PrevTx, index uint32) {
	out, ok := tx.Output(index)
	f.hasPrev, f.prevFits, f.prevInRange, f.proven = true, true, ok, ok
	if !ok {
		return
	}
	claimed := f.spent
	f.spent, f.known = out, true
	f.conflict = f.hasWitness && (claimed.Value != out.Value || !bytes.Equal(claimed.PkScript, out.PkScript))
	f.classify()
}

// FindPrevious looks in a file, a PSBT in any encoding or a serialised
// transaction in binary or hex, for the transactions wanted. What it cannot
// read holds none. The transactions are views into the file, or into what it
// decodes to.
func FindPrevious(file []byte, wanted []chainhash.Hash, l Limits) [][]byte {
	if len(file) > l.MaxFile {
		return nil
	}
	var candidates [][]byte
	if raw, _, err := container.Decode(file); err == nil {
		c, err := container.Parse(raw)
		if err != nil {
			return nil
		}
		for i := range c.Inputs {
			if pair, ok := c.Inputs[i].Get(container.InNonWitnessUTXO); ok {
				candidates = append(candidates, pair.Value)
			}
		}
	} else {
		candidates = [][]byte{serialised(file)}
	}
	want := map[chainhash.Hash]bool{}
	for _, txid := range wanted {
		want[txid] = true
	}
	var hits [][]byte
	seen := map[[32]byte]bool{} // inputs of one transaction share a copy each
	for _, raw := range candidates {
		sum := sha256.Sum256(raw)
		if seen[sum] {
			continue
		}
		seen[sum] = true
		if tx, err := container.ReadPrevTx(raw); err == nil && want[tx.TxID()] {
			hits = append(hits, raw)
		}
	}
	return hits
}

// serialised decodes hex text with white space around it; anything else stays as it
// is.
func serialised(file []byte) []byte {
	text := bytes.TrimSpace(file)
	raw := make([]byte, hex.DecodedLen(len(text)))
	if n, err := hex.Decode(raw, text); err == nil && n > 0 {
		return raw
	}
	return file
}
