//go:build simulation

package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/airlock-signer/airlock/reader/simcard"
)

const simcardUsage = `Usage: airlock simcard [--vpcd HOST:PORT] [--version 0.11|0.12|0.14] [--state STATE] [--pin PIN]

Plays a SIMULATED Satochip into the virtual reader of vsmartcard-vpcd, with the
published demo seed. It holds nothing of worth, and must never.

STATE is ready, unseeded, new, blocked or 2fa. PIN, of 4 to 16 bytes, is for the
cards that have one.

Commands, one a line:
  out          pull the card
  in           put it back
  swap         put another card in: the same seed and PIN, another card
  swap other   put another card in: another seed as well
  after N      pull the card when N more commands were answered
  quit         pull the card and end (so does the end of the input)
`

// handTime is how long a hand takes from one card to the next. pcscd looks at a
// reader every 400 ms; a card that comes in before it saw the last one go out
// leaves it with a slot that it takes for empty.
const handTime = 1500 * time.Millisecond

// simulation is the virtual reader's drawer of cards, and the hand that puts
// them in.
type simulation struct {
	addr  string
	cards map[string]simcard.Card // by name

	mu      sync.Mutex // guards out and what follows
	out     io.Writer
	in      string // name of the card that goes in
	left    int    // commands until the card is pulled; negative: never
	pull    context.CancelFunc
	ended   chan struct{} // closed when the card of pull is out
	present bool
	outAt   time.Time // when the last card went out
}

// runSimcard is the command "airlock simcard". It returns the exit status.
func runSimcard(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("simcard", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() { fmt.Fprint(stderr, simcardUsage) }
	addr := flags.String("vpcd", simcard.VPCDAddress, "")
	version := flags.String("version", simcard.Satochip012, "")
	state := flags.String("state", "ready", "")
	pin := flags.String("pin", simcard.DemoPIN, "")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	cards, err := simulatedCards(*version, *state, *pin)
	if err == nil && flags.NArg() > 0 {
		err = fmt.Errorf("%q is not an option", flags.Arg(0))
	}
	if err != nil {
		fmt.Fprintf(stderr, "airlock simcard: %v\n\n%s", err, simcardUsage)
		return 2
	}
	s := &simulation{addr: *addr, cards: cards, out: stdout, in: firstCard, left: -1}
	s.say("SIMULATED Satochip %s (%s), played into the virtual reader at %s. Its demo PIN is %s.",
		*version, *state, *addr, *pin)
	s.insert()
	defer s.remove()
	lines := bufio.NewScanner(stdin)
	for lines.Scan() {
		if quit := s.command(strings.Fields(lines.Text())); quit {
			break
		}
	}
	return 0
}

// Names of the cards in the drawer.
const (
	firstCard = "first card"
	twinCard  = "second card" // the same seed
	otherCard = "other card"  // another seed
)

// simulatedCards fills the drawer. The state is that of the first card, the PIN
// that of all.
func simulatedCards(version, state, pin string) (map[string]simcard.Card, error) {
	demo := func(name string) simcard.SatochipOptions {
		o := simcard.Demo(version, name)
		o.PIN = []byte(pin)
		return o
	}
	first := demo(firstCard)
	switch state {
	case "ready":
	case "unseeded":
		first.Seed = nil
	case "new":
		first = simcard.SatochipOptions{Version: version, Authentikey: first.Authentikey}
	case "blocked":
		first.WrongPINs = 5
	case "2fa":
		first.TwoFactor = true
	default:
		return nil, fmt.Errorf("no state %q", state)
	}
	other := demo(otherCard)
	other.Seed = []byte("a seed for the other demo card")
	cards := make(map[string]simcard.Card)
	for name, o := range map[string]simcard.SatochipOptions{
		firstCard: first, twinCard: demo(twinCard), otherCard: other,
	} {
		c, err := simcard.NewSatochip(o)
		if err != nil {
			return nil, err
		}
		cards[name] = c
	}
	return cards, nil
}

// say prints one line for the person or the test that reads along.
func (s *simulation) say(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Fprintf(s.out, format+"\n", args...)
}

// command does what a line says, and reports whether it was the last one.
func (s *simulation) command(words []string) (quit bool) {
	switch line := strings.Join(words, " "); {
	case line == "":
	case line == "quit":
		return true
	case line == "out":
		s.remove()
	case line == "in":
		s.insert()
	case line == "swap":
		s.swap(twinCard)
	case line == "swap other":
		s.swap(otherCard)
	case words[0] == "after" && len(words) == 2:
		n, err := strconv.Atoi(words[1])
		if err != nil || n < 0 {
			s.say("after: how many commands? %q is not a number", words[1])
			break
		}
		s.mu.Lock()
		s.left = n
		s.mu.Unlock()
	default:
		s.say("not understood: %q (out, in, swap, swap other, after N, quit)", line)
	}
	return false
}

// swap puts the named card in; where it is in, the first one comes back.
func (s *simulation) swap(name string) {
	s.remove()
	s.mu.Lock()
	if s.in == name {
		name = firstCard
	}
	s.in = name
	s.mu.Unlock()
	s.insert()
}

// insert puts the card in, and says so when it is connected.
func (s *simulation) insert() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.present {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	s.pull, s.ended, s.present = cancel, make(chan struct{}), true
	go func(name string, wait time.Duration, ended chan<- struct{}) {
		defer close(ended)
		defer cancel()
		select {
		case <-time.After(wait):
		case <-ctx.Done():
		}
		err := simcard.ServeVPCD(ctx, s.addr, simcard.WithFaults(s.cards[name], s.countdown), func() { s.say("in: %s", name) })
		s.mu.Lock()
		s.present, s.outAt = false, time.Now()
		s.mu.Unlock()
		if err != nil {
			s.say("out: %s: %v", name, err)
			return
		}
		s.say("out: %s", name)
	}(s.in, time.Until(s.outAt.Add(handTime)), s.ended)
}

// remove pulls the card, and returns when it is out.
func (s *simulation) remove() {
	s.mu.Lock()
	if s.ended == nil {
		s.mu.Unlock()
		return
	}
	s.pull()
	ended := s.ended
	s.mu.Unlock()
	<-ended
}

// countdown is the fault behind "after N".
func (s *simulation) countdown(_ int, apdu []byte, next func([]byte) []byte) []byte {
	s.mu.Lock()
	due := s.left == 0
	if s.left >= 0 {
		s.left-- // below zero: never, until the next "after"
	}
	if due {
		s.pull()
	}
	s.mu.Unlock()
	if due {
		return nil
	}
	return next(apdu)
}
