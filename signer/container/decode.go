package container

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
)

// Encoding is how the bytes of a PSBT stand in a file.
type Encoding string

// The encodings.
const (
	Binary Encoding = "binary"
	Base64 Encoding = "base64"
	Hex    Encoding = "hex"
)

// How the magic looks in text: base64 of its first four bytes and a half, and
// hex in either case.
const (
	magicBase64 = "cHNidP"
	magicHex    = "70736274ff"
)

// Decode finds out how a file is encoded and gives the raw container. Binary
// comes back as the same slice; text is decoded into one allocation of exactly
// the size that its characters give. In text, white space is accepted before
// and after it and where it breaks a line: space, tab, carriage return, line
// feed. A byte order mark is not. Errors are *Error with the offset in file.
func Decode(file []byte) (raw []byte, enc Encoding, err error) {
	if len(file) == 0 {
		return nil, "", fail(0, "the file is empty")
	}
	if bytes.HasPrefix(file, []byte(Magic)) {
		return file, Binary, nil
	}
	start := spaceEnd(file, 0)
	var a alphabet
	switch text := file[start:]; {
	case len(text) == 0:
		return nil, "", fail(0, "the file holds nothing but white space")
	case bytes.HasPrefix(text, []byte(Magic)):
		return nil, "", fail(0, "white space stands before a binary PSBT")
	case bytes.HasPrefix(text, []byte(magicBase64)):
		enc, a = Base64, alphabet{6, 4, base64Value, true, "base64"}
	case len(text) >= len(magicHex) && bytes.EqualFold(text[:len(magicHex)], []byte(magicHex)):
		enc, a = Hex, alphabet{4, 2, hexValue, false, "hex"}
	case hasMark(text):
		return nil, "", fail(start, "the text starts with a byte order mark; save it as plain text")
	default:
		return nil, "", fail(start, "this is not a PSBT: neither binary, nor base64, nor hex of one")
	}
	if raw, err = a.decode(file, start); err != nil {
		return nil, "", err
	}
	if !bytes.HasPrefix(raw, []byte(Magic)) {
		return nil, "", fail(start, "the %s text is not that of a PSBT", a.name)
	}
	return raw, enc, nil
}

// hasMark tells text that a Windows editor saved as UTF-8 or UTF-16 with a
// byte order mark.
func hasMark(text []byte) bool {
	for _, mark := range []string{"\xef\xbb\xbf", "\xff\xfe", "\xfe\xff"} {
		if bytes.HasPrefix(text, []byte(mark)) {
			return true
		}
	}
	return false
}

// Encode writes a raw container as a file: base64 and hex as one line with its
// line feed. Binary comes back as the same slice.
func Encode(raw []byte, enc Encoding) []byte {
	switch enc {
	case Base64:
		out := make([]byte, 0, base64.StdEncoding.EncodedLen(len(raw))+1)
		return append(base64.StdEncoding.AppendEncode(out, raw), '\n')
	case Hex:
		out := make([]byte, 0, hex.EncodedLen(len(raw))+1)
		return append(hex.AppendEncode(out, raw), '\n')
	}
	return raw
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

// alphabet is one text encoding.
type alphabet struct {
	bits  uint // that a character carries
	group int  // characters that end on a whole byte
	value func(byte) (uint32, bool)
	pad   bool // the last group may end in '='
	name  string
}

func hexValue(c byte) (uint32, bool) {
	switch {
	case c >= '0' && c <= '9':
		return uint32(c - '0'), true
	case c >= 'a' && c <= 'f':
		return uint32(c-'a') + 10, true
	case c >= 'A' && c <= 'F':
		return uint32(c-'A') + 10, true
	}
	return 0, false
}

func base64Value(c byte) (uint32, bool) {
	switch {
	case c >= 'A' && c <= 'Z':
		return uint32(c - 'A'), true
	case c >= 'a' && c <= 'z':
		return uint32(c-'a') + 26, true
	case c >= '0' && c <= '9':
		return uint32(c-'0') + 52, true
	case c == '+':
		return 62, true
	case c == '/':
		return 63, true
	}
	return 0, false
}

// decode decodes the text from start to the end of the file.
func (a alphabet) decode(file []byte, start int) ([]byte, error) {
	chars, err := a.check(file, start)
	if err != nil {
		return nil, err
	}
	raw := make([]byte, 0, chars*int(a.bits)/8)
	var acc uint32
	var have uint
	last := start
	for i, c := range file[start:] {
		v, ok := a.value(c)
		if !ok {
			continue // white space or padding
		}
		last = start + i
		acc, have = acc<<a.bits|v, have+a.bits
		if have >= 8 {
			have -= 8
			raw = append(raw, byte(acc>>have))
			acc &= 1<<have - 1
		}
	}
	if acc != 0 {
		return nil, fail(last, "the last character of the %s text carries loose bits", a.name)
	}
	return raw, nil
}

// check looks at every character from start on and counts those that carry
// bits.
func (a alphabet) check(file []byte, start int) (chars int, err error) {
	pads := 0
	for i := start; i < len(file); i++ {
		c := file[i]
		_, ok := a.value(c)
		switch {
		case isSpace(c):
			next := spaceEnd(file, i)
			if next < len(file) && !bytes.ContainsAny(file[i:next], "\r\n") {
				return 0, fail(i, "white space stands inside a line of the %s text", a.name)
			}
			i = next - 1
		case a.pad && c == '=':
			pads++
			if over := chars % a.group; over < 2 || pads > a.group-over {
				return 0, fail(i, "padding stands in a wrong place of the %s text", a.name)
			}
		case !ok:
			return 0, fail(i, "the byte 0x%02x does not belong into %s text", c, a.name)
		case pads > 0:
			return 0, fail(i, "the file goes on after the end of the %s text", a.name)
		default:
			chars++
		}
	}
	switch {
	case (chars+pads)%a.group == 0:
		return chars, nil
	case a.pad:
		return 0, fail(len(file), "the %s text is cut off or lacks its padding", a.name)
	}
	return 0, fail(len(file), "the %s text is cut off in the middle of a byte", a.name)
}

// spaceEnd gives the offset of the first byte from i on that is not white
// space.
func spaceEnd(file []byte, i int) int {
	for i < len(file) && isSpace(file[i]) {
		i++
	}
	return i
}
