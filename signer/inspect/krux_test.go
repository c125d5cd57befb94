package inspect_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/airlock-signer/airlock/signer"
	"github.com/airlock-signer/airlock/signer/samples"
	"github.com/btcsuite/btcd/chaincfg"
)

// kruxVectors are unsigned PSBTs of another signer's tests, by variable name,
// over the same mnemonic as our samples.
func kruxVectors(t *testing.T) map[string]string {
	t.Helper()
	dir := os.Getenv("AIRLOCK_VECTORS")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "vectors")
	}
	data, err := os.ReadFile(filepath.Join(dir, "krux", "test_psbt.json"))
	if err != nil {
		t.Skipf("SKIPPED: the public vectors are absent (%v); set AIRLOCK_VECTORS", err)
	}
	var all []struct{ Lead, Base64 string }
	if err := json.Unmarshal(data, &all); err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, v := range all {
		name, _, _ := strings.Cut(v.Lead, " ")
		out[name] = v.Base64
	}
	return out
}

// TestKruxWithDescriptor: another project's transactions, ours by a descriptor
// alone.
func TestKruxWithDescriptor(t *testing.T) {
	vectors := kruxVectors(t)
	for _, c := range []struct {
		vector string
		kind   samples.Type
		before string
		path   string
		params *chaincfg.Params
		warn   string // the one caution or refusal; these files carry witness UTXOs alone
	}{
		{"P2PKH_PSBT_B64", samples.P2PKH, "pkh(", "m/44h/1h/0h", &chaincfg.TestNet3Params, ""},
		{"P2WPKH_PSBT_B64", samples.P2WPKH, "wpkh(", "m/84h/1h/0h", &chaincfg.TestNet3Params, "prevtx-missing"},
		{"P2SH_P2WPKH_PSBT_B64", samples.P2SHP2WPKH, "sh(wpkh(", "m/49h/1h/0h", &chaincfg.TestNet3Params, "prevtx-missing"},
		{"P2TR_PSBT_B64", samples.P2TR, "tr(", "m/86h/1h/0h", &chaincfg.TestNet3Params, ""},
	} {
		t.Run(c.vector, func(t *testing.T) {
			key := samples.NewKeys(samples.Mnemonic, c.params).Account(c.path).String()
			text := c.before + "[73c5da0a" + c.path[1:] + "]" + key + "/<0;1>/*" + strings.Repeat(")", strings.Count(c.before, "("))
			w, err := signer.ParseWallet("krux", []byte(text), signer.Testnet)
			if err != nil {
				t.Fatal(err)
			}
			o := options()
			o.Network, o.Wallets = signer.Testnet, []*signer.Wallet{w}
			d := document(t, c.vector, []byte(vectors[c.vector]), o)
			if d.Ownership != "checked" || d.Transaction == nil || *d.Encoding != "base64" {
				t.Fatalf("ownership %s, %s", d.Ownership, d.Error)
			}
			for in := range d.Inputs() {
				if in.Owner != signer.Ours || string(in.ScriptType) != string(c.kind) || in.Wallet == nil || *in.Wallet != "krux" ||
					in.SignaturesHave != 0 || in.SignaturesNeed != 1 || in.Amount == nil {
					t.Errorf("input %d: %+v", in.Index, in)
				}
			}
			var warn []string
			for f := range d.Findings() {
				if f.Severity != "note" {
					warn = append(warn, string(f.Code))
				}
			}
			if got := strings.Join(warn, " "); got != c.warn {
				t.Errorf("found %q, want %q", got, c.warn)
			}
		})
	}
}
