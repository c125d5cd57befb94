package session

import (
	"bytes"
	"context"
	"crypto/rand"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcec/v2/ecdsa"
	"github.com/btcsuite/btcd/txscript"

	"github.com/airlock-signer/airlock/reader"
	"github.com/airlock-signer/airlock/reader/card"
	"github.com/airlock-signer/airlock/reader/simcard"
	"github.com/airlock-signer/airlock/signer"
	"github.com/airlock-signer/airlock/signer/samples"
	"github.com/airlock-signer/airlock/signer/softkey"
)

// lie changes what a card answered: behind the secure channel, where no fault
// on the wire reaches.
type lie func(t *testing.T, asked []card.SignRequest, made [][]byte) [][]byte

// liar is an opened card that lies from the moment it is told to.
type liar struct {
	card.Card
	t    *testing.T
	lies *atomic.Bool
	lie  lie
}

func (l *liar) SignDigests(ctx context.Context, asked []card.SignRequest, progress func(int)) ([][]byte, error) {
	made, err := l.Card.SignDigests(ctx, asked, progress)
	if err == nil && l.lies.Load() {
		made = l.lie(l.t, asked, made)
	}
	return made, err
}

// lying is a sitting whose card lies.
func lying(t *testing.T, f lie) (*sitting, *atomic.Bool) {
	var lies atomic.Bool
	lies.Store(true)
	return newSitting(t, func(c *Config) {
		c.OpenCard = func(ctx context.Context, tr card.Transport) (card.Card, error) {
			opened, err := reader.Open(ctx, tr, rand.Reader)
			if err != nil {
				return nil, err
			}
			return &liar{opened, t, &lies, f}, nil
		}
	}), &lies
}

// private is the key that answers a request of the demo card.
func private(t *testing.T, r card.SignRequest) *btcec.PrivateKey {
	t.Helper()
	k, err := softkey.New(samples.Seed(samples.Mnemonic), signer.Mainnet)
	if err != nil {
		t.Fatal(err)
	}
	priv, err := k.Private(r.Path)
	if err != nil {
		t.Fatal(err)
	}
	if r.Scheme == card.SchnorrKeyPath {
		return txscript.TweakTaprootPrivKey(*priv, r.MerkleRoot)
	}
	return priv
}

// with signs a digest with a key and a secret number.
func with(priv *btcec.PrivateKey, r card.SignRequest, nonce uint32) []byte {
	k := new(btcec.ModNScalar).SetInt(nonce)
	if r.Scheme == card.ECDSA {
		return softkey.SignECDSAWithNonce(priv, r.Digest, k).Serialize()
	}
	return softkey.SignSchnorrWithNonce(priv, r.Digest, k)
}

// nonces answers with secret numbers of the test's choice.
func nonces(of func(i int) uint32) lie {
	return func(t *testing.T, asked []card.SignRequest, made [][]byte) [][]byte {
		for i, r := range asked {
			made[i] = with(private(t, r), r, of(i))
		}
		return made
	}
}

// last changes the last signature.
func last(f func([]byte) []byte) lie {
	return func(_ *testing.T, _ []card.SignRequest, made [][]byte) [][]byte {
		made[len(made)-1] = f(made[len(made)-1])
		return made
	}
}

// TestLies: each ends the run in a sentence, with nothing written and the card
// logged out, and the station signs the next file with an honest card.
func TestLies(t *testing.T) {
	for _, c := range []struct {
		name string
		lie  lie
		says []string
	}{
		{"wrong signature", last(func(s []byte) []byte { s = bytes.Clone(s); s[len(s)-1] ^= 1; return s }), []string{"not valid", "input"}},
		{"cut short", last(func(s []byte) []byte { return s[:len(s)/2] }), []string{"not valid", "input"}},
		{"nothing with status 9000", last(func([]byte) []byte { return nil }), []string{"not valid", "input"}},
		{"placeholder", last(func(s []byte) []byte {
			if len(s) == 64 {
				return bytes.Repeat([]byte{1}, 64)
			}
			return ecdsa.NewSignature(new(btcec.ModNScalar).SetInt(5), new(btcec.ModNScalar).SetInt(7)).Serialize()
		}), []string{"not valid", "input"}},
		{"too few", func(_ *testing.T, _ []card.SignRequest, m [][]byte) [][]byte { return m[:1] }, []string{"gave 1 signatures"}},
		{"other key", func(t *testing.T, asked []card.SignRequest, made [][]byte) [][]byte {
			made[0] = with(private(t, asked[1]), asked[0], 123_456)
			return made
		}, []string{"another key", "input"}},
		{"r repeated", nonces(func(int) uint32 { return 123_456 }), []string{"private key", "do not use this card again"}},
		{"r of a small k", nonces(func(i int) uint32 { return []uint32{77_777, 88_888, 1}[min(i, 2)] }), nil},
		{"r of k = 1", nonces(func(i int) uint32 { return []uint32{77_777, 1, 88_888}[i] }), []string{"private key", "do not use this card again"}},
	} {
		for _, file := range []string{"payment.psbt", "more/payment-taproot.psbt"} {
			if c.says == nil && file != "payment.psbt" {
				continue // the small one is the third
			}
			t.Run(c.name+" "+file, func(t *testing.T) {
				x, lies := lying(t, c.lie)
				st := x.toApproval(file, demoCard(t, "0.14", "one"))
				x.s.Do(TypeAmount{Text: st.Review.Confirmation.Text})
				st = x.step(StepFailed)
				mentions(t, st.Problem, append(c.says, "discarded", "nothing was written")...)
				x.nothingWritten()
				for _, v := range st.Slots {
					if v.LoggedIn {
						t.Error("the card is still logged in")
					}
				}
				lies.Store(false)
				x.s.Do(Back{})
				signsStill(t, x, "more/payment-legacy.psbt")
			})
		}
	}
}

// signsStill signs a file with the card that is in.
func signsStill(t *testing.T, x *sitting, file string) {
	t.Helper()
	x.open(file)
	x.s.Do(GoOn{})
	x.step(StepPIN)
	x.pin(simcard.DemoPIN)
	x.read()
	x.s.Do(GoOn{})
	st := x.step(StepApprove)
	x.s.Do(TypeAmount{Text: st.Review.Confirmation.Text})
	checkResult(t, x, x.until("the result", func(st State) bool { return st.Result != nil && st.Result.Done() }))
}

// TestNonceRepeatedInSitting: the same r in two transactions. The first can
// only be believed; the second shows it.
func TestNonceRepeatedInSitting(t *testing.T) {
	x, lies := lying(t, nonces(func(int) uint32 { return 987_654 }))
	x.insert(demoCard(t, "0.14", "one"))
	sign := func(file string) {
		x.open(file)
		x.s.Do(GoOn{})
		x.step(StepPIN)
		x.pin(simcard.DemoPIN)
		x.read()
		x.s.Do(GoOn{})
		st := x.step(StepApprove)
		x.s.Do(TypeAmount{Text: st.Review.Confirmation.Text})
	}
	sign("more/payment-legacy.psbt")
	x.until("the first result", func(st State) bool { return st.Result != nil && st.Result.Done() })
	before := len(x.files())
	sign("more/payment-nested.psbt")
	st := x.step(StepFailed)
	mentions(t, st.Problem, "private key", "do not use this card again")
	if len(x.files()) != before {
		t.Error("something was written")
	}
	lies.Store(false)
	x.s.Do(Back{})
	signsStill(t, x, "caution/dust.psbt")
}

// TestHighS: it is what a Java Card gives half of the time, and is put right.
func TestHighS(t *testing.T) {
	x, _ := lying(t, func(t *testing.T, asked []card.SignRequest, made [][]byte) [][]byte {
		for i, r := range asked {
			made[i] = highS(t, with(private(t, r), r, uint32(50_000+i)))
		}
		return made
	})
	st := x.toApproval("payment.psbt", demoCard(t, "0.14", "one"))
	x.s.Do(TypeAmount{Text: st.Review.Confirmation.Text})
	checkResult(t, x, x.until("the result", func(st State) bool { return st.Result != nil && st.Result.Done() }))
}

// highS writes the other S of a low-S signature.
func highS(t *testing.T, low []byte) []byte {
	t.Helper()
	sig, err := ecdsa.ParseDERSignature(low)
	if err != nil {
		t.Fatal(err)
	}
	r, s := sig.R(), sig.S()
	s.Negate()
	integer := func(b [32]byte) []byte {
		n := bytes.TrimLeft(b[:], "\x00")
		if n[0] >= 0x80 {
			n = append([]byte{0}, n...)
		}
		return append([]byte{2, byte(len(n))}, n...)
	}
	body := append(integer(r.Bytes()), integer(s.Bytes())...)
	return append([]byte{0x30, byte(len(body))}, body...)
}

// TestBrokenReplies: on the wire, in the middle of a run. The channel notices;
// the run is paused and ends well once the card answers again.
func TestBrokenReplies(t *testing.T) {
	for name, broken := range map[string]func([]byte) []byte{
		"bare 9000": func([]byte) []byte { return []byte{0x90, 0x00} },
		"truncated": func(r []byte) []byte { return r[:len(r)/2] },
		"one byte":  func([]byte) []byte { return []byte{0x90} },
		"corrupt": func(r []byte) []byte {
			r = bytes.Clone(r)
			r[len(r)-5] ^= 1
			return r
		},
	} {
		t.Run(name, func(t *testing.T) {
			x := newSitting(t)
			var armed atomic.Int32
			c := simcard.WithFaults(demoCard(t, "0.14", "one"), func(_ int, apdu []byte, next func([]byte) []byte) []byte {
				reply := next(apdu)
				if armed.Load() > 0 && armed.Add(-1) == 0 {
					return broken(reply)
				}
				return reply
			})
			st := x.toApproval("payment.psbt", c)
			armed.Store(4)
			x.s.Do(TypeAmount{Text: st.Review.Confirmation.Text})
			st = x.step(StepPaused)
			if st.Problem == "" || st.Progress.Made == 0 {
				t.Errorf("problem %q, %d made", st.Problem, st.Progress.Made)
			}
			x.nothingWritten()
			x.until("the card opened again", func(st State) bool { return len(st.Slots) == 1 && st.Slots[0].Opened })
			x.s.Do(GoOn{})
			st = x.until("the result", func(st State) bool { return st.Result != nil && st.Result.Done() })
			checkResult(t, x, st)
		})
	}
}

// swappedRun stops a run after its first signature, and puts a card with other
// keys in that cannot be told apart before its PIN (applet 0.11).
func swappedRun(t *testing.T) (x *sitting, one simcard.Card, st State) {
	x = newSitting(t)
	var armed atomic.Int32
	one = simcard.WithFaults(demoCard(t, "0.11", "one"), func(_ int, apdu []byte, next func([]byte) []byte) []byte {
		if armed.Load() > 0 && armed.Add(-1) == 0 {
			_ = x.readers.Remove(testReader)
			return nil
		}
		return next(apdu)
	})
	st = x.toApproval("payment.psbt", one)
	armed.Store(4)
	x.s.Do(TypeAmount{Text: st.Review.Confirmation.Text})
	st = x.step(StepPaused)
	if st.Progress.Made == 0 || st.Progress.Made == 3 {
		t.Fatalf("%d signatures made", st.Progress.Made)
	}
	other := simcard.Demo("0.11", "two")
	other.Seed = bytes.Repeat([]byte{7}, 64)
	two, err := simcard.NewSatochip(other)
	if err != nil {
		t.Fatal(err)
	}
	x.insert(two)
	x.step(StepPIN)
	x.pin(simcard.DemoPIN)
	st = x.until("the other card to be noticed", func(st State) bool { return st.Step == StepPaused && st.Problem != "" })
	mentions(t, st.Problem, "other keys", "put that one back", "discard")
	x.nothingWritten()
	return x, one, st
}

// TestSwappedCardGoesOn: the card that began the run ends it.
func TestSwappedCardGoesOn(t *testing.T) {
	x, one, _ := swappedRun(t)
	x.remove()
	x.insert(one)
	x.s.Do(GoOn{})
	x.step(StepPIN)
	x.pin(simcard.DemoPIN)
	checkResult(t, x, x.until("the result", func(st State) bool { return st.Result != nil && st.Result.Done() }))
}

// TestSwappedCardDiscarded: nothing is left, and the other card gets a review
// of its own.
func TestSwappedCardDiscarded(t *testing.T) {
	x, _, _ := swappedRun(t)
	x.s.Do(Discard{})
	st := x.open("payment.psbt")
	x.s.Do(GoOn{})
	x.step(StepPIN)
	x.pin(simcard.DemoPIN)
	st = x.step(StepReview)
	if st.Review.ToSign != 0 || st.Review.CanApprove {
		t.Errorf("the other card could sign %d inputs", st.Review.ToSign)
	}
	x.read()
	x.s.Do(GoOn{})
	if x.s.State().Step != StepReview {
		t.Error("went on with nothing to sign")
	}
	x.nothingWritten()
}

// TestWritePart: what was signed goes to the stick as a part, from which the
// rest is signed later.
func TestWritePart(t *testing.T) {
	x, one, st := swappedRun(t)
	made := st.Progress.Made
	x.s.Do(WritePart{})
	st = x.until("the part", func(st State) bool { return st.Result != nil && st.Result.Done() })
	if st.Result.Complete || st.Result.Added != made || len(st.Result.Names) != 1 || !strings.HasSuffix(st.Result.Names[0], "-part.psbt") {
		t.Errorf("%+v", st.Result)
	}
	x.remove()
	x.insert(one)
	x.open(st.Result.Written[0].Path)
	x.s.Do(GoOn{})
	x.step(StepPIN)
	x.pin(simcard.DemoPIN)
	st = x.read()
	if st.Review.ToSign != 3-made {
		t.Errorf("%d still to sign", st.Review.ToSign)
	}
	x.s.Do(GoOn{})
	st = x.step(StepApprove)
	x.s.Do(TypeAmount{Text: st.Review.Confirmation.Text})
	checkResult(t, x, x.until("the rest", func(st State) bool { return st.Result != nil && st.Result.Done() }))
}
