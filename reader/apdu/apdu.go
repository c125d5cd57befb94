// Package apdu builds command APDUs and takes replies apart (ISO/IEC 7816-4,
// short form only). It is what the drivers of all makes share below their own
// protocols: bounds, status words and a cursor over length-value fields. It has
// no cryptography and knows no make.
//
// A reply is hostile until its driver has checked it: nothing here panics on
// one, and nothing is allocated from a length that a reply claims.
package apdu

import (
	"context"
	"fmt"

	"github.com/airlock-signer/airlock/reader/card"
)

// Bounds of short APDUs, in bytes.
const (
	MaxData    = 255     // of a command
	MaxReply   = 256 + 2 // data and status word
	headerSize = 4       // CLA INS P1 P2
)

// Command is one command APDU. Where Data is nil it is four bytes (case 1);
// where it is empty but not nil, a length of 0 follows them, which some cards
// want. No Le is ever sent: the makes supported do not want one.
type Command struct {
	CLA, INS, P1, P2 byte
	Data             []byte
}

// Size is the number of bytes the command has on the wire.
func (c Command) Size() int {
	if c.Data == nil {
		return headerSize
	}
	return headerSize + 1 + len(c.Data)
}

// AppendTo appends the command to dst. Where dst has room for Size bytes no
// other memory sees the data, so that a caller can wipe a secret afterwards.
func (c Command) AppendTo(dst []byte) ([]byte, error) {
	if len(c.Data) > MaxData {
		return nil, fmt.Errorf("apdu: %d bytes of data, a short command holds %d", len(c.Data), MaxData)
	}
	dst = append(dst, c.CLA, c.INS, c.P1, c.P2)
	if c.Data == nil {
		return dst, nil
	}
	return append(append(dst, byte(len(c.Data))), c.Data...), nil
}

// Bytes is the command as it goes over the wire.
func (c Command) Bytes() ([]byte, error) {
	return c.AppendTo(nil)
}

// Split separates the data of a reply from its status word. A reply that is
// too short or too long is a card.BadReplyError.
func Split(reply []byte) (data []byte, sw SW, err error) {
	if len(reply) < 2 {
		return nil, 0, card.BadReplyError{What: fmt.Sprintf("%d bytes, not even a status word", len(reply))}
	}
	if len(reply) > MaxReply {
		return nil, 0, card.BadReplyError{What: fmt.Sprintf("%d bytes, more than a card can send", len(reply))}
	}
	n := len(reply) - 2
	return reply[:n:n], SW(reply[n])<<8 | SW(reply[n+1]), nil
}

// Exchange sends a command, unless ctx is over, and splits the reply. Errors
// of the transport pass through as they are.
func Exchange(ctx context.Context, t card.Transport, command []byte) (data []byte, sw SW, err error) {
	if err := ctx.Err(); err != nil {
		return nil, 0, err
	}
	reply, err := t.Transmit(ctx, command)
	if err != nil {
		return nil, 0, err
	}
	return Split(reply)
}

// SW is a status word, the last two bytes of a reply.
type SW uint16

// OK is success.
const OK SW = 0x9000

// String is the four hex digits, as the specifications write them.
func (s SW) String() string { return fmt.Sprintf("%04X", uint16(s)) }

// TriesLeft reads 63Cx: a wrong PIN or PUK with x tries left.
func (s SW) TriesLeft() (left int, ok bool) {
	return int(s & 0xF), s&0xFFF0 == 0x63C0
}
