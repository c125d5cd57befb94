// Package plain makes text from outside safe to print: file names, names of
// cards, readers and wallets, labels, data outputs. What could move the
// cursor, hide, reorder or imitate other text is shown as its code point, like
// \u{202E}.
package plain

import (
	"encoding/hex"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// hexPrefix starts text that stands for bytes that are not UTF-8.
const hexPrefix = "hex:"

// Text gives s with everything that is not plainly visible escaped as \u{XXXX}
// (upper-case hex, at least two digits): controls (C0, DEL, C1), bidirectional
// controls, zero-width and other invisible characters, variation selectors and
// tags, combining marks, every white space but the space itself, the
// replacement character, private-use and unassigned code points. A string that
// is not UTF-8 comes back as "hex:" and its bytes in lower-case hex.
//
// The result is valid UTF-8, on one line, and stands for one s only: a
// backslash before "u{" is escaped too, and so is the "h" of a string that
// starts with "hex:" itself. So Text is for what came from outside, once: text
// that went through it twice is still safe, but its escapes are escaped.
//
// Combining marks are escaped however few they are: they stack, they change
// the letter before them, and the Linux console shows none of them. Letters
// that look alike (Latin and Cyrillic a) are shown as they are.
func Text(s string) string {
	if !utf8.ValidString(s) {
		return hexPrefix + hex.EncodeToString([]byte(s))
	}
	var b strings.Builder
	b.Grow(len(s))
	for i, r := range s {
		switch {
		case i == 0 && strings.HasPrefix(s, hexPrefix),
			r == '\\' && strings.HasPrefix(s[i+1:], "u{"),
			!visible(r):
			fmt.Fprintf(&b, `\u{%02X}`, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// Bytes is Text of bytes.
func Bytes(b []byte) string { return Text(string(b)) }

// Printable says whether b is text that Text would not change. Nothing is
// printable too.
func Printable(b []byte) bool {
	s := string(b)
	return utf8.ValidString(s) && Text(s) == s
}

// visible says whether a rune may be printed as it is. unicode.IsPrint leaves
// out controls, format characters (among them the bidirectional ones, zero
// width, soft hyphen and tags), line and paragraph separators, every space but
// ' ', private use, surrogates and unassigned code points.
func visible(r rune) bool {
	if !unicode.IsPrint(r) || r == utf8.RuneError {
		return false
	}
	return !unicode.Is(unicode.M, r) && !blank(r)
}

// blank tells the characters that count as letters or symbols and leave an
// empty place or none: they could pass for a space or hide.
func blank(r rune) bool {
	switch r {
	case 0x115f, 0x1160, 0x3164, 0xffa0, // Hangul fillers
		0x2800,           // braille pattern blank
		0xfffc,           // object replacement
		0x16fe4,          // Khitan small script filler
		0x1d159,          // musical null notehead
		0x13441, 0x13442: // Egyptian blanks
		return true
	}
	return unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r)
}
