package container

import (
	"errors"
	"strings"
	"testing"
)

// bad is a malformed container: where, and a part of the sentence.
type bad struct {
	name string
	raw  []byte
	at   int
	what string
}

func (b bad) check(t *testing.T) {
	t.Helper()
	c, err := Parse(b.raw)
	if err == nil {
		t.Fatalf("accepted: %+v", c)
	}
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("%T is not *Error: %v", err, err)
	}
	if errors.Is(err, ErrVersion2) {
		t.Errorf("malformed and yet ErrVersion2: %v", err)
	}
	if e.Offset != b.at || !strings.Contains(e.What, b.what) {
		t.Errorf("got %q, want %q at byte %d", err, b.what, b.at)
	}
	if e.Offset < 0 || e.Offset > len(b.raw) {
		t.Errorf("offset %d lies outside of %d bytes", e.Offset, len(b.raw))
	}
}

func TestMalformed(t *testing.T) {
	ok := file("", "", "")
	if _, err := Parse(ok); err != nil {
		t.Fatalf("the container that the cases damage: %v", err)
	}
	groups := map[string][]bad{
		"frame":    frameCases(ok),
		"tx":       txCases(),
		"version":  versionCases(),
		"fields":   fieldCases(),
		"taproot":  taprootCases(),
		"tap tree": treeCases(),
		"musig2":   musig2Cases(),
	}
	for group, cases := range groups {
		for _, b := range cases {
			t.Run(group+"/"+b.name, b.check)
		}
	}
}

// TestTruncated cuts a full container at every byte.
func TestTruncated(t *testing.T) {
	raw := file(kv("\x01"+xpub(1), h("00000000 01000000")), kv("\x00", witnessTx("a"))+kvh("06"+pubHex, "00000000"), kvh("05", xHex))
	if _, err := Parse(raw); err != nil {
		t.Fatal(err)
	}
	for n := range raw {
		var e *Error
		if _, err := Parse(raw[:n]); !errors.As(err, &e) || e.Offset > n {
			t.Errorf("cut at %d: %v", n, err)
		}
	}
}

func frameCases(ok []byte) []bad {
	long := strings.Repeat("k", maxKey)
	return []bad{
		{"empty", nil, 0, "empty"},
		{"magic", []byte("psbt\xfe" + string(ok[5:])), 0, "not a PSBT"},
		{"network transaction", []byte(h(txHex)), 0, "not a PSBT"},
		{"magic alone", []byte(Magic), 5, "file ends before the global map"},
		{"trailing bytes", append(ok[:len(ok):len(ok)], 0), len(ok), "left over after the maps of 1 inputs and 1 outputs: 1"},
		{"two in one file", append(ok[:len(ok):len(ok)], ok...), len(ok), "left over"},
		{"no output map", ok[:len(ok)-1], out0, "ends before output 0"},
		{"map without separator", file("", "", "")[:91], 91, "ends before input 0"},
		{"key past the end", file("", "\x7f\x01", ""), in0 + 1, "a key in input 0 runs past the end: 127 bytes wanted, 3 left"},
		{"value past the end", file("", "\x01\xf0\x7fab", ""), in0 + 3, "a value in input 0 runs past the end: 127 bytes wanted, 4 left"},
		{"value of 2^64-1 bytes", file("", "\x01\xf0\xff\xff\xff\xff\xff\xff\xff\xff\xff", ""), in0 + 11, "18446744073709551615 bytes wanted"},
		{"key of 2^64-1 bytes", file("", "\xff\xff\xff\xff\xff\xff\xff\xff\xff", ""), in0, "more than 10000"},
		{"key of 10,001 bytes", file("", kv("\xf0"+long, ""), ""), in0, "10001 bytes long"},
		{"key length not minimal", file("", h("fd0100 f0 00"), ""), in0, "the length of a key in input 0 is not in its shortest form"},
		{"separator not minimal", file("", h("fd0000"), ""), in0, "shortest form"},
		{"value length not minimal", file("", h("01 f0 fd0100 aa"), ""), in0 + 2, "the length of a value in input 0 is not in its shortest form"},
		{"value length of 4 bytes not minimal", file("", h("01 f0 feffff0000 aa"), ""), in0 + 2, "shortest form"},
		{"value length of 8 bytes not minimal", file("", h("01 f0 ffffffffff00000000 aa"), ""), in0 + 2, "shortest form"},
		{"key type not minimal", file("", kvh("fdfc00", ""), ""), in0 + 1, "the key type of a key in input 0 is not in its shortest form"},
		{"key type longer than the key", file("", kvh("fd01", ""), ""), in0 + 2, "the key type of a key in input 0 runs past the end"},
		{"duplicate", file("", kvh("03", "01000000")+kvh("03", "01000000"), ""), in0 + 7, "type 0x03 stands twice in input 0"},
		{"duplicate unknown", file(kvh("f0aa", "01")+kvh("f0ab", "01")+kvh("f0aa", "02"), "", ""), 90 + 10, "type 0xf0 stands twice in the global map"},
		{"duplicate unknown with a long type", file("", "", kvh("fd0001aa", "01")+kvh("fd0001aa", "")), out0 + 7, "type 0x100 stands twice in output 0"},
		{"duplicate proprietary", file("", "", kvh("fc0161 00 bb", "01")+kvh("f0", "")+kvh("fc0161 00 bb", "01")), out0 + 8 + 3, "type 0xfc stands twice in output 0"},
	}
}

func txCases() []bad {
	tx := h(txHex)
	const at = 8 // of the transaction in its container
	scriptSig := tx[:41] + "\x01\x51" + tx[42:]
	none := []byte(Magic + "\x00")
	big := h("02000000 fdffff") // claims 65,535 inputs
	return []bad{
		{"none", none, 5, "no unsigned transaction"},
		{"none, unknown pair", []byte(Magic + kvh("f0", "") + "\x00"), 8, "no unsigned transaction"},
		{"two", file(kv("\x00", h(txHex)), "", ""), 90, "type 0x00 stands twice in the global map"},
		{"second with key data", file(kv("\x00\x01", h(txHex)), "", ""), 92, "type 0x00 in the global map has key data"},
		{"empty", fileTx("", 2), at, "the version in the unsigned transaction runs past the end"},
		{"scriptSig", fileTx(scriptSig, 2), at + 41, "input 0 of the unsigned transaction has a scriptSig"},
		{"witness serialisation", fileTx(tx[:4]+"\x00\x01"+tx[4:78]+"\x00"+tx[78:], 2), at + 36, "left over after the unsigned transaction: 49"},
		{"trailing byte", fileTx(tx+"\x00", 2), at + 82, "left over after the unsigned transaction: 1"},
		{"short", fileTx(tx[:81], 2), at + 78, "the lock time in the unsigned transaction runs past the end"},
		{"input count", fileTx(big, 2), at + 4, "the number of inputs in the unsigned transaction is 65535, more than its bytes could hold"},
		{"input count not minimal", fileTx(tx[:4]+"\xfd\x01\x00"+tx[5:], 2), at + 4, "shortest form"},
		{"scriptSig of the second input", fileTx(tx[:4]+"\x02"+tx[5:46]+scriptSig[5:], 2), at + 41 + 41, "input 1 of the unsigned transaction has a scriptSig"},
		{"output count missing", fileTx(tx[:46], 2), at + 46, "the number of outputs in the unsigned transaction runs past the end"},
		{"output count", fileTx(tx[:46]+"\xff\xff\xff\xff\xff\xff\xff\xff\xff", 2), at + 46, "the number of outputs"},
		{"script length not minimal", fileTx(tx[:55]+"\xfd\x16\x00"+tx[56:], 2), at + 55, "shortest form"},
		{"more maps than inputs and outputs", fileTx(tx, 3), 93, "left over after the maps of 1 inputs and 1 outputs"},
		{"fewer maps than inputs and outputs", fileTx(tx, 1), 92, "ends before output 0"},
	}
}

func versionCases() []bad {
	v2 := func(global string, rest string) []byte { return []byte(Magic + global + "\x00" + rest) }
	version2 := kvh("fb", "02000000")
	counts := kvh("04", "01") + kvh("05", "01")
	cases := []bad{
		{"1", file(kvh("fb", "01000000"), "", ""), 93, "there is no PSBT version 1"},
		{"3", file(kvh("fb", "03000000"), "", ""), 93, "there is no PSBT version 3"},
		{"one byte", file(kvh("fb", "00"), "", ""), 93, "the PSBT version is 1 bytes long"},
		{"key data", file(kvh("fb00", "00000000"), "", ""), 92, "key data"},
		{"2 with an unsigned transaction", file(version2, "", ""), 5, "carries an unsigned transaction"},
		{"2 without transaction version", v2(version2+counts, "\x00\x00"), 20, "does not give its transaction version"},
		{"2 without counts", v2(kvh("02", "02000000")+version2, "\x00\x00"), 19, "how many inputs and outputs"},
		{"2 with a count of 2^64-1", v2(kvh("02", "02000000")+kvh("04", "ffffffffffffffffff")+kvh("05", "01")+version2, "\x00\x00"),
			15, "18446744073709551615 maps are claimed and 2 bytes are left"},
		{"2 with a count not minimal", v2(kvh("02", "02000000")+kvh("04", "fd0100")+kvh("05", "01")+version2, "\x00\x00"), 15, "shortest form"},
		{"2 with a count and more", v2(kvh("02", "02000000")+kvh("04", "0100")+kvh("05", "01")+version2, "\x00\x00"), 16, "left over after a count"},
		{"2 with a map too few", v2(kvh("02", "02000000")+counts+version2, "\x00"), 29, "ends before output 0"},
		{"2 with a map too many", v2(kvh("02", "02000000")+counts+version2, "\x00\x00\x00"), 30, "left over"},
		{"2 with a duplicate", v2(kvh("02", "02000000")+counts+version2, kvh("f0", "")+kvh("f0", "")+"\x00\x00"), 31, "stands twice in input 0"},
	}
	for typ := GlobalTxVersion; typ <= GlobalSPDLEQ; typ++ {
		cases = append(cases, bad{"0 with a global field of 2", file(kv(string(byte(typ)), "\x00"), "", ""), 90, "of PSBT version 2 in a version 0"})
	}
	for _, typ := range []uint64{InPreviousTxid, InOutputIndex, InSequence, InRequiredTimeLocktime, InRequiredHeightLocktime, InSPECDHShare, InSPDLEQ} {
		cases = append(cases, bad{"0 with an input field of 2", file("", kv(string(byte(typ)), "\x00"), ""), in0, "of PSBT version 2 in a version 0"})
	}
	for _, typ := range []uint64{OutAmount, OutScript, OutSPV0Info, OutSPV0Label} {
		cases = append(cases, bad{"0 with an output field of 2", file("", "", kv(string(byte(typ)), "\x00")), out0, "of PSBT version 2 in a version 0"})
	}
	return cases
}

// input is a case whose only pair stands in input 0; at is counted from the
// pair.
func input(name, key, value string, at int, what string) bad {
	return bad{name, file("", kv(key, value), ""), in0 + at, what}
}

func fieldCases() []bad {
	prev, wit := prevTx("\x51"), witnessTx("a")
	dirty := strings.Replace(h(pubHex), "\x02", "\x05", 1)
	cases := []bad{
		input("sighash of 3 bytes", "\x03", "abc", 3, "0x03 in input 0 is 3 bytes long, not 4"),
		input("partial signature, key of 32 bytes", "\x02"+h(xHex), "", 2, "is 32 bytes long, not 33 or 65"),
		input("partial signature, key off the curve", "\x02\x02"+h(offHex), "", 2, "not on the curve"),
		input("partial signature, unknown form of key", "\x02"+dirty, "", 2, "not on the curve"),
		input("derivation, key off the curve", "\x06\x02"+h(offHex), "abcd", 2, "not on the curve"),
		input("derivation, uncompressed key off the curve", "\x06\x04"+h(xHex+xHex), "abcd", 2, "not on the curve"),
		input("derivation of 3 bytes", "\x06"+h(pubHex), "abc", 36, "4·n bytes"),
		input("derivation of 0 bytes", "\x06"+h(pubHex), "", 36, "4·n bytes"),
		input("derivation of 7 bytes", "\x06"+h(pubHex), "abcdefg", 36, "4·n bytes"),
		input("witness UTXO, cut", "\x01", h("0000000000000000 02 51"), 12, "an output script in input 0 runs past the end"),
		input("witness UTXO, trailing", "\x01", h("0000000000000000 01 51 00"), 13, "left over after the witness UTXO in input 0: 1"),
		input("witness UTXO, length not minimal", "\x01", h("0000000000000000 fd0100 51"), 11, "shortest form"),
		input("previous transaction, trailing", "\x00", prev+"\x00", 3+len(prev), "left over after the previous transaction of input 0: 1"),
		input("previous transaction with witness, trailing", "\x00", wit+"\x00", 3+len(wit), "left over after the previous transaction of input 0: 1"),
		input("previous transaction, cut", "\x00", wit[:len(wit)-1], 3+len(wit)-4, "the lock time in the previous transaction of input 0 runs past the end"),
		input("previous transaction without inputs", "\x00", h("01000000 00 00 00000000"), 7, "has no inputs"),
		input("previous transaction, witness form without inputs", "\x00", h("01000000 00 01 00 00 00000000"), 9, "has no inputs"),
		input("previous transaction, witness form without witness", "\x00", witnessTx(), 3+len(witnessTx())-5, "in the form with witnesses and has none"),
		input("previous transaction, witness count", "\x00", wit[:len(wit)-7]+"\xff\xff\xff\xff\xff\xff\xff\xff\xff", 3+len(wit)+2, "runs past the end"),
		input("previous transaction, outpoint cut", "\x00", h("01000000 02"+hashHex+"01000000 28")+strings.Repeat("s", 40)+h("ffffffff"+hashHex), 3+5+41+40, "an outpoint in the previous transaction of input 0 runs past the end"),
		input("previous transaction, script cut", "\x00", h("01000000 01"+hashHex+"01000000 7f 51 ffffffff"), 3+5+37, "a scriptSig in the previous transaction of input 0 runs past the end"),
		input("previous transaction, sequence cut", "\x00", h("01000000 01"+hashHex+"01000000 02 5151 ffff"), 3+5+39, "a sequence in the previous transaction of input 0 runs past the end"),
		input("witness UTXO, amount cut", "\x01", "amount", 3, "an amount in input 0 runs past the end"),
		input("final witness, trailing", "\x08", h("01 01 aa 00"), 6, "left over after the final witness"),
		input("final witness, cut", "\x08", h("02 01 aa"), 6, "a witness item in input 0 runs past the end"),
		input("final witness, empty value", "\x08", "", 3, "runs past the end"),
		input("final witness, count not minimal", "\x08", h("fd0100 00"), 3, "shortest form"),
		input("RIPEMD160, hash of 32 bytes", "\x0a"+h(hashHex), "", 2, "is 32 bytes long, not 20"),
		input("SHA256, hash of 20 bytes", "\x0b"+h(hashHex)[:20], "", 2, "is 20 bytes long, not 32"),
		input("SHA256, another preimage", "\x0b"+h(hashHex), "x", 35, "does not give its hash"),
		input("HASH160, another preimage", "\x0c"+h(hashHex)[:20], "x", 23, "does not give its hash"),
		input("HASH256, another preimage", "\x0d"+h(hashHex), "x", 35, "does not give its hash"),
		input("proprietary, no identifier", "\xfc", "", 2, "the length of a proprietary identifier in input 0 runs past the end"),
		input("proprietary, identifier cut", "\xfc\x05abc", "", 3, "a proprietary identifier in input 0 runs past the end"),
		input("proprietary, no subtype", "\xfc\x03abc", "", 6, "a proprietary subtype in input 0 runs past the end"),
		input("proprietary, subtype not minimal", "\xfc\x01a\xfd\x01\x00", "", 4, "shortest form"),
		{"xpub of 77 bytes", file(kv("\x01"+xpub(0)[:77], "abcd"), "", ""), 92, "is 77 bytes long, not 78"},
		{"xpub off the curve", file(kv("\x01"+xpub(0)[:45]+"\x02"+h(offHex), "abcd"), "", ""), 92 + 45, "not on the curve"},
		{"xpub, depth and path differ", file(kv("\x01"+xpub(2), "abcdefgh"), "", ""), 92 + 79, "has depth 2 and a path of 1 steps"},
		{"xpub, path of 5 bytes", file(kv("\x01"+xpub(0), "abcde"), "", ""), 92 + 79, "4·n bytes"},
		{"output derivation, key of 34 bytes", file("", "", kv("\x02"+h(pubHex)+"\x00", "abcd")), out0 + 2, "is 34 bytes long, not 33 or 65"},
		{"output derivation of 5 bytes", file("", "", kv("\x02"+h(pubHex), "abcde")), out0 + 36, "4·n bytes"},
		{"output proprietary", file("", "", kv("\xfc\x05", "")), out0 + 3, "runs past the end"},
		{"global proprietary", file(kv("\xfc\x05", ""), "", ""), 93, "runs past the end"},
	}
	for _, typ := range []uint64{InNonWitnessUTXO, InWitnessUTXO, InSighashType, InRedeemScript, InWitnessScript,
		InFinalScriptSig, InFinalScriptWitness, InPorCommitment, InTapKeySig, InTapInternalKey, InTapMerkleRoot} {
		cases = append(cases, input("input key data", string(byte(typ))+"x", "", 2, "has key data"))
	}
	for _, typ := range []uint64{OutRedeemScript, OutWitnessScript, OutTapInternalKey, OutTapTree} {
		cases = append(cases, bad{"output key data", file("", "", kv(string(byte(typ))+"x", "")), out0 + 2, "has key data"})
	}
	return cases
}

func taprootCases() []bad {
	x, off, hash := h(xHex), h(offHex), h(hashHex)
	sig := strings.Repeat("s", 64)
	control := "\xc0" + x
	return []bad{
		input("key signature of 63 bytes", "\x13", sig[1:], 3, "63 bytes long, not 64 or 65"),
		input("key signature of 66 bytes", "\x13", sig+"ab", 3, "66 bytes long, not 64 or 65"),
		input("script signature, key data of 63 bytes", "\x14"+x+hash[1:], sig, 2, "63 bytes long, not 64"),
		input("script signature, key off the curve", "\x14"+off+hash, sig, 2, "x-only public key of type 0x14 in input 0 is not on the curve"),
		input("script signature of 1 byte", "\x14"+x+hash, "s", 67, "1 bytes long, not 64 or 65"),
		input("leaf script, control block of 32 bytes", "\x15"+x, "\xc0", 2, "control block in input 0 is 32 bytes long"),
		input("leaf script, control block of 34 bytes", "\x15"+control+"a", "\xc0", 2, "control block in input 0 is 34 bytes long"),
		{"leaf script, 129 hashes", file("", kv("\x15"+control+strings.Repeat(hash, 129), "\xc0"), ""), in0 + 4, "control block in input 0 is 4161 bytes long"},
		input("leaf script, key off the curve", "\x15\xc0"+off, "\xc0", 3, "not on the curve"),
		input("leaf script without version", "\x15"+control, "", 36, "no leaf version"),
		input("leaf script, odd version", "\x15\xc1"+x, "\x51\xc1", 37, "odd leaf version 0xc1"),
		input("leaf script, another version", "\x15"+control, "\x51\xc2", 37, "leaf version 0xc2 and its control block 0xc0"),
		input("derivation, compressed key", "\x16"+h(pubHex), "\x00abcd", 2, "33 bytes long, not 32"),
		input("derivation, key off the curve", "\x16"+off, "\x00abcd", 2, "not on the curve"),
		input("derivation, empty", "\x16"+x, "", 35, "the number of leaf hashes in input 0 runs past the end"),
		input("derivation, no fingerprint", "\x16"+x, "\x01"+hash, 36+32, "4·n bytes"),
		input("derivation, hashes cut", "\x16"+x, "\x02"+hash+"abcd", 35, "the number of leaf hashes in input 0 is 2, more than its bytes could hold"),
		input("derivation, 2^64-1 hashes", "\x16"+x, "\xff\xff\xff\xff\xff\xff\xff\xff\xffabcd", 35, "more than its bytes could hold"),
		input("derivation, path of 5 bytes", "\x16"+x, "\x01"+hash+"abcde", 36+32, "4·n bytes"),
		input("internal key, compressed", "\x17", h(pubHex), 3, "33 bytes long, not 32"),
		input("internal key off the curve", "\x17", off, 3, "not on the curve"),
		input("merkle root of 31 bytes", "\x18", hash[1:], 3, "31 bytes long, not 32"),
		{"output internal key off the curve", file("", "", kv("\x05", off)), out0 + 3, "not on the curve"},
		{"output derivation", file("", "", kv("\x07"+x, "\x00abc")), out0 + 36, "4·n bytes"},
	}
}

func treeCases() []bad {
	tree := func(name, value string, at int, what string) bad {
		return bad{name, file("", "", kv("\x06", value)), out0 + 3 + at, what}
	}
	leaf := func(depth byte) string { return string([]byte{depth}) + "\xc0\x01\x51" }
	deep := ""
	for d := byte(1); d <= 128; d++ {
		deep += leaf(d)
	}
	return []bad{
		tree("empty", "", 0, "empty or lacks leaves"),
		tree("one leaf at depth 1", leaf(1), 4, "empty or lacks leaves"),
		tree("two of three leaves", leaf(1)+leaf(2), 8, "empty or lacks leaves"),
		tree("after a root", leaf(0)+leaf(0), 4, "goes on after it is complete"),
		tree("after a whole tree", leaf(1)+leaf(1)+leaf(1), 8, "goes on after it is complete"),
		tree("not depth first", leaf(2)+leaf(1)+leaf(2), 4, "cannot stand at depth 1"),
		tree("root below a leaf", leaf(1)+leaf(0), 4, "cannot stand at depth 0"),
		{"depth 129", file("", "", kv("\x06", leaf(129))), out0 + 3, "cannot stand at depth 129"},
		{"deepest leaf without sibling", file("", "", kv("\x06", deep)), out0 + 5 + len(deep), "empty or lacks leaves"},
		tree("odd leaf version", "\x00\xc1\x01\x51", 1, "odd leaf version 0xc1"),
		tree("no leaf version", "\x00", 0, "runs past the end"),
		tree("script cut", "\x00\xc0\x02\x51", 3, "a leaf script in output 0 runs past the end"),
		tree("script length not minimal", "\x00\xc0\xfd\x01\x00\x51", 2, "shortest form"),
	}
}

func musig2Cases() []bad {
	p, x, hash, nonce := h(pubHex), h(xHex), h(hashHex), strings.Repeat("n", 66)
	off := "\x02" + h(offHex)
	return []bad{
		input("participants, x-only aggregate", "\x1a"+x, p, 2, "32 bytes long, not 33"),
		input("participants, aggregate off the curve", "\x1a"+off, p, 2, "not on the curve"),
		input("participants, aggregate not compressed", "\x1a\x04"+x, p, 2, "not compressed"),
		input("participants, none", "\x1a"+p, "", 36, "33·n"),
		input("participants, x-only", "\x1a"+p, p+x, 36, "33·n"),
		input("participants, second off the curve", "\x1a"+p, p+off, 36+33, "not on the curve"),
		input("public nonce of 65 bytes", "\x1b"+p+p, nonce[1:], 69, "65 bytes long, not 66"),
		input("public nonce, x-only key", "\x1b"+p+x, nonce, 2, "65 bytes long, not 66 or 98"),
		input("public nonce, second key off the curve", "\x1b"+p+off, nonce, 2+33, "not on the curve"),
		input("partial signature of 31 bytes", "\x1c"+p+p+hash, hash[1:], 101, "31 bytes long, not 32"),
		input("partial signature, key data of 67 bytes", "\x1c"+p+p+"a", hash, 2, "67 bytes long, not 66 or 98"),
		{"output participants", file("", "", kv("\x08"+x, p)), out0 + 2, "32 bytes long, not 33"},
	}
}
