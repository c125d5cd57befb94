package tui

import (
	"fmt"

	"github.com/airlock-signer/airlock/signer"
	"github.com/airlock-signer/airlock/signer/plain"
	"github.com/airlock-signer/airlock/tui/session"
)

// Up to manyPayments each payment has a page of its own; beyond, a page has
// perPage of them, still in full.
const (
	manyPayments = 10
	perPage      = 8
)

// reviewScreen shows the review, page by page. An item counts as shown when
// its last line was on screen.
type reviewScreen struct{ at int }

// reviewPage is one page and the items whose last line is on it.
type reviewPage struct {
	lines []string
	ends  []signer.Item
	code  signer.Code // of the finding on it; "" where there is none
}

func (s *reviewScreen) pages(st session.State, z size) []reviewPage {
	if st.Review == nil {
		return nil
	}
	var pages []reviewPage
	payments := 0
	for _, item := range st.Review.Items {
		if item.Kind == signer.ItemPayment {
			payments++
		}
	}
	number, before := 0, ""
	for _, item := range st.Review.Items {
		if item.Kind == signer.ItemPayment {
			number++
		}
		lines := itemLines(st, z, item, number, payments)
		group := sharing(item, payments)
		last := len(pages) - 1
		if group != "" && group == before && len(pages[last].ends) < perPage && len(pages[last].lines)+len(lines) <= z.h {
			pages[last].lines = append(pages[last].lines, lines...)
			pages[last].ends = append(pages[last].ends, item)
			continue
		}
		before = group
		pages = append(pages, split(lines, item, z.h)...)
	}
	s.at = max(0, min(s.at, len(pages)-1))
	return pages
}

// sharing names the items that may stand on one page together: many payments,
// and notes. "" is a page alone.
func sharing(item signer.Item, payments int) string {
	switch {
	case item.Kind == signer.ItemPayment && payments > manyPayments:
		return "payments"
	case item.Kind == signer.ItemFinding && item.Code.Severity() == signer.Note:
		return "notes"
	}
	return ""
}

// split cuts an item that is longer than a page.
func split(lines []string, item signer.Item, height int) []reviewPage {
	var pages []reviewPage
	for len(lines) > height {
		pages = append(pages, reviewPage{lines: append(lines[:height-1:height-1], styleDim.Render("(goes on, on the next page)")), code: item.Code})
		lines = lines[height-1:]
	}
	return append(pages, reviewPage{lines: lines, ends: []signer.Item{item}, code: item.Code})
}

func (s *reviewScreen) title(st session.State) string {
	n := len(s.pages(st, size{minWidth, minHeight}))
	return fmt.Sprintf("%s  page %d of %d", fileTitle("Review", st), s.at+1, n)
}

func (s *reviewScreen) body(st session.State, z size) []string {
	pages := s.pages(st, z)
	if len(pages) == 0 {
		return nil
	}
	return pages[s.at].lines
}

// seen tells the session what was whole on screen.
func (s *reviewScreen) seen(st session.State, z size) []session.Event {
	pages := s.pages(st, z)
	if len(pages) == 0 {
		return nil
	}
	var evs []session.Event
	for _, item := range pages[s.at].ends {
		evs = append(evs, session.PageSeen{Item: item})
	}
	return evs
}

func (s *reviewScreen) keys(st session.State, z size) []binding {
	pages := s.pages(st, z)
	if len(pages) == 0 {
		return []binding{on("back", session.Back{}, "esc")}
	}
	var keys []binding
	last := s.at == len(pages)-1
	switch {
	case !last:
		keys = append(keys, local("next page", func() { s.at++ }, "enter", "right", "pgdown", " ", "n"))
	case st.Review.CanApprove:
		keys = append(keys, on("go on to approve", session.GoOn{}, "enter"))
	}
	if s.at > 0 {
		keys = append(keys, local("page before", func() { s.at-- }, "left", "pgup", "p"))
	}
	for _, c := range st.Review.Cautions {
		if c.Code == pages[s.at].code && !c.Acknowledged && len(pages[s.at].ends) > 0 {
			keys = append(keys, on("acknowledge", session.Acknowledge{Code: c.Code}, "a"))
		}
	}
	if o, ok := paymentOn(st, pages[s.at]); ok {
		keys = append(keys, binding{names: []string{"c"}, help: "compare the address", do: func() action { return open{&compareScreen{output: o}} }})
	}
	return append(keys, detailsKey(st.Review.Report), on("leave, log out", session.Back{}, "esc"))
}

// paymentOn is the payment that a page shows alone.
func paymentOn(st session.State, p reviewPage) (signer.Output, bool) {
	if len(p.ends) != 1 || p.ends[0].Kind != signer.ItemPayment {
		return signer.Output{}, false
	}
	o := st.Review.Report.Outputs[p.ends[0].Index]
	return o, o.Address != ""
}

// itemLines draws one item; number and payments count the payments.
func itemLines(st session.State, z size, item signer.Item, number, payments int) []string {
	p := newPage(z)
	r, u := st.Review.Report, st.Settings.Unit
	switch item.Kind {
	case signer.ItemBalance:
		addBalance(p, st)
	case signer.ItemPayment:
		addPayment(p, r.Outputs[item.Index], u, number, payments)
	case signer.ItemBack:
		addBack(p, r, u)
	case signer.ItemFinding:
		addFindingPage(p, st, item.Code)
	}
	return p.lines
}

// addBalance is the first page: verdict, and the line that sums.
func addBalance(p *page, st session.State) {
	r, t, u := st.Review.Report, st.Review.Report.Totals, st.Settings.Unit
	addVerdict(p, r)
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
	row("+", "back to you", amount(t.BackToUs, u), plural(back, "output, proven", "outputs, each proven"))
	row("+", "fee", maybeAmount(t.Fee, u), feeShare(r))
	p.gap()
	if st.Card != nil {
		p.add("Signing with %s, master key %s, on %s.", cardName(*st.Card), st.Review.Fingerprint, r.Network)
	} else {
		p.add("To be signed with master key %s, on %s.", st.Review.Fingerprint, r.Network)
	}
	if r.Verdict == signer.VerdictRefused {
		p.gap().styled(styleBad, "Read on why. Nothing can be signed here; change the transaction at the coordinator.")
	}
}

func addPayment(p *page, o signer.Output, u signer.Unit, number, payments int) {
	p.raw(styleStrong.Render(fmt.Sprintf("Payment %d of %d", number, payments)) + fmt.Sprintf("  (output %d, %s)", o.Index, o.ScriptType))
	p.raw("")
	p.raw("  " + styleStrong.Render(amount(o.Amount, u)))
	if payments <= manyPayments {
		p.raw("")
	}
	if o.Kind == signer.KindData {
		p.hang("  ", fmt.Sprintf("Data, no payment. Hex: %x", o.Data))
		if plain.Printable(o.Data) {
			p.hang("  ", "Text: "+plain.Bytes(o.Data))
		}
		return
	}
	p.hang("  to  ", destination(o))
	if payments <= manyPayments {
		p.gap().add("Compare it, group by group, with what the person or shop to be paid gave you, not with what the online computer shows.")
	} else {
		p.raw("")
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
func addFindingPage(p *page, st session.State, code signer.Code) {
	caution, done := false, false
	for _, c := range st.Review.Cautions {
		if c.Code == code {
			caution, done = true, c.Acknowledged
		}
	}
	for _, f := range st.Review.Report.Findings {
		if f.Code == code {
			addFinding(p, f, true)
			p.raw("")
		}
	}
	switch {
	case done:
		p.styled(styleGood, "Acknowledged.")
	case caution:
		p.styled(styleStrong, "If this is what you want, press a to acknowledge it.")
	}
}
