package simcard

import (
	"bytes"

	"github.com/btcsuite/btcd/btcutil/hdkeychain"
)

// factoryPIN protects a card until SETUP; everybody knows it.
const factoryPIN = "Muscle00"

// pin is the OwnerPIN of Java Card: a value, tries, and whether it was
// presented since the last logout.
type pin struct {
	value       []byte
	limit, left int
	valid       bool
}

func newPIN(value []byte, limit int) *pin {
	return &pin{value: bytes.Clone(value), limit: limit, left: limit}
}

func (p *pin) check(value []byte) bool {
	p.valid = false
	if p.left == 0 {
		return false
	}
	p.left--
	if !bytes.Equal(p.value, value) {
		return false
	}
	p.left, p.valid = p.limit, true
	return true
}

func (p *pin) update(value []byte) {
	p.value, p.left, p.valid = bytes.Clone(value), p.limit, false
}

// try is check with the status words of this applet.
func (p *pin) try(value []byte) uint16 {
	if p.left == 0 {
		return swBlocked
	}
	if !p.check(value) {
		return swPINFailed + uint16(p.left)
	}
	return swOK
}

func pinLength(n int) bool { return n >= 4 && n <= 16 }

// loggedIn: PIN 0 was verified.
func (s *Satochip) loggedIn() bool { return s.pins[0].valid }

func (s *Satochip) logout() {
	for _, p := range s.pins {
		if p != nil {
			p.valid = false
		}
	}
}

func (s *Satochip) logoutAll(command) ([]byte, uint16) {
	s.logout()
	return nil, swOK
}

// pinOf finds the PIN a command names.
func (s *Satochip) pinOf(c command) *pin {
	if int(c.p1) >= len(s.pins) {
		return nil
	}
	return s.pins[c.p1]
}

func (s *Satochip) verifyPIN(c command) ([]byte, uint16) {
	p := s.pinOf(c)
	switch {
	case p == nil:
		return nil, swP1
	case c.p2 != 0:
		return nil, swP2
	case !pinLength(len(c.data)):
		return nil, swParameter
	}
	return nil, p.try(c.data)
}

// changePIN logs out: the new PIN must be verified again.
func (s *Satochip) changePIN(c command) ([]byte, uint16) {
	p := s.pinOf(c)
	switch {
	case p == nil:
		return nil, swP1
	case c.p2 != 0:
		return nil, swP2
	}
	f := fields{rest: c.data}
	old := f.pin()
	value := f.pin()
	if f.bad || len(c.data) < 4 {
		return nil, swParameter
	}
	if sw := p.try(old); sw != swOK {
		return nil, sw
	}
	p.update(value)
	return nil, swOK
}

// unblockPIN gives the tries back and leaves the PIN as it was.
func (s *Satochip) unblockPIN(c command) ([]byte, uint16) {
	p := s.pinOf(c)
	switch {
	case p == nil:
		return nil, swP1
	case p.left != 0:
		return nil, swNotAllowed
	case c.p2 != 0:
		return nil, swP2
	case !pinLength(len(c.data)):
		return nil, swParameter
	}
	if sw := s.puks[c.p1].try(c.data); sw != swOK {
		return nil, sw
	}
	p.left, p.valid = p.limit, false
	return nil, swOK
}

// fields reads length-value fields; bad says that one did not fit.
type fields struct {
	rest []byte
	bad  bool
}

func (f *fields) take(n int) []byte {
	if f.bad || n > len(f.rest) {
		f.bad = true
		return nil
	}
	b := f.rest[:n]
	f.rest = f.rest[n:]
	return b
}

func (f *fields) byte() int {
	b := f.take(1)
	if len(b) == 0 {
		return 0
	}
	return int(b[0])
}

// pin is a length and a PIN of a length the card takes.
func (f *fields) pin() []byte {
	n := f.byte()
	if !pinLength(n) {
		f.bad = true
	}
	return f.take(n)
}

// setup is SETUP: the PINs, the node cache, and the second factor if any. What
// was set before a fault in the data stays set, as in the applet: a card can be
// spoiled so.
func (s *Satochip) setup(c command) ([]byte, uint16) {
	s.locked = true
	f := fields{rest: c.data}
	factory := f.pin()
	if f.bad {
		return nil, swParameter
	}
	if sw := s.pins[0].try(factory); sw != swOK {
		return nil, sw
	}
	for i := range 2 {
		pinTries, pukTries := f.byte(), f.byte()
		value := f.pin()
		if f.bad {
			return nil, swParameter
		}
		if i == 0 || s.pins[i] == nil {
			s.pins[i] = newPIN(nil, pinTries)
		}
		s.pins[i].update(value)
		puk := f.pin()
		if f.bad {
			return nil, swParameter
		}
		if s.puks[i] == nil { // its limit stays over a factory reset
			s.puks[i] = newPIN(nil, pukTries)
		}
		s.puks[i].update(puk)
	}
	slots := f.byte()<<8 | f.byte()
	f.take(5) // reserved, and rights nobody looks at
	if f.bad {
		return nil, swInternal
	}
	if s.nodes == nil {
		s.nodes, s.nodeSlots = make(map[string]*hdkeychain.ExtendedKey), slots
	}
	s.setCurves()
	if option := f.take(2); !f.bad && option[0]&0x80 != 0 {
		key := f.take(20)
		f.take(8) // limit of what needs no code
		if f.bad {
			return nil, swInternal
		}
		s.twoFactor = bytes.Clone(key)
	}
	s.setUp = true
	return nil, swOK
}

// setCurves is what only SETUP does from 0.12 on.
func (s *Satochip) setCurves() {
	s.extended.curve, s.tweaked.curve = true, true
}

// factoryReset counts down; only the first command after power-up counts.
func (s *Satochip) factoryReset() uint16 {
	if s.otherSeen {
		s.resetsLeft = resetsNeeded
		return swReset + 0xFF
	}
	s.otherSeen = true
	s.resetsLeft--
	if s.resetsLeft > 0 {
		return swReset + uint16(s.resetsLeft)
	}
	s.resetsLeft = resetsNeeded
	s.forgetSeed()
	s.twoFactor, s.label = nil, nil
	clear(s.slots[:])
	s.pins[0].update([]byte(factoryPIN))
	s.setUp = false
	return swReset
}
