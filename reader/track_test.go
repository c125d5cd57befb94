package reader

import (
	"errors"
	"testing"

	"github.com/airlock-signer/airlock/reader/card"
)

// state is the flags of a reader with this many events counted.
func state(counter int, flags uint32) uint32 { return uint32(counter)<<counterShift | flags }

const flagEmpty uint32 = 0x0010

func TestTrackerCountsInsertions(t *testing.T) {
	const in, out = flagPresent, flagEmpty
	for name, tc := range map[string]struct {
		states []uint32
		want   int
	}{
		"in from the beginning":          {[]uint32{state(1, in), state(1, in)}, 0},
		"put in":                         {[]uint32{state(0, out), state(1, in)}, 1},
		"put in and out unseen":          {[]uint32{state(0, out), state(2, out)}, 1},
		"put in, out and in unseen":      {[]uint32{state(0, out), state(3, in)}, 2},
		"out":                            {[]uint32{state(1, in), state(2, out)}, 0},
		"out and in unseen":              {[]uint32{state(1, in), state(3, in)}, 1},
		"out, in, out unseen":            {[]uint32{state(1, in), state(4, out)}, 1},
		"in use by another is no change": {[]uint32{state(1, in), state(1, in|flagExclusive)}, 0},
		"over the counter's end":         {[]uint32{state(0xFFFF, in), state(1, in)}, 1},
		"up to the counter's end":        {[]uint32{state(0xFFFE, out), state(0xFFFF, in)}, 1},
		"another reader under the name":  {[]uint32{state(7, in), state(0, in)}, 1},
		"another, empty":                 {[]uint32{state(7, in), state(0, out)}, 0},
		"not counted by the service":     {[]uint32{state(0, out), state(0, in)}, 1},
		"reader in trouble in between":   {[]uint32{state(1, in), flagUnavailable, state(1, in)}, 1},
		"changed flag":                   {[]uint32{state(1, in|flagChanged), state(3, in|flagChanged)}, 1},
	} {
		tr := newTracker()
		tr.list([]string{"r"})
		for _, flags := range tc.states {
			tr.update([]rawState{{Name: "r", Flags: flags}})
		}
		s := tr.snapshot(func(string) bool { return false })
		if len(s.Slots) != 1 || s.Slots[0].Insertions != tc.want {
			t.Errorf("%s: %+v, want %d insertions", name, s.Slots, tc.want)
		}
	}
}

func TestTrackerReaderGoneAndBack(t *testing.T) {
	tr := newTracker()
	look := func() Snapshot { return tr.snapshot(func(string) bool { return false }) }
	tr.list([]string{"b", "a"})
	tr.update([]rawState{{Name: "a", Flags: state(1, flagPresent), ATR: []byte{0x3B}}, {Name: "b", Flags: state(0, flagEmpty)}})
	if s := look(); len(s.Slots) != 2 || s.Slots[0].Name != "a" || !s.Slots[0].Present || s.Slots[1].Present {
		t.Fatalf("%+v", s)
	}
	tr.list([]string{"b"})
	if s := look(); len(s.Slots) != 1 || s.Slots[0].Name != "b" {
		t.Fatalf("%+v", s)
	}
	if got := tr.flags("a"); got != 0 {
		t.Errorf("a reader that is gone is waited for with %x", got)
	}
	tr.update([]rawState{{Name: "a", Flags: state(9, flagPresent)}}) // late news of it
	tr.list([]string{"a", "b"})
	if s := look(); s.Slots[0].Present {
		t.Errorf("what was in the reader before is in it again: %+v", s)
	}
	tr.update([]rawState{{Name: "a", Flags: state(0, flagPresent)}})
	if s := look(); !s.Slots[0].Present || s.Slots[0].Insertions != 1 {
		t.Errorf("%+v", s)
	}
	tr.lost()
	if s := look(); len(s.Slots) != 0 {
		t.Errorf("readers without a service: %+v", s)
	}
	tr.list([]string{"a"})
	tr.update([]rawState{{Name: "a", Flags: state(0, flagPresent)}})
	if s := look(); s.Slots[0].Insertions != 2 {
		t.Errorf("the card in a reader of a service that started anew was put in: %+v", s)
	}
}

func TestTrackerFlags(t *testing.T) {
	for name, tc := range map[string]struct {
		flags uint32
		mine  bool
		want  Slot
	}{
		"mute":               {flagPresent | flagMute, false, Slot{Present: true, Mute: true}},
		"mute without card":  {flagEmpty | flagMute, false, Slot{}},
		"exclusive":          {flagPresent | flagExclusive, false, Slot{Present: true, InUse: true}},
		"exclusive, ours":    {flagPresent | flagExclusive, true, Slot{Present: true}},
		"shared":             {flagPresent | flagInUse, false, Slot{Present: true}},
		"reader not working": {flagUnavailable | flagPresent, false, Slot{}},
	} {
		tr := newTracker()
		tr.list([]string{"r"})
		tr.update([]rawState{{Name: "r", Flags: tc.flags}})
		got := tr.snapshot(func(string) bool { return tc.mine })
		tc.want.Name = "r"
		if !sameSnapshot(got, Snapshot{Slots: []Slot{tc.want}}) {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestSnapshotsAreCopies(t *testing.T) {
	tr := newTracker()
	tr.list([]string{"r"})
	atr := []byte{0x3B, 1}
	tr.update([]rawState{{Name: "r", Flags: flagPresent, ATR: atr}})
	atr[1] = 2
	s := tr.snapshot(func(string) bool { return false })
	s.Slots[0].ATR[0] = 0
	if again := tr.snapshot(func(string) bool { return false }); again.Slots[0].ATR[0] != 0x3B || again.Slots[0].ATR[1] != 1 {
		t.Errorf("ATR %x", again.Slots[0].ATR)
	}
}

func TestSameSnapshot(t *testing.T) {
	base := Slot{Name: "r", Present: true, ATR: []byte{1}}
	for name, change := range map[string]func(*Slot){
		"name": func(s *Slot) { s.Name = "x" }, "present": func(s *Slot) { s.Present = false },
		"mute": func(s *Slot) { s.Mute = true }, "in use": func(s *Slot) { s.InUse = true },
		"ATR": func(s *Slot) { s.ATR = []byte{2} }, "insertions": func(s *Slot) { s.Insertions++ },
		"simulated": func(s *Slot) { s.Simulated = true },
	} {
		other := base
		change(&other)
		if sameSnapshot(Snapshot{Slots: []Slot{base}}, Snapshot{Slots: []Slot{other}}) {
			t.Errorf("%s makes no difference", name)
		}
	}
	if sameSnapshot(Snapshot{}, Snapshot{Err: card.ErrNoService}) || sameSnapshot(Snapshot{Err: refusedError{}}, Snapshot{Err: card.ErrNoService}) {
		t.Error("errors make no difference")
	}
	if !errors.Is(refusedError{}, card.ErrNoService) {
		t.Error("a service that refuses is one that is not there")
	}
}

func TestUsage(t *testing.T) {
	u := newUsage()
	u.hold("r", 1)
	u.hold("r", 1)
	u.hold("r", -1)
	if !u.mine()["r"] {
		t.Error("held twice, released once: not held")
	}
	u.remember([]rawState{{Name: "r", Flags: flagPresent | flagInUse}})
	if !u.elsewhere("r") {
		t.Error("in use by another, and not seen")
	}
	u.hold("r", -1)
	if len(u.mine()) != 0 {
		t.Error("released and held")
	}
	if u.elsewhere("other") {
		t.Error("a reader never seen is in use")
	}
}
