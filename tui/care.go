package tui

import (
	"fmt"

	"github.com/airlock-signer/airlock/reader/card"
	"github.com/airlock-signer/airlock/signer/plain"
	"github.com/airlock-signer/airlock/tui/session"
)

// positioning is said of a contactless reader.
const positioning = "This reader is contactless: lay the card flat on it, and leave it there until the screen says that it is done."

func cardsKey() binding { return on("cards", session.ShowCards{}, "c") }

// cardsScreen lists the readers, each with its card.
type cardsScreen struct{ list menu }

func (c *cardsScreen) title(session.State) string { return "Cards" }

func (c *cardsScreen) body(st session.State, z size) []string {
	p := newPage(z)
	if st.SlotsTrouble != "" {
		p.styled(styleCare, "%s", plain.Text(st.SlotsTrouble))
		return p.lines
	}
	p.add("Choose a reader. Each shows the card that is in it; another can be put in or plugged in at any time.")
	from, to := window(len(st.Slots), c.list.clamp(len(st.Slots)), (z.h-3)/linesPerSlot)
	for i, v := range st.Slots[from:to] {
		i += from
		p.gap()
		name := shorten(plain.Text(v.Name), 60)
		if i == c.list.chosen {
			p.raw(styleChosen.Render("> " + name + " "))
		} else {
			p.raw("  " + name)
		}
		for _, l := range slotLines(v) {
			p.hang("    ", l)
		}
	}
	return p.lines
}

// linesPerSlot is the most that a reader takes, with the gap above it.
const linesPerSlot = 5

// slotLines are the card in a reader: make and version; state, tries, code.
func slotLines(v session.SlotView) []string {
	if !v.Opened {
		lines := []string{slotText(v)}
		if v.Contactless() && v.Trouble == "" && !v.Present {
			lines = append(lines, positioning)
		}
		return lines
	}
	second := stateText(v.Info)
	if v.Info.PUKTries >= 0 && v.Info.State != card.StateNotSetUp {
		second += ", " + plural(v.Info.PUKTries, "PUK try left", "PUK tries left")
	}
	if v.Code != "" {
		second += ", code " + v.Code
	}
	return []string{cardName(v), second}
}

func (c *cardsScreen) keys(st session.State, _ size) []binding {
	var keys []binding
	if n := len(st.Slots); n > 0 {
		keys = append(keys, on("this card", session.ShowCard{Slot: st.Slots[c.list.clamp(n)].Name}, "enter"))
		keys = append(keys, c.list.keys(n)...)
	}
	keys = append(keys, demoKey(st)...)
	return append(keys, on("back", session.Back{}, "esc"))
}

// tasks in a line each.
var tasks = map[session.Task]string{
	session.TaskSetup:     "Set the card up: a PIN and a PUK",
	session.TaskUnlock:    "Unlock it with the PIN",
	session.TaskSeed:      "Load a key: make new words, or enter words from paper",
	session.TaskUnblock:   "Unblock the PIN with the PUK",
	session.TaskKeys:      "Show and export public keys",
	session.TaskTest:      "Test: the card signs a random number",
	session.TaskAttest:    "Check where the card comes from",
	session.TaskName:      "Give the card a name",
	session.TaskChangePIN: "Change the PIN",
	session.TaskLogout:    "Log out",
	session.TaskErase:     "Erase the key",
	session.TaskReset:     "Factory reset: erase everything",
}

// carePage is the page of one card and what it can do now.
type carePage struct{ list menu }

func (c *carePage) title(st session.State) string { return careTitle("Card", st) }

// careTitle names a screen and the reader it is about.
func careTitle(what string, st session.State) string {
	if st.Care == nil {
		return what
	}
	return what + ": " + shorten(plain.Text(st.Care.Slot.Name), 40)
}

func (c *carePage) body(st session.State, z size) []string {
	p := newPage(z)
	v := st.Care
	if v == nil {
		return nil
	}
	c.about(p, v)
	if v.Notice != "" {
		p.gap().styled(styleGood, "%s", plain.Text(v.Notice))
	}
	if len(v.Offers) == 0 {
		return p.lines
	}
	p.gap()
	var rows []string
	for _, t := range v.Offers {
		rows = append(rows, tasks[t])
	}
	c.list.draw(p, rows)
	return p.lines
}

// about says what is in the reader and how it stands.
func (c *carePage) about(p *page, v *session.CareView) {
	s := v.Slot
	if !s.Opened {
		for _, l := range slotLines(s) {
			p.add("%s", l)
		}
		if !s.Present && s.Trouble == "" && !s.Opening {
			p.gap().add("Put a card in: it is looked at by itself.")
		}
		return
	}
	p.styled(styleStrong, "%s", cardName(s))
	for _, l := range slotLines(s)[1:] {
		p.add("%s", l)
	}
	if v.Fingerprint != "" {
		p.hang("", fmt.Sprintf("unlocked, master key %s", v.Fingerprint))
	} else if !v.Locked {
		p.add("unlocked")
	}
	if s.Trouble != "" && v.Locked { // else the notice says what is next
		p.gap().styled(styleCare, "%s", plain.Text(s.Trouble))
	}
	if s.Contactless() {
		p.gap().add(positioning)
	}
}

func (c *carePage) keys(st session.State, _ size) []binding {
	var keys []binding
	v := st.Care
	if v == nil {
		return nil
	}
	if n := len(v.Offers); n > 0 {
		keys = append(keys, binding{names: []string{"enter"}, help: "do it", do: func() action {
			return send{session.DoTask{Task: v.Offers[c.list.clamp(n)]}}
		}})
		keys = append(keys, c.list.keys(n)...)
	}
	if v.Slot.Present && !v.Slot.Opened && !v.Slot.Opening {
		keys = append(keys, on("look at the card again", session.RetrySlot{Name: v.Slot.Name}, "r"))
	}
	keys = append(keys, demoKey(st)...)
	help := "back"
	if !v.Locked {
		help = "back, log out"
	}
	return append(keys, on(help, session.Back{}, "esc"))
}
