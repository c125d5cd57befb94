package signer

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/btcsuite/btcd/chaincfg/chainhash"
)

// challengeIndex is the child of the reserved branch (sealBranch) that answers challenges;
// seals have 0.
const challengeIndex uint32 = 1

// tagChallenge is the tag of what Challenge has signed (BIP340, tagged hashes).
var tagChallenge = []byte("airlock/challenge/v1")

// ErrChallengeFailed says that a key did not prove that it can sign.
var ErrChallengeFailed = errors.New("the card signed a test, and the signature is not that of its key: do not use this card")

// Challenge has a key sign a fresh random number, in a hash of this package's
// own making and on a path that no transaction may use, and verifies the
// signature (ECDSA). It proves that the card holds the private key of the
// account, and can sign with it; nothing that it signs can be a transaction.
//
// Errors: ErrChallengeFailed, those of the key (a card's sentences), or that
// the account key cannot be derived from.
func Challenge(ctx context.Context, k Key, account Path) error {
	a, err := k.Account(ctx, account)
	if err != nil {
		return err
	}
	branch, err := a.Key.Derive(sealBranch)
	if err != nil {
		return fmt.Errorf("deriving the challenge key: %w", err)
	}
	child, err := branch.Derive(challengeIndex)
	if err != nil {
		return fmt.Errorf("deriving the challenge key: %w", err)
	}
	pub, err := child.ECPubKey()
	if err != nil {
		return fmt.Errorf("deriving the challenge key: %w", err)
	}
	var fresh [32]byte
	if _, err := rand.Read(fresh[:]); err != nil {
		return fmt.Errorf("no random numbers: %w", err)
	}
	fingerprint := k.Fingerprint()
	req := Request{
		Input:  -1,
		Path:   append(append(Path(nil), account...), sealBranch, challengeIndex),
		PubKey: [33]byte(pub.SerializeCompressed()),
		Digest: *chainhash.TaggedHash(tagChallenge, fingerprint[:], fresh[:]),
		Scheme: ECDSA,
	}
	if err := k.Can(req); err != nil {
		return err
	}
	sigs, err := k.Sign(ctx, []Request{req}, func(int) {})
	if err != nil {
		return err
	}
	if len(sigs) != 1 {
		return ErrChallengeFailed
	}
	if _, err := checkSignature(&req, sigs[0]); err != nil {
		return ErrChallengeFailed
	}
	return nil
}
