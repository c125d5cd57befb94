// Package inspect writes a review for machines (one JSON document a file, in
// the form that inspect-json.md of the design fixes) and for people (text). Both
// are made from the same Document, which says what the station's screens say.
package inspect

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"iter"
	"math"
	"unicode/utf8"

	"github.com/airlock-signer/airlock/signer"
	"github.com/airlock-signer/airlock/signer/plain"
)

// Format is the version of the document's form. Fields may be added under it,
// never removed or given another meaning.
const Format = 1

// Unreadable is the verdict over a file that could not be read at all.
const Unreadable signer.Verdict = "unreadable"

// Exit statuses of the command, the worst of its files.
const (
	ExitClear      = 0
	ExitUsage      = 2
	ExitCaution    = 10
	ExitRefused    = 20
	ExitMalformed  = 30
	ExitUnreadable = 40
)

// Document is one file, reviewed. What is not known is nil: null in JSON, never
// 0. Amounts are satoshis.
type Document struct {
	Format      int            `json:"format"`
	File        string         `json:"file"`
	SHA256      *string        `json:"sha256"` // of the file as it is; nil where it was not read whole
	Encoding    *string        `json:"encoding"`
	Verdict     signer.Verdict `json:"verdict"`
	Error       string         `json:"error,omitempty"` // malformed and unreadable only
	Ownership   string         `json:"ownership"`
	PSBTVersion *uint32        `json:"psbt_version"`
	Network     signer.Network `json:"network"`
	Transaction *Transaction   `json:"transaction"`
	Totals      *Totals        `json:"-"` // stands between the lists

	report *signer.Report // of the lists; nil where there is none
}

// Inputs of the transaction, in its order. Like Outputs and Findings they are
// made as they are asked for: a document of thousands of them costs no more
// memory than its report.
func (d *Document) Inputs() iter.Seq[Input] {
	return func(yield func(Input) bool) {
		for i := 0; d.report != nil && i < len(d.report.Inputs) && yield(fromInput(&d.report.Inputs[i])); i++ {
		}
	}
}

// Outputs of the transaction, in its order.
func (d *Document) Outputs() iter.Seq[Output] {
	return func(yield func(Output) bool) {
		for i := 0; d.report != nil && i < len(d.report.Outputs) && yield(fromOutput(&d.report.Outputs[i])); i++ {
		}
	}
}

// Findings, the most severe first.
func (d *Document) Findings() iter.Seq[Finding] {
	return func(yield func(Finding) bool) {
		for i := 0; d.report != nil && i < len(d.report.Findings) && yield(fromFinding(&d.report.Findings[i])); i++ {
		}
	}
}

// Transaction is the unsigned transaction. Weight is estimated with worst-case
// signatures, in weight units; VSize in virtual bytes.
type Transaction struct {
	TxID     string `json:"txid"`
	Version  int32  `json:"version"`
	LockTime uint32 `json:"locktime"`
	Weight   int64  `json:"weight"`
	VSize    int64  `json:"vsize"`
}

// Input of the transaction.
type Input struct {
	Index          int               `json:"index"`
	Outpoint       string            `json:"outpoint"` // txid:vout
	Amount         *int64            `json:"amount_sat"`
	Address        *string           `json:"address"`
	ScriptType     signer.ScriptType `json:"script_type"`
	Sequence       uint32            `json:"sequence"`
	Sighash        string            `json:"sighash"`
	AmountProven   bool              `json:"amount_proven"`
	Owner          signer.Owner      `json:"owner"`
	Wallet         *string           `json:"wallet"`
	Path           *string           `json:"path"`
	SignaturesHave int               `json:"signatures_have"`
	SignaturesNeed int               `json:"signatures_need"`
}

// Output of the transaction.
type Output struct {
	Index      int               `json:"index"`
	Amount     int64             `json:"amount_sat"`
	Address    *string           `json:"address"`
	ScriptType signer.ScriptType `json:"script_type"`
	ScriptHex  string            `json:"script_hex"`
	Kind       signer.Kind       `json:"kind"`
	Proof      string            `json:"proof"`
	Path       *string           `json:"path"`
}

// Totals of the transaction. ToOthers leaves the fee out. FeeRate is satoshis a
// virtual byte; FeePercent is of what leaves, or of the inputs' total where
// nothing leaves; both with two decimals.
type Totals struct {
	In         *int64   `json:"in_sat"`
	ToOthers   int64    `json:"to_others_sat"`
	BackToUs   int64    `json:"back_to_us_sat"`
	Fee        *int64   `json:"fee_sat"`
	FeeRate    *float64 `json:"fee_rate_sat_vb"`
	FeePercent *float64 `json:"fee_percent"`
}

// Finding of the rule book.
type Finding struct {
	Code     signer.Code    `json:"code"`
	Severity string         `json:"severity"`
	Subject  signer.Subject `json:"subject"`
	Index    int            `json:"index"`
	Message  string         `json:"message"`
}

// Options of a run of the command.
type Options struct {
	Network      signer.Network
	Wallets      []*signer.Wallet // registered, on the caller's word
	Fingerprints [][4]byte        // claims only
	Limits       signer.Limits
}

// File reviews the bytes of one file. An error is the context's; whatever is
// wrong with the file is in the document.
func File(ctx context.Context, name string, data []byte, o Options) (*Document, error) {
	// Hashed first: once it is opened, a file that is text is not kept.
	sum, whole := sha256.Sum256(data), len(data) <= o.Limits.MaxFile
	tx, err := signer.OpenContext(ctx, data, o.Limits)
	var bad *signer.MalformedError
	if errors.As(err, &bad) {
		d := o.unread(name, signer.VerdictMalformed, bad.Error())
		if whole {
			d.SHA256 = text(hex.EncodeToString(sum[:]))
		}
		return d, nil
	}
	if err != nil {
		return nil, err
	}
	settings := signer.Settings{Network: o.Network}
	if len(o.Wallets) == 0 && len(o.Fingerprints) == 0 {
		report, err := tx.PreviewContext(ctx, settings)
		if err != nil {
			return nil, err
		}
		return FromReport(name, report), nil
	}
	own := signer.Ownership{Wallets: o.Wallets, Fingerprints: o.Fingerprints}
	review, err := tx.Review(ctx, settings, own, signer.NewLedger())
	if err != nil {
		return nil, err
	}
	return FromReport(name, review.Report()), nil
}

// Missing is the document of a file that could not be read. why is escaped here.
func (o Options) Missing(name string, why error) *Document {
	return o.unread(name, Unreadable, plain.Text(why.Error()))
}

func (o Options) unread(name string, v signer.Verdict, why string) *Document {
	return &Document{
		Format: Format, File: fileName(name), Verdict: v, Error: why, Ownership: ownership(false), Network: o.Network,
	}
}

// fileName keeps a name as it is where JSON can carry it. Another one becomes
// plain's hex.
func fileName(name string) string {
	if utf8.ValidString(name) {
		return name
	}
	return plain.Text(name)
}

func ownership(checked bool) string {
	if checked {
		return "checked"
	}
	return "not checked"
}

// FromReport makes the document of a report.
func FromReport(name string, r *signer.Report) *Document {
	d := &Document{
		Format: Format, File: fileName(name), SHA256: text(hex.EncodeToString(r.FileSHA256[:])), Encoding: text(r.Encoding),
		Verdict: r.Verdict, Ownership: ownership(r.Checked), PSBTVersion: &r.PSBTVersion, Network: r.Network,
		Transaction: &Transaction{
			TxID: r.TxID.String(), Version: r.TxVersion, LockTime: r.LockTime, Weight: r.Weight, VSize: r.VSize,
		},
		report: r,
	}
	t := &Totals{In: amount(r.Totals.In), ToOthers: r.Totals.ToOthers, BackToUs: r.Totals.BackToUs, Fee: amount(r.Totals.Fee)}
	if r.Totals.Fee.Known {
		t.FeeRate, t.FeePercent = decimals(r.Totals.FeeRate), decimals(r.Totals.FeePercent)
	}
	d.Totals = t
	return d
}

func fromInput(in *signer.Input) Input {
	return Input{
		Index: in.Index, Outpoint: in.Outpoint.String(), Amount: amount(in.Amount), Address: text(in.Address),
		ScriptType: in.ScriptType, Sequence: in.Sequence, Sighash: in.Sighash, AmountProven: in.AmountProven,
		Owner: in.Owner, Wallet: text(in.Wallet), Path: path(in.Path),
		SignaturesHave: in.SignaturesHave, SignaturesNeed: in.SignaturesNeed,
	}
}

func fromOutput(out *signer.Output) Output {
	return Output{
		Index: out.Index, Amount: out.Amount, Address: text(out.Address), ScriptType: out.ScriptType,
		ScriptHex: hex.EncodeToString(out.Script), Kind: out.Kind, Proof: out.Proof, Path: path(out.Path),
	}
}

func fromFinding(f *signer.Finding) Finding {
	return Finding{Code: f.Code, Severity: f.Severity.String(), Subject: f.Subject, Index: f.Index, Message: f.Message()}
}

func text(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func path(p signer.Path) *string {
	if p == nil {
		return nil
	}
	return text(p.String())
}

func amount(a signer.Amount) *int64 {
	if !a.Known {
		return nil
	}
	return &a.Sat
}

// decimals rounds to two. What is no number has no place in JSON: unknown.
func decimals(x float64) *float64 {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return nil
	}
	x = math.Round(x*100) / 100
	return &x
}

// ExitStatus of a document.
func (d *Document) ExitStatus() int {
	switch d.Verdict {
	case signer.VerdictClear:
		return ExitClear
	case signer.VerdictCaution:
		return ExitCaution
	case signer.VerdictMalformed:
		return ExitMalformed
	case Unreadable:
		return ExitUnreadable
	}
	return ExitRefused // an unknown verdict too: fail closed
}
