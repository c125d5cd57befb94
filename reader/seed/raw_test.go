package seed

import (
	"bytes"
	"hash"
	"io"
	"os"
	"reflect"
	"testing"
	"unsafe"
)

// raw is the memory of a hash as it lies there.
func raw(h hash.Hash) []byte {
	v := reflect.ValueOf(h)
	size := v.Elem().Type().Size()
	return append([]byte{}, unsafe.Slice((*byte)(v.UnsafePointer()), size)...)
}

// peek reads this process's memory, also where nothing lives any more.
func peek(t *testing.T, at uintptr, n int) []byte {
	t.Helper()
	memory, err := os.Open("/proc/self/mem")
	if err != nil {
		t.Skipf("SKIPPED, no look into memory: %v", err)
	}
	defer memory.Close()
	p := make([]byte, n)
	if _, err := io.ReadFull(io.NewSectionReader(memory, int64(at), int64(n)), p); err != nil {
		t.Skipf("SKIPPED, no look into memory: %v", err)
	}
	return p
}

//go:noinline
func leave(where *uintptr) {
	var frame [4096]byte
	for i := range frame {
		frame[i] = 0xA5
	}
	*where = uintptr(unsafe.Pointer(&frame))
}

// remains counts groups of eight bytes as leave wrote them; a single one may come
// from anywhere.
func remains(p []byte) int { return bytes.Count(p, bytes.Repeat([]byte{0xA5}, 8)) }

// TestScrubbed: what a function leaves on the stack is gone.
func TestScrubbed(t *testing.T) {
	var at uintptr
	scrubStack() // room, so that the stack stays where it is
	leave(&at)
	if left := remains(peek(t, at, 4096)); left < 100 {
		t.Skipf("SKIPPED: of what is not scrubbed only %d groups of bytes are left, so this shows nothing", left)
	}
	scrubbed(func() { leave(&at) })
	if left := remains(peek(t, at, 4096)); left != 0 {
		t.Errorf("%d groups of bytes left on the stack", left)
	}
}
