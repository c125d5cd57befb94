package signer

import "fmt"

// Sentences about amounts that several rules share. They are the same for every
// place, so that thousands of places cost no more than their indexes.
var (
	amountMissing = sentences{
		"The file does not say what this input spends.",
		"Its amount, and with it the fee, could be anything.",
		"Make the transaction again at the coordinator while it is in step with its server, and save it as a file.",
	}
	prevtxMissing = sentences{
		"The full previous transaction of this input is missing.",
		"Its amount cannot be checked: a false amount could make you pay a huge fee.",
		"Save the transaction as a file, not as a QR code: in Sparrow \"Save Transaction\", in Electrum \"Share\", \"Save to file\"; both then put the previous transactions in. Or put those on a medium too, as files: the station looks for them. " +
			"Where the coordinator cannot, the setting \"accept amounts without previous transactions\" lets it pass with a caution for this session.",
	}
	amountsUnproven = sentences{
		"The amount of this input is only claimed: its full previous transaction is missing, and you chose to accept that for this session.",
		"If the amount is false, the fee is not the one shown here, and money can be lost to it.", "",
	}
	prevtxMismatch = sentences{
		"The previous transaction in the file is not the one that this input spends.",
		"The amount shown would be that of another coin.",
		"Do not use this file. Make the transaction again, on a computer that you trust.",
	}
	prevtxNoOutput = sentences{
		"The previous transaction has no output with the number that this input spends.",
		"Such a coin does not exist.",
		"Do not use this file. Make the transaction again at the coordinator.",
	}
	utxoConflict = sentences{
		"The file gives two different amounts or scripts for the coin that this input spends.",
		"One of them is false: that is how a huge fee is hidden.",
		"Do not use this file. Make the transaction again, on a computer that you trust.",
	}
	legacyWitnessUtxo = sentences{
		"This is a legacy input, and the file gives only a short form of what it spends, which cannot be checked.",
		"A legacy signature does not commit to the amount: a false amount could make you pay a huge fee.",
		"Save the transaction with its full previous transactions: as a file, not as a QR code, in Sparrow and Electrum.",
	}
	feeUnknown = sentences{
		"The amount of this input is not proven.",
		"The fee may be another than the one shown, and larger.", "",
	}
)

// findAmountMissing: an input with neither previous transaction nor witness
// UTXO.
func findAmountMissing(a *assessment, s *sayer) {
	for i := range a.tx.ins {
		if f := &a.tx.ins[i]; !f.hasPrev && !f.hasWitness {
			s.input(i, CodeAmountMissing, amountMissing)
		}
	}
}

// wantsPrevtx tells whether input i lacks the full previous transaction that
// every segwit v0 input needs (CVE-2020-14199): its signature commits to its
// own amount alone, so that two signings can be played against each other. A
// p2sh of which nothing more is known counts as nested segwit: only that has a
// witness UTXO.
func (a *assessment) wantsPrevtx(i int) bool {
	f, t := &a.tx.ins[i], a.in[i].script
	return f.hasWitness && !f.hasPrev && (segwitV0(t) || t == P2SH && f.redeem == nil)
}

// findPrevtxMissing: a segwit v0 input, ours or not, without its full previous
// transaction. The setting turns it into amounts-unproven.
func findPrevtxMissing(a *assessment, s *sayer) {
	for i := range a.in {
		switch {
		case !a.wantsPrevtx(i):
		case a.settings.AcceptUnproven:
			s.input(i, CodeAmountsUnproven, amountsUnproven)
		default:
			s.input(i, CodePrevtxMissing, prevtxMissing)
		}
	}
}

// findPrevtxMismatch: a previous transaction whose txid is not the outpoint's,
// or that has no such output.
func findPrevtxMismatch(a *assessment, s *sayer) {
	for i := range a.tx.ins {
		switch f := &a.tx.ins[i]; {
		case f.hasPrev && !f.prevFits:
			s.input(i, CodePrevtxMismatch, prevtxMismatch)
		case f.hasPrev && !f.prevInRange:
			s.input(i, CodePrevtxMismatch, prevtxNoOutput)
		}
	}
}

// findUtxoConflict: a witness UTXO that differs from the previous transaction's
// output.
func findUtxoConflict(a *assessment, s *sayer) {
	for i := range a.tx.ins {
		if a.tx.ins[i].conflict {
			s.input(i, CodeUtxoConflict, utxoConflict)
		}
	}
}

// findLegacyWitnessUtxo: a legacy input that gives only a witness UTXO.
func findLegacyWitnessUtxo(a *assessment, s *sayer) {
	for i := range a.in {
		f, t := &a.tx.ins[i], a.in[i].script
		if f.hasWitness && !f.hasPrev && !isWitness(f.spent.PkScript) && !segwitV0(t) && !a.wantsPrevtx(i) {
			s.input(i, CodeLegacyWitnessUtxo, legacyWitnessUtxo)
		}
	}
}

// findAmountRange: a negative amount, one above 21,000,000 BTC, or sums beyond
// it.
func findAmountRange(a *assessment, s *sayer) {
	bad := sentences{
		"The amount is negative or more than all bitcoin there will ever be.",
		"Such a transaction cannot exist; it is meant to confuse a signer.",
		"Do not use this file. Make the transaction again at the coordinator.",
	}
	ins, outs, fits := int64(0), int64(0), true
	for i := range a.tx.ins {
		f := &a.tx.ins[i]
		var one int64
		switch {
		case !f.known:
		case !addAmount(&one, f.spent.Value):
			s.input(i, CodeAmountRange, bad)
		default:
			fits = addAmount(&ins, f.spent.Value) && fits
		}
	}
	for i, o := range a.msg.TxOut {
		var one int64
		if !addAmount(&one, o.Value) {
			s.output(i, CodeAmountRange, bad)
			continue
		}
		fits = addAmount(&outs, o.Value) && fits
	}
	if !fits {
		bad.what = "The amounts add up to more than all bitcoin there will ever be."
		s.transaction(CodeAmountRange, bad)
	}
}

// findSignedBefore: this session signed for the same coin before, with another
// amount (amount-changed) or in another transaction (input-signed-before).
func findSignedBefore(a *assessment, s *sayer) {
	if a.ledger == nil {
		return
	}
	for i, in := range a.msg.TxIn {
		f := &a.tx.ins[i]
		var other *SignedCoin
		for _, c := range a.ledger.Signed(in.PreviousOutPoint) {
			if c.TxID != a.report.TxID {
				other = &c
			}
		}
		// What a card was asked for counts, whether or not an answer came.
		if before := a.ledger.askedFor(in.PreviousOutPoint); f.known && before.Known && before.Sat != f.spent.Value {
			s.input(i, CodeAmountChanged, sentences{
				fmt.Sprintf("This session signed for the same coin before, and then its amount was %s.", a.amount(before.Sat)),
				"A coin has one amount. Two signatures for two amounts can be put together into a transaction with a huge fee.",
				"Do not use this file, and do not trust the computer that made it. If the first file was at fault, start the station anew and begin again.",
			})
		}
		if other != nil {
			s.input(i, CodeInputSignedBefore, sentences{
				fmt.Sprintf("This session already signed another transaction that spends this coin (%v).", other.TxID),
				"Only one of the two can confirm. If this is not meant to replace the other one, you may be paying twice.", "",
			})
		}
	}
}

// amount writes satoshis with the unit of the session.
func (a *assessment) amount(sat int64) string {
	return FormatAmount(sat, a.settings.Unit) + " " + a.settings.Unit.String()
}

// findFeeUnknown: some input's amount is not proven. Taproot inputs need no
// previous transaction where a taproot signature of ours commits to all
// amounts. Where prevtx-missing or amounts-unproven speaks, that has been said.
// Without keys, a transaction that is taproot alone gets the benefit of the
// doubt.
func findFeeUnknown(a *assessment, s *sayer) {
	taproot := true
	for i := range a.in {
		taproot = taproot && a.in[i].script == P2TR && a.tx.ins[i].known
	}
	if !a.checked && taproot {
		return
	}
	for i := range a.in {
		if !a.in[i].proven && !a.wantsPrevtx(i) {
			s.input(i, CodeFeeUnknown, feeUnknown)
		}
	}
}
