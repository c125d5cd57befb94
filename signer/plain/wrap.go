package plain

import (
	"strings"
	"unicode"
)

// Wrap breaks text into lines of at most width terminal cells: at spaces where
// it can, inside a word where the word alone is wider. No character is lost but
// the spaces at which a line was broken; nothing is cut. Line feeds in s break
// lines too. A width below 2 counts as 2, the width of the widest character.
//
// s should have gone through Text: Wrap counts every rune as one or two cells.
func Wrap(s string, width int) []string {
	width = max(width, 2)
	var lines []string
	for _, line := range strings.Split(s, "\n") {
		lines = append(lines, wrapLine(line, width)...)
	}
	return lines
}

// wrapLine wraps text without line feeds.
func wrapLine(s string, width int) []string {
	var lines []string
	for {
		end, blank := fit(s, width)
		if end == len(s) {
			return append(lines, s)
		}
		if blank > 0 && s[end] != ' ' {
			end = blank
		}
		lines = append(lines, strings.TrimRight(s[:end], " "))
		s = strings.TrimLeft(s[end:], " ")
	}
}

// fit gives how many bytes of s fit into width cells, and where in them the
// last run of spaces begins that has text before it (0: nowhere).
func fit(s string, width int) (end, blank int) {
	cells, text := 0, false
	for i, r := range s {
		if cells += runeWidth(r); cells > width {
			return i, blank
		}
		if r != ' ' {
			text = true
		} else if text && (i == 0 || s[i-1] != ' ') {
			blank = i
		}
	}
	return len(s), blank
}

// Width is the number of terminal cells of s.
func Width(s string) int {
	n := 0
	for _, r := range s {
		n += runeWidth(r)
	}
	return n
}

func runeWidth(r rune) int {
	if r >= 0x1100 && unicode.Is(wide, r) {
		return 2
	}
	return 1
}

// wide are the blocks whose characters take two cells: East Asian Width W and
// F (Unicode Annex 11), rounded up to whole ranges. A character that is
// counted too wide only leaves a gap at the end of a line.
var wide = &unicode.RangeTable{
	R16: []unicode.Range16{
		{Lo: 0x1100, Hi: 0x115f, Stride: 1}, // Hangul Jamo
		{Lo: 0x231a, Hi: 0x231b, Stride: 1}, // watch, hourglass
		{Lo: 0x2329, Hi: 0x232a, Stride: 1}, // angle brackets
		{Lo: 0x23e9, Hi: 0x23f3, Stride: 1}, // media symbols, clocks
		{Lo: 0x25fd, Hi: 0x25fe, Stride: 1}, // small squares
		{Lo: 0x2600, Hi: 0x27bf, Stride: 1}, // symbols and dingbats, some of them emoji
		{Lo: 0x2b1b, Hi: 0x2b55, Stride: 1}, // large squares, star, circle
		{Lo: 0x2e80, Hi: 0xa4cf, Stride: 1}, // CJK, kana, Hangul compatibility, Yi
		{Lo: 0xa960, Hi: 0xa97f, Stride: 1}, // Hangul Jamo extended A
		{Lo: 0xac00, Hi: 0xd7a3, Stride: 1}, // Hangul syllables
		{Lo: 0xf900, Hi: 0xfaff, Stride: 1}, // CJK compatibility ideographs
		{Lo: 0xfe10, Hi: 0xfe6f, Stride: 1}, // vertical, compatibility and small forms
		{Lo: 0xff01, Hi: 0xff60, Stride: 1}, // fullwidth forms
		{Lo: 0xffe0, Hi: 0xffe6, Stride: 1}, // fullwidth signs
	},
	R32: []unicode.Range32{
		{Lo: 0x16fe0, Hi: 0x18dff, Stride: 1}, // Tangut, Khitan
		{Lo: 0x1aff0, Hi: 0x1b2ff, Stride: 1}, // kana supplements, Nushu
		{Lo: 0x1d300, Hi: 0x1d37f, Stride: 1}, // Tai Xuan Jing, counting rods
		{Lo: 0x1f000, Hi: 0x1faff, Stride: 1}, // tiles, cards, emoji
		{Lo: 0x20000, Hi: 0x3fffd, Stride: 1}, // CJK extensions
	},
}
