package tui

import (
	"os"
	"strings"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"github.com/airlock-signer/airlock/tui/session"
)

// TestWindowThatIsTooSmall: whatever its size, nothing hangs or panics, no page
// counts as seen, and no key does anything.
func TestWindowThatIsTooSmall(t *testing.T) {
	p := play(t)
	ready(p)
	p.open("payment.psbt")
	p.press("enter")
	p.insert()
	p.step(session.StepPIN)
	p.pin("1234")
	p.press("enter")
	p.step(session.StepReview)
	seen := func() (n int) {
		for _, yes := range p.m.state.Review.Seen {
			if yes {
				n++
			}
		}
		return n
	}
	before, view := seen(), p.m.View()
	for _, z := range []tea.WindowSizeMsg{{Width: 80, Height: 24}, {Width: 79, Height: 60}, {Width: 80, Height: 9}, {Width: 80, Height: 8},
		{Width: 80, Height: 7}, {Width: 80, Height: 6}, {Width: 80, Height: 5}, {Width: 1, Height: 1}, {}} {
		p.m.Update(z)
		p.press("enter", "enter", "enter", "enter", "a")
		if !strings.Contains(strings.ReplaceAll(p.m.View(), "\n", " "), "too small") {
			t.Errorf("%+v: something else is drawn", z)
		}
		if n := seen(); n != before {
			t.Fatalf("%+v: %d items count as seen, %d before", z, n, before)
		}
	}
	p.m.Update(tea.WindowSizeMsg{Width: 80, Height: 25})
	if p.m.View() != view {
		t.Errorf("another page than before:\n%s", p.m.View())
	}
}

// TestProblemOfAnyLength leaves room for the screen, and says what it left out.
func TestProblemOfAnyLength(t *testing.T) {
	p := play(t)
	ready(p)
	for _, n := range []int{0, 1, 400, 500, 5_000, 100_000} {
		p.m.state.Problem = strings.Repeat("\x1b", n)
		view := p.m.View()
		if lines := strings.Count(view, "\n") + 1; lines != 25 {
			t.Errorf("a problem of %d characters: %d lines", n, lines)
		}
		if strings.Contains(view, "\x1b") {
			t.Errorf("a problem of %d characters is printed raw", n)
		}
		if n >= 500 && !strings.Contains(view, "more lines)") {
			t.Errorf("a problem of %d characters is cut without a word", n)
		}
	}
}

// TestReadDoesNotWait: what bubbletea was told of may be drained before it
// reads. A read that waited would take the first key of a secret in the clear.
func TestReadDoesNotWait(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	in, err := newInput(r)
	if err != nil {
		t.Fatal(err)
	}
	read := make(chan byte, 1)
	go func() {
		p := make([]byte, 8)
		if n, err := in.Read(p); n != 1 || err != nil {
			t.Errorf("%d bytes, %v", n, err)
		}
		read <- p[0]
	}()
	select {
	case key := <-read:
		if key != keyNone {
			t.Errorf("key %q", key)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("it waits")
	}
}
