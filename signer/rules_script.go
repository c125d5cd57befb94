package signer

import "fmt"

func scriptMismatch(what string) sentences {
	return sentences{
		what,
		"What is shown of the script is not what the network will check.",
		"Do not use this file. Make the transaction again, on a computer that you trust.",
	}
}

// findRedeemMismatch: a redeem script that does not hash to the script spent or
// paid.
func findRedeemMismatch(a *assessment, s *sayer) {
	bad := scriptMismatch("The redeem script in the file does not belong to the script of this address.")
	for i := range a.tx.ins {
		if f := &a.tx.ins[i]; f.known && f.redeem != nil && !redeemMatches(f.spent.PkScript, f.redeem) {
			s.input(i, CodeRedeemScriptMismatch, bad)
		}
	}
	for i := range a.tx.outs {
		if f := &a.tx.outs[i]; f.redeem != nil && !redeemMatches(a.msg.TxOut[i].PkScript, f.redeem) {
			s.output(i, CodeRedeemScriptMismatch, bad)
		}
	}
}

// findWitnessMismatch: a witness script that does not hash to the program spent
// or paid.
func findWitnessMismatch(a *assessment, s *sayer) {
	bad := scriptMismatch("The witness script in the file does not belong to the script of this address.")
	fits := func(script, redeem, witness []byte) bool {
		if scriptTypeOf(script) == P2SH && redeem != nil {
			script = redeem
		}
		return witnessScriptMatches(script, witness)
	}
	for i := range a.tx.ins {
		if f := &a.tx.ins[i]; f.known && f.witness != nil && !fits(f.spent.PkScript, f.redeem, f.witness) {
			s.input(i, CodeWitnessScriptMismatch, bad)
		}
	}
	for i := range a.tx.outs {
		if f := &a.tx.outs[i]; f.witness != nil && !fits(a.msg.TxOut[i].PkScript, f.redeem, f.witness) {
			s.output(i, CodeWitnessScriptMismatch, bad)
		}
	}
}

// findTaprootMismatch: internal key and tree, or a leaf and its control block,
// that do not give the output key.
func findTaprootMismatch(a *assessment, s *sayer) {
	bad := scriptMismatch("The taproot key or scripts in the file do not belong to this address.")
	for i := range a.tx.ins {
		// What was rebuilt from a key of ours alone has no scripts behind it.
		alone := a.in[i].standing.status == proven
		if f := &a.tx.ins[i]; f.known && f.taproot != nil && (f.taproot.wrong || f.script != P2TR || alone && f.taproot.scripts()) {
			s.input(i, CodeTaprootMismatch, bad)
		}
	}
	for i := range a.tx.outs {
		if f := &a.tx.outs[i]; f.taproot != nil && (f.taproot.wrong || f.script != P2TR) {
			s.output(i, CodeTaprootMismatch, bad)
		}
	}
}

// findScriptUnsupported: an input of ours, or claimed, whose script this
// station or this make of card cannot sign.
func findScriptUnsupported(a *assessment, s *sayer) {
	for i := range a.in {
		if a.tx.ins[i].final {
			continue
		}
		st := a.in[i].standing.status
		if st == policy || st == claimed && a.beyondStation(i) {
			s.input(i, CodeScriptUnsupported, sentences{
				fmt.Sprintf("This input has a script of the type %s that this station cannot sign yet.", a.in[i].script),
				"It would stay unsigned.",
				"Sign it with a signer that knows this kind of wallet. This station signs wallets of one key.",
			})
		}
	}
	if a.can == nil {
		return
	}
	for i := range a.spends {
		req := a.spends[i].request()
		if err := a.can(req); err != nil {
			s.input(req.Input, CodeScriptUnsupported, sentences{
				fmt.Sprintf("This card cannot sign this input: %v.", err),
				"It would stay unsigned.",
				"Use a card of another make that holds the same keys.",
			})
		}
	}
}

// request is what a key would be asked for this input, without the digest.
func (s *spend) request() Request {
	req := Request{Input: s.input, Path: s.path, PubKey: s.pubkey, Scheme: ECDSA}
	if s.script == P2TR {
		req.Scheme = SchnorrKeyPath
	}
	return req
}

// beyondStation tells whether an input's script is of a kind that is made of
// more than one key. What is not known may still turn out to be one key.
func (a *assessment) beyondStation(i int) bool {
	f, t := &a.tx.ins[i], a.in[i].script
	switch {
	case !f.known, t == P2SH && f.redeem == nil:
		return false
	case t == P2TR:
		return f.taproot.scripts()
	}
	return !singleKey(t)
}
