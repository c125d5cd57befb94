package signer

import (
	"cmp"
	"slices"
)

// A rule of the rule book looks at an assessment, of which it changes nothing,
// and says what it finds. Every rule has one function; adding one is a function
// and a line in the table.
type rule struct {
	codes []Code // that it may find
	find  func(a *assessment, s *sayer)
}

// rules is the table, in the order of the rule book.
func rules() []rule {
	return []rule{
		// What is spent (rules_amount.go).
		{[]Code{CodeAmountMissing}, findAmountMissing},
		{[]Code{CodePrevtxMissing, CodeAmountsUnproven}, findPrevtxMissing},
		{[]Code{CodePrevtxMismatch}, findPrevtxMismatch},
		{[]Code{CodeUtxoConflict}, findUtxoConflict},
		{[]Code{CodeLegacyWitnessUtxo}, findLegacyWitnessUtxo},
		{[]Code{CodeAmountRange}, findAmountRange},
		{[]Code{CodeAmountChanged, CodeInputSignedBefore}, findSignedBefore},
		{[]Code{CodeFeeUnknown}, findFeeUnknown},
		// The fee (rules_fee.go).
		{[]Code{CodeFeeNegative}, findFeeNegative},
		{[]Code{CodeFeeAbsurd}, findFeeAbsurd},
		{[]Code{CodeFeeHigh}, findFeeHigh},
		{[]Code{CodeFeeLow}, findFeeLow},
		// The transaction (rules_tx.go).
		{[]Code{CodeInputDuplicate}, findInputDuplicate},
		{[]Code{CodeTxTooLarge, CodeTxLarge}, findTxLarge},
		{[]Code{CodeTxVersionUnusual, CodeTruc}, findTxVersion},
		{[]Code{CodeLocktimeFuture, CodeLocktimeHeight, CodeLocktimeTime, CodeLocktimeInert}, findLocktime},
		{[]Code{CodeLocktimeFuture}, findRelativeLock},
		{[]Code{CodeReplaceable}, findReplaceable},
		// Signatures and how they are asked for (rules_sign.go).
		{[]Code{CodeSighashUnsafe}, findSighashUnsafe},
		{[]Code{CodeSighashUnknown}, findSighashUnknown},
		{[]Code{CodeSighashSingleMissingOutput}, findSighashSingle},
		{[]Code{CodeSighashAllTaproot}, findSighashAllTaproot},
		{[]Code{CodePartialSigInvalid}, findPartialSigInvalid},
		{[]Code{CodeFinalInvalid}, findFinalInvalid},
		{[]Code{CodeComplete}, findComplete},
		{[]Code{CodeAlreadySigned}, findAlreadySigned},
		{[]Code{CodeSignaturesNeeded}, findSignaturesNeeded},
		// Scripts that do not hash (rules_script.go).
		{[]Code{CodeRedeemScriptMismatch}, findRedeemMismatch},
		{[]Code{CodeWitnessScriptMismatch}, findWitnessMismatch},
		{[]Code{CodeTaprootMismatch}, findTaprootMismatch},
		{[]Code{CodeScriptUnsupported}, findScriptUnsupported},
		// Whose it is (rules_own.go).
		{[]Code{CodeInputNotProven}, findInputNotProven},
		{[]Code{CodeChangeFraud}, findChangeFraud},
		{[]Code{CodeChangeUnproven}, findChangeUnproven},
		{[]Code{CodeWalletUnregistered}, findWalletUnregistered},
		{[]Code{CodeOtherAccount}, findOtherAccount},
		{[]Code{CodePathReserved}, findPathReserved},
		{[]Code{CodePathUnusual}, findPathUnusual},
		{[]Code{CodePathFar}, findPathFar},
		{[]Code{CodeNetworkMismatch}, findNetworkMismatch},
		{[]Code{CodeTooManyAccounts}, findTooManyAccounts},
		{[]Code{CodeForeignInput}, findForeignInput},
		{[]Code{CodeNothingToSign}, findNothingToSign},
		{[]Code{CodeSelfTransfer, CodeNoChange}, findNoChange},
		// What is paid (rules_output.go).
		{[]Code{CodeOutputUnspendable}, findOutputUnspendable},
		{[]Code{CodeDataOutput, CodeDataOutputValue}, findDataOutput},
		{[]Code{CodeOutputDust}, findOutputDust},
		{[]Code{CodeWitnessUnknown}, findWitnessUnknown},
		{[]Code{CodeScriptNonstandard}, findScriptNonstandard},
		{[]Code{CodePayToAnchor}, findPayToAnchor},
		{[]Code{CodeAddressRepeated}, findAddressRepeated},
	}
}

// sentences of a finding: what is wrong, what it could cost, what to do.
type sentences struct{ what, cost, remedy string }

// sayer collects findings. Their severity is the code's, never a rule's.
type sayer struct{ findings []Finding }

func (s *sayer) say(c Code, about Subject, index int, t sentences) {
	s.findings = append(s.findings, Finding{
		Code: c, Severity: c.Severity(), Subject: about, Index: index,
		What: t.what, Cost: t.cost, Remedy: t.remedy,
	})
}

func (s *sayer) transaction(c Code, t sentences)   { s.say(c, SubjectTransaction, 0, t) }
func (s *sayer) input(i int, c Code, t sentences)  { s.say(c, SubjectInput, i, t) }
func (s *sayer) output(i int, c Code, t sentences) { s.say(c, SubjectOutput, i, t) }
func (s *sayer) wallet(i int, c Code, t sentences) { s.say(c, SubjectWallet, i, t) }

// applyRules asks every rule and comes to the verdict: the worst severity
// found.
func (a *assessment) applyRules() {
	s := &sayer{}
	for _, r := range rules() {
		r.find(a, s)
	}
	sortFindings(s.findings)
	a.report.Findings = s.findings
	a.report.Verdict = VerdictClear
	for i := range s.findings {
		switch s.findings[i].Severity {
		case Note:
		case Caution:
			if a.report.Verdict == VerdictClear {
				a.report.Verdict = VerdictCaution
			}
		default:
			a.report.Verdict = VerdictRefused
		}
	}
}

// sortFindings puts them in the order of inspect-json: severity (refuse first),
// subject, index; then in that of the rule book.
func sortFindings(found []Finding) {
	place := map[Subject]int{SubjectTransaction: 0, SubjectWallet: 1, SubjectInput: 2, SubjectOutput: 3}
	slices.SortStableFunc(found, func(x, y Finding) int {
		return cmp.Or(
			cmp.Compare(y.Severity, x.Severity),
			cmp.Compare(place[x.Subject], place[y.Subject]),
			cmp.Compare(x.Index, y.Index),
		)
	})
}
