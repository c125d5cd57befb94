package samples

import (
	"math"

	"github.com/btcsuite/btcd/txscript"
)

// feeCases: the thresholds of the fee, on both sides of each.
func feeCases(s *shelf) {
	// pay makes a transaction of one coin, one payment and the rest back but the
	// fee. With change it weighs 562 units: 141 vB.
	const vsize = 141
	pay := func(in, out, fee int64) change {
		return func(p *Packet) {
			p.Inputs, p.Outputs = nil, p.Outputs[:1]
			p.Spend(s.me.At(P2WPKH, 0, 3), in)
			p.Outputs[0].Amount = out
			if rest := in - out - fee; rest > 0 {
				p.Change(s.me.At(P2WPKH, 1, 4), rest)
			}
		}
	}
	self := func(in, fee int64) change {
		return func(p *Packet) {
			p.Inputs, p.Outputs = nil, nil
			p.Spend(s.me.At(P2WPKH, 0, 3), in)
			p.Change(s.me.At(P2WPKH, 1, 4), in-fee)
		}
	}
	s.refused("fee-negative/hit-one", "fee-negative", "The outputs are one satoshi more than the inputs.", pay(200_000, 200_001, -1))
	s.clear("fee-negative/miss-zero", "The outputs are all that the inputs have.", pay(200_000, 100_000, 0))

	s.refused("fee-absurd/hit-tenth-and-million", "fee-absurd fee-high", "A tenth of the inputs, and a million satoshis.", pay(10_000_000, 5_000_000, 1_000_000))
	s.caution("fee-absurd/miss-million-less-one", "fee-high", "More than a tenth, and a satoshi less than a million.", pay(9_999_000, 5_000_000, 999_999))
	s.caution("fee-absurd/miss-tenth-less-one", "fee-high", "A million, and a satoshi's worth less than a tenth.", pay(10_000_001, 8_000_000, 1_000_000))
	s.refused("fee-absurd/hit-half-and-100000", "fee-absurd fee-high", "Half of the inputs, and 100,000 sat.", pay(200_000, 50_000, 100_000))
	s.caution("fee-absurd/miss-99999", "fee-high", "More than half, and 99,999 sat.", pay(199_000, 50_000, 99_999))
	s.caution("fee-absurd/miss-half-less-one", "fee-high", "100,000 sat, and half a satoshi less than half.", pay(200_001, 50_000, 100_000))
	s.refused("fee-absurd/hit-rate", "fee-absurd fee-high", "10,000 sat/vB.", pay(1_000_000_000, 900_000_000, 10_000*vsize))
	s.caution("fee-absurd/miss-rate", "fee-high", "A satoshi below 10,000 sat/vB.", pay(1_000_000_000, 900_000_000, 10_000*vsize-1))
	s.refused("fee-absurd/hit-no-change", "fee-absurd fee-high", "The change output was left out.", pay(10_000_000, 400_000, 9_600_000))

	s.caution("fee-high/hit-twentieth-and-10000", "fee-high", "A twentieth of what leaves, and 10,000 sat.", pay(1_000_000, 200_000, 10_000))
	s.clear("fee-high/miss-9999", "More than a twentieth, and 9,999 sat.", pay(1_000_000, 199_000, 9_999))
	s.clear("fee-high/miss-twentieth-less-one", "10,000 sat, and a satoshi more leaves.", pay(1_000_000, 200_001, 10_000))
	s.caution("fee-high/hit-rate", "fee-high", "A satoshi above 500 sat/vB.", pay(1_000_000_000, 900_000_000, 500*vsize+1))
	s.clear("fee-high/miss-rate", "500 sat/vB.", pay(1_000_000_000, 900_000_000, 500*vsize))
	s.caution("fee-high/hit-more-than-leaves", "fee-high", "More than what leaves.", pay(1_000_000, 9_999, 10_000))
	s.clear("fee-high/miss-small-payment", "More than what leaves, and 9,999 sat: a small payment on a busy day.", pay(1_000_000, 5_000, 9_999))
	s.caution("fee-high/hit-self-transfer", "fee-high", "Nothing leaves: a twentieth of the inputs.", self(200_000, 10_000))
	s.clear("fee-high/miss-self-transfer", "Nothing leaves: a satoshi less than a twentieth.", self(200_020, 10_000))

	s.clear("fee-low/hit-below-one", "A satoshi below 1 sat/vB.", pay(1_000_000, 200_001, vsize-1))
	s.clear("fee-low/hit-zero", "No fee at all.", pay(1_000_000, 200_001, 0))
	s.clear("fee-low/miss-one", "1 sat/vB.", pay(1_000_000, 200_001, vsize))
}

// transactionCases: what concerns the whole.
func transactionCases(s *shelf) {
	version := func(n int32) change { return func(p *Packet) { p.TxVersion = n } }
	fill := func(weight int) change {
		return func(p *Packet) {
			s.spending(P2TR)(p)
			fillTo(p, weight)
		}
	}
	s.refused("input-duplicate/hit-twice", "input-duplicate", "The same coin twice.", func(p *Packet) {
		p.Inputs = append(p.Inputs, p.Inputs[0])
		p.Outputs[0].Amount += 200_000
	})
	s.refused("input-duplicate/hit-apart", "foreign-input input-duplicate", "The same coin twice, with another between and other claims.", joined(s.me.At(P2WPKH, 0, 9)), func(p *Packet) {
		again := *p.Inputs[0]
		again.Map = Map{}
		again.Set(inNonWitnessUTXO, nil, TxBytes(again.Previous))
		p.Inputs = append(p.Inputs, &again)
		p.Outputs[0].Amount += 200_000
	})
	s.clear("input-duplicate/miss-same-transaction", "Two coins of one transaction.", func(p *Packet) {
		in := p.Inputs[0]
		prev := in.Previous.Copy()
		prev.TxOut = append(prev.TxOut, prev.TxOut[in.Outpoint.Index])
		p.Inputs = nil
		p.SpendFrom(s.me.At(P2WPKH, 0, 3), prev, in.Outpoint.Index)
		p.SpendFrom(s.me.At(P2WPKH, 0, 3), prev, 2)
		p.Outputs[0].Amount += 200_000
	})

	s.refused("tx-too-large/hit-one-more", "data-output tx-too-large", "Four units more than a block has room for.", fill(4_000_000+4))
	s.caution("tx-too-large/miss-a-block", "data-output tx-large", "As much as a block has room for.", fill(4_000_000))
	s.caution("tx-large/hit-one-more", "data-output tx-large", "Four units above what the network passes on.", fill(400_000+4))
	s.caution("tx-large/miss-400000", "data-output", "As much as the network passes on.", fill(400_000))

	for _, v := range []struct {
		name string
		n    int32
		what string
	}{{"hit-0", 0, "Version 0."}, {"hit-4", 4, "Version 4."}, {"hit-minus-1", -1, "Version -1."}, {"hit-highest", math.MaxInt32, "The highest version."}, {"hit-lowest", math.MinInt32, "The lowest version."}} {
		s.caution("tx-version-unusual/"+v.name, "tx-version-unusual", v.what, version(v.n))
	}
	s.clear("tx-version-unusual/miss-1", "Version 1.", version(1))
	s.clear("tx-version-unusual/miss-2", "Version 2.", version(2))
	s.clear("tx-version-unusual/miss-3", "Version 3.", version(3))
	s.clear("truc/hit-3", "Version 3 is kept small by the network.", version(3))
	s.clear("truc/miss-2", "Version 2 is not.", version(2))
}

// fillTo adds data until a payment from one taproot coin has this weight when
// signed. Only taproot has signatures of one size, so that the limit itself can
// be reached.
func fillTo(p *Packet, weight int) {
	// 568 units without; n bytes of data add 4·(n+19): amount 8, length of the
	// script 5 (from 65,536 on) and the opcodes 6.
	const base, around = 568, 19
	n := (weight-base)/4 - around
	script := append([]byte{txscript.OP_RETURN, txscript.OP_PUSHDATA4, byte(n), byte(n >> 8), byte(n >> 16), 0}, make([]byte, n)...)
	p.Pay(script, 0)
}

// The height and the date of this release, near enough: they are compiled in.
const (
	anchorHeight = 977_000
	fiveYears    = 1_953_072_000 // 2031-11-22
	farBlocks    = 262_800
)

// lockCases: absolute and relative locks.
func lockCases(s *shelf) {
	lock := func(n uint32) change { return func(p *Packet) { p.LockTime = n } }
	sequence := func(n uint32) change { return input(0, func(in *Input) { in.Sequence = n }) }
	with := func(c *Case, network string, height uint32) { c.Network, c.Height = network, height }

	s.caution("locktime-future/hit-height", "locktime-future", "A block more than five years after this release.", lock(anchorHeight+farBlocks+1))
	s.clear("locktime-future/miss-height", "The last block of those five years.", lock(anchorHeight+farBlocks))
	s.caution("locktime-future/hit-last-height", "locktime-future", "The highest height there is.", lock(499_999_999))
	s.caution("locktime-future/hit-time", "locktime-future", "A second more than five years after this release.", lock(fiveYears+1))
	s.clear("locktime-future/miss-time", "Five years after this release, to the second.", lock(fiveYears))
	s.caution("locktime-future/hit-last-time", "locktime-future", "The last date there is.", lock(math.MaxUint32))
	s.clear("locktime-future/miss-not-in-force", "The last date there is, but the only input is final.", lock(math.MaxUint32), sequence(math.MaxUint32))
	s.caution("locktime-future/hit-one-in-force", "locktime-future", "Two inputs, one of them final: the lock is in force.", lock(anchorHeight+farBlocks+1),
		joined(s.me.At(P2WPKH, 0, 9)), sequence(math.MaxUint32))
	s.caution("locktime-future/hit-0xfffffffe", "locktime-future", "Not replaceable, but in force.", lock(anchorHeight+farBlocks+1), sequence(0xfffffffe))
	with(s.caution("locktime-future/hit-typed-height", "locktime-future", "Today's height is known, and the lock is more than a day ahead.", lock(950_145)), "", 950_000)
	with(s.clear("locktime-future/miss-typed-height", "A day ahead: the coordinator has seen newer blocks.", lock(950_144)), "", 950_000)
	with(s.clear("locktime-future/miss-typed-far", "The typed height counts, not the release's.", lock(1_300_000)), "", 1_300_000)

	s.caution("locktime-future/hit-relative-blocks", "locktime-future", "A relative lock of ten blocks.", sequence(10))
	s.caution("locktime-future/hit-relative-one", "locktime-future", "Of one block.", sequence(1))
	s.caution("locktime-future/hit-relative-time", "locktime-future", "Of ten times 512 seconds.", sequence(1<<22|10))
	s.caution("locktime-future/hit-relative-longest", "locktime-future", "Of 65,535 blocks, with bits that mean nothing.", sequence(0x003fffff))
	s.clear("locktime-future/miss-relative-none", "A sequence of zero locks nothing.", sequence(0))
	s.clear("locktime-future/miss-relative-off", "The highest bit switches it off.", sequence(1<<31|10))
	s.clear("locktime-future/miss-relative-version-1", "Before version 2 it has no force.", sequence(10), func(p *Packet) { p.TxVersion = 1 })

	s.clear("locktime-height/hit-core", "As Core, Electrum and Sparrow set it on nearly every payment.", lock(912_345))
	s.clear("locktime-height/hit-1", "Block 1.", lock(1))
	s.clear("locktime-height/miss-none", "No lock.", lock(0))
	s.clear("locktime-time/hit-past", "A date that is past.", lock(1_600_000_000))
	s.clear("locktime-time/hit-first", "The first date there is.", lock(500_000_000))
	s.clear("locktime-time/miss-height", "A height.", lock(900_000))
	s.clear("locktime-inert/hit", "A lock that no input puts in force.", sequence(math.MaxUint32))
	s.clear("locktime-inert/miss-none", "No lock, no input that would put it in force.", lock(0), sequence(math.MaxUint32))
	s.clear("locktime-inert/miss-one", "One input of two puts it in force.", joined(s.me.At(P2WPKH, 0, 9)), sequence(math.MaxUint32))
	s.clear("replaceable/hit-0xfffffffd", "The highest sequence that says so.", sequence(0xfffffffd))
	s.clear("replaceable/hit-0", "The lowest.", sequence(0))
	s.clear("replaceable/miss-0xfffffffe", "The next one does not.", sequence(0xfffffffe))
	s.clear("replaceable/miss-0xffffffff", "Nor does the last.", sequence(math.MaxUint32))
}
