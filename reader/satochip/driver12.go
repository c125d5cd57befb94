package satochip

import (
	"context"
	"fmt"
	"unicode/utf8"

	"github.com/btcsuite/btcd/btcec/v2"

	"github.com/airlock-signer/airlock/reader/apdu"
	"github.com/airlock-signer/airlock/reader/card"
)

// driver12 is a Satochip from 0.12, which has a name, a certificate and a
// factory reset.
type driver12 struct {
	*driver
	vendors []*btcec.PublicKey // whose certificates count
}

// LabelMax is in bytes of UTF-8.
func (d *driver12) LabelMax() int { return maxLabel }

// Label asks for the name that the owner gave, one exchange; Info has it from
// then on. It is not signed: a reader can garble it.
func (d *driver12) Label(ctx context.Context) (string, error) {
	if !d.in {
		return "", card.ErrPINNeeded
	}
	label, err := d.link.label(ctx)
	if err != nil {
		return "", d.noticed(err)
	}
	d.named(label)
	return label, nil
}

// SetLabel gives the card a name; "" takes it away.
func (d *driver12) SetLabel(ctx context.Context, label string) error {
	switch {
	case !d.in:
		return card.ErrPINNeeded
	case len(label) > maxLabel:
		return &card.Error{Sentence: fmt.Sprintf("The name of a Satochip has at most %d bytes; this one has %d. Choose a shorter one.", maxLabel, len(label))}
	case !utf8.ValidString(label):
		return &card.Error{Sentence: "This name has characters that are not valid text. Choose another."}
	}
	if err := d.link.setLabel(ctx, label); err != nil {
		return d.noticed(err)
	}
	d.named(label)
	return nil
}

func (d *driver12) named(label string) {
	d.label = label
	d.setStatus(d.status)
}

// ResetInsertions of a factory reset (ResetStep).
func (d *driver12) ResetInsertions() int { return resetsLeft }

// ResetStep is one insertion of a factory reset, which wants no PIN: on a fresh
// transport of a card that was just powered up it selects the applet and says
// FACTORY RESET, and nothing else. left is how many insertions are still
// wanted; 0: the card is as new, but for its authentikey and certificate.
//
// card.ErrResetInterrupted: the card heard another command first and starts
// over. card.ErrNotSupported: it is no card with this command. The counter is in
// the card: a left that is not one less than before tells of another card.
func ResetStep(ctx context.Context, t card.Transport) (left int, err error) {
	l := link{t: t}
	if err := l.selectApplet(ctx); err != nil {
		return 0, err
	}
	data, sw, err := l.clear(ctx, apdu.Command{CLA: cla, INS: insFactoryReset})
	switch {
	case err != nil:
		return 0, err
	case len(data) > 0:
		return 0, badReply("%d bytes in answer to the factory reset", len(data))
	case sw >= swReset && sw < swReset+resetsLeft:
		return int(sw - swReset), nil
	case sw == apdu.OK: // no Satochip says so
		return 0, badReply("a bare 9000 to the factory reset")
	case sw == 0x6D00, sw == 0x9C20: // up to 0.11 it is one of the commands that want the channel
		return 0, &conditionError{
			sentence: "The program on this card is too old for a factory reset.",
			is:       card.ErrNotSupported,
			cause:    card.StatusError{Doing: "resetting it", SW: uint16(sw)},
		}
	}
	return 0, refusal("resetting it", sw)
}
