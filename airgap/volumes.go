package airgap

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Volume is one medium as it is mounted now, or a folder given with --media.
// Path and Label are outside text: escape them before they are shown.
type Volume struct {
	ID         string // the same as long as it stays mounted; another after a change of medium
	Path       string // absolute path of its top folder
	Label      string // "" where nothing tells it
	FSType     string // as the kernel names it: "vfat", "exfat", "ext4", …
	Device     string // "/dev/sdb1"; "" for a folder
	Size, Free int64  // bytes; Free is what this account may fill, as of this look
	ReadOnly   bool
	Folder     bool // given with --media

	mountID   uint64 // 0: not checked
	device    uint64 // st_dev of the top folder; 0: not checked
	sysDevice string // its directory under /sys/dev/block; "" for a folder
}

// Name is what to call the volume: its label, else the last part of its path.
// Outside text.
func (v Volume) Name() string {
	if v.Label != "" {
		return v.Label
	}
	return filepath.Base(v.Path)
}

// Volumes finds and watches removable media. It is safe for concurrent use.
type Volumes struct {
	folders         []string
	proc, sys, dev  string
	run             string
	places, systems []string
}

// Option changes where NewVolumes looks; tests use it.
type Option func(*Volumes)

// WithRoots takes other directories for /proc, /sys, /dev and /run.
func WithRoots(proc, sys, dev, run string) Option {
	return func(v *Volumes) { v.proc, v.sys, v.dev, v.run = proc, sys, dev, run }
}

// WithPlaces takes other folders than /media, /run/media and /mnt as those
// beneath which removable media are mounted.
func WithPlaces(places ...string) Option {
	return func(v *Volumes) { v.places = slices.Clone(places) }
}

// NewVolumes watches the media of this machine and the given folders.
//
// A mount counts as removable medium when it lies beneath /media, /run/media or
// /mnt, has a file system of the kind media have, and all of it stands on
// disks that are removable or hang off USB or an SD slot, none of which carries
// a part of the running system.
func NewVolumes(folders []string, options ...Option) *Volumes {
	v := &Volumes{
		proc: "/proc", sys: "/sys", dev: "/dev", run: "/run",
		places:  []string{"/media", "/run/media", "/mnt"},
		systems: []string{"/", "/usr", "/boot", "/efi", "/home", "/var", "/etc", "/opt", "/nix"},
	}
	for _, f := range folders {
		if abs, err := filepath.Abs(f); err == nil {
			f = abs
		}
		if !slices.Contains(v.folders, f) {
			v.folders = append(v.folders, f)
		}
	}
	for _, o := range options {
		o(v)
	}
	return v
}

// List gives what is there now, folders first, in a stable order. Where the
// mount table cannot be read it gives the folders and an error.
func (v *Volumes) List() ([]Volume, error) {
	mounts, err := v.mounts()
	var list []Volume
	seen := map[string]bool{}
	for _, f := range v.folders {
		if vol, ok := v.folder(f, mounts); ok {
			list = append(list, vol)
			seen[vol.Path] = true
		}
	}
	if err != nil {
		return list, err
	}
	media := v.media(mounts)
	slices.SortStableFunc(media, func(a, b Volume) int { return strings.Compare(a.Path, b.Path) })
	for _, vol := range media {
		if !seen[vol.Path] {
			list = append(list, vol)
		}
	}
	return list, nil
}

func (v *Volumes) mounts() ([]mount, error) {
	f, err := os.Open(filepath.Join(v.proc, "self/mountinfo"))
	if err != nil {
		return nil, fmt.Errorf("mount table: %w", err)
	}
	defer f.Close()
	return parseMountinfo(f)
}

// folder is a --media folder as a volume; false while it is not there. The
// person named it, so a link is followed here, and only here.
func (v *Volumes) folder(path string, mounts []mount) (Volume, bool) {
	vol := Volume{Path: path, Folder: true}
	fd, err := vol.open()
	if err != nil {
		return Volume{}, false
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if unix.Fstat(fd, &st) != nil {
		return Volume{}, false
	}
	// The folder may itself be a mount point, and lose its medium. (Its inode
	// says nothing: FAT hands out new numbers as it likes.)
	vol.device, vol.mountID = st.Dev, mountIDOf(fd)
	vol.ID = fmt.Sprintf("folder:%d:%d:%s", vol.mountID, st.Dev, path)
	if !vol.measure(fd) {
		return Volume{}, false
	}
	for _, m := range mounts {
		if m.id == vol.mountID || vol.mountID == 0 && unix.Mkdev(m.major, m.minor) == st.Dev {
			vol.FSType = m.fsType
		}
	}
	return vol, true
}

// media are the removable ones among the mounts, each block device once.
func (v *Volumes) media(mounts []mount) []Volume {
	reserved := v.systemDisks(mounts)
	var list []Volume
	taken := map[string]bool{}
	for i, m := range mounts {
		hidden := slices.ContainsFunc(mounts[i+1:], func(later mount) bool { return later.point == m.point })
		if hidden || !mediaTypes[m.fsType] || !v.inPlaces(m.point) {
			continue
		}
		vol, ok := v.medium(m, reserved)
		if ok && !taken[vol.sysDevice] {
			taken[vol.sysDevice] = true
			list = append(list, vol)
		}
	}
	return list
}

// medium is one mount as a volume; false when it is not removable, or when the
// mount or its device has gone meanwhile.
func (v *Volumes) medium(m mount, reserved map[string]bool) (Volume, bool) {
	disks, ok := v.disksOf(m.major, m.minor)
	if !ok {
		return Volume{}, false
	}
	for _, d := range disks {
		if reserved[d] || !v.removable(d) {
			return Volume{}, false
		}
	}
	vol := Volume{
		Path: m.point, FSType: m.fsType, Device: m.source, ReadOnly: m.readOnly,
		mountID: m.id, device: unix.Mkdev(m.major, m.minor), sysDevice: v.blockDir(m.major, m.minor),
		Label: v.label(m),
	}
	vol.ID = fmt.Sprintf("mount:%d:%d:%d:%s", m.id, m.major, m.minor, v.sequence(disks))
	fd, err := vol.open()
	if err != nil {
		return Volume{}, false
	}
	defer unix.Close(fd)
	return vol, vol.measure(fd)
}

// measure fills in size, free space and the read-only state.
func (v *Volume) measure(fd int) bool {
	var st unix.Statfs_t
	if unix.Fstatfs(fd, &st) != nil {
		return false
	}
	unit := int64(st.Bsize)
	if st.Frsize > 0 {
		unit = int64(st.Frsize)
	}
	v.Size, v.Free = times(st.Blocks, unit), times(st.Bavail, unit)
	v.ReadOnly = v.ReadOnly || st.Flags&unix.ST_RDONLY != 0
	return true
}

// times multiplies without overflow; a file system may claim anything.
func times(blocks uint64, unit int64) int64 {
	const most = 1<<63 - 1
	if unit <= 0 {
		return 0
	}
	if blocks > uint64(most/unit) {
		return most
	}
	return int64(blocks) * unit
}

// look is the longest time between two looks of Watch, so that the list follows
// within a second: folders appear without a sign from the kernel, a pulled stick
// may stay in the mount table, and not every mount wakes those who poll it.
const look = 500 * time.Millisecond

// Watch calls emit from one goroutine until ctx ends, then returns its error:
// first with what is there, then at each change (free space alone is none).
func (v *Volumes) Watch(ctx context.Context, emit func([]Volume)) error {
	stop, wake, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("watching media: %w", err)
	}
	defer stop.Close()
	defer wake.Close() // a second time, where ctx ended: harmless
	defer context.AfterFunc(ctx, func() { wake.Close() })()
	fds := []unix.PollFd{{Fd: int32(stop.Fd()), Events: unix.POLLIN}}
	// Opened before the first look, so that no change falls between.
	if f, err := os.Open(filepath.Join(v.proc, "self/mountinfo")); err == nil {
		defer f.Close()
		fds = append(fds, unix.PollFd{Fd: int32(f.Fd()), Events: unix.POLLPRI})
	}
	var last []Volume
	for first := true; ctx.Err() == nil; first = false {
		// Without a mount table there are still the folders; List tells why.
		list, _ := v.List()
		if first || !slices.EqualFunc(list, last, sameVolume) {
			last = list
			emit(slices.Clone(list))
		}
		if _, err := unix.Poll(fds, int(look/time.Millisecond)); err != nil && !errors.Is(err, unix.EINTR) {
			return fmt.Errorf("watching media: %w", err)
		}
		// Mount tables change in bursts: one look a burst is enough.
		select {
		case <-ctx.Done():
		case <-time.After(20 * time.Millisecond):
		}
	}
	return ctx.Err()
}

func sameVolume(a, b Volume) bool {
	a.Free, b.Free = 0, 0
	return a == b
}

// inPlaces reports whether a mount point lies beneath one of the places.
func (v *Volumes) inPlaces(point string) bool {
	return slices.ContainsFunc(v.places, func(place string) bool {
		return point == place || strings.HasPrefix(point, strings.TrimSuffix(place, "/")+"/")
	})
}

// exists reports whether a path is there.
func exists(path string) bool {
	_, err := os.Stat(path)
	return !errors.Is(err, fs.ErrNotExist)
}
