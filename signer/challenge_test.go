package signer_test

import (
	"context"
	"errors"
	"testing"

	"github.com/airlock-signer/airlock/signer"
	"github.com/airlock-signer/airlock/signer/softkey"
)

// lyingKey answers a challenge with something else.
type lyingKey struct {
	signer.Key
	answer func(signer.Key, []signer.Request) ([]signer.Signature, error)
}

func (l lyingKey) Sign(_ context.Context, r []signer.Request, _ func(int)) ([]signer.Signature, error) {
	return l.answer(l.Key, r)
}

func TestChallenge(t *testing.T) {
	account := signer.Path{84 | signer.HardenedOffset, signer.HardenedOffset, signer.HardenedOffset}
	honest := demoKey(t)
	if err := signer.Challenge(t.Context(), honest, account); err != nil {
		t.Errorf("an honest key: %v", err)
	}
	removed := errors.New("taken out")
	other, err := softkey.New([]byte("another seed, of thirty-two byte"), signer.Mainnet)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		answer func(signer.Key, []signer.Request) ([]signer.Signature, error)
		want   error
	}{
		"nothing":  {func(signer.Key, []signer.Request) ([]signer.Signature, error) { return nil, nil }, signer.ErrChallengeFailed},
		"an error": {func(signer.Key, []signer.Request) ([]signer.Signature, error) { return nil, removed }, removed},
		"another's": {func(signer.Key, []signer.Request) (sigs []signer.Signature, err error) {
			// What another card answers to a challenge of its own.
			err = signer.Challenge(t.Context(), lyingKey{other, func(k signer.Key, r []signer.Request) ([]signer.Signature, error) {
				sigs, err = k.Sign(t.Context(), r, func(int) {})
				return sigs, err
			}}, account)
			return sigs, err
		}, signer.ErrChallengeFailed},
		"another digest": {func(k signer.Key, r []signer.Request) ([]signer.Signature, error) {
			r[0].Digest[0] ^= 1
			return k.Sign(t.Context(), r, func(int) {})
		}, signer.ErrChallengeFailed},
		"two signatures": {func(k signer.Key, r []signer.Request) ([]signer.Signature, error) {
			return k.Sign(t.Context(), append(r, r...), func(int) {})
		}, signer.ErrChallengeFailed},
		"not a signature": {func(signer.Key, []signer.Request) ([]signer.Signature, error) {
			return []signer.Signature{{0x90, 0}}, nil
		}, signer.ErrChallengeFailed},
	} {
		if err := signer.Challenge(t.Context(), lyingKey{honest, c.answer}, account); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestChallengeIsNoTransaction: the path is one that transactions are refused
// on, and the same challenge is never given twice.
func TestChallengeIsNoTransaction(t *testing.T) {
	account := signer.Path{84 | signer.HardenedOffset, signer.HardenedOffset, signer.HardenedOffset}
	seen := map[[32]byte]bool{}
	honest := demoKey(t)
	for range 3 {
		spy := lyingKey{honest, func(k signer.Key, r []signer.Request) ([]signer.Signature, error) {
			if p := r[0].Path.String(); p != "m/84h/0h/0h/2147483647/1" {
				t.Errorf("path %s", p)
			}
			if seen[r[0].Digest] {
				t.Error("a digest came twice")
			}
			seen[r[0].Digest] = true
			return k.Sign(t.Context(), r, func(int) {})
		}}
		if err := signer.Challenge(t.Context(), spy, account); err != nil {
			t.Error(err)
		}
	}
}
