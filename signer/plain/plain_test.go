package plain

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestText(t *testing.T) {
	for in, want := range map[string]string{
		"":                           "",
		"payment.psbt":               "payment.psbt",
		"für Zoë, 支払い №5 ☃ Ω":        "für Zoë, 支払い №5 ☃ Ω",
		"a  b":                       "a  b",
		"\x1b[2J":                    `\u{1B}[2J`,
		"a\tb\r\nc\x00":              `a\u{09}b\u{0D}\u{0A}c\u{00}`,
		"\x7f\u0080\u009b":           `\u{7F}\u{80}\u{9B}`,
		"gpj.\u202etbsp":             `gpj.\u{202E}tbsp`,
		"\u061c\u200e\u200f":         `\u{61C}\u{200E}\u{200F}`,
		"\u2066a\u2069":              `\u{2066}a\u{2069}`,
		"a\u200bb\u200c\u200d\ufeff": `a\u{200B}b\u{200C}\u{200D}\u{FEFF}`,
		"\u2028\u2029":               `\u{2028}\u{2029}`,
		"\u00a0\u3000\u2003":         `\u{A0}\u{3000}\u{2003}`,
		"e\u0301":                    `e\u{301}`,
		"☃\ufe0f":                    `☃\u{FE0F}`,
		"a\U000e0041":                `a\u{E0041}`,
		"\ue000\U0010fffd":           `\u{E000}\u{10FFFD}`,
		"\uffff\ufdd0\U0010ffff":     `\u{FFFF}\u{FDD0}\u{10FFFF}`,
		"\u0378":                     `\u{378}`,
		"\ufffd":                     `\u{FFFD}`,
		"\u3164\uffa0\u2800":         `\u{3164}\u{FFA0}\u{2800}`,
		`C:\users\u{20}`:             `C:\users\u{5C}u{20}`,
		`\u`:                         `\u`,
		`\\u{`:                       `\\u{5C}u{`,
		"hex:00":                     `\u{68}ex:00`,
		"ahex:00":                    `ahex:00`,
		"\xff\x00a":                  "hex:ff0061",
		"ok \xc3":                    "hex:6f6b20c3",
		"\xed\xa0\x80":               "hex:eda080", // a surrogate
	} {
		if got := Text(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
		if got := Bytes([]byte(in)); got != want {
			t.Errorf("%q: %q as bytes, want %q", in, got, want)
		}
		if got := Printable([]byte(in)); got != (in == want) {
			t.Errorf("%q: printable is %v", in, got)
		}
	}
}

// forbidden are the code points that the rule book and common sense keep off a
// screen. The list is its own, not that of the code.
func forbidden(r rune) bool {
	for _, span := range [][2]rune{
		{0, 0x1f}, {0x7f, 0x9f}, {0xa0, 0xa0}, {0xad, 0xad}, {0x300, 0x36f}, {0x61c, 0x61c}, {0x115f, 0x1160},
		{0x1680, 0x1680}, {0x17b4, 0x17b5}, {0x180b, 0x180f}, {0x2000, 0x200f}, {0x2028, 0x202f}, {0x205f, 0x206f},
		{0x3000, 0x3000}, {0x3164, 0x3164}, {0xd800, 0xf8ff}, {0xfdd0, 0xfdef}, {0xfe00, 0xfe0f}, {0xfeff, 0xfeff},
		{0xffa0, 0xffa0}, {0xfff0, 0xffff}, {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0xe0000, 0xe0fff}, {0xf0000, 0x10ffff},
	} {
		if r >= span[0] && r <= span[1] {
			return true
		}
	}
	return r&0xfffe == 0xfffe || r != ' ' && unicode.IsSpace(r) || unicode.In(r, unicode.C, unicode.M, unicode.Z) && r != ' '
}

// TestEveryRune goes through all code points.
func TestEveryRune(t *testing.T) {
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if !utf8.ValidRune(r) {
			continue
		}
		got := Text(string(r))
		if escaped := fmt.Sprintf(`\u{%02X}`, r); got != string(r) && got != escaped {
			t.Fatalf("%U: %q", r, got)
		}
		if got == string(r) && forbidden(r) {
			t.Errorf("%U is shown as it is", r)
		}
	}
	for r := ' '; r <= '~'; r++ {
		if Text(string(r)) != string(r) {
			t.Errorf("%q is escaped", r)
		}
	}
}

// unescape is the way back from Text, for text that was UTF-8.
func unescape(s string) string {
	var b strings.Builder
	for {
		before, after, found := strings.Cut(s, `\u{`)
		b.WriteString(before)
		if !found {
			return b.String()
		}
		var r rune
		if _, err := fmt.Sscanf(after, "%X}", &r); err != nil {
			panic(err)
		}
		b.WriteRune(r)
		_, s, _ = strings.Cut(after, "}")
	}
}

// FuzzText: what is printed is valid, holds nothing forbidden and stands for
// one input only; wrapped it loses nothing.
func FuzzText(f *testing.F) {
	for _, s := range []string{"", "a b", "\x1b[0m", "\u202e", "hex:00", `\u{41}`, "\xff", "a\u0301", "支払い word"} {
		f.Add(s, 10)
	}
	f.Fuzz(func(t *testing.T, s string, width int) {
		got := Text(s)
		if !utf8.ValidString(got) {
			t.Fatalf("%q is not UTF-8", got)
		}
		if i := strings.IndexFunc(got, forbidden); i >= 0 {
			t.Fatalf("%q holds %q", got, got[i:])
		}
		back := unescape(got)
		if hex, ok := strings.CutPrefix(got, hexPrefix); ok {
			back = ""
			if _, err := fmt.Sscanf(hex, "%x", &back); err != nil {
				t.Fatal(err)
			}
		}
		if back != s {
			t.Fatalf("%q stands for %q and %q", got, s, back)
		}
		if Printable([]byte(s)) != (got == s) {
			t.Fatalf("%q: printable is %v", s, Printable([]byte(s)))
		}
		width = width&63 + 2
		lines := Wrap(got, width)
		for _, line := range lines {
			if Width(line) > width {
				t.Fatalf("%q is wider than %d", line, width)
			}
		}
		squeeze := func(s string) string { return strings.ReplaceAll(s, " ", "") }
		if squeeze(strings.Join(lines, "")) != squeeze(got) {
			t.Fatalf("%q became %q", got, lines)
		}
	})
}

func TestWrap(t *testing.T) {
	for _, c := range []struct {
		s     string
		width int
		want  []string
	}{
		{"", 10, []string{""}},
		{"short", 10, []string{"short"}},
		{"ten cells.", 10, []string{"ten cells."}},
		{"one two three", 7, []string{"one two", "three"}},
		{"one two three", 8, []string{"one two", "three"}},
		{"one two", 3, []string{"one", "two"}},
		{"abcdefghij", 4, []string{"abcd", "efgh", "ij"}},
		{"to abcdefghij", 4, []string{"to", "abcd", "efgh", "ij"}},
		{"a\nbc\n\nd", 5, []string{"a", "bc", "", "d"}},
		{"支払い支払い", 5, []string{"支払", "い支", "払い"}},
		{"支払い", 1, []string{"支", "払", "い"}},
		{"abc", 0, []string{"ab", "c"}},
		{"abc", -5, []string{"ab", "c"}},
		{"a          b", 4, []string{"a", "b"}},
		{`gpj.\u{202E}tbsp`, 12, []string{`gpj.\u{202E}`, "tbsp"}},
	} {
		if got := Wrap(c.s, c.width); !slices.Equal(got, c.want) {
			t.Errorf("%q in %d: %q, want %q", c.s, c.width, got, c.want)
		}
	}
}

func TestWidth(t *testing.T) {
	for s, want := range map[string]int{"": 0, "abc": 3, "für": 3, "支払い": 6, "한국": 4, "Ａ": 2, "№": 1, "🔑": 2} {
		if got := Width(s); got != want {
			t.Errorf("%q: %d, want %d", s, got, want)
		}
	}
}
