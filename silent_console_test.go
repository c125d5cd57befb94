//go:build simulation

package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// openPTY makes a pseudo terminal of 80×25 that never answers a query, as the
// first console of the image does.
func openPTY(t *testing.T) (master, slave *os.File) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("SKIPPED: no pseudo terminals here: %v", err)
	}
	t.Cleanup(func() { master.Close() })
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	slave, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { slave.Close() })
	if err := unix.IoctlSetWinsize(int(slave.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 25, Col: 80}); err != nil {
		t.Fatal(err)
	}
	return master, slave
}

// queries are what a program asks a terminal; on a silent console it would
// wait for the answer.
var queries = []string{"\x1b]10;?", "\x1b]11;?", "\x1b[6n", "\x1b[c", "\x1b[>c"}

// TestSilentConsole runs the station and a small command on a console that
// never answers: the first screen comes, and nothing was asked.
func TestSilentConsole(t *testing.T) {
	name := program(t)
	stick := sampleStick(t)
	for _, kind := range []string{"linux", "xterm", "xterm-256color"} {
		for _, c := range []struct {
			args []string
			want string
		}{
			{[]string{"--demo", "--allow-network", "--media", stick}, "Signing station"},
			{[]string{"help"}, "usage:"},
		} {
			out := runSilently(t, name, kind, c.args, c.want)
			for _, q := range queries {
				if strings.Contains(out, q) {
					t.Errorf("TERM=%s airlock %s asks the terminal %q", kind, strings.Join(c.args, " "), q)
				}
			}
		}
	}
}

// runSilently collects what the program draws until want is there.
func runSilently(t *testing.T, name, kind string, args []string, want string) string {
	t.Helper()
	master, slave := openPTY(t)
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), "TERM="+kind, "COLORTERM=")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = slave, slave, slave
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	begin := time.Now()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // killed
	}()
	var got bytes.Buffer
	buf := make([]byte, 4096)
	if err := master.SetReadDeadline(time.Now().Add(waiting)); err != nil {
		t.Logf("no deadline on this pty: %v", err)
	}
	for !strings.Contains(got.String(), want) {
		n, err := master.Read(buf)
		if err != nil {
			t.Fatalf("TERM=%s: %q never came: %v\n%q", kind, want, err, got.String())
		}
		got.Write(buf[:n])
	}
	t.Logf("TERM=%s airlock %s: there after %v", kind, args[0], time.Since(begin).Round(time.Millisecond))
	return got.String()
}
