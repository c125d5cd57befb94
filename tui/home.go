package tui

import (
	"fmt"
	"strings"

	"github.com/charmbracelet/lipgloss"

	"github.com/airlock-signer/airlock/airgap"
	"github.com/airlock-signer/airlock/reader/card"
	"github.com/airlock-signer/airlock/signer/plain"
	"github.com/airlock-signer/airlock/tui/session"
)

// homeScreen shows cards, media and network at a glance.
type homeScreen struct{ top int }

func (h *homeScreen) title(session.State) string { return "Signing station" }

func (h *homeScreen) body(st session.State, z size) []string {
	p := newPage(z)
	if d := st.Demo; d != nil {
		if d.PIN != "" {
			p.add("This is a demo. The card is simulated by this program, its keys are published, and its PIN is %s. Never send money to its addresses.", d.PIN)
		} else {
			p.add("This is a demo. The card is simulated by this program, and nothing of it stays when it ends. Never send money to its addresses.")
		}
		p.gap()
	}
	p.styled(styleStrong, "Cards")
	addSlots(p, st)
	p.gap().styled(styleStrong, "Media")
	addVolumes(p, st)
	addEject(p, st)
	p.gap().styled(styleStrong, "Network")
	addIsolation(p, st)
	return scroll(p.lines, &h.top, z.h)
}

func (h *homeScreen) keys(st session.State, z size) []binding {
	keys := []binding{on("open a file", session.ShowFiles{}, "enter", "f")}
	if h.overflows(st, z) {
		keys = append(keys, local("", func() { h.top-- }, "up"), local("", func() { h.top++ }, "down"))
		keys = append(keys, binding{names: []string{"-"}, label: "Up Down", help: "scroll"})
	}
	keys = append(keys, demoKey(st)...)
	keys = append(keys, ejectKey(st, st.Volumes)...)
	return append(keys, cardsKey(), settingsKey(st), binding{names: []string{"q"}, help: "quit", do: func() action { return quit{} }})
}

func (h *homeScreen) overflows(st session.State, z size) bool {
	other := homeScreen{top: 0}
	lines := other.body(st, size{z.w, 1 << 20})
	return len(lines) > z.h
}

// scroll gives the part of lines from *top that fits, with a word about the
// rest.
func scroll(lines []string, top *int, height int) []string {
	if len(lines) <= height {
		*top = 0
		return lines
	}
	*top = max(0, min(*top, len(lines)-height+1))
	part := append([]string(nil), lines[*top:*top+height-1]...)
	rest := len(lines) - *top - len(part)
	return append(part, styleDim.Render(fmt.Sprintf("lines %d to %d of %d, %d more below", *top+1, *top+len(part), len(lines), rest)))
}

func demoKey(st session.State) []binding {
	if st.Demo == nil {
		return nil
	}
	if st.Demo.Inserted {
		return []binding{on("take card out", session.ToggleDemoCard{}, "i")}
	}
	return []binding{on("insert card", session.ToggleDemoCard{}, "i")}
}

func addSlots(p *page, st session.State) {
	if st.SlotsTrouble != "" {
		p.styled(styleCare, "%s", plain.Text(st.SlotsTrouble))
	}
	for _, v := range st.Slots {
		p.hang("  "+shorten(plain.Text(v.Name), 30)+": ", slotText(v))
	}
}

// slotText says what is in a reader.
func slotText(v session.SlotView) string {
	switch {
	case v.Opening:
		return "looking at the card"
	case v.Opened:
		text := cardName(v) + ", " + stateText(v.Info)
		if v.Code != "" {
			text += ", code " + v.Code
		}
		if v.Trouble != "" {
			text += ". " + plain.Text(v.Trouble)
		}
		return text
	case v.Trouble != "":
		return plain.Text(v.Trouble)
	case !v.Present:
		return "no card"
	case v.InUse:
		return card.ErrInUse.Error()
	}
	return "a card"
}

// cardName is the make, version and label of a card.
func cardName(v session.SlotView) string {
	name := v.Info.Make + " " + plain.Text(v.Info.Version)
	if v.Info.Label != "" {
		name += " \"" + shorten(plain.Text(v.Info.Label), 24) + "\""
	}
	if v.Simulated {
		name = "SIMULATED " + name
	}
	return name
}

func stateText(i card.Info) string {
	switch i.State {
	case card.StateReady:
		if i.PINTries < 0 {
			return "ready"
		}
		return "ready, " + plural(i.PINTries, "PIN try left", "PIN tries left")
	case card.StateNotSetUp:
		return "never set up"
	case card.StateNoSeed:
		return "without a key"
	case card.StatePINBlocked:
		return "PIN blocked"
	case card.StateBlocked:
		return "PIN and PUK blocked"
	}
	return "in an unknown state"
}

func addVolumes(p *page, st session.State) {
	if len(st.Volumes) == 0 {
		p.add("  No stick or memory card is in. Put in the one with the transaction.")
		return
	}
	for _, v := range st.Volumes {
		counts := map[airgap.Kind]int{}
		for _, f := range st.Files {
			if f.Volume.ID == v.ID {
				counts[f.Kind]++
			}
		}
		p.hang("  "+shorten(plain.Text(v.Name()), 30)+": ", volumeText(v)+countText(st, counts))
	}
	if st.FilesNote != "" {
		p.styled(styleCare, "  %s", plain.Text(st.FilesNote))
	}
}

func volumeText(v airgap.Volume) string {
	text := bytesText(v.Free) + " of " + bytesText(v.Size) + " free"
	if v.ReadOnly {
		text = bytesText(v.Size) + ", read-only"
	}
	if v.Folder {
		return "folder, " + text
	}
	return plain.Text(v.FSType) + ", " + text
}

func countText(st session.State, counts map[airgap.Kind]int) string {
	if st.Scanning && len(counts) == 0 {
		return ", looking at the files"
	}
	other := 0
	for k, n := range counts {
		if !isTransaction(k) {
			other += n
		}
	}
	return ", " + plural(counts[airgap.KindPSBT]+counts[airgap.KindPSBT2], "transaction file", "transaction files") + ", " + plural(other, "other file", "other files")
}

func addIsolation(p *page, st session.State) {
	if len(st.Isolation.Items) == 0 {
		p.add("  Not looked at yet.")
		return
	}
	blocking := st.Isolation.Blocking()
	if len(blocking) == 0 {
		p.add("  Nothing is up: no address, no carrier, no route, no radio.")
	}
	for _, i := range st.Isolation.Items {
		var style lipgloss.Style
		switch {
		case i.Blocks && !st.AllowNetwork:
			style = styleBad
		case i.Blocks, i.Notice:
			style = styleCare
		default:
			continue
		}
		p.styled(style, "  %s", plain.Text(strings.TrimSpace(i.State)))
	}
	if st.KeyboardsUnknown {
		p.styled(styleCare, "  This machine does not tell which keyboards it has: a new one would not be noticed.")
	}
	if len(blocking) > 0 && !st.AllowNetwork {
		p.add("  While this is so, the station shows what files claim, but asks for no PIN.")
	}
}

func isTransaction(k airgap.Kind) bool { return k == airgap.KindPSBT || k == airgap.KindPSBT2 }
