package samples

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/btcsuite/btcd/btcutil/psbt"
	"github.com/btcsuite/btcd/wire"
)

// TestDemoKeys compares with what BIP39, BIP84 and BIP86 publish.
func TestDemoKeys(t *testing.T) {
	const seed = "5eb00bbddcf069084889a8ab9155568165f5c453ccb85e70811aaed6f6da5fc19a5ac40b389cd370d086206dec8aa6c43daea6690f20ad3d8d48b2d2ce9e38e4"
	if got := hex.EncodeToString(Seed(Mnemonic)); got != seed {
		t.Errorf("seed %s", got)
	}
	me := Demo()
	if me.Fingerprint != [4]byte{0x73, 0xc5, 0xda, 0x0a} {
		t.Errorf("fingerprint %x", me.Fingerprint)
	}
	for address, spot := range map[string]Spot{
		"bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu":                     me.At(P2WPKH, 0, 0),
		"bc1q8c6fshw2dlwun7ekn9qwf37cu2rn755upcp6el":                     me.At(P2WPKH, 1, 0),
		"bc1p5cyxnuxmeuwuvkwfem96lqzszd02n6xdcjrs20cac6yqjjwudpxqkedrcr": me.At(P2TR, 0, 0),
		"37VucYSaXLCAsxYyAPfbSi9eh4iEcbShgf":                             me.At(P2SHP2WPKH, 0, 0),
		"1LqBGSKuX5yYUonjxT5qGfpUsXKYYWeabA":                             me.At(P2PKH, 0, 0),
	} {
		if spot.Address() != address {
			t.Errorf("%v: got %s, want %s", spot.Path, spot.Address(), address)
		}
	}
}

// TestStickIsDeterministic: a change of one byte anywhere on the stick is a
// change of test data for the whole project, and has to be meant.
func TestStickIsDeterministic(t *testing.T) {
	sum := func() string {
		h := sha256.New()
		for _, f := range Stick() {
			fmt.Fprintf(h, "%s %x %s %v\n", f.Name, sha256.Sum256(f.Data), f.Verdict, f.Codes)
		}
		return hex.EncodeToString(h.Sum(nil))
	}
	first := sum()
	if again := sum(); again != first {
		t.Fatal("two sticks differ")
	}
	const want = "11adeb41f55be7747320c8314ceb7a60a01600a6ac0aed9810f33502dececdad"
	if first != want {
		t.Errorf("the stick changed: %s", first)
	}
}

// TestStickForms: the parts that a library we did not write can judge.
func TestStickForms(t *testing.T) {
	spent := map[wire.OutPoint][32]byte{}
	names := map[string]bool{}
	for _, f := range Stick() {
		if names[f.Name] || f.About == "" || strings.Contains(f.Name, "..") {
			t.Errorf("%s: a second time, without a line about it, or a bad name", f.Name)
		}
		names[f.Name] = true
		if f.Verdict == "" || f.Verdict == verdictMalformed {
			continue
		}
		raw := f.Data
		if text := strings.TrimSpace(string(raw)); strings.HasPrefix(text, "70736274ff") {
			raw, _ = hex.DecodeString(text)
		}
		p, err := psbt.NewFromRawBytes(bytes.NewReader(raw), !bytes.HasPrefix(raw, []byte("psbt\xff")))
		if err != nil {
			t.Errorf("%s: btcutil/psbt: %v", f.Name, err)
			continue
		}
		for _, in := range p.UnsignedTx.TxIn {
			txid := p.UnsignedTx.TxHash()
			if other, ok := spent[in.PreviousOutPoint]; ok && other != txid {
				t.Errorf("%s: spends a coin that another sample spends", f.Name)
			}
			spent[in.PreviousOutPoint] = txid
		}
		if (len(f.Codes) == 0) != (f.Verdict == verdictClear) {
			t.Errorf("%s: verdict %s with codes %v", f.Name, f.Verdict, f.Codes)
		}
	}
	if !names["payment.psbt"] || !names["README.txt"] {
		t.Error("payment.psbt or README.txt is missing")
	}
}

// TestReadme: every file has its line, no line is wider than a console, and the
// warning is there.
func TestReadme(t *testing.T) {
	files := Stick()
	text := string(files[len(files)-1].Data)
	for _, f := range files[:len(files)-1] {
		if !strings.Contains(text, "  "+f.Name+"\n") || !strings.Contains(text, f.About) {
			t.Errorf("%s has no line", f.Name)
		}
	}
	if !strings.Contains(text, "NEVER SEND MONEY") {
		t.Error("no warning")
	}
	for line := range strings.Lines(text) {
		if len(line) > 81 {
			t.Errorf("a line of %d characters: %s", len(line), line)
		}
	}
}

// TestBuilderOverrides: what hostile cases are made with.
func TestBuilderOverrides(t *testing.T) {
	me := Demo()
	p := NewPacket("overrides")
	in := p.Spend(me.At(P2SHP2WPKH, 0, 0), 50_000)
	p.Pay(me.At(P2WPKH, 0, 0).Script, 49_000)
	whole := p.Bytes()
	if !bytes.Equal(whole, p.Bytes()) {
		t.Error("Bytes changes the packet")
	}
	in.Add(0x42, []byte{1}, []byte{2})
	in.Sighash(0x83)
	if got := p.Bytes(); !bytes.Contains(got, []byte{2, 0x42, 1, 1, 2}) || !bytes.Contains(got, []byte{1, 3, 4, 0x83, 0, 0, 0}) {
		t.Error("added pairs are not there")
	}
	in.Drop(0x42)
	in.Drop(inSighashType)
	if !bytes.Equal(whole, p.Bytes()) {
		t.Error("dropped pairs leave a trace")
	}
	in.Tail = []byte{0xaa}
	if got := p.Bytes(); len(got) != len(whole)+1 || !bytes.Contains(got, []byte{0xaa, 0}) {
		t.Error("raw bytes are not before the separator")
	}
	in.Tail, p.Unsigned = nil, []byte{1, 2, 3}
	if got := p.Bytes(); !bytes.HasPrefix(got, []byte("psbt\xff\x01\x00\x03\x01\x02\x03")) {
		t.Errorf("unsigned transaction not replaced: %x", got[:12])
	}
}
