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

// cables looks at what can become a network without a card for it: this machine
// as a USB device of another, and devices on Thunderbolt. What is behind them is
// looked at as an interface, once it is one.
func (in inspector) cables() []IsolationItem {
	return []IsolationItem{in.gadget(), in.thunderbolt()}
}

// gadget: old kernels and images lack the list; one that cannot be read says
// nothing.
func (in inspector) gadget() IsolationItem {
	item := IsolationItem{What: "USB gadget", State: "this machine is no USB device of another computer"}
	names, _ := in.names("sys/class/udc")
	for _, name := range names {
		if in.value(path.Join("sys/class/udc", name, "state")) == "configured" {
			item.State, item.Notice = "this machine is a USB device of another computer", true
			item.Detail = "Unplug the cable to the other computer."
		}
	}
	return item
}

func (in inspector) thunderbolt() IsolationItem {
	item := IsolationItem{What: "Thunderbolt", State: "there is no Thunderbolt"}
	names, _ := in.names("sys/bus/thunderbolt/devices")
	switch {
	case slices.ContainsFunc(names, boltName.MatchString):
		item.State, item.Notice = "a Thunderbolt device is connected", true
		item.Detail = "Unplug it unless it is needed: it can act as a network."
	case len(names) > 0:
		item.State = "nothing is connected to Thunderbolt"
	}
	return item
}

// boltName is a device behind the host's own router ("0-0").
var boltName = regexp.MustCompile(`^[0-9]+-[0-9]*[1-9][0-9]*$`)

// netModule are kernel modules that drive networks and radios, by the names of
// Linux 6.12: wireless, Bluetooth, modems, USB adapters, wired cards, virtual
// ones, and networks over other cables.
var netModule = regexp.MustCompile(`^(cfg80211|mac80211|iwl.*|ath[0-9]*k?.*|rtw.*|rtl8.*|brcm.*|mt76.*|mt7[69].*|mwifiex.*|wl.*|b43.*|rsi_.*|wil6210|` +
	`bluetooth|bt[a-z]+|hci_.*|bnep|rfcomm|hidp|nfc|ieee802154.*|` +
	`wwan|mhi_(wwan|net).*|iosm|t7xx|mtk_t7xx|qmi_wwan|option|sierra.*|qcserial|hso|huawei_.*|cdc_(mbim|wdm)|` +
	`usbnet|cdc_(ether|ncm|eem|subset|phonet)|rndis_.*|ipheth|ax88179.*|asix|aqc111|smsc.*|lan78xx|dm9601|mcs7830|pegasus|kaweth|catc|r8152|r8153.*|` +
	`usb_f_(rndis|ecm.*|ncm|eem)|u_ether|g_(ether|ncm|cdc)|` +
	`r8169|e100|e1000e?|ig[bc]|ixgbe.*|i40e|ice|tg3|bnx2.*|atlantic|alx|atl1.?|sky2|forcedeth|jme|via_.*|8139.*|stmmac.*|dwmac.*|macb|genet|fec|mlx[45].*|ena|gve|` +
	`virtio_net|vmxnet3|hv_netvsc|xen_netfront|tun|tap|veth|macv(lan|tap)|ipvlan|vxlan|wireguard|bridge|bonding|ppp_.*|slip|usbip.*|vhci_hcd|` +
	`thunderbolt_net|firewire_net|ib_ipoib|plip)$`)

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

// swap in use may take secrets to a disk. Compressed memory (zram) is none,
// unless it has a disk behind it.
func (in inspector) swap() IsolationItem {
	item := IsolationItem{What: "swap", State: "swap is off"}
	text, err := in.file("proc/swaps")
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			item.State, item.Notice = "whether swap is in use could not be read", true
		}
		return item
	}
	lines := strings.Split(strings.TrimSpace(text), "\n")
	inMemory := 0
	for _, l := range lines[1:] {
		name, found := strings.CutPrefix(l, "/dev/zram")
		name, _, _ = strings.Cut(name, " ")
		name, _, _ = strings.Cut(name, "\t")
		if found && in.zramInMemory(name) {
			inMemory++
		}
	}
	switch disks := len(lines) - 1 - inMemory; {
	case disks > 0:
		item.State, item.Notice = fmt.Sprintf("swap is in use (%d)", disks), true
		item.Detail = "What is in memory can reach a disk. Switch it off: swapoff -a."
	case inMemory > 0:
		item.State = "swap is in memory alone (zram)"
	}
	return item
}

// zramInMemory: the kernel says "none" for its disk, or was built without any.
func (in inspector) zramInMemory(number string) bool {
	dir := "sys/block/zram" + number
	if !zramNumber.MatchString(number) || !in.has(dir+"/disksize") {
		return false
	}
	return !in.has(dir+"/backing_dev") || in.value(dir+"/backing_dev") == "none"
}

var zramNumber = regexp.MustCompile(`^[0-9]+$`)
