package signer

import (
	"context"
	"crypto/sha256"
	"fmt"
	"runtime"
	"testing"

	"github.com/airlock-signer/airlock/signer/container"
	"github.com/airlock-signer/airlock/signer/samples"
	"github.com/btcsuite/btcd/btcec/v2/schnorr"
	"github.com/btcsuite/btcd/txscript"
	"github.com/btcsuite/btcd/wire"
)

// treeKey is a Key over published keys that keeps what it made: signing again
// costs it nothing.
type treeKey struct {
	*samples.Keys
	made map[[32]byte]Signature
}

func (k *treeKey) Fingerprint() [4]byte { return k.Keys.Fingerprint }
func (k *treeKey) Can(Request) error    { return nil }

func (k *treeKey) Account(_ context.Context, path Path) (*Account, error) {
	return &Account{Fingerprint: k.Keys.Fingerprint, Path: path, Key: k.Keys.Account(path.String())}, nil
}

func (k *treeKey) Sign(_ context.Context, reqs []Request, _ func(int)) ([]Signature, error) {
	sigs := make([]Signature, len(reqs))
	for i, r := range reqs {
		if sigs[i] = k.made[r.Digest]; sigs[i] != nil {
			continue
		}
		key := k.Private(r.Path.String())
		if r.Scheme == ECDSA {
			sigs[i] = signECDSA(key, r.Digest, false)
		} else {
			sig, err := schnorr.Sign(txscript.TweakTaprootPrivKey(*key, nil), r.Digest[:])
			if err != nil {
				return nil, err
			}
			sigs[i] = sig.Serialize()
		}
		k.made[r.Digest] = sigs[i]
	}
	return sigs, nil
}

// coins is a file that spends n coins of a type and pays n outputs back. Shared
// coins come from one previous transaction, which each input brings along.
func coins(typ samples.Type, n int, shared bool) []byte {
	me, p := samples.Demo(), samples.NewPacket(fmt.Sprint("coins ", typ, n, shared))
	prev, _ := samples.Coin("shared", nil, 20_000)
	prev.TxOut = nil
	for i := range uint32(n) {
		prev.AddTxOut(wire.NewTxOut(20_000, me.At(typ, 0, i).Script))
	}
	for i := range uint32(n) {
		if shared {
			p.SpendFrom(me.At(typ, 0, i), prev, i)
		} else {
			p.Spend(me.At(typ, 0, i), 20_000)
		}
	}
	for i := range uint32(n) {
		p.Change(me.At(typ, 1, i), 9_000)
	}
	p.Pay(samples.Stranger(0).At(typ, 0, 0).Script, int64(n)*10_000)
	return p.Bytes()
}

// effort is what one stage costs.
type effort struct {
	work
	allocs, bytes int
}

// measured runs a stage and counts what it allocates.
func measured(stage func() work) effort {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	w := stage()
	runtime.ReadMemStats(&after)
	return effort{w, int(after.Mallocs - before.Mallocs), int(after.TotalAlloc - before.TotalAlloc)}
}

// stages gives the effort of opening, preview, review and finish.
func stages(t *testing.T, file []byte) (size int, found map[string]effort) {
	t.Helper()
	found = map[string]effort{}
	key := &treeKey{samples.Demo(), map[[32]byte]Signature{}}
	var tx *Transaction
	found["open"] = measured(func() work {
		var err error
		if tx, err = Open(file, DefaultLimits()); err != nil {
			t.Fatal(err)
		}
		return tx.work
	})
	settings := Settings{Network: Mainnet}
	look := func(o Ownership) func() work {
		return func() work {
			a, err := tx.assess(t.Context(), settings, o, nil)
			if err != nil {
				t.Fatal(err)
			}
			w := a.work
			if a.ring != nil {
				for _, h := range a.ring.holders {
					w.add(h.work)
				}
			}
			return w
		}
	}
	found["preview"] = measured(look(Ownership{}))
	own := Ownership{Fingerprint: key.Fingerprint(), HasFingerprint: true}
	for _, path := range tx.AccountsWanted(key.Fingerprint()) {
		account, _ := key.Account(t.Context(), path)
		own.Accounts = append(own.Accounts, account)
	}
	found["review"] = measured(look(own))

	review, err := tx.Review(t.Context(), settings, own, NewLedger())
	if err != nil {
		t.Fatal(err)
	}
	finish := func() work {
		a := approveAll(t, review)
		if _, err := Sign(t.Context(), a, key, nil); err != nil {
			t.Fatal(err)
		}
		return a.run.work
	}
	finish() // the key makes its signatures
	found["finish"] = measured(finish)
	return len(file), found
}

// approveAll does what a patient person does.
func approveAll(t *testing.T, r *Review) Approval {
	t.Helper()
	for _, item := range r.Items() {
		r.Shown(item)
	}
	for _, code := range r.Cautions() {
		if err := r.Acknowledge(code); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.Confirm(r.Confirmation().Text); err != nil {
		t.Fatal(err)
	}
	a, err := r.Approve()
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// TestWorkGrowsWithTheBytes: twice the coins cost about twice the hashing, the
// operations on the curve and the allocations, in every stage. Only the
// signature hash of p2pkh may grow faster: it covers the whole transaction for
// each input.
func TestWorkGrowsWithTheBytes(t *testing.T) {
	const few = 100
	for _, c := range []struct {
		typ    samples.Type
		shared bool
	}{{samples.P2WPKH, false}, {samples.P2SHP2WPKH, false}, {samples.P2PKH, false}, {samples.P2TR, false}, {samples.P2WPKH, true}} {
		t.Run(fmt.Sprintf("%s shared %v", c.typ, c.shared), func(t *testing.T) {
			size, once := stages(t, coins(c.typ, few, c.shared))
			sizeTwice, twice := stages(t, coins(c.typ, 2*few, c.shared))
			most := 1.1 * float64(sizeTwice) / float64(size)
			for stage, e := range once {
				f := twice[stage]
				t.Logf("%-8s %7d → %7d bytes hashed, %5d → %5d points, %6d → %6d allocations, %8d → %8d bytes allocated",
					stage, e.hashed, f.hashed, e.points, f.points, e.allocs, f.allocs, e.bytes, f.bytes)
				legacy := c.typ == samples.P2PKH && stage == "finish"
				for what, grown := range map[string][2]int{
					"bytes hashed": {e.hashed, f.hashed}, "points": {e.points, f.points},
					"allocations": {e.allocs, f.allocs}, "bytes allocated": {e.bytes, f.bytes},
				} {
					if what != "points" && legacy {
						continue
					}
					// What is small and the same for every file does not count.
					if float64(grown[1]) > most*float64(grown[0])+100 {
						t.Errorf("%s of %s: %d for %d coins, %d for %d, in files of %d and %d bytes",
							what, stage, grown[0], few, grown[1], 2*few, size, sizeTwice)
					}
				}
			}
			if once["review"].points < few || once["finish"].points < 2*few || once["open"].hashed == 0 && c.typ != samples.P2TR {
				t.Errorf("the work is not counted: %+v", once)
			}
		})
	}
}

// TestScriptReadOnce: however many signatures an input has, its witness script
// is hashed and read once, and its digest computed once.
func TestScriptReadOnce(t *testing.T) {
	pubs := make([][]byte, 16)
	script := []byte{txscript.OP_1}
	for i := range pubs {
		pubs[i] = samples.Stranger(0).At(samples.P2WPKH, 0, uint32(i)).PubKey.SerializeCompressed()
		script = append(script, push(pubs[i])...)
	}
	script = append(script, txscript.OP_16, txscript.OP_CHECKMULTISIG)
	sum := sha256.Sum256(script)
	hashed := func(signatures int) int {
		p := samples.NewPacket("script")
		in := p.Spend(samples.Spot{Type: samples.P2WPKH, Script: append([]byte{0, 32}, sum[:]...), PubKey: samples.Demo().At(samples.P2WPKH, 0, 0).PubKey}, 50_000)
		in.Set(container.InWitnessScript, nil, script)
		for _, pub := range pubs[:signatures] {
			in.Set(container.InPartialSig, pub, []byte{0x30, 6, 2, 1, 1, 2, 1, 1, 1})
		}
		p.Pay(samples.Stranger(0).At(samples.P2WPKH, 0, 0).Script, 40_000)
		a, err := openRaw(t, p.Bytes()).assess(t.Context(), Settings{Network: Mainnet}, Ownership{}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if a.work.points != signatures {
			t.Errorf("%d of %d signatures were looked at", a.work.points, signatures)
		}
		return a.work.hashed
	}
	if one, all := hashed(1), hashed(len(pubs)); one != all || one < len(script) {
		t.Errorf("%d bytes for one signature, %d for %d", one, all, len(pubs))
	}
}
