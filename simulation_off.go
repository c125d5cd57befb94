//go:build !simulation

package main

import (
	"flag"

	"github.com/airlock-signer/airlock/tui/session"
)

// simulationCommands: a build without the simulation tag has none.
func simulationCommands() []command { return nil }

// demoFlag: nor has it a demo.
func demoFlag(*flag.FlagSet) func(*session.Config) error {
	return func(*session.Config) error { return nil }
}
