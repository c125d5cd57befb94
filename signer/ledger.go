package signer

import (
	"maps"
	"sync"

	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/chaincfg/chainhash"
	"github.com/btcsuite/btcd/wire"
)

// Ledger remembers what one session has signed: coins, with the amounts and
// transactions they were signed for, and the r value of every signature that a
// card gave, under its master key. It is kept in memory only and is safe for
// concurrent use. The zero value is not usable: see NewLedger.
type Ledger struct {
	mu     sync.Mutex
	coins  map[wire.OutPoint][]SignedCoin
	asked  map[wire.OutPoint]int64 // satoshis that a card was asked to sign for
	txs    map[chainhash.Hash]*wire.MsgTx
	nonces map[[4]byte]nonceSet

	weakOnce sync.Once
	weak     map[nonce]struct{}
}

// SignedCoin is one coin as this session signed for it. The same coin is in the
// ledger once a transaction and amount.
type SignedCoin struct {
	Amount int64 // satoshis, as the signature hash had it
	// Tx is the unsigned transaction, for showing what changed. It is shared:
	// never change it.
	Tx   *wire.MsgTx
	TxID chainhash.Hash // of the unsigned transaction
}

// NewLedger starts the memory of a session.
func NewLedger() *Ledger {
	return &Ledger{
		coins:  map[wire.OutPoint][]SignedCoin{},
		asked:  map[wire.OutPoint]int64{},
		txs:    map[chainhash.Hash]*wire.MsgTx{},
		nonces: map[[4]byte]nonceSet{},
	}
}

// Signed lists what this session has signed that spends the coin, oldest
// first. A coin counts once a card has given a good signature for it, even if
// the run was then given up: the reader has seen that signature.
func (l *Ledger) Signed(coin wire.OutPoint) []SignedCoin {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]SignedCoin(nil), l.coins[coin]...)
}

// recordCoin notes that a good signature for this input of tx exists.
func (l *Ledger) recordCoin(tx *wire.MsgTx, txid chainhash.Hash, input int, amount int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	coin := tx.TxIn[input].PreviousOutPoint
	for _, c := range l.coins[coin] {
		if c.TxID == txid && c.Amount == amount {
			return
		}
	}
	kept, ok := l.txs[txid]
	if !ok {
		kept = tx.Copy()
		l.txs[txid] = kept
	}
	l.coins[coin] = append(l.coins[coin], SignedCoin{Amount: amount, Tx: kept, TxID: txid})
}

// ask notes that a card is about to be asked to sign for these coins. It is
// false, and notes nothing, where one of them was asked for with another amount
// before. A reader can keep a signature and say that the card was pulled: for
// another amount it must not get a second one.
func (l *Ledger) ask(coins map[wire.OutPoint]int64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for coin, amount := range coins {
		if before, ok := l.asked[coin]; ok && before != amount {
			return false
		}
	}
	maps.Copy(l.asked, coins)
	return true
}

// askedFor is the amount that a card was asked to sign for with this coin;
// unknown where none was.
func (l *Ledger) askedFor(coin wire.OutPoint) Amount {
	l.mu.Lock()
	defer l.mu.Unlock()
	before, ok := l.asked[coin]
	return Amount{before, ok}
}

// nonce is what a signature shows of its secret number k: the x coordinate of
// k·G modulo the group order, which is r in ECDSA and R in BIP340 alike. k and
// −k show the same.
type nonce [32]byte

// nonceSet maps each nonce seen to the digest it was seen with.
type nonceSet map[nonce][32]byte

// clashes tells whether r was seen with another digest.
func (s nonceSet) clashes(r nonce, digest [32]byte) bool {
	seen, ok := s[r]
	return ok && seen != digest
}

// nonceRepeats notes r for digest under a master key and tells whether this
// session saw it with another digest before.
func (l *Ledger) nonceRepeats(master [4]byte, r nonce, digest [32]byte) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	set, ok := l.nonces[master]
	if !ok {
		set = nonceSet{}
		l.nonces[master] = set
	}
	if set.clashes(r, digest) {
		return true
	}
	set[r] = digest
	return false
}

// weakNonces is how far the small secret numbers go that are looked for.
const weakNonces = 1000

// nonceIsWeak tells whether r belongs to k = 1 … 1000 or to k = 1/2, whose x
// coordinate is famously short: a card with a broken random number generator,
// or one that gives its key away.
func (l *Ledger) nonceIsWeak(r nonce) bool {
	l.weakOnce.Do(func() { l.weak = makeWeakNonces() })
	_, weak := l.weak[r]
	return weak
}

// makeWeakNonces lists them: some 1,000 additions on the curve.
func makeWeakNonces() map[nonce]struct{} {
	weak := make(map[nonce]struct{}, weakNonces+1)
	add := func(p *btcec.JacobianPoint) {
		affine := *p
		affine.ToAffine()
		weak[nonceOf(&affine.X)] = struct{}{}
	}
	var one, half btcec.ModNScalar
	one.SetInt(1)
	half.SetInt(2).InverseNonConst()
	var g, sum, p btcec.JacobianPoint
	btcec.ScalarBaseMultNonConst(&half, &p)
	add(&p)
	btcec.ScalarBaseMultNonConst(&one, &g)
	sum = g
	for range weakNonces {
		add(&sum)
		var next btcec.JacobianPoint
		btcec.AddNonConst(&sum, &g, &next)
		sum = next
	}
	return weak
}

// nonceOf reduces an affine x coordinate modulo the group order.
func nonceOf(x *btcec.FieldVal) nonce {
	var r btcec.ModNScalar
	raw := x.Normalize().Bytes()
	r.SetBytes(raw)
	return nonce(r.Bytes())
}
