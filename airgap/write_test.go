package airgap

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// folderVolume is a folder as a volume, as --media makes it.
func folderVolume(t *testing.T, dir string) Volume {
	t.Helper()
	list, err := NewVolumes([]string{dir}).List()
	if err != nil || len(list) == 0 || list[0].Path != dir {
		t.Fatalf("no volume for %s: %v %v", dir, list, err)
	}
	return list[0]
}

// content gives names and contents of a folder.
func content(t *testing.T, dir string) map[string]string {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, e := range list {
		data, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil && e.Type().IsRegular() {
			t.Fatal(err)
		}
		all[e.Name()] = string(data)
	}
	return all
}

// sample is a result of n bytes that repeat nowhere in step with a page.
func sample(n int) []byte { return bytes.Repeat([]byte("0123456789abcdef/"), n/17+1)[:n] }

func TestWrite(t *testing.T) {
	for _, size := range []int{0, 1, 100, 4096, 4097, readChunk, 3*readChunk + 5} {
		dir := t.TempDir()
		if err := os.MkdirAll(filepath.Join(dir, "in/side"), 0o755); err != nil {
			t.Fatal(err)
		}
		data := sample(size)
		got, err := Write(t.Context(), folderVolume(t, dir), "in/side", "payment-signed.psbt", data)
		if err != nil {
			t.Fatalf("%d bytes: %v", size, err)
		}
		want := Written{Name: "payment-signed.psbt", Path: "in/side/payment-signed.psbt", SHA256: sha256.Sum256(data), Size: size}
		if got != want {
			t.Errorf("%d bytes: got %+v", size, got)
		}
		if all := content(t, filepath.Join(dir, "in/side")); len(all) != 1 || all["payment-signed.psbt"] != string(data) {
			t.Errorf("%d bytes: %d files, or other content", size, len(all))
		}
	}
}

func TestWriteNeverReplaces(t *testing.T) {
	dir := t.TempDir()
	v := folderVolume(t, dir)
	put := func(data string) Written {
		t.Helper()
		w, err := Write(t.Context(), v, "", "payment-signed.psbt", []byte(data))
		if err != nil {
			t.Fatal(err)
		}
		return w
	}
	for _, step := range []struct {
		data, name string
		existed    bool
	}{
		{"one", "payment-signed.psbt", false},
		{"one", "payment-signed.psbt", true},
		{"two", "payment-signed-2.psbt", false},
		{"two", "payment-signed-2.psbt", true},
		{"three", "payment-signed-3.psbt", false},
		{"one", "payment-signed.psbt", true},
	} {
		if w := put(step.data); w.Name != step.name || w.Existed != step.existed {
			t.Errorf("%q: %+v", step.data, w)
		}
	}
	if all := content(t, dir); len(all) != 3 || all["payment-signed.psbt"] != "one" || all["payment-signed-2.psbt"] != "two" {
		t.Errorf("%v", all)
	}
}

func TestWriteBesideOddNames(t *testing.T) {
	dir, outside := t.TempDir(), filepath.Join(t.TempDir(), "outside")
	if err := os.WriteFile(outside, []byte("same"), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, make := range map[string]func(string) error{
		"x":   func(p string) error { return os.Symlink(outside, p) },
		"x-2": func(p string) error { return os.Symlink("/nowhere", p) },
		"x-3": func(p string) error { return unix.Mkfifo(p, 0o644) },
		"x-4": func(p string) error { return os.Mkdir(p, 0o755) },
	} {
		if err := make(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	w, err := Write(t.Context(), folderVolume(t, dir), "", "x", []byte("same"))
	if err != nil || w.Name != "x-5" || w.Existed {
		t.Errorf("%+v %v", w, err)
	}
	if data, _ := os.ReadFile(outside); string(data) != "same" {
		t.Error("wrote through a link")
	}
}

func TestWriteKeepsToItsMedium(t *testing.T) {
	dir, other := t.TempDir(), t.TempDir()
	if err := os.Symlink(other, filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	v := folderVolume(t, dir)
	for _, c := range []struct {
		dir, name string
		want      error
	}{
		{"link", "x", ErrNotAFile}, {"..", "x", ErrNotAFile}, {"a/../..", "x", ErrNotAFile}, {"/etc", "x", ErrNotAFile},
		{"", "../x", ErrName}, {"", "a/b", ErrName}, {"", "..", ErrName}, {"a\x00b", "x", ErrName}, {"gone", "x", ErrNotFound},
	} {
		if _, err := Write(t.Context(), v, c.dir, c.name, []byte("data")); !errors.Is(err, c.want) {
			t.Errorf("%q %q: %v", c.dir, c.name, err)
		}
	}
	if len(content(t, other)) != 0 || len(content(t, dir)) != 1 {
		t.Error("something was written")
	}
}

func TestWriteNoNameLeft(t *testing.T) {
	dir := t.TempDir()
	for n := 1; n <= maxNames; n++ {
		if err := os.WriteFile(filepath.Join(dir, numbered("x", n)), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Write(t.Context(), folderVolume(t, dir), "", "x", []byte("data")); !errors.Is(err, ErrNoNameLeft) {
		t.Error(err)
	}
}

func TestWriteCancelled(t *testing.T) {
	for _, at := range []string{"create", "write", "flush", "reopen direct", "read"} {
		dir := t.TempDir()
		v := folderVolume(t, dir)
		ctx, cancel := context.WithCancel(t.Context())
		k := &script{kernel: linux{}, before: func(call string, _ int) error {
			if call == at {
				cancel()
			}
			return nil
		}}
		if _, err := write(ctx, k, v, "", "x", sample(2*readChunk)); !errors.Is(err, context.Canceled) {
			t.Errorf("at %s: %v", at, err)
		}
		if all := content(t, dir); len(all) != 0 {
			t.Errorf("at %s: %d files stayed", at, len(all))
		}
	}
	// Once it has its name it is finished properly.
	ctx, cancel := context.WithCancel(t.Context())
	k := &script{kernel: linux{}, before: func(call string, _ int) error {
		if call == "rename" {
			cancel()
		}
		return nil
	}}
	if w, err := write(ctx, k, folderVolume(t, t.TempDir()), "", "x", []byte("data")); err != nil || w.Name != "x" {
		t.Errorf("%+v %v", w, err)
	}
}

func TestWriteToAMediumThatIsGone(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "stick")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	v := folderVolume(t, dir)
	if err := os.Remove(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := Write(t.Context(), v, "", "x", []byte("data")); !errors.Is(err, ErrMediumGone) {
		t.Errorf("write: %v", err)
	}
	if _, err := Read(t.Context(), v, "x", 10); !errors.Is(err, ErrMediumGone) {
		t.Errorf("read: %v", err)
	}
	if _, err := Scan(t.Context(), v); !errors.Is(err, ErrMediumGone) {
		t.Errorf("scan: %v", err)
	}
}

func TestErrorsAreSentences(t *testing.T) {
	err := folderVolume(t, t.TempDir()).mediumError(stepWrite, &os.PathError{Op: "write", Path: "evil\x1b", Err: unix.ENOSPC})
	var m *MediumError
	if !errors.As(err, &m) || m.Step != stepWrite || !errors.Is(err, ErrFull) || !errors.Is(err, unix.ENOSPC) {
		t.Errorf("%#v", err)
	}
	if s := err.Error(); !strings.HasSuffix(s, ".") || strings.Contains(s, "evil") {
		t.Errorf("%q", s)
	}
}
