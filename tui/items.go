package tui

import (
	"fmt"
	"slices"

	"github.com/airlock-signer/airlock/signer"
	"github.com/airlock-signer/airlock/signer/plain"
	"github.com/airlock-signer/airlock/tui/session"
)

// addBalance is the first page: verdict, the line that sums, and what was
// found.
func addBalance(p *page, st session.State, list []kind, height int) {
	r, t, u := st.Review.Report, st.Review.Report.Totals, st.Settings.Unit
	addVerdict(p, r, list)
	if st.Locked {
		p.styled(styleCare, "The card is out or logged out: its PIN is wanted again before signing.")
	}
	p.gap()
	payments, back := 0, 0
	for _, o := range r.Outputs {
		if o.Kind == signer.KindChange || o.Kind == signer.KindOwn {
			back++
		} else {
			payments++
		}
	}
	ours := 0
	for _, in := range r.Inputs {
		if in.Owner == signer.Ours {
			ours++
		}
	}
	row := func(sign, what, sum, more string) {
		p.hang(fmt.Sprintf("%s %-12s %s  ", sign, what, styleStrong.Render(fmt.Sprintf("%22s", sum))), more)
	}
	row(" ", "In", maybeAmount(t.In, u), fmt.Sprintf("%s, %d yours", plural(len(r.Inputs), "input", "inputs"), ours))
	row("=", "to others", amount(t.ToOthers, u), plural(payments, "payment", "payments"))
	row("+", "back to you", amount(t.BackToUs, u), backText(back))
	row("+", "fee", maybeAmount(t.Fee, u), feeShare(r))
	p.gap()
	switch {
	case r.Verdict == signer.VerdictRefused:
		p.styled(styleBad, "Read on why. Nothing can be signed here; change the transaction at the coordinator.")
	case st.Review.ToSign == 0:
		p.styled(styleCare, "You can read it, but there is nothing for this card (master key %s) to sign.", st.Review.Fingerprint)
	case st.Card != nil:
		p.add("To sign: %s, with %s, master key %s, on %s.", plural(st.Review.ToSign, "input", "inputs"), cardName(*st.Card), st.Review.Fingerprint, r.Network)
	default:
		p.add("To sign: %s, with master key %s, on %s.", plural(st.Review.ToSign, "input", "inputs"), st.Review.Fingerprint, r.Network)
	}
	if st.OtherNetwork != "" {
		addOtherNetwork(p, st)
	}
	grave := slices.DeleteFunc(slices.Clone(list), func(k kind) bool { return k.worst == signer.Note })
	if len(grave) > 0 && height-len(p.lines) > 4 {
		p.gap().styled(styleStrong, "What was found, each on its own page:")
		addKinds(p, grave, height-len(p.lines))
	}
}

func backText(n int) string {
	if n == 0 {
		return "nothing"
	}
	return plural(n, "output, proven", "outputs, each proven")
}

// addOtherNetwork offers to switch.
func addOtherNetwork(p *page, st session.State) {
	p.gap().styled(styleCare, "Every path in this file is of %s, and this station is set to %s. If %s is what you meant, press n to switch.",
		st.OtherNetwork, st.Settings.Network, st.OtherNetwork)
}

func otherNetworkKey(st session.State) []binding {
	if st.OtherNetwork == "" {
		return nil
	}
	return []binding{on("switch to "+string(st.OtherNetwork), session.SwitchNetwork{}, "n")}
}

// addPayment is a payment with a page of its own.
func addPayment(p *page, o signer.Output, u signer.Unit, number, payments int) {
	p.raw(styleStrong.Render(fmt.Sprintf("Payment %d of %d", number, payments)) + fmt.Sprintf("  (output %d, %s)", o.Index, o.ScriptType))
	p.gap().raw("  " + styleStrong.Render(amount(o.Amount, u)))
	p.gap()
	if o.Kind == signer.KindData {
		addData(p, "  ", o)
		return
	}
	p.hang("  to  ", destination(o))
	p.gap().add("Compare it, group by group, with what the person or shop to be paid gave you, not with what the online computer shows.")
}

// addPaymentShort is one of many, in full: the longest address in groups of
// four fills a line of 80 columns.
func addPaymentShort(p *page, o signer.Output, u signer.Unit, number int) {
	p.raw(fmt.Sprintf("%5d  ", number) + styleStrong.Render(amount(o.Amount, u)) + fmt.Sprintf("  (output %d, %s)", o.Index, o.ScriptType))
	if o.Kind == signer.KindData {
		addData(p, " ", o)
		return
	}
	p.hang(" ", destination(o))
}

// addData is the payload of a data output.
func addData(p *page, label string, o signer.Output) {
	p.hang(label, fmt.Sprintf("Data of %s, no payment. Hex: %x", plural(len(o.Data), "byte", "bytes"), o.Data))
	if plain.Printable(o.Data) {
		p.hang(label, "Text: "+plain.Bytes(o.Data))
	}
}

// addBack lists what comes back with its proof.
func addBack(p *page, r *signer.Report, u signer.Unit) {
	p.styled(styleStrong, "Back to you: rebuilt from your own account key, so it can only be spent by it")
	for _, o := range r.Outputs {
		if o.Kind != signer.KindChange && o.Kind != signer.KindOwn {
			continue
		}
		p.gap().raw("  " + styleStrong.Render(amount(o.Amount, u)) + fmt.Sprintf("  output %d, %s", o.Index, o.Kind))
		p.hang("  at  ", destination(o))
		p.hang("  ", fmt.Sprintf("path %s, proven by %s", o.Path, plain.Text(o.Proof)))
	}
}

// addFindingPage shows one code with all its places.
func addFindingPage(p *page, st session.State, k kind) {
	caution, done := false, false
	for _, c := range st.Review.Cautions {
		if c.Code == k.code {
			caution, done = true, c.Acknowledged
		}
	}
	addKind(p, k)
	if k.code == signer.CodeInputSignedBefore {
		for _, e := range st.Review.Earlier {
			p.gap()
			addEarlier(p, e, st.Review.Report, st.Settings.Unit)
		}
	}
	p.gap()
	switch {
	case done:
		p.styled(styleGood, "Acknowledged.")
	case caution:
		p.styled(styleStrong, "If this is what you want, press a to acknowledge it.")
	}
}

// addEarlier shows what changed since a transaction that was signed before.
func addEarlier(p *page, e signer.Earlier, r *signer.Report, u signer.Unit) {
	p.styled(styleStrong, "Compared with the one signed before:")
	p.hang("  txid   ", e.TxID.String())
	if e.Identical {
		p.add("  It spends the same coins and pays the same amounts to the same places.")
	}
	coins := plural(e.Shared, "coin is spent by both", "coins are spent by both")
	if e.Dropped > 0 {
		coins += fmt.Sprintf(", %d only by the other", e.Dropped)
	}
	if e.Added > 0 {
		coins += fmt.Sprintf(", %d only by this one", e.Added)
	}
	p.hang("  coins  ", coins)
	p.hang("  fee    ", feeChange(e.Fee, r.Totals.Fee, u))
	for _, c := range e.Outputs {
		to := plain.Text(c.Address)
		if to == "" {
			to = fmt.Sprintf("the script %x", c.Script)
		} else {
			to = groups(to)
		}
		back := ""
		if c.Back {
			back = " (comes back to you)"
		}
		switch {
		case !c.Before.Known:
			p.hang("  NEW    ", amount(c.Now.Sat, u)+back)
		case !c.Now.Known:
			p.hang("  GONE   ", amount(c.Before.Sat, u)+" is no longer paid")
		default:
			p.hang("  OTHER  ", amount(c.Before.Sat, u)+" before, "+amount(c.Now.Sat, u)+" now"+back)
		}
		p.hang("         ", to)
	}
	if e.Same > 0 {
		p.hang("  SAME   ", plural(e.Same, "destination gets", "destinations get")+" the same amount")
	}
}

// feeChange compares two fees.
func feeChange(before, now signer.Amount, u signer.Unit) string {
	text := maybeAmount(before, u) + " before, " + maybeAmount(now, u) + " now"
	switch d := now.Sat - before.Sat; {
	case !before.Known || !now.Known:
	case d > 0:
		text += ": " + amount(d, u) + " more"
	case d < 0:
		text += ": " + amount(-d, u) + " less"
	}
	return text
}
