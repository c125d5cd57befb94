package session

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"
	"strings"

	"github.com/airlock-signer/airlock/airgap"
)

// Bounds of the code that a new keyboard must type.
const (
	codeDigits = 6
	codeTries  = 5 // after that, only pulling the keyboard helps
)

// TypeCode is what was typed because a keyboard appeared.
type TypeCode struct{ Text string }

type (
	keyboardsChanged struct {
		list []airgap.Keyboard
		err  error
	}
	// pressed: a key was pressed on a keyboard that is in doubt.
	pressed struct{ node string }
	// deaf: this station cannot tell what is typed on that keyboard.
	deaf struct{ node string }
)

func (TypeCode) event()         {}
func (keyboardsChanged) event() {}
func (pressed) event()          {}
func (deaf) event()             {}

// DoubtView is what stands on the screen while a new keyboard is in doubt.
type DoubtView struct {
	Keyboards []airgap.Keyboard // outside text
	Code      string            // to be typed; "" after too many wrong ones
	CanTell   bool              // it is noticed on which keyboard it is typed
}

// doubt is about the keyboards that appeared and typed no code yet. While it
// lasts nothing that is typed does anything else.
type doubt struct {
	keyboards []airgap.Keyboard
	presses   map[string]int // by node, since the code was shown
	deaf      map[string]bool
	stop      map[string]context.CancelFunc
	code      string
	tries     int
}

// watchKeyboards begins with what is there when the station starts: whoever
// could put a keyboard there before could as well have changed the station.
func (s *Session) watchKeyboards(ctx context.Context, post func(Event)) {
	if s.cfg.WatchKeyboards != nil {
		go s.cfg.WatchKeyboards(ctx, func(list []airgap.Keyboard, err error) { post(keyboardsChanged{list, err}) })
	}
}

func (s *Session) onKeyboards(ev keyboardsChanged) {
	s.keyboardsUnknown = ev.err != nil
	if ev.err != nil {
		return
	}
	appeared := airgap.Appeared(s.keyboards, ev.list)
	first := !s.keyboardsSeen
	s.keyboards, s.keyboardsSeen = ev.list, true
	if s.doubt != nil {
		s.doubtOnly(ev.list)
	}
	if !first && len(appeared) > 0 {
		s.doubtAlso(appeared)
	}
}

// doubtAlso stops what is under way, as a network does, and asks for a code.
func (s *Session) doubtAlso(list []airgap.Keyboard) {
	if s.doubt == nil {
		s.doubt = &doubt{presses: map[string]int{}, deaf: map[string]bool{}, stop: map[string]context.CancelFunc{}}
	}
	d := s.doubt
	for _, k := range list {
		ctx, cancel := context.WithCancel(s.ctx)
		d.keyboards, d.stop[k.Node] = append(d.keyboards, k), cancel
		if s.cfg.WatchPresses == nil {
			d.deaf[k.Node] = true
			continue
		}
		watch, post := s.cfg.WatchPresses, s.post
		go func() {
			if err := watch(ctx, k, func() { post(pressed{k.Node}) }); errors.Is(err, airgap.ErrNoPresses) {
				post(deaf{k.Node})
			}
		}()
	}
	d.tries = 0
	d.newCode()
	s.turn++
	const why = "A keyboard appeared, so the card was logged out. What you saw is kept."
	s.forgetPIN()
	s.lockCare(why)
	switch s.step {
	case StepPIN, StepUnlocking, StepReview, StepApprove, StepSigning:
		if s.job.key != nil || s.step != StepReview {
			s.lock(why)
		}
	}
}

// doubtOnly leaves those that are still there.
func (s *Session) doubtOnly(list []airgap.Keyboard) {
	d := s.doubt
	var still []airgap.Keyboard
	for _, k := range d.keyboards {
		if len(airgap.Appeared(list, []airgap.Keyboard{k})) == 0 {
			still = append(still, k)
			continue
		}
		d.stop[k.Node]()
	}
	d.keyboards = still
	s.doubtEnds()
}

// doubtEnds goes on where no keyboard is in doubt any more.
func (s *Session) doubtEnds() {
	if len(s.doubt.keyboards) > 0 {
		return
	}
	s.doubt = nil
	s.turn++
	s.advance()
}

// newCode shows another code: what was typed before is worth nothing.
func (d *doubt) newCode() {
	clear(d.presses)
	d.code = ""
	if d.tries >= codeTries {
		return
	}
	n, err := rand.Int(rand.Reader, big.NewInt(1_000_000))
	if err == nil { // without a code, only pulling it helps
		d.code = fmt.Sprintf("%0*d", codeDigits, n)
	}
}

// doDoubt takes what a person does while a keyboard is in doubt; false where
// none is.
func (s *Session) doDoubt(ev Event) bool {
	d := s.doubt
	if d == nil {
		return false
	}
	switch ev := ev.(type) {
	case EnterPIN:
		ev.PIN.Release()
	case TypeCode:
		s.typeCode(ev.Text)
	case Activity, ShowHome, ShowFiles, OpenFile, GoOn, ChooseSlot, RetrySlot, TypeWord, PageSeen, Acknowledge,
		TypeAmount, Back, Discard, WriteResult, WritePart, SetSettings, SwitchNetwork, ToggleDemoCard, Eject, StopLooking,
		ShowCards, ShowCard, DoTask, SecretTyped, SecretBack, TextTyped, MakeSeed, WantPassphrase, ShowKey, ExportKey:
		// nothing that is typed counts
	default:
		return false
	}
	return true
}

// typeCode ends the doubt about the keyboard on which the code was typed, and
// about those in the same device.
func (s *Session) typeCode(text string) {
	d := s.doubt
	if d.code == "" {
		return
	}
	if strings.TrimSpace(text) != d.code {
		d.tries++
		d.newCode()
		s.problem = "That was not the code. Another one is shown now."
		return
	}
	trusted := map[string]bool{}
	for _, k := range d.keyboards {
		if d.deaf[k.Node] || d.presses[k.Node] >= codeDigits {
			trusted[device(k)] = true
		}
	}
	if len(trusted) == 0 {
		d.newCode()
		s.problem = "The code is right, but it was not typed on the new keyboard. Type the code that is shown now on that one, or pull it out."
		return
	}
	var still []airgap.Keyboard
	for _, k := range d.keyboards {
		if !trusted[device(k)] {
			still = append(still, k)
			continue
		}
		d.stop[k.Node]()
	}
	d.keyboards = still
	s.problem = ""
	d.newCode()
	s.doubtEnds()
}

// device tells the parts of one device (a keyboard often is two) from others.
func device(k airgap.Keyboard) string {
	if place, _, found := strings.Cut(k.Phys, "/input"); found && place != "" {
		return place
	}
	return k.Node
}

func (s *Session) doubtView() *DoubtView {
	d := s.doubt
	if d == nil {
		return nil
	}
	v := &DoubtView{Keyboards: append([]airgap.Keyboard(nil), d.keyboards...), Code: d.code}
	for _, k := range d.keyboards {
		v.CanTell = v.CanTell || !d.deaf[k.Node]
	}
	return v
}
