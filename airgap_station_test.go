//go:build simulation

package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestTheStationIsSealed: every thread of the running station has the filter
// that lets it open no connection (airgap.DenyNetwork), and cannot gain
// privileges.
func TestTheStationIsSealed(t *testing.T) {
	master, slave := openPTY(t)
	cmd := exec.Command(program(t), "--demo", "--allow-network", "--media", sampleStick(t))
	cmd.Env = append(os.Environ(), "TERM=linux")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = slave, slave, slave
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // it was killed
	}()
	for seen, buf := "", make([]byte, 4096); !strings.Contains(seen, "Signing station"); {
		n, err := master.Read(buf)
		if err != nil {
			t.Fatalf("%v after %q", err, seen)
		}
		seen += string(buf[:n])
	}
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", cmd.Process.Pid))
	if err != nil || len(tasks) == 0 {
		t.Fatalf("no threads: %v", err)
	}
	for _, task := range tasks {
		status, err := os.ReadFile(task)
		if err != nil {
			continue // a thread that ended meanwhile
		}
		for _, want := range []string{"\nSeccomp:\t2\n", "\nNoNewPrivs:\t1\n"} {
			if !bytes.Contains(status, []byte(want)) {
				t.Errorf("%s: not %q", task, want)
			}
		}
	}
}
