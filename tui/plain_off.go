//go:build !simulation

package tui

import "errors"

// readPlain does not exist in this build; nothing can ask for it.
func (in *input) readPlain([]byte) (int, error) {
	return 0, errors.New("tui: this build has no plain input")
}
