package signer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/airlock-signer/airlock/signer/container"
	"github.com/btcsuite/btcd/chaincfg/chainhash"
	"github.com/btcsuite/btcd/txscript"
	"github.com/btcsuite/btcd/wire"
)

// run is what an Approval permits, and how far it has come. Everything that is
// signed is computed here from the bytes whose hash was approved, parsed anew.
type run struct {
	mu   sync.Mutex // held by the one Sign that works on it
	used bool

	review      *Review
	binding     [32]byte
	fingerprint [4]byte
	accounts    []*Account
	ledger      *Ledger

	container *container.Container
	txid      chainhash.Hash // of the unsigned transaction
	hasher    *hasher
	requests  []Request      // all of them, those of one key next to each other
	made      map[int][]byte // by input: verified, low S, no sighash byte
	work      work           // of a run that is complete
	inFile    nonceSet       // of the signatures that were in the file
}

// check computes the binding again from what is there now.
func (n *run) check() error {
	now, err := n.review.binding()
	if err != nil {
		return err
	}
	if now != n.binding {
		return ErrReviewChanged
	}
	return nil
}

// prepare parses the approved bytes and computes every request, once a run.
func (n *run) prepare(ctx context.Context) error {
	if n.container != nil {
		return nil
	}
	c, err := container.Parse(n.review.tx.container.Raw)
	if err != nil {
		return fmt.Errorf("the approved file: %w", err)
	}
	h, err := newHasher(c.Tx, n.review.spent())
	if err != nil {
		return fmt.Errorf("the approved file: %w", err)
	}
	requests, err := makeRequests(ctx, c, h, n.review.spends)
	if ctx.Err() != nil {
		return n.interrupted(ctx.Err())
	}
	if err != nil {
		return fmt.Errorf("the approved file: %w", err)
	}
	inFile, err := n.noncesInFile(ctx, c, h)
	if err != nil {
		return err
	}
	n.container, n.txid, n.hasher, n.requests, n.inFile = c, c.Tx.TxHash(), h, requests, inFile
	return nil
}

// spent lists what the inputs spend, as it was shown; nil where it is not
// known.
func (r *Review) spent() []*wire.TxOut {
	outs := make([]*wire.TxOut, len(r.report.Inputs))
	for i := range r.report.Inputs {
		if in := &r.report.Inputs[i]; in.Amount.Known && in.Script != nil {
			outs[i] = &wire.TxOut{Value: in.Amount.Sat, PkScript: in.Script}
		}
	}
	return outs
}

// makeRequests asks for one signature an input. Requests of one key follow each
// other, because a card may keep the key it derived last; otherwise they are in
// the order of the inputs.
func makeRequests(ctx context.Context, c *container.Container, h *hasher, spends []spend) ([]Request, error) {
	first := make(map[[33]byte]int, len(spends)) // where a key occurs first
	taken := make(map[int]bool, len(spends))
	requests := make([]Request, 0, len(spends))
	for i := range spends {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		s := &spends[i]
		req, err := makeRequest(c, h, s)
		if err != nil {
			return nil, err
		}
		if taken[s.input] {
			return nil, fmt.Errorf("input %d would be signed twice", s.input)
		}
		taken[s.input] = true
		if _, ok := first[s.pubkey]; !ok {
			first[s.pubkey] = i
		}
		requests = append(requests, req)
	}
	slices.SortStableFunc(requests, func(a, b Request) int { return first[a.PubKey] - first[b.PubKey] })
	return requests, nil
}

// makeRequest computes the digest of one input, after checking once more what
// the review has proven: the script is this key's, and nothing is signed there
// yet.
func makeRequest(c *container.Container, h *hasher, s *spend) (Request, error) {
	digest, err := h.spendDigest(s)
	if err != nil {
		return Request{}, err
	}
	if safe := s.sighash == uint32(txscript.SigHashAll) || s.script == P2TR && s.sighash == uint32(txscript.SigHashDefault); !safe {
		return Request{}, fmt.Errorf("input %d: sighash 0x%x is not one that is ever signed", s.input, s.sighash)
	}
	pub, err := parseCompressed(s.pubkey)
	if err != nil {
		return Request{}, fmt.Errorf("input %d: %w", s.input, err)
	}
	script, _, err := KeyScript(s.script, pub)
	if err != nil || !bytes.Equal(script, s.pkScript) {
		return Request{}, fmt.Errorf("input %d: the script spent is not the one of its key", s.input)
	}
	in := &c.Inputs[s.input]
	if hasFinal(in) {
		return Request{}, fmt.Errorf("input %d is final already", s.input)
	}
	req := Request{Input: s.input, Path: slices.Clone(s.path), PubKey: s.pubkey, Digest: digest, Scheme: ECDSA}
	if s.script == P2TR {
		req.Scheme = SchnorrKeyPath
	}
	if _, exists := in.Find(signatureKey(&req)); exists {
		return Request{}, fmt.Errorf("input %d is signed by this key already", s.input)
	}
	return req, nil
}

// missing are the requests without a verified signature.
func (n *run) missing() []Request {
	var out []Request
	for _, req := range n.requests {
		if n.made[req.Input] == nil {
			out = append(out, req)
		}
	}
	return out
}

// take checks the signatures a key gave for requests, in order, and keeps the
// good ones. More or other than good ones is a *SigningError.
func (n *run) take(requests []Request, sigs []Signature) error {
	if len(sigs) > len(requests) {
		return lying(CodeSignatureInvalid, requests[len(requests)-1].Input,
			fmt.Sprintf("The card gave %d signatures where %d were wanted.", len(sigs), len(requests)))
	}
	for i, sig := range sigs {
		req := &requests[i]
		n.hasher.work.points++
		checked, err := checkSignature(req, sig)
		if err != nil {
			return n.explain(req, sig, err)
		}
		if err := n.checkNonce(req, checked.nonce); err != nil {
			return err
		}
		n.made[req.Input] = checked.bytes
		n.ledger.recordCoin(n.container.Tx, n.txid, req.Input, n.hasher.spent(req.Input).Value)
	}
	return nil
}

// explain finds out what a bad signature is: one of another key for the same
// input, or nothing at all.
func (n *run) explain(req *Request, sig []byte, reason error) error {
	if errors.Is(reason, errDoesNotMatch) && n.isOtherKeys(req, sig) {
		return lying(CodeSignatureWrongKey, req.Input,
			fmt.Sprintf("The card signed input %d with another key than the one that was asked for.", req.Input))
	}
	return lying(CodeSignatureInvalid, req.Input,
		fmt.Sprintf("The card's signature for input %d is not valid: %v.", req.Input, reason))
}

// isOtherKeys tries the other keys that a confused card could have used: those
// the file lists for this input, those of this run, and the taproot key without
// its tweak.
func (n *run) isOtherKeys(req *Request, sig []byte) bool {
	verifies := func(key [33]byte, scheme Scheme) bool {
		other := *req
		other.PubKey, other.Scheme = key, scheme
		_, err := checkSignature(&other, sig)
		return err == nil
	}
	if req.Scheme == SchnorrKeyPath && verifies(req.PubKey, SchnorrScriptPath) {
		return true
	}
	tried := map[[33]byte]bool{req.PubKey: true}
	try := func(key [33]byte) bool {
		if tried[key] {
			return false
		}
		tried[key] = true
		return verifies(key, req.Scheme)
	}
	in := &n.container.Inputs[req.Input]
	for pair := range in.All(container.InBip32Derivation) {
		if len(pair.KeyData) == 33 && try([33]byte(pair.KeyData)) {
			return true
		}
	}
	for pair := range in.All(container.InTapBip32Derivation) {
		if len(pair.KeyData) == 32 && try([33]byte(append([]byte{2}, pair.KeyData...))) {
			return true
		}
	}
	return slices.ContainsFunc(n.requests, func(r Request) bool { return try(r.PubKey) })
}

// signatureKey is the container key of the signature that answers a request.
func signatureKey(req *Request) []byte {
	if req.Scheme == ECDSA {
		return append([]byte{byte(container.InPartialSig)}, req.PubKey[:]...)
	}
	return []byte{byte(container.InTapKeySig)}
}

// hasFinal tells whether an input has its final scriptSig or witness.
func hasFinal(in *container.Map) bool {
	_, sig := in.Get(container.InFinalScriptSig)
	_, witness := in.Get(container.InFinalScriptWitness)
	return sig || witness
}
