package airgap

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// smallPSBT is an opening of a PSBT: a global map with a transaction field of
// the given type, and a version field where there is one.
func smallPSBT(version int) []byte {
	raw := []byte(psbtMagic)
	raw = append(raw, 1, 0x00, 4, 1, 0, 0, 0)
	if version >= 0 {
		raw = append(raw, 1, 0xfb, 4, byte(version), 0, 0, 0)
	}
	return append(raw, 0)
}

// smallTransaction is one input and one output.
const smallTransaction = "0200000001" + "1111111111111111111111111111111111111111111111111111111111111111" + "00000000" + "00" + "ffffffff" +
	"01" + "e803000000000000" + "16" + "00142222222222222222222222222222222222222222" + "00000000"

func TestSniff(t *testing.T) {
	v0, v2 := smallPSBT(-1), smallPSBT(2)
	base64Of, hexOf := base64.StdEncoding.EncodeToString, hex.EncodeToString
	segwit := "02000000" + "0001" + smallTransaction[8:]
	for _, c := range []struct {
		name, data, encoding string
		kind                 Kind
	}{
		{"binary", string(v0), EncodingBinary, KindPSBT},
		{"binary, version 0 said", string(smallPSBT(0)), EncodingBinary, KindPSBT},
		{"binary, version 2", string(v2), EncodingBinary, KindPSBT2},
		{"magic alone", psbtMagic, EncodingBinary, KindPSBT},
		{"a length beyond the end", psbtMagic + "\xff\xff\xff\xff\xff\xff\xff\xff\xff", EncodingBinary, KindPSBT},
		{"base64", base64Of(v0), EncodingBase64, KindPSBT},
		{"base64, version 2", " \r\n\t" + base64Of(v2) + "\n", EncodingBase64, KindPSBT2},
		{"base64, wrapped", base64Of(v2)[:10] + "\r\n" + base64Of(v2)[10:], EncodingBase64, KindPSBT2},
		{"base64, broken later", base64Of(v0)[:12] + "!!!!", EncodingBase64, KindPSBT},
		{"like base64, but other bytes", "cHNidPAAAAAA", "", KindOther},
		{"hex", hexOf(v0), EncodingHex, KindPSBT},
		{"hex, capitals, spaces", "\n " + strings.ToUpper(hexOf(v2)) + "\n", EncodingHex, KindPSBT2},
		{"transaction", smallTransaction + "\n", EncodingHex, KindTransaction},
		{"transaction, capitals", strings.ToUpper(smallTransaction), EncodingHex, KindTransaction},
		{"transaction with witness marker", segwit, EncodingHex, KindTransaction},
		{"transaction, then garbage", smallTransaction + "zz", "", KindOther},
		{"transaction of version 9", "09" + smallTransaction[2:], "", KindOther},
		{"transaction without inputs", "0200000000" + smallTransaction[10:], "", KindOther},
		{"a hash", strings.Repeat("ab", 32), "", KindOther},
		{"descriptor", "wpkh([d34db33f/84h/0h/0h]xpub6/<0;1>/*)#xxxxxxxx", "", KindWallet},
		{"descriptor after a remark", "# my wallet\n\n  tr(xpub)", "", KindWallet},
		{"BSMS", "BSMS 1.0\nwsh(sortedmulti(2,…))", "", KindWallet},
		{"Coldcard multisig", "# Coldcard Multisig setup file\nName: x\nPolicy: 2 of 3\n\nAA: xpub1", "", KindWallet},
		{"key with origin", "[d34db33f/84'/0'/0']xpub6", "", KindWallet},
		{"Specter", "addwallet Ours&wsh(sortedmulti(2,[7fd1bbf4/48h]xpub6", "", KindWallet},
		{"a labelled descriptor", "Receive: wpkh([a262308d/84h/0h/0h]xpub6/0/*)", "", KindWallet},
		{"code", "push(str(1))", "", KindOther},
		{"JSON with keys", `{"label":"x","descriptor":"wsh(…)"}`, "", KindWallet},
		{"JSON without", `{"a":1}`, "", KindOther},
		{"text", "Dear reader,", "", KindOther},
		{"a picture", "\x89PNG\r\n\x1a\n", "", KindOther},
		{"magic cut short", "psbt", "", KindOther},
		{"empty", "", "", KindOther},
	} {
		kind, encoding := sniff([]byte(c.data), true)
		if kind != c.kind || encoding != c.encoding {
			t.Errorf("%s: %s %q", c.name, kind, encoding)
		}
	}
}

func TestSniffOnlyTheHead(t *testing.T) {
	long := []byte(smallTransaction[:82] + "fd1027" + strings.Repeat("00", 10_000))[:sniffSize-1]
	if kind, _ := sniff(long, false); kind != KindTransaction {
		t.Errorf("the head of a transaction with a long script: %s", kind)
	}
	if kind, _ := sniff(long, true); kind != KindOther {
		t.Errorf("a whole file in which that script ends early: %s", kind)
	}
}

func FuzzSniff(f *testing.F) {
	for _, s := range []string{"", psbtMagic, smallTransaction, base64.StdEncoding.EncodeToString(smallPSBT(2)), hex.EncodeToString(smallPSBT(0)), `{"xpub"`, "wpkh(", psbtMagic + "\xfe\xff\xff\xff\xff"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		kind, encoding := sniff(data, true)
		if (kind == KindPSBT || kind == KindPSBT2 || kind == KindTransaction) != (encoding != "") {
			t.Fatalf("%s with encoding %q", kind, encoding)
		}
		if encoding == EncodingBinary != bytes.HasPrefix(data, []byte(psbtMagic)) {
			t.Fatalf("%q: %s %q", data, kind, encoding)
		}
		// What is a PSBT in bytes is one in each of its spellings.
		if encoding == EncodingBinary {
			if k, e := sniff([]byte("\n"+hex.EncodeToString(data)), true); k != kind || e != EncodingHex {
				t.Fatalf("as hex: %s %q", k, e)
			}
			k, e := sniff([]byte(base64.StdEncoding.EncodeToString(data)), true)
			if short := len(data)%3 != 0; e != EncodingBase64 || k != kind && !short {
				t.Fatalf("as base64: %s %q", k, e)
			}
		}
	})
}

// vectors is a folder of published files of others.
func vectors(t *testing.T, sub string) string {
	t.Helper()
	dir := os.Getenv("AIRLOCK_VECTORS")
	if dir == "" {
		dir = filepath.Join("..", "..", "shared", "vectors")
	}
	dir, err := filepath.Abs(filepath.Join(dir, sub))
	if err == nil {
		_, err = os.Stat(dir)
	}
	if err != nil {
		t.Skipf("SKIPPED, the published vectors are not here (set AIRLOCK_VECTORS): %v", err)
	}
	return dir
}

func TestFilesOfOthers(t *testing.T) {
	for sub, least := range map[string]int{"sparrow": 25, "coldcard": 15} {
		listing, err := Scan(t.Context(), folderVolume(t, vectors(t, sub)))
		if err != nil || len(listing.Files) < least {
			t.Fatalf("%s: %d files, %v", sub, len(listing.Files), err)
		}
		for _, f := range listing.Files {
			want := KindWallet
			switch filepath.Ext(f.Path) {
			case ".psbt":
				want = KindPSBT
			case ".sig":
				want = KindOther
			}
			if f.Kind != want || f.Trouble != "" {
				t.Errorf("%s/%s: %s, not %s %s", sub, f.Path, f.Kind, want, f.Trouble)
			}
		}
	}
}

func TestPSBTsOfTheBIPs(t *testing.T) {
	for file, want := range map[string]Kind{"bip0174_psbt.json": KindPSBT, "bip0370_psbt.json": KindPSBT2, "bip0371_psbt.json": KindPSBT} {
		data, err := os.ReadFile(filepath.Join(vectors(t, "bips"), file))
		if err != nil {
			t.Skipf("SKIPPED: %v", err)
		}
		var cases []struct{ Case, Base64, Expect string }
		if err := json.Unmarshal(data, &cases); err != nil {
			t.Fatal(err)
		}
		seen := 0
		for _, c := range cases {
			if !strings.HasPrefix(c.Expect, "valid") {
				continue
			}
			seen++
			if kind, encoding := sniff([]byte(c.Base64), true); kind != want || encoding != EncodingBase64 {
				t.Errorf("%s: %s: %s %q", file, c.Case, kind, encoding)
			}
		}
		if seen == 0 {
			t.Errorf("%s: no valid case", file)
		}
	}
}
