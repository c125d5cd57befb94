package airgap

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// evaluate runs classic BPF of the kind that the filter is made of.
func evaluate(t *testing.T, f []unix.SockFilter, data []byte) uint32 {
	t.Helper()
	var acc uint32
	for pc := 0; pc < len(f); pc++ {
		yes := false
		switch i := f[pc]; i.Code {
		case unix.BPF_LD | unix.BPF_W | unix.BPF_ABS:
			acc = binary.LittleEndian.Uint32(data[i.K:])
			continue
		case unix.BPF_RET | unix.BPF_K:
			return i.K
		case unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K:
			yes = acc == i.K
		case unix.BPF_JMP | unix.BPF_JGE | unix.BPF_K:
			yes = acc >= i.K
		default:
			t.Fatalf("instruction %d: code %#x", pc, i.Code)
		}
		if yes {
			pc += int(f[pc].Jt)
		} else {
			pc += int(f[pc].Jf)
		}
	}
	t.Fatal("fell off the end")
	return 0
}

func TestDenyFilter(t *testing.T) {
	const allow, deny = unix.SECCOMP_RET_ALLOW, unix.SECCOMP_RET_ERRNO | uint32(unix.EACCES)
	for _, c := range []struct {
		name         string
		goarch       string
		arch, number uint32
		arg0         uint64
		want         uint32
	}{
		{"write", "amd64", unix.AUDIT_ARCH_X86_64, 1, 2, allow},
		{"local socket", "amd64", unix.AUDIT_ARCH_X86_64, 41, unix.AF_UNIX, allow},
		{"local pair", "amd64", unix.AUDIT_ARCH_X86_64, 53, unix.AF_UNIX, allow},
		{"IPv4", "amd64", unix.AUDIT_ARCH_X86_64, 41, unix.AF_INET, deny},
		{"IPv4 with rubbish in the upper half", "amd64", unix.AUDIT_ARCH_X86_64, 41, 1<<32 | unix.AF_INET, deny},
		{"pair of another kind", "amd64", unix.AUDIT_ARCH_X86_64, 53, unix.AF_TIPC, deny},
		{"netlink", "amd64", unix.AUDIT_ARCH_X86_64, 41, unix.AF_NETLINK, deny},
		{"no domain", "amd64", unix.AUDIT_ARCH_X86_64, 41, 0, deny},
		{"io_uring_setup", "amd64", unix.AUDIT_ARCH_X86_64, 425, 1, deny},
		{"pidfd_getfd", "amd64", unix.AUDIT_ARCH_X86_64, 438, 1, deny},
		{"x32 write", "amd64", unix.AUDIT_ARCH_X86_64, 0x40000001, 1, deny},
		{"x32 socket", "amd64", unix.AUDIT_ARCH_X86_64, 0x40000029, unix.AF_UNIX, deny},
		{"i386 write", "amd64", unix.AUDIT_ARCH_I386, 4, 1, deny},
		{"i386 socketcall", "amd64", unix.AUDIT_ARCH_I386, 102, 1, deny},
		{"what is socket's number on arm64", "amd64", unix.AUDIT_ARCH_X86_64, 198, unix.AF_INET, allow},
		{"write", "arm64", unix.AUDIT_ARCH_AARCH64, 64, 1, allow},
		{"local socket", "arm64", unix.AUDIT_ARCH_AARCH64, 198, unix.AF_UNIX, allow},
		{"local pair", "arm64", unix.AUDIT_ARCH_AARCH64, 199, unix.AF_UNIX, allow},
		{"IPv6", "arm64", unix.AUDIT_ARCH_AARCH64, 198, unix.AF_INET6, deny},
		{"pair of another kind", "arm64", unix.AUDIT_ARCH_AARCH64, 199, unix.AF_INET, deny},
		{"io_uring_enter", "arm64", unix.AUDIT_ARCH_AARCH64, 426, 1, deny},
		{"32-bit arm", "arm64", unix.AUDIT_ARCH_ARM, 281, unix.AF_UNIX, deny},
	} {
		data := make([]byte, 64)
		binary.LittleEndian.PutUint32(data[offsetNumber:], c.number)
		binary.LittleEndian.PutUint32(data[offsetArch:], c.arch)
		binary.LittleEndian.PutUint64(data[offsetArg0:], c.arg0)
		if got := evaluate(t, denyFilter(abis()[c.goarch]), data); got != c.want {
			t.Errorf("%s, %s: %#x", c.goarch, c.name, got)
		}
	}
	if a, ok := abis()[runtime.GOARCH]; ok {
		if a.socket != unix.SYS_SOCKET || a.socketpair != unix.SYS_SOCKETPAIR ||
			a.never[0] != unix.SYS_IO_URING_SETUP || a.never[3] != unix.SYS_PIDFD_GETFD {
			t.Errorf("numbers of %s: %+v", runtime.GOARCH, a)
		}
	}
}

// denyProcess runs one test of this binary in a process of its own, since what
// DenyNetwork does cannot be undone.
func denyProcess(t *testing.T, test, role string) string {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^"+test+"$", "-test.v")
	cmd.Env = append(os.Environ(), "AIRLOCK_TEST_ROLE="+role)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", role, err, out)
	}
	return string(out)
}

// TestDenyNetwork tries from inside, in threads that were there before and in
// new ones, and in a program started afterwards.
func TestDenyNetwork(t *testing.T) {
	switch os.Getenv("AIRLOCK_TEST_ROLE") {
	case "started":
		everySocketIsDenied(t)
		fmt.Println("role done: started")
		return
	case "child":
		denyChild(t)
		everySocketIsDenied(t)
		if out := denyProcess(t, "TestDenyNetwork", "started"); !strings.Contains(out, "role done: started") {
			t.Errorf("the program it started did nothing: %s", out)
		}
		fmt.Println("role done: child")
		return
	}
	if out := denyProcess(t, "TestDenyNetwork", "child"); !strings.Contains(out, "role done: child") {
		t.Errorf("the child did nothing: %s", out)
	}
}

// denyChild has threads waiting, denies the network, and lets them all try.
func denyChild(t *testing.T) {
	const threads = 4
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
	if err != nil {
		t.Fatalf("before, a socket cannot be opened either, so this proves nothing: %v", err)
	}
	_ = unix.Close(fd)
	gate, ready := make(chan struct{}), sync.WaitGroup{}
	var done sync.WaitGroup
	for range threads {
		ready.Add(1)
		done.Go(func() {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			ready.Done()
			<-gate
			everySocketIsDenied(t)
		})
	}
	ready.Wait()
	if err := DenyNetwork(); err != nil {
		t.Fatalf("%v (%v)", err, errors.Unwrap(err))
	}
	if err := DenyNetwork(); err != nil {
		t.Errorf("a second time: %v", err)
	}
	close(gate)
	done.Wait()
	for range threads {
		done.Go(func() {
			runtime.LockOSThread() // and not unlocked: the thread ends with it
			everySocketIsDenied(t)
		})
	}
	done.Wait()
}

func everySocketIsDenied(t *testing.T) {
	for domain := range 64 {
		for _, kind := range []int{unix.SOCK_STREAM, unix.SOCK_DGRAM, unix.SOCK_RAW, unix.SOCK_SEQPACKET} {
			if domain == unix.AF_UNIX {
				continue
			}
			if fd, err := unix.Socket(domain, kind, 0); !errors.Is(err, unix.EACCES) {
				t.Errorf("socket %d of kind %d: %d, %v", domain, kind, fd, err)
			}
			if fds, err := unix.Socketpair(domain, kind, 0); !errors.Is(err, unix.EACCES) {
				t.Errorf("pair %d of kind %d: %v, %v", domain, kind, fds, err)
			}
		}
	}
	for _, network := range []string{"tcp", "udp", "ip4:icmp"} {
		address := "127.0.0.1:35963"
		if network == "ip4:icmp" {
			address = "127.0.0.1"
		}
		if _, err := net.Dial(network, address); !errors.Is(err, unix.EACCES) {
			t.Errorf("dial %s: %v", network, err)
		}
	}
	if _, err := net.Listen("tcp", "127.0.0.1:0"); !errors.Is(err, unix.EACCES) {
		t.Errorf("listen: %v", err)
	}
	for _, number := range abis()[runtime.GOARCH].never {
		if _, _, errno := unix.Syscall(uintptr(number), 1, 0, 0); errno != unix.EACCES {
			t.Errorf("system call %d: %v", number, errno)
		}
	}
	otherWordSizesAreDenied(t)
	localSocketsWork(t)
}

// localSocketsWork: a library talks to pcscd over one.
func localSocketsWork(t *testing.T) {
	if fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0); err != nil {
		t.Errorf("local pair: %v", err)
	} else {
		_, _ = unix.Close(fds[0]), unix.Close(fds[1])
	}
	dir, err := os.MkdirTemp("", "deny") // short enough for a socket's address
	if err != nil {
		t.Error(err)
		return
	}
	defer os.RemoveAll(dir)
	l, err := net.Listen("unix", filepath.Join(dir, "s"))
	if err != nil {
		t.Errorf("local: %v", err)
		return
	}
	defer l.Close()
	c, err := net.Dial("unix", filepath.Join(dir, "s"))
	if err != nil {
		t.Errorf("local: %v", err)
		return
	}
	_ = c.Close()
}

// TestDenyNetworkFindsWhatWasOpen: a socket opened earlier is told of.
func TestDenyNetworkFindsWhatWasOpen(t *testing.T) {
	if os.Getenv("AIRLOCK_TEST_ROLE") != "" {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
		if err != nil {
			t.Fatal(err)
		}
		err = DenyNetwork()
		if refused := (*NetworkNotDeniedError)(nil); !errors.As(err, &refused) || refused.Step != stepInherited || !DenialItem(err).Notice {
			t.Errorf("%v", err)
		}
		_ = unix.Close(fd)
		fmt.Println("role done")
		return
	}
	if out := denyProcess(t, "TestDenyNetworkFindsWhatWasOpen", "open"); !strings.Contains(out, "role done") {
		t.Errorf("the child did nothing: %s", out)
	}
}

// TestAKernelThatRefuses: what cannot be had is an error of its type, and an
// item that does not block.
func TestAKernelThatRefuses(t *testing.T) {
	err := installFilter([]unix.SockFilter{{Code: 0xffff}})
	if refused := (*NetworkNotDeniedError)(nil); !errors.As(err, &refused) || refused.Step != stepFilter || !errors.Is(err, unix.EINVAL) {
		t.Errorf("%v", err)
	}
	if item := DenialItem(err); !item.Notice || item.Blocks || item.Detail == "" || !strings.HasSuffix(err.Error(), ".") {
		t.Errorf("%+v", item)
	}
	if item := DenialItem(nil); item.Notice || item.Blocks || item.State == "" {
		t.Errorf("%+v", item)
	}
}
