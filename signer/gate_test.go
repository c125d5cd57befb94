package signer_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/airlock-signer/airlock/signer"
	"github.com/airlock-signer/airlock/signer/samples"
)

// obstacle is why a review cannot be approved now; -1 where it can.
func obstacle(t *testing.T, r *signer.Review) int {
	t.Helper()
	_, err := r.Approve()
	if err == nil {
		return -1
	}
	var no *signer.NotApprovableError
	if !errors.As(err, &no) || no.Sentence == "" {
		t.Fatalf("error %v", err)
	}
	return int(no.Obstacle)
}

// costly is a transaction with a caution: a fee of a quarter of what leaves.
func costly() *samples.Packet {
	p := payment("costly", samples.P2WPKH)
	p.Outputs[1].Amount -= 25_000
	return p
}

// TestGate goes through a caution step by step: nothing can be left out.
func TestGate(t *testing.T) {
	r := reviewDemo(t, costly().Bytes())
	if got := obstacle(t, r); got != int(signer.ObstacleNotShown) {
		t.Fatalf("untouched: %d", got)
	}
	cautions := r.Cautions()
	if !slices.Contains(cautions, signer.CodeFeeHigh) {
		t.Fatalf("cautions %v: the test needs one", cautions)
	}
	if err := r.Acknowledge(signer.CodeFeeHigh); err == nil || r.Acknowledged(signer.CodeFeeHigh) {
		t.Error("acknowledged unseen")
	}
	if len(r.Places(signer.CodeFeeHigh)) == 0 {
		t.Error("no places")
	}
	items := r.Items()
	for i, item := range items {
		if r.Seen(item) {
			t.Errorf("%+v was seen already", item)
		}
		if got := obstacle(t, r); got != int(signer.ObstacleNotShown) {
			t.Fatalf("%d of %d shown: %d", i, len(items), got)
		}
		r.Shown(item)
		if !r.Seen(item) {
			t.Errorf("%+v was not noted", item)
		}
	}
	for _, code := range cautions {
		if got := obstacle(t, r); got != int(signer.ObstacleNotAcknowledged) {
			t.Fatalf("before %s: %d", code, got)
		}
		if err := r.Acknowledge(code); err != nil {
			t.Fatal(err)
		}
	}
	if got := obstacle(t, r); got != int(signer.ObstacleNotConfirmed) {
		t.Fatalf("not typed: %d", got)
	}
	if err := r.Confirm("0.5"); err == nil {
		t.Error("another amount")
	}
	if got := obstacle(t, r); got != int(signer.ObstacleNotConfirmed) {
		t.Fatalf("another amount typed: %d", got)
	}
	if err := r.Confirm("0.001"); err != nil {
		t.Fatal(err)
	}
	if got := obstacle(t, r); got != -1 {
		t.Fatalf("all done: %d", got)
	}
	if got := obstacle(t, r); got != int(signer.ObstacleNotConfirmed) {
		t.Errorf("a second approval without typing again: %d", got)
	}
}

// TestItems: the order of the screens, and nothing else is taken for an item.
func TestItems(t *testing.T) {
	r := reviewDemo(t, costly().Bytes())
	items := r.Items()
	want := []signer.Item{{Kind: signer.ItemBalance}, {Kind: signer.ItemPayment, Index: 0}, {Kind: signer.ItemBack}}
	if len(items) < 4 || !slices.Equal(items[:3], want) {
		t.Fatalf("items %v", items)
	}
	for _, item := range items[3:] {
		if item.Kind != signer.ItemFinding || len(r.Places(item.Code)) == 0 {
			t.Errorf("item %+v", item)
		}
	}
	for _, item := range []signer.Item{
		{Kind: signer.ItemBalance, Index: 1},
		{Kind: signer.ItemPayment, Index: 1}, // it is change
		{Kind: signer.ItemPayment, Index: 2},
		{Kind: signer.ItemPayment, Index: -1},
		{Kind: signer.ItemPayment, Code: signer.CodeFeeHigh},
		{Kind: signer.ItemBack, Index: 1},
		{Kind: signer.ItemFinding, Code: signer.CodeSighashUnsafe},
		{Kind: signer.ItemFinding, Code: signer.CodeFeeHigh, Index: 1},
		{Kind: 9},
	} {
		if r.Shown(item); r.Seen(item) {
			t.Errorf("%+v is no item", item)
		}
	}
	if err := r.Acknowledge(signer.CodeReplaceable); err == nil {
		t.Error("a note was acknowledged")
	}
	if err := r.Acknowledge("no-such-code"); err == nil {
		t.Error("a code that does not exist was acknowledged")
	}
}

// TestConfirm: every spelling of the amount and no other amount, in both units.
func TestConfirm(t *testing.T) {
	file := payment("confirm", samples.P2WPKH).Bytes() // 0.001 leaves
	for _, c := range []struct {
		unit  signer.Unit
		typed string
		ok    bool
	}{
		{signer.BTC, "0.00100000", true},
		{signer.BTC, "0.001", true},
		{signer.BTC, "0,001", true},
		{signer.BTC, "0.00 100 000", true},
		{signer.BTC, ".001", true},
		{signer.BTC, "0.00100001", false},
		{signer.BTC, "0.00103000", false}, // with the fee
		{signer.BTC, "100000", false},
		{signer.BTC, "0.01", false},
		{signer.BTC, "1e-3", false},
		{signer.BTC, "-0.001", false},
		{signer.BTC, "y", false},
		{signer.BTC, "", false},
		{signer.Sat, "100000", true},
		{signer.Sat, "100 000", true},
		{signer.Sat, "100,000", false},
		{signer.Sat, "0.001", false},
		{signer.Sat, "100001", false},
	} {
		r := reviewFile(t, file, demoKey(t), signer.Settings{Network: signer.Mainnet, Unit: c.unit}, signer.NewLedger())
		err := r.Confirm(c.typed)
		if (err == nil) != c.ok {
			t.Errorf("%q in %v: %v", c.typed, c.unit, err)
		}
	}
	r := reviewDemo(t, file)
	if got, want := r.Confirmation(), (signer.Confirmation{Amount: 100_000, What: "the amount that leaves", Text: "0.00100000"}); got != want {
		t.Errorf("%+v", got)
	}
}

// TestConfirmAgain: a wrong amount typed after the right one takes it back.
func TestConfirmAgain(t *testing.T) {
	r := reviewDemo(t, payment("again", samples.P2WPKH).Bytes())
	readAll(t, r)
	if err := r.Confirm("1"); err == nil {
		t.Fatal("another amount")
	}
	if got := obstacle(t, r); got != int(signer.ObstacleNotConfirmed) {
		t.Errorf("obstacle %d", got)
	}
}

// TestSelfTransfer: nothing leaves, so the fee is typed.
func TestSelfTransfer(t *testing.T) {
	me, p := samples.Demo(), samples.NewPacket("self")
	p.Spend(me.At(samples.P2WPKH, 0, 0), 500_000)
	p.Change(me.At(samples.P2WPKH, 1, 1), 499_000)
	r := reviewDemo(t, p.Bytes())
	if got, want := r.Confirmation(), (signer.Confirmation{Amount: 1_000, What: "the fee", Text: "0.00001000"}); got != want {
		t.Fatalf("%+v", got)
	}
	if r.Confirm("0") == nil || r.Confirm("0.00499000") == nil {
		t.Error("another amount")
	}
	result, err := signer.Sign(t.Context(), approve(t, r), demoKey(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	checkResult(t, p, p.Bytes(), "binary", result)
}

// TestNotApprovable: what no amount of reading and typing gets past.
func TestNotApprovable(t *testing.T) {
	press := func(r *signer.Review) {
		for _, item := range r.Items() {
			r.Shown(item)
		}
		for _, code := range r.Cautions() {
			_ = r.Acknowledge(code) // refused is what is looked for below
		}
		_ = r.Confirm(r.Confirmation().Text)
	}
	refused := payment("refused", samples.P2WPKH)
	refused.Inputs[0].Claim(300_000)
	stranger := samples.NewPacket("not ours")
	stranger.Spend(samples.Stranger(0).At(samples.P2WPKH, 0, 0), 200_000)
	stranger.Pay(samples.Stranger(1).At(samples.P2WPKH, 0, 0).Script, 190_000)
	for _, c := range []struct {
		name string
		p    *samples.Packet
		want signer.Obstacle
	}{
		{"refused", refused, signer.ObstacleRefused},
		{"nothing of ours", stranger, signer.ObstacleNothingToSign},
	} {
		r := reviewDemo(t, c.p.Bytes())
		press(r)
		if got := obstacle(t, r); got != int(c.want) {
			t.Errorf("%s: obstacle %d, want %d", c.name, got, c.want)
		}
		if c.want == signer.ObstacleRefused && r.Cautions() != nil {
			t.Errorf("%s: asks for acknowledgements of %v", c.name, r.Cautions())
		}
	}

	// A refusal that appears later, and one that pretends to be a note.
	r := reviewDemo(t, payment("later", samples.P2WPKH).Bytes())
	press(r)
	r.Report().Findings = append(r.Report().Findings, signer.Finding{Code: signer.CodeChangeFraud, Severity: signer.Note})
	if got := obstacle(t, r); got != int(signer.ObstacleRefused) {
		t.Errorf("a refusal in disguise: obstacle %d", got)
	}

	// Signed already: nothing is left to sign.
	file := payment("twice", samples.P2WPKH).Bytes()
	result, err := signer.Sign(t.Context(), approve(t, reviewDemo(t, file)), demoKey(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	r = reviewDemo(t, result.PSBT)
	press(r)
	if got := obstacle(t, r); got != int(signer.ObstacleNothingToSign) {
		t.Errorf("signed already: obstacle %d", got)
	}
}

// TestNoCard: a review with a wallet alone reads, and cannot be approved.
func TestNoCard(t *testing.T) {
	me := samples.Demo()
	text := "wpkh([73c5da0a/84h/0h/0h]" + me.Account("m/84h/0h/0h").String() + "/<0;1>/*)"
	w, err := signer.ParseWallet("mine", []byte(text), signer.Mainnet)
	if err != nil {
		t.Fatal(err)
	}
	tx, err := signer.Open(payment("no card", samples.P2WPKH).Bytes(), signer.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	review := func(own signer.Ownership) *signer.Review {
		own.Wallets = []*signer.Wallet{w}
		r, err := tx.Review(t.Context(), mainnet, own, nil)
		if err != nil {
			t.Fatal(err)
		}
		readAll(t, r)
		return r
	}
	if got := obstacle(t, review(signer.Ownership{})); got != int(signer.ObstacleNoKey) {
		t.Errorf("obstacle %d", got)
	}
	// With the card of that wallet the wallet's own key is bound.
	a, err := review(signer.Ownership{Fingerprint: me.Fingerprint, HasFingerprint: true}).Approve()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := signer.Sign(t.Context(), a, demoKey(t), nil); err != nil {
		t.Error(err)
	}
}
