package simcard

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcec/v2/ecdsa"
	"github.com/btcsuite/btcd/btcec/v2/schnorr"
)

// recording is a file of shared/vectors/cards; see the README there.
type recording struct {
	Secrets struct {
		PUK string `json:"puk"`
	} `json:"secrets"`
	Sessions []struct {
		Name       string     `json:"name"`
		HostRandom []drawn    `json:"host_random"`
		Exchanges  []exchange `json:"exchanges"`
	} `json:"sessions"`
}

type drawn struct {
	Use string `json:"use"`
	Hex string `json:"hex"`
}

type exchange struct {
	Note      string `json:"note"`
	C         string `json:"c"`
	R         string `json:"r"`
	PlainC    string `json:"plain_c"`
	PlainR    string `json:"plain_r"`
	Rand      []int  `json:"rand"`
	Irregular string `json:"irregular"`
	Event     string `json:"event"`
	Expect    struct {
		PubKey      string `json:"pubkey"`
		Digest      string `json:"digest"`
		ChainCode   string `json:"chain_code"`
		InternalKey string `json:"internal_key"`
		OutputKey   string `json:"output_key"`
		Verified    *bool  `json:"verified"`
		SignedBy    string `json:"signed_by"`
		ReplyIV     uint32 `json:"reply_iv_counter"`
	} `json:"expect"`
}

func vectors(t testing.TB) string {
	dir := os.Getenv("AIRLOCK_VECTORS")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "vectors")
	}
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("NOT RUN: the shared vectors are not here (%v); set AIRLOCK_VECTORS", err)
	}
	return dir
}

func readRecording(t testing.TB, name string) recording {
	data, err := os.ReadFile(filepath.Join(vectors(t), "cards", name))
	if err != nil {
		t.Fatal(err)
	}
	var r recording
	if err := json.Unmarshal(data, &r); err != nil {
		t.Fatal(err)
	}
	if len(r.Sessions) < 10 {
		t.Fatalf("%s holds %d sessions", name, len(r.Sessions))
	}
	return r
}

// replay is one recording fed to one twin.
type replay struct {
	*host
	auth     *btcec.PublicKey // of the twin
	internal *btcec.PublicKey // of the last TWEAK
	exact    int              // replies compared byte for byte
	verified int              // signatures verified
	highS    int
	wrong    int // signatures that have to be wrong, and are
}

// TestAnswersAsRecorded feeds all commands of both recordings to a new card and
// compares what the README there calls comparable.
func TestAnswersAsRecorded(t *testing.T) {
	for _, version := range []string{Satochip012, Satochip014} {
		t.Run(version, func(t *testing.T) {
			rec := readRecording(t, "satochip-"+version+".json")
			twin := newSatochip(t, SatochipOptions{Version: version})
			auth, err := btcec.ParsePubKey(twin.Authentikey())
			if err != nil {
				t.Fatal(err)
			}
			r := &replay{host: &host{t: t, card: twin}, auth: auth}
			n := 0
			for _, s := range rec.Sessions {
				for _, e := range s.Exchanges {
					r.play(s.Name, s.HostRandom, e)
					n++
				}
				if t.Failed() {
					t.Fatalf("stopped after session %s: what follows depends on it", s.Name)
				}
			}
			t.Logf("%d exchanges, %d replies equal byte for byte, %d signatures verified (%d high S), %d wrong as recorded",
				n, r.exact, r.verified, r.highS, r.wrong)
			if r.highS == 0 || r.highS == r.verified {
				t.Errorf("%d of %d signatures have a high S", r.highS, r.verified)
			}
			if version == Satochip014 && r.wrong == 0 {
				t.Error("the second Schnorr signature after one tweak was not met")
			}
		})
	}
}

// play sends one exchange to the twin, and compares.
func (r *replay) play(session string, random []drawn, e exchange) {
	t := r.t
	t.Helper()
	if e.Event == "power_cycle" {
		r.card.Reset()
		return
	}
	if e.Event != "" {
		t.Fatalf("unknown event %q", e.Event)
	}
	want, wantSW := split(t, unhex(t, e.R))
	var got []byte
	var sw uint16
	switch {
	case e.PlainC != "":
		got, sw = r.finish(r.card.Transmit(r.message(e)))
		if e.PlainR != "" {
			want, wantSW = split(t, unhex(t, e.PlainR))
			if wasPlain := e.PlainR == e.R; wasPlain != r.plain {
				t.Errorf("%s: %s: in clear %v, want %v", session, e.Note, r.plain, wasPlain)
			}
		}
		if e.Expect.ReplyIV != 0 && r.replyIV != e.Expect.ReplyIV {
			t.Errorf("%s: %s: IV counter %d, want %d", session, e.Note, r.replyIV, e.Expect.ReplyIV)
		}
	case strings.HasPrefix(e.C, "b081000041") && wantSW == 0x9000:
		r.isCandidate(session, r.open(unhex(t, random[e.Rand[0]].Hex)))
		return
	default:
		got, sw = r.clear(unhex(t, e.C))
	}
	if sw != wantSW {
		t.Errorf("%s: %s: %04X, want %04X", session, e.Note, sw, wantSW)
		return
	}
	r.compare(session, e, want, got)
}

func (r *replay) isCandidate(session string, keys []*btcec.PublicKey) {
	r.t.Helper()
	for _, k := range keys {
		if k.IsEqual(r.auth) {
			return
		}
	}
	r.t.Errorf("%s: INIT is not signed by the authentikey", session)
}

// message wraps an inner command with the counter of the recording, and breaks
// it as the recording says.
func (r *replay) message(e exchange) []byte {
	recorded := unhex(r.t, e.C)
	counter := binary.BigEndian.Uint32(recorded[17:])
	if r.enc == nil { // never opened in this file
		r.t.Fatalf("%s: no channel yet", e.Note)
	}
	m := r.wrapped(unhex(r.t, e.PlainC), counter)
	switch {
	case e.Irregular == "last bit of the MAC flipped":
		m[len(m)-1] ^= 1
	case e.Irregular == "5 bytes missing":
		m = m[:len(m)-5]
		m[4] -= 5
	case e.Irregular == "trailing Le":
		m = append(m, 0)
	case e.Irregular != "" && !strings.HasPrefix(e.Irregular, "counter ") && e.Irregular != "even counter" &&
		e.Irregular != "keys of the closed channel":
		r.t.Fatalf("%s: no test of %q", e.Note, e.Irregular)
	}
	if len(m) != len(recorded) {
		r.t.Errorf("%s: the message has %d bytes, the recorded one %d", e.Note, len(m), len(recorded))
	}
	return m
}

// compare checks data of a reply: signatures by their keys, the rest as bytes.
func (r *replay) compare(session string, e exchange, want, got []byte) {
	t := r.t
	t.Helper()
	fail := func(what string) { t.Errorf("%s: %s: %s\n got %x\nwant %x", session, e.Note, what, got, want) }
	if len(want) == 0 {
		if len(got) != 0 {
			fail("data, where there should be none")
		}
		return
	}
	switch ins := unhex(t, e.C+e.PlainC)[len(unhex(t, e.C))*min(1, len(e.PlainC))+1]; ins {
	case 0x3C, 0x3D, 0x93:
		if !bytes.Equal(got, want) {
			fail("differs")
		}
		r.exact++
	case 0x6C, 0x73, 0xAD: // authentikey: X, signature by itself
		r.selfSigned(fail, got, r.auth)
	case 0x35:
		r.selfSigned(fail, got, r.parse(e.Expect.PubKey))
	case 0x6D:
		r.extended(fail, e, got)
	case 0x6E, 0x7A:
		r.ecdsa(fail, r.parse(e.Expect.PubKey), unhex(t, e.Expect.Digest), got)
	case 0x7C:
		r.tweakReply(fail, e, got)
	case 0x7B:
		r.schnorr(fail, e, got)
	case 0x9A:
		nonce, sig := got[:32], got[32:]
		sig, rest := lv2(t, sig)
		message := append(append([]byte("Challenge:"), nonce...), unhex(t, e.PlainC)[5:]...)
		if len(rest) != 0 || !verify(t, r.auth, message, sig) {
			fail("not signed by the authentikey")
		}
		r.verified++
	default:
		t.Fatalf("%s: %s: no comparison for INS %02X", session, e.Note, ins)
	}
}

func (r *replay) parse(key string) *btcec.PublicKey {
	r.t.Helper()
	k, err := btcec.ParsePubKey(unhex(r.t, key))
	if err != nil {
		r.t.Fatal(err)
	}
	return k
}

// ecdsa checks a signature, and how S falls.
func (r *replay) ecdsa(fail func(string), key *btcec.PublicKey, digest, sig []byte) {
	r.t.Helper()
	if len(sig) < 68 || len(sig) > 72 {
		fail("signature length")
	}
	if !verifyDigest(r.t, key, digest, sig) {
		fail("signature does not verify")
	}
	r.verified++
	if parsed, err := ecdsa.ParseDERSignature(sig); err == nil {
		if s := parsed.S(); s.IsOverHalfOrder() {
			r.highS++
		}
	}
}

// selfSigned checks 0020 X LV2 signature.
func (r *replay) selfSigned(fail func(string), got []byte, key *btcec.PublicKey) {
	r.t.Helper()
	x, rest := lv2(r.t, got)
	sig, rest := lv2(r.t, rest)
	if len(rest) != 0 || !bytes.Equal(x, key.SerializeCompressed()[1:]) || !verify(r.t, key, got[:34], sig) {
		fail("key or its signature")
	}
	r.verified++
}

// extended checks GET EXTENDED KEY against the recorded key and chain code.
func (r *replay) extended(fail func(string), e exchange, got []byte) {
	r.t.Helper()
	key := r.parse(e.Expect.PubKey)
	if !bytes.Equal(got[:32], unhex(r.t, e.Expect.ChainCode)) {
		fail("chain code")
	}
	x, rest := lv2(r.t, got[32:])
	self, rest := lv2(r.t, rest)
	auth, rest := lv2(r.t, rest)
	if len(rest) != 0 || !bytes.Equal(x, key.SerializeCompressed()[1:]) {
		fail("public key")
	}
	if !verify(r.t, key, got[:66], self) || !verify(r.t, r.auth, got[:68+len(self)], auth) {
		fail("signatures")
	}
	r.verified += 2
}

func (r *replay) tweakReply(fail func(string), e exchange, got []byte) {
	r.t.Helper()
	public, rest := lv2(r.t, got)
	sig, rest := lv2(r.t, rest)
	_, err := btcec.ParsePubKey(public) // on the curve
	if err != nil || len(public) != 65 || len(rest) != 0 {
		fail("form")
		return
	}
	if hex.EncodeToString(public[1:33]) != e.Expect.OutputKey {
		fail("output key")
	}
	if !verify(r.t, r.auth, got[:67], sig) {
		fail("not signed by the authentikey")
	}
	if r.internal, err = schnorr.ParsePubKey(unhex(r.t, e.Expect.InternalKey)); err != nil {
		r.t.Fatal(err)
	}
	r.verified++
}

// schnorr checks a BIP340 signature, or that it is wrong as recorded.
func (r *replay) schnorr(fail func(string), e exchange, got []byte) {
	r.t.Helper()
	sig, err := schnorr.ParseSignature(got)
	if err != nil {
		fail(err.Error())
		return
	}
	key, err := schnorr.ParsePubKey(unhex(r.t, e.Expect.OutputKey))
	if err != nil {
		r.t.Fatal(err)
	}
	digest := unhex(r.t, e.Expect.Digest)
	if verified := sig.Verify(digest, key); verified != *e.Expect.Verified {
		fail("verifies otherwise than recorded")
	} else if verified {
		r.verified++
	} else {
		r.wrong++
	}
	// Wrong means wrong under the untweaked key too.
	if r.internal != nil && sig.Verify(digest, r.internal) {
		fail("verifies under the internal key")
	}
}
