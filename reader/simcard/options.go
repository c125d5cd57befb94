package simcard

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcutil/hdkeychain"
)

// Versions of the applet that the twin plays.
const (
	Satochip011 = "0.11" // authentikey from the seed; no label, no factory reset
	Satochip012 = "0.12" // applet 0.12-0.6
	Satochip014 = "0.14" // applet 0.14-0.1, with Schnorr
)

// SatochipOptions say which card leaves the drawer. The zero value is a new
// 0.12 card: neither set up nor seeded.
type SatochipOptions struct {
	Version     string    // one of the constants above; "": 0.12
	PIN, PUK    []byte    // 4 to 16 bytes; nil: not set up, and no Seed either
	PINTries    int       // limit; 0: 5
	PUKTries    int       // limit; 0: 3
	WrongPINs   int       // PIN tries that are used up already
	WrongPUKs   int       // PUK tries that are used up already
	NodeSlots   int       // cached BIP32 nodes; 0: 32
	Seed        []byte    // BIP39 seed; nil: not seeded
	Label       string    // at most 64 bytes; 0.12 and later
	TwoFactor   bool      // wants a second device's code for each signature
	Authentikey []byte    // 32-byte private key; nil: drawn from Random
	Random      io.Reader // nil: the system's; it also follows one that runs dry
}

// NewSatochip makes a card, or says which option no card can have.
func NewSatochip(o SatochipOptions) (*Satochip, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	s := &Satochip{version: o.Version, random: o.Random, resetsLeft: resetsNeeded}
	if s.version == "" {
		s.version = Satochip012
	}
	if s.random == nil {
		s.random = rand.Reader
	}
	switch {
	case s.version == Satochip011: // comes with the seed
	case o.Authentikey == nil:
		s.authentikey = s.newKey()
	default:
		s.authentikey, _ = btcec.PrivKeyFromBytes(o.Authentikey)
	}
	// Until 0.11 the curve is set when the applet is installed.
	s.extended.curve = s.version == Satochip011
	s.pins[0] = newPIN([]byte(factoryPIN), 3)
	if o.PIN != nil {
		s.personalise(o)
	}
	return s, nil
}

// check refuses what the applet could not have come to hold.
func (o SatochipOptions) check() error {
	versions := []string{"", Satochip011, Satochip012, Satochip014}
	switch {
	case !slices.Contains(versions, o.Version):
		return fmt.Errorf("simcard: no Satochip of version %q", o.Version)
	case o.PIN == nil && (o.PUK != nil || o.Seed != nil || o.TwoFactor):
		return errors.New("simcard: a card without a PIN is not set up, and holds nothing")
	case o.PIN != nil && !(pinLength(len(o.PIN)) && pinLength(len(o.PUK))):
		return errors.New("simcard: PIN and PUK have 4 to 16 bytes")
	case o.Seed != nil && (len(o.Seed) == 0 || len(o.Seed) > 64):
		return errors.New("simcard: a seed has 1 to 64 bytes")
	case len(o.Label) > maxLabel:
		return fmt.Errorf("simcard: a label has at most %d bytes", maxLabel)
	case o.Authentikey != nil && len(o.Authentikey) != 32:
		return errors.New("simcard: an authentikey has 32 bytes")
	}
	return nil
}

// personalise brings a new card to where SETUP, IMPORT SEED and use would.
func (s *Satochip) personalise(o SatochipOptions) {
	orElse := func(n, standard int) int {
		if n > 0 {
			return n
		}
		return standard
	}
	s.pins[0] = newPIN(o.PIN, orElse(o.PINTries, 5))
	s.puks[0] = newPIN(o.PUK, orElse(o.PUKTries, 3))
	s.pins[1], s.puks[1] = newPIN(s.bytes(16), 1), newPIN(s.bytes(16), 1)
	s.pins[0].left = max(0, s.pins[0].limit-o.WrongPINs)
	s.puks[0].left = max(0, s.puks[0].limit-o.WrongPUKs)
	s.nodeSlots = orElse(o.NodeSlots, 32)
	s.nodes = make(map[string]*hdkeychain.ExtendedKey)
	s.setUp, s.locked = true, true
	s.setCurves()
	if s.version != Satochip011 {
		s.label = []byte(o.Label)
	}
	if o.TwoFactor {
		s.twoFactor = s.bytes(20)
	}
	if o.Seed != nil {
		s.loadSeed(o.Seed)
	}
}
