package signer

import (
	"encoding/binary"
	"iter"
	"slices"

	"github.com/airlock-signer/airlock/signer/container"
)

// sealBranch is the branch below an account key that is kept for wallet seals:
// nothing is spent from it and nothing paid to it.
const sealBranch uint32 = HardenedOffset - 1

// Numbers of a BIP43 purpose whose second step is a coin type (BIP44, 48, 49,
// 84, 86, 87).
var coinPurposes = []uint32{44, 48, 49, 84, 86, 87}

// derivation is one claim of a PSBT that a key stands at a path below a master
// key. Its slices are views into the container.
type derivation struct {
	key         []byte // 33 or 65 bytes; 32 (x only) from a taproot field
	fingerprint [4]byte
	steps       []byte // four bytes a step, little endian
}

// path copies the steps out.
func (d *derivation) path() Path {
	p := make(Path, len(d.steps)/4)
	for i := range p {
		p[i] = binary.LittleEndian.Uint32(d.steps[4*i:])
	}
	return p
}

// nameless tells that the coordinator did not know the master key: the
// fingerprint is all zero.
func (d *derivation) nameless() bool { return d.fingerprint == [4]byte{} }

// derivationsOf walks the claims of a map in the order of the file. bip32 and
// taproot are the key types of the two kinds in that map. What the strict
// container would not have let through is skipped.
func derivationsOf(m *container.Map, bip32, taproot uint64) iter.Seq[derivation] {
	return func(yield func(derivation) bool) {
		for i := range m.Pairs {
			p := &m.Pairs[i]
			origin := p.Value
			switch p.Type {
			case bip32:
			case taproot:
				origin = afterLeafHashes(p.Value)
			default:
				continue
			}
			if len(origin) < 4 || len(origin)%4 != 0 {
				continue
			}
			if !yield(derivation{p.KeyData, [4]byte(origin[:4]), origin[4:]}) {
				return
			}
		}
	}
}

// afterLeafHashes skips the leaf hashes of a taproot derivation (BIP371); nil
// where they do not fit.
func afterLeafHashes(v []byte) []byte {
	n, size := uint64(0), 0
	switch {
	case len(v) > 0 && v[0] < 0xfd:
		n, size = uint64(v[0]), 1
	case len(v) > 2 && v[0] == 0xfd:
		n, size = uint64(binary.LittleEndian.Uint16(v[1:])), 3
	case len(v) > 4 && v[0] == 0xfe:
		n, size = uint64(binary.LittleEndian.Uint32(v[1:])), 5
	default:
		return nil
	}
	if n > uint64(len(v)-size)/32 {
		return nil
	}
	return v[size+32*int(n):]
}

// inputDerivations are the claims on an input.
func inputDerivations(m *container.Map) iter.Seq[derivation] {
	return derivationsOf(m, container.InBip32Derivation, container.InTapBip32Derivation)
}

// outputDerivations are the claims on an output.
func outputDerivations(m *container.Map) iter.Seq[derivation] {
	return derivationsOf(m, container.OutBip32Derivation, container.OutTapBip32Derivation)
}

// accountPrefix is the part of the path up to its last hardened step: the
// account key from which the rest can be derived without a private key. Nil
// where nothing is hardened.
func (p Path) accountPrefix() Path {
	for i := len(p); i > 0; i-- {
		if p[i-1] >= HardenedOffset {
			return p[:i]
		}
	}
	return nil
}

// below gives the steps of p below prefix.
func (p Path) below(prefix Path) (rest Path, ok bool) {
	if len(p) < len(prefix) || !slices.Equal(p[:len(prefix)], prefix) {
		return nil, false
	}
	return p[len(prefix):], true
}

// hardened tells whether any step is.
func (p Path) hardened() bool {
	return slices.ContainsFunc(p, func(n uint32) bool { return n >= HardenedOffset })
}

// purpose of a path that follows BIP43; 0 where the first step is not
// hardened.
func (p Path) purpose() uint32 {
	if len(p) == 0 || p[0] < HardenedOffset {
		return 0
	}
	return p[0] - HardenedOffset
}

// coinType of a path whose purpose has one (BIP44 and its family).
func (p Path) coinType() (coin uint32, ok bool) {
	if len(p) < 2 || p[1] < HardenedOffset || !slices.Contains(coinPurposes, p.purpose()) {
		return 0, false
	}
	return p[1] - HardenedOffset, true
}

// singlePurpose tells whether the path is of a purpose whose scripts have one
// key (BIP44, 49, 84, 86).
func (p Path) singlePurpose() bool {
	switch p.purpose() {
	case 44, 49, 84, 86:
		return true
	}
	return false
}

// fitsPurpose tells whether a wallet of this account would look for scripts of
// this type: 44 p2pkh, 49 p2sh-p2wpkh, 84 p2wpkh, 86 p2tr. Other purposes say
// nothing about the script.
func (p Path) fitsPurpose(t ScriptType) bool {
	switch p.purpose() {
	case 44:
		return t == P2PKH
	case 49:
		return t == P2SHP2WPKH
	case 84:
		return t == P2WPKH
	case 86:
		return t == P2TR
	}
	return true
}
