package signer

import (
	"context"
	"fmt"
	"slices"

	"github.com/btcsuite/btcd/btcutil"
	"github.com/btcsuite/btcd/txscript"
	"github.com/btcsuite/btcd/wire"
)

// assessment is one look at a transaction with given settings and keys. It is
// filled step by step, each fact once; the rules (rules*.go) then only read.
type assessment struct {
	ctx          context.Context
	tx           *Transaction
	msg          *wire.MsgTx
	settings     Settings
	checked      bool // there is something to prove ownership with
	ring         *keyring
	wallets      []*Wallet
	fingerprints [][4]byte
	can          func(Request) error
	ledger       *Ledger

	work   work // of the signatures that are there; keys are counted by their holders
	nobody *standing
	in     []inputState
	out    []outputState
	ours   int     // number of inputs proven ours
	single *holder // the one account key of all of them; nil where there are several
	top    uint32  // highest index among them
	spends []spend
	report *Report
}

// inputState is what this look adds to the facts of an input.
type inputState struct {
	standing *standing
	script   ScriptType // resolved: the facts' own, or as it was rebuilt
	sighash  uint32     // declared, or the default of the script
	signed   signed
	proven   bool // the amount is
}

// outputState is the same for an output.
type outputState struct {
	standing *standing
	script   ScriptType
	back     bool // proven ours, and counted as coming back
	other    bool // rebuilt from another account than the inputs'
	usual    bool // on a branch that its wallet uses
	far      bool // beyond the gap
}

// gap is how far beyond the highest index among our inputs an own output may
// lie before a wallet could lose sight of it.
const gap = 200

// assess looks at everything once and applies the rules. The only error is
// that of the context.
func (t *Transaction) assess(ctx context.Context, s Settings, o Ownership, l *Ledger) (*assessment, error) {
	a := &assessment{
		ctx: ctx, tx: t, msg: t.tx(), settings: s, ledger: l,
		checked: o.checked(), wallets: o.Wallets, fingerprints: o.Fingerprints, can: o.Can,
		nobody: &standing{},
		in:     make([]inputState, len(t.ins)),
		out:    make([]outputState, len(t.outs)),
	}
	if t.summary {
		a.summarise()
		return a, ctx.Err()
	}
	if a.checked {
		a.ring = newKeyring(&o)
	}
	if err := a.own(); err != nil {
		return nil, err
	}
	a.resolveInputs()
	if err := a.signatures(); err != nil {
		return nil, err
	}
	a.proveAmounts()
	a.resolveOutputs()
	a.toSpend()
	a.fill()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return a, nil
}

// resolveInputs settles script type and sighash of every input, and from which
// accounts ours come.
func (a *assessment) resolveInputs() {
	several := false
	for i := range a.in {
		f, in := &a.tx.ins[i], &a.in[i]
		in.script, in.proven = f.script, f.proven
		if in.standing.status == proven {
			in.script = in.standing.script
			a.ours++
			h := in.standing.spot.holder
			several = several || a.single != nil && a.single != h
			a.single = h
			if n := len(in.standing.spot.rest); n > 0 {
				a.top = max(a.top, in.standing.spot.rest[n-1])
			}
		}
		in.sighash = uint32(txscript.SigHashAll)
		if in.script == P2TR {
			in.sighash = uint32(txscript.SigHashDefault)
		}
		if f.hasSighash {
			in.sighash = f.sighash
		}
	}
	if several {
		a.single = nil
	}
}

// proveAmounts takes the amounts of taproot inputs as proven where a taproot
// signature of ours, made already or wanted, commits to all amounts (BIP341):
// were one of them wrong, that signature and with it the transaction would be
// worth nothing. Segwit v0 and legacy inputs still need the full previous
// transaction.
func (a *assessment) proveAmounts() {
	commits := false
	for i := range a.in {
		in := &a.in[i]
		if in.standing.status != proven || in.script != P2TR {
			continue
		}
		wanted := !a.tx.ins[i].final && in.sighash <= uint32(txscript.SigHashAll)
		commits = commits || wanted || in.signed.allAmounts
	}
	for i := range a.in {
		in, f := &a.in[i], &a.tx.ins[i]
		if commits && in.script == P2TR && f.known && !f.hasPrev {
			in.proven = true
		}
	}
}

// resolveOutputs decides what comes back. Change is what was rebuilt from a
// registered wallet, or from the one account key under which all our inputs
// were rebuilt: between hardened accounts there is only the card's word.
func (a *assessment) resolveOutputs() {
	for i := range a.out {
		out := &a.out[i]
		out.script = a.tx.outs[i].script
		if out.standing.status != proven {
			continue
		}
		out.script = out.standing.script
		h, rest := out.standing.spot.holder, out.standing.spot.rest
		out.back = h.wallet != nil || a.ours > 0 && h == a.single
		out.other = !out.back && a.ours > 0
		out.usual = len(rest) == 2 && slices.Contains(h.branches(), rest[0]) &&
			(h.wallet != nil || h.account.Path.fitsPurpose(out.script))
		out.far = a.ours > 0 && len(rest) > 0 && int64(rest[len(rest)-1]) > int64(a.top)+gap
	}
}

// toSpend lists the inputs of ours that want our signature.
func (a *assessment) toSpend() {
	for i := range a.in {
		f, in := &a.tx.ins[i], &a.in[i]
		if in.standing.status != proven || f.final || in.signed.ours || len(in.signed.bad) > 0 {
			continue
		}
		a.spends = append(a.spends, spend{
			input:    i,
			script:   in.script,
			path:     in.standing.path,
			pubkey:   in.standing.key,
			account:  in.standing.spot.holder.account.Key,
			sighash:  in.sighash,
			amount:   f.spent.Value,
			pkScript: f.spent.PkScript,
		})
	}
}

// fill writes the report.
func (a *assessment) fill() {
	t := a.tx
	r := &Report{
		SHA256: t.sha, FileSHA256: t.fileSHA, Encoding: string(t.encoding),
		PSBTVersion: t.container.Version, Network: a.settings.Network, Checked: a.checked,
		TxID: a.msg.TxHash(), TxVersion: a.msg.Version, LockTime: a.msg.LockTime,
		Weight: a.weigh(),
	}
	r.VSize = (r.Weight + 3) / 4
	a.report = r
	r.Inputs = make([]Input, len(a.in))
	for i := range r.Inputs {
		a.fillInput(i, &r.Inputs[i])
	}
	r.Outputs = make([]Output, len(a.out))
	for i := range r.Outputs {
		a.fillOutput(i, &r.Outputs[i])
	}
	a.fillTotals(&r.Totals)
	a.applyRules()
}

// fillInput writes one input.
func (a *assessment) fillInput(i int, out *Input) {
	f, in := &a.tx.ins[i], &a.in[i]
	*out = Input{
		Index:    i,
		Outpoint: a.msg.TxIn[i].PreviousOutPoint,
		Amount:   Amount{f.spent.Value, f.known}, AmountProven: in.proven,
		ScriptType: in.script,
		Sequence:   a.msg.TxIn[i].Sequence,
		Sighash:    sighashName(in.sighash, in.script == P2TR),
		Owner:      Theirs,
	}
	if f.known {
		out.Script = f.spent.PkScript
		out.Address = addressOf(f.spent.PkScript, a.settings.Network.Params())
	}
	s := in.standing
	switch s.status {
	case proven:
		out.Owner, out.Wallet = Ours, s.spot.holder.name()
	case stranger, away, like:
	default:
		out.Owner = Claimed
	}
	if s.status != stranger {
		out.Path, out.Fingerprint = s.path, s.fingerprint
	}
	out.SignaturesHave, out.SignaturesNeed = in.signed.good, a.signaturesNeeded(i)
	if in.signed.ran && in.signed.invalid == nil {
		out.SignaturesHave = out.SignaturesNeed
	}
}

// signaturesNeeded of one input.
func (a *assessment) signaturesNeeded(i int) int {
	f := &a.tx.ins[i]
	switch t := a.in[i].script; t {
	case P2A:
		return 0
	case P2SH, P2WSH, P2SHP2WSH:
		if inner, known, fits := innermost(f.spent.PkScript, f.redeem, f.witness); known && fits {
			return signaturesNeeded(inner)
		}
	case UnknownScript:
		return signaturesNeeded(f.spent.PkScript)
	}
	return 1
}

// fillOutput writes one output.
func (a *assessment) fillOutput(i int, out *Output) {
	tx, o := a.msg.TxOut[i], &a.out[i]
	*out = Output{
		Index: i, Amount: tx.Value, Script: tx.PkScript, ScriptType: o.script,
		Address: addressOf(tx.PkScript, a.settings.Network.Params()),
		Kind:    KindPayment, Proof: "none", Data: opReturnData(tx.PkScript),
	}
	s := o.standing
	if s.status != stranger {
		out.Path, out.Fingerprint = s.path, s.fingerprint
	}
	switch {
	case o.back && o.usual && !o.far:
		out.Kind, out.Proof = KindChange, s.spot.holder.proof()
	case o.back:
		out.Kind, out.Proof = KindOwn, s.spot.holder.proof()
	case o.script == OpReturn:
		out.Kind = KindData
	case s.status == claimed:
		out.Kind, out.Claimed = KindUnknown, true
	default:
		out.Claimed = s.status != stranger
	}
}

// fillTotals adds up. What an amount out of range makes meaningless stays
// unknown, or 0 where it is of outputs; amount-range refuses it.
func (a *assessment) fillTotals(t *Totals) {
	in, known := int64(0), true
	for i := range a.tx.ins {
		f := &a.tx.ins[i]
		known = known && f.known && addAmount(&in, f.spent.Value)
	}
	leaves, back, fits := int64(0), int64(0), true
	for i, o := range a.msg.TxOut {
		if a.out[i].back {
			fits = fits && addAmount(&back, o.Value)
		} else {
			fits = fits && addAmount(&leaves, o.Value)
		}
	}
	if !fits || leaves+back > btcutil.MaxSatoshi {
		return
	}
	t.ToOthers, t.BackToUs = leaves, back
	if !known {
		return
	}
	t.In = Amount{in, true}
	t.Fee = Amount{in - leaves - back, true}
	t.FeeRate = float64(t.Fee.Sat) / float64(max(a.report.VSize, 1))
	if of := t.feeBase(); of > 0 {
		t.FeePercent = 100 * float64(t.Fee.Sat) / float64(of)
	}
}

// feeBase is what the fee is compared with: what leaves, or the inputs' total
// where nothing leaves.
func (t *Totals) feeBase() int64 {
	if t.ToOthers > 0 {
		return t.ToOthers
	}
	return t.In.Sat
}

// addAmount adds an amount to a sum; false, and nothing added, where either
// would be negative or more than all bitcoin.
func addAmount(sum *int64, v int64) bool {
	if v < 0 || v > btcutil.MaxSatoshi || *sum+v > btcutil.MaxSatoshi {
		return false
	}
	*sum += v
	return true
}

// sighashName writes a sighash type as people know it, or in hex.
func sighashName(v uint32, taproot bool) string {
	if taproot && v == uint32(txscript.SigHashDefault) {
		return "DEFAULT"
	}
	base, ok := map[uint32]string{1: "ALL", 2: "NONE", 3: "SINGLE"}[v&^0x80]
	switch {
	case !ok:
		return fmt.Sprintf("0x%02x", v)
	case v&0x80 != 0:
		return base + "|ANYONECANPAY"
	}
	return base
}
