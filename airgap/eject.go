package airgap

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// EjectState is how far ejecting came.
type EjectState string

// States of ejecting. Everything that was written is flushed in each of them;
// only EjectSafe means that the medium may be taken out.
const (
	EjectSafe        EjectState = "safe"        // unmounted, the disk flushed, nobody uses it
	EjectInUse       EjectState = "in use"      // unmounted, but the disk is in use: another partition, another mount, an open encryption
	EjectUnconfirmed EjectState = "unconfirmed" // unmounted, but this account may not ask the disk to flush its own memory
	EjectHeld        EjectState = "held"        // a desktop holds the mount: this account may not unmount it
	EjectFolder      EjectState = "folder"      // given with --media: it was only flushed
)

// EjectResult says how far ejecting came.
type EjectResult struct{ State EjectState }

// Safe reports whether the medium may be taken out.
func (r EjectResult) Safe() bool { return r.State == EjectSafe }

// Sentence is for the person.
func (r EjectResult) Sentence() string {
	switch r.State {
	case EjectSafe:
		return "It is safe to take the medium out."
	case EjectInUse:
		return "This part of the medium is unmounted, but another part of it is still in use. Eject that too before you take it out."
	case EjectUnconfirmed:
		return "The medium is unmounted, but this station may not ask it whether it has kept everything. Wait until its light is still, then take it out."
	case EjectHeld:
		return "Everything is written to the medium, but the desktop holds it. Eject it there before you take it out."
	case EjectFolder:
		return "Everything is written to the folder. If it lies on a medium, eject that in the system before you take it out."
	}
	return "The medium was not ejected. Leave it in."
}

// ErrBusy: somebody has a file of the medium open.
var ErrBusy = &Error{"Another program uses the medium. Close it there, then eject again."}

// Steps of ejecting, as MediumError names them; the first is stepFlush.
const stepUnmount = "unmount"

// ejectCalls are the system calls of ejecting, so that a test can answer for
// them.
type ejectCalls struct {
	settle  func(fd int) error       // syncfs
	unmount func(point string) error // never by force, never through a link
	flush   func(node string, device uint64) error
	wait    func(ctx context.Context) // between two tries to unmount
}

func realEjectCalls() ejectCalls {
	return ejectCalls{
		settle:  linux{}.settle,
		unmount: func(point string) error { return unix.Unmount(point, unix.UMOUNT_NOFOLLOW) },
		flush:   flushDisk,
		wait: func(ctx context.Context) {
			select {
			case <-ctx.Done():
			case <-time.After(100 * time.Millisecond):
			}
		},
	}
}

// unmountTries: a look through the medium that was cancelled, or a desktop's
// search, may hold a file for a moment.
const unmountTries = 15

// Eject flushes a medium, unmounts it where this account may, has its disk
// write out what it holds, and only then calls it safe. It stops between the
// steps when ctx ends; the flush itself cannot be cancelled, and takes as long
// as a slow stick takes. Close what is open on the medium first.
//
// Errors are MediumErrors of the steps "open", "flush" and "unmount":
// ErrMediumGone, ErrIO, ErrFull and ErrBusy; or that of ctx. After an error the
// medium is not safe to take out.
func (v *Volumes) Eject(ctx context.Context, vol Volume) (EjectResult, error) {
	return v.eject(ctx, vol, realEjectCalls())
}

func (v *Volumes) eject(ctx context.Context, vol Volume, calls ejectCalls) (EjectResult, error) {
	if err := vol.settle(calls); err != nil {
		return EjectResult{}, err
	}
	if vol.Folder {
		return EjectResult{EjectFolder}, nil
	}
	// Asked before: afterwards nobody knows what was mounted.
	disks, known := v.disksOf(unix.Major(vol.device), unix.Minor(vol.device))
	err := vol.unmount(ctx, calls)
	switch {
	case errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES):
		return EjectResult{EjectHeld}, nil
	case err != nil && ctx.Err() != nil:
		return EjectResult{}, ctx.Err()
	case errors.Is(err, unix.EBUSY):
		return EjectResult{}, &MediumError{Condition: ErrBusy, Step: stepUnmount, Err: err}
	case errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOENT):
		return EjectResult{}, &MediumError{Condition: ErrMediumGone, Step: stepUnmount, Err: err} // no longer a mount
	case err != nil:
		return EjectResult{}, vol.mediumError(stepUnmount, err)
	}
	if !known || len(disks) == 0 {
		return EjectResult{EjectUnconfirmed}, nil
	}
	for _, d := range disks {
		if state, err := v.flushed(d, calls); state != EjectSafe || err != nil {
			return EjectResult{state}, err
		}
	}
	return EjectResult{EjectSafe}, nil
}

// settle flushes the file system, if it is still the one that was listed.
func (v Volume) settle(calls ejectCalls) error {
	fd, err := v.open()
	if err != nil {
		return v.openError(err)
	}
	defer unix.Close(fd) // read-only; closed before the unmount
	if err := calls.settle(fd); err != nil {
		return v.mediumError(stepFlush, err)
	}
	return nil
}

// unmount tries for a moment while somebody is busy there. It looks each time
// whether this is still the medium.
func (v Volume) unmount(ctx context.Context, calls ejectCalls) error {
	for try := 1; ; try++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		fd, err := v.open()
		if err != nil {
			return v.openError(err)
		}
		_ = unix.Close(fd) // only looked at
		err = calls.unmount(v.Path)
		if !errors.Is(err, unix.EBUSY) || try == unmountTries {
			return err
		}
		calls.wait(ctx)
	}
}

// flushed has one whole disk write out what it holds.
func (v *Volumes) flushed(dir string, calls ejectCalls) (EjectState, error) {
	major, minor, ok := parseDevice(line(filepath.Join(dir, "dev")))
	if !ok {
		if !exists(dir) {
			return "", &MediumError{Condition: ErrMediumGone, Step: stepFlush}
		}
		return EjectUnconfirmed, nil
	}
	// /sys writes "!" for the "/" in a device's name.
	node := filepath.Join(v.dev, strings.ReplaceAll(filepath.Base(dir), "!", "/"))
	err := calls.flush(node, unix.Mkdev(major, minor))
	switch condition := conditionOf(err); {
	case err == nil:
		return EjectSafe, nil
	case errors.Is(err, unix.EBUSY):
		return EjectInUse, nil
	case condition == ErrNotAllowed || condition == ErrNotFound || condition == ErrNotAFile:
		return EjectUnconfirmed, nil
	case condition == ErrMediumGone:
		return "", &MediumError{Condition: ErrMediumGone, Step: stepFlush, Err: err}
	}
	return "", &MediumError{Condition: ErrIO, Step: stepFlush, Err: err}
}

// flushDisk opens a disk for itself alone, which the kernel refuses (EBUSY)
// while the disk or a partition of it is mounted anywhere, and flushes it down
// to the medium.
func flushDisk(node string, device uint64) error {
	fd, err := again(func() (int, error) {
		return unix.Open(node, unix.O_RDONLY|unix.O_EXCL|unix.O_NONBLOCK|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	})
	if err != nil {
		return fmt.Errorf("opening the disk: %w", err)
	}
	file := os.NewFile(uintptr(fd), "disk")
	defer file.Close() // read-only
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return fmt.Errorf("opening the disk: %w", err)
	}
	if st.Mode&unix.S_IFMT != unix.S_IFBLK || st.Rdev != device {
		return &MediumError{Condition: ErrNotAFile, Step: stepFlush}
	}
	return linux{}.flush(fd)
}
