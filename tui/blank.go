package tui

import "github.com/airlock-signer/airlock/tui/session"

// blankScreen shows nothing and has no keys: the first one pressed brings the
// screen of the step back.
type blankScreen struct{}

func (blankScreen) title(session.State) string         { return "" }
func (blankScreen) body(session.State, size) []string  { return nil }
func (blankScreen) keys(session.State, size) []binding { return nil }
