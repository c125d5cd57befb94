package satochip

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/btcsuite/btcd/btcec/v2"
)

// recording is one file of vectors/cards, as its README describes it.
type recording struct {
	Secrets struct {
		Authentikey string
		PIN         string
		Digests     map[string]string
	}
	Expected struct {
		MasterFingerprint string `json:"master_fingerprint"`
		Xpubs             []struct {
			Path              string
			Pubkey            string
			ChainCode         string `json:"chain_code"`
			ParentFingerprint string `json:"parent_fingerprint"`
		}
	}
	Sessions []session
}

type session struct {
	Name       string
	HostRandom []struct{ Use, Hex string } `json:"host_random"`
	Exchanges  []recorded
}

type recorded struct {
	Note      string
	Event     string
	C, R      string
	PlainC    string `json:"plain_c"`
	PlainR    string `json:"plain_r"`
	Rand      []int
	Irregular string
	Expect    map[string]any
}

func (e recorded) text(field string) string {
	s, _ := e.Expect[field].(string)
	return s
}

// loadRecording skips the test loudly where the vectors are not there.
func loadRecording(t testing.TB, name string) recording {
	t.Helper()
	dir := os.Getenv("AIRLOCK_VECTORS")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "vectors")
	}
	raw, err := os.ReadFile(filepath.Join(dir, "cards", name))
	if err != nil {
		t.Skipf("SKIPPED, THE CARD RECORDINGS ARE NOT HERE: %v (set AIRLOCK_VECTORS)", err)
	}
	var r recording
	if err := json.Unmarshal(raw, &r); err != nil {
		t.Fatal(err)
	}
	return r
}

func (r recording) session(t testing.TB, name string) session {
	t.Helper()
	for _, s := range r.Sessions {
		if s.Name == name {
			return s
		}
	}
	t.Fatalf("no session %q", name)
	return session{}
}

// tape is a transport that wants exactly the recorded commands, in order, and
// gives the recorded replies.
type tape struct {
	t         testing.TB
	exchanges []recorded
	pos       int
}

func (p *tape) Transmit(_ context.Context, command []byte) ([]byte, error) {
	p.t.Helper()
	if p.pos >= len(p.exchanges) {
		p.t.Fatalf("command %x after the end of the tape", command)
	}
	e := p.exchanges[p.pos]
	if got := hex.EncodeToString(command); got != e.C {
		p.t.Fatalf("exchange %d, %s:\n got %s\nwant %s", p.pos, e.Note, got, e.C)
	}
	p.pos++
	return unhex(p.t, e.R), nil
}

func (p *tape) Close() error { return nil }

func (s session) random(t testing.TB) *bytes.Reader {
	var all []byte
	for _, h := range s.HostRandom {
		all = append(all, unhex(t, h.Hex)...)
	}
	return bytes.NewReader(all)
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func mustKey(t testing.TB, compressed []byte) *btcec.PublicKey {
	t.Helper()
	key, err := btcec.ParsePubKey(compressed)
	if err != nil {
		t.Fatal(err)
	}
	return key
}
