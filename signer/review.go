package signer

import "github.com/btcsuite/btcd/btcutil/hdkeychain"

// Review is a transaction seen with the keys of an unlocked card or with
// registered wallets. It keeps its own account of what a person was shown,
// acknowledged and typed (the gate, approval.go); only a Review can be
// approved.
type Review struct {
	report   *Report
	tx       *Transaction
	settings Settings
	own      Ownership
	ledger   *Ledger
	spends   []spend // inputs of ours that this review would have signed, in order
	earlier  []Earlier
	gate     gate
}

// Report is what the review found. It is never changed once made.
func (r *Review) Report() *Report { return r.report }

// ToSign is how many inputs want a signature of ours.
func (r *Review) ToSign() int { return len(r.spends) }

// Ownership is what own scripts can be rebuilt from: the account keys that an
// unlocked card gave, and registered wallets.
type Ownership struct {
	Fingerprint    [4]byte // of the unlocked card's master key
	HasFingerprint bool
	Accounts       []*Account
	Wallets        []*Wallet
	// Can says what the key that would sign cannot do; nil: it can everything.
	Can func(Request) error
	// Fingerprints restrict what counts as claimed where nothing can be
	// rebuilt (inspect --fingerprint). They prove nothing.
	Fingerprints [][4]byte
}

// checked says whether there is anything to prove ownership with.
func (o *Ownership) checked() bool {
	return o.HasFingerprint || len(o.Accounts) > 0 || len(o.Wallets) > 0
}

// spend is one input proven ours that wants our signature: everything its
// digest and its Request are made from.
type spend struct {
	input    int
	script   ScriptType // P2PKH, P2SHP2WPKH, P2WPKH or P2TR
	path     Path       // from the master key
	pubkey   [33]byte   // compressed, before any taproot tweak
	account  *hdkeychain.ExtendedKey
	sighash  uint32 // as declared, or the type's default (ALL; DEFAULT for taproot)
	amount   int64  // satoshis spent
	pkScript []byte // scriptPubKey spent
}
