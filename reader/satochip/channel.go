package satochip

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/binary"
	"errors"
	"io"

	"github.com/btcsuite/btcd/btcec/v2"

	"github.com/airlock-signer/airlock/reader/apdu"
)

// Sizes in the secure channel, bytes.
const (
	ivSize      = aes.BlockSize
	ivRandom    = 12 // the rest of the IV is the counter
	macSize     = sha1.Size
	envelope    = ivSize + 2 // of a reply
	maxInner    = 159        // the card's HMAC takes no more
	maxSealed   = maxInner + 1
	pointSize   = 65
	keyAttempts = 8 // a random number out of range has a chance of 2^-128
)

var errInnerTooLong = errors.New("satochip: command too long for the secure channel")

// opening is the reply to INIT SECURE CHANNEL.
type opening struct {
	ephemeral  *btcec.PublicKey
	candidates [][33]byte // keys that can be the authentikey; none where it did not sign
}

// parseOpening reads and checks it. An applet up to 0.11 without a seed has no
// authentikey and leaves the second signature empty.
func parseOpening(data []byte) (opening, error) {
	c := apdu.NewCursor(data)
	x := readCoordinate(c)
	byEphemeral := c.Read()
	sig := c.LV2()
	byAuthentikey := c.Read()
	sig2 := c.LV2()
	if err := c.End(); err != nil {
		return opening{}, err
	}
	key, err := pubKeyFromX(x, byEphemeral, sig)
	if err != nil {
		return opening{}, err
	}
	o := opening{ephemeral: key}
	if len(sig2) > 0 {
		o.candidates, err = recoverKeys(byAuthentikey, sig2)
	}
	return o, err
}

// newEphemeral draws the host's private key for one channel.
func newEphemeral(random io.Reader) (*btcec.PrivateKey, error) {
	var b [32]byte
	defer clear(b[:])
	for range keyAttempts {
		if _, err := io.ReadFull(random, b[:]); err != nil {
			return nil, err
		}
		var k btcec.ModNScalar
		if overflow := k.SetBytes(&b); overflow == 0 && !k.IsZero() {
			return btcec.PrivKeyFromScalar(&k), nil
		}
	}
	return nil, errors.New("satochip: the source of random numbers is broken")
}

// channel seals commands and opens replies of one secure channel. Commands
// carry an odd counter, 1, 3, 5, …; the reply to each carries the next number.
type channel struct {
	random  io.Reader
	block   cipher.Block
	macKey  []byte
	counter uint32 // of the last command
	scratch [maxSealed]byte
}

// newChannel derives the keys from the X of the shared point, and wipes it.
func newChannel(shared []byte, random io.Reader) (*channel, error) {
	defer clear(shared)
	encKey := hmacSHA1(shared, []byte("sc_key"))
	defer clear(encKey)
	block, err := aes.NewCipher(encKey[:16])
	if err != nil {
		return nil, err
	}
	return &channel{random: random, block: block, macKey: hmacSHA1(shared, []byte("sc_mac"))}, nil
}

func hmacSHA1(key, message []byte) []byte {
	h := hmac.New(sha1.New, key)
	h.Write(message)
	return h.Sum(nil)
}

// seal wraps an inner command. The plain bytes of it are in the scratch buffer
// alone, which is wiped before seal returns.
func (c *channel) seal(inner apdu.Command) ([]byte, error) {
	if inner.Size() > maxInner {
		return nil, errInnerTooLong
	}
	if c.counter > 1<<32-4 {
		return nil, errors.New("satochip: the channel has been used up")
	}
	var iv [ivSize]byte
	if _, err := io.ReadFull(c.random, iv[:ivRandom]); err != nil {
		return nil, err
	}
	next := c.counter + 1 | 1
	binary.BigEndian.PutUint32(iv[ivRandom:], next)

	defer clear(c.scratch[:])
	plain, err := inner.AppendTo(c.scratch[:0])
	if err != nil {
		return nil, err
	}
	pad := aes.BlockSize - len(plain)%aes.BlockSize
	for range pad {
		plain = append(plain, byte(pad)) // PKCS#7; the scratch buffer has room
	}

	body := make([]byte, 0, ivSize+2+len(plain)+2+macSize)
	body = append(body, iv[:]...)
	body = binary.BigEndian.AppendUint16(body, uint16(len(plain)))
	body = body[:len(body)+len(plain)]
	cipher.NewCBCEncrypter(c.block, iv[:]).CryptBlocks(body[ivSize+2:], plain)
	mac := hmacSHA1(c.macKey, body)
	body = binary.BigEndian.AppendUint16(body, macSize)
	body = append(body, mac...)
	c.counter = next
	return apdu.Command{CLA: cla, INS: insSealed, Data: body}.Bytes()
}

// open decrypts the data of the reply to the command sealed last. There is no
// MAC: the counter tells it from replies given before, and what is inside is
// believed only as far as it is signed.
func (c *channel) open(data []byte) ([]byte, error) {
	r := apdu.NewCursor(data)
	iv := r.Take(ivSize)
	sealed := r.LV2()
	if err := r.End(); err != nil {
		return nil, err
	}
	if len(sealed) == 0 || len(sealed)%aes.BlockSize != 0 {
		return nil, badReply("%d encrypted bytes, not whole blocks", len(sealed))
	}
	if n := binary.BigEndian.Uint32(iv[ivRandom:]); n != c.counter+1 {
		return nil, badReply("reply number %d to command number %d", n, c.counter)
	}
	plain := make([]byte, len(sealed))
	cipher.NewCBCDecrypter(c.block, iv).CryptBlocks(plain, sealed)
	pad := int(plain[len(plain)-1])
	if pad == 0 || pad > aes.BlockSize {
		return nil, badReply("wrong padding")
	}
	for _, b := range plain[len(plain)-pad:] {
		if int(b) != pad {
			return nil, badReply("wrong padding")
		}
	}
	if pad == len(plain) {
		return nil, badReply("an encrypted reply with nothing in it")
	}
	return plain[:len(plain)-pad], nil
}

// wipe forgets what is within reach of the keys.
func (c *channel) wipe() {
	clear(c.macKey)
	c.block = nil
}
