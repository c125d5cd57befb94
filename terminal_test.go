//go:build simulation

package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// terminal is the real program in a real terminal of 80×25, driven by keys and
// read from the screen, as a person would.
type terminal struct {
	*testing.T
	socket string
}

var buildOnce = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "airlock-build-")
	if err != nil {
		return "", err
	}
	name := filepath.Join(dir, "airlock")
	out, err := exec.Command("go", "build", "-tags", "simulation", "-o", name, ".").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return name, nil
})

// program is the station, built with the simulation in.
func program(t *testing.T) string {
	t.Helper()
	name, err := buildOnce()
	if err != nil {
		t.Fatal(err)
	}
	return name
}

func TestMain(m *testing.M) {
	code := m.Run()
	if name, err := buildOnce(); err == nil {
		_ = os.RemoveAll(filepath.Dir(name))
	}
	os.Exit(code)
}

// startTerminal runs a command line in a terminal of its own.
func startTerminal(t *testing.T, env []string, argv ...string) *terminal {
	t.Helper()
	if _, err := exec.LookPath("tmux"); err != nil {
		t.Skip("SKIPPED: tmux is not installed (make test installs it)")
	}
	term := &terminal{T: t, socket: filepath.Join(t.TempDir(), "tmux")}
	args := []string{"-S", term.socket, "-f", "/dev/null", "new-session", "-d", "-x", "80", "-y", "25"}
	for _, e := range env {
		args = append(args, "-e", e)
	}
	var quoted []string
	for _, a := range argv {
		quoted = append(quoted, "'"+strings.ReplaceAll(a, "'", `'\''`)+"'")
	}
	// The shell stays, so that the last screen and the exit status can be read,
	// also where the program died and left the terminal in raw mode.
	line := strings.Join(quoted, " ") + `; s=$?; stty sane; printf '\r\nexit status %d\n' $s; exec cat`
	if out, err := exec.Command("tmux", append(args, line)...).CombinedOutput(); err != nil {
		t.Fatalf("tmux: %v: %s", err, out)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the last screen:\n%s", term.screen())
		}
		_ = exec.Command("tmux", "-S", term.socket, "kill-server").Run()
	})
	return term
}

// screen is what is drawn.
func (term *terminal) screen() string {
	var out bytes.Buffer
	cmd := exec.Command("tmux", "-S", term.socket, "capture-pane", "-p")
	cmd.Stdout = &out
	_ = cmd.Run() // an empty screen fails the test that waits for more
	return out.String()
}

// waiting is how long a screen may take: generous, for a loaded machine.
const waiting = 60 * time.Second

// expect waits until all texts are on the screen.
func (term *terminal) expect(texts ...string) string {
	term.Helper()
	deadline := time.Now().Add(waiting)
	for {
		s := term.screen()
		missing := ""
		for _, text := range texts {
			if !strings.Contains(s, text) {
				missing = text
			}
		}
		if missing == "" {
			return s
		}
		if time.Now().After(deadline) {
			term.Fatalf("%q is not on the screen:\n%s", missing, s)
		}
		time.Sleep(30 * time.Millisecond)
	}
}

// keys sends keys by their tmux names ("Enter", "Down", "a").
func (term *terminal) keys(names ...string) {
	term.Helper()
	for _, n := range names {
		if out, err := exec.Command("tmux", "-S", term.socket, "send-keys", n).CombinedOutput(); err != nil {
			term.Fatalf("tmux: %v: %s", err, out)
		}
	}
}

// text types text.
func (term *terminal) text(s string) {
	term.Helper()
	if out, err := exec.Command("tmux", "-S", term.socket, "send-keys", "-l", s).CombinedOutput(); err != nil {
		term.Fatalf("tmux: %v: %s", err, out)
	}
}

// shot appends the screen to the file that AIRLOCK_SHOTS names: so the pictures
// in README.md come from the real program (make shots).
func (term *terminal) shot(name string) {
	term.Helper()
	file := os.Getenv("AIRLOCK_SHOTS")
	if file == "" {
		return
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		term.Fatal(err)
	}
	defer f.Close()
	if _, err := fmt.Fprintf(f, "== %s\n%s\n", name, term.screen()); err != nil {
		term.Fatal(err)
	}
}

// choose moves down a list until the row begins with name.
func (term *terminal) choose(name string) {
	term.Helper()
	term.expect("Enter open │ r look again")
	for range 100 {
		if strings.Contains(term.screen(), "> "+name+" ") {
			return
		}
		before := term.screen()
		term.keys("Down")
		for i := 0; i < 100 && term.screen() == before; i++ {
			time.Sleep(20 * time.Millisecond)
		}
	}
	term.Fatalf("%s is not in the list:\n%s", name, term.screen())
}

// readReview turns the pages, acknowledging what wants it, until the approval.
func (term *terminal) readReview() {
	term.Helper()
	for range 100 {
		s := term.expect("leave, log out")
		if strings.Contains(s, "a acknowledge") {
			term.keys("a")
			s = term.expect("Acknowledged.", "leave, log out")
		}
		if strings.Contains(s, "Enter go on to approve") {
			term.keys("Enter")
			term.expect("Enter sign, if the amount is right")
			return
		}
		term.keys("Enter")
		deadline := time.Now().Add(waiting)
		for term.screen() == s && time.Now().Before(deadline) {
			time.Sleep(20 * time.Millisecond)
		}
	}
	term.Fatal("the review has no end")
}

// sampleStick writes the sample stick into a folder.
func sampleStick(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "stick")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(program(t), "samples", dir).CombinedOutput(); err != nil {
		t.Fatalf("samples: %v: %s", err, out)
	}
	return dir
}
