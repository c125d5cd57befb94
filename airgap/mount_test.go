package airgap

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// mountTmpfs mounts a small memory file system, which only root may.
func mountTmpfs(t *testing.T, point, options string) {
	t.Helper()
	if err := os.MkdirAll(point, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("none", point, "tmpfs", unix.MS_NODEV|unix.MS_NOSUID, options); err != nil {
		t.Skipf("SKIPPED, NO REAL MOUNT TRIED (needs root): %v", err)
	}
	t.Cleanup(func() { _ = unix.Unmount(point, unix.MNT_DETACH) })
}

// loopDisk makes an ext2 image of 1 MiB, mounts it and gives the loop device.
func loopDisk(t *testing.T, point string) (image, device string) {
	t.Helper()
	return loopDiskOf(t, point, "ext2", 1<<20)
}

// loopDiskOf is loopDisk with another kind of ext, and another size in bytes.
func loopDiskOf(t *testing.T, point, kind string, size int) (image, device string) {
	t.Helper()
	image = filepath.Join(t.TempDir(), "image")
	if err := errors.Join(os.MkdirAll(point, 0o755), os.WriteFile(image, make([]byte, size), 0o600)); err != nil {
		t.Fatal(err)
	}
	run := func(name string, args ...string) string {
		out, err := exec.Command(name, args...).CombinedOutput()
		if err != nil {
			t.Skipf("SKIPPED, NO REAL DISK TRIED (needs root, loop devices and mkfs): %s: %v: %s", name, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	run("mkfs."+kind, "-q", "-F", "-m", "0", image)
	device = run("losetup", "--find", "--show", image)
	t.Cleanup(func() { _ = exec.Command("losetup", "-d", device).Run() })
	run("mount", "-t", kind, device, point)
	t.Cleanup(func() { _ = unix.Unmount(point, unix.MNT_DETACH) })
	return image, device
}

// fillUp leaves less than a page free.
func fillUp(t *testing.T, dir string) {
	t.Helper()
	f, err := os.Create(filepath.Join(dir, "filler"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for err == nil {
		_, err = f.Write(make([]byte, 1024))
	}
	if !errors.Is(err, unix.ENOSPC) {
		t.Fatal(err)
	}
}

func TestFullTmpfs(t *testing.T) {
	dir := t.TempDir()
	mountTmpfs(t, dir, "size=1m")
	v := folderVolume(t, dir)
	if v.FSType != "tmpfs" || v.Size != 1<<20 {
		t.Errorf("%+v", v)
	}
	if _, err := Write(t.Context(), v, "", "good", sample(100_000)); err != nil {
		t.Fatal(err)
	}
	fillUp(t, dir)
	if _, err := Write(t.Context(), v, "", "more", sample(100_000)); !errors.Is(err, ErrFull) {
		t.Error(err)
	}
	if all := content(t, dir); len(all) != 2 || all["good"] != string(sample(100_000)) {
		t.Errorf("%d files", len(all))
	}
}

// TestARealDisk goes through the life of a small ext2 disk: written, full,
// read-only, unmounted while the station still knows it, checked by e2fsck.
func TestARealDisk(t *testing.T) {
	point := filepath.Join(t.TempDir(), "stick")
	image, device := loopDisk(t, point)
	v := folderVolume(t, point)
	data := sample(70_000)
	if w, err := Write(t.Context(), v, "", "payment-signed.psbt", data); err != nil || w.Name != "payment-signed.psbt" {
		t.Fatalf("%+v %v", w, err)
	}
	fillUp(t, point)
	if _, err := Write(t.Context(), v, "", "more", data); !errors.Is(err, ErrFull) {
		t.Errorf("full: %v", err)
	}
	if err := os.Remove(filepath.Join(point, "filler")); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("", point, "", unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	if _, err := Write(t.Context(), v, "", "more", data); !errors.Is(err, ErrReadOnly) {
		t.Errorf("read-only: %v", err)
	}
	if now := folderVolume(t, point); !now.ReadOnly || now.ID != v.ID {
		t.Errorf("read-only: %+v", now)
	}
	if err := unix.Unmount(point, 0); err != nil {
		t.Fatal(err)
	}
	for what, f := range map[string]func() error{
		"write": func() error { _, err := Write(t.Context(), v, "", "more", data); return err },
		"read":  func() error { _, err := Read(t.Context(), v, "payment-signed.psbt", 1<<20); return err },
		"scan":  func() error { _, err := Scan(t.Context(), v); return err },
	} {
		if err := f(); !errors.Is(err, ErrMediumGone) {
			t.Errorf("unmounted, %s: %v", what, err)
		}
	}
	if all := content(t, point); len(all) != 0 {
		t.Errorf("written into the empty mount point: %v", all)
	}
	checkDisk(t, image, device, point, data)
}

// checkDisk asks e2fsck, mounts once more and compares.
func checkDisk(t *testing.T, image, device, point string, data []byte) {
	t.Helper()
	if out, err := exec.Command("e2fsck", "-f", "-n", image).CombinedOutput(); err != nil {
		t.Errorf("e2fsck: %v: %s", err, out)
	}
	if err := unix.Mount(device, point, "ext2", unix.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	all := content(t, point)
	delete(all, "lost+found")
	if len(all) != 1 || all["payment-signed.psbt"] != string(data) {
		t.Errorf("%d files on the disk", len(all))
	}
}

// TestOtherMountsAreNotEntered: a folder and a file of a medium with something
// else mounted over them.
func TestOtherMountsAreNotEntered(t *testing.T) {
	dir, outside := t.TempDir(), t.TempDir()
	put(t, dir, "own.psbt", smallPSBT(0))
	put(t, dir, "covered.psbt", smallPSBT(0))
	put(t, outside, "secret.psbt", smallPSBT(0))
	mountTmpfs(t, filepath.Join(dir, "mounted"), "size=64k")
	put(t, dir, "mounted/inner.psbt", smallPSBT(0))
	covered := filepath.Join(dir, "covered.psbt")
	if err := unix.Mount(filepath.Join(outside, "secret.psbt"), covered, "", unix.MS_BIND, ""); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Unmount(covered, unix.MNT_DETACH) })
	v := folderVolume(t, dir)
	listing, err := Scan(t.Context(), v)
	if err != nil || listing.Skipped != 1 || len(listing.Files) != 2 {
		t.Fatalf("%+v %v", listing, err)
	}
	for _, f := range listing.Files {
		if f.Path == "covered.psbt" && (f.Kind != KindOther || f.Trouble != ErrNotAFile.Sentence) {
			t.Errorf("%+v", f)
		}
	}
	for _, name := range []string{"mounted/inner.psbt", "covered.psbt"} {
		if _, err := Read(t.Context(), v, name, 1000); !errors.Is(err, ErrNotAFile) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Write(t.Context(), v, "mounted", "x", []byte("data")); !errors.Is(err, ErrNotAFile) {
		t.Error(err)
	}
}

// TestARealMountIsSeen has the kernel's own mount table tell of a disk that
// only a made-up /sys calls a stick.
func TestARealMountIsSeen(t *testing.T) {
	m := newMachine(t)
	point := m.path("media/STICK")
	if err := os.MkdirAll(point, 0o755); err != nil {
		t.Fatal(err)
	}
	_, device := loopDisk(t, point)
	var st unix.Stat_t
	if err := unix.Stat(device, &st); err != nil {
		t.Fatal(err)
	}
	m.file("sys/devices/usb1/block/sdx/removable", "1\n")
	number := fmt.Sprintf("%d:%d", unix.Major(st.Rdev), unix.Minor(st.Rdev))
	m.link(m.path("sys/devices/usb1/block/sdx"), "sys/dev/block/"+number)
	v := NewVolumes(nil, WithRoots("/proc", m.path("sys"), m.path("dev"), m.path("run")), WithPlaces(m.path("media")))

	ctx, cancel := context.WithCancel(t.Context())
	states := make(chan []Volume)
	done := make(chan error)
	go func() { done <- v.Watch(ctx, func(l []Volume) { states <- l }) }()
	first := <-states
	if names(first) != "STICK" || first[0].Device != device || first[0].FSType != "ext2" {
		t.Errorf("%+v", first)
	}
	if err := unix.Unmount(point, 0); err != nil {
		t.Fatal(err)
	}
	if gone := <-states; len(gone) != 0 {
		t.Errorf("unmounted: %v", gone)
	}
	if err := unix.Mount(device, point, "ext2", 0, ""); err != nil {
		t.Fatal(err)
	}
	if back := <-states; names(back) != "STICK" {
		t.Errorf("mounted again: %v", back)
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
