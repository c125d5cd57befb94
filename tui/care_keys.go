package tui

import (
	"strconv"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/lipgloss"

	"github.com/airlock-signer/airlock/signer/plain"
	"github.com/airlock-signer/airlock/tui/session"
)

// kindNames say what an account's addresses are.
var kindNames = map[session.Kind]string{
	session.KindWPKH:   "84h  native segwit, as most wallets use it",
	session.KindTR:     "86h  taproot",
	session.KindSHWPKH: "49h  nested segwit",
	session.KindPKH:    "44h  legacy",
}

// keyKindScreen asks which public key.
type keyKindScreen struct {
	list    menu
	account textField
	path    textField
}

func (*keyKindScreen) title(st session.State) string { return taskTitle(st) }

// own reports whether the row of a path of one's own is chosen.
func (k *keyKindScreen) own() bool {
	return k.list.clamp(len(session.Kinds())+1) == len(session.Kinds())
}

func (k *keyKindScreen) body(_ session.State, z size) []string {
	p := newPage(z)
	p.add("A public key lets the online computer see the wallet's addresses and coins. It cannot spend, but who has it sees everything you own there.")
	p.gap()
	var rows []string
	for _, kind := range session.Kinds() {
		rows = append(rows, kindNames[kind])
	}
	k.list.draw(p, append(rows, "a path of your own"))
	p.gap()
	if k.own() {
		p.add("Path, like m/48h/0h/0h/2h:")
		return append(p.lines, k.path.view(lipgloss.NewStyle()))
	}
	p.add("Account number (nearly always 0):")
	account := k.account
	if account.value == "" {
		account.value = "0"
	}
	return append(p.lines, account.view(lipgloss.NewStyle()))
}

func (k *keyKindScreen) keys(session.State, size) []binding {
	keys := []binding{{names: []string{"enter"}, help: "show the key", do: func() action {
		if k.own() {
			return send{session.TextTyped{Text: k.path.value}}
		}
		n := uint64(0)
		if k.account.value != "" {
			var err error
			if n, err = strconv.ParseUint(k.account.value, 10, 32); err != nil {
				n = uint64(session.MaxAccount) + 1 // which the session refuses with a sentence
			}
		}
		return send{session.ShowKey{Kind: session.Kinds()[k.list.chosen], Account: uint32(n)}}
	}}}
	keys = append(keys, k.list.keys(len(session.Kinds())+1)...)
	return append(keys, leaveKey())
}

func (k *keyKindScreen) typed(msg tea.KeyMsg) {
	if k.own() {
		k.path.key(msg)
		return
	}
	for _, r := range msg.Runes {
		if r < '0' || r > '9' {
			return
		}
	}
	k.account.key(msg)
}

// keyScreen shows a public key, and offers to write it to a medium.
type keyScreen struct{ list menu }

func (*keyScreen) title(st session.State) string { return taskTitle(st) }

func (k *keyScreen) body(st session.State, z size) []string {
	p := newPage(z)
	v := st.Care.Key
	if v == nil {
		return nil
	}
	p.styled(styleStrong, "Public key at %s", v.Path)
	p.gap().hang("  ", v.Expression)
	if v.Descriptor != "" {
		p.gap().add("Descriptor, for coordinators that read one:")
		p.hang("  ", v.Descriptor)
		p.gap().hang("First address, to compare there:  ", v.First)
	}
	p.gap()
	switch {
	case st.Care.Writing:
		p.add("Writing it and reading it back. Leave the medium where it is.")
	case v.Written != nil:
		p.styled(styleGood, "Written, read back and compared: %s", plain.Text(v.Written.Path))
		p.add("on %s. Eject it on this computer before you pull it.", shorten(plain.Text(v.Volume.Name()), 40))
	case len(st.Volumes) == 0:
		p.add("To write it to a file, put a stick or memory card in.")
	default:
		p.add("To write it as %s, choose the medium:", plain.Text(v.Name))
		var rows []string
		for _, vol := range st.Volumes {
			rows = append(rows, shorten(plain.Text(vol.Name()), 30)+": "+volumeText(vol))
		}
		k.list.draw(p, rows)
	}
	return p.lines
}

func (k *keyScreen) keys(st session.State, _ size) []binding {
	v := st.Care.Key
	if v == nil || st.Care.Writing {
		return nil
	}
	var keys []binding
	if n := len(st.Volumes); n > 0 && v.Written == nil {
		keys = append(keys, binding{names: []string{"enter"}, help: "write it", do: func() action {
			return send{session.ExportKey{Volume: st.Volumes[k.list.clamp(n)]}}
		}})
		keys = append(keys, k.list.keys(n)...)
	}
	return append(keys, on("another key", session.Back{}, "esc"))
}
