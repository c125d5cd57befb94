package container

import (
	"crypto/sha256"
	"encoding/binary"

	"github.com/btcsuite/btcd/chaincfg/chainhash"
	"github.com/btcsuite/btcd/wire"
)

// layout is where the parts of a serialised transaction lie: offsets in bytes
// from the start of the bytes it was read from. wire.MsgTx.Deserialize would
// allocate from claimed counts.
type layout struct {
	start    int // of the version
	body     int // of the input count
	insAt    int // of the first input
	ins      int // number of inputs
	outsAt   int // of the first output
	outs     int // number of outputs
	bodyEnd  int // after the last output
	locktime int
}

const (
	minTxIn  = 32 + 4 + 1 + 4 // bytes: outpoint, empty script, sequence
	minTxOut = 8 + 1          // bytes: amount, empty script
)

// readUnsigned reads a transaction without witness and scriptSigs to the end
// of r.
func readUnsigned(r *reader) (l layout, err error) {
	l.start = r.off
	if _, err = r.take(4, "the version"); err != nil {
		return l, err
	}
	if err = l.readBody(r, true); err != nil {
		return l, err
	}
	return l, l.readEnd(r)
}

// readFull reads a transaction, with witness (BIP144) or without, to the end
// of r. One without inputs cannot exist outside a PSBT.
func readFull(r *reader) (l layout, err error) {
	l.start = r.off
	if _, err = r.take(4, "the version"); err != nil {
		return l, err
	}
	witness := r.left() > 1 && r.b[r.off] == 0
	if witness {
		if r.b[r.off+1] != 1 {
			return l, fail(r.off, "%s has no inputs", r.place)
		}
		r.off += 2
	}
	if err = l.readBody(r, false); err != nil {
		return l, err
	}
	if l.ins == 0 {
		return l, fail(l.body, "%s has no inputs", r.place)
	}
	if witness {
		if err = l.readWitnesses(r); err != nil {
			return l, err
		}
	}
	return l, l.readEnd(r)
}

// readBody reads inputs and outputs.
func (l *layout) readBody(r *reader, unsigned bool) (err error) {
	l.body = r.off
	if l.ins, err = readCount(r, minTxIn, "the number of inputs"); err != nil {
		return err
	}
	l.insAt = r.off
	for i := range l.ins {
		if _, err = r.take(36, "an outpoint"); err != nil {
			return err
		}
		at := r.off
		script, err := r.vector("the length of a scriptSig", "a scriptSig")
		if err != nil {
			return err
		}
		if unsigned && len(script) != 0 {
			return fail(at, "input %d of %s has a scriptSig", i, r.place)
		}
		if _, err = r.take(4, "a sequence"); err != nil {
			return err
		}
	}
	if l.outs, err = readCount(r, minTxOut, "the number of outputs"); err != nil {
		return err
	}
	l.outsAt = r.off
	for range l.outs {
		if _, err = readTxOut(r); err != nil {
			return err
		}
	}
	l.bodyEnd = r.off
	return nil
}

// readWitnesses reads one witness an input. At least one is not empty: BIP144
// wants the old serialisation otherwise, and Core refuses the other one.
func (l *layout) readWitnesses(r *reader) error {
	start, some := r.off, false
	for range l.ins {
		n, err := readWitness(r)
		if err != nil {
			return err
		}
		some = some || n > 0
	}
	if !some {
		return fail(start, "%s is in the form with witnesses and has none", r.place)
	}
	return nil
}

// readEnd reads the lock time, after which nothing may follow.
func (l *layout) readEnd(r *reader) error {
	l.locktime = r.off
	if _, err := r.take(4, "the lock time"); err != nil {
		return err
	}
	if n := r.left(); n != 0 {
		return fail(r.off, "bytes are left over after %s: %d", r.place, n)
	}
	return nil
}

// readCount reads a count of things of size bytes at least.
func readCount(r *reader, size int, what string) (int, error) {
	at := r.off
	n, err := r.compactSize(what)
	if err != nil {
		return 0, err
	}
	if n > uint64(r.left()/size) {
		return 0, fail(at, "%s in %s is %d, more than its bytes could hold", what, r.place, n)
	}
	return int(n), nil
}

// readWitness reads a witness stack and gives the number of its items.
func readWitness(r *reader) (uint64, error) {
	n, err := r.compactSize("the number of witness items")
	if err != nil {
		return 0, err
	}
	// n is not trusted: each turn takes a byte at least, or fails.
	for range n {
		if _, err := r.vector("the length of a witness item", "a witness item"); err != nil {
			return 0, err
		}
	}
	return n, nil
}

// readTxOut reads one output; its script is a view.
func readTxOut(r *reader) (out wire.TxOut, err error) {
	amount, err := r.take(8, "an amount")
	if err != nil {
		return out, err
	}
	out.Value = int64(binary.LittleEndian.Uint64(amount))
	out.PkScript, err = r.vector("the length of an output script", "an output script")
	return out, err
}

// msg builds the unsigned transaction that was read from b. It cannot fail:
// readUnsigned has seen every byte. Scripts of outputs are views.
func (l *layout) msg(b []byte) *wire.MsgTx {
	ins, outs := make([]wire.TxIn, l.ins), make([]wire.TxOut, l.outs)
	tx := &wire.MsgTx{
		Version:  int32(binary.LittleEndian.Uint32(b[l.start:])),
		TxIn:     make([]*wire.TxIn, l.ins),
		TxOut:    make([]*wire.TxOut, l.outs),
		LockTime: binary.LittleEndian.Uint32(b[l.locktime:]),
	}
	for i := range ins {
		at := b[l.insAt+i*minTxIn:][:minTxIn] // every scriptSig is empty
		copy(ins[i].PreviousOutPoint.Hash[:], at)
		ins[i].PreviousOutPoint.Index = binary.LittleEndian.Uint32(at[32:])
		ins[i].Sequence = binary.LittleEndian.Uint32(at[37:])
		tx.TxIn[i] = &ins[i]
	}
	r := reader{b: b, off: l.outsAt, end: l.bodyEnd}
	for i := range outs {
		outs[i], _ = readTxOut(&r)
		tx.TxOut[i] = &outs[i]
	}
	return tx
}

// PrevTx is a previous transaction: a view into the value of
// PSBT_IN_NON_WITNESS_UTXO that allocates nothing, however many inputs and
// outputs it claims.
type PrevTx struct {
	b []byte
	l layout
}

// ReadPrevTx reads a serialised transaction, with witness (BIP144) or without.
// Errors are *Error with the offset in value. Parse has accepted every value
// of PSBT_IN_NON_WITNESS_UTXO in a Container already.
func ReadPrevTx(value []byte) (PrevTx, error) {
	r := reader{b: value, end: len(value), place: place{"the previous transaction", -1}}
	l, err := readFull(&r)
	if err != nil {
		return PrevTx{}, err
	}
	return PrevTx{value, l}, nil
}

// TxID is the double SHA-256 of the transaction without its witnesses. It
// hashes the bytes on every call.
func (t PrevTx) TxID() chainhash.Hash {
	h := sha256.New()
	h.Write(t.b[t.l.start : t.l.start+4])
	h.Write(t.b[t.l.body:t.l.bodyEnd])
	h.Write(t.b[t.l.locktime : t.l.locktime+4])
	return sha256.Sum256(h.Sum(nil))
}

// Len is the number of outputs.
func (t PrevTx) Len() int { return t.l.outs }

// Output gives output n; its script is a view. false where there is none. It
// walks the outputs before it on every call.
func (t PrevTx) Output(n uint32) (wire.TxOut, bool) {
	if uint64(n) >= uint64(t.l.outs) {
		return wire.TxOut{}, false
	}
	r := reader{b: t.b, off: t.l.outsAt, end: t.l.bodyEnd}
	var out wire.TxOut
	for range uint64(n) + 1 {
		var err error
		if out, err = readTxOut(&r); err != nil {
			return wire.TxOut{}, false
		}
	}
	return out, true
}
