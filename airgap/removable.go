package airgap

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// mediaTypes are the file systems that sticks, cards and discs have.
var mediaTypes = map[string]bool{
	"vfat": true, "msdos": true, "exfat": true, "ntfs": true, "ntfs3": true, "fuseblk": true,
	"ext2": true, "ext3": true, "ext4": true, "btrfs": true, "xfs": true, "f2fs": true,
	"iso9660": true, "udf": true, "hfs": true, "hfsplus": true, "squashfs": true, "erofs": true,
}

// maxStack bounds how many layers (encryption on partition on …) are followed.
const maxStack = 8

// blockDir is the link that /sys has for every block device.
func (v *Volumes) blockDir(major, minor uint32) string {
	return filepath.Join(v.sys, "dev/block", fmt.Sprintf("%d:%d", major, minor))
}

// disksOf finds the whole disks beneath a block device, as resolved directories
// of /sys: through partitions, and through the layers of device mapper. False
// where /sys does not tell.
func (v *Volumes) disksOf(major, minor uint32) ([]string, bool) {
	dir, err := filepath.EvalSymlinks(v.blockDir(major, minor))
	if err != nil {
		return nil, false
	}
	return wholeDisks(dir, maxStack)
}

func wholeDisks(dir string, depth int) ([]string, bool) {
	if depth == 0 {
		return nil, false
	}
	if exists(filepath.Join(dir, "partition")) {
		dir = filepath.Dir(dir)
	}
	slaves, err := os.ReadDir(filepath.Join(dir, "slaves"))
	if err != nil || len(slaves) == 0 {
		return []string{dir}, true
	}
	var disks []string
	for _, s := range slaves {
		below, err := filepath.EvalSymlinks(filepath.Join(dir, "slaves", s.Name()))
		if err != nil {
			return nil, false
		}
		more, ok := wholeDisks(below, depth-1)
		if !ok {
			return nil, false
		}
		disks = append(disks, more...)
	}
	return disks, true
}

// systemDisks are those that carry a part of the running system.
func (v *Volumes) systemDisks(mounts []mount) map[string]bool {
	reserved := map[string]bool{}
	for _, m := range mounts {
		if !v.isSystem(m.point) {
			continue
		}
		// What /sys does not know (overlay, tmpfs) is no disk.
		disks, _ := v.disksOf(m.major, m.minor)
		for _, d := range disks {
			reserved[d] = true
		}
	}
	return reserved
}

// isSystem: the folders of a running system and, but for the root itself, what
// lies beneath them, unless that is a place for media.
func (v *Volumes) isSystem(point string) bool {
	if v.inPlaces(point) {
		return false
	}
	for _, s := range v.systems {
		if point == s || s != "/" && strings.HasPrefix(point, s+"/") {
			return true
		}
	}
	return false
}

// removable: the kernel calls the disk so (sticks, discs), or it hangs off USB
// (disks in a case), or it is a card in an SD slot. An eMMC chip answers as
// "MMC" and stays inside.
func (v *Volumes) removable(disk string) bool {
	if line(filepath.Join(disk, "removable")) == "1" {
		return true
	}
	inside := strings.TrimPrefix(disk, v.sys)
	if kind := line(filepath.Join(disk, "device/type")); strings.Contains(inside, "/mmc_host/") {
		return strings.HasPrefix(kind, "SD")
	}
	for part := range strings.SplitSeq(inside, "/") {
		if number, found := strings.CutPrefix(part, "usb"); found {
			if _, err := strconv.ParseUint(number, 10, 16); err == nil {
				return true
			}
		}
	}
	return false
}

// sequence tells a medium from its successor in the same slot (Linux 5.15; ""
// before).
func (v *Volumes) sequence(disks []string) string {
	var all []string
	for _, d := range disks {
		all = append(all, line(filepath.Join(d, "diskseq")))
	}
	return strings.Join(all, ",")
}

// label asks udev's links, then its data base. An image without udev has
// neither: then the volume goes by its mount point.
func (v *Volumes) label(m mount) string {
	dir := filepath.Join(v.dev, "disk/by-label")
	links, _ := os.ReadDir(dir)
	for _, l := range links {
		if to, err := os.Readlink(filepath.Join(dir, l.Name())); err == nil && filepath.Base(to) == filepath.Base(m.source) {
			return unescapeHex(l.Name())
		}
	}
	f, err := os.Open(filepath.Join(v.run, "udev/data", fmt.Sprintf("b%d:%d", m.major, m.minor)))
	if err != nil {
		return ""
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if name, found := strings.CutPrefix(lines.Text(), "E:ID_FS_LABEL_ENC="); found {
			return unescapeHex(name)
		}
	}
	return ""
}

// unescapeHex undoes udev's \xHH.
func unescapeHex(s string) string {
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if strings.HasPrefix(s[i:], `\x`) && i+4 <= len(s) {
			if n, err := strconv.ParseUint(s[i+2:i+4], 16, 8); err == nil {
				out = append(out, byte(n))
				i += 3
				continue
			}
		}
		out = append(out, s[i])
	}
	return string(out)
}

// line is the first line of a small file of /sys or /proc, without white space;
// "" where it cannot be read.
func line(path string) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Scan()
	return strings.TrimSpace(lines.Text())
}
