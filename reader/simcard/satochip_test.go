package simcard

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"encoding/hex"
	"testing"

	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcec/v2/ecdsa"
	"github.com/btcsuite/btcd/btcec/v2/schnorr"
)

// hard is a hardened index.
const hard = 0x80000000

func path(indexes ...uint32) []byte {
	var b []byte
	for _, i := range indexes {
		b = binary.BigEndian.AppendUint32(b, i)
	}
	return b
}

// derive asks for the key at a path and returns it with its chain code.
func (h *host) derive(p2 byte, indexes ...uint32) (*btcec.PublicKey, []byte) {
	h.t.Helper()
	got := h.expect(0x9000, inner(0x6D, byte(len(indexes)), p2, path(indexes...)...))
	x, rest := lv2(h.t, got[32:])
	sig, _ := lv2(h.t, rest)
	return recoverX(h.t, x, got[:66], sig), got[:32]
}

func digestOf(i int) []byte {
	d := sha256.Sum256([]byte{byte(i)})
	return d[:]
}

// TestPublishedKeys: the accounts that BIP84 and BIP86 print for this seed.
func TestPublishedKeys(t *testing.T) {
	if hex.EncodeToString(DemoSeed()) != "5eb00bbddcf069084889a8ab9155568165f5c453ccb85e70811aaed6f6da5fc19a5ac40b389cd370d086206dec8aa6c43daea6690f20ad3d8d48b2d2ce9e38e4" {
		t.Fatal("the demo seed is not that of its words")
	}
	for _, version := range []string{Satochip011, Satochip012, Satochip014} {
		h := login(t, newSatochip(t, Demo(version, "a")))
		for _, tc := range []struct {
			path []uint32
			key  string
		}{
			{nil, "03d902f35f560e0470c63313c7369168d9d7df2d49bf295fd9fb7cb109ccee0494"},
			{[]uint32{84 | hard, hard, hard}, "02707a62fdacc26ea9b63b1c197906f56ee0180d0bcf1966e1a2da34f5f3a09a9b"},
			{[]uint32{84 | hard, hard, hard, 0, 0}, "0330d54fd0dd420a6e5f8d3624f5f3482cae350f79d5f0753bf5beef9c2d91af3c"},
			{[]uint32{86 | hard, hard, hard, 0, 0}, "03cc8a4bc64d897bddc5fbc2f670f7a8ba0b386779106cf1223c6fc5d7cd6fc115"},
		} {
			if key, _ := h.derive(0x40, tc.path...); hex.EncodeToString(key.SerializeCompressed()) != tc.key {
				t.Errorf("%s: key at %x: %x", version, tc.path, key.SerializeCompressed())
			}
		}
	}
}

// TestHighSAboutHalf: a host has to normalise. 64 to 192 of 256 leaves one
// chance in 10^15 to fail by accident.
func TestHighSAboutHalf(t *testing.T) {
	h := login(t, newSatochip(t, Demo(Satochip012, "a")))
	key, _ := h.derive(0x40, 84|hard, hard, hard, 0, 0)
	high := 0
	for i := range 256 {
		sig := h.expect(0x9000, inner(0x7A, 0xFF, 0, digestOf(i)...))
		if !verifyDigest(t, key, digestOf(i), sig) {
			t.Fatalf("signature %d: %x", i, sig)
		}
		parsed, _ := ecdsa.ParseDERSignature(sig)
		if s := parsed.S(); s.IsOverHalfOrder() {
			high++
		}
	}
	if high < 64 || high > 192 {
		t.Errorf("%d of 256 signatures have a high S", high)
	}
}

// TestSchnorrTraps: only a tweak of zeros gives a BIP341 key, and each tweak is
// good for one signature.
func TestSchnorrTraps(t *testing.T) {
	h := login(t, newSatochip(t, Demo(Satochip014, "a")))
	h.expect(0x6F00, inner(0x7B, 0xFF, 0, digestOf(1)...)) // no tweak yet
	h.derive(0x40, 86|hard, hard, hard, 0, 0)
	tweak := func(data []byte) *btcec.PublicKey {
		got := h.expect(0x9000, inner(0x7C, 0xFF, 0, append([]byte{32}, data...)...))
		raw, _ := lv2(t, got)
		key, err := schnorr.ParsePubKey(raw[1:33])
		if err != nil {
			t.Fatal(err)
		}
		return key
	}
	signs := func(key *btcec.PublicKey, digest []byte) bool {
		sig, err := schnorr.ParseSignature(h.expect(0x9000, inner(0x7B, 0x05, 0, digest...)))
		return err == nil && sig.Verify(digest, key)
	}
	output := tweak(make([]byte, 32))
	if x := output.SerializeCompressed()[1:]; hex.EncodeToString(x) != "a60869f0dbcf1dc659c9cecbaf8050135ea9e8cdc487053f1dc6880949dc684c" {
		t.Errorf("output key %x is not that of BIP86", x)
	}
	if !signs(output, digestOf(1)) {
		t.Error("the first signature does not verify")
	}
	if signs(output, digestOf(2)) {
		t.Error("the second signature verifies without a new tweak")
	}
	if again := tweak(make([]byte, 32)); !again.IsEqual(output) || !signs(again, digestOf(2)) {
		t.Error("a new tweak does not mend it")
	}
	root := digestOf(3)
	if other := tweak(root); other.IsEqual(output) || !signs(other, digestOf(4)) {
		t.Error("a tweak with a merkle root signs for another key")
	}
}

// TestLastKeyIsTheParentOfAFailedDerivation: the cache being full is found after
// the parent was put where the signing key is.
func TestLastKeyIsTheParentOfAFailedDerivation(t *testing.T) {
	o := Demo(Satochip012, "a")
	o.NodeSlots = 3
	h := login(t, newSatochip(t, o))
	h.derive(0x40, 44|hard, hard, hard)
	parent, _ := h.derive(0x40, 44|hard, hard, hard)
	h.derive(0x40)
	h.expect(0x9C01, inner(0x6D, 4, 0x40, path(44|hard, hard, hard, 0)...))
	sig := h.expect(0x9000, inner(0x7A, 0xFF, 0, digestOf(1)...))
	if !verifyDigest(t, parent, digestOf(1), sig) {
		t.Error("not signed by the parent")
	}
	h.expect(0x9C01, inner(0x6D, 4, 0xC0, path(44|hard, hard, hard, 0)...)) // 4 do not fit in 3
	if key, _ := h.derive(0x80, 45|hard); key == nil {
		t.Error("a flush does not help")
	}
}

// TestOldVersion is what differs in 0.11.
func TestOldVersion(t *testing.T) {
	o := Demo(Satochip011, "a")
	seed := o.Seed
	o.Seed = nil
	card := newSatochip(t, o)
	h := &host{t: t, card: card}
	h.selectCard()
	if keys := h.open(bytes.Repeat([]byte{1}, 32)); keys != nil || card.Authentikey() != nil {
		t.Error("an unseeded card has an authentikey")
	}
	if status, _ := h.clear([]byte{0xB0, 0x3C, 0, 0}); hex.EncodeToString(status) != "000b00010503010100000101" {
		t.Errorf("status %x", status)
	}
	h.expect(0x63C4, inner(0x42, 0, 0, []byte("0000")...))
	h.expect(0x9000, inner(0x42, 0, 0, []byte(DemoPIN)...))
	for _, ins := range []byte{0x3D, 0x93, 0x9A, 0xAD, 0x7B, 0x7C} {
		h.expect(0x6D00, inner(ins, 0, 1))
	}
	h.expect(0x9000, inner(0x6C, 64, 0, seed...))
	m := hmac.New(sha512.New, []byte("Bitcoin seed2"))
	m.Write(seed)
	_, want := btcec.PrivKeyFromBytes(m.Sum(nil)[:32])
	if !bytes.Equal(card.Authentikey(), want.SerializeCompressed()) {
		t.Error("the authentikey is not that of the seed")
	}
	found := false
	for _, k := range h.open(bytes.Repeat([]byte{2}, 32)) {
		found = found || k.IsEqual(want)
	}
	if !found {
		t.Error("INIT is not signed by it")
	}
	card.Reset()
	h.selectCard()
	if _, sw := h.clear([]byte{0xB0, 0xFF, 0, 0}); sw != 0x9C20 {
		t.Errorf("factory reset: %04X", sw)
	}
	if _, sw := h.clear([]byte{0x00, 0xA4, 0x04, 0, 5, 0xA0, 0, 0, 0, 3}); sw != 0x9000 {
		t.Errorf("SELECT of another name: %04X", sw)
	}
}

// TestStates: what the options make is what GET STATUS tells.
func TestStates(t *testing.T) {
	change := func(f func(*SatochipOptions)) SatochipOptions {
		o := Demo(Satochip012, "a")
		f(&o)
		return o
	}
	for name, tc := range map[string]struct {
		options SatochipOptions
		status  string
	}{
		"new":      {SatochipOptions{}, "000c00060000000000000001"},
		"unseeded": {change(func(o *SatochipOptions) { o.Seed = nil }), "000c00060503010100000101"},
		"ready":    {Demo(Satochip012, "a"), "000c00060503010100010101"},
		"0.14":     {Demo(Satochip014, "a"), "000e00010503010100010101"},
		"one left": {change(func(o *SatochipOptions) { o.WrongPINs = 4 }), "000c00060103010100010101"},
		"blocked":  {change(func(o *SatochipOptions) { o.WrongPINs = 9 }), "000c00060003010100010101"},
		"lost":     {change(func(o *SatochipOptions) { o.WrongPINs, o.WrongPUKs = 5, 3 }), "000c00060000010100010101"},
		"2FA":      {change(func(o *SatochipOptions) { o.TwoFactor = true }), "000c00060503010101010101"},
		"tries":    {change(func(o *SatochipOptions) { o.PINTries, o.PUKTries = 3, 9 }), "000c00060309010100010101"},
	} {
		h := &host{t: t, card: newSatochip(t, tc.options)}
		h.selectCard()
		if got, sw := h.clear([]byte{0xB0, 0x3C, 0, 0}); sw != 0x9000 || hex.EncodeToString(got) != tc.status {
			t.Errorf("%s: status %x %04X, want %s", name, got, sw, tc.status)
		}
	}
}

func TestOptionsNoCardCanHave(t *testing.T) {
	for name, change := range map[string]func(*SatochipOptions){
		"version":     func(o *SatochipOptions) { o.Version = "0.13" },
		"short PIN":   func(o *SatochipOptions) { o.PIN = []byte("123") },
		"no PUK":      func(o *SatochipOptions) { o.PUK = nil },
		"no PIN":      func(o *SatochipOptions) { o.PIN = nil },
		"long seed":   func(o *SatochipOptions) { o.Seed = make([]byte, 65) },
		"empty seed":  func(o *SatochipOptions) { o.Seed = []byte{} },
		"label":       func(o *SatochipOptions) { o.Label = string(make([]byte, 65)) },
		"authentikey": func(o *SatochipOptions) { o.Authentikey = make([]byte, 31) },
	} {
		o := Demo(Satochip012, "a")
		change(&o)
		if c, err := NewSatochip(o); err == nil || c != nil {
			t.Errorf("%s: a card was made", name)
		}
	}
}

func TestSecondFactorIsAsked(t *testing.T) {
	o := Demo(Satochip014, "a")
	o.TwoFactor = true
	o.Random = bytes.NewReader(bytes.Repeat([]byte{9}, 16+16+20)) // PIN 1, PUK 1, the key
	h := login(t, newSatochip(t, o))
	key, _ := h.derive(0x40, 84|hard)
	h.expect(0x6700, inner(0x7A, 0xFF, 0, digestOf(1)...))
	h.expect(0x6700, inner(0x7B, 0xFF, 0, digestOf(1)...))
	code := func(padding byte) []byte {
		message := append(digestOf(1), bytes.Repeat([]byte{padding}, 32)...)
		return append(append(digestOf(1), 0x80, 0), hostHMAC(bytes.Repeat([]byte{9}, 20), message)...)
	}
	h.expect(0x9C0B, inner(0x7A, 0xFF, 0, code(0xDD)...))
	if sig := h.expect(0x9000, inner(0x7A, 0xFF, 0, code(0xCC)...)); !verifyDigest(t, key, digestOf(1), sig) {
		t.Error("with the code it does not verify")
	}
	wrongFlag := code(0xCC)
	wrongFlag[32] = 0
	h.expect(0x9C09, inner(0x7A, 0xFF, 0, wrongFlag...))
}

// setupData is that of a vendor's SETUP.
func setupData(pin, puk string) []byte {
	lv := func(s string) []byte { return append([]byte{byte(len(s))}, s...) }
	d := lv("Muscle00")
	d = append(append(append(d, 5, 3), lv(pin)...), lv(puk)...)
	d = append(append(append(d, 1, 1), lv("0123456789abcdef")...), lv("0123456789abcdef")...)
	return append(d, 0, 32, 0, 32, 1, 1, 1)
}

// TestCardsCanBeSpoiled: three PINs sent to a card that is not set up use up the
// factory PIN, and SETUP is refused for good; so does half a SETUP.
func TestCardsCanBeSpoiled(t *testing.T) {
	h := connect(t, newSatochip(t, SatochipOptions{}))
	for _, sw := range []uint16{0x63C2, 0x63C1, 0x63C0, 0x9C0C} {
		h.expect(sw, inner(0x42, 0, 0, []byte("1234")...))
	}
	h.expect(0x9C0C, inner(0x2A, 0, 0, setupData("1234", "12345678")...))
	h = connect(t, newSatochip(t, SatochipOptions{}))
	h.expect(0x9C0F, inner(0x2A, 0, 0, setupData("1234", "123")...))
	h.expect(0x63C4, inner(0x2A, 0, 0, setupData("1234", "12345678")...)) // the PIN is 1234 by now
	h.expect(0x9C04, inner(0x42, 0, 0, []byte("1234")...))
}

// TestSeedReset: 0.12 goes on, and would sign with the key of the old seed;
// 0.14 loses the curve.
func TestSeedReset(t *testing.T) {
	reseed := func(version string) (*host, *btcec.PublicKey) {
		h := login(t, newSatochip(t, Demo(version, "a")))
		old, _ := h.derive(0x40, 84|hard)
		h.expect(0x63C4, inner(0x77, 4, 0, []byte("0000")...))
		h.expect(0x9000, inner(0x77, 4, 0, []byte(DemoPIN)...))
		h.expect(0x9C06, inner(0x6C, 16, 0, make([]byte, 16)...))
		h.expect(0x9000, inner(0x42, 0, 0, []byte(DemoPIN)...))
		h.expect(0x9C14, inner(0x6D, 0, 0x40))
		h.expect(0x9000, inner(0x6C, 16, 0, make([]byte, 16)...))
		return h, old
	}
	h, old := reseed(Satochip012)
	if sig := h.expect(0x9000, inner(0x7A, 0xFF, 0, digestOf(1)...)); !verifyDigest(t, old, digestOf(1), sig) {
		t.Error("the key derived last is gone")
	}
	if key, _ := h.derive(0x40, 84|hard); key.IsEqual(old) {
		t.Error("the node cache outlives the seed")
	}
	h, _ = reseed(Satochip014)
	h.expect(0x6F00, inner(0x6D, 1, 0x40, path(84|hard)...))
	h.expect(0x6F00, inner(0x7A, 0xFF, 0, digestOf(1)...))
	h.expect(0x6F00, inner(0x7C, 0xFF, 0, append([]byte{32}, make([]byte, 32)...)...))
}

// TestFactoryReset: five times, each the only command after power-up; then the
// card is new but for its authentikey.
func TestFactoryReset(t *testing.T) {
	card := newSatochip(t, Demo(Satochip012, "a"))
	before := card.Authentikey()
	h := &host{t: t, card: card}
	reset := func(want uint16) {
		t.Helper()
		if _, sw := h.clear([]byte{0xB0, 0xFF, 0, 0}); sw != want {
			t.Fatalf("%04X, want %04X", sw, want)
		}
	}
	power := func() { card.Reset(); h.selectCard() }
	for _, want := range []uint16{0xFF04, 0xFF03} {
		power()
		reset(want)
	}
	reset(0xFFFF) // twice after one power-up
	for _, want := range []uint16{0xFF04, 0xFF03, 0xFF02, 0xFF01, 0xFF00} {
		power()
		reset(want)
	}
	h = connect(t, card)
	h.expect(0x9000, inner(0x2A, 0, 0, setupData("4321", "12345678")...))
	h.expect(0x9000, inner(0x42, 0, 0, []byte("4321")...))
	h.expect(0x9C14, inner(0x6D, 0, 0x40))
	if label := h.expect(0x9000, inner(0x3D, 0, 1)); !bytes.Equal(label, []byte{0}) {
		t.Errorf("label %q", label)
	}
	if !bytes.Equal(card.Authentikey(), before) {
		t.Error("another authentikey")
	}
}

// TestChannelRules: what a channel refuses does not close it.
func TestChannelRules(t *testing.T) {
	h := login(t, newSatochip(t, Demo(Satochip012, "a")))
	label := inner(0x3D, 0, 1)
	send := func(want uint16, m []byte) {
		t.Helper()
		if _, sw := h.finish(h.card.Transmit(m)); sw != want {
			t.Errorf("%04X, want %04X", sw, want)
		}
	}
	broken := h.wrapped(label, 3)
	broken[len(broken)-1] ^= 0x80
	send(0x9C23, broken)
	send(0x9C22, h.wrapped(label, 1))
	send(0x9C22, h.wrapped(label, 4))
	send(0x9000, h.wrapped(label, 3))
	send(0x9C22, h.wrapped(label, 3))
	send(0x9000, h.wrapped(label, 0xFFFFFFFD))
	send(0x9000, h.wrapped(label, 0xFFFFFFFF))
	send(0x9000, h.wrapped(label, 1)) // the counter has run over, as in the applet
	h = login(t, h.card)
	if got := h.expect(0x9000, label); string(got) != "\x01a" || h.replyIV != 4 {
		t.Errorf("label %q, IV counter %d", got, h.replyIV)
	}
	h.expect(0x6D00, bytes.Repeat([]byte{0xB0}, 159))
	h.expect(0x9C1F, bytes.Repeat([]byte{0xB0}, 160))
	if !h.plain {
		t.Error("an error came wrapped")
	}
	h.selectCard()
	send(0x9C21, h.wrapped(label, 99))
}

// TestPINLife: logged out by SELECT, power, LOGOUT, CHANGE PIN and a wrong PIN.
func TestPINLife(t *testing.T) {
	card := newSatochip(t, Demo(Satochip012, "a"))
	label := inner(0x3D, 0, 1)
	change := append(append([]byte{4}, DemoPIN...), append([]byte{4}, DemoPIN...)...)
	for name, leave := range map[string]func(*host){
		"logout": func(h *host) { h.expect(0x9000, inner(0x60, 0, 0)) },
		"change": func(h *host) { h.expect(0x9000, inner(0x44, 0, 0, change...)) },
		"wrong":  func(h *host) { h.expect(0x63C4, inner(0x42, 0, 0, []byte("9999")...)) },
		"short":  func(h *host) { h.expect(0x9C0F, inner(0x42, 0, 0, []byte("123")...)) },
	} {
		h := login(t, card)
		h.expect(0x9000, label)
		leave(h)
		want := uint16(0x9C06)
		if name == "short" { // never compared, so not counted either
			want = 0x9000
		}
		h.expect(want, label)
	}
	h := connect(t, card) // SELECT
	h.expect(0x9C06, label)
}

// TestLogHoldsNoData: a log entry has nothing that a PIN could be in.
func TestLogHoldsNoData(t *testing.T) {
	card := newSatochip(t, Demo(Satochip012, "a"))
	h := login(t, card)
	h.expect(0x9000, inner(0x3D, 0, 1))
	card.Transmit(nil)
	want := []Exchange{{0xA4, false, 0x9000}, {0x81, false, 0x9000}, {0x42, true, 0x9000}, {0x3D, true, 0x9000}, {0, false, 0x6700}}
	if got := card.Log(); len(got) != len(want) {
		t.Fatalf("log %v", got)
	} else {
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("entry %d: %v, want %v", i, got[i], want[i])
			}
		}
	}
	if card.Count(0x42) != 1 || card.Count(0x7A) != 0 {
		t.Error("count")
	}
	for range 2 * maxLog {
		card.Transmit([]byte{0xB0, 0x3C, 0, 0})
	}
	if n := len(card.Log()); n > maxLog {
		t.Errorf("%d entries", n)
	}
}
