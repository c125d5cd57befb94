package tui

import (
	"fmt"
	"strings"
	"testing"

	"github.com/airlock-signer/airlock/reader/simcard"
	"github.com/airlock-signer/airlock/signer"
	"github.com/airlock-signer/airlock/signer/samples"
	"github.com/airlock-signer/airlock/tui/session"
)

// paysMany is a transaction with n payments, every seventh to taproot.
func paysMany(n int) samples.SampleFile {
	me, p := samples.Demo(), samples.NewPacket("many payments")
	to := samples.Stranger(0)
	scripts := [][]byte{to.At(samples.P2TR, 0, 0).Script}
	for i := range uint32(6) {
		scripts = append(scripts, to.At(samples.P2WPKH, 0, i).Script)
	}
	p.Spend(me.At(samples.P2WPKH, 0, 0), 2_000_000_000)
	left := int64(2_000_000_000 - 200*(n+1))
	for i := range n {
		sat := int64(100_000 + i)
		p.Pay(scripts[i%len(scripts)], sat)
		left -= sat
	}
	p.Change(me.At(samples.P2WPKH, 1, 0), left)
	return samples.SampleFile{Name: "many.psbt", Data: p.Bytes()}
}

// toReview opens a file and goes to its review.
func (p *player) toReview(name string) *reviewScreen {
	p.Helper()
	p.open(name)
	if !p.inserted {
		p.insert()
	}
	p.press("enter")
	p.step(session.StepPIN)
	p.pin(simcard.DemoPIN)
	p.press("enter")
	p.step(session.StepReview)
	return p.m.screen.(*reviewScreen)
}

// TestManyPayments: pages of eight with running totals, a search, and the way
// back to what was not seen.
func TestManyPayments(t *testing.T) {
	p := play(t, paysMany(100))
	ready(p)
	s := p.toReview("many.psbt")
	p.press("enter")
	p.golden("review-many-1")
	p.press("enter")
	p.golden("review-many-2")
	p.press("/")
	p.golden("review-find")
	for _, r := range "0.0010009" {
		p.press(string(r))
	}
	p.press("enter")
	p.golden("review-found")
	found := s.at
	p.press("enter")
	if s.at != found+1 {
		t.Errorf("the next one is on page %d, not %d", found+1, s.at)
	}
	p.press("esc", "/", "z", "enter")
	if !strings.Contains(p.m.View(), "nothing has that") {
		t.Error(p.m.View())
	}
	p.press("esc", "end")
	p.golden("review-many-last")
	if p.m.state.Review.CanApprove {
		t.Fatal("approvable with pages not seen")
	}
	for range len(s.pages) + 5 {
		if p.m.state.Review.CanApprove {
			break
		}
		p.press("enter")
	}
	if !p.m.state.Review.CanApprove {
		t.Error("Enter alone does not lead through all pages")
	}
}

// TestPagesAddUp: every payment is on one page, none is cut, the last running
// total is what leaves; in every size of window.
func TestPagesAddUp(t *testing.T) {
	p := play(t, paysMany(100))
	ready(p)
	p.toReview("many.psbt")
	st := p.m.state
	for _, z := range []size{{80, 19}, {80, 16}, {100, 30}, {120, 36}} {
		payments, text := 0, ""
		for i, page := range makePages(st, z) {
			if len(page.lines) > z.h {
				t.Errorf("%v: page %d has %d lines", z, i, len(page.lines))
			}
			for _, item := range page.ends {
				if st.Review.Items[item].Kind == signer.ItemPayment {
					payments++
				}
			}
			for _, l := range page.lines {
				text += strings.TrimSpace(l) + "\n"
			}
		}
		if payments != 100 {
			t.Errorf("%v: %d payments", z, payments)
		}
		if total := amount(st.Review.Report.Totals.ToOthers, signer.BTC); !strings.Contains(text, total+" so far, of "+total) {
			t.Errorf("%v: the totals do not add up to %s", z, total)
		}
		for i := range 100 {
			if !strings.Contains(text, fmt.Sprintf("%d  %s  (output %d,", i+1, amount(int64(100_000+i), signer.BTC), i)) {
				t.Errorf("%v: payment %d is missing", z, i+1)
			}
		}
	}
}

// TestLongItemIsSeenWhole: the end of a finding that takes several pages does
// not count for the rest of it.
func TestLongItemIsSeenWhole(t *testing.T) {
	me, pk := samples.Demo(), samples.NewPacket("dust")
	pk.Spend(me.At(samples.P2WPKH, 0, 0), 500_000)
	for i := range uint32(30) {
		pk.Pay(samples.Stranger(2).At(samples.P2WPKH, 0, i).Script, int64(100+i))
	}
	pk.Change(me.At(samples.P2WPKH, 1, 0), 490_000)
	p := play(t, samples.SampleFile{Name: "dust.psbt", Data: pk.Bytes()})
	ready(p)
	s := p.toReview("dust.psbt")
	item := -1
	for i, it := range p.m.state.Review.Items {
		if it.Code == signer.CodeOutputDust {
			item = i
		}
	}
	last := -1
	for i, page := range s.pages {
		if len(page.ends) > 0 && page.ends[0] == item {
			last = i
		}
	}
	if last < 0 || s.pages[last].from == last {
		t.Fatalf("the finding ends on page %d and begins on %d", last, s.pages[last].from)
	}
	p.press("end")
	for s.at > last {
		p.press("left")
	}
	if p.m.state.Review.Seen[item] {
		t.Error("its end alone counts")
	}
	p.golden("review-long-last")
	p.press("end")
	for range 40 {
		if p.m.state.Review.Seen[item] {
			break
		}
		p.press("enter")
	}
	if !p.m.state.Review.Seen[item] {
		t.Error("Enter alone does not lead to it")
	}
}

// TestPagesStayWhereTheyAre: a problem that makes the room smaller does not
// turn the page.
func TestPagesStayWhereTheyAre(t *testing.T) {
	p := play(t, paysMany(100))
	ready(p)
	s := p.toReview("many.psbt")
	p.press("enter", "enter", "enter", "enter", "enter")
	anchor := s.anchor
	z := p.m.room()
	pages := s.lay(p.m.state, size{z.w, z.h - 4})
	holds := false
	for _, item := range pages[s.at].ends {
		holds = holds || item == anchor
	}
	if !holds {
		t.Errorf("item %d was on the page, now there are %v", anchor, pages[s.at].ends)
	}
}

// TestPagesAreMadeOnce: keys turn pages, they do not make them.
func TestPagesAreMadeOnce(t *testing.T) {
	p := play(t, paysMany(5_000))
	ready(p)
	s := p.toReview("many.psbt")
	p.press("enter")
	made := &s.pages[0]
	p.press("enter", "enter", "left", "end", "home", "/", "x", "enter", "esc")
	if &s.pages[0] != made {
		t.Error("the pages were made again")
	}
}

// BenchmarkReviewKey is one key and the screen after it, with 5,000 payments.
func BenchmarkReviewKey(b *testing.B) {
	p := play(b, paysMany(5_000))
	ready(p)
	p.toReview("many.psbt")
	for b.Loop() {
		p.m.Update(keyMsg("enter"))
		p.m.View()
	}
}

// BenchmarkReviewPages makes the pages of 5,000 payments.
func BenchmarkReviewPages(b *testing.B) {
	p := play(b, paysMany(5_000))
	ready(p)
	p.toReview("many.psbt")
	for b.Loop() {
		makePages(p.m.state, size{80, 19})
	}
}
