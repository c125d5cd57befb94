package simcard

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"io"
	"sync"

	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcutil/hdkeychain"
)

// Satochip answers APDUs as the published applet does. Not played, because
// nothing here uses them yet: 6F and 71 (transaction parsing for the second
// factor), 76 (its encryption), 92, 94, 98 and 99 (factory), AC (SeedKeeper), and the
// retired 40, 48, 74, 75; they answer 6D00.
type Satochip struct {
	mu      sync.Mutex
	version string
	random  io.Reader
	log     []Exchange
	digests [][32]byte                   // signed with a key of the card
	instead func(path []uint32) []uint32 // nil on an honest card

	// What a reset clears.
	selected  bool
	otherSeen bool // a command since power-up that is not FACTORY RESET, or one that is

	// What SELECT clears.
	channel channel

	// What stays.
	setUp       bool
	locked      bool // SETUP was tried once: nothing else works before it is done
	pins, puks  [8]*pin
	resetsLeft  int
	label       []byte
	authentikey *btcec.PrivateKey // nil on an unseeded 0.11
	seeded      bool
	master      *hdkeychain.ExtendedKey
	nodes       map[string]*hdkeychain.ExtendedKey // by path, as the card caches them
	nodeSlots   int
	extended    ecKey // the key derived last
	tweaked     ecKey // for Schnorr: the key tweaked last, then its nonce
	slots       [16]*btcec.PrivateKey
	twoFactor   []byte    // HMAC key, nil where none is set
	message     hash.Hash // SIGN MESSAGE under way, nil otherwise
	trusted     []byte    // public key of a SeedKeeper, 65 bytes
}

// ecKey is a key object of the card. It works only while it has both a value
// and the curve: the applet sets the curve at SETUP alone.
type ecKey struct {
	d     *btcec.PrivateKey
	curve bool
}

func (k ecKey) usable() bool { return k.d != nil && k.curve }

// command is an APDU that was taken apart, in clear or out of the channel.
type command struct {
	ins, p1, p2 byte
	data        []byte
}

// Status words (shared/cards/satochip.md, "Status words").
const (
	swOK              uint16 = 0x9000
	swPINFailed       uint16 = 0x63C0
	swLength          uint16 = 0x6700
	swNotFound        uint16 = 0x6A82
	swINS             uint16 = 0x6D00
	swCLA             uint16 = 0x6E00
	swInternal        uint16 = 0x6F00
	swCacheFull       uint16 = 0x9C01
	swNotAllowed      uint16 = 0x9C03
	swNotSetUp        uint16 = 0x9C04
	swUnsupported     uint16 = 0x9C05
	swPINNeeded       uint16 = 0x9C06
	swSetUpDone       uint16 = 0x9C07
	swAlgorithm       uint16 = 0x9C09
	swSignature       uint16 = 0x9C0B
	swBlocked         uint16 = 0x9C0C
	swDerivation      uint16 = 0x9C0E
	swParameter       uint16 = 0x9C0F
	swP1              uint16 = 0x9C10
	swP2              uint16 = 0x9C11
	swNoMessage       uint16 = 0x9C13
	swNoSeed          uint16 = 0x9C14
	swSeeded          uint16 = 0x9C17
	swTwoFactorSet    uint16 = 0x9C18
	swTwoFactorNotSet uint16 = 0x9C19
	swHMACTooLong     uint16 = 0x9C1F
	swChannelNeeded   uint16 = 0x9C20
	swChannelClosed   uint16 = 0x9C21
	swIV              uint16 = 0x9C22
	swMAC             uint16 = 0x9C23
	swRetired         uint16 = 0x9C26
	swNoTrusted       uint16 = 0x9C35
	swTweak           uint16 = 0x9C43
	swReset           uint16 = 0xFF00
)

// resetsNeeded is how often FACTORY RESET has to come, each after a power-up.
const resetsNeeded = 5

// ATR is that of the recordings: a T=1 card.
func (s *Satochip) ATR() []byte {
	atr, _ := hex.DecodeString("3bfc180000813180459067464a00641606f2727e00e0")
	return atr
}

// Reset is a power cycle.
func (s *Satochip) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.selected, s.otherSeen = false, false
	s.leave()
}

// Log is what the card was asked, oldest first (the last few thousand).
func (s *Satochip) Log() []Exchange {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Exchange(nil), s.log...)
}

// Count is how often a command was answered with 9000, of those in Log.
func (s *Satochip) Count(ins byte) int {
	n := 0
	for _, e := range s.Log() {
		if e.INS == ins && e.SW == swOK {
			n++
		}
	}
	return n
}

// Authentikey is the card's public key, compressed; nil on an unseeded 0.11.
func (s *Satochip) Authentikey() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.authentikey == nil {
		return nil
	}
	return s.authentikey.PubKey().SerializeCompressed()
}

// Transmit answers one APDU.
func (s *Satochip) Transmit(apdu []byte) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := Exchange{}
	if len(apdu) > 1 {
		e.INS = apdu[1]
	}
	reply, sw := s.process(apdu, &e)
	e.SW = sw
	if len(s.log) == maxLog {
		s.log = append(s.log[:0], s.log[maxLog/2:]...)
	}
	s.log = append(s.log, e)
	return binary.BigEndian.AppendUint16(reply, sw)
}

// process is the order in which the applet looks at a command.
func (s *Satochip) process(apdu []byte, e *Exchange) ([]byte, uint16) {
	if len(apdu) < 4 {
		return nil, swLength
	}
	c, whole := parse(apdu)
	if apdu[0] == 0x00 && c.ins == 0xA4 {
		return nil, s.selectApplet(c, whole)
	}
	if apdu[0] != 0xB0 || !s.selected {
		return nil, swCLA
	}
	if c.ins == 0xFF && s.version != Satochip011 {
		return nil, s.factoryReset()
	}
	s.otherSeen, s.resetsLeft = true, resetsNeeded
	switch {
	case c.ins == 0x3C:
		return s.status(c)
	case !whole:
		return nil, swLength
	case c.ins == 0x81:
		return s.openChannel(c)
	case c.ins != 0x82:
		return nil, swChannelNeeded
	}
	inner, sw := s.unwrap(c, apdu)
	if sw != swOK {
		return nil, sw
	}
	e.INS, e.Inner = inner.ins, true
	reply, sw := s.inner(inner)
	if len(reply) > 0 && inner.ins != 0x3C {
		reply = s.wrap(reply)
	}
	return reply, sw
}

// parse takes a short APDU apart; whole is false where the length byte does not
// fit what follows. One byte more is Le.
func parse(apdu []byte) (c command, whole bool) {
	c = command{ins: apdu[1], p1: apdu[2], p2: apdu[3]}
	if len(apdu) == 4 {
		return c, true
	}
	lc, rest := int(apdu[4]), apdu[5:]
	if len(rest) == 0 { // Le alone, which the applet takes for Lc
		return c, lc == 0
	}
	if lc == 0 || len(rest) < lc || len(rest) > lc+1 {
		return c, false
	}
	c.data = rest[:lc]
	return c, true
}

// selectApplet is SELECT by name. Of another name, 0.12 says that there is no
// such applet; the others answer 9000 and stay selected.
func (s *Satochip) selectApplet(c command, whole bool) uint16 {
	if whole && c.p1 == 0x04 && len(c.data) >= 8 && bytes.HasPrefix([]byte("SatoChip\x00"), c.data) {
		s.selected = true
		s.leave()
		return swOK
	}
	if s.selected && s.version != Satochip012 {
		return swOK
	}
	return swNotFound
}

// leave logs out and closes the channel.
func (s *Satochip) leave() {
	s.logout()
	s.channel.open = false
}

// inner handles a command that came through the channel. Its CLA was never
// looked at.
func (s *Satochip) inner(c command) ([]byte, uint16) {
	switch {
	case !s.setUp && c.ins != 0x2A && (c.ins != 0x42 || s.locked || s.version == Satochip011):
		return nil, swNotSetUp
	case s.setUp && c.ins == 0x2A:
		return nil, swSetUpDone
	}
	if handle := s.handler(c.ins); handle != nil {
		return handle(c)
	}
	return nil, swINS
}

// handler finds what answers a command in this version of the applet, nil if
// nothing does.
func (s *Satochip) handler(ins byte) func(command) ([]byte, uint16) {
	type table map[byte]func(command) ([]byte, uint16)
	always := table{
		0x2A: s.setup, 0x42: s.verifyPIN, 0x44: s.changePIN, 0x46: s.unblockPIN, 0x60: s.logoutAll,
		0x32: s.importKey, 0x33: s.resetKey, 0x35: s.publicKey, 0x3C: s.status,
		0x6C: s.importSeed, 0x77: s.resetSeed, 0x73: s.seededAuthentikey, 0x6D: s.extendedKey,
		0x6E: s.signMessage, 0x7A: s.signHash, 0x78: s.resetTwoFactor, 0x79: s.setTwoFactor,
		0x72: func(command) ([]byte, uint16) { return nil, swRetired },
	}
	since012 := table{
		0x3D: s.cardLabel, 0x93: s.certificate, 0x9A: s.challenge,
		0xAA: s.importTrusted, 0xAB: s.exportTrusted, 0xAD: s.exportAuthentikey,
	}
	since014 := table{0x7B: s.signSchnorr, 0x7C: s.tweak}
	handle := always[ins]
	if handle == nil && s.version != Satochip011 {
		handle = since012[ins]
	}
	if handle == nil && s.version == Satochip014 {
		handle = since014[ins]
	}
	return handle
}

// status is GET STATUS, in clear or in the channel: in plain both times.
func (s *Satochip) status(c command) ([]byte, uint16) {
	if c.p1 != 0 {
		return nil, swP1
	}
	if c.p2 != 0 {
		return nil, swP2
	}
	flag := func(b bool) byte {
		if b {
			return 1
		}
		return 0
	}
	reply := make([]byte, 12)
	switch s.version {
	case Satochip011:
		copy(reply, []byte{0, 11, 0, 1})
	case Satochip012:
		copy(reply, []byte{0, 12, 0, 6})
	case Satochip014:
		copy(reply, []byte{0, 14, 0, 1})
	}
	if s.setUp {
		for i := range 2 {
			reply[4+2*i], reply[5+2*i] = byte(s.pins[i].left), byte(s.puks[i].left)
		}
	}
	reply[8], reply[9], reply[10], reply[11] = flag(s.twoFactor != nil), flag(s.seeded), flag(s.setUp), 1
	return reply, swOK
}

// bytes draws random bytes.
func (s *Satochip) bytes(n int) []byte {
	b := make([]byte, n)
	if _, err := io.ReadFull(s.random, b); err != nil {
		s.random = rand.Reader
		_, _ = rand.Read(b) // never fails
	}
	return b
}

// newKey draws a private key.
func (s *Satochip) newKey() *btcec.PrivateKey {
	for range 100 {
		var d btcec.ModNScalar
		if overflow := d.SetByteSlice(s.bytes(32)); !overflow && !d.IsZero() {
			return btcec.PrivKeyFromScalar(&d)
		}
	}
	s.random = rand.Reader // the one given is not random at all
	return s.newKey()
}

// sign is an ECDSA signature over the SHA-256 of data, as the card does it.
func (s *Satochip) sign(key *btcec.PrivateKey, data []byte) []byte {
	digest := sha256.Sum256(data)
	return s.signDigest(key, digest[:])
}

// appendSigned appends the length and the signature over all of data.
func (s *Satochip) appendSigned(key *btcec.PrivateKey, data []byte) []byte {
	sig := s.sign(key, data)
	return append(binary.BigEndian.AppendUint16(data, uint16(len(sig))), sig...)
}
