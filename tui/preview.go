package tui

import (
	"fmt"

	"github.com/airlock-signer/airlock/signer"
	"github.com/airlock-signer/airlock/signer/plain"
	"github.com/airlock-signer/airlock/tui/session"
)

// previewScreen shows what a file claims, before any card.
type previewScreen struct {
	top   int
	lines cached[previewKey, []string]
}

// previewKey is all that the preview's lines depend on.
type previewKey struct {
	report *signer.Report
	z      size
	unit   signer.Unit
}

func (s *previewScreen) title(st session.State) string { return fileTitle("Preview", st) }

func (s *previewScreen) body(st session.State, z size) []string {
	if st.Preview == nil {
		return nil
	}
	return scroll(s.all(st, z), &s.top, z.h)
}

func (s *previewScreen) all(st session.State, z size) []string {
	return s.lines.get(previewKey{st.Preview, z, st.Settings.Unit}, func() []string { return previewLines(st, z) })
}

func previewLines(st session.State, z size) []string {
	r, u := st.Preview, st.Settings.Unit
	list := kinds(r)
	p := newPage(z)
	p.styled(styleCare, "CLAIMED: this is what the file says. Nothing of it is proven before your card is unlocked.")
	p.gap()
	addVerdict(p, r, list)
	addPrevious(p, st.Previous)
	if st.OtherNetwork != "" {
		addOtherNetwork(p, st)
	}
	for _, k := range list {
		if k.worst == signer.Refuse {
			p.gap()
			addKind(p, k)
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
	for _, k := range list {
		if k.worst == signer.Caution {
			p.gap()
			addKind(p, k)
		}
	}
	addNotes(p, list)
	return p.lines
}

// addNotes says what is ordinary in few lines: the review has it in full.
func addNotes(p *page, list []kind) {
	p.gap()
	for _, k := range list {
		if k.worst == signer.Note {
			more := ""
			if n := len(k.places); n > 1 {
				more = fmt.Sprintf(" (and %d more)", n-1)
			}
			p.hang("note  ", k.places[0].What+more)
		}
	}
}

// addPrevious says what became of the previous transactions that the file
// lacks.
func addPrevious(p *page, v *session.PreviousView) {
	if v == nil {
		return
	}
	p.gap()
	switch len(v.Found) {
	case 0:
		p.styled(styleCare, "%s that the file lacks: not found among the files on the media.", plural(v.Missing, "previous transaction", "previous transactions"))
	case v.Missing:
		p.styled(styleGood, "%s that the file lacks: found on the media. The hash of each proves that it is the right one.", plural(v.Missing, "previous transaction", "previous transactions"))
	default:
		p.styled(styleCare, "%s that the file lacks: %d of them found on the media.", plural(v.Missing, "previous transaction", "previous transactions"), len(v.Found))
	}
	if v.Stopped != "" {
		p.styled(styleCare, "%s", v.Stopped)
	}
	var order []string
	count := map[string]int{}
	for _, f := range v.Found {
		if count[f.File]++; count[f.File] == 1 {
			order = append(order, f.File)
		}
	}
	for _, file := range order {
		p.hang("  ", fmt.Sprintf("%d in %s", count[file], plain.Text(file)))
	}
}

func (s *previewScreen) keys(st session.State, z size) []binding {
	var keys []binding
	if st.Preview != nil && st.Preview.Verdict != signer.VerdictRefused {
		keys = append(keys, on("go on to the card", session.GoOn{}, "enter"))
	}
	if st.Preview != nil && len(s.all(st, z)) > z.h {
		h := z.h - 2
		keys = append(keys,
			binding{names: []string{"-"}, label: "Up Down PgUp PgDn", help: "scroll"},
			local("", func() { s.top-- }, "up", "k"),
			local("", func() { s.top++ }, "down", "j"),
			local("", func() { s.top -= h }, "pgup"),
			local("", func() { s.top += h }, "pgdown", " "))
	}
	keys = append(keys, otherNetworkKey(st)...)
	return append(keys, detailsKey(st.Preview), settingsKey(st), on("back", session.Back{}, "esc"))
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
