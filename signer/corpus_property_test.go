package signer_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"math/rand/v2"
	"testing"

	"github.com/airlock-signer/airlock/signer"
	"github.com/airlock-signer/airlock/signer/samples"
)

// encodings of a raw container as text.
func encodings(raw []byte) map[string][]byte {
	return map[string][]byte{
		"base64": []byte(base64.StdEncoding.EncodeToString(raw)),
		"hex":    []byte(hex.EncodeToString(raw)),
	}
}

// small tells whether a case is small enough to be looked at many times.
func small(c *samples.Case) bool { return len(c.Data) < 20_000 }

// mutate changes a few bytes of a file: mostly in place, so that most lengths
// still fit.
func mutate(rng *rand.Rand, file []byte) []byte {
	out := bytes.Clone(file)
	for range 1 + rng.IntN(3) {
		if len(out) < 8 {
			break
		}
		at := 5 + rng.IntN(len(out)-5)
		switch rng.IntN(8) {
		case 0: // a piece from elsewhere
			from := rng.IntN(len(out))
			copy(out[at:], out[from:min(len(out), from+1+rng.IntN(40))])
		case 1: // a byte more
			out = append(out[:at], append([]byte{byte(rng.Uint32())}, out[at:]...)...)
		case 2: // a byte less
			out = append(out[:at], out[at+1:]...)
		case 3:
			out[at] = []byte{0, 1, 0x7f, 0x80, 0xfc, 0xfd, 0xff}[rng.IntN(7)]
		default:
			out[at] ^= 1 << rng.IntN(8)
		}
	}
	return out
}

// checkMutant holds a changed file of a case against what is always true: the
// balance sums or the verdict refuses, sentences are fit to be shown, text
// encodings mean the same, and whatever can be approved goes the whole way
// (wholeWay).
func checkMutant(t *testing.T, c *samples.Case, k signer.Key, file []byte) (opened, signed bool) {
	t.Helper()
	preview, review := look(t, c, file, nil)
	for encoding, text := range encodings(file) {
		tx, err := signer.Open(text, signer.DefaultLimits())
		if (err == nil) != (preview != nil) || err == nil && tx.SHA256() != preview.SHA256 {
			t.Errorf("another transaction in %s: %v", encoding, err)
		}
	}
	if review == nil {
		return false, false
	}
	for _, r := range []*signer.Report{preview, review} {
		checkReport(t, r)
		checkSentences(t, r)
	}
	return wholeWay(t, k, file)
}

// TestCorpusMutants changes every case at random.
func TestCorpusMutants(t *testing.T) {
	if testing.Short() {
		t.Skip("a thousand reviews: not with -short")
	}
	rng, k := rand.New(rand.NewPCG(3, 1)), demoKey(t)
	tried, opened, signed := 0, 0, 0
	for i := range corpus() {
		c := &corpus()[i]
		if !small(c) {
			continue
		}
		for range 2 {
			file := mutate(rng, c.Data)
			well, done := checkMutant(t, c, k, file)
			if t.Failed() {
				t.Fatalf("%s: %x", c.Name, file)
			}
			tried++
			if well {
				opened++
			}
			if done {
				signed++
			}
		}
	}
	if opened == 0 || signed == 0 || signed == opened || opened == tried {
		t.Errorf("of %d files %d were well formed and %d signed: the test shows nothing", tried, opened, signed)
	}
	t.Logf("of %d files %d were well formed and %d signed", tried, opened, signed)
}

// TestCorpusWholeWay signs what can be approved of the corpus as it is: nothing
// but signatures is added, and a second review finds nothing left to sign.
func TestCorpusWholeWay(t *testing.T) {
	if testing.Short() {
		t.Skip("hundreds of signatures: not with -short")
	}
	k, signed := demoKey(t), 0
	for i := range corpus() {
		c := &corpus()[i]
		if c.Verdict == string(signer.VerdictMalformed) || !small(c) {
			continue
		}
		if _, done := wholeWay(t, k, c.Data); done {
			signed++
			if c.Verdict == string(signer.VerdictRefused) && c.Setting.Network == "" && c.Before == nil && !c.NoCard && !c.NoSchnorr && c.Accounts == nil && len(c.Wallets) == 0 {
				t.Errorf("%s: refused, and signed", c.Name)
			}
		}
		if t.Failed() {
			t.Fatal(c.Name)
		}
	}
	if signed < 100 {
		t.Errorf("%d signed: the test shows nothing", signed)
	}
}

// FuzzCorpus is TestCorpusMutants without end.
func FuzzCorpus(f *testing.F) {
	for i := range corpus() {
		if i%16 == 0 && small(&corpus()[i]) {
			f.Add(uint16(i), uint64(i))
		}
	}
	k := demoKey(f)
	f.Fuzz(func(t *testing.T, which uint16, seed uint64) {
		c := &corpus()[int(which)%len(corpus())]
		if !small(c) {
			return
		}
		checkMutant(t, c, k, mutate(rand.New(rand.NewPCG(seed, 0)), c.Data))
	})
}
