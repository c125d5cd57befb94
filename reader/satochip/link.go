package satochip

import (
	"context"
	"errors"
	"io"

	"github.com/btcsuite/btcd/btcec/v2"

	"github.com/airlock-signer/airlock/reader/apdu"
	"github.com/airlock-signer/airlock/reader/card"
)

// link exchanges commands with one card, in clear and sealed. Once a reply
// cannot be right it sends nothing more.
type link struct {
	t       card.Transport
	random  io.Reader
	channel *channel // nil before the first opening
	fault   error
}

var errClosed = &card.Error{Sentence: "The connection to this card was closed. Take the card out and put it back."}

// distrust remembers a reply that cannot be right, and passes the error on.
func (l *link) distrust(err error) error {
	if errors.Is(err, card.ErrBadReply) || errors.Is(err, card.ErrOtherCard) {
		l.fault = err
	}
	return err
}

// send is every exchange.
func (l *link) send(ctx context.Context, command []byte) ([]byte, apdu.SW, error) {
	if l.fault != nil {
		return nil, 0, l.fault
	}
	data, sw, err := apdu.Exchange(ctx, l.t, command)
	if err != nil {
		return nil, 0, l.distrust(err)
	}
	if sw != apdu.OK && len(data) > 0 {
		return nil, 0, l.distrust(badReply("status %s with %d bytes of data", sw, len(data)))
	}
	return data, sw, nil
}

// clear exchanges a command outside the channel.
func (l *link) clear(ctx context.Context, c apdu.Command) ([]byte, apdu.SW, error) {
	command, err := c.Bytes()
	if err != nil {
		return nil, 0, err
	}
	return l.send(ctx, command)
}

// sealed exchanges an inner command through the channel.
func (l *link) sealed(ctx context.Context, inner apdu.Command) ([]byte, apdu.SW, error) {
	if l.channel == nil {
		return nil, 0, errClosed
	}
	command, err := l.channel.seal(inner)
	if err != nil {
		return nil, 0, err
	}
	return l.sendSealed(ctx, command)
}

// sendSealed exchanges a command that was sealed before.
func (l *link) sendSealed(ctx context.Context, command []byte) ([]byte, apdu.SW, error) {
	data, sw, err := l.send(ctx, command)
	if err != nil || len(data) == 0 {
		return nil, sw, err
	}
	plain, err := l.channel.open(data)
	return plain, sw, l.distrust(err)
}

// sendOnce sends a sealed command that the card counts (a PIN or PUK is in it).
// sent is false where nothing went out.
func (l *link) sendOnce(ctx context.Context, command []byte) (data []byte, sw apdu.SW, sent bool, err error) {
	if err := ctx.Err(); err != nil {
		return nil, 0, false, err
	}
	if l.fault != nil {
		return nil, 0, false, l.fault
	}
	data, sw, err = l.sendSealed(ctx, command)
	return data, sw, true, err
}

// ask exchanges an inner command that is answered with data, or not, as told.
func (l *link) ask(ctx context.Context, doing string, inner apdu.Command, wantData bool) ([]byte, error) {
	data, sw, err := l.sealed(ctx, inner)
	if err != nil {
		return nil, err
	}
	if sw != apdu.OK {
		return nil, refusal(doing, sw)
	}
	if wantData != (len(data) > 0) {
		return nil, l.distrust(badReply("%d bytes in answer while %s", len(data), doing))
	}
	return data, nil
}

// open opens a secure channel, in place of the one before.
func (l *link) open(ctx context.Context) (opening, error) {
	private, err := newEphemeral(l.random)
	if err != nil {
		return opening{}, err
	}
	defer private.Zero()
	data, sw, err := l.clear(ctx, apdu.Command{
		CLA: cla, INS: insInitChannel, Data: private.PubKey().SerializeUncompressed(),
	})
	if err != nil {
		return opening{}, err
	}
	if sw != apdu.OK {
		return opening{}, refusal("opening the secure channel", sw)
	}
	o, err := parseOpening(data)
	if err != nil {
		return opening{}, l.distrust(err)
	}
	if l.channel != nil {
		l.channel.wipe()
	}
	l.channel, err = newChannel(btcec.GenerateSharedSecret(private, o.ephemeral), l.random)
	return o, err
}
