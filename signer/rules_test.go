package signer_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/airlock-signer/airlock/signer"
	"github.com/airlock-signer/airlock/signer/samples"
)

// scene is one transaction and what the station must say about it.
type scene struct {
	about string
	make  func(p *samples.Packet) // changes the ordinary payment
	// want are all codes found, each once, sorted as text. The two notes of
	// every ordinary payment (locktime-height, replaceable) are left out where
	// they are there, and written "-locktime-height" where they are not.
	want string

	settings func(*signer.Settings)
	own      func(*signer.Ownership)
	ledger   *signer.Ledger
	preview  bool // without keys
}

var (
	me     = samples.Demo()
	thief  = samples.Stranger(0)
	friend = samples.Stranger(1)
)

// ordinary is a payment as coordinators make them every day: one coin of
// 200,000 sat, half of it to a friend, change, a fee of one percent.
func ordinary() *samples.Packet {
	p := samples.NewPacket("ordinary")
	p.Spend(me.At(samples.P2WPKH, 0, 3), 200_000)
	p.Pay(friend.At(samples.P2WPKH, 0, 0).Script, 100_000)
	p.Change(me.At(samples.P2WPKH, 1, 4), 99_000)
	return p
}

// everyday are the notes of the ordinary payment.
var everyday = []string{"locktime-height", "replaceable"}

// codesOf a report as a scene writes them.
func codesOf(r *signer.Report) string {
	var codes []string
	for _, f := range r.Findings {
		codes = append(codes, string(f.Code))
	}
	slices.Sort(codes)
	codes = slices.Compact(codes)
	for _, usual := range everyday {
		if i := slices.Index(codes, usual); i >= 0 {
			codes = slices.Delete(codes, i, i+1)
		} else {
			codes = append(codes, "-"+usual)
		}
	}
	return strings.Join(codes, " ")
}

// report reviews (or previews) the scene with the demo card.
func (s *scene) report(t *testing.T) *signer.Report {
	t.Helper()
	p := ordinary()
	if s.make != nil {
		s.make(p)
	}
	set := mainnet
	if s.settings != nil {
		s.settings(&set)
	}
	tx, err := signer.Open(p.Bytes(), signer.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	if s.preview {
		return tx.Preview(set)
	}
	own := cardFor(tx)
	if s.own != nil {
		s.own(&own)
	}
	r, err := tx.Review(t.Context(), set, own, s.ledger)
	if err != nil {
		t.Fatal(err)
	}
	return r.Report()
}

// cardFor is what the unlocked demo card gives for a transaction.
func cardFor(tx *signer.Transaction) signer.Ownership {
	own := signer.Ownership{Fingerprint: me.Fingerprint, HasFingerprint: true}
	for _, path := range tx.AccountsWanted(me.Fingerprint) {
		own.Accounts = append(own.Accounts, accountAt(path.String()))
	}
	return own
}

func accountAt(path string) *signer.Account {
	return &signer.Account{Fingerprint: me.Fingerprint, Path: samples.ParsePath(path), Key: me.Account(path)}
}

// play runs scenes, and holds every report against what is always true.
func play(t *testing.T, scenes []scene) {
	for _, s := range scenes {
		t.Run(s.about, func(t *testing.T) {
			r := s.report(t)
			if got := codesOf(r); got != s.want {
				t.Errorf("found %q, want %q", got, s.want)
				for _, f := range r.Findings {
					t.Logf("%s %s %d: %s", f.Code, f.Subject, f.Index, f.Message())
				}
			}
			checkReport(t, r)
		})
	}
}

// checkReport holds for every report there is.
func checkReport(t testing.TB, r *signer.Report) {
	t.Helper()
	worst := signer.VerdictClear
	for i, f := range r.Findings {
		switch {
		case f.Severity == signer.Refuse:
			worst = signer.VerdictRefused
		case f.Severity == signer.Caution && worst == signer.VerdictClear:
			worst = signer.VerdictCaution
		}
		if f.Severity != f.Code.Severity() {
			t.Errorf("%s has severity %v", f.Code, f.Severity)
		}
		if f.What == "" || f.Severity != signer.Note && f.Cost == "" || f.Severity == signer.Refuse && f.Remedy == "" {
			t.Errorf("%s lacks a sentence: %q", f.Code, f.Message())
		}
		if i > 0 && !ordered(r.Findings[i-1], f) {
			t.Errorf("%s %s %d stands before %s %s %d", r.Findings[i-1].Code, r.Findings[i-1].Subject, r.Findings[i-1].Index, f.Code, f.Subject, f.Index)
		}
		if f.Subject == signer.SubjectInput && f.Index >= len(r.Inputs) || f.Subject == signer.SubjectOutput && f.Index >= len(r.Outputs) {
			t.Errorf("%s is about %s %d, which is not there", f.Code, f.Subject, f.Index)
		}
	}
	if r.Verdict != worst {
		t.Errorf("verdict %s, worst finding %s", r.Verdict, worst)
	}
	checkBalance(t, r)
}

func ordered(a, b signer.Finding) bool {
	place := []signer.Subject{signer.SubjectTransaction, signer.SubjectWallet, signer.SubjectInput, signer.SubjectOutput}
	switch {
	case a.Severity != b.Severity:
		return a.Severity > b.Severity
	case a.Subject != b.Subject:
		return slices.Index(place, a.Subject) < slices.Index(place, b.Subject)
	}
	return a.Index <= b.Index
}

// checkBalance: every satoshi is accounted for, or the verdict refuses.
func checkBalance(t testing.TB, r *signer.Report) {
	t.Helper()
	if !r.Totals.In.Known || !r.Totals.Fee.Known {
		if r.Verdict != signer.VerdictRefused {
			t.Errorf("the total is not known and the verdict is %s", r.Verdict)
		}
		return
	}
	if r.Totals.In.Sat != r.Totals.ToOthers+r.Totals.BackToUs+r.Totals.Fee.Sat {
		t.Errorf("%+v does not sum", r.Totals)
	}
	if r.Totals.Fee.Sat < 0 && r.Verdict != signer.VerdictRefused {
		t.Errorf("a fee of %d and verdict %s", r.Totals.Fee.Sat, r.Verdict)
	}
	var in, others, back int64
	for _, i := range r.Inputs {
		in += i.Amount.Sat
	}
	for _, o := range r.Outputs {
		if o.Kind == signer.KindChange || o.Kind == signer.KindOwn {
			back += o.Amount
		} else {
			others += o.Amount
		}
	}
	if in != r.Totals.In.Sat || others != r.Totals.ToOthers || back != r.Totals.BackToUs {
		t.Errorf("%+v, but the lines add up to %d, %d and %d", r.Totals, in, others, back)
	}
}

// TestOrdinary: what everybody does every day is clear.
func TestOrdinary(t *testing.T) {
	change := func(typ samples.Type) func(p *samples.Packet) {
		return func(p *samples.Packet) {
			p.Inputs, p.Outputs = nil, p.Outputs[:1]
			p.Spend(me.At(typ, 0, 3), 150_000)
			p.Spend(me.At(typ, 1, 7), 50_000)
			p.Change(me.At(typ, 1, 9), 99_000)
		}
	}
	play(t, []scene{
		{about: "p2wpkh"},
		{about: "p2wpkh, two coins", make: change(samples.P2WPKH)},
		{about: "p2sh-p2wpkh", make: change(samples.P2SHP2WPKH)},
		{about: "p2pkh", make: change(samples.P2PKH)},
		{about: "p2tr, no previous transactions", make: change(samples.P2TR)},
		{about: "change is recognised without its redeem script", make: func(p *samples.Packet) {
			change(samples.P2SHP2WPKH)(p)
			p.Outputs[1].Drop(0x00)
		}},
		{about: "an input without its redeem script", make: func(p *samples.Packet) {
			change(samples.P2SHP2WPKH)(p)
			p.Inputs[0].Drop(0x04)
		}},
		{about: "Electrum: no fee sniping height, final sequences", make: func(p *samples.Packet) {
			p.LockTime = 0
			p.Inputs[0].Sequence = 0xffffffff
		}, want: "-locktime-height -replaceable"},
		{about: "change back to a receive address", make: func(p *samples.Packet) {
			p.Outputs = p.Outputs[:1]
			p.Change(me.At(samples.P2WPKH, 0, 4), 99_000)
		}},
		{about: "a small payment with a large share of fee", make: func(p *samples.Packet) {
			p.Outputs[0].Amount, p.Outputs[1].Amount = 2_000, 197_000
		}},
		{about: "everything to somebody else", make: func(p *samples.Packet) {
			p.Outputs = p.Outputs[:1]
			p.Outputs[0].Amount = 199_000
		}, want: "no-change"},
		{about: "coins put together", make: func(p *samples.Packet) {
			p.Outputs = p.Outputs[1:]
			p.Outputs[0].Amount = 199_000
		}, want: "self-transfer"},
		{about: "preview", preview: true},
		{about: "preview, taproot", preview: true, make: change(samples.P2TR)},
	})
}
