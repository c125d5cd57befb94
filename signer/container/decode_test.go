package container

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

func TestDecode(t *testing.T) {
	raw := file("", kvh("03", "01000000"), "")
	b64 := strings.TrimSuffix(string(Encode(raw, Base64)), "\n")
	hx := strings.TrimSuffix(string(Encode(raw, Hex)), "\n")
	wrap := func(s, end string) string {
		var b strings.Builder
		for len(s) > 64 {
			b.WriteString(s[:64] + end)
			s = s[64:]
		}
		return b.String() + s + end
	}
	for name, c := range map[string]struct {
		file string
		enc  Encoding
	}{
		"binary":                     {string(raw), Binary},
		"base64":                     {b64, Base64},
		"base64, line feed":          {b64 + "\n", Base64},
		"base64, white space around": {" \t\r\n" + b64 + "\r\n\t ", Base64},
		"base64, wrapped":            {wrap(b64, "\n"), Base64},
		"base64, wrapped as PEM":     {wrap(b64, "\r\n"), Base64},
		"base64, indented lines":     {wrap(b64, " \n\t"), Base64},
		"hex":                        {hx, Hex},
		"hex, upper case":            {strings.ToUpper(hx), Hex},
		"hex, wrapped":               {wrap(hx, "\r\n"), Hex},
		"hex, wrapped inside a byte": {hx[:31] + "\n" + hx[31:], Hex},
	} {
		got, enc, err := Decode([]byte(c.file))
		if err != nil || enc != c.enc || !bytes.Equal(got, raw) {
			t.Errorf("%s: %s %x %v", name, enc, got, err)
		}
	}
}

// TestEncode goes there and back at every length that padding can have.
func TestEncode(t *testing.T) {
	for n := range 4 {
		raw := file("", kv("\xf0", strings.Repeat("\xff", n)), "")
		for _, enc := range []Encoding{Binary, Base64, Hex} {
			text := Encode(raw, enc)
			if enc != Binary && bytes.Count(text, []byte("\n")) != 1 || enc != Binary && text[len(text)-1] != '\n' {
				t.Errorf("%s is not one line: %q", enc, text)
			}
			got, gotEnc, err := Decode(text)
			if err != nil || gotEnc != enc || !bytes.Equal(got, raw) {
				t.Errorf("%s of %d bytes: %v", enc, len(raw), err)
			}
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	// one, two and no characters of padding
	pad1 := "cHNidP8BAAoAAAAAAAAAAAAAAAA="
	pad2 := "cHNidP8BAAoAAAAAAAAAAAAAAA=="
	pad0 := "cHNidP8BAAoAAAAAAAAAAAAAAAAA"
	hx := "70736274ff01000a0000"
	for _, c := range []struct {
		name, file string
		at         int
		what       string
	}{
		{"empty", "", 0, "empty"},
		{"white space", " \r\n", 0, "nothing but white space"},
		{"something else", "hello", 0, "neither binary, nor base64, nor hex"},
		{"network transaction in hex", "0200000001", 0, "neither binary, nor base64, nor hex"},
		{"white space before binary", "\n" + Magic, 0, "white space stands before a binary PSBT"},
		{"almost the magic", "cHNidP0A", 0, "the base64 text is not that of a PSBT"},
		{"magic cut", "cHNidA==", 0, "neither binary"},
		{"UTF-8 byte order mark", "\xef\xbb\xbf" + pad0, 0, "byte order mark"},
		{"UTF-16", "\xff\xfec\x00H\x00N\x00", 0, "byte order mark"},
		{"URL alphabet", pad0[:8] + "-_" + pad0[10:], 8, "0x2d does not belong into base64"},
		{"NUL", pad0 + "\x00", len(pad0), "0x00 does not belong into base64"},
		{"non-breaking space", pad0 + "\xc2\xa0", len(pad0), "0xc2 does not belong into base64"},
		{"padding missing", pad1[:len(pad1)-1], len(pad1) - 1, "cut off or lacks its padding"},
		{"half the padding missing", pad2[:len(pad2)-1], len(pad2) - 1, "cut off or lacks its padding"},
		{"one character too many", pad0 + "A", len(pad0) + 1, "cut off or lacks its padding"},
		{"padding too long", pad1 + "=", len(pad1), "padding stands in a wrong place"},
		{"padding of a whole group", pad0 + "====", len(pad0), "padding stands in a wrong place"},
		{"padding after one character", pad0 + "A===", len(pad0) + 1, "padding stands in a wrong place"},
		{"padding three times", pad0[:len(pad0)-3] + "===", len(pad0) - 3, "padding stands in a wrong place"},
		{"padding inside", "cHNidP8=" + pad0, 8, "goes on after the end of the base64"},
		{"garbage after the end", pad2 + "\nAAAA", len(pad2) + 1, "goes on after the end of the base64"},
		{"loose bits, one pad", pad1[:len(pad1)-2] + "B=", len(pad1) - 2, "loose bits"},
		{"loose bits, two pads", pad2[:len(pad2)-3] + "P==", len(pad2) - 3, "loose bits"},
		{"space inside a line", pad0[:12] + " " + pad0[12:], 12, "white space stands inside a line of the base64"},
		{"base64 then a word", pad0 + " # from Alice", len(pad0), "white space stands inside a line"},
		{"base64 then hex", pad2 + "\n" + hx, len(pad2) + 1, "goes on after the end"},
		{"hex, odd", hx + "0", len(hx) + 1, "the hex text is cut off in the middle of a byte"},
		{"hex then base64", hx + "\n" + pad0, len(hx) + 2, "0x48 does not belong into hex"},
		{"hex with prefix", "0x" + hx, 0, "neither binary"},
		{"hex with padding", hx + "=", len(hx), "0x3d does not belong into hex"},
		{"hex with a space inside", hx[:4] + " " + hx[4:], 0, "neither binary"},
		{"hex with a space later", hx[:12] + " " + hx[12:], 12, "white space stands inside a line of the hex"},
	} {
		raw, _, err := Decode([]byte(c.file))
		var e *Error
		if !errors.As(err, &e) {
			t.Errorf("%s: accepted as %x", c.name, raw)
			continue
		}
		if e.Offset != c.at || !strings.Contains(e.What, c.what) {
			t.Errorf("%s: %q, want %q at byte %d", c.name, err, c.what, c.at)
		}
	}
}

// TestTwoFiles joins texts of which each is a whole PSBT: where the first
// needs no padding they decode to two containers, and Parse refuses that.
func TestTwoFiles(t *testing.T) {
	for n := range 3 {
		one := Encode(file("", kv("\xf0", strings.Repeat("a", n)), ""), Base64)
		if got, _ := outcome(append(one[:len(one):len(one)], one...)); got != "malformed" {
			t.Errorf("padding %d: %s", n, got)
		}
	}
	one := Encode(file("", "", ""), Hex)
	if got, _ := outcome(append(one[:len(one):len(one)], one...)); got != "malformed" {
		t.Errorf("hex: %s", got)
	}
}
