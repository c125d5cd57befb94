package satochip

import (
	"bytes"
	"encoding/binary"

	"github.com/btcsuite/btcd/btcutil/hdkeychain"
	"github.com/btcsuite/btcd/chaincfg"

	"github.com/airlock-signer/airlock/reader/apdu"
)

// asNew makes the fake a card that was never set up.
func (f *fake) asNew() {
	f.statusReply = []byte{0, 14, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1}
	f.pin, f.master = "Muscle00", nil
}

// care runs the commands of set-up and care; false for all others.
func (f *fake) care(ins, p1, p2 byte, data []byte) ([]byte, apdu.SW, bool) {
	c := apdu.NewCursor(data)
	switch ins {
	case insSetup:
		c.LV()
		c.Take(2)
		f.pin, f.puk = string(c.LV()), string(c.LV())
		f.tries, f.statusReply[4], f.statusReply[5], f.statusReply[10] = 5, 5, 3, 1
		return nil, apdu.OK, true
	case insChangePIN:
		old, fresh := string(c.LV()), string(c.LV())
		sw := f.verify(old)
		if sw == apdu.OK {
			f.pin, f.in = fresh, false
		}
		return nil, sw, true
	case insUnblockPIN:
		if string(data) != f.puk {
			f.statusReply[5]--
			return nil, 0x63C0 | apdu.SW(f.statusReply[5]), true
		}
		f.tries, f.statusReply[4] = 5, 5
		return nil, apdu.OK, true
	case insResetSeed:
		sw := f.verify(string(data[:p1]))
		if sw == apdu.OK {
			f.master, f.statusReply[9], f.in = nil, 0, false
		}
		return nil, sw, true
	}
	if !f.in {
		return nil, 0, false
	}
	return f.careLoggedIn(ins, p1, p2, data)
}

func (f *fake) careLoggedIn(ins, p1, p2 byte, data []byte) ([]byte, apdu.SW, bool) {
	switch ins {
	case insImportSeed:
		f.master, _ = hdkeychain.NewMaster(data[:p1], &chaincfg.MainNetParams)
		f.statusReply[9] = 1
		return selfSigned(nil, f.authentikey), apdu.OK, true
	case insLabel:
		if p2 == 1 {
			return append([]byte{byte(len(f.label))}, f.label...), apdu.OK, true
		}
		f.label = bytes.Clone(data[1:])
		return nil, apdu.OK, true
	case insCertificate:
		if p2 == 1 {
			return binary.BigEndian.AppendUint16(nil, uint16(len(f.der))), apdu.OK, true
		}
		at, n := int(binary.BigEndian.Uint16(data)), int(binary.BigEndian.Uint16(data[2:]))
		if at+n > len(f.der) { // a reader can change the size through the IV
			return nil, 0x6700, true
		}
		return bytes.Clone(f.der[at : at+n]), apdu.OK, true
	case insChallenge:
		nonce := make([]byte, 32)
		_, _ = f.random.Read(nonce)
		message := append(append([]byte("Challenge:"), nonce...), data...)
		return append(nonce, signed(bytes.Clone(message), f.authentikey)[len(message):]...), apdu.OK, true
	}
	return nil, 0, false
}
