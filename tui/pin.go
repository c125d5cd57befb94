package tui

import (
	"strings"

	"github.com/charmbracelet/lipgloss"

	"github.com/airlock-signer/airlock/reader/secret"
	"github.com/airlock-signer/airlock/tui/session"
)

// pinScreen asks for the PIN. The digits never come here: only how many keys
// were pressed is drawn.
type pinScreen struct {
	buffer *secret.Buffer
	word   textField
}

func (p *pinScreen) title(st session.State) string { return fileTitle("PIN", st) }

func (p *pinScreen) body(st session.State, z size) []string {
	pg := newPage(z)
	if st.Card == nil || p.buffer == nil {
		return nil
	}
	pg.styled(styleStrong, "%s", cardName(*st.Card))
	addIdentity(pg, *st.Card)
	pg.gap()
	switch left := st.PIN.Left; {
	case left == 1:
		pg.styled(styleBad, "ONE TRY IS LEFT. If it is wrong, this card is blocked; then only its PUK, or a backup card, helps.")
	case left > 1:
		pg.add("%s left.", plural(left, "try", "tries"))
	}
	if st.PIN.WantWord != "" && !st.PIN.WordDone {
		pg.gap().add("To try it all the same, first type the words \"%s\" and press Enter.", st.PIN.WantWord)
		return append(pg.lines, p.word.view(lipgloss.NewStyle()))
	}
	pg.gap().add("PIN:")
	pg.raw("> " + strings.Repeat("*", p.buffer.Runes()) + styleChosen.Render(" "))
	if !p.buffer.Locked() {
		pg.gap().styled(styleCare, "This system did not lock the memory in which the PIN is kept: it could reach the swap space. Switch swap off, or use the station's image.")
	}
	pg.gap().add("The PIN only unlocks the card and shows what it would sign. Nothing is signed before you have read the review and typed the amount.")
	return pg.lines
}

// addIdentity says how far the station can know this card before the PIN.
func addIdentity(pg *page, v session.SlotView) {
	switch {
	case v.SeenPIN:
		pg.styled(styleGood, "The card that you unlocked earlier in this sitting. Code %s", v.Code)
	case v.Code != "":
		pg.add("The card proved that it holds the key with this code:")
		pg.gap().raw("    " + styleStrong.Render(v.Code))
		pg.gap().add("Compare it with the code on your printed plan. If it is another, do not type the PIN: a false reader or card could learn it.")
	default:
		pg.styled(styleCare, "This station cannot know this card. A false reader could learn your PIN: use a reader that never left your hands.")
	}
}

func (p *pinScreen) keys(st session.State, _ size) []binding {
	back := on("back", session.Back{}, "esc")
	if st.PIN.WantWord != "" && !st.PIN.WordDone {
		return []binding{{names: []string{"enter"}, help: "go on", do: func() action {
			w := p.word.value
			p.word.value = ""
			return typeWord{w}
		}}, back}
	}
	return []binding{
		{names: []string{"enter"}, help: "unlock", do: func() action { return enterPIN{} }},
		{names: []string{"ctrl+@"}}, // a secret key was pressed: only drawn
		back,
	}
}
