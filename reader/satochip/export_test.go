package satochip

import (
	"context"
	"encoding/binary"
	"io"

	"github.com/airlock-signer/airlock/reader/apdu"
	"github.com/airlock-signer/airlock/reader/card"
)

// Probe lets the tests that use the software card (which cannot be of this
// package) say things to it that the driver does not.
type Probe struct{ link link }

// NewProbe selects the applet and opens a channel.
func NewProbe(t card.Transport, random io.Reader) (*Probe, error) {
	p := &Probe{link{t: t, random: random}}
	if err := p.link.selectApplet(context.Background()); err != nil {
		return nil, err
	}
	_, err := p.link.open(context.Background())
	return p, err
}

// Sealed says an inner command; what comes back is the driver's error for a
// status word.
func (p *Probe) Sealed(ins, p1, p2 byte, data ...byte) error {
	_, sw, err := p.link.sealed(context.Background(), apdu.Command{CLA: cla, INS: ins, P1: p1, P2: p2, Data: data})
	return p.word(sw, err)
}

// Clear says a command outside the channel.
func (p *Probe) Clear(command ...byte) error {
	_, sw, err := p.link.send(context.Background(), command)
	return p.word(sw, err)
}

func (p *Probe) word(sw apdu.SW, err error) error {
	if err != nil || sw == apdu.OK {
		return err
	}
	return refusal("being tested", sw)
}

// Count sets the number of the next message.
func (p *Probe) Count(next uint32) { p.link.channel.counter = next - 1 }

// Forge breaks the MAC of all messages from here on.
func (p *Probe) Forge() { p.link.channel.macKey = make([]byte, macSize) }

// Long says an inner command that is longer than the card takes.
func (p *Probe) Long() error {
	iv := make([]byte, ivSize)
	binary.BigEndian.PutUint32(iv[ivRandom:], p.link.channel.counter+2)
	body := binary.BigEndian.AppendUint16(iv, 176)
	body = append(body, make([]byte, 176)...)
	mac := hmacSHA1(p.link.channel.macKey, body)
	body = append(binary.BigEndian.AppendUint16(body, macSize), mac...)
	command, err := apdu.Command{CLA: cla, INS: insSealed, Data: body}.Bytes()
	if err != nil {
		return err
	}
	return p.Clear(command...)
}

// StatusWords are those that have a sentence.
func StatusWords() []uint16 {
	var all []uint16
	for sw := range meanings {
		all = append(all, uint16(sw))
	}
	return all
}
