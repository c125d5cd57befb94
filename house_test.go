package main

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/airlock-signer/airlock"

// rooms are the folders of the house; nothing else becomes a top-level package.
var rooms = []string{"airgap", "images", "reader", "signer", "tui"}

// imported is one import of one file.
type imported struct {
	file string // relative to the module root, with slashes
	dir  string // of the file; "." for the root
	path string
}

// imports lists every import of every Go file, whatever its build tags.
func imports(t *testing.T) []imported {
	t.Helper()
	var list []imported
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && name != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || d.Name() == "build") {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(name, ".go") {
			return nil
		}
		tree, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		file := filepath.ToSlash(name)
		for _, spec := range tree.Imports {
			list = append(list, imported{file, path.Dir(file), strings.Trim(spec.Path.Value, `"`)})
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// within tells whether a folder is this room or below it.
func within(dir, room string) bool { return dir == room || strings.HasPrefix(dir, room+"/") }

// forbidden says what is wrong with an import, or nothing.
func forbidden(i imported) string {
	test := strings.HasSuffix(i.file, "_test.go")
	switch {
	case strings.HasPrefix(i.path, "github.com/charmbracelet/") && !within(i.dir, "tui"):
		return "the terminal is known in tui alone"
	case strings.HasPrefix(i.path, "github.com/charmbracelet/") && within(i.dir, "tui/session"):
		return "the session has no terminal"
	case i.path == "github.com/ebfe/scard" && i.file != "reader/pcsc.go" && !test:
		return "scard is known in reader/pcsc.go alone"
	case i.path == "github.com/ebfe/scard" && !within(i.dir, "reader"):
		return "scard is known in reader alone"
	}
	to, ours := strings.CutPrefix(i.path, module+"/")
	if i.path == module {
		return "nothing imports the program"
	}
	if !ours || i.dir == "." {
		return ""
	}
	for _, room := range []string{"signer", "reader", "airgap"} {
		if within(i.dir, room) && !within(to, room) {
			return room + " knows none of the other rooms"
		}
	}
	if within(i.dir, "tui/session") && within(to, "tui") && !within(to, "tui/session") {
		return "the session does not know the screens"
	}
	return ""
}

// TestImports: one way, main → tui → tui/session → {signer, reader, airgap}.
func TestImports(t *testing.T) {
	list := imports(t)
	if len(list) == 0 {
		t.Fatal("no imports found: does this test still see the source?")
	}
	for _, i := range list {
		if why := forbidden(i); why != "" {
			t.Errorf("%s imports %s: %s", i.file, i.path, why)
		}
		if top, _, _ := strings.Cut(i.dir, "/"); top != "." && !slices.Contains(rooms, top) {
			t.Errorf("%s: %s is not one of the rooms %v", i.file, top, rooms)
		}
	}
}

// TestForbidden: the rule sees what it is there to see.
func TestForbidden(t *testing.T) {
	const tea, scard = "github.com/charmbracelet/bubbletea", "github.com/ebfe/scard"
	for _, c := range []struct {
		file, path string
		ok         bool
	}{
		{"main.go", module + "/tui", true},
		{"tui/home.go", module + "/tui/session", true},
		{"tui/home.go", module + "/signer/plain", true},
		{"tui/home.go", tea, true},
		{"tui/session/key.go", module + "/reader/card", true},
		{"signer/sign.go", module + "/signer/container", true},
		{"reader/pcsc.go", scard, true},
		{"reader/slots_test.go", scard, true},

		{"main.go", tea, false},
		{"main.go", scard, false},
		{"tui/session/session.go", tea, false},
		{"tui/session/session.go", module + "/tui", false},
		{"tui/session/session.go", module + "/tui/console", false},
		{"tui/home.go", scard, false},
		{"signer/sign.go", module + "/reader/card", false},
		{"signer/sign_test.go", module + "/reader", false},
		{"signer/container/parse.go", module + "/airgap", false},
		{"reader/slots.go", module + "/signer", false},
		{"reader/slots.go", scard, false},
		{"reader/satochip/driver.go", module + "/tui/session", false},
		{"airgap/write.go", module + "/signer", false},
		{"airgap/write.go", tea, false},
		{"signer/sign.go", module, false},
	} {
		if why := forbidden(imported{c.file, path.Dir(c.file), c.path}); (why == "") != c.ok {
			t.Errorf("%s imports %s: %q", c.file, c.path, why)
		}
	}
}

// TestReleaseHasNoSimulation: a build without tags reaches neither a simulated
// card, nor a software key, nor the samples.
func TestReleaseHasNoSimulation(t *testing.T) {
	goTool, err := exec.LookPath("go")
	if err != nil {
		t.Skipf("SKIPPED, no go command: %v", err)
	}
	list := func(tags string) []string {
		cmd := exec.Command(goTool, "list", "-deps", "-tags="+tags, ".")
		cmd.Stderr = os.Stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		return strings.Fields(string(out))
	}
	unwanted := []string{"/reader/simcard", "/signer/softkey", "/signer/samples"}
	release := list("")
	if !slices.Contains(release, module+"/signer") {
		t.Fatalf("the program does not reach signer: does this test still see it?")
	}
	for _, pkg := range release {
		for _, u := range unwanted {
			if within(pkg, module+u) {
				t.Errorf("a release would hold %s", pkg)
			}
		}
	}
	if !slices.Contains(list("simulation"), module+unwanted[0]) {
		t.Error("a build with the simulation tag does not hold the simulated card")
	}
}
