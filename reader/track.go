package reader

import (
	"bytes"
	"slices"
	"strings"
)

// State flags of one reader as SCardGetStatusChange reports them
// (PC/SC part 5; the values of SCARD_READERSTATE.dwEventState). In pcsc-lite the
// top 16 bits count the insertions and removals that the service saw.
const (
	flagChanged     uint32 = 0x0002
	flagUnknown     uint32 = 0x0004
	flagUnavailable uint32 = 0x0008
	flagPresent     uint32 = 0x0020
	flagExclusive   uint32 = 0x0080
	flagInUse       uint32 = 0x0100
	flagMute        uint32 = 0x0200

	counterShift = 16
)

// rawState is what the service says about one reader.
type rawState struct {
	Name  string
	Flags uint32 // counter included
	ATR   []byte
}

// trackedReader is one reader as last seen, and what was counted for its name.
type trackedReader struct {
	raw        rawState
	known      bool // raw was reported, by a reader that works
	listed     bool // the service names it now
	insertions int
}

// tracker turns the states that the service reports into slots. It remembers a
// reader that went away, so that its count of insertions goes on when it is back.
type tracker struct {
	readers map[string]*trackedReader
	begun   bool // a whole state was seen: what appears from now on was put in
}

func newTracker() *tracker { return &tracker{readers: map[string]*trackedReader{}} }

// list takes over which readers there are now.
func (t *tracker) list(names []string) {
	for _, r := range t.readers {
		r.listed = false
	}
	for _, name := range names {
		r := t.readers[name]
		if r == nil {
			r = &trackedReader{raw: rawState{Name: name}}
			t.readers[name] = r
		}
		r.listed = true
	}
	for _, r := range t.readers {
		if !r.listed {
			r.known, r.raw.Flags, r.raw.ATR = false, 0, nil
		}
	}
}

// lost forgets all readers: the service went away.
func (t *tracker) lost() {
	t.list(nil)
	t.begun = true
}

// flags are those last seen, to be handed in at the next wait; 0 (unaware) for a
// reader not seen before, which makes the wait return at once.
func (t *tracker) flags(name string) uint32 {
	r := t.readers[name]
	if r == nil || !r.known {
		return 0
	}
	return r.raw.Flags
}

// update takes over what one wait reported.
func (t *tracker) update(states []rawState) {
	for _, s := range states {
		r := t.readers[s.Name]
		if r == nil || !r.listed {
			continue
		}
		s.Flags &^= flagChanged
		if s.Flags&(flagUnknown|flagUnavailable) != 0 {
			// The reader is in trouble and its counter is not told: what is in it
			// afterwards counts as put in.
			r.known, r.raw.Flags, r.raw.ATR = false, 0, nil
			continue
		}
		switch {
		case r.known:
			r.insertions += insertionsBetween(r.raw.Flags, s.Flags)
		case s.Flags&flagPresent != 0 && t.begun:
			r.insertions++
		}
		if s.Flags&flagPresent == 0 {
			s.ATR = nil
		}
		s.ATR = bytes.Clone(s.ATR)
		r.raw, r.known = s, true
	}
	t.begun = true
}

// insertionsBetween counts the cards put in between two states of one reader.
// Removals and insertions take turns, each adds one to the counter.
func insertionsBetween(before, after uint32) int {
	was, is := before&flagPresent != 0, after&flagPresent != 0
	events := int(uint16(after>>counterShift) - uint16(before>>counterShift))
	if events > 0x8000 {
		// The counter went back: another reader under this name.
		if is {
			return 1
		}
		return 0
	}
	n := events / 2
	if !was {
		n = (events + 1) / 2
	}
	if !was && is && n == 0 {
		n = 1 // the service forgot to count: the card is in all the same
	}
	return n
}

// snapshot lists the slots. A reader that mine reports as held by this program
// is not in use by another.
func (t *tracker) snapshot(mine func(name string) bool) Snapshot {
	var s Snapshot
	for name, r := range t.readers {
		if !r.listed {
			continue
		}
		present := r.raw.Flags&flagPresent != 0
		s.Slots = append(s.Slots, Slot{
			Name:       name,
			Present:    present,
			Mute:       present && r.raw.Flags&flagMute != 0,
			InUse:      r.raw.Flags&flagExclusive != 0 && !mine(name),
			ATR:        bytes.Clone(r.raw.ATR),
			Insertions: r.insertions,
		})
	}
	slices.SortFunc(s.Slots, func(a, b Slot) int { return strings.Compare(a.Name, b.Name) })
	return s
}

// sameSnapshot tells whether a person or a program could see a difference.
func sameSnapshot(a, b Snapshot) bool {
	if a.Err != b.Err || len(a.Slots) != len(b.Slots) {
		return false
	}
	return slices.EqualFunc(a.Slots, b.Slots, func(x, y Slot) bool {
		return x.Name == y.Name && x.Present == y.Present && x.Mute == y.Mute && x.InUse == y.InUse &&
			x.Insertions == y.Insertions && x.Simulated == y.Simulated && bytes.Equal(x.ATR, y.ATR)
	})
}
