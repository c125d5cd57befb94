// Airlock is an air-gapped Bitcoin signing station. This package is wiring
// only.
package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/airlock-signer/airlock/signer/plain"
)

// command is one of the small commands: arguments and streams in, exit status
// out.
type command struct {
	name, about string
	run         func(args []string, stdin io.Reader, stdout, stderr io.Writer) int
}

// commands of this build.
func commands() []command {
	return append([]command{
		{"inspect", "print the review of PSBT files, without a card", runInspect},
		{"cards", "list the readers and the card in each", runCards},
	}, simulationCommands()...)
}

func main() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }

// run starts the station, unless the first argument names a small command.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	if len(args) == 0 || strings.HasPrefix(args[0], "-") && !isHelp(args[0]) {
		return runStation(args, stdin, stdout, stderr)
	}
	for _, c := range commands() {
		if c.name == args[0] {
			return c.run(args[1:], stdin, stdout, stderr)
		}
	}
	status, out := 0, stdout
	if !isHelp(args[0]) {
		fmt.Fprintf(stderr, "airlock: there is no command %q\n\n", plain.Text(args[0]))
		status, out = 2, stderr
	}
	usage(out)
	return status
}

func isHelp(arg string) bool {
	return arg == "-h" || arg == "-help" || arg == "--help" || arg == "help"
}

func usage(w io.Writer) {
	fmt.Fprintln(w, "usage: airlock [FLAG]...      the station on this terminal")
	fmt.Fprintln(w, "       airlock COMMAND ...")
	for _, c := range commands() {
		fmt.Fprintf(w, "  %-10s %s\n", c.name, c.about)
	}
	fmt.Fprintln(w, "flags of the station:")
	for _, line := range stationFlags() {
		fmt.Fprintf(w, "  %s\n", line)
	}
}
