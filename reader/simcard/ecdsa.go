package simcard

import "github.com/btcsuite/btcd/btcec/v2"

// signDigest is ECDSA as a Java Card does it: a random nonce, S as it falls
// (high about half of the time), DER. Libraries for hosts normalise S, so this
// one is spelled out.
func (s *Satochip) signDigest(key *btcec.PrivateKey, digest []byte) []byte {
	var e btcec.ModNScalar
	e.SetByteSlice(digest)
	for {
		k := s.newKey().Key
		var point btcec.JacobianPoint
		btcec.ScalarBaseMultNonConst(&k, &point)
		point.ToAffine()
		var r btcec.ModNScalar
		r.SetBytes(point.X.Bytes())
		sum := new(btcec.ModNScalar).Mul2(&r, &key.Key).Add(&e)
		sig := sum.Mul(k.InverseNonConst())
		if !r.IsZero() && !sig.IsZero() {
			return der(r.Bytes(), sig.Bytes())
		}
	}
}

// der is the DER form of a signature (X.690: shortest positive integers).
func der(r, s [32]byte) []byte {
	var body []byte
	for _, n := range [][32]byte{r, s} {
		b := n[:]
		for len(b) > 1 && b[0] == 0 {
			b = b[1:]
		}
		if b[0]&0x80 != 0 {
			b = append([]byte{0}, b...)
		}
		body = append(append(body, 0x02, byte(len(b))), b...)
	}
	return append([]byte{0x30, byte(len(body))}, body...)
}
