package airgap

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"
)

// mounted is a disk, mounted, as a volume.
func mounted(t *testing.T, d *fuseDisk) (Volume, func()) {
	t.Helper()
	point := filepath.Join(t.TempDir(), "stick")
	if err := os.Mkdir(point, 0o755); err != nil {
		t.Fatal(err)
	}
	unmount := d.mount(t, point)
	return folderVolume(t, point), unmount
}

// TestAFuseDisk: the made-up stick is one, before its faults mean anything.
func TestAFuseDisk(t *testing.T) {
	for _, fat := range []bool{false, true} {
		d := newFuseDisk(map[string][]byte{"payment.psbt": smallPSBT(0), "big": sample(50_000)})
		d.fat = fat
		v, unmount := mounted(t, d)
		listing, err := Scan(t.Context(), v)
		if err != nil || len(listing.Files) != 2 || listing.Files[1].Kind != KindPSBT {
			t.Fatalf("%+v %v", listing, err)
		}
		if data, err := Read(t.Context(), v, "big", 1<<20); err != nil || string(data) != string(sample(50_000)) {
			t.Fatalf("%d bytes, %v", len(data), err)
		}
		w, err := Write(t.Context(), v, "", "payment-signed.psbt", sample(30_000))
		if err != nil || w.Name != "payment-signed.psbt" {
			t.Fatalf("%+v %v", w, err)
		}
		unmount()
		left := d.survivors(false)
		if len(left) != 3 || string(left["payment-signed.psbt"]) != string(sample(30_000)) {
			t.Errorf("fat %v: %d files survive, %d bytes of the result", fat, len(left), len(left["payment-signed.psbt"]))
		}
	}
}

// TestEveryOffsetOfAFileFails: one bad page, at each place in turn.
func TestEveryOffsetOfAFileFails(t *testing.T) {
	const pages = 16
	d := newFuseDisk(map[string][]byte{"big": sample(pages*fuseMaxData - 100), "good": []byte("good")})
	v, _ := mounted(t, d)
	for page := range uint64(pages) {
		var hit atomic.Int64
		d.on(func(r fuseRequest) fuseDo {
			if r.op == fuseRead && r.offset/fuseMaxData == page {
				hit.Add(1)
				return fuseDo{errno: unix.EIO}
			}
			return fuseDo{}
		})
		data, err := Read(t.Context(), v, "big", 1<<20)
		if !errors.Is(err, ErrIO) || !errors.Is(err, unix.EIO) || data != nil || hit.Load() == 0 {
			t.Errorf("page %d: %d bytes, %v, failed %d times", page, len(data), err, hit.Load())
		}
		listing, err := Scan(t.Context(), v)
		if err != nil || len(listing.Files) != 2 {
			t.Errorf("page %d: listed %+v, %v", page, listing, err)
		}
		for _, f := range listing.Files {
			if bad := page == 0; (f.Trouble == ErrIO.Sentence) != bad {
				t.Errorf("page %d: %s: %q", page, f.Path, f.Trouble)
			}
		}
	}
}

// sitting is what a station does with a stick: list, read, write. It tells how
// far it came.
type sitting struct {
	listed, read bool
	written      Written
	errs         []error
}

func (s *sitting) done(err error) bool {
	if err != nil {
		s.errs = append(s.errs, err)
	}
	return err == nil
}

func sit(t *testing.T, v Volume, result []byte) sitting {
	t.Helper()
	var s sitting
	listing, err := Scan(t.Context(), v)
	s.listed = s.done(err)
	for _, f := range listing.Files {
		if f.Path != "payment.psbt" && f.Path != "old-signed.psbt" && !strings.HasPrefix(f.Path, "payment-signed") {
			t.Errorf("listed %q", f.Path)
		}
	}
	data, err := Read(t.Context(), v, "payment.psbt", 1<<20)
	if s.read = s.done(err); s.read && string(data) != string(payment()) {
		t.Errorf("read other bytes than there are: %d", len(data))
	}
	s.written, err = Write(t.Context(), v, "", "payment-signed.psbt", result)
	s.done(err)
	for _, err := range s.errs {
		if known := (*MediumError)(nil); !errors.As(err, &known) {
			t.Errorf("an error without a sentence: %v", err)
		}
	}
	return s
}

// payment is the file that was there before.
func payment() []byte { return append(smallPSBT(0), sample(9_000)...) }

func fullStick() map[string][]byte {
	return map[string][]byte{"payment.psbt": payment(), "old-signed.psbt": sample(5_000)}
}

// intact checks what is on a stick after the fact: what was there before is
// there, and the final name is free or bears all of the result. reserved lets
// an empty file have it.
func intact(left map[string][]byte, result []byte, reserved bool) error {
	for name, data := range fullStick() {
		if string(left[name]) != string(data) {
			return fmt.Errorf("%s: lost, or changed", name)
		}
	}
	for name, data := range left {
		switch {
		case fullStick()[name] != nil || isHidden(name):
		case !strings.HasPrefix(name, "payment-signed"):
			return fmt.Errorf("%q was left", name)
		case string(data) != string(result) && !(reserved && len(data) == 0):
			return fmt.Errorf("%s bears %d of %d bytes", name, len(data), len(result))
		}
	}
	return nil
}

// requestsOf counts the requests of a sitting in which all goes well.
func requestsOf(t *testing.T, fat bool, result []byte) int {
	t.Helper()
	d := newFuseDisk(fullStick())
	d.fat = fat
	v, unmount := mounted(t, d)
	d.on(func(fuseRequest) fuseDo { return fuseDo{} })
	if s := sit(t, v, result); len(s.errs) > 0 {
		t.Fatal(s.errs)
	}
	unmount()
	return d.requests
}

// TestEveryRequestFails: at each request of a whole sitting in turn, the stick
// gives one error, or errors from then on, or fills up, or vanishes.
func TestEveryRequestFails(t *testing.T) {
	result := sample(10_000)
	for _, fat := range []bool{false, true} {
		total := requestsOf(t, fat, result)
		for n := range total {
			for _, kind := range []string{"one error", "errors from here", "full from here", "vanishes"} {
				name := fmt.Sprintf("fat %v, request %d of %d, %s", fat, n, total, kind)
				failRequest(t, name, fat, result, func(r fuseRequest) fuseDo {
					switch {
					case r.n < n || kind == "one error" && r.n > n:
						return fuseDo{}
					case kind == "vanishes":
						return fuseDo{vanish: true}
					case kind != "full from here":
						return fuseDo{errno: unix.EIO}
					case r.op == fuseWrite || r.op == fuseCreate || r.op == fuseFsync:
						return fuseDo{errno: unix.ENOSPC}
					}
					return fuseDo{}
				})
			}
		}
	}
}

// failRequest sits down with a stick that fails, and again once it is put back.
func failRequest(t *testing.T, name string, fat bool, result []byte, onOp func(fuseRequest) fuseDo) (sitting, fuseRequest) {
	t.Helper()
	d := newFuseDisk(fullStick())
	d.fat = fat
	v, unmount := mounted(t, d)
	var last fuseRequest
	d.on(func(r fuseRequest) fuseDo { last = r; return onOp(r) })
	s := sit(t, v, result)
	unmount()
	for _, allNames := range []bool{false, true} {
		left := d.survivors(allNames)
		if err := intact(left, result, fat); err != nil {
			t.Errorf("%s, names flushed or not %v: %v", name, allNames, err)
		}
		if s.written.Name != "" && string(left[s.written.Name]) != string(result) {
			t.Errorf("%s: said to be written as %s, but is not there", name, s.written.Name)
		}
		back := newFuseDisk(left)
		back.fat = fat
		v, unmount := mounted(t, back)
		if again := sit(t, v, result); len(again.errs) > 0 || again.written.Name == "" {
			t.Errorf("%s, put back: %v", name, again.errs)
		}
		unmount()
		if left := back.survivors(false); intact(left, result, fat) != nil {
			t.Errorf("%s, put back: %v", name, intact(left, result, fat))
		}
	}
	return s, last
}
