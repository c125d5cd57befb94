package apdu

import (
	"encoding/binary"
	"fmt"

	"github.com/airlock-signer/airlock/reader/card"
)

// Cursor reads fields from a reply, front to back. The first field that is not
// all there makes it fail for good: what follows reads as nil, and End tells.
// So a parser reads all fields, asks End once, and looks at them only then.
type Cursor struct {
	all []byte
	pos int
	err error
}

// NewCursor reads from data, which it does not copy.
func NewCursor(data []byte) *Cursor { return &Cursor{all: data} }

// Take is the next n bytes.
func (c *Cursor) Take(n int) []byte {
	if c.err != nil {
		return nil
	}
	if n < 0 || n > len(c.all)-c.pos {
		c.err = card.BadReplyError{What: fmt.Sprintf("a field of %d bytes at byte %d of %d", n, c.pos, len(c.all))}
		return nil
	}
	field := c.all[c.pos : c.pos+n : c.pos+n]
	c.pos += n
	return field
}

// Byte is the next byte; 0 after a failure.
func (c *Cursor) Byte() byte {
	if b := c.Take(1); b != nil {
		return b[0]
	}
	return 0
}

// LV is a field behind its length in one byte.
func (c *Cursor) LV() []byte {
	if b := c.Take(1); b != nil {
		return c.Take(int(b[0]))
	}
	return nil
}

// LV2 is a field behind its length in two bytes, big endian.
func (c *Cursor) LV2() []byte {
	if b := c.Take(2); b != nil {
		return c.Take(int(binary.BigEndian.Uint16(b)))
	}
	return nil
}

// Read is everything read so far: what a signature that follows is over.
func (c *Cursor) Read() []byte { return c.all[:c.pos:c.pos] }

// Left is the number of bytes not read yet.
func (c *Cursor) Left() int { return len(c.all) - c.pos }

// End is nil where every field was there and nothing is left over, else a
// card.BadReplyError.
func (c *Cursor) End() error {
	if c.err == nil && c.Left() > 0 {
		c.err = card.BadReplyError{What: fmt.Sprintf("%d bytes too many after byte %d", c.Left(), c.pos)}
	}
	return c.err
}
