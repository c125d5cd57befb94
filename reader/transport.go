package reader

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/airlock-signer/airlock/reader/card"
)

// handle is one open card of a service: calls that block, and may never return
// where a reader hangs.
type handle interface {
	// exchange returns the whole reply in memory of its own, or an error of
	// package card.
	exchange(apdu []byte) ([]byte, error)
	// release resets the card and lets go of it and all that belongs to it.
	release()
}

// closeWait bounds Close: a reader that hangs is left to itself.
const closeWait = 2 * time.Second

// maxAPDU is the longest command: an extended one.
const maxAPDU = 7 + 65535 + 3

var errReleased = &card.Error{Sentence: "The connection to this card was closed. Take the card out and put it back."}

// transport implements card.Transport on a handle. All calls on the handle are
// made by one goroutine, so that a reader that hangs holds up nothing else.
type transport struct {
	work    chan job
	closing chan struct{} // closed by Close
	closed  sync.Once
	done    chan struct{} // closed once the card is released

	mu   sync.Mutex // one exchange at a time
	dead error      // why no further exchange is possible
}

type job struct {
	apdu  []byte
	reply chan outcome // room for one: the answer may come when nobody waits any more
}

type outcome struct {
	reply []byte
	err   error
}

// newTransport takes over h. released is called once h is released.
func newTransport(h handle, released func()) *transport {
	t := &transport{work: make(chan job), closing: make(chan struct{}), done: make(chan struct{})}
	go func() {
		defer close(t.done)
		defer released()
		defer h.release()
		for {
			select {
			case j := <-t.work:
				reply, err := h.exchange(j.apdu)
				clear(j.apdu) // may hold a PIN
				j.reply <- outcome{reply, err}
			case <-t.closing:
				return
			}
		}
	}()
	return t
}

// Transmit implements card.Transport. Where ctx ends during an exchange the
// outcome of that exchange is not known, and the transport is dead.
func (t *transport) Transmit(ctx context.Context, apdu []byte) ([]byte, error) {
	if len(apdu) < 4 || len(apdu) > maxAPDU {
		return nil, errors.New("not an APDU") // a defect of this program: the transport lives
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if t.dead != nil {
		return nil, t.dead
	}
	// A copy: the goroutine may still read it when the caller has wiped its own.
	j := job{apdu: slices.Clone(apdu), reply: make(chan outcome, 1)}
	select {
	case t.work <- j:
	case <-t.closing:
		clear(j.apdu)
		t.dead = errReleased
		return nil, t.dead
	}
	select {
	case o := <-j.reply:
		return t.take(o)
	case <-ctx.Done():
		select {
		case o := <-j.reply: // both at once: the reply counts
			return t.take(o)
		default:
		}
		t.dead = card.ErrNoResponse
		return nil, ctx.Err()
	}
}

// take checks what came back.
func (t *transport) take(o outcome) ([]byte, error) {
	if o.err == nil && len(o.reply) < 2 {
		o.err = card.BadReplyError{What: "shorter than a status word"}
	}
	if o.err != nil {
		t.dead = o.err
		return nil, o.err
	}
	return o.reply, nil
}

// Close implements card.Transport. Where the reader hangs it returns
// ErrNoResponse after a short wait, and the card is released when the reader
// lets go. Further calls do nothing.
func (t *transport) Close() error {
	t.closed.Do(func() { close(t.closing) })
	late := time.NewTimer(closeWait)
	defer late.Stop()
	select {
	case <-t.done:
		return nil
	case <-late.C:
		return card.ErrNoResponse
	}
}

// contactlessATR tells whether a reader made up the ATR for a card in its field
// (PC/SC part 3, section 3.1.3.2.3: 3B 8n 80 01 and historical bytes).
func contactlessATR(atr []byte) bool {
	return len(atr) >= 4 && atr[0] == 0x3B && atr[1]>>4 == 0x8 && atr[2] == 0x80 && atr[3] == 0x01
}
