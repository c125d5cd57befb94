package airgap

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

// removals is how often a stick is pulled in one run, removalSeed where it is
// pulled.
const (
	removals    = 500
	removalSeed = 5
)

func removalDice(t *testing.T) *rand.Rand {
	t.Helper()
	t.Logf("%d removals, seed %d", removals, removalSeed)
	return rand.New(rand.NewPCG(removalSeed, 0))
}

// TestRemovals pulls a stick that the kernel has mounted, at 500 random
// requests of sittings with results of random sizes: nothing that was there is
// lost, nothing half bears a final name, whatever of the names survives; and
// once the stick is put back, all of it goes through.
func TestRemovals(t *testing.T) {
	dice := removalDice(t)
	during := map[string]int{}
	for i := range removals {
		fat, result := dice.IntN(2) == 0, sample(dice.IntN(20_000))
		// Up to the number of requests of a sitting with this result, about.
		at := dice.IntN(60 + 2*len(result)/fuseMaxData)
		s, last := failRequest(t, fmt.Sprintf("removal %d", i), fat, result, func(r fuseRequest) fuseDo { return fuseDo{vanish: r.n >= at} })
		during[moment(s, last)]++
	}
	for _, m := range slices.Sorted(maps.Keys(during)) {
		t.Logf("%4d %s", during[m], m)
	}
	for _, m := range []string{"while listing", "while reading", "while writing, before the rename", "while writing, at the rename or after"} {
		if during[m] == 0 {
			t.Errorf("none %s: this run shows less than it says", m)
		}
	}
}

// moment says when a stick was pulled.
func moment(s sitting, last fuseRequest) string {
	switch {
	case len(s.errs) == 0:
		return "after everything"
	case !s.listed:
		return "while listing"
	case !s.read:
		return "while reading"
	case last.op == fuseRename || last.op == fuseRename2 || last.op == fuseLink || last.op == fuseFsyncdir:
		return "while writing, at the rename or after"
	}
	return "while writing, before the rename"
}

// vanishing is a folder used as a stick that goes away at the at-th moment
// somebody could notice: it is renamed away and, at times, an empty folder left
// in its place, as an empty mount point is; or it is unmounted (umount -l).
type vanishing struct {
	t      *testing.T
	dir    string // where it was
	away   string // where it is then
	kind   string // "renamed", "replaced" or "unmounted"
	at     int
	counts int
	gone   bool
}

func (r *vanishing) tick() {
	if r.counts++; r.counts-1 != r.at {
		return
	}
	r.gone = true
	var err error
	switch r.kind {
	case "unmounted":
		err = unix.Unmount(r.dir, unix.MNT_DETACH)
	case "replaced":
		err = errors.Join(os.Rename(r.dir, r.away), os.Mkdir(r.dir, 0o755))
	default:
		err = os.Rename(r.dir, r.away)
	}
	if err != nil {
		r.t.Fatalf("removal %s: %v", r.kind, err)
	}
}

// tickingContext ticks whenever it is asked whether it ended: between two names
// of a list, between two pieces of a file.
type tickingContext struct {
	context.Context
	tick func()
}

func (c tickingContext) Err() error { c.tick(); return c.Context.Err() }

// TestFoldersVanish takes folders and mounts away at 500 random moments: between
// any two calls of writing, any two names of a list, any two pieces of a file.
func TestFoldersVanish(t *testing.T) {
	dice := removalDice(t)
	kinds := []string{"renamed", "replaced"}
	if probe := t.TempDir(); unix.Mount("none", probe, "tmpfs", 0, "size=64k") == nil {
		_ = unix.Unmount(probe, unix.MNT_DETACH)
		kinds = append(kinds, "unmounted")
	} else {
		t.Log("NO MOUNT TAKEN AWAY (needs root): folders only")
	}
	gone := map[string]int{}
	for i := range removals {
		result := sample(dice.IntN(3 * readChunk / 2))
		r := &vanishing{t: t, dir: filepath.Join(t.TempDir(), "stick"), kind: kinds[i%len(kinds)], at: dice.IntN(30)}
		r.away = r.dir + "-away"
		name := fmt.Sprintf("removal %d, %s, moment %d", i, r.kind, r.at)
		if vanish(t, name, r, result) {
			gone[r.kind]++
		}
	}
	t.Logf("in the middle of something: %v", gone)
	if len(gone) != len(kinds) {
		t.Errorf("only %v", gone)
	}
}

func vanish(t *testing.T, name string, r *vanishing, result []byte) bool {
	t.Helper()
	if err := os.Mkdir(r.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if r.kind == "unmounted" {
		mountTmpfs(t, r.dir, "size=8m")
	}
	for file, data := range fullStick() {
		put(t, r.dir, file, data)
	}
	top, err := unix.Open(r.dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(top)
	v := folderVolume(t, r.dir)
	ctx := tickingContext{t.Context(), r.tick}
	_, scanErr := Scan(ctx, v)
	data, readErr := Read(ctx, v, "payment.psbt", 1<<20)
	if readErr == nil && string(data) != string(payment()) {
		t.Errorf("%s: read %d other bytes", name, len(data))
	}
	k := &script{kernel: linux{}, before: func(string, int) error { r.tick(); return nil }}
	w, writeErr := write(ctx, k, v, "", "payment-signed.psbt", result)
	for _, err := range []error{scanErr, readErr, writeErr} {
		if known := (*MediumError)(nil); err != nil && !errors.As(err, &known) {
			t.Errorf("%s: an error without a sentence: %v", name, err)
		}
	}
	// What is on the stick, wherever that is now.
	left := openContent(t, top)
	if err := intact(left, result, false); err != nil {
		t.Errorf("%s: %v", name, err)
	}
	here := map[string]string{}
	if r.gone && r.kind != "renamed" {
		here = content(t, r.dir)
	}
	switch {
	case r.kind == "unmounted" && len(here) != 0:
		t.Errorf("%s: written into the empty mount point: %v", name, slices.Collect(maps.Keys(here)))
	case len(here) > 1 || len(here) == 1 && here["payment-signed.psbt"] != string(result):
		t.Errorf("%s: half a result in the new folder: %v", name, slices.Collect(maps.Keys(here)))
	case writeErr == nil && string(left[w.Name]) != string(result) && here[w.Name] != string(result):
		t.Errorf("%s: said to be written, and is not", name)
	}
	return r.gone
}

// openContent reads the files of an open folder, wherever it has gone.
func openContent(t *testing.T, dir int) map[string][]byte {
	t.Helper()
	left := map[string][]byte{}
	place := fmt.Sprintf("/proc/self/fd/%d/.", dir)
	list, err := os.ReadDir(place)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range list {
		if left[e.Name()], err = os.ReadFile(filepath.Join(place, e.Name())); err != nil {
			t.Fatal(err)
		}
	}
	return left
}
