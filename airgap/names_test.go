package airgap

import (
	"errors"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestResultNames(t *testing.T) {
	long := strings.Repeat("x", 255)
	cut := strings.Repeat("x", 232)
	for _, c := range []struct{ in, part, signed, final string }{
		{"payment.psbt", "payment-part.psbt", "payment-signed.psbt", "payment-final.txn"},
		{"folder/payment.psbt", "payment-part.psbt", "payment-signed.psbt", "payment-final.txn"},
		{"PAY.PSBT", "PAY-part.PSBT", "PAY-signed.PSBT", "PAY-final.txn"},
		{"payment-part.psbt", "payment-part.psbt", "payment-signed.psbt", "payment-final.txn"},
		{"payment-signed.psbt", "payment-part.psbt", "payment-signed.psbt", "payment-final.txn"},
		{"payment-signed-2.psbt", "payment-part.psbt", "payment-signed.psbt", "payment-final.txn"},
		{"payment-2.psbt", "payment-2-part.psbt", "payment-2-signed.psbt", "payment-2-final.txn"},
		{"part.psbt", "part-part.psbt", "part-signed.psbt", "part-final.txn"},
		{"payment.txt", "payment-part.txt", "payment-signed.txt", "payment-final.txn"},
		{"payment.psbt.txt", "payment-part.psbt.txt", "payment-signed.psbt.txt", "payment-final.txn"},
		{"payment.hex", "payment-part.hex", "payment-signed.hex", "payment-final.txn"},
		{"payment", "payment-part.psbt", "payment-signed.psbt", "payment-final.txn"},
		{"v1.2", "v1.2-part.psbt", "v1.2-signed.psbt", "v1.2-final.txn"},
		{".psbt", "transaction-part.psbt", "transaction-signed.psbt", "transaction-final.txn"},
		{"", "transaction-part.psbt", "transaction-signed.psbt", "transaction-final.txn"},
		{"..", "transaction-part.psbt", "transaction-signed.psbt", "transaction-final.txn"},
		{".hidden.psbt", "_hidden-part.psbt", "_hidden-signed.psbt", "_hidden-final.txn"},
		{"a\x1b[2Jb.psbt", "a_[2Jb-part.psbt", "a_[2Jb-signed.psbt", "a_[2Jb-final.txn"},
		{"a\u202eb.psbt", "a_b-part.psbt", "a_b-signed.psbt", "a_b-final.txn"},
		{"a\xff\xfeb.psbt", "a__b-part.psbt", "a__b-signed.psbt", "a__b-final.txn"},
		{`q:"*?<>|\.psbt`, "q________-part.psbt", "q________-signed.psbt", "q________-final.txn"},
		{"Grüße 元.psbt", "Grüße 元-part.psbt", "Grüße 元-signed.psbt", "Grüße 元-final.txn"},
		{"con.psbt", "con-part.psbt", "con-signed.psbt", "con-final.txn"},
		{"Con.2024.psbt", "_Con.2024-part.psbt", "_Con.2024-signed.psbt", "_Con.2024-final.txn"},
		{"_Con.2024-signed.psbt", "_Con.2024-part.psbt", "_Con.2024-signed.psbt", "_Con.2024-final.txn"},
		{"end. .psbt", "end-part.psbt", "end-signed.psbt", "end-final.txn"},
		{long, cut + "-part.psbt", cut + "-signed.psbt", cut + "-final.txn"},
	} {
		part, signed, final := ResultNames(c.in)
		if part != c.part || signed != c.signed || final != c.final {
			t.Errorf("%q: got %q %q %q", c.in, part, signed, final)
		}
	}
}

func TestNumberedNames(t *testing.T) {
	for _, c := range []struct {
		name string
		n    int
		want string
	}{
		{"payment-signed.psbt", 1, "payment-signed.psbt"},
		{"payment-signed.psbt", 2, "payment-signed-2.psbt"},
		{"payment-final.txn", 3, "payment-final-3.txn"},
		{"payment-signed.psbt.txt", 4, "payment-signed-4.psbt.txt"},
		{"notes", 2, "notes-2"},
		{strings.Repeat("x", 250) + ".psbt", 12, strings.Repeat("x", 247) + "-12.psbt"},
	} {
		if got := numbered(c.name, c.n); got != c.want || len(got) > maxName {
			t.Errorf("%q %d: %q", c.name, c.n, got)
		}
	}
}

func TestNamesThatNoMediumShouldGet(t *testing.T) {
	for _, name := range []string{"", ".", "..", "a/b", "a\x00b", "../x", ".airlock-1.tmp", "a:b", "a ", "a.", "a\x1b", "\xff", "a\u200bb", "con", "NUL.txt", "lpt1.a.b", "aux .txt", strings.Repeat("x", 256)} {
		if err := checkName(name); !errors.Is(err, ErrName) {
			t.Errorf("%q: %v", name, err)
		}
	}
	for _, name := range []string{"a", "payment-signed.psbt", "con-signed.psbt", "com.txt", "com10", "icon", "Grüße 元.txn", strings.Repeat("x", 255)} {
		if err := checkName(name); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func FuzzResultNames(f *testing.F) {
	for _, s := range []string{"payment.psbt", "a-part.txt", "..", "\xff.psbt", "-signed-1.psbt", ".psbt.txt", strings.Repeat("é", 300), "a\x00/\x1b", "nul.a.psbt"} {
		f.Add(s, 2)
	}
	f.Fuzz(func(t *testing.T, in string, n int) {
		part, signed, final := ResultNames(in)
		if part == signed || signed == final || part == final {
			t.Fatalf("%q: results share a name", in)
		}
		n = n%maxNames + 1
		if n < 1 {
			n = 1
		}
		for _, name := range []string{part, signed, final} {
			for _, got := range []string{name, numbered(name, n)} {
				if err := checkName(got); err != nil || !utf8.ValidString(got) || strings.ContainsAny(got, "/\x00") {
					t.Fatalf("%q gives %q: %v", in, got, err)
				}
				if strings.IndexFunc(got, func(r rune) bool { return !unicode.IsPrint(r) }) >= 0 {
					t.Fatalf("%q gives %q, which does not print", in, got)
				}
			}
		}
		// A result of a result keeps the stem: names do not grow with signers.
		again, _, _ := ResultNames(signed)
		if again != part {
			t.Fatalf("%q: part %q, but from %q part %q", in, part, signed, again)
		}
	})
}
