package signer_test

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"github.com/airlock-signer/airlock/signer"
	"github.com/airlock-signer/airlock/signer/samples"
)

// bipVector is one PSBT of a BIP.
type bipVector struct{ Section, Case, Base64, Expect string }

func bipVectors(t *testing.T, name string) []bipVector {
	t.Helper()
	var list []bipVector
	if err := json.Unmarshal(published(t, "bips/"+name), &list); err != nil {
		t.Fatal(err)
	}
	if len(list) == 0 {
		t.Fatal("no vectors")
	}
	return list
}

// TestBIPReviews: what the BIPs call valid is looked at without trouble, and
// what a signer must reject is refused for the reason that the BIP names.
func TestBIPReviews(t *testing.T) {
	reasons := map[string]signer.Code{
		"A Witness UTXO is provided for a non-witness input":                 signer.CodeLegacyWitnessUtxo,
		"redeemScript with non-witness UTXO does not match the scriptPubKey": signer.CodeRedeemScriptMismatch,
		"redeemScript with witness UTXO does not match the scriptPubKey":     signer.CodeRedeemScriptMismatch,
		"witnessScript with witness UTXO does not match the redeemScript":    signer.CodeWitnessScriptMismatch,
	}
	testnet := signer.Settings{Network: signer.Testnet, AcceptUnproven: true}
	seen := 0
	for _, name := range []string{"bip0174_psbt.json", "bip0371_psbt.json"} {
		for _, v := range bipVectors(t, name) {
			if v.Expect == "invalid" {
				continue
			}
			raw, err := base64.StdEncoding.DecodeString(v.Base64)
			if err != nil {
				t.Fatal(err)
			}
			tx, err := signer.Open(raw, signer.DefaultLimits())
			if err != nil {
				t.Errorf("%s: %v", v.Case, err)
				continue
			}
			seen++
			r := tx.Preview(testnet)
			checkReport(t, r)
			checkReport(t, reviewFile(t, raw, newKey(t, samples.Mnemonic, signer.Testnet), testnet, nil).Report())
			if v.Expect == "signer-must-reject" {
				want, ok := reasons[v.Case]
				if !ok || !strings.Contains(codesOf(r), string(want)) || r.Verdict != signer.VerdictRefused {
					t.Errorf("%s: %s %s", v.Case, r.Verdict, codesOf(r))
				}
				continue
			}
			t.Logf("%.60s: %s %s", v.Case, r.Verdict, codesOf(r))
		}
	}
	if seen < 20 {
		t.Errorf("%d vectors seen", seen)
	}
}
