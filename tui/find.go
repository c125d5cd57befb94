package tui

import (
	"fmt"
	"strings"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/lipgloss"

	"github.com/airlock-signer/airlock/signer"
	"github.com/airlock-signer/airlock/tui/session"
)

// findBox is the search of the review: part of an address or an amount.
type findBox struct {
	open bool
	text textField
	note string
}

func (f *findBox) opener(shown bool) binding {
	b := local("", func() { f.open, f.note = true, "part of an address or an amount" }, "/")
	if shown {
		b.help = "find"
	}
	return b
}

func (f *findBox) keys(search func()) []binding {
	return []binding{
		local("find the next", search, "enter"),
		local("end the search", func() { f.open = false }, "esc"),
	}
}

func (f *findBox) typed(msg tea.KeyMsg) {
	if f.open {
		f.text.key(msg)
		f.note = ""
	}
}

// line is drawn below the page.
func (f *findBox) line() string {
	return styleStrong.Render("Find ") + f.text.tail(lipgloss.NewStyle(), 40) + "  " + f.note
}

// search goes to the next page with a payment, or an output that comes back,
// that has the text; the first page follows the last one.
func (s *reviewScreen) search(st session.State) {
	text := strings.ToLower(strings.Join(strings.Fields(s.find.text.value), ""))
	if text == "" {
		return
	}
	number := numbers(st.Review.Items)
	for n := range s.pages {
		i := (s.at + 1 + n) % len(s.pages)
		for _, item := range s.pages[i].ends {
			if itemHas(st, st.Review.Items[item], text) {
				s.goTo(i)
				s.find.note = fmt.Sprintf("page %d%s", i+1, number[item])
				return
			}
		}
	}
	s.find.note = "nothing has that"
}

// numbers names the payments as the pages do.
func numbers(items []signer.Item) map[int]string {
	names, n := map[int]string{}, 0
	for i, item := range items {
		if item.Kind == signer.ItemPayment {
			n++
			names[i] = fmt.Sprintf(", payment %d", n)
		}
	}
	return names
}

func itemHas(st session.State, item signer.Item, text string) bool {
	outs := st.Review.Report.Outputs
	has := func(o signer.Output) bool {
		return strings.Contains(strings.ToLower(o.Address), text) || strings.Contains(signer.FormatAmount(o.Amount, st.Settings.Unit), text)
	}
	switch item.Kind {
	case signer.ItemPayment:
		return has(outs[item.Index])
	case signer.ItemBack:
		for _, o := range outs {
			if (o.Kind == signer.KindChange || o.Kind == signer.KindOwn) && has(o) {
				return true
			}
		}
	}
	return false
}
