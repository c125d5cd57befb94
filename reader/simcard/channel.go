package simcard

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/binary"

	"github.com/btcsuite/btcd/btcec/v2"
)

// maxHMAC is the longest message that the card's HMAC takes.
const maxHMAC = 192

// channel is the secure channel: AES-128-CBC both ways, a MAC on commands only.
type channel struct {
	open    bool
	enc     []byte // 16 bytes
	mac     []byte // 20 bytes
	counter uint32 // of the IV sent last
	iv      [12]byte
}

func hmacSHA1(key []byte, parts ...[]byte) []byte {
	h := hmac.New(sha1.New, key)
	for _, p := range parts {
		h.Write(p)
	}
	return h.Sum(nil)
}

// openChannel is INIT SECURE CHANNEL. A channel that was open stays so where
// the host's point is not one.
func (s *Satochip) openChannel(c command) ([]byte, uint16) {
	if len(c.data) < 65 {
		return nil, swLength
	}
	if c.data[0] != 0x04 {
		return nil, swParameter
	}
	host, err := btcec.ParsePubKey(c.data[:65])
	if err != nil {
		return nil, swInternal
	}
	key := s.newKey()
	shared := btcec.GenerateSharedSecret(key, host)
	s.channel = channel{
		open: true,
		enc:  hmacSHA1(shared, []byte("sc_key"))[:16],
		mac:  hmacSHA1(shared, []byte("sc_mac")),
	}
	reply := s.appendSigned(key, xOnly(key.PubKey()))
	if s.authentikey == nil { // 0.11 without a seed
		return append(reply, 0, 0), swOK
	}
	return s.appendSigned(s.authentikey, reply), swOK
}

// xOnly is a public key as this card gives it: 2 bytes length, then X.
func xOnly(key *btcec.PublicKey) []byte {
	return append([]byte{0, 32}, key.SerializeCompressed()[1:]...)
}

// unwrap checks and decrypts a message of the channel. The applet decrypts in
// place, in its APDU buffer, and neither checks nor removes the padding: an
// inner command without Lc has a padding byte for it, and what an inner Lc
// claims beyond the plaintext is what stood in the buffer.
func (s *Satochip) unwrap(c command, apdu []byte) (command, uint16) {
	if !s.channel.open {
		return command{}, swChannelClosed
	}
	d := c.data
	if len(d) < 18 {
		return command{}, swLength
	}
	size := int(binary.BigEndian.Uint16(d[16:]))
	if size > 0x7FFF {
		return command{}, swInternal
	}
	if len(d) < 18+size+2 {
		return command{}, swLength
	}
	if binary.BigEndian.Uint16(d[18+size:]) != 20 {
		return command{}, swMAC
	}
	if len(d) < 18+size+22 {
		return command{}, swLength
	}
	if 18+size > maxHMAC {
		return command{}, swHMACTooLong
	}
	if !hmac.Equal(hmacSHA1(s.channel.mac, d[:18+size]), d[18+size+2:18+size+22]) {
		return command{}, swMAC
	}
	counter := binary.BigEndian.Uint32(d[12:])
	if counter%2 == 0 || counter <= s.channel.counter {
		return command{}, swIV
	}
	s.channel.counter = counter + 1
	copy(s.channel.iv[:], s.bytes(12))
	if size%aes.BlockSize != 0 {
		return command{}, swInternal
	}
	var buffer [5 + 255 + 5]byte
	copy(buffer[:], apdu)
	if block, err := aes.NewCipher(s.channel.enc); err == nil && size > 0 {
		cipher.NewCBCDecrypter(block, d[:16]).CryptBlocks(buffer[:size], d[18:18+size])
	}
	return command{
		ins: buffer[1], p1: buffer[2], p2: buffer[3],
		data: append([]byte(nil), buffer[5:5+int(buffer[4])]...),
	}, swOK
}

// wrap encrypts an answer. There is no MAC.
func (s *Satochip) wrap(reply []byte) []byte {
	pad := aes.BlockSize - len(reply)%aes.BlockSize
	plain := append([]byte(nil), reply...)
	for range pad {
		plain = append(plain, byte(pad))
	}
	out := binary.BigEndian.AppendUint32(append([]byte(nil), s.channel.iv[:]...), s.channel.counter)
	if block, err := aes.NewCipher(s.channel.enc); err == nil {
		cipher.NewCBCEncrypter(block, out).CryptBlocks(plain, plain)
	}
	return append(binary.BigEndian.AppendUint16(out, uint16(len(plain))), plain...)
}
