package signer

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/btcsuite/btcd/btcutil"
	"github.com/btcsuite/btcd/txscript"
	"github.com/btcsuite/btcd/wire"
)

// vectorFile reads a published file, or skips the test, saying so.
func vectorFile(t testing.TB, name string) []byte {
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

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func parseTx(t testing.TB, raw []byte) *wire.MsgTx {
	t.Helper()
	tx := &wire.MsgTx{}
	if err := tx.DeserializeNoWitness(bytes.NewReader(raw)); err != nil {
		t.Fatal(err)
	}
	return tx
}

// TestBIP143 takes transactions, keys, hashes and signatures out of the BIP's
// own text: its native and nested single-key examples.
func TestBIP143(t *testing.T) {
	text := string(vectorFile(t, "bips/bip0143_test_vectors.txt"))
	for _, c := range []struct {
		name, unsigned, pub, sighash, sig string
		kind                              ScriptType
		spent                             []*wire.TxOut
		input                             int
	}{
		{
			name: "native", kind: P2WPKH, input: 1,
			unsigned: `unsigned transaction:\s+([0-9a-f]+)`,
			pub:      `public key\s+: (025476[0-9a-f]+)`,
			sighash:  `sigHash:\s+(c37af3[0-9a-f]+)`,
			sig:      `signature:\s+(304402203609[0-9a-f]+)`,
			spent: []*wire.TxOut{
				{Value: 625_000_000, PkScript: unhex(t, "2103c9f4836b9a4f77fc0d81f7bcb01b7f1b35916864b9476c241ce9fc198bd25432ac")},
				{Value: 600_000_000, PkScript: unhex(t, "00141d0f172a0ecb48aee1be1f2687d2963ae33f71a1")},
			},
		},
		{
			name: "nested", kind: P2SHP2WPKH, input: 0,
			unsigned: `unsigned transaction:\s+(0100000001db6b[0-9a-f]+)`,
			pub:      `public key\s+: (03ad1d[0-9a-f]+)`,
			sighash:  `sigHash:\s+(64f3b0[0-9a-f]+)`,
			sig:      `signature:\s+(3044022047ac[0-9a-f]+)`,
			spent: []*wire.TxOut{
				{Value: 1_000_000_000, PkScript: unhex(t, "a9144733f37cf4db86fbc2efed2500b4f4e49f31202387")},
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			find := func(pattern string) []byte {
				m := regexp.MustCompile(pattern).FindStringSubmatch(text)
				if m == nil {
					t.Fatalf("nothing in the text matches %s", pattern)
				}
				return unhex(t, m[1])
			}
			pub, sig := find(c.pub), find(c.sig)
			h, err := newHasher(parseTx(t, find(c.unsigned)), c.spent)
			if err != nil {
				t.Fatal(err)
			}
			if kind, _ := keySpends(c.spent[c.input].PkScript, pub); kind != c.kind {
				t.Fatalf("the key spends %s", kind)
			}
			digest, err := h.digest(c.input, c.kind, btcutil.Hash160(pub), txscript.SigHashAll)
			if err != nil || !bytes.Equal(digest[:], find(c.sighash)) {
				t.Fatalf("digest %x (%v)", digest, err)
			}
			req := &Request{PubKey: [33]byte(pub), Digest: digest, Scheme: ECDSA}
			if _, err := checkSignature(req, sig[:len(sig)-1]); err != nil {
				t.Errorf("published signature: %v", err)
			}
		})
	}
}

// TestBIP341 checks the key path hashes of the BIP's wallet vectors, and its
// signatures, with and without a tree of scripts.
func TestBIP341(t *testing.T) {
	var file struct {
		KeyPathSpending []struct {
			Given struct {
				RawUnsignedTx string
				UtxosSpent    []struct {
					ScriptPubKey string
					AmountSats   int64
				}
			}
			InputSpending []struct {
				Given struct {
					TxinIndex  int
					MerkleRoot *string
					HashType   uint32
				}
				Intermediary struct{ InternalPubkey, SigHash string }
				Expected     struct{ Witness []string }
			}
		}
	}
	if err := json.Unmarshal(vectorFile(t, "bips/bip341_wallet.json"), &file); err != nil {
		t.Fatal(err)
	}
	checked := 0
	for _, v := range file.KeyPathSpending {
		var spent []*wire.TxOut
		for _, u := range v.Given.UtxosSpent {
			spent = append(spent, &wire.TxOut{Value: u.AmountSats, PkScript: unhex(t, u.ScriptPubKey)})
		}
		h, err := newHasher(parseTx(t, unhex(t, v.Given.RawUnsignedTx)), spent)
		if err != nil {
			t.Fatal(err)
		}
		for _, in := range v.InputSpending {
			digest, err := h.digest(in.Given.TxinIndex, P2TR, nil, txscript.SigHashType(in.Given.HashType))
			if err != nil || hex.EncodeToString(digest[:]) != in.Intermediary.SigHash {
				t.Errorf("input %d: digest %x (%v)", in.Given.TxinIndex, digest, err)
			}
			req := &Request{Digest: digest, Scheme: SchnorrKeyPath}
			req.PubKey = [33]byte(append([]byte{2}, unhex(t, in.Intermediary.InternalPubkey)...))
			if in.Given.MerkleRoot != nil {
				req.MerkleRoot = unhex(t, *in.Given.MerkleRoot)
			}
			if _, err := checkSignature(req, unhex(t, in.Expected.Witness[0])[:64]); err != nil {
				t.Errorf("input %d: published signature: %v", in.Given.TxinIndex, err)
			}
			checked++
		}
	}
	if checked == 0 {
		t.Error("the file holds no key path spending")
	}
}

// TestHasherRefuses what it cannot hash truthfully.
func TestHasherRefuses(t *testing.T) {
	tx := wire.NewMsgTx(2)
	tx.AddTxIn(&wire.TxIn{})
	tx.AddTxIn(&wire.TxIn{PreviousOutPoint: wire.OutPoint{Index: 1}})
	out := &wire.TxOut{Value: 1, PkScript: []byte{txscript.OP_1}}
	if _, err := newHasher(tx, []*wire.TxOut{out}); err == nil {
		t.Error("fewer outputs than inputs")
	}
	if _, err := newHasher(tx, []*wire.TxOut{out, nil}); err == nil {
		t.Error("an unknown output")
	}
	h, err := newHasher(tx, []*wire.TxOut{out, out})
	if err != nil {
		t.Fatal(err)
	}
	for _, input := range []int{-1, 2} {
		if _, err := h.digest(input, P2TR, nil, 0); err == nil {
			t.Errorf("input %d of 2", input)
		}
	}
	if _, err := h.digest(0, P2WSH, nil, 1); err == nil {
		t.Error("a script of several keys")
	}
	if _, err := h.digest(0, P2TR, nil, 0x41); err == nil {
		t.Error("an unknown taproot hash type")
	}
	tx.TxIn[1].PreviousOutPoint.Index = 0
	if _, err := newHasher(tx, []*wire.TxOut{out, out}); err == nil {
		t.Error("a coin spent twice")
	}
}
