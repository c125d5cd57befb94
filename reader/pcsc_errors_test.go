package reader

import (
	"errors"
	"testing"

	"github.com/ebfe/scard"

	"github.com/airlock-signer/airlock/reader/card"
)

// TestErrors: what scard says becomes a sentence that a person can act on.
func TestErrors(t *testing.T) {
	for _, tc := range []struct {
		err        error
		open, live error // while opening a card; of an open one
	}{
		{scard.ErrNoSmartcard, card.ErrRemoved, card.ErrRemoved},
		{scard.ErrRemovedCard, card.ErrRemoved, card.ErrRemoved},
		{scard.ErrResetCard, card.ErrRemoved, card.ErrRemoved},
		{scard.ErrUnpoweredCard, card.ErrNoResponse, card.ErrRemoved},
		{scard.ErrUnresponsiveCard, card.ErrNoResponse, card.ErrNoResponse},
		{scard.ErrProtoMismatch, card.ErrNoResponse, card.ErrRemoved},
		{scard.ErrSharingViolation, card.ErrInUse, card.ErrInUse},
		{scard.ErrUnknownReader, card.ErrReaderGone, card.ErrReaderGone},
		{scard.ErrReaderUnavailable, card.ErrReaderGone, card.ErrReaderGone},
		{scard.ErrInvalidValue, card.ErrReaderGone, card.ErrReaderGone},
		{scard.ErrInvalidHandle, card.ErrNoService, card.ErrReaderGone},
		{scard.ErrNoService, card.ErrNoService, card.ErrNoService},
		{scard.ErrCommError, card.ErrNoService, card.ErrNoService},
		{scard.ErrServiceStopped, card.ErrNoService, card.ErrNoService},
		{scard.ErrInsufficientBuffer, card.ErrBadReply, card.ErrBadReply},
		{scard.ErrInternalError, card.ErrNoResponse, card.ErrNoResponse},
		{errors.New("something else"), card.ErrNoResponse, card.ErrNoResponse},
	} {
		if got := connectError(tc.err); !errors.Is(got, tc.open) {
			t.Errorf("opening, %v: %v", tc.err, got)
		}
		if got := cardError(tc.err); !errors.Is(got, tc.live) {
			t.Errorf("open, %v: %v", tc.err, got)
		}
	}
	if got := serviceError(scard.ErrNoService); got != error(card.ErrNoService) {
		t.Error(got)
	}
	if got := serviceError(scard.ErrCommError); got != (refusedError{}) || !errors.Is(got, card.ErrNoService) {
		t.Error(got)
	}
}
