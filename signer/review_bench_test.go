package signer_test

import (
	"fmt"
	"testing"

	"github.com/airlock-signer/airlock/signer"
	"github.com/airlock-signer/airlock/signer/samples"
)

// crowd spends n coins of a type and pays n outputs back and n away.
func crowd(typ samples.Type, n int) []byte {
	p := samples.NewPacket("crowd")
	for i := range uint32(n) {
		p.Spend(me.At(typ, 0, i), 20_000)
		p.Change(me.At(typ, 1, i), 9_000)
		script := friend.At(typ, 0, 0).Script
		p.Pay(script, 10_000)
	}
	return p.Bytes()
}

// BenchmarkReview: preview and review by number of coins. Time and memory grow
// as the bytes do.
func BenchmarkReview(b *testing.B) {
	for _, typ := range []samples.Type{samples.P2WPKH, samples.P2TR, samples.P2PKH} {
		for _, n := range []int{1, 100, 1000} {
			file := crowd(typ, n)
			b.Run(fmt.Sprintf("%s/%d", typ, n), func(b *testing.B) {
				b.ReportAllocs()
				b.SetBytes(int64(len(file)))
				for b.Loop() {
					tx, err := signer.Open(file, signer.DefaultLimits())
					if err != nil {
						b.Fatal(err)
					}
					tx.Preview(mainnet)
					if _, err := tx.Review(b.Context(), mainnet, cardFor(tx), nil); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
