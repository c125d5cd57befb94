package tui

import (
	"fmt"
	"strconv"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/lipgloss"

	"github.com/airlock-signer/airlock/signer"
	"github.com/airlock-signer/airlock/tui/session"
)

// settingsScreen changes a copy of the settings; Enter makes them those of the
// sitting.
type settingsScreen struct {
	draft  signer.Settings
	height textField
	chosen int
}

// maxHeightDigits is enough for any height below BIP65's limit.
const maxHeightDigits = 9

// The rows.
const (
	rowUnit = iota
	rowNetwork
	rowHeight
	rowUnproven
	rows
)

func settingsKey(st session.State) binding {
	return binding{names: []string{"s"}, help: "settings", do: func() action {
		s := &settingsScreen{draft: st.Settings}
		if h := st.Settings.Height; h != 0 {
			s.height.value = strconv.FormatUint(uint64(h), 10)
		}
		return open{s}
	}}
}

func (s *settingsScreen) title(session.State) string { return "Settings" }

func (s *settingsScreen) body(st session.State, z size) []string {
	p := newPage(z)
	p.add("They hold until this station is switched off, and are stored nowhere.")
	p.gap()
	for i := range rows {
		what, value := s.row(i)
		line := fmt.Sprintf("%-40s %s", what, value)
		if i == s.chosen {
			p.raw(styleChosen.Render("> " + line + " "))
		} else {
			p.raw("  " + line)
		}
	}
	p.gap()
	style, text := s.about()
	p.styled(style, "%s", text)
	if st.File != nil {
		p.gap().add("The file that is open is looked at again with new settings.")
	}
	return p.lines
}

// row names a setting and its value.
func (s *settingsScreen) row(i int) (what, value string) {
	switch i {
	case rowUnit:
		return "Amounts are shown and typed in", unitName(s.draft.Unit)
	case rowNetwork:
		return "Network", string(s.draft.Network)
	case rowHeight:
		if s.height.value == "" {
			return "Today's block height", "not given"
		}
		return "Today's block height", s.height.value
	}
	if s.draft.AcceptUnproven {
		return "Amounts without previous transactions", "ACCEPTED, with a caution"
	}
	return "Amounts without previous transactions", "refused"
}

// about says what the chosen setting needs, or weakens.
func (s *settingsScreen) about() (lipgloss.Style, string) {
	switch s.chosen {
	case rowUnit:
		return lipgloss.NewStyle(), "1 BTC is 100,000,000 sat. To approve, you type the amount in this unit."
	case rowNetwork:
		return lipgloss.NewStyle(), "Take the one that the coordinator uses. Addresses are shown in its form. Coins of testnet, signet and regtest have no value."
	case rowHeight:
		return lipgloss.NewStyle(), "Type it from your wallet, or leave it empty. This station has neither the chain nor a clock to trust: without the height it only finds lock times that are years away, with it those more than a day ahead."
	}
	return styleCare, "Accepting WEAKENS this station. An amount without its previous transaction is only claimed: somebody who controls the online computer can have you sign twice with false amounts and make you pay a huge fee. " +
		"Accept it only if your coordinator cannot put the previous transactions in. Every screen then says so, and each such file wants an acknowledgement."
}

// change goes to the next value, or the one before.
func (s *settingsScreen) change(by int) {
	switch s.chosen {
	case rowUnit:
		s.draft.Unit = signer.Sat - s.draft.Unit
	case rowNetwork:
		all := []signer.Network{signer.Mainnet, signer.Testnet, signer.Signet, signer.Regtest}
		for i, n := range all {
			if n == s.draft.Network {
				s.draft.Network = all[(i+by+len(all))%len(all)]
				return
			}
		}
		s.draft.Network = signer.Mainnet
	case rowUnproven:
		s.draft.AcceptUnproven = !s.draft.AcceptUnproven
	}
}

// typed takes the digits of the height.
func (s *settingsScreen) typed(msg tea.KeyMsg) {
	if s.chosen != rowHeight {
		return
	}
	for _, r := range msg.Runes {
		if msg.Type == tea.KeyRunes && (r < '0' || r > '9' || len(s.height.value) >= maxHeightDigits) {
			return
		}
	}
	if msg.Type != tea.KeySpace {
		s.height.key(msg)
	}
}

// settings are the draft with the height typed. Nine digits can be too many:
// the session then leaves everything as it was, so the largest height is taken.
func (s *settingsScreen) settings() signer.Settings {
	h, err := strconv.ParseUint(s.height.value, 10, 32)
	if err != nil {
		h = 0
	}
	s.draft.Height = uint32(min(h, 499_999_999))
	return s.draft
}

func (s *settingsScreen) keys(session.State, size) []binding {
	move := func(by int) func() { return func() { s.chosen = (s.chosen + by + rows) % rows } }
	keys := []binding{
		{names: []string{"-"}, label: "Up Down", help: "choose"},
		local("", move(-1), "up"),
		local("", move(1), "down", "tab"),
	}
	if s.chosen == rowHeight {
		keys = append(keys, binding{names: []string{"-"}, label: "0-9", help: "type it"})
	} else {
		keys = append(keys, local("change", func() { s.change(1) }, " ", "right"), local("", func() { s.change(-1) }, "left"))
	}
	return append(keys,
		binding{names: []string{"enter"}, help: "use these", do: func() action {
			return apply{session.SetSettings{Settings: s.settings()}}
		}},
		binding{names: []string{"esc"}, help: "leave them as they were", do: func() action { return shut{} }})
}
