package samples

import (
	"bytes"
	"slices"

	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcec/v2/ecdsa"
	"github.com/btcsuite/btcd/btcutil"
	"github.com/btcsuite/btcd/txscript"
	"github.com/btcsuite/btcd/wire"
)

// Key types that carry signatures (BIP174, BIP371).
const (
	inPartialSig   = 0x02
	inFinalSig     = 0x07
	inFinalWitness = 0x08
	inTapKeySig    = 0x13
)

// Signature of input i by a key, as its field holds it: with a sighash byte,
// but for DEFAULT. It is made with btcd's own signing functions: test data must
// not be signed by the code that is tested with it.
func (p *Packet) Signature(i int, key *btcec.PrivateKey, hashType txscript.SigHashType) []byte {
	outs := map[wire.OutPoint]*wire.TxOut{}
	for _, in := range p.Inputs {
		outs[in.Outpoint] = wire.NewTxOut(in.Amount, in.Script)
	}
	tx, in := p.Tx(), p.Inputs[i]
	mid := txscript.NewTxSigHashes(tx, txscript.NewMultiPrevOutFetcher(outs))
	var sig []byte
	var err error
	switch {
	case txscript.IsPayToTaproot(in.Script):
		sig, err = txscript.RawTxInTaprootSignature(tx, mid, i, in.Amount, in.Script, nil, hashType, key)
	case txscript.IsPayToPubKeyHash(in.Script):
		sig, err = txscript.RawTxInSignature(tx, i, in.Script, hashType, key)
	default:
		program := append([]byte{0, 20}, keyHash(key)...)
		sig, err = txscript.RawTxInWitnessSignature(tx, mid, i, in.Amount, program, hashType, key)
	}
	must(err)
	return sig
}

func keyHash(key *btcec.PrivateKey) []byte {
	return btcutil.Hash160(key.PubKey().SerializeCompressed())
}

// AddSignature puts the signature of a key into its field and returns it.
func (p *Packet) AddSignature(i int, key *btcec.PrivateKey, hashType txscript.SigHashType) []byte {
	sig := p.Signature(i, key, hashType)
	if txscript.IsPayToTaproot(p.Inputs[i].Script) {
		p.Inputs[i].Set(inTapKeySig, nil, sig)
	} else {
		p.Inputs[i].Set(inPartialSig, key.PubKey().SerializeCompressed(), sig)
	}
	return sig
}

// Finish finalises an input of one key, and takes out what a finaliser does
// (BIP174).
func (p *Packet) Finish(i int, key *btcec.PrivateKey) {
	in := p.Inputs[i]
	pub := key.PubKey().SerializeCompressed()
	hashType := txscript.SigHashAll
	if txscript.IsPayToTaproot(in.Script) {
		hashType = txscript.SigHashDefault
	}
	sig := p.Signature(i, key, hashType)
	for _, field := range []uint64{inPartialSig, inBip32Derivation, inRedeemScript, inSighashType, inTapKeySig, inTapBip32Derivation, inTapInternalKey} {
		in.Drop(field)
	}
	switch {
	case txscript.IsPayToTaproot(in.Script):
		in.Set(inFinalWitness, nil, WitnessBytes(sig))
	case txscript.IsPayToPubKeyHash(in.Script):
		in.Set(inFinalSig, nil, slices.Concat([]byte{byte(len(sig))}, sig, []byte{33}, pub))
	case txscript.IsPayToScriptHash(in.Script):
		in.Set(inFinalSig, nil, append([]byte{22, 0, 20}, keyHash(key)...))
		in.Set(inFinalWitness, nil, WitnessBytes(sig, pub))
	default:
		in.Set(inFinalWitness, nil, WitnessBytes(sig, pub))
	}
}

// WitnessBytes is a witness stack as PSBT_IN_FINAL_SCRIPTWITNESS has it.
func WitnessBytes(items ...[]byte) []byte {
	b := Compact(uint64(len(items)))
	for _, item := range items {
		b = append(append(b, Compact(uint64(len(item)))...), item...)
	}
	return b
}

// OtherS is the same ECDSA signature with the other S, which verifies too. It
// ends in a sighash byte.
func OtherS(sig []byte) []byte {
	parsed, err := ecdsa.ParseDERSignature(sig[:len(sig)-1])
	must(err)
	r, s := parsed.R(), parsed.S()
	s.Negate()
	var body []byte
	for _, n := range []btcec.ModNScalar{r, s} {
		b := n.Bytes()
		number := bytes.TrimLeft(b[:], "\x00")
		if number[0] >= 0x80 {
			number = append([]byte{0}, number...)
		}
		body = append(append(body, 2, byte(len(number))), number...)
	}
	return append(append([]byte{0x30, byte(len(body))}, body...), sig[len(sig)-1])
}
