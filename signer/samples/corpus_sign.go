package samples

import (
	"bytes"

	"github.com/btcsuite/btcd/txscript"
)

// sighash declares a sighash type for an input.
func sighash(i int, v uint32) change { return input(i, func(in *Input) { in.Sighash(v) }) }

func sighashCases(s *shelf) {
	tap := s.spending(P2TR)
	theirs := joined(s.friend.At(P2WPKH, 0, 1))
	for _, v := range []struct {
		name string
		n    uint32
	}{{"none", 2}, {"single", 3}, {"all-anyonecanpay", 0x81}, {"none-anyonecanpay", 0x82}, {"single-anyonecanpay", 0x83}} {
		s.refused("sighash-unsafe/hit-"+v.name, "sighash-unsafe", "A segwit input of ours asks for "+v.name+".", sighash(0, v.n))
		s.refused("sighash-unsafe/hit-taproot-"+v.name, "fee-unknown sighash-unsafe", "A taproot input of ours asks for "+v.name+".", tap, sighash(0, v.n))
	}
	s.refused("sighash-unsafe/hit-legacy", "sighash-unsafe", "A legacy input asks for NONE.", s.spending(P2PKH), sighash(0, 2))
	s.refused("sighash-unsafe/hit-second-input", "sighash-unsafe", "The first input asks for ALL, the second for NONE.",
		joined(s.me.At(P2WPKH, 0, 9)), sighash(0, 1), sighash(1, 2))
	s.clear("sighash-unsafe/miss-all", "ALL by name.", sighash(0, 1))
	s.clear("sighash-unsafe/miss-taproot-default", "Taproot DEFAULT by name.", tap, sighash(0, 0))
	s.clear("sighash-unsafe/miss-taproot-all", "Taproot ALL by name.", tap, sighash(0, 1))
	s.caution("sighash-unsafe/miss-stranger", "foreign-input", "A stranger's SINGLE with ANYONECANPAY is their affair.", theirs, sighash(1, 0x83))

	for _, v := range []struct {
		name, what string
		n          uint32
	}{
		{"0", "DEFAULT, which ECDSA does not have.", 0}, {"0x80", "ANYONECANPAY of nothing.", 0x80}, {"4", "No known base type.", 4}, {"0x1f", "All bits of the base type.", 0x1f},
		{"0x41", "ALL, with the bit of another chain's replay protection.", 0x41}, {"0x101", "ALL in the first byte, and a bit beyond it.", 0x101},
		{"0x100", "Zero in the first byte.", 0x100}, {"0x80000001", "ALL, and the highest bit of 32.", 0x80000001}, {"0xffffffff", "All bits.", 0xffffffff},
	} {
		s.refused("sighash-unknown/hit-"+v.name, "sighash-unknown", v.what, sighash(0, v.n))
	}
	s.refused("sighash-unknown/hit-taproot-0x80", "fee-unknown sighash-unknown", "Taproot: ANYONECANPAY of nothing.", tap, sighash(0, 0x80))
	s.refused("sighash-unknown/hit-taproot-0x100", "fee-unknown sighash-unknown", "Taproot: DEFAULT in the first byte, and a bit beyond it.", tap, sighash(0, 0x100))
	s.refused("sighash-unknown/hit-stranger", "foreign-input sighash-unknown", "A stranger's: nobody can say what it permits.", theirs, sighash(1, 0x44))
	s.clear("sighash-unknown/miss-taproot-0", "Taproot DEFAULT.", tap, sighash(0, 0))
	s.refused("sighash-unknown/miss-0x83", "sighash-unsafe", "It is known, and unsafe.", sighash(0, 0x83))

	alone := func(p *Packet) { p.Outputs = p.Outputs[:1]; p.Outputs[0].Amount = 249_000 }
	s.refused("sighash-single-missing-output/hit-stranger", "foreign-input sighash-single-missing-output", "A stranger's second input asks for SINGLE, and there is one output.", theirs, alone, sighash(1, 3))
	s.refused("sighash-single-missing-output/hit-anyonecanpay", "foreign-input sighash-single-missing-output", "With ANYONECANPAY as well.", theirs, alone, sighash(1, 0x83))
	s.refused("sighash-single-missing-output/hit-ours", "sighash-single-missing-output sighash-unsafe", "Ours.", joined(s.me.At(P2WPKH, 0, 9)), alone, sighash(1, 3))
	s.caution("sighash-single-missing-output/miss-there", "foreign-input", "The second output is there.", theirs, sighash(1, 3))
	s.refused("sighash-single-missing-output/miss-none", "sighash-unsafe", "NONE needs no output.", joined(s.me.At(P2WPKH, 0, 9)), alone, sighash(1, 2))

	s.clear("sighash-all-taproot/hit-ours", "A taproot input of ours asks for ALL by name.", tap, sighash(0, 1))
	s.clear("sighash-all-taproot/miss-default", "It asks for DEFAULT.", tap, sighash(0, 0))
	s.clear("sighash-all-taproot/miss-segwit", "Segwit v0 has no other name for it.", sighash(0, 1))
}

// signatureCases: signatures that are in the file already.
func signatureCases(s *shelf) {
	mine, tapKey := s.me.Private("m/84h/0h/0h/0/3"), s.me.Private("m/86h/0h/0h/0/3")
	their := s.friend.Private("m/84h/0h/0h/0/1")
	theirs := joined(s.friend.At(P2WPKH, 0, 1))
	const all = txscript.SigHashAll
	bad := func(name, about string, changes ...change) {
		s.refused("partial-sig-invalid/hit-"+name, "foreign-input partial-sig-invalid", about, append([]change{theirs, sign(1, their, all)}, changes...)...)
	}
	// again changes the stranger's signature.
	again := func(do func(sig []byte) []byte) change {
		return input(1, func(in *Input) {
			for i := range in.Pairs {
				if in.Pairs[i].Key[0] == inPartialSig {
					in.Pairs[i].Value = do(bytes.Clone(in.Pairs[i].Value))
				}
			}
		})
	}
	bad("other-amount", "It was made for a payment of a satoshi less.", func(p *Packet) { p.Outputs[0].Amount++ })
	bad("other-lock", "For another lock time.", func(p *Packet) { p.LockTime++ })
	bad("other-sequence", "For another sequence of the other input.", input(0, func(in *Input) { in.Sequence-- }))
	bad("high-s", "With the high one of the two S that verify.", again(OtherS))
	bad("bit", "One bit is wrong.", again(func(sig []byte) []byte { sig[20] ^= 1; return sig }))
	bad("sighash-byte", "Its sighash byte is NONE, and nothing is declared.", sign(1, their, txscript.SigHashNone))
	bad("declared-otherwise", "Its sighash byte is ALL, and SINGLE is declared.", sighash(1, 3))
	bad("padded", "A zero byte too many in it, which is not strict DER.", again(func(sig []byte) []byte {
		// 30 len 02 rlen r… : one more zero before r.
		return append(append([]byte{0x30, sig[1] + 1, 2, sig[3] + 1, 0}, sig[4:len(sig)-1]...), sig[len(sig)-1])
	}))
	bad("trailing", "A byte behind it.", again(func(sig []byte) []byte { return append(sig[:len(sig)-1], 0, 1) }))
	bad("empty", "Nothing but a sighash byte.", again(func([]byte) []byte { return []byte{1} }))
	bad("strange-key", "Of a key that the script does not have.", sign(1, s.thief.Private("m/0"), all))
	s.refused("partial-sig-invalid/hit-ours", "partial-sig-invalid", "Ours, for another payment.", sign(0, mine, all), func(p *Packet) { p.Outputs[0].Amount++ })
	s.refused("partial-sig-invalid/hit-taproot-all", "partial-sig-invalid", "Taproot: ALL where nothing is declared.", s.spending(P2TR), sign(0, tapKey, all))
	s.refused("partial-sig-invalid/hit-taproot-field", "partial-sig-invalid", "A taproot signature on a segwit v0 input.", input(0, func(in *Input) { in.Set(inTapKeySig, nil, make([]byte, 64)) }))
	s.refused("partial-sig-invalid/hit-ecdsa-field", "partial-sig-invalid", "An ECDSA signature on a taproot input.", s.spending(P2TR), func(p *Packet) {
		q := s.base("an ordinary one")
		p.Inputs[0].Set(inPartialSig, mine.PubKey().SerializeCompressed(), q.AddSignature(0, mine, all))
	})
	s.refused("partial-sig-invalid/hit-taproot-bit", "partial-sig-invalid", "Taproot: one bit is wrong.", s.spending(P2TR), func(p *Packet) { p.AddSignature(0, tapKey, 0)[9] ^= 1 })
	s.caution("partial-sig-invalid/miss-good", "foreign-input", "A stranger's good signature.", theirs, sign(1, their, all))
	s.caution("partial-sig-invalid/miss-declared", "foreign-input", "Their ALL with ANYONECANPAY, declared as such.", theirs, sighash(1, 0x81), sign(1, their, all|txscript.SigHashAnyOneCanPay))
	s.caution("partial-sig-invalid/miss-later-field", "foreign-input", "Good, and a pair that no signature covers was added since.", theirs, sign(1, their, all), func(p *Packet) { p.Global.Add(0xfc, []byte("\x04note\x00"), []byte("later")) })

	signedCases(s)
}

// signedCases: who has signed, and who has to.
func signedCases(s *shelf) {
	mine, tapKey := s.me.Private("m/84h/0h/0h/0/3"), s.me.Private("m/86h/0h/0h/0/3")
	their, theirs := s.friend.Private("m/84h/0h/0h/0/1"), joined(s.friend.At(P2WPKH, 0, 1))
	const all = txscript.SigHashAll
	s.clear("already-signed/hit-p2wpkh", "Our signature is there.", sign(0, mine, all))
	s.clear("already-signed/hit-p2pkh", "Legacy.", s.spending(P2PKH), sign(0, s.me.Private("m/44h/0h/0h/0/3"), all))
	s.clear("already-signed/hit-nested", "Nested.", s.spending(P2SHP2WPKH), sign(0, s.me.Private("m/49h/0h/0h/0/3"), all))
	s.clear("already-signed/hit-taproot", "Taproot.", s.spending(P2TR), sign(0, tapKey, 0))
	s.clear("already-signed/hit-one-of-two", "The first of two inputs has it.", joined(s.me.At(P2WPKH, 0, 9)), sign(0, mine, all))
	s.caution("already-signed/miss-stranger", "foreign-input", "A stranger's is there.", theirs, sign(1, their, all))
	s.clear("already-signed/miss-none", "None is there.")
	s.caution("signatures-needed/hit-one", "foreign-input", "A stranger has to sign too.", theirs)
	s.caution("signatures-needed/hit-two", "foreign-input", "Two strangers' inputs.", theirs, joined(s.thief.At(P2PKH, 0, 1)))
	s.caution("signatures-needed/miss-signed", "foreign-input", "The stranger has signed.", theirs, sign(1, their, all))
	s.clear("signatures-needed/miss-alone", "Only ours are needed.", joined(s.me.At(P2WPKH, 0, 9)))
}

// finalCases: inputs that are finalised already.
func finalCases(s *shelf) {
	theirs := joined(s.friend.At(P2WPKH, 0, 1))
	their := s.friend.Private("m/84h/0h/0h/0/1")
	mine := s.me.Private("m/84h/0h/0h/0/3")
	bad := func(name, about string, changes ...change) {
		s.refused("final-invalid/hit-"+name, "final-invalid foreign-input", about, append([]change{theirs}, changes...)...)
	}
	bad("other-amount", "Finished for a payment of a satoshi less.", finish(1, their), func(p *Packet) { p.Outputs[0].Amount++ })
	bad("other-key", "Finished with another key.", finish(1, s.friend.Private("m/84h/0h/0h/0/2")))
	bad("empty-witness", "A witness of nothing.", input(1, func(in *Input) { in.Set(inFinalWitness, nil, []byte{0}) }))
	bad("empty-both", "An empty scriptSig beside it.", input(1, func(in *Input) { in.Set(inFinalWitness, nil, []byte{0}); in.Set(inFinalSig, nil, nil) }))
	bad("script-sig", "A scriptSig on a native segwit input.", finish(1, their), input(1, func(in *Input) { in.Set(inFinalSig, nil, []byte{txscript.OP_TRUE}) }))
	bad("item-more", "An item more in the witness.", func(p *Packet) {
		sig := p.Signature(1, their, txscript.SigHashAll)
		p.Inputs[1].Set(inFinalWitness, nil, WitnessBytes([]byte{1}, sig, their.PubKey().SerializeCompressed()))
	})
	bad("high-s", "The high S in the witness: the network does not pass it on.", func(p *Packet) {
		sig := OtherS(p.Signature(1, their, txscript.SigHashAll))
		p.Inputs[1].Set(inFinalWitness, nil, WitnessBytes(sig, their.PubKey().SerializeCompressed()))
	})
	s.refused("final-invalid/hit-ours", "final-invalid", "Ours, for another lock time.", finish(0, mine), func(p *Packet) { p.LockTime++ })
	s.caution("final-invalid/miss-good", "foreign-input", "A stranger's, good.", theirs, finish(1, their))
	s.caution("final-invalid/miss-taproot", "foreign-input", "A stranger's taproot input, good.", s.spending(P2TR), joined(s.friend.At(P2TR, 0, 1)), finish(1, s.friend.Private("m/86h/0h/0h/0/1")))
	s.clear("final-invalid/miss-ours-without-claims", "Ours, whose derivations the finaliser took out: it is known by its script.", joined(s.me.At(P2WPKH, 1, 12)), finish(1, s.me.Private("m/84h/0h/0h/1/12")))

	for _, t := range []struct {
		typ  Type
		path string
	}{{P2WPKH, "m/84h/0h/0h/0/3"}, {P2SHP2WPKH, "m/49h/0h/0h/0/3"}, {P2PKH, "m/44h/0h/0h/0/3"}, {P2TR, "m/86h/0h/0h/0/3"}} {
		s.clear("complete/hit-"+string(t.typ), "Every input is final, "+string(t.typ)+".", s.spending(t.typ), finish(0, s.me.Private(t.path)))
	}
	s.clear("complete/miss-one-of-two", "One input of two is final.", joined(s.me.At(P2WPKH, 0, 9)), finish(0, mine))
	s.clear("complete/miss-signed", "Signed, but not final.", sign(0, mine, txscript.SigHashAll))
	s.refused("complete/miss-invalid", "final-invalid", "Final, but not valid.", finish(0, mine), func(p *Packet) { p.LockTime++ })
}
