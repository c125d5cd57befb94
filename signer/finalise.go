package signer

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/airlock-signer/airlock/signer/container"
	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/txscript"
	"github.com/btcsuite/btcd/wire"
)

// finish puts the signatures into the bytes that came in, reads the outcome
// back with the strict container and, when every input has what it needs, makes
// the transaction for the network and runs the script engine over it.
func (n *run) finish(ctx context.Context) (*Result, error) {
	result, signed, err := n.splice()
	if err != nil {
		return nil, err
	}
	tx, complete := finalise(signed, n.hasher)
	if !complete {
		return result, nil
	}
	for i := range tx.TxIn {
		if err := ctx.Err(); err != nil {
			return nil, n.interrupted(err)
		}
		if err := n.hasher.executeInput(tx, i); err != nil {
			return nil, badResult(i, fmt.Errorf("input %d: %w", i, err))
		}
	}
	var out bytes.Buffer
	out.Grow(tx.SerializeSize())
	if err := tx.Serialize(&out); err != nil {
		return nil, badResult(-1, err)
	}
	n.work = n.hasher.work
	result.Complete, result.FinalTx, result.TxID = true, out.Bytes(), tx.TxHash()
	return result, nil
}

// splice puts the signatures made into the bytes that came in, and reads the
// outcome back.
func (n *run) splice() (*Result, *container.Container, error) {
	adds := n.additions()
	raw, err := n.container.Splice(adds)
	if err != nil {
		return nil, nil, badResult(-1, err)
	}
	signed, err := container.Parse(raw)
	if err != nil {
		return nil, nil, badResult(-1, err)
	}
	if err := onlyAdded(n.container, signed, adds); err != nil {
		return nil, nil, badResult(-1, err)
	}
	return &Result{PSBT: container.Encode(raw, n.review.tx.encoding), Added: len(adds)}, signed, nil
}

// badResult is a signed transaction that the network would not take.
func badResult(input int, err error) *SigningError {
	return &SigningError{
		Code:  CodeResultInvalid,
		Input: input,
		Sentence: fmt.Sprintf("The signed transaction does not hold up when it is checked: %v. "+
			"All signatures of this run were discarded and nothing was written. Ask the coordinator for a fresh file.", err),
	}
}

// additions are the verified signatures as the container has them: DER with
// sighash byte under the public key, or for a taproot key path 64 bytes, 65
// where the sighash is not DEFAULT (BIP174, BIP371).
func (n *run) additions() []container.Addition {
	sighash := make(map[int]byte, len(n.review.spends))
	for i := range n.review.spends {
		sighash[n.review.spends[i].input] = byte(n.review.spends[i].sighash)
	}
	adds := make([]container.Addition, 0, len(n.requests))
	for i := range n.requests {
		req := &n.requests[i]
		if n.made[req.Input] == nil {
			continue
		}
		value := bytes.Clone(n.made[req.Input])
		if b := sighash[req.Input]; req.Scheme == ECDSA || b != byte(txscript.SigHashDefault) {
			value = append(value, b)
		}
		adds = append(adds, container.Addition{Input: req.Input, Key: signatureKey(req), Value: value})
	}
	return adds
}

// onlyAdded checks that cutting the additions out of the new bytes gives the
// old ones back, byte for byte.
func onlyAdded(before, after *container.Container, adds []container.Addition) error {
	want := make(map[int]container.Addition, len(adds)) // one signature an input
	for _, a := range adds {
		want[a.Input] = a
	}
	old, from := before.Raw, 0
	for i := range after.Inputs {
		a, ok := want[i]
		if !ok {
			continue
		}
		pair, ok := after.Inputs[i].Find(a.Key)
		if !ok || !bytes.Equal(pair.Value, a.Value) {
			return fmt.Errorf("the signature of input %d is not where it belongs", i)
		}
		kept := after.Raw[from:pair.Start]
		if !bytes.HasPrefix(old, kept) {
			return errors.New("something other than signatures was changed")
		}
		old, from = old[len(kept):], pair.End
		delete(want, i)
	}
	if len(want) != 0 || !bytes.Equal(old, after.Raw[from:]) {
		return errors.New("something other than signatures was changed")
	}
	return nil
}

// finalise makes the transaction for the network. complete is false where an
// input lacks a signature, or has a script of several keys and is not final
// yet. Inputs that came final stay as they are.
func finalise(c *container.Container, h *hasher) (tx *wire.MsgTx, complete bool) {
	tx = c.Tx.Copy()
	for i := range c.Inputs {
		var ok bool
		if hasFinal(&c.Inputs[i]) {
			ok = takeFinal(tx.TxIn[i], &c.Inputs[i])
		} else {
			ok = takeSignature(tx.TxIn[i], &c.Inputs[i], h.spent(i).PkScript)
		}
		if !ok {
			return nil, false
		}
	}
	return tx, len(c.Inputs) > 0
}

// takeFinal copies the final fields.
func takeFinal(in *wire.TxIn, fields *container.Map) bool {
	if pair, ok := fields.Get(container.InFinalScriptSig); ok {
		in.SignatureScript = bytes.Clone(pair.Value)
	}
	pair, ok := fields.Get(container.InFinalScriptWitness)
	if !ok {
		return true
	}
	stack, err := readWitness(pair.Value)
	if err != nil {
		return false
	}
	in.Witness = stack
	return true
}

// takeSignature finalises a single-key input from the one signature it needs.
func takeSignature(in *wire.TxIn, fields *container.Map, script []byte) bool {
	if txscript.IsPayToTaproot(script) {
		pair, ok := fields.Get(container.InTapKeySig)
		in.Witness = wire.TxWitness{pair.Value}
		return ok
	}
	for pair := range fields.All(container.InPartialSig) {
		if len(pair.Value) > 73 { // no DER signature with its sighash byte
			continue
		}
		kind, keyHash := keySpends(script, pair.KeyData)
		switch kind {
		case P2PKH:
			in.SignatureScript = append(push(pair.Value), push(pair.KeyData)...)
		case P2SHP2WPKH:
			in.SignatureScript = push(append([]byte{txscript.OP_0, txscript.OP_DATA_20}, keyHash...))
			in.Witness = wire.TxWitness{pair.Value, pair.KeyData}
		case P2WPKH:
			in.Witness = wire.TxWitness{pair.Value, pair.KeyData}
		default:
			continue
		}
		return true
	}
	return false
}

// push is the direct push of 1 to 75 bytes: signatures, keys and redeem scripts
// of one key are no longer.
func push(data []byte) []byte { return append([]byte{byte(len(data))}, data...) }

// executeInput runs the script engine with standard flags over one input of the
// final transaction, with the midstates that were hashed already.
func (h *hasher) executeInput(tx *wire.MsgTx, i int) error {
	out := h.spent(i)
	if txscript.IsPayToTaproot(out.PkScript) && len(tx.TxIn[i].Witness) == 1 {
		// The engine takes an s above the group order; the network does not.
		if sig := tx.TxIn[i].Witness[0]; len(sig) >= 64 && !schnorrInRange(sig) {
			return errSchnorrS
		}
	}
	kind := P2PKH
	if len(tx.TxIn[i].Witness) > 0 {
		kind = P2WPKH
	}
	h.count(kind)
	h.work.points++
	vm, err := txscript.NewEngine(out.PkScript, tx, i, txscript.StandardVerifyFlags, nil, h.mid, out.Value, h.outs)
	if err != nil {
		return err
	}
	return vm.Execute()
}

// schnorrInRange tells whether s, bytes 32 to 63, is below the group order.
func schnorrInRange(sig []byte) bool {
	return !new(btcec.ModNScalar).SetByteSlice(sig[32:64])
}
