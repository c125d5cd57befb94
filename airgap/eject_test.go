package airgap

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// stick is one stick in a made-up machine: 8:17 on the disk 8:16.
func stick(t *testing.T) (*machine, Volume) {
	t.Helper()
	m := typical(t)
	m.file("sys/devices/pci0000:00/usb1/1-2/host6/6:0:0:0/block/sdb/dev", "8:16\n")
	m.mount("media/u/STICK", "8:17", "vfat", "/dev/sdb1", "rw")
	list, err := m.volumes().List()
	if err != nil || len(list) != 1 {
		t.Fatalf("%v %v", list, err)
	}
	return m, list[0]
}

// TestEject has the system answer in every way it can.
func TestEject(t *testing.T) {
	for _, c := range []struct {
		name                   string
		settle, unmount, flush error
		want                   EjectState
		err                    error
		step                   string
		calls                  string
	}{
		{"all well", nil, nil, nil, EjectSafe, nil, "", "settle unmount flush"},
		{"the flush fails", unix.EIO, nil, nil, "", ErrIO, stepFlush, "settle"},
		{"the flush finds no room", unix.ENOSPC, nil, nil, "", ErrFull, stepFlush, "settle"},
		{"pulled during the flush", unix.ENODEV, nil, nil, "", ErrMediumGone, stepFlush, "settle"},
		{"a desktop's", nil, unix.EPERM, nil, EjectHeld, nil, "", "settle unmount"},
		{"in use for good", nil, unix.EBUSY, nil, "", ErrBusy, stepUnmount, "settle" + strings.Repeat(" unmount", unmountTries)},
		{"unmounted by somebody else", nil, unix.EINVAL, nil, "", ErrMediumGone, stepUnmount, "settle unmount"},
		{"unmounting fails", nil, unix.EIO, nil, "", ErrIO, stepUnmount, "settle unmount"},
		{"another partition", nil, nil, unix.EBUSY, EjectInUse, nil, "", "settle unmount flush"},
		{"the disk may not be opened", nil, nil, unix.EACCES, EjectUnconfirmed, nil, "", "settle unmount flush"},
		{"the disk has no node", nil, nil, unix.ENOENT, EjectUnconfirmed, nil, "", "settle unmount flush"},
		{"the disk keeps nothing", nil, nil, unix.EIO, "", ErrIO, stepFlush, "settle unmount flush"},
		{"pulled before the disk is flushed", nil, nil, unix.ENOMEDIUM, "", ErrMediumGone, stepFlush, "settle unmount flush"},
	} {
		m, vol := stick(t)
		var calls []string
		got, err := m.volumes().eject(t.Context(), vol, ejectCalls{
			settle: func(int) error { calls = append(calls, "settle"); return c.settle },
			unmount: func(point string) error {
				calls = append(calls, "unmount")
				if point != vol.Path {
					t.Errorf("%s: unmounts %s", c.name, point)
				}
				return c.unmount
			},
			flush: func(node string, device uint64) error {
				calls = append(calls, "flush")
				if node != m.path("dev/sdb") || device != unix.Mkdev(8, 16) {
					t.Errorf("%s: flushes %s, %#x", c.name, node, device)
				}
				return c.flush
			},
			wait: func(context.Context) {},
		})
		if got.State != c.want || !errors.Is(err, c.err) || (err == nil) != (c.err == nil) || strings.Join(calls, " ") != c.calls {
			t.Errorf("%s: %q %v, calls %q", c.name, got.State, err, calls)
		}
		if e := (*MediumError)(nil); c.err != nil && (!errors.As(err, &e) || e.Step != c.step) {
			t.Errorf("%s: %#v", c.name, err)
		}
		if got.Safe() != (c.name == "all well") || !strings.HasSuffix(got.Sentence(), ".") || got.Safe() != strings.Contains(got.Sentence(), "safe") {
			t.Errorf("%s: %q", c.name, got.Sentence())
		}
	}
}

func TestEjectOnlyFlushesAFolder(t *testing.T) {
	settled := false
	calls := ejectCalls{
		settle:  func(int) error { settled = true; return nil },
		unmount: func(string) error { t.Error("a folder was unmounted"); return nil },
		flush:   func(string, uint64) error { t.Error("its disk was flushed"); return nil },
	}
	got, err := NewVolumes(nil).eject(t.Context(), folderVolume(t, t.TempDir()), calls)
	if err != nil || got.State != EjectFolder || got.Safe() || !settled {
		t.Errorf("%+v %v", got, err)
	}
	if got, err := NewVolumes(nil).Eject(t.Context(), folderVolume(t, t.TempDir())); err != nil || got.State != EjectFolder {
		t.Errorf("really: %+v %v", got, err)
	}
}

// TestEjectTheRightMedium: another medium is there by now, or none.
func TestEjectTheRightMedium(t *testing.T) {
	m, vol := stick(t)
	vol.mountID++
	none := ejectCalls{
		settle:  func(int) error { t.Error("flushed"); return nil },
		unmount: func(string) error { t.Error("unmounted"); return nil },
	}
	if got, err := m.volumes().eject(t.Context(), vol, none); !errors.Is(err, ErrMediumGone) || got.Safe() {
		t.Errorf("%+v %v", got, err)
	}
	// It changes between two tries.
	_, vol = stick(t)
	tries := 0
	got, err := m.volumes().eject(t.Context(), vol, ejectCalls{
		settle:  func(int) error { return nil },
		unmount: func(string) error { tries++; return unix.EBUSY },
		wait: func(context.Context) {
			if err := os.RemoveAll(vol.Path); err != nil {
				t.Error(err)
			}
		},
	})
	if !errors.Is(err, ErrMediumGone) || got.Safe() || tries != 1 {
		t.Errorf("%d tries, %+v %v", tries, got, err)
	}
}

func TestEjectCancelled(t *testing.T) {
	m, vol := stick(t)
	ctx, cancel := context.WithCancel(t.Context())
	got, err := m.volumes().eject(ctx, vol, ejectCalls{
		settle:  func(int) error { return nil },
		unmount: func(string) error { return unix.EBUSY },
		wait:    func(context.Context) { cancel() },
	})
	if !errors.Is(err, context.Canceled) || got.Safe() {
		t.Errorf("%+v %v", got, err)
	}
}

// realStick mounts a small disk that a made-up /sys calls a stick, with a node
// in a made-up /dev.
func realStick(t *testing.T) (v *Volumes, vol Volume, image, device string) {
	t.Helper()
	m := newMachine(t)
	point := m.path("media/STICK")
	image, device = loopDisk(t, point)
	var st unix.Stat_t
	if err := unix.Stat(device, &st); err != nil {
		t.Fatal(err)
	}
	number := fmt.Sprintf("%d:%d", unix.Major(st.Rdev), unix.Minor(st.Rdev))
	m.file("sys/devices/usb1/block/sdx/removable", "1\n")
	m.file("sys/devices/usb1/block/sdx/dev", number+"\n")
	m.link(m.path("sys/devices/usb1/block/sdx"), "sys/dev/block/"+number)
	m.link(device, "dev/sdx")
	v = NewVolumes(nil, WithRoots("/proc", m.path("sys"), m.path("dev"), m.path("run")), WithPlaces(m.path("media")))
	list, err := v.List()
	if err != nil || len(list) != 1 {
		t.Fatalf("%v %v", list, err)
	}
	return v, list[0], image, device
}

// TestEjectARealDisk: in use, mounted a second time, and free; then what was
// written is in the image.
func TestEjectARealDisk(t *testing.T) {
	v, vol, image, device := realStick(t)
	data := sample(50_000)
	if _, err := Write(t.Context(), vol, "", "payment-signed.psbt", data); err != nil {
		t.Fatal(err)
	}
	put(t, vol.Path, "by somebody else", []byte("not flushed by them"))
	open, err := os.Open(filepath.Join(vol.Path, "payment-signed.psbt"))
	if err != nil {
		t.Fatal(err)
	}
	calls := realEjectCalls()
	calls.wait = func(context.Context) {}
	if got, err := v.eject(t.Context(), vol, calls); !errors.Is(err, ErrBusy) || got.Safe() {
		t.Errorf("with an open file: %+v %v", got, err)
	}
	_ = open.Close()
	second := filepath.Join(t.TempDir(), "second")
	if err := errors.Join(os.Mkdir(second, 0o755), unix.Mount(device, second, "ext2", 0, "")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Unmount(second, unix.MNT_DETACH) })
	if got, err := v.Eject(t.Context(), vol); err != nil || got.State != EjectInUse {
		t.Errorf("mounted twice: %+v %v", got, err)
	}
	if err := errors.Join(unix.Unmount(second, 0), unix.Mount(device, vol.Path, "ext2", 0, "")); err != nil {
		t.Fatal(err)
	}
	list, err := v.List()
	if err != nil || len(list) != 1 {
		t.Fatalf("%v %v", list, err)
	}
	if got, err := v.Eject(t.Context(), list[0]); err != nil || got.State != EjectSafe {
		t.Fatalf("%+v %v", got, err)
	}
	if list, err := v.List(); err != nil || len(list) != 0 {
		t.Errorf("still there: %v %v", list, err)
	}
	if got, err := v.Eject(t.Context(), vol); !errors.Is(err, ErrMediumGone) || got.Safe() {
		t.Errorf("once more: %+v %v", got, err)
	}
	// The image alone, without the mount that knew of it.
	if out, err := exec.Command("e2fsck", "-f", "-n", image).CombinedOutput(); err != nil {
		t.Errorf("e2fsck: %v: %s", err, out)
	}
	if out, err := exec.Command("debugfs", "-R", "cat payment-signed.psbt", image).Output(); err != nil || !slices.Equal(out, data) {
		t.Errorf("the image holds %d of %d bytes, %v", len(out), len(data), err)
	}
}
