package tui

import (
	"fmt"
	"slices"

	tea "github.com/charmbracelet/bubbletea"

	"github.com/airlock-signer/airlock/signer"
	"github.com/airlock-signer/airlock/tui/session"
)

// reviewScreen shows the review, page by page. An item counts as shown when
// every page of it was on screen.
type reviewScreen struct {
	at     int
	anchor int // the first item that ends on that page, or after it
	key    pagesKey
	pages  []reviewPage
	drawn  map[int]bool // of these pages
	find   findBox
}

// room is what the pages have: a line is kept for the search.
func (s *reviewScreen) room(z size) size { return size{z.w, z.h - 1} }

// lay makes the pages if something they depend on has changed, and stays where
// the person was.
func (s *reviewScreen) lay(st session.State, z size) []reviewPage {
	if st.Review == nil {
		return nil
	}
	if k := keyOf(st, s.room(z)); k != s.key {
		s.key, s.pages, s.drawn = k, makePages(st, s.room(z)), map[int]bool{}
		s.at = max(0, min(s.at, len(s.pages)-1))
		for i, p := range s.pages {
			if len(p.ends) > 0 && p.ends[len(p.ends)-1] >= s.anchor {
				if s.first(s.at) != s.anchor {
					s.at = i
				}
				break
			}
		}
	}
	return s.pages
}

// first is the first item that ends on a page, or after it.
func (s *reviewScreen) first(page int) int {
	for _, p := range s.pages[page:] {
		if len(p.ends) > 0 {
			return p.ends[0]
		}
	}
	return 0
}

func (s *reviewScreen) goTo(page int) {
	s.at = max(0, min(page, len(s.pages)-1))
	s.anchor = s.first(s.at)
}

func (s *reviewScreen) title(st session.State) string {
	return fmt.Sprintf("%s  page %d of %d", fileTitle("Review", st), s.at+1, len(s.pages))
}

func (s *reviewScreen) body(st session.State, z size) []string {
	pages := s.lay(st, z)
	if len(pages) == 0 {
		return nil
	}
	lines := slices.Clone(pages[s.at].lines)
	if !s.find.open {
		return lines
	}
	for len(lines) < z.h-1 {
		lines = append(lines, "")
	}
	return append(lines, s.find.line())
}

// seen tells the session what is now whole on screen, and was not before.
func (s *reviewScreen) seen(st session.State, z size) []session.Event {
	pages := s.lay(st, z)
	if len(pages) == 0 {
		return nil
	}
	s.drawn[s.at] = true
	if s.undrawn(s.at) >= 0 {
		return nil
	}
	var evs []session.Event
	for _, i := range pages[s.at].ends {
		if !st.Review.Seen[i] {
			evs = append(evs, session.PageSeen{Item: st.Review.Items[i]})
		}
	}
	return evs
}

// undrawn is the first page not yet on screen of what ends on this one; -1
// where all were.
func (s *reviewScreen) undrawn(page int) int {
	for i := s.pages[page].from; i <= page; i++ {
		if !s.drawn[i] {
			return i
		}
	}
	return -1
}

func (s *reviewScreen) keys(st session.State, z size) []binding {
	pages := s.lay(st, z)
	if len(pages) == 0 {
		return []binding{on("back", session.Back{}, "esc")}
	}
	if s.find.open {
		return s.find.keys(func() { s.search(st) })
	}
	keys := s.onward(st)
	if s.at > 0 {
		keys = append(keys, local("page before", func() { s.goTo(s.at - 1) }, "left", "pgup", "p"))
	}
	keys = append(keys, local("", func() { s.goTo(0) }, "home"), local("", func() { s.goTo(len(pages) - 1) }, "end"))
	for _, c := range st.Review.Cautions {
		if c.Code == pages[s.at].code && !c.Acknowledged && len(pages[s.at].ends) > 0 {
			keys = append(keys, on("acknowledge", session.Acknowledge{Code: c.Code}, "a"))
		}
	}
	if o, ok := paymentOn(st, pages[s.at]); ok {
		keys = append(keys, binding{names: []string{"c"}, help: "compare the address", do: func() action { return open{&compareScreen{output: o}} }})
	}
	keys = append(keys, otherNetworkKey(st)...)
	keys = append(keys, s.find.opener(len(pages) > manyPayments))
	return append(keys, detailsKey(st.Review.Report), on("leave, log out", session.Back{}, "esc"))
}

// onward is what Enter does: the next page; on the last one the approval or,
// where something is left to do first, the page for that. A refused review has
// no way on.
func (s *reviewScreen) onward(st session.State) []binding {
	if s.at < len(s.pages)-1 {
		return []binding{local("next page", func() { s.goTo(s.at + 1) }, "enter", "right", "pgdown", " ")}
	}
	if st.Review.CanApprove {
		return []binding{on("go on to approve", session.GoOn{}, "enter")}
	}
	if st.Review.Report.Verdict == signer.VerdictRefused || st.Review.ToSign == 0 {
		return nil
	}
	for i, p := range s.pages {
		for _, item := range p.ends {
			if st.Review.Seen[item] {
				continue
			}
			if to := s.undrawn(i); to >= 0 {
				return []binding{local(fmt.Sprintf("go to page %d, not seen yet", to+1), func() { s.goTo(to) }, "enter")}
			}
		}
	}
	for i, p := range s.pages {
		for _, c := range st.Review.Cautions {
			if c.Code == p.code && !c.Acknowledged && len(p.ends) > 0 && i != s.at {
				return []binding{local(fmt.Sprintf("go to page %d, to acknowledge", i+1), func() { s.goTo(i) }, "enter")}
			}
		}
	}
	return nil
}

// paymentOn is the payment that a page shows alone.
func paymentOn(st session.State, p reviewPage) (signer.Output, bool) {
	if len(p.ends) != 1 || st.Review.Items[p.ends[0]].Kind != signer.ItemPayment {
		return signer.Output{}, false
	}
	o := st.Review.Report.Outputs[st.Review.Items[p.ends[0]].Index]
	return o, o.Address != ""
}

func (s *reviewScreen) typed(msg tea.KeyMsg) { s.find.typed(msg) }
