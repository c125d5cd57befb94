package tui

import (
	"strings"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/lipgloss"

	"github.com/airlock-signer/airlock/reader/secret"
	"github.com/airlock-signer/airlock/signer/plain"
	"github.com/airlock-signer/airlock/tui/session"
)

// codeScreen asks for a PIN, a PUK or a passphrase. What is typed never comes
// here: its length is drawn, and the text itself while a person wants to see it.
type codeScreen struct {
	reveal bool
	word   textField
}

func (*codeScreen) title(st session.State) string { return taskTitle(st) }

// codeNames are what is asked for.
var codeNames = map[session.Stage]string{
	session.StageUnlock: "PIN", session.StagePIN: "PIN", session.StagePUK: "PUK",
	session.StageNewPIN: "New PIN", session.StageNewPINAgain: "New PIN once more",
	session.StageNewPUK: "New PUK", session.StageNewPUKAgain: "New PUK once more",
	session.StagePassphrase: "Passphrase", session.StagePassAgain: "Passphrase once more",
}

func (c *codeScreen) body(st session.State, z size) []string {
	p := newPage(z)
	v := st.Care
	c.before(p, v)
	if v.WantWord != "" {
		p.gap().add("To try it all the same, first type the words \"%s\" and press Enter.", v.WantWord)
		return append(p.lines, c.word.view(lipgloss.NewStyle()))
	}
	if v.Secret == nil {
		return p.lines
	}
	p.gap().add("%s:", codeNames[v.Stage])
	drawSecret(p, v.Secret, c.reveal)
	return p.lines
}

// before says whose code it is, and what is at stake.
func (c *codeScreen) before(p *page, v *session.CareView) {
	switch v.Stage {
	case session.StageUnlock:
		p.styled(styleStrong, "%s", cardName(v.Slot))
		addIdentity(p, v.Slot)
		addTries(p, v.Tries, "ONE TRY IS LEFT. If it is wrong, this card is blocked; then only its PUK, or a backup card, helps.")
	case session.StagePIN:
		if v.Task == session.TaskErase {
			p.styled(styleBad, "With this PIN the key is erased.")
		} else {
			p.add("The PIN of the card as it is now.")
		}
		if !v.Knows {
			addTries(p, v.Tries, "ONE TRY IS LEFT. If it is wrong, this card is blocked; then only its PUK, or a backup card, helps.")
		}
	case session.StagePUK:
		addIdentity(p, v.Slot)
		addTries(p, v.Tries, "ONE TRY IS LEFT. If it is wrong, only a factory reset helps: it erases the key, which then needs its backup.")
	case session.StageNewPIN, session.StageNewPUK:
		kind := "letters, digits and signs"
		if v.Rule.Digits {
			kind = "digits"
		}
		p.add("%d to %d characters: %s.", v.Rule.Min, v.Rule.Max, kind)
		if v.Stage == session.StageNewPUK {
			p.add("Not the same as the PIN. Write it down, and keep it apart from the card.")
		}
	case session.StagePassphrase:
		p.add("The passphrase becomes part of the key. Every character counts: capitals, spaces, accents. A wrong one gives another, empty wallet and no error, so the fingerprint is compared after it.")
		p.gap().add("Write it down, apart from the words. Without it the words are worth nothing.")
	default:
		p.add("Type it once more, to be sure.")
	}
}

func addTries(p *page, left int, last string) {
	p.gap()
	switch {
	case left == 1:
		p.styled(styleBad, "%s", last)
	case left > 1:
		p.add("%s left.", plural(left, "try", "tries"))
	}
}

// drawSecret draws the line where a secret is typed.
func drawSecret(p *page, b *secret.Buffer, reveal bool) {
	if reveal {
		drawTyped(p, b)
	} else {
		p.raw("> " + strings.Repeat("*", min(b.Runes(), p.width-4)) + styleChosen.Render(" "))
	}
	if !b.Locked() {
		p.gap().styled(styleCare, "This system did not lock the memory in which this is kept: it could reach the swap space. Switch swap off, or use the station's image.")
	}
}

// drawTyped draws what is typed, from the locked page to the screen.
func drawTyped(p *page, b *secret.Buffer) {
	b.Use(func(typed []byte) {
		for i, l := range plain.Wrap(plain.Bytes(typed), p.width-4) {
			mark := "  "
			if i == 0 {
				mark = "> "
			}
			p.raw(mark + l)
		}
	})
	last := len(p.lines) - 1
	p.lines[last] += styleChosen.Render(" ")
}

// pressed redraws when a key was pressed of which nobody may know more.
func pressed() binding { return on("", session.Activity{}, "ctrl+@") }

func (c *codeScreen) keys(st session.State, _ size) []binding {
	v := st.Care
	if v.WantWord != "" {
		return []binding{{names: []string{"enter"}, help: "go on", do: func() action {
			w := c.word.value
			c.word.value = ""
			return send{session.TextTyped{Text: w}}
		}}, leaveKey()}
	}
	help := "go on"
	switch {
	case v.Stage == session.StageUnlock:
		help = "unlock"
	case v.Stage == session.StagePIN && v.Task == session.TaskErase:
		help = "erase the key"
	case v.Stage == session.StagePUK:
		help = "unblock"
	}
	show := "show it"
	if c.reveal {
		show = "hide it"
	}
	return []binding{
		on(help, session.SecretTyped{}, "enter"),
		pressed(),
		{names: []string{"ctrl+r"}, label: "Ctrl+R", help: show, do: func() action { c.reveal = !c.reveal; return nil }},
		leaveKey(),
	}
}

func (c *codeScreen) typed(msg tea.KeyMsg) { c.word.key(msg) }
