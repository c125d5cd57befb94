package signer

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"hash"
	"slices"

	"github.com/btcsuite/btcd/btcutil/hdkeychain"
)

// Approval is a person's permission to sign one reviewed transaction once, with
// one card. Review.Approve alone makes one; its zero value permits nothing.
// Copies are the same permission, not another.
type Approval struct{ run *run }

// Obstacle is why a review cannot be approved.
type Obstacle uint8

// The obstacles, in the order in which they are looked for.
const (
	ObstacleRefused         Obstacle = iota // the verdict allows no approval
	ObstacleNothingToSign                   // no input wants a signature of ours
	ObstacleNoKey                           // no unlocked card has given the keys that would sign
	ObstacleNotShown                        // Item was not on screen
	ObstacleNotAcknowledged                 // the code of Item was not acknowledged
	ObstacleNotConfirmed                    // the amount was not typed
)

// NotApprovableError says why a review cannot be approved, in a sentence for
// the person.
type NotApprovableError struct {
	Obstacle Obstacle
	Item     Item // the first that is missing; zero where it is about none
	Sentence string
}

func (e *NotApprovableError) Error() string { return e.Sentence }

// Approve issues the Approval. It fails with a *NotApprovableError unless the
// verdict allows it, there is something to sign and a key to sign it, every
// item was on screen, every caution was acknowledged and the amount was typed.
// An approval uses up what was typed: for another one it is typed again.
func (r *Review) Approve() (Approval, error) {
	if err := r.approvable(); err != nil {
		return Approval{}, err
	}
	accounts, err := r.signingAccounts()
	if err != nil {
		return Approval{}, err
	}
	bound, err := r.binding()
	if err != nil {
		return Approval{}, err
	}
	r.gate.mu.Lock()
	defer r.gate.mu.Unlock()
	if !r.gate.confirmed {
		return Approval{}, notTyped(r.Confirmation())
	}
	r.gate.confirmed = false
	ledger := r.ledger
	if ledger == nil { // a review outside any session
		ledger = NewLedger()
	}
	return Approval{&run{
		review:      r,
		binding:     bound,
		fingerprint: r.own.Fingerprint,
		accounts:    accounts,
		ledger:      ledger,
		made:        map[int][]byte{},
	}}, nil
}

// approvable looks for the first obstacle.
func (r *Review) approvable() error {
	if r.refused() {
		return &NotApprovableError{
			Obstacle: ObstacleRefused,
			Sentence: "This transaction is refused. Read why, change it at the coordinator and bring the new file.",
		}
	}
	if len(r.spends) == 0 || !r.report.Checked {
		return &NotApprovableError{
			Obstacle: ObstacleNothingToSign,
			Sentence: "There is nothing for this card to sign in this transaction.",
		}
	}
	for _, item := range r.Items() {
		if !r.Seen(item) {
			return &NotApprovableError{
				Obstacle: ObstacleNotShown, Item: item,
				Sentence: "Not every page of the review was on screen yet: go through the rest first.",
			}
		}
	}
	for _, code := range r.Cautions() {
		if !r.Acknowledged(code) {
			return &NotApprovableError{
				Obstacle: ObstacleNotAcknowledged, Item: Item{Kind: ItemFinding, Code: code},
				Sentence: fmt.Sprintf("One finding still wants to be acknowledged: %s.", code),
			}
		}
	}
	r.gate.mu.Lock()
	defer r.gate.mu.Unlock()
	if !r.gate.confirmed {
		return notTyped(r.Confirmation())
	}
	return nil
}

func notTyped(c Confirmation) error {
	return &NotApprovableError{
		Obstacle: ObstacleNotConfirmed,
		Sentence: fmt.Sprintf("To approve, type %s.", c.What),
	}
}

// signingAccounts finds the account key that each input to sign was proven
// with: the keys that the card which signs must show again.
func (r *Review) signingAccounts() ([]*Account, error) {
	noKey := func(input int) error {
		return &NotApprovableError{
			Obstacle: ObstacleNoKey,
			Sentence: fmt.Sprintf("No unlocked card gave the account key for input %d. Insert the card of this wallet and unlock it.", input),
		}
	}
	if !r.own.HasFingerprint {
		return nil, noKey(r.spends[0].input)
	}
	known := slices.Clone(r.own.Accounts)
	for _, w := range r.own.Wallets {
		known = append(known, w.Account())
	}
	var found []*Account
	for i := range r.spends {
		s := &r.spends[i]
		covers := func(a *Account) bool { return a.covers(s, r.own.Fingerprint) }
		if slices.ContainsFunc(found, covers) {
			continue
		}
		at := slices.IndexFunc(known, covers)
		if at < 0 {
			return nil, noKey(s.input)
		}
		found = append(found, known[at])
	}
	return found, nil
}

// covers tells whether an input was proven with this account key of this
// master key.
func (a *Account) covers(s *spend, master [4]byte) bool {
	return a.Fingerprint == master && len(a.Path) <= len(s.path) &&
		slices.Equal(a.Path, s.path[:len(a.Path)]) && sameKey(a.Key, s.account)
}

// sameKey compares public key and chain code, and not how they would be
// written (xpub or tpub).
func sameKey(a, b *hdkeychain.ExtendedKey) bool {
	if a == nil || b == nil {
		return false
	}
	keyA, errA := a.ECPubKey()
	keyB, errB := b.ECPubKey()
	return errA == nil && errB == nil && keyA.IsEqual(keyB) && bytes.Equal(a.ChainCode(), b.ChainCode())
}

// binding is one hash over everything that a person approved: the raw
// container, previous transactions found beside it, network and settings, limits, the account keys and wallets that
// ownership was proven with, all that was shown, and what would be signed. It
// is computed anew each time, from the bytes themselves.
func (r *Review) binding() ([32]byte, error) {
	b := binder{hash: sha256.New()}
	b.hash.Write([]byte("airlock/approval/v1\n"))
	b.value(sha256.Sum256(r.tx.container.Raw))
	b.value(len(r.tx.found))
	for i := range r.tx.found {
		b.value(sha256.Sum256(r.tx.found[i].raw))
	}
	b.value(r.tx.limits)
	b.value(r.settings)
	b.ownership(&r.own)

	shown := *r.report
	shown.Inputs, shown.Outputs, shown.Findings = nil, nil, nil
	b.value(shown)
	values(&b, r.report.Inputs)
	values(&b, r.report.Outputs)
	values(&b, r.report.Findings)
	values(&b, r.earlier)

	b.value(len(r.spends))
	for i := range r.spends {
		s := &r.spends[i]
		b.value([]any{s.input, s.script, s.path, s.pubkey[:], s.account.String(), s.sighash, s.amount, s.pkScript})
	}
	return [32]byte(b.hash.Sum(nil)), b.err
}

// binder writes values into a hash, each as one line of JSON: unambiguous, and
// a field added to a type is bound without a word here.
type binder struct {
	hash hash.Hash
	err  error
}

func (b *binder) value(v any) {
	line, err := json.Marshal(v)
	if err != nil && b.err == nil {
		b.err = fmt.Errorf("binding the approval: %w", err)
	}
	b.hash.Write(append(line, '\n'))
}

// values writes a list, its length first and one element a line.
func values[T any](b *binder, list []T) {
	b.value(len(list))
	for i := range list {
		b.value(&list[i])
	}
}

// ownership writes keys by their text: their types have no exported fields.
func (b *binder) ownership(o *Ownership) {
	b.value([]any{o.Fingerprint, o.HasFingerprint, o.Fingerprints})
	b.value(len(o.Accounts))
	for _, a := range o.Accounts {
		b.value([]any{a.Fingerprint, a.Path, a.Key.String()})
	}
	b.value(len(o.Wallets))
	for _, w := range o.Wallets {
		b.value([]any{w.Name, w.Network(), w.Descriptor()})
	}
}
