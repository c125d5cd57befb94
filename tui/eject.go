package tui

import (
	"github.com/airlock-signer/airlock/airgap"
	"github.com/airlock-signer/airlock/signer/plain"
	"github.com/airlock-signer/airlock/tui/session"
)

// ejectScreen asks which medium, where there are several.
type ejectScreen struct{ list menu }

func (e *ejectScreen) title(session.State) string { return "Eject" }

func (e *ejectScreen) body(st session.State, z size) []string {
	p := newPage(z)
	p.add("Which medium? Everything is written out and the medium unmounted, and then it is said here whether it may be taken out.").gap()
	e.list.clamp(len(st.Volumes))
	from, to := window(len(st.Volumes), e.list.chosen, z.h-len(p.lines))
	var rows []string
	for _, v := range st.Volumes[from:to] {
		rows = append(rows, shorten(plain.Text(v.Name()), 30)+": "+shorten(volumeText(v), 40))
	}
	part := menu{chosen: e.list.chosen - from}
	part.draw(p, rows)
	return p.lines
}

func (e *ejectScreen) keys(st session.State, _ size) []binding {
	keys := e.list.keys(len(st.Volumes))
	if len(st.Volumes) > 0 {
		keys = append(keys, binding{names: []string{"enter", "e"}, help: "eject", do: func() action {
			return apply{session.Eject{Volume: st.Volumes[e.list.clamp(len(st.Volumes))]}}
		}})
	}
	return append(keys, binding{names: []string{"esc"}, help: "back", do: func() action { return shut{} }})
}

// ejectKey ejects one of these media, and asks which where they are several.
func ejectKey(st session.State, from []airgap.Volume) []binding {
	if len(from) == 0 || st.Eject != nil && st.Eject.Running {
		return nil
	}
	if len(from) == 1 {
		return []binding{on("eject", session.Eject{Volume: from[0]}, "e")}
	}
	return []binding{{names: []string{"e"}, help: "eject", do: func() action { return open{&ejectScreen{}} }}}
}

// addEject says how ejecting goes.
func addEject(p *page, st session.State) {
	e := st.Eject
	if e == nil {
		return
	}
	name := shorten(plain.Text(e.Volume.Name()), 30)
	label, text, style := "  "+name+": ", plain.Text(e.Sentence), styleCare
	switch {
	case e.Running:
		text = "ejecting. Leave it in until it is said that it is safe."
	case e.Safe:
		label, style = "  EJECTED "+name+": ", styleGood
	}
	part := &page{width: p.width}
	for _, line := range part.hang(label, text).lines {
		p.raw(style.Render(line))
	}
}
