package satochip

import (
	"context"
	"encoding/binary"

	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcec/v2/schnorr"
	"github.com/btcsuite/btcd/btcutil"
	"github.com/btcsuite/btcd/txscript"

	"github.com/airlock-signer/airlock/reader/apdu"
	"github.com/airlock-signer/airlock/reader/card"
	"github.com/airlock-signer/airlock/reader/secret"
)

// derived is a key at a path, verified.
type derived struct {
	key       *btcec.PublicKey
	chainCode [32]byte
}

func (d derived) compressed() [33]byte { return [33]byte(d.key.SerializeCompressed()) }

// fingerprint of the key (BIP32).
func (d derived) fingerprint() [4]byte {
	return [4]byte(btcutil.Hash160(d.key.SerializeCompressed()))
}

// selectApplet selects it, which closes the channel and logs out. Anything but
// a bare 9000 is another card.
func (l *link) selectApplet(ctx context.Context) error {
	data, sw, err := l.clear(ctx, apdu.Command{INS: 0xA4, P1: 0x04, Data: aid()})
	if err != nil {
		return err
	}
	if sw != apdu.OK || len(data) > 0 {
		return card.ErrUnknownCard
	}
	return nil
}

// status asks in clear, which works at any time and leaves the channel open.
func (l *link) status(ctx context.Context) (status, error) {
	data, sw, err := l.clear(ctx, apdu.Command{CLA: cla, INS: insStatus})
	if err != nil {
		return status{}, err
	}
	if sw != apdu.OK {
		return status{}, refusal("telling its state", sw)
	}
	s, err := parseStatus(data)
	return s, l.distrust(err)
}

// verifyPIN sends the PIN. sent is false where nothing went out.
func (l *link) verifyPIN(ctx context.Context, pin *secret.Buffer) (sw apdu.SW, sent bool, err error) {
	if l.channel == nil {
		return 0, false, errClosed
	}
	var command []byte
	// Sealed inside, sent outside: the buffer must not stay locked while a
	// reader hangs.
	pin.Use(func(p []byte) {
		command, err = l.channel.seal(apdu.Command{CLA: cla, INS: insVerifyPIN, Data: p})
	})
	if err != nil {
		return 0, false, err
	}
	data, sw, sent, err := l.sendOnce(ctx, command)
	if err == nil && len(data) > 0 {
		err = l.distrust(badReply("%d bytes in answer to the PIN", len(data)))
	}
	return sw, sent, err
}

// authentikey asks for it and checks its signature over itself.
func (l *link) authentikey(ctx context.Context, ins byte) (*btcec.PublicKey, error) {
	data, err := l.ask(ctx, "proving which card it is", apdu.Command{CLA: cla, INS: ins}, true)
	if err != nil {
		return nil, err
	}
	key, err := parseAuthentikey(data)
	return key, l.distrust(err)
}

// parseAuthentikey reads the key and checks its signature over itself.
func parseAuthentikey(data []byte) (*btcec.PublicKey, error) {
	c := apdu.NewCursor(data)
	x := readCoordinate(c)
	message := c.Read()
	sig := c.LV2()
	if err := c.End(); err != nil {
		return nil, err
	}
	return pubKeyFromX(x, message, sig)
}

// extendedKey derives the key at path, which is then the card's "last derived".
// A full cache of nodes is emptied, once.
func (l *link) extendedKey(ctx context.Context, path []uint32, authentikey *btcec.PublicKey) (derived, error) {
	const doing = "giving a public key"
	data := make([]byte, 0, 4*maxDepth) // never nil: the master key is asked with a length of 0
	for _, n := range path {
		data = binary.BigEndian.AppendUint32(data, n)
	}
	inner := apdu.Command{CLA: cla, INS: insExtendedKey, P1: byte(len(path)), P2: optDefault, Data: data}
	reply, sw, err := l.sealed(ctx, inner)
	if err == nil && sw == swCacheFull {
		inner.P2 = optFlushCache
		reply, sw, err = l.sealed(ctx, inner)
	}
	if err != nil {
		return derived{}, err
	}
	if sw == swInternal {
		return derived{}, &conditionError{
			sentence: "The card failed inside while giving a public key (status 6F00). If its seed was erased and loaded anew, this version of the card needs a factory reset and a new set-up; else take it out and put it back.",
			cause:    card.StatusError{Doing: doing, SW: uint16(sw)},
		}
	}
	if sw != apdu.OK {
		return derived{}, refusal(doing, sw)
	}
	d, err := parseExtendedKey(reply, authentikey)
	return d, l.distrust(err)
}

// parseExtendedKey reads chain code and key, finds the key's parity by its own
// signature and checks the authentikey's over all of it.
func parseExtendedKey(reply []byte, authentikey *btcec.PublicKey) (derived, error) {
	c := apdu.NewCursor(reply)
	chainCode := c.Take(32)
	x := readCoordinate(c)
	bySelf := c.Read()
	sig := c.LV2()
	byAuthentikey := c.Read()
	sig2 := c.LV2()
	if err := c.End(); err != nil {
		return derived{}, err
	}
	if err := verifySigned(authentikey, byAuthentikey, sig2); err != nil {
		return derived{}, err
	}
	key, err := pubKeyFromX(x, bySelf, sig)
	if err != nil {
		return derived{}, err
	}
	return derived{key: key, chainCode: [32]byte(chainCode)}, nil
}

// signHash signs a digest with the key derived last: strict DER, S as the card
// gives it.
func (l *link) signHash(ctx context.Context, digest [32]byte) ([]byte, error) {
	sig, err := l.ask(ctx, "signing", apdu.Command{
		CLA: cla, INS: insSignHash, P1: keyLastDerived, Data: digest[:],
	}, true)
	if err != nil {
		return nil, err
	}
	if _, err := parseDER(sig); err != nil {
		return nil, l.distrust(err)
	}
	return sig, nil
}

// tweak makes the taproot output key of the key derived last, without a script
// tree, ready for one signature. internal is what that key must be; the card
// must come to the output key that BIP341 gives.
func (l *link) tweak(ctx context.Context, internal, authentikey *btcec.PublicKey) error {
	data := make([]byte, 1+32) // LV: 32 zero bytes stand for no merkle root
	data[0] = 32
	reply, err := l.ask(ctx, "preparing a taproot signature", apdu.Command{
		CLA: cla, INS: insTweak, P1: keyLastDerived, Data: data,
	}, true)
	if err != nil {
		return err
	}
	return l.distrust(checkTweak(reply, internal, authentikey))
}

// checkTweak checks the reply to TWEAK.
func checkTweak(reply []byte, internal, authentikey *btcec.PublicKey) error {
	c := apdu.NewCursor(reply)
	point := c.LV2()
	message := c.Read()
	sig := c.LV2()
	if err := c.End(); err != nil {
		return err
	}
	if len(point) != pointSize || point[0] != 0x04 {
		return badReply("a taproot key of another form")
	}
	got, err := btcec.ParsePubKey(point)
	if err != nil {
		return badReply("a taproot key that is not on the curve")
	}
	if err := verifySigned(authentikey, message, sig); err != nil {
		return err
	}
	want := txscript.ComputeTaprootKeyNoScript(internal)
	if [32]byte(schnorr.SerializePubKey(got)) != [32]byte(schnorr.SerializePubKey(want)) {
		return badReply("a taproot key that is not the one BIP341 gives")
	}
	return nil
}

// signSchnorr signs a digest with the key tweaked last, and uses that up: a
// second signature without a new tweak would be made with a wrong key.
func (l *link) signSchnorr(ctx context.Context, digest [32]byte) ([]byte, error) {
	sig, err := l.ask(ctx, "signing", apdu.Command{
		CLA: cla, INS: insSignSchnorr, P1: keyLastDerived, Data: digest[:],
	}, true)
	if err != nil {
		return nil, err
	}
	if len(sig) != schnorr.SignatureSize {
		return nil, l.distrust(badReply("a Schnorr signature of %d bytes", len(sig)))
	}
	if _, err := schnorr.ParseSignature(sig); err != nil {
		return nil, l.distrust(badReply("a Schnorr signature out of range"))
	}
	return sig, nil
}

// logout ends the login; the channel stays.
func (l *link) logout(ctx context.Context) error {
	_, err := l.ask(ctx, "logging out", apdu.Command{CLA: cla, INS: insLogoutAll}, false)
	return err
}
