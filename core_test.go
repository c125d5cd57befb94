//go:build simulation

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// TestNoCoreFile crashes the station while it holds a PIN, where the system
// writes core files: there is none, and the PIN is in nothing that the crash
// prints.
func TestNoCoreFile(t *testing.T) {
	w := watch(t, garbageStays, map[string]string{"PIN": secretPIN}, []string{"--pin", secretPIN})
	openPayment(w.terminal)
	w.press(secretPIN)
	w.keys("Enter")
	w.expect("CLEAR", "leave, log out")
	limits, err := os.ReadFile("/proc/" + strconv.Itoa(w.pid) + "/limits")
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(string(limits), "\n") {
		if rest, ok := strings.CutPrefix(line, "Max core file size"); ok && strings.Join(strings.Fields(rest), " ") != "0 0 bytes" {
			t.Errorf("core files are not switched off: %q", line)
		}
	}
	if err := syscall.Kill(w.pid, syscall.SIGABRT); err != nil {
		t.Fatal(err)
	}
	w.left("exit status 134") // by SIGABRT, after Go has printed its stacks
	if names := cores(t, w.dir); len(names) > 0 {
		t.Errorf("left in its folder: %v", names)
	}
	output, err := os.ReadFile(w.output)
	if err != nil || !strings.Contains(string(output), "goroutine") {
		t.Errorf("the crash printed no stacks, so this tells nothing of them (%v)", err)
	}
	// What the missing core is worth: does another program leave one here?
	control := exec.Command("sh", "-c", "ulimit -c unlimited && kill -ABRT $$")
	control.Dir = t.TempDir()
	_ = control.Run() // it dies
	if len(cores(t, control.Dir)) == 0 {
		pattern, _ := os.ReadFile("/proc/sys/kernel/core_pattern")
		t.Skipf("SKIPPED in part: this system writes no core file into a folder (core_pattern %q), so that there is none says little; the limit of 0 was seen", pattern)
	}
}

// cores lists what is in a folder.
func cores(t *testing.T, dir string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// nobody is a user without rights.
const nobody = 65534

// TestNotDumpable: the kernel gives /proc/PID of a process that may be neither
// dumped nor traced to root, so that programs of the same user cannot read its
// memory.
func TestNotDumpable(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("SKIPPED: only root can start the station as another user")
	}
	name := program(t)
	if err := os.Chmod(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		what  string
		args  []string
		want  string // on the screen, once it is ready
		owner uint32
	}{
		{"the station", []string{name, "--allow-network"}, "Signing station", 0},
		{"any other program", []string{"sh", "-c", "echo ready; exec sleep 60"}, "ready", nobody},
	} {
		master, slave := openPTY(t)
		cmd := exec.Command(c.args[0], c.args[1:]...)
		cmd.Env = append(os.Environ(), "TERM=linux")
		cmd.Dir = "/"
		cmd.Stdin, cmd.Stdout, cmd.Stderr = slave, slave, slave
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		readUntil(t, master, c.want)
		info, err := os.Stat("/proc/" + strconv.Itoa(cmd.Process.Pid) + "/mem")
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Sys().(*syscall.Stat_t).Uid; got != c.owner {
			t.Errorf("%s: its memory belongs to user %d, want %d", c.what, got, c.owner)
		}
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // killed
	}
}

// readUntil reads a terminal until text is there.
func readUntil(t *testing.T, master *os.File, text string) {
	t.Helper()
	var got strings.Builder
	buf := make([]byte, 4096)
	for !strings.Contains(got.String(), text) {
		n, err := master.Read(buf)
		if err != nil {
			t.Fatalf("%q never came: %v\n%q", text, err, got.String())
		}
		got.Write(buf[:n])
	}
}
