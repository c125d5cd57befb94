package samples

import (
	"crypto/pbkdf2"
	"crypto/sha512"
	"strconv"
	"strings"

	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcec/v2/schnorr"
	"github.com/btcsuite/btcd/btcutil"
	"github.com/btcsuite/btcd/btcutil/hdkeychain"
	"github.com/btcsuite/btcd/chaincfg"
	"github.com/btcsuite/btcd/txscript"
)

// Mnemonic is the demo wallet's: the first test vector of BIP39, BIP84 and
// BIP86. Everybody has it.
const Mnemonic = "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about"

// strangers are other mnemonics out of BIP39's test vectors.
var strangers = [...]string{
	"legal winner thank year wave sausage worth useful legal winner thank yellow",
	"letter advice cage absurd amount doctor acoustic avoid letter advice cage above",
	"zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo wrong",
}

// Type of a single-key script, in the words of inspect-json.
type Type string

// The types a single key can have.
const (
	P2PKH      Type = "p2pkh"
	P2SHP2WPKH Type = "p2sh-p2wpkh"
	P2WPKH     Type = "p2wpkh"
	P2TR       Type = "p2tr"
)

// purpose of BIP44, 49, 84 and 86.
func (t Type) purpose() string {
	return map[Type]string{P2PKH: "44", P2SHP2WPKH: "49", P2WPKH: "84", P2TR: "86"}[t]
}

// Seed of a mnemonic without passphrase (BIP39), 64 bytes.
func Seed(mnemonic string) []byte {
	seed, err := pbkdf2.Key(sha512.New, mnemonic, []byte("mnemonic"), 2048, 64)
	must(err)
	return seed
}

// Keys is a whole tree of private keys that are published and worth nothing.
type Keys struct {
	master      *hdkeychain.ExtendedKey
	params      *chaincfg.Params
	Fingerprint [4]byte // of the master key
}

// Demo keys on mainnet: fingerprint 73c5da0a.
func Demo() *Keys { return NewKeys(Mnemonic, &chaincfg.MainNetParams) }

// Stranger keys on mainnet, of one of three people who are not us.
func Stranger(i int) *Keys {
	return NewKeys(strangers[i%len(strangers)], &chaincfg.MainNetParams)
}

// NewKeys of a published mnemonic.
func NewKeys(mnemonic string, params *chaincfg.Params) *Keys {
	master, err := hdkeychain.NewMaster(Seed(mnemonic), params)
	must(err)
	k := &Keys{master: master, params: params}
	pub, err := master.ECPubKey()
	must(err)
	copy(k.Fingerprint[:], btcutil.Hash160(pub.SerializeCompressed()))
	return k
}

// ParsePath reads m/84h/0h/0h/0/3.
func ParsePath(path string) []uint32 {
	var out []uint32
	for _, step := range strings.Split(path, "/")[1:] {
		digits, hardened := strings.CutSuffix(step, "h")
		n, err := strconv.ParseUint(digits, 10, 31)
		must(err)
		if hardened {
			n += hdkeychain.HardenedKeyStart
		}
		out = append(out, uint32(n))
	}
	return out
}

// Extended is the private extended key at a path.
func (k *Keys) Extended(path string) *hdkeychain.ExtendedKey {
	key := k.master
	for _, n := range ParsePath(path) {
		var err error
		key, err = key.Derive(n)
		must(err)
	}
	return key
}

// Account is the public extended key at a path.
func (k *Keys) Account(path string) *hdkeychain.ExtendedKey {
	pub, err := k.Extended(path).Neuter()
	must(err)
	return pub
}

// Private key at a path.
func (k *Keys) Private(path string) *btcec.PrivateKey {
	key, err := k.Extended(path).ECPrivKey()
	must(err)
	return key
}

// AccountPath is the first account of a type: m/84h/0h/0h.
func (k *Keys) AccountPath(t Type) string {
	return "m/" + t.purpose() + "h/" + strconv.FormatUint(uint64(k.params.HDCoinType), 10) + "h/0h"
}

// At is the spot at a branch and index of the first account of a type.
func (k *Keys) At(t Type, branch, index uint32) Spot {
	return k.Spot(t, k.AccountPath(t)+"/"+strconv.FormatUint(uint64(branch), 10)+"/"+strconv.FormatUint(uint64(index), 10))
}

// Spot is a place that can be paid to: one key in one script.
type Spot struct {
	Type        Type
	Fingerprint [4]byte
	Path        []uint32
	PubKey      *btcec.PublicKey // before any tweak
	Script      []byte           // scriptPubKey
	Redeem      []byte           // P2SHP2WPKH only
	params      *chaincfg.Params
}

// Spot of a type at any path.
func (k *Keys) Spot(t Type, path string) Spot {
	pub, err := k.Extended(path).ECPubKey()
	must(err)
	s := Spot{Type: t, Fingerprint: k.Fingerprint, Path: ParsePath(path), PubKey: pub, params: k.params}
	hash := btcutil.Hash160(pub.SerializeCompressed())
	var addr btcutil.Address
	switch t {
	case P2PKH:
		addr, err = btcutil.NewAddressPubKeyHash(hash, k.params)
	case P2WPKH:
		addr, err = btcutil.NewAddressWitnessPubKeyHash(hash, k.params)
	case P2SHP2WPKH:
		s.Redeem = append([]byte{txscript.OP_0, txscript.OP_DATA_20}, hash...)
		addr, err = btcutil.NewAddressScriptHash(s.Redeem, k.params)
	case P2TR:
		out := txscript.ComputeTaprootKeyNoScript(pub)
		addr, err = btcutil.NewAddressTaproot(schnorr.SerializePubKey(out), k.params)
	}
	must(err)
	s.Script, err = txscript.PayToAddrScript(addr)
	must(err)
	return s
}

// Address of the spot.
func (s Spot) Address() string {
	_, addrs, _, err := txscript.ExtractPkScriptAddrs(s.Script, s.params)
	must(err)
	return addrs[0].EncodeAddress()
}

// must stops on an error that fixed, published input cannot cause: nothing from
// outside ever reaches this package.
func must(err error) {
	if err != nil {
		panic(err)
	}
}
