package signer

import (
	"github.com/btcsuite/btcd/btcutil"
	"github.com/btcsuite/btcd/btcutil/bech32"
	"github.com/btcsuite/btcd/chaincfg"
)

// addressOf gives the address of a scriptPubKey on the network, "" where it has
// none: base58check for p2pkh and p2sh, bech32 (BIP173) for witness version 0,
// bech32m (BIP350) for the others, known or not.
func addressOf(script []byte, params *chaincfg.Params) string {
	if params == nil {
		return ""
	}
	switch scriptTypeOf(script) {
	case P2PKH:
		if a, err := btcutil.NewAddressPubKeyHash(script[3:23], params); err == nil {
			return a.EncodeAddress()
		}
		return ""
	case P2SH:
		if a, err := btcutil.NewAddressScriptHashFromHash(script[2:22], params); err == nil {
			return a.EncodeAddress()
		}
		return ""
	}
	version, program, ok := witnessProgram(script)
	if !ok || version == 0 && len(program) != 20 && len(program) != 32 {
		return ""
	}
	words, err := bech32.ConvertBits(program, 8, 5, true)
	if err != nil {
		return ""
	}
	words = append([]byte{byte(version)}, words...)
	encode := bech32.EncodeM
	if version == 0 {
		encode = bech32.Encode
	}
	address, err := encode(params.Bech32HRPSegwit, words)
	if err != nil {
		return ""
	}
	return address
}
