package signer

import (
	"fmt"

	"github.com/airlock-signer/airlock/signer/plain"
)

// findOutputUnspendable: a witness v0 program that is neither 20 nor 32 bytes.
func findOutputUnspendable(a *assessment, s *sayer) {
	for i, o := range a.msg.TxOut {
		version, program, ok := witnessProgram(o.PkScript)
		if ok && version == 0 && len(program) != 20 && len(program) != 32 {
			s.output(i, CodeOutputUnspendable, sentences{
				"This output pays a script that nobody can ever spend.",
				"The amount would be lost.",
				"Ask for the address again and make the transaction anew.",
			})
		}
	}
}

// findDataOutput: OP_RETURN, with its whole payload in hex, and as text where
// that is printable (data-output); one that burns an amount
// (data-output-value).
func findDataOutput(a *assessment, s *sayer) {
	for i, o := range a.msg.TxOut {
		if a.out[i].script != OpReturn {
			continue
		}
		data := opReturnData(o.PkScript)
		what := fmt.Sprintf("This output publishes %d bytes of data: %x.", len(data), data)
		if len(data) == 0 {
			what = "This output publishes data, but there are none in it."
		}
		if len(data) > 0 && plain.Printable(data) {
			what += fmt.Sprintf(" As text: \"%s\".", plain.Bytes(data))
		}
		s.output(i, CodeDataOutput, sentences{what, "Anyone can read it for ever, and it can link this payment to you.", ""})
		if o.Value > 0 {
			s.output(i, CodeDataOutputValue, sentences{
				fmt.Sprintf("This output burns %s: money in a data output can never be spent.", a.amount(o.Value)),
				"The amount would be lost.", "",
			})
		}
	}
}

// findOutputDust: below the dust limit of its script type, zero included. An
// OP_RETURN has no limit, and pay-to-anchor may be zero.
func findOutputDust(a *assessment, s *sayer) {
	said := map[[2]int64]string{} // thousands of them may be alike
	for i, o := range a.msg.TxOut {
		limit := dustLimit(o.PkScript)
		if o.Value < 0 || o.Value >= limit || a.out[i].script == P2A && o.Value == 0 {
			continue
		}
		id := [2]int64{o.Value, limit}
		if said[id] == "" {
			said[id] = fmt.Sprintf("This output holds %s, less than the %s that are worth spending.", a.amount(o.Value), a.amount(limit))
		}
		s.output(i, CodeOutputDust, sentences{
			said[id],
			"The network may not pass the transaction on.", "",
		})
	}
}

// findWitnessUnknown: witness version 2 to 16, or a v1 program that is neither
// 32 bytes nor pay-to-anchor.
func findWitnessUnknown(a *assessment, s *sayer) {
	for i, o := range a.msg.TxOut {
		version, program, ok := witnessProgram(o.PkScript)
		if !ok || version == 0 || a.out[i].script == P2TR || a.out[i].script == P2A {
			continue
		}
		s.output(i, CodeWitnessUnknown, sentences{
			fmt.Sprintf("This output pays a kind of address that has no rules yet: witness version %d with %d bytes.", version, len(program)),
			"Until the network has rules for it, anyone can take the money.", "",
		})
	}
}

// findScriptNonstandard: an output with no address form (empty, p2pk, bare
// multisig, anything else), the script in full.
func findScriptNonstandard(a *assessment, s *sayer) {
	for i, o := range a.msg.TxOut {
		switch scriptTypeOf(o.PkScript) {
		case P2PKH, P2SH, OpReturn:
			continue
		}
		if isWitness(o.PkScript) {
			continue
		}
		what := fmt.Sprintf("This output pays a script that has no address: %x.", o.PkScript)
		if len(o.PkScript) == 0 {
			what = "This output pays an empty script."
		}
		s.output(i, CodeScriptNonstandard, sentences{what, "You cannot compare it with an address; an empty script can be spent by anyone.", ""})
	}
}

// findPayToAnchor: the output that lets anyone add a fee later.
func findPayToAnchor(a *assessment, s *sayer) {
	for i := range a.out {
		if a.out[i].script == P2A {
			s.output(i, CodePayToAnchor, sentences{what: "This output is an anchor: anyone may spend it, to add to the fee."})
		}
	}
}

// findAddressRepeated: one address paid twice.
func findAddressRepeated(a *assessment, s *sayer) {
	first, said := make(map[string]int, len(a.msg.TxOut)), map[int]string{}
	for i, o := range a.msg.TxOut {
		if a.out[i].script == OpReturn {
			continue
		}
		if at, ok := first[string(o.PkScript)]; ok {
			if said[at] == "" {
				said[at] = fmt.Sprintf("This output pays the same address as output %d.", at)
			}
			s.output(i, CodeAddressRepeated, sentences{what: said[at]})
			continue
		}
		first[string(o.PkScript)] = i
	}
}
