package satochip

import (
	"fmt"

	"github.com/airlock-signer/airlock/reader/card"
)

// status is the reply to GET STATUS. It comes in clear and unsigned: a reader
// can change it, and gains no more by that than a card refused.
type status struct {
	version     version
	pinTries    int
	pukTries    int
	twoFactor   bool
	seeded      bool
	setUp       bool
	unusable    bool // holds a key and answered 6F00 to deriving from it: not in the reply
	schnorrLock bool // the owner switched Schnorr signing off (applets after 0.14-0.1)
}

// parseStatus reads a reply to GET STATUS. A reply too short to hold a version
// is card.ErrUnknownCard: some other applet answered. Versions without a
// channel are card.ErrTooOld, unknown ones card.ErrTooNew.
func parseStatus(data []byte) (status, error) {
	if len(data) < 4 {
		return status{}, card.ErrUnknownCard
	}
	s := status{version: version{data[0], data[1], data[2], data[3]}}
	if err := s.version.check(); err != nil {
		return status{}, err
	}
	if len(data) < statusSize || len(data) > statusSizeAccepted {
		return status{}, card.BadReplyError{What: fmt.Sprintf("a status of %d bytes", len(data))}
	}
	for _, b := range data[8:statusSize] {
		if b > 1 {
			return status{}, card.BadReplyError{What: "a status that is neither yes nor no"}
		}
	}
	s.pinTries, s.pukTries = int(data[4]), int(data[5])
	s.twoFactor, s.seeded, s.setUp = data[8] == 1, data[9] == 1, data[10] == 1
	if data[11] != 1 {
		return status{}, card.BadReplyError{What: "it says that it needs no secure channel"}
	}
	if len(data) >= statusSizePolicies {
		s.schnorrLock = data[policySchnorrOffset] != 0
	}
	return s, nil
}

// check that the driver knows this protocol.
func (v version) check() error {
	switch {
	case v.major == 0 && v.minor < firstWithChannel:
		return v.refused(card.ErrTooOld)
	case v.major > 0 || v.minor > lastKnown:
		return v.refused(card.ErrTooNew)
	}
	return nil
}

func (v version) refused(condition *card.Error) error {
	return &card.RecognisedError{
		Make: Make, Version: v.String(), Condition: condition,
		Sentence: fmt.Sprintf("%s It is version %s; the station works with 0.11 to 0.14.", condition.Sentence, v),
	}
}

// String is the protocol version, by which the vendor names his releases.
func (v version) String() string { return fmt.Sprintf("%d.%d", v.major, v.minor) }

// state in the words of package card.
func (s status) state() card.State {
	switch {
	case !s.setUp:
		return card.StateNotSetUp
	case s.pinTries == 0 && s.pukTries == 0:
		return card.StateBlocked
	case s.pinTries == 0:
		return card.StatePINBlocked
	case !s.seeded:
		return card.StateNoSeed
	case s.unusable:
		return card.StateNeedsReset
	}
	return card.StateReady
}
