package airgap

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/fstest"
	"testing/iotest"

	"golang.org/x/sys/unix"
)

// event is one struct input_event.
func event(kind, code uint16, value uint32) []byte {
	b := make([]byte, eventSize)
	binary.NativeEndian.PutUint16(b[eventType:], kind)
	binary.NativeEndian.PutUint16(b[eventType+2:], code)
	binary.NativeEndian.PutUint32(b[eventValue:], value)
	return b
}

// typed is what a keyboard sends for n keys: scan code, press, end, repeat,
// release.
func typed(n int) []byte {
	var all []byte
	for range n {
		all = slices.Concat(all, event(4, 4, 30), event(1, 30, 1), event(0, 0, 0), event(1, 30, 2), event(1, 30, 0), event(0, 0, 0))
	}
	return all
}

func TestPresses(t *testing.T) {
	for _, n := range []int{0, 1, 7, 100} {
		for _, cut := range []int{0, 1, eventSize - 1} {
			sent := append(typed(n), typed(1)[:cut]...)
			for _, r := range []io.Reader{bytes.NewReader(sent), iotest.OneByteReader(bytes.NewReader(sent)), iotest.HalfReader(bytes.NewReader(sent))} {
				count := 0
				if err := presses(r, func() { count++ }); err != nil || count != n {
					t.Errorf("%d keys and %d bytes: %d, %v", n, cut, count, err)
				}
			}
		}
	}
	if err := presses(iotest.ErrReader(unix.ENODEV), func() { t.Error("a press") }); !errors.Is(err, unix.ENODEV) {
		t.Error(err)
	}
}

// TestWatchPresses has a pipe for the device, which has the device number 0.
func TestWatchPresses(t *testing.T) {
	dev := t.TempDir()
	pipe := filepath.Join(dev, "event5")
	if err := unix.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	k := Keyboard{Node: "input7"}
	machine := func(number string) fstest.MapFS {
		return change{"sys/class/input/input7/event5/dev": number + "\n", "sys/class/input/input7/name": "x"}.on(fstest.MapFS{})
	}
	keyboard, err := os.OpenFile(pipe, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	pressed, done := make(chan struct{}), make(chan error)
	go func() { done <- watchPresses(ctx, machine("0:0"), dev, k, func() { pressed <- struct{}{} }) }()
	if _, err := keyboard.Write(typed(3)); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		<-pressed
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	never := func() { t.Error("a press") }
	for name, err := range map[string]error{
		"another device": watchPresses(t.Context(), machine("13:69"), dev, k, never),
		"no number":      watchPresses(t.Context(), machine(""), dev, k, never),
		"no node":        watchPresses(t.Context(), machine("0:0"), t.TempDir(), k, never),
		"no keyboard":    watchPresses(t.Context(), fstest.MapFS{}, dev, k, never),
		"no events":      watchPresses(t.Context(), input("input7", "x", "y", keysPC).on(fstest.MapFS{}), dev, k, never),
	} {
		if !errors.Is(err, ErrNoPresses) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// Pulled: the device ends.
	go func() { done <- watchPresses(t.Context(), machine("0:0"), dev, k, never) }()
	if _, err := keyboard.Write(event(0, 0, 0)); err != nil {
		t.Fatal(err)
	}
	waitEmpty(t, keyboard)
	_ = keyboard.Close()
	if err := <-done; !errors.Is(err, io.EOF) {
		t.Error(err)
	}
}

// waitEmpty waits until somebody has read all of a pipe.
func waitEmpty(t *testing.T, pipe *os.File) {
	t.Helper()
	for {
		n, err := unix.IoctlGetInt(int(pipe.Fd()), unix.TIOCINQ)
		if err != nil {
			t.Fatal(fmt.Errorf("the pipe: %w", err))
		}
		if n == 0 {
			return
		}
	}
}
