package signer_test

import (
	"context"
	"testing"

	"github.com/airlock-signer/airlock/signer"
	"github.com/airlock-signer/airlock/signer/samples"
	"github.com/airlock-signer/airlock/signer/softkey"
)

// newKey is the software key of a mnemonic.
func newKey(t testing.TB, mnemonic string, n signer.Network) *softkey.Key {
	t.Helper()
	k, err := softkey.New(samples.Seed(mnemonic), n)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func demoKey(t testing.TB) *softkey.Key { return newKey(t, samples.Mnemonic, signer.Mainnet) }

// reviewFile opens a file and reviews it with what an unlocked card of this key
// gives.
func reviewFile(t testing.TB, file []byte, k signer.Key, s signer.Settings, l *signer.Ledger) *signer.Review {
	t.Helper()
	tx, err := signer.Open(file, signer.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	own := signer.Ownership{Fingerprint: k.Fingerprint(), HasFingerprint: true, Can: k.Can}
	for _, path := range tx.AccountsWanted(k.Fingerprint()) {
		a, err := k.Account(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		own.Accounts = append(own.Accounts, a)
	}
	r, err := tx.Review(t.Context(), s, own, l)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

var mainnet = signer.Settings{Network: signer.Mainnet}

func reviewDemo(t testing.TB, file []byte) *signer.Review {
	t.Helper()
	return reviewFile(t, file, demoKey(t), mainnet, signer.NewLedger())
}

// readAll does what a patient person does: looks at everything, acknowledges
// every caution, types the amount.
func readAll(t testing.TB, r *signer.Review) {
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
}

func approve(t testing.TB, r *signer.Review) signer.Approval {
	t.Helper()
	readAll(t, r)
	a, err := r.Approve()
	if err != nil {
		for _, f := range r.Report().Findings {
			t.Logf("%s: %s", f.Code, f.Message())
		}
		t.Fatal(err)
	}
	return a
}

// payment spends one coin of each type named, all of the demo wallet, to a
// stranger and back.
func payment(name string, types ...samples.Type) *samples.Packet {
	me, p := samples.Demo(), samples.NewPacket(name)
	for i, typ := range types {
		p.Spend(me.At(typ, 0, uint32(i)), 200_000)
	}
	p.Pay(samples.Stranger(0).At(samples.P2WPKH, 0, 0).Script, 100_000)
	p.Change(me.At(types[0], 1, 0), int64(len(types))*200_000-100_000-3_000)
	return p
}

// card is a key whose answers a test decides.
type card struct {
	signer.Key
	sign  func(ctx context.Context, reqs []signer.Request, progress func(int)) ([]signer.Signature, error)
	calls int
	asked []signer.Request // of the last call
}

func (c *card) Sign(ctx context.Context, reqs []signer.Request, progress func(int)) ([]signer.Signature, error) {
	c.calls++
	c.asked = reqs
	if c.sign == nil {
		return c.Key.Sign(ctx, reqs, progress)
	}
	return c.sign(ctx, reqs, progress)
}
