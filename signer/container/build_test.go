package container

import (
	"encoding/binary"
	"encoding/hex"
	"strings"
)

// The tests put containers together byte by byte. With txHex as the unsigned
// transaction the offsets are: 5 global map, 90 its separator, 91 input 0,
// then output 0. In a pair that comes first in input 0 with a bare key the
// length of the key is at 91, the key at 92, the length of the value at 93,
// the value at 94.
const (
	in0  = 91
	out0 = 92 // where input 0 is empty

	txHex = "02000000" + // version
		"01" + "1111111111111111111111111111111111111111111111111111111111111111" + "00000000" + "00" + "fdffffff" +
		"01" + "40420f0000000000" + "16" + "00142222222222222222222222222222222222222222" +
		"00000000"

	// generator of the curve, and a coordinate that is on no point
	pubHex  = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
	xHex    = "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
	yHex    = "483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8"
	offHex  = "0000000000000000000000000000000000000000000000000000000000000005"
	hashHex = "3333333333333333333333333333333333333333333333333333333333333333"
)

// h decodes hex; spaces are for the reader.
func h(s string) string {
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		panic(err)
	}
	return string(b)
}

// size is n as a compact size.
func size(n int) string { return string(appendSize(nil, uint64(n))) }

// kv is one pair.
func kv(key, value string) string { return size(len(key)) + key + size(len(value)) + value }

// kvh is one pair in hex.
func kvh(key, value string) string { return kv(h(key), h(value)) }

// file puts a container together around txHex.
func file(global, input, output string) []byte {
	return []byte(Magic + kv("\x00", h(txHex)) + global + "\x00" + input + "\x00" + output + "\x00")
}

// fileTx is a container around another transaction, with as many empty maps.
func fileTx(tx string, maps int) []byte {
	return []byte(Magic + kv("\x00", tx) + strings.Repeat("\x00", 1+maps))
}

// xpub is one of a depth.
func xpub(depth byte) string {
	return h("0488b21e") + string([]byte{depth}) + h("00000000 00000000") + h(hashHex) + h(pubHex)
}

// prevTx is a previous transaction with one input and these output scripts.
func prevTx(scripts ...string) string {
	s := h("01000000 01"+hashHex+"01000000 02 5151 ffffffff") + size(len(scripts))
	for i, script := range scripts {
		s += string(binary.LittleEndian.AppendUint64(nil, uint64(i+1)*1000)) + size(len(script)) + script
	}
	return s + h("00000000")
}

// witnessTx is the same with a witness of these items.
func witnessTx(items ...string) string {
	old := prevTx("\x51")
	s := old[:4] + "\x00\x01" + old[4:len(old)-4] + size(len(items))
	for _, item := range items {
		s += size(len(item)) + item
	}
	return s + old[len(old)-4:]
}
