package satochip

import (
	"context"

	"github.com/airlock-signer/airlock/reader/apdu"
	"github.com/airlock-signer/airlock/reader/secret"
)

// secretData puts the data of an inner command together in one buffer that
// never moves, so that wipe leaves nothing behind.
type secretData struct {
	buf  [maxInner]byte
	n    int
	full bool // something did not fit, or a code had an impossible length
}

func (d *secretData) put(b ...byte) {
	if len(b) > len(d.buf)-d.n {
		d.full = true
		return
	}
	d.n += copy(d.buf[d.n:], b)
}

// raw appends a secret.
func (d *secretData) raw(s *secret.Buffer) {
	s.Use(func(b []byte) { d.put(b...) })
}

// code appends a PIN or PUK behind its length.
func (d *secretData) code(s *secret.Buffer) {
	s.Use(func(b []byte) {
		if len(b) < minPINSize || len(b) > maxPINSize {
			d.full = true
			return
		}
		d.put(byte(len(b)))
		d.put(b...)
	})
}

func (d *secretData) wipe() {
	clear(d.buf[:])
	d.n = 0
}

// sendSecret exchanges a command whose data is secret, and wipes that. sent is
// false where nothing went out.
func (l *link) sendSecret(ctx context.Context, inner apdu.Command, d *secretData) (data []byte, sw apdu.SW, sent bool, err error) {
	defer d.wipe()
	if l.channel == nil {
		return nil, 0, false, errClosed
	}
	if d.full {
		return nil, 0, false, errInnerTooLong
	}
	inner.Data = d.buf[:d.n:d.n]
	command, err := l.channel.seal(inner)
	d.wipe() // before a reader can hang
	if err != nil {
		return nil, 0, false, err
	}
	return l.sendOnce(ctx, command)
}
