package session

import (
	"context"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/airlock-signer/airlock/airgap"
	"github.com/airlock-signer/airlock/reader/card"
	"github.com/airlock-signer/airlock/signer"
)

// MaxAccount is the largest account number (BIP44: a hardened child).
const MaxAccount = uint32(1)<<31 - 1

// maxKeyDepth is the deepest path of a public key that is shown.
const maxKeyDepth = 10

// Kind of a single-signature account: the purpose of BIP44, 49, 84 or 86.
type Kind uint32

// Kinds, by the first step of their paths.
const (
	KindPKH    Kind = 44 // addresses 1…
	KindSHWPKH Kind = 49 // addresses 3…
	KindWPKH   Kind = 84 // addresses bc1q…
	KindTR     Kind = 86 // addresses bc1p…
)

// Kinds in the order in which they are offered.
func Kinds() []Kind { return []Kind{KindWPKH, KindTR, KindSHWPKH, KindPKH} }

// descriptor around a key expression of that kind.
func (k Kind) descriptor(key string) string {
	key += "/<0;1>/*"
	switch k {
	case KindPKH:
		return "pkh(" + key + ")"
	case KindSHWPKH:
		return "sh(wpkh(" + key + "))"
	case KindWPKH:
		return "wpkh(" + key + ")"
	case KindTR:
		return "tr(" + key + ")"
	}
	return ""
}

type (
	// ShowKey asks the card for an account key. A path of one's own comes as
	// TextTyped.
	ShowKey struct {
		Kind    Kind
		Account uint32
	}
	// ExportKey writes the key that is shown to a medium.
	ExportKey struct{ Volume airgap.Volume }
)

func (ShowKey) event()   {}
func (ExportKey) event() {}

// keyRun is a public key that is shown.
type keyRun struct {
	view    KeyView
	writing bool
}

// KeyView is a public key as it is shown and written.
type KeyView struct {
	Kind        Kind // 0 for a path of one's own
	Account     uint32
	Path        string // m/84h/0h/0h
	Fingerprint string // of the master key, 8 hex digits
	XPub        string
	Expression  string          // [73c5da0a/84h/0h/0h]xpub…
	Descriptor  string          // with checksum; "" for a path of one's own
	First       string          // first receive address, to compare; "" for a path of one's own
	Name        string          // file name for the export
	Written     *airgap.Written // where it was exported
	Volume      airgap.Volume
}

// File is the export: the key expression and, where there is one, the
// descriptor, a line each.
func (v KeyView) File() []byte {
	text := v.Expression + "\n"
	if v.Descriptor != "" {
		text += v.Descriptor + "\n"
	}
	return []byte(text)
}

func (s *Session) showKey(ev ShowKey) {
	if s.care == nil || s.step != StepCareTask || s.care.stage != StageKeyKind || s.busy != "" {
		return
	}
	if ev.Account > MaxAccount || ev.Kind.descriptor("") == "" {
		s.problem = "An account number is between 0 and 2147483647."
		return
	}
	h := signer.HardenedOffset
	s.readKey(ev.Kind, ev.Account, signer.Path{uint32(ev.Kind) + h, s.settings.Network.CoinType() + h, ev.Account + h})
}

// pathTyped takes a path of one's own.
func (s *Session) pathTyped(text string) {
	path, err := parsePath(text)
	if err != nil {
		s.problem = err.Error()
		return
	}
	s.readKey(0, 0, path)
}

// parsePath reads m/48h/0h/0h/2h, with h, H or ' for hardened.
func parsePath(text string) (signer.Path, error) {
	text = strings.TrimPrefix(strings.TrimSpace(text), "m/")
	var path signer.Path
	for step := range strings.SplitSeq(text, "/") {
		number := strings.TrimRight(step, "hH'")
		n, err := strconv.ParseUint(number, 10, 31)
		if err != nil || len(step)-len(number) > 1 || strconv.FormatUint(n, 10) != number {
			return nil, fmt.Errorf("this is not a path: write it like m/48h/0h/0h/2h")
		}
		if len(step) > len(number) {
			n += uint64(signer.HardenedOffset)
		}
		path = append(path, uint32(n))
	}
	if len(path) > maxKeyDepth {
		return nil, fmt.Errorf("this path is too deep: the card goes %d steps down", maxKeyDepth)
	}
	return path, nil
}

func (s *Session) readKey(kind Kind, account uint32, path signer.Path) {
	c := s.care
	if c.key == nil {
		s.toPage(needsReset)
		return
	}
	network := s.settings.Network
	s.run("Reading the public key at "+path.String(), true, func(ctx context.Context, opened card.Card) (func(), error) {
		key := c.key // Do does not change it while this runs
		a, err := key.Account(ctx, path)
		if err != nil {
			return nil, err
		}
		view, err := keyView(a, kind, account, network)
		if err != nil {
			return nil, err
		}
		return func() {
			s.enterStage(StageKey)
			c.keys = &keyRun{view: view}
		}, nil
	})
}

// keyView writes an account key the way coordinators read it (BIP380): with
// origin, hardened steps as h, and the version bytes of BIP32 alone.
func keyView(a *signer.Account, kind Kind, account uint32, n signer.Network) (KeyView, error) {
	key, err := a.Key.CloneWithVersion(n.Params().HDPublicKeyID[:])
	if err != nil {
		return KeyView{}, err
	}
	origin := strings.TrimPrefix(a.Path.String(), "m")
	v := KeyView{Kind: kind, Account: account, Path: a.Path.String(), Fingerprint: hex.EncodeToString(a.Fingerprint[:]), XPub: key.String()}
	v.Expression = "[" + v.Fingerprint + origin + "]" + v.XPub
	v.Name = v.Fingerprint + strings.ReplaceAll(origin, "/", "-") + ".txt"
	if kind == 0 {
		return v, nil
	}
	v.Descriptor = kind.descriptor(v.Expression)
	sum, err := signer.DescriptorChecksum(v.Descriptor)
	if err != nil {
		return KeyView{}, err
	}
	v.Descriptor += "#" + sum
	// Read back by the parser that reads wallets: what is shown is what it means.
	w, err := signer.ParseWallet("", []byte(v.Descriptor), n)
	if err != nil {
		return KeyView{}, err
	}
	v.First, err = w.Address(0, 0)
	return v, err
}

// exportKey writes the key that is shown.
func (s *Session) exportKey(v airgap.Volume) {
	c := s.care
	if c == nil || s.step != StepCareTask || c.stage != StageKey || c.keys == nil || c.keys.writing {
		return
	}
	run, media := c.keys, s.cfg.Media
	run.writing, run.view.Written, s.problem = true, nil, ""
	s.begin(func(ctx context.Context, gen int) Event {
		w, err := media.Write(ctx, v, ".", run.view.Name, run.view.File())
		return keyWritten{gen, run, v, w, err}
	})
}

type keyWritten struct {
	gen     int
	run     *keyRun
	volume  airgap.Volume
	written airgap.Written
	err     error
}

func (keyWritten) event() {}

func (s *Session) onKeyWritten(ev keyWritten) {
	if ev.gen != s.gen || s.care == nil || s.care.keys != ev.run {
		return
	}
	ev.run.writing = false
	if ev.err != nil {
		s.problem = sentence(ev.err)
		return
	}
	ev.run.view.Written, ev.run.view.Volume = &ev.written, ev.volume
}
