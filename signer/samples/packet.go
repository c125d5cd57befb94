package samples

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"slices"
	"strconv"

	"github.com/btcsuite/btcd/btcec/v2/schnorr"
	"github.com/btcsuite/btcd/chaincfg/chainhash"
	"github.com/btcsuite/btcd/wire"
)

// Key types of BIP174 and BIP371 that the builder writes by itself.
const (
	globalUnsignedTx      = 0x00
	inNonWitnessUTXO      = 0x00
	inWitnessUTXO         = 0x01
	inSighashType         = 0x03
	inRedeemScript        = 0x04
	inBip32Derivation     = 0x06
	inTapBip32Derivation  = 0x16
	inTapInternalKey      = 0x17
	outRedeemScript       = 0x00
	outBip32Derivation    = 0x02
	outTapInternalKey     = 0x05
	outTapBip32Derivation = 0x07
)

// Pair is one key-value pair; Key begins with its type.
type Pair struct{ Key, Value []byte }

// Map is the pairs of the global map, an input or an output.
type Map struct {
	Pairs []Pair
	Tail  []byte // written raw before the separator
}

// Add puts a pair at the end, even where its key is there already.
func (m *Map) Add(keyType uint64, keyData, value []byte) {
	m.Pairs = append(m.Pairs, Pair{Key: append(Compact(keyType), keyData...), Value: value})
}

// Set replaces the value of a key, or adds the pair.
func (m *Map) Set(keyType uint64, keyData, value []byte) {
	key := append(Compact(keyType), keyData...)
	for i := range m.Pairs {
		if bytes.Equal(m.Pairs[i].Key, key) {
			m.Pairs[i].Value = value
			return
		}
	}
	m.Pairs = append(m.Pairs, Pair{Key: key, Value: value})
}

// Drop takes out every pair of a type.
func (m *Map) Drop(keyType uint64) {
	prefix := Compact(keyType)
	m.Pairs = slices.DeleteFunc(m.Pairs, func(p Pair) bool { return bytes.HasPrefix(p.Key, prefix) })
}

func (m *Map) write(b *bytes.Buffer) {
	for _, p := range m.Pairs {
		for _, part := range [][]byte{p.Key, p.Value} {
			b.Write(Compact(uint64(len(part))))
			b.Write(part)
		}
	}
	b.Write(m.Tail)
	b.WriteByte(0)
}

// Input of a packet.
type Input struct {
	Map
	Previous *wire.MsgTx // the transaction that made the coin
	Outpoint wire.OutPoint
	Amount   int64 // satoshis
	Script   []byte
	Sequence uint32
}

// Output of a packet.
type Output struct {
	Map
	Amount int64 // satoshis
	Script []byte
}

// Packet is a PSBT being built. Whatever is public may be changed before Bytes.
type Packet struct {
	Name      string // the coins are made from it: another name, other coins
	Magic     []byte
	TxVersion int32
	LockTime  uint32
	Unsigned  []byte // written in place of the unsigned transaction, where not nil
	Global    Map    // pairs after the unsigned transaction
	Inputs    []*Input
	Outputs   []*Output
	KeepOrder bool // write pairs as added, not sorted by key
}

// NewPacket makes an empty packet as Bitcoin Core would begin it: version 2,
// locked to a recent height, replaceable.
func NewPacket(name string) *Packet {
	return &Packet{Name: name, Magic: []byte("psbt\xff"), TxVersion: 2, LockTime: 912_345}
}

// coreSequence is Bitcoin Core's: replaceable (BIP125), lock time in force.
const coreSequence = 0xfffffffd

// Spend adds an input that spends a coin of this many satoshis at s, with all
// that a good coordinator gives: the previous transaction (but for taproot, as
// Bitcoin Core), the witness UTXO, the redeem script and the derivation.
func (p *Packet) Spend(s Spot, sat int64) *Input {
	prev, vout := Coin(p.Name+"/"+strconv.Itoa(len(p.Inputs)), s.Script, sat)
	return p.SpendFrom(s, prev, vout)
}

// SpendFrom adds an input that spends this output of this transaction.
func (p *Packet) SpendFrom(s Spot, prev *wire.MsgTx, vout uint32) *Input {
	out := prev.TxOut[vout]
	in := &Input{
		Previous: prev, Outpoint: wire.OutPoint{Hash: prev.TxHash(), Index: vout},
		Amount: out.Value, Script: out.PkScript, Sequence: coreSequence,
	}
	if s.Type != P2TR {
		in.Set(inNonWitnessUTXO, nil, TxBytes(prev))
	}
	if s.Type != P2PKH {
		in.Set(inWitnessUTXO, nil, TxOutBytes(out))
	}
	if s.Redeem != nil {
		in.Set(inRedeemScript, nil, s.Redeem)
	}
	in.Derive(s)
	p.Inputs = append(p.Inputs, in)
	return in
}

// Derive adds the derivation of a spot: a claim that its key is in the script.
func (in *Input) Derive(s Spot) {
	if s.Type != P2TR {
		in.Set(inBip32Derivation, s.PubKey.SerializeCompressed(), Origin(s.Fingerprint, s.Path))
		return
	}
	xonly := schnorr.SerializePubKey(s.PubKey)
	in.Set(inTapBip32Derivation, xonly, append([]byte{0}, Origin(s.Fingerprint, s.Path)...))
	in.Set(inTapInternalKey, nil, xonly)
}

// Sighash sets the sighash field.
func (in *Input) Sighash(v uint32) {
	in.Set(inSighashType, nil, binary.LittleEndian.AppendUint32(nil, v))
}

// WithoutPrevious drops the previous transaction, keeping the witness UTXO.
func (in *Input) WithoutPrevious() { in.Drop(inNonWitnessUTXO) }

// Claim writes a witness UTXO of another amount than the coin has.
func (in *Input) Claim(sat int64) {
	in.Set(inWitnessUTXO, nil, TxOutBytes(wire.NewTxOut(sat, in.Script)))
}

// Pay adds an output with nothing said about it.
func (p *Packet) Pay(script []byte, sat int64) *Output {
	out := &Output{Amount: sat, Script: script}
	p.Outputs = append(p.Outputs, out)
	return out
}

// Change adds an output to s with its redeem script and derivation.
func (p *Packet) Change(s Spot, sat int64) *Output {
	out := p.Pay(s.Script, sat)
	if s.Redeem != nil {
		out.Set(outRedeemScript, nil, s.Redeem)
	}
	out.Derive(s)
	return out
}

// Derive adds the derivation of a spot: a claim that the output is its.
func (out *Output) Derive(s Spot) {
	if s.Type != P2TR {
		out.Set(outBip32Derivation, s.PubKey.SerializeCompressed(), Origin(s.Fingerprint, s.Path))
		return
	}
	xonly := schnorr.SerializePubKey(s.PubKey)
	out.Set(outTapBip32Derivation, xonly, append([]byte{0}, Origin(s.Fingerprint, s.Path)...))
	out.Set(outTapInternalKey, nil, xonly)
}

// Tx is the unsigned transaction.
func (p *Packet) Tx() *wire.MsgTx {
	tx := &wire.MsgTx{Version: p.TxVersion, LockTime: p.LockTime}
	for _, in := range p.Inputs {
		tx.AddTxIn(&wire.TxIn{PreviousOutPoint: in.Outpoint, Sequence: in.Sequence})
	}
	for _, out := range p.Outputs {
		tx.AddTxOut(wire.NewTxOut(out.Amount, out.Script))
	}
	return tx
}

// Bytes of the whole file, binary.
func (p *Packet) Bytes() []byte {
	unsigned := p.Unsigned
	if unsigned == nil {
		var b bytes.Buffer
		must(p.Tx().SerializeNoWitness(&b))
		unsigned = b.Bytes()
	}
	global := Map{Tail: p.Global.Tail}
	global.Add(globalUnsignedTx, nil, unsigned)
	global.Pairs = append(global.Pairs, p.Global.Pairs...)
	maps := []*Map{&global}
	for _, in := range p.Inputs {
		maps = append(maps, &in.Map)
	}
	for _, out := range p.Outputs {
		maps = append(maps, &out.Map)
	}
	b := bytes.NewBuffer(bytes.Clone(p.Magic))
	for _, m := range maps {
		sorted := Map{Pairs: slices.Clone(m.Pairs), Tail: m.Tail}
		if !p.KeepOrder {
			slices.SortStableFunc(sorted.Pairs, func(a, b Pair) int { return bytes.Compare(a.Key, b.Key) })
		}
		sorted.write(b)
	}
	return b.Bytes()
}

// Base64 of the whole file, one line.
func (p *Packet) Base64() []byte {
	return []byte(base64.StdEncoding.EncodeToString(p.Bytes()) + "\n")
}

// Hex of the whole file, one line.
func (p *Packet) Hex() []byte { return []byte(hex.EncodeToString(p.Bytes()) + "\n") }

// Coin makes the transaction that pays sat to script, and says in which output.
// It looks like a stranger's payment: a signed input, and change of their own.
func Coin(label string, script []byte, sat int64) (*wire.MsgTx, uint32) {
	hash := sha256.Sum256([]byte("airlock sample coin " + label))
	more := sha256.Sum256(hash[:])
	tx := &wire.MsgTx{Version: 2}
	// A DER signature and a key in form only: nobody checks a coin's own past.
	sig := slices.Concat([]byte{0x30, 0x44, 0x02, 0x20, 0x11}, hash[1:], []byte{0x02, 0x20, 0x22}, more[1:], []byte{0x01})
	tx.AddTxIn(&wire.TxIn{
		PreviousOutPoint: wire.OutPoint{Hash: chainhash.Hash(hash), Index: uint32(hash[31] % 3)},
		Witness:          wire.TxWitness{sig, append([]byte{0x02}, more[:]...)},
		Sequence:         coreSequence,
	})
	vout := uint32(hash[0] & 1)
	theirs := wire.NewTxOut(int64(binary.LittleEndian.Uint32(hash[4:])%9_000_000)+10_000, slices.Concat([]byte{0x00, 0x14}, more[:20]))
	tx.TxOut = []*wire.TxOut{theirs, theirs}
	tx.TxOut[vout] = wire.NewTxOut(sat, script)
	return tx, vout
}

// TxBytes is a transaction with its witnesses.
func TxBytes(tx *wire.MsgTx) []byte {
	var b bytes.Buffer
	must(tx.Serialize(&b))
	return b.Bytes()
}

// TxOutBytes is an output as WITNESS_UTXO has it.
func TxOutBytes(out *wire.TxOut) []byte {
	var b bytes.Buffer
	must(wire.WriteTxOut(&b, 0, 0, out))
	return b.Bytes()
}

// Origin is a derivation's value: fingerprint, then the path in little endian.
func Origin(fingerprint [4]byte, path []uint32) []byte {
	b := bytes.Clone(fingerprint[:])
	for _, n := range path {
		b = binary.LittleEndian.AppendUint32(b, n)
	}
	return b
}

// Compact is a compact size in its shortest form.
func Compact(n uint64) []byte {
	var b bytes.Buffer
	must(wire.WriteVarInt(&b, 0, n))
	return b.Bytes()
}
