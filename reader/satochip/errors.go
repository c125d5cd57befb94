package satochip

import (
	"fmt"

	"github.com/airlock-signer/airlock/reader/apdu"
	"github.com/airlock-signer/airlock/reader/card"
)

// Status words that the driver decides on.
const (
	swCacheFull    apdu.SW = 0x9C01
	swPINNeeded    apdu.SW = 0x9C06
	swNotAllowed   apdu.SW = 0x9C03
	swBlocked      apdu.SW = 0x9C0C
	swInternal     apdu.SW = 0x6F00
	swNoChannel    apdu.SW = 0x9C21
	swWrongCounter apdu.SW = 0x9C22
	swWrongMAC     apdu.SW = 0x9C23
	swReset        apdu.SW = 0xFF00 // and the insertions left
	swResetAgain   apdu.SW = 0xFFFF
)

// conditionError is a sentence for a person, and the conditions of package
// card that a caller can ask about.
type conditionError struct {
	sentence string
	is       error
	cause    error // nil, or another error it is as well
}

func (e *conditionError) Error() string { return e.sentence }

func (e *conditionError) Unwrap() []error {
	var all []error
	for _, err := range []error{e.is, e.cause} {
		if err != nil {
			all = append(all, err)
		}
	}
	return all
}

// meaning of a status word: a sentence, and the condition where package card
// has one.
type meaning struct {
	sentence string
	is       error
}

// Sentences that several status words share.
const (
	sayTwoFactor = "The second device's (2FA) approval is missing or wrong. This station does not support 2FA cards: use the program that set it up."
	sayMangled   = "The card did not accept the form of the command. The reader may be changing bytes: try another reader."
	sayReopen    = "Take the card out and put it back."
)

// meanings is the one place that says what a status word means (protocol page,
// "Status words"); 9000 needs none, and 63Cx carries a number: see refusal.
var meanings = map[apdu.SW]meaning{
	0x6700:         {sayMangled, nil},
	0x6A82:         {"The Satochip program was not found on this card.", card.ErrUnknownCard},
	0x6D00:         {"The program on this card is too old or too small to know this command.", card.ErrNotSupported},
	0x6E00:         {"Another program on the card answered. " + sayReopen, nil},
	swInternal:     {"The card failed inside. " + sayReopen + " If it fails again, the card needs a factory reset or is broken.", nil},
	swCacheFull:    {"The card's memory for keys is full and emptying it did not help. " + sayReopen, nil},
	0x9C02:         {"Wrong PIN. The card does not tell how many tries are left.", nil},
	swNotAllowed:   {"The card does not allow that now.", nil},
	0x9C04:         {card.ErrNotSetUp.Sentence, card.ErrNotSetUp},
	0x9C05:         {"This card cannot do that.", card.ErrNotSupported},
	swPINNeeded:    {card.ErrPINNeeded.Sentence + " It may have lost power for a moment: enter the PIN again.", card.ErrPINNeeded},
	0x9C07:         {card.ErrSetUpBefore.Sentence, card.ErrSetUpBefore},
	0x9C09:         {"The card does not know the kind of signature or key asked for.", card.ErrNotSupported},
	0x9C0B:         {sayTwoFactor, card.ErrTwoFactor},
	swBlocked:      {card.ErrBlocked.Sentence, card.ErrBlocked},
	0x9C0E:         {"The card cannot derive this one key (a chance of one in 2^127). Choose another address.", card.ErrNotSupported},
	0x9C0F:         {"The card did not accept a value: a PIN or PUK that is not 4 to 16 characters, a name that is too long, or a broken command.", nil},
	0x9C10:         {"The card has no key in that place, or does not go that deep.", card.ErrNotSupported},
	0x9C11:         {"The card does not know this variant of the command.", card.ErrNotSupported},
	0x9C13:         {"The card was asked to go on with a message that was not begun. Start again.", nil},
	0x9C14:         {card.ErrNoSeed.Sentence, card.ErrNoSeed},
	0x9C15:         {"The transaction the card was asked to sign is not the one it was shown. Start again.", nil},
	0x9C17:         {card.ErrHasSeed.Sentence, card.ErrHasSeed},
	0x9C18:         {"A second device (2FA) is set on this card already.", nil},
	0x9C19:         {"No second device (2FA) is set on this card.", nil},
	0x9C1A:         {"The card still holds single keys. Erase them first.", nil},
	0x9C1E:         {sayMangled, nil},
	0x9C1F:         {"The command was too long for the card.", nil},
	0x9C20:         {"The card wants its secure channel first. " + sayReopen, nil},
	swNoChannel:    {"The secure channel to the card is closed: another program used the card, or it lost power. " + sayReopen, nil},
	swWrongCounter: {"The card counts messages otherwise than the station: one was lost or repeated on the way. " + sayReopen, nil},
	swWrongMAC:     {"A message to the card was changed on the way, or another program opened a channel. " + sayReopen + " If it happens again, use another reader.", nil},
	0x9C26:         {"This command is no longer in the card's program.", card.ErrNotSupported},
	0x9C32:         {"What was to be loaded is too long for the card.", nil},
	0x9C33:         {"What was to be loaded was changed on the way (wrong checksum). Start the transfer again.", nil},
	0x9C34:         {"What was to be loaded is not what its label says. Start the transfer again.", nil},
	0x9C35:         {"The two cards were not introduced to each other yet.", nil},
	0x9C40:         {"The maker's data on this card is locked.", nil},
	0x9C43:         {"The card cannot make this taproot key.", card.ErrNotSupported},
	0x9C48:         {"Contactless use is switched off on this card. Put it into a contact reader.", nil},
	0x9C49:         {"Contactless use is blocked on this card for good. Put it into a contact reader.", nil},
	0x9CFF:         {"The card failed inside. " + sayReopen, nil},
	0xFF00:         {"The factory reset is done: the card is as new.", nil},
	0xFF01:         {sayResetStep(1), nil},
	0xFF02:         {sayResetStep(2), nil},
	0xFF03:         {sayResetStep(3), nil},
	0xFF04:         {sayResetStep(4), nil},
	0xFFFF:         {card.ErrResetInterrupted.Sentence, card.ErrResetInterrupted},
}

func sayResetStep(left int) string {
	if left == 1 {
		return "The factory reset wants the card to be taken out and put back once more."
	}
	return fmt.Sprintf("The factory reset wants the card to be taken out and put back %d more times.", left)
}

// refusal makes the error for a status word other than 9000: errors.As finds
// card.StatusError, errors.Is the condition of package card where it has one.
// What 63Cx means for a PIN is for wrongPIN to say.
func refusal(doing string, sw apdu.SW) error {
	plain := card.StatusError{Doing: doing, SW: uint16(sw)}
	m, ok := meanings[sw]
	if left, counted := sw.TriesLeft(); counted {
		m, ok = meaning{sentence: fmt.Sprintf("The card counted a wrong PIN or PUK; tries left: %d.", left)}, true
	}
	if !ok {
		return plain
	}
	return &conditionError{
		sentence: fmt.Sprintf("%s (While %s; status %s.)", m.sentence, doing, sw),
		is:       m.is,
		cause:    plain,
	}
}

// badReply says what was wrong with a reply.
func badReply(format string, args ...any) error {
	return card.BadReplyError{What: fmt.Sprintf(format, args...)}
}
