package airgap

import (
	"errors"

	"golang.org/x/sys/unix"
)

// kernel is the few system calls that writing is made of, so that a test can
// let each of them fail in its turn. dir is an open folder, fd an open file.
type kernel interface {
	stat(dir int, name string) (size int64, ordinary bool, err error) // of the name itself, not of what a link means
	create(dir int, name string) (fd int, err error)                  // new and for writing, never through a link
	write(fd int, p []byte) (int, error)
	flush(fd int) error // fsync, of a file or folder
	drop(fd int) error  // forget cached pages: the next read asks the medium
	close(fd int) error
	reopen(dir int, name string, direct bool) (fd int, err error) // for reading
	size(fd int) (int64, error)
	read(fd int, p []byte) (int, error)
	rename(dir int, from, to string) error // RENAME_NOREPLACE
	link(dir int, from, to string) error
	replace(dir int, from, to string) error // a plain rename
	remove(dir int, name string) error
	settle(dir int) error // syncfs
}

// linux is the real kernel.
type linux struct{}

func (linux) stat(dir int, name string) (int64, bool, error) {
	var st unix.Stat_t
	err := unix.Fstatat(dir, name, &st, unix.AT_SYMLINK_NOFOLLOW)
	return st.Size, st.Mode&unix.S_IFMT == unix.S_IFREG, err
}

func (linux) create(dir int, name string) (int, error) {
	return again(func() (int, error) {
		return unix.Openat(dir, name, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o644)
	})
}

func (linux) write(fd int, p []byte) (int, error) {
	return again(func() (int, error) { return unix.Write(fd, p) })
}

func (linux) flush(fd int) error {
	_, err := again(func() (int, error) { return 0, unix.Fsync(fd) })
	return err
}

func (linux) drop(fd int) error { return unix.Fadvise(fd, 0, 0, unix.FADV_DONTNEED) }

// close is not tried again: Linux has let go of fd even when it was interrupted.
func (linux) close(fd int) error {
	if err := unix.Close(fd); err != nil && !errors.Is(err, unix.EINTR) {
		return err
	}
	return nil
}

func (linux) reopen(dir int, name string, direct bool) (int, error) {
	flags := unix.O_RDONLY | unix.O_NOFOLLOW | unix.O_NONBLOCK | unix.O_CLOEXEC
	if direct {
		flags |= unix.O_DIRECT
	}
	return again(func() (int, error) { return unix.Openat(dir, name, flags, 0) })
}

func (linux) size(fd int) (int64, error) {
	var st unix.Stat_t
	err := unix.Fstat(fd, &st)
	return st.Size, err
}

func (linux) read(fd int, p []byte) (int, error) {
	return again(func() (int, error) { return unix.Read(fd, p) })
}

func (linux) rename(dir int, from, to string) error {
	return unix.Renameat2(dir, from, dir, to, unix.RENAME_NOREPLACE)
}

func (linux) link(dir int, from, to string) error { return unix.Linkat(dir, from, dir, to, 0) }

func (linux) replace(dir int, from, to string) error { return unix.Renameat(dir, from, dir, to) }

func (linux) remove(dir int, name string) error { return unix.Unlinkat(dir, name, 0) }

func (linux) settle(dir int) error {
	_, err := again(func() (int, error) { return 0, unix.Syncfs(dir) })
	return err
}

// again repeats a call that a signal interrupted.
func again(call func() (int, error)) (int, error) {
	for {
		if n, err := call(); !errors.Is(err, unix.EINTR) {
			return n, err
		}
	}
}
