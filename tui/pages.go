package tui

import (
	"fmt"

	"github.com/airlock-signer/airlock/signer"
	"github.com/airlock-signer/airlock/tui/session"
)

// Up to manyPayments each payment has a page of its own; beyond, a page has
// perPage of them, still in full.
const (
	manyPayments = 10
	perPage      = 8
)

// reviewPage is one page and the items whose last line is on it.
type reviewPage struct {
	lines []string
	ends  []int       // indexes in ReviewView.Items
	from  int         // the page on which the first of them begins
	code  signer.Code // of the finding on it; "" where there is none
}

// pagesKey is all that the pages depend on: they are made anew when it
// changes, not at each key.
type pagesKey struct {
	report  *signer.Report
	z       size
	unit    signer.Unit
	locked  bool
	card    string
	network signer.Network
	acked   string
}

func keyOf(st session.State, z size) pagesKey {
	k := pagesKey{report: st.Review.Report, z: z, unit: st.Settings.Unit, locked: st.Locked, network: st.OtherNetwork}
	if st.Card != nil {
		k.card = cardName(*st.Card)
	}
	for _, c := range st.Review.Cautions {
		if c.Acknowledged {
			k.acked += string(c.Code) + " "
		}
	}
	return k
}

// pager makes the pages of a review.
type pager struct {
	st       session.State
	z        size
	payments int
	kinds    []kind
	pages    []reviewPage

	number int   // of the last payment put on a page
	sum    int64 // of all payments up to there, satoshis
}

// makePages cuts a review into pages no longer than z.h.
func makePages(st session.State, z size) []reviewPage {
	g := &pager{st: st, z: z, kinds: kinds(st.Review.Report)}
	items := st.Review.Items
	for _, item := range items {
		if item.Kind == signer.ItemPayment {
			g.payments++
		}
	}
	byCode := map[signer.Code]kind{}
	for _, k := range g.kinds {
		byCode[k.code] = k
	}
	for i := 0; i < len(items); {
		p, item := newPage(z), items[i]
		switch {
		case item.Kind == signer.ItemPayment && g.payments > manyPayments:
			i = g.manyPage(i)
			continue
		case item.Kind == signer.ItemFinding && byCode[item.Code].worst == signer.Note:
			i = g.notesPage(i, byCode)
			continue
		case item.Kind == signer.ItemBalance:
			addBalance(p, st, g.kinds, z.h)
		case item.Kind == signer.ItemPayment:
			g.number++
			addPayment(p, st.Review.Report.Outputs[item.Index], st.Settings.Unit, g.number, g.payments)
		case item.Kind == signer.ItemBack:
			addBack(p, st.Review.Report, st.Settings.Unit)
		case item.Kind == signer.ItemFinding:
			addFindingPage(p, st, byCode[item.Code])
		}
		g.put(p.lines, item.Code, i)
		i++
	}
	return g.pages
}

// put adds lines as a page, or as several where they are too many. Items end on
// the last one.
func (g *pager) put(lines []string, code signer.Code, ends ...int) {
	from := len(g.pages)
	for len(lines) > g.z.h {
		g.pages = append(g.pages, reviewPage{lines: append(lines[:g.z.h-1:g.z.h-1], styleDim.Render("(goes on, on the next page)")), code: code})
		lines = lines[g.z.h-1:]
	}
	g.pages = append(g.pages, reviewPage{lines: lines, ends: ends, from: from, code: code})
}

// manyPage puts the payments from item i on one page, with running totals, and
// gives the item after them.
func (g *pager) manyPage(i int) int {
	const head = 3
	items, r, u := g.st.Review.Items, g.st.Review.Report, g.st.Settings.Unit
	var body []string
	var ends []int
	from, here := g.number+1, int64(0)
	for i < len(items) && items[i].Kind == signer.ItemPayment && len(ends) < perPage {
		o := r.Outputs[items[i].Index]
		p := newPage(g.z)
		addPaymentShort(p, o, u, g.number+1)
		if len(ends) > 0 && head+len(body)+len(p.lines) > g.z.h {
			break
		}
		body, ends = append(body, p.lines...), append(ends, i)
		here += o.Amount
		g.number++
		i++
	}
	g.sum += here
	p := newPage(g.z)
	p.styled(styleStrong, "Payments %d to %d of %d", from, g.number, g.payments)
	p.raw(fmt.Sprintf("%s on this page, %s so far, of %s", amount(here, u), amount(g.sum, u), amount(r.Totals.ToOthers, u)))
	p.gap()
	g.put(append(p.lines, body...), "", ends...)
	return i
}

// notesPage puts as many notes on a page as fit.
func (g *pager) notesPage(i int, byCode map[signer.Code]kind) int {
	items := g.st.Review.Items
	var body []string
	var ends []int
	for i < len(items) && items[i].Kind == signer.ItemFinding && byCode[items[i].Code].worst == signer.Note {
		p := newPage(g.z)
		if len(body) > 0 {
			p.raw("")
		}
		addKind(p, byCode[items[i].Code])
		if len(ends) > 0 && len(body)+len(p.lines) > g.z.h {
			break
		}
		body, ends = append(body, p.lines...), append(ends, i)
		i++
	}
	g.put(body, "", ends...)
	return i
}
