package samples

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/btcsuite/btcd/txscript"
)

// hostileKeys: claims about inputs.
func hostileKeys(s *shelf) {
	own := s.me.At(P2WPKH, 0, 3)
	uncompressed := func(p *Packet) {
		p.Inputs[0].Drop(inBip32Derivation)
		p.Inputs[0].Set(inBip32Derivation, own.PubKey.SerializeUncompressed(), Origin(own.Fingerprint, own.Path))
	}
	s.refused("hostile/keys/uncompressed", "input-not-proven", "Our key in its long form, which is another script's.", uncompressed)
	s.clear("hostile/keys/both-fields", "Our key in the field of segwit and in that of taproot.", input(0, func(in *Input) {
		in.Set(inTapBip32Derivation, own.PubKey.SerializeCompressed()[1:], append([]byte{0}, Origin(own.Fingerprint, own.Path)...))
	}))
	s.refused("hostile/keys/both-fields-differ", "input-not-proven", "The taproot field names it at another path.", input(0, func(in *Input) {
		in.Set(inTapBip32Derivation, own.PubKey.SerializeCompressed()[1:], append([]byte{0}, Origin(own.Fingerprint, ParsePath("m/84h/0h/0h/0/4"))...))
	}))
	s.refused("hostile/keys/colliding-fingerprint", "input-not-proven", "A stranger whose fingerprint is ours, at a path of ours: nobody can tell that from a lie.",
		joined(s.friend.At(P2WPKH, 0, 1).as(s.me.Fingerprint, "m/84h/0h/0h/0/1")))
	s.refused("hostile/keys/colliding-elsewhere", "input-not-proven", "The same at an account that only the stranger uses: the card has a key there too.",
		joined(s.friend.Spot(P2WPKH, "m/84h/0h/5h/0/1").as(s.me.Fingerprint, "m/84h/0h/5h/0/1")))
	s.caution("hostile/keys/colliding-not-held", "foreign-input", "The same, and the card does not give that account.",
		joined(s.friend.Spot(P2WPKH, "m/84h/0h/5h/0/1").as(s.me.Fingerprint, "m/84h/0h/5h/0/1"))).Accounts = []string{"m/84h/0h/0h"}
	s.caution("hostile/keys/anonymous-like-ours", "foreign-input", "A stranger's input, no fingerprint, a path of ours.", joined(s.friend.At(P2WPKH, 0, 1).anonymous()))
	s.clear("hostile/keys/fifty-decoys", "Fifty strangers' keys listed for our input.", input(0, func(in *Input) {
		for i := range uint32(50) {
			in.Derive(s.thief.At(P2WPKH, 0, i))
		}
	}))
	s.refused("hostile/keys/one-of-fifty", "input-not-proven", "Fifty strangers' keys, one of them in our name.", input(0, func(in *Input) {
		for i := range uint32(49) {
			in.Derive(s.thief.At(P2WPKH, 0, i))
		}
		in.Derive(s.thief.At(P2WPKH, 0, 49).as(s.me.Fingerprint, "m/84h/0h/0h/0/49"))
	}))
	s.caution("hostile/keys/hardened-below-account", "other-account", "Our coin behind a hardened step below the account: an account of its own.", func(p *Packet) {
		p.Inputs = nil
		p.Spend(s.me.Spot(P2WPKH, "m/84h/0h/0h/0h/3"), 200_000)
	})
	s.caution("hostile/keys/no-path", "change-unproven", "Change to the master key itself, with an empty path.", backTo(s.me.Spot(P2WPKH, "m/0").as(s.me.Fingerprint, "m")))
	s.caution("hostile/keys/endless-path", "change-unproven", "Change 300 steps below the account.",
		backTo(s.thief.At(P2WPKH, 1, 4).as(s.me.Fingerprint, "m/84h/0h/0h"+strings.Repeat("/1", 300))))
	s.refused("hostile/keys/twelve-accounts", "change-unproven other-account too-many-accounts", "Twelve outputs, each to another account of ours: the card is asked for nine.", func(p *Packet) {
		for i := range 12 {
			p.Change(s.me.Spot(P2WPKH, fmt.Sprintf("m/84h/0h/%dh/1/0", i+1)), 1_000)
		}
		p.Outputs[1].Amount -= 12_000
	})
	s.refused("hostile/keys/spent-as-another-type", "fee-unknown input-not-proven legacy-witness-utxo",
		"A legacy coin, dressed as segwit by its witness UTXO alone, and claimed for a key that it does not pay.", func(p *Packet) {
			p.Inputs = nil
			p.Spend(s.me.At(P2PKH, 0, 3), 200_000)
			in := p.Inputs[0]
			in.Claim(200_000)
			in.WithoutPrevious()
			in.Drop(inBip32Derivation)
			in.Derive(own)
		})
}

// hostileChange: the ways to make money look as if it came back.
func hostileChange(s *shelf) {
	for _, t := range []Type{P2PKH, P2SHP2WPKH, P2WPKH, P2TR} {
		path := s.me.AccountPath(t) + "/1/4"
		right, thief := s.me.At(t, 1, 4), s.thief.At(t, 1, 4)
		s.refused("hostile/change/wrong-key-right-path-"+string(t), "change-fraud", "A thief's key at our path.", s.spending(t), backTo(thief.as(s.me.Fingerprint, path)))
		s.refused("hostile/change/right-key-wrong-path-"+string(t), "change-fraud", "Our key at a wrong path.", s.spending(t), backTo(right.as(s.me.Fingerprint, s.me.AccountPath(t)+"/1/5")))
		codes := "change-fraud"
		if t == P2TR {
			codes += " taproot-mismatch" // the internal key speaks too
		}
		s.refused("hostile/change/right-claim-"+string(t), codes, "A thief's script with our key and path.", s.spending(t), naming(thief.Script, right))
		s.caution("hostile/change/other-account-"+string(t), "other-account", "An account of ours that nobody looks at.", s.spending(t), backTo(s.me.Spot(t, strings.TrimSuffix(s.me.AccountPath(t), "0h")+"1000000h/1/4")))
		s.caution("hostile/change/index-ransom-"+string(t), "path-far", "An index that only the thief knows.", s.spending(t), backTo(s.me.At(t, 1, 1_563_284_921)))
	}
	own := s.me.At(P2WPKH, 1, 4)
	key := own.PubKey.SerializeCompressed()
	pushed := func(ops ...byte) []byte { return slices.Concat([]byte{33}, key, ops) }
	s.caution("hostile/change/anyone", "script-nonstandard wallet-unregistered", "Our key in a script that anyone can spend: not change.", naming(pushed(txscript.OP_DROP, txscript.OP_TRUE), own))
	s.caution("hostile/change/bare-key", "script-nonstandard wallet-unregistered", "A bare key of ours: not change.", naming(pushed(txscript.OP_CHECKSIG), own))
	s.caution("hostile/change/burned", "data-output data-output-value wallet-unregistered", "Our key in an OP_RETURN: burned.", naming(opReturn(string(key)), own))
	s.refused("hostile/change/true", "change-fraud script-nonstandard", "OP_TRUE in our name.", naming([]byte{txscript.OP_TRUE}, own))
	s.refused("hostile/change/empty", "change-fraud script-nonstandard", "An empty script in our name.", naming(nil, own))
	s.refused("hostile/change/unspendable", "change-fraud output-unspendable", "A script that nobody can spend in our name.", naming(program(0, 21), own))
	s.refused("hostile/change/next-version", "change-fraud witness-unknown", "A witness version without rules in our name.", naming(program(2, 32), own))
	s.refused("hostile/change/thiefs-quorum", "change-fraud", "A 2-of-2 in our name, in which our key is not.", func(p *Packet) {
		p.Outputs = p.Outputs[:1]
		script, _ := (&shelf{me: s.thief, friend: s.friend}).quorum("m/48h/0h/0h/2h/1/0")
		out := p.Pay(wsh(script), 99_000)
		out.Set(outWitnessScript, nil, script)
		out.Derive(own)
	})
	s.refused("hostile/change/thiefs-redeem", "redeem-script-mismatch", "Our nested change with a thief's redeem script.", s.spending(P2SHP2WPKH),
		func(p *Packet) { p.Outputs[1].Set(outRedeemScript, nil, s.thief.At(P2SHP2WPKH, 1, 4).Redeem) })
	s.refused("hostile/change/two-of-three", "change-fraud", "Two good change outputs, and a third to the thief in our name.", func(p *Packet) {
		p.Outputs[1].Amount = 33_000
		p.Change(s.me.At(P2WPKH, 1, 5), 33_000)
		p.Change(s.thief.At(P2WPKH, 1, 6).as(s.me.Fingerprint, "m/84h/0h/0h/1/6"), 33_000)
	})
	s.caution("hostile/change/ransom-of-many", "path-far", "Ten change outputs, the last at an index that only the thief knows.", func(p *Packet) {
		p.Outputs[1].Amount = 9_000
		for i := range uint32(9) {
			index := 5 + i
			if i == 8 {
				index = 777_777_777
			}
			p.Change(s.me.At(P2WPKH, 1, index), 10_000)
		}
	})
	s.caution("hostile/change/branch-ransom", "path-unusual", "A branch that only the thief knows.", backTo(s.me.Spot(P2WPKH, "m/84h/0h/0h/1563284921/4")))
	s.clear("hostile/change/labels", "A thief's payment whose proprietary fields call it change.", func(p *Packet) {
		p.Outputs[1] = &Output{Amount: 99_000, Script: s.thief.At(P2WPKH, 1, 4).Script}
		p.Outputs[1].Add(0xfc, []byte("\x06change\x00"), []byte("true"))
		p.Global.Add(0x01, s.xpub(s.thief, "m/84h/0h/0h"), Origin(s.me.Fingerprint, ParsePath("m/84h/0h/0h")))
	})
}

// hostileAmounts: the ways to hide a fee.
func hostileAmounts(s *shelf) {
	both := func(p *Packet) {
		altered(-50_000)(p)
		p.Inputs[0].Claim(150_000)
		p.Outputs[1].Amount = 49_000
	}
	s.refused("hostile/amounts/witness-utxo", "utxo-conflict", "The coin is said to be 50,000 sat smaller, in the witness UTXO.", input(0, func(in *Input) { in.Claim(150_000) }))
	s.refused("hostile/amounts/previous", "fee-unknown prevtx-mismatch", "In the previous transaction.", altered(-50_000))
	s.refused("hostile/amounts/both", "fee-unknown prevtx-mismatch", "In both.", both)
	s.refused("hostile/amounts/both-accepted", "fee-unknown prevtx-mismatch", "In both, with the setting that accepts missing ones.", both).AcceptUnproven = true
	s.refused("hostile/amounts/second-of-two", "utxo-conflict", "Only in the second of two inputs.", joined(s.me.At(P2WPKH, 0, 9)), input(1, func(in *Input) { in.Claim(10_000) }))
	s.refused("hostile/amounts/swapped", "fee-unknown prevtx-mismatch", "Two inputs with each other's previous transaction.", joined(s.me.At(P2WPKH, 0, 9)), func(p *Packet) {
		a, b := p.Inputs[0], p.Inputs[1]
		a.Set(inNonWitnessUTXO, nil, TxBytes(b.Previous))
		b.Set(inNonWitnessUTXO, nil, TxBytes(a.Previous))
	})
	s.refused("hostile/amounts/other-output", "utxo-conflict", "The witness UTXO is the other output of the previous transaction.", input(0, func(in *Input) {
		in.Set(inWitnessUTXO, nil, TxOutBytes(in.Previous.TxOut[1-in.Outpoint.Index]))
	}))
	s.refused("hostile/amounts/p2sh-as-segwit", "fee-unknown foreign-input legacy-witness-utxo", "A legacy script hash with a witness UTXO alone.", func(p *Packet) {
		script, spots := s.quorum("m/45h/0/0/0")
		spot := spots[1]
		spot.Script = sh(script)
		in := p.Spend(spot, 50_000)
		in.WithoutPrevious()
		in.Set(inRedeemScript, nil, script)
		p.Outputs[0].Amount += 50_000
	})
	s.clear("hostile/amounts/taproot", "A taproot coin that is said to be smaller: our signature commits to that and would be worth nothing.", s.spending(P2TR),
		input(0, func(in *Input) { in.Claim(150_000) }), func(p *Packet) { p.Outputs[1].Amount = 49_000 })

	// The fee attack in two signings (CVE-2020-14199): each file tells the truth
	// about one coin and lies about the other; of each one takes the signature of
	// the coin it was true about.
	half := func(a, b int64) []byte {
		p := s.base("two signings")
		p.Spend(s.me.At(P2WPKH, 0, 9), 15_000_000)
		p.Inputs[0].Claim(a)
		p.Inputs[1].Claim(b)
		for _, in := range p.Inputs {
			in.WithoutPrevious()
		}
		return p.Bytes()
	}
	c := s.refused("hostile/amounts/two-signings", "amount-changed amounts-unproven", "The second half of the fee attack in two signings: the same transaction, its coins with other amounts.")
	c.Data, c.Before, c.AcceptUnproven = half(1_000, 200_000), half(200_000, 1_000), true
	c = s.refused("hostile/amounts/two-signings-not-accepted", "prevtx-missing", "Without the setting, the first half is where it ends.")
	c.Data = half(200_000, 1_000)
}

// hostileSignatures: signatures that are asked for, or there.
func hostileSignatures(s *shelf) {
	mine, tapKey := s.me.Private("m/84h/0h/0h/0/3"), s.me.Private("m/86h/0h/0h/0/3")
	const all, none, single, any = txscript.SigHashAll, txscript.SigHashNone, txscript.SigHashSingle, txscript.SigHashAnyOneCanPay
	s.refused("hostile/sighash/declared-and-signed", "sighash-unsafe", "NONE is declared, and our signature of that kind is there.", sighash(0, 2), sign(0, mine, none))
	s.refused("hostile/sighash/signed-only", "partial-sig-invalid", "Our signature of the kind SINGLE, and nothing is declared.", sign(0, mine, single|any))
	s.refused("hostile/sighash/all-declared", "partial-sig-invalid", "ALL is declared, and our signature of the kind NONE is there.", sighash(0, 1), sign(0, mine, none))
	s.refused("hostile/sighash/taproot-signed-only", "partial-sig-invalid", "Taproot: our signature of the kind NONE, and nothing is declared.", s.spending(P2TR), sign(0, tapKey, none))
	s.refused("hostile/sighash/taproot-explicit-default", "partial-sig-invalid", "Taproot: a good signature with a byte for DEFAULT behind it, which BIP341 forbids.", s.spending(P2TR), func(p *Packet) {
		p.Inputs[0].Set(inTapKeySig, nil, append(p.Signature(0, tapKey, 0), 0))
	})
	s.refused("hostile/sighash/last-input", "sighash-unsafe", "Five inputs, the last asks for NONE with ANYONECANPAY.", s.five, sighash(4, 0x82))
	s.refused("hostile/sighash/mixed", "fee-unknown other-account sighash-unsafe", "Segwit v0 asks for ALL, taproot for SINGLE.", joined(s.me.At(P2TR, 0, 3)), sighash(0, 1), sighash(1, 3))
	s.refused("hostile/mixed/taproot-false-previous", "fee-unknown prevtx-mismatch", "A taproot coin of ours needs no previous transaction, but a false one is there.", s.spending(P2TR), otherPrevious)
	s.caution("hostile/mixed/taproot-and-v0", "other-account", "Coins of our taproot and our segwit account: nothing is change.", joined(s.me.At(P2TR, 0, 3)))
	s.refused("hostile/mixed/v0-unproven", "other-account prevtx-missing", "The same, without the previous transaction of the segwit v0 coin.", joined(s.me.At(P2TR, 0, 3)), input(0, (*Input).WithoutPrevious))
	s.caution("hostile/mixed/stranger-taproot", "fee-unknown foreign-input", "A stranger's taproot coin beside ours of segwit v0.", joined(s.friend.At(P2TR, 0, 3)))
	s.caution("hostile/mixed/stranger-taproot-many", "foreign-input", "Three strangers' taproot coins beside ours: our signature vouches for all.", s.spending(P2TR),
		joined(s.friend.At(P2TR, 0, 3)), joined(s.friend.At(P2TR, 0, 4)), joined(s.thief.At(P2TR, 0, 3)))
	s.caution("hostile/mixed/v0-stranger", "foreign-input", "A stranger's segwit v0 coin beside our taproot coin, with its previous transaction.", s.spending(P2TR), joined(s.friend.At(P2WPKH, 0, 3)))

	s.refused("hostile/signatures/two-keys", "partial-sig-invalid", "Our good signature, and one of a key that the script does not have.", sign(0, mine, all), func(p *Packet) {
		p.Inputs[0].Set(inPartialSig, s.thief.Private("m/0").PubKey().SerializeCompressed(), p.Signature(0, s.thief.Private("m/0"), all))
	})
	s.refused("hostile/signatures/of-another-input", "partial-sig-invalid", "Our signature for the second input, in the field of the first.", joined(s.me.At(P2WPKH, 0, 3)), func(p *Packet) {
		p.Inputs[0].Set(inPartialSig, mine.PubKey().SerializeCompressed(), p.Signature(1, mine, all))
	})
	s.refused("hostile/signatures/zero", "partial-sig-invalid", "A signature of zeros.", input(0, func(in *Input) {
		in.Set(inPartialSig, mine.PubKey().SerializeCompressed(), []byte{0x30, 6, 2, 1, 0, 2, 1, 0, 1})
	}))
	s.refused("hostile/signatures/taproot-zero", "partial-sig-invalid", "Taproot: a signature of zeros.", s.spending(P2TR), input(0, func(in *Input) { in.Set(inTapKeySig, nil, make([]byte, 64)) }))
	s.refused("hostile/signatures/taproot-over-order", "partial-sig-invalid", "Taproot: an s above the group order.", s.spending(P2TR), func(p *Packet) {
		p.Inputs[0].Set(inTapKeySig, nil, append(p.Signature(0, tapKey, 0)[:32], bytes.Repeat([]byte{0xff}, 32)...))
	})
	s.clear("hostile/final/good-among-ours", "One of our inputs is final already and good.", joined(s.me.At(P2WPKH, 0, 9)), finish(1, s.me.Private("m/84h/0h/0h/0/9")))
	s.refused("hostile/final/bad-among-ours", "final-invalid", "One of our inputs is final already and bad.", joined(s.me.At(P2WPKH, 0, 9)), finish(1, s.me.Private("m/84h/0h/0h/0/9")), func(p *Packet) { p.Outputs[0].Amount-- })
	s.refused("hostile/final/duplicate", "input-duplicate", "A final input and the same coin once more.", finish(0, mine), func(p *Packet) {
		again := *s.base("hostile/final/duplicate").Inputs[0]
		p.Inputs = append(p.Inputs, &again)
		p.Outputs[0].Amount += 200_000
	})
	s.refused("hostile/final/taproot-none", "fee-unknown final-invalid", "Taproot: a final witness of nothing.", s.spending(P2TR), input(0, func(in *Input) { in.Set(inFinalWitness, nil, []byte{0}) }))
}

// five inputs of ours in place of one.
func (s *shelf) five(p *Packet) {
	for i := range uint32(4) {
		joined(s.me.At(P2WPKH, 0, 10+i))(p)
	}
}
