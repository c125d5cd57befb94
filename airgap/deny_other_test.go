//go:build !amd64

package airgap

import "testing"

// otherWordSizesAreDenied: the table of the filter alone shows it here.
func otherWordSizesAreDenied(*testing.T) {}
