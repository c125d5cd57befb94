package satochip_test

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcec/v2/ecdsa"
	"github.com/btcsuite/btcd/btcec/v2/schnorr"
	"github.com/btcsuite/btcd/btcutil/hdkeychain"
	"github.com/btcsuite/btcd/chaincfg"
	"github.com/btcsuite/btcd/txscript"

	"github.com/airlock-signer/airlock/reader"
	"github.com/airlock-signer/airlock/reader/card"
	"github.com/airlock-signer/airlock/reader/secret"
	"github.com/airlock-signer/airlock/reader/simcard"
)

// wire is the software Satochip as a transport.
type wire struct{ card *simcard.Satochip }

func (w wire) Transmit(ctx context.Context, apdu []byte) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return w.card.Transmit(apdu), nil
}

func (w wire) Close() error { w.card.Reset(); return nil }

// exchanges are the INS of what the card was sent since the last call.
func exchanges(s *simcard.Satochip, from *int) string {
	var ins string
	for _, e := range s.Log()[*from:] {
		ins += fmt.Sprintf(" %02X", e.INS)
		*from++
	}
	return ins
}

const hard = hdkeychain.HardenedKeyStart

// TestAgainstTheSoftwareCard: driver and software card were written apart from
// each other, both from the protocol page and the recordings.
func TestAgainstTheSoftwareCard(t *testing.T) {
	for _, version := range []string{simcard.Satochip011, simcard.Satochip012, simcard.Satochip014} {
		t.Run(version, func(t *testing.T) {
			s, err := simcard.NewSatochip(simcard.Demo(version, "driver"))
			if err != nil {
				t.Fatal(err)
			}
			useSoftwareCard(t, s, version)
		})
	}
}

func useSoftwareCard(t *testing.T, s *simcard.Satochip, version string) {
	ctx := context.Background()
	old := version == simcard.Satochip011
	from := len(s.Log())
	c, err := reader.Open(ctx, wire{s}, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	info := c.Info()
	if info.Version != version || info.State != card.StateReady || info.SharedIdentity != old || hex.EncodeToString(info.Identity) != hex.EncodeToString(s.Authentikey()) {
		t.Errorf("%+v, authentikey %x", info, s.Authentikey())
	}
	pin, err := secret.New(16)
	if err != nil {
		t.Fatal(err)
	}
	defer pin.Release()
	_ = pin.Append([]byte(simcard.DemoPIN)...)
	if err := c.VerifyPIN(ctx, pin); err != nil {
		t.Fatal(err)
	}
	login := " A4 3C 81 81 42 AD"
	if old {
		login = " A4 3C 81 81 42 73"
	}
	if got := exchanges(s, &from); got != login {
		t.Errorf("opening and login:%s, want%s", got, login)
	}
	checkSoftwareKeys(t, c)
	exchanges(s, &from)

	requests := []card.SignRequest{softwareRequest(t, card.ECDSA, 0), softwareRequest(t, card.ECDSA, 0), softwareRequest(t, card.ECDSA, 1)}
	want := " 6D 7A 7A 6D 7A"
	schnorrRequests := []card.SignRequest{softwareRequest(t, card.SchnorrKeyPath, 2), softwareRequest(t, card.SchnorrKeyPath, 2)}
	if version == simcard.Satochip014 {
		requests = append(requests, schnorrRequests...)
		want += " 6D 7C 7B 7C 7B"
	} else if err := c.Can(schnorrRequests[0]); !errors.Is(err, card.ErrNotSupported) {
		t.Errorf("taproot: %v", err)
	}
	sigs, err := c.SignDigests(ctx, requests, nil)
	if err != nil || len(sigs) != len(requests) {
		t.Fatalf("%d signatures: %v", len(sigs), err)
	}
	for i, sig := range sigs {
		if !verifies(t, requests[i], sig) {
			t.Errorf("signature %d does not verify", i)
		}
	}
	if got := exchanges(s, &from); got != want {
		t.Errorf("signing:%s, want%s", got, want)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

func softwareKey(t testing.TB, path ...uint32) *hdkeychain.ExtendedKey {
	t.Helper()
	k, err := hdkeychain.NewMaster(simcard.DemoSeed(), &chaincfg.MainNetParams)
	for _, n := range path {
		if err == nil {
			k, err = k.Derive(n)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func softwareRequest(t testing.TB, scheme card.Scheme, index uint32) card.SignRequest {
	path := []uint32{hard + 84, hard, hard, 0, index}
	pub, err := softwareKey(t, path...).ECPubKey()
	if err != nil {
		t.Fatal(err)
	}
	return card.SignRequest{Path: path, PubKey: [33]byte(pub.SerializeCompressed()), Digest: [32]byte{byte(index), 7}, Scheme: scheme}
}

func checkSoftwareKeys(t *testing.T, c card.Card) {
	t.Helper()
	for _, path := range [][]uint32{{}, {hard + 84, hard, hard}, {hard + 86, hard, hard}, {hard + 84, hard, hard, 1, 5}} {
		x, err := c.ExtendedKey(context.Background(), path)
		if err != nil {
			t.Fatalf("%v: %v", path, err)
		}
		want := softwareKey(t, path...)
		pub, err := want.ECPubKey()
		if err != nil {
			t.Fatal(err)
		}
		fp := uint32(x.ParentFingerprint[0])<<24 | uint32(x.ParentFingerprint[1])<<16 | uint32(x.ParentFingerprint[2])<<8 | uint32(x.ParentFingerprint[3])
		if x.PubKey != [33]byte(pub.SerializeCompressed()) || !slices.Equal(x.ChainCode[:], want.ChainCode()) || fp != want.ParentFingerprint() {
			t.Errorf("%v: %+v", path, x)
		}
	}
}

func verifies(t *testing.T, r card.SignRequest, sig []byte) bool {
	t.Helper()
	key, err := btcec.ParsePubKey(r.PubKey[:])
	if err != nil {
		t.Fatal(err)
	}
	if r.Scheme == card.ECDSA {
		s, err := ecdsa.ParseDERSignature(sig)
		return err == nil && s.Verify(r.Digest[:], key)
	}
	s, err := schnorr.ParseSignature(sig)
	return err == nil && s.Verify(r.Digest[:], txscript.ComputeTaprootKeyNoScript(key))
}
