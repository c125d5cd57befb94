package signer

import (
	"encoding/hex"
	"sync"
	"testing"

	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/wire"
)

// TestWeakNonces: 1 to 1000 and their negatives, 1/2; 1001 is not looked for.
func TestWeakNonces(t *testing.T) {
	l := NewLedger()
	rOf := func(k *btcec.ModNScalar) nonce {
		var p btcec.JacobianPoint
		btcec.ScalarBaseMultNonConst(k, &p)
		p.ToAffine()
		return nonceOf(&p.X)
	}
	for _, k := range []uint32{1, 2, 3, 7, 999, 1000} {
		n := new(btcec.ModNScalar).SetInt(k)
		if !l.nonceIsWeak(rOf(n)) {
			t.Errorf("k = %d is not weak", k)
		}
		if !l.nonceIsWeak(rOf(n.Negate())) {
			t.Errorf("k = -%d is not weak", k)
		}
	}
	// The x coordinate of G/2, known from chains: 00000000000000000000003b78ce563f89a0ed9414f5aa28ad0d96d6795f9c63.
	half, _ := hex.DecodeString("00000000000000000000003b78ce563f89a0ed9414f5aa28ad0d96d6795f9c63")
	if !l.nonceIsWeak(nonce(half)) {
		t.Error("k = 1/2 is not weak")
	}
	if l.nonceIsWeak(rOf(new(btcec.ModNScalar).SetInt(1001))) {
		t.Error("k = 1001 is weak")
	}
	if l.nonceIsWeak(nonce{}) {
		t.Error("r = 0 is in the table")
	}
}

func TestLedgerNonces(t *testing.T) {
	l, a, b := NewLedger(), [4]byte{1}, [4]byte{2}
	if l.nonceRepeats(a, nonce{5}, [32]byte{1}) {
		t.Error("the first")
	}
	if l.nonceRepeats(a, nonce{5}, [32]byte{1}) {
		t.Error("the same digest again: a deterministic card does that")
	}
	if !l.nonceRepeats(a, nonce{5}, [32]byte{2}) {
		t.Error("another digest is not noticed")
	}
	if l.nonceRepeats(b, nonce{5}, [32]byte{2}) {
		t.Error("another master key is another matter")
	}
}

func TestLedgerCoins(t *testing.T) {
	l := NewLedger()
	tx := wire.NewMsgTx(2)
	coin := wire.OutPoint{Index: 3}
	tx.AddTxIn(&wire.TxIn{PreviousOutPoint: coin})
	if got := l.Signed(coin); got != nil {
		t.Errorf("a new ledger knows %v", got)
	}
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() { l.recordCoin(tx, tx.TxHash(), 0, 100); l.Signed(coin) })
	}
	wait.Wait()
	l.recordCoin(tx, tx.TxHash(), 0, 101)
	got := l.Signed(coin)
	if len(got) != 2 || got[0].Amount != 100 || got[1].Amount != 101 || got[0].TxID != tx.TxHash() {
		t.Errorf("%+v", got)
	}
	if got[0].Tx == tx {
		t.Error("the transaction is the caller's own: it may change")
	}
}
