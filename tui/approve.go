package tui

import (
	"github.com/charmbracelet/lipgloss"

	"github.com/airlock-signer/airlock/signer"
	"github.com/airlock-signer/airlock/tui/session"
)

// approveScreen takes the typed amount.
type approveScreen struct{ text textField }

func (a *approveScreen) title(st session.State) string { return fileTitle("Approve", st) }

func (a *approveScreen) body(st session.State, z size) []string {
	p := newPage(z)
	if st.Review == nil {
		return nil
	}
	c, u := st.Review.Confirmation, st.Settings.Unit
	p.styled(styleStrong, "Everything was shown. This is the last step before the card signs.")
	p.gap()
	addOutputsShort(p, st)
	p.gap().add("To sign, type %s, in %s, as it stands here, and press Enter:", c.What, unitName(u))
	p.gap().raw("    " + styleStrong.Render(c.Text+" "+unitName(u)))
	p.gap().raw(a.text.view(lipgloss.NewStyle()))
	return p.lines
}

// addOutputsShort names the first payments once more.
func addOutputsShort(p *page, st session.State) {
	shown, left := 0, 0
	for _, o := range st.Review.Report.Outputs {
		if o.Kind == signer.KindChange || o.Kind == signer.KindOwn {
			continue
		}
		if shown == 3 {
			left++
			continue
		}
		shown++
		p.hang("  "+amount(o.Amount, st.Settings.Unit)+" to ", destination(o))
	}
	if left > 0 {
		p.add("  and %s more", plural(left, "payment", "payments"))
	}
	p.add("  fee %s", feeText(st.Review.Report, st.Settings.Unit))
}

func (a *approveScreen) keys(st session.State, _ size) []binding {
	return []binding{
		{names: []string{"enter"}, help: "sign, if the amount is right", do: func() action {
			text := a.text.value
			a.text.value = ""
			return send{session.TypeAmount{Text: text}}
		}},
		on("back to the review", session.Back{}, "esc"),
	}
}
