package seed

import (
	"crypto/sha512"
	"hash"
	"runtime"

	"github.com/airlock-signer/airlock/reader/secret"
)

// Sizes of SHA-512, in bytes.
const (
	blockSize  = sha512.BlockSize
	digestSize = sha512.Size
)

// mac is HMAC-SHA512 (RFC 2104) under one key. Unlike crypto/hmac, which keeps
// the padded key in the heap for good, it can be wiped.
type mac struct {
	inner, outer hash.Hash
	page         *secret.Buffer // inner pad, outer pad, inner digest
}

// newMAC keys a mac. The caller keeps and wipes key, and releases the mac.
func newMAC(key []byte) (*mac, error) {
	page, err := filled(2*blockSize+digestSize, func([]byte) {})
	if err != nil {
		return nil, err
	}
	m := &mac{sha512.New(), sha512.New(), page}
	page.Use(func(p []byte) {
		ipad, opad := p[:blockSize], p[blockSize:2*blockSize]
		if len(key) > blockSize {
			m.inner.Write(key)
			m.inner.Sum(ipad[:0])
		} else {
			copy(ipad, key)
		}
		copy(opad, ipad)
		for i := range ipad {
			ipad[i] ^= 0x36
			opad[i] ^= 0x5c
		}
	})
	return m, nil
}

// sum writes the MAC of the parts, one after the other, to dst (64 bytes, which
// may be one of the parts).
func (m *mac) sum(dst []byte, parts ...[]byte) {
	m.page.Use(func(p []byte) {
		ipad, opad, digest := p[:blockSize], p[blockSize:2*blockSize], p[2*blockSize:]
		m.inner.Reset()
		m.inner.Write(ipad)
		for _, part := range parts {
			m.inner.Write(part)
		}
		m.inner.Sum(digest[:0])
		m.outer.Reset()
		m.outer.Write(opad)
		m.outer.Write(digest)
		m.outer.Sum(dst[:0:digestSize])
	})
}

func (m *mac) release() {
	wipeHash(m.inner)
	wipeHash(m.outer)
	m.page.Release()
}

// wipeHash leaves nothing of what a hash took in. Reset alone keeps the last
// block: it is written over with a block of zeros, in two parts, since a whole
// one would not pass through the hash's own buffer.
func wipeHash(h hash.Hash) {
	zero := make([]byte, h.BlockSize())
	h.Reset()
	h.Write(zero[:1])
	h.Write(zero[1:])
	h.Reset()
}

// filled returns a buffer that holds size bytes, zero until fill writes them.
func filled(size int, fill func([]byte)) (*secret.Buffer, error) {
	b, err := secret.New(size)
	if err != nil {
		return nil, err
	}
	_, err = b.Fill(func(p []byte) (int, error) {
		fill(p[:size])
		return size, nil
	})
	if err != nil {
		b.Release()
		return nil, err
	}
	return b, nil
}

// scrubbed runs f and then writes over the part of the stack that f used: hash
// states, message schedules and scalars are copied there by the libraries. The
// stack is made large enough first, so that it is not moved meanwhile.
func scrubbed(f func()) {
	scrubStack()
	defer scrubStack()
	lower(f)
}

// lower runs f with its whole frame below the edge of what scrubStack zeroes.
//
//go:noinline
func lower(f func()) {
	var gap [256]byte
	f()
	runtime.KeepAlive(&gap)
}

// scrubSize is far more than the deepest calls below scrubbed take: their largest
// frame, of the elliptic curve, has 1.4 KiB.
const scrubSize = 32 << 10

//go:noinline
func scrubStack() {
	var frame [scrubSize]byte
	clear(frame[:])
	runtime.KeepAlive(&frame)
}
