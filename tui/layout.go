package tui

import (
	"fmt"
	"strings"

	"github.com/charmbracelet/lipgloss"

	"github.com/airlock-signer/airlock/signer"
	"github.com/airlock-signer/airlock/signer/plain"
)

// The screen is at least as large as the Linux console in text mode.
const (
	minWidth  = 80
	minHeight = 25
	margin    = 1 // columns left and right of the body
)

// styles are the few that a 16-colour console draws well. Nothing is said by
// colour alone.
var (
	styleBar     = lipgloss.NewStyle().Reverse(true)
	styleBanner  = lipgloss.NewStyle().Foreground(lipgloss.Color("0")).Background(lipgloss.Color("3"))
	styleStrong  = lipgloss.NewStyle().Bold(true)
	styleGood    = lipgloss.NewStyle().Foreground(lipgloss.Color("10")).Bold(true)
	styleCare    = lipgloss.NewStyle().Foreground(lipgloss.Color("11")).Bold(true)
	styleBad     = lipgloss.NewStyle().Foreground(lipgloss.Color("9")).Bold(true)
	styleDim     = lipgloss.NewStyle().Foreground(lipgloss.Color("7"))
	styleChosen  = lipgloss.NewStyle().Reverse(true)
	styleProblem = lipgloss.NewStyle().Foreground(lipgloss.Color("11")).Bold(true)
)

// size in cells: of the terminal, or of the room that the frame leaves.
type size struct{ w, h int }

// width of the body.
func (z size) width() int { return z.w - 2*margin }

// page is a text of styled lines under construction. Every line added is at
// most as wide as the body; plain text is wrapped, never cut.
type page struct {
	width int
	lines []string
}

func newPage(z size) *page { return &page{width: z.width()} }

// add wraps plain text into lines.
func (p *page) add(format string, args ...any) *page {
	return p.styled(lipgloss.NewStyle(), format, args...)
}

// styled wraps text and draws each line in a style.
func (p *page) styled(s lipgloss.Style, format string, args ...any) *page {
	text := format
	if len(args) > 0 {
		text = fmt.Sprintf(format, args...)
	}
	for _, l := range plain.Wrap(text, p.width) {
		p.lines = append(p.lines, s.Render(l))
	}
	return p
}

// hang wraps text after a label; the following lines stand under the first.
func (p *page) hang(label, text string) *page {
	w := lipgloss.Width(label)
	for i, l := range plain.Wrap(text, p.width-w) {
		if i > 0 {
			label = strings.Repeat(" ", w)
		}
		p.lines = append(p.lines, label+l)
	}
	return p
}

// raw adds a line that is known to fit.
func (p *page) raw(line string) *page {
	p.lines = append(p.lines, line)
	return p
}

// gap adds an empty line, unless the page begins.
func (p *page) gap() *page {
	if len(p.lines) > 0 {
		p.lines = append(p.lines, "")
	}
	return p
}

// spread puts left and right at the two ends of a line.
func spread(left, right string, width int) string {
	gap := width - lipgloss.Width(left) - lipgloss.Width(right)
	if gap < 1 {
		gap = 1
	}
	return left + strings.Repeat(" ", gap) + right
}

// groups writes an address in groups of four, as it is compared.
func groups(s string) string {
	var b strings.Builder
	for i, r := range s {
		if i > 0 && i%4 == 0 {
			b.WriteByte(' ')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// amount writes satoshis in a unit.
func amount(sat int64, u signer.Unit) string {
	return signer.FormatAmount(sat, u) + " " + unitName(u)
}

func unitName(u signer.Unit) string {
	if u == signer.Sat {
		return "sat"
	}
	return "BTC"
}

// maybeAmount is an amount that may not be known.
func maybeAmount(a signer.Amount, u signer.Unit) string {
	if !a.Known {
		return "unknown"
	}
	return amount(a.Sat, u)
}

// bytesText writes a size in bytes for people.
func bytesText(n int64) string {
	switch {
	case n < 1000:
		return fmt.Sprintf("%d bytes", n)
	case n < 1000*1000:
		return fmt.Sprintf("%.1f kB", float64(n)/1e3)
	case n < 1000*1000*1000:
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	}
	return fmt.Sprintf("%.1f GB", float64(n)/1e9)
}

// plural writes "1 file", "2 files".
func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// shorten keeps a list row on its line: outside text of any length, its middle
// replaced by a count of what is left out, so that both ends can be read.
func shorten(s string, width int) string {
	if lipgloss.Width(s) <= width {
		return s
	}
	r := []rune(s)
	for keep := width - 6; keep > 4; keep-- {
		head, tail := (keep+1)/2, keep/2
		short := fmt.Sprintf("%s[+%d]%s", string(r[:head]), len(r)-head-tail, string(r[len(r)-tail:]))
		if lipgloss.Width(short) <= width {
			return short
		}
	}
	return fmt.Sprintf("[%d characters]", len(r))
}

// window gives the part of a list around the chosen row that fits.
func window(n, chosen, height int) (from, to int) {
	if n <= height {
		return 0, n
	}
	from = min(max(0, chosen-height/2), n-height)
	return from, from + height
}
