// Airlock is an air-gapped Bitcoin signing station. This package is wiring
// only.
package main

import (
	"fmt"
	"io"
	"os"

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
	}, simulationCommands()...)
}

func main() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }

func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	if len(args) > 0 {
		for _, c := range commands() {
			if c.name == args[0] {
				return c.run(args[1:], stdin, stdout, stderr)
			}
		}
		fmt.Fprintf(stderr, "airlock: there is no command %q\n\n", plain.Text(args[0]))
	}
	fmt.Fprintln(stderr, "usage: airlock COMMAND …")
	for _, c := range commands() {
		fmt.Fprintf(stderr, "  %-10s %s\n", c.name, c.about)
	}
	return 2
}
