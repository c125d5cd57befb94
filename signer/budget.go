package signer

import (
	"fmt"

	"github.com/btcsuite/btcd/txscript"
	"github.com/btcsuite/btcd/wire"
)

// What looking at a transaction costs in bytes of memory, at the most, beyond
// the container itself: facts, standing, report and findings, counted with what
// Go rounds up and with slices that grow. TestMemory holds these prices against
// files that make the most of them.
const (
	plainOutputCost  = 950   // an address, no dust, no fields: only repeated-address can be found
	bareOutputCost   = 1_800 // any other without fields
	outputCost       = 2_000 // with fields
	scriptCost       = 10    // a byte of a script that is shown in hex
	bareInputCost    = 1_100 // one field at most: what it spends
	inputCost        = 2_400
	containerOutCost = 80
	containerInCost  = 144
	pairCost         = 130
)

// slack is what may be used beyond twice the file: the 16 MiB of the rule book
// less a reserve for what is small.
const slack = 15 << 20 // bytes

// affordable tells whether the transaction can be looked at within twice its
// size and 16 MiB. All that the network passes on is, and nearly all that fits
// into a block.
func (t *Transaction) affordable() bool {
	c := t.container
	cost := len(c.Global.Pairs) * pairCost
	for i := range c.Inputs {
		pairs := len(c.Inputs[i].Pairs)
		cost += containerInCost + pairs*pairCost + bareInputCost
		if pairs > 1 {
			cost += inputCost - bareInputCost
		}
	}
	for i, out := range c.Tx.TxOut {
		pairs := len(c.Outputs[i].Pairs)
		cost += containerOutCost + pairs*pairCost
		switch {
		case pairs > 0:
			cost += outputCost
		case addressable(out.PkScript) && out.Value >= dustLimit(out.PkScript):
			cost += plainOutputCost
		default:
			cost += bareOutputCost
		}
		if !addressable(out.PkScript) {
			cost += scriptCost * len(out.PkScript)
		}
	}
	return cost <= len(c.Raw)+slack
}

// addressable tells whether a script is of a kind that has an address, and so
// is short.
func addressable(script []byte) bool {
	return isWitness(script) || txscript.IsPayToPubKeyHash(script) || txscript.IsPayToScriptHash(script)
}

// beyondBlock tells whether the unsigned transaction alone weighs more than a
// block: whatever signatures add, it can never confirm.
func beyondBlock(tx *wire.MsgTx) bool { return 4*int64(tx.SerializeSizeStripped()) > maxWeight }

// unaffordable is what is said of a transaction that could be mined, and is too
// large to be looked at here.
func unaffordable(tx *wire.MsgTx) error {
	return &MalformedError{What: fmt.Sprintf("a transaction of %s inputs and %s outputs is more than this station can look at",
		thousands(int64(len(tx.TxIn))), thousands(int64(len(tx.TxOut))))}
}

// summarise makes the report on a transaction that no block can take and that is too
// large to be looked at piece by piece: it is refused for its weight, and lists
// no input or output.
func (a *assessment) summarise() {
	t := a.tx
	a.report = &Report{
		SHA256: t.sha, FileSHA256: t.fileSHA, Encoding: string(t.encoding),
		PSBTVersion: t.container.Version, Network: a.settings.Network, Checked: a.checked,
		TxID: a.msg.TxHash(), TxVersion: a.msg.Version, LockTime: a.msg.LockTime,
		Weight: 4 * int64(a.msg.SerializeSizeStripped()),
	}
	a.report.VSize = a.report.Weight / 4
	s := &sayer{}
	findTxLarge(a, s)
	a.report.Findings, a.report.Verdict = s.findings, VerdictRefused
}
