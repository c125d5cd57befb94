package simcard

import (
	"crypto/hmac"
	"crypto/sha512"
	"encoding/binary"

	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcutil/hdkeychain"
)

// maxDepth of a path that the card derives.
const maxDepth = 10

func hmacSHA512(key string, data []byte) []byte {
	h := hmac.New(sha512.New, []byte(key))
	h.Write(data)
	return h.Sum(nil)
}

// loadSeed makes the BIP32 master key (hdkeychain.NewMaster refuses the short
// seeds that the card takes). Until 0.11 the authentikey comes from the seed too.
func (s *Satochip) loadSeed(seed []byte) {
	m := hmacSHA512("Bitcoin seed", seed)
	version := []byte{0x04, 0x88, 0xAD, 0xE4} // xprv
	s.master = hdkeychain.NewExtendedKey(version, m[:32], m[32:], make([]byte, 4), 0, 0, true)
	s.seeded = true
	if s.version == Satochip011 {
		s.authentikey, _ = btcec.PrivKeyFromBytes(hmacSHA512("Bitcoin seed2", seed)[:32])
	}
}

// forgetSeed clears the seed and the node cache. 0.14 clears the key derived
// last and the key tweaked last as well, and their curve with them.
func (s *Satochip) forgetSeed() {
	clear(s.nodes)
	s.seeded, s.master, s.trusted = false, nil, nil
	switch s.version {
	case Satochip011:
		s.authentikey = nil
	case Satochip014:
		s.extended, s.tweaked = ecKey{}, ecKey{}
	}
}

func (s *Satochip) importSeed(c command) ([]byte, uint16) {
	n := int(c.p1)
	switch {
	case !s.loggedIn():
		return nil, swPINNeeded
	case c.p2 != 0:
		return nil, swP2
	case s.seeded:
		return nil, swSeeded
	case n > 64 || len(c.data) < n:
		return nil, swLength
	}
	s.loadSeed(c.data[:n])
	return s.exportAuthentikey(c)
}

// resetSeed checks the PIN anew, and logs out.
func (s *Satochip) resetSeed(c command) ([]byte, uint16) {
	n := int(c.p1)
	if n <= 0x7F && len(c.data) < n {
		return nil, swLength
	}
	if !pinLength(n) {
		return nil, swParameter
	}
	if sw := s.pins[0].try(c.data[:n]); sw != swOK {
		return nil, sw
	}
	if !s.seeded {
		return nil, swNoSeed
	}
	if s.twoFactor != nil {
		if sw := s.checkCode(s.authentikeyX(), 0xFF, c.data[n:]); sw != swOK {
			return nil, sw
		}
	}
	s.forgetSeed()
	s.logout()
	return nil, swOK
}

func (s *Satochip) authentikeyX() []byte { return xOnly(s.authentikey.PubKey())[2:] }

func (s *Satochip) exportAuthentikey(command) ([]byte, uint16) {
	if !s.loggedIn() {
		return nil, swPINNeeded
	}
	return s.appendSigned(s.authentikey, xOnly(s.authentikey.PubKey())), swOK
}

func (s *Satochip) seededAuthentikey(c command) ([]byte, uint16) {
	switch {
	case !s.loggedIn():
		return nil, swPINNeeded
	case !s.seeded:
		return nil, swNoSeed
	}
	return s.exportAuthentikey(c)
}

// extendedKey is GET EXTENDED KEY: derive, keep as the key derived last, and
// tell chain code and X, signed by the key itself and by the authentikey.
func (s *Satochip) extendedKey(c command) ([]byte, uint16) {
	depth := int(c.p1)
	switch {
	case !s.loggedIn():
		return nil, swPINNeeded
	case !s.seeded:
		return nil, swNoSeed
	case depth > maxDepth:
		return nil, swP1
	case len(c.data) < 4*depth:
		return nil, swParameter
	}
	if c.p2&0x80 != 0 {
		clear(s.nodes)
	}
	node, sw := s.derive(s.substituted(c.data[:4*depth]))
	if sw != swOK {
		return nil, sw
	}
	if sw := s.setExtended(node); sw != swOK {
		return nil, sw
	}
	reply := append(node.ChainCode(), xOnly(s.extended.d.PubKey())...)
	reply = s.appendSigned(s.extended.d, reply)
	return s.appendSigned(s.authentikey, reply), swOK
}

// derive walks the path from the master key. Each node on the way takes a slot
// of the cache; that it is full is found only when a node has to go in.
func (s *Satochip) derive(path []byte) (*hdkeychain.ExtendedKey, uint16) {
	node := s.master
	for end := 4; end <= len(path); end += 4 {
		if cached, ok := s.nodes[string(path[:end])]; ok {
			node = cached
			continue
		}
		index := binary.BigEndian.Uint32(path[end-4:])
		if index < hdkeychain.HardenedKeyStart {
			// The public key of the parent is made in the key object that signs.
			if sw := s.setExtended(node); sw != swOK {
				return nil, sw
			}
		}
		child, err := node.Derive(index)
		if err != nil {
			return nil, swDerivation
		}
		if len(s.nodes) >= s.nodeSlots {
			return nil, swCacheFull
		}
		s.nodes[string(path[:end])] = child
		node = child
	}
	return node, swOK
}

// setExtended puts a node into the key object of the key derived last.
func (s *Satochip) setExtended(node *hdkeychain.ExtendedKey) uint16 {
	key, err := node.ECPrivKey()
	if err != nil {
		return swInternal
	}
	s.extended.d = key
	if !s.extended.usable() {
		return swInternal
	}
	return swOK
}
