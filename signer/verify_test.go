package signer

import (
	"bytes"
	"encoding/csv"
	"encoding/hex"
	"math/big"
	"testing"

	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcec/v2/ecdsa"
	"github.com/btcsuite/btcd/btcec/v2/schnorr"
)

// derOf writes r and s as given: S is not normalised.
func derOf(r, s []byte) []byte {
	integer := func(b []byte) []byte {
		b = bytes.TrimLeft(b, "\x00")
		if len(b) == 0 || b[0] >= 0x80 {
			b = append([]byte{0}, b...)
		}
		return append([]byte{2, byte(len(b))}, b...)
	}
	body := append(integer(r), integer(s)...)
	return append([]byte{0x30, byte(len(body))}, body...)
}

func testKey() *btcec.PrivateKey {
	key, _ := btcec.PrivKeyFromBytes(bytes.Repeat([]byte{7}, 32))
	return key
}

// TestECDSAForms: one spelling is taken, high S is made low, all else refused.
func TestECDSAForms(t *testing.T) {
	key, digest := testKey(), [32]byte{1, 2, 3}
	low := ecdsa.Sign(key, digest[:])
	r, s := low.R(), low.S()
	rb, sb := r.Bytes(), s.Bytes()
	s.Negate()
	hb := s.Bytes()
	order := btcec.S256().N.Bytes()
	good, high := low.Serialize(), derOf(rb[:], hb[:])

	req := &Request{Digest: digest, Scheme: ECDSA}
	req.PubKey = [33]byte(key.PubKey().SerializeCompressed())
	for _, c := range []struct {
		name string
		sig  []byte
		ok   bool
	}{
		{"low S", good, true},
		{"high S", high, true},
		{"empty", nil, false},
		{"a status word", []byte{0x90, 0x00}, false},
		{"zeros", make([]byte, 71), false},
		{"truncated", good[:len(good)-1], false},
		{"cut in half", good[:len(good)/2], false},
		{"a byte more", append(bytes.Clone(good), 0), false},
		{"with a sighash byte", append(bytes.Clone(good), 1), false},
		{"r = 0", derOf(nil, sb[:]), false},
		{"s = 0", derOf(rb[:], nil), false},
		{"r = n", derOf(order, sb[:]), false},
		{"s = n", derOf(rb[:], order), false},
		{"64 bytes", append(append([]byte{}, rb[:]...), sb[:]...), false},
		{"another s", derOf(rb[:], rb[:]), false},
		{"padded r", padded(good), false},
		{"long form of the length", append([]byte{0x30, 0x81}, good[1:]...), false},
	} {
		got, err := checkSignature(req, c.sig)
		if (err == nil) != c.ok {
			t.Errorf("%s: %v", c.name, err)
		}
		if err == nil && (!bytes.Equal(got.bytes, good) || got.nonce != nonce(rb)) {
			t.Errorf("%s: %x with nonce %x", c.name, got.bytes, got.nonce)
		}
	}
	if got, _ := checkSignature(req, high); !got.highS {
		t.Error("high S was not noticed")
	}
	req.Digest[31] ^= 1
	if _, err := checkSignature(req, good); err == nil {
		t.Error("verifies for another digest")
	}
}

// padded puts a zero byte before r, which BIP66 forbids.
func padded(sig []byte) []byte {
	out := append([]byte{0x30, sig[1] + 1, 2, sig[3] + 1, 0}, sig[4:]...)
	return out
}

// TestBIP340 takes every signature of the BIP's table over 32 bytes: those with
// an s of the group order too, which btcec lets pass.
func TestBIP340(t *testing.T) {
	rows, err := csv.NewReader(bytes.NewReader(vectorFile(t, "bips/bip340.csv"))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	valid, invalid := 0, 0
	for _, row := range rows[1:] {
		key, msg, sig := unhex(t, row[2]), unhex(t, row[4]), unhex(t, row[5])
		if len(msg) != 32 {
			continue // never asked for
		}
		req := &Request{Digest: [32]byte(msg), Scheme: SchnorrScriptPath}
		req.PubKey = [33]byte(append([]byte{2}, key...))
		_, err := checkSignature(req, sig)
		if want := row[6] == "TRUE"; want != (err == nil) {
			t.Errorf("row %s (%s): %v", row[0], row[7], err)
		}
		if err == nil {
			valid++
		} else {
			invalid++
		}
	}
	if valid == 0 || invalid == 0 {
		t.Errorf("%d valid and %d invalid rows", valid, invalid)
	}
}

func TestSchnorrForms(t *testing.T) {
	key, digest := testKey(), [32]byte{9}
	sig, err := schnorr.Sign(key, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	req := &Request{Digest: digest, Scheme: SchnorrScriptPath}
	req.PubKey = [33]byte(key.PubKey().SerializeCompressed())
	good := sig.Serialize()
	if got, err := checkSignature(req, good); err != nil || !bytes.Equal(got.bytes, good) || hex.EncodeToString(got.nonce[:]) != hex.EncodeToString(good[:32]) {
		t.Errorf("good: %v", err)
	}
	for _, bad := range [][]byte{nil, good[:63], append(bytes.Clone(good), 1), make([]byte, 64)} {
		if _, err := checkSignature(req, bad); err == nil {
			t.Errorf("%d bytes accepted", len(bad))
		}
	}
	req.Scheme = SchnorrKeyPath
	if _, err := checkSignature(req, good); err == nil {
		t.Error("an untweaked signature for the key path")
	}
	req.Scheme, req.MerkleRoot = SchnorrKeyPath, make([]byte, 31)
	if _, err := checkSignature(req, good); err == nil {
		t.Error("a merkle root of 31 bytes")
	}
	req.Scheme = 9
	if _, err := checkSignature(req, good); err == nil {
		t.Error("an unknown scheme")
	}
}

// FuzzDER: nothing that is taken has a second spelling, and none crashes.
func FuzzDER(f *testing.F) {
	digest := [32]byte{1}
	good := ecdsa.Sign(testKey(), digest[:]).Serialize()
	f.Add(good)
	f.Add(padded(good))
	f.Add([]byte{0x30, 6, 2, 1, 1, 2, 1, 1})
	f.Fuzz(func(t *testing.T, sig []byte) {
		r, s, err := parseDER(sig)
		if err != nil {
			return
		}
		rb, sb := r.Bytes(), s.Bytes()
		if again := derOf(rb[:], sb[:]); !bytes.Equal(again, sig) {
			t.Fatalf("%x is also spelt %x", sig, again)
		}
	})
}

// TestSchnorrInRange: btcec and the script engine take an s of the group order
// and above for its remainder.
func TestSchnorrInRange(t *testing.T) {
	order := btcec.S256().N
	for add, want := range map[int64]bool{-1: true, 0: false, 1: false} {
		sig := make([]byte, 64)
		new(big.Int).Add(order, big.NewInt(add)).FillBytes(sig[32:])
		if got := schnorrInRange(sig); got != want {
			t.Errorf("n%+d: %v", add, got)
		}
	}
}
