package container

import (
	"bytes"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/btcsuite/btcd/btcec/v2/ecdsa"
	"github.com/btcsuite/btcd/btcec/v2/schnorr"
	"github.com/btcsuite/btcd/btcutil/psbt"
)

// seeds are the containers of the table tests, and the public vectors where
// they are present.
func seeds(f *testing.F) [][]byte {
	x, sig := h(xHex), strings.Repeat("s", 64)
	all := [][]byte{
		file("", "", ""),
		file(kvh("fb", "00000000")+kv("\x01"+xpub(1), "abcdefgh"), kv("\x00", witnessTx("aa", "")), kv("\x02"+h(pubHex), "abcd")),
		file("", kv("\x13", sig)+kv("\x16"+x, "\x01"+h(hashHex)+"abcdefgh")+kv("\x17", x), kv("\x06", "\x00\xc0\x01\x51")),
		file("", kv("\x15\xc0"+x, "\x51\xc0")+kv("\x1a"+h(pubHex), h(pubHex)+h(pubHex)), kv("\xfc\x01a\x00", "v")),
		file("", kvh("08", "0201aa00")+kvh("01", "0000000000000000 01 51"), ""),
	}
	for _, cases := range [][]bad{frameCases(file("", "", "")), txCases(), versionCases(), fieldCases(), taprootCases(), treeCases(), musig2Cases()} {
		for _, b := range cases {
			all = append(all, b.raw)
		}
	}
	dir := os.Getenv("AIRLOCK_VECTORS")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "vectors")
	}
	files, _ := filepath.Glob(filepath.Join(dir, "coldcard", "*.psbt"))
	for _, name := range files {
		if b, err := os.ReadFile(name); err == nil {
			if raw, _, err := Decode(b); err == nil {
				all = append(all, raw)
			}
		}
	}
	return all
}

// FuzzParse: whatever is accepted is written from its pairs as it was, is
// accepted by btcutil/psbt but for named exceptions, and can be spliced.
func FuzzParse(f *testing.F) {
	for _, raw := range seeds(f) {
		f.Add(raw, []byte("\xf0key"), []byte("value"))
	}
	f.Fuzz(func(t *testing.T, raw, key, value []byte) {
		c, err := Parse(raw)
		if err != nil {
			var e *Error
			if !errors.As(err, &e) || e.Offset < 0 || e.Offset > len(raw) || e.What == "" {
				t.Fatalf("%v", err)
			}
			return
		}
		if !bytes.Equal(emit(c), raw) {
			t.Fatal("is not written as it was")
		}
		if len(c.Inputs) != len(c.Tx.TxIn) || len(c.Outputs) != len(c.Tx.TxOut) {
			t.Fatal("maps disagree with the transaction")
		}
		if _, err := psbt.NewFromRawBytes(bytes.NewReader(raw), false); err != nil && !excused(c) {
			t.Errorf("btcutil/psbt does not accept it: %v", err)
		}
		for i := range c.Inputs {
			add := []Addition{{i, key, value}}
			if _, err := c.Splice(add); err == nil {
				checkSplice(t, c, add)
			}
		}
	})
}

// excused names what is well formed and btcutil/psbt v1.2.0 does not accept.
func excused(c *Container) bool {
	if c.Global.Pairs[0].Type != GlobalUnsignedTx {
		return true // it wants the transaction first
	}
	for _, p := range c.Global.Pairs {
		if p.Type == GlobalXpub {
			// It cuts the length that a depth wants to a byte, and it has its
			// own opinion on versions and keys.
			if k, err := psbt.DecodeExtendedKey(bytes.Clone(p.KeyData)); err != nil || k.Depth() > 62 || k.IsPrivate() {
				return true
			}
		}
	}
	for _, m := range append(append([]Map{c.Global}, c.Inputs...), c.Outputs...) {
		for _, p := range m.Pairs {
			// It cuts key types to a byte: 0x101 becomes 0x01.
			if p.Type > math.MaxUint8 || len(p.Value) > psbt.MaxPsbtValueLength {
				return true
			}
		}
	}
	for i := range c.Inputs {
		for _, p := range c.Inputs[i].Pairs {
			if excusedSignature(p) {
				return true
			}
		}
	}
	return false
}

// excusedSignature tells signatures that are not in range: for the rule book
// they are partial-sig-invalid, for btcutil/psbt malformed.
func excusedSignature(p Pair) bool {
	switch p.Type {
	case InPartialSig:
		_, err := ecdsa.ParseDERSignature(p.Value)
		return err != nil
	case InTapKeySig, InTapScriptSig:
		_, err := schnorr.ParseSignature(p.Value[:64])
		return err != nil
	}
	return false
}

// FuzzDecode: no panic, no more bytes than went in, and what comes out can be
// encoded and decoded again.
func FuzzDecode(f *testing.F) {
	for _, raw := range [][]byte{file("", "", ""), file("", kv("\xf0", "a"), ""), nil, []byte("\n"), []byte("\xef\xbb\xbfcHNidP")} {
		f.Add(raw)
		f.Add(Encode(raw, Base64))
		f.Add(Encode(raw, Hex))
		f.Add(bytes.ReplaceAll(Encode(raw, Base64), []byte("A"), []byte("A\r\n")))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		raw, enc, err := Decode(in)
		if err != nil {
			var e *Error
			if !errors.As(err, &e) || e.Offset < 0 || e.Offset > len(in) {
				t.Fatalf("%v", err)
			}
			return
		}
		if !bytes.HasPrefix(raw, []byte(Magic)) || len(raw) > len(in) {
			t.Fatalf("%x from %q", raw, in)
		}
		again, enc2, err := Decode(Encode(raw, enc))
		if err != nil || enc2 != enc || !bytes.Equal(again, raw) {
			t.Fatalf("%s %x became %s %x: %v", enc, raw, enc2, again, err)
		}
		// No second spelling: without its white space and case it is what
		// Encode writes.
		want := bytes.Join(bytes.Fields(in), nil)
		if enc == Hex {
			want = bytes.ToLower(want)
		}
		if got := bytes.TrimSuffix(Encode(raw, enc), []byte("\n")); enc != Binary && !bytes.Equal(got, want) {
			t.Fatalf("%q stands for %q", want, got)
		}
	})
}

// TestExcused keeps the exception for extended keys honest.
func TestExcused(t *testing.T) {
	if _, err := psbt.DecodeExtendedKey([]byte(xpub(3))); err != nil {
		t.Fatal(err)
	}
	for depth, want := range map[byte]bool{62: false, 63: true} {
		c := mustParse(t, file(kv("\x01"+xpub(depth), strings.Repeat("abcd", int(depth)+1)), "", ""))
		_, err := psbt.NewFromRawBytes(bytes.NewReader(c.Raw), false)
		if (err != nil) != want || excused(c) != want {
			t.Errorf("depth %d: %v, excused %v", depth, err, excused(c))
		}
	}
}
