package tui

import (
	"strings"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/lipgloss"

	"github.com/airlock-signer/airlock/signer"
	"github.com/airlock-signer/airlock/signer/plain"
	"github.com/airlock-signer/airlock/tui/session"
)

// screen is what is drawn for a step, or over it. body gives the lines of the
// page (no wider than z.width(), at most z.h of them: z is what the frame
// leaves); keys the only keys that do something.
type screen interface {
	title(st session.State) string
	body(st session.State, z size) []string
	keys(st session.State, z size) []binding
}

// typing is a screen that takes text.
type typing interface{ typed(msg tea.KeyMsg) }

// seeing is a screen that must know when a page of it was drawn.
type seeing interface {
	seen(st session.State, z size) []session.Event
}

// binding is a key and what it does.
type binding struct {
	names []string // as bubbletea names them; the first stands in the help line unless label is set
	label string
	help  string // "" keeps it out of the help line
	do    func() action
}

func (b binding) is(name string) bool {
	for _, n := range b.names {
		if n == name {
			return true
		}
	}
	return false
}

// action is what a key leads to.
type action any

type (
	send     []session.Event
	open     struct{ screen screen }
	shut     struct{}
	apply    struct{ ev session.Event } // brings the event and shuts the screen
	quit     struct{}
	enterPIN struct{}
	typeWord struct{ word string }
)

// on binds keys to an event.
func on(help string, ev session.Event, names ...string) binding {
	return binding{names: names, help: help, do: func() action { return send{ev} }}
}

// local binds keys to something that concerns the screen alone.
func local(help string, f func(), names ...string) binding {
	return binding{names: names, help: help, do: func() action { f(); return nil }}
}

var keyLabels = map[string]string{"enter": "Enter", "esc": "Esc", "up": "Up", "down": "Down", "pgup": "PgUp", "pgdown": "PgDn", " ": "Space", "left": "Left", "right": "Right"}

func (b binding) text() string {
	l := b.label
	if l == "" {
		if l = keyLabels[b.names[0]]; l == "" {
			l = b.names[0]
		}
	}
	return l + " " + b.help
}

// View draws the frame and the screen on top in it.
func (m *model) View() string {
	if m.state.Blank {
		return strings.Repeat("\n", m.size.h-1)
	}
	if m.tooSmall() {
		return strings.Join(plain.Wrap("This window is too small. Airlock needs 80 columns and 25 lines.", m.size.w), "\n")
	}
	sc := m.top()
	z := m.room()
	lines := sc.body(m.state, z)
	if len(lines) > z.h { // a screen that does not page: a mistake, but nothing is hidden silently
		lines = append(lines[:z.h-1:z.h-1], styleBad.Render("(more lines than fit: use a larger window)"))
	}
	for len(lines) < z.h {
		lines = append(lines, "")
	}
	all := append(m.head(sc), pad(lines)...)
	all = append(all, m.problem()...)
	return strings.Join(append(all, m.help(sc)...), "\n")
}

// problemLines is what a problem may take of the screen.
const problemLines = 6

// helpLines is the room kept for the help, so that pages stay as they are when
// it grows.
const helpLines = 2

// tooSmall says that the window shows nothing but that.
func (m *model) tooSmall() bool { return m.size.w < minWidth || m.size.h < minHeight }

// room is what the frame leaves to a screen, as it stands now. In a window that
// is too small it is what the smallest would leave: nothing is drawn there.
func (m *model) room() size {
	z := size{max(m.size.w, minWidth), max(m.size.h, minHeight)}
	head := 2 // title bar and a line of air
	head += len(banners(m.state, z.w))
	return size{z.w, z.h - head - len(m.problem()) - helpLines}
}

func pad(lines []string) []string {
	out := make([]string, len(lines))
	for i, l := range lines {
		if l != "" {
			out[i] = strings.Repeat(" ", margin) + l
		}
	}
	return out
}

// head is the title bar and the banners that stand on every screen.
func (m *model) head(sc screen) []string {
	w := m.size.w
	bar := spread(" AIRLOCK  "+sc.title(m.state), networkWord(m.state)+" ", w)
	head := []string{styleBar.Render(bar)}
	for _, b := range banners(m.state, w) {
		head = append(head, styleBanner.Render(spread(" "+b, "", w)))
	}
	return append(head, "")
}

// problem is what went wrong last, above the help.
func (m *model) problem() []string {
	if m.state.Problem == "" {
		return nil
	}
	lines := []string{""}
	text := plain.Wrap(plain.Text(m.state.Problem), max(m.size.w, minWidth)-2*margin)
	if keep := problemLines - 1; len(text) > problemLines { // a name of the longest kind in it
		text = append(text[:keep:keep], "(and "+plural(len(text)-keep, "more line", "more lines")+")")
	}
	for _, l := range text {
		lines = append(lines, " "+styleProblem.Render(l))
	}
	return lines
}

// help is the line of keys; empty until the keys work.
func (m *model) help(sc screen) []string {
	var lines []string
	line := ""
	for _, b := range sc.keys(m.state, m.room()) {
		if !m.settled {
			break
		}
		if b.help == "" {
			continue
		}
		t := b.text()
		if line != "" && len([]rune(line))+len([]rune(t))+3 > m.size.w-1 {
			lines = append(lines, line)
			line = ""
		}
		if line != "" {
			line += " │ "
		}
		line += t
	}
	lines = append(lines, line)
	for i, l := range lines {
		if l != "" {
			lines[i] = styleBar.Render(spread(" "+l, "", m.size.w))
		}
	}
	for len(lines) < helpLines {
		lines = append([]string{""}, lines...)
	}
	return lines
}

// banners are what must stand on every screen, in as many lines as they take.
func banners(st session.State, width int) []string {
	var parts []string
	simulated := st.Demo != nil
	for _, s := range st.Slots {
		simulated = simulated || s.Simulated
	}
	if simulated {
		parts = append(parts, "SIMULATED card: for training only")
	}
	if st.AllowNetwork {
		parts = append(parts, "NETWORK ALLOWED: not for real money")
	}
	if st.Settings.AcceptUnproven {
		parts = append(parts, "AMOUNTS UNPROVEN ACCEPTED")
	}
	if n := st.Settings.Network; n != signer.Mainnet {
		parts = append(parts, strings.ToUpper(plain.Text(string(n))))
	}
	var lines []string
	for _, p := range parts {
		last := len(lines) - 1
		if last >= 0 && lipgloss.Width(lines[last])+lipgloss.Width(p)+5 <= width {
			lines[last] += " │ " + p
		} else {
			lines = append(lines, p)
		}
	}
	return lines
}

// networkWord is the network at a glance.
func networkWord(st session.State) string {
	switch {
	case len(st.Isolation.Items) == 0:
		return "looking at the network"
	case len(st.Isolation.Blocking()) > 0:
		return "NETWORK UP"
	}
	return "no network"
}

// screenFor makes the screen of a step.
func screenFor(step session.Step) screen {
	switch step {
	case session.StepFiles:
		return &filesScreen{}
	case session.StepOpening, session.StepUnlocking:
		return busyScreen{}
	case session.StepMalformed, session.StepFailed:
		return stopScreen{}
	case session.StepPreview:
		return &previewScreen{}
	case session.StepCard:
		return &cardScreen{}
	case session.StepPIN:
		return &pinScreen{}
	case session.StepReview:
		return &reviewScreen{}
	case session.StepApprove:
		return &approveScreen{}
	case session.StepSigning:
		return signingScreen{}
	case session.StepPaused:
		return newPausedScreen()
	case session.StepResult:
		return &resultScreen{discard: newDiscardBox()}
	case session.StepCards:
		return &cardsScreen{}
	case session.StepCare:
		return &carePage{}
	case session.StepCareTask:
		return &careTask{}
	}
	return &homeScreen{}
}
