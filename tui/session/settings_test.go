package session

import (
	"encoding/hex"
	"os"
	"path/filepath"
	"testing"

	"github.com/airlock-signer/airlock/reader/simcard"
	"github.com/airlock-signer/airlock/signer"
	"github.com/airlock-signer/airlock/signer/samples"
)

// put writes a file onto the stick.
func (x *sitting) put(name string, data []byte) {
	x.Helper()
	if err := os.MkdirAll(filepath.Dir(filepath.Join(x.stick, name)), 0o755); err != nil {
		x.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(x.stick, name), data, 0o644); err != nil {
		x.Fatal(err)
	}
}

// bare is a payment from two coins without their previous transactions, and
// those.
func bare(name string) (p *samples.Packet, prevs [][]byte) {
	me, p := samples.Demo(), samples.NewPacket(name)
	p.Spend(me.At(samples.P2WPKH, 0, 0), 300_000)
	p.Spend(me.At(samples.P2SHP2WPKH, 0, 1), 100_000)
	p.Pay(samples.Stranger(3).At(samples.P2WPKH, 0, 0).Script, 250_000)
	p.Change(me.At(samples.P2WPKH, 1, 0), 147_000)
	for _, in := range p.Inputs {
		in.WithoutPrevious()
		prevs = append(prevs, samples.TxBytes(in.Previous))
	}
	return p, prevs
}

func (x *sitting) change(f func(*signer.Settings)) State {
	x.Helper()
	n := x.s.State().Settings
	f(&n)
	x.s.Do(SetSettings{n})
	return x.until("the preview again", func(st State) bool { return st.Step != StepOpening })
}

// TestAcceptUnproven: the setting turns the refusal of the open file into a
// caution, and back.
func TestAcceptUnproven(t *testing.T) {
	x := newSitting(t)
	st := x.open("refused/no-previous.psbt")
	if st.Preview.Verdict != signer.VerdictRefused || st.Previous == nil || st.Previous.Missing != 2 || len(st.Previous.Found) != 0 {
		t.Fatalf("%s, %+v", st.Preview.Verdict, st.Previous)
	}
	st = x.change(func(n *signer.Settings) { n.AcceptUnproven = true })
	if st.Step != StepPreview || st.Preview.Verdict != signer.VerdictCaution || !hasFinding(st.Preview, signer.CodeAmountsUnproven) {
		t.Fatalf("step %d, %s", st.Step, st.Preview.Verdict)
	}
	st = x.change(func(n *signer.Settings) { n.AcceptUnproven = false })
	if st.Preview.Verdict != signer.VerdictRefused {
		t.Errorf("back again: %s", st.Preview.Verdict)
	}
}

// TestSettingsAreBounded: nonsense is not taken, and nothing changes under a
// review.
func TestSettingsAreBounded(t *testing.T) {
	x := newSitting(t)
	was := x.s.State().Settings
	for _, bad := range []signer.Settings{{Network: "moon"}, {}, {Network: signer.Mainnet, Height: maxHeight}, {Network: signer.Mainnet, Unit: 9}} {
		x.s.Do(SetSettings{bad})
	}
	if got := x.s.State().Settings; got != was {
		t.Errorf("%+v", got)
	}
	x.s.Do(SetSettings{signer.Settings{Network: signer.Mainnet, Height: 800_000, Unit: signer.Sat}})
	x.toApproval("payment.psbt", demoCard(t, "0.12", "one"))
	x.s.Do(Back{})
	x.s.Do(SetSettings{was})
	x.s.Do(SwitchNetwork{})
	if st := x.s.State(); st.Settings.Height != 800_000 || st.Step != StepReview {
		t.Errorf("changed under a review: %+v", st.Settings)
	}
}

// TestHeight: with it a lock time is compared exactly.
func TestHeight(t *testing.T) {
	x := newSitting(t)
	st := x.open("payment.psbt")
	if st.Preview.Verdict != signer.VerdictClear {
		t.Fatal(st.Preview.Verdict)
	}
	st = x.change(func(n *signer.Settings) { n.Height = 800_000 })
	if !hasFinding(st.Preview, signer.CodeLocktimeFuture) {
		t.Error("a lock time 112,345 blocks ahead is not one of the future")
	}
}

// TestNetworkSwitch: offered in the preview and, where the person went on, in
// the review; the switch begins with the preview again, logged out.
func TestNetworkSwitch(t *testing.T) {
	x := newSitting(t, func(c *Config) { c.Settings.Network = signer.Testnet })
	st := x.open("payment.psbt")
	if st.OtherNetwork != signer.Mainnet {
		t.Fatalf("offers %q", st.OtherNetwork)
	}
	x.insert(demoCard(t, "0.14", "one"))
	x.s.Do(GoOn{})
	x.step(StepPIN)
	x.pin(simcard.DemoPIN)
	st = x.step(StepReview)
	if st.OtherNetwork != signer.Mainnet || st.Review.Report.Verdict != signer.VerdictRefused || !hasFinding(st.Review.Report, signer.CodeNetworkMismatch) {
		t.Fatalf("review: offers %q, %s", st.OtherNetwork, st.Review.Report.Verdict)
	}
	x.s.Do(SwitchNetwork{})
	st = x.step(StepPreview)
	if st.OtherNetwork != "" || st.Settings.Network != signer.Mainnet || st.Preview.Network != signer.Mainnet || st.Review != nil {
		t.Errorf("%+v", st.Settings)
	}
	for _, v := range st.Slots {
		if v.LoggedIn {
			t.Error("still logged in")
		}
	}
	x.s.Do(GoOn{})
	x.step(StepPIN)
	x.pin(simcard.DemoPIN)
	if st = x.read(); !st.Review.CanApprove {
		t.Error("not approvable after the switch")
	}
}

// TestPreviousOnTheMedia: one as hex text, one within another PSBT; the whole
// way to the result.
func TestPreviousOnTheMedia(t *testing.T) {
	x := newSitting(t)
	p, prevs := bare("on the media")
	x.put("work/bare.psbt", p.Bytes())
	x.put("txs/first.txn", []byte(hex.EncodeToString(prevs[0])+"\n"))
	holder, _ := bare("holder")
	holder.Inputs[0].Set(0, nil, prevs[1]) // PSBT_IN_NON_WITNESS_UTXO, of whatever coin
	x.put("holder.psbt", holder.Bytes())
	st := x.open("work/bare.psbt")
	if st.Previous == nil || st.Previous.Missing != 2 || len(st.Previous.Found) != 2 || st.Previous.Stopped != "" {
		t.Fatalf("%+v", st.Previous)
	}
	where := map[string]string{}
	for _, f := range st.Previous.Found {
		where[f.TxID] = f.File
	}
	mentions(t, where[p.Inputs[0].Outpoint.Hash.String()], "txs/first.txn")
	mentions(t, where[p.Inputs[1].Outpoint.Hash.String()], "holder.psbt")
	if st.Preview.Verdict == signer.VerdictRefused {
		t.Fatal("still refused")
	}
	st = x.toApproval("work/bare.psbt", demoCard(t, "0.14", "one"))
	if hasFinding(st.Review.Report, signer.CodePrevtxMissing) || st.Previous == nil {
		t.Error("lost on the way to the review")
	}
	x.s.Do(TypeAmount{Text: st.Review.Confirmation.Text})
	checkResult(t, x, x.until("the result", func(st State) bool { return st.Result != nil && st.Result.Done() }))
}

// TestPreviousRawFile: bytes are known by their name.
func TestPreviousRawFile(t *testing.T) {
	x := newSitting(t)
	p, prevs := bare("raw bytes")
	x.put("bare.psbt", p.Bytes())
	x.put("a.tx", prevs[0])
	x.put("b.jpg", prevs[1])
	if st := x.open("bare.psbt"); len(st.Previous.Found) != 1 || st.Preview.Verdict != signer.VerdictRefused {
		t.Errorf("%+v", st.Previous)
	}
}

// TestPreviousThatLies: what is found is checked like what the file brings.
func TestPreviousThatLies(t *testing.T) {
	x := newSitting(t)
	p, prevs := bare("false amount")
	p.Inputs[0].Claim(200_000)
	x.put("bare.psbt", p.Bytes())
	x.put("a.tx", prevs[0])
	x.put("b.tx", prevs[1])
	if st := x.open("bare.psbt"); !hasFinding(st.Preview, signer.CodeUtxoConflict) {
		t.Error("a false amount passes")
	}
}

// TestComparedWithEarlier: a fee bump in the same sitting shows what changed.
func TestComparedWithEarlier(t *testing.T) {
	x := newSitting(t)
	me := samples.Demo()
	bump := func(change int64) []byte {
		p := samples.NewPacket("bump")
		p.Spend(me.At(samples.P2WPKH, 0, 0), 300_000)
		p.Pay(samples.Stranger(3).At(samples.P2WPKH, 0, 0).Script, 250_000)
		p.Change(me.At(samples.P2WPKH, 1, 0), change)
		return p.Bytes()
	}
	x.put("first.psbt", bump(49_000))
	x.put("bumped.psbt", bump(47_000))
	st := x.toApproval("first.psbt", demoCard(t, "0.14", "one"))
	x.s.Do(TypeAmount{Text: st.Review.Confirmation.Text})
	x.until("the result", func(st State) bool { return st.Result != nil && st.Result.Done() })
	x.open("bumped.psbt")
	x.s.Do(GoOn{})
	x.step(StepPIN)
	x.pin(simcard.DemoPIN)
	st = x.step(StepReview)
	if !hasFinding(st.Review.Report, signer.CodeInputSignedBefore) || len(st.Review.Earlier) != 1 {
		t.Fatalf("%+v", st.Review.Earlier)
	}
	e := st.Review.Earlier[0]
	if e.Fee.Sat != 1_000 || e.Same != 1 || len(e.Outputs) != 1 || !e.Outputs[0].Back {
		t.Errorf("%+v", e)
	}
}
