package session

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/airlock-signer/airlock/airgap"
	"github.com/airlock-signer/airlock/signer"
	"github.com/airlock-signer/airlock/signer/samples"
)

// TestGistsAreThePreviews: each line says what the preview of its file says.
func TestGistsAreThePreviews(t *testing.T) {
	x := newSitting(t)
	x.until("the stick", func(st State) bool { return len(st.Volumes) == 1 && !st.Scanning })
	if st := x.s.State(); len(st.Gists) != 0 {
		t.Errorf("%d gists on the first screen", len(st.Gists))
	}
	x.s.Do(ShowFiles{})
	st := x.until("the gists", func(st State) bool { return st.Gisting.Total > 0 && st.Gisting.Done == st.Gisting.Total })
	leaves := map[string]int64{"payment.psbt": 250_000, "more/to-yourself.psbt": 0}
	looked := 0
	for _, f := range samples.Stick() {
		for _, listed := range st.Files {
			if listed.Path != f.Name || listed.Kind != airgap.KindPSBT {
				continue
			}
			looked++
			g, found := st.Gists[KeyOf(listed)]
			tx, err := signer.Open(f.Data, signer.DefaultLimits())
			if err != nil {
				if !found || g.Verdict != signer.VerdictMalformed {
					t.Errorf("%s: %+v, and it is malformed", f.Name, g)
				}
				continue
			}
			r := tx.Preview(st.Settings)
			if !found || g.Verdict != r.Verdict || g.Fee != r.Totals.Fee {
				t.Errorf("%s: %+v", f.Name, g)
			}
			if want, ok := leaves[f.Name]; ok && g.Leaves != want {
				t.Errorf("%s: %d sat leave, want %d", f.Name, g.Leaves, want)
			}
		}
	}
	if looked < 15 {
		t.Errorf("only %d files were compared", looked)
	}
}

// TestFilesNewestFirst: over all that is known here; what is not comes last.
func TestFilesNewestFirst(t *testing.T) {
	x := newSitting(t)
	now := time.Now()
	for i, name := range []string{"new.jpg", "fresh.psbt", "wallet.txt", "old.psbt"} {
		data := samples.Stick()[0].Data
		switch name {
		case "new.jpg":
			data = []byte("a picture")
		case "wallet.txt":
			data = []byte("wpkh(xpub6CUGRUonZSQ4TWtTMmzXdrXDtypWKiKrhko4egpiMZbpiaQL2jkwSB1icqYh2cfDfVxdx4df189oLKnC5fSwqPfgyP3hooxujYzAu3fDVmz/0/*)\n")
		}
		file := filepath.Join(x.stick, name)
		if err := os.WriteFile(file, data, 0o644); err != nil {
			t.Fatal(err)
		}
		when := now.Add(time.Hour - time.Duration(i)*time.Minute)
		if name == "old.psbt" {
			when = now.Add(-time.Hour)
		}
		if err := os.Chtimes(file, when, when); err != nil {
			t.Fatal(err)
		}
	}
	x.s.Do(ShowFiles{})
	st := x.until("the files", func(st State) bool { return !st.Scanning && len(st.Files) > 4 })
	if st.Files[0].Path != "fresh.psbt" || st.Files[1].Path != "wallet.txt" {
		t.Errorf("first %s (%v), then %s (%v)", st.Files[0].Path, st.Files[0].Kind, st.Files[1].Path, st.Files[1].Kind)
	}
	others := false
	for i, f := range st.Files {
		if others && f.Kind != airgap.KindOther {
			t.Errorf("%s stands behind other files", f.Path)
		}
		others = f.Kind == airgap.KindOther
		if i > 0 && (st.Files[i-1].Kind == airgap.KindOther) == others && f.ModTime.After(st.Files[i-1].ModTime) {
			t.Errorf("%s stands behind an older one", f.Path)
		}
	}
}

// TestGistsAreBounded: large files and those after the first 200 are left out.
func TestGistsAreBounded(t *testing.T) {
	x := newSitting(t)
	data := samples.Stick()[0].Data
	for i := range gistFiles + 20 {
		if err := os.WriteFile(filepath.Join(x.stick, fmt.Sprintf("many-%03d.psbt", i)), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	large := append(bytes.Clone(data), make([]byte, gistBytes)...)
	if err := os.WriteFile(filepath.Join(x.stick, "large.psbt"), large, 0o644); err != nil {
		t.Fatal(err)
	}
	x.until("the stick", func(st State) bool { return len(st.Volumes) == 1 })
	x.s.Do(ShowFiles{})
	st := x.until("the gists", func(st State) bool { return st.Gisting.Total > 0 && st.Gisting.Done == st.Gisting.Total })
	if st.Gisting.Total != gistFiles || len(st.Gists) != gistFiles {
		t.Errorf("%+v, %d gists", st.Gisting, len(st.Gists))
	}
	for k := range st.Gists {
		if k.Path == "large.psbt" {
			t.Error("the large one was looked into")
		}
	}
}

// TestStopLooking: what was found stays, nothing more comes, and a file that is
// opened ends the look as well.
func TestStopLooking(t *testing.T) {
	x := newSitting(t)
	x.until("the stick", func(st State) bool { return len(st.Volumes) == 1 })
	x.s.Do(ShowFiles{})
	st := x.until("a gist", func(st State) bool { return st.Gisting.Done == 1 })
	x.s.Do(StopLooking{})
	gen := x.s.scanGen
	x.s.Do(gisted{gen: gen - 1, key: FileKey{"late", "late"}, progress: GistProgress{2, 9}})
	now := x.s.State()
	if len(now.Gists) != len(st.Gists) || now.Gisting.Done != now.Gisting.Total || len(now.Files) != len(st.Files) {
		t.Errorf("%d gists, %+v", len(now.Gists), now.Gisting)
	}
	x.s.Do(ShowFiles{})
	st = x.until("a gist", func(st State) bool { return !st.Scanning && st.Gisting.Done == 1 })
	x.s.Do(OpenFile{File: st.Files[0]})
	if now = x.s.State(); now.Gisting.Done != now.Gisting.Total {
		t.Errorf("it goes on while a file is opened: %+v", now.Gisting)
	}
}
