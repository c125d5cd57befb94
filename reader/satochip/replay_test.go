package satochip

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/btcsuite/btcd/btcec/v2"

	"github.com/airlock-signer/airlock/reader/apdu"
	"github.com/airlock-signer/airlock/reader/card"
)

// TestReplay plays every session of the recordings through the protocol layer:
// each command must be equal byte for byte, each fact in `expect` must hold.
func TestReplay(t *testing.T) {
	for _, name := range []string{"satochip-0.12.json", "satochip-0.14.json"} {
		t.Run(name, func(t *testing.T) {
			rec := loadRecording(t, name)
			authentikey, err := btcec.ParsePubKey(unhex(t, rec.Secrets.Authentikey))
			if err != nil {
				t.Fatal(err)
			}
			p := &player{authentikey: authentikey, cares: map[byte]int{}}
			for _, s := range rec.Sessions {
				t.Run(s.Name, func(t *testing.T) { p.play(t, s) })
			}
			if p.openings < 10 || p.signatures < 10 || p.keys < 20 {
				t.Errorf("only %d openings, %d signatures, %d keys were checked", p.openings, p.signatures, p.keys)
			}
			for _, ins := range []byte{insSetup, insChangePIN, insUnblockPIN, insImportSeed, insResetSeed, insLabel, insCertificate, insChallenge, insFactoryReset} {
				if p.cares[ins] == 0 {
					t.Errorf("INS %02X was not played by the driver's own command", ins)
				}
			}
		})
	}
}

// player drives the link by what the tape has next. What it learns of the
// card's keys is carried from session to session.
type player struct {
	t           *testing.T
	tape        *tape
	link        link
	random      *bytes.Reader
	drawn       int // random numbers of the session taken so far
	session     session
	authentikey *btcec.PublicKey
	common      [][33]byte // candidates common to all openings so far
	openings    int
	signatures  int
	keys        int
	cares       map[byte]int // commands of care.go and attest.go, by INS
}

func (p *player) play(t *testing.T, s session) {
	p.t, p.session, p.drawn = t, s, 0
	p.tape = &tape{t: t, exchanges: s.Exchanges}
	p.random = s.random(t)
	p.link.t, p.link.random = p.tape, p.random
	for p.tape.pos < len(s.Exchanges) {
		e := s.Exchanges[p.tape.pos]
		before := p.tape.pos
		p.link.fault = nil // traps are played on purpose
		if e.Event != "" {
			p.tape.pos++
			continue
		}
		p.step(e)
		if p.tape.pos == before {
			t.Fatalf("%s: nothing was sent", e.Note)
		}
	}
	if p.random.Len() > 0 {
		t.Errorf("%d random bytes were not drawn", p.random.Len())
	}
}

// skipRandom takes the numbers of this exchange that the protocol layer does
// not draw itself: all but the last keep.
func (p *player) skipRandom(e recorded, keep int) {
	fresh := 0
	for _, i := range e.Rand {
		if i >= p.drawn {
			fresh++
		}
	}
	for range fresh - keep {
		n := len(p.session.HostRandom[p.drawn].Hex) / 2
		if _, err := io.CopyN(io.Discard, p.random, int64(n)); err != nil {
			p.t.Fatal(err)
		}
		p.drawn++
	}
	if fresh >= keep {
		p.drawn += keep
	}
}

func (p *player) step(e recorded) {
	switch {
	case e.Irregular != "":
		p.skipRandom(e, 0)
		p.raw(e)
	case strings.HasPrefix(e.C, "b082") && e.PlainC != "":
		p.skipRandom(e, p.draws(unhex(p.t, e.PlainC)))
		p.sealed(e)
	case e.Note != "" && strings.HasPrefix(e.C, "b081000041") && e.text("card_ephemeral") != "":
		p.skipRandom(e, 1)
		p.opening(e)
	case e.C == "b03c0000":
		p.status(e)
	case e.C == "00a40400085361746f43686970" && p.next().C == "b0ff0000":
		p.resetStep()
	case e.C == "00a40400085361746f43686970":
		if err := p.link.selectApplet(context.Background()); err != nil {
			p.t.Error(err)
		}
	default:
		p.skipRandom(e, 0)
		p.raw(e)
	}
}

// raw sends the recorded bytes as they are; an error word must have a sentence.
func (p *player) raw(e recorded) {
	data, sw, err := p.link.send(context.Background(), unhex(p.t, e.C))
	if err != nil {
		p.t.Errorf("%s: %v", e.Note, err)
	}
	if sw != apdu.OK && refusal("testing", sw).Error() == "" {
		p.t.Errorf("%s: no sentence", e.Note)
	}
	if e.PlainR != "" && sw == apdu.OK && len(data) > 0 {
		// A sealed reply to a message the driver would not send: its counter is the recorded one.
		sent := binary.BigEndian.Uint32(unhex(p.t, e.C)[5+ivRandom:])
		p.link.channel.counter = sent
		plain, err := p.link.channel.open(data)
		if err != nil || hex.EncodeToString(plain)+"9000" != e.PlainR {
			p.t.Errorf("%s: %x %v", e.Note, plain, err)
		}
	}
}

func (p *player) opening(e recorded) {
	o, err := p.link.open(context.Background())
	if err != nil {
		p.t.Fatalf("%s: %v", e.Note, err)
	}
	p.openings++
	if got := hex.EncodeToString(o.ephemeral.SerializeCompressed()); got != e.text("card_ephemeral") {
		p.t.Errorf("ephemeral %s", got)
	}
	shared := unhex(p.t, e.text("shared_x"))
	if got := hex.EncodeToString(hmacSHA1(shared, []byte("sc_key"))[:16]); got != e.text("enc_key") {
		p.t.Errorf("encryption key %s", got)
	}
	if got := hex.EncodeToString(p.link.channel.macKey); got != e.text("mac_key") {
		p.t.Errorf("MAC key %s", got)
	}
	var want, got []string
	for _, c := range e.Expect["authentikey_candidates"].([]any) {
		want = append(want, c.(string))
	}
	for _, c := range o.candidates {
		got = append(got, hex.EncodeToString(c[:]))
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		p.t.Errorf("candidates %v, want %v", got, want)
	}
	if p.common != nil {
		key, err := common(p.common, o.candidates)
		if err != nil || !key.IsEqual(p.authentikey) {
			p.t.Errorf("identity by two openings: %v %v", key, err)
		}
	}
	p.common = o.candidates
}

func (p *player) status(e recorded) {
	s, err := p.link.status(context.Background())
	if err != nil {
		p.t.Fatalf("%s: %v", e.Note, err)
	}
	if tries, ok := e.Expect["tries"].(map[string]any); ok {
		got := fmt.Sprint(s.pinTries, s.pukTries, s.twoFactor, s.seeded, s.setUp)
		want := fmt.Sprint(tries["pin0"], tries["puk0"], e.Expect["needs_2fa"], e.Expect["seeded"], e.Expect["setup_done"])
		if got != want {
			p.t.Errorf("%s: %s, want %s", e.Note, got, want)
		}
	}
	wants := map[string]card.State{
		"GET STATUS: not seeded": card.StateNoSeed,
		"GET STATUS: as new":     card.StateNotSetUp,
		"GET STATUS: 0 tries":    card.StatePINBlocked,
		"GET STATUS: 0 and 0":    card.StateBlocked,
		"GET STATUS: seeded":     card.StateReady,
	}
	if want, ok := wants[e.Note]; ok && s.state() != want {
		p.t.Errorf("%s: state %d", e.Note, s.state())
	}
	if e.Note == "GET STATUS: needs second factor" && !s.twoFactor {
		p.t.Error("second factor not seen")
	}
}

// sealed plays one command of the channel, by the command function where the
// driver has one.
func (p *player) sealed(e recorded) {
	plain := unhex(p.t, e.PlainC)
	// The tape leaves out a number once, and uses some up in messages that the
	// driver would not send.
	before := p.session.Exchanges[max(p.tape.pos-1, 0)]
	if strings.Contains(e.Note, "gap in the counter") || before.Irregular != "" {
		p.link.channel.counter = binary.BigEndian.Uint32(unhex(p.t, e.C)[5+ivRandom:]) - 2
	}
	inner := apdu.Command{CLA: plain[0], INS: plain[1], P1: plain[2], P2: plain[3]}
	if len(plain) >= 5 {
		inner.Data = plain[5:]
	}
	isOK := strings.HasSuffix(e.R, "9000")
	switch {
	case inner.INS == insStatus: // answers in plain
		p.plainStatus(e, inner)
	case inner.INS == insVerifyPIN:
		p.verifyPIN(e, inner.Data)
	case inner.INS == insExportAuthKey, inner.INS == insAuthentikey:
		p.exportAuthentikey(e, inner.INS, isOK)
	case inner.INS == insExtendedKey && inner.P2 == optDefault && len(inner.Data) == 4*int(inner.P1) && inner.P1 <= maxDepth:
		p.extendedKey(e, inner.Data)
	case inner.INS == insSignHash && isOK && inner.P1 == keyLastDerived && len(inner.Data) == 32:
		sig, err := p.link.signHash(context.Background(), [32]byte(inner.Data))
		p.checkECDSA(e, sig, err)
	case inner.INS == insTweak && isOK && inner.P2 == 0:
		p.tweak(e, inner)
	case inner.INS == insSignSchnorr && isOK && inner.P1 == keyLastDerived:
		sig, err := p.link.signSchnorr(context.Background(), [32]byte(inner.Data))
		p.checkSchnorr(e, sig, err)
	case inner.INS == insLogoutAll:
		if err := p.link.logout(context.Background()); err != nil {
			p.t.Error(err)
		}
	case p.care(e, inner, isOK):
	default:
		p.other(e, inner, isOK)
	}
}

func (p *player) plainStatus(e recorded, inner apdu.Command) {
	command, err := p.link.channel.seal(inner)
	if err != nil {
		p.t.Fatal(err)
	}
	data, sw, err := p.link.send(context.Background(), command)
	if err != nil || sw.String() != strings.ToUpper(e.R[len(e.R)-4:]) {
		p.t.Errorf("%s: %s %v", e.Note, sw, err)
	}
	if sw == apdu.OK {
		if _, err := parseStatus(data); err != nil {
			p.t.Error(err)
		}
	}
}

func (p *player) verifyPIN(e recorded, pin []byte) {
	sw, sent, err := p.link.verifyPIN(context.Background(), pinOf(p.t, string(pin)))
	if err != nil || !sent || sw.String() != strings.ToUpper(e.R) {
		p.t.Errorf("%s: %s %v", e.Note, sw, err)
	}
}

func (p *player) exportAuthentikey(e recorded, ins byte, isOK bool) {
	key, err := p.link.authentikey(context.Background(), ins)
	if !isOK {
		if err == nil || !errors.As(err, new(card.StatusError)) {
			p.t.Errorf("%s: %v", e.Note, err)
		}
		return
	}
	if err != nil || hex.EncodeToString(key.SerializeCompressed()) != e.text("authentikey") || !key.IsEqual(p.authentikey) {
		p.t.Errorf("%s: %v", e.Note, err)
	}
	p.keys++
}

// extendedKey may take two exchanges, where the cache is full.
func (p *player) extendedKey(e recorded, raw []byte) {
	var path []uint32
	for i := 0; i < len(raw); i += 4 {
		path = append(path, binary.BigEndian.Uint32(raw[i:]))
	}
	full := strings.HasSuffix(e.R, "9c01")
	if full {
		e = p.session.Exchanges[p.tape.pos+1]
		p.drawn++
	}
	k, err := p.link.extendedKey(context.Background(), path, p.authentikey)
	if sw := e.R[len(e.R)-4:]; sw != "9000" {
		var status card.StatusError
		if !errors.As(err, &status) || fmt.Sprintf("%04x", status.SW) != sw {
			p.t.Errorf("%s: %v", e.Note, err)
		}
		return
	}
	if err != nil {
		p.t.Fatalf("%s: %v", e.Note, err)
	}
	p.keys++
	pub := k.compressed()
	if hex.EncodeToString(pub[:]) != e.text("pubkey") || hex.EncodeToString(k.chainCode[:]) != e.text("chain_code") {
		p.t.Errorf("%s: key %x chain code %x", e.Note, pub, k.chainCode)
	}
}
