package tui

import (
	"fmt"

	"github.com/charmbracelet/lipgloss"

	"github.com/airlock-signer/airlock/signer"
	"github.com/airlock-signer/airlock/signer/plain"
	"github.com/airlock-signer/airlock/tui/session"
)

// previewScreen shows what a file claims, before any card.
type previewScreen struct{ top int }

func (s *previewScreen) title(st session.State) string { return fileTitle("Preview", st) }

func (s *previewScreen) body(st session.State, z size) []string {
	if st.Preview == nil {
		return nil
	}
	return scroll(previewLines(st, z), &s.top, z.h)
}

func previewLines(st session.State, z size) []string {
	r, u := st.Preview, st.Settings.Unit
	p := newPage(z)
	p.styled(styleCare, "CLAIMED: this is what the file says. Nothing of it is proven before your card is unlocked.")
	p.gap()
	addVerdict(p, r)
	for _, f := range r.Findings {
		if f.Severity == signer.Refuse {
			p.gap()
			addFinding(p, f, false)
		}
	}
	p.gap()
	if r.Totals.In.Known {
		p.add("%s, %s in, fee %s", plural(len(r.Inputs), "input", "inputs"), amount(r.Totals.In.Sat, u), feeText(r, u))
	} else {
		p.add("%s whose amounts are not all known", plural(len(r.Inputs), "input", "inputs"))
	}
	for _, o := range r.Outputs {
		claim := ""
		if o.Claimed {
			claim = "  (claims to be yours)"
		}
		p.gap().raw(styleStrong.Render(amount(o.Amount, u)) + " to" + claim)
		p.hang("    ", destination(o))
	}
	for _, f := range r.Findings {
		if f.Severity != signer.Refuse {
			p.gap()
			addFinding(p, f, false)
		}
	}
	return p.lines
}

func (s *previewScreen) keys(st session.State, z size) []binding {
	var keys []binding
	if st.Preview != nil && st.Preview.Verdict != signer.VerdictRefused {
		keys = append(keys, on("go on to the card", session.GoOn{}, "enter"))
	}
	if st.Preview != nil && len(previewLines(st, z)) > z.h {
		h := z.h - 2
		keys = append(keys,
			binding{names: []string{"-"}, label: "Up Down PgUp PgDn", help: "scroll"},
			local("", func() { s.top-- }, "up", "k"),
			local("", func() { s.top++ }, "down", "j"),
			local("", func() { s.top -= h }, "pgup"),
			local("", func() { s.top += h }, "pgdown", " "))
	}
	return append(keys, detailsKey(st.Preview), unitKey(st), on("back", session.Back{}, "esc"))
}

// addVerdict says the verdict and counts the findings.
func addVerdict(p *page, r *signer.Report) {
	counts := map[signer.Severity]int{}
	seen := map[signer.Code]bool{}
	for _, f := range r.Findings {
		if !seen[f.Code] {
			seen[f.Code] = true
			counts[f.Severity]++
		}
	}
	switch r.Verdict {
	case signer.VerdictRefused:
		p.styled(styleBad, "REFUSED: %s that no acknowledgement can carry. There is no way on with this file.", plural(counts[signer.Refuse], "kind of danger", "kinds of danger"))
	case signer.VerdictCaution:
		p.styled(styleCare, "CAUTION: %s to acknowledge, each on its own page.", plural(counts[signer.Caution], "unusual thing", "unusual things"))
	case signer.VerdictClear:
		p.styled(styleGood, "CLEAR: nothing unusual was found.")
	}
	p.add("Findings: %d refused, %s, %s.", counts[signer.Refuse], plural(counts[signer.Caution], "caution", "cautions"), plural(counts[signer.Note], "note", "notes"))
}

// addFinding writes one finding. Its sentences are escaped already.
func addFinding(p *page, f signer.Finding, place bool) {
	style := map[signer.Severity]lipgloss.Style{signer.Refuse: styleBad, signer.Caution: styleCare}[f.Severity]
	p.styled(style, "%s: %s%s", f.Severity, f.Code, placeText(f, place))
	p.hang("  ", f.What)
	if f.Cost != "" {
		p.hang("  ", f.Cost)
	}
	if f.Remedy != "" {
		p.hang("  ", f.Remedy)
	}
}

func placeText(f signer.Finding, place bool) string {
	if !place && f.Subject == signer.SubjectTransaction {
		return ""
	}
	if f.Subject == signer.SubjectTransaction {
		return ""
	}
	return fmt.Sprintf(" (%s %d)", f.Subject, f.Index)
}

// feeText is the fee with its percentage and rate.
func feeText(r *signer.Report, u signer.Unit) string {
	t := r.Totals
	if !t.Fee.Known {
		return "unknown"
	}
	return fmt.Sprintf("%s (%s)", amount(t.Fee.Sat, u), feeShare(r))
}

// feeShare is the fee's percentage and rate.
func feeShare(r *signer.Report) string {
	t := r.Totals
	if !t.Fee.Known {
		return "some amount is not known"
	}
	of := "of what leaves"
	if t.ToOthers == 0 {
		of = "of the inputs' total"
	}
	return fmt.Sprintf("%.2f %% %s, %.1f sat/vB", t.FeePercent, of, t.FeeRate)
}

// destination is where an output goes: its address in groups of four, or what
// it is where it has none.
func destination(o signer.Output) string {
	switch {
	case o.Kind == signer.KindData:
		return "a data output of " + plural(len(o.Data), "byte", "bytes")
	case o.Address != "":
		return groups(plain.Text(o.Address))
	}
	return fmt.Sprintf("a script without an address (%s): %x", o.ScriptType, o.Script)
}
