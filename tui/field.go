package tui

import (
	"unicode"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/lipgloss"
)

// maxField is the longest text that a field takes, in characters.
const maxField = 120

// textField is one line of typed text that is no secret.
type textField struct {
	value string
}

// key edits the field.
func (f *textField) key(msg tea.KeyMsg) {
	switch msg.Type {
	case tea.KeyBackspace:
		if r := []rune(f.value); len(r) > 0 {
			f.value = string(r[:len(r)-1])
		}
	case tea.KeyCtrlU:
		f.value = ""
	case tea.KeyRunes, tea.KeySpace:
		for _, r := range msg.Runes {
			if unicode.IsPrint(r) && len([]rune(f.value)) < maxField {
				f.value += string(r)
			}
		}
	}
}

func (f *textField) view(s lipgloss.Style) string {
	return "> " + s.Render(f.value) + styleChosen.Render(" ")
}

// tail is view with the last characters alone, as many as width.
func (f *textField) tail(s lipgloss.Style, width int) string {
	if r := []rune(f.value); len(r) > width {
		return (&textField{value: string(r[len(r)-width:])}).view(s)
	}
	return f.view(s)
}

func (s *pausedScreen) typed(msg tea.KeyMsg) {
	switch {
	case s.discard.open:
		s.discard.text.key(msg)
	case s.part.open:
		s.part.text.key(msg)
	}
}

func (r *resultScreen) typed(msg tea.KeyMsg) {
	if r.discard.open {
		r.discard.text.key(msg)
	}
}

func (a *approveScreen) typed(msg tea.KeyMsg) { a.text.key(msg) }

func (p *pinScreen) typed(msg tea.KeyMsg) { p.word.key(msg) }
