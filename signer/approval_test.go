package signer_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/airlock-signer/airlock/signer"
	"github.com/airlock-signer/airlock/signer/samples"
)

var errPulled = errors.New("card pulled")

// TestInterrupted pulls the card after each signature and goes on.
func TestInterrupted(t *testing.T) {
	p := payment("interrupted", samples.P2WPKH, samples.P2TR, samples.P2PKH, samples.P2SHP2WPKH, samples.P2WPKH)
	total := len(p.Inputs)
	whole, err := signer.Sign(t.Context(), approve(t, reviewDemo(t, p.Bytes())), demoKey(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	for after := range total + 1 {
		t.Run(fmt.Sprintf("after %d", after), func(t *testing.T) {
			c := &card{Key: demoKey(t)}
			c.sign = func(ctx context.Context, reqs []signer.Request, progress func(int)) ([]signer.Signature, error) {
				sigs, err := c.Key.Sign(ctx, reqs[:after], progress)
				return sigs, errors.Join(err, errPulled)
			}
			a := approve(t, reviewDemo(t, p.Bytes()))
			result, err := signer.Sign(t.Context(), a, c, nil)
			if after == total { // pulled when all was done
				if err != nil || !bytes.Equal(result.PSBT, whole.PSBT) {
					t.Fatalf("all signatures were there: %v", err)
				}
				return
			}
			var stopped *signer.InterruptedError
			if result != nil || !errors.As(err, &stopped) || !errors.Is(err, errPulled) || stopped.Made != after || stopped.Total != total {
				t.Fatalf("%v, result %v", err, result)
			}
			c.sign = nil
			var seen []signer.Progress
			result, err = signer.Sign(t.Context(), a, c, func(p signer.Progress) { seen = append(seen, p) })
			if err != nil {
				t.Fatal(err)
			}
			if len(c.asked) != total-after {
				t.Errorf("%d were asked for again, %d were missing", len(c.asked), total-after)
			}
			if seen[0].Made != after || seen[len(seen)-1].Made != total {
				t.Errorf("progress %v", seen)
			}
			if !bytes.Equal(result.PSBT, whole.PSBT) || !bytes.Equal(result.FinalTx, whole.FinalTx) {
				t.Error("another result than without interruption")
			}
			if _, err := signer.Sign(t.Context(), a, c, nil); !errors.Is(err, signer.ErrApprovalUsed) {
				t.Errorf("used again: %v", err)
			}
		})
	}
}

// TestInterruptedOneByOne: a loose contact, one signature a call.
func TestInterruptedOneByOne(t *testing.T) {
	p := payment("one by one", allTypes...)
	c := &card{Key: demoKey(t)}
	c.sign = func(ctx context.Context, reqs []signer.Request, progress func(int)) ([]signer.Signature, error) {
		sigs, err := c.Key.Sign(ctx, reqs[:1], progress)
		return sigs, errors.Join(err, errPulled)
	}
	a := approve(t, reviewDemo(t, p.Bytes()))
	for i := range p.Inputs {
		result, err := signer.Sign(t.Context(), a, c, nil)
		if last := i == len(p.Inputs)-1; last != (err == nil) {
			t.Fatalf("call %d: %v", i, err)
		}
		if err == nil {
			checkResult(t, p, p.Bytes(), "binary", result)
		}
	}
}

// TestCancelled: a context that ended asks nothing of the card.
func TestCancelled(t *testing.T) {
	c := &card{Key: demoKey(t)}
	a := approve(t, reviewDemo(t, payment("cancelled", samples.P2WPKH).Bytes()))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := signer.Sign(ctx, a, c, nil); !errors.Is(err, context.Canceled) || c.calls != 0 {
		t.Fatalf("%v after %d calls", err, c.calls)
	}
	if _, err := signer.Sign(t.Context(), a, c, nil); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

// TestCancelledAtTheEnd: cancelled while the card signed the last input; what
// it made is kept, and the next call asks it for nothing.
func TestCancelledAtTheEnd(t *testing.T) {
	p := payment("at the end", allTypes...)
	a := approve(t, reviewDemo(t, p.Bytes()))
	ctx, cancel := context.WithCancel(t.Context())
	c := &card{Key: demoKey(t)}
	c.sign = func(ctx context.Context, reqs []signer.Request, progress func(int)) ([]signer.Signature, error) {
		sigs, err := c.Key.Sign(ctx, reqs, progress)
		cancel()
		return sigs, err
	}
	var stopped *signer.InterruptedError
	if _, err := signer.Sign(ctx, a, c, nil); !errors.As(err, &stopped) || stopped.Made != 4 || stopped.Total != 4 {
		t.Fatal(err)
	}
	result, err := signer.Sign(t.Context(), a, c, nil)
	if err != nil || c.calls != 1 {
		t.Fatalf("%v after %d calls", err, c.calls)
	}
	checkResult(t, p, p.Bytes(), "binary", result)
}

// TestApprovalMisused: the zero value, a second use, another key, two at once.
func TestApprovalMisused(t *testing.T) {
	file := payment("misused", samples.P2WPKH, samples.P2TR).Bytes()
	k := demoKey(t)
	if _, err := signer.Sign(t.Context(), signer.Approval{}, k, nil); !errors.Is(err, signer.ErrNoApproval) {
		t.Errorf("zero value: %v", err)
	}
	a := approve(t, reviewDemo(t, file))
	other := newKey(t, "legal winner thank year wave sausage worth useful legal winner thank yellow", signer.Mainnet)
	for name, k := range map[string]signer.Key{
		"no key": nil, "another key": other,
		"another key with our fingerprint": &imitation{Key: other, fingerprint: k.Fingerprint()},
		"no account":                       &imitation{Key: other, fingerprint: k.Fingerprint(), silent: true},
	} {
		var bad *signer.SigningError
		if _, err := signer.Sign(t.Context(), a, k, nil); !errors.As(err, &bad) || bad.Code != signer.CodeCardSwapped {
			t.Errorf("%s: %v", name, err)
		}
	}
	var inner error
	c := &card{Key: k}
	c.sign = func(ctx context.Context, reqs []signer.Request, progress func(int)) ([]signer.Signature, error) {
		var wait sync.WaitGroup
		wait.Go(func() { _, inner = signer.Sign(ctx, a, k, nil) })
		wait.Wait()
		return c.Key.Sign(ctx, reqs, progress)
	}
	if _, err := signer.Sign(t.Context(), a, c, nil); err != nil {
		t.Fatalf("the right card after the wrong ones: %v", err)
	}
	if !errors.Is(inner, signer.ErrApprovalBusy) {
		t.Errorf("two at once: %v", inner)
	}
	copied := a
	if _, err := signer.Sign(t.Context(), copied, k, nil); !errors.Is(err, signer.ErrApprovalUsed) {
		t.Errorf("second use: %v", err)
	}
}

// imitation says it is another.
type imitation struct {
	signer.Key
	fingerprint [4]byte
	silent      bool
}

func (k *imitation) Fingerprint() [4]byte { return k.fingerprint }

func (k *imitation) Account(ctx context.Context, path signer.Path) (*signer.Account, error) {
	if k.silent {
		return nil, nil
	}
	a, err := k.Key.Account(ctx, path)
	if err == nil {
		a.Fingerprint = k.fingerprint
	}
	return a, err
}

// TestReviewChanged: whatever is changed after the approval, before or during
// signing, nothing is handed out.
func TestReviewChanged(t *testing.T) {
	changes := map[string]func(file []byte, r *signer.Report){
		"a byte of the file":  func(file []byte, _ *signer.Report) { file[bytes.Index(file, []byte{0xa0, 0x86, 0x01})]++ },
		"an amount shown":     func(_ []byte, r *signer.Report) { r.Outputs[0].Amount++ },
		"an input's amount":   func(_ []byte, r *signer.Report) { r.Inputs[0].Amount.Sat++ },
		"a script spent":      func(_ []byte, r *signer.Report) { r.Inputs[0].Script = []byte{0x51} },
		"the totals":          func(_ []byte, r *signer.Report) { r.Totals.ToOthers-- },
		"the verdict":         func(_ []byte, r *signer.Report) { r.Verdict = signer.VerdictCaution },
		"the network":         func(_ []byte, r *signer.Report) { r.Network = signer.Testnet },
		"a finding more":      func(_ []byte, r *signer.Report) { r.Findings = append(r.Findings, signer.Finding{Code: "x"}) },
		"an output forgotten": func(_ []byte, r *signer.Report) { r.Outputs = r.Outputs[:1] },
	}
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			file := payment("changed", samples.P2WPKH).Bytes()
			review := reviewDemo(t, file)
			a, c := approve(t, review), &card{Key: demoKey(t)}
			change(file, review.Report())
			if r, err := signer.Sign(t.Context(), a, c, nil); r != nil || !errors.Is(err, signer.ErrReviewChanged) || c.calls != 0 {
				t.Errorf("before: %v, %v after %d calls", r, err, c.calls)
			}

			file = payment("changed", samples.P2WPKH).Bytes()
			review = reviewDemo(t, file)
			a = approve(t, review)
			c.sign = func(ctx context.Context, reqs []signer.Request, progress func(int)) ([]signer.Signature, error) {
				sigs, err := c.Key.Sign(ctx, reqs, progress)
				change(file, review.Report())
				return sigs, err
			}
			if r, err := signer.Sign(t.Context(), a, c, nil); r != nil || err == nil {
				t.Errorf("during: %v, %v", r, err)
			}
			if _, err := signer.Sign(t.Context(), a, c, nil); !errors.Is(err, signer.ErrApprovalUsed) {
				t.Errorf("afterwards: %v", err)
			}
		})
	}
}
