package satochip

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"slices"
	"time"

	"github.com/btcsuite/btcd/btcec/v2"

	"github.com/airlock-signer/airlock/reader/apdu"
	"github.com/airlock-signer/airlock/reader/card"
	"github.com/airlock-signer/airlock/reader/secret"
)

// Make is the name of this make in card.Info.
const Make = "Satochip"

// closeTimeout bounds the log-out that Close tries: releasing the card resets
// it anyway, and a reader that hangs must not hold up the program.
const closeTimeout = time.Second

// driver is an open Satochip. It implements card.Card.
type driver struct {
	link        link
	status      status
	info        card.Info
	authentikey *btcec.PublicKey // nil: 0.11 without a seed
	mayBeIn     bool             // a PIN was sent, and no log-out since
	in          bool             // logged in, to the card identified
	known       map[string]derived
	last        *lastKey
}

// lastKey is the key that the card derived last in this login.
type lastKey struct {
	path []uint32
	derived
}

// Open recognises a Satochip and opens it: SELECT, GET STATUS and two secure
// channels, which give its identity. Nothing secret is sent. random is the
// source of the channels' keys and IVs, crypto/rand.Reader but in tests.
//
// A card that is no Satochip is card.ErrUnknownCard; one that is, but whose
// protocol the station does not know, card.ErrTooOld or card.ErrTooNew. The
// transport stays the caller's on an error.
func Open(ctx context.Context, t card.Transport, random io.Reader) (card.Card, error) {
	d := &driver{link: link{t: t, random: random}}
	if err := d.link.selectApplet(ctx); err != nil {
		return nil, err
	}
	s, err := d.link.status(ctx)
	if err != nil {
		// A bare 9000 to SELECT proves nothing: only its status makes it a Satochip.
		if errors.As(err, new(card.StatusError)) {
			return nil, card.ErrUnknownCard
		}
		return nil, err
	}
	if err := d.identify(ctx, s); err != nil {
		return nil, err
	}
	d.setStatus(s)
	return d, nil
}

// identify opens the channel twice and finds the authentikey.
func (d *driver) identify(ctx context.Context, s status) error {
	first, err := d.link.open(ctx)
	if err != nil {
		return err
	}
	second, err := d.link.open(ctx)
	if err != nil {
		return err
	}
	if !s.version.ownKey() && !s.seeded && len(first.candidates)+len(second.candidates) == 0 {
		return nil
	}
	d.authentikey, err = common(first.candidates, second.candidates)
	return d.link.distrust(err)
}

func (d *driver) setStatus(s status) {
	d.status = s
	d.info = card.Info{
		Make:           Make,
		Version:        s.version.String(),
		State:          s.state(),
		PINTries:       s.pinTries,
		PUKTries:       s.pukTries,
		TwoFactor:      s.twoFactor,
		SharedIdentity: !s.version.ownKey(),
	}
	if d.authentikey != nil {
		d.info.Identity = d.authentikey.SerializeCompressed()
	}
}

// Info is as of the last reply that told: tries left after a PIN that was
// taken are those of the last Refresh.
func (d *driver) Info() card.Info {
	info := d.info
	info.Identity = slices.Clone(info.Identity)
	return info
}

// Refresh asks in clear; login and channel stay.
func (d *driver) Refresh(ctx context.Context) (card.Info, error) {
	s, err := d.link.status(ctx)
	if err != nil {
		return card.Info{}, err
	}
	if s.version != d.status.version {
		return card.Info{}, d.link.distrust(badReply("another version than before"))
	}
	if !s.version.ownKey() && s.seeded != d.status.seeded {
		return card.Info{}, d.link.distrust(&conditionError{
			sentence: "The seed of this card changed, and with it what identifies the card. Take it out and put it back.",
			is:       card.ErrOtherCard,
		})
	}
	d.setStatus(s)
	return d.Info(), nil
}

// VerifyPIN logs in and has the card prove that it is the one identified. A
// PIN goes out only to a card that is set up and not blocked, and only in a
// length that a Satochip's PIN can have.
func (d *driver) VerifyPIN(ctx context.Context, pin *secret.Buffer) error {
	switch d.info.State {
	case card.StateNotSetUp:
		return card.ErrNotSetUp
	case card.StatePINBlocked, card.StateBlocked:
		return d.blocked()
	}
	if n := pin.Len(); n < minPINSize || n > maxPINSize {
		return errPINSize
	}
	d.forget()
	sw, sent, err := d.link.verifyPIN(ctx, pin)
	if sent {
		d.mayBeIn = true
	}
	switch {
	case err != nil && sent:
		return unknownOutcome(err)
	case err != nil:
		return err
	case sw != apdu.OK:
		return d.wrongPIN(sw)
	}
	if err := d.prove(ctx); err != nil {
		return err
	}
	d.in = true
	return nil
}

var errPINSize = &card.Error{Sentence: "The PIN of a Satochip has 4 to 16 characters. Nothing was sent to the card, so no try was used."}

// unknownOutcome is for a PIN that went out and no answer that can be right.
func unknownOutcome(err error) error {
	sentence := card.ErrOutcomeUnknown.Sentence
	if errors.Is(err, card.ErrBadReply) {
		sentence = "The answer to the PIN cannot be right. Whether that try counted is not known. Take the card out and put it back."
	}
	return &conditionError{sentence: sentence, is: card.ErrOutcomeUnknown, cause: err}
}

// wrongPIN takes note of the tries left.
func (d *driver) wrongPIN(sw apdu.SW) error {
	left, counted := sw.TriesLeft()
	if sw != swBlocked && !counted {
		return refusal("checking the PIN", sw)
	}
	d.status.pinTries = left
	if sw == swBlocked {
		d.status.pinTries = 0
	}
	d.setStatus(d.status)
	if sw == swBlocked {
		return d.blocked()
	}
	return card.WrongPINError{Left: left}
}

// blocked says whether the PUK can still help.
func (d *driver) blocked() error {
	if d.info.State != card.StateBlocked {
		return card.ErrBlocked
	}
	return &conditionError{
		sentence: "The PIN and the PUK of this card are blocked. Only a factory reset brings it back; that erases its key, which then needs its backup.",
		is:       card.ErrBlocked,
	}
}

// prove has the card, now logged in, show the authentikey that it was
// identified by. The 9000 to a PIN is not authenticated; this is.
func (d *driver) prove(ctx context.Context) error {
	if d.authentikey == nil {
		return nil // 0.11 without a seed: it has no key to prove, nor any to give
	}
	ins := byte(insExportAuthKey)
	if !d.status.version.ownKey() {
		ins = insAuthentikey
	}
	key, err := d.link.authentikey(ctx, ins)
	if errors.Is(err, card.ErrPINNeeded) {
		return d.link.distrust(badReply("the PIN was taken, and then asked for again"))
	}
	if err != nil {
		return err
	}
	if !key.IsEqual(d.authentikey) {
		return d.link.distrust(&conditionError{
			sentence: card.ErrOtherCard.Sentence + " It took the PIN, but it proved another identity than it showed. Change the PIN if you do not know why.",
			is:       card.ErrOtherCard,
		})
	}
	return nil
}

// forget ends what holds for one login.
func (d *driver) forget() {
	d.in, d.last, d.known = false, nil, nil
}

// noticed ends the login in our books where the card says that it ended.
func (d *driver) noticed(err error) error {
	if errors.Is(err, card.ErrPINNeeded) {
		d.forget()
	}
	return err
}

// Logout ends the login; the channel stays.
func (d *driver) Logout(ctx context.Context) error {
	d.forget()
	if !d.mayBeIn {
		return nil
	}
	if err := d.link.logout(ctx); err != nil {
		return err
	}
	d.mayBeIn = false
	return nil
}

// Close logs out, as far as the card still answers, and releases it, which
// resets it.
func (d *driver) Close() error {
	if d.link.channel == nil {
		return nil // closed before
	}
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	_ = d.Logout(ctx) // the reset that follows does the same
	d.link.channel.wipe()
	d.link.channel, d.link.fault = nil, errClosed
	return d.link.t.Close()
}

// ExtendedKey at path, its parent asked before it for the fingerprint. Both
// are kept until the login ends.
func (d *driver) ExtendedKey(ctx context.Context, path []uint32) (card.ExtendedKey, error) {
	if !d.in {
		return card.ExtendedKey{}, card.ErrPINNeeded
	}
	x := card.ExtendedKey{Path: slices.Clone(path)}
	var parent *derived
	if len(path) > 0 {
		p, err := d.know(ctx, path[:len(path)-1])
		if err != nil {
			return card.ExtendedKey{}, d.noticed(err)
		}
		parent, x.ParentFingerprint = &p, p.fingerprint()
	}
	k, err := d.know(ctx, path)
	if err != nil {
		return card.ExtendedKey{}, d.noticed(err)
	}
	if parent != nil {
		if err := checkChild(*parent, path[len(path)-1], k); err != nil {
			return card.ExtendedKey{}, d.link.distrust(err)
		}
	}
	x.PubKey, x.ChainCode = k.compressed(), k.chainCode
	return x, nil
}

// know is the key at path, from this login's memory or from the card.
func (d *driver) know(ctx context.Context, path []uint32) (derived, error) {
	name := pathName(path)
	if k, ok := d.known[name]; ok {
		return k, nil
	}
	k, err := d.derive(ctx, path)
	if err != nil {
		return derived{}, err
	}
	if d.known == nil {
		d.known = make(map[string]derived)
	}
	d.known[name] = k
	return k, nil
}

// derive asks the card, and takes note that this is the key it derived last.
func (d *driver) derive(ctx context.Context, path []uint32) (derived, error) {
	if err := checkDepth(path); err != nil {
		return derived{}, err
	}
	if d.authentikey == nil {
		return derived{}, card.ErrNoSeed
	}
	d.last = nil
	k, err := d.link.extendedKey(ctx, path, d.authentikey)
	if err != nil {
		return derived{}, err
	}
	d.last = &lastKey{path: slices.Clone(path), derived: k}
	return k, nil
}

func pathName(path []uint32) string {
	var b []byte
	for _, n := range path {
		b = binary.BigEndian.AppendUint32(b, n)
	}
	return string(b)
}
