package airgap

import (
	"fmt"
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

// radios looks at every radio that has an rfkill switch, and at Wi-Fi and
// Bluetooth adapters and modems that have none. Of the kinds that are common it
// says also that there is none.
func (in inspector) radios() []IsolationItem {
	switches, err := in.switches()
	if err != nil {
		return []IsolationItem{couldNot("radios", "the radios could not be read")}
	}
	var items []IsolationItem
	if on, _ := count(switches, ""); on > 0 {
		items = append(items, couldNot("radios", "there is a radio whose kind could not be read"))
	}
	for _, kind := range []string{"wimax", "ultrawideband"} {
		if on, off := count(switches, kind); on+off > 0 {
			items = append(items, radioItem(kind, on))
		}
	}
	items = append(items, in.radio("wlan", switches, adapters{"sys/class/ieee80211", phyName}))
	items = append(items, in.radio("bluetooth", switches, adapters{"sys/class/bluetooth", hciName}))
	modems := []adapters{{"sys/class/wwan", wwanName}, {"sys/class/usbmisc", modemName}}
	for _, driver := range []string{"option1", "sierra", "qcserial", "ipw"} {
		modems = append(modems, adapters{"sys/bus/usb-serial/drivers/" + driver, serialName})
	}
	return append(items, in.radio("wwan", switches, modems...))
}

// adapters are the devices of a kind in one folder of /sys, by their names.
type adapters struct {
	dir string
	is  *regexp.Regexp
}

// radio is one kind of radio: by its switches where there are any, else by its
// adapters, since then nothing says that they are silent.
func (in inspector) radio(kind string, switches []radio, places ...adapters) IsolationItem {
	if on, off := count(switches, kind); on+off > 0 {
		return radioItem(kind, on)
	}
	name := radioNames[kind]
	for _, p := range places {
		names, err := in.names(p.dir)
		if err != nil {
			return couldNot(name, name+" could not be looked at")
		}
		if slices.ContainsFunc(names, p.is.MatchString) {
			item := radioItem(kind, 1)
			item.State = name + " is there, and nothing says that it is off"
			if kind == "wwan" {
				item.Detail = removeModem
			}
			return item
		}
	}
	return IsolationItem{What: name, State: "there is no " + strings.TrimPrefix(name, "the ")}
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
	phyName    = regexp.MustCompile(`^phy[0-9]+$`)
	hciName    = regexp.MustCompile(`^hci[0-9]+$`)
	wwanName   = regexp.MustCompile(`^wwan[0-9]+$`)
	modemName  = regexp.MustCompile(`^cdc-wdm[0-9]+$`)
	serialName = regexp.MustCompile(`^ttyUSB[0-9]+$`) // of drivers that only modems have
)
