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

	ErrPUKBlocked       = &Error{"The PIN and the PUK of this card are blocked. Only a factory reset brings it back; that erases its key, which then needs its backup."}
	ErrPINNotBlocked    = &Error{"The PIN of this card is not blocked, so there is nothing to unblock. Enter the PIN, or change it."}
	ErrSetUpBefore      = &Error{"This card was set up before. To set it up anew, reset it to its factory state first; that erases its key."}
	ErrHasSeed          = &Error{"This card holds a key already. Erase it first, if you have its backup, or use another card."}
	ErrNeedsReset       = &Error{"This card cannot use the key that was loaded. Reset it to its factory state, set it up and load the key again."}
	ErrResetInterrupted = &Error{"The factory reset was interrupted by another command to the card and starts over. Take the card out and put it back to begin again."}
	ErrSeedKeeper       = &Error{"This is a SeedKeeper: it keeps seeds but does not sign. Use a card that signs here, such as a Satochip."}
)

// RecognisedError is a card whose make and version are known and with which the
// station does not work: it is its Condition (ErrTooOld, ErrTooNew,
// ErrSeedKeeper).
type RecognisedError struct {
	Make, Version string
	Condition     *Error
	Sentence      string // for the person; Condition's where ""
}

func (e *RecognisedError) Error() string {
	if e.Sentence != "" {
		return e.Sentence
	}
	return e.Condition.Sentence
}

// Unwrap is the condition.
func (e *RecognisedError) Unwrap() error { return e.Condition }

// WrongPINError is a wrong PIN with the number of tries left (0: now blocked).
// NoPUK says that the PUK is blocked too, so that only a factory reset helps
// once the PIN is.
type WrongPINError struct {
	Left  int
	NoPUK bool
}

func (e WrongPINError) Error() string {
	then := "the card is blocked and needs its PUK."
	if e.NoPUK {
		then = "only a factory reset brings the card back, for its PUK is blocked too; that erases its key, which then needs its backup."
	}
	switch e.Left {
	case 0:
		return "Wrong PIN. No try is left: now " + then
	case 1:
		return "Wrong PIN. 1 try is left; after it " + then
	}
	return fmt.Sprintf("Wrong PIN. %d tries are left.", e.Left)
}

// WrongPUKError is a wrong PUK with the number of tries left (0: now PIN and
// PUK are blocked).
type WrongPUKError struct{ Left int }

func (e WrongPUKError) Error() string {
	switch e.Left {
	case 0:
		return "Wrong PUK. No try is left. " + ErrPUKBlocked.Sentence
	case 1:
		return "Wrong PUK. 1 try is left; after it only a factory reset helps, which erases the card's key."
	}
	return fmt.Sprintf("Wrong PUK. %d tries are left.", e.Left)
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
