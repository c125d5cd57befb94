package signer_test

import (
	"fmt"
	"testing"

	"github.com/airlock-signer/airlock/signer"
	"github.com/airlock-signer/airlock/signer/samples"
)

// BenchmarkSign is everything from the approval to the finished transaction,
// the software key's own work included, as time an input. Only p2pkh may grow
// with their number: its signature hash covers the whole transaction each time.
func BenchmarkSign(b *testing.B) {
	for _, typ := range allTypes {
		for _, n := range []int{10, 100, 1000} {
			b.Run(fmt.Sprintf("%s/%d", typ, n), func(b *testing.B) {
				me, p := samples.Demo(), samples.NewPacket("bench")
				for i := range n {
					p.Spend(me.At(typ, 0, uint32(i%20)), 100_000)
				}
				p.Pay(samples.Stranger(0).At(samples.P2WPKH, 0, 0).Script, int64(n)*99_800)
				file, k := p.Bytes(), demoKey(b)
				b.ReportAllocs()
				for b.Loop() {
					b.StopTimer()
					a := approve(b, reviewFile(b, file, k, mainnet, signer.NewLedger()))
					b.StartTimer()
					if _, err := signer.Sign(b.Context(), a, k, nil); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/float64(n), "µs/input")
			})
		}
	}
}
