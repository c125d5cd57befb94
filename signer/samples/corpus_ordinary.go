package samples

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/btcsuite/btcd/btcutil/base58"
)

// xpub of an account as PSBT_GLOBAL_XPUB has it: 78 bytes.
func (s *shelf) xpub(k *Keys, path string) []byte {
	raw := base58.Decode(k.Account(path).String())
	return raw[:len(raw)-4]
}

// globalXpub says which account the coins are of, as coordinators do.
func (s *shelf) globalXpub(path string) change {
	return func(p *Packet) { p.Global.Add(0x01, s.xpub(s.me, path), Origin(s.me.Fingerprint, ParsePath(path))) }
}

var singleTypes = [...]Type{P2PKH, P2SHP2WPKH, P2WPKH, P2TR}

// ordinaryCore: Bitcoin Core (walletcreatefundedpsbt, send, sendall). It gives
// previous transactions to every input unless all are taproot, writes the
// sighash it signs with, puts the lock at the current height, or none, and
// replaces by fee unless told not to. Pairs are sorted.
func ordinaryCore(s *shelf) {
	for _, t := range singleTypes {
		s.clear("ordinary/core/"+string(t), "A payment.", s.spending(t))
		v := uint32(1)
		if t == P2TR {
			v = 0
		}
		s.clear("ordinary/core/sighash-"+string(t), "With its sighash written down.", s.spending(t), sighash(0, v))
	}
	s.clear("ordinary/core/not-replaceable", "Fee bumping switched off.", input(0, func(in *Input) { in.Sequence = 0xfffffffe }))
	s.clear("ordinary/core/no-lock", "walletcreatefundedpsbt sets no lock time.", func(p *Packet) { p.LockTime = 0 })
	s.clear("ordinary/core/sniping-back", "Sometimes the lock is up to a hundred blocks back.", func(p *Packet) { p.LockTime -= 99 })
	s.clear("ordinary/core/sendall", "sendall: everything to one address.", s.five, func(p *Packet) {
		p.Outputs = p.Outputs[:1]
		p.Outputs[0].Amount = 399_200
	})
	s.clear("ordinary/core/taproot-previous", "Taproot with previous transactions, as before version 24.", s.spending(P2TR), input(0, func(in *Input) { in.Set(inNonWitnessUTXO, nil, TxBytes(in.Previous)) }))
	s.clear("ordinary/core/version-3", "A transaction of version 3 (TRUC).", func(p *Packet) { p.TxVersion = 3 })
	c := s.clear("ordinary/core/testnet", "On testnet.", func(p *Packet) {
		p.Inputs, p.Outputs = nil, p.Outputs[:1]
		p.LockTime = 4_200_000
		p.Spend(s.me.Spot(P2WPKH, "m/84h/1h/0h/0/3"), 200_000)
		p.Change(s.me.Spot(P2WPKH, "m/84h/1h/0h/1/4"), 99_000)
	})
	c.Network = "testnet"
}

// ordinarySparrow: Sparrow saved as version 0. It gives both UTXO fields, the
// previous transaction without its witnesses, the sighash always (DEFAULT for
// taproot), a global xpub a keystore, and shuffles outputs; pairs are not
// sorted beyond their type.
func ordinarySparrow(s *shelf) {
	form := func(t Type) change {
		return func(p *Packet) {
			s.globalXpub(s.me.AccountPath(t))(p)
			for _, in := range p.Inputs {
				in.Sighash(1)
				if t == P2TR {
					in.Sighash(0)
				} else {
					withoutWitness(in)
				}
			}
			slices.Reverse(p.Outputs)
		}
	}
	for _, t := range singleTypes {
		s.clear("ordinary/sparrow/"+string(t), "A payment.", s.spending(t), form(t))
		s.clear("ordinary/sparrow/consolidation-"+string(t), "Five coins put together.", func(p *Packet) {
			p.Inputs, p.Outputs = nil, nil
			for i := range uint32(5) {
				p.Spend(s.me.At(t, i%2, 40+i), 50_000)
			}
			p.Change(s.me.At(t, 0, 60), 247_500)
		}, form(t))
	}
	s.clear("ordinary/sparrow/other-wallet", "A payment into another wallet that Sparrow has open: it gives the derivation.", func(p *Packet) { p.Outputs[0].Derive(s.friend.At(P2WPKH, 0, 0)) }, form(P2WPKH))
	s.clear("ordinary/sparrow/dnssec", "A payment to a name (BIP353): the proof is in the output.", func(p *Packet) {
		p.Outputs[0].Add(0x35, nil, append([]byte{15}, "pay@example.com\x00proof"...))
	}, form(P2WPKH))
	s.clear("ordinary/sparrow/wallet-fingerprint-unknown", "A watch-only wallet of an xpub alone: fingerprint 00000000, and the usual path.", func(p *Packet) {
		p.Inputs, p.Outputs = nil, p.Outputs[:1]
		p.Spend(s.me.At(P2WPKH, 0, 3).anonymous(), 200_000)
		p.Change(s.me.At(P2WPKH, 1, 4).anonymous(), 99_000)
	}, form(P2WPKH))
}

// ordinaryElectrum: sorted by BIP69, locked at the current height or a little
// before it, replaceable. Its own seeds have paths of their own.
func ordinaryElectrum(s *shelf) {
	bip69 := func(p *Packet) {
		slices.SortFunc(p.Inputs, func(a, b *Input) int {
			x, y := a.Outpoint.Hash, b.Outpoint.Hash
			slices.Reverse(x[:])
			slices.Reverse(y[:])
			return cmp.Or(bytes.Compare(x[:], y[:]), cmp.Compare(a.Outpoint.Index, b.Outpoint.Index))
		})
		slices.SortFunc(p.Outputs, func(a, b *Output) int {
			return cmp.Or(cmp.Compare(a.Amount, b.Amount), bytes.Compare(a.Script, b.Script))
		})
	}
	for _, t := range singleTypes {
		s.clear("ordinary/electrum/"+string(t), "A payment from three coins.", s.spending(t), joined(s.me.At(t, 0, 5)), joined(s.me.At(t, 1, 2)), bip69)
	}
	s.clear("ordinary/electrum/own-seed", "A wallet of Electrum's own seed: m/0h/0/3.", func(p *Packet) {
		p.Inputs, p.Outputs = nil, p.Outputs[:1]
		p.Spend(s.me.Spot(P2WPKH, "m/0h/0/3"), 200_000)
		p.Change(s.me.Spot(P2WPKH, "m/0h/1/1"), 99_000)
	}, bip69)
	s.clear("ordinary/electrum/xpubs", "With global xpubs, as it gives them to other signers.", s.globalXpub("m/84h/0h/0h"), bip69)
	s.clear("ordinary/electrum/ownership-proof", "With a proof of ownership (SLIP-19) in an input.", input(0, func(in *Input) { in.Add(0x19, nil, []byte("SL\x00\x19proof")) }), bip69)
	s.clear("ordinary/electrum/not-replaceable", "Fee bumping switched off.", input(0, func(in *Input) { in.Sequence = 0xfffffffe }), bip69)
	s.clear("ordinary/electrum/no-lock", "No lock time, final sequences, as long ago.", func(p *Packet) { p.LockTime = 0 }, input(0, func(in *Input) { in.Sequence = 0xffffffff }), bip69)
	s.clear("ordinary/electrum/max", "Everything to one address.", s.five, func(p *Packet) { p.Outputs = p.Outputs[:1]; p.Outputs[0].Amount = 399_200 }, bip69)
}

// ordinaryOthers: BDK, Specter, Nunchuk, and what bitcoinjs makes.
func ordinaryOthers(s *shelf) {
	for _, t := range singleTypes {
		s.clear("ordinary/bdk/"+string(t), "A payment, locked at the current height.", s.spending(t))
		s.clear("ordinary/nunchuk/"+string(t), "A payment, with a global xpub.", s.spending(t), s.globalXpub(s.me.AccountPath(t)))
	}
	s.clear("ordinary/bdk/xpubs", "With global xpubs.", s.globalXpub("m/84h/0h/0h"))
	s.clear("ordinary/bdk/not-replaceable", "With the sequence of before version 1: lock time in force, not replaceable.", input(0, func(in *Input) { in.Sequence = 0xfffffffe }))
	s.clear("ordinary/bdk/version-1", "Transaction version 1, as before version 1, and no lock.", func(p *Packet) { p.TxVersion, p.LockTime = 1, 0 }, input(0, func(in *Input) { in.Sequence = 0xffffffff }))
	s.clear("ordinary/bdk/drain", "A wallet emptied.", s.five, func(p *Packet) { p.Outputs = p.Outputs[:1]; p.Outputs[0].Amount = 399_200 })
	s.clear("ordinary/specter/p2wpkh", "Core's transaction with a global xpub, no lock.", s.globalXpub("m/84h/0h/0h"), func(p *Packet) { p.LockTime = 0 })
	s.clear("ordinary/specter/nested", "The same, nested segwit.", s.spending(P2SHP2WPKH), s.globalXpub("m/49h/0h/0h"), func(p *Packet) { p.LockTime = 0 })
	s.clear("ordinary/specter/several-payments", "Three payments.", s.globalXpub("m/84h/0h/0h"), func(p *Packet) {
		for i := range uint32(2) {
			paying(s.friend.At(P2WPKH, 0, 5+i).Script, 20_000)(p)
		}
	})
	s.clear("ordinary/bitcoinjs/replaceable", "bitcoinjs keeps pairs as they were added, and BlueWallet's sequence is 0x80000000.", func(p *Packet) {
		p.KeepOrder, p.LockTime = true, 0
		in := p.Inputs[0]
		in.Sequence = 0x80000000
		slices.Reverse(in.Pairs)
	})
}

// ordinaryHabits: what people do, with any coordinator.
func ordinaryHabits(s *shelf) {
	s.clear("ordinary/habit/small-payment", "5,000 sat paid with a fee of 1,000: a fifth, and below the floor.", func(p *Packet) { p.Outputs[0].Amount, p.Outputs[1].Amount = 5_000, 194_000 })
	s.clear("ordinary/habit/tiny-payment", "1,000 sat paid with a fee of 2,000.", func(p *Packet) { p.Outputs[0].Amount, p.Outputs[1].Amount = 1_000, 197_000 })
	s.clear("ordinary/habit/several-inputs", "Five coins.", s.five)
	s.clear("ordinary/habit/hundred-inputs", "A hundred coins.", func(p *Packet) {
		for i := range uint32(99) {
			joined(s.me.At(P2WPKH, i%2, i))(p)
		}
		p.Outputs[1].Amount -= 20_000
		p.Outputs[0].Amount += 10_000
	})
	s.clear("ordinary/habit/change-index", "Change at index 203, 200 beyond the coin.", backTo(s.me.At(P2WPKH, 1, 203)))
	s.clear("ordinary/habit/old-wallet", "A wallet used for years: index 4,711 and 4,800.", func(p *Packet) {
		p.Inputs, p.Outputs = nil, p.Outputs[:1]
		p.Spend(s.me.At(P2WPKH, 0, 4_711), 200_000)
		p.Change(s.me.At(P2WPKH, 1, 4_800), 99_000)
	})
	s.clear("ordinary/habit/change-first", "Change comes before the payment.", func(p *Packet) { slices.Reverse(p.Outputs) })
	s.clear("ordinary/habit/change-reused", "Change goes back to the address spent from.", backTo(s.me.At(P2WPKH, 0, 3)))
	s.clear("ordinary/habit/sweep", "Everything leaves.", func(p *Packet) { p.Outputs = p.Outputs[:1]; p.Outputs[0].Amount = 199_000 })
	s.clear("ordinary/habit/self-transfer", "Everything comes back.", func(p *Packet) { p.Outputs = p.Outputs[1:]; p.Outputs[0].Amount = 199_000 })
	s.clear("ordinary/habit/twenty-payments", "Wages: twenty payments.", func(p *Packet) {
		p.Spend(s.me.At(P2WPKH, 0, 20), 3_000_000)
		p.Outputs[1].Amount = 1_065_000
		for i := range uint32(20) {
			p.Pay(s.friend.At(singleTypes[i%4], 0, 30+i).Script, 100_000+int64(i)*100)
		}
		p.Outputs[1].Amount += 3_000_000 - 20*100_000 - 19*1_000 - 970_000 - 5_000
	})
	s.clear("ordinary/habit/to-every-type", "To an address of each type.", func(p *Packet) {
		for _, script := range [][]byte{s.friend.At(P2PKH, 0, 1).Script, s.friend.At(P2SHP2WPKH, 0, 1).Script, program(0, 32), s.friend.At(P2TR, 0, 1).Script} {
			paying(script, 5_000)(p)
		}
	})
	s.clear("ordinary/habit/busy-day", "300 sat/vB on a large payment.", func(p *Packet) {
		p.Inputs = nil
		p.Spend(s.me.At(P2WPKH, 0, 3), 10_000_000)
		p.Outputs[0].Amount, p.Outputs[1].Amount = 5_000_000, 10_000_000-5_000_000-42_300
	})
	s.clear("ordinary/habit/one-sat", "1 sat/vB.", func(p *Packet) { p.Outputs[1].Amount = 100_000 - 141 })
	s.clear("ordinary/habit/below-one-sat", "Below 1 sat/vB, as many nodes take it since 2025.", func(p *Packet) { p.Outputs[1].Amount = 100_000 - 28 })
	c := s.clear("ordinary/habit/today-typed", "Today's height was typed, and the lock is a block later.", func(p *Packet) { p.LockTime = 977_001 })
	c.Height = 977_000
	c = s.clear("ordinary/habit/registered", "A registered wallet, without a card.")
	c.Wallets, c.NoCard = []string{s.descriptor(P2WPKH, "m/84h/0h/0h")}, true
	c = s.clear("ordinary/habit/registered-and-card", "A registered wallet, and its card.")
	c.Wallets = []string{s.descriptor(P2WPKH, "m/84h/0h/0h")}
}
