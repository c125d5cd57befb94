package pcsctest

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"sync"
	"testing"
	"time"
)

// Controls of vpcd's protocol, messages of one byte: power off (0) and on (1)
// have no reply, nor has a reset; the ATR is asked for to see whether the card
// is still there.
const (
	controlReset = 2
	controlATR   = 4
)

// Card is a card in the virtual reader that answers as the test says. It is no
// make that the station knows.
type Card struct {
	ATR []byte
	// Answer gives the reply to an APDU; nil: the card does not answer, ever.
	Answer func(apdu []byte) []byte

	mu     sync.Mutex
	conn   net.Conn
	resets int
}

// ATRs (ISO 7816-3; PC/SC part 3 for the contactless one).
func ATRT1() []byte          { return []byte{0x3B, 0x80, 0x01, 0x81} }
func ATRT0() []byte          { return []byte{0x3B, 0x00} }
func ATRContactless() []byte { return []byte{0x3B, 0x80, 0x80, 0x01, 0x01} }

// Insert puts the card into the reader at addr.
func (c *Card) Insert(t testing.TB, addr string) {
	t.Helper()
	conn, err := net.DialTimeout("tcp", addr, patience)
	if err != nil {
		t.Fatalf("pcsctest: %v", err)
	}
	c.mu.Lock()
	c.conn = conn
	c.mu.Unlock()
	t.Cleanup(func() { conn.Close() })
	go c.serve(conn)
}

// Remove takes the card out.
func (c *Card) Remove() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.conn != nil {
		c.conn.Close()
	}
}

// Resets is how often the reader has reset the card.
func (c *Card) Resets() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.resets
}

// serve answers until the connection ends.
func (c *Card) serve(conn net.Conn) {
	for {
		var length [2]byte
		if _, err := io.ReadFull(conn, length[:]); err != nil {
			return
		}
		message := make([]byte, binary.BigEndian.Uint16(length[:]))
		if _, err := io.ReadFull(conn, message); err != nil {
			return
		}
		var reply []byte
		switch {
		case len(message) != 1:
			if reply = c.Answer(bytes.Clone(message)); reply == nil {
				continue
			}
		case message[0] == controlATR:
			reply = c.ATR
		case message[0] == controlReset:
			c.mu.Lock()
			c.resets++
			c.mu.Unlock()
			continue
		default: // power off and on
			continue
		}
		conn.SetWriteDeadline(time.Now().Add(patience))
		if _, err := conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(reply))), reply...)); err != nil {
			return
		}
	}
}
