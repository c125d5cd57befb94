package satochip

import (
	"bytes"
	"context"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"testing"
	"time"

	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcec/v2/ecdsa"

	"github.com/airlock-signer/airlock/reader/card"
)

// testIssuer is a vendor's key of these tests.
func testIssuer() *btcec.PrivateKey {
	key, _ := btcec.PrivKeyFromBytes(bytes.Repeat([]byte{0x21}, 32))
	return key
}

// testCertificate is one of a key, as vendors make it: v3, with a critical
// extension, signed by ECDSA with SHA-2 (2: 256, 3: 384, 4: 512 bits).
func testCertificate(t testing.TB, of *btcec.PublicKey, issuer *btcec.PrivateKey, hash int) []byte {
	t.Helper()
	name := func(cn string) []byte {
		b, err := asn1.Marshal(pkix.Name{Country: []string{"BE"}, CommonName: cn}.ToRDNSequence())
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	algorithm := pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, hash}}
	point := of.SerializeUncompressed()
	spki := subjectPublicKey{Key: asn1.BitString{Bytes: point, BitLength: 8 * len(point)}}
	spki.Algorithm.Algorithm = asn1.ObjectIdentifier{1, 2, 840, 10045, 2, 1}
	spki.Algorithm.Curve = asn1.ObjectIdentifier{1, 3, 132, 0, 10}
	tbs, err := asn1.Marshal(struct {
		Version    int `asn1:"explicit,tag:0"`
		Serial     *big.Int
		Algorithm  pkix.AlgorithmIdentifier
		Issuer     asn1.RawValue
		Validity   struct{ From, To time.Time }
		Subject    asn1.RawValue
		PublicKey  subjectPublicKey
		Extensions []pkix.Extension `asn1:"explicit,tag:3"`
	}{
		2, big.NewInt(77), algorithm, asn1.RawValue{FullBytes: name("A Test SubCA")},
		struct{ From, To time.Time }{time.Unix(1600000000, 0).UTC(), time.Unix(2200000000, 0).UTC()},
		asn1.RawValue{FullBytes: name("0123456789abcdef")}, spki,
		[]pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 19}, Critical: true, Value: []byte{0x30, 0}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	digest := certificate{tbs: tbs, algorithm: algorithm.Algorithm}.digest()
	if digest == nil {
		digest = make([]byte, 32)
	}
	sig := ecdsa.Sign(issuer, digest).Serialize()
	der, err := asn1.Marshal(struct {
		TBS       asn1.RawValue
		Algorithm pkix.AlgorithmIdentifier
		Signature asn1.BitString
	}{asn1.RawValue{FullBytes: tbs}, algorithm, asn1.BitString{Bytes: sig, BitLength: 8 * len(sig)}})
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// TestNoVendorKey: without one nothing is genuine, and that is said.
func TestNoVendorKey(t *testing.T) {
	f := newFake(t)
	f.der = testCertificate(t, f.authentikey.PubKey(), testIssuer(), 4)
	d := &driver12{driver: loginFake(t, f), vendors: vendorKeys()}
	a, err := d.Attest(context.Background())
	if err != nil || a != (card.Attestation{Certificate: true, Alive: true, Issuer: "A Test SubCA", Note: noteVendor}) {
		t.Errorf("%+v %v", a, err)
	}
}

func TestAttest(t *testing.T) {
	stranger, _ := btcec.PrivKeyFromBytes([]byte{5})
	for _, tt := range []struct {
		name string
		der  func(f *fake) []byte
		want card.Attestation
	}{
		{"no certificate", func(*fake) []byte { return nil }, card.Attestation{}},
		{"SHA-512", func(f *fake) []byte { return testCertificate(t, f.authentikey.PubKey(), testIssuer(), 4) },
			card.Attestation{Certificate: true, Genuine: true, Issuer: "A Test SubCA", Note: noteSerial}},
		{"SHA-384", func(f *fake) []byte { return testCertificate(t, f.authentikey.PubKey(), testIssuer(), 3) },
			card.Attestation{Certificate: true, Genuine: true, Issuer: "A Test SubCA", Note: noteSerial}},
		{"SHA-256", func(f *fake) []byte { return testCertificate(t, f.authentikey.PubKey(), testIssuer(), 2) },
			card.Attestation{Certificate: true, Genuine: true, Issuer: "A Test SubCA", Note: noteSerial}},
		{"another hash", func(f *fake) []byte { return testCertificate(t, f.authentikey.PubKey(), testIssuer(), 1) },
			card.Attestation{Certificate: true, Issuer: "A Test SubCA", Note: noteIssuer}},
		{"another issuer", func(f *fake) []byte { return testCertificate(t, f.authentikey.PubKey(), stranger, 4) },
			card.Attestation{Certificate: true, Issuer: "A Test SubCA", Note: noteIssuer}},
		{"another card's", func(*fake) []byte { return testCertificate(t, stranger.PubKey(), testIssuer(), 4) },
			card.Attestation{Certificate: true, Issuer: "A Test SubCA", Note: noteForeign}},
		{"signed by itself", func(f *fake) []byte { return testCertificate(t, f.authentikey.PubKey(), f.authentikey, 4) },
			card.Attestation{Certificate: true, Issuer: "A Test SubCA", Note: noteIssuer}},
		{"garbage", func(*fake) []byte { return bytes.Repeat([]byte{0x30}, 200) }, card.Attestation{Certificate: true, Note: noteForm}},
		{"with a byte behind it", func(f *fake) []byte {
			return append(testCertificate(t, f.authentikey.PubKey(), testIssuer(), 4), 0)
		}, card.Attestation{Certificate: true, Note: noteForm}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFake(t)
			f.der = tt.der(f)
			d := &driver12{driver: loginFake(t, f), vendors: []*btcec.PublicKey{testIssuer().PubKey()}}
			tt.want.Alive = true
			a, err := d.Attest(context.Background())
			if err != nil || a != tt.want {
				t.Errorf("%+v %v", a, err)
			}
		})
	}
}

// TestChangedCertificate: no changed byte leaves it genuine.
func TestChangedCertificate(t *testing.T) {
	f := newFake(t)
	good := testCertificate(t, f.authentikey.PubKey(), testIssuer(), 4)
	d := &driver12{driver: openFake(t, f), vendors: []*btcec.PublicKey{testIssuer().PubKey()}}
	if !d.judge(good).Genuine {
		t.Fatal("not genuine")
	}
	for i := range good {
		for _, flip := range []byte{1, 0x80} {
			bad := bytes.Clone(good)
			bad[i] ^= flip
			if a := d.judge(bad); a.Genuine {
				t.Errorf("byte %d of %d: %+v", i, len(good), a)
			}
		}
	}
}

func FuzzCertificate(f *testing.F) {
	key, _ := btcec.PrivKeyFromBytes([]byte{6})
	f.Add(testCertificate(f, key.PubKey(), testIssuer(), 4))
	f.Add(testCertificate(f, key.PubKey(), testIssuer(), 2)[:100])
	f.Add([]byte{0x30, 0x82, 0xFF, 0xFF})
	f.Fuzz(func(t *testing.T, der []byte) {
		c, err := parseCertificate(der)
		if err == nil && (c.key == nil || c.signature == nil || len(c.tbs) == 0 || len(c.tbs) > len(der)) {
			t.Errorf("%+v", c)
		}
		_ = c.digest()
	})
}
