package seed

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcutil"

	"github.com/airlock-signer/airlock/reader/secret"
)

// Hardened is added to a child number for hardened derivation.
const Hardened = 1 << 31

// ErrUnusable says that BIP32 has no key here; nobody will ever see it (1 in
// 2^127).
var ErrUnusable = errors.New("seed: BIP32 has no key at this place")

// PublicKey is a BIP32 public key with its chain code. It has the fields of
// card.ExtendedKey and converts to it.
type PublicKey struct {
	Path              []uint32 // from the master key
	PubKey            [33]byte // compressed
	ChainCode         [32]byte
	ParentFingerprint [4]byte // 0 for the master key
}

// Fingerprint of the key: the first four bytes of its HASH160 (BIP32).
func (k *PublicKey) Fingerprint() (f [4]byte) {
	copy(f[:], btcutil.Hash160(k.PubKey[:]))
	return f
}

// Fingerprint of the master key of a seed.
func Fingerprint(seed *secret.Buffer) ([4]byte, error) {
	master, err := Derive(seed, nil)
	if err != nil {
		return [4]byte{}, err
	}
	return master.Fingerprint(), nil
}

// Derive gives the public key and chain code at path from the master key of a
// seed of 16 to 64 bytes (BIP32), for comparison with what a card says. The
// private keys on the way are wiped. The caller keeps and releases seed.
func Derive(seed *secret.Buffer, path []uint32) (*PublicKey, error) {
	if n := seed.Len(); n < 16 || n > 64 {
		return nil, fmt.Errorf("seed: a BIP32 seed of %d bytes", n)
	}
	n, err := newNode()
	if err != nil {
		return nil, err
	}
	defer n.release()
	key := &PublicKey{Path: append([]uint32{}, path...)}
	scrubbed(func() {
		if err = n.master(seed); err != nil {
			return
		}
		for _, number := range path {
			key.ParentFingerprint = (&PublicKey{PubKey: n.public()}).Fingerprint()
			if err = n.child(number); err != nil {
				return
			}
		}
		key.PubKey = n.public()
		n.page.Use(func(p []byte) { copy(key.ChainCode[:], p[chainAt:chainAt+32]) })
	})
	if err != nil {
		return nil, err
	}
	return key, nil
}

// Layout of a node's page: private key, chain code, HMAC output, and the
// serialised key that goes into the HMAC.
const (
	keyAt    = 0
	chainAt  = 32
	outAt    = 64
	dataAt   = 128
	dataSize = 33 + 4
)

// node is a BIP32 private key on its way down a path.
type node struct{ page *secret.Buffer }

func newNode() (*node, error) {
	page, err := filled(dataAt+dataSize, func([]byte) {})
	if err != nil {
		return nil, err
	}
	return &node{page}, nil
}

func (n *node) release() { n.page.Release() }

// master makes the master key: HMAC-SHA512 with the key "Bitcoin seed".
func (n *node) master(seed *secret.Buffer) error {
	m, err := newMAC([]byte("Bitcoin seed"))
	if err != nil {
		return err
	}
	defer m.release()
	n.page.Use(func(p []byte) {
		seed.Use(func(s []byte) { m.sum(p[outAt:dataAt], s) })
		err = n.step(p)
	})
	return err
}

// child replaces the node by its child (CKDpriv).
func (n *node) child(number uint32) error {
	public := n.public()
	var err error
	n.page.Use(func(p []byte) {
		data := p[dataAt:]
		if number >= Hardened {
			data[0] = 0
			copy(data[1:33], p[keyAt:])
		} else {
			copy(data, public[:])
		}
		binary.BigEndian.PutUint32(data[33:], number)
		var m *mac
		if m, err = newMAC(p[chainAt:outAt]); err != nil {
			return
		}
		defer m.release()
		m.sum(p[outAt:dataAt], data)
		err = n.step(p)
	})
	return err
}

// step adds the left half of the HMAC output to the private key (zero before
// the master key) and takes the right half as the chain code.
func (n *node) step(p []byte) error {
	var key, tweak btcec.ModNScalar
	defer key.Zero()
	defer tweak.Zero()
	key.SetByteSlice(p[keyAt:chainAt])
	if tweak.SetByteSlice(p[outAt : outAt+32]) {
		return ErrUnusable
	}
	key.Add(&tweak)
	if key.IsZero() {
		return ErrUnusable
	}
	key.PutBytesUnchecked(p[keyAt:chainAt])
	copy(p[chainAt:outAt], p[outAt+32:dataAt])
	return nil
}

// public is the node's public key, compressed.
func (n *node) public() (compressed [33]byte) {
	var key btcec.ModNScalar
	defer key.Zero()
	n.page.Use(func(p []byte) { key.SetByteSlice(p[keyAt:chainAt]) })
	var point btcec.JacobianPoint
	btcec.ScalarBaseMultNonConst(&key, &point)
	point.ToAffine()
	copy(compressed[:], btcec.NewPublicKey(&point.X, &point.Y).SerializeCompressed())
	return compressed
}
