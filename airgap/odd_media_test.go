package airgap

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// TestNamesOnFAT: whatever the input was called, its results can be written to
// a stick with FAT's ways, and take nobody's name, in large letters or small.
func TestNamesOnFAT(t *testing.T) {
	inputs := []string{
		`a"*:<>?|\b.psbt`, "a\x1b[2Jb.psbt", "a\u202eb.psbt", "bad\xff\xfe.psbt", "con.psbt", "Nul.old.psbt", "lpt1.psbt.txt",
		"end .psbt", "end..psbt", " .psbt", "..", "line\nbreak.hex", "Grüße 元.psbt", string(sample(250)),
	}
	d := newFuseDisk(map[string][]byte{"PAYMENT-SIGNED.PSBT": []byte("somebody's"), "payment-Part.psbt": []byte("somebody's")})
	d.fat = true
	v, unmount := mounted(t, d)
	for i, in := range inputs {
		part, signed, final := ResultNames(in)
		for _, name := range []string{part, signed, final} {
			data := sample(100 + i)
			w, err := Write(t.Context(), v, "", name, data)
			if err != nil {
				t.Errorf("%q, as %q: %v", in, name, err)
				continue
			}
			if got, err := Read(t.Context(), v, w.Path, 1000); err != nil || !slices.Equal(got, data) {
				t.Errorf("%q: %d bytes back, %v", w.Name, len(got), err)
			}
		}
	}
	w, err := Write(t.Context(), v, "", "payment-signed.psbt", []byte("ours"))
	if err != nil || w.Name != "payment-signed-2.psbt" {
		t.Errorf("beside PAYMENT-SIGNED.PSBT: %+v %v", w, err)
	}
	if w, err := Write(t.Context(), v, "", "payment-part.psbt", []byte("somebody's")); err != nil || !w.Existed {
		t.Errorf("the same bytes under another spelling: %+v %v", w, err)
	}
	unmount()
	left := d.survivors(false)
	if string(left["PAYMENT-SIGNED.PSBT"]) != "somebody's" || string(left["payment-signed-2.psbt"]) != "ours" {
		t.Error("a file was replaced")
	}
}

// TestAFileChangedAfterItWasRead: what was read stays what was read, and the
// result goes beside what is there now, which is left as it is.
func TestAFileChangedAfterItWasRead(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "payment.psbt", payment())
	v := folderVolume(t, dir)
	reviewed, err := Read(t.Context(), v, "payment.psbt", 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	other := sample(len(payment()))
	f, err := os.OpenFile(filepath.Join(dir, "payment.psbt"), os.O_WRONLY, 0) // in place, the same length
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write(other); err != nil || f.Close() != nil {
		t.Fatal(err)
	}
	if !slices.Equal(reviewed, payment()) {
		t.Error("what was read changed in memory")
	}
	if w, err := Write(t.Context(), v, "", "payment-signed.psbt", sample(500)); err != nil || w.Name != "payment-signed.psbt" {
		t.Errorf("%+v %v", w, err)
	}
	if now, err := Read(t.Context(), v, "payment.psbt", 1<<20); err != nil || !slices.Equal(now, other) {
		t.Errorf("%d bytes, %v", len(now), err)
	}
}

// TestReadNoticesAChangeInPlace: the length stays, the time of change tells.
func TestReadNoticesAChangeInPlace(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "x", sample(3*readChunk))
	path := filepath.Join(dir, "x")
	ctx := &hookContext{Context: t.Context(), at: 2, do: func() {
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			t.Error(err)
			return
		}
		_, err = f.WriteString("changed")
		now := time.Unix(1_700_000_000, 0)
		if err := errors.Join(err, f.Close(), os.Chtimes(path, now, now)); err != nil {
			t.Error(err)
		}
	}}
	if _, err := Read(ctx, folderVolume(t, dir), "x", 10*readChunk); !errors.Is(err, ErrChanging) {
		t.Error(err)
	}
}

// TestTwoMediaWithOneLabel: each keeps to itself, by its ID and its place, not
// by its name.
func TestTwoMediaWithOneLabel(t *testing.T) {
	m := typical(t)
	m.mount("media/u/STICK", "8:17", "vfat", "/dev/sdb1", "rw")
	m.mount("media/u/STICK1", "8:33", "vfat", "/dev/sdc1", "rw")
	m.file("run/udev/data/b8:17", "E:ID_FS_LABEL_ENC=STICK\n")
	m.file("run/udev/data/b8:33", "E:ID_FS_LABEL_ENC=STICK\n")
	put(t, m.root, "media/u/STICK/payment.psbt", smallPSBT(0))
	put(t, m.root, "media/u/STICK1/payment.psbt", smallPSBT(2))
	list, err := m.volumes().List()
	if err != nil || len(list) != 2 || list[0].Name() != "STICK" || list[1].Name() != "STICK" || list[0].ID == list[1].ID {
		t.Fatalf("%+v %v", list, err)
	}
	var found []Listing
	for _, v := range list {
		l, err := Scan(t.Context(), v)
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, l)
	}
	all := Merge(found...).Files
	if len(all) != 2 || all[0].Path != all[1].Path || all[0].Volume.ID == all[1].Volume.ID {
		t.Fatalf("%+v", all)
	}
	for _, f := range all {
		data, err := Read(t.Context(), f.Volume, f.Path, 1000)
		want := map[Kind]int{KindPSBT: 0, KindPSBT2: 2}[f.Kind]
		if err != nil || !slices.Equal(data, smallPSBT(want)) {
			t.Errorf("%s on %s: %v", f.Path, f.Volume.Path, err)
		}
		if _, err := Write(t.Context(), f.Volume, "", "payment-signed.psbt", data); err != nil {
			t.Error(err)
		}
	}
	if a, b := content(t, list[0].Path), content(t, list[1].Path); a["payment-signed.psbt"] != string(smallPSBT(0)) || b["payment-signed.psbt"] != string(smallPSBT(2)) {
		t.Error("a result went to the other medium")
	}
}
