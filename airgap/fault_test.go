package airgap

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// script is the real kernel with a say before every call: the call's name and
// how many calls there were before it.
type script struct {
	kernel
	calls  []string
	before func(call string, n int) error
	chunk  int             // the most that one write takes; 0: all
	alter  func(p []byte)  // what the medium does to what is read back
	refuse map[string]bool // calls that this file system does not know
}

func (s *script) say(call string) error {
	n := len(s.calls)
	s.calls = append(s.calls, call)
	if s.refuse[call] {
		return unix.EINVAL
	}
	if s.before != nil {
		return s.before(call, n)
	}
	return nil
}

func (s *script) stat(dir int, name string) (int64, bool, error) {
	if err := s.say("stat"); err != nil {
		return 0, false, err
	}
	return s.kernel.stat(dir, name)
}

func (s *script) create(dir int, name string) (int, error) {
	if err := s.say("create"); err != nil {
		return -1, err
	}
	return s.kernel.create(dir, name)
}

func (s *script) write(fd int, p []byte) (int, error) {
	if err := s.say("write"); err != nil {
		return 0, err
	}
	if s.chunk > 0 {
		p = p[:min(len(p), s.chunk)]
	}
	return s.kernel.write(fd, p)
}

func (s *script) flush(fd int) error {
	if err := s.say("flush"); err != nil {
		return err
	}
	return s.kernel.flush(fd)
}

func (s *script) drop(fd int) error {
	if err := s.say("drop"); err != nil {
		return err
	}
	return s.kernel.drop(fd)
}

func (s *script) close(fd int) error {
	err := s.say("close")
	if closeErr := s.kernel.close(fd); err == nil {
		err = closeErr
	}
	return err
}

func (s *script) reopen(dir int, name string, direct bool) (int, error) {
	call := "reopen"
	if direct {
		call = "reopen direct"
	}
	if err := s.say(call); err != nil {
		return -1, err
	}
	return s.kernel.reopen(dir, name, direct)
}

func (s *script) size(fd int) (int64, error) {
	if err := s.say("size"); err != nil {
		return 0, err
	}
	return s.kernel.size(fd)
}

func (s *script) read(fd int, p []byte) (int, error) {
	if err := s.say("read"); err != nil {
		return 0, err
	}
	n, err := s.kernel.read(fd, p)
	if s.alter != nil && n > 0 {
		s.alter(p[:n])
	}
	return n, err
}

func (s *script) rename(dir int, from, to string) error {
	if err := s.say("rename"); err != nil {
		return err
	}
	return s.kernel.rename(dir, from, to)
}

func (s *script) link(dir int, from, to string) error {
	if err := s.say("link"); err != nil {
		return err
	}
	return s.kernel.link(dir, from, to)
}

func (s *script) replace(dir int, from, to string) error {
	if err := s.say("replace"); err != nil {
		return err
	}
	return s.kernel.replace(dir, from, to)
}

func (s *script) remove(dir int, name string) error {
	if err := s.say("remove"); err != nil {
		return err
	}
	return s.kernel.remove(dir, name)
}

func (s *script) settle(dir int) error {
	if err := s.say("settle"); err != nil {
		return err
	}
	return s.kernel.settle(dir)
}

// kinds of file systems, by the calls that they do not know.
var fileSystems = map[string]map[string]bool{
	"all":               nil,
	"without noreplace": {"rename": true},
	"without links":     {"rename": true, "link": true},
	"without direct":    {"reopen direct": true},
	"fat by fuse":       {"rename": true, "link": true, "reopen direct": true, "drop": true},
}

// TestEveryStepFails lets each call of a whole write fail, alone and together
// with all that follow it (the stick was pulled), on each kind of file system.
func TestEveryStepFails(t *testing.T) {
	data := sample(5_000)
	for kind, refuse := range fileSystems {
		plain := &script{kernel: linux{}, refuse: refuse, chunk: 3_000}
		if _, err := write(t.Context(), plain, folderVolume(t, t.TempDir()), "", "x", data); err != nil {
			t.Fatalf("%s: %v", kind, err)
		}
		for n, call := range plain.calls {
			for _, pulled := range []bool{false, true} {
				name := fmt.Sprintf("%s: call %d (%s), pulled %v", kind, n, call, pulled)
				failAt(t, name, n, call, pulled, refuse, data)
			}
		}
	}
}

func failAt(t *testing.T, name string, n int, call string, pulled bool, refuse map[string]bool, data []byte) {
	t.Helper()
	dir := t.TempDir()
	v := folderVolume(t, dir)
	k := &script{kernel: linux{}, refuse: refuse, chunk: 3_000, before: func(_ string, i int) error {
		if i == n || pulled && i > n {
			return unix.EIO
		}
		return nil
	}}
	w, err := write(t.Context(), k, v, "", "x", data)
	all := content(t, dir)
	got, there := all["x"]
	if err == nil {
		// What only tidies up or advises may fail, and no pulled stick is fine.
		if pulled || got != string(data) || w.Name != "x" {
			t.Errorf("%s: no error, %d bytes under the name", name, len(got))
		}
		return
	}
	var m *MediumError
	if !errors.As(err, &m) || m.Condition != ErrIO || !errors.Is(err, unix.EIO) {
		t.Errorf("%s: %v", name, err)
	}
	reserved := pulled && refuse["link"] && got == ""
	if there && got != string(data) && !reserved {
		t.Errorf("%s: %d of %d bytes under the final name", name, len(got), len(data))
	}
	if there && !reserved && m.Step != stepConfirm {
		t.Errorf("%s: there, but the error is at %q", name, m.Step)
	}
	for other := range all {
		if other != "x" && (!isHidden(other) || !pulled && call != "remove") {
			t.Errorf("%s: %q stayed", name, other)
		}
	}
	again, err := Write(t.Context(), v, "", "x", data)
	if err != nil || content(t, dir)[again.Name] != string(data) || again.Existed != (got == string(data)) {
		t.Errorf("%s: again: %+v %v", name, again, err)
	}
	if listing, err := Scan(t.Context(), v); err != nil || len(listing.Files) > 2 {
		t.Errorf("%s: %d files listed, %v", name, len(listing.Files), err)
	}
}

func TestWriteTellsWhatWasWrong(t *testing.T) {
	for _, c := range []struct {
		call string
		err  error
		want *Error
		step string
	}{
		{"create", unix.ENOSPC, ErrFull, stepCreate},
		{"create", unix.EROFS, ErrReadOnly, stepCreate},
		{"create", unix.EACCES, ErrNotAllowed, stepCreate},
		{"create", unix.ENODEV, ErrMediumGone, stepCreate},
		{"create", unix.EINVAL, ErrName, stepCreate},
		{"write", unix.ENOSPC, ErrFull, stepWrite},
		{"write", unix.EDQUOT, ErrFull, stepWrite},
		{"write", unix.EIO, ErrIO, stepWrite},
		{"write", unix.EROFS, ErrReadOnly, stepWrite},
		{"flush", unix.ENOSPC, ErrFull, stepFlush},
		{"flush", unix.ENXIO, ErrMediumGone, stepFlush},
		{"close", unix.ENOSPC, ErrFull, stepFlush},
		{"read", unix.EUCLEAN, ErrIO, stepReadBack},
		{"size", unix.ENOTCONN, ErrMediumGone, stepReadBack},
		{"rename", unix.ENAMETOOLONG, ErrName, stepRename},
		{"rename", unix.ENOSPC, ErrFull, stepRename},
		{"settle", unix.EIO, ErrIO, stepConfirm},
	} {
		dir := t.TempDir()
		k := &script{kernel: linux{}, before: func(call string, _ int) error {
			if call == c.call {
				return c.err
			}
			return nil
		}}
		_, err := write(t.Context(), k, folderVolume(t, dir), "", "x", []byte("data"))
		var m *MediumError
		if !errors.As(err, &m) || m.Condition != c.want || m.Step != c.step || !errors.Is(err, c.err) {
			t.Errorf("%s %v: %v (%+v)", c.call, c.err, err, m)
		}
		if all := content(t, dir); c.call != "settle" && len(all) != 0 {
			t.Errorf("%s %v: %v stayed", c.call, c.err, all)
		}
	}
}

func TestShortWrites(t *testing.T) {
	dir := t.TempDir()
	data := sample(10_000)
	k := &script{kernel: linux{}, chunk: 999}
	if _, err := write(t.Context(), k, folderVolume(t, dir), "", "x", data); err != nil || content(t, dir)["x"] != string(data) {
		t.Error(err)
	}
}

// TestAMediumThatLies gives back other bytes than were written.
func TestAMediumThatLies(t *testing.T) {
	for kind, refuse := range fileSystems {
		for _, at := range []int{0, 4095, 9_999} {
			dir := t.TempDir()
			k := &script{kernel: linux{}, refuse: refuse, alter: func(p []byte) {
				if at < len(p) {
					p[at] ^= 1
				}
			}}
			_, err := write(t.Context(), k, folderVolume(t, dir), "", "x", sample(10_000))
			if !errors.Is(err, ErrReadBack) || len(content(t, dir)) != 0 {
				t.Errorf("%s, byte %d: %v", kind, at, err)
			}
		}
	}
}

// TestTwoWriters has another program take the name just before the rename.
func TestTwoWriters(t *testing.T) {
	for kind, refuse := range fileSystems {
		for _, theirs := range []string{"theirs", "ours"} {
			dir := t.TempDir()
			k := &script{kernel: linux{}, refuse: refuse}
			k.before = func(call string, n int) error {
				if call == "size" && !slices.Contains(k.calls[:n], "size") {
					return os.WriteFile(filepath.Join(dir, "x"), []byte(theirs), 0o644)
				}
				return nil
			}
			w, err := write(t.Context(), k, folderVolume(t, dir), "", "x", []byte("ours"))
			all := content(t, dir)
			same := theirs == "ours"
			if err != nil || w.Existed != same || all[w.Name] != "ours" || all["x"] != theirs || same == (len(all) == 2) {
				t.Errorf("%s, %s: %+v %v %v", kind, theirs, w, err, all)
			}
		}
	}
}

// TestTheOrderOfWriting pins what the promise to a person rests on: flushed
// before it is read back, read back before it has its name, all of it confirmed
// at the end.
func TestTheOrderOfWriting(t *testing.T) {
	k := &script{kernel: linux{}}
	if _, err := write(t.Context(), k, folderVolume(t, t.TempDir()), "", "x", []byte("data")); err != nil {
		t.Fatal(err)
	}
	calls := strings.Join(k.calls, ", ")
	// A file system without O_DIRECT answers EINVAL: then it is opened plainly.
	calls = strings.ReplaceAll(calls, "reopen direct, reopen,", "reopen direct,")
	if want := "stat, create, write, flush, drop, close, reopen direct, size, read, close, rename, flush, settle"; calls != want {
		t.Errorf("got  %s\nwant %s", calls, want)
	}
}
