package airgap

import (
	"errors"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// Error is a condition of a medium that a caller can ask about with errors.Is.
// Its text is a sentence that a person can act on. It never contains a name
// from the medium.
type Error struct{ Sentence string }

func (e *Error) Error() string { return e.Sentence }

// Conditions of media and files.
var (
	ErrMediumGone = &Error{"The medium was taken out. Put it back, or another one in its place."}
	ErrFull       = &Error{"The medium is full. Delete something on it at another computer, or use another one."}
	ErrReadOnly   = &Error{"The medium is write-protected. Slide its lock open, or use another one."}
	ErrNotAllowed = &Error{"This station may not use that file or folder: its permissions forbid it. Use another medium."}
	ErrIO         = &Error{"The medium does not work properly: reading or writing gave an error. Use another one."}
	ErrReadBack   = &Error{"What came back from the medium is not what was written to it. Do not trust it: use another one."}
	ErrName       = &Error{"A file of that name cannot be written: the name is too long or has characters that not every computer takes."}
	ErrNoNameLeft = &Error{"Too many files of that name are there already. Delete some, or use another medium."}
	ErrTooLarge   = &Error{"The file is too large for this station."}
	ErrChanging   = &Error{"The file changed while it was being read. Wait until it is copied, then open it again."}
	ErrNotFound   = &Error{"The file or its folder is not on the medium any more."}
	ErrNotAFile   = &Error{"That is not an ordinary file of this medium (a link, say, or a device), so it was not opened."}
)

// MediumError is a condition with the step at which it came and the system's
// own error. errors.Is finds both; the text is the condition's sentence.
type MediumError struct {
	Condition *Error
	Step      string // "open", "list", "read", or one of writing: "create", "write", "flush", "read back", "rename", "confirm"
	Err       error  // may be nil
}

func (e *MediumError) Error() string { return e.Condition.Sentence }

// Unwrap gives the condition and the system's error.
func (e *MediumError) Unwrap() []error {
	if e.Err == nil {
		return []error{e.Condition}
	}
	return []error{e.Condition, e.Err}
}

// mediumError finds the condition behind err. A pulled stick answers with EIO
// for a while, as a failing one does: whether the device is still there
// decides.
func (v Volume) mediumError(step string, err error) error {
	if known := (*MediumError)(nil); errors.As(err, &known) {
		return err
	}
	condition := conditionOf(err)
	if condition == ErrName && step != stepCreate && step != stepRename {
		condition = ErrIO // an odd answer, but not about the name
	}
	if (condition == ErrIO || condition == ErrNotFound) && v.gone() {
		condition = ErrMediumGone
	}
	return &MediumError{Condition: condition, Step: step, Err: err}
}

// conditionOf sorts what the system says; what is unknown is ErrIO.
func conditionOf(err error) *Error {
	groups := []struct {
		condition *Error
		errs      []error
	}{
		{ErrMediumGone, []error{unix.ENODEV, unix.ENXIO, unix.ESTALE, unix.ENOTCONN, unix.ESHUTDOWN, unix.ENOMEDIUM}},
		{ErrFull, []error{unix.ENOSPC, unix.EDQUOT, unix.EFBIG}},
		{ErrReadOnly, []error{unix.EROFS}},
		{ErrNotAllowed, []error{unix.EACCES, unix.EPERM}},
		{ErrName, []error{unix.ENAMETOOLONG, unix.EINVAL, unix.EILSEQ}},
		{ErrNotFound, []error{unix.ENOENT, fs.ErrNotExist}},
		{ErrNotAFile, []error{unix.ELOOP, unix.ENOTDIR, unix.EISDIR, unix.EXDEV}},
	}
	for _, g := range groups {
		for _, e := range g.errs {
			if errors.Is(err, e) {
				return g.condition
			}
		}
	}
	return ErrIO
}

// gone reports whether the medium is no longer there: its mount has another
// identity or none, or its block device has left /sys.
func (v Volume) gone() bool {
	if v.sysDevice != "" {
		if _, err := os.Stat(v.sysDevice); errors.Is(err, fs.ErrNotExist) {
			return true
		}
	}
	fd, err := v.open()
	if err != nil {
		c := conditionOf(err)
		return errors.Is(err, ErrMediumGone) || c == ErrMediumGone || c == ErrNotFound || c == ErrNotAFile
	}
	_ = unix.Close(fd) // only looked at
	return false
}
