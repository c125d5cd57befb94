package airgap

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// machine is a made-up /proc, /sys, /dev and /run, and a folder of real mount
// points, which the made-up mount table gives other devices to.
type machine struct {
	t    *testing.T
	root string
	rows []string
}

func newMachine(t *testing.T) *machine {
	t.Helper()
	m := &machine{t: t, root: t.TempDir()}
	for _, dir := range []string{"proc/self", "sys/dev/block", "dev/disk/by-label", "run/udev/data", "media"} {
		m.dir(dir)
	}
	m.mounts()
	return m
}

func (m *machine) path(parts ...string) string {
	return filepath.Join(append([]string{m.root}, parts...)...)
}

func (m *machine) dir(name string) {
	if err := os.MkdirAll(m.path(name), 0o755); err != nil {
		m.t.Fatal(err)
	}
}

func (m *machine) file(name, text string) {
	m.t.Helper()
	put(m.t, m.root, name, []byte(text))
}

// disk adds a whole disk, and its first partition: number 8:n+1 of disk 8:n.
func (m *machine) disk(name, at string, n int, removable string) {
	m.t.Helper()
	dir := "sys/devices/" + at + "/block/" + name
	m.file(dir+"/removable", removable+"\n")
	m.file(dir+"/diskseq", fmt.Sprintf("%d\n", n))
	m.file(dir+"/"+name+"1/partition", "1\n")
	m.link(m.path(dir), fmt.Sprintf("sys/dev/block/8:%d", n))
	m.link(m.path(dir, name+"1"), fmt.Sprintf("sys/dev/block/8:%d", n+1))
}

func (m *machine) link(to, at string) {
	m.t.Helper()
	if err := os.Symlink(to, m.path(at)); err != nil {
		m.t.Fatal(err)
	}
}

// mount adds a row. The number of the mount is the real one of the folder, so
// that it passes for the mount point itself.
func (m *machine) mount(point, device, fsType, source, options string) {
	m.t.Helper()
	if !strings.HasPrefix(point, "/") {
		m.dir(point)
		point = m.path(point)
	}
	escaped := strings.NewReplacer(`\`, `\134`, " ", `\040`).Replace(point)
	m.rows = append(m.rows, fmt.Sprintf("%d 1 %s / %s %s shared:1 - %s %s rw", realMount(m.t, m.root), device, escaped, options, fsType, source))
	m.mounts()
}

func (m *machine) mounts() { m.file("proc/self/mountinfo", strings.Join(m.rows, "\n")+"\n") }

func (m *machine) volumes(folders ...string) *Volumes {
	return NewVolumes(folders, WithRoots(m.path("proc"), m.path("sys"), m.path("dev"), m.path("run")), WithPlaces(m.path("media")))
}

func realMount(t *testing.T, path string) uint64 {
	t.Helper()
	fd, err := unix.Open(path, unix.O_PATH, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	id := mountIDOf(fd)
	if id == 0 {
		t.Skip("SKIPPED: this kernel does not number mounts (before 5.8)")
	}
	return id
}

// names lists what was found, by the last part of its path.
func names(list []Volume) string {
	var all []string
	for _, v := range list {
		all = append(all, filepath.Base(v.Path))
	}
	return strings.Join(all, " ")
}

// typical is a laptop: a system disk, three sticks, a USB disk, an SD card,
// memory soldered in, a disc, and an encrypted stick.
func typical(t *testing.T) *machine {
	m := newMachine(t)
	m.disk("sda", "pci0000:00/ata1/host0/target0:0:0/0:0:0:0", 0, "0")
	m.disk("sdb", "pci0000:00/usb1/1-2/host6/6:0:0:0", 16, "1")
	m.disk("sdc", "pci0000:00/usb2/2-1/host7/7:0:0:0", 32, "0")
	m.disk("mmcblk0", "pci0000:00/mmc_host/mmc0/mmc0:0001", 48, "0")
	m.file("sys/devices/pci0000:00/mmc_host/mmc0/mmc0:0001/block/mmcblk0/device/type", "SD\n")
	m.disk("mmcblk1", "pci0000:00/mmc_host/mmc1/mmc1:0001", 64, "0")
	m.file("sys/devices/pci0000:00/mmc_host/mmc1/mmc1:0001/block/mmcblk1/device/type", "MMC\n")
	m.disk("sr0", "pci0000:00/ata2/host1/target1:0:0/1:0:0:0", 80, "1")
	m.disk("sdd", "pci0000:00/ata3/host2/target2:0:0/2:0:0:0", 96, "0")
	m.file("sys/devices/virtual/block/dm-0/removable", "0\n")
	m.dir("sys/devices/virtual/block/dm-0/slaves")
	m.link(m.path("sys/dev/block/8:17"), "sys/devices/virtual/block/dm-0/slaves/sdb1")
	m.link(m.path("sys/devices/virtual/block/dm-0"), "sys/dev/block/253:0")
	m.mount("/", "8:1", "ext4", "/dev/sda1", "rw")
	return m
}

func TestWhatCountsAsMedium(t *testing.T) {
	for _, c := range []struct {
		name, point, device, fsType string
		want                        bool
	}{
		{"a stick", "media/u/STICK", "8:17", "vfat", true},
		{"a stick without partitions", "media/STICK", "8:16", "exfat", true},
		{"a name with a space", "media/u/MY STICK", "8:17", "vfat", true},
		{"a disk in a USB case", "media/u/DISK", "8:33", "ntfs3", true},
		{"an SD card", "media/u/CARD", "8:49", "vfat", true},
		{"memory soldered in", "media/u/EMMC", "8:65", "vfat", false},
		{"a disc", "media/cdrom", "8:80", "iso9660", true},
		{"an encrypted stick", "media/u/SECRET", "253:0", "ext4", true},
		{"an inner disk", "media/u/DATA", "8:97", "ext4", false},
		{"the system's disk again", "media/u/ROOT", "8:1", "ext4", false},
		{"a stick mounted elsewhere", "srv/stick", "8:17", "vfat", false},
		{"beside the place", "media-old/u/STICK", "8:17", "vfat", false},
		{"no file system of media", "media/u/STICK", "8:17", "tmpfs", false},
		{"a device that /sys does not know", "media/u/STICK", "8:200", "vfat", false},
		{"a network share", "media/u/SHARE", "0:52", "cifs", false},
	} {
		m := typical(t)
		m.mount(c.point, c.device, c.fsType, "/dev/x", "rw,nosuid")
		list, err := m.volumes().List()
		if err != nil || (len(list) == 1) != c.want {
			t.Errorf("%s: %v %v", c.name, list, err)
		}
	}
}

func TestALiveStickIsNoMedium(t *testing.T) {
	m := typical(t)
	m.rows = nil
	m.mount("/", "8:17", "ext4", "/dev/sdb1", "rw")
	m.mount("media/u/BOOT", "8:16", "vfat", "/dev/sdb", "rw")
	m.mount("media/u/OTHER", "8:33", "vfat", "/dev/sdc1", "rw")
	list, err := m.volumes().List()
	if err != nil || names(list) != "OTHER" {
		t.Errorf("%v %v", list, err)
	}
}

func TestVolumeFields(t *testing.T) {
	m := typical(t)
	m.mount("media/u/one", "8:17", "vfat", "/dev/sdb1", "ro,nosuid")
	m.mount("media/u/two", "8:33", "vfat", "/dev/sdc1", "rw")
	m.mount("media/u/three", "8:49", "vfat", "/dev/mmcblk0p1", "rw")
	m.link("../../sdb1", `dev/disk/by-label/SAME\x20LABEL`)
	m.file("run/udev/data/b8:33", "S:disk\nE:ID_FS_LABEL=SAME_LABEL\nE:ID_FS_LABEL_ENC=SAME\\x20LABEL\n")
	list, err := m.volumes().List()
	if err != nil || names(list) != "one three two" {
		t.Fatalf("%v %v", list, err)
	}
	one, three, two := list[0], list[1], list[2]
	if one.Label != "SAME LABEL" || two.Label != "SAME LABEL" || one.ID == two.ID || three.Label != "" {
		t.Errorf("labels %q %q %q, ids %q %q", one.Label, two.Label, three.Label, one.ID, two.ID)
	}
	if one.Name() != "SAME LABEL" || three.Name() != "three" {
		t.Errorf("names %q %q", one.Name(), three.Name())
	}
	if !one.ReadOnly || two.ReadOnly || one.Device != "/dev/sdb1" || one.FSType != "vfat" || one.Folder {
		t.Errorf("%+v", one)
	}
	if one.Size <= 0 || one.Free < 0 || one.Free > one.Size {
		t.Errorf("size %d, free %d", one.Size, one.Free)
	}
	m.file("sys/devices/pci0000:00/usb1/1-2/host6/6:0:0:0/block/sdb/diskseq", "99\n")
	again, _ := m.volumes().List()
	if again[0].ID == one.ID || again[1].ID != three.ID {
		t.Error("a stick changed in its slot keeps its ID, or one that stayed does not")
	}
}

func TestMountsOverMounts(t *testing.T) {
	m := typical(t)
	m.mount("media/u/A", "8:17", "vfat", "/dev/sdb1", "rw")
	m.mount("media/u/B", "8:17", "vfat", "/dev/sdb1", "rw") // the same again
	m.mount("media/u/C", "8:33", "vfat", "/dev/sdc1", "rw")
	m.mount("media/u/C", "0:99", "tmpfs", "none", "rw") // hides it
	list, err := m.volumes().List()
	if err != nil || names(list) != "A" {
		t.Errorf("%v %v", list, err)
	}
}

// TestAnEmptyMountPoint: the stick is in the table, but the folder is no longer
// its top: writing there would write to the system's disk.
func TestAnEmptyMountPoint(t *testing.T) {
	m := typical(t)
	m.mount("media/u/A", "8:17", "vfat", "/dev/sdb1", "rw")
	v, err := m.volumes().List()
	if err != nil || len(v) != 1 {
		t.Fatalf("%v %v", v, err)
	}
	v[0].mountID++
	if _, err := Write(t.Context(), v[0], "", "x", []byte("data")); err == nil || err.Error() != ErrMediumGone.Sentence {
		t.Error(err)
	}
	m.rows[1] = "9" + m.rows[1]
	m.mounts()
	if list, _ := m.volumes().List(); len(list) != 0 {
		t.Errorf("still listed: %v", list)
	}
}

func TestFolders(t *testing.T) {
	m := typical(t)
	m.mount("media/u/A", "8:17", "vfat", "/dev/sdb1", "rw")
	m.dir("real")
	m.file("plain", "")
	m.link(m.path("real"), "linked")
	list, err := m.volumes(m.path("linked"), m.path("media/u/A"), m.path("plain"), m.path("none"), m.path("linked")).List()
	if err != nil || names(list) != "linked A" || !list[0].Folder || !list[1].Folder {
		t.Fatalf("%+v %v", list, err)
	}
	put(t, m.path("real"), "x", nil)
	if listing, err := Scan(t.Context(), list[0]); err != nil || len(listing.Files) != 1 {
		t.Errorf("%v %v", listing, err)
	}
	if err := os.Remove(m.path("proc/self/mountinfo")); err != nil {
		t.Fatal(err)
	}
	if list, err := m.volumes(m.path("linked")).List(); err == nil || names(list) != "linked" {
		t.Errorf("without a mount table: %v %v", list, err)
	}
}

// TestWatch steps from one state to the next as they are emitted: nothing
// depends on how long a look takes.
func TestWatch(t *testing.T) {
	m := typical(t)
	m.dir("folder")
	ctx, cancel := context.WithCancel(t.Context())
	states := make(chan []Volume)
	done := make(chan error)
	go func() {
		done <- m.volumes(m.path("folder"), m.path("later")).Watch(ctx, func(l []Volume) { states <- l })
	}()
	expect := func(what, want string) {
		t.Helper()
		if got := names(<-states); got != want {
			t.Errorf("%s: %q, not %q", what, got, want)
		}
	}
	expect("at first", "folder")
	m.mount("media/u/STICK", "8:17", "vfat", "/dev/sdb1", "rw")
	expect("stick mounted", "folder STICK")
	m.dir("later")
	expect("folder made", "folder later STICK")
	// A pulled stick stays in the mount table for a while; its device does not.
	if err := os.Rename(m.path("sys/dev/block/8:17"), m.path("gone")); err != nil {
		t.Fatal(err)
	}
	expect("stick pulled", "folder later")
	if err := os.Remove(m.path("folder")); err != nil {
		t.Fatal(err)
	}
	expect("folder gone", "later")
	cancel()
	if err := <-done; err != context.Canceled {
		t.Error(err)
	}
}

func TestWatchStopsWhileItWaits(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	emitted := 0
	if err := typical(t).volumes().Watch(ctx, func([]Volume) { emitted++; cancel() }); err != context.Canceled || emitted != 1 {
		t.Errorf("%d %v", emitted, err)
	}
}

func TestTheRealMachine(t *testing.T) {
	list, err := NewVolumes(nil).List()
	if err != nil {
		t.Skipf("SKIPPED: %v", err)
	}
	for _, v := range list {
		if v.Path == "/" || v.Folder || v.ID == "" || slices.Contains([]string{"/boot", "/home", "/usr"}, v.Path) {
			t.Errorf("%+v", v)
		}
	}
}

func TestTimesDoesNotOverflow(t *testing.T) {
	for _, c := range []struct {
		blocks uint64
		unit   int64
		want   int64
	}{{2, 512, 1024}, {1 << 63, 4096, 1<<63 - 1}, {1, 0, 0}, {1, -1, 0}, {1<<64 - 1, 1, 1<<63 - 1}} {
		if got := times(c.blocks, c.unit); got != c.want {
			t.Errorf("%d × %d = %d", c.blocks, c.unit, got)
		}
	}
}
