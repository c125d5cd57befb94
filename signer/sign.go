package signer

import (
	"context"
	"errors"
	"fmt"

	"github.com/btcsuite/btcd/chaincfg/chainhash"
	"github.com/btcsuite/btcd/wire"
)

// What Sign says about an approval. None of them is the card's fault.
var (
	ErrNoApproval    = errors.New("there is no approval: review the transaction and approve it first")
	ErrApprovalUsed  = errors.New("this approval was used: review the transaction again and approve it again")
	ErrApprovalBusy  = errors.New("this approval is being used at this moment")
	ErrNothingSigned = errors.New("no signature was made yet, so there is nothing to write")
	ErrReviewChanged = errors.New("what would be signed is not what was approved: nothing is signed")
)

// Progress of a run, resumed runs included.
type Progress struct {
	Made  int // signatures
	Total int
}

// SigningError is a card that did what an honest card does not. All signatures
// of the run are discarded and the approval is used up, except after
// CodeCardSwapped: then nothing is lost, and the right card may go on.
type SigningError struct {
	Code     Code
	Input    int    // that it is about; -1 where it is about none
	Sentence string // what happened and what to do
}

func (e *SigningError) Error() string { return e.Sentence }

// lying makes the error of a card that cannot be trusted.
func lying(code Code, input int, what string) *SigningError {
	return &SigningError{
		Code:  code,
		Input: input,
		Sentence: what + " All its signatures of this run were discarded and nothing was written." +
			" Do not sign with this card and reader until you know why.",
	}
}

// InterruptedError is a run that stopped half-way: the card was pulled, the
// reader failed, somebody cancelled. Signatures that were made are kept; Sign
// may be called again with the same approval and the same card.
type InterruptedError struct {
	Made, Total int // signatures
	Err         error
}

func (e *InterruptedError) Error() string {
	return fmt.Sprintf("signing stopped after %d of %d signatures: %v", e.Made, e.Total, e.Err)
}

// Unwrap gives the cause.
func (e *InterruptedError) Unwrap() error { return e.Err }

// UnableError is a request that this make of card cannot answer. Nothing was
// signed; the approval is still good.
type UnableError struct {
	Input int
	Err   error
}

func (e *UnableError) Error() string {
	return fmt.Sprintf("this card cannot sign input %d: %v", e.Input, e.Err)
}

// Unwrap gives the cause.
func (e *UnableError) Unwrap() error { return e.Err }

// Result of a finished run.
type Result struct {
	PSBT     []byte // in the encoding that came in: every byte of it, and our signatures; not finalised
	Added    int    // signatures added
	Complete bool   // every input is signed; the script engine accepted all of them

	FinalTx []byte         // serialised for the network; nil unless Complete
	TxID    chainhash.Hash // of FinalTx; zero unless Complete
}

// Sign has the key sign what was approved, verifies every signature and puts
// them into the bytes that came in. progress may be nil; it is called from the
// same goroutine.
//
// Errors: ErrNoApproval, ErrApprovalUsed, ErrApprovalBusy, ErrReviewChanged,
// *UnableError, *InterruptedError (call Sign again with the same approval and
// key to go on) and *SigningError. After success, ErrReviewChanged or a
// *SigningError (but CodeCardSwapped) the approval is used up.
func Sign(ctx context.Context, a Approval, k Key, progress func(Progress)) (*Result, error) {
	n := a.run
	if n == nil {
		return nil, ErrNoApproval
	}
	if !n.mu.TryLock() {
		return nil, ErrApprovalBusy
	}
	defer n.mu.Unlock()
	if n.used {
		return nil, ErrApprovalUsed
	}
	if progress == nil {
		progress = func(Progress) {}
	}
	result, err := n.sign(ctx, k, progress)
	if err == nil || !keepsApproval(err) {
		n.used, n.made, n.container, n.hasher = true, nil, nil, nil
	}
	return result, err
}

// keepsApproval tells whether the run may go on after an error. Whatever is
// not known to be harmless ends it.
func keepsApproval(err error) bool {
	if bad, ok := errors.AsType[*SigningError](err); ok {
		return bad.Code == CodeCardSwapped
	}
	if _, ok := errors.AsType[*InterruptedError](err); ok {
		return true
	}
	_, ok := errors.AsType[*UnableError](err)
	return ok
}

// sign is Sign with the approval in hand.
func (n *run) sign(ctx context.Context, k Key, progress func(Progress)) (*Result, error) {
	if err := n.check(); err != nil {
		return nil, err
	}
	if err := n.prepare(ctx); err != nil {
		return nil, err
	}
	if err := n.isBound(ctx, k); err != nil {
		return nil, err
	}
	if err := n.collect(ctx, k, progress); err != nil {
		return nil, err
	}
	result, err := n.finish(ctx)
	if err != nil {
		return nil, err
	}
	if err := n.check(); err != nil {
		return nil, err
	}
	return result, nil
}

// isBound checks that the key is the one the review was approved for: the
// master fingerprint, which anybody can imitate, and the account keys.
func (n *run) isBound(ctx context.Context, k Key) error {
	swapped := &SigningError{
		Code: CodeCardSwapped, Input: -1,
		Sentence: "This is not the card that the approval is for. Insert that card again to go on; another card needs a review and an approval of its own.",
	}
	if k == nil || k.Fingerprint() != n.fingerprint {
		return swapped
	}
	for _, want := range n.accounts {
		got, err := k.Account(ctx, append(Path(nil), want.Path...))
		if err != nil {
			return n.interrupted(err)
		}
		if got == nil || got.Fingerprint != n.fingerprint || !sameKey(got.Key, want.Key) {
			return swapped
		}
	}
	return nil
}

// collect has the key answer the missing requests, all in one call.
func (n *run) collect(ctx context.Context, k Key, progress func(Progress)) error {
	requests, total := n.missing(), len(n.requests)
	for _, req := range requests {
		if err := k.Can(req); err != nil {
			return &UnableError{Input: req.Input, Err: err}
		}
	}
	before := len(n.made)
	progress(Progress{Made: before, Total: total})
	if len(requests) == 0 {
		return nil
	}
	if err := ctx.Err(); err != nil {
		return n.interrupted(err)
	}
	coins := make(map[wire.OutPoint]int64, len(requests))
	for _, req := range requests {
		coins[n.container.Tx.TxIn[req.Input].PreviousOutPoint] = n.hasher.spent(req.Input).Value
	}
	if !n.ledger.ask(coins) { // the review looked too; another run may have begun since
		return ErrReviewChanged
	}
	shown := 0 // a key is not believed more than was asked, nor a step back
	sigs, failed := k.Sign(ctx, cloneRequests(requests), func(made int) {
		if made > shown && made <= len(requests) {
			shown = made
			progress(Progress{Made: before + made, Total: total})
		}
	})
	if err := n.take(requests, sigs); err != nil {
		return err
	}
	if len(n.made) == total { // also when the card was pulled right after its last signature
		return nil
	}
	if failed == nil {
		return lying(CodeSignatureInvalid, requests[len(sigs)].Input,
			fmt.Sprintf("The card gave %d signatures where %d were wanted.", len(sigs), len(requests)))
	}
	return n.interrupted(failed)
}

// cloneRequests gives the key requests of its own: it cannot change ours.
func cloneRequests(requests []Request) []Request {
	out := make([]Request, len(requests))
	for i, req := range requests {
		req.Path = append(Path(nil), req.Path...)
		req.MerkleRoot = append([]byte(nil), req.MerkleRoot...)
		out[i] = req
	}
	return out
}

func (n *run) interrupted(err error) error {
	return &InterruptedError{Made: len(n.made), Total: len(n.review.spends), Err: err}
}
