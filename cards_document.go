package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/airlock-signer/airlock/reader"
	"github.com/airlock-signer/airlock/reader/card"
	"github.com/airlock-signer/airlock/signer/plain"
)

// cardsDocument is what `airlock cards` prints; with --json as one line:
//
//	{
//	  "format": 1,
//	  "error": "only where no reader could be asked: a sentence", "condition": "no-service|no-reader",
//	  "readers": [{
//	    "name": "…", "simulated": false,
//	    "error": "only where the card could not be read: a sentence",
//	    "condition": "no-card|no-response|in-use|unknown-card|too-old|too-new|seedkeeper|bad-reply|removed|reader-gone|other",
//	    "card": null or {
//	      "make": "Satochip", "version": "0.12",
//	      "state": "ready|not-set-up|no-seed|pin-blocked|blocked|needs-reset|unknown|unusable",
//	      "sentence": "what that means, and what to do",
//	      "pin_tries": 5, "puk_tries": 3,
//	      "two_factor": false,
//	      "identity_code": "0123-4567-89AB-CDEF" or null, "identity_shared": false,
//	      "signs": ["ecdsa", "taproot"],
//	      "can": ["set-up", "load-seed", "change-pin", "unblock", "label", "attest", "erase-seed", "factory-reset"],
//	      "reset_insertions": 5
//	    }
//	  }]
//	}
//
// Fields may be added later, never removed or given another meaning. Tries are
// those left, null where the card does not tell or has no PIN yet. "signs" and "can" are what the
// card's make and version can do at all, whatever its state. "reset_insertions"
// is 0 where there is no factory reset. A card of state "unusable" was
// recognised by make and version, and the station does not work with it; "error"
// says why. The name that the owner gave is not there: cards tell it after the
// PIN alone. All text from outside is escaped as on screen (\u{1B}), within the
// JSON string.
type cardsDocument struct {
	Format    int           `json:"format"`
	Error     string        `json:"error,omitempty"`
	Condition string        `json:"condition,omitempty"`
	Readers   []readerEntry `json:"readers"`
}

type readerEntry struct {
	Name      string     `json:"name"`
	Simulated bool       `json:"simulated"`
	Error     string     `json:"error,omitempty"`
	Condition string     `json:"condition,omitempty"`
	Card      *cardEntry `json:"card"`
}

type cardEntry struct {
	Make            string   `json:"make"`
	Version         string   `json:"version"`
	State           string   `json:"state"`
	Sentence        string   `json:"sentence"`
	PINTries        *int     `json:"pin_tries"`
	PUKTries        *int     `json:"puk_tries"`
	TwoFactor       bool     `json:"two_factor"`
	IdentityCode    *string  `json:"identity_code"`
	IdentityShared  bool     `json:"identity_shared"`
	Signs           []string `json:"signs"`
	Can             []string `json:"can"`
	ResetInsertions int      `json:"reset_insertions"`
}

const stateUnusable = "unusable"

func newReaderEntry(slot reader.Slot) readerEntry {
	return readerEntry{Name: plain.Text(slot.Name), Simulated: slot.Simulated}
}

// describeCard says what a card told before any PIN, and what it can do.
func describeCard(c card.Card) *cardEntry {
	i := c.Info()
	e := &cardEntry{
		Make: plain.Text(i.Make), Version: plain.Text(i.Version),
		State: i.State.String(), Sentence: i.Sentence(),
		PINTries: told(i.PINTries), PUKTries: told(i.PUKTries),
		TwoFactor: i.TwoFactor, IdentityShared: i.SharedIdentity,
		Signs: signs(c), Can: append([]string{}, card.Abilities(c)...),
	}
	if code := card.IdentityCode(i.Identity); code != "" {
		e.IdentityCode = &code
	}
	if r, ok := c.(card.Resetter); ok {
		e.ResetInsertions = r.ResetInsertions()
	}
	return e
}

// describeUnusable is for a card that has a name and is of no use here.
func describeUnusable(known *card.RecognisedError) *cardEntry {
	return &cardEntry{
		Make: plain.Text(known.Make), Version: plain.Text(known.Version),
		State: stateUnusable, Sentence: plain.Text(known.Error()),
		Signs: []string{}, Can: []string{},
	}
}

// told is a number that a card may not tell.
func told(n int) *int {
	if n < 0 {
		return nil
	}
	return &n
}

// signs are the signatures that a card can make; it is asked, not sent anything.
func signs(c card.Card) []string {
	kinds := []string{}
	if c.Can(card.SignRequest{Scheme: card.ECDSA}) == nil {
		kinds = append(kinds, "ecdsa")
	}
	if c.Can(card.SignRequest{Scheme: card.SchnorrKeyPath}) == nil {
		kinds = append(kinds, "taproot")
	}
	if c.Can(card.SignRequest{Scheme: card.SchnorrScriptPath}) == nil {
		kinds = append(kinds, "taproot-script")
	}
	return kinds
}

// trouble is the sentence for an error, and its condition.
func trouble(err error) (sentence, condition string) {
	if errors.Is(err, context.DeadlineExceeded) {
		err = card.ErrNoResponse
	}
	for _, c := range []struct {
		err  error
		name string
	}{
		{card.ErrNoService, "no-service"}, {card.ErrNoReader, "no-reader"}, {errNoCard, "no-card"},
		{card.ErrNoResponse, "no-response"}, {card.ErrInUse, "in-use"}, {card.ErrUnknownCard, "unknown-card"},
		{card.ErrTooOld, "too-old"}, {card.ErrTooNew, "too-new"}, {card.ErrSeedKeeper, "seedkeeper"},
		{card.ErrBadReply, "bad-reply"}, {card.ErrRemoved, "removed"}, {card.ErrReaderGone, "reader-gone"},
	} {
		if errors.Is(err, c.err) {
			return plain.Text(err.Error()), c.name
		}
	}
	return plain.Text(err.Error()), "other"
}

// exitStatus is 1 where a reader holds no card that could be read.
func (d cardsDocument) exitStatus() int {
	if d.Error != "" {
		return 1
	}
	for _, r := range d.Readers {
		if r.Error != "" {
			return 1
		}
	}
	return 0
}

func (d cardsDocument) writeJSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(d)
}

func (d cardsDocument) writeText(w io.Writer) {
	for i, r := range d.Readers {
		name := r.Name
		if r.Simulated {
			name += " (SIMULATED)"
		}
		fmt.Fprintf(w, "Reader %d: %s\n", i+1, name)
		if r.Card != nil {
			fmt.Fprintf(w, "  Card: %s %s\n", r.Card.Make, r.Card.Version)
		}
		if r.Error != "" {
			fmt.Fprintf(w, "  %s\n", r.Error)
			continue
		}
		for _, line := range r.Card.lines() {
			fmt.Fprintf(w, "  %s\n", line)
		}
	}
}

// lines are the card as text, below its name.
func (e *cardEntry) lines() []string {
	identity := "Identity: none that can be known before the PIN."
	switch {
	case e.IdentityCode != nil && e.IdentityShared:
		identity = "Identity code: " + *e.IdentityCode + " (comes from the seed: all cards with this seed share it)"
	case e.IdentityCode != nil:
		identity = "Identity code: " + *e.IdentityCode + " (compare it with your printed plan)"
	}
	lines := []string{"State: " + e.Sentence}
	if e.PINTries != nil || e.PUKTries != nil {
		lines = append(lines, fmt.Sprintf("Tries left: PIN %s, PUK %s", tries(e.PINTries), tries(e.PUKTries)))
	}
	return append(lines, identity, "Signs: "+inWords(e.Signs), "Can besides: "+inWords(e.Can))
}

// inWords says names of the document to a person.
func inWords(names []string) string {
	if len(names) == 0 {
		return "nothing"
	}
	words := map[string]string{
		"ecdsa": "ECDSA", "taproot-script": "taproot scripts",
		"set-up": "be set up", "load-seed": "load a seed", "change-pin": "change its PIN", "unblock": "unblock its PIN",
		"label": "have a name", "attest": "prove its origin", "erase-seed": "erase its seed", "factory-reset": "be reset to its factory state",
	}
	said := make([]string, len(names))
	for i, name := range names {
		said[i] = name
		if w, ok := words[name]; ok {
			said[i] = w
		}
	}
	return strings.Join(said, ", ")
}

func tries(n *int) string {
	if n == nil {
		return "not told"
	}
	return fmt.Sprint(*n)
}
