package samples

import (
	"fmt"
	"strings"

	"github.com/btcsuite/btcd/txscript"
)

// outputCases: what is paid.
func outputCases(s *shelf) {
	to := func(t Type) []byte { return s.thief.At(t, 0, 0).Script }
	script, _ := s.quorum("m/48h/0h/0h/2h/1/0")
	key := s.thief.At(P2WPKH, 0, 0).PubKey
	p2pk := append(append([]byte{33}, key.SerializeCompressed()...), txscript.OP_CHECKSIG)

	dustCases(s)
	s.caution("data-output/hit-text", "data-output", "A text.", paying(opReturn("hello"), 0))
	s.caution("data-output/hit-binary", "data-output", "Bytes that are no text.", paying(opReturn("\xff\xfe\x00\x01"), 0))
	s.caution("data-output/hit-bare", "data-output", "OP_RETURN alone.", paying([]byte{txscript.OP_RETURN}, 0))
	s.caution("data-output/hit-unfinished", "data-output", "A push that does not end.", paying([]byte{txscript.OP_RETURN, 75, 1}, 0))
	s.caution("data-output/hit-two-pushes", "data-output", "Two pushes: all of it is shown.", paying([]byte{txscript.OP_RETURN, 1, 'a', 1, 'b'}, 0))
	s.caution("data-output/hit-runestone", "data-output", "An opcode and a push, as runes have it.", paying([]byte{txscript.OP_RETURN, txscript.OP_13, 2, 0x14, 0x01}, 0))
	s.caution("data-output/hit-long", "data-output", "10,000 bytes.", paying(opReturn(strings.Repeat("long ", 2000)), 0))
	s.caution("data-output/miss-op-return-inside", "script-nonstandard", "OP_RETURN is not the first opcode.", paying([]byte{txscript.OP_TRUE, txscript.OP_RETURN, 1, 'a'}, 1000))
	s.caution("data-output-value/hit-1", "data-output data-output-value", "Data that burn a satoshi.", paying(opReturn("x"), 1))
	s.caution("data-output-value/miss-0", "data-output", "Data that burn nothing.", paying(opReturn("x"), 0))

	programCases(s)
	s.caution("script-nonstandard/hit-empty", "script-nonstandard", "An empty script: anyone can spend it.", paying(nil, 600))
	s.caution("script-nonstandard/hit-p2pk", "script-nonstandard", "A bare key.", paying(p2pk, 600))
	s.caution("script-nonstandard/hit-multisig", "script-nonstandard", "A bare 2-of-2.", paying(script, 800))
	s.caution("script-nonstandard/hit-true", "script-nonstandard", "OP_TRUE: anyone can spend it.", paying([]byte{txscript.OP_TRUE}, 600))
	s.caution("script-nonstandard/hit-p2pkh-and-more", "script-nonstandard", "A pay-to-pubkey-hash with an opcode behind it.", paying(append(to(P2PKH), txscript.OP_NOP), 600))
	s.caution("script-nonstandard/hit-broken", "script-nonstandard", "A push that does not end.", paying([]byte{75, 1, 2}, 600))
	s.clear("script-nonstandard/miss-p2sh", "A script hash.", paying(sh(script), 600))
	s.clear("script-nonstandard/miss-p2pkh", "A key hash.", paying(to(P2PKH), 600))
	s.caution("script-nonstandard/miss-witness", "witness-unknown", "An unknown witness version has an address.", paying(program(2, 32), 600))
}

// dustCases: Bitcoin Core's GetDustThreshold at 3 sat/vB, by type.
func dustCases(s *shelf) {
	to := func(t Type) []byte { return s.thief.At(t, 0, 0).Script }
	for _, d := range []struct {
		name   string
		script []byte
		limit  int64
	}{
		{"p2pkh", to(P2PKH), 546}, {"p2sh", to(P2SHP2WPKH), 540}, {"p2wpkh", to(P2WPKH), 294}, {"p2wsh", program(0, 32), 330}, {"p2tr", to(P2TR), 330},
	} {
		s.caution("output-dust/hit-"+d.name, "output-dust", fmt.Sprintf("%d sat to a %s.", d.limit-1, d.name), paying(d.script, d.limit-1))
		s.clear("output-dust/miss-"+d.name, fmt.Sprintf("%d sat to a %s.", d.limit, d.name), paying(d.script, d.limit))
	}
	s.caution("output-dust/hit-zero", "output-dust", "Nothing at all.", paying(to(P2WPKH), 0))
	s.caution("output-dust/hit-change", "output-dust", "Change that is not worth having.", func(p *Packet) { p.Outputs[0].Amount, p.Outputs[1].Amount = 198_700, 293 })
	s.caution("output-dust/hit-anchor-239", "output-dust", "An anchor of 239 sat.", paying(anchor(), 239))
	s.clear("output-dust/miss-anchor-240", "An anchor of 240 sat.", paying(anchor(), 240))
	s.clear("output-dust/miss-anchor-0", "An anchor of nothing.", paying(anchor(), 0))
	s.caution("output-dust/miss-data", "data-output", "Data carry no amount.", paying(opReturn("x"), 0))
	s.caution("output-dust/hit-witness-v16", "output-dust witness-unknown", "A witness program of 2 bytes, 239 sat.", paying(program(16, 2), 239))
	s.caution("output-dust/miss-witness-v16", "witness-unknown", "A witness program of 2 bytes, 240 sat.", paying(program(16, 2), 240))
}

// programCases: witness programs without rules, and those that nobody can spend.
func programCases(s *shelf) {
	for _, n := range []int{2, 19, 21, 31, 33, 40} {
		s.refused(fmt.Sprintf("output-unspendable/hit-%d", n), "output-unspendable", fmt.Sprintf("A witness v0 program of %d bytes.", n), paying(program(0, n), 600))
	}
	s.clear("output-unspendable/miss-20", "20 bytes.", paying(program(0, 20), 600))
	s.clear("output-unspendable/miss-32", "32 bytes.", paying(program(0, 32), 600))
	s.caution("output-unspendable/miss-41", "script-nonstandard", "41 bytes are no witness program.", paying(program(0, 41), 800))

	for v := byte(2); v <= 16; v += 7 {
		s.caution(fmt.Sprintf("witness-unknown/hit-v%d", v), "witness-unknown", fmt.Sprintf("Witness version %d.", v), paying(program(v, 32), 600))
	}
	for _, n := range []int{2, 20, 31, 33, 40} {
		s.caution(fmt.Sprintf("witness-unknown/hit-v1-%d", n), "witness-unknown", fmt.Sprintf("Witness version 1 with %d bytes.", n), paying(program(1, n), 600))
	}
	s.clear("witness-unknown/miss-taproot", "Witness version 1 with 32 bytes.", paying(program(1, 32), 600))
	s.clear("witness-unknown/miss-anchor", "Pay-to-anchor.", paying(anchor(), 240))
	s.caution("witness-unknown/miss-41", "script-nonstandard", "Version 2 with 41 bytes is no witness program.", paying(program(2, 41), 800))
}

// noteCases: what is said and wants nothing.
func noteCases(s *shelf) {
	all := func(p *Packet) { p.Outputs = p.Outputs[:1]; p.Outputs[0].Amount = 199_000 }
	back := func(p *Packet) { p.Outputs = p.Outputs[1:]; p.Outputs[0].Amount = 199_000 }
	friend := s.friend.At(P2WPKH, 0, 0).Script
	s.clear("self-transfer/hit", "Nothing leaves but the fee.", back)
	s.caution("self-transfer/hit-with-data", "data-output", "Nothing leaves but the fee and a text.", back, func(p *Packet) { p.Pay(opReturn("x"), 0) })
	s.clear("self-transfer/miss-payment", "Something leaves.")
	s.clear("no-change/hit", "Everything leaves.", all)
	s.clear("no-change/miss-change", "Something comes back.")
	s.clear("no-change/miss-self", "Nothing leaves.", back)
	s.clear("address-repeated/hit", "One address is paid twice.", paying(friend, 600))
	s.clear("address-repeated/hit-change", "Change goes twice to one address.", func(p *Packet) {
		p.Change(s.me.At(P2WPKH, 1, 4), 9_000)
		p.Outputs[1].Amount -= 9_000
	})
	s.clear("address-repeated/miss-other", "Two addresses of one person.", paying(s.friend.At(P2WPKH, 0, 1).Script, 600))
	s.clear("address-repeated/miss-other-type", "Two scripts of one key.", paying(s.friend.Spot(P2TR, "m/84h/0h/0h/0/0").Script, 600))
	s.caution("address-repeated/miss-data", "data-output", "The same data twice: no address.", paying(opReturn("x"), 0), paying(opReturn("x"), 0))
	s.clear("pay-to-anchor/hit", "An anchor.", paying(anchor(), 240))
	s.caution("pay-to-anchor/miss", "witness-unknown", "Two other bytes.", paying(program(1, 2), 600))
}
