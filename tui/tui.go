// Package tui draws the sitting and turns keys into its events. One root
// model, a screen for each step in a file of its own; each screen declares the
// keys it has, and the help line shows just those. All input and output with
// cards and media is the session's (package session), in goroutines of its own.
package tui

import (
	"context"
	"errors"
	"os"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"github.com/airlock-signer/airlock/reader/secret"
	_ "github.com/airlock-signer/airlock/tui/console" // before bubbletea: see there
	"github.com/airlock-signer/airlock/tui/session"
)

// settle is how long the keyboard must be quiet before a new screen takes
// keys: what was typed, or a key held down, before the screen appeared must
// not answer it. The help line appears when the keys work.
const settle = 150 * time.Millisecond

// settleDoubt is the same for the code that a new keyboard is asked for: that
// screen may come in the middle of a PIN, and whoever types one must have
// stopped before keys are taken there and drawn.
const settleDoubt = 2 * time.Second

// Options of the station.
type Options struct {
	Session session.Config
	In, Out *os.File // the terminal
	// plain lets bubbletea see every key of a secret as well: for one test, and
	// only simulation builds can set it (PlainInput).
	plain bool
}

// Run is the station, from the first screen until the person leaves. All cards
// are logged out and released when it returns.
func Run(ctx context.Context, o Options) error {
	in, err := newInput(o.In)
	if err != nil {
		return err
	}
	in.plain = o.plain
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s := session.New(o.Session)
	m := newModel(s, in)
	p := tea.NewProgram(m, tea.WithContext(ctx), tea.WithInput(in), tea.WithOutput(o.Out),
		tea.WithAltScreen(), tea.WithoutBracketedPaste())
	s.Start(ctx, func(ev session.Event) { p.Send(sessionMsg{ev}) })
	_, err = p.Run()
	release, done := context.WithTimeout(context.Background(), 3*time.Second)
	defer done()
	s.Close(release)
	m.forget()
	if errors.Is(err, tea.ErrInterrupted) || errors.Is(err, tea.ErrProgramKilled) && ctx.Err() != nil {
		return nil
	}
	return err
}

// sessionMsg brings an event of the session to Update.
type sessionMsg struct{ ev session.Event }

// settledMsg says that the keyboard was quiet since the key number seq.
type settledMsg struct{ seq int }

// secretInput is the input's secret mode; nil-safe fakes stand in for it in
// tests of the drawing.
type secretInput interface {
	hide(*secret.Buffer)
	resume()
	show()
	drain()
}

// model is the root model.
type model struct {
	session *session.Session
	state   session.State
	in      secretInput
	size    size
	screen  screen
	stack   []screen // screens that a person opened over the one of the step
	settled bool
	seq     int
	pin     *secret.Buffer
}

func newModel(s *session.Session, in secretInput) *model {
	m := &model{session: s, in: in, size: size{minWidth, minHeight}, state: s.State()}
	m.enter()
	return m
}

// Init waits for the keyboard to be quiet.
func (m *model) Init() tea.Cmd { return m.quiet() }

// Update routes, and tells the session what is now on screen.
func (m *model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	cmd := m.route(msg)
	if sc, ok := m.top().(seeing); ok && m.settled && !m.tooSmall() {
		for _, ev := range sc.seen(m.state, m.room()) {
			m.session.Do(ev)
		}
		m.state = m.session.State()
	}
	return m, cmd
}

func (m *model) route(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.size = size{max(msg.Width, 20), max(msg.Height, 5)}
	case sessionMsg:
		return m.tell(msg.ev)
	case settledMsg:
		if msg.seq == m.seq {
			m.settled = true
			m.in.resume() // an Enter that came too early was not answered
		}
	case tea.KeyMsg:
		return m.key(msg)
	}
	return nil
}

// tell brings an event to the session and follows it where it goes.
func (m *model) tell(ev session.Event) tea.Cmd {
	step, turn := m.state.Step, m.state.Turn
	m.session.Do(ev)
	m.state = m.session.State()
	if m.state.Step != step || m.state.Turn != turn {
		m.enter()
		return m.quiet()
	}
	return nil
}

// enter makes the screen of the step.
func (m *model) enter() {
	m.forget()
	m.stack = nil
	m.screen = screenFor(m.state.Step)
	m.settled = false
	if m.state.Blank {
		m.screen = blankScreen{}
		return
	}
	if m.state.Doubt != nil {
		m.screen = &doubtScreen{}
		return
	}
	if m.state.Step == session.StepPIN {
		m.askPIN()
	}
	if c := m.state.Care; c != nil && c.Secret != nil {
		m.in.hide(c.Secret)
	}
}

// askPIN switches the keyboard to the secret mode.
func (m *model) askPIN() {
	b, err := secret.New(64)
	if err != nil {
		m.state.Problem = err.Error()
		return
	}
	m.pin = b
	if p, ok := m.screen.(*pinScreen); ok {
		p.buffer = b
	}
	if m.state.PIN.WantWord == "" || m.state.PIN.WordDone {
		m.in.hide(b)
	}
}

// enterPIN hands over what was typed. Nothing typed is no PIN.
func (m *model) enterPIN() tea.Cmd {
	if m.pin == nil {
		return nil
	}
	if m.pin.Len() == 0 {
		m.in.hide(m.pin) // Enter has ended the input
		return nil
	}
	pin := m.pin
	m.pin = nil
	m.in.show()
	cmd := m.tell(session.EnterPIN{PIN: pin})
	if m.state.Step == session.StepPIN && m.pin == nil { // not taken: it is asked for again
		m.askPIN()
	}
	return cmd
}

// forget ends the secret mode and wipes what was typed.
func (m *model) forget() {
	m.in.show()
	if m.pin != nil {
		m.pin.Release()
		m.pin = nil
	}
}

// quiet asks to be told when the keyboard was quiet for a while.
func (m *model) quiet() tea.Cmd {
	m.seq++
	seq := m.seq
	wait := settle
	if m.state.Doubt != nil {
		wait = settleDoubt
	}
	return tea.Tick(wait, func(time.Time) tea.Msg { return settledMsg{seq} })
}

// top is the screen that has the keyboard.
func (m *model) top() screen {
	if n := len(m.stack); n > 0 {
		return m.stack[n-1]
	}
	return m.screen
}

// key gives a key to the screen on top.
func (m *model) key(msg tea.KeyMsg) tea.Cmd {
	if m.state.Blank { // the key does nothing else
		return m.tell(session.Activity{})
	}
	if msg.String() == "ctrl+c" {
		return m.leave()
	}
	if !m.settled || m.tooSmall() {
		return m.quiet()
	}
	m.session.Do(session.Activity{})
	sc := m.top()
	for _, b := range sc.keys(m.state, m.room()) {
		if b.is(msg.String()) {
			return m.act(b.do)
		}
	}
	if t, ok := sc.(typing); ok {
		t.typed(msg)
	}
	return nil
}

// act does what a key is bound to.
func (m *model) act(do func() action) tea.Cmd {
	if do == nil {
		return nil
	}
	switch a := do().(type) {
	case nil:
		return nil
	case open:
		m.stack = append(m.stack, a.screen)
	case shut:
		m.shut()
	case apply:
		cmd := m.tell(a.ev)
		m.shut() // where the step changed, it is shut already
		return cmd
	case quit:
		return m.leave()
	case enterPIN:
		return m.enterPIN()
	case typeWord:
		cmd := m.tell(session.TypeWord{Word: a.word})
		if m.state.PIN.WordDone && m.pin != nil {
			m.in.hide(m.pin)
		}
		return cmd
	case send:
		var cmds []tea.Cmd
		for _, ev := range a {
			cmds = append(cmds, m.tell(ev))
		}
		return tea.Batch(cmds...)
	}
	return nil
}

// shut closes the screen that was opened last.
func (m *model) shut() {
	if n := len(m.stack); n > 0 {
		m.stack = m.stack[:n-1]
	}
}

// leave ends the station, unless something signed would be lost.
func (m *model) leave() tea.Cmd {
	if m.state.Unwritten {
		return m.tell(session.ShowHome{}) // which says why not
	}
	return tea.Quit
}
