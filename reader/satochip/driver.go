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

// driver is an open Satochip of any version. It implements card.Card, and of
// what is in card/care.go what all versions have; driver12 adds the rest.
type driver struct {
	link        link
	status      status
	info        card.Info
	authentikey *btcec.PublicKey // nil: 0.11 without a seed
	label       string           // as the card or its owner last told it in this opening
	mostTries   int              // of the PIN, seen so far: the limit, or less
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
	if s.version.ownKey() {
		return &driver12{driver: d, vendors: vendorKeys()}, nil
	}
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
	d.mostTries = max(d.mostTries, s.pinTries)
	d.info = card.Info{
		Label:          d.label,
		Make:           Make,
		Version:        s.version.String(),
		State:          s.state(),
		PINTries:       s.pinTries,
		PUKTries:       s.pukTries,
		TwoFactor:      s.twoFactor,
		SharedIdentity: !s.version.ownKey(),
	}
	if !s.setUp {
		d.info.PINTries, d.info.PUKTries = -1, -1 // it says 0, of codes that are not there yet
	}
	if d.authentikey != nil {
		d.info.Identity = d.authentikey.SerializeCompressed()
	}
}

// Info is as of the last reply that told.
func (d *driver) Info() card.Info {
	info := d.info
	info.Identity = slices.Clone(info.Identity)
	return info
}

// Refresh asks in clear; login and channel stay.
func (d *driver) Refresh(ctx context.Context) (card.Info, error) {
	if err := d.refresh(ctx); err != nil {
		return card.Info{}, err
	}
	return d.Info(), nil
}

func (d *driver) refresh(ctx context.Context) error {
	s, err := d.link.status(ctx)
	if err != nil {
		return err
	}
	if s.version != d.status.version {
		return d.link.distrust(badReply("another version than before"))
	}
	if !s.version.ownKey() && s.seeded != d.status.seeded {
		return d.link.distrust(&conditionError{
			sentence: "The seed of this card changed, and with it what identifies the card. Take it out and put it back.",
			is:       card.ErrOtherCard,
		})
	}
	s.unusable = d.status.unusable && s.seeded
	d.setStatus(s)
	return nil
}

// triesAgain is for when the card took a PIN, which gives the tries back: up to
// a limit that it never told. It is asked only where fewer were left than the
// usual limit, or than were seen before.
func (d *driver) triesAgain(ctx context.Context) error {
	if d.status.pinTries >= max(setupPINTries, d.mostTries) {
		return nil
	}
	return d.refresh(ctx)
}

// VerifyPIN logs in and has the card prove that it is the one identified. A
// PIN goes out only to a card that is set up and not blocked, and only in a
// length that a Satochip's PIN can have.
func (d *driver) VerifyPIN(ctx context.Context, pin *secret.Buffer) error {
	if err := d.takesPIN(); err != nil {
		return err
	}
	if !codeFits(pin) {
		return errPINSize
	}
	d.forget()
	sw, sent, err := d.link.verifyPIN(ctx, pin)
	if sent {
		d.mayBeIn = true
	}
	switch {
	case err != nil && sent:
		return unknownOutcome(err, "checking the PIN", "Whether that try counted is not known.")
	case err != nil:
		return err
	case sw != apdu.OK:
		return d.wrongPIN("checking the PIN", sw)
	}
	if err := d.prove(ctx); err != nil {
		return err
	}
	if err := d.triesAgain(ctx); err != nil {
		return err
	}
	d.in = true
	return nil
}

var errPINSize = &card.Error{Sentence: "The PIN of a Satochip has 4 to 16 characters. Nothing was sent to the card, so no try was used."}

// unknownOutcome is for a command that went out, changes something or is
// counted, and had no answer that can be right.
func unknownOutcome(err error, doing, unknown string) error {
	sentence := "The card went away while " + doing + ". " + unknown
	if errors.Is(err, card.ErrBadReply) {
		sentence = "What the card answered while " + doing + " cannot be right. " + unknown + " Take the card out and put it back."
	}
	return &conditionError{sentence: sentence, is: card.ErrOutcomeUnknown, cause: err}
}

// wrongPIN takes note of the tries left.
func (d *driver) wrongPIN(doing string, sw apdu.SW) error {
	left, counted := sw.TriesLeft()
	if sw != swBlocked && !counted {
		return refusal(doing, sw)
	}
	s := d.status
	s.pinTries = left
	if sw == swBlocked {
		s.pinTries = 0
	}
	d.setStatus(s)
	if sw == swBlocked {
		return d.blocked()
	}
	return card.WrongPINError{Left: left, NoPUK: s.pukTries == 0}
}

// blocked says whether the PUK can still help.
func (d *driver) blocked() error {
	if d.info.State != card.StateBlocked {
		return card.ErrBlocked
	}
	return &conditionError{sentence: card.ErrPUKBlocked.Sentence, is: card.ErrBlocked, cause: card.ErrPUKBlocked}
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
