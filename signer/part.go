package signer

import "context"

// Part ends a run that was interrupted and gives what it has: the bytes that
// came in with the signatures made so far, each of them verified. It makes no
// final transaction, even where nothing is missing. The approval is used up.
//
// Errors: ErrNoApproval, ErrApprovalUsed, ErrApprovalBusy, ErrReviewChanged,
// ErrNothingSigned (the approval is still good), *SigningError.
func (a Approval) Part(ctx context.Context) (*Result, error) {
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
	if len(n.made) == 0 || n.container == nil {
		return nil, ErrNothingSigned
	}
	if err := ctx.Err(); err != nil {
		return nil, n.interrupted(err)
	}
	defer func() { n.used, n.made, n.container, n.hasher = true, nil, nil, nil }()
	if err := n.check(); err != nil {
		return nil, err
	}
	result, _, err := n.splice()
	return result, err
}
