package reader

import "sync"

// usage knows which readers this program and which others are using, from what
// it did itself and from what the service reported last. Safe for concurrent use.
type usage struct {
	mu   sync.Mutex
	held map[string]int    // cards open or being opened here, by reader
	seen map[string]uint32 // flags of each reader as last reported
}

func newUsage() *usage {
	return &usage{held: map[string]int{}, seen: map[string]uint32{}}
}

// mine are the readers whose card this program holds or is opening.
func (u *usage) mine() map[string]bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	m := make(map[string]bool, len(u.held))
	for name := range u.held {
		m[name] = true
	}
	return m
}

// hold notes that a card in the reader is being opened (+1) or was released (-1).
func (u *usage) hold(slot string, by int) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.held[slot] += by; u.held[slot] == 0 {
		delete(u.held, slot)
	}
}

// remember takes over what the service reported.
func (u *usage) remember(states []rawState) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, s := range states {
		u.seen[s.Name] = s.Flags
	}
}

// elsewhere tells whether the card in the reader was last seen in use while
// this program did not hold it.
func (u *usage) elsewhere(slot string) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.held[slot] <= 1 && u.seen[slot]&(flagInUse|flagExclusive) != 0
}
