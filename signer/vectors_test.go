package signer_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/airlock-signer/airlock/signer"
	"github.com/airlock-signer/airlock/signer/container"
	"github.com/airlock-signer/airlock/signer/samples"
	"github.com/btcsuite/btcd/txscript"
	"github.com/btcsuite/btcd/wire"
)

// published reads a file of public vectors, or skips the test, saying so.
func published(t testing.TB, name string) []byte {
	t.Helper()
	dir := os.Getenv("AIRLOCK_VECTORS")
	if dir == "" {
		dir = filepath.Join("..", "..", "shared", "vectors")
	}
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Skipf("SKIPPED, no published vectors (set AIRLOCK_VECTORS): %v", err)
	}
	return b
}

// TestKruxTwins signs Krux's transactions as Krux did: RFC 6979 with low-R
// grinding, BIP340. Each ECDSA signature must be the published one byte for
// byte. Krux's taproot signature is made with random auxiliary bytes: it must do
// in the place of ours.
func TestKruxTwins(t *testing.T) {
	var list []struct{ Lead, Base64 string }
	if err := json.Unmarshal(published(t, "krux/test_psbt.json"), &list); err != nil {
		t.Fatal(err)
	}
	file := map[string][]byte{}
	for _, v := range list {
		name, _, _ := strings.Cut(v.Lead, " ")
		b, err := base64.StdEncoding.DecodeString(v.Base64)
		if err != nil {
			t.Fatal(err)
		}
		file[name] = b
	}
	for _, typ := range []string{"P2PKH", "P2WPKH", "P2SH_P2WPKH", "P2TR"} {
		t.Run(typ, func(t *testing.T) {
			unsigned, twin := file[typ+"_PSBT_B64"], file["SIGNED_"+typ+"_PSBT_B64"]
			if unsigned == nil || twin == nil {
				t.Fatal("the file does not have this pair")
			}
			k := newKey(t, samples.Mnemonic, signer.Testnet)
			k.LowR = true
			s := signer.Settings{Network: signer.Testnet, AcceptUnproven: true}
			review := reviewFile(t, unsigned, k, s, signer.NewLedger())
			result, err := signer.Sign(t.Context(), approve(t, review), k, nil)
			if err != nil {
				t.Fatal(err)
			}
			checkOnlySignatures(t, unsigned, result.PSBT)
			if !result.Complete {
				t.Error("not complete")
			}
			want, err := container.Parse(twin)
			if err != nil {
				t.Fatal(err)
			}
			got, err := container.Parse(result.PSBT)
			if err != nil {
				t.Fatal(err)
			}
			compared := 0
			for i := range want.Inputs {
				for pair := range want.Inputs[i].All(container.InPartialSig) {
					compared++
					if ours, ok := got.Inputs[i].Find(pair.Key); !ok || !bytes.Equal(ours.Value, pair.Value) {
						t.Errorf("input %d: %x, published %x", i, ours.Value, pair.Value)
					}
				}
				if pair, ok := want.Inputs[i].Get(container.InTapKeySig); ok {
					compared++
					exchange(t, review.Report(), result.FinalTx, i, pair.Value)
				}
			}
			if compared == 0 {
				t.Error("the published twin has no signatures")
			}
		})
	}
}

// exchange puts another taproot signature into a final transaction of one input
// and runs the script engine.
func exchange(t *testing.T, r *signer.Report, final []byte, i int, sig []byte) {
	t.Helper()
	tx := &wire.MsgTx{}
	if err := tx.Deserialize(bytes.NewReader(final)); err != nil {
		t.Fatal(err)
	}
	if ours := tx.TxIn[i].Witness; len(ours) != 1 || len(ours[0]) != len(sig) {
		t.Errorf("input %d: witness %x, published %x", i, ours, sig)
	}
	tx.TxIn[i].Witness = wire.TxWitness{sig}
	fetch := txscript.NewMultiPrevOutFetcher(nil)
	for _, in := range r.Inputs {
		fetch.AddPrevOut(in.Outpoint, &wire.TxOut{Value: in.Amount.Sat, PkScript: in.Script})
	}
	in := r.Inputs[i]
	vm, err := txscript.NewEngine(in.Script, tx, i, txscript.StandardVerifyFlags, nil, txscript.NewTxSigHashes(tx, fetch), in.Amount.Sat, fetch)
	if err == nil {
		err = vm.Execute()
	}
	if err != nil {
		t.Errorf("input %d: the published signature: %v", i, err)
	}
}
