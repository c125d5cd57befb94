package signer

import (
	"math"
	"strconv"
	"testing"

	"github.com/btcsuite/btcd/btcutil"
)

func TestFormatAmount(t *testing.T) {
	for _, c := range []struct {
		sat  int64
		btc  string
		sats string
	}{
		{0, "0.00000000", "0"},
		{1, "0.00000001", "1"},
		{50_000, "0.00050000", "50000"},
		{100_000_000, "1.00000000", "100000000"},
		{btcutil.MaxSatoshi, "21000000.00000000", "2100000000000000"},
		{-1, "-0.00000001", "-1"},
		{math.MinInt64, "-92233720368.54775808", "-9223372036854775808"},
	} {
		if got := FormatAmount(c.sat, BTC); got != c.btc {
			t.Errorf("%d in BTC: %s, want %s", c.sat, got, c.btc)
		}
		if got := FormatAmount(c.sat, Sat); got != c.sats {
			t.Errorf("%d in sat: %s, want %s", c.sat, got, c.sats)
		}
	}
}

func TestParseAmount(t *testing.T) {
	for _, c := range []struct {
		text string
		unit Unit
		want int64 // -1: refused
	}{
		{"0.00050000", BTC, 50_000},
		{"0.0005", BTC, 50_000},
		{"0,0005", BTC, 50_000},
		{".0005", BTC, 50_000},
		{"  0.00 050 000 ", BTC, 50_000},
		{"0.00\u00a0050\u202f000", BTC, 50_000},
		{"0.000500000000", BTC, 50_000},
		{"00000.0005", BTC, 50_000},
		{"1", BTC, 100_000_000},
		{"1.", BTC, 100_000_000},
		{"1,000", BTC, 100_000_000}, // a decimal comma, never a thousand
		{"1 000", BTC, 100_000_000_000},
		{"21000000", BTC, btcutil.MaxSatoshi},
		{"0", BTC, 0},
		{"50000", Sat, 50_000},
		{"50 000", Sat, 50_000},
		{"0050000", Sat, 50_000},

		{"", BTC, -1},
		{"   ", BTC, -1},
		{".", BTC, -1},
		{",", BTC, -1},
		{"0.000500001", BTC, -1},
		{"1,000.5", BTC, -1},
		{"1.000.5", BTC, -1},
		{"-1", BTC, -1},
		{"+1", BTC, -1},
		{"1e3", BTC, -1},
		{"0x10", BTC, -1},
		{"1 BTC", BTC, -1},
		{"１", BTC, -1}, // full width
		{"٣", BTC, -1}, // Arabic-Indic
		{"21000000.00000001", BTC, -1},
		{"99999999999999999999999999", BTC, -1},
		{"50.000", Sat, -1},
		{"50,000", Sat, -1},
		{"2100000000000001", Sat, -1},
		{"", Sat, -1},
	} {
		got, err := ParseAmount(c.text, c.unit)
		if err != nil {
			got = -1
		}
		if got != c.want {
			t.Errorf("%q in %v: %d (%v), want %d", c.text, c.unit, got, err, c.want)
		}
	}
}

// FuzzAmount: what is written is read back; what is read is written and read
// back as the same; nothing out of range is read.
func FuzzAmount(f *testing.F) {
	for _, s := range []string{"0.0005", "1,000", "21000000", "50000", "1 0", "9.999999990", "٣"} {
		f.Add(s, int64(len(s)))
	}
	f.Fuzz(func(t *testing.T, text string, sat int64) {
		for _, u := range []Unit{BTC, Sat} {
			if got, err := ParseAmount(text, u); err == nil {
				if got < 0 || got > btcutil.MaxSatoshi {
					t.Fatalf("%q in %v: %d is out of range", text, u, got)
				}
				again, err := ParseAmount(FormatAmount(got, u), u)
				if err != nil || again != got {
					t.Fatalf("%q in %v: %d, again %d (%v)", text, u, got, again, err)
				}
			}
			got, err := ParseAmount(FormatAmount(sat, u), u)
			if valid := sat >= 0 && sat <= btcutil.MaxSatoshi; valid != (err == nil) || valid && got != sat {
				t.Fatalf("%s: %d (%v)", strconv.FormatInt(sat, 10), got, err)
			}
		}
	})
}
