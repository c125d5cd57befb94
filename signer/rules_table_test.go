package signer

import (
	"slices"
	"testing"

	"github.com/airlock-signer/airlock/signer/samples"
)

// notYet are the codes that only come with later parts: multisig and policies,
// registered wallets that can be wrong, PSBT version 2 and silent payments; and
// those that are never in a report.
var notYet = []Code{
	CodeOutputScriptMissing, CodeWalletInvalid, CodeSilentPaymentUnverified, CodePolicyDelay, CodeUnsortedMultisig,
	CodeSignatureInvalid, CodeSignatureWrongKey, CodeNonceRepeated, CodeCardSwapped, CodeResultInvalid,
}

// TestEveryCodeHasARule: no code of the rule book is without a rule.
func TestEveryCodeHasARule(t *testing.T) {
	have := map[Code]bool{}
	for _, r := range rules() {
		for _, c := range r.codes {
			have[c] = true
			if _, known := severities[c]; !known {
				t.Errorf("%s is no code", c)
			}
		}
	}
	for c := range severities {
		if have[c] == slices.Contains(notYet, c) {
			t.Errorf("%s: has a rule is %v", c, have[c])
		}
	}
}

// TestRulesKeepToTheirCodes: a rule says nothing but what the table has for it,
// and says it of one transaction the same way twice.
func TestRulesKeepToTheirCodes(t *testing.T) {
	for _, f := range samples.Stick() {
		tx, err := Open(f.Data, DefaultLimits())
		if err != nil {
			continue
		}
		a, err := tx.assess(t.Context(), Settings{Network: Mainnet}, Ownership{Fingerprint: samples.Demo().Fingerprint, HasFingerprint: true}, NewLedger())
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rules() {
			first, second := &sayer{}, &sayer{}
			r.find(a, first)
			r.find(a, second)
			if !slices.Equal(first.findings, second.findings) {
				t.Errorf("%s: rule of %v changes its mind", f.Name, r.codes)
			}
			for _, found := range first.findings {
				if !slices.Contains(r.codes, found.Code) {
					t.Errorf("%s: rule of %v says %s", f.Name, r.codes, found.Code)
				}
			}
		}
	}
}

// TestPreviousHashedOnce: copies of one previous transaction are compared, not
// hashed again, and one that only looks like it is not taken for it.
func TestPreviousHashedOnce(t *testing.T) {
	tx, _ := samples.Coin("shared", []byte{0x51}, 1000)
	raw := samples.TxBytes(tx)
	prev := previous{}
	for range 3 {
		if _, fits, err := prev.read(tx.TxHash(), slices.Clone(raw)); err != nil || !fits {
			t.Fatal(fits, err)
		}
	}
	if kept := prev.known[tx.TxHash()]; len(prev.known) != 1 || &kept.raw[0] == &raw[0] || prev.work.hashed != len(raw) {
		t.Errorf("%d entries, %d bytes hashed", len(prev.known), prev.work.hashed)
	}
	altered := slices.Clone(raw)
	altered[len(altered)-1] ^= 1
	if _, fits, err := prev.read(tx.TxHash(), altered); err != nil || fits {
		t.Error("another transaction passed for it", err)
	}
	if _, fits, err := prev.read(tx.TxHash(), raw[:len(raw)-1]); err == nil || fits {
		t.Error("a cut one passed")
	}
}

// TestKeysDerivedOnce: a key below an account is derived when first asked for.
func TestKeysDerivedOnce(t *testing.T) {
	h, ok := newHolder(&Account{Path: samples.ParsePath("m/84h/0h/0h"), Key: samples.Demo().Account("m/84h/0h/0h")}, nil)
	if !ok {
		t.Fatal("no holder")
	}
	for i := range uint32(100) {
		for range 2 {
			if _, ok := h.key(Path{1, i % 10}); !ok {
				t.Fatal("not derived")
			}
		}
	}
	if len(h.leaves) != 10 || len(h.nodes) != 2 { // the account and its branch 1
		t.Errorf("%d keys and %d nodes are kept", len(h.leaves), len(h.nodes))
	}
	if _, ok := h.key(Path{HardenedOffset}); ok {
		t.Error("a hardened step was derived")
	}
	if _, ok := h.key(make(Path, 256)); ok {
		t.Error("256 steps were derived")
	}
	if _, ok := newHolder(&Account{Key: samples.Demo().Extended("m")}, nil); ok {
		t.Error("a private key was taken")
	}
}

// TestThousands of numbers as people write them.
func TestThousands(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", 912345: "912,345", -1000: "-1,000", -999: "-999", 1234567890: "1,234,567,890"} {
		if got := thousands(n); got != want {
			t.Errorf("%d: %s", n, got)
		}
	}
}
