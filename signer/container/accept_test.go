package container

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"strings"
	"testing"

	"github.com/btcsuite/btcd/btcutil"
	"github.com/btcsuite/btcd/wire"
)

// TestAccepts holds what looks odd and is well formed.
func TestAccepts(t *testing.T) {
	x, hash, sig := h(xHex), h(hashHex), strings.Repeat("s", 64)
	leaf := func(depth byte) string { return string([]byte{depth}) + "\xc0\x01\x51" }
	deep := ""
	for d := byte(1); d <= 128; d++ {
		deep += leaf(d)
	}
	deep += leaf(128)
	sum := sha256.Sum256([]byte("x"))
	twice := sha256.Sum256(sum[:])
	for name, raw := range map[string][]byte{
		"version 0 said":                file(kvh("fb", "00000000"), "", ""),
		"version before transaction":    []byte(Magic + kvh("fb", "00000000") + kv("\x00", h(txHex)) + "\x00\x00\x00"),
		"key of 10,000 bytes":           file("", kv(strings.Repeat("\xf0", maxKey), ""), ""),
		"one key in three maps":         file(kvh("f0", ""), kvh("f0", ""), kvh("f0", "")),
		"type 0x100 next to type 0x00":  file("", kv("\x00", prevTx("\x51"))+kv("\xfd\x00\x01", "x"), ""),
		"type of 9 bytes":               file("", kv("\xff\x00\x00\x00\x00\x01\x00\x00\x00", "x"), ""),
		"BIP322 message":                file(kvh("09", "aa"), "", ""),
		"DNSSEC proof":                  file("", "", kvh("35", "aa")),
		"xpub of depth 0":               file(kv("\x01"+xpub(0), "abcd"), "", ""),
		"xpub of depth 255":             file(kv("\x01"+xpub(255), strings.Repeat("abcd", 256)), "", ""),
		"previous transaction":          file("", kv("\x00", prevTx()), ""),
		"previous, with witness":        file("", kv("\x00", witnessTx("", "aa")), ""),
		"negative amount":               file("", kvh("01", "ffffffffffffffff 00"), ""),
		"signature that is none":        file("", kv("\x02"+h(pubHex), "no signature"), ""),
		"signature, uncompressed key":   file("", kv("\x02\x04"+x+h(yHex), ""), ""),
		"derivation without path":       file("", kv("\x06"+h(pubHex), "abcd"), ""),
		"unknown sighash":               file("", kvh("03", "ffffffff"), ""),
		"empty scripts":                 file("", kvh("04", "")+kvh("05", "")+kvh("07", ""), kvh("00", "")+kvh("01", "")),
		"final witness of nothing":      file("", kvh("08", "00"), ""),
		"preimages":                     file("", kv("\x0a"+hash[:20], "any")+kv("\x0b"+string(sum[:]), "x")+kv("\x0c"+string(btcutil.Hash160([]byte("x"))), "x")+kv("\x0d"+string(twice[:]), "x"), ""),
		"proprietary without name":      file("", kv("\xfc\x00\x00", ""), ""),
		"proprietary, long subtype":     file("", kv("\xfc\x01a\xfd\x00\x01key", "v"), ""),
		"key signatures of 65 bytes":    file("", kv("\x13", sig+"\x01")+kv("\x14"+x+hash, sig+"\x83"), ""),
		"control block, m = 0":          file("", kv("\x15\xc1"+x, "\xc0"), ""),
		"control block, m = 128":        file("", kv("\x15\xc0"+x+strings.Repeat(hash, 128), "\x51\xc0"), ""),
		"tap derivation without hashes": file("", kv("\x16"+x, "\x00abcd"), ""),
		"tap tree of one leaf":          file("", "", kv("\x06", leaf(0))),
		"tap tree 2-2-1":                file("", "", kv("\x06", leaf(2)+leaf(2)+leaf(1))),
		"tap tree 1-3-3-2":              file("", "", kv("\x06", leaf(1)+leaf(3)+leaf(3)+leaf(2))),
		"tap tree 128 deep":             file("", "", kv("\x06", deep)),
		"tap tree, empty script":        file("", "", kvh("06", "00c200")),
		"no inputs and outputs":         fileTx(h("02000000 00 00 00000000"), 0),
		"no inputs, one output":         fileTx(h("02000000 00 01 0000000000000000 00 00000000"), 1),
	} {
		t.Run(name, func(t *testing.T) {
			c := mustParse(t, raw)
			if got := emit(c); !bytes.Equal(got, raw) {
				t.Errorf("%x\nis written as\n%x", raw, got)
			}
		})
	}
}

// emit writes a container again from its pairs.
func emit(c *Container) []byte {
	out := []byte(Magic)
	maps := append(append([]Map{c.Global}, c.Inputs...), c.Outputs...)
	for _, m := range maps {
		if m.Start != len(out) {
			return nil
		}
		for _, p := range m.Pairs {
			if p.Start != len(out) || !bytes.Equal(p.Key, append(appendSize(nil, p.Type), p.KeyData...)) {
				return nil
			}
			out = append(out, kv(string(p.Key), string(p.Value))...)
			if p.End != len(out) {
				return nil
			}
		}
		if m.End != len(out) {
			return nil
		}
		out = append(out, 0)
	}
	return out
}

func TestContainer(t *testing.T) {
	first, second := "\x06"+h(pubHex), "\x06\x03"+h(xHex)
	c := mustParse(t, file(kvh("f0aa", "01"), kvh("03", "01000000")+kv(second, "efgh")+kv(first, "abcd"), ""))
	var want wire.MsgTx
	if err := want.DeserializeNoWitness(strings.NewReader(h(txHex))); err != nil {
		t.Fatal(err)
	}
	if c.Version != 0 || c.Tx.TxHash() != want.TxHash() {
		t.Errorf("version %d, transaction %v", c.Version, c.Tx.TxHash())
	}
	in := &c.Inputs[0]
	if p, ok := in.Get(InSighashType); !ok || string(p.Value) != h("01000000") || p.Start != in0+5 {
		t.Errorf("sighash: %+v %v", p, ok)
	}
	if p, ok := in.Get(InWitnessUTXO); ok {
		t.Errorf("witness UTXO: %+v", p)
	}
	if p, ok := in.Find([]byte(first)); !ok || string(p.Value) != "abcd" || string(p.KeyData) != h(pubHex) {
		t.Errorf("derivation: %+v %v", p, ok)
	}
	if _, ok := in.Find([]byte("\x06")); ok {
		t.Error("found a part of a key")
	}
	var paths []string
	for p := range in.All(InBip32Derivation) {
		paths = append(paths, string(p.Value))
	}
	if strings.Join(paths, " ") != "efgh abcd" {
		t.Errorf("derivations in the order of the file: %q", paths)
	}
	for p := range in.All(InBip32Derivation) {
		paths = append(paths, string(p.Value))
		break
	}
	if len(paths) != 3 {
		t.Error("All goes on after a break")
	}
}

func TestVersion2(t *testing.T) {
	raw := []byte(Magic + kvh("02", "02000000") + kvh("04", "01") + kvh("05", "01") + kvh("fb", "02000000") + "\x00" + kvh("f0", "") + "\x00\x00")
	_, err := Parse(raw)
	var e *Error
	if !errors.Is(err, ErrVersion2) || !errors.As(err, &e) {
		t.Fatalf("%v", err)
	}
	if !strings.Contains(e.What, "PSBT version 2 is not supported by this station yet") || string(raw[e.Offset:e.Offset+4]) != h("02000000") {
		t.Errorf("%v", err)
	}
}

func TestPrevTx(t *testing.T) {
	for name, raw := range map[string]string{"old form": prevTx("\x51", "", "\x52\x53"), "with witness": witnessTx("sig", "")} {
		var want wire.MsgTx
		if err := want.Deserialize(strings.NewReader(raw)); err != nil {
			t.Fatal(err)
		}
		tx, err := ReadPrevTx([]byte(raw))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if tx.TxID() != want.TxHash() || tx.Len() != len(want.TxOut) {
			t.Errorf("%s: %v with %d outputs", name, tx.TxID(), tx.Len())
		}
		for i, o := range want.TxOut {
			if out, ok := tx.Output(uint32(i)); !ok || out.Value != o.Value || !bytes.Equal(out.PkScript, o.PkScript) {
				t.Errorf("%s: output %d is %+v", name, i, out)
			}
		}
		for _, n := range []uint32{uint32(len(want.TxOut)), 0xffff_ffff} {
			if out, ok := tx.Output(n); ok {
				t.Errorf("%s: output %d is %+v", name, n, out)
			}
		}
	}
	var e *Error
	if _, err := ReadPrevTx([]byte(prevTx("\x51") + "\x00")); !errors.As(err, &e) || e.Offset != len(prevTx("\x51")) {
		t.Errorf("trailing byte: %v", err)
	}
	if _, err := ReadPrevTx(nil); !errors.As(err, &e) {
		t.Errorf("empty: %v", err)
	}
	if _, ok := (PrevTx{}).Output(0); ok {
		t.Error("the zero value has an output")
	}
}
