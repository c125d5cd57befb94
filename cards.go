package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/airlock-signer/airlock/reader"
	"github.com/airlock-signer/airlock/reader/card"
	"github.com/airlock-signer/airlock/signer/plain"
)

const (
	// cardsSettle is how long readers get to report their cards: a service that
	// was started just now lists a reader before it has looked into it.
	cardsSettle = time.Second
	// cardsPatience bounds the time one card may take.
	cardsPatience = 20 * time.Second
)

// runCards is `airlock cards` on this machine's readers. Exit status: 0 where
// every reader holds a card that could be read, 1 where something was in the
// way (it says what), 2 for wrong arguments.
func runCards(args []string, _ io.Reader, stdout, stderr io.Writer) int {
	if len(args) != 0 {
		out, status := stderr, 2
		if args[0] == "-h" || args[0] == "--help" {
			out, status = stdout, 0
		}
		fmt.Fprintln(out, "usage: airlock cards")
		fmt.Fprintln(out, "Lists the smart card readers and what is in them. Asks for no PIN and sends none.")
		return status
	}
	return listCards(context.Background(), reader.NewPCSC(nil), cardsSettle, stdout, stderr)
}

// listCards writes what is in the readers of b, after settle at the latest.
func listCards(ctx context.Context, b reader.Backend, settle time.Duration, stdout, stderr io.Writer) int {
	s := settled(ctx, b, settle)
	if s.Err == nil && len(s.Slots) == 0 {
		s.Err = card.ErrNoReader
	}
	if s.Err != nil {
		fmt.Fprintf(stderr, "airlock cards: %s\n", plain.Text(s.Err.Error()))
		return 1
	}
	status := 0
	for i, slot := range s.Slots {
		name := plain.Text(slot.Name)
		if slot.Simulated {
			name += " (SIMULATED)"
		}
		fmt.Fprintf(stdout, "Reader %d: %s\n", i+1, name)
		info, err := readCard(ctx, b, slot)
		if err != nil {
			fmt.Fprintf(stdout, "  %s\n", plain.Text(trouble(err)))
			status = 1
			continue
		}
		for _, line := range describe(info) {
			fmt.Fprintf(stdout, "  %s\n", line)
		}
	}
	return status
}

// settled is the state of the readers once all hold a card, or when the time is over.
func settled(ctx context.Context, b reader.Backend, settle time.Duration) reader.Snapshot {
	ctx, cancel := context.WithTimeout(ctx, settle)
	defer cancel()
	last := reader.Snapshot{Err: card.ErrNoService} // one that does not even answer
	_ = b.Watch(ctx, func(s reader.Snapshot) {
		last = s
		full := s.Err == nil && len(s.Slots) > 0
		for _, slot := range s.Slots {
			full = full && slot.Present
		}
		if full {
			cancel()
		}
	}) // ends with ctx, which is no error here
	return last
}

// errNoCard is an empty reader, which is no fault.
var errNoCard = &card.Error{Sentence: "No card is in this reader. Put one in, chip first; on a contactless reader, lay it on top."}

// readCard opens the card in a slot and lets go of it again.
func readCard(ctx context.Context, b reader.Backend, slot reader.Slot) (card.Info, error) {
	switch {
	case !slot.Present:
		return card.Info{}, errNoCard
	case slot.Mute:
		return card.Info{}, card.ErrNoResponse
	case slot.InUse:
		return card.Info{}, card.ErrInUse
	}
	ctx, cancel := context.WithTimeout(ctx, cardsPatience)
	defer cancel()
	t, err := b.Connect(ctx, slot.Name)
	if err != nil {
		return card.Info{}, err
	}
	c, err := reader.Open(ctx, t, rand.Reader)
	if err != nil {
		_ = t.Close() // what matters was said by Open
		return card.Info{}, err
	}
	info := c.Info()
	_ = c.Close() // nobody is logged in, and everything was read
	return info, nil
}

// trouble is the sentence for an error.
func trouble(err error) string {
	if errors.Is(err, context.DeadlineExceeded) {
		err = card.ErrNoResponse
	}
	return err.Error()
}

// describe says what a card told before any PIN.
func describe(i card.Info) []string {
	lines := []string{
		fmt.Sprintf("Card: %s %s", plain.Text(i.Make), plain.Text(i.Version)),
		"State: " + stateSentence(i.State),
		fmt.Sprintf("Tries left: PIN %s, PUK %s", tries(i.PINTries), tries(i.PUKTries)),
	}
	if i.Label != "" {
		lines = append(lines, "Name: "+plain.Text(i.Label))
	}
	switch code := card.IdentityCode(i.Identity); {
	case code == "":
		lines = append(lines, "Identity: none that can be known before the PIN.")
	case i.SharedIdentity:
		lines = append(lines, "Identity code: "+code+" (comes from the seed: all cards with this seed share it)")
	default:
		lines = append(lines, "Identity code: "+code+" (compare it with your printed plan)")
	}
	if i.TwoFactor {
		lines = append(lines, card.ErrTwoFactor.Sentence)
	}
	return lines
}

func tries(n int) string {
	if n < 0 {
		return "not told"
	}
	return fmt.Sprint(n)
}

func stateSentence(s card.State) string {
	switch s {
	case card.StateReady:
		return "ready to sign, once its PIN is given."
	case card.StateNotSetUp:
		return card.ErrNotSetUp.Sentence
	case card.StateNoSeed:
		return card.ErrNoSeed.Sentence
	case card.StatePINBlocked:
		return card.ErrBlocked.Sentence
	case card.StateBlocked:
		return "PIN and PUK are both blocked. Only a factory reset helps, which erases its key."
	}
	return "unknown"
}
