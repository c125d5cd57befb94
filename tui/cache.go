package tui

// cached keeps what was made for a key until another is asked for.
type cached[K comparable, V any] struct {
	key   K
	value V
	made  bool
}

func (c *cached[K, V]) get(key K, produce func() V) V {
	if !c.made || c.key != key {
		c.key, c.value, c.made = key, produce(), true
	}
	return c.value
}
