package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"

	"github.com/airlock-signer/airlock/signer"
	"github.com/airlock-signer/airlock/signer/inspect"
	"github.com/airlock-signer/airlock/signer/plain"
)

const inspectUsage = `usage: airlock inspect [--json] [--network mainnet|testnet|signet|regtest]
                       [--wallet FILE]... [--fingerprint HEX]... FILE...

Prints the review of each PSBT as the station's screens show it. It opens no
reader, writes no file and signs nothing. "-" reads standard input.

  --json             one JSON document a file, one a line
  --network NAME     mainnet unless given; testnet covers testnet3 and testnet4
  --wallet FILE      your wallet, as a file or as the descriptor itself: shows
                     what is yours. May be given several times
  --fingerprint HEX  a master fingerprint, 8 hexadecimal digits: shows what
                     claims to be its. May be given several times

The exit status is the worst of the files: 0 clear, 10 caution, 20 refused,
30 malformed, 40 unreadable; 2 when the command was not understood.
`

// inspectArgs is what the command line asked for.
type inspectArgs struct {
	json    bool
	options inspect.Options
	files   []string
}

// runInspect is `airlock inspect`. It returns the exit status.
func runInspect(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	a, err := parseInspect(args)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(stdout, inspectUsage)
		return inspect.ExitClear
	}
	if err != nil {
		fmt.Fprintf(stderr, "airlock inspect: %v\n\n%s", err, inspectUsage)
		return inspect.ExitUsage
	}
	worst := inspect.ExitClear
	for i, name := range a.files {
		d, err := inspectFile(name, stdin, a.options)
		if err != nil {
			d = a.options.Missing(name, err)
		}
		if d.Verdict == inspect.Unreadable {
			fmt.Fprintf(stderr, "airlock inspect: %s: %s\n", plain.Text(name), d.Error)
		}
		if err := printDocument(stdout, d, a.json, i); err != nil {
			fmt.Fprintf(stderr, "airlock inspect: the review could not be printed: %v\n", err)
			return inspect.ExitUnreadable
		}
		worst = max(worst, d.ExitStatus())
	}
	return worst
}

// parseInspect reads the command line. Options may stand before, between and
// after the files, until a "--".
func parseInspect(args []string) (*inspectArgs, error) {
	a := &inspectArgs{options: inspect.Options{Network: signer.Mainnet, Limits: signer.DefaultLimits()}}
	var wallets []string
	set := flag.NewFlagSet("inspect", flag.ContinueOnError)
	set.SetOutput(io.Discard)
	set.BoolVar(&a.json, "json", false, "")
	set.Func("network", "", func(s string) error {
		a.options.Network = signer.Network(s)
		if a.options.Network.Params() == nil {
			return errors.New("not one of mainnet, testnet, signet, regtest")
		}
		return nil
	})
	set.Func("wallet", "", func(s string) error { wallets = append(wallets, s); return nil })
	set.Func("fingerprint", "", func(s string) error {
		raw, err := hex.DecodeString(s)
		if err != nil || len(raw) != 4 {
			return errors.New("not 8 hexadecimal digits")
		}
		a.options.Fingerprints = append(a.options.Fingerprints, [4]byte(raw))
		return nil
	})
	for len(args) > 0 {
		if err := set.Parse(args); err != nil {
			return nil, usageError(err)
		}
		rest := set.Args()
		if taken := len(args) - len(rest); taken > 0 && args[taken-1] == "--" {
			a.files = append(a.files, rest...)
			break
		}
		if len(rest) > 0 {
			a.files, rest = append(a.files, rest[0]), rest[1:]
		}
		args = rest
	}
	if len(a.files) == 0 {
		return nil, errors.New("no file is given")
	}
	for i, w := range wallets { // after the options, so that --network may follow --wallet
		wallet, err := openWallet(w, i, a.options.Network)
		if err != nil {
			return nil, err
		}
		a.options.Wallets = append(a.options.Wallets, wallet)
	}
	return a, nil
}

// usageError makes what package flag says safe to print: it quotes arguments.
func usageError(err error) error {
	if errors.Is(err, flag.ErrHelp) {
		return err
	}
	return errors.New(plain.Text(err.Error()))
}

// openWallet takes a wallet from a file or, where there is no such file, from
// the argument itself.
func openWallet(arg string, i int, n signer.Network) (*signer.Wallet, error) {
	data, err := readBounded(arg, 1<<20)
	name := strings.TrimSuffix(filepath.Base(arg), filepath.Ext(arg))
	shown := plain.Text(arg)
	if err != nil {
		if !strings.Contains(arg, "(") {
			return nil, fmt.Errorf("--wallet %s: %s", shown, reason(err))
		}
		data, name, shown = []byte(arg), fmt.Sprintf("wallet %d", i+1), fmt.Sprintf("number %d", i+1)
	}
	w, err := signer.ParseWallet(name, data, n)
	if err != nil {
		return nil, fmt.Errorf("--wallet %s: %s", shown, plain.Text(err.Error()))
	}
	return w, nil
}

// inspectFile reviews one file; "-" is standard input. An error says why it
// could not be read.
func inspectFile(name string, stdin io.Reader, o inspect.Options) (*inspect.Document, error) {
	var data []byte
	var err error
	if name == "-" {
		data, err = readLimited(stdin, 0, o.Limits.MaxFile)
	} else {
		data, err = readBounded(name, o.Limits.MaxFile)
	}
	if err != nil {
		return nil, reason(err)
	}
	keepWithin(len(data))
	return inspect.File(context.Background(), name, data, o)
}

// keepWithin tells the garbage collector what the rule book allows for a file
// of n bytes: twice the file and 16 MiB. Left to itself it lets garbage grow to
// what is in use. A limit from outside (GOMEMLIMIT) stands.
func keepWithin(n int) {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(int64(2*n + 16<<20))
	}
}

// readBounded reads a file, and one byte more than the cap where it is longer:
// enough to be told that it is.
func readBounded(name string, most int) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return nil, errors.New("it is a folder, not a file")
	}
	return readLimited(f, info.Size(), most)
}

// readLimited makes room for a known size at once, so that a large file is not
// copied again and again while it is read.
func readLimited(r io.Reader, size int64, most int) ([]byte, error) {
	var b bytes.Buffer
	if size = min(size, int64(most)); size > 0 {
		b.Grow(int(size) + bytes.MinRead)
	}
	_, err := b.ReadFrom(io.LimitReader(r, int64(most)+1))
	return b.Bytes(), err
}

// reason leaves the path out of a file's error: it is named beside it.
func reason(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// printDocument writes one document; text is parted by empty lines.
func printDocument(w io.Writer, d *inspect.Document, asJSON bool, i int) error {
	if asJSON {
		return d.WriteJSON(w)
	}
	if i > 0 {
		if _, err := io.WriteString(w, "\n"); err != nil {
			return err
		}
	}
	return d.WriteText(w)
}
