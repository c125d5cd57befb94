package airgap

import (
	"encoding/binary"
	"math/bits"
	"net/netip"
	"strconv"
	"strings"
)

// Flags of the kernel's routes (RTF_REJECT of linux/route.h).
const routeReject = 0x200

// route4 is one line of /proc/net/route. Addresses are as the kernel prints
// them: hex of the number in this machine's byte order.
type route4 struct {
	name              string
	destination, mask uint32
	reject            bool
}

// parseRoute takes one line of /proc/net/route; false for the head and for
// anything else.
func parseRoute(l string) (route4, bool) {
	f := strings.Fields(l)
	if len(f) < 8 {
		return route4{}, false
	}
	destination, err1 := strconv.ParseUint(f[1], 16, 32)
	flags, err2 := strconv.ParseUint(f[3], 16, 32)
	mask, err3 := strconv.ParseUint(f[7], 16, 32)
	if err1 != nil || err2 != nil || err3 != nil {
		return route4{}, false
	}
	return route4{name: f[0], destination: uint32(destination), mask: uint32(mask), reject: flags&routeReject != 0}, true
}

// defaultRoute6 takes one line of /proc/net/ipv6_route and tells over which
// interface a default route leads. The kernel's own "unreachable" on lo leads
// nowhere.
func defaultRoute6(l string) (name string, ok bool) {
	f := strings.Fields(l)
	if len(f) < 10 || f[1] != "00" || strings.Trim(f[0], "0") != "" {
		return "", false
	}
	flags, err := strconv.ParseUint(f[8], 16, 64)
	if err == nil && flags&routeReject != 0 {
		return "", false
	}
	return strings.Join(f[9:], " "), true
}

// localAddresses finds this machine's own IPv4 addresses in /proc/net/fib_trie
// ("|-- 192.0.2.2", then "/32 host LOCAL"), without those of loopback.
func localAddresses(lines []string) []netip.Addr {
	var found []netip.Addr
	seen := map[netip.Addr]bool{}
	var last netip.Addr
	for _, l := range lines {
		l = strings.TrimSpace(l)
		if text, is := strings.CutPrefix(l, "|-- "); is {
			last, _ = netip.ParseAddr(text) // the zero address where it is none
			continue
		}
		own := strings.HasPrefix(l, "/32 ") && strings.Contains(l, "LOCAL")
		if own && last.Is4() && !last.IsLoopback() && !seen[last] {
			seen[last] = true
			found = append(found, last)
		}
	}
	return found
}

// interfaceOf finds the interface in whose network an address lies: of all
// routes that hold it, the one with the longest mask. Default routes do not
// count.
func interfaceOf(a netip.Addr, lines []string) string {
	number := nativeOrder(a)
	name, longest := "", 0
	for _, l := range lines {
		r, ok := parseRoute(l)
		if n := bits.OnesCount32(r.mask); ok && n > longest && number&r.mask == r.destination {
			name, longest = r.name, n
		}
	}
	return name
}

// nativeOrder is an address as a number in this machine's byte order, as
// /proc/net/route prints it.
func nativeOrder(a netip.Addr) uint32 {
	b := a.As4()
	return binary.NativeEndian.Uint32(b[:])
}
