package airgap

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// inspector reads the kernel's view of the network from /sys and /proc.
type inspector struct{ root fs.FS }

// maxProc bounds how much of one file of /proc is read, in bytes.
const maxProc = 4 << 20

// How to go on, for each kind of item.
const (
	pullCable   = "Unplug its cable or adapter, or switch it off (ip link set %s down)."
	unreadable  = "Start the station as a user who may read /sys and /proc, on a machine that is offline."
	dropRoute   = "Disconnect this machine from every network."
	blockRadio  = "Switch it off: rfkill block %s, or the airplane mode of this machine."
	removeModem = "Switch it off (rfkill block wwan) or take it out."
)

// file reads a file whole; what is too long is an error.
func (in inspector) file(name string) (string, error) {
	f, err := in.root.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxProc+1))
	if err == nil && len(data) > maxProc {
		err = fmt.Errorf("%s: more than %d bytes", name, maxProc)
	}
	return string(data), err
}

// value is the content of a one-line file; "" where it cannot be read.
func (in inspector) value(name string) string {
	s, err := in.file(name)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(s)
}

// table reads a file of /proc/net. A file that is not there while its folder is
// means that the kernel lacks that protocol; anything else that cannot be read
// is an error.
func (in inspector) table(name string) ([]string, error) {
	text, err := in.file("proc/net/" + name)
	if errors.Is(err, fs.ErrNotExist) {
		if list, dirErr := fs.ReadDir(in.root, "proc/net"); dirErr == nil && len(list) > 0 {
			return nil, nil
		}
	}
	return strings.Split(text, "\n"), err
}

// names lists a folder of /sys, sorted; nothing where it does not exist.
func (in inspector) names(dir string) ([]string, error) {
	list, err := fs.ReadDir(in.root, dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var names []string
	for _, e := range list {
		names = append(names, e.Name())
	}
	return names, err
}

// interfaces looks at every interface but loopback.
func (in inspector) interfaces() []IsolationItem {
	list, err := fs.ReadDir(in.root, "sys/class/net")
	if err != nil {
		return []IsolationItem{couldNot("network interfaces", "the network interfaces could not be read")}
	}
	addressed, items := in.addresses()
	names := in.devNames()
	for _, e := range list {
		// A plain file among them (bonding_masters) is no interface; what cannot
		// be looked at may be one.
		info, err := fs.Stat(in.root, path.Join("sys/class/net", e.Name()))
		if file := err == nil && !info.IsDir(); !file && !slices.Contains(names, e.Name()) {
			names = append(names, e.Name())
		}
	}
	slices.Sort(names)
	others := 0
	for _, name := range names {
		if !in.isLoopback(name) {
			others++
			items = append(items, in.link(name, addressed[name]))
		}
	}
	if others == 0 {
		items = append(items, IsolationItem{What: "network interfaces", State: "there is no network interface but loopback"})
	}
	return items
}

// devNames are the interfaces of /proc/net/dev. /sys may have been mounted for
// another network namespace: what only one of the two shows counts as well.
func (in inspector) devNames() []string {
	var names []string
	lines, _ := in.table("dev") // /sys is asked too, and must answer
	for _, l := range lines {
		if name, _, found := strings.Cut(l, ":"); found && strings.TrimSpace(name) != "" {
			names = append(names, strings.TrimSpace(name))
		}
	}
	return names
}

// isLoopback by the kernel's type (ARPHRD_LOOPBACK) and flag (IFF_LOOPBACK).
func (in inspector) isLoopback(name string) bool {
	dir := "sys/class/net/" + name
	flags, err := strconv.ParseUint(strings.TrimPrefix(in.value(dir+"/flags"), "0x"), 16, 32)
	return err == nil && flags&0x8 != 0 && in.value(dir+"/type") == "772"
}

// link is one interface. The carrier of one that is switched off cannot be
// read (EINVAL); its operstate then says "down".
func (in inspector) link(name string, addressed bool) IsolationItem {
	dir := "sys/class/net/" + name
	carrier, state := in.value(dir+"/carrier"), in.value(dir+"/operstate")
	shown := visible(name)
	kind := "interface"
	if in.has(dir+"/wireless") || in.has(dir+"/phy80211") {
		kind = "wireless interface"
	}
	item := IsolationItem{What: kind + " " + shown, Detail: fmt.Sprintf(pullCable, shown), Blocks: true}
	up := carrier == "1" || state == "up"
	switch {
	case up && addressed:
		item.State = shown + " is up, with an address"
	case up:
		item.State = shown + " is up"
	case addressed:
		item.State = shown + " has an address"
	case carrier == "" && state != "down" && state != "notpresent" && state != "lowerlayerdown":
		item.State = "the state of " + shown + " could not be read"
		item.Detail = unreadable
	default:
		item.State = shown + " is there, but down"
		item.Detail, item.Blocks, item.Notice = "", false, true
	}
	return item
}

func (in inspector) has(name string) bool {
	_, err := fs.Stat(in.root, name)
	return err == nil
}

// addresses tells which interfaces have an address, and gives items for what
// could not be read or belongs to no interface that is known.
func (in inspector) addresses() (map[string]bool, []IsolationItem) {
	has := map[string]bool{}
	var items []IsolationItem
	six, err := in.table("if_inet6")
	if err != nil {
		items = append(items, couldNot("addresses", "the IPv6 addresses could not be read"))
	}
	for _, l := range six {
		if f := strings.Fields(l); len(f) >= 6 {
			has[strings.Join(f[5:], " ")] = true
		}
	}
	trie, err := in.table("fib_trie")
	if err != nil {
		return has, append(items, couldNot("addresses", "the IPv4 addresses could not be read"))
	}
	routes, _ := in.table("route") // routes() tells when it cannot be read
	for _, a := range localAddresses(trie) {
		if name := interfaceOf(a, routes); name != "" {
			has[name] = true
			continue
		}
		items = append(items, IsolationItem{
			What: "address", State: "this machine has the address " + a.String(), Detail: dropRoute, Blocks: true,
		})
	}
	return has, items
}

// routes looks for default routes that lead somewhere.
func (in inspector) routes() []IsolationItem {
	var items []IsolationItem
	found := map[string]bool{}
	four, err := in.table("route")
	if err != nil {
		items = append(items, couldNot("routes", "the IPv4 routes could not be read"))
	}
	for _, l := range four {
		if r, ok := parseRoute(l); ok && r.mask == 0 && !r.reject {
			found[r.name] = true
		}
	}
	six, err := in.table("ipv6_route")
	if err != nil {
		items = append(items, couldNot("routes", "the IPv6 routes could not be read"))
	}
	for _, l := range six {
		if name, ok := defaultRoute6(l); ok {
			found[name] = true
		}
	}
	names := make([]string, 0, len(found))
	for name := range found {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		items = append(items, IsolationItem{
			What: "default route", State: "there is a default route over " + visible(name), Detail: dropRoute, Blocks: true,
		})
	}
	if len(items) == 0 {
		items = append(items, IsolationItem{What: "default route", State: "there is no default route"})
	}
	return items
}

// couldNot is an item that blocks because nothing could be learned.
func couldNot(what, state string) IsolationItem {
	return IsolationItem{What: what, State: state, Detail: unreadable, Blocks: true}
}

// visible makes a name from the kernel safe to print; names are short.
func visible(s string) string {
	if utf8.ValidString(s) && strings.IndexFunc(s, func(r rune) bool { return r < 0x21 || r > 0x7e }) < 0 {
		return s
	}
	return strconv.QuoteToASCII(s)
}
