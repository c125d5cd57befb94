package airgap

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
)

// radio is one switch of /sys/class/rfkill.
type radio struct {
	kind string // "wlan", "bluetooth", "wwan", …, as the kernel names them
	off  bool   // blocked by software or by a switch
}

// radios looks at every radio that has an rfkill switch, and at Bluetooth
// adapters and modems that have none.
func (in inspector) radios() []IsolationItem {
	switches, err := in.switches()
	if err != nil {
		return []IsolationItem{couldNot("radios", "the radios could not be read")}
	}
	var items []IsolationItem
	if on, _ := count(switches, ""); on > 0 {
		items = append(items, couldNot("radios", "there is a radio whose kind could not be read"))
	}
	for _, kind := range []string{"bluetooth", "wwan", "wimax", "wlan", "ultrawideband"} {
		on, off := count(switches, kind)
		if on+off > 0 {
			items = append(items, radioItem(kind, on))
		}
	}
	items = append(items, in.unswitched("bluetooth", "sys/class/bluetooth", hciName, switches)...)
	items = append(items, in.unswitched("wwan", "sys/class/wwan", wwanName, switches)...)
	items = append(items, in.unswitched("wwan", "sys/class/usbmisc", modemName, switches)...)
	if len(items) == 0 {
		items = append(items, IsolationItem{What: "radios", State: "there is no radio"})
	}
	return items
}

// radioNames are what the kinds are called on screen.
var radioNames = map[string]string{
	"bluetooth": "Bluetooth", "wwan": "the mobile modem", "wimax": "the WiMAX modem", "wlan": "Wi-Fi", "ultrawideband": "the ultra-wideband radio",
}

// radioItem: Bluetooth and mobile radios must be blocked; Wi-Fi without a
// connection is only worth a look.
func radioItem(kind string, on int) IsolationItem {
	item := IsolationItem{What: radioNames[kind], State: radioNames[kind] + " is there, but blocked"}
	if on == 0 {
		item.Notice = kind == "bluetooth" || kind == "wwan" || kind == "wimax"
		return item
	}
	item.State = radioNames[kind] + " is not blocked"
	item.Detail = fmt.Sprintf(blockRadio, kind)
	item.Blocks = kind == "bluetooth" || kind == "wwan" || kind == "wimax"
	item.Notice = true
	return item
}

func count(switches []radio, kind string) (on, off int) {
	for _, r := range switches {
		switch {
		case r.kind != kind:
		case r.off:
			off++
		default:
			on++
		}
	}
	return on, off
}

func (in inspector) switches() ([]radio, error) {
	names, err := in.names("sys/class/rfkill")
	var list []radio
	for _, name := range names {
		dir := path.Join("sys/class/rfkill", name)
		// What cannot be read counts as on.
		off := in.value(dir+"/soft") == "1" || in.value(dir+"/hard") == "1"
		list = append(list, radio{kind: in.value(dir + "/type"), off: off})
	}
	return list, err
}

var (
	hciName   = regexp.MustCompile(`^hci[0-9]+$`)
	wwanName  = regexp.MustCompile(`^wwan[0-9]+$`)
	modemName = regexp.MustCompile(`^cdc-wdm[0-9]+$`)
)

// unswitched looks for adapters of a kind for which no switch is off: nothing
// says that they are silent.
func (in inspector) unswitched(kind, dir string, is *regexp.Regexp, switches []radio) []IsolationItem {
	names, err := in.names(dir)
	if err != nil {
		return []IsolationItem{couldNot(radioNames[kind], radioNames[kind]+" could not be looked at")}
	}
	on, off := count(switches, kind)
	if !slices.ContainsFunc(names, is.MatchString) || off > 0 || on > 0 {
		return nil
	}
	item := IsolationItem{What: radioNames[kind], State: radioNames[kind] + " is there, and nothing says that it is off", Blocks: true}
	item.Detail = fmt.Sprintf(blockRadio, kind)
	if kind == "wwan" {
		item.Detail = removeModem
	}
	return []IsolationItem{item}
}

// cables looks at what can become a network without a card for it: this machine
// as a USB gadget, and devices on Thunderbolt.
func (in inspector) cables() []IsolationItem {
	var items []IsolationItem
	// Old kernels and images lack both; a list that cannot be read says nothing.
	gadgets, _ := in.names("sys/class/udc")
	for _, name := range gadgets {
		if in.value(path.Join("sys/class/udc", name, "state")) == "configured" {
			items = append(items, IsolationItem{
				What: "USB gadget", State: "this machine is a USB device of another computer", Notice: true,
				Detail: "Unplug the cable to the other computer.",
			})
			break
		}
	}
	bolts, _ := in.names("sys/bus/thunderbolt/devices")
	if slices.ContainsFunc(bolts, boltName.MatchString) {
		items = append(items, IsolationItem{
			What: "Thunderbolt", State: "a Thunderbolt device is connected", Notice: true,
			Detail: "Unplug it unless it is needed: it can act as a network.",
		})
	}
	return items
}

// boltName is a device behind the host's own router ("0-0").
var boltName = regexp.MustCompile(`^[0-9]+-[0-9]*[1-9][0-9]*$`)

// netModule are kernel modules that drive networks and radios, by the names of
// Linux 6.12.
var netModule = regexp.MustCompile(`^(cfg80211|mac80211|bluetooth|bt[a-z]+|wwan|mhi_wwan.*|usbnet|cdc_(ether|ncm|mbim|eem|subset)|rndis_.*|qmi_wwan|` +
	`iwl.*|ath[0-9]*k?.*|rtw.*|rtl8.*|r8169|r8152|brcm.*|mt76.*|mwifiex.*|e100|e1000e?|ig[bc]|ixgbe.*|tg3|atlantic|alx|atl1.?|sky2|forcedeth|ax88179.*|asix|smsc.*|` +
	`virtio_net|vmxnet3|tun|tap|wireguard|bridge|ppp_.*|slip|thunderbolt_net)$`)

// modules tells which network modules are loaded: for the record, since what
// they drive is looked at itself.
func (in inspector) modules() IsolationItem {
	item := IsolationItem{What: "network modules"}
	text, err := in.file("proc/modules")
	if err != nil {
		item.State = "the kernel does not list modules"
		return item
	}
	var found []string
	for l := range strings.Lines(text) {
		if name, _, _ := strings.Cut(l, " "); netModule.MatchString(name) {
			found = append(found, name)
		}
	}
	slices.Sort(found)
	switch {
	case len(found) == 0:
		item.State = "no network module is loaded"
	case len(found) > 6:
		item.State = fmt.Sprintf("%d network modules are loaded: %s, and more", len(found), strings.Join(found[:6], ", "))
	default:
		item.State = "loaded: " + strings.Join(found, ", ")
	}
	return item
}

// swap in use may take secrets to a disk.
func (in inspector) swap() IsolationItem {
	item := IsolationItem{What: "swap", State: "swap is off"}
	text, err := in.file("proc/swaps")
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			item.State, item.Notice = "whether swap is in use could not be read", true
		}
		return item
	}
	if lines := strings.Split(strings.TrimSpace(text), "\n"); len(lines) > 1 {
		item.State, item.Notice = fmt.Sprintf("swap is in use (%d)", len(lines)-1), true
		item.Detail = "What is in memory can reach a disk. Switch it off: swapoff -a."
	}
	return item
}
