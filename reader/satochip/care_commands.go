package satochip

import (
	"context"
	"io"

	"github.com/btcsuite/btcd/btcec/v2"

	"github.com/airlock-signer/airlock/reader/apdu"
	"github.com/airlock-signer/airlock/reader/secret"
)

// The commands that change a card (protocol page "Commands"). Each returns
// whether anything went out; what was asked of a card that went away before it
// answered may have been done.

// quiet is for commands that are answered without data.
func (l *link) quiet(data []byte, sw apdu.SW, sent bool, err error) (apdu.SW, bool, error) {
	if err == nil && len(data) > 0 {
		err = l.distrust(badReply("%d bytes where none belong", len(data)))
	}
	return sw, sent, err
}

// setup gives PIN 0 and PUK 0. PIN 1 and PUK 1, which nobody uses, are random
// and drawn in this order.
func (l *link) setup(ctx context.Context, pin, puk *secret.Buffer) (apdu.SW, bool, error) {
	var d secretData
	defer d.wipe()
	d.put(byte(len(factoryPIN())))
	d.put(factoryPIN()...)
	d.put(setupPINTries, setupPUKTries)
	d.code(pin)
	d.code(puk)
	d.put(1, 1)
	var unused [randomCodes]byte
	defer clear(unused[:])
	for range 2 {
		if _, err := io.ReadFull(l.random, unused[:]); err != nil {
			return 0, false, err
		}
		d.put(randomCodes)
		d.put(unused[:]...)
	}
	d.put(0, nodeSlots, 0, 0x20) // slots, reserved (as the vendor sends it)
	d.put(1, 1, 1)               // rights that nobody looks at
	return l.quiet(l.sendSecret(ctx, apdu.Command{CLA: cla, INS: insSetup}, &d))
}

// changePIN logs out where it is done.
func (l *link) changePIN(ctx context.Context, old, fresh *secret.Buffer) (apdu.SW, bool, error) {
	var d secretData
	d.code(old)
	d.code(fresh)
	return l.quiet(l.sendSecret(ctx, apdu.Command{CLA: cla, INS: insChangePIN}, &d))
}

// unblockPIN gives the tries back and leaves the PIN as it was.
func (l *link) unblockPIN(ctx context.Context, puk *secret.Buffer) (apdu.SW, bool, error) {
	var d secretData
	d.raw(puk)
	return l.quiet(l.sendSecret(ctx, apdu.Command{CLA: cla, INS: insUnblockPIN}, &d))
}

// importSeed is answered with the authentikey.
func (l *link) importSeed(ctx context.Context, seed *secret.Buffer) (key *btcec.PublicKey, sw apdu.SW, sent bool, err error) {
	var d secretData
	d.raw(seed)
	data, sw, sent, err := l.sendSecret(ctx, apdu.Command{CLA: cla, INS: insImportSeed, P1: byte(d.n)}, &d)
	if err != nil || sw != apdu.OK {
		return nil, sw, sent, err
	}
	key, err = parseAuthentikey(data)
	return key, sw, sent, l.distrust(err)
}

// resetSeed logs out.
func (l *link) resetSeed(ctx context.Context, pin *secret.Buffer) (apdu.SW, bool, error) {
	var d secretData
	d.raw(pin)
	return l.quiet(l.sendSecret(ctx, apdu.Command{CLA: cla, INS: insResetSeed, P1: byte(d.n)}, &d))
}

// label asks for the name that the owner gave.
func (l *link) label(ctx context.Context) (string, error) {
	data, err := l.ask(ctx, "telling its name", apdu.Command{CLA: cla, INS: insLabel, P2: 1}, true)
	if err != nil {
		return "", err
	}
	c := apdu.NewCursor(data)
	label := c.LV()
	if err := c.End(); err != nil {
		return "", l.distrust(err)
	}
	if len(label) > maxLabel {
		return "", l.distrust(badReply("a name of %d bytes", len(label)))
	}
	return string(label), nil
}

func (l *link) setLabel(ctx context.Context, label string) error {
	data := append([]byte{byte(len(label))}, label...)
	_, err := l.ask(ctx, "taking its name", apdu.Command{CLA: cla, INS: insLabel, Data: data}, false)
	return err
}
