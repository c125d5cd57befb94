package tui

import (
	"fmt"
	"path"

	"github.com/charmbracelet/lipgloss"

	"github.com/airlock-signer/airlock/airgap"
	"github.com/airlock-signer/airlock/signer"
	"github.com/airlock-signer/airlock/signer/plain"
	"github.com/airlock-signer/airlock/tui/session"
)

// filesScreen lists the files on the media with what each one is.
type filesScreen struct{ chosen int }

func (f *filesScreen) title(session.State) string { return "Files" }

func (f *filesScreen) body(st session.State, z size) []string {
	p := newPage(z)
	switch {
	case len(st.Volumes) == 0:
		return p.add("No stick or memory card is in. Put in the one with the transaction; its files appear here.").lines
	case len(st.Files) == 0 && st.Scanning:
		return p.add("Looking at the files.").lines
	case len(st.Files) == 0:
		return p.add("There is no file on the media. Save the transaction at the coordinator as a PSBT file, onto this medium.").lines
	}
	if st.FilesNote != "" {
		p.styled(styleCare, "%s", plain.Text(st.FilesNote)).gap()
	}
	f.chosen = max(0, min(f.chosen, len(st.Files)-1))
	from, to := window(len(st.Files), f.chosen, z.h-len(p.lines)-4)
	several := len(st.Volumes) > 1
	for i := from; i < to; i++ {
		p.raw(fileRow(st, st.Files[i], p.width, several, i == f.chosen))
	}
	p.gap().styled(styleDim, "%s", f.foot(st, to-from))
	return p.lines
}

// foot says what the list is, and how far the look is.
func (f *filesScreen) foot(st session.State, shown int) string {
	text := plural(len(st.Files), "file", "files")
	if hidden := len(st.Files) - shown; hidden > 0 {
		text += fmt.Sprintf(", %d not on this page", hidden)
	}
	text += ", newest first by the dates on the medium, which prove nothing. Amounts and verdicts are only CLAIMED."
	switch g := st.Gisting; {
	case st.Scanning:
		text += " Looking at the media."
	case g.Done < g.Total:
		text += fmt.Sprintf(" Looking into them: %d of %d.", g.Done, g.Total)
	}
	return text
}

// gistText is what a transaction claims, in a few words; "" where it is not
// known.
func gistText(st session.State, f airgap.File) string {
	g := st.Gists[session.KeyOf(f)]
	switch u := st.Settings.Unit; {
	case g.Verdict == "":
		return ""
	case g.Verdict == signer.VerdictMalformed:
		return "not valid"
	case !g.Fee.Known:
		return fmt.Sprintf("%s + unknown fee  %-7s", amount(g.Leaves, u), g.Verdict)
	default:
		return fmt.Sprintf("%s + %s fee  %-7s", amount(g.Leaves, u), signer.FormatAmount(g.Fee.Sat, u), g.Verdict)
	}
}

func fileRow(st session.State, f airgap.File, width int, several, chosen bool) string {
	name := plain.Text(f.Path)
	if several {
		name = plain.Text(path.Join(f.Volume.Name(), f.Path))
	}
	what := gistText(st, f)
	if what == "" {
		what = fileKind(f)
	}
	right := what + fmt.Sprintf("  %9s", bytesText(f.Size))
	if g := st.Gists[session.KeyOf(f)]; chosen && g.Verdict != "" && g.Verdict != signer.VerdictMalformed && lipgloss.Width(name) > width-4-len(right) {
		// Its whole name is worth more than its fee.
		right = fmt.Sprintf("%s  %s  %9s", amount(g.Leaves, st.Settings.Unit), g.Verdict, bytesText(f.Size))
	}
	nameWidth := max(12, width-4-len(right))
	if chosen {
		return styleChosen.Render(spread("> "+shorten(name, nameWidth), right+" ", width))
	}
	row := spread("  "+shorten(name, nameWidth), right+" ", width)
	if f.Kind == airgap.KindOther {
		return styleDim.Render(row)
	}
	return lipgloss.NewStyle().Render(row)
}

// fileKind says what a file is, as its content tells.
func fileKind(f airgap.File) string {
	if f.Trouble != "" {
		return "cannot be read"
	}
	switch f.Kind {
	case airgap.KindPSBT:
		return "transaction (" + f.Encoding + ")"
	case airgap.KindPSBT2:
		return "transaction, version 2 (" + f.Encoding + ")"
	case airgap.KindTransaction:
		return "final transaction"
	case airgap.KindWallet:
		return "wallet"
	}
	return "other file"
}

func (f *filesScreen) keys(st session.State, z size) []binding {
	var keys []binding
	if len(st.Files) > 0 {
		keys = append(keys,
			binding{names: []string{"-"}, label: "Up Down", help: "choose"},
			local("", func() { f.chosen-- }, "up", "k"),
			local("", func() { f.chosen++ }, "down", "j"),
			local("", func() { f.chosen -= z.h - 2 }, "pgup"),
			local("", func() { f.chosen += z.h - 2 }, "pgdown"),
			local("", func() { f.chosen = 0 }, "home"),
			local("", func() { f.chosen = len(st.Files) - 1 }, "end"),
			binding{names: []string{"enter"}, help: "open", do: func() action {
				i := max(0, min(f.chosen, len(st.Files)-1))
				return send{session.OpenFile{File: st.Files[i]}}
			}})
	}
	if st.Scanning || st.Gisting.Done < st.Gisting.Total {
		keys = append(keys, on("stop looking", session.StopLooking{}, "x"))
	}
	return append(keys, on("look again", session.ShowFiles{}, "r"), settingsKey(st), on("back", session.Back{}, "esc"))
}
