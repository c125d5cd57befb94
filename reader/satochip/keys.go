package satochip

import (
	"bytes"
	"crypto/sha256"

	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcec/v2/ecdsa"

	"github.com/airlock-signer/airlock/reader/apdu"
)

const coordinateSize = 32

// parseDER reads a signature as the card gives it: strict DER and nothing
// after it. S may be high.
func parseDER(sig []byte) (*ecdsa.Signature, error) {
	// The library cuts off what follows the outer length; a card never sends more.
	if len(sig) < 2 || int(sig[1]) != len(sig)-2 {
		return nil, badReply("a signature of another length than it says")
	}
	s, err := ecdsa.ParseDERSignature(sig)
	if err != nil {
		return nil, badReply("a signature that is not strict DER")
	}
	return s, nil
}

// readCoordinate reads the X of a public key behind its two bytes of length,
// the first of which had a flag in bit 7 on old applets.
func readCoordinate(c *apdu.Cursor) []byte {
	length := c.Take(2)
	x := c.Take(coordinateSize)
	if length == nil || x == nil || length[0]&0x7F != 0 || length[1] != coordinateSize {
		return nil
	}
	return x
}

// pubKeyFromX finds the key with this X that made the signature over message;
// the card gives no parity. At most one of the two can have made it.
func pubKeyFromX(x, message, sig []byte) (*btcec.PublicKey, error) {
	s, err := parseDER(sig)
	if err != nil {
		return nil, err
	}
	if len(x) != coordinateSize {
		return nil, badReply("a public key of %d bytes", len(x))
	}
	digest := sha256.Sum256(message)
	compressed := append([]byte{0x02}, x...)
	for _, parity := range []byte{0x02, 0x03} {
		compressed[0] = parity
		key, err := btcec.ParsePubKey(compressed)
		if err != nil {
			return nil, badReply("a public key that is not on the curve")
		}
		if s.Verify(digest[:], key) {
			return key, nil
		}
	}
	return nil, badReply("a public key whose own signature does not verify")
}

// verifySigned checks that key signed message.
func verifySigned(key *btcec.PublicKey, message, sig []byte) error {
	s, err := parseDER(sig)
	if err != nil {
		return err
	}
	digest := sha256.Sum256(message)
	if !s.Verify(digest[:], key) {
		return badReply("the card's own signature over its answer does not verify")
	}
	return nil
}

// recoverKeys gives the compressed keys that can have made the signature over
// message: two, in theory up to four (SEC 1, 4.1.6).
func recoverKeys(message, sig []byte) ([][33]byte, error) {
	s, err := parseDER(sig)
	if err != nil {
		return nil, err
	}
	digest := sha256.Sum256(message)
	r, sv := s.R(), s.S()
	var compact [65]byte
	r.PutBytesUnchecked(compact[1:33])
	sv.PutBytesUnchecked(compact[33:])
	var keys [][33]byte
	for id := byte(0); id < 4; id++ {
		compact[0] = 27 + 4 + id
		key, _, err := ecdsa.RecoverCompact(compact[:], digest[:])
		if err != nil {
			continue // no such point
		}
		keys = append(keys, [33]byte(key.SerializeCompressed()))
	}
	return keys, nil
}

// common is the one key in both lists; an error where there is none or more
// than one (as when a reader gives the same opening twice).
func common(a, b [][33]byte) (*btcec.PublicKey, error) {
	var found [][33]byte
	for _, x := range a {
		for _, y := range b {
			if bytes.Equal(x[:], y[:]) {
				found = append(found, x)
			}
		}
	}
	if len(found) != 1 {
		return nil, badReply("two openings of the channel have %d keys in common, not one", len(found))
	}
	return btcec.ParsePubKey(found[0][:])
}
