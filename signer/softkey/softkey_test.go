package softkey

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/airlock-signer/airlock/signer"
	"github.com/airlock-signer/airlock/signer/container"
	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcec/v2/schnorr"
	"github.com/btcsuite/btcd/btcutil/hdkeychain"
	"github.com/btcsuite/btcd/txscript"
	"github.com/btcsuite/btcd/wire"
)

const about = "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about"

func demo(t *testing.T) *Key {
	t.Helper()
	seed, err := Seed(about, "")
	if err != nil {
		t.Fatal(err)
	}
	k, err := New(seed, signer.Mainnet)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func published(t *testing.T, name string, into any) {
	t.Helper()
	dir := os.Getenv("AIRLOCK_VECTORS")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "vectors")
	}
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Skipf("SKIPPED, no published vectors (set AIRLOCK_VECTORS): %v", err)
	}
	if err := json.Unmarshal(b, into); err != nil {
		t.Fatal(err)
	}
}

const h = signer.HardenedOffset

// TestAccounts compares with what BIP39, BIP84 and BIP86 publish for the
// mnemonic of their vectors.
func TestAccounts(t *testing.T) {
	seed, err := Seed(about, "TREZOR")
	if err != nil || hex.EncodeToString(seed[:8]) != "c55257c360c07c72" {
		t.Errorf("BIP39 seed %x (%v)", seed, err)
	}
	k := demo(t)
	if got := hex.EncodeToString(k.fingerprint[:]); got != "73c5da0a" {
		t.Errorf("fingerprint %s", got)
	}
	for _, c := range []struct {
		path signer.Path
		xpub string
	}{
		{signer.Path{86 + h, h, h}, "xpub6BgBgsespWvERF3LHQu6CnqdvfEvtMcQjYrcRzx53QJjSxarj2afYWcLteoGVky7D3UKDP9QyrLprQ3VCECoY49yfdDEHGCtMMj92pReUsQ"},
		{signer.Path{}, "xpub661MyMwAqRbcFkPHucMnrGNzDwb6teAX1RbKQmqtEF8kK3Z7LZ59qafCjB9eCRLiTVG3uxBxgKvRgbubRhqSKXnGGb1aoaqLrpMBDrVxga8"},
	} {
		a, err := k.Account(t.Context(), c.path)
		if err != nil || a.Key.String() != c.xpub || a.Key.IsPrivate() || a.Fingerprint != k.fingerprint {
			t.Errorf("%v: %v (%v)", c.path, a, err)
		}
	}
	for path, want := range map[string]string{
		"84": "0330d54fd0dd420a6e5f8d3624f5f3482cae350f79d5f0753bf5beef9c2d91af3c",
		"86": "03cc8a4bc64d897bddc5fbc2f670f7a8ba0b386779106cf1223c6fc5d7cd6fc115",
	} {
		purpose := uint32(84)
		if path == "86" {
			purpose = 86
		}
		pub, err := k.PubKey(signer.Path{purpose + h, h, h, 0, 0})
		if err != nil || hex.EncodeToString(pub[:]) != want {
			t.Errorf("m/%sh/0h/0h/0/0: %x (%v)", path, pub, err)
		}
	}
}

// TestBIP341Signatures: the key path signatures of the BIP byte for byte, with
// and without a merkle root.
func TestBIP341Signatures(t *testing.T) {
	var file struct {
		KeyPathSpending []struct {
			InputSpending []struct {
				Given struct {
					InternalPrivkey string
					MerkleRoot      *string
				}
				Intermediary struct{ SigHash string }
				Expected     struct{ Witness []string }
			}
		}
	}
	published(t, "bips/bip341_wallet.json", &file)
	compared := 0
	for _, v := range file.KeyPathSpending {
		for i, in := range v.InputSpending {
			priv, _ := btcec.PrivKeyFromBytes(unhex(t, in.Given.InternalPrivkey))
			var root []byte
			if in.Given.MerkleRoot != nil {
				root = unhex(t, *in.Given.MerkleRoot)
			}
			sig, err := SignSchnorr(txscript.TweakTaprootPrivKey(*priv, root), [32]byte(unhex(t, in.Intermediary.SigHash)))
			want := unhex(t, in.Expected.Witness[0])
			if err != nil || !bytes.Equal(sig, want[:64]) {
				t.Errorf("input %d: %x (%v), published %x", i, sig, err, want)
			}
			compared++
		}
	}
	if compared == 0 {
		t.Error("the file has no key path spending")
	}
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// bip174Master is the extended private key of BIP174's role chain.
const bip174Master = "tprv8ZgxMBicQKsPd9TeAdPADNnSyH9SSUUbTVeFszDE23Ki6TBB5nCefAdHkK8Fm3qMQR6sHwA56zqRmKmxnHk37JkiFzvncDqoKmPWubu7hDF"

// TestBIP174Signers plays the two signers of the role chain: deterministic
// signatures spliced into the updater's bytes give the published bytes.
func TestBIP174Signers(t *testing.T) {
	var list []struct{ Section, Base64, Expect string }
	published(t, "bips/bip0174_psbt.json", &list)
	find := func(section string) []byte {
		for _, v := range list {
			if v.Expect == "role-chain" && strings.HasPrefix(v.Section, section) {
				b, err := base64.StdEncoding.DecodeString(v.Base64)
				if err != nil {
					t.Fatal(err)
				}
				return b
			}
		}
		t.Fatalf("no section %q", section)
		return nil
	}
	master, err := hdkeychain.NewKeyFromString(bip174Master)
	if err != nil {
		t.Fatal(err)
	}
	k := &Key{master: master}
	updated := find("An updater which adds SIGHASH_ALL")
	for signers, section := range [...]string{"Given the above updated PSBT, a signer that supports", "Given the above updated PSBT, a signer with"} {
		c, err := container.Parse(updated)
		if err != nil {
			t.Fatal(err)
		}
		var adds []container.Addition
		for i := range c.Inputs {
			digest := bip174Digest(t, c, i)
			// The first signer has m/0'/0'/0' and m/0'/0'/2', the second 1' and 3'.
			path := signer.Path{h, h, h + uint32(2*i+signers)}
			pub, err := k.PubKey(path)
			if err != nil {
				t.Fatal(err)
			}
			priv, err := k.Private(path)
			if err != nil {
				t.Fatal(err)
			}
			key := append([]byte{byte(container.InPartialSig)}, pub[:]...)
			adds = append(adds, container.Addition{Input: i, Key: key, Value: append(SignECDSA(priv, digest, false), 1)})
		}
		got, err := c.Splice(adds)
		if err != nil {
			t.Fatal(err)
		}
		if want := find(section); !bytes.Equal(got, want) {
			t.Errorf("signer %d:\n%x\npublished:\n%x", signers, got, want)
		}
	}
}

// bip174Digest is what input i of the role chain signs: a p2sh and a
// p2sh-p2wsh, two keys each.
func bip174Digest(t *testing.T, c *container.Container, i int) [32]byte {
	t.Helper()
	var sum []byte
	var err error
	if script, ok := c.Inputs[i].Get(container.InWitnessScript); ok {
		utxo, _ := c.Inputs[i].Get(container.InWitnessUTXO)
		var out wire.TxOut
		if err := wire.ReadTxOut(bytes.NewReader(utxo.Value), 0, 0, &out); err != nil {
			t.Fatal(err)
		}
		mid := txscript.NewTxSigHashes(c.Tx, txscript.NewCannedPrevOutputFetcher(out.PkScript, out.Value))
		sum, err = txscript.CalcWitnessSigHash(script.Value, mid, txscript.SigHashAll, c.Tx, i, out.Value)
	} else {
		redeem, _ := c.Inputs[i].Get(container.InRedeemScript)
		sum, err = txscript.CalcSignatureHash(redeem.Value, txscript.SigHashAll, c.Tx, i)
	}
	if err != nil {
		t.Fatal(err)
	}
	return [32]byte(sum)
}

// TestSignatures of every scheme verify with another implementation; with LowR
// the ECDSA ones have 70 bytes at most.
func TestSignatures(t *testing.T) {
	k := demo(t)
	path := signer.Path{84 + h, h, h, 1, 7}
	pub, err := k.PubKey(path)
	if err != nil {
		t.Fatal(err)
	}
	key, err := btcec.ParsePubKey(pub[:])
	if err != nil {
		t.Fatal(err)
	}
	grindable := 0
	for n := range byte(32) {
		digest := [32]byte{n}
		req := signer.Request{Path: path, PubKey: pub, Digest: digest}
		for _, low := range []bool{false, true} {
			k.LowR = low
			sigs, err := k.Sign(t.Context(), []signer.Request{req}, nil)
			if err != nil {
				t.Fatal(err)
			}
			if low && len(sigs[0]) > 70 {
				t.Errorf("digest %d: %d bytes", n, len(sigs[0]))
			} else if !low && len(sigs[0]) > 70 {
				grindable++
			}
		}
		req.Scheme, req.MerkleRoot = signer.SchnorrKeyPath, bytes.Repeat([]byte{n}, 32)
		for _, c := range []struct {
			scheme signer.Scheme
			root   []byte
			key    *btcec.PublicKey
		}{
			{signer.SchnorrScriptPath, nil, key},
			{signer.SchnorrKeyPath, nil, txscript.ComputeTaprootKeyNoScript(key)},
			{signer.SchnorrKeyPath, req.MerkleRoot, txscript.ComputeTaprootOutputKey(key, req.MerkleRoot)},
		} {
			req.Scheme, req.MerkleRoot = c.scheme, c.root
			sigs, err := k.Sign(t.Context(), []signer.Request{req}, nil)
			if err != nil {
				t.Fatal(err)
			}
			sig, err := schnorr.ParseSignature(sigs[0])
			if err != nil || !sig.Verify(digest[:], c.key) {
				t.Errorf("digest %d, scheme %d: %x (%v)", n, c.scheme, sigs[0], err)
			}
		}
	}
	if grindable == 0 {
		t.Error("no digest here has a high r: grinding was not tested")
	}
}

// TestRefusals: another key than the one expected, bad roots, no seed.
func TestRefusals(t *testing.T) {
	k := demo(t)
	pub, _ := k.PubKey(signer.Path{1})
	good := signer.Request{Path: signer.Path{1}, PubKey: pub}
	made, err := k.Sign(t.Context(), []signer.Request{good, {Path: signer.Path{2}, PubKey: pub}}, nil)
	if err == nil || len(made) != 1 {
		t.Errorf("the wrong key signed: %d (%v)", len(made), err)
	}
	for _, r := range []signer.Request{{Scheme: 7}, {Scheme: signer.SchnorrKeyPath, MerkleRoot: []byte{1}}} {
		if k.Can(r) == nil {
			t.Errorf("can %+v", r)
		}
	}
	if _, err := New(make([]byte, 15), signer.Mainnet); err == nil {
		t.Error("a seed of 15 bytes")
	}
	if _, err := New(make([]byte, 16), "moon"); err == nil {
		t.Error("an unknown network")
	}
}
