package tui

// menu is a list of which one row is chosen.
type menu struct{ chosen int }

// draw adds the rows, the chosen one marked.
func (m *menu) draw(p *page, rows []string) {
	m.clamp(len(rows))
	for i, row := range rows {
		if i == m.chosen {
			p.raw(styleChosen.Render("> " + row + " "))
		} else {
			p.raw("  " + row)
		}
	}
}

func (m *menu) clamp(n int) int {
	m.chosen = max(0, min(m.chosen, n-1))
	return m.chosen
}

// keys move the mark over n rows.
func (m *menu) keys(n int) []binding {
	if n < 2 {
		return nil
	}
	return []binding{
		{names: []string{"-"}, label: "Up Down", help: "choose"},
		local("", func() { m.chosen--; m.clamp(n) }, "up"),
		local("", func() { m.chosen++; m.clamp(n) }, "down"),
	}
}
