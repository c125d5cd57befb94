package reader

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ebfe/scard"

	"github.com/airlock-signer/airlock/reader/card"
)

const (
	// waitForChange is the longest single wait for a change of the readers; the
	// context is looked at after each. There is no Cancel: one that comes before
	// the wait has begun is lost.
	waitForChange = 500 * time.Millisecond
	// betweenTries is the pause before the service is looked for again.
	betweenTries = 500 * time.Millisecond
	// breath keeps a service that reports the same thing over and over from
	// taking a whole processor.
	breath = 20 * time.Millisecond
	// connectWait bounds the opening of a card. The service itself waits without
	// end for another program's transaction to end.
	connectWait = 8 * time.Second
	// diagnoseWait is how long the service may take to notice that a card is
	// gone: it looks every 400 ms.
	diagnoseWait = 1500 * time.Millisecond
	diagnoseStep = 50 * time.Millisecond

	// pnpReader is the name under which the service reports that readers came or
	// went. It fires for changes during a wait only, so the readers are listed
	// before each wait too.
	pnpReader = `\\?PnP?\Notification`
	// maxReaders is what one wait may name (PCSCLITE_MAX_READERS_CONTEXTS).
	maxReaders = 16
	// maxReaderName is the longest name that fits the service's messages,
	// without its final NUL (MAX_READERNAME).
	maxReaderName = 127
)

// PCSC is the Backend on the machine's PC/SC service (pcscd, through
// libpcsclite). One is enough for a program: two waits at the same time on one
// reader name would share memory inside the scard package.
type PCSC struct {
	log func(string)
	// waiting holds a token while a goroutine waits for changes.
	waiting chan struct{}

	usage *usage
}

// NewPCSC returns the backend; the service is first contacted by Watch or
// Connect. log gets lines about the service and its errors (never what is
// exchanged with a card); it is called from several goroutines and may be nil.
func NewPCSC(log func(string)) *PCSC {
	if log == nil {
		log = func(string) {}
	}
	return &PCSC{log: log, waiting: make(chan struct{}, 1), usage: newUsage()}
}

// Watch implements Backend. A second Watch waits until the first has ended.
func (p *PCSC) Watch(ctx context.Context, emit func(Snapshot)) error {
	select {
	case p.waiting <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	changes := make(chan Snapshot)
	go func() {
		defer func() { <-p.waiting }()
		p.poll(ctx, func(s Snapshot) {
			select {
			case changes <- s:
			case <-ctx.Done():
			}
		})
	}()
	// A service that hangs holds up the goroutine above, not this one.
	for {
		select {
		case s := <-changes:
			emit(s)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// poll follows the service until ctx ends, and looks for it again when it is gone.
func (p *PCSC) poll(ctx context.Context, out func(Snapshot)) {
	t := newTracker()
	var last *Snapshot
	changed := func(s Snapshot) bool {
		if last != nil && sameSnapshot(*last, s) {
			return false
		}
		last = &s
		out(s)
		return true
	}
	for ctx.Err() == nil {
		sc, err := scard.EstablishContext()
		gone := serviceError(err)
		if err == nil {
			err = p.follow(ctx, sc, t, changed)
			gone = card.ErrNoService
			_ = sc.Release() // fails where the service is gone
		}
		if ctx.Err() != nil {
			return
		}
		t.lost()
		if changed(Snapshot{Err: gone}) {
			p.log(fmt.Sprintf("pcsc: no service: %v", err))
		}
		pause(ctx, betweenTries)
	}
}

// follow reports changes until ctx ends (nil) or the service is gone.
func (p *PCSC) follow(ctx context.Context, sc *scard.Context, t *tracker, changed func(Snapshot) bool) error {
	for ctx.Err() == nil {
		names, err := listReaders(sc)
		if err != nil {
			return err
		}
		t.list(names)
		// A card that this program closes during the wait is still ours in what
		// the wait reports.
		before := p.usage.mine()
		err = waitForAny(sc, names, t.flags)
		quiet := errors.Is(err, scard.ErrTimeout)
		var states []rawState
		if err == nil || quiet {
			states, err = look(sc, names)
		}
		if errors.Is(err, scard.ErrUnknownReader) || errors.Is(err, scard.ErrTimeout) {
			pause(ctx, breath) // a reader went while it was looked at: list again
			continue
		}
		if err != nil {
			return err
		}
		t.update(states)
		after := p.usage.mine()
		p.usage.remember(states)
		if ctx.Err() != nil {
			return nil
		}
		s := t.snapshot(func(name string) bool { return before[name] || after[name] })
		if !changed(s) && !quiet {
			pause(ctx, breath)
		}
	}
	return nil
}

// listReaders names the readers, each once, no more than one wait can take.
func listReaders(sc *scard.Context) ([]string, error) {
	for try := 0; ; try++ {
		names, err := sc.ListReaders()
		switch {
		case err == nil:
			slices.Sort(names)
			names = slices.Compact(names)
			return names[:min(len(names), maxReaders)], nil
		case errors.Is(err, scard.ErrNoReadersAvailable):
			return nil, nil
		case errors.Is(err, scard.ErrInsufficientBuffer) && try < 3: // one came meanwhile
		default:
			return nil, err
		}
	}
}

// waitForAny waits for a change of the named readers, or of which there are;
// scard.ErrTimeout where there was none.
func waitForAny(sc *scard.Context, names []string, flags func(string) uint32) error {
	states := make([]scard.ReaderState, 0, maxReaders)
	for _, name := range names {
		states = append(states, scard.ReaderState{Reader: name, CurrentState: scard.StateFlag(flags(name))})
	}
	if len(states) < maxReaders {
		states = append(states, scard.ReaderState{Reader: pnpReader})
	}
	return sc.GetStatusChange(states, waitForChange) // never an empty slice: scard panics
}

// look asks for the states as they are. A wait does not tell all of them: that
// another program took a card exclusively ends no wait.
func look(sc *scard.Context, names []string) ([]rawState, error) {
	if len(names) == 0 {
		return nil, nil
	}
	states := make([]scard.ReaderState, len(names))
	for i, name := range names {
		states[i] = scard.ReaderState{Reader: name, CurrentState: scard.StateUnaware}
	}
	if err := sc.GetStatusChange(states, 0); err != nil {
		return nil, err
	}
	raw := make([]rawState, len(states))
	for i, s := range states {
		raw[i] = rawState{Name: s.Reader, Flags: uint32(s.EventState), ATR: s.Atr}
	}
	return raw, nil
}

// Connect implements Backend. It returns when ctx ends even if the reader
// hangs, and gives up after some seconds by itself. Errors are those of package
// card: ErrNoService, ErrReaderGone, ErrRemoved, ErrInUse, ErrNoResponse.
func (p *PCSC) Connect(ctx context.Context, slot string) (card.Transport, error) {
	if slot == "" || len(slot) > maxReaderName || strings.ContainsRune(slot, 0) {
		return nil, card.ErrReaderGone // no reader can have this name
	}
	type opened struct {
		t   *transport
		err error
	}
	done, abandoned := make(chan opened), make(chan struct{})
	p.usage.hold(slot, 1)
	go func() {
		t, err := p.connect(slot)
		if err != nil {
			p.usage.hold(slot, -1)
		}
		select {
		case done <- opened{t, err}:
		case <-abandoned:
			if t != nil {
				_ = t.Close()
			}
		}
	}()
	late := time.NewTimer(connectWait)
	defer late.Stop()
	select {
	case o := <-done:
		if o.err != nil {
			return nil, o.err
		}
		return o.t, nil
	case <-ctx.Done():
		close(abandoned)
		return nil, ctx.Err()
	case <-late.C:
		close(abandoned)
		p.log(fmt.Sprintf("pcsc: connect %q: no answer", slot))
		if p.usage.elsewhere(slot) {
			return nil, card.ErrInUse
		}
		return nil, card.ErrNoResponse
	}
}

// connect opens the card on a context of its own and begins the transaction.
func (p *PCSC) connect(slot string) (*transport, error) {
	fail := func(doing string, err error) error {
		p.log(fmt.Sprintf("pcsc: %s %q: %v", doing, slot, err))
		return connectError(err)
	}
	sc, err := scard.EstablishContext()
	if err != nil {
		p.log(fmt.Sprintf("pcsc: establish: %v", err))
		return nil, serviceError(err)
	}
	c, err := sc.Connect(slot, scard.ShareExclusive, scard.ProtocolAny)
	if err != nil {
		_ = sc.Release()
		return nil, fail("connect", err)
	}
	proto := c.ActiveProtocol()
	if proto != scard.ProtocolT0 && proto != scard.ProtocolT1 { // scard panics on others
		err = scard.ErrProtoMismatch
	} else {
		err = c.BeginTransaction()
	}
	if err != nil {
		_ = c.Disconnect(scard.ResetCard)
		_ = sc.Release()
		return nil, fail("begin", err)
	}
	h := &scardHandle{sc: sc, c: c, log: func(err error) { p.log(fmt.Sprintf("pcsc: %q: %v", slot, err)) }}
	if atr, err := c.GetAttrib(scard.AttrAtrString); err == nil {
		h.contactless = contactlessATR(atr)
	}
	return newTransport(h, func() { p.usage.hold(slot, -1) }), nil
}

// scardHandle is one open card. Its methods are called from one goroutine.
type scardHandle struct {
	sc          *scard.Context
	c           *scard.Card
	contactless bool
	log         func(error)
}

// exchange implements handle.
func (h *scardHandle) exchange(apdu []byte) ([]byte, error) {
	send := func(b []byte) ([]byte, error) {
		reply, err := h.c.Transmit(b)
		if err == nil && len(reply) == 0 {
			err = scard.ErrNotTransacted // what some drivers make of a card pulled out
		}
		if err != nil {
			return nil, err
		}
		out := slices.Clone(reply)
		clear(reply) // part of a buffer of 64 kB that would stay in memory as it is
		return out, nil
	}
	var reply []byte
	var err error
	if h.c.ActiveProtocol() == scard.ProtocolT0 {
		reply, err = exchangeT0(send, apdu)
	} else {
		reply, err = send(apdu)
	}
	if err == nil || errors.Is(err, card.ErrBadReply) {
		return reply, err
	}
	h.log(err)
	return nil, h.diagnose(err)
}

// diagnose finds out what an error of an exchange means. "Not transacted" is
// all that most readers say, and the service notices only a little later that
// card or reader are gone.
func (h *scardHandle) diagnose(err error) error {
	if !errors.Is(err, scard.ErrNotTransacted) && !errors.Is(err, scard.ErrUnknownError) {
		return cardError(err)
	}
	for waited := time.Duration(0); waited < diagnoseWait; waited += diagnoseStep {
		// A transaction inside ours: touches nothing, and fails with what happened.
		if err := h.c.BeginTransaction(); err != nil {
			h.log(err)
			return cardError(err)
		}
		time.Sleep(diagnoseStep)
	}
	if h.contactless { // out of the field for too short a time for the reader to tell
		return card.ErrRemoved
	}
	return card.ErrNoResponse
}

// release implements handle. A card that the service knows to be gone must not
// be reset: pcscd then takes the reader for empty, also where the next card came
// in meanwhile.
func (h *scardHandle) release() {
	then := scard.ResetCard
	if h.c.BeginTransaction() != nil {
		then = scard.LeaveCard
	}
	_ = h.c.Disconnect(then) // ends the transactions too
	_ = h.sc.Release()
}

// serviceError is the error of a service that cannot be reached.
func serviceError(err error) error {
	if errors.Is(err, scard.ErrCommError) || errors.Is(err, scard.ErrNoAccess) {
		return refusedError{}
	}
	return card.ErrNoService
}

// connectError maps an error of opening a card.
func connectError(err error) error {
	switch {
	case errors.Is(err, scard.ErrUnresponsiveCard), errors.Is(err, scard.ErrUnpoweredCard),
		errors.Is(err, scard.ErrProtoMismatch), errors.Is(err, scard.ErrNotTransacted),
		errors.Is(err, scard.ErrUnsupportedCard), errors.Is(err, scard.ErrCardUnsupported):
		return card.ErrNoResponse
	case errors.Is(err, scard.ErrInvalidHandle):
		return card.ErrNoService // the context went with the service
	}
	return cardError(err)
}

// cardError maps an error of an open card.
func cardError(err error) error {
	var code scard.Error
	if !errors.As(err, &code) {
		return card.ErrNoResponse
	}
	switch code {
	case scard.ErrRemovedCard, scard.ErrNoSmartcard, scard.ErrResetCard, scard.ErrUnpoweredCard, scard.ErrProtoMismatch:
		// Reset or without power in between (a reader that slept, a card that left
		// the field for a moment): it is logged out, and has to be opened anew as
		// after being taken out.
		return card.ErrRemoved
	case scard.ErrUnknownReader, scard.ErrReaderUnavailable, scard.ErrNoReadersAvailable,
		scard.ErrInvalidHandle, scard.ErrInvalidValue:
		// A handle is invalid once its reader is gone.
		return card.ErrReaderGone
	case scard.ErrSharingViolation:
		return card.ErrInUse
	case scard.ErrNoService, scard.ErrServiceStopped, scard.ErrCommError, scard.ErrServerTooBusy:
		return card.ErrNoService
	case scard.ErrInsufficientBuffer:
		return card.BadReplyError{What: "longer than a reply can be"}
	}
	return card.ErrNoResponse
}

// pause waits, or until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
