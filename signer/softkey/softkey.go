// Package softkey is a signer.Key in software, for tests, samples and demos of
// published keys. It keeps private keys in ordinary memory and is not constant
// in time: never give it a seed that holds money. It is not part of the
// station's release (a test on the import graph keeps it so).
//
// Keys are BIP32 children of a seed; ECDSA nonces are RFC 6979, with Bitcoin
// Core's search for a low R where wanted; Schnorr is BIP340 with all-zero
// auxiliary randomness, key path tweaked as BIP341 says.
package softkey

import (
	"context"
	"crypto/pbkdf2"
	"crypto/sha512"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/airlock-signer/airlock/signer"
	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcec/v2/ecdsa"
	"github.com/btcsuite/btcd/btcec/v2/schnorr"
	"github.com/btcsuite/btcd/btcutil"
	"github.com/btcsuite/btcd/btcutil/hdkeychain"
	"github.com/btcsuite/btcd/chaincfg/chainhash"
	"github.com/btcsuite/btcd/txscript"
)

// Seed is the BIP39 seed, 64 bytes, of a mnemonic of ASCII words with single
// spaces. The words are not checked.
func Seed(mnemonic, passphrase string) ([]byte, error) {
	return pbkdf2.Key(sha512.New, mnemonic, []byte("mnemonic"+passphrase), 2048, 64)
}

// Key signs with children of one BIP32 master key. It is for one goroutine at
// a time.
type Key struct {
	// LowR makes ECDSA signatures as Bitcoin Core does: with the first nonce
	// whose r is below 2^255.
	LowR bool

	master      *hdkeychain.ExtendedKey
	fingerprint [4]byte

	parentPath signer.Path // of parent: the key derived last, but for its last step
	parent     *hdkeychain.ExtendedKey
}

var _ signer.Key = (*Key)(nil)

// New derives the master key of a seed of 16 to 64 bytes. The network decides
// how account keys are written (xpub, tpub).
func New(seed []byte, network signer.Network) (*Key, error) {
	params := network.Params()
	if params == nil {
		return nil, fmt.Errorf("unknown network %q", network)
	}
	master, err := hdkeychain.NewMaster(seed, params)
	if err != nil {
		return nil, err
	}
	pub, err := master.ECPubKey()
	if err != nil {
		return nil, err
	}
	return &Key{master: master, fingerprint: [4]byte(btcutil.Hash160(pub.SerializeCompressed()))}, nil
}

// Fingerprint of the master key.
func (k *Key) Fingerprint() [4]byte { return k.fingerprint }

// Account gives the public key and chain code at path.
func (k *Key) Account(ctx context.Context, path signer.Path) (*signer.Account, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	child, err := k.derive(path)
	if err != nil {
		return nil, err
	}
	public, err := child.Neuter()
	if err != nil {
		return nil, err
	}
	return &signer.Account{Fingerprint: k.fingerprint, Path: slices.Clone(path), Key: public}, nil
}

// PubKey is the compressed public key at path.
func (k *Key) PubKey(path signer.Path) ([33]byte, error) {
	child, err := k.derive(path)
	if err != nil {
		return [33]byte{}, err
	}
	pub, err := child.ECPubKey()
	if err != nil {
		return [33]byte{}, err
	}
	return [33]byte(pub.SerializeCompressed()), nil
}

// Can answers every request that is well formed.
func (k *Key) Can(r signer.Request) error {
	if r.Scheme > signer.SchnorrScriptPath {
		return fmt.Errorf("unknown scheme %d", r.Scheme)
	}
	if len(r.MerkleRoot) != 0 && len(r.MerkleRoot) != 32 {
		return errors.New("a merkle root has 32 bytes")
	}
	return nil
}

// Sign answers the requests in order.
func (k *Key) Sign(ctx context.Context, requests []signer.Request, progress func(made int)) ([]signer.Signature, error) {
	var made []signer.Signature
	for i := range requests {
		if err := ctx.Err(); err != nil {
			return made, err
		}
		sig, err := k.signOne(&requests[i])
		if err != nil {
			return made, err
		}
		made = append(made, sig)
		if progress != nil {
			progress(len(made))
		}
	}
	return made, nil
}

// signOne derives the key, compares it with the one expected and signs.
func (k *Key) signOne(r *signer.Request) (signer.Signature, error) {
	if err := k.Can(*r); err != nil {
		return nil, err
	}
	child, err := k.derive(r.Path)
	if err != nil {
		return nil, err
	}
	priv, err := child.ECPrivKey()
	if err != nil {
		return nil, err
	}
	if [33]byte(priv.PubKey().SerializeCompressed()) != r.PubKey {
		return nil, fmt.Errorf("the key at %v is not the one expected", r.Path)
	}
	switch r.Scheme {
	case signer.ECDSA:
		return SignECDSA(priv, r.Digest, k.LowR), nil
	case signer.SchnorrKeyPath:
		return SignSchnorr(txscript.TweakTaprootPrivKey(*priv, r.MerkleRoot), r.Digest)
	default: // SchnorrScriptPath: Can refused all others
		return SignSchnorr(priv, r.Digest)
	}
}

// derive walks from the master key. The parent of the last key is kept: inputs
// of one account mostly share it.
func (k *Key) derive(path signer.Path) (*hdkeychain.ExtendedKey, error) {
	if len(path) == 0 {
		return k.master, nil
	}
	above, last := path[:len(path)-1], path[len(path)-1]
	if k.parent == nil || !slices.Equal(above, k.parentPath) {
		key := k.master
		for _, n := range above {
			child, err := key.Derive(n)
			if err != nil {
				return nil, fmt.Errorf("key at %v: %w", path, err)
			}
			key = child
		}
		k.parent, k.parentPath = key, slices.Clone(above)
	}
	child, err := k.parent.Derive(last)
	if err != nil {
		return nil, fmt.Errorf("key at %v: %w", path, err)
	}
	return child, nil
}

// SignECDSA signs deterministically (RFC 6979), low S, strict DER without
// sighash byte. With lowR the nonce is searched as Bitcoin Core's CKey::Sign
// does: from the second try on, a counter is the additional data, 32 bytes
// little-endian, until r is below 2^255.
func SignECDSA(priv *btcec.PrivateKey, digest [32]byte, lowR bool) signer.Signature {
	key := priv.Serialize()
	for counter := uint32(0); ; counter++ {
		var extra []byte
		if counter > 0 {
			extra = make([]byte, 32)
			binary.LittleEndian.PutUint32(extra, counter)
		}
		k := btcec.NonceRFC6979(key, digest[:], extra, nil, 0)
		sig := SignECDSAWithNonce(priv, digest, k)
		if r := sig.R(); !lowR || r.Bytes()[0] < 0x80 {
			return sig.Serialize()
		}
	}
}

// SignECDSAWithNonce signs with a secret number the caller chose: how a bad
// card is made.
func SignECDSAWithNonce(priv *btcec.PrivateKey, digest [32]byte, k *btcec.ModNScalar) *ecdsa.Signature {
	var point btcec.JacobianPoint
	btcec.ScalarBaseMultNonConst(k, &point)
	point.ToAffine()
	var r, e, s, inverse btcec.ModNScalar
	x := point.X.Bytes()
	r.SetBytes(x)
	e.SetBytes(&digest)
	s.Mul2(&priv.Key, &r).Add(&e)
	inverse.InverseValNonConst(k)
	s.Mul(&inverse)
	return ecdsa.NewSignature(&r, &s)
}

// SignSchnorr signs as BIP340 says with auxiliary randomness of zeros, as
// Bitcoin Core and the vectors of BIP341 do.
func SignSchnorr(priv *btcec.PrivateKey, digest [32]byte) (signer.Signature, error) {
	sig, err := schnorr.Sign(priv, digest[:], schnorr.CustomNonce([32]byte{}))
	if err != nil {
		return nil, err
	}
	return sig.Serialize(), nil
}

// SignSchnorrWithNonce signs as BIP340 says, but with a secret number the
// caller chose: how a bad card is made.
func SignSchnorrWithNonce(priv *btcec.PrivateKey, digest [32]byte, nonce *btcec.ModNScalar) signer.Signature {
	d, k := priv.Key, *nonce
	if priv.PubKey().SerializeCompressed()[0] == 3 {
		d.Negate()
	}
	var point btcec.JacobianPoint
	btcec.ScalarBaseMultNonConst(&k, &point)
	point.ToAffine()
	if point.Y.IsOdd() {
		k.Negate()
	}
	r := point.X.Bytes()
	challenge := chainhash.TaggedHash(chainhash.TagBIP0340Challenge, r[:], schnorr.SerializePubKey(priv.PubKey()), digest[:])
	var s btcec.ModNScalar
	s.SetBytes((*[32]byte)(challenge))
	s.Mul(&d).Add(&k)
	return schnorr.NewSignature(&point.X, &s).Serialize()
}

// Private is the private key at path, for making bad cards.
func (k *Key) Private(path signer.Path) (*btcec.PrivateKey, error) {
	child, err := k.derive(path)
	if err != nil {
		return nil, err
	}
	return child.ECPrivKey()
}
