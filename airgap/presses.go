package airgap

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"unsafe"

	"golang.org/x/sys/unix"
)

// ErrNoPresses: this account may not listen to a keyboard by itself (on a
// desktop, only the desktop may; on the image the station does).
var ErrNoPresses = &Error{"This station cannot tell on which keyboard something was typed."}

// WatchPresses calls emit at each key that is pressed on one keyboard, until
// ctx ends or the keyboard goes: what a terminal brings does not tell from which
// keyboard it came. Only that a key was pressed is told, not which; nothing is
// taken away from the terminal. Errors: ErrNoPresses with the system's error, or
// that of ctx; io.EOF when the keyboard was pulled.
func WatchPresses(ctx context.Context, k Keyboard, emit func()) error {
	return watchPresses(ctx, os.DirFS("/"), "/dev/input", k, emit)
}

func watchPresses(ctx context.Context, root fs.FS, dev string, k Keyboard, emit func()) error {
	file, err := openEvents(root, dev, k)
	if err != nil {
		return errors.Join(ErrNoPresses, err)
	}
	defer file.Close() // a second time, where ctx ended: harmless
	defer context.AfterFunc(ctx, func() { file.Close() })()
	err = presses(file, emit)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err == nil || errors.Is(err, unix.ENODEV) {
		return io.EOF
	}
	return errors.Join(ErrNoPresses, err)
}

var eventName = regexp.MustCompile(`^event[0-9]+$`)

// openEvents opens the device by which the kernel tells of one keyboard.
func openEvents(root fs.FS, dev string, k Keyboard) (*os.File, error) {
	list, err := fs.ReadDir(root, path.Join(inputDir, k.Node))
	if err != nil {
		return nil, err
	}
	for _, e := range list {
		if !eventName.MatchString(e.Name()) {
			continue
		}
		number, err := inputValue(root, path.Join(inputDir, k.Node, e.Name(), "dev"))
		if err != nil {
			return nil, err
		}
		fd, err := unix.Open(filepath.Join(dev, e.Name()), unix.O_RDONLY|unix.O_NONBLOCK|unix.O_NOCTTY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", e.Name(), err)
		}
		file := os.NewFile(uintptr(fd), e.Name())
		var st unix.Stat_t
		major, minor, ok := parseDevice(number)
		if err := unix.Fstat(fd, &st); err != nil || !ok || st.Rdev != unix.Mkdev(major, minor) {
			return nil, errors.Join(fmt.Errorf("%s is another device", e.Name()), err, file.Close())
		}
		return file, nil
	}
	return nil, fmt.Errorf("%s: %w", k.Node, fs.ErrNotExist)
}

// An event is struct input_event (linux/input.h): a time, a type, a code and a
// value.
const (
	eventType  = int(unsafe.Sizeof(unix.Timeval{}))
	eventValue = eventType + 4
	eventSize  = eventType + 8
	eventKey   = 1 // EV_KEY, of which the value 1 is a press, 0 a release, 2 a repeat
)

// presses reads events until the end.
func presses(r io.Reader, emit func()) error {
	buf := make([]byte, 64*eventSize)
	kept := 0
	for {
		n, err := r.Read(buf[kept:])
		kept += n
		at := 0
		for ; kept-at >= eventSize; at += eventSize {
			kind := binary.NativeEndian.Uint16(buf[at+eventType:])
			value := binary.NativeEndian.Uint32(buf[at+eventValue:])
			if kind == eventKey && value == 1 {
				emit()
			}
		}
		kept = copy(buf, buf[at:kept])
		clear(buf[kept:]) // what was typed does not stay
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
