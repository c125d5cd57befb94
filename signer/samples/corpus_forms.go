package samples

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
)

// texts that a terminal must never see raw.
func texts() []struct{ name, text string } {
	return []struct{ name, text string }{
		{"escape", "\x1b[2J\x1b[1;1HSigned."}, {"title", "\x1b]0;Signed\a"}, {"c1", "\u009b2J"}, {"c1-raw", "\x9b2J"}, {"bell", "ding\a"}, {"delete", "abc\x7f\x7f\x7fxyz"},
		{"backspace", "1.0\b\b\b9.0"}, {"lines", "0.001 BTC\r\n\n\n\nto nobody"}, {"tab", "a\tb"}, {"null", "a\x00b"},
		{"bidi-override", "pay \u202e0.1 ot\u202c"}, {"bidi-isolate", "a\u2066b\u2069c"}, {"bidi-mark", "a\u200fb\u061cc"},
		{"zero-width", "pay\u200bpal\u200d\ufeff"}, {"soft-hyphen", "bc1\u00adq"}, {"tags", "a\U000e0041\U000e0042"}, {"line-separator", "a\u2028b\u2029c"},
		{"overlong", "a\xc0\xafb"}, {"surrogate", "a\xed\xa0\x80b"}, {"cut", "a\xe2\x82"}, {"combining", "Z" + strings.Repeat("\u0334", 60)}, {"quotes", "x\". As text: \"y"},
		{"long", strings.Repeat("long", 300)}, {"private", "\ue000\uf8ff"}, {"spaces", "a" + strings.Repeat("\u3000", 100) + "b"},
	}
}

// hostileText: control sequences and invisible characters in every field that
// holds text.
func hostileText(s *shelf) {
	for _, t := range texts() {
		s.caution("hostile/text/data-"+t.name, "data-output", "In an OP_RETURN: "+fmt.Sprintf("%.40q", t.text)+".", paying(opReturn(t.text), 0))
	}
	everywhere := func(text string) change {
		return func(p *Packet) {
			for i, m := range []*Map{&p.Global, &p.Inputs[0].Map, &p.Outputs[0].Map, &p.Outputs[1].Map} {
				id := append(Compact(uint64(len(text))), text...)
				m.Add(0xfc, append(id, byte(i)), []byte(text))         // proprietary
				m.Add(0xf0, []byte(text), []byte(text))                // a type that nobody knows
				m.Add(0x1234, []byte(text), []byte(text))              // one of several bytes
				m.Add(0xfc, append(slices.Clone(id), 0xfd, 0, 1), nil) // a subtype of several bytes
			}
		}
	}
	for _, t := range texts() {
		s.clear("hostile/text/fields-"+t.name, "In proprietary and unknown fields of every map.", everywhere(t.text))
	}
	s.caution("hostile/text/script", "script-nonstandard", "In a script that has no address.", paying([]byte("\x1b[2J\x1b]0;x\a"), 1_000))
}

// hostileForms: files that are well formed and strange, and files that are
// not.
func hostileForms(s *shelf) {
	s.clear("hostile/form/reversed", "Every map in the reverse order.", func(p *Packet) {
		p.KeepOrder = true
		for _, m := range []*Map{&p.Inputs[0].Map, &p.Outputs[1].Map} {
			slices.Reverse(m.Pairs)
		}
	})
	s.refused("hostile/form/no-outputs", "fee-absurd fee-high", "No output at all: everything is fee.", func(p *Packet) { p.Outputs = nil })
	s.clear("hostile/form/empty-values", "Fields that nobody knows, with empty values.", func(p *Packet) {
		p.Global.Add(0xf0, nil, nil)
		p.Inputs[0].Add(0xf0, nil, nil)
		p.Outputs[0].Add(0xf0, nil, nil)
	})
	s.clear("hostile/form/proof-of-reserves", "A proof of reserves commitment.", input(0, func(in *Input) { in.Add(0x09, nil, []byte("\x1b[2Jreserves")) }))
	s.clear("hostile/form/version-field", "A global version field that says 0.", func(p *Packet) { p.Global.Add(0xfb, nil, make([]byte, 4)) })
	s.clear("hostile/form/false-xpubs", "Global xpubs that belong to nobody here, one under our fingerprint.", func(p *Packet) {
		p.Global.Add(0x01, s.xpub(s.thief, "m/84h/0h/0h"), Origin(s.me.Fingerprint, ParsePath("m/84h/0h/0h")))
		p.Global.Add(0x01, s.xpub(s.friend, "m/84h/0h/1h"), Origin([4]byte{}, ParsePath("m/84h/0h/1h")))
	})
	malformedFields(s)
	malformedFiles(s)
}

// malformedFields: what no reader of the BIPs takes.
func malformedFields(s *shelf) {
	bad := func(name, about string, changes ...change) { s.malformed("hostile/malformed/"+name, about, changes...) }
	bad("magic", "Another magic.", func(p *Packet) { p.Magic = []byte("pset\xff") })
	bad("duplicate", "One field twice.", input(0, func(in *Input) { in.Add(inWitnessUTXO, nil, in.Pairs[1].Value) }))
	bad("duplicate-proprietary", "One proprietary field twice.", func(p *Packet) {
		p.Global.Add(0xfc, []byte("\x01a\x00"), nil)
		p.Global.Add(0xfc, []byte("\x01a\x00"), nil)
	})
	bad("second-transaction", "Two unsigned transactions.", func(p *Packet) { p.Global.Add(0x00, nil, TxBytes(p.Tx())) })
	bad("version-1", "PSBT version 1, which does not exist.", func(p *Packet) { p.Global.Add(0xfb, nil, []byte{1, 0, 0, 0}) })
	bad("version-2-field", "A field of version 2 in version 0.", func(p *Packet) { p.Global.Add(0x04, nil, []byte{1}) })
	bad("tail", "A byte before a map's end.", input(0, func(in *Input) { in.Tail = []byte{5} }))
	bad("script-sig", "An unsigned transaction with a scriptSig.", func(p *Packet) {
		tx := p.Tx()
		tx.TxIn[0].SignatureScript = []byte{0x51}
		p.Unsigned = TxBytes(tx)
	})
	bad("witness", "An unsigned transaction with a witness.", func(p *Packet) {
		tx := p.Tx()
		tx.TxIn[0].Witness = [][]byte{{1}}
		p.Unsigned = TxBytes(tx)
	})
	bad("map-missing", "A map less than the transaction has outputs.", func(p *Packet) {
		var b bytes.Buffer
		must(p.Tx().SerializeNoWitness(&b))
		p.Unsigned, p.Outputs = b.Bytes(), p.Outputs[:1]
	})
	bad("map-more", "A map more.", func(p *Packet) {
		var b bytes.Buffer
		must(p.Tx().SerializeNoWitness(&b))
		p.Unsigned, p.Outputs = b.Bytes(), append(p.Outputs, &Output{})
	})
	bad("off-the-curve", "A derivation of a key that is not on the curve.", input(0, func(in *Input) {
		in.Set(inBip32Derivation, append([]byte{2}, bytes.Repeat([]byte{0xff}, 32)...), Origin(s.me.Fingerprint, nil))
	}))
	bad("path-cut", "A path of a step and a half.", input(0, func(in *Input) { in.Pairs[2].Value = in.Pairs[2].Value[:10] }))
	bad("sighash-length", "A sighash of one byte.", input(0, func(in *Input) { in.Set(inSighashType, nil, []byte{1}) }))
	bad("witness-utxo-tail", "A byte behind the witness UTXO.", input(0, func(in *Input) { in.Set(inWitnessUTXO, nil, append(in.Pairs[1].Value, 0)) }))
	bad("previous-tail", "A byte behind the previous transaction.", input(0, func(in *Input) { in.Set(inNonWitnessUTXO, nil, append(in.Pairs[0].Value, 0)) }))
	bad("final-witness-tail", "A byte behind the final witness.", input(0, func(in *Input) { in.Set(inFinalWitness, nil, []byte{0, 0}) }))
	bad("final-witness-claim", "A final witness that claims 4 billion items.", input(0, func(in *Input) { in.Set(inFinalWitness, nil, []byte{0xfe, 0xff, 0xff, 0xff, 0xff}) }))
}

// malformedFiles: what is wrong with the file as a whole.
func malformedFiles(s *shelf) {
	whole := func(name, about string, do func(file []byte) []byte) {
		c := s.malformed("hostile/malformed/"+name, about)
		c.Data = do(c.Data)
	}
	whole("cut", "The last byte is missing.", func(file []byte) []byte { return file[:len(file)-1] })
	whole("trailing", "A byte too many.", func(file []byte) []byte { return append(file, 0) })
	whole("empty", "Nothing.", func([]byte) []byte { return nil })
	whole("twice", "Two transactions in one file.", func(file []byte) []byte { return append(file, file...) })
	whole("base64-garbage", "Base64 with something behind it.", func(file []byte) []byte { return append([]byte(base64.StdEncoding.EncodeToString(file)), "!"...) })
	whole("base64-binary", "Base64, and binary behind it.", func(file []byte) []byte { return append([]byte(base64.StdEncoding.EncodeToString(file)), file...) })
	whole("count", "A transaction that claims 4 billion inputs.", func([]byte) []byte {
		return slices.Concat([]byte("psbt\xff\x01\x00\x0e"), []byte{2, 0, 0, 0, 0xfe, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0}, []byte{0})
	})
}
