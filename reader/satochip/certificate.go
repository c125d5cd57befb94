package satochip

import (
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"math/big"

	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcec/v2/ecdsa"
)

// The keys in a Satochip's certificate are on secp256k1, which crypto/x509 does
// not read. What is needed of RFC 5280 is little: who issued it, whose key it
// is of, and the signature.

// vendorKeys are the keys whose certificates count. There are none yet: the
// protocol page ("Authenticity") names the vendor's sub-CA and does not give its
// key. Until it does no card is called genuine, and Attest says why.
func vendorKeys() []*btcec.PublicKey { return nil }

// certificate is what was read of one.
type certificate struct {
	issuer    string
	key       *btcec.PublicKey
	tbs       []byte // what is signed
	algorithm asn1.ObjectIdentifier
	signature *ecdsa.Signature
}

// x509Certificate and what it is made of (RFC 5280, 4.1).
type x509Certificate struct {
	TBS       tbsCertificate
	Algorithm pkix.AlgorithmIdentifier
	Signature asn1.BitString
}

type tbsCertificate struct {
	Raw        asn1.RawContent
	Version    int `asn1:"optional,explicit,default:0,tag:0"`
	Serial     *big.Int
	Algorithm  pkix.AlgorithmIdentifier
	Issuer     pkix.RDNSequence
	Validity   asn1.RawValue // a station without a clock that is right cannot look at it
	Subject    asn1.RawValue // the chip's serial number: see Attest
	PublicKey  subjectPublicKey
	IssuerID   asn1.BitString   `asn1:"optional,tag:1"`
	SubjectID  asn1.BitString   `asn1:"optional,tag:2"`
	Extensions []pkix.Extension `asn1:"optional,explicit,tag:3"`
}

type subjectPublicKey struct {
	Algorithm struct {
		Algorithm asn1.ObjectIdentifier
		Curve     asn1.ObjectIdentifier
	}
	Key asn1.BitString
}

var errCertificateForm = errors.New("not a certificate of a form that Satochips have")

// parseCertificate reads a DER certificate of a secp256k1 key with an ECDSA
// signature.
func parseCertificate(der []byte) (certificate, error) {
	var x x509Certificate
	rest, err := asn1.Unmarshal(der, &x)
	if err != nil || len(rest) > 0 {
		return certificate{}, errCertificateForm
	}
	spki := x.TBS.PublicKey
	isKey := spki.Algorithm.Algorithm.Equal(asn1.ObjectIdentifier{1, 2, 840, 10045, 2, 1}) &&
		spki.Algorithm.Curve.Equal(asn1.ObjectIdentifier{1, 3, 132, 0, 10}) &&
		spki.Key.BitLength == 8*len(spki.Key.Bytes)
	if !isKey || !x.Algorithm.Algorithm.Equal(x.TBS.Algorithm.Algorithm) || x.Signature.BitLength != 8*len(x.Signature.Bytes) {
		return certificate{}, errCertificateForm
	}
	c := certificate{tbs: x.TBS.Raw, algorithm: x.Algorithm.Algorithm}
	if c.key, err = btcec.ParsePubKey(spki.Key.Bytes); err != nil {
		return certificate{}, errCertificateForm
	}
	if c.signature, err = parseDER(x.Signature.Bytes); err != nil {
		return certificate{}, errCertificateForm
	}
	var name pkix.Name
	name.FillFromRDNSequence(&x.TBS.Issuer)
	c.issuer = name.CommonName
	return c, nil
}

// digest of what is signed, as ECDSA on secp256k1 takes it: its first 32 bytes.
// nil for a hash that is not known.
func (c certificate) digest() []byte {
	ecdsaWith := func(n int) asn1.ObjectIdentifier { return asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, n} }
	switch {
	case c.algorithm.Equal(ecdsaWith(2)):
		sum := sha256.Sum256(c.tbs)
		return sum[:]
	case c.algorithm.Equal(ecdsaWith(3)):
		sum := sha512.Sum384(c.tbs)
		return sum[:32]
	case c.algorithm.Equal(ecdsaWith(4)):
		sum := sha512.Sum512(c.tbs)
		return sum[:32]
	}
	return nil
}

// issuedBy says whether one of the keys signed it.
func (c certificate) issuedBy(keys []*btcec.PublicKey) bool {
	digest := c.digest()
	if digest == nil {
		return false
	}
	for _, key := range keys {
		if c.signature.Verify(digest, key) {
			return true
		}
	}
	return false
}
