// Package session is one sitting at the station: a state machine without a
// terminal. Typed events go in (Do), one immutable State comes out. It owns
// the files read, the cards held, the review, the approval, the verified
// signatures and the unwritten results; screens draw the state and send
// events.
//
// Everything that waits (cards, media, big transactions) runs in goroutines of
// the session and comes back as an event through post. Do and State are called
// from one goroutine.
package session

import (
	"context"
	"time"

	"github.com/airlock-signer/airlock/airgap"
	"github.com/airlock-signer/airlock/reader"
	"github.com/airlock-signer/airlock/reader/card"
	"github.com/airlock-signer/airlock/reader/secret"
	"github.com/airlock-signer/airlock/signer"
)

// DefaultIdle is how long an unlocked card stays unlocked without a key
// pressed.
const DefaultIdle = 10 * time.Minute

// Media is what the session asks of removable media. airgap answers it; tests
// put failing media in its place.
type Media interface {
	Watch(ctx context.Context, emit func([]airgap.Volume)) error
	Scan(ctx context.Context, v airgap.Volume) (airgap.Listing, error)
	Read(ctx context.Context, v airgap.Volume, path string, max int64) ([]byte, error)
	Write(ctx context.Context, v airgap.Volume, dir, name string, data []byte) (airgap.Written, error)
	Eject(ctx context.Context, v airgap.Volume) (airgap.EjectResult, error)
}

// Demo plays the hand that puts a simulated card in.
type Demo struct {
	PIN    string // published demo PIN, shown on the first screen: no secret; "" for a card that is new
	Toggle func() // puts the card in or takes it out
	In     func() bool
}

// Config is what a session is made of.
type Config struct {
	Readers reader.Backend
	// OpenCard recognises the make and opens the card (reader.Open).
	OpenCard func(context.Context, card.Transport) (card.Card, error)
	Media    Media
	// WatchIsolation calls emit with the state of the network, at once and at
	// each change.
	// ResetStep is one insertion of a factory reset (reader.ResetStep); nil where
	// no card can be reset.
	ResetStep      func(context.Context, card.Transport) (left int, err error)
	WatchIsolation func(ctx context.Context, emit func(airgap.Isolation))
	// WatchKeyboards calls emit with the keyboards there are, at once and at each
	// change; WatchPresses at each key pressed on one of them
	// (airgap.WatchKeyboards, airgap.WatchPresses). nil: not watched.
	WatchKeyboards func(ctx context.Context, emit func([]airgap.Keyboard, error))
	WatchPresses   func(ctx context.Context, k airgap.Keyboard, emit func()) error
	AllowNetwork   bool
	Demo           *Demo // nil outside a demo
	Settings       signer.Settings
	Limits         signer.Limits
	Idle           time.Duration    // 0: DefaultIdle
	Now            func() time.Time // monotonic; never shown. nil: time.Now
}

// Session is one sitting.
type Session struct {
	cfg    Config
	post   func(Event)
	ctx    context.Context
	ledger *signer.Ledger

	step     Step
	problem  string
	settings signer.Settings

	snapshot     reader.Snapshot
	watching     bool // a snapshot came
	slots        map[string]*held
	seen         map[cardID]bool // cards that took a PIN in this sitting
	chosen       string          // slot picked by the person
	volumes      []airgap.Volume
	files        []airgap.File
	filesNote    string
	scanning     bool
	scanGen      int
	gists        map[FileKey]Gist // never changed, only replaced
	gistProgress GistProgress
	scanStop     context.CancelFunc // ends the look through the media; nil where none runs
	ejection     *EjectView         // of the last medium ejected; nil where none was, or it is of no interest any more
	isolation    airgap.Isolation

	keyboards        []airgap.Keyboard
	keyboardsSeen    bool   // a list came
	keyboardsUnknown bool   // none can be had now
	doubt            *doubt // nil where no keyboard is in doubt

	gen    int                // of the job that is under way
	cancel context.CancelFunc // ends it
	busy   string

	job      job
	care     *care // the card that is cared for; nil outside its screens
	turn     int   // State.Turn
	activity time.Time
	blank    bool // State.Blank
}

// job is one file on its way to a result.
type job struct {
	file      *airgap.File
	tx        *signer.Transaction
	preview   *signer.Report
	malformed bool           // it is no valid PSBT; false where it was not read, or is of another version
	previous  *PreviousView  // what the file lacks; nil where nothing
	other     signer.Network // that the file is of, where it is not the settings'; "" otherwise
	review    *signer.Review
	shown     *ReviewView // what never changes of the review
	ready     readyView
	approval  *signer.Approval
	progress  signer.Progress
	result    *result

	cardID   cardID         // the card that was unlocked for it
	slot     string         // where that card is
	asked    *held          // the card that the PIN is asked for: it goes to no other
	lost     string         // slot whose card went away while its PIN was asked for; "" where none did
	key      *cardKey       // of the unlocked card; nil while locked
	pin      *secret.Buffer // kept while a card with an identity is unlocked
	resume   bool           // paused because the card went away: its return goes on
	stopping string         // why the run is being stopped; "" where it is not
	word     bool           // the word before the last try was typed
	wrongPIN bool
}

// New makes a session. Nothing runs before Start.
func New(cfg Config) *Session {
	if cfg.Idle == 0 {
		cfg.Idle = DefaultIdle
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Session{cfg: cfg, settings: cfg.Settings, ledger: signer.NewLedger(), slots: map[string]*held{}, seen: map[cardID]bool{}}
}

// Start begins to watch readers, media and network until ctx ends. Each event
// goes to post, from any goroutine; the caller brings it to Do.
func (s *Session) Start(ctx context.Context, post func(Event)) {
	s.ctx, s.post, s.activity = ctx, post, s.cfg.Now()
	go func() {
		_ = s.cfg.Readers.Watch(ctx, func(n reader.Snapshot) { post(slotsChanged{n}) })
	}()
	go func() {
		_ = s.cfg.Media.Watch(ctx, func(v []airgap.Volume) { post(volumesChanged{v}) })
	}()
	s.watchKeyboards(ctx, post)
	go s.cfg.WatchIsolation(ctx, func(i airgap.Isolation) { post(isolationChanged{i}) })
	go func() {
		t := time.NewTicker(min(s.cfg.Idle/4, 5*time.Second))
		defer t.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-t.C:
				post(tick{})
			}
		}
	}()
}

// Close logs every card out, forgets the PIN and releases the readers. It
// waits no longer than ctx.
func (s *Session) Close(ctx context.Context) {
	s.abort()
	s.endCare()
	s.forgetPIN()
	done := make(chan struct{})
	var open []*held
	for _, h := range s.slots {
		if h.card != nil {
			c := *h // the events that are still under way change h
			open = append(open, &c)
		}
	}
	go func() {
		defer close(done)
		for _, h := range open {
			closeCard(h) // after what is under way: cards are used by one at a time
		}
	}()
	select {
	case <-done:
	case <-ctx.Done():
	}
}

// Do takes one event.
func (s *Session) Do(ev Event) {
	if s.doDoubt(ev) || s.doPerson(ev) {
		s.active()
		return
	}
	switch ev := ev.(type) {
	case slotsChanged:
		s.onSlots(ev.snapshot)
	case cardOpened:
		s.onCardOpened(ev)
	case volumesChanged:
		s.onVolumes(ev.volumes)
	case scanned:
		s.onScanned(ev)
	case isolationChanged:
		s.onIsolation(ev.isolation)
	case fileOpened:
		s.onFileOpened(ev)
	case unlocked:
		s.onUnlocked(ev)
	case signProgress:
		if ev.gen == s.gen {
			s.job.progress = ev.progress
		}
	case signed:
		s.onSigned(ev)
	case partMade:
		s.onPartMade(ev)
	case written:
		s.onWritten(ev)
	case keyboardsChanged:
		s.onKeyboards(ev)
	case pressed:
		if s.doubt != nil {
			s.doubt.presses[ev.node]++
		}
	case deaf:
		if s.doubt != nil {
			s.doubt.deaf[ev.node] = true
		}
	case gisted:
		s.onGisted(ev)
	case ejected:
		s.onEjected(ev)
	case cardDead:
		s.onCardDead(ev)
	case slotLeft:
		s.onSlotLeft(ev.slot)
	case slotFree:
		s.onSlotFree(ev.held)
	case tick:
		s.onTick()
	default:
		s.onCare(ev)
	}
}

// doPerson takes what a person did; false for any other event.
func (s *Session) doPerson(ev Event) bool {
	switch ev := ev.(type) {
	case ShowHome:
		s.goTo(StepHome)
	case ShowFiles:
		s.goTo(StepFiles)
	case OpenFile:
		if s.step == StepFiles || s.step == StepHome {
			s.openFile(ev.File)
		}
	case GoOn:
		s.goOn()
	case ChooseSlot:
		s.chosen, s.job.lost = ev.Name, ""
		s.advance()
	case RetrySlot:
		s.retrySlot(ev.Name)
	case TypeWord:
		s.typeWord(ev.Word)
	case EnterPIN:
		s.enterPIN(ev.PIN)
	case PageSeen:
		if s.job.review != nil {
			s.job.review.Shown(ev.Item)
		}
	case Acknowledge:
		s.acknowledge(ev.Code)
	case TypeAmount:
		s.typeAmount(ev.Text)
	case Back:
		s.back()
	case Discard:
		s.discard()
	case WriteResult:
		s.write(ev.Volume)
	case WritePart:
		s.writePart()
	case StopLooking:
		s.stopScan()
	case Eject:
		s.eject(ev.Volume)
	case SetSettings:
		s.setSettings(ev.Settings)
	case SwitchNetwork:
		s.switchNetwork()
	case ToggleDemoCard:
		if s.cfg.Demo != nil {
			go s.cfg.Demo.Toggle() // its event comes through the watch
		}
	case Activity:
		s.settleSeed()
	default:
		return s.doCare(ev)
	}
	return true
}

// begin starts a job that posts its event; what an earlier one still sends is
// ignored.
func (s *Session) begin(f func(ctx context.Context, gen int) Event) {
	s.abort()
	ctx, cancel := context.WithCancel(s.ctx)
	s.cancel = cancel
	gen, post := s.gen, s.post
	go func() {
		defer cancel()
		post(f(ctx, gen))
	}()
}

// abort ends the job under way.
func (s *Session) abort() {
	if s.cancel != nil {
		s.cancel()
		s.cancel = nil
	}
	s.gen++
	s.busy = ""
}
