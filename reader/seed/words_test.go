package seed

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	bip39 "github.com/tyler-smith/go-bip39"

	"github.com/airlock-signer/airlock/reader/secret"
)

// bip39Vectors are some of those that BIP39 links (python-mnemonic,
// vectors.json); the passphrase is TREZOR.
var bip39Vectors = []struct{ entropy, words, seed string }{
	{"00000000000000000000000000000000",
		"abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about",
		"c55257c360c07c72029aebc1b53c05ed0362ada38ead3e3e9efa3708e53495531f09a6987599d18264c1e1c92f2cf141630c7a3c4ab7c81b2f001698e7463b04"},
	{"7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f",
		"legal winner thank year wave sausage worth useful legal winner thank yellow",
		"2e8905819b8723fe2c1d161860e5ee1830318dbf49a83bd451cfb8440c28bd6fa457fe1296106559a3c80937a1c1069be3a3a5bd381ee6260e8d9739fce1f607"},
	{"ffffffffffffffffffffffffffffffff",
		"zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo wrong",
		"ac27495480225222079d7be181583751e86f571027b0497b5b5d11218e0a8a13332572917f0f8e5a589620c6f15b11c61dee327651a14c34e18231052e48c069"},
	{"808080808080808080808080808080808080808080808080",
		"letter advice cage absurd amount doctor acoustic avoid letter advice cage absurd amount doctor acoustic avoid letter always",
		"107d7c02a5aa6f38c58083ff74f04c607c2d2c0ecc55501dadd72d025b751bc27fe913ffb796f841c49b1d33b610cf0e91d3aa239027f5e99fe4ce9e5088cd65"},
	{"3e141609b97933b66a060dcddc71fad1d91677db872031e85f4c015c5e7e8982",
		"dignity pass list indicate nasty swamp pool script soccer toe leaf photo multiply desk host tomato cradle drill spread actor shine dismiss champion exotic",
		"ff7f3184df8696d8bef94b6c03114dbee0ef89ff938712301d27ed8336ca89ef9635da20af07d4175f2bf5f3de130f39c9d9e8dd0472489c19b1a020a940da67"},
	{"15da872c95a13dd738fbf50e427583ad61f18fd99f628c417a61cf8343c90419",
		"beyond stage sleep clip because twist token leaf atom beauty genius food business side grid unable middle armed observe pair crouch tonight away coconut",
		"b15509eaa2d09d3efd3e006ef42151b30367dc6e3aa5e44caba3fe4d3e352e65101fbdb86a96776b91946ff06f8eac594dc6ee1d3e82a42dfe1b40fef6bcc3fd"},
}

func TestWordsVectors(t *testing.T) {
	for _, v := range bip39Vectors {
		w := fromEntropy(t, unhex(t, v.entropy))
		if got := said(w); got != v.words {
			t.Errorf("%s: %s", v.entropy, got)
		}
		back, err := Decode(text(t, v.words))
		if err != nil {
			t.Fatalf("%s: %v", v.words, err)
		}
		defer back.Release()
		if !back.Same(w) {
			t.Errorf("%s decodes to %s", v.words, said(back))
		}
		entropy, err := back.Entropy()
		if err != nil {
			t.Fatal(err)
		}
		defer entropy.Release()
		if got := opened(entropy); got != v.entropy {
			t.Errorf("%s stands for %s", v.words, got)
		}
	}
}

// TestList: the list is BIP39's, and has the shape this package builds on.
func TestList(t *testing.T) {
	h := sha256.New()
	beginnings := map[string]bool{}
	for i := range ListSize {
		word := Word(i)
		fmt.Fprintln(h, word)
		if len(word) < 3 || len(word) > maxLetters || i > 0 && word <= Word(i-1) {
			t.Errorf("word %d: %q", i, word)
		}
		beginnings[word[:min(len(word), tellingly)]] = true
	}
	// sha256sum of https://github.com/bitcoin/bips/blob/master/bip-0039/english.txt
	const want = "2f5eed53a4727b4bf8880d8f3f199efc90e58503646d9ff8eff3a2ed3b24dbda"
	if got := hex.EncodeToString(h.Sum(nil)); got != want {
		t.Errorf("the list has hash %s", got)
	}
	if len(beginnings) != ListSize {
		t.Errorf("%d different beginnings", len(beginnings))
	}
	if Word(-1) != "" || Word(ListSize) != "" {
		t.Error("words outside the list")
	}
}

// TestWordsRoundTrip: entropy → words → entropy for every length, and the words
// are those of another implementation.
func TestWordsRoundTrip(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	for i := range 500 {
		entropy := make([]byte, 16+i%5*4)
		for j := range entropy {
			entropy[j] = byte(random.Uint32())
		}
		w := fromEntropy(t, buffer(t, entropy))
		if want, err := bip39.NewMnemonic(entropy); err != nil || said(w) != want {
			t.Fatalf("%x: %s, want %s (%v)", entropy, said(w), want, err)
		}
		if w.Len() != len(entropy)/4*3 {
			t.Errorf("%d words of %d bytes", w.Len(), len(entropy))
		}
		back, err := w.Entropy()
		if err != nil || !bytes.Equal(open(back), entropy) {
			t.Fatalf("%x: back %x (%v)", entropy, open(back), err)
		}
		back.Release()
	}
}

// TestWordsEveryChange: of all 2047 wrong words at each place, about 1 in 16
// (12 words) or 1 in 256 (24) passes the checksum, no more.
func TestWordsEveryChange(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED (-short): all single changes of two sentences")
	}
	for _, v := range []int{2, 4} {
		w, err := Decode(text(t, bip39Vectors[v].words))
		if err != nil {
			t.Fatal(err)
		}
		defer w.Release()
		var indexes []int
		for i := range w.Len() {
			indexes = append(indexes, w.indexAt(i))
		}
		missed, all := 0, 0
		for at, right := range indexes {
			for index := range ListSize {
				if index == right {
					continue
				}
				changed := append([]int{}, indexes...)
				changed[at] = index
				w.Clear()
				for _, i := range changed {
					_ = w.Append(i)
				}
				all++
				switch err := w.Check(); {
				case err == nil:
					missed++
				case !errors.Is(err, ErrChecksum):
					t.Fatal(err)
				}
			}
		}
		expected := all >> (len(indexes) / 3) // one in 2^checksum bits
		if missed < expected*8/10 || missed > expected*12/10 {
			t.Errorf("%d words: %d of %d changes go unnoticed, about %d expected", len(indexes), missed, all, expected)
		}
	}
}

func TestLastWords(t *testing.T) {
	for _, tc := range []struct{ have, want int }{
		{0, 0}, {1, 0}, {2, 0}, {8, 0}, {10, 0}, {11, 128}, {12, 0}, {13, 0}, {14, 64}, {17, 32}, {20, 16}, {22, 0}, {23, 8}, {24, 0},
	} {
		w := entering(t)
		for i := range tc.have {
			_ = w.Append((i*977 + 5) % ListSize)
		}
		var got []int
		for index := range w.LastWords {
			got = append(got, index)
		}
		if len(got) != tc.want {
			t.Errorf("%d words: %d candidates, want %d", tc.have, len(got), tc.want)
		}
		if tc.want == 0 {
			continue
		}
		// Exactly those that another implementation accepts.
		fits := []int{}
		for index := range ListSize {
			if bip39.IsMnemonicValid(said(w) + " " + Word(index)) {
				fits = append(fits, index)
			}
		}
		if !reflect.DeepEqual(got, fits) {
			t.Errorf("%d words: %v, want %v", tc.have, got, fits)
		}
		for range w.LastWords {
			break // stops
		}
	}
}

func TestWordsEditing(t *testing.T) {
	w := entering(t, 0, 2047)
	if said(w) != "abandon zoo" || w.WordAt(-1) != "" || w.WordAt(2) != "" {
		t.Errorf("words %q", said(w))
	}
	w.RemoveLast()
	if said(w) != "abandon" {
		t.Errorf("after removal: %q", said(w))
	}
	w.RemoveLast()
	w.RemoveLast()
	if w.Len() != 0 {
		t.Errorf("%d words left", w.Len())
	}
	for _, index := range []int{-1, ListSize} {
		if err := w.Append(index); !errors.Is(err, ErrNotAWord) {
			t.Errorf("index %d: %v", index, err)
		}
	}
	// Bytes that would be one character of UTF-8 go two at a time all the same.
	w = entering(t, 0x2C3, 0x2A9, 0x3A9)
	w.RemoveLast()
	if w.Len() != 2 || w.indexAt(1) != 0x2A9 {
		t.Errorf("%d words, %x", w.Len(), w.indexAt(1))
	}
	w.Clear()
	for i := range MaxWords {
		if err := w.Append(i); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Append(1); !errors.Is(err, secret.ErrFull) {
		t.Errorf("word 25: %v", err)
	}
}

func TestFromEntropyLengths(t *testing.T) {
	for n := range 70 {
		w, err := FromEntropy(buffer(t, make([]byte, n)))
		if good := n >= 16 && n <= 32 && n%4 == 0; good != (err == nil) {
			t.Errorf("%d bytes: %v", n, err)
		}
		var e *EntropyError
		if err != nil && (!errors.As(err, &e) || e.Size != n) {
			t.Errorf("%d bytes: %v", n, err)
		}
		if err == nil {
			w.Release()
		}
	}
}

// TestErrorsTellNothing: what was typed is in no error.
func TestErrorsTellNothing(t *testing.T) {
	for _, typed := range []string{"correcthorse", "abandon sausages", strings.Repeat("zoo ", 12), "aban ab"} {
		_, err := Decode(text(t, typed))
		if err == nil {
			t.Fatalf("%q was taken", typed)
		}
		for _, part := range strings.Fields(typed) {
			if strings.Contains(fmt.Sprintf("%v %+v %#v", err, err, err), part) {
				t.Errorf("the error for %q: %v", typed, err)
			}
		}
	}
}
