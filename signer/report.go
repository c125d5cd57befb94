package signer

import (
	"github.com/btcsuite/btcd/chaincfg/chainhash"
	"github.com/btcsuite/btcd/wire"
)

// Severity of a finding. The verdict is the worst severity found.
type Severity uint8

// The severities, mildest first.
const (
	Note    Severity = iota // ordinary; needs no acknowledgement
	Caution                 // legitimate but unusual: each kind is acknowledged
	Refuse                  // dangerous beyond what an acknowledgement can carry
)

// String is the word used on screens and in inspect-json: "note", "caution",
// "refuse".
func (s Severity) String() string {
	return [...]string{"note", "caution", "refuse"}[s]
}

// Verdict over a whole transaction.
type Verdict string

// The verdicts of the rule book. VerdictMalformed is never in a Report: a
// malformed file has no Transaction (see Open).
const (
	VerdictClear     Verdict = "clear"
	VerdictCaution   Verdict = "caution"
	VerdictRefused   Verdict = "refused"
	VerdictMalformed Verdict = "malformed"
)

// Subject is what a finding is about.
type Subject string

// The subjects, in the order in which findings of one severity are listed.
const (
	SubjectTransaction Subject = "transaction"
	SubjectWallet      Subject = "wallet"
	SubjectInput       Subject = "input"
	SubjectOutput      Subject = "output"
)

// Finding is one thing the rule book found. What, Cost and Remedy are
// sentences for a person; everything in them that came from outside is already
// escaped (package plain).
type Finding struct {
	Code     Code
	Severity Severity
	Subject  Subject
	Index    int // of the input, output or wallet; 0 for the transaction

	What   string // what is wrong
	Cost   string // what it could cost; may be empty for a note
	Remedy string // what to do about it; never empty for Refuse
}

// Message is the whole finding as one text.
func (f Finding) Message() string {
	m := f.What
	for _, s := range []string{f.Cost, f.Remedy} {
		if s != "" {
			m += " " + s
		}
	}
	return m
}

// ScriptType names a script as inspect-json does.
type ScriptType string

// The script types of inspect-json.
const (
	P2PK          ScriptType = "p2pk"
	P2PKH         ScriptType = "p2pkh"
	P2SH          ScriptType = "p2sh"
	P2SHP2WPKH    ScriptType = "p2sh-p2wpkh"
	P2SHP2WSH     ScriptType = "p2sh-p2wsh"
	P2WPKH        ScriptType = "p2wpkh"
	P2WSH         ScriptType = "p2wsh"
	P2TR          ScriptType = "p2tr"
	P2A           ScriptType = "p2a"
	OpReturn      ScriptType = "op_return"
	UnknownScript ScriptType = "unknown"
)

// Owner of an input.
type Owner string

// Owners. Claimed appears where nothing could be rebuilt: a preview, inspect
// without a wallet, or an input that names us and is refused.
const (
	Ours    Owner = "ours"
	Theirs  Owner = "theirs"
	Claimed Owner = "claimed"
)

// Kind of an output.
type Kind string

// Kinds of output. KindChange takes in the receive addresses of the same wallet:
// whatever stands on one of its usual branches comes back without a word.
const (
	KindPayment Kind = "payment" // leaves
	KindChange  Kind = "change"  // rebuilt from our wallet or account: comes back
	KindOwn     Kind = "own"     // ours, at an unusual or far path: comes back, with a caution
	KindData    Kind = "data"    // OP_RETURN
	// KindUnknown is claimed to be ours where nothing was there to prove it with
	// (a preview, or inspect without a wallet): it counts as leaving.
	KindUnknown Kind = "unknown"
)

// Amount in satoshis; Known is false where the file does not give it.
type Amount struct {
	Sat   int64
	Known bool
}

// Input is one input as reviewed.
type Input struct {
	Index          int
	Outpoint       wire.OutPoint
	Amount         Amount
	AmountProven   bool   // by the full previous transaction (or a taproot signature that commits to it)
	Script         []byte // scriptPubKey spent, nil where unknown
	Address        string // "" where the script has no address form
	ScriptType     ScriptType
	Sequence       uint32
	Sighash        string // "ALL", "DEFAULT", "SINGLE|ANYONECANPAY", …, or hex where unknown
	Owner          Owner
	Wallet         string  // name of the wallet or account, "" where none
	Path           Path    // of our key; of the first claimed key in a preview; nil where none
	Fingerprint    [4]byte // that is claimed with Path
	SignaturesHave int
	SignaturesNeed int
}

// Output is one output as reviewed.
type Output struct {
	Index       int
	Amount      int64 // satoshis
	Script      []byte
	Address     string // "" where the script has no address form
	ScriptType  ScriptType
	Kind        Kind
	Claimed     bool   // the file claims it is ours, and that is not proven: it counts as leaving
	Proof       string // "wallet NAME", "account m/84h/0h/0h of this card", "none"
	Path        Path
	Fingerprint [4]byte
	Data        []byte // payload of an OP_RETURN, whole
}

// Totals of a transaction. In = ToOthers + BackToUs + Fee whenever In.Known;
// the rule book refuses otherwise.
type Totals struct {
	In       Amount
	ToOthers int64 // leaves the fee out
	BackToUs int64
	Fee      Amount
	// FeeRate is in sat/vB of the estimated final size; FeePercent is of what
	// leaves, or of the inputs' total where nothing leaves. Both are 0 where the
	// fee is not known.
	FeeRate    float64
	FeePercent float64
}

// Report is everything a person is shown about a transaction: a value, never
// changed once made.
type Report struct {
	SHA256      [32]byte // of the raw container
	FileSHA256  [32]byte // of the bytes as they came, in their encoding
	Encoding    string   // "binary", "base64", "hex"
	PSBTVersion uint32
	Network     Network
	Verdict     Verdict
	Checked     bool // ownership was checked against keys or wallets

	TxID      chainhash.Hash // of the unsigned transaction
	TxVersion int32
	LockTime  uint32
	Weight    int64 // weight units, with worst-case signatures
	VSize     int64 // virtual bytes

	Inputs   []Input
	Outputs  []Output
	Totals   Totals
	Findings []Finding // sorted: severity (refuse first), subject, index
}
