package session

import (
	"testing"

	"github.com/airlock-signer/airlock/reader"
	"github.com/airlock-signer/airlock/reader/pcsctest"
)

// TestAbusePCSC is the same matrix through the real pcscd, its virtual reader
// and scard: of each fault a moment or two, or all of them (AIRLOCK_ABUSE=all).
func TestAbusePCSC(t *testing.T) {
	service := pcsctest.New(t)
	service.Start()
	r := &real{PCSC: reader.NewPCSC(nil), service: service} // one a process: two would share memory in scard
	k, rows := newKit(t, makers()[0]), 0
	for i, f := range faults() {
		if f.hasty {
			continue
		}
		rows += matrix(t, f, func(t *testing.T, at moment) bool {
			return abused(t, k, r, f, at)
		}, func(at moment) bool {
			switch {
			case all():
				return true
			case testing.Short():
				return i%3 == 0 && (at.name == "signing" && at.n == 2 || at.n == 0 && at.step == StepReview)
			case at.n == 0:
				return (int(at.step)+i)%6 == 0
			case f.strike == nil:
				return at.name == "signing" && at.n == 1+i%6
			}
			return at.name == "signing" && at.n == 1+i%4
		})
	}
	t.Logf("%d rows", rows)
}
