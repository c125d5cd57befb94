package satochip

import (
	"context"
	"errors"

	"github.com/btcsuite/btcd/btcec/v2"

	"github.com/airlock-signer/airlock/reader/apdu"
	"github.com/airlock-signer/airlock/reader/card"
	"github.com/airlock-signer/airlock/reader/secret"
)

// Set-up and care (card/care.go) that all versions have. A 9000 without data
// comes in clear: a reader can say it for the card. So what it says of set-up,
// new PINs and erased seeds counts as far as the next VERIFY PIN proves it, and
// of an erased seed nothing can prove it.

var (
	errPUKSize  = &card.Error{Sentence: "The PUK of a Satochip has 4 to 16 characters. Nothing was sent to the card, so no try was used."}
	errSeedSize = &card.Error{Sentence: "A seed for a Satochip has 16 to 64 bytes. Nothing was sent to the card."}
)

// codeFits says whether a PIN or PUK can be one of a Satochip.
func codeFits(b *secret.Buffer) bool {
	n := b.Len()
	return n >= minPINSize && n <= maxPINSize
}

// SetupRules are the vendor's: any bytes would do.
func (d *driver) SetupRules() card.SetupRules {
	code := card.CodeRule{Min: minPINSize, Max: maxPINSize}
	return card.SetupRules{PIN: code, PUK: code, PINTries: setupPINTries, PUKTries: setupPUKTries}
}

// Setup sets the card up, once: card.ErrSetUpBefore where it was.
func (d *driver) Setup(ctx context.Context, pin, puk *secret.Buffer) error {
	const doing = "being set up"
	switch {
	case d.status.setUp:
		return card.ErrSetUpBefore
	case !codeFits(pin):
		return errPINSize
	case !codeFits(puk):
		return errPUKSize
	}
	sw, sent, err := d.link.setup(ctx, pin, puk)
	switch {
	case err != nil && sent:
		return unknownOutcome(err, doing, "Whether it has its PIN is not known: put it back, and the station looks.")
	case err != nil:
		return err
	case sw != apdu.OK:
		return refusal(doing, sw)
	}
	return d.confirm(ctx, func(s status) bool { return s.setUp }, "set up, it says that it is not")
}

// confirm asks the card for its state after a change, which must show it.
func (d *driver) confirm(ctx context.Context, shows func(status) bool, otherwise string) error {
	if err := d.refresh(ctx); err != nil {
		return err
	}
	if !shows(d.status) {
		return d.link.distrust(badReply("%s", otherwise))
	}
	return nil
}

// SeedLengths are those of BIP32; the words of BIP39 give 64 bytes.
func (d *driver) SeedLengths() []int {
	var all []int
	for n := minSeed; n <= maxSeed; n++ {
		all = append(all, n)
	}
	return all
}

// LoadSeed loads a seed and has the card derive its master key, which
// ExtendedKey then gives without asking again. On 0.14 a seed loaded after one
// was erased cannot be used: that is card.ErrNeedsReset, and the state says so.
func (d *driver) LoadSeed(ctx context.Context, seed *secret.Buffer) error {
	const doing = "taking the seed"
	switch n := seed.Len(); {
	case d.status.seeded:
		return card.ErrHasSeed
	case !d.in:
		return card.ErrPINNeeded
	case n < minSeed || n > maxSeed:
		return errSeedSize
	}
	key, sw, sent, err := d.link.importSeed(ctx, seed)
	switch {
	case err != nil && sent:
		return unknownOutcome(err, doing, "Whether it holds the seed is not known: put it back, and the station looks.")
	case err != nil:
		return err
	case sw != apdu.OK:
		return d.noticed(refusal(doing, sw))
	}
	if err := d.owns(key); err != nil {
		return err
	}
	d.last, d.known = nil, nil
	d.status.seeded = true
	return d.proveSeed(ctx)
}

// owns compares the authentikey in the answer to a seed. Up to 0.11 it comes
// from the seed, so that the card is another one now.
func (d *driver) owns(key *btcec.PublicKey) error {
	switch {
	case !d.status.version.ownKey():
		d.authentikey = key
	case !key.IsEqual(d.authentikey):
		return d.link.distrust(badReply("the seed was taken by another card than the one identified"))
	}
	return nil
}

// proveSeed has the card derive, before it is called ready.
func (d *driver) proveSeed(ctx context.Context) error {
	_, err := d.know(ctx, nil)
	var status card.StatusError
	if errors.As(err, &status) && apdu.SW(status.SW) == swInternal {
		d.status.unusable = true
		d.setStatus(d.status)
		return &conditionError{
			sentence: card.ErrNeedsReset.Sentence + " (It took the seed and fails to derive keys from it, status 6F00. Cards of version 0.14 do so after a seed was erased.)",
			is:       card.ErrNeedsReset,
			cause:    status,
		}
	}
	if err != nil {
		return d.noticed(err)
	}
	d.status.unusable = false
	d.setStatus(d.status)
	return nil
}

// takesPIN says whether a PIN may be sent to the card as it is.
func (d *driver) takesPIN() error {
	switch d.info.State {
	case card.StateNotSetUp:
		return card.ErrNotSetUp
	case card.StatePINBlocked, card.StateBlocked:
		return d.blocked()
	}
	return nil
}

// ChangePIN wants no login. It logs out, also where the old PIN was wrong.
func (d *driver) ChangePIN(ctx context.Context, old, fresh *secret.Buffer) error {
	const doing = "changing the PIN"
	if err := d.takesPIN(); err != nil {
		return err
	}
	if !codeFits(old) || !codeFits(fresh) {
		return errPINSize
	}
	d.forget()
	sw, sent, err := d.link.changePIN(ctx, old, fresh)
	d.mayBeIn = d.mayBeIn || sent
	switch {
	case err != nil && sent:
		return unknownOutcome(err, doing, "Whether the old or the new PIN is valid is not known: try the new one first; a wrong one uses up a try.")
	case err != nil:
		return err
	case sw != apdu.OK:
		return d.wrongPIN(doing, sw)
	}
	return d.triesAgain(ctx)
}

// KeepsPIN: the PUK gives the tries back, and the PIN is the one before.
func (d *driver) KeepsPIN() bool { return true }

// Unblock gives the tries of the PIN back; the second buffer is not used. A
// wrong PUK is card.WrongPUKError, a blocked one card.ErrPUKBlocked.
func (d *driver) Unblock(ctx context.Context, puk, _ *secret.Buffer) error {
	const doing = "checking the PUK"
	switch d.info.State {
	case card.StatePINBlocked:
	case card.StateNotSetUp:
		return card.ErrNotSetUp
	case card.StateBlocked:
		return d.blocked()
	default:
		return card.ErrPINNotBlocked
	}
	if !codeFits(puk) {
		return errPUKSize
	}
	d.forget()
	sw, sent, err := d.link.unblockPIN(ctx, puk)
	switch {
	case err != nil && sent:
		return unknownOutcome(err, doing, "Whether that try counted is not known: put it back, and the station looks.")
	case err != nil:
		return err
	case sw == swNotAllowed:
		return card.ErrPINNotBlocked
	case sw != apdu.OK:
		return d.wrongPUK(doing, sw)
	}
	return d.confirm(ctx, func(s status) bool { return s.pinTries > 0 }, "unblocked, it says that it is still blocked")
}

// wrongPUK takes note of the tries left.
func (d *driver) wrongPUK(doing string, sw apdu.SW) error {
	left, counted := sw.TriesLeft()
	if sw != swBlocked && !counted {
		return refusal(doing, sw)
	}
	s := d.status
	s.pukTries = left
	if sw == swBlocked {
		s.pukTries = 0
	}
	d.setStatus(s)
	if sw == swBlocked {
		return d.blocked()
	}
	return card.WrongPUKError{Left: left}
}

// EraseWarning is of the trap of 0.14.
func (d *driver) EraseWarning() string {
	if !d.status.version.schnorr() {
		return ""
	}
	return "Satochips of version 0.14 may not be able to use another seed afterwards, until they are reset to the factory state and set up again. To load another seed, use the factory reset instead."
}

// EraseSeed erases the key; PIN, PUK and name stay. It logs out. That a card
// with a second device wants that device's code makes it card.ErrTwoFactor.
func (d *driver) EraseSeed(ctx context.Context, pin *secret.Buffer) error {
	const doing = "erasing the key"
	switch {
	case d.info.TwoFactor:
		return card.ErrTwoFactor
	case !d.status.seeded:
		return card.ErrNoSeed
	case !d.in:
		return card.ErrPINNeeded
	case !codeFits(pin):
		return errPINSize
	}
	d.forget()
	sw, sent, err := d.link.resetSeed(ctx, pin)
	switch {
	case err != nil && sent:
		return unknownOutcome(err, doing, "Whether it still holds the key is not known: put it back, and the station looks.")
	case err != nil:
		return err
	case sw != apdu.OK:
		return d.wrongPIN(doing, sw)
	}
	if !d.status.version.ownKey() {
		d.authentikey, d.status.seeded = nil, false // its identity went with the seed
	}
	return d.confirm(ctx, func(s status) bool { return !s.seeded }, "erased, it says that it still holds a key")
}
