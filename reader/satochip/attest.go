package satochip

import (
	"context"
	"encoding/binary"
	"io"

	"github.com/btcsuite/btcd/btcec/v2"

	"github.com/airlock-signer/airlock/reader/apdu"
	"github.com/airlock-signer/airlock/reader/card"
)

const (
	challengeSize  = 32
	certChunk      = 128  // bytes, as the vendor reads it
	maxCertificate = 2048 // bytes; the vendor's have some 500
)

// Sentences of an Attestation's Note.
const (
	noteForm    = "The certificate is not of a form that this station can read."
	noteVendor  = "The certificate is for this card's key. Who issued it could not be checked: this station does not hold the vendor's key."
	noteIssuer  = "The certificate was not issued by a key of the vendor that this station knows."
	noteForeign = "The certificate is that of another card's key."
	noteSerial  = "The certificate was compared with the key of this card, not with the serial number of its chip."
)

// Attest reads the certificate, one exchange and one for each 128 bytes, and
// has the card sign a challenge, one exchange.
//
// The vendor's programs compare the certificate's subject with SHA-1(CPLC | IIN
// | CIN), three answers to GET DATA that a card gives before SELECT. It is not
// done here: it would cost three exchanges at every opening, or close the
// channel; the answers are not signed, so any card can give those of another;
// and a certificate for the key that answers the challenge says more.
//
// Replies have no MAC, so a reader can make the size 0 and a certificate absent;
// it cannot make one genuine, nor answer the challenge.
func (d *driver12) Attest(ctx context.Context) (card.Attestation, error) {
	if !d.in {
		return card.Attestation{}, card.ErrPINNeeded
	}
	der, err := d.link.certificate(ctx)
	if err != nil {
		return card.Attestation{}, d.noticed(err)
	}
	a := d.judge(der)
	if err := d.link.challenge(ctx, d.authentikey); err != nil {
		return card.Attestation{}, d.noticed(err)
	}
	a.Alive = true
	return a, nil
}

// judge says what a certificate is worth; nil: there is none.
func (d *driver12) judge(der []byte) card.Attestation {
	if der == nil {
		return card.Attestation{}
	}
	a := card.Attestation{Certificate: true}
	c, err := parseCertificate(der)
	if err != nil {
		a.Note = noteForm
		return a
	}
	a.Issuer = c.issuer
	switch {
	case !c.key.IsEqual(d.authentikey):
		a.Note = noteForeign
	case len(d.vendors) == 0:
		a.Note = noteVendor
	case !c.issuedBy(d.vendors):
		a.Note = noteIssuer
	default:
		a.Genuine, a.Note = true, noteSerial
	}
	return a
}

// certificate reads it, nil where the card has none.
func (l *link) certificate(ctx context.Context) ([]byte, error) {
	const doing = "showing its certificate"
	data, err := l.ask(ctx, doing, apdu.Command{CLA: cla, INS: insCertificate, P2: 1}, true)
	if err != nil {
		return nil, err
	}
	if len(data) != 2 {
		return nil, l.distrust(badReply("%d bytes for the size of a certificate", len(data)))
	}
	size := int(binary.BigEndian.Uint16(data))
	if size > maxCertificate {
		return nil, l.distrust(badReply("a certificate of %d bytes", size))
	}
	var der []byte
	for len(der) < size {
		n := min(certChunk, size-len(der))
		at := binary.BigEndian.AppendUint16(nil, uint16(len(der)))
		chunk, err := l.ask(ctx, doing, apdu.Command{
			CLA: cla, INS: insCertificate, P2: 2, Data: binary.BigEndian.AppendUint16(at, uint16(n)),
		}, true)
		if err != nil {
			return nil, err
		}
		if len(chunk) != n {
			return nil, l.distrust(badReply("%d bytes of a certificate where %d were asked for", len(chunk), n))
		}
		der = append(der, chunk...)
	}
	return der, nil
}

// challenge has the authentikey sign random bytes of ours and of the card's.
func (l *link) challenge(ctx context.Context, authentikey *btcec.PublicKey) error {
	ours := make([]byte, challengeSize)
	if _, err := io.ReadFull(l.random, ours); err != nil {
		return err
	}
	data, err := l.ask(ctx, "answering a challenge", apdu.Command{CLA: cla, INS: insChallenge, Data: ours}, true)
	if err != nil {
		return err
	}
	c := apdu.NewCursor(data)
	theirs := c.Take(challengeSize)
	sig := c.LV2()
	if err := c.End(); err != nil {
		return l.distrust(err)
	}
	message := append(append([]byte("Challenge:"), theirs...), ours...)
	return l.distrust(verifySigned(authentikey, message, sig))
}
