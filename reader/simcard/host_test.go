package simcard

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"testing"

	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcec/v2/ecdsa"
)

// host is the tests' own end of the secure channel.
type host struct {
	t       *testing.T
	card    Card
	enc     []byte
	mac     []byte
	counter uint32 // of the next command
	plain   bool   // the last reply came in clear
	replyIV uint32 // counter in the IV of the last wrapped reply
}

func newSatochip(t testing.TB, o SatochipOptions) *Satochip {
	t.Helper()
	c, err := NewSatochip(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

var satochipAID = []byte("SatoChip")

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// split takes the status word off a reply.
func split(t *testing.T, reply []byte) ([]byte, uint16) {
	t.Helper()
	if len(reply) < 2 {
		t.Fatalf("reply of %d bytes", len(reply))
	}
	return reply[:len(reply)-2], binary.BigEndian.Uint16(reply[len(reply)-2:])
}

// clear sends an APDU as it is.
func (h *host) clear(apdu []byte) ([]byte, uint16) {
	h.t.Helper()
	return split(h.t, h.card.Transmit(apdu))
}

func (h *host) selectCard() {
	h.t.Helper()
	if _, sw := h.clear(append([]byte{0x00, 0xA4, 0x04, 0x00, 8}, satochipAID...)); sw != 0x9000 {
		h.t.Fatalf("SELECT: %04X", sw)
	}
}

// open opens the channel and returns the keys that can have made the second
// signature (the authentikey is among them; nil where there is none).
func (h *host) open(private []byte) []*btcec.PublicKey {
	h.t.Helper()
	key, public := btcec.PrivKeyFromBytes(private)
	reply, sw := h.clear(append([]byte{0xB0, 0x81, 0, 0, 65}, public.SerializeUncompressed()...))
	if sw != 0x9000 {
		h.t.Fatalf("INIT: %04X", sw)
	}
	x, first, second := openReply(h.t, reply)
	signed := reply[:34]
	card := recoverX(h.t, x, signed, first)
	shared := btcec.GenerateSharedSecret(key, card)
	h.enc = hostHMAC(shared, []byte("sc_key"))[:16]
	h.mac = hostHMAC(shared, []byte("sc_mac"))
	h.counter = 1
	if second == nil {
		return nil
	}
	return candidates(h.t, reply[:36+len(first)], second)
}

func openReply(t *testing.T, reply []byte) (x, first, second []byte) {
	t.Helper()
	x, rest := lv2(t, reply)
	first, rest = lv2(t, rest)
	second, rest = lv2(t, rest)
	if len(x) != 32 || len(rest) != 0 {
		t.Fatalf("INIT reply of another form: x %d, %d left over", len(x), len(rest))
	}
	if len(second) == 0 {
		second = nil
	}
	return x, first, second
}

// lv2 reads a field with 2 bytes of length.
func lv2(t *testing.T, b []byte) (field, rest []byte) {
	t.Helper()
	if len(b) < 2 || len(b) < 2+int(binary.BigEndian.Uint16(b)) {
		t.Fatalf("no length-value field in %x", b)
	}
	n := 2 + int(binary.BigEndian.Uint16(b))
	return b[2:n], b[n:]
}

func hostHMAC(key, data []byte) []byte {
	m := hmac.New(sha1.New, key)
	m.Write(data)
	return m.Sum(nil)
}

// verify checks a DER signature over the SHA-256 of data.
func verify(t *testing.T, key *btcec.PublicKey, data, sig []byte) bool {
	t.Helper()
	digest := sha256.Sum256(data)
	return verifyDigest(t, key, digest[:], sig)
}

func verifyDigest(t *testing.T, key *btcec.PublicKey, digest, sig []byte) bool {
	t.Helper()
	parsed, err := ecdsa.ParseDERSignature(sig)
	if err != nil {
		t.Fatalf("signature %x: %v", sig, err)
	}
	return parsed.Verify(digest, key)
}

// recoverX finds the key with that X for which the signature verifies.
func recoverX(t *testing.T, x, data, sig []byte) *btcec.PublicKey {
	t.Helper()
	for _, parity := range []byte{2, 3} {
		if key, err := btcec.ParsePubKey(append([]byte{parity}, x...)); err == nil && verify(t, key, data, sig) {
			return key
		}
	}
	t.Fatalf("no key with X %x made the signature", x)
	return nil
}

// candidates are the keys that can have made a signature.
func candidates(t *testing.T, data, sig []byte) (keys []*btcec.PublicKey) {
	t.Helper()
	digest := sha256.Sum256(data)
	parsed, err := ecdsa.ParseDERSignature(sig)
	if err != nil {
		t.Fatal(err)
	}
	r, s := parsed.R(), parsed.S()
	for code := byte(27 + 4); code < 27+8; code++ {
		rb, sb := r.Bytes(), s.Bytes()
		compact := append(append([]byte{code}, rb[:]...), sb[:]...)
		if key, _, err := ecdsa.RecoverCompact(compact, digest[:]); err == nil {
			keys = append(keys, key)
		}
	}
	return keys
}

// wrapped is the channel message of an inner command.
func (h *host) wrapped(inner []byte, counter uint32) []byte {
	h.t.Helper()
	iv := binary.BigEndian.AppendUint32([]byte("twelve bytes"), counter)
	pad := 16 - len(inner)%16
	plain := append(bytes.Clone(inner), bytes.Repeat([]byte{byte(pad)}, pad)...)
	block, err := aes.NewCipher(h.enc)
	if err != nil {
		h.t.Fatal(err)
	}
	cipher.NewCBCEncrypter(block, iv).CryptBlocks(plain, plain)
	data := append(binary.BigEndian.AppendUint16(bytes.Clone(iv), uint16(len(plain))), plain...)
	data = append(append(data, 0, 20), hostHMAC(h.mac, data)...)
	return append([]byte{0xB0, 0x82, 0, 0, byte(len(data))}, data...)
}

// send sends an inner command through the channel and unwraps the reply.
func (h *host) send(inner []byte) ([]byte, uint16) {
	h.t.Helper()
	h.counter += 2
	return h.finish(h.card.Transmit(h.wrapped(inner, h.counter-2)))
}

// finish unwraps a reply to a wrapped command.
func (h *host) finish(raw []byte) ([]byte, uint16) {
	h.t.Helper()
	reply, sw := split(h.t, raw)
	if h.plain = len(reply) == 0 || len(reply) == 12; h.plain { // GET STATUS is never wrapped
		return reply, sw
	}
	if len(reply) < 18+16 || int(binary.BigEndian.Uint16(reply[16:])) != len(reply)-18 || (len(reply)-18)%16 != 0 {
		h.t.Fatalf("wrapped reply of another form: %x", reply)
	}
	h.replyIV = binary.BigEndian.Uint32(reply[12:])
	block, err := aes.NewCipher(h.enc)
	if err != nil {
		h.t.Fatal(err)
	}
	plain := make([]byte, len(reply)-18)
	cipher.NewCBCDecrypter(block, reply[:16]).CryptBlocks(plain, reply[18:])
	pad := int(plain[len(plain)-1])
	if pad < 1 || pad > 16 || !bytes.Equal(plain[len(plain)-pad:], bytes.Repeat([]byte{byte(pad)}, pad)) {
		h.t.Fatalf("padding of %x", plain)
	}
	return plain[:len(plain)-pad], sw
}

// command builds an inner APDU.
func inner(ins, p1, p2 byte, data ...byte) []byte {
	apdu := []byte{0xB0, ins, p1, p2}
	if len(data) > 0 {
		apdu = append(append(apdu, byte(len(data))), data...)
	}
	return apdu
}

// expect sends an inner command that has to end with sw.
func (h *host) expect(sw uint16, apdu []byte) []byte {
	h.t.Helper()
	reply, got := h.send(apdu)
	if got != sw {
		h.t.Fatalf("%02X %02X %02X: %04X, want %04X", apdu[1], apdu[2], apdu[3], got, sw)
	}
	return reply
}

// connect powers a card up, selects it and opens the channel.
func connect(t *testing.T, c Card) *host {
	t.Helper()
	h := &host{t: t, card: c}
	c.Reset()
	h.selectCard()
	h.open(bytes.Repeat([]byte{7}, 32))
	return h
}

// login is connect and the demo PIN.
func login(t *testing.T, c Card) *host {
	t.Helper()
	h := connect(t, c)
	h.expect(0x9000, inner(0x42, 0, 0, []byte(DemoPIN)...))
	return h
}
