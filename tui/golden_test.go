package tui

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/lipgloss"
	"github.com/muesli/termenv"

	"github.com/airlock-signer/airlock/airgap"
	"github.com/airlock-signer/airlock/reader"
	"github.com/airlock-signer/airlock/reader/card"
	"github.com/airlock-signer/airlock/reader/secret"
	"github.com/airlock-signer/airlock/reader/simcard"
	"github.com/airlock-signer/airlock/signer"
	"github.com/airlock-signer/airlock/signer/samples"
	"github.com/airlock-signer/airlock/tui/session"
)

var update = flag.Bool("update", false, "write the golden screens anew")

// stream is random numbers that are the same each time, so that signatures and
// screens are.
type stream struct {
	seed string
	n    uint64
}

func (s *stream) Read(p []byte) (int, error) {
	for i := range p {
		h := sha256.Sum256(binary.BigEndian.AppendUint64([]byte(s.seed), s.n))
		p[i] = h[0]
		s.n++
	}
	return len(p), nil
}

var _ io.Reader = (*stream)(nil)

// steadyMedia is a stick whose free space does not change between two runs.
type steadyMedia struct{ session.Media }

func (m steadyMedia) Watch(ctx context.Context, emit func([]airgap.Volume)) error {
	return m.Media.Watch(ctx, func(v []airgap.Volume) {
		v = append([]airgap.Volume(nil), v...)
		for i := range v {
			v[i].Size, v[i].Free = 4e9, 3.2e9
		}
		emit(v)
	})
}

// typedSecret takes the keys of the secret mode.
type typedSecret struct {
	into   *secret.Buffer
	hidden int // how often the secret mode was switched on
}

func (s *typedSecret) hide(b *secret.Buffer) { s.into, s.hidden = b, s.hidden+1 }
func (s *typedSecret) resume()               {}
func (s *typedSecret) show()                 { s.into = nil }
func (s *typedSecret) drain()                {}

// player plays a sitting through the root model, without a terminal.
type player struct {
	testing.TB
	m        *model
	in       *typedSecret
	events   chan session.Event
	readers  *simcard.Readers
	network  chan airgap.Isolation
	boards   chan []airgap.Keyboard // keyboards; none at the start
	card     simcard.Card
	inserted bool
}

const goldenReader = "Simulated reader"

// play begins a sitting with the sample stick and more files.
func play(t testing.TB, more ...samples.SampleFile) *player {
	t.Helper()
	lipgloss.SetColorProfile(termenv.Ascii)
	stick := filepath.Join(t.TempDir(), "STICK")
	newest := time.Now()
	for i, f := range append(samples.Stick(), more...) {
		name := filepath.Join(stick, filepath.FromSlash(f.Name))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, f.Data, 0o644); err != nil {
			t.Fatal(err)
		}
		when := newest.Add(-time.Duration(i) * time.Minute)
		if err := os.Chtimes(name, when, when); err != nil {
			t.Fatal(err)
		}
	}
	p := &player{TB: t, in: &typedSecret{}, events: make(chan session.Event, 64), readers: simcard.NewReaders(goldenReader), network: make(chan airgap.Isolation), boards: make(chan []airgap.Keyboard)}
	o := simcard.Demo("0.14", "Demo savings")
	o.Random = &stream{seed: "card"}
	satochip, err := simcard.NewSatochip(o)
	if err != nil {
		t.Fatal(err)
	}
	p.card = satochip
	host := &stream{seed: "host"}
	s := session.New(session.Config{
		Readers:   p.readers,
		OpenCard:  func(ctx context.Context, tr card.Transport) (card.Card, error) { return reader.Open(ctx, tr, host) },
		ResetStep: reader.ResetStep,
		Media:     steadyMedia{session.NewMedia(airgap.NewVolumes([]string{stick}))},
		WatchIsolation: func(ctx context.Context, emit func(airgap.Isolation)) {
			emit(airgap.Isolation{Items: []airgap.IsolationItem{{What: "network interfaces", State: "no network interface but loopback"}}})
			for {
				select {
				case i := <-p.network:
					emit(i)
				case <-ctx.Done():
					return
				}
			}
		},
		WatchKeyboards: func(ctx context.Context, emit func([]airgap.Keyboard, error)) {
			emit(nil, nil)
			for {
				select {
				case l := <-p.boards:
					emit(l, nil)
				case <-ctx.Done():
					return
				}
			}
		},
		Demo:     &session.Demo{PIN: simcard.DemoPIN, In: func() bool { return p.inserted }, Toggle: func() {}},
		Settings: signer.Settings{Network: signer.Mainnet},
		Limits:   signer.DefaultLimits(),
	})
	p.m = newModel(s, p.in)
	ctx, cancel := context.WithCancel(context.Background())
	s.Start(ctx, func(ev session.Event) {
		select {
		case p.events <- ev:
		case <-ctx.Done():
		}
	})
	t.Cleanup(func() {
		done, stop := context.WithTimeout(context.Background(), 5*time.Second)
		defer stop()
		s.Close(done)
		cancel()
	})
	return p
}

// until brings events to the model until the state is as wanted; then the
// keyboard is quiet.
func (p *player) until(what string, ok func(session.State) bool) {
	p.Helper()
	timeout := time.After(20 * time.Second)
	for !ok(p.m.state) {
		select {
		case ev := <-p.events:
			p.m.Update(sessionMsg{ev})
		case <-timeout:
			p.Fatalf("waited in vain for %s:\n%s", what, p.m.View())
		}
	}
	p.quiet()
}

func (p *player) quiet() { p.m.Update(settledMsg{p.m.seq}) }

func (p *player) step(s session.Step) {
	p.Helper()
	p.until("a step", func(st session.State) bool { return st.Step == s })
}

// press presses keys, each when the keyboard was quiet.
func (p *player) press(keys ...string) {
	for _, k := range keys {
		p.quiet()
		p.m.Update(keyMsg(k))
	}
	p.quiet()
}

func keyMsg(k string) tea.KeyMsg {
	types := map[string]tea.KeyType{"enter": tea.KeyEnter, "esc": tea.KeyEsc, "up": tea.KeyUp, "down": tea.KeyDown, "left": tea.KeyLeft, "right": tea.KeyRight, "pgdown": tea.KeyPgDown, "ctrl+r": tea.KeyCtrlR, "backspace": tea.KeyBackspace}
	if t, ok := types[k]; ok {
		return tea.KeyMsg{Type: t}
	}
	return tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune(k)}
}

func (p *player) open(name string) {
	p.Helper()
	p.press("enter")
	p.until("the files", func(st session.State) bool { return !st.Scanning && len(st.Files) > 0 })
	for i, f := range p.m.state.Files {
		if f.Path == name {
			p.m.screen.(*filesScreen).chosen = i
		}
	}
	p.press("enter")
	p.until("the preview", func(st session.State) bool { return st.Step == session.StepPreview || st.Step == session.StepMalformed })
}

func (p *player) insert() {
	p.Helper()
	p.inserted = true
	if err := p.readers.Insert(goldenReader, p.card); err != nil {
		p.Fatal(err)
	}
	p.until("the card", func(st session.State) bool { return len(st.Slots) == 1 && st.Slots[0].Opened })
}

func (p *player) pin(digits string) {
	p.Helper()
	for _, d := range []byte(digits) {
		if p.in.into == nil {
			p.Fatal("the keyboard is not in its secret mode")
		}
		if err := p.in.into.Append(d); err != nil {
			p.Fatal(err)
		}
		p.m.Update(tea.KeyMsg{Type: tea.KeyCtrlAt})
	}
}

// golden compares the screen with its picture.
func (p *player) golden(name string) {
	p.Helper()
	p.picture(name, p.m.View())
}

// picture compares a screen with its picture.
func (p *player) picture(name, got string) {
	p.Helper()
	lines := strings.Split(got, "\n")
	if len(lines) != minHeight {
		p.Errorf("%s: %d lines", name, len(lines))
	}
	for i, l := range lines {
		if w := lipgloss.Width(l); w > minWidth {
			p.Errorf("%s: line %d is %d wide", name, i+1, w)
		}
		lines[i] = strings.TrimRight(l, " ")
	}
	checkGlyphs(p.TB, name, got)
	got = strings.Join(lines, "\n") + "\n"
	file := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			p.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			p.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		p.Fatal(err)
	}
	if got != string(want) {
		p.Errorf("%s differs from its picture (go test ./tui -update writes it anew):\n%s", name, got)
	}
}

// checkGlyphs lets nothing through that the Linux console cannot draw.
func checkGlyphs(t testing.TB, name, screen string) {
	t.Helper()
	for _, r := range screen {
		if r < 0x20 && r != '\n' || r > 0x7e && !strings.ContainsRune("─│┌┐└┘═║▀▄█▌▐░▒▓○→←↑↓•·", r) {
			t.Errorf("%s: %q (%U) is not in the console's font", name, r, r)
		}
	}
}
