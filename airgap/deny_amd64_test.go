package airgap

import (
	"errors"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// otherWordSizesAreDenied: the x32 call of the same name, and i386's own way
// into the kernel.
func otherWordSizesAreDenied(t *testing.T) {
	if fd, _, errno := unix.RawSyscall(0x40000000+unix.SYS_SOCKET, unix.AF_UNIX, unix.SOCK_STREAM, 0); errno != unix.EACCES {
		t.Errorf("x32: %d, %v", fd, errno)
	}
	const socket, getpid = 359, 20 // of i386
	for _, number := range []int32{socket, getpid} {
		got, err := int80(number, unix.AF_UNIX, unix.SOCK_STREAM, 0)
		if err != nil {
			t.Error(err)
			return
		}
		if !errors.Is(unix.Errno(-got), unix.EACCES) {
			t.Errorf("i386 call %d: %d", number, got)
		}
	}
}

// int80 makes a system call of i386, with code that is written to a page here.
func int80(number, a, b, c int32) (int32, error) {
	code := []byte{0xb8, 0, 0, 0, 0, 0xbb, 0, 0, 0, 0, 0xb9, 0, 0, 0, 0, 0xba, 0, 0, 0, 0, // mov eax, ebx, ecx, edx
		0xcd, 0x80, 0x48, 0x98, 0xc3} // int 0x80; cdqe; ret
	for i, v := range []int32{number, a, b, c} {
		*(*int32)(unsafe.Pointer(&code[1+5*i])) = v
	}
	page, err := unix.Mmap(-1, 0, 4096, unix.PROT_READ|unix.PROT_WRITE|unix.PROT_EXEC, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		return 0, err
	}
	defer unix.Munmap(page)
	copy(page, code)
	// A func value points to a word that holds the address of the code; its
	// first result comes back in RAX.
	entry := unsafe.Pointer(&page[0])
	pointer := &entry
	call := *(*func() int)(unsafe.Pointer(&pointer))
	return int32(call()), nil
}
