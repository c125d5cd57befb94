package signer

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcec/v2/schnorr"
	"github.com/btcsuite/btcd/btcutil"
	"github.com/btcsuite/btcd/btcutil/hdkeychain"
	"github.com/btcsuite/btcd/txscript"
)

// maxWalletText bounds a wallet file, in bytes. Two descriptors of one key
// need some 400.
const maxWalletText = 4096

// Wallet is a checked output descriptor (BIP380) of a single key: pkh(),
// wpkh(), sh(wpkh()) or tr() over one extended public key with its origin, with
// one or more branches (…/0/*, …/<0;1>/*). It never changes once parsed.
type Wallet struct {
	Name string // as given by the caller; from outside: escape before printing

	network    Network
	scriptType ScriptType
	account    *Account
	branches   []uint32
	keys       []*hdkeychain.ExtendedKey // one a branch, at account/branch
}

// WalletError says why a text is not a wallet this package takes. Its text is a
// sentence for a person and holds nothing of the text but descriptor names.
type WalletError struct{ What string }

func (e *WalletError) Error() string { return e.What }

func walletErrorf(format string, args ...any) error {
	return &WalletError{What: fmt.Sprintf(format, args...)}
}

// ParseWallet reads one single-key descriptor, or two or more on lines of their
// own that differ in nothing but the branch (receive and change, as Bitcoin
// Core and Sparrow export them). A checksum is verified where there is one. A
// key of another network than n is no error here: see OtherNetwork. Errors are
// *WalletError.
func ParseWallet(name string, text []byte, n Network) (*Wallet, error) {
	if n.Params() == nil {
		return nil, walletErrorf("the network is not one this station knows")
	}
	if len(text) > maxWalletText {
		return nil, walletErrorf("the wallet text is longer than %d bytes: not a single-key descriptor", maxWalletText)
	}
	w := &Wallet{Name: name, network: n}
	for line := range bytes.Lines(text) {
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		d, err := parseDescriptor(string(line))
		if err != nil {
			return nil, err
		}
		if err := w.add(d); err != nil {
			return nil, err
		}
	}
	if w.account == nil {
		return nil, walletErrorf("the wallet text is empty")
	}
	return w, nil
}

// add takes the branches of one more descriptor of the same key.
func (w *Wallet) add(d *descriptor) error {
	switch {
	case w.account == nil:
		w.scriptType, w.account = d.scriptType, d.account
	case w.scriptType != d.scriptType || !w.account.same(d.account):
		return walletErrorf("the descriptors are of different wallets: give each wallet a file of its own")
	}
	for _, b := range d.branches {
		for _, have := range w.branches {
			if have == b {
				return walletErrorf("branch %d is given twice", b)
			}
		}
		key, err := w.account.Key.Derive(b)
		if err != nil {
			return walletErrorf("branch %d cannot be derived from the key", b)
		}
		w.branches, w.keys = append(w.branches, b), append(w.keys, key)
	}
	return nil
}

// same tells whether two accounts are one: origin, key and chain code.
func (a *Account) same(b *Account) bool {
	return a.Fingerprint == b.Fingerprint && a.Path.String() == b.Path.String() && a.Key.String() == b.Key.String()
}

// Network the wallet was parsed for.
func (w *Wallet) Network() Network { return w.network }

// ScriptType of every script of the wallet: P2PKH, P2SHP2WPKH, P2WPKH or P2TR.
func (w *Wallet) ScriptType() ScriptType { return w.scriptType }

// Account key of the wallet with its origin: master fingerprint and path.
func (w *Wallet) Account() *Account { return w.account }

// Branches are the child numbers below the account key that the descriptor
// has, in its order: 0 and 1 for …/<0;1>/*.
func (w *Wallet) Branches() []uint32 { return append([]uint32(nil), w.branches...) }

// OtherNetwork tells that the wallet's key is written for another network
// (xpub on testnet, tpub on mainnet): network-mismatch.
func (w *Wallet) OtherNetwork() bool { return !w.account.Key.IsForNet(w.network.Params()) }

// Path from the master key of the key at a branch and index.
func (w *Wallet) Path(branch, index uint32) Path {
	return append(append(Path(nil), w.account.Path...), branch, index)
}

// PubKey at a branch of the descriptor and an index (not hardened).
func (w *Wallet) PubKey(branch, index uint32) (*btcec.PublicKey, error) {
	for i, b := range w.branches {
		if b != branch {
			continue
		}
		key, err := w.keys[i].Derive(index)
		if err != nil {
			return nil, fmt.Errorf("key at %v: %w", w.Path(branch, index), err)
		}
		return key.ECPubKey()
	}
	return nil, fmt.Errorf("the wallet has no branch %d", branch)
}

// Script is the scriptPubKey at a branch of the descriptor and an index.
func (w *Wallet) Script(branch, index uint32) ([]byte, error) {
	pub, err := w.PubKey(branch, index)
	if err != nil {
		return nil, err
	}
	script, _, err := KeyScript(w.scriptType, pub)
	return script, err
}

// Descriptor is the canonical text: h for hardened, multipath where there are
// several branches, with its checksum.
func (w *Wallet) Descriptor() string {
	steps := make([]string, len(w.branches))
	for i, b := range w.branches {
		steps[i] = strconv.FormatUint(uint64(b), 10)
	}
	branch := steps[0]
	if len(steps) > 1 {
		branch = "<" + strings.Join(steps, ";") + ">"
	}
	key := fmt.Sprintf("[%x%s]%s/%s/*", w.account.Fingerprint, w.account.Path.String()[1:], w.account.Key, branch)
	before, after := descriptorAround(w.scriptType)
	text := before + key + after
	sum, err := DescriptorChecksum(text)
	if err != nil { // every character above is of the descriptor alphabet
		return text
	}
	return text + "#" + sum
}

// KeyScript is the scriptPubKey of a single key, and the redeem script where it
// has one (P2SHP2WPKH). P2TR is BIP86: key path, no scripts. Other types are an
// error.
func KeyScript(t ScriptType, pub *btcec.PublicKey) (script, redeem []byte, err error) {
	hash := btcutil.Hash160(pub.SerializeCompressed())
	witness := append([]byte{txscript.OP_0, txscript.OP_DATA_20}, hash...)
	switch t {
	case P2PKH:
		script = append([]byte{txscript.OP_DUP, txscript.OP_HASH160, txscript.OP_DATA_20}, hash...)
		return append(script, txscript.OP_EQUALVERIFY, txscript.OP_CHECKSIG), nil, nil
	case P2WPKH:
		return witness, nil, nil
	case P2SHP2WPKH:
		script = append([]byte{txscript.OP_HASH160, txscript.OP_DATA_20}, btcutil.Hash160(witness)...)
		return append(script, txscript.OP_EQUAL), witness, nil
	case P2TR:
		out := schnorr.SerializePubKey(txscript.ComputeTaprootKeyNoScript(pub))
		return append([]byte{txscript.OP_1, txscript.OP_DATA_32}, out...), nil, nil
	}
	return nil, nil, fmt.Errorf("no single-key script of type %s", t)
}

// descriptor is one parsed line.
type descriptor struct {
	scriptType ScriptType
	account    *Account
	branches   []uint32
}

// singleKeyTypes are the script expressions of one key, by what opens them:
// none begins another.
var singleKeyTypes = [...]struct {
	open       string
	scriptType ScriptType
}{
	{"pkh(", P2PKH},
	{"wpkh(", P2WPKH},
	{"sh(wpkh(", P2SHP2WPKH},
	{"tr(", P2TR},
}

// descriptorAround gives what stands before and after the key expression.
func descriptorAround(t ScriptType) (before, after string) {
	for _, s := range singleKeyTypes {
		if s.scriptType == t {
			before = s.open
		}
	}
	return before, strings.Repeat(")", strings.Count(before, "("))
}

// parseDescriptor reads one descriptor.
func parseDescriptor(text string) (*descriptor, error) {
	text, err := checkDescriptorChecksum(text)
	if err != nil {
		return nil, err
	}
	for _, s := range singleKeyTypes {
		inner, ok := strings.CutPrefix(text, s.open)
		if !ok {
			continue
		}
		_, after := descriptorAround(s.scriptType)
		if inner, ok = strings.CutSuffix(inner, after); !ok {
			return nil, walletErrorf("the descriptor does not end in %q: it is incomplete, or something follows it", after)
		}
		d := &descriptor{scriptType: s.scriptType}
		if d.account, d.branches, err = parseKey(inner); err != nil {
			return nil, err
		}
		return d, nil
	}
	return nil, unknownDescriptor(text)
}

// unknownDescriptor names what the text begins with, where that is a name.
func unknownDescriptor(text string) error {
	name, _, found := strings.Cut(text, "(")
	letters := strings.Trim(name, "abcdefghijklmnopqrstuvwxyz_") == ""
	if !found || name == "" || !letters || len(name) > 20 {
		return walletErrorf("this is not an output descriptor: one of pkh(), wpkh(), sh(wpkh()) or tr() is needed")
	}
	return walletErrorf("a wallet of %s() is not supported yet: one of pkh(), wpkh(), sh(wpkh()) or tr() with a single key is needed", name)
}

// parseKey reads [fingerprint/path]xpub/branch/*.
func parseKey(text string) (*Account, []uint32, error) {
	rest, ok := strings.CutPrefix(text, "[")
	if !ok {
		return nil, nil, walletErrorf("the key has no origin: it should begin with [fingerprint/path], so that the station can find the card's key")
	}
	origin, rest, ok := strings.Cut(rest, "]")
	if !ok {
		return nil, nil, walletErrorf("the key origin has no closing bracket")
	}
	account, err := parseOrigin(origin)
	if err != nil {
		return nil, nil, err
	}
	encoded, steps, ok := strings.Cut(rest, "/")
	if !ok {
		return nil, nil, walletErrorf("the key has no branch: it should end in /0/*, /1/* or /<0;1>/*")
	}
	if account.Key, err = parseExtendedKey(encoded); err != nil {
		return nil, nil, err
	}
	branches, err := parseBranches(steps)
	return account, branches, err
}

// parseOrigin reads the inside of the brackets: 8 hexadecimal digits, then a
// path.
func parseOrigin(text string) (*Account, error) {
	fp, path, _ := strings.Cut(text, "/")
	raw, err := hex.DecodeString(fp)
	if err != nil || len(raw) != 4 {
		return nil, walletErrorf("the fingerprint in the key origin is not 8 hexadecimal digits")
	}
	a := &Account{Fingerprint: [4]byte(raw), Path: Path{}}
	if !strings.Contains(text, "/") {
		return a, nil
	}
	for step := range strings.SplitSeq(path, "/") {
		n, err := parseStep(step)
		if err != nil {
			return nil, err
		}
		a.Path = append(a.Path, n)
	}
	return a, nil
}

// parseStep reads one path step; h and ' both mean hardened.
func parseStep(text string) (uint32, error) {
	digits, hardened := strings.CutSuffix(text, "h")
	if !hardened {
		digits, hardened = strings.CutSuffix(text, "'")
	}
	n, err := strconv.ParseUint(digits, 10, 31)
	if err != nil || digits != strconv.FormatUint(n, 10) {
		return 0, walletErrorf("a step of the derivation path is not a number from 0 to 2147483647")
	}
	if hardened {
		n += uint64(HardenedOffset)
	}
	return uint32(n), nil
}

// parseExtendedKey reads an xpub or tpub (BIP32). Private keys and the
// SLIP132 spellings are refused by name.
func parseExtendedKey(text string) (*hdkeychain.ExtendedKey, error) {
	if len(text) < 4 {
		return nil, walletErrorf("the extended public key is missing")
	}
	switch kind := text[:4]; kind {
	case "xpub", "tpub":
	case "xprv", "tprv", "yprv", "zprv", "uprv", "vprv":
		return nil, walletErrorf("the file holds a PRIVATE key (%s): never put that on a stick; export the public wallet instead", kind)
	case "ypub", "zpub", "upub", "vpub", "Ypub", "Zpub", "Upub", "Vpub":
		return nil, walletErrorf("the key is written as %s, which descriptors do not have: export it as xpub or tpub", kind)
	default:
		return nil, walletErrorf("the key is not an extended public key (xpub or tpub): a wallet of a single fixed key is not supported")
	}
	key, err := hdkeychain.NewKeyFromString(text)
	if err != nil || key.IsPrivate() || key.String() != text {
		return nil, walletErrorf("the %s is damaged: its check digits do not match", text[:4])
	}
	// BIP32: a master key has no parent and is nobody's child.
	if key.Depth() == 0 && (key.ParentFingerprint() != 0 || key.ChildIndex() != 0) {
		return nil, walletErrorf("the %s contradicts itself: it calls itself a master key and names a parent", text[:4])
	}
	return key, nil
}

// parseBranches reads what follows the key: NUM/* or <NUM;NUM;…>/* (BIP389).
func parseBranches(text string) ([]uint32, error) {
	branch, ok := strings.CutSuffix(text, "/*")
	if !ok {
		return nil, walletErrorf("the key does not end in /*: only wallets with one address after another are supported")
	}
	multi, ok := strings.CutPrefix(branch, "<")
	if ok {
		if branch, ok = strings.CutSuffix(multi, ">"); !ok || !strings.Contains(branch, ";") {
			return nil, walletErrorf("the branches are not written as <0;1>")
		}
	} else if strings.Contains(branch, ";") {
		return nil, walletErrorf("the branches are not written as <0;1>")
	}
	if strings.Contains(branch, "/") {
		return nil, walletErrorf("there is more than one step between the key and /*: it should end in /0/*, /1/* or /<0;1>/*")
	}
	var out []uint32
	for step := range strings.SplitSeq(branch, ";") {
		n, err := parseStep(step)
		if err != nil {
			return nil, err
		}
		if n >= HardenedOffset {
			return nil, walletErrorf("a hardened branch cannot be derived from a public key")
		}
		out = append(out, n)
	}
	return out, nil
}
