package simcard

import (
	"bytes"

	"github.com/btcsuite/btcd/btcec/v2"
)

// maxLabel is the longest label in bytes.
const maxLabel = 64

// slotNumber checks what the commands of a key slot have in common.
func (s *Satochip) slotNumber(c command) uint16 {
	switch {
	case !s.loggedIn():
		return swPINNeeded
	case c.p2 != 0:
		return swP2
	case int(c.p1) >= len(s.slots):
		return swP1
	}
	return swOK
}

// importKey puts a private key into an empty slot.
func (s *Satochip) importKey(c command) ([]byte, uint16) {
	if sw := s.slotNumber(c); sw != swOK {
		return nil, sw
	}
	d := c.data
	switch {
	case len(d) < 4:
		return nil, swParameter
	case d[0] != 0x00: // not plain
		return nil, swUnsupported
	case d[1] != 0x0C: // not an EC private key
		return nil, swAlgorithm
	case d[2] != 0x01 || d[3] != 0x00 || len(d) < 12: // not 256 bits
		return nil, swParameter
	case d[10] != 0 || d[11] != 32:
		return nil, uint16(d[10])<<8 | uint16(d[11]) // the applet throws the length itself
	case len(d) < 12+32:
		return nil, swParameter
	case s.slots[c.p1] != nil:
		return nil, swP1
	}
	var scalar btcec.ModNScalar
	if overflow := scalar.SetByteSlice(d[12:44]); overflow || scalar.IsZero() {
		return nil, swInternal
	}
	key := btcec.PrivKeyFromScalar(&scalar)
	if s.twoFactor != nil {
		if sw := s.checkCode(xOnly(key.PubKey())[2:], 0x10^c.p1, d[44:]); sw != swOK {
			return nil, sw
		}
	}
	s.slots[c.p1] = key
	return nil, swOK
}

// resetKey empties a slot. With a second factor the applet compares with a code
// over a stale buffer, which no host can make.
func (s *Satochip) resetKey(c command) ([]byte, uint16) {
	if sw := s.slotNumber(c); sw != swOK {
		return nil, sw
	}
	switch {
	case s.slots[c.p1] == nil:
		return nil, swP1
	case s.twoFactor != nil && len(c.data) < 20:
		return nil, swLength
	case s.twoFactor != nil:
		return nil, swSignature
	}
	s.slots[c.p1] = nil
	return nil, swOK
}

// publicKey of a slot, signed by itself.
func (s *Satochip) publicKey(c command) ([]byte, uint16) {
	if sw := s.slotNumber(c); sw != swOK {
		return nil, sw
	}
	key := s.slots[c.p1]
	if key == nil {
		return nil, swP1
	}
	return s.appendSigned(key, xOnly(key.PubKey())), swOK
}

// cardLabel sets and tells the name that the owner gave. Its length may count
// one byte more than was sent: the applet counts its own length byte in.
func (s *Satochip) cardLabel(c command) ([]byte, uint16) {
	switch {
	case !s.loggedIn():
		return nil, swPINNeeded
	case c.p2 == 1:
		return append([]byte{byte(len(s.label))}, s.label...), swOK
	case c.p2 != 0:
		return nil, swP2
	case len(c.data) == 0:
		s.label = nil
		return nil, swOK
	}
	size := int(c.data[0])
	if size > len(c.data) || size > maxLabel {
		return nil, swParameter
	}
	s.label = make([]byte, size)
	copy(s.label, c.data[1:])
	return nil, swOK
}

// certificate is that of a card which was never personalised by its vendor.
func (s *Satochip) certificate(c command) ([]byte, uint16) {
	switch {
	case !s.loggedIn():
		return nil, swPINNeeded
	case c.p2 == 1:
		return []byte{0, 0}, swOK
	case c.p2 == 2:
		return nil, swLength
	}
	return nil, swP2
}

// challenge is answered by the authentikey.
func (s *Satochip) challenge(c command) ([]byte, uint16) {
	switch {
	case !s.loggedIn():
		return nil, swPINNeeded
	case len(c.data) < 32:
		return nil, swLength
	}
	nonce := s.bytes(32)
	sig := s.sign(s.authentikey, append(append([]byte("Challenge:"), nonce...), c.data[:32]...))
	return append(append(nonce, 0, byte(len(sig))), sig...), swOK
}

func (s *Satochip) setTwoFactor(c command) ([]byte, uint16) {
	switch {
	case !s.loggedIn():
		return nil, swPINNeeded
	case s.twoFactor != nil:
		return nil, swTwoFactorSet
	case len(c.data) < 28:
		return nil, swLength
	}
	s.twoFactor = bytes.Clone(c.data[:20]) // the limit is of use to 71 alone
	return nil, swOK
}

func (s *Satochip) resetTwoFactor(c command) ([]byte, uint16) {
	switch {
	case !s.loggedIn():
		return nil, swPINNeeded
	case len(c.data) < 20:
		return nil, swLength
	case s.twoFactor == nil:
		return nil, swTwoFactorNotSet
	}
	if sw := s.checkCode(hmacSHA1(s.twoFactor, []byte("id_2FA")), 0xAA, c.data); sw != swOK {
		return nil, sw
	}
	s.twoFactor = nil
	return nil, swOK
}

// importTrusted takes the public key of a SeedKeeper.
func (s *Satochip) importTrusted(c command) ([]byte, uint16) {
	switch {
	case !s.loggedIn():
		return nil, swPINNeeded
	case s.seeded:
		return nil, swSeeded
	case len(c.data) < 67 || c.data[0] != 0 || c.data[1] != 65 || c.data[2] != 0x04:
		return nil, swParameter
	}
	s.trusted = bytes.Clone(c.data[2:67])
	return s.exportTrusted(c)
}

func (s *Satochip) exportTrusted(command) ([]byte, uint16) {
	switch {
	case !s.loggedIn():
		return nil, swPINNeeded
	case s.trusted == nil:
		return nil, swNoTrusted
	}
	return s.appendSigned(s.authentikey, append([]byte{0, 65}, s.trusted...)), swOK
}
