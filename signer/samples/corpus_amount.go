package samples

import (
	"github.com/btcsuite/btcd/txscript"
	"github.com/btcsuite/btcd/wire"
)

// allBitcoin in satoshis.
const allBitcoin = 21_000_000 * 100_000_000

// otherPrevious puts a previous transaction into the first input that is not
// the coin's.
func otherPrevious(p *Packet) {
	other, _ := Coin("another one", p.Inputs[0].Script, 200_000)
	p.Inputs[0].Set(inNonWitnessUTXO, nil, TxBytes(other))
}

// altered writes another amount into the previous transaction, whose txid is
// then another.
func altered(by int64) change {
	return input(0, func(in *Input) {
		prev := in.Previous.Copy()
		prev.TxOut[in.Outpoint.Index].Value += by
		in.Set(inNonWitnessUTXO, nil, TxBytes(prev))
	})
}

func amountCases(s *shelf) {
	noPrevious := input(0, (*Input).WithoutPrevious)
	s.refused("amount-missing/hit-nothing-given", "amount-missing fee-unknown", "An input says nothing of what it spends.",
		input(0, func(in *Input) { in.Drop(inNonWitnessUTXO); in.Drop(inWitnessUTXO) }))
	s.clear("amount-missing/miss-previous-alone", "The previous transaction alone says what is spent.",
		input(0, func(in *Input) { in.Drop(inWitnessUTXO) }))
	s.clear("amount-missing/miss-taproot-witness-utxo", "A taproot input gives its witness UTXO alone, as BIP371 allows.", s.spending(P2TR))

	s.refused("prevtx-missing/hit-p2wpkh", "prevtx-missing", "A native segwit input of ours lacks its previous transaction.", noPrevious)
	s.refused("prevtx-missing/hit-nested", "prevtx-missing", "So does a nested one.", s.spending(P2SHP2WPKH), noPrevious)
	s.refused("prevtx-missing/hit-nested-unshown", "prevtx-missing", "A nested one whose redeem script is not there either.",
		s.spending(P2SHP2WPKH), noPrevious, input(0, func(in *Input) { in.Drop(inRedeemScript) }))
	s.refused("prevtx-missing/hit-stranger", "foreign-input prevtx-missing", "Only the stranger's input lacks it.",
		joined(s.friend.At(P2WPKH, 0, 1)), input(1, (*Input).WithoutPrevious))
	s.refused("prevtx-missing/hit-stranger-script-hash", "foreign-input prevtx-missing", "A stranger's script hash of which nothing is known.",
		joined(s.friend.At(P2SHP2WPKH, 0, 1)), input(1, func(in *Input) {
			in.WithoutPrevious()
			in.Drop(inRedeemScript)
			in.Drop(inBip32Derivation)
		}))
	s.refused("prevtx-missing/hit-final", "foreign-input prevtx-missing", "A finished input lacks it.",
		joined(s.friend.At(P2WPKH, 0, 1)), finish(1, s.friend.Private("m/84h/0h/0h/0/1")), input(1, (*Input).WithoutPrevious))
	s.refused("prevtx-missing/hit-beside-taproot", "other-account prevtx-missing", "A taproot input of ours vouches for no segwit v0 amount.",
		joined(s.me.At(P2TR, 0, 0)), noPrevious)
	s.clear("prevtx-missing/miss-taproot", "Taproot commits to all amounts.", s.spending(P2TR))
	s.clear("prevtx-missing/miss-there", "It is there.")
	s.caution("amounts-unproven/hit-p2wpkh", "amounts-unproven", "The setting lets a missing previous transaction pass with a caution.", noPrevious).AcceptUnproven = true
	s.caution("amounts-unproven/hit-nested", "amounts-unproven", "Nested segwit is the same.", s.spending(P2SHP2WPKH), noPrevious).AcceptUnproven = true
	s.clear("amounts-unproven/miss-there", "The setting changes nothing where nothing is missing.").AcceptUnproven = true
	s.refused("amounts-unproven/miss-swapped", "fee-unknown prevtx-mismatch", "It does not accept a false previous transaction.", otherPrevious).AcceptUnproven = true
	s.refused("amounts-unproven/miss-legacy", "fee-unknown legacy-witness-utxo", "Nor a legacy input without one.",
		s.spending(P2PKH), noPrevious, input(0, func(in *Input) { in.Claim(200_000) })).AcceptUnproven = true

	mismatchCases(s)
	rangeCases(s)
	unknownFeeCases(s)
}

// mismatchCases: what is given of the coin, and is false.
func mismatchCases(s *shelf) {
	noPrevious := input(0, (*Input).WithoutPrevious)
	s.refused("prevtx-mismatch/hit-another", "fee-unknown prevtx-mismatch", "The previous transaction is that of another coin.", otherPrevious)
	s.refused("prevtx-mismatch/hit-altered", "fee-unknown prevtx-mismatch", "One satoshi was changed in it.", altered(1))
	s.refused("prevtx-mismatch/hit-no-such-output", "fee-unknown prevtx-mismatch", "It has no output of that number.",
		input(0, func(in *Input) { in.Outpoint.Index = 2 }))
	s.refused("prevtx-mismatch/hit-last-number", "fee-unknown prevtx-mismatch", "The number is the highest there is.",
		input(0, func(in *Input) { in.Outpoint.Index = 0xffffffff }))
	s.clear("prevtx-mismatch/miss-other-witness", "Its witness is not part of its txid.", input(0, func(in *Input) {
		prev := in.Previous.Copy()
		prev.TxIn[0].Witness[0][10] ^= 1
		in.Set(inNonWitnessUTXO, nil, TxBytes(prev))
	}))
	s.clear("prevtx-mismatch/miss-no-witness", "Nor has it to be there: Sparrow leaves it out.", input(0, withoutWitness))

	s.refused("utxo-conflict/hit-less", "utxo-conflict", "The witness UTXO is a satoshi less than the previous transaction says.", input(0, func(in *Input) { in.Claim(199_999) }))
	s.refused("utxo-conflict/hit-more", "utxo-conflict", "A satoshi more.", input(0, func(in *Input) { in.Claim(200_001) }))
	s.refused("utxo-conflict/hit-script", "utxo-conflict", "Another script.", input(0, func(in *Input) {
		in.Set(inWitnessUTXO, nil, TxOutBytes(wire.NewTxOut(200_000, s.friend.At(P2WPKH, 0, 0).Script)))
	}))
	s.clear("utxo-conflict/miss-agree", "Both say the same.")

	s.refused("legacy-witness-utxo/hit-p2pkh", "fee-unknown legacy-witness-utxo", "A legacy input gives a witness UTXO alone.",
		s.spending(P2PKH), noPrevious, input(0, func(in *Input) { in.Claim(200_000) }))
	s.clear("legacy-witness-utxo/miss-both", "A legacy input gives both.", s.spending(P2PKH), input(0, func(in *Input) { in.Claim(200_000) }))
	s.clear("legacy-witness-utxo/miss-previous", "A legacy input gives its previous transaction.", s.spending(P2PKH))
}

// withoutWitness writes the previous transaction as Sparrow does.
func withoutWitness(in *Input) {
	prev := in.Previous.Copy()
	for _, i := range prev.TxIn {
		i.Witness = nil
	}
	in.Set(inNonWitnessUTXO, nil, TxBytes(prev))
}

func rangeCases(s *shelf) {
	coin := func(sats ...int64) change {
		return func(p *Packet) {
			p.Inputs = nil
			for i, sat := range sats {
				p.Spend(s.me.At(P2WPKH, 0, uint32(i)), sat)
			}
		}
	}
	outs := func(a, b int64) change { return func(p *Packet) { p.Outputs[0].Amount, p.Outputs[1].Amount = a, b } }
	s.refused("amount-range/hit-output", "amount-range", "An output of all bitcoin and one satoshi.", outs(allBitcoin+1, 99_000))
	s.refused("amount-range/hit-negative-output", "amount-range", "A negative output.", outs(-1, 99_000))
	s.refused("amount-range/hit-smallest", "amount-range", "The smallest number there is, which has no positive twin.", outs(100_000, -1<<63))
	s.refused("amount-range/hit-wrap", "amount-range", "Outputs that wrap around to a small sum.", outs(1<<62, 1<<62))
	s.refused("amount-range/hit-sum", "amount-range", "Two outputs of all bitcoin each.", outs(allBitcoin, allBitcoin))
	s.refused("amount-range/hit-coin", "amount-range", "A coin of all bitcoin and one satoshi.", coin(allBitcoin+1))
	s.refused("amount-range/hit-negative-coin", "amount-range", "A negative coin.", coin(-5, 300_000))
	s.refused("amount-range/hit-coins", "amount-range", "Two coins of all bitcoin each.", coin(allBitcoin, allBitcoin))
	s.clear("amount-range/miss-all", "All bitcoin at once.", coin(allBitcoin), outs(1_000_000, allBitcoin-1_010_000))
}

func unknownFeeCases(s *shelf) {
	foreign := func(t Type) change { return joined(s.friend.At(t, 0, 0)) }
	s.caution("fee-unknown/hit-stranger-taproot", "fee-unknown foreign-input", "A stranger's taproot input beside our segwit v0: nothing of ours commits to its amount.", foreign(P2TR))
	s.refused("fee-unknown/hit-sighash", "fee-unknown sighash-unsafe", "Our taproot signature would not commit to it.", s.spending(P2TR), input(0, func(in *Input) { in.Sighash(0x83) }))
	s.caution("fee-unknown/hit-anchor-spent", "fee-unknown foreign-input", "An anchor is spent along, and its amount is only claimed.",
		func(p *Packet) {
			in := p.Spend(Spot{Type: P2TR, Script: anchor(), PubKey: s.friend.At(P2TR, 0, 0).PubKey}, 240)
			in.Drop(inTapBip32Derivation)
			in.Drop(inTapInternalKey)
			p.Outputs[0].Amount += 240
		})
	s.clear("fee-unknown/miss-our-taproot", "Our own taproot signature commits to all amounts.", s.spending(P2TR), joined(s.me.At(P2TR, 0, 5)))
	s.caution("fee-unknown/miss-stranger-taproot", "foreign-input", "The same signature vouches for a stranger's taproot input.", s.spending(P2TR), foreign(P2TR))
	s.caution("fee-unknown/miss-all-by-name", "foreign-input", "With ALL by name it does too.", s.spending(P2TR), foreign(P2TR), input(0, func(in *Input) { in.Sighash(1) }))
	s.caution("fee-unknown/miss-already-signed", "foreign-input", "A signature of ours that is there already does as well.", s.spending(P2TR), foreign(P2TR),
		sign(0, s.me.Private("m/86h/0h/0h/0/3"), txscript.SigHashDefault))
	s.caution("fee-unknown/miss-with-previous", "foreign-input", "The stranger's taproot input brings its previous transaction.", foreign(P2TR),
		input(1, func(in *Input) { in.Set(inNonWitnessUTXO, nil, TxBytes(in.Previous)) }))
}

// signedBeforeCases: what the session signed before.
func signedBeforeCases(s *shelf) {
	const name = "signed before" // the coins of both files
	more := func(changes ...change) change {
		return func(p *Packet) {
			*p = *s.base(name)
			for _, do := range changes {
				do(p)
			}
		}
	}
	first := s.file(name)
	after := func(c *Case) *Case { c.Before = first; return c }
	claim := func(sat, back int64) change {
		return func(p *Packet) {
			p.Inputs[0].WithoutPrevious()
			p.Inputs[0].Claim(sat)
			p.Outputs[1].Amount = back
		}
	}
	c := after(s.refused("amount-changed/hit-more", "amount-changed amounts-unproven input-signed-before",
		"The same coin, now with 50,000 sat more: the second half of the fee attack.", more(claim(250_000, 149_000))))
	c.AcceptUnproven = true
	c = after(s.refused("amount-changed/hit-same-transaction", "amount-changed amounts-unproven",
		"The very transaction of before, with a satoshi more in its coin.", more(claim(200_001, 99_000))))
	c.AcceptUnproven = true
	after(s.clear("amount-changed/miss-same", "The very transaction of before.", more()))
	c = after(s.caution("amount-changed/miss-claimed-the-same", "amounts-unproven", "Its amount is only claimed now, and is the same.", more(claim(200_000, 99_000))))
	c.AcceptUnproven = true

	after(s.caution("input-signed-before/hit-fee-bump", "input-signed-before", "A fee bump of a transaction signed before.", more(func(p *Packet) { p.Outputs[1].Amount -= 500 })))
	after(s.caution("input-signed-before/hit-double-payment", "input-signed-before", "The same coin pays somebody else.", more(func(p *Packet) { p.Outputs[0].Script = s.thief.At(P2WPKH, 0, 0).Script })))
	after(s.clear("input-signed-before/miss-same", "The same transaction again: a signature was lost.", more()))
	after(s.clear("input-signed-before/miss-other-coin", "Another coin of the same address.", func(p *Packet) {}))
}
