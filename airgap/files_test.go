package airgap

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// put writes a file and its folders.
func put(t *testing.T, dir, name string, data []byte) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

func paths(l Listing) []string {
	var list []string
	for _, f := range l.Files {
		list = append(list, f.Path)
	}
	return list
}

func TestScan(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "payment.psbt", smallPSBT(0))
	put(t, dir, "named by somebody else.dat", smallPSBT(2))
	put(t, dir, "deep/er/wallet.txt", []byte("wpkh(xpub)"))
	put(t, dir, "broken.psbt", []byte("hello"))
	put(t, dir, "photo.jpg", []byte("\xff\xd8"))
	for _, hidden := range []string{".airlock-0011.tmp", "._payment.psbt", ".Trash-1000/payment.psbt", "System Volume Information/x", "lost+found/x"} {
		put(t, dir, hidden, smallPSBT(0))
	}
	now := time.Unix(1_700_000_000, 0)
	for i, name := range []string{"photo.jpg", "payment.psbt", "deep/er/wallet.txt", "named by somebody else.dat", "broken.psbt"} {
		if err := os.Chtimes(filepath.Join(dir, name), now, now.Add(-time.Duration(i)*time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	v := folderVolume(t, dir)
	listing, err := Scan(t.Context(), v)
	if err != nil || listing.Hidden != 5 || listing.Skipped != 0 || listing.Truncated != "" || len(listing.Files) != 5 {
		t.Fatalf("%+v %v", listing, err)
	}
	for i, want := range []File{
		{v, "photo.jpg", 2, now, KindOther, "", ""},
		{v, "payment.psbt", int64(len(smallPSBT(0))), now.Add(-time.Hour), KindPSBT, EncodingBinary, ""},
		{v, "deep/er/wallet.txt", 10, now.Add(-2 * time.Hour), KindWallet, "", ""},
		{v, "named by somebody else.dat", int64(len(smallPSBT(2))), now.Add(-3 * time.Hour), KindPSBT2, EncodingBinary, ""},
		{v, "broken.psbt", 5, now.Add(-4 * time.Hour), KindOther, "", "Named like a PSBT, but it does not begin like one."},
	} {
		if listing.Files[i] != want {
			t.Errorf("got  %+v\nwant %+v", listing.Files[i], want)
		}
	}
}

// TestHostileMedium has everything on it that must not be opened.
func TestHostileMedium(t *testing.T) {
	dir := t.TempDir()
	names := []string{"esc\x1b[2J\x1b]0;x\a.psbt", "bidi\u202etbsp.psbt", "bad\xff\xfe.psbt", "line\nbreak.psbt", strings.Repeat("n", 250) + ".psbt", "...psbt.psbt"[3:]}
	for _, n := range names {
		put(t, dir, n, smallPSBT(0))
	}
	for name, make := range map[string]func(string) error{
		"passwd.psbt":  func(p string) error { return os.Symlink("/etc/passwd", p) },
		"up.psbt":      func(p string) error { return os.Symlink("../../../../etc", p) },
		"loop.psbt":    func(p string) error { return os.Symlink(".", p) },
		"fifo.psbt":    func(p string) error { return unix.Mkfifo(p, 0o644) },
		"dangling.txt": func(p string) error { return os.Symlink("nowhere", p) },
	} {
		if err := make(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	special := 5
	if unix.Mknod(filepath.Join(dir, "device.psbt"), unix.S_IFCHR|0o644, int(unix.Mkdev(1, 5))) == nil {
		special++ // /dev/zero: only root makes it
	}
	v := folderVolume(t, dir)
	listing, err := Scan(t.Context(), v)
	got := paths(listing)
	slices.Sort(got)
	slices.Sort(names)
	if err != nil || listing.Skipped != special || !slices.Equal(got, names) {
		t.Fatalf("skipped %d of %d, %q, %v", listing.Skipped, special, got, err)
	}
	for _, f := range listing.Files {
		if data, err := Read(t.Context(), v, f.Path, 1000); err != nil || string(data) != string(smallPSBT(0)) {
			t.Errorf("%q: %v", f.Path, err)
		}
	}
	for _, name := range []string{"passwd.psbt", "up.psbt/passwd", "loop.psbt/" + names[0], "fifo.psbt", "device.psbt", "dangling.txt", "..", "../x", ".", "", "/etc/passwd", "a/../../x", "x//y", "x/"} {
		_, err := Read(t.Context(), v, name, 1000)
		if !errors.Is(err, ErrNotAFile) && !(errors.Is(err, ErrNotFound) && name == "device.psbt") {
			t.Errorf("%q: %v", name, err)
		}
	}
	for name, want := range map[string]error{"none.psbt": ErrNotFound, "a\x00b": ErrName, strings.Repeat("x/", maxPath): ErrName} {
		if _, err := Read(t.Context(), v, name, 1000); !errors.Is(err, want) {
			t.Errorf("%.20q: %v", name, err)
		}
	}
}

func TestTenThousandFiles(t *testing.T) {
	dir := t.TempDir()
	for i := range 10_000 {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("f%05d", i)), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	put(t, dir, "payment.psbt", smallPSBT(0))
	listing, err := Scan(t.Context(), folderVolume(t, dir))
	if err != nil || len(listing.Files) != 10_001 || listing.Truncated != "" {
		t.Errorf("%d files, %q, %v", len(listing.Files), listing.Truncated, err)
	}
}

// TestScanTellsHowFarItIs, and stops in the middle of a large folder.
func TestScanTellsHowFarItIs(t *testing.T) {
	dir := t.TempDir()
	for i := range 1000 {
		put(t, dir, fmt.Sprintf("many/f%04d", i), nil)
	}
	put(t, dir, "payment.psbt", smallPSBT(0))
	v := folderVolume(t, dir)
	var last ScanProgress
	calls := 0
	listing, err := ScanWith(t.Context(), v, func(p ScanProgress) {
		if calls++; p.Folders < last.Folders || p.Names < last.Names || p.Files < last.Files {
			t.Errorf("%+v after %+v", p, last)
		}
		last = p
	})
	if want := (ScanProgress{Folders: 2, Names: 1002, Files: 1001}); err != nil || last != want || calls < 6 || len(listing.Files) != want.Files {
		t.Errorf("%d calls, at last %+v, %d files, %v", calls, last, len(listing.Files), err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	listing, err = ScanWith(ctx, v, func(p ScanProgress) {
		if p.Files > 1 {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) || len(listing.Files) < 2 || len(listing.Files) > 900 {
		t.Errorf("%d files, %v", len(listing.Files), err)
	}
}

func TestMerge(t *testing.T) {
	at := func(path string, hours int) File {
		return File{Path: path, ModTime: time.Unix(1_700_000_000, 0).Add(time.Duration(hours) * time.Hour)}
	}
	got := Merge(
		Listing{Files: []File{at("a", 5), at("b", 3), at("c", 1)}, Hidden: 1, Skipped: 2},
		Listing{Truncated: "Not all."},
		Listing{Files: []File{at("d", 9), at("e", 3), at("f", 2)}, Hidden: 3, Skipped: 4, Truncated: "Not all either."},
	)
	if p := strings.Join(paths(got), ""); p != "dabefc" || got.Hidden != 4 || got.Skipped != 6 || got.Truncated != "Not all." {
		t.Errorf("%s %+v", p, got)
	}
	if got := Merge(); len(got.Files) != 0 || got.Truncated != "" {
		t.Errorf("%+v", got)
	}
}

func TestScanIsBounded(t *testing.T) {
	dir := t.TempDir()
	for i := range 10 {
		put(t, dir, fmt.Sprintf("a%d/b/c/d/x", i), nil)
	}
	for _, c := range []struct {
		l        limits
		most     int
		complete bool
	}{
		{limits{depth: 4, folders: 41, entries: 50}, 10, true},
		{limits{depth: 3, folders: 41, entries: 50}, 0, false},
		{limits{depth: 4, folders: 40, entries: 50}, 9, false},
		{limits{depth: 4, folders: 41, entries: 49}, 9, false},
		{limits{depth: 4, folders: 41, entries: 5}, 0, false},
	} {
		listing, err := scan(t.Context(), folderVolume(t, dir), c.l, func(ScanProgress) {})
		if err != nil || len(listing.Files) > c.most || c.complete != (listing.Truncated == "") || c.complete && len(listing.Files) != c.most {
			t.Errorf("%+v: %d files, %q, %v", c.l, len(listing.Files), listing.Truncated, err)
		}
	}
}

func TestScanCancelled(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "x", nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if listing, err := Scan(ctx, folderVolume(t, dir)); !errors.Is(err, context.Canceled) || len(listing.Files) != 0 {
		t.Errorf("%v %v", listing, err)
	}
	if _, err := Read(ctx, folderVolume(t, dir), "x", 10); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestRead(t *testing.T) {
	dir := t.TempDir()
	v := folderVolume(t, dir)
	for _, size := range []int{0, 1, readChunk - 1, readChunk, readChunk + 1, 3 * readChunk} {
		put(t, dir, "in/file", sample(size))
		data, err := Read(t.Context(), v, "in/file", int64(size))
		if err != nil || string(data) != string(sample(size)) {
			t.Errorf("%d bytes: %d, %v", size, len(data), err)
		}
		if _, err := Read(t.Context(), v, "in/file", int64(size)-1); !errors.Is(err, ErrTooLarge) {
			t.Errorf("%d bytes, one more than allowed: %v", size, err)
		}
	}
}

// TestSparseGigabyte: a file may claim any size; neither list nor refusal may
// cost what it claims.
func TestSparseGigabyte(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "big.psbt", smallPSBT(0))
	if err := os.Truncate(filepath.Join(dir, "big.psbt"), 1<<30); err != nil {
		t.Skipf("SKIPPED, no sparse files here: %v", err)
	}
	v := folderVolume(t, dir)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	listing, err := Scan(t.Context(), v)
	_, readErr := Read(t.Context(), v, "big.psbt", 64<<20)
	runtime.ReadMemStats(&after)
	if err != nil || len(listing.Files) != 1 || listing.Files[0].Kind != KindPSBT || listing.Files[0].Size != 1<<30 {
		t.Errorf("%+v %v", listing, err)
	}
	if !errors.Is(readErr, ErrTooLarge) {
		t.Error(readErr)
	}
	if used := after.TotalAlloc - before.TotalAlloc; used > 4<<20 {
		t.Errorf("%d bytes were allocated", used)
	}
}

// endless is a file that goes on after the size it claimed.
type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

func TestReadStopsAtTheLimit(t *testing.T) {
	if _, err := readAll(t.Context(), endless{}, 5*readChunk); !errors.Is(err, ErrTooLarge) {
		t.Error(err)
	}
}

// TestReadNoticesAChange has the file grow while it is read.
func TestReadNoticesAChange(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "x", sample(3*readChunk))
	v := folderVolume(t, dir)
	path := filepath.Join(dir, "x")
	ctx := &hookContext{Context: t.Context(), at: 2, do: func() {
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
		if err != nil {
			t.Error(err)
			return
		}
		defer f.Close()
		if _, err := f.WriteString("more"); err != nil {
			t.Error(err)
		}
	}}
	if _, err := Read(ctx, v, "x", 10*readChunk); !errors.Is(err, ErrChanging) {
		t.Error(err)
	}
}

// hookContext does something the at-th time it is asked whether it ended.
type hookContext struct {
	context.Context
	at, asked int
	do        func()
}

func (c *hookContext) Err() error {
	if c.asked++; c.asked == c.at {
		c.do()
	}
	return c.Context.Err()
}

func TestFolderThatCannotBeRead(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("SKIPPED: root may read everything")
	}
	dir := t.TempDir()
	put(t, dir, "closed/x", nil)
	put(t, dir, "secret", []byte("x"))
	put(t, dir, "open", nil)
	if err := errors.Join(os.Chmod(filepath.Join(dir, "closed"), 0), os.Chmod(filepath.Join(dir, "secret"), 0)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(filepath.Join(dir, "closed"), 0o755) })
	listing, err := Scan(t.Context(), folderVolume(t, dir))
	if err != nil || listing.Skipped != 1 || len(listing.Files) != 2 {
		t.Fatalf("%+v %v", listing, err)
	}
	for _, f := range listing.Files {
		if (f.Path == "secret") != (f.Trouble == ErrNotAllowed.Sentence) {
			t.Errorf("%+v", f)
		}
	}
}
