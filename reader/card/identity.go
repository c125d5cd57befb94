package card

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// IdentityCode is the code of a card's identity key that a person compares
// with the printed plan: 16 hex digits in groups of four, from the SHA-256 of
// a fixed tag and the compressed key. "" where the card has no identity.
func IdentityCode(identity []byte) string {
	if len(identity) == 0 {
		return ""
	}
	h := sha256.Sum256(append([]byte("airlock/card-identity/v1\x00"), identity...))
	s := strings.ToUpper(hex.EncodeToString(h[:8]))
	return s[0:4] + "-" + s[4:8] + "-" + s[8:12] + "-" + s[12:16]
}
