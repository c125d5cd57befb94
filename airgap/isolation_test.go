package airgap

import (
	"context"
	"io/fs"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"golang.org/x/sys/unix"
)

const (
	devHead   = "Inter-|   Receive\n face |bytes\n"
	routeHead = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
	swapHead  = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"
	trieLo    = "Local:\n  +-- 0.0.0.0/0 3 0 5\n     |-- 127.0.0.1\n        /32 host LOCAL\n"
	lo6       = "00000000000000000000000000000001 01 80 10 80       lo\n"
)

// offline is the least that a machine without any network shows.
func offline() fstest.MapFS {
	m := fstest.MapFS{}
	set := func(name, text string) { m[name] = &fstest.MapFile{Data: []byte(text)} }
	set("proc/net/dev", devHead+"    lo:       0       0\n")
	set("proc/net/route", routeHead)
	set("proc/net/fib_trie", trieLo)
	set("proc/net/if_inet6", lo6)
	set("proc/net/ipv6_route", "00000000000000000000000000000000 00 00000000000000000000000000000000 00 00000000000000000000000000000000 ffffffff 00000001 00000000 00200200       lo\n")
	set("proc/swaps", swapHead)
	set("proc/modules", "ext4 1000 1 - Live 0x0\n")
	set("sys/class/net/lo/flags", "0x9\n")
	set("sys/class/net/lo/type", "772\n")
	set("sys/class/net/lo/carrier", "1\n")
	set("sys/class/net/lo/operstate", "unknown\n")
	return m
}

// change is a name and its text; "-" takes the name and all beneath it away.
type change map[string]string

func (c change) on(m fstest.MapFS) fstest.MapFS {
	for name, text := range c {
		if text != "-" {
			m[name] = &fstest.MapFile{Data: []byte(text)}
			continue
		}
		for n := range m {
			if n == name || strings.HasPrefix(n, name+"/") {
				delete(m, n)
			}
		}
	}
	return m
}

func states(items []IsolationItem) []string {
	var all []string
	for _, i := range items {
		all = append(all, i.State)
	}
	return all
}

func TestIsolation(t *testing.T) {
	wire := func(name, carrier, state string) change {
		dir := "sys/class/net/" + name
		return change{dir + "/flags": "0x1003\n", dir + "/type": "1\n", dir + "/carrier": carrier, dir + "/operstate": state}
	}
	with := func(c change, more change) change {
		for k, v := range more {
			c[k] = v
		}
		return c
	}
	for _, c := range []struct {
		name            string
		change          change
		blocks, notices []string
	}{
		{"nothing", nil, nil, nil},
		{"an interface, up", wire("eth0", "1\n", "up\n"), []string{"eth0 is up"}, nil},
		{"a tunnel, whose state is unknown", wire("tun0", "1\n", "unknown\n"), []string{"tun0 is up"}, nil},
		{"up without a carrier file", with(wire("eth0", "-", "up\n"), nil), []string{"eth0 is up"}, nil},
		{"no carrier", wire("eth0", "0\n", "down\n"), nil, []string{"eth0 is there, but down"}},
		{"switched off: its carrier cannot be read", wire("wlp1s0", "-", "down\n"), nil, []string{"wlp1s0 is there, but down"}},
		{"nothing can be read of it", wire("eth0", "-", "-"), []string{"the state of eth0 could not be read"}, nil},
		{"down, but with an address", with(wire("eth0", "0\n", "down\n"), change{
			"proc/net/if_inet6": lo6 + "fe8000000000000000fc00fffe000001 04 40 20 80     eth0\n",
		}), []string{"eth0 has an address"}, nil},
		{"up, with an IPv4 address", with(wire("eth0", "1\n", "up\n"), change{
			"proc/net/route":    routeHead + "eth0\t" + hex4("192.0.2.0") + "\t00000000\t0001\t0\t0\t0\t" + hex4("255.255.255.0") + "\t0\t0\t0\n",
			"proc/net/fib_trie": trieLo + "     |-- 192.0.2.2\n        /32 host LOCAL\n",
		}), []string{"eth0 is up, with an address"}, nil},
		{"an IPv4 address of nobody", change{"proc/net/fib_trie": trieLo + "     |-- 10.0.0.1\n        /32 host LOCAL\n     |-- 10.0.0.0\n        /24 link UNICAST\n"},
			[]string{"this machine has the address 10.0.0.1"}, nil},
		{"an interface only /proc shows", change{"proc/net/dev": devHead + "    lo: 0\nwg0: 0 0\n"}, []string{"the state of wg0 could not be read"}, nil},
		{"a file among the interfaces", change{"sys/class/net/bonding_masters": "bond0\n"}, nil, nil},
		{"an interface that calls itself lo", with(change{"sys/class/net/lo/flags": "0x1003\n", "sys/class/net/lo/type": "1\n"}, nil), []string{"lo is up, with an address"}, nil},
		{"a name that would move the cursor", wire("e\x1b[2J", "1\n", "up\n"), []string{`"e\x1b[2J" is up`}, nil},
		{"a default route", change{"proc/net/route": routeHead + "ppp0\t00000000\t00000000\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"}, []string{"there is a default route over ppp0"}, nil},
		{"a default route that rejects", change{"proc/net/route": routeHead + "*\t00000000\t00000000\t0200\t0\t0\t0\t00000000\t0\t0\t0\n"}, nil, nil},
		{"an IPv6 default route", change{"proc/net/ipv6_route": strings.Repeat("0", 32) + " 00 " + strings.Repeat("0", 32) + " 00 fd000000000000000000000000000001 00000400 00000002 00000000 00000003     eth0\n"},
			[]string{"there is a default route over eth0"}, nil},
		{"another IPv6 route", change{"proc/net/ipv6_route": "fd" + strings.Repeat("0", 30) + " 40 " + strings.Repeat("0", 32) + " 00 " + strings.Repeat("0", 32) + " 00000100 00000001 00000000 00000001     eth0\n"}, nil, nil},
		{"Bluetooth on", rfkill("bluetooth", "0", "0"), []string{"Bluetooth is not blocked"}, nil},
		{"Bluetooth blocked by software", rfkill("bluetooth", "1", "0"), nil, []string{"Bluetooth is there, but blocked"}},
		{"Bluetooth blocked by a switch", with(rfkill("bluetooth", "0", "1"), change{"sys/class/bluetooth/hci0/address": "x"}), nil, []string{"Bluetooth is there, but blocked"}},
		{"a switch that cannot be read", rfkill("bluetooth", "-", "-"), []string{"Bluetooth is not blocked"}, nil},
		{"a radio of no known kind", with(rfkill("-", "0", "0"), nil), []string{"there is a radio whose kind could not be read"}, nil},
		{"Bluetooth without a switch", change{"sys/class/bluetooth/hci0/address": "x"}, []string{"Bluetooth is there, and nothing says that it is off"}, nil},
		{"a mobile radio on", rfkill("wwan", "0", "0"), []string{"the mobile modem is not blocked"}, nil},
		{"a modem without a switch", change{"sys/class/usbmisc/cdc-wdm0/dev": "x"}, []string{"the mobile modem is there, and nothing says that it is off"}, nil},
		{"another modem", change{"sys/class/wwan/wwan0/dev": "x"}, []string{"the mobile modem is there, and nothing says that it is off"}, nil},
		{"a modem that talks over a serial line", change{"sys/bus/usb-serial/drivers/option1/ttyUSB0/x": "", "sys/bus/usb-serial/drivers/option1/bind": ""}, []string{"the mobile modem is there, and nothing says that it is off"}, nil},
		{"a serial modem's driver without one", change{"sys/bus/usb-serial/drivers/option1/bind": "", "sys/bus/usb-serial/drivers/option1/new_id": ""}, nil, nil},
		{"a serial cable", change{"sys/bus/usb-serial/drivers/ftdi_sio/ttyUSB0/x": ""}, nil, nil},
		{"Wi-Fi without a switch, without an interface", change{"sys/class/ieee80211/phy0/index": "0\n"}, nil, []string{"Wi-Fi is there, and nothing says that it is off"}},
		{"a printer is no modem", change{"sys/class/usbmisc/lp0/dev": "x"}, nil, nil},
		{"Wi-Fi on, without a connection", with(rfkill("wlan", "0", "0"), wire("wlan0", "0\n", "down\n")), nil, []string{"wlan0 is there, but down", "Wi-Fi is not blocked"}},
		{"near-field radio", rfkill("nfc", "0", "0"), nil, nil},
		{"a gadget", change{"sys/class/udc/dwc3/state": "configured\n"}, nil, []string{"this machine is a USB device of another computer"}},
		{"no gadget", change{"sys/class/udc/dwc3/state": "not attached\n"}, nil, nil},
		{"Thunderbolt", change{"sys/bus/thunderbolt/devices/0-0/x": "", "sys/bus/thunderbolt/devices/0-1/x": ""}, nil, []string{"a Thunderbolt device is connected"}},
		{"Thunderbolt, nothing in it", change{"sys/bus/thunderbolt/devices/0-0/x": "", "sys/bus/thunderbolt/devices/domain0/x": ""}, nil, nil},
		{"swap", change{"proc/swaps": swapHead + "/dev/sda2 partition 1 0 -2\n/swap\\040file file 1 0 -3\n"}, nil, []string{"swap is in use (2)"}},
		{"compressed memory", change{"proc/swaps": swapHead + "/dev/zram0                              partition\t1\t0\t100\n", "sys/block/zram0/disksize": "1\n", "sys/block/zram0/backing_dev": "none\n"}, nil, nil},
		{"compressed memory with a disk behind it", change{"proc/swaps": swapHead + "/dev/zram0 partition 1 0 100\n", "sys/block/zram0/disksize": "1\n", "sys/block/zram0/backing_dev": "/dev/sda3\n"}, nil, []string{"swap is in use (1)"}},
		{"a disk that calls itself compressed memory", change{"proc/swaps": swapHead + "/dev/zram0/../sda partition 1 0 100\n/dev/zram7 partition 1 0 1\n"}, nil, []string{"swap is in use (2)"}},
		{"a kernel without swap and modules", change{"proc/swaps": "-", "proc/modules": "-"}, nil, nil},
		{"a kernel without the internet", change{"proc/net/route": "-", "proc/net/fib_trie": "-", "proc/net/if_inet6": "-", "proc/net/ipv6_route": "-"}, nil, nil},
		{"no /sys", change{"sys": "-"}, []string{"the network interfaces could not be read"}, nil},
		{"no /proc", change{"proc": "-"}, []string{
			"the IPv6 addresses could not be read", "the IPv4 addresses could not be read",
			"the IPv4 routes could not be read", "the IPv6 routes could not be read",
		}, nil},
		{"an endless table", change{"proc/net/route": strings.Repeat("x", maxProc+1)}, []string{"the IPv4 routes could not be read"}, nil},
	} {
		got := InspectIsolation(c.change.on(offline()))
		if b := states(got.Blocking()); !slices.Equal(b, c.blocks) {
			t.Errorf("%s: blocks %q", c.name, b)
		}
		if n := states(got.Notices()); !slices.Equal(n, c.notices) {
			t.Errorf("%s: notices %q", c.name, n)
		}
		for _, i := range got.Items {
			if i.What == "" || i.State == "" || i.Blocks && i.Detail == "" || strings.ContainsFunc(i.What+i.State+i.Detail, func(r rune) bool { return r < ' ' || r == 0x7f }) {
				t.Errorf("%s: %+v", c.name, i)
			}
		}
	}
}

// hex4 is an address as /proc/net/route prints it on this machine.
func hex4(s string) string {
	const digits = "0123456789ABCDEF"
	n := nativeOrder(netip.MustParseAddr(s))
	out := make([]byte, 8)
	for i := range out {
		out[i] = digits[n>>(28-4*i)&15]
	}
	return string(out)
}

func rfkill(kind, soft, hard string) change {
	dir := "sys/class/rfkill/rfkill0"
	return change{dir + "/type": kind, dir + "/soft": soft, dir + "/hard": hard, dir + "/name": "x"}
}

// TestWhatIsNotThereIsSaid: each thing that was checked has its state, also
// where all is well.
func TestWhatIsNotThereIsSaid(t *testing.T) {
	got := states(InspectIsolation(offline()).Items)
	want := []string{
		"there is no network interface but loopback", "there is no default route", "there is no Wi-Fi", "there is no Bluetooth",
		"there is no mobile modem", "this machine is no USB device of another computer", "there is no Thunderbolt",
		"no network module is loaded", "swap is off",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestNetworkModulesAreNamed(t *testing.T) {
	text := "iwlwifi 1 0 - Live 0x0\next4 1 0 - Live 0x0\nbluetooth 1 0\nusb_storage 1 0\ncdc_ether 1 0\nbattery 1 0\n"
	got := InspectIsolation(change{"proc/modules": text}.on(offline()))
	if !slices.Contains(states(got.Items), "loaded: bluetooth, cdc_ether, iwlwifi") {
		t.Errorf("%q", states(got.Items))
	}
}

func TestIsolationNeverLookedAtBlocks(t *testing.T) {
	if len((Isolation{}).Blocking()) == 0 {
		t.Error("the zero value lets a PIN through")
	}
	if len((Isolation{}).With(DenialItem(nil)).Blocking()) == 0 {
		t.Error("an item from elsewhere lets a PIN through")
	}
	looked := InspectIsolation(offline())
	if got := looked.With(DenialItem(unix.ENOSYS)); len(got.Items) != len(looked.Items)+1 || len(got.Notices()) != 1 || len(got.Blocking()) != 0 {
		t.Errorf("%+v", got)
	}
}

// shut is a file system in which some names cannot be opened, as in a container.
type shut struct {
	fs.FS
	beneath string
}

func (s shut) Open(name string) (fs.File, error) {
	if strings.HasPrefix(name, s.beneath) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
	}
	return s.FS.Open(name)
}

func TestWhatMayNotBeReadBlocks(t *testing.T) {
	for _, beneath := range []string{"sys/class/net", "sys/class/net/eth0", "proc/net/route", "proc/net/ipv6_route", "proc/net/fib_trie", "proc/net/if_inet6", "sys/class/rfkill", "sys/class/bluetooth", "sys/class/wwan", "sys/class/ieee80211", "sys/bus/usb-serial/drivers/option1"} {
		m := change{"sys/class/net/eth0/operstate": "down\n", "sys/class/bluetooth/x/y": "", "sys/class/wwan/x/y": "", "sys/class/ieee80211/x/y": "", "sys/bus/usb-serial/drivers/option1/bind": ""}.on(offline())
		if len(InspectIsolation(m).Blocking()) != 0 {
			t.Fatal("blocks before")
		}
		if len(InspectIsolation(shut{m, beneath}).Blocking()) == 0 {
			t.Errorf("%s may not be read, and nothing blocks", beneath)
		}
	}
}

func TestIsolationOfTheRealMachine(t *testing.T) {
	got := InspectIsolation(os.DirFS("/"))
	if len(got.Items) < 5 {
		t.Errorf("%+v", got)
	}
	for _, i := range got.Items {
		t.Logf("%-28s blocks=%-5v notice=%-5v %s", i.What, i.Blocks, i.Notice, i.State)
	}
}

func TestWatchIsolation(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	ticks := make(chan time.Time)
	seen := make(chan Isolation, 1)
	done := make(chan struct{})
	current := &switching{fs: offline()}
	go func() {
		watchIsolation(ctx, current, ticks, func(i Isolation) { seen <- i })
		close(done)
	}()
	if first := <-seen; len(first.Blocking()) != 0 {
		t.Errorf("%+v", first.Blocking())
	}
	ticks <- time.Time{} // nothing changed
	ticks <- time.Time{} // the look before it is over
	if len(seen) != 0 {
		t.Error("emitted without a change")
	}
	current.set(change{"sys/class/net/eth0/carrier": "1\n"}.on(offline()))
	ticks <- time.Time{}
	if up := <-seen; !slices.Equal(states(up.Blocking()), []string{"eth0 is up"}) {
		t.Errorf("%+v", up.Blocking())
	}
	cancel()
	<-done
}

func FuzzTables(f *testing.F) {
	f.Add(routeHead+"eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n", "|-- 10.0.0.1\n/32 host LOCAL", lo6, "0 00 0 0 0 0 0 0 3 x")
	f.Add("", "/32 host LOCAL\n|-- ", " ", strings.Repeat("0", 32)+" 00 a b c d e f 0 eth0")
	f.Fuzz(func(t *testing.T, route, trie, six, route6 string) {
		m := change{"proc/net/route": route, "proc/net/fib_trie": trie, "proc/net/if_inet6": six, "proc/net/ipv6_route": route6}.on(offline())
		for _, i := range InspectIsolation(m).Items {
			if strings.ContainsFunc(i.What+i.State+i.Detail, func(r rune) bool { return r < ' ' || r > '~' }) {
				t.Fatalf("%+v", i)
			}
		}
	})
}

// switching is a file system that another takes the place of.
type switching struct {
	mu sync.Mutex
	fs fs.FS
}

func (s *switching) set(f fs.FS) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fs = f
}

func (s *switching) Open(name string) (fs.File, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fs.Open(name)
}
