package airgap

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Written is a result on a medium: complete, read back from the medium and
// found equal. It is "written and checked", not "safe to remove": only an
// unmount makes it that.
type Written struct {
	Name    string // the name it has: another than asked for where that was taken
	Path    string // relative to the top of the volume
	SHA256  [32]byte
	Size    int  // bytes
	Existed bool // a file with the same bytes was there already: none was added
}

// maxNames is how many names are tried for one result.
const maxNames = 999

// Steps of writing, as MediumError names them.
const (
	stepCreate   = "create"
	stepWrite    = "write"
	stepFlush    = "flush"
	stepReadBack = "read back"
	stepRename   = "rename"
	stepConfirm  = "confirm"
)

// Write puts data into a folder of a medium (dir relative, "" for the top) under
// a name as ResultNames makes them. It never replaces anything: where the name
// is taken by other content, the result becomes name-2, name-3, …; where it is
// taken by the same bytes, that file is flushed, checked and named (Existed).
//
// A file under its final name is whole: it is written under a temporary name,
// flushed, read back from the medium and compared before it gets that name. (On
// a file system that knows neither RENAME_NOREPLACE nor links, the final name
// is reserved with an empty file for the moment of the rename.) After an error
// before the rename the temporary file is removed where the medium still
// allows it; one that stays is hidden and ignored. After an error at "confirm"
// the file is there and whole, but the medium did not say that it keeps it:
// writing again finds it. ctx is looked at until the rename.
//
// Errors are MediumErrors: ErrMediumGone, ErrFull, ErrReadOnly, ErrNotAllowed,
// ErrIO, ErrReadBack, ErrName, ErrNoNameLeft, ErrNotFound and ErrNotAFile (the
// folder); or that of ctx.
func Write(ctx context.Context, v Volume, dir, name string, data []byte) (Written, error) {
	return write(ctx, linux{}, v, dir, name, data)
}

func write(ctx context.Context, k kernel, v Volume, dir, name string, data []byte) (Written, error) {
	if err := checkName(name); err != nil {
		return Written{}, err
	}
	fd, err := v.openFolder(dir)
	if err != nil {
		return Written{}, err
	}
	defer unix.Close(fd) // read-only
	w := &writer{kernel: k, dir: fd, data: data, step: stepCreate}
	final, existed, err := w.put(ctx, name)
	if err == nil {
		w.step = stepConfirm
		err = w.confirm()
	}
	if ctxErr := ctx.Err(); ctxErr != nil && errors.Is(err, ctxErr) {
		return Written{}, err
	}
	if err != nil {
		return Written{}, v.mediumError(w.step, err)
	}
	result := Written{Name: final, Path: final, SHA256: sha256.Sum256(data), Size: len(data), Existed: existed}
	if dir != "" && dir != "." {
		result.Path = dir + "/" + final
	}
	return result, nil
}

// writer writes one result into one open folder.
type writer struct {
	kernel
	dir  int
	data []byte
	step string // the step being taken
}

// put finds a free name and brings the file there.
func (w *writer) put(ctx context.Context, name string) (final string, existed bool, err error) {
	n, existed, err := w.freeName(name, 1)
	if err != nil || existed {
		return numbered(name, n), existed, err
	}
	temp, err := w.writeTemp(ctx)
	if err != nil {
		return "", false, err
	}
	n, existed, err = w.take(ctx, temp, name, n)
	if err != nil || existed {
		// Gone already after a rename that did not say so: then there is none.
		_ = w.remove(w.dir, temp)
	}
	return numbered(name, n), existed, err
}

// take brings the temporary file to the n-th name, or to a later one where
// somebody was faster.
func (w *writer) take(ctx context.Context, temp, name string, n int) (int, bool, error) {
	for {
		if err := ctx.Err(); err != nil {
			return n, false, err
		}
		w.step = stepRename
		err := w.bring(temp, numbered(name, n))
		if !errors.Is(err, unix.EEXIST) {
			return n, false, err
		}
		next, existed, err := w.freeName(name, n)
		if err == nil && !existed && next == n {
			// The rename and the look disagree: on to the next name.
			next, existed, err = w.freeName(name, n+1)
		}
		if n = next; err != nil || existed {
			return n, existed, err
		}
	}
}

// freeName walks the names from the n-th on: to the first that is not taken, or
// to a file that holds the data already.
func (w *writer) freeName(name string, n int) (int, bool, error) {
	for ; n <= maxNames; n++ {
		w.step = stepCreate
		size, ordinary, err := w.stat(w.dir, numbered(name, n))
		if errors.Is(err, unix.ENOENT) {
			return n, false, nil
		}
		if err != nil {
			return n, false, err
		}
		if !ordinary || size != int64(len(w.data)) {
			continue
		}
		if same, err := w.holds(numbered(name, n)); err != nil || same {
			return n, same, err
		}
	}
	return n, false, &MediumError{Condition: ErrNoNameLeft, Step: stepCreate}
}

// holds flushes an existing file and reports whether it holds the data.
func (w *writer) holds(name string) (bool, error) {
	w.step = stepReadBack
	fd, err := w.reopen(w.dir, name, false)
	if errors.Is(err, unix.EACCES) {
		return false, nil // somebody else's file: it is taken
	}
	if err != nil {
		return false, err
	}
	err = w.flush(fd)
	if err == nil {
		_ = w.drop(fd) // reading back then goes to the medium where it can
	}
	if closeErr := w.close(fd); err == nil {
		err = closeErr
	}
	if err != nil {
		return false, err
	}
	err = w.compare(name)
	if errors.Is(err, ErrReadBack) {
		return false, nil
	}
	return err == nil, err
}

// writeTemp writes the data under a temporary name, flushes it and compares
// what comes back. On failure it removes the file.
func (w *writer) writeTemp(ctx context.Context) (string, error) {
	var random [8]byte
	rand.Read(random[:]) // never fails (Go 1.24)
	temp := tempPrefix + hex.EncodeToString(random[:]) + tempSuffix
	w.step = stepCreate
	fd, err := w.create(w.dir, temp)
	if err != nil {
		return "", err
	}
	err = w.fill(ctx, fd)
	if closeErr := w.close(fd); err == nil {
		err = closeErr
	}
	if err == nil {
		err = w.compare(temp)
	}
	if err != nil {
		_ = w.remove(w.dir, temp) // the first error is the one to tell
		return "", err
	}
	return temp, nil
}

// fill writes all data to fd, flushes it and empties the page cache of it.
func (w *writer) fill(ctx context.Context, fd int) error {
	w.step = stepWrite
	for rest := w.data; len(rest) > 0; {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := w.write(fd, rest[:min(len(rest), readChunk)])
		if err != nil {
			return err
		}
		if n == 0 {
			return unix.EIO
		}
		rest = rest[n:]
	}
	w.step = stepFlush
	if err := w.flush(fd); err != nil {
		return err
	}
	_ = w.drop(fd) // advice: file systems without a page cache refuse it
	return nil
}

// directAlign is the alignment of memory, offsets and lengths that O_DIRECT
// takes everywhere, in bytes.
const directAlign = 4096

// compare reads a file back and compares it with the data: past the page cache
// where the file system can (O_DIRECT), else through the emptied cache.
func (w *writer) compare(name string) error {
	w.step = stepReadBack
	err := w.compareVia(name, true)
	if unsupported(err) {
		err = w.compareVia(name, false)
	}
	return err
}

func (w *writer) compareVia(name string, direct bool) error {
	fd, err := w.reopen(w.dir, name, direct)
	if err != nil {
		return err
	}
	defer w.close(fd) // read-only
	different := &MediumError{Condition: ErrReadBack, Step: stepReadBack}
	size, err := w.size(fd)
	if err != nil {
		return err
	}
	if size != int64(len(w.data)) {
		return different
	}
	pages := (len(w.data) + directAlign - 1) / directAlign
	buf := aligned(min(readChunk, pages*directAlign))
	// Not on to the end of the file: O_DIRECT need not take the odd offset there.
	for rest := w.data; len(rest) > 0; {
		n, err := w.read(fd, buf)
		if err != nil {
			return err
		}
		if n == 0 || n > len(rest) || !bytes.Equal(buf[:n], rest[:n]) {
			return different
		}
		rest = rest[n:]
	}
	return nil
}

// aligned is a buffer of n bytes that begins where O_DIRECT wants it.
func aligned(n int) []byte {
	buf := make([]byte, n+directAlign)
	shift := int(-uintptr(unsafe.Pointer(&buf[0])) & (directAlign - 1))
	return buf[shift : shift+n : shift+n]
}

// bring gives the temporary file its final name, and never replaces: EEXIST
// where the name is taken.
func (w *writer) bring(temp, final string) error {
	err := w.rename(w.dir, temp, final)
	if !unsupported(err) {
		return err
	}
	err = w.link(w.dir, temp, final)
	if err == nil {
		_ = w.remove(w.dir, temp) // a second name of the same file, hidden
		return nil
	}
	if !unsupported(err) && !errors.Is(err, unix.EPERM) {
		return err
	}
	return w.reserve(temp, final)
}

// reserve takes the final name with an empty file that only we can have made,
// and renames over it.
func (w *writer) reserve(temp, final string) error {
	fd, err := w.create(w.dir, final)
	if err != nil {
		return err
	}
	err = w.close(fd)
	if err == nil {
		err = w.replace(w.dir, temp, final)
	}
	if err == nil {
		return nil
	}
	// Only while it is still empty: a rename may have happened and not said so.
	if size, ordinary, statErr := w.stat(w.dir, final); statErr == nil && ordinary && size == 0 {
		_ = w.remove(w.dir, final)
	}
	return err
}

// unsupported: the kernel or the file system does not know the call.
func unsupported(err error) bool {
	return errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.EOPNOTSUPP)
}

// confirm flushes the folder, then all of the file system.
func (w *writer) confirm() error {
	// Not every file system can flush a folder by itself; syncfs does then.
	if err := w.flush(w.dir); err != nil && !unsupported(err) {
		return err
	}
	return w.settle(w.dir)
}
