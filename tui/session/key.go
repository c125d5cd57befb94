package session

import (
	"context"
	"fmt"

	"github.com/btcsuite/btcd/btcutil"
	"github.com/btcsuite/btcd/btcutil/hdkeychain"
	"github.com/btcsuite/btcd/chaincfg"

	"github.com/airlock-signer/airlock/reader/card"
	"github.com/airlock-signer/airlock/signer"
)

// cardKey adapts an unlocked card to signer.Key. It lives as long as the
// login; its caller holds the card's lock.
type cardKey struct {
	card        card.Card
	fingerprint [4]byte
	accounts    map[string]*signer.Account
}

var _ signer.Key = (*cardKey)(nil)

// newCardKey reads the master key's fingerprint from an unlocked card.
func newCardKey(ctx context.Context, c card.Card) (*cardKey, error) {
	master, err := c.ExtendedKey(ctx, nil)
	if err != nil {
		return nil, err
	}
	k := &cardKey{card: c, accounts: map[string]*signer.Account{}}
	copy(k.fingerprint[:], btcutil.Hash160(master.PubKey[:]))
	return k, nil
}

// Fingerprint of the master key.
func (k *cardKey) Fingerprint() [4]byte { return k.fingerprint }

// Account reads the account key at path, once in a login.
func (k *cardKey) Account(ctx context.Context, path signer.Path) (*signer.Account, error) {
	if a := k.accounts[path.String()]; a != nil {
		return a, nil
	}
	x, err := k.card.ExtendedKey(ctx, path)
	if err != nil {
		return nil, err
	}
	if len(path) == 0 || len(path) > 255 {
		return nil, fmt.Errorf("no account at %s", path)
	}
	// The version bytes are those of mainnet whatever the network: only the key
	// and the chain code are used.
	key := hdkeychain.NewExtendedKey(chaincfg.MainNetParams.HDPublicKeyID[:], x.PubKey[:], x.ChainCode[:],
		x.ParentFingerprint[:], uint8(len(path)), path[len(path)-1], false)
	a := &signer.Account{Fingerprint: k.fingerprint, Path: append(signer.Path(nil), path...), Key: key}
	k.accounts[path.String()] = a
	return a, nil
}

// Can says whether this card can answer the request.
func (k *cardKey) Can(r signer.Request) error { return k.card.Can(cardRequest(r)) }

// Sign passes the requests on. Only package signer calls it.
func (k *cardKey) Sign(ctx context.Context, requests []signer.Request, progress func(int)) ([]signer.Signature, error) {
	asked := make([]card.SignRequest, len(requests))
	for i, r := range requests {
		asked[i] = cardRequest(r)
	}
	made, err := k.card.SignDigests(ctx, asked, progress)
	sigs := make([]signer.Signature, len(made))
	for i, m := range made {
		sigs[i] = m
	}
	return sigs, err
}

func cardRequest(r signer.Request) card.SignRequest {
	return card.SignRequest{Path: r.Path, PubKey: r.PubKey, Digest: r.Digest, Scheme: cardScheme(r.Scheme), MerkleRoot: r.MerkleRoot}
}

func cardScheme(s signer.Scheme) card.Scheme {
	switch s {
	case signer.ECDSA:
		return card.ECDSA
	case signer.SchnorrKeyPath:
		return card.SchnorrKeyPath
	}
	return card.SchnorrScriptPath
}
