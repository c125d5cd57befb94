package signer_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// use is one place in the source where a selector of a name stands: x.Name,
// called or not, where x is no imported package.
type use struct {
	file string // relative to the module root, with slashes
	line int
	args int // of the call; -1 where it is not called on the spot
}

func (u use) String() string { return fmt.Sprintf("%s:%d", u.file, u.line) }

// uses finds them in every Go file of the module, whatever its build tags.
func uses(t *testing.T, root, name string) []use {
	t.Helper()
	var found []use
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && path != root && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || d.Name() == "build") {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(path, ".go") {
			return nil
		}
		src, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		more, err := usesIn(filepath.ToSlash(rel), src, name)
		found = append(found, more...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// usesIn finds them in one file.
func usesIn(file string, src []byte, name string) ([]use, error) {
	set := token.NewFileSet()
	tree, err := parser.ParseFile(set, file, src, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	packages := map[string]bool{}
	for _, spec := range tree.Imports {
		path := strings.Trim(spec.Path.Value, `"`)
		local := path[strings.LastIndex(path, "/")+1:]
		if spec.Name != nil {
			local = spec.Name.Name
		}
		packages[local] = true
	}
	args := map[ast.Expr]int{}
	var found []use
	ast.Inspect(tree, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr: // before the selector that it calls
			args[ast.Unparen(n.Fun)] = len(n.Args)
		case *ast.SelectorExpr:
			if x, ok := n.X.(*ast.Ident); n.Sel.Name != name || ok && packages[x.Name] {
				return true
			}
			u := use{file: file, line: set.Position(n.Sel.Pos()).Line, args: -1}
			if count, ok := args[n]; ok {
				u.args = count
			}
			found = append(found, u)
		}
		return true
	})
	return found, nil
}

// TestWhoSigns: what makes a card sign is used in one place each, so that no
// path in the program signs what was not shown. Tests may; and the drivers,
// below the adapter, have it among themselves.
func TestWhoSigns(t *testing.T) {
	if _, err := os.Stat("../go.mod"); err != nil {
		t.Fatalf("the module root is not where it was: %v", err)
	}
	adapter := "tui/session/key.go"
	for _, u := range uses(t, "..", "SignDigests") {
		driver := strings.HasPrefix(u.file, "reader/")
		if u.file != adapter && !driver && !strings.HasSuffix(u.file, "_test.go") {
			t.Errorf("%v: a card's SignDigests is for %s alone: go through signer.Sign and an Approval", u, adapter)
		}
	}
	for _, u := range uses(t, "..", "Sign") {
		inSigner := strings.HasPrefix(u.file, "signer/") && strings.Count(u.file, "/") == 1
		if !inSigner && !strings.HasSuffix(u.file, "_test.go") {
			t.Errorf("%v: a signer.Key's Sign is for package signer alone: go through signer.Sign and an Approval", u)
		}
	}
	// The ways in of the design: Sign and Challenge, each at one place.
	places := map[string]int{}
	for _, u := range uses(t, ".", "Sign") {
		if !strings.HasSuffix(u.file, "_test.go") && !strings.Contains(u.file, "/") {
			places[u.file]++
			if u.args != 3 {
				t.Errorf("%v: a key's Sign is called on the spot, with three arguments", u)
			}
		}
	}
	if want := map[string]int{"sign.go": 1, "challenge.go": 1}; !maps.Equal(places, want) {
		t.Errorf("places in package signer that ask a key to sign: %v, want %v", places, want)
	}
}

// TestUsesIn: the search finds what somebody might write.
func TestUsesIn(t *testing.T) {
	for src, want := range map[string]int{
		`k.Sign(a, b, c)`:               1,
		`f := k.Sign; f(1)`:             1,
		`s.key.Sign(a)`:                 1,
		`(k.Sign)(a)`:                   1,
		`Key.Sign(k, a)`:                1,
		`go k.Sign(a)`:                  1,
		`(interface{ Sign() }).Sign(k)`: 1,
		`ecdsa.Sign(a, b)`:              0,
		`own.Sign(a, b)`:                0,
		`k.Signed(a)`:                   0,
		`Sign(a)`:                       0,
	} {
		file := "package p\nimport (\n\"x/ecdsa\"\nown \"x/y\"\n)\nfunc _() { " + src + " }\n"
		got, err := usesIn("x.go", []byte(file), "Sign")
		if err != nil || len(got) != want {
			t.Errorf("%s: %v (%v), want %d", src, got, err, want)
		}
	}
}
