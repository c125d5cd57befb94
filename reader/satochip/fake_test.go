package satochip

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcec/v2/ecdsa"
	"github.com/btcsuite/btcd/btcec/v2/schnorr"
	"github.com/btcsuite/btcd/btcutil/hdkeychain"
	"github.com/btcsuite/btcd/chaincfg"
	"github.com/btcsuite/btcd/txscript"

	"github.com/airlock-signer/airlock/reader/apdu"
	"github.com/airlock-signer/airlock/reader/card"
)

// fake is the least card that an honest driver can work with, so that these
// tests can lie for it at any place: on the wire (wire) and before encryption
// (inside). It is no Satochip for anything else; reader/simcard has that.
type fake struct {
	random      *rand.ChaCha8
	statusReply []byte
	pin         string
	tries       byte
	authentikey *btcec.PrivateKey
	master      *hdkeychain.ExtendedKey
	block       cipher.Block
	macKey      []byte
	counter     uint32
	in          bool
	last        *hdkeychain.ExtendedKey
	tweaked     *btcec.PrivateKey
	puk         string
	label       []byte
	der         []byte // certificate
	cacheFull   bool   // the next derivation without a flush answers 9C01

	wire   func(exchange int, reply []byte) ([]byte, error)
	inside func(ins byte, plain []byte) []byte
	answer map[byte]apdu.SW // inner INS → status word in place of the answer
	log    []byte           // INS of every exchange, of the inner command where sealed
	closed int
}

func newFake(t testing.TB) *fake {
	t.Helper()
	f := &fake{
		random:      rand.NewChaCha8([32]byte{1}),
		statusReply: []byte{0, 14, 0, 1, 5, 3, 0, 0, 0, 1, 1, 1},
		pin:         "1234",
		tries:       5,
	}
	f.authentikey = f.newKey()
	var err error
	f.master, err = hdkeychain.NewMaster(bytes.Repeat([]byte{7}, 32), &chaincfg.MainNetParams)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func (f *fake) newKey() *btcec.PrivateKey {
	var b [32]byte
	_, _ = f.random.Read(b[:])
	key, _ := btcec.PrivKeyFromBytes(b[:])
	return key
}

func (f *fake) Close() error { f.closed++; return nil }

func (f *fake) Transmit(ctx context.Context, command []byte) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	reply := f.reply(command)
	if f.wire != nil {
		return f.wire(len(f.log)-1, reply)
	}
	return reply, nil
}

func word(sw apdu.SW) []byte { return []byte{byte(sw >> 8), byte(sw)} }

func (f *fake) reply(command []byte) []byte {
	ins := command[1]
	if ins == insSealed {
		return f.sealed(command[5:])
	}
	f.log = append(f.log, ins)
	switch {
	case command[0] == 0 && ins == 0xA4:
		if !bytes.Equal(command[5:], aid()) {
			return word(0x6A82)
		}
		f.block, f.in = nil, false
		return word(apdu.OK)
	case ins == insStatus:
		if f.tries != 5 {
			f.statusReply[4] = f.tries
		}
		return append(bytes.Clone(f.statusReply), word(apdu.OK)...)
	case ins == insInitChannel:
		return f.open(command[5:])
	}
	return word(0x9C20)
}

// signed appends the signature of key over all of b.
func signed(b []byte, key *btcec.PrivateKey) []byte {
	digest := sha256.Sum256(b)
	sig := ecdsa.Sign(key, digest[:]).Serialize()
	b = binary.BigEndian.AppendUint16(b, uint16(len(sig)))
	return append(b, sig...)
}

// selfSigned appends the X of a key and its signature over all before.
func selfSigned(b []byte, key *btcec.PrivateKey) []byte {
	b = append(b, 0, 32)
	return signed(append(b, schnorr.SerializePubKey(key.PubKey())...), key)
}

func (f *fake) open(host []byte) []byte {
	hostKey, err := btcec.ParsePubKey(host)
	if err != nil {
		return word(0x6F00)
	}
	ephemeral := f.newKey()
	shared := btcec.GenerateSharedSecret(ephemeral, hostKey)
	f.block, _ = aes.NewCipher(hmacSHA1(shared, []byte("sc_key"))[:16])
	f.macKey, f.counter = hmacSHA1(shared, []byte("sc_mac")), 0
	reply := selfSigned(nil, ephemeral)
	if f.authentikey != nil {
		reply = signed(reply, f.authentikey)
	} else {
		reply = append(reply, 0, 0)
	}
	return append(reply, word(apdu.OK)...)
}

func (f *fake) sealed(body []byte) []byte {
	if f.block == nil {
		f.log = append(f.log, 0)
		return word(swNoChannel)
	}
	n := len(body) - 22
	if !bytes.Equal(hmacSHA1(f.macKey, body[:n]), body[n+2:]) {
		f.log = append(f.log, 0)
		return word(swWrongMAC)
	}
	counter := binary.BigEndian.Uint32(body[12:])
	if counter%2 == 0 || counter <= f.counter {
		f.log = append(f.log, 0)
		return word(swWrongCounter)
	}
	f.counter = counter + 1
	plain := make([]byte, n-18)
	cipher.NewCBCDecrypter(f.block, body[:16]).CryptBlocks(plain, body[18:n])
	plain = plain[:len(plain)-int(plain[len(plain)-1])]
	f.log = append(f.log, plain[1])
	data, sw := f.command(plain[1], plain[2], plain[3], append(plain, 0)[5:])
	if want, ok := f.answer[plain[1]]; ok {
		data, sw = nil, want
	}
	if f.inside != nil && sw == apdu.OK {
		data = f.inside(plain[1], data)
	}
	if len(data) == 0 {
		return word(sw)
	}
	iv := make([]byte, 16)
	_, _ = f.random.Read(iv[:12])
	binary.BigEndian.PutUint32(iv[12:], f.counter)
	pad := 16 - len(data)%16
	data = append(bytes.Clone(data), bytes.Repeat([]byte{byte(pad)}, pad)...)
	reply := binary.BigEndian.AppendUint16(bytes.Clone(iv), uint16(len(data)))
	cipher.NewCBCEncrypter(f.block, iv).CryptBlocks(data, data)
	return append(append(reply, data...), word(apdu.OK)...)
}

// command runs an inner command; data has a zero byte too many.
func (f *fake) command(ins, p1, p2 byte, data []byte) ([]byte, apdu.SW) {
	if ins == insVerifyPIN {
		return nil, f.verify(string(data[:len(data)-1]))
	}
	if data, sw, ok := f.care(ins, p1, p2, data[:max(0, len(data)-1)]); ok {
		return data, sw
	}
	if !f.in {
		return nil, swPINNeeded
	}
	switch ins {
	case insLogoutAll:
		f.in = false
		return nil, apdu.OK
	case insExportAuthKey, insAuthentikey:
		return selfSigned(nil, f.authentikey), apdu.OK
	case insExtendedKey:
		if f.cacheFull && p2&optFlushCache == 0 {
			return nil, swCacheFull
		}
		f.last = f.derive(data[:4*int(p1)])
		return f.extendedKey(f.last), apdu.OK
	case insSignHash:
		key, _ := f.last.ECPrivKey()
		return ecdsa.Sign(key, data[:32]).Serialize(), apdu.OK
	case insTweak:
		key, _ := f.last.ECPrivKey()
		f.tweaked = txscript.TweakTaprootPrivKey(*key, nil)
		reply := append([]byte{0, 65}, f.tweaked.PubKey().SerializeUncompressed()...)
		return signed(reply, f.authentikey), apdu.OK
	case insSignSchnorr:
		sig, err := schnorr.Sign(f.tweaked, data[:32])
		if err != nil {
			return nil, swInternal
		}
		return sig.Serialize(), apdu.OK
	}
	return nil, 0x6D00
}

func (f *fake) verify(pin string) apdu.SW {
	if f.tries == 0 {
		return swBlocked
	}
	if pin != f.pin {
		f.tries--
		f.statusReply[4] = f.tries
		f.in = false
		return 0x63C0 | apdu.SW(f.tries)
	}
	f.tries, f.in = 5, true
	f.statusReply[4] = 5
	return apdu.OK
}

func (f *fake) derive(path []byte) *hdkeychain.ExtendedKey {
	k := f.master
	for ; len(path) > 0; path = path[4:] {
		k, _ = k.Derive(binary.BigEndian.Uint32(path))
	}
	return k
}

func (f *fake) extendedKey(k *hdkeychain.ExtendedKey) []byte {
	key, _ := k.ECPrivKey()
	return signed(selfSigned(bytes.Clone(k.ChainCode()), key), f.authentikey)
}

// truth is what the card at path has, for comparison.
func (f *fake) truth(t testing.TB, path []uint32) card.ExtendedKey {
	t.Helper()
	k := f.master
	var err error
	for _, n := range path {
		if k, err = k.Derive(n); err != nil {
			t.Fatal(err)
		}
	}
	pub, err := k.ECPubKey()
	if err != nil {
		t.Fatal(err)
	}
	x := card.ExtendedKey{Path: path, PubKey: [33]byte(pub.SerializeCompressed()), ChainCode: [32]byte(k.ChainCode())}
	binary.BigEndian.PutUint32(x.ParentFingerprint[:], k.ParentFingerprint())
	return x
}

// driverOf is what all versions have in common.
func driverOf(t testing.TB, c card.Card) *driver {
	t.Helper()
	switch d := c.(type) {
	case *driver:
		return d
	case *driver12:
		return d.driver
	}
	t.Fatalf("%T", c)
	return nil
}

// openFake opens the driver on it, with random numbers that repeat.
func openFake(t testing.TB, f *fake) *driver {
	t.Helper()
	c, err := Open(context.Background(), f, rand.NewChaCha8([32]byte{2}))
	if err != nil {
		t.Fatal(err)
	}
	return driverOf(t, c)
}

// loginFake opens and logs in.
func loginFake(t testing.TB, f *fake) *driver {
	t.Helper()
	d := openFake(t, f)
	if err := d.VerifyPIN(context.Background(), pinOf(t, f.pin)); err != nil {
		t.Fatal(err)
	}
	return d
}
