//go:build !simulation

package main

import (
	"flag"

	"github.com/airlock-signer/airlock/tui"
)

// simulationCommands: a build without the simulation tag has none.
func simulationCommands() []command { return nil }

// demoFlag: nor has it a demo.
func demoFlag(*flag.FlagSet) func(*tui.Options) error {
	return func(*tui.Options) error { return nil }
}
