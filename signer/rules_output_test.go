package signer_test

import (
	"bytes"
	"math"
	"strings"
	"testing"

	"github.com/airlock-signer/airlock/signer"
	"github.com/airlock-signer/airlock/signer/samples"
	"github.com/btcsuite/btcd/txscript"
)

// paying adds an output.
func paying(script []byte, sat int64) func(p *samples.Packet) {
	return func(p *samples.Packet) { p.Pay(script, sat) }
}

func program(version byte, n int) []byte {
	op := version
	if version > 0 {
		op = txscript.OP_1 + version - 1
	}
	return append([]byte{op, byte(n)}, bytes.Repeat([]byte{7}, n)...)
}

func opReturn(data string) []byte {
	script, err := txscript.NullDataScript([]byte(data))
	if err != nil {
		panic(err)
	}
	return script
}

func TestOutputRules(t *testing.T) {
	anchor := []byte{0x51, 0x02, 0x4e, 0x73}
	key := thief.At(samples.P2WPKH, 0, 0).PubKey
	p2pk := append(append([]byte{33}, key.SerializeCompressed()...), txscript.OP_CHECKSIG)
	bare, _ := multisig("m/48h/0h/0h/2h/0/0")
	to := func(typ samples.Type) []byte { return thief.At(typ, 0, 0).Script }
	play(t, []scene{
		// Bitcoin Core's dust limits at 3 sat/vB.
		{about: "dust, p2pkh", make: paying(to(samples.P2PKH), 545), want: "output-dust"},
		{about: "no dust, p2pkh", make: paying(to(samples.P2PKH), 546)},
		{about: "dust, p2sh", make: paying(to(samples.P2SHP2WPKH), 539), want: "output-dust"},
		{about: "no dust, p2sh", make: paying(to(samples.P2SHP2WPKH), 540)},
		{about: "dust, p2wpkh", make: paying(to(samples.P2WPKH), 293), want: "output-dust"},
		{about: "no dust, p2wpkh", make: paying(to(samples.P2WPKH), 294)},
		{about: "dust, p2wsh", make: paying(program(0, 32), 329), want: "output-dust"},
		{about: "no dust, p2wsh", make: paying(program(0, 32), 330)},
		{about: "dust, p2tr", make: paying(to(samples.P2TR), 329), want: "output-dust"},
		{about: "no dust, p2tr", make: paying(to(samples.P2TR), 330)},
		{about: "nothing at all", make: paying(to(samples.P2WPKH), 0), want: "output-dust"},
		{about: "dust that comes back", make: func(p *samples.Packet) {
			p.Change(me.At(samples.P2WPKH, 1, 5), 293)
		}, want: "output-dust"},

		{about: "an anchor of nothing", make: paying(anchor, 0), want: "pay-to-anchor"},
		{about: "an anchor of 239 sat", make: paying(anchor, 239), want: "output-dust pay-to-anchor"},
		{about: "an anchor of 240 sat", make: paying(anchor, 240), want: "pay-to-anchor"},

		{about: "data", make: paying(opReturn("hello"), 0), want: "data-output"},
		{about: "data with money", make: paying(opReturn("hello"), 1), want: "data-output data-output-value"},
		{about: "OP_RETURN alone", make: paying([]byte{txscript.OP_RETURN}, 0), want: "data-output"},
		{about: "OP_RETURN and a push that does not end", make: paying([]byte{txscript.OP_RETURN, 75, 1}, 0), want: "data-output"},

		{about: "witness v0 of 2 bytes", make: paying(program(0, 2), 600), want: "output-unspendable"},
		{about: "witness v0 of 21 bytes", make: paying(program(0, 21), 600), want: "output-unspendable"},
		{about: "witness v0 of 40 bytes", make: paying(program(0, 40), 600), want: "output-unspendable"},
		{about: "witness v0 of 41 bytes is no witness program", make: paying(program(0, 41), 800), want: "script-nonstandard"},
		{about: "witness v1 of 20 bytes", make: paying(program(1, 20), 600), want: "witness-unknown"},
		{about: "witness v1 of 2 bytes", make: paying(program(1, 2), 600), want: "witness-unknown"},
		{about: "witness v2 of 32 bytes", make: paying(program(2, 32), 600), want: "witness-unknown"},
		{about: "witness v16 of 2 bytes", make: paying(program(16, 2), 600), want: "witness-unknown"},

		{about: "an empty script", make: paying(nil, 600), want: "script-nonstandard"},
		{about: "a bare key", make: paying(p2pk, 600), want: "script-nonstandard"},
		{about: "a bare multisig", make: paying(bare, 700), want: "script-nonstandard"},
		{about: "a script nobody knows", make: paying([]byte{txscript.OP_TRUE}, 600), want: "script-nonstandard"},
		{about: "p2sh has an address", make: paying(sh(bare), 600)},

		{about: "one address twice", make: paying(friend.At(samples.P2WPKH, 0, 0).Script, 600), want: "address-repeated"},
		{about: "two anchors", make: func(p *samples.Packet) { p.Pay(anchor, 0); p.Pay(anchor, 0) }, want: "address-repeated pay-to-anchor"},
		{about: "the same data twice", make: func(p *samples.Packet) { p.Pay(opReturn("x"), 0); p.Pay(opReturn("x"), 0) }, want: "data-output"},
		{about: "all of it in a preview", make: paying([]byte{txscript.OP_TRUE}, 1), preview: true, want: "output-dust script-nonstandard"},
	})
}

// TestDataOutput: the payload whole, as hex and where printable as text; never
// raw.
func TestDataOutput(t *testing.T) {
	for _, c := range []struct{ data, hex, text string }{
		{"hello", "68656c6c6f", `As text: "hello".`},
		{"\x1b[2Jboo", "1b5b324a626f6f", ""},
		{"pay \u202etxt", "70617920e280ae747874", ""},
		{"\xff\xfe\x00", "fffe00", ""},
		{strings.Repeat("a", 80), strings.Repeat("61", 80), `As text: "` + strings.Repeat("a", 80) + `".`},
	} {
		r := (&scene{make: paying(opReturn(c.data), 0)}).report(t)
		if got := string(r.Outputs[2].Data); got != c.data {
			t.Errorf("payload %x, want %x", got, c.data)
		}
		said := ""
		for _, f := range r.Findings {
			if f.Code == signer.CodeDataOutput {
				said = f.Message()
			}
		}
		if !strings.Contains(said, c.hex) || !strings.Contains(said, c.text) || strings.ContainsAny(said, "\x1b\u202e") {
			t.Errorf("%q", said)
		}
		if c.text == "" && strings.Contains(said, "As text") {
			t.Errorf("called text: %q", said)
		}
	}
	whole := append([]byte{txscript.OP_RETURN, 1, 'a', 1}, 'b')
	if got := (&scene{make: paying(whole, 0)}).report(t).Outputs[2].Data; !bytes.Equal(got, whole[1:]) {
		t.Errorf("two pushes: %x", got)
	}
}

func TestTransactionRules(t *testing.T) {
	lock := func(n uint32) func(p *samples.Packet) { return func(p *samples.Packet) { p.LockTime = n } }
	sequence := func(n uint32) func(p *samples.Packet) {
		return func(p *samples.Packet) { p.Inputs[0].Sequence = n }
	}
	version := func(n int32) func(p *samples.Packet) { return func(p *samples.Packet) { p.TxVersion = n } }
	height := func(n uint32) func(s *signer.Settings) { return func(s *signer.Settings) { s.Height = n } }
	fill := func(n int) func(p *samples.Packet) { // n bytes of data
		return func(p *samples.Packet) {
			p.Pay(append([]byte{txscript.OP_RETURN, txscript.OP_PUSHDATA4, byte(n), byte(n >> 8), byte(n >> 16), 0}, make([]byte, n)...), 0)
		}
	}
	// An OP_RETURN of n bytes adds 4·(n+19) units to 562: amount 8, length of
	// the script 5 (above 65,535), 6 for the opcode and the push.
	const base, around = 562, 19
	play(t, []scene{
		{about: "the same coin twice", make: func(p *samples.Packet) {
			p.Inputs = append(p.Inputs, p.Inputs[0])
			p.Outputs[0].Amount += 200_000
		}, want: "input-duplicate"},
		{about: "two coins of one transaction", make: func(p *samples.Packet) {
			in := p.Inputs[0]
			prev := in.Previous.Copy()
			prev.TxOut = append(prev.TxOut, prev.TxOut[in.Outpoint.Index])
			p.Inputs = nil
			p.SpendFrom(me.At(samples.P2WPKH, 0, 3), prev, in.Outpoint.Index)
			p.SpendFrom(me.At(samples.P2WPKH, 0, 3), prev, 2)
			p.Outputs[0].Amount += 200_000
		}},

		{about: "version 1", make: version(1)},
		{about: "version 3", make: version(3), want: "truc"},
		{about: "version 0", make: version(0), want: "tx-version-unusual"},
		{about: "version 4", make: version(4), want: "tx-version-unusual"},
		{about: "version -1", make: version(-1), want: "tx-version-unusual"},

		{about: "no lock", make: lock(0), want: "-locktime-height"},
		{about: "the last ordinary height", make: lock(977_000 + 262_800)},
		{about: "one block further", make: lock(977_000 + 262_801), want: "locktime-future -locktime-height"},
		{about: "far, but not in force", make: func(p *samples.Packet) {
			p.LockTime = 400_000_000
			p.Inputs[0].Sequence = math.MaxUint32
		}, want: "locktime-inert -locktime-height -replaceable"},
		{about: "in force by one input of two", make: func(p *samples.Packet) {
			p.Spend(me.At(samples.P2WPKH, 0, 5), 50_000).Sequence = math.MaxUint32
			p.Outputs[0].Amount += 50_000
		}},
		{about: "a past date", make: lock(1_600_000_000), want: "locktime-time -locktime-height"},
		{about: "the last ordinary date", make: lock(1_953_072_000), want: "locktime-time -locktime-height"},
		{about: "a second later", make: lock(1_953_072_001), want: "locktime-future -locktime-height"},
		{about: "the last height there is", make: lock(499_999_999), want: "locktime-future -locktime-height"},
		{about: "the last date there is", make: lock(math.MaxUint32), want: "locktime-future -locktime-height"},
		{about: "today's height is known: a day ahead", make: lock(950_144), settings: height(950_000)},
		{about: "more than a day ahead", make: lock(950_145), settings: height(950_000), want: "locktime-future -locktime-height"},

		{about: "Core's sequence without replacing", make: sequence(0xfffffffe), want: "-replaceable"},
		{about: "a relative lock of 10 blocks", make: sequence(10), want: "locktime-future"},
		{about: "of 10 times 512 seconds", make: sequence(1<<22 | 10), want: "locktime-future"},
		{about: "of nothing", make: sequence(0)},
		{about: "switched off", make: sequence(1<<31 | 10)},
		{about: "without force in version 1", make: func(p *samples.Packet) { version(1)(p); sequence(10)(p) }},

		{about: "400,000 units", make: fill((400_000-base)/4 - around), want: "data-output fee-low"},
		{about: "more", make: fill((400_000-base)/4 - around + 1), want: "data-output fee-low tx-large"},
		{about: "4,000,000 units", make: fill((4_000_000-base)/4 - around), want: "data-output fee-low tx-large"},
		{about: "more than a block", make: fill((4_000_000-base)/4 - around + 1), want: "data-output fee-low tx-too-large"},
	})
}

// TestWeight: the estimate is that of the finished transaction with signatures
// of 72 bytes, never less.
func TestWeight(t *testing.T) {
	for _, typ := range []samples.Type{samples.P2WPKH, samples.P2SHP2WPKH, samples.P2PKH, samples.P2TR} {
		p := ordinary()
		spending(typ)(p)
		r := (&scene{make: spending(typ)}).report(t)
		key := me.Private(me.AccountPath(typ) + "/0/3")
		finish(p, 0, key)
		tx, err := signer.Open(p.Bytes(), signer.DefaultLimits())
		if err != nil {
			t.Fatal(err)
		}
		final := tx.Preview(mainnet)
		if final.Verdict == signer.VerdictRefused {
			t.Fatalf("%s: %v", typ, final.Findings)
		}
		// A signature may come out a byte shorter or two.
		if slack := r.Weight - final.Weight; slack < 0 || slack > 4*3 {
			t.Errorf("%s: estimated %d, is %d", typ, r.Weight, final.Weight)
		}
		if typ == samples.P2WPKH && (r.Weight != 562 || r.VSize != 141) {
			t.Errorf("%s: weight %d, size %d", typ, r.Weight, r.VSize)
		}
	}
}
