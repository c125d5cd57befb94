package airgap

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/bits"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Keyboard is one device that can type. Name, Phys and Uniq come from the
// device: outside text, to be escaped before it is shown.
type Keyboard struct {
	Node string // the kernel's name of it, "input7"; a number is never used twice while the system runs
	Name string
	Phys string // where it is plugged in: "usb-0000:00:14.0-3/input0", "isa0060/serio0/input0"
	Uniq string // its serial number or radio address; most have none
	ID   string // bus:vendor:product:version, in hex
}

// Same reports whether two are one and the same kind of device in the same
// place. A keyboard that was pulled and plugged in again is the Same under
// another Node; so may be a false one that took its place.
func (k Keyboard) Same(other Keyboard) bool {
	k.Node, other.Node = "", ""
	return k == other
}

// Appeared gives those of now that were not there before. What was pulled and
// came back counts: nothing proves that it is the same.
func Appeared(before, now []Keyboard) []Keyboard {
	var list []Keyboard
	for _, k := range now {
		if !slices.ContainsFunc(before, func(b Keyboard) bool { return b.Node == k.Node }) {
			list = append(list, k)
		}
	}
	return list
}

const (
	inputDir = "sys/class/input"
	// maxInputValue bounds one attribute of a device; the kernel's own bound is a
	// page.
	maxInputValue = 4096
)

// Keyboards gives the keyboards of this machine, in a stable order, from
// /sys/class/input through root (os.DirFS("/")). A keyboard is whatever has a
// key of the typing block, Esc to Delete and the keypad: also a card or a stick
// that types, and a remote control with an Enter key. Mice, power buttons and
// volume keys have none. (Not from /proc/bus/input/devices: there, a device
// could write lines of its own by its name.)
//
// A device whose keys cannot be read counts as a keyboard. An error means that
// nothing could be learned; a kernel without input devices has no keyboard.
func Keyboards(root fs.FS) ([]Keyboard, error) {
	nodes, err := inputNodes(root)
	if err != nil {
		return nil, err
	}
	var list []Keyboard
	for _, node := range nodes {
		if k, ok := keyboard(root, node); ok {
			list = append(list, k)
		}
	}
	return list, nil
}

// inputNodes are the names of the input devices, sorted.
func inputNodes(root fs.FS) ([]string, error) {
	list, err := fs.ReadDir(root, inputDir)
	if errors.Is(err, fs.ErrNotExist) {
		// Without /sys there is nothing to go by; with it, there are no devices.
		_, err = fs.Stat(root, path.Dir(inputDir))
	}
	if err != nil {
		return nil, fmt.Errorf("keyboards: %w", err)
	}
	var nodes []string
	for _, e := range list {
		if number, found := strings.CutPrefix(e.Name(), "input"); found {
			if _, err := strconv.ParseUint(number, 10, 32); err == nil {
				nodes = append(nodes, e.Name())
			}
		}
	}
	return nodes, nil
}

// keyboard reads one device; false where it is none, or has gone.
func keyboard(root fs.FS, node string) (Keyboard, bool) {
	dir := path.Join(inputDir, node)
	// While a device is being added, its keys are the last to appear: then it is
	// found at the next look.
	keys, err := inputValue(root, dir+"/capabilities/key")
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENODEV) {
		return Keyboard{}, false
	}
	if err == nil {
		// What is no bitmap is no proof either.
		if typing, ok := hasTypingKey(keys); ok && !typing {
			return Keyboard{}, false
		}
	}
	// What cannot be read of the rest stays empty; the Node tells them apart.
	text := func(name string) string { s, _ := inputValue(root, dir+"/"+name); return s }
	return Keyboard{
		Node: node, Name: text("name"), Phys: text("phys"), Uniq: text("uniq"),
		ID: strings.Join([]string{text("id/bustype"), text("id/vendor"), text("id/product"), text("id/version")}, ":"),
	}, true
}

// inputValue reads one attribute, without the line's end.
func inputValue(root fs.FS, name string) (string, error) {
	f, err := root.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxInputValue))
	return strings.TrimSuffix(string(data), "\n"), err
}

// Codes of the typing block (linux/input-event-codes.h): KEY_ESC to KEY_DELETE,
// which holds letters, digits, both Enter keys and the keypad.
const (
	firstTyping = 1
	lastTyping  = 111
)

// hasTypingKey reads a bitmap of keys as the kernel prints it: hex words of this
// machine's size, the highest first, leading zeros left out. ok is false where
// it is none.
func hasTypingKey(bitmap string) (typing, ok bool) {
	words := strings.Fields(bitmap)
	if len(words) == 0 {
		return false, false
	}
	for i, word := range words {
		n, err := strconv.ParseUint(word, 16, bits.UintSize)
		if err != nil {
			return false, false
		}
		first := (len(words) - 1 - i) * bits.UintSize // the code of its lowest bit
		for ; n != 0; n &= n - 1 {
			code := first + bits.TrailingZeros64(n)
			typing = typing || code >= firstTyping && code <= lastTyping
		}
	}
	return typing, true
}

// keyboardLook is the time between two looks of WatchKeyboards: what is typed
// before a new keyboard is noticed still goes through, so it is short.
const keyboardLook = 200 * time.Millisecond

// WatchKeyboards calls emit from one goroutine until ctx ends: first with what
// is there, then whenever a keyboard comes or goes, seen within a second. An
// error is emitted when it comes and when it has gone; with it comes no list.
func WatchKeyboards(ctx context.Context, root fs.FS, emit func([]Keyboard, error)) {
	ticks := time.NewTicker(keyboardLook)
	defer ticks.Stop()
	watchKeyboards(ctx, root, ticks.C, emit)
}

func watchKeyboards(ctx context.Context, root fs.FS, ticks <-chan time.Time, emit func([]Keyboard, error)) {
	var last []Keyboard
	var lastErr error
	for first := true; ctx.Err() == nil; first = false {
		list, err := Keyboards(root)
		if first || (err == nil) != (lastErr == nil) || !slices.Equal(list, last) {
			last, lastErr = list, err
			emit(slices.Clone(list), err)
		}
		select {
		case <-ctx.Done():
		case <-ticks:
		}
	}
}
