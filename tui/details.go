package tui

import (
	"encoding/hex"
	"fmt"
	"strings"

	tea "github.com/charmbracelet/bubbletea"

	"github.com/airlock-signer/airlock/signer"
	"github.com/airlock-signer/airlock/signer/plain"
	"github.com/airlock-signer/airlock/tui/session"
)

// detailsScreen lists every input, output, script, path and sequence.
type detailsScreen struct {
	report *signer.Report
	top    int
	cache  cached[previewKey, []string]
}

func detailsKey(r *signer.Report) binding {
	return binding{names: []string{"d"}, help: "details", do: func() action {
		if r == nil {
			return nil
		}
		return open{&detailsScreen{report: r}}
	}}
}

func (d *detailsScreen) title(st session.State) string { return fileTitle("Details", st) }

func (d *detailsScreen) body(st session.State, z size) []string {
	lines := d.cache.get(previewKey{d.report, z, st.Settings.Unit}, func() []string { return d.lines(st, z) })
	return scroll(lines, &d.top, z.h)
}

func (d *detailsScreen) lines(st session.State, z size) []string {
	r, u := d.report, st.Settings.Unit
	p := newPage(z)
	p.hang("transaction  ", r.TxID.String()+" (unsigned)")
	p.add("version %d, lock time %d, about %d vbytes, PSBT version %d, %s, %s", r.TxVersion, r.LockTime, r.VSize, r.PSBTVersion, r.Encoding, r.Network)
	p.hang("file SHA-256  ", hex.EncodeToString(r.FileSHA256[:]))
	for _, in := range r.Inputs {
		proven := "amount not proven"
		if in.AmountProven {
			proven = "amount proven"
		}
		p.gap().styled(styleStrong, "Input %d: %s, %s, %s, %s", in.Index, maybeAmount(in.Amount, u), in.ScriptType, in.Owner, proven)
		p.hang("  coin     ", fmt.Sprintf("%s:%d", in.Outpoint.Hash, in.Outpoint.Index))
		if in.Address != "" {
			p.hang("  address  ", in.Address)
		}
		if in.Path != nil {
			p.hang("  path     ", fmt.Sprintf("%s of master key %x", in.Path, in.Fingerprint))
		}
		p.hang("  script   ", hex.EncodeToString(in.Script))
		p.hang("  sequence ", fmt.Sprintf("%d (0x%08x), sighash %s, signatures %d of %d", in.Sequence, in.Sequence, plain.Text(in.Sighash), in.SignaturesHave, in.SignaturesNeed))
	}
	for _, o := range r.Outputs {
		p.gap().styled(styleStrong, "Output %d: %s, %s, %s", o.Index, amount(o.Amount, u), o.ScriptType, o.Kind)
		if o.Address != "" {
			p.hang("  address  ", o.Address)
		}
		if o.Path != nil {
			p.hang("  path     ", fmt.Sprintf("%s of master key %x", o.Path, o.Fingerprint))
		}
		p.hang("  script   ", hex.EncodeToString(o.Script))
	}
	return p.lines
}

func (d *detailsScreen) keys(_ session.State, z size) []binding {
	h := z.h - 2
	return []binding{
		{names: []string{"-"}, label: "Up Down PgUp PgDn", help: "scroll"},
		local("", func() { d.top-- }, "up", "k"),
		local("", func() { d.top++ }, "down", "j"),
		local("", func() { d.top -= h }, "pgup"),
		local("", func() { d.top += h }, "pgdown", " "),
		{names: []string{"esc", "d"}, label: "Esc", help: "back", do: func() action { return shut{} }},
	}
}

// compareScreen compares a payment's address with one that is typed.
type compareScreen struct {
	output signer.Output
	text   textField
}

func (c *compareScreen) title(session.State) string { return "Compare an address" }

func (c *compareScreen) body(st session.State, z size) []string {
	p := newPage(z)
	p.add("Type the address that you were given for this payment. Spaces do not matter.")
	p.gap()
	p.lines = append(p.lines, plain.Wrap("> "+groups(plain.Text(c.typedAddress())), p.width)...)
	p.gap()
	switch {
	case c.text.value == "":
	case sameAddress(c.typedAddress(), c.output.Address):
		p.styled(styleGood, "EQUAL: this is the address that would be paid.")
	case strings.HasPrefix(c.output.Address, c.typedAddress()):
		p.add("Equal so far, %s to go.", plural(len(c.output.Address)-len(c.typedAddress()), "character", "characters"))
	default:
		p.styled(styleBad, "DIFFERENT from the address that would be paid.")
	}
	return p.lines
}

func (c *compareScreen) typedAddress() string {
	return strings.Join(strings.Fields(c.text.value), "")
}

// sameAddress compares as the encodings do: Base58 has case, bech32 may be
// typed all upper-case (BIP173).
func sameAddress(typed, address string) bool {
	for _, bech32 := range []string{"bc1", "tb1", "bcrt1"} {
		if strings.HasPrefix(address, bech32) && typed == strings.ToUpper(typed) {
			return strings.ToLower(typed) == address
		}
	}
	return typed == address
}

func (c *compareScreen) typed(msg tea.KeyMsg) { c.text.key(msg) }

func (c *compareScreen) keys(session.State, size) []binding {
	return []binding{{names: []string{"esc", "enter"}, label: "Esc", help: "back", do: func() action { return shut{} }}}
}
