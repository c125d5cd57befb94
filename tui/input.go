package tui

import (
	"os"
	"sync"
	"unicode/utf8"

	"golang.org/x/sys/unix"

	"github.com/airlock-signer/airlock/reader/secret"
)

// input stands between the keyboard and bubbletea. In its secret mode the bytes
// typed go straight from the terminal into locked pages, and bubbletea learns
// only that a key was pressed (a NUL for each), that Enter or Escape was, or
// Ctrl+C.
//
// It looks like the file it wraps, so that bubbletea switches the terminal to
// raw mode and can cancel a read.
type input struct {
	file  *os.File
	plain bool // a secret passes through bubbletea as well: for one test

	mu      sync.Mutex
	into    *secret.Buffer // nil outside the secret mode
	scratch *secret.Buffer // what was read, on its way into the secret
	inEsc   bool           // in the middle of an escape sequence
	done    bool           // Enter was pressed: nothing more goes in
}

const (
	keyEsc   = 0x1b
	keyEnter = '\r'
	keyNone  = 0x00 // a key was pressed: which one is nobody's business
	ctrlC    = 0x03
	ctrlR    = 0x12
)

func newInput(f *os.File) (*input, error) {
	scratch, err := secret.New(256)
	if err != nil {
		return nil, err
	}
	return &input{file: f, scratch: scratch}, nil
}

// hide switches the secret mode on: keys go to b from now on. What was typed
// before is thrown away.
func (in *input) hide(b *secret.Buffer) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.into, in.inEsc, in.done = b, false, false
	in.drain()
}

// resume takes keys again after an Enter that nobody answered.
func (in *input) resume() {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.done = false
}

// show switches the secret mode off.
func (in *input) show() {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.into = nil
	in.scratch.Clear()
}

// drain throws away what was typed and not yet read.
func (in *input) drain() {
	// Fails where the input is no terminal: there is no queue then.
	_ = unix.IoctlSetInt(int(in.file.Fd()), unix.TCFLSH, unix.TCIFLUSH)
}

// pending tells whether a read would come back at once.
func (in *input) pending() bool {
	for {
		fds := []unix.PollFd{{Fd: int32(in.file.Fd()), Events: unix.POLLIN}}
		if n, err := unix.Poll(fds, 0); err != unix.EINTR {
			return err != nil || n > 0
		}
	}
}

// Read gives bubbletea its input. Bubbletea calls it when there is some; it may
// have been drained since. It does not wait then: a read begun outside the
// secret mode would get the first key of the secret.
func (in *input) Read(p []byte) (int, error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	switch {
	case !in.pending():
		p[0] = keyNone
		return 1, nil
	case in.into == nil:
		return in.file.Read(p)
	case in.plain:
		return in.readPlain(p)
	}
	_, err := in.scratch.Fill(in.file.Read)
	if err != nil {
		return 0, err
	}
	n := 0
	in.scratch.Use(func(b []byte) { n = in.take(b, p) })
	in.scratch.Clear()
	if n == 0 {
		p[0], n = keyNone, 1 // a read of nothing would end bubbletea's loop
	}
	return n, nil
}

// take moves typed bytes into the secret and writes what bubbletea may know to
// p, which is as large as the scratch.
func (in *input) take(typed, p []byte) int {
	n := 0
	tell := func(key byte) {
		if n < len(p) {
			p[n] = key
			n++
		}
	}
	if len(typed) == 1 && typed[0] == keyEsc {
		tell(keyEsc)
		return n
	}
	for len(typed) > 0 {
		_, size := utf8.DecodeRune(typed)
		c := typed[0]
		switch {
		case in.inEsc:
			// ESC [ … letter, or ESC O letter: a cursor or function key, which is
			// no part of a secret.
			in.inEsc = c == '[' || c == 'O' || c < 0x40
		case c == keyEsc:
			in.inEsc = true
		case c == '\r' || c == '\n':
			in.done = true
			tell(keyEnter)
		case c == ctrlC:
			tell(ctrlC)
		case in.done:
		case c == ctrlR: // shows and hides, and says nothing of the secret
			tell(ctrlR)
		case (c == 0x7f || c == 0x08) && in.into.Len() == 0:
			tell(0x7f)
		case c == 0x7f || c == 0x08:
			in.into.Backspace()
			tell(keyNone)
		case c == 0x15: // Ctrl+U
			in.into.Clear()
			tell(keyNone)
		case c < 0x20:
		default:
			// Beyond the capacity nothing is added: no PIN is that long.
			_ = in.into.Append(typed[:size]...)
			tell(keyNone)
		}
		typed = typed[size:]
	}
	return n
}

// Write, Close, Fd and Name are the wrapped file's.
func (in *input) Write(p []byte) (int, error) { return in.file.Write(p) }

// Close does nothing: the file belongs to the process.
func (in *input) Close() error { return nil }

// Fd of the terminal.
func (in *input) Fd() uintptr { return in.file.Fd() }

// Name of the terminal.
func (in *input) Name() string { return in.file.Name() }
