package airgap

import (
	"context"
	"io/fs"
	"slices"
	"time"
)

// Isolation is what stands between this machine and a network, as far as the
// kernel tells. Its zero value was never looked at, and blocks.
type Isolation struct{ Items []IsolationItem }

// IsolationItem is one thing that was checked.
type IsolationItem struct {
	What   string // "network interfaces", "eth0", "default route", …: safe to print
	State  string // one line: "eth0 is up, with an address"
	Detail string // how to go on; "" where nothing needs doing
	Blocks bool   // no PIN and no signature while this is so
	Notice bool   // worth a look, and no more
}

// Blocking gives the items that block.
func (i Isolation) Blocking() []IsolationItem {
	if len(i.Items) == 0 {
		return []IsolationItem{{What: "network", State: "the network was not looked at yet", Blocks: true}}
	}
	return i.where(func(item IsolationItem) bool { return item.Blocks })
}

// Notices gives the items that are worth a look but do not block.
func (i Isolation) Notices() []IsolationItem {
	return i.where(func(item IsolationItem) bool { return item.Notice && !item.Blocks })
}

func (i Isolation) where(f func(IsolationItem) bool) []IsolationItem {
	var list []IsolationItem
	for _, item := range i.Items {
		if f(item) {
			list = append(list, item)
		}
	}
	return list
}

// With adds items that others found. What was never looked at stays so, and
// blocks.
func (i Isolation) With(items ...IsolationItem) Isolation {
	if len(i.Items) == 0 {
		return i
	}
	return Isolation{Items: slices.Concat(i.Items, items)}
}

// InspectIsolation reads /sys and /proc through root (os.DirFS("/"), or what a
// test makes up). What blocks: an interface other than loopback with carrier or
// address, a default route, a Bluetooth or mobile radio that is not blocked, and
// whatever of these could not be looked at. What the kernel was built without
// is no danger. Present but down is a notice, swap in use another.
func InspectIsolation(root fs.FS) Isolation {
	in := inspector{root}
	var items []IsolationItem
	items = append(items, in.interfaces()...)
	items = append(items, in.routes()...)
	items = append(items, in.radios()...)
	items = append(items, in.cables()...)
	items = append(items, in.modules())
	items = append(items, in.swap())
	return Isolation{Items: items}
}

// WatchIsolation calls emit from one goroutine until ctx ends: first with the
// state as it is, then at each change, seen within a second.
func WatchIsolation(ctx context.Context, root fs.FS, emit func(Isolation)) {
	ticks := time.NewTicker(time.Second)
	defer ticks.Stop()
	watchIsolation(ctx, root, ticks.C, emit)
}

func watchIsolation(ctx context.Context, root fs.FS, ticks <-chan time.Time, emit func(Isolation)) {
	var last Isolation
	for first := true; ctx.Err() == nil; first = false {
		now := InspectIsolation(root)
		if first || !slices.Equal(now.Items, last.Items) {
			last = now
			emit(Isolation{Items: slices.Clone(now.Items)})
		}
		select {
		case <-ctx.Done():
		case <-ticks:
		}
	}
}
