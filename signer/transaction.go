package signer

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/airlock-signer/airlock/signer/container"
	"github.com/btcsuite/btcd/wire"
)

// Limits on what is opened.
type Limits struct {
	MaxFile int // bytes of a file, in its encoding
}

// DefaultLimits are 64 MiB a file.
func DefaultLimits() Limits { return Limits{MaxFile: 64 << 20} }

// MalformedError says what is wrong with a file and where: a byte of the raw
// container or, where the text encoding is at fault, of the file.
type MalformedError struct {
	Offset int
	What   string
	cause  error // container.ErrVersion2 can be asked for
}

// Unwrap gives the container's error.
func (e *MalformedError) Unwrap() error { return e.cause }

// Error is one line: what, and at which byte.
func (e *MalformedError) Error() string { return fmt.Sprintf("%s, at byte %d", e.What, e.Offset) }

// Transaction is a well-formed PSBT: its bytes and what they say. It never
// changes once opened.
type Transaction struct {
	fileSHA   [32]byte
	sha       [32]byte
	encoding  container.Encoding
	limits    Limits
	container *container.Container
	ins       []inputFacts
	outs      []outputFacts
	found     []found // previous transactions given beside the file
	work      work    // of reading the facts
	summary   bool    // too large for a block and for this machine: refused as a whole
}

// Open reads a PSBT in any of its encodings (binary, base64, hex). Whatever is
// not strictly well formed is a *MalformedError. The bytes are kept: they must
// not be changed afterwards.
func Open(file []byte, l Limits) (*Transaction, error) {
	return OpenContext(context.Background(), file, l)
}

// OpenContext is Open for files from outside, which may take many seconds: it
// ends with the context's error when that ends.
func OpenContext(ctx context.Context, file []byte, l Limits) (*Transaction, error) {
	if len(file) > l.MaxFile {
		return nil, &MalformedError{l.MaxFile, fmt.Sprintf("the file has %d bytes, and this station reads %d at most", len(file), l.MaxFile), nil}
	}
	// A text is not needed once it is hashed and decoded: the container is what
	// is kept.
	fileSHA := sha256.Sum256(file)
	raw, encoding, err := container.Decode(file)
	if err != nil {
		return nil, malformed(err)
	}
	c, err := container.ParseContext(ctx, raw)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, malformed(err)
	}
	t := &Transaction{fileSHA: fileSHA, sha: sha256.Sum256(raw), encoding: encoding, limits: l, container: c}
	if !t.affordable() {
		if t.summary = beyondBlock(c.Tx); !t.summary {
			return nil, unaffordable(c.Tx)
		}
		return t, nil
	}
	if err := t.readFacts(ctx); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, malformed(err)
	}
	return t, nil
}

// malformed turns an error of the container into this package's.
func malformed(err error) error {
	var e *container.Error
	if errors.As(err, &e) {
		return &MalformedError{e.Offset, e.What, err}
	}
	return &MalformedError{0, err.Error(), err}
}

// SHA256 of the raw container.
func (t *Transaction) SHA256() [32]byte { return t.sha }

// FileSHA256 is the hash of the bytes as they came, in their encoding.
func (t *Transaction) FileSHA256() [32]byte { return t.fileSHA }

// Encoding of the file: "binary", "base64" or "hex".
func (t *Transaction) Encoding() string { return string(t.encoding) }

// tx is the unsigned transaction. It is shared: never change it.
func (t *Transaction) tx() *wire.MsgTx { return t.container.Tx }

// spentOutputs lists what the inputs spend, in their order; nil where the file
// does not say.
func (t *Transaction) spentOutputs() []*wire.TxOut {
	spent := make([]*wire.TxOut, len(t.ins))
	for i := range t.ins {
		if t.ins[i].known {
			spent[i] = &t.ins[i].spent
		}
	}
	return spent
}

// maxAccounts is how many hardened prefixes may name us in one transaction.
const maxAccounts = 8

// AccountsWanted lists the hardened prefixes under which a card with this
// master fingerprint would have to give account keys so that the transaction
// can be reviewed: those of the derivations that name the fingerprint, or none
// at all (00000000). Each stands once, in the order of first appearance, inputs
// before outputs; at most one more than the rule book allows (8).
func (t *Transaction) AccountsWanted(fingerprint [4]byte) []Path {
	var wanted []Path
	seenSteps, seenPrefix := map[string]bool{}, map[string]bool{}
	take := func(d derivation) bool {
		if d.fingerprint != fingerprint && !d.nameless() {
			return true
		}
		// The same bytes have the same prefix: a path is decoded once.
		if seenSteps[string(d.steps)] {
			return true
		}
		seenSteps[string(d.steps)] = true
		prefix := d.path().accountPrefix()
		if key := prefix.String(); prefix != nil && !seenPrefix[key] {
			seenPrefix[key] = true
			wanted = append(wanted, prefix)
		}
		return len(wanted) <= maxAccounts
	}
	for i := range t.ins {
		for d := range inputDerivations(t.ins[i].fields) {
			if !take(d) {
				return wanted
			}
		}
	}
	for i := range t.outs {
		for d := range outputDerivations(t.outs[i].fields) {
			if !take(d) {
				return wanted
			}
		}
	}
	return wanted
}

// Preview says what can be said without keys: all that needs none is checked,
// and everything about ownership is a claim.
func (t *Transaction) Preview(s Settings) *Report {
	// Only a context that ends makes an error.
	r, _ := t.PreviewContext(context.Background(), s)
	return r
}

// PreviewContext is Preview, which ends with the context's error when that
// ends.
func (t *Transaction) PreviewContext(ctx context.Context, s Settings) (*Report, error) {
	a, err := t.assess(ctx, s, Ownership{}, nil)
	if err != nil {
		return nil, err
	}
	return a.report, nil
}

// Review says what the transaction means to the holder of these keys and
// wallets. The ledger, which may be nil, is that of the session. An error is
// the context's, or that the settings name no known network.
func (t *Transaction) Review(ctx context.Context, s Settings, o Ownership, l *Ledger) (*Review, error) {
	if s.Network.Params() == nil {
		return nil, errors.New("the settings name no network that this station knows")
	}
	a, err := t.assess(ctx, s, o, l)
	if err != nil {
		return nil, err
	}
	return &Review{report: a.report, tx: t, settings: s, own: o, ledger: l, spends: a.spends, earlier: a.compareEarlier()}, nil
}
