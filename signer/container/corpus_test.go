package container

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"github.com/airlock-signer/airlock/signer/samples"
)

// TestSpliceCorpus: whatever transaction signatures are put into, every pair
// that was there stays, byte for byte and in its order.
func TestSpliceCorpus(t *testing.T) {
	rng, spliced := rand.New(rand.NewPCG(3, 7)), 0
	for _, c := range samples.Corpus() {
		raw, _, err := Decode(c.Data)
		if err != nil {
			continue
		}
		parsed, err := Parse(raw)
		if (err == nil) != (c.Verdict != "malformed") {
			t.Errorf("%s: %v", c.Name, err)
		}
		if err != nil {
			continue
		}
		if !bytes.Equal(emit(parsed), raw) {
			t.Errorf("%s: is not written as it was", c.Name)
		}
		var adds []Addition
		for i := range parsed.Inputs {
			// A type below, between and above those that are there.
			for _, typ := range []uint64{0x3e, 0x50, 0xfb, 0x100, 0x1_0000} {
				if key := binary.BigEndian.AppendUint32(appendSize(nil, typ), rng.Uint32()); rng.IntN(2) == 0 {
					adds = append(adds, Addition{i, key, bytes.Repeat([]byte("n"), rng.IntN(300))})
				}
			}
		}
		checkSplice(t, parsed, adds)
		if t.Failed() {
			t.Fatal(c.Name)
		}
		spliced++
	}
	if spliced < 500 {
		t.Errorf("%d spliced: the test shows nothing", spliced)
	}
}
