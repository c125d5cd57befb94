package satochip

import (
	"context"
	"fmt"
	"slices"

	"github.com/btcsuite/btcd/btcutil/hdkeychain"
	"github.com/btcsuite/btcd/chaincfg"

	"github.com/airlock-signer/airlock/reader/card"
)

// Can says what this card signs: ECDSA on all versions; from 0.14 taproot
// outputs without a script tree (BIP86). The applet mixes a merkle root in
// otherwise than BIP341 says, and cannot sign with the untweaked key.
func (d *driver) Can(r card.SignRequest) error {
	if d.info.TwoFactor {
		return card.ErrTwoFactor
	}
	if err := checkDepth(r.Path); err != nil {
		return err
	}
	switch r.Scheme {
	case card.ECDSA:
		return nil
	case card.SchnorrKeyPath:
		return d.canSchnorr(r)
	case card.SchnorrScriptPath:
		return cannot("A Satochip cannot sign for the scripts of a taproot output, only for its key.")
	}
	return card.ErrNotSupported
}

func (d *driver) canSchnorr(r card.SignRequest) error {
	switch {
	case !d.status.version.schnorr():
		return cannot(fmt.Sprintf("This Satochip (version %s) cannot sign for taproot addresses; versions from 0.14 can.", d.info.Version))
	case d.status.schnorrLock:
		return cannot("Taproot signing is switched off on this card. Switch it on with the vendor's program.")
	case len(r.MerkleRoot) > 0:
		return cannot("A Satochip can sign for taproot addresses without scripts only (BIP86); this one has scripts.")
	}
	return nil
}

func cannot(sentence string) error {
	return &conditionError{sentence: sentence, is: card.ErrNotSupported}
}

func checkDepth(path []uint32) error {
	if len(path) > maxDepth {
		return cannot(fmt.Sprintf("A Satochip derives keys to a depth of %d; this one is at %d.", maxDepth, len(path)))
	}
	return nil
}

// SignDigests answers the requests in order. A key is derived only where it is
// not the one derived last, so requests of one key should stand together.
func (d *driver) SignDigests(ctx context.Context, requests []card.SignRequest, progress func(made int)) ([][]byte, error) {
	if !d.in {
		return nil, card.ErrPINNeeded
	}
	for _, r := range requests {
		if err := d.Can(r); err != nil {
			return nil, err
		}
	}
	var made [][]byte
	for _, r := range requests {
		sig, err := d.signOne(ctx, r)
		if err != nil {
			return made, d.noticed(err)
		}
		made = append(made, sig)
		if progress != nil {
			progress(len(made))
		}
	}
	return made, nil
}

// signOne has the card sign with the key at the path, once that is the key
// expected there.
func (d *driver) signOne(ctx context.Context, r card.SignRequest) ([]byte, error) {
	if d.last == nil || !slices.Equal(d.last.path, r.Path) {
		if _, err := d.derive(ctx, r.Path); err != nil {
			return nil, err
		}
	}
	if d.last.compressed() != r.PubKey {
		return nil, d.link.distrust(badReply("another key than the one reviewed, so nothing was signed with it"))
	}
	if r.Scheme == card.ECDSA {
		return d.link.signHash(ctx, r.Digest)
	}
	if err := d.link.tweak(ctx, d.last.key, d.authentikey); err != nil {
		return nil, err
	}
	return d.link.signSchnorr(ctx, r.Digest)
}

// checkChild computes an unhardened child from its parent (BIP32) and compares
// it: the card's signature does not cover the path. Hardened children cannot
// be computed; for them the order of replies must do.
func checkChild(parent derived, index uint32, child derived) error {
	if index >= hdkeychain.HardenedKeyStart {
		return nil
	}
	compressed := parent.compressed()
	x := hdkeychain.NewExtendedKey(chaincfg.MainNetParams.HDPublicKeyID[:], compressed[:], parent.chainCode[:], make([]byte, 4), 0, 0, false)
	want, err := x.Derive(index)
	if err != nil {
		return badReply("a key that BIP32 does not have")
	}
	key, err := want.ECPubKey()
	if err != nil {
		return err
	}
	if !key.IsEqual(child.key) || [32]byte(want.ChainCode()) != child.chainCode {
		return badReply("a key that is not the child of its parent")
	}
	return nil
}
