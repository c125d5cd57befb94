package signer

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/airlock-signer/airlock/signer/container"
	"github.com/btcsuite/btcd/chaincfg/chainhash"
	"github.com/btcsuite/btcd/wire"
)

// inputFacts is what the file says about one input, read once. Nothing in it
// depends on keys or settings. Slices are views into the container.
type inputFacts struct {
	fields *container.Map

	// What is spent. known: the file gives it. proven: by the full previous
	// transaction, hashed and found to be the outpoint's.
	spent  wire.TxOut
	known  bool
	proven bool

	hasPrev     bool // a previous transaction is there
	prevFits    bool // its txid is the outpoint's
	prevInRange bool // … and it has that output
	hasWitness  bool // a witness UTXO is there
	conflict    bool // … and differs from the previous transaction's output

	hasSighash bool
	final      bool   // PSBT_IN_FINAL_SCRIPTSIG or _SCRIPTWITNESS is there
	claims     bool   // some derivation is given
	sighash    uint32 // as declared

	script ScriptType // of what is spent, nested ones seen through where that is proven
	*rareFacts
	taproot *taprootFacts // nil where there are no such fields
}

// rareFacts is what most maps do not give: those that give none share one that
// is empty, so that thousands of them cost no more than a pointer each.
type rareFacts struct {
	redeem       []byte
	witness      []byte         // witness script
	finalSig     []byte         // of an input
	finalWitness wire.TxWitness // of an input
}

// rareFactsOf gives a map facts of its own where it has such fields, else none.
func rareFactsOf(m *container.Map, none *rareFacts, types ...uint64) *rareFacts {
	for i := range m.Pairs {
		if slices.Contains(types, m.Pairs[i].Type) {
			return &rareFacts{}
		}
	}
	return none
}

// setRedeem notes a redeem script that the file only implies.
func setRedeem(r **rareFacts, redeem []byte) {
	if redeem != nil {
		own := **r
		own.redeem = redeem
		*r = &own
	}
}

// singleKeyType is the type of the one-key script that is spent, as far as the
// form tells: "" where there is none.
func (f *inputFacts) singleKeyType() ScriptType {
	switch {
	case singleKey(f.script):
		return f.script
	case f.script == P2SH && f.redeem == nil:
		return P2SHP2WPKH
	}
	return ""
}

// outputFacts is the same for one output.
type outputFacts struct {
	fields *container.Map
	script ScriptType
	claims bool
	*rareFacts
	taproot *taprootFacts // nil where there are no such fields
}

// readFacts reads every map once: work is linear in the bytes.
func (t *Transaction) readFacts(ctx context.Context) error {
	c := t.container
	if len(c.Inputs) != len(c.Tx.TxIn) || len(c.Outputs) != len(c.Tx.TxOut) {
		return fmt.Errorf("%d and %d maps for %d inputs and %d outputs", len(c.Inputs), len(c.Outputs), len(c.Tx.TxIn), len(c.Tx.TxOut))
	}
	t.ins = make([]inputFacts, len(c.Inputs))
	t.outs = make([]outputFacts, len(c.Outputs))
	prev, none := &previous{}, &rareFacts{}
	for i := range t.ins {
		if err := ctx.Err(); err != nil {
			return err
		}
		f := &t.ins[i]
		f.fields = &c.Inputs[i]
		f.rareFacts = rareFactsOf(f.fields, none, container.InRedeemScript, container.InWitnessScript,
			container.InFinalScriptSig, container.InFinalScriptWitness)
		if err := f.read(); err != nil {
			return fmt.Errorf("input %d: %w", i, err)
		}
		if err := f.findSpent(c.Tx.TxIn[i].PreviousOutPoint, prev); err != nil {
			return fmt.Errorf("input %d: %w", i, err)
		}
		f.classify()
	}
	for i := range t.outs {
		f := &t.outs[i]
		f.fields = &c.Outputs[i]
		f.rareFacts = rareFactsOf(f.fields, none, container.OutRedeemScript, container.OutWitnessScript)
		f.read(c.Tx.TxOut[i].PkScript)
	}
	t.work = prev.work
	return nil
}

// read takes the single-valued fields of an input map. Lengths were checked by
// the strict container; they are checked again where a slice depends on them.
func (f *inputFacts) read() error {
	for i := range f.fields.Pairs {
		p := &f.fields.Pairs[i]
		switch p.Type {
		case container.InSighashType:
			if len(p.Value) != 4 {
				return fmt.Errorf("sighash type of %d bytes", len(p.Value))
			}
			f.sighash, f.hasSighash = binary.LittleEndian.Uint32(p.Value), true
		case container.InRedeemScript:
			f.redeem = p.Value
		case container.InWitnessScript:
			f.witness = p.Value
		case container.InFinalScriptSig:
			f.final, f.finalSig = true, p.Value
		case container.InFinalScriptWitness:
			stack, err := readWitness(p.Value)
			if err != nil {
				return err
			}
			f.final, f.finalWitness = true, stack
		case container.InBip32Derivation, container.InTapBip32Derivation:
			f.claims = true
		}
	}
	return nil
}

// findSpent takes what is spent from the previous transaction where that is
// the right one, else from the witness UTXO.
func (f *inputFacts) findSpent(outpoint wire.OutPoint, prev *previous) error {
	var claimed wire.TxOut
	for i := range f.fields.Pairs {
		p := &f.fields.Pairs[i]
		switch p.Type {
		case container.InWitnessUTXO:
			out, err := readTxOut(p.Value)
			if err != nil {
				return err
			}
			f.hasWitness, claimed = true, out
		case container.InNonWitnessUTXO:
			tx, fits, err := prev.read(outpoint.Hash, p.Value)
			if err != nil {
				return err
			}
			f.hasPrev, f.prevFits = true, fits
			if fits {
				f.spent, f.prevInRange = tx.Output(outpoint.Index)
			}
		}
	}
	f.proven = f.prevInRange
	f.known = f.proven || f.hasWitness
	switch {
	case f.proven && f.hasWitness:
		f.conflict = claimed.Value != f.spent.Value || !bytes.Equal(claimed.PkScript, f.spent.PkScript)
	case f.hasWitness:
		f.spent = claimed
	}
	return nil
}

// classify names the script that is spent. A p2sh is seen through where the
// redeem script hashes to it.
func (f *inputFacts) classify() {
	f.script = UnknownScript
	if !f.known {
		return
	}
	f.script = scriptTypeOf(f.spent.PkScript)
	f.taproot = taprootInput(f.fields, f.spent.PkScript)
	if f.script != P2SH {
		return
	}
	if f.redeem == nil {
		setRedeem(&f.rareFacts, impliedRedeem(f.spent.PkScript, f.witness, f.finalSig))
	}
	if f.redeem != nil && redeemMatches(f.spent.PkScript, f.redeem) {
		f.script = nestedType(f.redeem)
	}
}

// impliedRedeem finds the redeem script of a p2sh where the file does not give
// it: the program of the witness script, or the one push of a final scriptSig.
// Only one that hashes right is taken.
func impliedRedeem(script, witness, finalSig []byte) []byte {
	if witness != nil {
		sum := sha256.Sum256(witness)
		if program := append([]byte{0, 32}, sum[:]...); redeemMatches(script, program) {
			return program
		}
	}
	if push := onlyPush(finalSig); push != nil && redeemMatches(script, push) {
		return push
	}
	return nil
}

// onlyPush gives the data of a script that is one direct push and nothing
// else.
func onlyPush(script []byte) []byte {
	if len(script) < 2 || len(script) > 76 || int(script[0]) != len(script)-1 {
		return nil
	}
	return script[1:]
}

// read takes the fields of an output map.
func (f *outputFacts) read(script []byte) {
	f.script = scriptTypeOf(script)
	f.taproot = taprootOutput(f.fields, script)
	for i := range f.fields.Pairs {
		p := &f.fields.Pairs[i]
		switch p.Type {
		case container.OutRedeemScript:
			f.redeem = p.Value
		case container.OutWitnessScript:
			f.witness = p.Value
		case container.OutBip32Derivation, container.OutTapBip32Derivation:
			f.claims = true
		}
	}
	if f.script == P2SH && f.redeem == nil {
		setRedeem(&f.rareFacts, impliedRedeem(script, f.witness, nil))
	}
	if f.script == P2SH && f.redeem != nil && redeemMatches(script, f.redeem) {
		f.script = nestedType(f.redeem)
	}
}

// previous holds the previous transactions that were hashed, by the txid they
// were found to have: each distinct value is hashed once, another copy of it
// is only compared.
type previous struct {
	known map[chainhash.Hash]prevValue
	work  work
}

type prevValue struct {
	raw []byte
	tx  container.PrevTx
}

// read parses a previous transaction and tells whether its txid is want.
func (p *previous) read(want chainhash.Hash, raw []byte) (tx container.PrevTx, fits bool, err error) {
	if known, ok := p.known[want]; ok && bytes.Equal(known.raw, raw) {
		return known.tx, true, nil
	}
	if tx, err = container.ReadPrevTx(raw); err != nil {
		return tx, false, err
	}
	p.work.hashed += len(raw)
	if tx.TxID() != want {
		return tx, false, nil
	}
	if p.known == nil {
		p.known = map[chainhash.Hash]prevValue{}
	}
	p.known[want] = prevValue{raw, tx}
	return tx, true, nil
}

// readTxOut reads a serialised output to its end.
func readTxOut(b []byte) (out wire.TxOut, err error) {
	if len(b) < 9 {
		return out, fmt.Errorf("witness UTXO of %d bytes", len(b))
	}
	out.Value = int64(binary.LittleEndian.Uint64(b))
	script, rest, ok := takeVector(b[8:])
	if !ok || len(rest) != 0 {
		return out, fmt.Errorf("witness UTXO does not parse to its end")
	}
	out.PkScript = script
	return out, nil
}

// maxStack is how many elements a stack may hold (BIP342, MAX_STACK_SIZE), and
// with it a witness but for the script, control block and annex.
const maxStack = 1000 + 3

// readWitness reads a witness stack to its end. Items are views; room for them
// is made as they are found, not as many as the count claims. A stack that no
// script could take comes back as one item that is the whole field: it weighs
// the same, spends nothing, and does not cost 24 bytes for each of its own.
func readWitness(b []byte) (wire.TxWitness, error) {
	n, rest, ok := takeCompactSize(b)
	if ok && n > maxStack {
		return wire.TxWitness{b}, nil
	}
	var stack wire.TxWitness
	for ; ok && n > 0; n-- {
		var item []byte
		if item, rest, ok = takeVector(rest); ok {
			stack = append(stack, item)
		}
	}
	if !ok || len(rest) != 0 {
		return nil, fmt.Errorf("final witness does not parse to its end")
	}
	return stack, nil
}

// takeVector reads bytes that their length precedes.
func takeVector(b []byte) (v, rest []byte, ok bool) {
	n, rest, ok := takeCompactSize(b)
	if !ok || n > uint64(len(rest)) {
		return nil, nil, false
	}
	return rest[:n:n], rest[n:], true
}

// takeCompactSize reads a compact size.
func takeCompactSize(b []byte) (n uint64, rest []byte, ok bool) {
	if len(b) == 0 {
		return 0, nil, false
	}
	if b[0] < 0xfd {
		return uint64(b[0]), b[1:], true
	}
	size := 2 << (b[0] - 0xfd)
	if len(b) < 1+size {
		return 0, nil, false
	}
	var buf [8]byte
	copy(buf[:], b[1:1+size])
	return binary.LittleEndian.Uint64(buf[:]), b[1+size:], true
}
