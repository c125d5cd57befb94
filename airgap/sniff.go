package airgap

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"slices"
	"strings"
)

// Kind is what a file looks like from its first bytes. It is a hint for the
// list: only opening the file tells what it really is.
type Kind string

// Kinds of files.
const (
	KindPSBT        Kind = "psbt"        // BIP174; a version that cannot be guessed counts here
	KindPSBT2       Kind = "psbt-v2"     // BIP370
	KindTransaction Kind = "transaction" // a raw transaction as hex text
	KindWallet      Kind = "wallet"      // a descriptor, a multisig text file, or a wallet's JSON
	KindOther       Kind = "other"
)

// Encodings of a file. Wallets and other files have none.
const (
	EncodingBinary = "binary"
	EncodingBase64 = "base64"
	EncodingHex    = "hex"
)

// sniffSize is how much of a file is looked at, in bytes: what one read of a
// medium brings anyway.
const sniffSize = 4096

// sniffJSON is how much of a file is looked at that begins like JSON, in bytes:
// wallets put their keys after long lists.
const sniffJSON = 64 << 10

// psbtMagic opens every PSBT (BIP174).
const psbtMagic = "psbt\xff"

// sniff tells kind and encoding from the first bytes of a file; whole says that
// head is all of it.
func sniff(head []byte, whole bool) (Kind, string) {
	if rest, found := bytes.CutPrefix(head, []byte(psbtMagic)); found {
		return psbtKind(rest), EncodingBinary
	}
	text := bytes.TrimLeft(head, " \t\r\n")
	if bytes.HasPrefix(text, []byte("cHNidP")) {
		raw := headOfBase64(text)
		if rest, found := bytes.CutPrefix(raw, []byte(psbtMagic)); found {
			return psbtKind(rest), EncodingBase64
		}
		return KindOther, ""
	}
	if raw, all := headOfHex(text); len(raw) > 0 {
		if rest, found := bytes.CutPrefix(raw, []byte(psbtMagic)); found {
			return psbtKind(rest), EncodingHex
		}
		if all && looksLikeTransaction(raw, whole) {
			return KindTransaction, EncodingHex
		}
	}
	if looksLikeWallet(text) {
		return KindWallet, ""
	}
	return KindOther, ""
}

// headOfBase64 decodes as much as is base64, white space left out.
func headOfBase64(text []byte) []byte {
	clean := withoutSpace(text)
	clean = clean[:len(clean)/4*4]
	raw := make([]byte, base64.StdEncoding.DecodedLen(len(clean)))
	n, _ := base64.StdEncoding.Decode(raw, clean) // what comes before a fault is kept
	return raw[:n]
}

// headOfHex decodes as much as is hex, white space left out; all says that
// nothing else was there.
func headOfHex(text []byte) (raw []byte, all bool) {
	clean := withoutSpace(text)
	raw = make([]byte, len(clean)/2)
	n, err := hex.Decode(raw, clean[:len(clean)/2*2])
	return raw[:n], err == nil
}

func withoutSpace(text []byte) []byte {
	clean := make([]byte, 0, len(text))
	for _, c := range text {
		if c != ' ' && c != '\t' && c != '\r' && c != '\n' {
			clean = append(clean, c)
		}
	}
	return clean
}

// psbtKind walks the global map as far as it was read and looks for the version
// field (BIP370: type 0xfb, 32 bits little endian; absent means 0).
func psbtKind(b []byte) Kind {
	for {
		key, rest, ok := field(b)
		if !ok || len(key) == 0 {
			return KindPSBT
		}
		value, rest, ok := field(rest)
		if !ok {
			return KindPSBT
		}
		if len(key) == 1 && key[0] == 0xfb && len(value) == 4 && binary.LittleEndian.Uint32(value) == 2 {
			return KindPSBT2
		}
		b = rest
	}
}

// field takes one length-prefixed field off b; false where b ends before it.
func field(b []byte) (value, rest []byte, ok bool) {
	n, b, ok := compactSize(b)
	if !ok || n > uint64(len(b)) {
		return nil, nil, false
	}
	return b[:n], b[n:], true
}

// compactSize takes Bitcoin's variable-length number off b.
func compactSize(b []byte) (n uint64, rest []byte, ok bool) {
	if len(b) == 0 {
		return 0, nil, false
	}
	size := map[byte]int{0xfd: 2, 0xfe: 4, 0xff: 8}[b[0]]
	if size == 0 {
		return uint64(b[0]), b[1:], true
	}
	if len(b) < 1+size {
		return 0, nil, false
	}
	var wide [8]byte
	copy(wide[:], b[1:1+size])
	return binary.LittleEndian.Uint64(wide[:]), b[1+size:], true
}

// smallestTransaction is one input with an empty script and one output with an
// empty script, in bytes.
const smallestTransaction = 60

// looksLikeTransaction: version 1 to 3, inputs (BIP144's marker passed over),
// and the first input's script within the bytes, as far as they were read.
func looksLikeTransaction(b []byte, whole bool) bool {
	if len(b) < smallestTransaction {
		return false
	}
	if v := binary.LittleEndian.Uint32(b); v < 1 || v > 3 {
		return false
	}
	b = b[4:]
	if b[0] == 0 && b[1] == 1 {
		b = b[2:]
	}
	inputs, b, ok := compactSize(b)
	if !ok || inputs == 0 || len(b) < 36 {
		return false
	}
	script, b, ok := compactSize(b[36:])
	return ok && script <= 10_000 && (!whole || script <= uint64(len(b)))
}

// looksLikeWallet: an output descriptor (BIP380), a BSMS record (BIP129),
// Coldcard's text form of a multisig, a key or descriptor after a word or two
// (Specter, Sparrow), or JSON that speaks of keys.
func looksLikeWallet(text []byte) bool {
	s := string(text)
	for l := range strings.Lines(s) {
		l = strings.TrimSpace(l)
		if l == "" || strings.HasPrefix(l, "#") {
			continue
		}
		if startsWithAny(l, "{", "[", "Name:", "Policy:", "Format:", "Derivation:") {
			return speaksOfKeys(s)
		}
		return startsWithAny(l, "pkh(", "wpkh(", "sh(", "wsh(", "tr(", "sp(", "combo(", "multi(", "sortedmulti(", "BSMS 1.0") ||
			speaksOfKeys(l)
	}
	return false
}

// isJSON reports whether a file begins like JSON.
func isJSON(head []byte) bool {
	text := bytes.TrimLeft(head, " \t\r\n")
	return len(text) > 0 && (text[0] == '{' || text[0] == '[')
}

// speaksOfKeys looks for extended keys (SLIP-132's included), for descriptors,
// and for what wallets' JSON calls them.
func speaksOfKeys(s string) bool {
	return slices.ContainsFunc([]string{
		"xpub", "tpub", "ypub", "zpub", "upub", "vpub", "Ypub", "Zpub", "Upub", "Vpub", "spscan1", "tspscan1",
		"wpkh(", "wsh(", "sortedmulti(", `"descriptor"`, `"keystore"`,
	}, func(word string) bool { return strings.Contains(s, word) })
}

func startsWithAny(s string, prefixes ...string) bool {
	return slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(s, p) })
}
