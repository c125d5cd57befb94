//go:build simulation

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/airlock-signer/airlock/signer/samples"
)

func TestRunSamples(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "stick")
	var out, errs bytes.Buffer
	if got := runSamples([]string{dir}, nil, &out, &errs); got != 0 || errs.Len() > 0 || !strings.Contains(out.String(), "README.txt") {
		t.Fatalf("status %d: %s%s", got, &out, &errs)
	}
	for _, f := range samples.Stick() {
		data, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(f.Name)))
		if err != nil || !bytes.Equal(data, f.Data) {
			t.Errorf("%s: %d bytes, %v", f.Name, len(data), err)
		}
	}
	if got := runSamples([]string{dir}, nil, &out, &errs); got != 0 {
		t.Errorf("a second time: status %d: %s", got, &errs)
	}
}

// TestRunSamplesKeepsOthersFiles: what is there is never overwritten.
func TestRunSamplesKeepsOthersFiles(t *testing.T) {
	dir := t.TempDir()
	mine := filepath.Join(dir, "payment.psbt")
	if err := os.WriteFile(mine, []byte("my own file"), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	if got := runSamples([]string{dir}, nil, &out, &errs); got != 1 || !strings.Contains(errs.String(), "other content") {
		t.Errorf("status %d: %s", got, &errs)
	}
	if data, err := os.ReadFile(mine); err != nil || string(data) != "my own file" {
		t.Errorf("the file now holds %q, %v", data, err)
	}
}

func TestRunSamplesUsage(t *testing.T) {
	for _, args := range [][]string{nil, {""}, {"-h"}, {"a", "b"}} {
		var out, errs bytes.Buffer
		if got := runSamples(args, nil, &out, &errs); got != 2 || !strings.Contains(errs.String(), "usage") {
			t.Errorf("%q: status %d: %s", args, got, &errs)
		}
	}
}
