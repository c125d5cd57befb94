package session

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/airlock-signer/airlock/airgap"
	"github.com/airlock-signer/airlock/reader"
	"github.com/airlock-signer/airlock/reader/card"
	"github.com/airlock-signer/airlock/reader/simcard"
	"github.com/airlock-signer/airlock/signer"
	"github.com/airlock-signer/airlock/signer/samples"
)

// tooLong bounds what is waited for; nothing depends on how long it takes.
const tooLong = 30 * time.Second

// abuse is one sitting in which something goes wrong: a person who goes on as
// the screens say, a hand at the reader, and the account of what happened.
type abuse struct {
	*sitting
	kit
	rig   rig
	gate  chan func()
	own   *played // the card that the person means to use
	cards []*played
	hand  chan func() // what must happen on the test's goroutine, in the middle of an exchange
	over  chan struct{}

	fault  *fault
	moment moment
	struck bool // at a moment between exchanges
	mended bool
	known  map[string]bool // files that may be on the stick
	seats  int             // how often the card was put back by a person who saw a trouble

	inside  *played // the card in the reader
	printed string  // of the own card, as it is printed in the plan

	mu       sync.Mutex
	notes    []note
	left     int // exchanges until the fault; 0: not armed
	do       exchangeFault
	fired    bool
	finished bool // the exchange with the fault has ended
}

// note is one thing that happened, in order.
type note struct {
	typed    bool // the person typed a PIN
	approved bool // the person approved
	card     *played
	did      simcard.Exchange
	intact   bool // the reply went to the station as it was
}

type exchangeFault func(a *abuse, p *played, apdu []byte, next func([]byte) []byte) []byte

// played is a card whose exchanges pass through the abuse.
type played struct {
	a    *abuse
	name string
	card softCard

	mu    sync.Mutex
	last  []byte          // reply before this one
	kinds map[byte][]byte // last reply to each instruction
	stand *played
}

func (p *played) ATR() []byte { return p.card.ATR() }
func (p *played) Reset() {
	p.card.Reset()
	if s := p.standIn(nil); s != nil {
		s.Reset()
	}
}

// standIn is who answers instead of this card; a new one where it is not nil.
func (p *played) standIn(s *played) *played {
	p.mu.Lock()
	defer p.mu.Unlock()
	if s != nil {
		p.stand = s
	}
	return p.stand
}

func (p *played) honest() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stand = nil
}

// Transmit answers, or lets the fault do so.
func (p *played) Transmit(apdu []byte) []byte {
	if s := p.standIn(nil); s != nil {
		return s.Transmit(apdu)
	}
	n := len(p.card.Log())
	f := p.a.due(p)
	var reply []byte
	if f == nil {
		reply = p.card.Transmit(apdu)
	} else {
		reply = f(p.a, p, apdu, p.card.Transmit)
	}
	for _, did := range p.card.Log()[n:] {
		p.keep(did.INS, reply)
		p.a.note(note{card: p, did: did, intact: f == nil})
	}
	if f != nil {
		p.a.mu.Lock()
		p.a.finished = true
		p.a.mu.Unlock()
		p.a.s.post(tick{}) // the person looks again
	}
	return reply
}

func (p *played) keep(ins byte, reply []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.kinds == nil {
		p.kinds = map[byte][]byte{}
	}
	p.last, p.kinds[ins] = bytes.Clone(reply), bytes.Clone(reply)
}

func (p *played) before() []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	return bytes.Clone(p.last)
}

// beforeOf is the last reply to an instruction; nil where there was none.
func (p *played) beforeOf(ins byte) []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	return bytes.Clone(p.kinds[ins])
}

// due is the fault of this exchange; nil for none.
func (a *abuse) due(p *played) exchangeFault {
	a.mu.Lock()
	defer a.mu.Unlock()
	if p != a.own || a.left == 0 {
		return nil
	}
	if a.left--; a.left > 0 {
		return nil
	}
	a.fired = true
	return a.do
}

// arm has the nth exchange from now on go wrong.
func (a *abuse) arm(n int, f exchangeFault) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.left, a.do, a.fired, a.finished = n, f, false, false
}

func (a *abuse) hasFired() (fired, finished bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.fired, a.finished
}

// disarm ends what was armed, and waits for a fault that is under way. It
// reports whether the fault came.
func (a *abuse) disarm() bool {
	a.Helper()
	a.mu.Lock()
	a.left = 0
	fired := a.fired
	a.mu.Unlock()
	if fired {
		a.until("the exchange to end", func(State) bool { _, finished := a.hasFired(); return finished })
	}
	return fired
}

func (a *abuse) note(n note) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.notes = append(a.notes, n)
}

// byHand has the test's goroutine do something while a card is being asked.
func (a *abuse) byHand(f func()) {
	done := make(chan struct{})
	select {
	case a.hand <- func() { defer close(done); f() }:
		select {
		case <-done:
		case <-a.over:
		}
	case <-a.over:
	}
}

// kit is what all rows with one make share.
type kit struct {
	maker
	given    map[string][]byte // on the stick: what is signed, and clean
	approved [][32]byte        // their digests
}

// clean is the file that is signed after each abuse, in the same sitting.
const clean = "more/payment-legacy.psbt"

// newKit learns the digests from runs in which nothing goes wrong and whose
// results the script engine accepts.
func newKit(t *testing.T, m maker) kit {
	k := kit{maker: m, given: map[string][]byte{}}
	for _, f := range samples.Stick() {
		if f.Name == m.file || f.Name == clean {
			k.given[f.Name] = f.Data
		}
	}
	for file := range k.given {
		a := newAbuse(t, k, newSimulated(t), nil, moment{})
		a.seat(a.own)
		a.ended(a.sign(file))
		k.approved = append(k.approved, a.own.card.Digests()...)
	}
	return k
}

func newAbuse(t *testing.T, k kit, r rig, f *fault, at moment) *abuse {
	a := &abuse{kit: k, rig: r, fault: f, moment: at, known: map[string]bool{},
		gate: make(chan func(), 1), hand: make(chan func()), over: make(chan struct{})}
	a.sitting = &sitting{T: t, events: make(chan Event, 64), stick: t.TempDir(), now: time.Now(), network: make(chan airgap.Isolation, 1)}
	for name, data := range k.given {
		path := filepath.Join(a.stick, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
		a.known[name] = true
	}
	a.s = New(Config{
		Readers: gated{r, a.gate},
		OpenCard: func(ctx context.Context, tr card.Transport) (card.Card, error) {
			return reader.Open(ctx, tr, rand.Reader)
		},
		Media:          NewMedia(airgap.NewVolumes([]string{a.stick})),
		WatchIsolation: func(_ context.Context, emit func(airgap.Isolation)) { emit(quietNetwork()) },
		Settings:       signer.Settings{Network: signer.Mainnet},
		Limits:         signer.DefaultLimits(),
		Now:            func() time.Time { return a.now },
	})
	ctx, cancel := context.WithCancel(context.Background())
	a.s.Start(ctx, func(ev Event) {
		select {
		case a.events <- ev:
		case <-ctx.Done():
		}
	})
	t.Cleanup(func() {
		close(a.over)
		a.pullOut()
		a.seenOut()
		done, stop := context.WithTimeout(context.Background(), 5*time.Second)
		defer stop()
		a.s.Close(done)
		cancel()
	})
	a.own = a.newCard("one")
	a.printed = k.code(a.own.card)
	return a
}

// seenOut waits until the card is seen to be out, so that the next test begins
// with an empty reader.
func (a *abuse) seenOut() {
	for late := time.After(tooLong); ; {
		if v := a.slot(a.s.State()); v == nil || !v.Present {
			return
		}
		select {
		case ev := <-a.events:
			a.s.Do(ev)
		case <-late:
			a.Error("the card was never seen to be out")
			return
		}
	}
}

// newCard makes a card with the demo seed.
func (a *abuse) newCard(name string) *played {
	p := &played{a: a, name: name, card: a.make(a.T, name)}
	a.cards = append(a.cards, p)
	return p
}

// once waits until something happened.
func (a *abuse) once(what string, late <-chan time.Time) {
	a.Helper()
	select {
	case ev := <-a.events:
		a.s.Do(ev)
	case f := <-a.hand:
		f()
	case <-late:
		st := a.s.State()
		a.Fatalf("waited in vain for %s: step %d, problem %q, readers %q %+v", what, st.Step, st.Problem, st.SlotsTrouble, st.Slots)
	}
}

func (a *abuse) until(what string, ok func(State) bool) State {
	a.Helper()
	for late := time.After(tooLong); ; a.once(what, late) {
		if st := a.look(); ok(st) {
			return st
		}
	}
}

// look is the state; everything in it that is at an end has a sentence.
func (a *abuse) look() State {
	a.Helper()
	st := a.s.State()
	switch st.Step {
	case StepPaused, StepFailed, StepMalformed:
		if st.Problem == "" {
			a.Fatalf("step %d without a sentence", st.Step)
		}
	}
	waits := len(st.Slots) == 0 && st.SlotsTrouble != "" || len(st.Blocking()) > 0
	for _, v := range st.Slots {
		if v.Present && !v.Opening && !v.Opened && v.Trouble == "" {
			a.Fatalf("a card that cannot be used, without a sentence: %+v", v)
		}
		if v.LoggedIn && a.identity && v.Code != a.printed {
			a.Fatalf("logged in to %s", v.Code)
		}
		waits = waits || !v.Usable()
	}
	if st.Step == StepCard && !waits && st.Problem == "" {
		a.Fatalf("waits for a card and does not say why: %+v", st.Slots)
	}
	for _, text := range []string{st.Problem, st.SlotsTrouble} {
		a.sentence(text)
	}
	for _, v := range st.Slots {
		a.sentence(v.Trouble)
	}
	return st
}

// sentence: what a person reads begins like a sentence and ends like one.
func (a *abuse) sentence(text string) {
	a.Helper()
	if text != "" && (strings.ToUpper(text[:1]) != text[:1] || !strings.ContainsAny(text[len(text)-1:], ".)")) {
		a.Errorf("not a sentence: %q", text)
	}
}

// slot is the rig's reader; nil where there is none.
func (a *abuse) slot(st State) *SlotView {
	for i := range st.Slots {
		if st.Slots[i].Name == a.rig.name() {
			return &st.Slots[i]
		}
	}
	return nil
}

func (a *abuse) in(p *played) {
	a.inside = p
	a.rig.in(p)
}

// out takes the card out, and waits until the station has seen it.
func (a *abuse) out() {
	a.Helper()
	a.pullOut()
	a.until("the card to be out", func(st State) bool { v := a.slot(st); return v == nil || !v.Present })
}

func (a *abuse) pullOut() {
	if a.inside != nil {
		a.inside = nil
		a.rig.out()
	}
}

// seat puts a card in and waits until the station knows what it is.
func (a *abuse) seat(p *played) State {
	a.Helper()
	a.in(p)
	return a.until("the card to be opened", a.opened)
}

func (a *abuse) opened(st State) bool {
	v := a.slot(st)
	return v != nil && v.Present && !v.Opening
}

// reseat is what a person does who reads that a card cannot be used.
func (a *abuse) reseat(why string) {
	a.Helper()
	if a.seats++; a.seats > 4 {
		a.Fatalf("the card never comes back: %s", why)
	}
	a.out()
	a.in(a.own)
}

// sign goes the whole way with one file, whatever happens on it, and returns
// the state at its end: a result written, a run that failed, or a review that
// cannot be approved.
func (a *abuse) sign(file string) State {
	a.Helper()
	a.s.Do(ShowFiles{})
	return a.rest(file)
}

// rest is sign from the step in which the sitting stands.
func (a *abuse) rest(file string) State {
	a.Helper()
	opened := false
	late := time.After(tooLong)
	for turns := 0; ; turns++ {
		if turns > 5000 {
			a.Fatal("goes round in circles")
		}
		st := a.look()
		if st.Step == StepFailed || st.Result != nil && st.Result.Done() {
			return st
		}
		if a.strikes(st) {
			continue
		}
		if st.Step == StepFiles && !opened && !st.Scanning {
			i := slices.IndexFunc(st.Files, func(f airgap.File) bool { return f.Path == file })
			if opened = i >= 0; opened {
				a.s.Do(OpenFile{File: st.Files[i]})
				continue
			}
		}
		if st.Step == StepReview && !a.approvable() {
			return a.look()
		}
		if !a.act(st) {
			a.once("the end of the run", late)
		}
	}
}

// strikes brings the fault on at its moment, and mends what it broke.
func (a *abuse) strikes(st State) bool {
	f := a.fault
	if f == nil {
		return false
	}
	if !a.struck && a.moment.between(st) {
		a.struck = true
		f.strike(a)
		if f.mend != nil {
			a.mended = true
			f.mend(a)
		}
		return true
	}
	if _, finished := a.hasFired(); finished && a.struck && !a.mended && f.mend != nil {
		a.mended = true
		f.mend(a)
		return true
	}
	return false
}

// approvable reads the review and reports whether there is a way on.
func (a *abuse) approvable() bool {
	a.read()
	return a.s.State().Review.CanApprove
}

// act does what a person would do now; false where there is nothing to do but
// to wait.
func (a *abuse) act(st State) bool {
	a.Helper()
	switch st.Step {
	case StepPreview, StepReview:
		a.s.Do(GoOn{})
	case StepPIN:
		if v := a.slot(st); a.identity && v != nil && v.Code != a.printed {
			a.reseat("it is another card")
			return true
		}
		if a.moment.name == "unlocking" {
			a.begin()
		}
		if st.PIN.WantWord != "" {
			a.s.Do(TypeWord{Word: st.PIN.WantWord})
		}
		a.note(note{typed: true})
		a.pin(simcard.DemoPIN)
	case StepApprove:
		if a.moment.name == "signing" {
			a.begin()
		}
		if a.moment.paused {
			a.interrupt()
		}
		a.note(note{approved: true})
		a.s.Do(TypeAmount{Text: st.Review.Confirmation.Text})
	case StepCard, StepPaused:
		return a.bringCard(st)
	case StepResult:
		if st.Result.Trouble == "" || st.Result.Writing || len(st.Volumes) == 0 {
			return false
		}
		a.s.Do(WriteResult{Volume: st.Volumes[0]})
	default:
		return false
	}
	return true
}

// begin arms the fault of an exchange, once.
func (a *abuse) begin() {
	if a.fault != nil && !a.struck {
		a.struck = true
		a.arm(a.moment.n, a.fault.exchange)
	}
}

// interrupt has the run pause after its first signature.
func (a *abuse) interrupt() {
	if a.fault == nil || a.struck {
		return
	}
	a.arm(4, func(a *abuse, _ *played, _ []byte, _ func([]byte) []byte) []byte {
		a.byHand(a.pullOut)
		return nil
	})
}

// bringCard has the right card in the reader, and goes on.
func (a *abuse) bringCard(st State) bool {
	a.Helper()
	v := a.slot(st)
	switch {
	case v == nil, v.Opening:
		return false
	case !v.Present && a.inside == nil:
		if a.moment.name == "resuming" && st.Step == StepPaused {
			a.begin()
		}
		a.in(a.own)
	case !v.Present:
		return false
	case v.Trouble != "":
		a.reseat(v.Trouble)
	case a.identity && v.Code != a.printed:
		a.reseat("it is another card")
	default:
		a.s.Do(GoOn{})
		return a.s.State().Step != st.Step
	}
	return true
}

// check looks at the whole account: nothing lies about on the stick, no card
// signed what was not approved, no PIN went where it should not.
func (a *abuse) check() {
	a.Helper()
	st := a.s.State()
	if st.Result != nil {
		for _, w := range st.Result.Written {
			a.known[w.Path] = true
		}
	}
	for name := range a.files() {
		if !a.known[name] {
			a.Errorf("%s lies on the stick", name)
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, p := range a.cards {
		for _, d := range p.card.Digests() {
			if p != a.own && a.identity {
				a.Errorf("card %s signed", p.name)
			}
			if !slices.Contains(a.approved, d) {
				a.Errorf("card %s signed %x, which nobody approved", p.name, d)
			}
		}
	}
	a.checkNotes()
}

// checkNotes: each PIN was typed, or sent again after it was accepted once by
// this very card and nothing was left in doubt.
func (a *abuse) checkNotes() {
	a.Helper()
	typed, accepted, approved := false, false, false
	for _, n := range a.notes {
		switch {
		case n.typed:
			typed = true
		case n.approved:
			approved = true
		case n.did.INS == a.verify && n.did.Inner:
			if n.card != a.own && a.identity {
				a.Errorf("card %s got the PIN", n.card.name)
			}
			if !typed && !accepted {
				a.Error("a PIN was sent again that nobody typed")
			}
			if n.did.SW != 0x9000 {
				a.Errorf("a PIN was refused: %04X", n.did.SW)
			}
			typed, accepted = false, n.intact && n.did.SW == 0x9000
		}
		if !approved && n.card != nil && len(n.card.card.Digests()) > 0 && slices.Contains(a.signs, n.did.INS) && n.did.SW == 0x9000 {
			a.Errorf("card %s signed (%02X) before the approval", n.card.name, n.did.INS)
		}
	}
}

// ended fails unless the run ended as it may.
func (a *abuse) ended(st State) {
	a.Helper()
	switch {
	case st.Result != nil && st.Result.Done():
		checkResult(a.T, a.sitting, st)
		if !st.Result.Complete {
			a.Error("the result is not complete")
		}
	case st.Step == StepFailed && a.fault != nil && a.fault.mayFail:
		mentions(a.T, st.Problem, "nothing was written")
	case st.Step == StepReview && a.fault != nil && a.fault.mayFail:
	default:
		a.Errorf("ended at step %d: %q", st.Step, st.Problem)
	}
}

func (m moment) String() string {
	if m.n > 0 {
		return fmt.Sprintf("%s exchange %d", m.name, m.n)
	}
	return m.name
}
