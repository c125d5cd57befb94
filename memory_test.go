//go:build simulation

package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// fragment is the length, in bytes, from which a piece of a secret counts as
// the secret; wide is the same in characters for the encodings that take several
// bytes for each: two characters would be any two small numbers.
const (
	fragment = 6
	wide     = 3
)

// needle is a piece of a secret in one of its forms.
type needle struct {
	of, form string
	text     []byte
}

// needles are all pieces of a secret. Whatever holds more of it holds one of
// these. Text (ASCII) is looked for as bytes, as UTF-16 and as 32-bit runes: the
// wide forms have no zeros at their ends, so that each is the same both ways
// round. A key is looked for as bytes and backwards, as scalars and the words of
// hash functions have it in the memory of a small-endian machine.
func needles(of, secret string) []needle {
	var list []needle
	for i := range len(secret) - fragment + 1 {
		list = append(list, needle{of, "bytes", []byte(secret[i : i+fragment])})
	}
	if strings.ContainsFunc(secret, func(r rune) bool { return r < 0x20 || r > 0x7e }) {
		back := []byte(secret)
		slices.Reverse(back)
		for i := range len(back) - fragment + 1 {
			list = append(list, needle{of, "bytes, backwards", back[i : i+fragment]})
		}
		return list
	}
	for i := range len(secret) - wide + 1 {
		var u16, u32 []byte
		for _, c := range []byte(secret[i : i+wide]) {
			u16, u32 = binary.BigEndian.AppendUint16(u16, uint16(c)), binary.BigEndian.AppendUint32(u32, uint32(c))
		}
		list = append(list, needle{of, "UTF-16", u16[1:]}, needle{of, "32-bit runes", u32[3:]})
	}
	return list
}

// haystack looks for needles; a table of their first two bytes makes it fast.
type haystack struct {
	begins  [1 << 16]bool
	needles map[[2]byte][]needle
	longest int
}

func newHaystack(secrets map[string]string) *haystack {
	h := &haystack{needles: map[[2]byte][]needle{}}
	for of, secret := range secrets {
		for _, n := range needles(of, secret) {
			h.begins[binary.BigEndian.Uint16(n.text)] = true
			h.needles[[2]byte(n.text)] = append(h.needles[[2]byte(n.text)], n)
			h.longest = max(h.longest, len(n.text))
		}
	}
	return h
}

// pageSize is the step in which memory that was never used is passed over.
const pageSize = 4096

// each calls found with every needle in b and where it is.
func (h *haystack) each(b []byte, found func(n needle, at int)) {
	var zero [pageSize]byte
	for i := 0; i+1 < len(b); i++ {
		if i%pageSize == 0 && bytes.HasPrefix(b[i:], zero[:]) {
			i += pageSize - 1 - h.longest // one that begins with zeros may end in the next page
			continue
		}
		if !h.begins[binary.BigEndian.Uint16(b[i:])] {
			continue
		}
		for _, n := range h.needles[[2]byte(b[i:])] {
			if len(b)-i >= len(n.text) && string(b[i:i+len(n.text)]) == string(n.text) {
				found(n, i)
			}
		}
	}
}

// region is one mapping of a process.
type region struct {
	from, to    uint64
	perms, name string
	locked      bool // a page of package secret: locked, not dumped, wiped on fork
}

func (r region) String() string { return fmt.Sprintf("%x-%x %s %s", r.from, r.to, r.perms, r.name) }

// regions reads the mappings of a process.
func regions(t *testing.T, pid int) []region {
	t.Helper()
	f, err := os.Open(fmt.Sprintf("/proc/%d/smaps", pid))
	if err != nil {
		noMemory(t, err)
	}
	defer f.Close()
	var list []region
	for lines := bufio.NewScanner(f); lines.Scan(); {
		line := lines.Text()
		if flags, ok := strings.CutPrefix(line, "VmFlags:"); ok {
			has := map[string]bool{}
			for _, flag := range strings.Fields(flags) {
				has[flag] = true
			}
			list[len(list)-1].locked = has["lo"] && has["dd"] && has["wf"]
			continue
		}
		var r region
		var offset, device, inode string
		if n, _ := fmt.Sscanf(line, "%x-%x %s %s %s %s %s", &r.from, &r.to, &r.perms, &offset, &device, &inode, &r.name); n >= 6 {
			list = append(list, r)
		}
	}
	if len(list) == 0 {
		t.Fatalf("process %d has no mappings", pid)
	}
	return list
}

// noMemory skips where the system does not let this user look into a process.
func noMemory(t *testing.T, err error) {
	t.Helper()
	if errors.Is(err, fs.ErrPermission) && os.Getenv("CI") == "" {
		t.Skipf("SKIPPED, no memory was searched for secrets: this user may not read the memory of a process (root with CAP_SYS_PTRACE may): %v", err)
	}
	t.Fatal(err)
}

// sighting is a needle in the memory of a process.
type sighting struct {
	needle
	region
	at      uint64
	context string
}

func (s sighting) String() string {
	return fmt.Sprintf("%s as %s at %x in %s: %q", s.of, s.form, s.at, s.region, s.context)
}

// image is what a search saw.
type image struct {
	sightings []sighting
	size      int // bytes that were read
	missed    int // pages that cannot be read: guards of thread stacks
}

// outside are the sightings of a secret outside the locked pages; inside counts
// those within.
func (i image) outside(of string) (list []sighting, inside int) {
	for _, s := range i.sightings {
		switch {
		case s.of != of:
		case s.locked:
			inside++
		default:
			list = append(list, s)
		}
	}
	return list, inside
}

// searchMemory stops a process, searches every mapping that it can read, and
// lets it go on.
func searchMemory(t *testing.T, pid int, h *haystack) image {
	t.Helper()
	mem, err := os.Open(fmt.Sprintf("/proc/%d/mem", pid))
	if err != nil {
		noMemory(t, err)
	}
	defer mem.Close()
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	defer syscall.Kill(pid, syscall.SIGCONT)
	awaitStopped(t, pid)
	var img image
	for _, r := range regions(t, pid) {
		// The code of the program and of its libraries is the file's: nothing can
		// be written there, and machine code looks like any six bytes now and then.
		code := strings.HasPrefix(r.perms, "r-x") && strings.HasPrefix(r.name, "/")
		if r.perms[0] == 'r' && !code && !strings.HasPrefix(r.name, "[vvar") && r.name != "[vsyscall]" {
			img.search(mem, r, h)
		}
	}
	if img.size < 8<<20 {
		t.Fatalf("only %d bytes of process %d could be read", img.size, pid)
	}
	return img
}

// awaitStopped waits until every thread has stopped.
func awaitStopped(t *testing.T, pid int) {
	t.Helper()
	for deadline := time.Now().Add(waiting); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		threads, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
		if err != nil {
			t.Fatal(err)
		}
		running := false
		for _, thread := range threads {
			stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/stat", pid, thread.Name()))
			_, state, ok := strings.Cut(string(stat), ") ")
			running = running || err != nil || !ok || state[0] != 'T'
		}
		if !running {
			return
		}
	}
	t.Fatalf("process %d does not stop", pid)
}

// search reads a mapping in pieces that overlap by less than a needle.
func (i *image) search(mem *os.File, r region, h *haystack) {
	const piece = 1 << 20
	buf := make([]byte, piece+h.longest-1)
	for at := r.from; at < r.to; at += piece {
		b := buf[:min(uint64(len(buf)), r.to-at)]
		if _, err := mem.ReadAt(b, int64(at)); err != nil {
			clear(b)
			for p := 0; p < len(b); p += pageSize {
				if _, err := mem.ReadAt(b[p:min(p+pageSize, len(b))], int64(at)+int64(p)); err != nil {
					i.missed++
				}
			}
		}
		i.size += int(min(piece, r.to-at))
		h.each(b, func(n needle, in int) {
			if in < piece { // else the next piece has it
				context := string(b[max(0, in-16):min(len(b), in+32)])
				i.sightings = append(i.sightings, sighting{n, r, at + uint64(in), context})
			}
		})
	}
}

// TestSearchOfMemory: what the search must find, it finds, also where a secret
// lies across two pieces.
func TestSearchOfMemory(t *testing.T) {
	const secret = "83602957"
	h := newHaystack(map[string]string{
		"PIN": secret, "key": "\x01\x02\x03\x04\x05\x06\x07\x08", "other key": "\x00\x00\x00\x00\x01\x02",
	})
	for _, c := range []struct {
		name, text string
		want       int
	}{
		{"whole", "xx" + secret + "xx", 3},
		{"six of it", "x" + secret[2:] + "x", 1},
		{"five of it", "x" + secret[3:] + "x", 0},
		{"three runes", "8\x00\x00\x003\x00\x00\x006\x00\x00\x00", 1},
		{"three runes, big endian", "\x00\x00\x002\x00\x00\x009\x00\x00\x005", 1},
		{"three of UTF-16", "x8\x003\x006\x00", 1},
		{"three of UTF-16, big endian", "x\x008\x003\x006", 1},
		{"after pages of zeros", strings.Repeat("\x00", 2*pageSize+7) + secret[:fragment], 1},
		{"two of UTF-16", "x8\x003\x007\x00", 0},
		{"something else", "12345678", 0},
		{"six of a key", "x\x01\x02\x03\x04\x05\x06x", 1},
		{"six of a key, backwards", "x\x08\x07\x06\x05\x04\x03x", 1},
		{"a key that begins with zeros", strings.Repeat("\x00", pageSize) + "\x01\x02", 1},
	} {
		got := 0
		h.each([]byte(c.text), func(needle, int) { got++ })
		if got != c.want {
			t.Errorf("%s: %d found, want %d", c.name, got, c.want)
		}
	}
	file, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := file.WriteAt([]byte(secret), 1<<20-3); err != nil {
		t.Fatal(err)
	}
	var img image
	img.search(file, region{from: 0, to: 1<<20 + 5}, h)
	if len(img.sightings) != 3 {
		t.Errorf("across two pieces: %v", img.sightings)
	}
}
