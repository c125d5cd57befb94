package tui

import (
	"fmt"

	"github.com/airlock-signer/airlock/airgap"
	"github.com/airlock-signer/airlock/signer/plain"
	"github.com/airlock-signer/airlock/tui/session"
)

// resultScreen says what was written, or offers to write what waits.
type resultScreen struct {
	chosen  int
	discard wordBox
}

func (r *resultScreen) title(st session.State) string { return fileTitle("Result", st) }

func (r *resultScreen) body(st session.State, z size) []string {
	p := newPage(z)
	res := st.Result
	if res == nil {
		return nil
	}
	switch {
	case res.Writing:
		p.add("Writing to the medium and reading it back. Leave it where it is.")
	case res.Done():
		p.styled(styleGood, "DONE: signed, written, read back and compared.")
	default:
		p.styled(styleCare, "SIGNED, BUT NOT WRITTEN YET. It waits in memory; nothing is lost while this station is on.")
		if res.Trouble != "" {
			p.gap().styled(styleCare, "%s", plain.Text(res.Trouble))
		}
	}
	r.addWritten(p, res)
	p.gap()
	if res.Complete {
		p.hang("transaction  ", res.TxID)
		p.add("It is complete: take the -final.txn file, or the signed PSBT, to the online computer and broadcast it there.")
	} else {
		p.add("It is not complete: more signatures are needed. Take the -part.psbt file to the next signer or to the coordinator.")
	}
	if res.Done() {
		p.gap()
		if st.Eject == nil {
			p.add("Eject the medium (key e) before you pull it.")
		}
		addEject(p, st)
		return p.lines
	}
	r.addVolumes(p, st)
	r.discard.draw(p)
	return p.lines
}

func (r *resultScreen) addWritten(p *page, res *session.ResultView) {
	p.gap()
	for i, name := range res.Names {
		if i < len(res.Written) {
			w := res.Written[i]
			p.hang("  written  ", fmt.Sprintf("%s, %s", plain.Text(w.Path), bytesText(int64(w.Size))))
			p.hang("           ", fmt.Sprintf("SHA-256 %x", w.SHA256))
			continue
		}
		p.hang("  waits    ", plain.Text(name))
	}
}

func (r *resultScreen) addVolumes(p *page, st session.State) {
	if st.Result.Writing {
		return
	}
	p.gap()
	if len(st.Volumes) == 0 {
		p.add("Put a stick or memory card in: it can be this one or another.")
		return
	}
	r.chosen = max(0, min(r.chosen, len(st.Volumes)-1))
	p.add("Write to:")
	for i, v := range st.Volumes {
		row := shorten(plain.Text(v.Name()), 30) + ": " + volumeText(v) + " "
		if i == r.chosen {
			p.raw(styleChosen.Render("> " + row))
		} else {
			p.raw("  " + row)
		}
	}
}

func (r *resultScreen) keys(st session.State, _ size) []binding {
	res := st.Result
	switch {
	case res == nil || res.Writing:
		return nil
	case res.Done():
		keys := []binding{on("back to the files", session.ShowFiles{}, "enter", "esc"), on("first screen", session.ShowHome{}, "h")}
		return append(keys, ejectKey(st, []airgap.Volume{res.Volume})...)
	case r.discard.open:
		return r.discard.keys()
	}
	var keys []binding
	if len(st.Volumes) > 0 {
		keys = append(keys,
			binding{names: []string{"enter"}, help: "write", do: func() action {
				return send{session.WriteResult{Volume: st.Volumes[max(0, min(r.chosen, len(st.Volumes)-1))]}}
			}},
			binding{names: []string{"-"}, label: "Up Down", help: "choose"},
			local("", func() { r.chosen-- }, "up", "k"),
			local("", func() { r.chosen++ }, "down", "j"))
	}
	return append(keys, r.discard.opener("discard what was signed", "x"))
}
