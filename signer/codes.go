package signer

import (
	"maps"
	"slices"
)

// Code names a rule of the rule book. Codes are public: on screen, in
// inspect-json and in tests. None is ever renamed or weakened.
type Code string

// Codes that refuse.
const (
	CodeAmountMissing              Code = "amount-missing"
	CodePrevtxMissing              Code = "prevtx-missing"
	CodeAmountChanged              Code = "amount-changed"
	CodePrevtxMismatch             Code = "prevtx-mismatch"
	CodeUtxoConflict               Code = "utxo-conflict"
	CodeLegacyWitnessUtxo          Code = "legacy-witness-utxo"
	CodeAmountRange                Code = "amount-range"
	CodeFeeNegative                Code = "fee-negative"
	CodeFeeAbsurd                  Code = "fee-absurd"
	CodeInputDuplicate             Code = "input-duplicate"
	CodeTxTooLarge                 Code = "tx-too-large"
	CodeTooManyAccounts            Code = "too-many-accounts"
	CodeSighashUnsafe              Code = "sighash-unsafe"
	CodeSighashUnknown             Code = "sighash-unknown"
	CodeSighashSingleMissingOutput Code = "sighash-single-missing-output"
	CodePartialSigInvalid          Code = "partial-sig-invalid"
	CodeFinalInvalid               Code = "final-invalid"
	CodeRedeemScriptMismatch       Code = "redeem-script-mismatch"
	CodeWitnessScriptMismatch      Code = "witness-script-mismatch"
	CodeTaprootMismatch            Code = "taproot-mismatch"
	CodeInputNotProven             Code = "input-not-proven"
	CodeChangeFraud                Code = "change-fraud"
	CodeOutputScriptMissing        Code = "output-script-missing"
	CodeOutputUnspendable          Code = "output-unspendable"
	CodeNetworkMismatch            Code = "network-mismatch"
	CodeWalletInvalid              Code = "wallet-invalid"
	CodeScriptUnsupported          Code = "script-unsupported"
	CodePathReserved               Code = "path-reserved"
)

// Codes that want an acknowledgement.
const (
	CodeAmountsUnproven         Code = "amounts-unproven"
	CodeFeeHigh                 Code = "fee-high"
	CodeFeeUnknown              Code = "fee-unknown"
	CodeChangeUnproven          Code = "change-unproven"
	CodeWalletUnregistered      Code = "wallet-unregistered"
	CodeForeignInput            Code = "foreign-input"
	CodeInputSignedBefore       Code = "input-signed-before"
	CodePathUnusual             Code = "path-unusual"
	CodePathFar                 Code = "path-far"
	CodeOtherAccount            Code = "other-account"
	CodeLocktimeFuture          Code = "locktime-future"
	CodeDataOutput              Code = "data-output"
	CodeDataOutputValue         Code = "data-output-value"
	CodeOutputDust              Code = "output-dust"
	CodeWitnessUnknown          Code = "witness-unknown"
	CodeScriptNonstandard       Code = "script-nonstandard"
	CodeSilentPaymentUnverified Code = "silent-payment-unverified"
	CodeTxVersionUnusual        Code = "tx-version-unusual"
	CodeTxLarge                 Code = "tx-large"
	CodeNothingToSign           Code = "nothing-to-sign"
)

// Codes that are said and want nothing.
const (
	CodeReplaceable       Code = "replaceable"
	CodeSelfTransfer      Code = "self-transfer"
	CodeNoChange          Code = "no-change"
	CodeLocktimeHeight    Code = "locktime-height"
	CodeLocktimeTime      Code = "locktime-time"
	CodeLocktimeInert     Code = "locktime-inert"
	CodeComplete          Code = "complete"
	CodePolicyDelay       Code = "policy-delay"
	CodeFeeLow            Code = "fee-low"
	CodeAddressRepeated   Code = "address-repeated"
	CodeAlreadySigned     Code = "already-signed"
	CodeSighashAllTaproot Code = "sighash-all-taproot"
	CodeSignaturesNeeded  Code = "signatures-needed"
	CodeUnsortedMultisig  Code = "unsorted-multisig"
	CodeTruc              Code = "truc"
	CodePayToAnchor       Code = "pay-to-anchor"
)

// Codes of what a card did wrong while signing; they are in a *SigningError, never in a Report.
const (
	CodeSignatureInvalid  Code = "signature-invalid"
	CodeSignatureWrongKey Code = "signature-wrong-key"
	CodeNonceRepeated     Code = "nonce-repeated"
	CodeCardSwapped       Code = "card-swapped"
	CodeResultInvalid     Code = "result-invalid"
)

// severities is the one place that says how severe a code is.
var severities = map[Code]Severity{
	CodeAmountMissing:              Refuse,
	CodePrevtxMissing:              Refuse,
	CodeAmountChanged:              Refuse,
	CodePrevtxMismatch:             Refuse,
	CodeUtxoConflict:               Refuse,
	CodeLegacyWitnessUtxo:          Refuse,
	CodeAmountRange:                Refuse,
	CodeFeeNegative:                Refuse,
	CodeFeeAbsurd:                  Refuse,
	CodeInputDuplicate:             Refuse,
	CodeTxTooLarge:                 Refuse,
	CodeTooManyAccounts:            Refuse,
	CodeSighashUnsafe:              Refuse,
	CodeSighashUnknown:             Refuse,
	CodeSighashSingleMissingOutput: Refuse,
	CodePartialSigInvalid:          Refuse,
	CodeFinalInvalid:               Refuse,
	CodeRedeemScriptMismatch:       Refuse,
	CodeWitnessScriptMismatch:      Refuse,
	CodeTaprootMismatch:            Refuse,
	CodeInputNotProven:             Refuse,
	CodeChangeFraud:                Refuse,
	CodeOutputScriptMissing:        Refuse,
	CodeOutputUnspendable:          Refuse,
	CodeNetworkMismatch:            Refuse,
	CodeWalletInvalid:              Refuse,
	CodeScriptUnsupported:          Refuse,
	CodePathReserved:               Refuse,
	CodeSignatureInvalid:           Refuse,
	CodeSignatureWrongKey:          Refuse,
	CodeNonceRepeated:              Refuse,
	CodeCardSwapped:                Refuse,
	CodeResultInvalid:              Refuse,
	CodeAmountsUnproven:            Caution,
	CodeFeeHigh:                    Caution,
	CodeFeeUnknown:                 Caution,
	CodeChangeUnproven:             Caution,
	CodeWalletUnregistered:         Caution,
	CodeForeignInput:               Caution,
	CodeInputSignedBefore:          Caution,
	CodePathUnusual:                Caution,
	CodePathFar:                    Caution,
	CodeOtherAccount:               Caution,
	CodeLocktimeFuture:             Caution,
	CodeDataOutput:                 Caution,
	CodeDataOutputValue:            Caution,
	CodeOutputDust:                 Caution,
	CodeWitnessUnknown:             Caution,
	CodeScriptNonstandard:          Caution,
	CodeSilentPaymentUnverified:    Caution,
	CodeTxVersionUnusual:           Caution,
	CodeTxLarge:                    Caution,
	CodeNothingToSign:              Caution,
	CodeReplaceable:                Note,
	CodeSelfTransfer:               Note,
	CodeNoChange:                   Note,
	CodeLocktimeHeight:             Note,
	CodeLocktimeTime:               Note,
	CodeLocktimeInert:              Note,
	CodeComplete:                   Note,
	CodePolicyDelay:                Note,
	CodeFeeLow:                     Note,
	CodeAddressRepeated:            Note,
	CodeAlreadySigned:              Note,
	CodeSighashAllTaproot:          Note,
	CodeSignaturesNeeded:           Note,
	CodeUnsortedMultisig:           Note,
	CodeTruc:                       Note,
	CodePayToAnchor:                Note,
}

// Codes lists every code there is, sorted: refusals, cautions and notes of a
// report, and what a card can do wrong while signing.
func Codes() []Code { return slices.Sorted(maps.Keys(severities)) }

// Severity of the code. An unknown code refuses: fail closed.
func (c Code) Severity() Severity {
	if s, ok := severities[c]; ok {
		return s
	}
	return Refuse
}
