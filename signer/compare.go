package signer

import (
	"bytes"

	"github.com/btcsuite/btcd/chaincfg/chainhash"
	"github.com/btcsuite/btcd/wire"
)

// Earlier is a transaction that this session signed before and that spends a
// coin of the one reviewed: what is different now.
type Earlier struct {
	TxID      chainhash.Hash // of the earlier transaction, unsigned
	Shared    int            // coins that both spend
	Dropped   int            // coins that only the earlier one spends
	Added     int            // coins that only this one spends
	Fee       Amount         // of the earlier one; unknown where a coin's amount is
	Outputs   []OutputChange // those that differ, those of the earlier one first
	Same      int            // scripts that get the same amount in both
	Identical bool           // nothing but sequences, lock time or version differs
}

// OutputChange is what one script gets in two transactions.
type OutputChange struct {
	Script  []byte
	Address string // "" where the script has no address form
	Before  Amount // Known is false where the earlier transaction does not pay it
	Now     Amount // Known is false where this one does not
	Back    bool   // now, it is proven to come back to us
}

// Earlier lists the transactions of this session that spend one of the coins,
// as they were known when the review was made, oldest first. They are what
// input-signed-before is about.
func (r *Review) Earlier() []Earlier { return r.earlier }

// compareEarlier looks into the ledger.
func (a *assessment) compareEarlier() []Earlier {
	if a.ledger == nil {
		return nil
	}
	var list []Earlier
	compared := map[chainhash.Hash]bool{a.report.TxID: true}
	for _, in := range a.msg.TxIn {
		for _, c := range a.ledger.Signed(in.PreviousOutPoint) {
			if !compared[c.TxID] {
				compared[c.TxID] = true
				list = append(list, a.compare(&c))
			}
		}
	}
	return list
}

// compare makes the difference to one earlier transaction.
func (a *assessment) compare(c *SignedCoin) Earlier {
	e := Earlier{TxID: c.TxID}
	now := make(map[wire.OutPoint]int, len(a.msg.TxIn))
	for i, in := range a.msg.TxIn {
		now[in.PreviousOutPoint] = i
	}
	spent, known := int64(0), true
	for _, in := range c.Tx.TxIn {
		amount := a.ledger.amountIn(in.PreviousOutPoint, c.TxID)
		if i, shared := now[in.PreviousOutPoint]; shared {
			e.Shared++
			if !amount.Known {
				amount = a.report.Inputs[i].Amount
			}
		} else {
			e.Dropped++
		}
		known = known && amount.Known && addAmount(&spent, amount.Sat)
	}
	e.Added = len(now) - e.Shared
	paid := int64(0)
	for _, out := range c.Tx.TxOut {
		known = known && addAmount(&paid, out.Value)
	}
	if known {
		e.Fee = Amount{spent - paid, true}
	}
	e.Outputs, e.Same = a.compareOutputs(c.Tx)
	e.Identical = e.Added == 0 && e.Dropped == 0 && len(e.Outputs) == 0
	return e
}

// compareOutputs adds up what each script gets in both, and lists those that do
// not get the same.
func (a *assessment) compareOutputs(earlier *wire.MsgTx) (changes []OutputChange, same int) {
	at := map[string]int{}
	var all []OutputChange
	slot := func(script []byte) *OutputChange {
		i, ok := at[string(script)]
		if !ok {
			i = len(all)
			at[string(script)] = i
			all = append(all, OutputChange{Script: script, Address: addressOf(script, a.settings.Network.Params())})
		}
		return &all[i]
	}
	for _, out := range earlier.TxOut {
		s := slot(out.PkScript)
		s.Before = Amount{s.Before.Sat + out.Value, true}
	}
	for i, out := range a.msg.TxOut {
		s := slot(out.PkScript)
		s.Now, s.Back = Amount{s.Now.Sat + out.Value, true}, a.out[i].back
	}
	for i := range all {
		if all[i].Before == all[i].Now {
			same++
			continue
		}
		all[i].Script = bytes.Clone(all[i].Script)
		changes = append(changes, all[i])
	}
	return changes, same
}

// amountIn is the amount of a coin as it was signed in one transaction.
func (l *Ledger) amountIn(coin wire.OutPoint, txid chainhash.Hash) Amount {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.coins[coin] {
		if c.TxID == txid {
			return Amount{c.Amount, true}
		}
	}
	return Amount{}
}
