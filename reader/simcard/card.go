// Package simcard is smart cards and readers in software, for the demo, for
// training and for tests: a Satochip that answers the APDUs of the published
// applet, its traps and status words included (shared/cards/satochip.md), faults
// to put between a card and its host, simulated readers (a reader.Backend), and
// a client that plays a card into the virtual reader of Debian's vsmartcard-vpcd
// behind the real pcscd.
//
// It is written from the protocol page and the recordings alone and shares no
// code with the drivers: a twin that repeats its driver's mistakes proves
// nothing. Its keys are worth nothing either, so it does not lock memory.
package simcard

// Card is a software card as a reader sees it. Implementations are safe for
// concurrent use.
type Card interface {
	// ATR is the answer to reset, nil for a card that does not answer at all.
	ATR() []byte
	// Reset is power-up or a warm reset: logged out, nothing selected.
	Reset()
	// Transmit answers one command with the reply, status word last (at least 2
	// bytes). nil means no reply: the card is mute, or was pulled out.
	Transmit(apdu []byte) []byte
}

// Exchange is one command that a card has handled. It holds no data.
type Exchange struct {
	INS   byte   // of the command itself, not of its wrapping
	Inner bool   // it came through the secure channel
	SW    uint16 // status word
}

// maxLog bounds what a card remembers of its exchanges.
const maxLog = 4096
