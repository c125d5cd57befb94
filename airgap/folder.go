package airgap

import (
	"errors"
	"strings"

	"golang.org/x/sys/unix"
)

// maxPath bounds a relative path on a medium, in bytes (PATH_MAX of Linux).
const maxPath = 4096

// open opens the top folder and makes sure that it is the medium that was
// listed: where a stick has been unmounted, the empty mount point remains, and
// belongs to the system's own disk.
func (v Volume) open() (int, error) {
	flags := unix.O_RDONLY | unix.O_DIRECTORY | unix.O_CLOEXEC
	if !v.Folder {
		flags |= unix.O_NOFOLLOW
	}
	fd, err := unix.Open(v.Path, flags, 0)
	if err != nil {
		return -1, err
	}
	if !v.is(fd) {
		_ = unix.Close(fd)
		return -1, &MediumError{Condition: ErrMediumGone, Step: "open"}
	}
	return fd, nil
}

// is reports whether an open top folder is the one that was listed.
func (v Volume) is(fd int) bool {
	// The mount's number where the kernel gives it (5.8), else the device. A
	// Btrfs folder has a device number of its own.
	if id := mountIDOf(fd); id != 0 && v.mountID != 0 {
		return id == v.mountID
	}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return false
	}
	return v.device == 0 || st.Dev == v.device || v.FSType == "btrfs"
}

// mountIDOf is the mountinfo number of the mount that fd is on; 0 where the
// kernel does not say.
func mountIDOf(fd int) uint64 {
	var st unix.Statx_t
	err := unix.Statx(fd, "", unix.AT_EMPTY_PATH, unix.STATX_MNT_ID, &st)
	if err != nil || st.Mask&unix.STATX_MNT_ID == 0 {
		return 0
	}
	return st.Mnt_id
}

// parts splits a relative path and refuses whatever could lead out of the
// medium. The top folder itself has none.
func parts(path string) ([]string, error) {
	if path == "" || path == "." {
		return nil, nil
	}
	if len(path) > maxPath || strings.IndexByte(path, 0) >= 0 {
		return nil, &MediumError{Condition: ErrName, Step: "open"}
	}
	list := strings.Split(path, "/")
	for _, p := range list {
		if p == "" || p == "." || p == ".." {
			return nil, &MediumError{Condition: ErrNotAFile, Step: "open"}
		}
	}
	return list, nil
}

// openFolder opens a folder of the medium, one step at a time from the open
// folder before it: no link is followed and no other mount is entered (as
// openat2 with RESOLVE_BENEATH, NO_SYMLINKS and NO_XDEV, on any kernel).
func (v Volume) openFolder(path string) (int, error) {
	list, err := parts(path)
	if err != nil {
		return -1, err
	}
	fd, err := v.open()
	if err != nil {
		return -1, v.openError(err)
	}
	for _, p := range list {
		next, err := enter(fd, p)
		_ = unix.Close(fd) // read-only
		if err != nil {
			return -1, v.mediumError("open", err)
		}
		fd = next
	}
	return fd, nil
}

// openError: a top folder that is not there is a medium that is gone.
func (v Volume) openError(err error) error {
	if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOTDIR) {
		return &MediumError{Condition: ErrMediumGone, Step: "open", Err: err}
	}
	return v.mediumError("open", err)
}

// enter opens one folder within an open one, on the same mount.
func enter(dir int, name string) (int, error) {
	fd, err := unix.Openat(dir, name, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	if !sameMount(dir, fd) {
		_ = unix.Close(fd)
		return -1, &MediumError{Condition: ErrNotAFile, Step: "open", Err: unix.EXDEV}
	}
	return fd, nil
}

// sameMount compares mount numbers where the kernel gives them, else devices.
func sameMount(a, b int) bool {
	if x, y := mountIDOf(a), mountIDOf(b); x != 0 && y != 0 {
		return x == y
	}
	var s, t unix.Stat_t
	return unix.Fstat(a, &s) == nil && unix.Fstat(b, &t) == nil && s.Dev == t.Dev
}

// openFile opens an ordinary file in an open folder for reading. It looks first
// and opens then, because opening a device can already do something; it looks
// again afterwards, because the name may mean another file by then.
func openFile(dir int, name string) (int, unix.Stat_t, error) {
	var before, st unix.Stat_t
	if err := unix.Fstatat(dir, name, &before, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return -1, st, err
	}
	notAFile := &MediumError{Condition: ErrNotAFile, Step: "open"}
	if before.Mode&unix.S_IFMT != unix.S_IFREG {
		return -1, st, notAFile
	}
	fd, err := unix.Openat(dir, name, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, st, err
	}
	if err := unix.Fstat(fd, &st); err != nil {
		_ = unix.Close(fd)
		return -1, st, err
	}
	if st.Mode&unix.S_IFMT != unix.S_IFREG || !sameMount(dir, fd) {
		_ = unix.Close(fd)
		return -1, st, notAFile
	}
	return fd, st, nil
}
