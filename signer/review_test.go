package signer_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/airlock-signer/airlock/signer"
	"github.com/airlock-signer/airlock/signer/samples"
	"github.com/btcsuite/btcd/txscript"
)

// TestAddresses: the published ones of BIP44, 49, 84 and 86, seen as inputs and
// outputs of a transaction; and what has no published wallet.
func TestAddresses(t *testing.T) {
	for _, c := range []struct {
		typ     samples.Type
		address string
	}{
		{samples.P2PKH, "1LqBGSKuX5yYUonjxT5qGfpUsXKYYWeabA"},
		{samples.P2SHP2WPKH, "37VucYSaXLCAsxYyAPfbSi9eh4iEcbShgf"},
		{samples.P2WPKH, "bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu"},
		{samples.P2TR, "bc1p5cyxnuxmeuwuvkwfem96lqzszd02n6xdcjrs20cac6yqjjwudpxqkedrcr"},
	} {
		p := samples.NewPacket("addresses")
		p.Spend(me.At(c.typ, 0, 0), 100_000)
		p.Change(me.At(c.typ, 0, 0), 99_000)
		r := (&scene{make: func(q *samples.Packet) { *q = *p }}).report(t)
		if r.Inputs[0].Address != c.address || r.Outputs[0].Address != c.address || string(r.Outputs[0].ScriptType) != string(c.typ) {
			t.Errorf("%s: %s, %s, %s", c.typ, r.Inputs[0].Address, r.Outputs[0].Address, r.Outputs[0].ScriptType)
		}
	}
	for _, c := range []struct {
		script  []byte
		network signer.Network
		typ     signer.ScriptType
		address string
	}{
		{[]byte{0x51, 0x02, 0x4e, 0x73}, signer.Mainnet, signer.P2A, "bc1pfeessrawgf"},
		{[]byte{0x51, 0x02, 0x4e, 0x73}, signer.Regtest, signer.P2A, "bcrt1pfeesnyr2tx"},
		{append([]byte{0x60, 0x02}, 0x75, 0x1e), signer.Mainnet, signer.UnknownScript, "bc1sw50qgdz25j"}, // BIP350
		{me.At(samples.P2WPKH, 0, 0).Script, signer.Signet, signer.P2WPKH, "tb1qcr8te4kr609gcawutmrza0j4xv80jy8zmfp6l0"},
		{nil, signer.Mainnet, signer.UnknownScript, ""},
		{[]byte{txscript.OP_RETURN, 1, 1}, signer.Mainnet, signer.OpReturn, ""},
		{[]byte{0, 3, 1, 2, 3}, signer.Mainnet, signer.UnknownScript, ""},
	} {
		s := scene{make: paying(c.script, 1000), settings: func(s *signer.Settings) { s.Network = c.network }}
		if o := s.report(t).Outputs[2]; o.Address != c.address || o.ScriptType != c.typ {
			t.Errorf("%x: %s %q", c.script, o.ScriptType, o.Address)
		}
	}
}

// TestAccountsWanted: what a card is asked for before a review.
func TestAccountsWanted(t *testing.T) {
	p := ordinary()
	w := samples.P2WPKH
	p.Inputs[0].Derive(thief.At(samples.P2PKH, 0, 0)) // a stranger's
	p.Spend(me.Spot(w, "m/84h/0h/2h/0/0"), 1000)
	p.Spend(me.Spot(w, "m/84h/0h/0h/0/9"), 1000)   // an account that is there already
	p.Spend(me.Spot(w, "m/0/1"), 1000)             // nothing hardened
	p.Spend(me.Spot(w, "m/84h/0h/0h/1h/5h"), 1000) // hardened to the end
	nameless := thief.Spot(w, "m/45h/7/0/1")       // perhaps ours
	nameless.Fingerprint = [4]byte{}
	p.Change(nameless, 500)
	want := "m/84h/0h/0h m/84h/0h/2h m/84h/0h/0h/1h/5h m/45h"
	list := func(p *samples.Packet) string {
		tx, err := signer.Open(p.Bytes(), signer.DefaultLimits())
		if err != nil {
			t.Fatal(err)
		}
		var paths []string
		for _, path := range tx.AccountsWanted(me.Fingerprint) {
			paths = append(paths, path.String())
		}
		return strings.Join(paths, " ")
	}
	if got := list(p); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	for i := range 20 {
		p.Spend(me.Spot(w, "m/84h/0h/"+string(rune('0'+i%10))+"h/"+string(rune('0'+i/10))+"h/0/0"), 1000)
	}
	if got := len(strings.Fields(list(p))); got != 9 {
		t.Errorf("%d accounts, want 9", got)
	}
}

// TestEncodings: the same bytes in another encoding are the same transaction.
func TestEncodings(t *testing.T) {
	p := ordinary()
	var first *signer.Report
	for encoding, file := range map[string][]byte{"binary": p.Bytes(), "base64": p.Base64(), "hex": p.Hex()} {
		r := *reviewDemo(t, file).Report()
		if r.Encoding != encoding {
			t.Errorf("%s: called %s", encoding, r.Encoding)
		}
		r.Encoding, r.FileSHA256 = "", [32]byte{}
		if first == nil {
			first = &r
		}
		if !reflect.DeepEqual(r, *first) {
			t.Errorf("%s is another report", encoding)
		}
	}
}

// TestMalformed: errors name the byte.
func TestMalformed(t *testing.T) {
	whole := ordinary().Bytes()
	for about, file := range map[string][]byte{
		"empty": nil, "cut": whole[:len(whole)-1], "trailing": append(whole[:len(whole):len(whole)], 0), "text": []byte("hello"),
	} {
		_, err := signer.Open(file, signer.DefaultLimits())
		var bad *signer.MalformedError
		if !errors.As(err, &bad) || bad.What == "" || !strings.Contains(err.Error(), "at byte") {
			t.Errorf("%s: %v", about, err)
		}
	}
	if _, err := signer.Open(whole, signer.Limits{MaxFile: len(whole) - 1}); err == nil {
		t.Error("a file above the cap was opened")
	}
	if _, err := signer.Open(whole, signer.Limits{MaxFile: len(whole)}); err != nil {
		t.Error(err)
	}
}

// TestReviewCancelled: a context that ended ends the review.
func TestReviewCancelled(t *testing.T) {
	tx, err := signer.Open(ordinary().Bytes(), signer.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if r, err := tx.Review(ctx, mainnet, cardFor(tx), nil); !errors.Is(err, context.Canceled) || r != nil {
		t.Errorf("%v, %v", r, err)
	}
	if _, err := tx.Review(t.Context(), signer.Settings{Network: "moon"}, cardFor(tx), nil); err == nil {
		t.Error("reviewed on no network")
	}
}

// TestRegisteredWallet: what a registered wallet proves that an account key
// alone does not.
func TestRegisteredWallet(t *testing.T) {
	wallet := func(before, path, after string) *signer.Wallet {
		text := before + "[73c5da0a" + path[1:] + "]" + me.Account(path).String() + "/<0;1>/*" + after
		w, err := signer.ParseWallet("Sav\u202eings", []byte(text), signer.Mainnet)
		if err != nil {
			t.Fatal(err)
		}
		return w
	}
	with := func(w ...*signer.Wallet) func(o *signer.Ownership) {
		return func(o *signer.Ownership) { *o = signer.Ownership{Wallets: w} }
	}
	first, second := wallet("wpkh(", "m/84h/0h/0h", ")"), wallet("wpkh(", "m/84h/0h/1h", ")")
	native := samples.P2WPKH
	play(t, []scene{
		{about: "its coin, its change", own: with(first)},
		{about: "its coin, change in another registered wallet", own: with(first, second), make: backTo(at(native, "m/84h/0h/1h/1/4"))},
		{about: "coins of both", own: with(first, second), make: func(p *samples.Packet) {
			p.Spend(at(native, "m/84h/0h/1h/0/0"), 50_000)
			p.Outputs[0].Amount += 50_000
		}},
		{about: "change in an account that is not registered", own: with(first), make: backTo(at(native, "m/84h/0h/1h/1/4")),
			want: "change-unproven no-change"},
		{about: "the same, and the card gives the account", own: func(o *signer.Ownership) { o.Wallets = []*signer.Wallet{first} },
			make: backTo(at(native, "m/84h/0h/1h/1/4")), want: "no-change other-account"},
		{about: "a branch that the wallet does not have", own: with(first), make: backTo(at(native, "m/84h/0h/0h/2/4")), want: "path-unusual"},
		{about: "its key in another type of script", own: with(first), make: backTo(at(samples.P2TR, "m/84h/0h/0h/1/4")), want: "change-fraud no-change"},
		{about: "its key in another type of script, spent", own: with(first), make: func(p *samples.Packet) {
			p.Spend(at(samples.P2PKH, "m/84h/0h/0h/0/4"), 50_000)
			p.Outputs[0].Amount += 50_000
		}, want: "input-not-proven"},
		{about: "two wallets of one account key", own: with(first, wallet("tr(", "m/84h/0h/0h", ")")), make: backTo(at(samples.P2TR, "m/84h/0h/0h/1/4"))},
		{about: "another wallet", own: with(second), want: "change-unproven nothing-to-sign"},
		{about: "a wallet of the other network", own: with(first), settings: func(s *signer.Settings) { s.Network = signer.Testnet },
			want: "network-mismatch"},
	})
	r := (&scene{own: with(first)}).report(t)
	if r.Inputs[0].Wallet != `Sav\u{202E}ings` || r.Outputs[1].Proof != `wallet Sav\u{202E}ings` {
		t.Errorf("%q, %q", r.Inputs[0].Wallet, r.Outputs[1].Proof)
	}
}

// TestKruxReviews: single-signature transactions of another signer's tests are
// acceptable to the holder of their keys.
func TestKruxReviews(t *testing.T) {
	var list []struct{ Lead, Base64 string }
	if err := json.Unmarshal(published(t, "krux/test_psbt.json"), &list); err != nil {
		t.Fatal(err)
	}
	k := newKey(t, samples.Mnemonic, signer.Testnet)
	seen := 0
	for _, v := range list {
		name, _, _ := strings.Cut(v.Lead, " ")
		switch strings.TrimSuffix(strings.TrimPrefix(name, "SIGNED_"), "_SD") {
		case "P2PKH_PSBT_B64", "P2WPKH_PSBT_B64", "P2SH_P2WPKH_PSBT_B64", "P2TR_PSBT_B64":
		default:
			continue
		}
		seen++
		file, err := base64.StdEncoding.DecodeString(v.Base64)
		if err != nil {
			t.Fatal(err)
		}
		r := reviewFile(t, file, k, signer.Settings{Network: signer.Testnet, AcceptUnproven: true}, nil).Report()
		if strings.HasPrefix(name, "SIGNED") && len(r.Inputs) > 0 && r.Inputs[0].Owner != signer.Ours {
			// A signed twin keeps no derivations and is not final: nothing says
			// whose it is.
			t.Logf("%s: %s, %s", name, r.Verdict, codesOf(r))
		}
		checkReport(t, r)
		for _, f := range r.Findings {
			if f.Severity == signer.Refuse {
				t.Errorf("%s: %s: %s", name, f.Code, f.Message())
			}
		}
		t.Logf("%s: %s %s", name, r.Verdict, codesOf(r))
	}
	if seen != 12 {
		t.Errorf("%d transactions seen, want 12", seen)
	}
}

// FuzzReview: whatever the bytes, nothing panics, every report is whole and
// sums or refuses.
func FuzzReview(f *testing.F) {
	for _, s := range samples.Stick() {
		f.Add(s.Data)
	}
	for _, c := range samples.Corpus() {
		if small(&c) {
			f.Add(c.Data)
		}
	}
	for _, change := range []func(p *samples.Packet){
		func(p *samples.Packet) { spendMultisig(p) },
		func(p *samples.Packet) { payMultisig(p) },
		func(p *samples.Packet) { finish(p, 0, me.Private("m/84h/0h/0h/0/3")) },
		func(p *samples.Packet) { put(p, 0, me.Private("m/84h/0h/0h/0/3"), 1) },
		spending(samples.P2TR), spending(samples.P2PKH), spending(samples.P2SHP2WPKH),
	} {
		p := ordinary()
		change(p)
		f.Add(p.Bytes())
	}
	own := signer.Ownership{Fingerprint: me.Fingerprint, HasFingerprint: true}
	for _, path := range []string{"m/84h/0h/0h", "m/86h/0h/0h", "m/44h/0h/0h", "m/49h/0h/0h", "m/48h/0h/0h/2h"} {
		own.Accounts = append(own.Accounts, accountAt(path))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		tx, err := signer.Open(file, signer.Limits{MaxFile: 1 << 20})
		if err != nil {
			var bad *signer.MalformedError
			if !errors.As(err, &bad) || bad.What == "" || bad.Offset < 0 {
				t.Fatalf("%v", err)
			}
			return
		}
		if n := len(tx.AccountsWanted(me.Fingerprint)); n > 9 {
			t.Errorf("%d accounts wanted", n)
		}
		for _, s := range []signer.Settings{{Network: signer.Mainnet}, {Network: signer.Testnet, AcceptUnproven: true, Unit: signer.Sat, Height: 900_000}} {
			checkReport(t, tx.Preview(s))
			r, err := tx.Review(t.Context(), s, own, signer.NewLedger())
			if err != nil {
				t.Fatal(err)
			}
			checkReport(t, r.Report())
		}
	})
}
