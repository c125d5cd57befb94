package signer_test

import (
	"testing"

	"github.com/airlock-signer/airlock/signer"
	"github.com/airlock-signer/airlock/signer/samples"
	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/txscript"
)

// put adds the signature of a key to its field.
func put(p *samples.Packet, i int, key *btcec.PrivateKey, hashType txscript.SigHashType) []byte {
	return p.AddSignature(i, key, hashType)
}

// finish finalises an input of one key, and takes out what a finaliser does.
func finish(p *samples.Packet, i int, key *btcec.PrivateKey) { p.Finish(i, key) }

func TestSighashRules(t *testing.T) {
	sighash := func(v uint32) func(p *samples.Packet) {
		return func(p *samples.Packet) { p.Inputs[0].Sighash(v) }
	}
	taproot := func(v uint32) func(p *samples.Packet) {
		return func(p *samples.Packet) { spending(samples.P2TR)(p); p.Inputs[0].Sighash(v) }
	}
	// A second input, a stranger's, with a declared sighash.
	theirs := func(v uint32) func(p *samples.Packet) {
		return func(p *samples.Packet) {
			p.Spend(friend.At(samples.P2WPKH, 0, 1), 50_000).Sighash(v)
			p.Outputs[0].Amount += 50_000
		}
	}
	play(t, []scene{
		{about: "ALL", make: sighash(1)},
		{about: "NONE", make: sighash(2), want: "sighash-unsafe"},
		{about: "SINGLE", make: sighash(3), want: "sighash-unsafe"},
		{about: "ALL|ANYONECANPAY", make: sighash(0x81), want: "sighash-unsafe"},
		{about: "NONE|ANYONECANPAY", make: sighash(0x82), want: "sighash-unsafe"},
		{about: "SINGLE|ANYONECANPAY", make: sighash(0x83), want: "sighash-unsafe"},
		{about: "NONE claimed, in a preview", make: sighash(2), preview: true, want: "sighash-unsafe"},
		{about: "0 on an ECDSA input", make: sighash(0), want: "sighash-unknown"},
		{about: "0x80", make: sighash(0x80), want: "sighash-unknown"},
		{about: "4", make: sighash(4), want: "sighash-unknown"},
		{about: "0x41", make: sighash(0x41), want: "sighash-unknown"},
		{about: "ALL with a bit beyond the first byte", make: sighash(0x101), want: "sighash-unknown"},
		{about: "ALL with the highest bit", make: sighash(0x80000001), want: "sighash-unknown"},

		{about: "taproot DEFAULT", make: taproot(0)},
		{about: "taproot ALL", make: taproot(1), want: "sighash-all-taproot"},
		{about: "taproot NONE", make: taproot(2), want: "fee-unknown sighash-unsafe"},
		{about: "taproot 0x80", make: taproot(0x80), want: "fee-unknown sighash-unknown"},
		{about: "taproot DEFAULT with the highest bit", make: taproot(1 << 31), want: "fee-unknown sighash-unknown"},

		{about: "a stranger's SINGLE|ANYONECANPAY is their affair", make: theirs(0x83), want: "foreign-input signatures-needed"},
		{about: "a stranger's unknown one is nobody's", make: theirs(0x44), want: "foreign-input sighash-unknown signatures-needed"},
		{about: "SINGLE with its output", make: func(p *samples.Packet) { theirs(3)(p) }, want: "foreign-input signatures-needed"},
		{about: "SINGLE without its output", make: func(p *samples.Packet) {
			theirs(3)(p)
			p.Outputs = p.Outputs[:1]
			p.Outputs[0].Amount = 249_000
		}, want: "foreign-input no-change sighash-single-missing-output signatures-needed"},
	})
}

func TestSignatureRules(t *testing.T) {
	mine := me.Private("m/84h/0h/0h/0/3")
	tap := me.Private("m/86h/0h/0h/0/3")
	alien := friend.Private("m/84h/0h/0h/0/1")
	joined := func(p *samples.Packet) {
		p.Spend(friend.At(samples.P2WPKH, 0, 1), 50_000)
		p.Outputs[0].Amount += 50_000
	}
	play(t, []scene{
		{about: "ours is there", make: func(p *samples.Packet) { put(p, 0, mine, 1) }, want: "already-signed"},
		{about: "ours, p2pkh", make: func(p *samples.Packet) {
			spending(samples.P2PKH)(p)
			put(p, 0, me.Private("m/44h/0h/0h/0/3"), 1)
		}, want: "already-signed"},
		{about: "ours, nested", make: func(p *samples.Packet) {
			spending(samples.P2SHP2WPKH)(p)
			put(p, 0, me.Private("m/49h/0h/0h/0/3"), 1)
		}, want: "already-signed"},
		{about: "ours, taproot", make: func(p *samples.Packet) {
			spending(samples.P2TR)(p)
			put(p, 0, tap, 0)
		}, want: "already-signed"},
		{about: "a stranger's is there", make: func(p *samples.Packet) { joined(p); put(p, 1, alien, 1) }, want: "foreign-input"},
		{about: "in a preview", make: func(p *samples.Packet) { joined(p); put(p, 1, alien, 1) }, preview: true},

		{about: "of other amounts", make: func(p *samples.Packet) {
			joined(p)
			put(p, 1, alien, 1)
			p.Outputs[0].Amount++
		}, want: "foreign-input partial-sig-invalid signatures-needed"},
		{about: "bad in a preview too", make: func(p *samples.Packet) {
			joined(p)
			put(p, 1, alien, 1)
			p.Outputs[0].Amount++
		}, preview: true, want: "partial-sig-invalid"},
		{about: "another sighash than declared", make: func(p *samples.Packet) { joined(p); put(p, 1, alien, 0x81) },
			want: "foreign-input partial-sig-invalid signatures-needed"},
		{about: "the declared one", make: func(p *samples.Packet) { joined(p); put(p, 1, alien, 0x81); p.Inputs[1].Sighash(0x81) },
			want: "foreign-input"},
		{about: "of a key that the script does not have", make: func(p *samples.Packet) { joined(p); put(p, 1, thief.Private("m/0"), 1) },
			want: "foreign-input partial-sig-invalid signatures-needed"},
		{about: "with the high S", make: func(p *samples.Packet) {
			joined(p)
			sig := put(p, 1, alien, 1)
			p.Inputs[1].Set(inPartialSig, alien.PubKey().SerializeCompressed(), samples.OtherS(sig))
		}, want: "foreign-input partial-sig-invalid signatures-needed"},
		{about: "taproot, ALL where nothing is declared", make: func(p *samples.Packet) {
			spending(samples.P2TR)(p)
			put(p, 0, tap, 1)
		}, want: "partial-sig-invalid"},
		{about: "taproot, ALL declared", make: func(p *samples.Packet) {
			spending(samples.P2TR)(p)
			put(p, 0, tap, 1)
			p.Inputs[0].Sighash(1)
		}, want: "already-signed sighash-all-taproot"},
		{about: "a taproot signature on a p2wpkh input", make: func(p *samples.Packet) { p.Inputs[0].Set(inTapKeySig, nil, make([]byte, 64)) },
			want: "partial-sig-invalid"},
		{about: "of the untweaked key", make: func(p *samples.Packet) {
			spending(samples.P2TR)(p)
			p.Inputs[0].Set(inTapKeySig, nil, make([]byte, 64))
		}, want: "partial-sig-invalid"},
	})
}

func TestFinalRules(t *testing.T) {
	mine := me.Private("m/84h/0h/0h/0/3")
	joined := func(p *samples.Packet) {
		p.Spend(friend.At(samples.P2WPKH, 0, 1), 50_000)
		p.Outputs[0].Amount += 50_000
	}
	all := func(typ samples.Type, path string) func(p *samples.Packet) {
		return func(p *samples.Packet) { spending(typ)(p); finish(p, 0, me.Private(path)) }
	}
	play(t, []scene{
		{about: "complete, p2wpkh", make: all(samples.P2WPKH, "m/84h/0h/0h/0/3"), want: "complete"},
		{about: "complete, nested", make: all(samples.P2SHP2WPKH, "m/49h/0h/0h/0/3"), want: "complete"},
		{about: "complete, p2pkh", make: all(samples.P2PKH, "m/44h/0h/0h/0/3"), want: "complete"},
		{about: "complete, taproot", make: all(samples.P2TR, "m/86h/0h/0h/0/3"), want: "complete"},
		{about: "a stranger's input is final", make: func(p *samples.Packet) {
			joined(p)
			finish(p, 1, friend.Private("m/84h/0h/0h/0/1"))
		}, want: "foreign-input"},
		{about: "final and wrong", make: func(p *samples.Packet) {
			joined(p)
			finish(p, 1, friend.Private("m/84h/0h/0h/0/1"))
			p.Outputs[0].Amount++
		}, want: "final-invalid foreign-input"},
		{about: "final and wrong in a preview", make: func(p *samples.Packet) {
			finish(p, 0, mine)
			p.LockTime++
		}, preview: true, want: "final-invalid"},
		{about: "final with another's key", make: func(p *samples.Packet) {
			joined(p)
			finish(p, 1, friend.Private("m/84h/0h/0h/0/2"))
		}, want: "final-invalid foreign-input"},
		{about: "final with an empty witness", make: func(p *samples.Packet) {
			joined(p)
			p.Inputs[1].Set(inFinalWit, nil, []byte{0})
		}, want: "final-invalid foreign-input"},
		{about: "ours, final without derivations, far out", make: func(p *samples.Packet) {
			p.Spend(me.At(samples.P2WPKH, 0, 450), 50_000)
			p.Outputs[0].Amount += 50_000
			finish(p, 1, me.Private("m/84h/0h/0h/0/450"))
		}},
		{about: "final and then changed amounts", make: func(p *samples.Packet) {
			finish(p, 0, mine)
			p.Inputs[0].Claim(200_001)
		}, want: "complete utxo-conflict"},
	})
}

// TestFinalOurs: an input of ours is known again after a finaliser took its
// derivations out.
func TestFinalOurs(t *testing.T) {
	s := scene{make: func(p *samples.Packet) {
		p.Spend(me.At(samples.P2WPKH, 1, 12), 50_000)
		p.Outputs[0].Amount += 50_000
		finish(p, 1, me.Private("m/84h/0h/0h/1/12"))
	}}
	in := s.report(t).Inputs[1]
	if in.Owner != signer.Ours || in.Path.String() != "m/84h/0h/0h/1/12" || in.SignaturesHave != 1 || in.SignaturesNeed != 1 {
		t.Errorf("%+v", in)
	}
}
