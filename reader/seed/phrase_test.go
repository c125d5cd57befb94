package seed

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"hash"
	"math/rand/v2"
	"strings"
	"testing"

	bip39 "github.com/tyler-smith/go-bip39"
	oracle "golang.org/x/crypto/pbkdf2"

	"github.com/airlock-signer/airlock/reader/secret"
)

func TestSeedVectors(t *testing.T) {
	for _, v := range bip39Vectors {
		seed, err := fromEntropy(t, unhex(t, v.entropy)).Seed(text(t, "TREZOR"))
		if err != nil {
			t.Fatal(err)
		}
		defer seed.Release()
		if got := opened(seed); got != v.seed || seed.Len() != Size {
			t.Errorf("%s: %s", v.words, got)
		}
	}
}

// TestSeedPassphrases: against constants made with Python (unicodedata,
// hashlib), and where the text needs no normalising against another library.
func TestSeedPassphrases(t *testing.T) {
	w := fromEntropy(t, unhex(t, bip39Vectors[0].entropy))
	const creme = "5f6cffffda102abbf738839e4b8bd3282bfc4ec71dec31f6b87c74713c9c1d200eb5c245df360e1c8a0c76f127fd12e6271581e30861da5ab51b679cf4aed153"
	for name, tc := range map[string]struct{ passphrase, want string }{
		"none":       {"", ""},
		"spaces":     {" a  b ", ""},
		"long":       {strings.Repeat("0123456789", 40), ""},
		"decomposed": {"Cre\u0300me bru\u0302le\u0301e \ufdfa", creme},
		"composed":   {"Cr\u00e8me br\u00fbl\u00e9e \ufdfa", creme},
		// The passphrase of BIP39's Japanese vectors.
		"Japanese": {"㍍ガバヴァぱばぐゞちぢ十人十色", "ba553eedefe76e67e2602dc20184c564010859faada929a090dd2c57aacb204ceefd15404ab50ef3e8dbeae5195aeae64b0def4d2eead1cdc728a33ced520ffd"},
	} {
		t.Run(name, func(t *testing.T) {
			want := tc.want
			if want == "" {
				want = hex.EncodeToString(bip39.NewSeed(bip39Vectors[0].words, tc.passphrase))
			}
			seed, err := w.Seed(text(t, tc.passphrase))
			if err != nil {
				t.Fatal(err)
			}
			defer seed.Release()
			if got := opened(seed); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
	none, err := w.Seed(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer none.Release()
	if got := opened(none); got != hex.EncodeToString(bip39.NewSeed(bip39Vectors[0].words, "")) {
		t.Errorf("no passphrase: %s", got)
	}
}

func TestSeedRefuses(t *testing.T) {
	w := fromEntropy(t, unhex(t, bip39Vectors[0].entropy))
	for name, passphrase := range map[string]string{
		"no UTF-8":                 "caf\xe9",
		"cut off":                  "caf\xc3",
		"31 marks":                 "e" + strings.Repeat("\u0301", 31),
		"31 marks and a joiner":    "\u034fe" + strings.Repeat("\u0301", 40),
		"many marks, at the start": strings.Repeat("\u0316\u0301", 100),
	} {
		seed, err := w.Seed(text(t, passphrase))
		if !errors.Is(err, ErrPassphrase) {
			t.Errorf("%s: %v", name, err)
		}
		if seed != nil {
			t.Errorf("%s: a seed", name)
		}
	}
	seed, err := w.Seed(text(t, "e"+strings.Repeat("\u0301", 30)))
	if err != nil {
		t.Errorf("30 marks: %v", err)
	} else {
		seed.Release()
	}
	w.RemoveLast()
	var count *CountError
	if _, err := w.Seed(nil); !errors.As(err, &count) {
		t.Errorf("11 words: %v", err)
	}
	_ = w.Append(0)
	if _, err := w.Seed(nil); !errors.Is(err, ErrChecksum) {
		t.Errorf("checksum: %v", err)
	}
}

// TestNormaliseFits: no character outgrows the room that makeSalt gives it.
func TestNormaliseFits(t *testing.T) {
	for r := rune(1); r <= 0x10FFFF; r++ {
		if r >= 0xD800 && r < 0xE000 {
			continue
		}
		p := []byte(string(r))
		n, err := normalise(make([]byte, 0, 64), p)
		if err != nil || n > nfkdGrowth*len(p) {
			t.Errorf("%U: %d bytes become %d (%v)", r, len(p), n, err)
		}
	}
}

// TestMAC: HMAC-SHA512 and PBKDF2 are those of the libraries, around every
// boundary of a block.
func TestMAC(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 8))
	pick := func(n int) []byte {
		p := make([]byte, n)
		for i := range p {
			p[i] = byte(random.Uint32())
		}
		return p
	}
	for _, n := range []int{0, 1, 63, 64, 65, 127, 128, 129, 215, 300} {
		for _, m := range []int{0, 1, 64, 111, 112, 127, 128, 129, 400} {
			key, data := pick(n), pick(m)
			want := hmac.New(sha512.New, key)
			want.Write(data)
			own, err := newMAC(key)
			if err != nil {
				t.Fatal(err)
			}
			got := make([]byte, digestSize)
			for range 2 { // a mac can be used again
				own.sum(got, data[:m/2], data[m/2:])
				if !bytes.Equal(got, want.Sum(nil)) {
					t.Fatalf("key %d, data %d", n, m)
				}
			}
			own.release()
		}
		password, salt := pick(n), pick(n/2)
		got, err := pbkdf2(buffer(t, password), buffer(t, salt))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(open(got), oracle.Key(password, salt, iterations, Size, sha512.New)) {
			t.Errorf("PBKDF2, password of %d", n)
		}
		got.Release()
	}
}

// state is what a hash holds, its buffer included.
func state(t *testing.T, h hash.Hash) []byte {
	t.Helper()
	p, err := h.(interface{ MarshalBinary() ([]byte, error) }).MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestWipeHash: nothing of the input is left, neither in the state nor in the
// part of the block buffer that the state no longer speaks of.
func TestWipeHash(t *testing.T) {
	h := sha512.New()
	h.Write(bytes.Repeat([]byte("A"), 128+100))
	wipeHash(h)
	if !bytes.Equal(state(t, h), state(t, sha512.New())) {
		t.Error("the state is not fresh")
	}
	if !bytes.Equal(raw(h), raw(sha512.New())) {
		t.Error("the block buffer still holds input")
	}
	h.Reset()
	h.Write([]byte("AAAA"))
	h.Reset()
	if bytes.Equal(raw(h), raw(sha512.New())) {
		t.Error("this test does not see the block buffer")
	}
}

func TestMACReleases(t *testing.T) {
	m, err := newMAC([]byte("key"))
	if err != nil {
		t.Fatal(err)
	}
	m.sum(make([]byte, digestSize), []byte("data"))
	m.release()
	if m.page.Append(1) != secret.ErrReleased || !bytes.Equal(raw(m.inner), raw(sha512.New())) || !bytes.Equal(raw(m.outer), raw(sha512.New())) {
		t.Error("not wiped")
	}
}
