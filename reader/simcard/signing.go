package simcard

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"

	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcec/v2/schnorr"
	"github.com/btcsuite/btcd/chaincfg/chainhash"
)

// lastDerived is the key number of the key that was derived last.
const lastDerived = 0xFF

// keyNumber checks a key number: a slot, or the key derived last.
func (s *Satochip) keyNumber(n byte) bool { return n == lastDerived || int(n) < len(s.slots) }

// keyOf is the private key of a checked key number.
func (s *Satochip) keyOf(n byte) (*btcec.PrivateKey, uint16) {
	if n != lastDerived {
		if s.slots[n] == nil {
			return nil, swP1
		}
		return s.slots[n], swOK
	}
	if !s.extended.usable() {
		return nil, swInternal
	}
	return s.extended.d, swOK
}

// checkCode compares the code of the second device: HMAC-SHA1 over 32 bytes of
// message and 32 of padding.
func (s *Satochip) checkCode(message []byte, padding byte, code []byte) uint16 {
	if len(code) < 20 {
		return swLength
	}
	want := hmacSHA1(s.twoFactor, message, bytes.Repeat([]byte{padding}, 64-len(message)))
	if !hmac.Equal(want, code[:20]) {
		return swSignature
	}
	return swOK
}

// checkHashCode does so for hash | 8000 | code.
func (s *Satochip) checkHashCode(data []byte, padding byte) uint16 {
	switch {
	case s.twoFactor == nil:
		return swOK
	case len(data) < 32+2+20:
		return swLength
	case data[32] != 0x80 || data[33] != 0:
		return swAlgorithm
	}
	return s.checkCode(data[:32], padding, data[34:])
}

// signHash is SIGN HASH: ECDSA over the first 32 bytes; more are ignored.
func (s *Satochip) signHash(c command) ([]byte, uint16) {
	switch {
	case !s.loggedIn():
		return nil, swPINNeeded
	case !s.keyNumber(c.p1):
		return nil, swP1
	case len(c.data) < 32:
		return nil, swLength
	case c.p1 == lastDerived && !s.seeded:
		return nil, swNoSeed
	}
	if sw := s.checkHashCode(c.data, 0xCC); sw != swOK {
		return nil, sw
	}
	key, sw := s.keyOf(c.p1)
	if sw != swOK {
		return nil, sw
	}
	s.signed(c.data[:32])
	return s.signDigest(key, c.data[:32]), swOK
}

// tweak is the taproot tweak of 0.14-0.1: the tweak is XORed to X, where BIP341
// appends it, so that only 32 zero bytes give a BIP341 key. P2 changes nothing.
func (s *Satochip) tweak(c command) ([]byte, uint16) {
	switch {
	case !s.loggedIn():
		return nil, swPINNeeded
	case !s.keyNumber(c.p1):
		return nil, swP1
	case c.p1 == lastDerived && !s.seeded:
		return nil, swNoSeed
	case len(c.data) < 33 || c.data[0] != 32:
		return nil, swLength
	}
	key, sw := s.keyOf(c.p1)
	if sw != swOK {
		return nil, sw
	}
	public := key.PubKey().SerializeCompressed()
	x := public[1:]
	for i := range x {
		x[i] ^= c.data[1+i]
	}
	var t btcec.ModNScalar
	if overflow := t.SetByteSlice(chainhash.TaggedHash(chainhash.TagTapTweak, x)[:]); overflow {
		return nil, swTweak
	}
	d := key.Key
	if public[0] == 0x03 {
		d.Negate()
	}
	if d.Add(&t).IsZero() {
		return nil, swInternal
	}
	s.tweaked.d = btcec.PrivKeyFromScalar(&d)
	if !s.tweaked.usable() {
		return nil, swInternal
	}
	reply := append([]byte{0, 65}, s.tweaked.d.PubKey().SerializeUncompressed()...)
	return s.appendSigned(s.authentikey, reply), swOK
}

// signSchnorr is BIP340 with the key tweaked last, whatever key is named. It
// makes the nonce in that key's place, so that the next signature is one of
// the nonce, unless there is a new tweak.
func (s *Satochip) signSchnorr(c command) ([]byte, uint16) {
	switch {
	case !s.loggedIn():
		return nil, swPINNeeded
	case len(c.data) < 32:
		return nil, swLength
	}
	if sw := s.checkHashCode(c.data, 0xDD); sw != swOK {
		return nil, sw
	}
	if !s.tweaked.usable() {
		return nil, swInternal
	}
	digest := c.data[:32]
	s.signed(digest)
	aux := [32]byte(s.bytes(32))
	sig, err := schnorr.Sign(s.tweaked.d, digest, schnorr.CustomNonce(aux))
	if err != nil {
		return nil, swInternal
	}
	s.tweaked.d = bip340Nonce(s.tweaked.d, digest, aux)
	return sig.Serialize(), swOK
}

// bip340Nonce is k' of BIP340, before it is negated for an even R.
func bip340Nonce(key *btcec.PrivateKey, digest []byte, aux [32]byte) *btcec.PrivateKey {
	public := key.PubKey().SerializeCompressed()
	d := key.Key
	if public[0] == 0x03 {
		d.Negate()
	}
	t := d.Bytes()
	for i, b := range chainhash.TaggedHash([]byte("BIP0340/aux"), aux[:]) {
		t[i] ^= b
	}
	nonce := chainhash.TaggedHash([]byte("BIP0340/nonce"), t[:], public[1:], digest)
	k, _ := btcec.PrivKeyFromBytes(nonce[:])
	return k
}

// signMessage is SIGN MESSAGE in its three steps: P2 1 starts with the whole
// length, 2 is a part, 3 the last part.
func (s *Satochip) signMessage(c command) ([]byte, uint16) {
	switch {
	case !s.loggedIn():
		return nil, swPINNeeded
	case !s.keyNumber(c.p1):
		return nil, swP1
	case c.p2 < 1 || c.p2 > 3:
		return nil, swP2
	case c.p1 == lastDerived && !s.seeded:
		return nil, swNoSeed
	case c.p2 == 1:
		return nil, s.startMessage(c.data)
	case s.message == nil:
		return nil, swNoMessage
	case len(c.data) < 2:
		return nil, swInternal
	}
	size, rest := int(binary.BigEndian.Uint16(c.data)), c.data[2:]
	if size > len(rest) {
		return nil, swInternal
	}
	s.message.Write(rest[:size])
	if c.p2 == 2 {
		return nil, swOK
	}
	digest := s.message.Sum(nil)
	s.message = nil
	if s.twoFactor != nil {
		if sw := s.checkCode(digest, 0xBB, rest[size:]); sw != swOK {
			return nil, sw
		}
	}
	key, sw := s.keyOf(c.p1)
	if sw != swOK {
		return nil, sw
	}
	hash := sha256.Sum256(digest)
	s.signed(hash[:])
	return s.sign(key, digest), swOK
}

// startMessage hashes the header: the name of the coin, unless it is Bitcoin,
// follows the length.
func (s *Satochip) startMessage(data []byte) uint16 {
	if len(data) < 4 {
		return swLength
	}
	coin := "Bitcoin"
	if len(data) > 4 {
		if len(data) != 5+int(data[4]) {
			return swLength
		}
		coin = string(data[5:])
	}
	header := coin + " Signed Message:\n"
	s.message = sha256.New()
	s.message.Write(append([]byte{byte(len(header))}, header...))
	s.message.Write(compactSize(binary.BigEndian.Uint32(data)))
	return swOK
}

func compactSize(n uint32) []byte {
	switch {
	case n < 0xFD:
		return []byte{byte(n)}
	case n <= 0xFFFF:
		return binary.LittleEndian.AppendUint16([]byte{0xFD}, uint16(n))
	}
	return binary.LittleEndian.AppendUint32([]byte{0xFE}, n)
}
