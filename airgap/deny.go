package airgap

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"
)

// NetworkNotDeniedError says why this process could still open a network
// connection. Its text is a sentence for a person.
type NetworkNotDeniedError struct {
	Step string // "architecture", "privileges", "filter", "trial" or "inherited"
	Err  error  // the system's error; may be nil
}

func (e *NetworkNotDeniedError) Error() string {
	if e.Step == stepInherited {
		return "This program was started with a network connection already open. Start it from this machine's own keyboard."
	}
	return "This system cannot keep the program from opening network connections. Only the machine being offline protects you."
}

// Unwrap gives the system's error.
func (e *NetworkNotDeniedError) Unwrap() error { return e.Err }

const (
	stepArchitecture = "architecture"
	stepPrivileges   = "privileges"
	stepFilter       = "filter"
	stepTrial        = "trial"
	stepInherited    = "inherited"
)

// DenyNetwork takes from this process, from every thread it has and will have
// and from every program it starts, for good, the means to open a socket of any
// kind but the local one (AF_UNIX, over which pcscd is asked): the kernel
// answers EACCES, whatever a library does. Refused as well: io_uring, which
// opens sockets by itself; taking an open file out of another process; and the
// system calls of other word sizes, whose numbers mean other things.
//
// Netlink is refused too: this program reads /sys instead.
//
// It is a seccomp filter (seccomp(2), Linux 3.17; amd64 and arm64). Landlock is
// no second choice: its network rules know TCP alone, and bind one thread. It
// then tries the filter, and looks for an internet socket that was open before.
// Errors are NetworkNotDeniedErrors. A second call adds the same filter again:
// harmless.
func DenyNetwork() error {
	a, ok := abis()[runtime.GOARCH]
	if !ok {
		return &NetworkNotDeniedError{Step: stepArchitecture, Err: unix.ENOSYS}
	}
	if err := installFilter(denyFilter(a)); err != nil {
		return err
	}
	for _, domain := range []int{unix.AF_INET, unix.AF_INET6, unix.AF_PACKET} {
		fd, err := unix.Socket(domain, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
		if err == nil {
			_ = unix.Close(fd) // opened to see whether it can be
		}
		if !errors.Is(err, unix.EACCES) {
			return &NetworkNotDeniedError{Step: stepTrial, Err: err}
		}
	}
	return noForeignSockets()
}

// abi is what the filter must know of an architecture's system calls.
type abi struct {
	arch               uint32 // AUDIT_ARCH_…: the only way in that is let through
	x32                uint32 // numbers from here on are the x32 ABI's; 0: there is none
	socket, socketpair uint32
	never              []uint32 // refused whatever their arguments
}

// abis of the architectures that are supported, by Go's names.
func abis() map[string]abi {
	const ioUringSetup, ioUringEnter, ioUringRegister, pidfdGetfd = 425, 426, 427, 438 // the same everywhere
	never := []uint32{ioUringSetup, ioUringEnter, ioUringRegister, pidfdGetfd}
	return map[string]abi{
		"amd64": {arch: unix.AUDIT_ARCH_X86_64, x32: 0x40000000, socket: 41, socketpair: 53, never: never},
		"arm64": {arch: unix.AUDIT_ARCH_AARCH64, socket: 198, socketpair: 199, never: never},
	}
}

// Offsets in struct seccomp_data (linux/seccomp.h). The domain of a socket is
// an int: the kernel looks at the low half of the argument alone, which comes
// first on both architectures.
const (
	offsetNumber = 0
	offsetArch   = 4
	offsetArg0   = 16
)

// denyFilter is the filter, as classic BPF.
func denyFilter(a abi) []unix.SockFilter {
	load := func(offset uint32) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: offset}
	}
	jump := func(test uint16, k uint32, yes, no uint8) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_JMP | test | unix.BPF_K, Jt: yes, Jf: no, K: k}
	}
	answer := func(k uint32) unix.SockFilter { return unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: k} }
	deny := answer(unix.SECCOMP_RET_ERRNO | uint32(unix.EACCES))

	f := []unix.SockFilter{load(offsetArch), jump(unix.BPF_JEQ, a.arch, 1, 0), deny, load(offsetNumber)}
	if a.x32 != 0 {
		f = append(f, jump(unix.BPF_JGE, a.x32, 0, 1), deny)
	}
	for _, n := range a.never {
		f = append(f, jump(unix.BPF_JEQ, n, 0, 1), deny)
	}
	return append(f,
		jump(unix.BPF_JEQ, a.socket, 1, 0),
		jump(unix.BPF_JEQ, a.socketpair, 0, 3), // anything else: to the end
		load(offsetArg0),
		jump(unix.BPF_JEQ, unix.AF_UNIX, 1, 0),
		deny,
		answer(unix.SECCOMP_RET_ALLOW),
	)
}

// installFilter puts the filter on every thread. no_new_privs, which the kernel
// wants first from all but root, goes to the other threads with the filter.
func installFilter(f []unix.SockFilter) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return &NetworkNotDeniedError{Step: stepPrivileges, Err: err}
	}
	program := unix.SockFprog{Len: uint16(len(f)), Filter: &f[0]}
	thread, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER,
		unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&program)))
	switch {
	case errno != 0:
		return &NetworkNotDeniedError{Step: stepFilter, Err: errno}
	case thread != 0:
		return &NetworkNotDeniedError{Step: stepFilter, Err: fmt.Errorf("thread %d has a filter of its own", thread)}
	}
	return nil
}

// noForeignSockets looks through the open files for a socket that is not local.
func noForeignSockets() error {
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return &NetworkNotDeniedError{Step: stepTrial, Err: err}
	}
	for _, e := range list {
		fd, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		// ENOTSOCK for what is no socket, EBADF for the folder just read.
		domain, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_DOMAIN)
		if err == nil && domain != unix.AF_UNIX {
			return &NetworkNotDeniedError{Step: stepInherited, Err: fmt.Errorf("file %d is a socket of domain %d", fd, domain)}
		}
	}
	return nil
}

// DenialItem is what DenyNetwork achieved, as an item of the isolation; err is
// its result. It never blocks: the machine being offline is what counts.
func DenialItem(err error) IsolationItem {
	item := IsolationItem{What: "this program", State: "the system keeps this program from opening network connections"}
	if err != nil {
		item.Notice, item.State = true, "the system does not keep this program from opening network connections"
		item.Detail = "Make sure that this machine is offline, or use a system with seccomp."
	}
	if refused := (*NetworkNotDeniedError)(nil); errors.As(err, &refused) && refused.Step == stepInherited {
		item.State = "this program was started over a network connection"
		item.Detail = "Start it from this machine's own keyboard."
	}
	return item
}
