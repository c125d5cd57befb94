//go:build simulation

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/airlock-signer/airlock/signer/plain"
	"github.com/airlock-signer/airlock/signer/samples"
)

// simulationCommands exist only in builds with the simulation tag.
func simulationCommands() []command {
	return []command{
		{"samples", "write the sample stick into a folder", runSamples},
		{"simcard", "play a SIMULATED Satochip into the virtual reader", runSimcard},
	}
}

// runSamples is `airlock samples DIR`: writes the sample stick. A file that is
// there with other content stays, and is an error.
func runSamples(args []string, _ io.Reader, stdout, stderr io.Writer) int {
	if len(args) != 1 || args[0] == "" || args[0][0] == '-' {
		fmt.Fprintln(stderr, "usage: airlock samples DIR")
		return 2
	}
	files := samples.Stick()
	now := time.Now()
	for i, f := range files {
		// The station lists the newest first: the first sample is the newest.
		if err := writeSample(filepath.Join(args[0], filepath.FromSlash(f.Name)), f.Data, now.Add(-time.Duration(i)*time.Minute)); err != nil {
			fmt.Fprintf(stderr, "airlock samples: %s\n", plain.Text(err.Error()))
			return 1
		}
	}
	fmt.Fprintf(stdout, "%d sample files are in %s: begin with README.txt\n", len(files), plain.Text(args[0]))
	return 0
}

// writeSample writes one file, or finds it there as it should be.
func writeSample(name string, data []byte, when time.Time) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		have, err := readSample(name, len(data))
		if err == nil && !bytes.Equal(have, data) {
			err = fmt.Errorf("%s is there with other content: move it away, or choose an empty folder", name)
		}
		return err
	}
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Close(), os.Chtimes(name, when, when))
}

// readSample reads a file that should have this many bytes, and one more.
func readSample(name string, size int) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, int64(size)+1))
}
