package signer

import "fmt"

// Limits of the fee rules, in satoshis and sat/vB.
const (
	absurdFee      = 1_000_000 // with a tenth of what is spent
	absurdHalfFee  = 100_000   // with half of it
	absurdRate     = 10_000
	highFee        = 10_000 // with a twentieth of what leaves, or more than what leaves
	highRate       = 500
	lowestUsualFee = 1 // sat/vB
)

// feeLine says the fee as the first page does.
func (a *assessment) feeLine() string {
	t := &a.report.Totals
	of := "what leaves"
	if t.ToOthers == 0 {
		of = "what is spent"
	}
	return fmt.Sprintf("The fee is %s: %.1f %% of %s, %.2f sat/vB.", a.amount(t.Fee.Sat), t.FeePercent, of, t.FeeRate)
}

// findFeeNegative: outputs exceed inputs.
func findFeeNegative(a *assessment, s *sayer) {
	if t := &a.report.Totals; t.Fee.Known && t.Fee.Sat < 0 {
		s.transaction(CodeFeeNegative, sentences{
			fmt.Sprintf("The outputs pay %s more than the inputs have.", a.amount(-t.Fee.Sat)),
			"The network refuses such a transaction; an amount in the file is false or an input is missing.",
			"Make the transaction again at the coordinator.",
		})
	}
}

// findFeeAbsurd: a fee of a tenth of the inputs' total and a million satoshis,
// or of half of it and 100,000, or 10,000 sat/vB.
func findFeeAbsurd(a *assessment, s *sayer) {
	t := &a.report.Totals
	fee := t.Fee.Sat
	if !t.Fee.Known || fee <= 0 {
		return
	}
	if fee >= absurdFee && fee >= (t.In.Sat+9)/10 ||
		fee >= absurdHalfFee && fee >= (t.In.Sat+1)/2 ||
		fee >= absurdRate*a.report.VSize {
		s.transaction(CodeFeeAbsurd, sentences{
			a.feeLine(),
			"Nobody pays that on purpose. It would go to a miner and could not be had back.",
			"Make the transaction again with a lower fee, and check that its change output is there.",
		})
	}
}

// findFeeHigh: a fee of a twentieth of what leaves (of the inputs' total where
// nothing leaves) and 10,000 sat, or above 500 sat/vB, or more than what leaves
// and 10,000 sat.
func findFeeHigh(a *assessment, s *sayer) {
	t := &a.report.Totals
	fee := t.Fee.Sat
	if !t.Fee.Known || fee <= 0 {
		return
	}
	if fee >= highFee && fee >= (t.feeBase()+19)/20 || fee > highRate*a.report.VSize {
		s.transaction(CodeFeeHigh, sentences{a.feeLine(), "That is a large part of the payment.", ""})
	}
}

// findFeeLow: below 1 sat/vB, zero included.
func findFeeLow(a *assessment, s *sayer) {
	if t := &a.report.Totals; t.Fee.Known && t.Fee.Sat >= 0 && t.Fee.Sat < lowestUsualFee*a.report.VSize {
		s.transaction(CodeFeeLow, sentences{
			fmt.Sprintf("The fee of %.2f sat/vB is below what most of the network passes on.", t.FeeRate),
			"The transaction may not confirm for a long time.", "",
		})
	}
}
