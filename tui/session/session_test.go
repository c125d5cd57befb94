package session

import (
	"bytes"
	"encoding/hex"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/btcsuite/btcd/btcutil/psbt"
	"github.com/btcsuite/btcd/txscript"
	"github.com/btcsuite/btcd/wire"

	"github.com/airlock-signer/airlock/reader/simcard"
	"github.com/airlock-signer/airlock/signer"
	"github.com/airlock-signer/airlock/signer/samples"
)

// TestMainJob signs every sample that can be signed, and accepts the result
// only as implementations that are not ours see it.
func TestMainJob(t *testing.T) {
	for _, f := range samples.Stick() {
		if f.Verdict != "clear" && f.Verdict != "caution" {
			continue
		}
		t.Run(f.Name, func(t *testing.T) {
			x := newSitting(t)
			st := x.toApproval(f.Name, demoCard(t, "0.14", "one"))
			x.s.Do(TypeAmount{Text: st.Review.Confirmation.Text})
			st = x.until("the result on the stick", func(st State) bool { return st.Result != nil && st.Result.Done() })
			checkResult(t, x, st)
		})
	}
}

func checkResult(t *testing.T, x *sitting, st State) {
	t.Helper()
	files := x.files()
	var final []byte
	for _, w := range st.Result.Written {
		data := files[w.Path]
		if data == nil {
			t.Fatalf("%s is not on the stick", w.Path)
		}
		if strings.HasSuffix(w.Path, "-final.txn") {
			final = data
			continue
		}
		base64 := bytes.HasPrefix(data, []byte("cHNidP"))
		if bytes.HasPrefix(data, []byte("70736274")) {
			raw, err := hex.DecodeString(strings.TrimSpace(string(data)))
			if err != nil {
				t.Fatal(err)
			}
			data = raw
		}
		if _, err := psbt.NewFromRawBytes(bytes.NewReader(bytes.TrimSpace(data)), base64); err != nil && !base64 {
			t.Errorf("btcutil/psbt does not read %s: %v", w.Path, err)
		}
	}
	if !st.Result.Complete {
		if final != nil {
			t.Error("a final transaction of an incomplete run")
		}
		return
	}
	checkFinal(t, st, final)
}

// checkFinal runs txscript's engine over every input of the final transaction.
func checkFinal(t *testing.T, st State, final []byte) {
	t.Helper()
	raw, err := hex.DecodeString(strings.TrimSpace(string(final)))
	if err != nil {
		t.Fatal(err)
	}
	var tx wire.MsgTx
	if err := tx.Deserialize(bytes.NewReader(raw)); err != nil {
		t.Fatal(err)
	}
	prev := map[wire.OutPoint]*wire.TxOut{}
	for _, in := range st.Review.Report.Inputs {
		prev[in.Outpoint] = wire.NewTxOut(in.Amount.Sat, in.Script)
	}
	fetch := txscript.NewMultiPrevOutFetcher(prev)
	hashes := txscript.NewTxSigHashes(&tx, fetch)
	for i, in := range tx.TxIn {
		out := prev[in.PreviousOutPoint]
		vm, err := txscript.NewEngine(out.PkScript, &tx, i, txscript.StandardVerifyFlags, nil, hashes, out.Value, fetch)
		if err == nil {
			err = vm.Execute()
		}
		if err != nil {
			t.Errorf("input %d: %v", i, err)
		}
	}
}

// TestRefusedAndMalformedHaveNoWayOn looks at every bad sample.
func TestRefusedAndMalformedHaveNoWayOn(t *testing.T) {
	x := newSitting(t)
	x.insert(demoCard(t, "0.14", "one"))
	for _, f := range samples.Stick() {
		switch f.Verdict {
		case "malformed":
			st := x.open(f.Name)
			if st.Step != StepMalformed || st.Problem == "" {
				t.Errorf("%s: step %d, problem %q", f.Name, st.Step, st.Problem)
			}
			mentions(t, st.Problem, "byte")
			x.s.Do(GoOn{})
			if x.s.State().Step != StepMalformed {
				t.Errorf("%s: there was a way on", f.Name)
			}
			x.s.Do(Back{})
		case "refused":
			refusedSample(t, x, f)
		}
	}
	x.nothingWritten()
}

func refusedSample(t *testing.T, x *sitting, f samples.SampleFile) {
	t.Helper()
	st := x.open(f.Name)
	x.s.Do(GoOn{})
	if st.Preview.Verdict != signer.VerdictRefused {
		x.step(StepPIN)
		x.pin(simcard.DemoPIN)
		st = x.step(StepReview)
		if st.Review.Report.Verdict != signer.VerdictRefused {
			t.Errorf("%s is not refused", f.Name)
		}
		x.read()
		x.s.Do(GoOn{})
		if x.s.State().Step != StepReview {
			t.Errorf("%s: there was a way on", f.Name)
		}
		x.s.Do(Back{})
	}
	if x.s.State().Step != StepPreview {
		t.Errorf("%s: step %d", f.Name, x.s.State().Step)
	}
	x.s.Do(Back{})
}

func TestApprovalWantsEverything(t *testing.T) {
	x := newSitting(t)
	x.insert(demoCard(t, "0.14", "one"))
	x.open("caution/high-fee.psbt")
	x.s.Do(GoOn{})
	x.step(StepPIN)
	x.pin(simcard.DemoPIN)
	st := x.step(StepReview)
	x.s.Do(Acknowledge{Code: signer.CodeFeeHigh})
	if x.s.State().Review.Cautions[0].Acknowledged {
		t.Error("acknowledged what was not on screen")
	}
	x.s.Do(GoOn{})
	if x.s.State().Step != StepReview {
		t.Error("went on with nothing seen")
	}
	for _, item := range st.Review.Items {
		x.s.Do(PageSeen{Item: item})
	}
	x.s.Do(GoOn{})
	if x.s.State().Step != StepReview {
		t.Error("went on with nothing acknowledged")
	}
	x.read()
	x.s.Do(GoOn{})
	x.step(StepApprove)
	x.s.Do(TypeAmount{Text: "0.1"})
	st = x.s.State()
	if st.Step != StepApprove || st.Problem == "" {
		t.Errorf("a wrong amount: step %d, problem %q", st.Step, st.Problem)
	}
	x.nothingWritten()
}

func TestWrongPINThenRight(t *testing.T) {
	x := newSitting(t)
	x.insert(demoCard(t, "0.12", "one"))
	x.open("payment.psbt")
	x.s.Do(GoOn{})
	st := x.step(StepPIN)
	before := st.PIN.Left
	x.pin("0000")
	st = x.until("the wrong PIN", func(st State) bool { return st.PIN.Wrong })
	mentions(t, st.Problem, "Wrong PIN", "left")
	if st.PIN.Left != before-1 {
		t.Errorf("%d tries left, before %d", st.PIN.Left, before)
	}
	x.pin(simcard.DemoPIN)
	x.step(StepReview)
}

func TestLastTryWantsAWord(t *testing.T) {
	x := newSitting(t)
	x.insert(demoCard(t, "0.12", "one"))
	x.open("payment.psbt")
	x.s.Do(GoOn{})
	for {
		st := x.step(StepPIN)
		if st.PIN.Left == 1 {
			break
		}
		x.pin("0000")
		x.until("a try less", func(n State) bool { return n.Step == StepPIN && n.PIN.Left == st.PIN.Left-1 })
	}
	x.pin("0000")
	if st := x.s.State(); st.Step != StepPIN || st.PIN.WantWord == "" {
		t.Fatalf("the last try went out without the word: step %d", st.Step)
	}
	x.s.Do(TypeWord{Word: "no"})
	x.pin("0000")
	if st := x.s.State(); st.Step != StepPIN {
		t.Fatal("the last try went out with another word")
	}
	x.s.Do(TypeWord{Word: x.s.State().PIN.WantWord})
	x.pin("0000")
	st := x.until("the block", func(st State) bool { return st.Step == StepCard && len(st.Slots) == 1 && st.Slots[0].Trouble != "" })
	mentions(t, st.Slots[0].Trouble, "blocked", "PUK")
}

// TestPulledBetweenSignatures pulls the card after each number of exchanges of
// a run, puts it back, and expects the same result each time.
func TestPulledBetweenSignatures(t *testing.T) {
	for n := 1; n <= 5; n++ {
		x := newSitting(t)
		var armed atomic.Bool
		var count atomic.Int32
		satochip := demoCard(t, "0.14", "one")
		pulling := simcard.WithFaults(satochip, func(_ int, apdu []byte, next func([]byte) []byte) []byte {
			if armed.Load() && int(count.Add(1)) == n {
				armed.Store(false)
				_ = x.readers.Remove(testReader)
				return nil
			}
			return next(apdu)
		})
		st := x.toApproval("payment.psbt", pulling)
		armed.Store(true)
		x.s.Do(TypeAmount{Text: st.Review.Confirmation.Text})
		st = x.step(StepPaused)
		mentions(t, st.Problem, "taken out")
		x.nothingWritten()
		x.s.Do(ShowFiles{})
		if st := x.s.State(); st.Step != StepPaused {
			t.Fatal("leaving dropped the run unasked")
		}
		x.insert(pulling)
		st = x.until("the result", func(st State) bool { return st.Result != nil && st.Result.Done() })
		if st.Result.Added != 3 {
			t.Errorf("after %d exchanges: %d signatures", n, st.Result.Added)
		}
		checkResult(t, x, st)
	}
}

func TestAnotherCardInMidRun(t *testing.T) {
	x := newSitting(t)
	var armed atomic.Bool
	one := demoCard(t, "0.14", "one")
	pulling := simcard.WithFaults(one, func(_ int, apdu []byte, next func([]byte) []byte) []byte {
		if armed.CompareAndSwap(true, false) {
			_ = x.readers.Remove(testReader)
			return nil
		}
		return next(apdu)
	})
	st := x.toApproval("payment.psbt", pulling)
	armed.Store(true)
	x.s.Do(TypeAmount{Text: st.Review.Confirmation.Text})
	x.step(StepPaused)
	x.insert(demoCard(t, "0.14", "two"))
	st = x.until("the other card to be named", func(st State) bool { return strings.Contains(st.Problem, "another card") })
	if st.Step != StepPaused {
		t.Errorf("step %d", st.Step)
	}
	for _, v := range st.Slots {
		if v.LoggedIn {
			t.Error("the other card got the PIN")
		}
	}
	x.remove()
	x.insert(pulling)
	st = x.until("the result", func(st State) bool { return st.Result != nil && st.Result.Done() })
	checkResult(t, x, st)
}

func TestCardPulledDuringReviewKeepsIt(t *testing.T) {
	x := newSitting(t)
	c := demoCard(t, "0.12", "one")
	st := x.toApproval("payment.psbt", c)
	x.remove()
	st2 := x.s.State()
	if st2.Step != StepApprove || !st2.Locked || st2.Review == nil {
		t.Fatalf("step %d, locked %v", st2.Step, st2.Locked)
	}
	x.s.Do(TypeAmount{Text: st.Review.Confirmation.Text})
	x.step(StepCard)
	x.insert(c)
	st = x.until("the result", func(st State) bool { return st.Result != nil && st.Result.Done() })
	checkResult(t, x, st)
}

func TestNetworkComesUpDuringReview(t *testing.T) {
	x := newSitting(t)
	x.toApproval("payment.psbt", demoCard(t, "0.12", "one"))
	x.network <- networkUp()
	st := x.until("the lock", func(st State) bool { return st.Locked })
	mentions(t, st.Problem, "network", "eth0")
	x.s.Do(TypeAmount{Text: st.Review.Confirmation.Text})
	st = x.step(StepCard)
	if len(st.Blocking()) == 0 {
		t.Error("nothing blocks")
	}
	x.network <- quietNetwork()
	x.step(StepPIN) // the PIN was wiped, so a person types it again
	x.pin(simcard.DemoPIN)
	st = x.until("the result", func(st State) bool { return st.Result != nil && st.Result.Done() })
	checkResult(t, x, st)
}

func TestNetworkUpAsksForNoPIN(t *testing.T) {
	x := newSitting(t)
	x.network <- networkUp()
	x.until("the network", func(st State) bool { return len(st.Blocking()) > 0 })
	x.insert(demoCard(t, "0.12", "one"))
	x.open("payment.psbt")
	x.s.Do(GoOn{})
	if st := x.s.State(); st.Step != StepCard {
		t.Errorf("step %d", st.Step)
	}
}

func TestIdleLock(t *testing.T) {
	x := newSitting(t, func(c *Config) { c.Idle = 40 * time.Millisecond })
	x.toApproval("payment.psbt", demoCard(t, "0.12", "one"))
	x.now = x.now.Add(time.Hour)
	st := x.until("the lock", func(st State) bool { return st.Locked })
	mentions(t, st.Problem, "logged out", "kept")
}

// TestStickPulledBeforeWriting keeps the result until a medium is there.
func TestStickPulledBeforeWriting(t *testing.T) {
	x := newSitting(t)
	st := x.toApproval("payment.psbt", demoCard(t, "0.12", "one"))
	away := x.stick + "-away"
	if err := os.Rename(x.stick, away); err != nil {
		t.Fatal(err)
	}
	x.s.Do(TypeAmount{Text: st.Review.Confirmation.Text})
	st = x.until("the trouble", func(st State) bool { return st.Result != nil && st.Result.Trouble != "" })
	if st.Result.Done() {
		t.Fatal("done without a stick")
	}
	x.s.Do(ShowHome{})
	if x.s.State().Step != StepResult {
		t.Fatal("the result was dropped unasked")
	}
	if err := os.Rename(away, x.stick); err != nil {
		t.Fatal(err)
	}
	st = x.until("the stick", func(st State) bool { return len(st.Volumes) == 1 })
	x.s.Do(WriteResult{Volume: st.Volumes[0]})
	st = x.until("the result", func(st State) bool { return st.Result.Done() })
	checkResult(t, x, st)
}

// TestLyingCard: a signature that does not verify discards the run.
func TestLyingCard(t *testing.T) {
	x := newSitting(t)
	var lie atomic.Bool
	honest := demoCard(t, "0.12", "one")
	liar := simcard.WithFaults(honest, func(_ int, apdu []byte, next func([]byte) []byte) []byte {
		reply := next(apdu)
		if lie.Load() && len(reply) > 60 {
			reply[len(reply)-10] ^= 1
		}
		return reply
	})
	st := x.toApproval("payment.psbt", liar)
	lie.Store(true)
	x.s.Do(TypeAmount{Text: st.Review.Confirmation.Text})
	st = x.until("the lie to be noticed", func(st State) bool { return st.Step == StepFailed || st.Step == StepPaused })
	if st.Problem == "" {
		t.Error("no sentence")
	}
	x.nothingWritten()
}

func TestReaderGoneAndBack(t *testing.T) {
	x := newSitting(t)
	c := demoCard(t, "0.12", "one")
	st := x.toApproval("payment.psbt", c)
	if err := x.readers.Unplug(testReader); err != nil {
		t.Fatal(err)
	}
	st2 := x.until("no reader", func(st State) bool { return len(st.Slots) == 0 })
	mentions(t, st2.SlotsTrouble, "reader")
	x.s.Do(TypeAmount{Text: st.Review.Confirmation.Text})
	x.step(StepCard)
	x.readers.Plug(testReader)
	x.insert(c)
	st = x.until("the result", func(st State) bool { return st.Result != nil && st.Result.Done() })
	checkResult(t, x, st)
}

// TestCardsThatGetNoPIN: each with a sentence.
func TestCardsThatGetNoPIN(t *testing.T) {
	never := simcard.SatochipOptions{Version: "0.12"}
	unseeded := simcard.Demo("0.12", "one")
	unseeded.Seed = nil
	second := simcard.Demo("0.12", "one")
	second.TwoFactor = true
	for name, o := range map[string]simcard.SatochipOptions{"never set up": never, "no key": unseeded, "second device": second} {
		x := newSitting(t)
		c, err := simcard.NewSatochip(o)
		if err != nil {
			t.Fatal(err)
		}
		x.insert(c)
		x.open("payment.psbt")
		x.s.Do(GoOn{})
		st := x.s.State()
		if st.Step != StepCard {
			t.Errorf("%s: step %d", name, st.Step)
		}
		mentions(t, st.Slots[0].Trouble, name)
	}
}
