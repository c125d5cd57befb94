// Package console keeps lipgloss from asking the terminal anything.
//
// bubbletea v1 asks the terminal for its background colour in a package init,
// before main, in every command, and waits five seconds on a silent console.
// Go initialises packages in the order of their import paths as soon as their
// imports are ready, and this path sorts before bubbletea's: so this init runs
// first, answers for the terminal, and nothing is asked. A test on a silent
// pty keeps it so.
package console

import (
	"github.com/charmbracelet/lipgloss"
	"github.com/muesli/termenv"
)

func init() {
	lipgloss.SetHasDarkBackground(true)
	lipgloss.SetColorProfile(termenv.ANSI) // the Linux console's 16 colours
}
