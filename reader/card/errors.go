package card

import (
	"errors"
	"fmt"
)

// Error is a condition a caller can ask about with errors.Is. Its text is a
// sentence that a person can act on.
type Error struct{ Sentence string }

func (e *Error) Error() string { return e.Sentence }

// Conditions of readers and cards.
var (
	ErrRemoved        = &Error{"The card was taken out. Put the same card back to go on."}
	ErrReaderGone     = &Error{"The reader was unplugged. Plug it in again and put the card back."}
	ErrNoService      = &Error{"The smart card service (pcscd) is not running. Start it, or run 'make run', which does."}
	ErrNoReader       = &Error{"No smart card reader is plugged in. Plug one in; contactless readers work too."}
	ErrInUse          = &Error{"Another program is using this card. Close it, then take the card out and put it back."}
	ErrNoResponse     = &Error{"The card does not answer. Take it out, wipe the contacts, and put it back the other way up if need be."}
	ErrUnknownCard    = &Error{"This card is of no make that this station knows."}
	ErrBlocked        = &Error{"The PIN of this card is blocked: too many wrong tries. It can be unblocked with its PUK."}
	ErrNotSetUp       = &Error{"This card was never set up: it has no PIN and no key yet."}
	ErrNoSeed         = &Error{"This card holds no key yet."}
	ErrPINNeeded      = &Error{"The card wants its PIN first."}
	ErrTwoFactor      = &Error{"This card asks for a second device (2FA) before it signs, which this station does not support."}
	ErrNotSupported   = &Error{"This card cannot do that."}
	ErrTooOld         = &Error{"The program on this card is too old: it has no secure channel, so its PIN could be read on the wire."}
	ErrTooNew         = &Error{"The program on this card is newer than this station knows. Use a newer release of the station."}
	ErrOutcomeUnknown = &Error{"The card went away while it was checking the PIN. Whether that try counted is not known."}
	ErrBadReply       = &Error{"The card or the reader answered with something that cannot be right. Nothing was signed."}
	ErrOtherCard      = &Error{"This is another card than before."}
)

// WrongPINError is a wrong PIN with the number of tries left (0: now blocked).
type WrongPINError struct{ Left int }

func (e WrongPINError) Error() string {
	switch e.Left {
	case 0:
		return "Wrong PIN. No try is left: the card is now blocked and needs its PUK."
	case 1:
		return "Wrong PIN. 1 try is left; after it the card is blocked and needs its PUK."
	}
	return fmt.Sprintf("Wrong PIN. %d tries are left.", e.Left)
}

// StatusError is a status word that the driver has no better error for. Its
// sentence names what was asked and the word, for a person to look up.
type StatusError struct {
	Doing string // "signing", "opening the secure channel", …
	SW    uint16
}

func (e StatusError) Error() string {
	return fmt.Sprintf("The card refused while %s (status %04X).", e.Doing, e.SW)
}

// BadReplyError says what was wrong with a reply; it is ErrBadReply.
type BadReplyError struct{ What string }

func (e BadReplyError) Error() string {
	return ErrBadReply.Sentence + " (" + e.What + ")"
}

// Is makes errors.Is(err, ErrBadReply) true.
func (e BadReplyError) Is(target error) bool { return target == error(ErrBadReply) }

// Gone reports whether err means that the card or its reader went away, so
// that a run can go on when the same card is back.
func Gone(err error) bool {
	return errors.Is(err, ErrRemoved) || errors.Is(err, ErrReaderGone) || errors.Is(err, ErrOutcomeUnknown) || errors.Is(err, ErrNoService)
}
