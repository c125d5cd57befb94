package simcard

import "sync"

// Fault stands between a card and its host. It is called once for each command
// with its number (from 1, over power cycles) and may change what goes in and
// what comes back; next passes the command on to the card.
type Fault func(n int, apdu []byte, next func([]byte) []byte) []byte

// Faulty is a card with faults in front of it, the first one outermost.
type Faulty struct {
	card   Card
	faults []Fault

	mu sync.Mutex
	n  int
}

// WithFaults puts faults in front of a card.
func WithFaults(c Card, faults ...Fault) *Faulty { return &Faulty{card: c, faults: faults} }

// ATR is that of the card.
func (f *Faulty) ATR() []byte { return f.card.ATR() }

// Reset resets the card; the count of exchanges goes on.
func (f *Faulty) Reset() { f.card.Reset() }

// Exchanges is how many commands came in.
func (f *Faulty) Exchanges() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.n
}

// Transmit passes the command through the faults. No lock is held meanwhile: a
// fault may wait.
func (f *Faulty) Transmit(apdu []byte) []byte {
	f.mu.Lock()
	f.n++
	n := f.n
	f.mu.Unlock()
	return f.through(0, n, apdu)
}

func (f *Faulty) through(i, n int, apdu []byte) []byte {
	if i == len(f.faults) {
		return f.card.Transmit(apdu)
	}
	return f.faults[i](n, apdu, func(a []byte) []byte { return f.through(i+1, n, a) })
}

// PullWhen pulls the card before the first command that comes while due is
// true: that command never reaches it. It does so once; a card put back works.
// pull may be nil.
func PullWhen(due func(n int) bool, pull func()) Fault {
	var once sync.Once
	return func(n int, apdu []byte, next func([]byte) []byte) []byte {
		pulled := false
		if due(n) {
			once.Do(func() { pulled = true })
		}
		if !pulled {
			return next(apdu)
		}
		if pull != nil {
			pull()
		}
		return nil
	}
}

// PullAfter pulls the card once n exchanges were answered.
func PullAfter(n int, pull func()) Fault {
	return PullWhen(func(i int) bool { return i > n }, pull)
}

// LoseReply pulls the card while it works on command n: it was carried out, and
// nobody learns with what outcome.
func LoseReply(n int, pull func()) Fault {
	return On(n, func(apdu []byte, next func([]byte) []byte) []byte {
		next(apdu)
		if pull != nil {
			pull()
		}
		return nil
	})
}

// Hold keeps the reply of command n back until release is closed.
func Hold(n int, release <-chan struct{}) Fault {
	return On(n, func(apdu []byte, next func([]byte) []byte) []byte {
		reply := next(apdu)
		<-release
		return reply
	})
}

// Truncate cuts the reply of command n to size bytes, status word included.
func Truncate(n, size int) Fault {
	return reply(n, func(r []byte) []byte { return r[:min(max(size, 0), len(r))] })
}

// Corrupt flips the lowest bit of byte i of the reply of command n, counted
// from the end where i is negative; the status word is bytes -2 and -1.
func Corrupt(n, i int) Fault {
	return reply(n, func(r []byte) []byte {
		at := i
		if at < 0 {
			at += len(r)
		}
		if at >= 0 && at < len(r) {
			r[at] ^= 1
		}
		return r
	})
}

// BareOK answers command n with 9000 and no data, whatever the card says.
func BareOK(n int) Fault {
	return reply(n, func([]byte) []byte { return []byte{0x90, 0x00} })
}

// Replace answers command n with r in the card's stead.
func Replace(n int, r []byte) Fault {
	return reply(n, func([]byte) []byte { return append([]byte(nil), r...) })
}

// Swap lets another card answer from command n on, as a hand would that swaps
// cards: it is reset first.
func Swap(n int, other Card) Fault {
	var once sync.Once
	return func(i int, apdu []byte, next func([]byte) []byte) []byte {
		if i < n {
			return next(apdu)
		}
		once.Do(other.Reset)
		return other.Transmit(apdu)
	}
}

// SwapAuthentikey lets another card take over at the first channel opening from
// command n on, already selected: the host finds the same kind of card, maybe
// with the same seed and PIN, but another identity.
func SwapAuthentikey(n int, other Card) Fault {
	swapped := false
	var mu sync.Mutex
	return func(i int, apdu []byte, next func([]byte) []byte) []byte {
		mu.Lock()
		if i >= n && !swapped && len(apdu) > 1 && apdu[1] == 0x81 {
			swapped = true
			other.Reset()
			other.Transmit([]byte("\x00\xA4\x04\x00\x08SatoChip"))
		}
		use := swapped
		mu.Unlock()
		if use {
			return other.Transmit(apdu)
		}
		return next(apdu)
	}
}

// On puts a fault on command n alone.
func On(n int, fault func(apdu []byte, next func([]byte) []byte) []byte) Fault {
	return func(i int, apdu []byte, next func([]byte) []byte) []byte {
		if i != n {
			return next(apdu)
		}
		return fault(apdu, next)
	}
}

// reply changes the reply of command n.
func reply(n int, change func([]byte) []byte) Fault {
	return On(n, func(apdu []byte, next func([]byte) []byte) []byte { return change(next(apdu)) })
}
