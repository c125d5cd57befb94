package container

import (
	"cmp"
	"fmt"
	"slices"
)

// Addition is a pair to be put into an input map.
type Addition struct {
	Input int // index
	Key   []byte
	Value []byte
}

// Splice gives new bytes in which every old pair stands as it stood, in its
// order, and the new ones among them: before the first pair of a greater key
// type where the map is ascending in its key types, else at its end. New pairs
// of one place keep the order given. An addition that is malformed, or whose key
// stands in its map already, is an error: the result is one that Parse accepts,
// as long as there is memory for one pair more.
func (c *Container) Splice(adds []Addition) ([]byte, error) {
	type target struct {
		input int
		key   string
	}
	seen := make(map[target]bool, len(adds))
	pieces := make([]piece, 0, len(adds))
	size := len(c.Raw)
	for i, a := range adds {
		p, err := c.place(a)
		if err != nil {
			return nil, fmt.Errorf("addition %d: %w", i, err)
		}
		to := target{a.Input, string(a.Key)}
		if seen[to] {
			return nil, fmt.Errorf("addition %d: its key is added to input %d twice", i, a.Input)
		}
		seen[to] = true
		pieces = append(pieces, p)
		size += len(p.bytes)
	}
	slices.SortStableFunc(pieces, func(p, q piece) int {
		if p.at != q.at {
			return p.at - q.at
		}
		return p.order(q)
	})
	out, from := make([]byte, 0, size), 0
	for _, p := range pieces {
		out = append(append(out, c.Raw[from:p.at]...), p.bytes...)
		from = p.at
	}
	return append(out, c.Raw[from:]...), nil
}

// piece is a new pair and where it goes.
type piece struct {
	at     int // offset in bytes before which it goes
	typ    uint64
	sorted bool // the map is ascending
	bytes  []byte
}

// order of two pieces that go to the same offset: by type where the map is
// ascending, so that it stays so; else as given.
func (p piece) order(q piece) int {
	if !p.sorted {
		return 0
	}
	return cmp.Compare(p.typ, q.typ)
}

// place checks an addition and finds its offset.
func (c *Container) place(a Addition) (piece, error) {
	if a.Input < 0 || a.Input >= len(c.Inputs) {
		return piece{}, fmt.Errorf("there is no input %d", a.Input)
	}
	b := appendSize(nil, uint64(len(a.Key)))
	b = append(b, a.Key...)
	b = appendSize(b, uint64(len(a.Value)))
	b = append(b, a.Value...)
	r := reader{b: b, end: len(b), place: place{"the addition to input", a.Input}}
	pair, ok, err := r.pair()
	if err != nil {
		return piece{}, err
	}
	if !ok {
		return piece{}, fmt.Errorf("its key is empty")
	}
	if err := checkInput(&r, pair); err != nil {
		return piece{}, err
	}
	m := &c.Inputs[a.Input]
	if _, ok := m.Find(a.Key); ok {
		return piece{}, fmt.Errorf("its key stands in input %d already", a.Input)
	}
	at := m.End
	sorted := slices.IsSortedFunc(m.Pairs, func(p, q Pair) int { return cmp.Compare(p.Type, q.Type) })
	if sorted {
		for _, p := range m.Pairs {
			if p.Type > pair.Type {
				at = p.Start
				break
			}
		}
	}
	return piece{at, pair.Type, sorted, b}, nil
}
