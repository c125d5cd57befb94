package tui

import (
	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/lipgloss"

	"github.com/airlock-signer/airlock/signer/plain"
	"github.com/airlock-signer/airlock/tui/session"
)

// doubtScreen stands in the place of every other while a keyboard that appeared
// has typed no code.
type doubtScreen struct{ text textField }

func (d *doubtScreen) title(session.State) string { return "A keyboard appeared" }

func (d *doubtScreen) body(st session.State, z size) []string {
	p := newPage(z)
	v := st.Doubt
	if v == nil {
		return nil
	}
	p.styled(styleBad, "STOPPED: a keyboard appeared while this station runs.")
	p.gap()
	const most = 4
	for i, k := range v.Keyboards {
		if i == most {
			p.add("  and %d more", len(v.Keyboards)-most)
			break
		}
		p.raw("  " + shorten(plain.Text(k.Name), 60))
	}
	p.gap().add("A stick or a card reader may be a keyboard in disguise, which types by itself. Did you plug a keyboard in? If not, pull out what you put in last.")
	if v.Code == "" {
		p.gap().styled(styleBad, "The code was wrong too often. Pull the new keyboard out.")
		return p.lines
	}
	if v.CanTell {
		p.gap().add("If you did, type this code on the new keyboard and press Enter:")
	} else {
		p.gap().add("If you did, type this code and press Enter. This station cannot tell on which keyboard it is typed: use the new one.")
	}
	p.gap().raw("  " + styleStrong.Render(v.Code))
	p.gap().raw(d.text.tail(lipgloss.NewStyle(), 20))
	return p.lines
}

func (d *doubtScreen) typed(msg tea.KeyMsg) { d.text.key(msg) }

func (d *doubtScreen) keys(st session.State, _ size) []binding {
	if st.Doubt == nil || st.Doubt.Code == "" {
		return nil
	}
	return []binding{{names: []string{"enter"}, help: "that is the code", do: func() action {
		text := d.text.value
		d.text = textField{}
		return send{session.TypeCode{Text: text}}
	}}}
}
