// Package secret keeps PINs, passphrases and seeds in memory pages of their
// own, outside the Go heap: locked (mlock), left out of core dumps
// (MADV_DONTDUMP), wiped in a forked child (MADV_WIPEONFORK) and zeroed when
// released. There is no mlockall: it fails or kills a Go process outside root.
//
// A Buffer prints as "[secret]" under every verb.
package secret

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"sync"
	"unicode/utf8"

	"golang.org/x/sys/unix"
)

// ErrFull says that a buffer takes no more bytes.
var ErrFull = errors.New("secret: buffer is full")

// ErrReleased says that a buffer was released before.
var ErrReleased = errors.New("secret: buffer was released")

// Buffer is one secret in its own pages. It is safe for concurrent use.
type Buffer struct {
	mu     sync.Mutex
	page   []byte
	n      int // bytes in use
	locked bool
}

// New maps a buffer that holds up to capacity bytes. That the pages could not
// be locked is no error: Locked tells, and the station says so on screen.
func New(capacity int) (*Buffer, error) {
	if capacity < 1 {
		return nil, fmt.Errorf("secret: capacity %d", capacity)
	}
	size := (capacity + unix.Getpagesize() - 1) / unix.Getpagesize() * unix.Getpagesize()
	page, err := unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err != nil {
		return nil, fmt.Errorf("secret: no memory page: %w", err)
	}
	b := &Buffer{page: page[:capacity:size]}
	b.locked = unix.Mlock(page) == nil
	// Neither is there on every kernel; Locked speaks of the lock alone, and
	// core dumps are switched off for the whole process as well.
	_ = unix.Madvise(page, unix.MADV_DONTDUMP)
	_ = unix.Madvise(page, unix.MADV_WIPEONFORK)
	return b, nil
}

// Locked reports whether the pages are locked into memory, so that they never
// reach swap.
func (b *Buffer) Locked() bool { return b.locked }

// Len is the number of bytes held.
func (b *Buffer) Len() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.n
}

// Runes is the number of characters held (UTF-8).
func (b *Buffer) Runes() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return utf8.RuneCount(b.page[:b.n])
}

// Append adds bytes. On ErrFull nothing was added.
func (b *Buffer) Append(p ...byte) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.page == nil {
		return ErrReleased
	}
	if b.n+len(p) > len(b.page) {
		return ErrFull
	}
	copy(b.page[b.n:], p)
	b.n += len(p)
	return nil
}

// Fill replaces what is held by what read puts into the page, so that input
// never passes through other memory.
func (b *Buffer) Fill(read func([]byte) (int, error)) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.page == nil {
		return 0, ErrReleased
	}
	clear(b.page[:b.n])
	b.n = 0
	n, err := read(b.page)
	if n > 0 {
		b.n = n
	}
	return n, err
}

// Backspace takes the last character away and zeroes it.
func (b *Buffer) Backspace() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.n == 0 {
		return
	}
	_, size := utf8.DecodeLastRune(b.page[:b.n])
	clear(b.page[b.n-size : b.n])
	b.n -= size
}

// Filter keeps the bytes that keep says yes to, in their order, and zeroes the
// rest. It returns how many went.
func (b *Buffer) Filter(keep func(byte) bool) (dropped int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	kept := 0
	for _, c := range b.page[:b.n] {
		if keep(c) {
			b.page[kept] = c
			kept++
		}
	}
	dropped = b.n - kept
	clear(b.page[kept:b.n])
	b.n = kept
	return dropped
}

// Clear zeroes what is held; the buffer can be used again.
func (b *Buffer) Clear() {
	b.mu.Lock()
	defer b.mu.Unlock()
	clear(b.page[:b.n])
	b.n = 0
}

// Use calls f with the bytes held. f must not keep the slice, nor make a
// string of it.
func (b *Buffer) Use(f func([]byte)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f(b.page[:b.n:b.n])
}

// Equal compares two secrets in constant time (for their length).
func (b *Buffer) Equal(other *Buffer) bool {
	if b == other {
		return true
	}
	same := false
	b.Use(func(x []byte) {
		other.Use(func(y []byte) { same = subtle.ConstantTimeCompare(x, y) == 1 })
	})
	return same
}

// Release zeroes the pages and gives them back. It may be called again.
func (b *Buffer) Release() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.page == nil {
		return
	}
	page := b.page[:cap(b.page)]
	clear(page)
	b.page, b.n = nil, 0
	// What is zero needs no lock; a failing unmap leaks one empty page.
	_ = unix.Munmap(page)
}

// Format prints "[secret]", whatever the verb.
func (b *Buffer) Format(s fmt.State, _ rune) { fmt.Fprint(s, "[secret]") }
