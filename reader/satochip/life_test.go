package satochip_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"testing"

	"github.com/btcsuite/btcd/btcutil/hdkeychain"

	"github.com/airlock-signer/airlock/reader"
	"github.com/airlock-signer/airlock/reader/card"
	"github.com/airlock-signer/airlock/reader/secret"
	"github.com/airlock-signer/airlock/reader/simcard"
)

// hand puts a software card in and out, and holds what a person knows.
type hand struct {
	t    *testing.T
	card *simcard.Satochip
	c    card.Card // nil: out
}

func (h *hand) in() card.Card {
	h.t.Helper()
	h.out()
	c, err := reader.Open(context.Background(), wire{h.card}, rand.Reader)
	if err != nil {
		h.t.Fatal(err)
	}
	h.c = c
	return c
}

func (h *hand) out() {
	if h.c != nil {
		if err := h.c.Close(); err != nil {
			h.t.Error(err)
		}
		h.c = nil
	}
}

func (h *hand) state(want card.State) {
	h.t.Helper()
	if got := h.c.Info().State; got != want {
		h.t.Fatalf("state %v, want %v", got, want)
	}
}

func (h *hand) ok(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *hand) is(err, want error) {
	h.t.Helper()
	if !errors.Is(err, want) {
		h.t.Fatalf("%v, want %v", err, want)
	}
}

func buffer(t testing.TB, text []byte) *secret.Buffer {
	t.Helper()
	b, err := secret.New(64)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Release)
	if err := b.Append(text...); err != nil {
		t.Fatal(err)
	}
	return b
}

func (h *hand) code(text string) *secret.Buffer { return buffer(h.t, []byte(text)) }

// sees compares the master key with BIP32(seed) and verifies a signature, as
// whoever loads a seed does.
func (h *hand) sees(seed []byte) {
	h.t.Helper()
	ctx := context.Background()
	x, err := h.c.ExtendedKey(ctx, nil)
	h.ok(err)
	master := softwareKey(h.t)
	if pub, _ := master.ECPubKey(); bytes.Equal(seed, simcard.DemoSeed()) && x.PubKey != [33]byte(pub.SerializeCompressed()) {
		h.t.Fatalf("master key %x", x.PubKey)
	}
	r := softwareRequest(h.t, card.ECDSA, 3)
	sigs, err := h.c.SignDigests(ctx, []card.SignRequest{r}, nil)
	h.ok(err)
	if !verifies(h.t, r, sigs[0]) {
		h.t.Fatal("the signature does not verify")
	}
}

// TestWholeLife of a card: new, set up, seeded, named, signed with, its PIN
// changed, blocked, unblocked, its seed erased, reset in five insertions, and
// all over again.
func TestWholeLife(t *testing.T) {
	for _, version := range []string{simcard.Satochip012, simcard.Satochip014} {
		t.Run(version, func(t *testing.T) {
			s, err := simcard.NewSatochip(simcard.SatochipOptions{Version: version})
			if err != nil {
				t.Fatal(err)
			}
			h := &hand{t: t, card: s}
			defer h.out()
			identity := h.in().Info().Identity
			h.setUpAndSeed()
			h.nameAndProve()
			h.changePIN()
			h.blockAndUnblock()
			h.eraseAndLoadAgain(version == simcard.Satochip014)
			h.factoryReset()
			if again := h.in().Info(); !bytes.Equal(again.Identity, identity) {
				t.Error("the identity did not survive the reset")
			}
			h.setUpAndSeed()
		})
	}
}

func (h *hand) setUpAndSeed() {
	h.t.Helper()
	ctx := context.Background()
	h.state(card.StateNotSetUp)
	h.is(h.c.VerifyPIN(ctx, h.code("123456")), card.ErrNotSetUp)
	i := h.c.(card.Initializer)
	if r := i.SetupRules(); r.PIN.Min != 4 || r.PIN.Max != 16 || r.PUK != r.PIN || r.PINTries != 5 || r.PUKTries != 3 {
		h.t.Errorf("%+v", r)
	}
	at := len(h.card.Log())
	if err := i.Setup(ctx, h.code("123"), h.code("87654321")); err == nil {
		h.t.Error("a PIN of 3 characters")
	}
	if err := i.Setup(ctx, h.code("123456"), h.code("12345678901234567")); err == nil {
		h.t.Error("a PUK of 17 characters")
	}
	if len(h.card.Log()) != at {
		h.t.Error("a PIN or PUK of another length went out: that can spoil the card")
	}
	h.ok(i.Setup(ctx, h.code("123456"), h.code("87654321")))
	h.is(i.Setup(ctx, h.code("123456"), h.code("87654321")), card.ErrSetUpBefore)
	h.state(card.StateNoSeed)

	l := h.c.(card.SeedLoader)
	h.is(l.LoadSeed(ctx, buffer(h.t, simcard.DemoSeed())), card.ErrPINNeeded)
	h.ok(h.c.VerifyPIN(ctx, h.code("123456")))
	if err := l.LoadSeed(ctx, buffer(h.t, make([]byte, 15))); err == nil {
		h.t.Error("a seed of 15 bytes")
	}
	h.ok(l.LoadSeed(ctx, buffer(h.t, simcard.DemoSeed())))
	h.state(card.StateReady)
	h.is(l.LoadSeed(ctx, buffer(h.t, simcard.DemoSeed())), card.ErrHasSeed)
	h.sees(simcard.DemoSeed())
}

func (h *hand) nameAndProve() {
	ctx := context.Background()
	l := h.c.(card.Labeler)
	h.ok(l.SetLabel(ctx, "Kü\x1bche"))
	if h.c.Info().Label != "Kü\x1bche" {
		h.t.Errorf("%q", h.c.Info().Label)
	}
	if err := l.SetLabel(ctx, string(make([]byte, l.LabelMax()+1))); err == nil {
		h.t.Error("a name of 65 bytes")
	}
	if err := l.SetLabel(ctx, "\xFF"); err == nil {
		h.t.Error("a name that is no text")
	}
	h.in()
	if h.c.Info().Label != "" {
		h.t.Error("the name is not known before the PIN")
	}
	h.ok(h.c.VerifyPIN(ctx, h.code("123456")))
	at := len(h.card.Log())
	label, err := h.c.(card.Labeler).Label(ctx)
	if err != nil || label != "Kü\x1bche" || h.c.Info().Label != label || len(h.card.Log()) != at+1 {
		h.t.Errorf("%q %v", label, err)
	}
	a, err := h.c.(card.Attester).Attest(ctx)
	if err != nil || a != (card.Attestation{Alive: true}) {
		h.t.Errorf("%+v %v", a, err)
	}
	if i, err := h.c.Refresh(ctx); err != nil || i.Label != label {
		h.t.Errorf("the name went with a refresh: %+v %v", i, err)
	}
}

func (h *hand) changePIN() {
	ctx := context.Background()
	c := h.c.(card.PINChanger)
	var wrong card.WrongPINError
	if err := c.ChangePIN(ctx, h.code("000000"), h.code("5678")); !errors.As(err, &wrong) || wrong.Left != 4 {
		h.t.Fatal(err)
	}
	h.ok(c.ChangePIN(ctx, h.code("123456"), h.code("5678")))
	if h.c.Info().PINTries != 5 {
		h.t.Errorf("%d tries", h.c.Info().PINTries)
	}
	_, err := h.c.ExtendedKey(ctx, nil)
	h.is(err, card.ErrPINNeeded)
	if err := h.c.VerifyPIN(ctx, h.code("123456")); !errors.As(err, &wrong) {
		h.t.Fatal(err)
	}
	h.ok(h.c.VerifyPIN(ctx, h.code("5678")))
	if h.c.Info().PINTries != 5 {
		h.t.Errorf("%d tries after a good login", h.c.Info().PINTries)
	}
	// The same buffer twice must not lock up.
	same := h.code("5678")
	h.ok(c.ChangePIN(ctx, same, same))
}

func (h *hand) blockAndUnblock() {
	ctx := context.Background()
	u := h.c.(card.Unblocker)
	if !u.KeepsPIN() {
		h.t.Error("KeepsPIN")
	}
	h.is(u.Unblock(ctx, h.code("87654321"), nil), card.ErrPINNotBlocked)
	for left := 4; left >= 0; left-- {
		if err := h.c.VerifyPIN(ctx, h.code("0000")); err != (card.WrongPINError{Left: left}) {
			h.t.Fatal(err)
		}
	}
	h.in()
	h.state(card.StatePINBlocked)
	h.is(h.c.VerifyPIN(ctx, h.code("5678")), card.ErrBlocked)
	h.is(h.c.(card.PINChanger).ChangePIN(ctx, h.code("5678"), h.code("5678")), card.ErrBlocked)
	u = h.c.(card.Unblocker)
	if err := u.Unblock(ctx, h.code("00000000"), nil); err != (card.WrongPUKError{Left: 2}) {
		h.t.Fatal(err)
	}
	h.ok(u.Unblock(ctx, h.code("87654321"), nil))
	h.state(card.StateReady)
	if i := h.c.Info(); i.PINTries != 5 || i.PUKTries != 3 {
		h.t.Errorf("%+v", i)
	}
	_, err := h.c.ExtendedKey(ctx, nil)
	h.is(err, card.ErrPINNeeded)
	h.ok(h.c.VerifyPIN(ctx, h.code("5678")))
	h.sees(simcard.DemoSeed())
}

// eraseAndLoadAgain: 0.14 cannot use a seed loaded after one was erased, and is
// never called ready with it.
func (h *hand) eraseAndLoadAgain(trap bool) {
	ctx := context.Background()
	e := h.c.(card.SeedEraser)
	if warning := h.c.(card.EraseWarner).EraseWarning(); (warning != "") != trap {
		h.t.Errorf("%q", warning)
	}
	var wrong card.WrongPINError
	if err := e.EraseSeed(ctx, h.code("0000")); !errors.As(err, &wrong) {
		h.t.Fatal(err)
	}
	h.is(e.EraseSeed(ctx, h.code("5678")), card.ErrPINNeeded)
	h.ok(h.c.VerifyPIN(ctx, h.code("5678")))
	h.ok(e.EraseSeed(ctx, h.code("5678")))
	h.state(card.StateNoSeed)
	h.is(e.EraseSeed(ctx, h.code("5678")), card.ErrNoSeed)
	h.ok(h.c.VerifyPIN(ctx, h.code("5678")))
	err := h.c.(card.SeedLoader).LoadSeed(ctx, buffer(h.t, simcard.DemoSeed()))
	if !trap {
		h.ok(err)
		h.sees(simcard.DemoSeed())
		return
	}
	h.is(err, card.ErrNeedsReset)
	h.state(card.StateNeedsReset)
	if _, err := h.c.Refresh(ctx); err != nil {
		h.t.Fatal(err)
	}
	h.state(card.StateNeedsReset)
}

func (h *hand) factoryReset() {
	ctx := context.Background()
	if n := h.c.(card.Resetter).ResetInsertions(); n != 5 {
		h.t.Errorf("%d insertions", n)
	}
	h.out()
	step := func() (int, error) {
		w := wire{h.card}
		defer w.Close()
		return reader.ResetStep(ctx, w)
	}
	for _, want := range []int{4, 3} {
		if left, err := step(); left != want || err != nil {
			h.t.Fatal(left, err)
		}
	}
	h.in() // somebody looks at it in between
	_, err := reader.ResetStep(ctx, wire{h.card})
	h.is(err, card.ErrResetInterrupted)
	h.out()
	for want := 4; want >= 0; want-- {
		if left, err := step(); left != want || err != nil {
			h.t.Fatal(left, err)
		}
	}
}

// TestOldCardsLife: 0.11 has no name, certificate and factory reset, and
// another identity with each seed.
func TestOldCardsLife(t *testing.T) {
	ctx := context.Background()
	s, err := simcard.NewSatochip(simcard.SatochipOptions{Version: simcard.Satochip011})
	if err != nil {
		t.Fatal(err)
	}
	h := &hand{t: t, card: s}
	defer h.out()
	h.in()
	for _, can := range card.Abilities(h.c) {
		if can == "label" || can == "attest" || can == "factory-reset" {
			t.Errorf("0.11 has no %s", can)
		}
	}
	h.setUpAndSeed()
	one := h.c.Info().Identity
	if !bytes.Equal(one, s.Authentikey()) || !h.c.Info().SharedIdentity {
		t.Errorf("%+v", h.c.Info())
	}
	h.ok(h.c.(card.SeedEraser).EraseSeed(ctx, h.code("123456")))
	if h.c.Info().Identity != nil {
		t.Error("an identity without a seed")
	}
	h.ok(h.c.VerifyPIN(ctx, h.code("123456")))
	other := bytes.Repeat([]byte{9}, hdkeychain.RecommendedSeedLen)
	h.ok(h.c.(card.SeedLoader).LoadSeed(ctx, buffer(t, other)))
	if two := h.c.Info().Identity; bytes.Equal(one, two) || !bytes.Equal(two, s.Authentikey()) {
		t.Error("the identity of another seed")
	}
	h.ok(h.c.Logout(ctx))
	h.ok(h.c.VerifyPIN(ctx, h.code("123456")))
	h.out()
	if _, err := reader.ResetStep(ctx, wire{s}); !errors.Is(err, card.ErrNotSupported) {
		t.Errorf("factory reset: %v", err)
	}
}

// TestPUKGone: with the PUK used up before the PIN, a wrong PIN says what is
// left.
func TestPUKGone(t *testing.T) {
	ctx := context.Background()
	o := simcard.Demo(simcard.Satochip012, "no PUK")
	o.WrongPUKs, o.WrongPINs = 3, 3
	s, err := simcard.NewSatochip(o)
	if err != nil {
		t.Fatal(err)
	}
	h := &hand{t: t, card: s}
	defer h.out()
	h.in()
	h.state(card.StateReady)
	for _, want := range []card.WrongPINError{{Left: 1, NoPUK: true}, {Left: 0, NoPUK: true}} {
		if err := h.c.VerifyPIN(ctx, h.code("0000")); err != want {
			t.Fatal(err)
		}
	}
	h.state(card.StateBlocked)
	h.is(h.c.(card.Unblocker).Unblock(ctx, h.code("87654321"), nil), card.ErrPUKBlocked)
	h.in()
	h.state(card.StateBlocked)
}
