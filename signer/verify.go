package signer

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcec/v2/ecdsa"
	"github.com/btcsuite/btcd/btcec/v2/schnorr"
	"github.com/btcsuite/btcd/txscript"
)

// What can be wrong with the form of a signature.
var (
	errNotDER       = errors.New("not a strict DER signature")
	errNot64        = errors.New("not 64 bytes")
	errSchnorrS     = errors.New("s is not below the group order")
	errDoesNotMatch = errors.New("does not verify for the key and the digest")
)

// checkedSignature is a signature that verified: canonical bytes (low S), and
// what it shows of its secret number.
type checkedSignature struct {
	bytes []byte // strict DER or 64 bytes; no sighash byte
	nonce nonce
	highS bool // S was high as it came; bytes hold the low one
}

// checkSignature verifies a signature for the key as it stands in the request
// (before any tweak) and the request's digest. The only form taken is strict
// DER (BIP66) for ECDSA and 64 bytes (BIP340) for Schnorr.
func checkSignature(req *Request, sig []byte) (*checkedSignature, error) {
	pub, err := btcec.ParsePubKey(req.PubKey[:])
	if err != nil {
		return nil, fmt.Errorf("public key: %w", err)
	}
	switch req.Scheme {
	case ECDSA:
		return checkECDSA(pub, req.Digest, sig)
	case SchnorrKeyPath:
		if len(req.MerkleRoot) != 0 && len(req.MerkleRoot) != 32 {
			return nil, errors.New("a merkle root has 32 bytes")
		}
		return checkSchnorr(txscript.ComputeTaprootOutputKey(pub, req.MerkleRoot), req.Digest, sig)
	case SchnorrScriptPath:
		return checkSchnorr(pub, req.Digest, sig)
	}
	return nil, fmt.Errorf("unknown scheme %d", req.Scheme)
}

// checkECDSA verifies and normalises S.
func checkECDSA(pub *btcec.PublicKey, digest [32]byte, sig []byte) (*checkedSignature, error) {
	r, s, err := parseDER(sig)
	if err != nil {
		return nil, err
	}
	parsed := ecdsa.NewSignature(r, s)
	if !parsed.Verify(digest[:], pub) {
		return nil, errDoesNotMatch
	}
	high := s.IsOverHalfOrder()
	// Serialize writes the low S of the two that verify.
	return &checkedSignature{bytes: parsed.Serialize(), nonce: nonce(r.Bytes()), highS: high}, nil
}

// checkSchnorr verifies for the x-only key.
func checkSchnorr(pub *btcec.PublicKey, digest [32]byte, sig []byte) (*checkedSignature, error) {
	if len(sig) != schnorr.SignatureSize {
		return nil, errNot64
	}
	// schnorr.ParseSignature reduces an s above the group order, and so does the
	// script engine; BIP340 and the network refuse it.
	if !schnorrInRange(sig) {
		return nil, errSchnorrS
	}
	parsed, err := schnorr.ParseSignature(sig)
	if err != nil {
		return nil, fmt.Errorf("BIP340: %w", err)
	}
	if !parsed.Verify(digest[:], pub) {
		return nil, errDoesNotMatch
	}
	var x btcec.FieldVal
	x.SetByteSlice(sig[:32])
	return &checkedSignature{bytes: bytes.Clone(sig), nonce: nonceOf(&x)}, nil
}

// parseDER reads an ECDSA signature as BIP66 wants it: one spelling only, every
// byte used, both numbers from 1 to the group order − 1.
func parseDER(sig []byte) (r, s *btcec.ModNScalar, err error) {
	if len(sig) < 8 || len(sig) > 72 || sig[0] != 0x30 || int(sig[1]) != len(sig)-2 {
		return nil, nil, errNotDER
	}
	r, rest, ok := parseDERInt(sig[2:])
	if !ok {
		return nil, nil, errNotDER
	}
	s, rest, ok = parseDERInt(rest)
	if !ok || len(rest) != 0 {
		return nil, nil, errNotDER
	}
	return r, s, nil
}

// parseDERInt reads one positive DER integer below the group order.
func parseDERInt(b []byte) (n *btcec.ModNScalar, rest []byte, ok bool) {
	if len(b) < 3 || b[0] != 0x02 || b[1] == 0 || int(b[1]) > len(b)-2 {
		return nil, nil, false
	}
	raw, rest := b[2:2+int(b[1])], b[2+int(b[1]):]
	if raw[0]&0x80 != 0 { // negative
		return nil, nil, false
	}
	if raw[0] == 0 {
		if len(raw) == 1 || raw[1]&0x80 == 0 { // zero, or padded
			return nil, nil, false
		}
		raw = raw[1:]
	}
	if len(raw) > 32 {
		return nil, nil, false
	}
	n = new(btcec.ModNScalar)
	if overflow := n.SetByteSlice(raw); overflow || n.IsZero() {
		return nil, nil, false
	}
	return n, rest, true
}
