package tui

import (
	"fmt"
	"strings"

	"github.com/charmbracelet/lipgloss"

	"github.com/airlock-signer/airlock/signer/plain"
	"github.com/airlock-signer/airlock/tui/session"
)

// busyScreen is shown while something takes a moment.
type busyScreen struct{}

func (busyScreen) title(st session.State) string { return fileTitle("Working", st) }

func (busyScreen) body(st session.State, z size) []string {
	p := newPage(z)
	p.add("%s ...", st.Busy)
	if st.Step == session.StepUnlocking {
		p.gap().add("Leave the card where it is.")
	}
	return p.lines
}

func (busyScreen) keys(session.State, size) []binding {
	return []binding{on("stop", session.Back{}, "esc")}
}

// fileTitle names a screen and the file it is about.
func fileTitle(what string, st session.State) string {
	if st.File == nil {
		return what
	}
	return what + ": " + shorten(plain.Text(st.File.Path), 40)
}

// stopScreen is a malformed file, or a run that was discarded because the card
// did something wrong: the problem below says which.
type stopScreen struct{}

func (stopScreen) title(st session.State) string {
	if st.Step == session.StepFailed {
		return fileTitle("Nothing was signed", st)
	}
	return fileTitle("This file cannot be used", st)
}

func (stopScreen) body(st session.State, z size) []string {
	p := newPage(z)
	if st.Step == session.StepFailed {
		p.styled(styleBad, "THE CARD DID SOMETHING WRONG")
		p.gap().add("Everything that was signed in this run was discarded, and nothing was written.")
		return p.lines
	}
	if !st.Malformed {
		p.styled(styleBad, "NOT USABLE HERE")
		p.gap().add("Nothing of this file was taken in. Why, and what helps, is said below.")
		return p.lines
	}
	p.styled(styleBad, "MALFORMED")
	p.gap().add("This file is not a valid partially signed transaction (PSBT), so nothing in it can be trusted or shown. The defect is named below.")
	p.gap().add("Save the transaction at the coordinator again, onto this stick, and choose the new file.")
	return p.lines
}

func (stopScreen) keys(session.State, size) []binding {
	return []binding{on("back to the files", session.Back{}, "enter", "esc")}
}

// cardScreen waits for a card that can be used, or for the network to go
// down.
type cardScreen struct{ chosen int }

func (c *cardScreen) title(st session.State) string { return fileTitle("Card", st) }

func (c *cardScreen) body(st session.State, z size) []string {
	p := newPage(z)
	if blocking := st.Blocking(); len(blocking) > 0 {
		p.styled(styleBad, "THE NETWORK IS UP, SO NO PIN IS ASKED FOR")
		for _, i := range blocking {
			p.gap().styled(styleCare, "%s", plain.Text(i.State))
			p.add("%s", plain.Text(i.Detail))
		}
		p.gap().add("As soon as it is down, this goes on by itself.")
		return p.lines
	}
	usable := 0
	for _, v := range st.Slots {
		if v.Usable() {
			usable++
		}
	}
	if usable > 1 {
		p.styled(styleStrong, "Several cards are in. Which one shall sign?")
	} else {
		p.styled(styleStrong, "Insert the card that shall sign.")
	}
	p.gap()
	if st.SlotsTrouble != "" {
		p.styled(styleCare, "%s", plain.Text(st.SlotsTrouble))
	}
	c.chosen = max(0, min(c.chosen, len(st.Slots)-1))
	for i, v := range st.Slots {
		mark := "  "
		if usable > 0 && len(st.Slots) > 1 && i == c.chosen {
			mark = "> "
		}
		p.hang(mark+shorten(plain.Text(v.Name), 30)+": ", slotText(v))
	}
	for _, v := range st.Slots {
		if v.Opened && v.Trouble != "" {
			p.gap().add("Cards are set up, unblocked and loaded on the first screen, under c.")
			break
		}
	}
	return p.lines
}

func (c *cardScreen) keys(st session.State, _ size) []binding {
	if len(st.Blocking()) > 0 {
		return []binding{on("back", session.Back{}, "esc")}
	}
	var keys []binding
	if len(st.Slots) > 1 {
		keys = append(keys,
			binding{names: []string{"-"}, label: "Up Down", help: "choose"},
			local("", func() { c.chosen-- }, "up", "k"),
			local("", func() { c.chosen++ }, "down", "j"))
	}
	if c.chosen < len(st.Slots) {
		v := st.Slots[max(0, c.chosen)]
		switch {
		case v.Usable():
			keys = append(keys, on("use this card", session.ChooseSlot{Name: v.Name}, "enter"))
		case v.Present && !v.Opening:
			keys = append(keys, on("try this card again", session.RetrySlot{Name: v.Name}, "r"))
		}
	}
	keys = append(keys, demoKey(st)...)
	return append(keys, on("back", session.Back{}, "esc"))
}

// signingScreen shows how far the run is.
type signingScreen struct{}

func (signingScreen) title(st session.State) string { return fileTitle("Signing", st) }

func (signingScreen) body(st session.State, z size) []string {
	p := newPage(z)
	pr := st.Progress
	p.styled(styleStrong, "%s", signingText(st))
	if pr.Total > 0 {
		width := min(50, p.width-2)
		full := width * pr.Made / pr.Total
		p.gap().raw(styleGood.Render(strings.Repeat("█", full)) + strings.Repeat("░", width-full))
	}
	p.gap().add("Leave the card where it is. If it is pulled, nothing is lost: the run goes on when the same card is back.")
	return p.lines
}

func signingText(st session.State) string {
	pr := st.Progress
	if pr.Total == 0 {
		return "The card begins to sign."
	}
	if pr.Made >= pr.Total {
		return fmt.Sprintf("All %s signed, checking the result.", plural(pr.Total, "input is", "inputs are"))
	}
	return fmt.Sprintf("The card signs input %d of %d.", pr.Made+1, pr.Total)
}

func (signingScreen) keys(st session.State, _ size) []binding {
	return append(demoKey(st), on("stop", session.Back{}, "esc"))
}

// pausedScreen is a run that stopped half-way.
type pausedScreen struct{ discard, part wordBox }

func newPausedScreen() *pausedScreen {
	return &pausedScreen{
		discard: newDiscardBox(),
		part: wordBox{word: "part", does: "write it", ev: session.WritePart{},
			prompt: "The run then ends: what is signed so far is written as a -part.psbt file, from which the rest can be signed later. To do that, type the word \"part\" and press Enter."},
	}
}

func (*pausedScreen) title(st session.State) string { return fileTitle("Signing is paused", st) }

func (s *pausedScreen) body(st session.State, z size) []string {
	p := newPage(z)
	p.styled(styleCare, "PAUSED after %d of %s", st.Progress.Made, plural(st.Progress.Total, "signature", "signatures"))
	p.gap().add("The signatures made so far were checked and are kept in memory. Nothing was written to the stick.")
	p.gap().add("Put the same card back: signing goes on by itself where the card can be told from others, else the PIN is asked for.")
	p.gap()
	for _, v := range st.Slots {
		p.hang("  "+shorten(plain.Text(v.Name), 30)+": ", slotText(v))
	}
	s.discard.draw(p)
	s.part.draw(p)
	return p.lines
}

func (s *pausedScreen) keys(st session.State, _ size) []binding {
	switch {
	case s.discard.open:
		return s.discard.keys()
	case s.part.open:
		return s.part.keys()
	}
	keys := []binding{on("try again", session.GoOn{}, "r", "enter")}
	for _, v := range st.Slots {
		if v.Present && !v.Opened && !v.Opening {
			keys = append(keys, on("look at the card again", session.RetrySlot{Name: v.Name}, "c"))
			break
		}
	}
	keys = append(keys, demoKey(st)...)
	if st.Progress.Made > 0 {
		keys = append(keys, s.part.opener("write what is signed so far", "w"))
	}
	return append(keys, s.discard.opener("discard the run", "x"))
}

// wordBox asks for a word before something that cannot be taken back.
type wordBox struct {
	word, prompt, does string
	ev                 session.Event
	open               bool
	text               textField
}

func newDiscardBox() wordBox {
	return wordBox{word: "discard", does: "discard", ev: session.Discard{},
		prompt: "To drop what was signed, type the word \"discard\" and press Enter."}
}

func (d *wordBox) opener(help, key string) binding {
	return local(help, func() { d.open, d.text = true, textField{} }, key)
}

func (d *wordBox) draw(p *page) {
	if !d.open {
		return
	}
	p.gap().styled(styleBad, "%s", d.prompt)
	p.raw(d.text.tail(lipgloss.NewStyle(), 40))
}

func (d *wordBox) keys() []binding {
	return []binding{
		{names: []string{"enter"}, help: d.does, do: func() action {
			if d.text.value == d.word {
				d.open = false
				return send{d.ev}
			}
			return nil
		}},
		local("keep it", func() { d.open = false }, "esc"),
	}
}
