package signer

import (
	"bytes"
	"context"
	"encoding/binary"
	"iter"
	"slices"

	"github.com/airlock-signer/airlock/signer/plain"
	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcutil"
	"github.com/btcsuite/btcd/btcutil/hdkeychain"
)

// holder is one account key that own scripts are rebuilt from: given by the
// unlocked card, or of a registered wallet. Keys below it are derived when
// they are first asked for, and once.
type holder struct {
	account *Account
	wallet  *Wallet // nil for an account that is not registered
	self    [4]byte // fingerprint of the account key itself
	nodes   map[string]*hdkeychain.ExtendedKey
	leaves  map[string][33]byte
	work    work
}

func newHolder(a *Account, w *Wallet) (*holder, bool) {
	if a == nil || a.Key == nil || a.Key.IsPrivate() {
		return nil, false
	}
	pub, err := a.Key.ECPubKey()
	if err != nil {
		return nil, false
	}
	return &holder{
		account: a,
		wallet:  w,
		self:    [4]byte(btcutil.Hash160(pub.SerializeCompressed())[:4]),
		nodes:   map[string]*hdkeychain.ExtendedKey{"": a.Key},
		leaves:  map[string][33]byte{},
	}, true
}

// name for Input.Wallet.
func (h *holder) name() string {
	if h.wallet != nil {
		return plain.Text(h.wallet.Name)
	}
	return "account " + h.account.Path.String()
}

// proof for Output.Proof.
func (h *holder) proof() string {
	if h.wallet != nil {
		return "wallet " + h.name()
	}
	return h.name() + " of this card"
}

// branches that a wallet of this account uses.
func (h *holder) branches() []uint32 {
	if h.wallet != nil {
		return h.wallet.Branches()
	}
	return []uint32{0, 1}
}

const (
	// deepest is how many steps below an account key are derived: each is an
	// operation on the curve, and no wallet has more than three.
	deepest = 10
	// mostKept is how many derived keys are kept for the next claim.
	mostKept = 10_000
)

// stepsKey is a path as a map key.
func stepsKey(p Path) string {
	b := make([]byte, 0, 4*len(p))
	for _, n := range p {
		b = binary.LittleEndian.AppendUint32(b, n)
	}
	return string(b)
}

// key derives the public key at steps below the account key.
func (h *holder) key(rest Path) (key [33]byte, ok bool) {
	id := stepsKey(rest)
	if key, ok = h.leaves[id]; ok {
		return key, key != [33]byte{}
	}
	node, ok := h.node(rest, id)
	if ok {
		if pub, err := node.ECPubKey(); err == nil {
			key = [33]byte(pub.SerializeCompressed())
		}
	}
	if len(h.leaves) >= mostKept {
		clear(h.leaves)
	}
	h.leaves[id] = key // zero where it cannot be derived
	return key, key != [33]byte{}
}

// node derives the extended key at steps below the account key. All but the
// last step are kept.
func (h *holder) node(rest Path, id string) (*hdkeychain.ExtendedKey, bool) {
	if rest.hardened() || len(rest) > deepest {
		return nil, false
	}
	if len(h.nodes) >= mostKept {
		clear(h.nodes)
		h.nodes[""] = h.account.Key
	}
	from := len(rest)
	for from > 0 && h.nodes[id[:4*from]] == nil {
		from--
	}
	node := h.nodes[id[:4*from]]
	for i := from; i < len(rest); i++ {
		h.work.points++
		child, err := node.Derive(rest[i])
		if err != nil {
			return nil, false
		}
		node = child
		if i+1 < len(rest) {
			h.nodes[id[:4*(i+1)]] = node
		}
	}
	return node, true
}

// keyring is everything that ownership is proven with.
type keyring struct {
	holders []*holder
	names   map[[4]byte]bool // fingerprints of master keys that are ours
	// prefixes are the hardened prefixes that have named us so far.
	prefixes map[string]bool
}

// newKeyring takes wallets first: where an account key is that of a registered
// wallet, the wallet speaks for it.
func newKeyring(o *Ownership) *keyring {
	r := &keyring{names: map[[4]byte]bool{}, prefixes: map[string]bool{}}
	if o.HasFingerprint {
		r.names[o.Fingerprint] = true
	}
	for _, w := range o.Wallets {
		if w != nil {
			r.add(w.Account(), w)
		}
	}
	for _, a := range o.Accounts {
		r.add(a, nil)
	}
	delete(r.names, [4]byte{})
	return r
}

func (r *keyring) add(a *Account, w *Wallet) {
	h, ok := newHolder(a, w)
	if !ok {
		return
	}
	r.names[a.Fingerprint] = true
	known := func(o *holder) bool { return sameKey(o.account.Key, a.Key) }
	if w == nil && slices.ContainsFunc(r.holders, known) {
		return
	}
	r.holders = append(r.holders, h)
}

// ownKey is a claimed key that is ours: derived here, and equal.
type ownKey struct {
	key   [33]byte
	path  Path // from the master key
	spots []spot
}

// spot is where a key stands below a holder. Two wallets of one account key
// both have it.
type spot struct {
	holder *holder
	rest   Path
}

// claims is what the derivations of one map come to.
type claims struct {
	ours  []ownKey
	lies  []Path // our fingerprint, a path below an account we hold, another key
	away  Path   // the first with our fingerprint at an account we do not hold: proves nothing
	like  []Path // no fingerprint, a path like ours, another key
	first *derivation
}

// read judges the derivations of one map.
func (r *keyring) read(all iter.Seq[derivation]) claims {
	var c claims
	for d := range all {
		if c.first == nil {
			first := d
			c.first = &first
		}
		if !r.concerns(&d) {
			continue
		}
		path, named := d.path(), r.names[d.fingerprint]
		var own ownKey
		var held bool
		// What is decided is not derived further: a lie is a lie, and no map of
		// an honest file names us that often.
		if decided := len(c.lies) > 0 || len(c.ours)+len(c.like) >= mostClaims; !decided {
			own, held = r.match(&d, path)
		}
		switch {
		case len(own.spots) > 0:
			c.addOwn(own)
		case named && held:
			c.lies = append(c.lies, path)
		case named:
			if c.away == nil {
				c.away = path
			}
		case held && d.nameless():
			c.like = append(c.like, path)
		}
		if named || len(own.spots) > 0 {
			if prefix := own.path.orElse(path).accountPrefix(); prefix != nil && len(r.prefixes) <= maxAccounts {
				r.prefixes[prefix.String()] = true
			}
		}
	}
	return c
}

func (p Path) orElse(q Path) Path {
	if p == nil {
		return q
	}
	return p
}

// concerns tells cheaply whether a claim could name us: our fingerprint, none,
// or a path below an account key that we hold.
func (r *keyring) concerns(d *derivation) bool {
	if r.names[d.fingerprint] || d.nameless() {
		return true
	}
	for _, h := range r.holders {
		if d.fingerprint == h.self || d.startsWith(h.account.Path) {
			return true
		}
	}
	return false
}

// mostClaims is how many claims of one map are compared with derived keys.
const mostClaims = 50

// startsWith compares the first steps with a path.
func (d *derivation) startsWith(p Path) bool {
	if len(d.steps) < 4*len(p) {
		return false
	}
	for i, n := range p {
		if binary.LittleEndian.Uint32(d.steps[4*i:]) != n {
			return false
		}
	}
	return true
}

// match derives the key of a claim below every holder whose account it names,
// and compares. held: we hold that account, and could derive a key there. A
// coordinator that does not know the master key gives the account key's own
// fingerprint, or none, and the path below it; that is a match or nothing.
func (r *keyring) match(d *derivation, path Path) (own ownKey, held bool) {
	for _, h := range r.holders {
		rest, below := path.below(h.account.Path)
		if !below {
			if len(path) == 0 || d.fingerprint != h.self && !d.nameless() {
				continue
			}
			rest = path
		}
		key, ok := h.key(rest)
		if !ok {
			continue
		}
		held = held || below
		if bytes.Equal(d.key, key[:]) || bytes.Equal(d.key, key[1:]) {
			own.key = key
			own.path = append(slices.Clone(h.account.Path), rest...)
			own.spots = append(own.spots, spot{h, rest})
		}
	}
	return own, held
}

// addOwn notes a key; the same one claimed in the field of BIP174 and in that
// of BIP371 counts once.
func (c *claims) addOwn(k ownKey) {
	for i := range c.ours {
		if c.ours[i].key == k.key && slices.Equal(c.ours[i].path, k.path) {
			return
		}
	}
	c.ours = append(c.ours, k)
}

// rebuild makes the script of a key of ours anew and compares. A registered
// wallet has one type of script; an account key is tried with the type that
// the script itself has.
func (k *ownKey) rebuild(script []byte) (s spot, t ScriptType, ok bool) {
	form := scriptTypeOf(script)
	if form == P2SH {
		form = P2SHP2WPKH
	}
	if !singleKey(form) {
		return s, t, false
	}
	k.spots[0].holder.work.points++
	pub, err := btcec.ParsePubKey(k.key[:])
	if err != nil {
		return s, t, false
	}
	built, _, err := KeyScript(form, pub)
	if err != nil || !bytes.Equal(built, script) {
		return s, t, false
	}
	for _, s := range k.spots {
		if s.holder.wallet == nil || s.holder.wallet.ScriptType() == form {
			return s, form, true
		}
	}
	return s, t, false
}

// index finds own scripts that nothing in the file claims, as in an input whose
// derivations a finaliser took out (BIP174).
type index map[string]ownKey

// searchDepth is how far beyond the highest index that our inputs claim such
// scripts are looked for, and searchBack how far before it.
const (
	searchDepth = 500
	searchBack  = 5_000
)

// index rebuilds the scripts of these types on the usual branches of every
// holder: at the first indexes, and around the highest one that is known.
func (r *keyring) index(ctx context.Context, types []ScriptType, highest uint32) (index, error) {
	found := index{}
	end := min(highest, HardenedOffset-1-searchDepth) + searchDepth
	first := min(end, searchDepth)
	for _, h := range r.holders {
		for _, b := range h.branches() {
			for i := range first {
				found.add(h, Path{b, i}, types)
			}
			for i := max(first, end-min(end, searchBack)); i < end; i++ {
				if err := ctx.Err(); err != nil {
					return nil, err
				}
				found.add(h, Path{b, i}, types)
			}
		}
	}
	return found, nil
}

func (x index) add(h *holder, rest Path, types []ScriptType) {
	key, ok := h.key(rest)
	if !ok {
		return
	}
	h.work.points++
	pub, err := btcec.ParsePubKey(key[:])
	if err != nil {
		return
	}
	own := ownKey{key, append(slices.Clone(h.account.Path), rest...), []spot{{h, rest}}}
	for _, t := range types {
		if h.wallet != nil && h.wallet.ScriptType() != t {
			continue
		}
		if script, _, err := KeyScript(t, pub); err == nil {
			x[string(script)] = own
		}
	}
}
