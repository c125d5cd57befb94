package signer

import (
	"bytes"
	"crypto/sha256"

	"github.com/btcsuite/btcd/btcutil"
	"github.com/btcsuite/btcd/txscript"
)

// scriptTypeOf names a scriptPubKey by its form alone: what stands behind a
// script hash is not known from it.
func scriptTypeOf(script []byte) ScriptType {
	switch {
	case len(script) == 25 && txscript.IsPayToPubKeyHash(script):
		return P2PKH
	case len(script) == 23 && txscript.IsPayToScriptHash(script):
		return P2SH
	case len(script) > 0 && script[0] == txscript.OP_RETURN:
		return OpReturn
	case txscript.IsPayToPubKey(script):
		return P2PK
	}
	version, program, ok := witnessProgram(script)
	switch {
	case !ok:
		return UnknownScript
	case version == 0 && len(program) == 20:
		return P2WPKH
	case version == 0 && len(program) == 32:
		return P2WSH
	case version == 1 && len(program) == 32:
		return P2TR
	case version == 1 && bytes.Equal(program, []byte{0x4e, 0x73}): // Bitcoin Core, "pay to anchor"
		return P2A
	}
	return UnknownScript
}

// witnessProgram takes a witness scriptPubKey apart (BIP141): one version
// opcode and one direct push of 2 to 40 bytes.
func witnessProgram(script []byte) (version int, program []byte, ok bool) {
	if len(script) < 4 || len(script) > 42 || int(script[1]) != len(script)-2 {
		return 0, nil, false
	}
	switch op := script[0]; {
	case op == txscript.OP_0:
		return 0, script[2:], true
	case op >= txscript.OP_1 && op <= txscript.OP_16:
		return int(op-txscript.OP_1) + 1, script[2:], true
	}
	return 0, nil, false
}

// isWitness tells whether the script is a witness program.
func isWitness(script []byte) bool {
	_, _, ok := witnessProgram(script)
	return ok
}

// redeemMatches tells whether script is the p2sh of redeem (BIP16).
func redeemMatches(script, redeem []byte) bool {
	return scriptTypeOf(script) == P2SH && bytes.Equal(script[2:22], btcutil.Hash160(redeem))
}

// witnessScriptMatches tells whether program is the p2wsh of witness (BIP141).
func witnessScriptMatches(program, witness []byte) bool {
	if scriptTypeOf(program) != P2WSH {
		return false
	}
	sum := sha256.Sum256(witness)
	return bytes.Equal(program[2:], sum[:])
}

// nestedType names a p2sh script by what its redeem script is.
func nestedType(redeem []byte) ScriptType {
	switch scriptTypeOf(redeem) {
	case P2WPKH:
		return P2SHP2WPKH
	case P2WSH:
		return P2SHP2WSH
	}
	return P2SH
}

// singleKey tells whether scripts of this type are made from one key alone, so
// that they can be rebuilt from an account key.
func singleKey(t ScriptType) bool {
	return t == P2PKH || t == P2SHP2WPKH || t == P2WPKH || t == P2TR
}

// segwitV0 tells whether spending this type is signed as BIP143 says: the
// signature commits to the amount of its own input alone.
func segwitV0(t ScriptType) bool {
	return t == P2WPKH || t == P2WSH || t == P2SHP2WPKH || t == P2SHP2WSH
}

// pushes calls yield with every data push of the script, until the script ends
// or cannot be parsed further.
func pushes(script []byte, yield func(data []byte) bool) {
	tok := txscript.MakeScriptTokenizer(0, script)
	for tok.Next() {
		if d := tok.Data(); d != nil && !yield(d) {
			return
		}
	}
}

// holdsKey tells whether the script names the key: the compressed key itself,
// its x coordinate (tapscript) or its HASH160.
func holdsKey(script []byte, key [33]byte) bool {
	hash := btcutil.Hash160(key[:])
	found := false
	pushes(script, func(d []byte) bool {
		found = bytes.Equal(d, key[:]) || bytes.Equal(d, key[1:]) || bytes.Equal(d, hash)
		return !found
	})
	return found
}

// multisigOf reads m and n of a bare OP_CHECKMULTISIG script.
func multisigOf(script []byte) (m, n int, ok bool) {
	if ok, err := txscript.IsMultisigScript(script); err != nil || !ok {
		return 0, 0, false
	}
	n, m, err := txscript.CalcMultiSigStats(script)
	return m, n, err == nil && m >= 1 && m <= n
}

// opReturnData is what an OP_RETURN script carries: the one push behind the
// opcode, or everything behind it where it is not exactly one push.
func opReturnData(script []byte) []byte {
	if len(script) < 1 || script[0] != txscript.OP_RETURN {
		return nil
	}
	tok := txscript.MakeScriptTokenizer(0, script[1:])
	if tok.Next() {
		if d := tok.Data(); d != nil && tok.Done() && tok.Err() == nil {
			return d
		}
	}
	return script[1:]
}

// dustLimit is the smallest amount in satoshis that Bitcoin Core relays for an
// output of this script at its default of 3 sat/vB: what spending it would
// cost at that rate, with the output itself (GetDustThreshold in policy.cpp).
// OP_RETURN has none.
func dustLimit(script []byte) int64 {
	if scriptTypeOf(script) == OpReturn {
		return 0
	}
	size := int64(8 + compactSizeLen(len(script)) + len(script))
	if isWitness(script) {
		size += 32 + 4 + 1 + 107/4 + 4
	} else {
		size += 32 + 4 + 1 + 107 + 4
	}
	return 3 * size
}

// compactSizeLen is the length in bytes of n as a compact size.
func compactSizeLen(n int) int {
	switch {
	case n < 0xfd:
		return 1
	case n <= 0xffff:
		return 3
	}
	return 5
}
