package signer

import (
	"fmt"

	"github.com/btcsuite/btcd/txscript"
)

// asks tells whether input i may be asked of us: it is ours, or it claims so
// and nothing has shown that it is not.
func (a *assessment) asks(i int) bool {
	switch a.in[i].standing.status {
	case stranger, away, like:
		return false
	}
	return true
}

// knownSighash tells whether a sighash type has a meaning: base type ALL, NONE
// or SINGLE, perhaps ANYONECANPAY, or DEFAULT for taproot. All 32 bits count.
func (in *inputState) knownSighash() bool {
	switch in.sighash {
	case 1, 2, 3, 0x81, 0x82, 0x83:
		return true
	}
	return in.script == P2TR && in.sighash == uint32(txscript.SigHashDefault)
}

// safeSighash tells whether a signature commits to all inputs and outputs.
func (in *inputState) safeSighash() bool {
	return in.sighash == uint32(txscript.SigHashAll) || in.script == P2TR && in.sighash == uint32(txscript.SigHashDefault)
}

// findSighashUnsafe: an input of ours, or claimed, that asks for anything but
// ALL (or DEFAULT, taproot).
func findSighashUnsafe(a *assessment, s *sayer) {
	for i := range a.in {
		if in := &a.in[i]; a.asks(i) && in.knownSighash() && !in.safeSighash() {
			s.input(i, CodeSighashUnsafe, sentences{
				fmt.Sprintf("This input asks for a signature of the kind %s.", sighashName(in.sighash, in.script == P2TR)),
				"Such a signature leaves parts of the transaction open: somebody else could change where the money goes.",
				"Make the transaction again with the signature type ALL (DEFAULT for taproot): in Sparrow it is chosen beside \"Finalize Transaction for Signing\"; in Core it is the sighashtype of walletprocesspsbt.",
			})
		}
	}
}

// findSighashUnknown: a value without a known base type, or with unknown bits.
func findSighashUnknown(a *assessment, s *sayer) {
	for i := range a.in {
		if in := &a.in[i]; !in.knownSighash() {
			s.input(i, CodeSighashUnknown, sentences{
				fmt.Sprintf("This input asks for a signature of the kind 0x%02x, which does not exist.", in.sighash),
				"Nobody can say what such a signature would permit.",
				"Make the transaction again at the coordinator with the signature type ALL.",
			})
		}
	}
}

// findSighashSingle: SINGLE with no output at that index.
func findSighashSingle(a *assessment, s *sayer) {
	for i := range a.in {
		if in := &a.in[i]; in.knownSighash() && in.sighash&0x1f == uint32(txscript.SigHashSingle) && i >= len(a.msg.TxOut) {
			s.input(i, CodeSighashSingleMissingOutput, sentences{
				fmt.Sprintf("This input asks for a signature for output %d alone, and there is no such output.", i),
				"For a legacy input such a signature signs nothing: it could be used for any transaction.",
				"Do not use this file. Make the transaction again at the coordinator.",
			})
		}
	}
}

// findSighashAllTaproot: a taproot input of ours that asks for ALL by name
// where DEFAULT means the same.
func findSighashAllTaproot(a *assessment, s *sayer) {
	for i := range a.in {
		if in := &a.in[i]; a.asks(i) && in.script == P2TR && in.sighash == uint32(txscript.SigHashAll) {
			s.input(i, CodeSighashAllTaproot, sentences{what: "This taproot input asks for ALL by name: the same as DEFAULT, one byte longer."})
		}
	}
}

// findPartialSigInvalid: a signature already in the file that is not strict DER
// with low S (ECDSA), does not verify, or whose sighash differs from the
// declared one.
func findPartialSigInvalid(a *assessment, s *sayer) {
	for i := range a.in {
		for _, why := range a.in[i].signed.bad {
			s.input(i, CodePartialSigInvalid, sentences{
				fmt.Sprintf("A signature that is already in the file is not valid: %s.", why),
				"The transaction could not be finished, or the signature is there to learn something about a key.",
				"Make the transaction again without that signature, and find out who put it in.",
			})
		}
	}
}

// findFinalInvalid: an input already finalised that fails the script engine.
func findFinalInvalid(a *assessment, s *sayer) {
	for i := range a.in {
		if in := &a.in[i]; in.signed.ran && in.signed.invalid != nil {
			s.input(i, CodeFinalInvalid, sentences{
				"This input counts as finished, but its signatures do not spend the coin.",
				"The network would refuse the transaction.",
				"Make the transaction again at the coordinator and have it signed anew.",
			})
		}
	}
}

// findComplete: every input is final and valid.
func findComplete(a *assessment, s *sayer) {
	for i := range a.in {
		if in := &a.in[i]; !in.signed.ran || in.signed.invalid != nil {
			return
		}
	}
	if len(a.in) > 0 {
		s.transaction(CodeComplete, sentences{what: "Every input is signed and final: the transaction is ready to be sent."})
	}
}

// findAlreadySigned: a signature of our own key is there, and verified.
func findAlreadySigned(a *assessment, s *sayer) {
	for i := range a.in {
		if a.in[i].signed.ours {
			s.input(i, CodeAlreadySigned, sentences{what: "Your signature for this input is already in the file, and it is good."})
		}
	}
}

// findSignaturesNeeded: how many signatures are missing beyond ours.
func findSignaturesNeeded(a *assessment, s *sayer) {
	if !a.checked || a.ours == 0 {
		return
	}
	missing := 0
	for i := range a.report.Inputs {
		in := &a.report.Inputs[i]
		need := in.SignaturesNeed - in.SignaturesHave
		if a.asks(i) {
			need--
		}
		if !a.tx.ins[i].final {
			missing += max(need, 0)
		}
	}
	switch {
	case missing == 1:
		s.transaction(CodeSignaturesNeeded, sentences{what: "Beside yours, one more signature is needed."})
	case missing > 1:
		s.transaction(CodeSignaturesNeeded, sentences{what: fmt.Sprintf("Beside yours, %s more signatures are needed.", thousands(int64(missing)))})
	}
}
