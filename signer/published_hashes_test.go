package signer

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/btcsuite/btcd/chaincfg/chainhash"
	"github.com/btcsuite/btcd/txscript"
	"github.com/btcsuite/btcd/wire"
)

// TestCoreLegacyHashes computes the legacy signature hashes of Bitcoin Core
// (scripts with separators, any 32-bit hash type) with the function that every
// legacy digest of the station comes from.
func TestCoreLegacyHashes(t *testing.T) {
	var list [][]any
	if err := json.Unmarshal(vectorFile(t, "bitcoin-core/sighash.json"), &list); err != nil {
		t.Fatal(err)
	}
	compared := 0
	for i, v := range list[1:] {
		tx := parseTx(t, unhex(t, v[0].(string)))
		// The list writes the hash type as a signed number.
		hashType := txscript.SigHashType(uint32(int32(v[3].(float64))))
		sum, err := txscript.CalcSignatureHash(unhex(t, v[1].(string)), hashType, tx, int(v[2].(float64)))
		want, errWant := chainhash.NewHashFromStr(v[4].(string))
		if err != nil || errWant != nil || !bytes.Equal(sum, want[:]) {
			t.Errorf("%d: %x (%v), published %v", i, sum, err, want)
		}
		compared++
	}
	if compared != 500 {
		t.Errorf("%d hashes compared", compared)
	}
}

// tapTree is a tree of scripts as BIP341's vectors write it: a leaf, or a list
// of two trees.
type tapTree struct {
	script   []byte
	version  byte
	branches []tapTree
}

func (n *tapTree) UnmarshalJSON(b []byte) error {
	if bytes.HasPrefix(bytes.TrimSpace(b), []byte("[")) {
		return json.Unmarshal(b, &n.branches)
	}
	var leaf struct {
		Script      string
		LeafVersion byte
	}
	if err := json.Unmarshal(b, &leaf); err != nil {
		return err
	}
	var err error
	n.script, err = hex.DecodeString(leaf.Script)
	n.version = leaf.LeafVersion
	return err
}

// field writes the tree as PSBT_OUT_TAP_TREE (BIP371), and lists its leaves.
func (n *tapTree) field(depth byte) (field []byte, leaves []tapTree) {
	if n.branches == nil {
		return append([]byte{depth, n.version, byte(len(n.script))}, n.script...), []tapTree{*n}
	}
	for _, b := range n.branches {
		f, l := b.field(depth + 1)
		field, leaves = append(field, f...), append(leaves, l...)
	}
	return field, leaves
}

// TestBIP341Scripts: the scripts, addresses, merkle roots and control blocks of
// BIP341's wallet vectors, in the copies of the BIP and of Bitcoin Core.
func TestBIP341Scripts(t *testing.T) {
	for _, name := range []string{"bips/bip341_wallet.json", "bitcoin-core/bip341_wallet_vectors.json"} {
		var file struct {
			ScriptPubKey []struct {
				Given struct {
					InternalPubkey string
					ScriptTree     *tapTree
				}
				Intermediary struct{ MerkleRoot *string }
				Expected     struct {
					ScriptPubKey, Bip350Address string
					ScriptPathControlBlocks     []string
				}
			}
		}
		if err := json.Unmarshal(vectorFile(t, name), &file); err != nil {
			t.Fatal(err)
		}
		if len(file.ScriptPubKey) != 7 {
			t.Errorf("%s: %d scripts", name, len(file.ScriptPubKey))
		}
		for i, v := range file.ScriptPubKey {
			script, internal := unhex(t, v.Expected.ScriptPubKey), unhex(t, v.Given.InternalPubkey)
			var root []byte
			var leaves []tapTree
			if v.Given.ScriptTree != nil {
				var field []byte
				field, leaves = v.Given.ScriptTree.field(0)
				var ok bool
				if root, ok = treeRoot(field); !ok || hex.EncodeToString(root) != *v.Intermediary.MerkleRoot {
					t.Errorf("%s %d: merkle root %x, %v", name, i, root, ok)
				}
			}
			if !taprootCommits(script, internal, root) || taprootCommits(script, internal, bytes.Repeat([]byte{1}, 32)) {
				t.Errorf("%s %d: the output key is not that of key and tree", name, i)
			}
			if got := addressOf(script, Mainnet.Params()); got != v.Expected.Bip350Address {
				t.Errorf("%s %d: %s, want %s", name, i, got, v.Expected.Bip350Address)
			}
			for j, block := range v.Expected.ScriptPathControlBlocks {
				checkControlBlock(t, script, unhex(t, block), leaves[j])
			}
		}
	}
}

func checkControlBlock(t *testing.T, script, block []byte, leaf tapTree) {
	t.Helper()
	var right, wrong taprootFacts
	right.leaf(block, append(bytes.Clone(leaf.script), leaf.version), script)
	if !right.opened || right.wrong {
		t.Errorf("the control block %x does not open %x", block, script)
	}
	block[len(block)-1] ^= 1
	wrong.leaf(block, append(bytes.Clone(leaf.script), leaf.version), script)
	if wrong.opened || !wrong.wrong {
		t.Errorf("a changed control block opens %x", script)
	}
}

// TestBIP143Scripts: the example of six keys in p2sh-p2wsh, each signing with
// another hash type, taken from the BIP's own text.
func TestBIP143Scripts(t *testing.T) {
	_, text, ok := strings.Cut(string(vectorFile(t, "bips/bip0143_test_vectors.txt")), "=== P2SH-P2WSH ===")
	if !ok {
		t.Fatal("the text has no example of p2sh-p2wsh")
	}
	find := func(label string) []byte {
		m := regexp.MustCompile(label + `\s*: *([0-9a-f]+)`).FindStringSubmatch(text)
		if m == nil {
			t.Fatalf("the text has no %s", label)
		}
		return unhex(t, m[1])
	}
	f := &inputFacts{known: true, rareFacts: &rareFacts{redeem: find("redeemScript"), witness: find("witnessScript")}}
	f.spent = wire.TxOut{Value: 987_654_321, PkScript: find("scriptPubKey")}
	h, err := newHasher(parseTx(t, find("unsigned transaction")), []*wire.TxOut{&f.spent})
	if err != nil {
		t.Fatal(err)
	}
	published := regexp.MustCompile(`sigHash: +([0-9a-f]{64})`).FindAllStringSubmatch(text, -1)
	for i, hashType := range []uint32{0x01, 0x02, 0x03, 0x81, 0x82, 0x83} {
		v := verifier{h: h, f: f, in: &inputState{script: P2SHP2WSH, sighash: hashType}}
		if got, err := v.ecdsaDigest(nil); err != nil || hex.EncodeToString(got[:]) != published[i][1] {
			t.Errorf("sighash 0x%02x: %x (%v), published %s", hashType, got, err, published[i][1])
		}
	}
}
