package seed

import (
	"bytes"
	"encoding/hex"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/btcsuite/btcd/btcutil/hdkeychain"
	"github.com/btcsuite/btcd/chaincfg"

	"github.com/airlock-signer/airlock/reader/card"
	"github.com/airlock-signer/airlock/reader/secret"
)

// xpub writes a key as BIP32 does.
func xpub(k *PublicKey) string {
	number := uint32(0)
	if len(k.Path) > 0 {
		number = k.Path[len(k.Path)-1]
	}
	return hdkeychain.NewExtendedKey(chaincfg.MainNetParams.HDPublicKeyID[:], k.PubKey[:], k.ChainCode[:],
		k.ParentFingerprint[:], uint8(len(k.Path)), number, false).String()
}

// path reads "m/0h/1".
func path(t *testing.T, s string) (list []uint32) {
	t.Helper()
	for _, step := range strings.Split(s, "/")[1:] {
		digits, hardened := strings.CutSuffix(step, "h")
		n, err := strconv.ParseUint(digits, 10, 31)
		if err != nil {
			t.Fatal(err)
		}
		if hardened {
			n += Hardened
		}
		list = append(list, uint32(n))
	}
	return list
}

func derived(t *testing.T, seed *secret.Buffer, at string) *PublicKey {
	t.Helper()
	k, err := Derive(seed, path(t, at))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// TestDeriveBIP32: some of BIP32's vectors: all kinds of steps, leading zeros.
func TestDeriveBIP32(t *testing.T) {
	for _, v := range []struct{ seed, path, xpub string }{
		{"000102030405060708090a0b0c0d0e0f", "m", "xpub661MyMwAqRbcFtXgS5sYJABqqG9YLmC4Q1Rdap9gSE8NqtwybGhePY2gZ29ESFjqJoCu1Rupje8YtGqsefD265TMg7usUDFdp6W1EGMcet8"},
		{"000102030405060708090a0b0c0d0e0f", "m/0h/1/2h/2/1000000000", "xpub6H1LXWLaKsWFhvm6RVpEL9P4KfRZSW7abD2ttkWP3SSQvnyA8FSVqNTEcYFgJS2UaFcxupHiYkro49S8yGasTvXEYBVPamhGW6cFJodrTHy"},
		{"4b381541583be4423346c643850da4b320e46a87ae3d2a4e6da11eba819cd4acba45d239319ac14f863b8d5ab5a0d0c64d2e8a1e7d1457df2e5a3c51c73235be", "m/0h", "xpub68NZiKmJWnxxS6aaHmn81bvJeTESw724CRDs6HbuccFQN9Ku14VQrADWgqbhhTHBaohPX4CjNLf9fq9MYo6oDaPPLPxSb7gwQN3ih19Zm4Y"},
		{"3ddd5602285899a946114506157c7997e5444528f3003f6134712147db19b678", "m/0h/1h", "xpub6BJA1jSqiukeaesWfxe6sNK9CCGaujFFSJLomWHprUL9DePQ4JDkM5d88n49sMGJxrhpjazuXYWdMf17C9T5XnxkopaeS7jGk1GyyVziaMt"},
	} {
		if got := xpub(derived(t, unhex(t, v.seed), v.path)); got != v.xpub {
			t.Errorf("%s of %s: %s", v.path, v.seed, got)
		}
	}
}

// TestDerivePublished runs all of BIP32's vectors.
func TestDerivePublished(t *testing.T) {
	dir := os.Getenv("AIRLOCK_VECTORS")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "vectors")
	}
	file, err := os.ReadFile(filepath.Join(dir, "bips", "bip0032_test_vectors.txt"))
	if err != nil {
		t.Skipf("SKIPPED, no published vectors (set AIRLOCK_VECTORS): %v", err)
	}
	line := regexp.MustCompile(`(?m)^(?:Seed \(hex\): (\w+)|\* Chain (m\S*)|\*\* ext pub: (\w+))`)
	var seed *secret.Buffer
	at, checked := "", 0
	for _, m := range line.FindAllSubmatch(file, -1) {
		switch {
		case m[1] != nil:
			seed = unhex(t, string(m[1]))
		case m[2] != nil:
			at = strings.ReplaceAll(string(m[2]), "<sub>H</sub>", "h")
		default:
			checked++
			if got := xpub(derived(t, seed, at)); got != string(m[3]) {
				t.Errorf("%s: %s, want %s", at, got, m[3])
			}
		}
	}
	if checked < 15 {
		t.Errorf("only %d vectors: is this still the file?", checked)
	}
}

// TestDeriveAgainstLibrary: random seeds and paths give hdkeychain's keys.
func TestDeriveAgainstLibrary(t *testing.T) {
	random := rand.New(rand.NewPCG(9, 10))
	for range 60 {
		seed := make([]byte, 16+random.IntN(49))
		for i := range seed {
			seed[i] = byte(random.Uint32())
		}
		want, err := hdkeychain.NewMaster(seed, &chaincfg.MainNetParams)
		if err != nil {
			t.Fatal(err)
		}
		way := make([]uint32, random.IntN(6))
		for i := range way {
			way[i] = random.Uint32()
			if want, err = want.Derive(way[i]); err != nil {
				t.Fatal(err)
			}
		}
		public, err := want.Neuter()
		if err != nil {
			t.Fatal(err)
		}
		got, err := Derive(buffer(t, seed), way)
		if err != nil {
			t.Fatal(err)
		}
		if xpub(got) != public.String() {
			t.Errorf("%x at %v: %s, want %s", seed, way, xpub(got), public)
		}
	}
}

// TestFingerprint: from words to what a person compares. 73c5da0a is the
// fingerprint of these words everywhere (BIP84 and BIP86 use them).
func TestFingerprint(t *testing.T) {
	seed, err := fromEntropy(t, unhex(t, bip39Vectors[0].entropy)).Seed(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer seed.Release()
	f, err := Fingerprint(seed)
	if err != nil {
		t.Fatal(err)
	}
	if got := hex.EncodeToString(f[:]); got != "73c5da0a" {
		t.Errorf("fingerprint %s", got)
	}
	account := derived(t, seed, "m/84h")
	if account.ParentFingerprint != f {
		t.Errorf("parent fingerprint %x", account.ParentFingerprint)
	}
	// The fields are a card's, so that the two can be compared.
	if k := card.ExtendedKey(*account); k.PubKey != account.PubKey {
		t.Error("converts to something else")
	}
}

func TestDeriveRefuses(t *testing.T) {
	for _, n := range []int{0, 15, 65} {
		if _, err := Derive(buffer(t, make([]byte, n)), nil); err == nil {
			t.Errorf("a seed of %d bytes was taken", n)
		}
		if _, err := Fingerprint(buffer(t, make([]byte, n))); err == nil {
			t.Errorf("a seed of %d bytes has a fingerprint", n)
		}
	}
	order, err := hex.DecodeString("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141")
	if err != nil {
		t.Fatal(err)
	}
	one := append(make([]byte, 31), 1)
	minusOne := append(append([]byte{}, order[:31]...), 0x40)
	for name, tc := range map[string]struct {
		key, left []byte
		ok        bool
	}{
		"left half zero":              {make([]byte, 32), make([]byte, 32), false},
		"left half the order":         {one, order, false},
		"left half beyond the order":  {one, bytes.Repeat([]byte{0xff}, 32), false},
		"sum zero":                    {one, minusOne, false},
		"left half zero, with parent": {one, make([]byte, 32), true},
	} {
		n, err := newNode()
		if err != nil {
			t.Fatal(err)
		}
		n.page.Use(func(p []byte) {
			copy(p[keyAt:], tc.key)
			copy(p[outAt:], tc.left)
			err = n.step(p)
		})
		if (err == nil) != tc.ok || err != nil && !errors.Is(err, ErrUnusable) {
			t.Errorf("%s: %v", name, err)
		}
		n.release()
	}
}
