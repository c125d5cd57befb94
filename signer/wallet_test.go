package signer

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/btcsuite/btcd/btcutil"
	"github.com/btcsuite/btcd/txscript"
)

// Account keys of the published mnemonic `abandon` ×11 `about` (BIP84's vector
// with an xpub's version bytes, BIP49's, BIP86's, and BIP44's of the same seed).
const (
	demoXpub84 = "xpub6CatWdiZiodmUeTDp8LT5or8nmbKNcuyvz7WyksVFkKB4RHwCD3XyuvPEbvqAQY3rAPshWcMLoP2fMFMKHPJ4ZeZXYVUhLv1VMrjPC7PW6V"
	demoXpub86 = "xpub6BgBgsespWvERF3LHQu6CnqdvfEvtMcQjYrcRzx53QJjSxarj2afYWcLteoGVky7D3UKDP9QyrLprQ3VCECoY49yfdDEHGCtMMj92pReUsQ"
	demoTpub49 = "tpubDD7tXK8KeQ3YY83yWq755fHY2JW8Ha8Q765tknUM5rSvjPcGWfUppDFMpQ1ScziKfW3ZNtZvAD7M3u7bSs7HofjTD3KP3YxPK7X6hwV8Rk2"
)

func mustWallet(t *testing.T, text string, n Network) *Wallet {
	t.Helper()
	w, err := ParseWallet("demo", []byte(text), n)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return w
}

// TestWalletScripts compares with the addresses the BIPs publish.
func TestWalletScripts(t *testing.T) {
	cases := []struct {
		descriptor    string
		network       Network
		branch, index uint32
		address       string
	}{
		{"wpkh([73c5da0a/84h/0h/0h]" + demoXpub84 + "/<0;1>/*)", Mainnet, 0, 0, "bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu"},
		{"wpkh([73c5da0a/84'/0'/0']" + demoXpub84 + "/<0;1>/*)", Mainnet, 0, 1, "bc1qnjg0jd8228aq7egyzacy8cys3knf9xvrerkf9g"},
		{"wpkh([73c5da0a/84'/0h/0']" + demoXpub84 + "/1/*)", Mainnet, 1, 0, "bc1q8c6fshw2dlwun7ekn9qwf37cu2rn755upcp6el"},
		{"tr([73c5da0a/86h/0h/0h]" + demoXpub86 + "/0/*)", Mainnet, 0, 0, "bc1p5cyxnuxmeuwuvkwfem96lqzszd02n6xdcjrs20cac6yqjjwudpxqkedrcr"},
		{"tr([73c5da0a/86h/0h/0h]" + demoXpub86 + "/<0;1>/*)", Mainnet, 1, 0, "bc1p3qkhfews2uk44qtvauqyr2ttdsw7svhkl9nkm9s9c3x4ax5h60wqwruhk7"},
		{"sh(wpkh([73c5da0a/49h/1h/0h]" + demoTpub49 + "/0/*))", Testnet, 0, 0, "2Mww8dCYPUpKHofjgcXcBCEGmniw9CoaiD2"},
	}
	for _, c := range cases {
		w := mustWallet(t, c.descriptor, c.network)
		script, err := w.Script(c.branch, c.index)
		if err != nil {
			t.Fatal(err)
		}
		_, addrs, _, err := txscript.ExtractPkScriptAddrs(script, c.network.Params())
		if err != nil || len(addrs) != 1 || addrs[0].EncodeAddress() != c.address {
			t.Errorf("%s %d/%d: got %v, want %s", c.descriptor, c.branch, c.index, addrs, c.address)
		}
		if w.OtherNetwork() {
			t.Errorf("%s: said to be of another network", c.descriptor)
		}
	}
}

func TestWalletParts(t *testing.T) {
	text := "wpkh([73C5DA0A/84'/0'/0']" + demoXpub84 + "/0/*)\r\n\r\nwpkh([73c5da0a/84h/0h/0h]" + demoXpub84 + "/1/*)\n"
	w := mustWallet(t, text, Mainnet)
	if got := w.Path(1, 7).String(); got != "m/84h/0h/0h/1/7" {
		t.Errorf("path %s", got)
	}
	if w.Account().Fingerprint != [4]byte{0x73, 0xc5, 0xda, 0x0a} || w.ScriptType() != P2WPKH || w.Network() != Mainnet {
		t.Errorf("origin %x %s %s", w.Account().Fingerprint, w.ScriptType(), w.Network())
	}
	if b := w.Branches(); len(b) != 2 || b[0] != 0 || b[1] != 1 {
		t.Errorf("branches %v", b)
	}
	canonical := w.Descriptor()
	if !strings.HasPrefix(canonical, "wpkh([73c5da0a/84h/0h/0h]"+demoXpub84+"/<0;1>/*)#") {
		t.Errorf("canonical form %s", canonical)
	}
	if again := mustWallet(t, canonical, Mainnet).Descriptor(); again != canonical {
		t.Errorf("read again: %s", again)
	}
	if _, err := w.Script(2, 0); err == nil {
		t.Error("a script of a branch the descriptor lacks")
	}
	if _, err := w.Script(0, HardenedOffset); err == nil {
		t.Error("a script at a hardened index")
	}
	if !mustWallet(t, text, Testnet).OtherNetwork() {
		t.Error("an xpub passed as a testnet wallet")
	}
}

func TestWalletRefused(t *testing.T) {
	key := "[73c5da0a/84h/0h/0h]" + demoXpub84
	cases := map[string]struct{ text, say string }{
		"empty":               {" \n ", "empty"},
		"not a descriptor":    {"bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu", "not an output descriptor"},
		"labelled":            {"Receive: wpkh(" + key + "/0/*)", "not an output descriptor"},
		"multisig":            {"wsh(sortedmulti(1," + key + "/0/*))", "wsh() is not supported"},
		"bare sh":             {"sh(multi(1," + key + "/0/*))", "sh() is not supported"},
		"script path":         {"tr(" + key + "/0/*,pk(" + key + "/0/*))", "does not end in /*"},
		"combo":               {"combo(" + key + "/0/*)", "combo() is not supported"},
		"no origin":           {"wpkh(" + demoXpub84 + "/0/*)", "no origin"},
		"open origin":         {"wpkh([73c5da0a/84h" + demoXpub84 + "/0/*)", "closing bracket"},
		"short fingerprint":   {"wpkh([73c5da/84h]" + demoXpub84 + "/0/*)", "8 hexadecimal"},
		"H":                   {"wpkh([73c5da0a/84H]" + demoXpub84 + "/0/*)", "step"},
		"leading zero":        {"wpkh([73c5da0a/084h]" + demoXpub84 + "/0/*)", "step"},
		"plus sign":           {"wpkh([73c5da0a/+84h]" + demoXpub84 + "/0/*)", "step"},
		"step too big":        {"wpkh([73c5da0a/2147483648]" + demoXpub84 + "/0/*)", "step"},
		"trailing slash":      {"wpkh([73c5da0a/]" + demoXpub84 + "/0/*)", "step"},
		"both marks":          {"wpkh([73c5da0a/84h']" + demoXpub84 + "/0/*)", "step"},
		"zpub":                {"wpkh([5271C071/84'/0'/0']zpub6rcabYFcdr41zyUNRWRyHYs2Sm86E5XV8RjjRzTFYsiCngteeZnkwaF2xuhjmM6kpHjuNpFW42BMhzPmFwXt48e1FhddMB7xidZzN4SF24K/1/*)", "zpub"},
		"damaged key":         {"wpkh([73c5da0a/84h]" + strings.Replace(demoXpub84, "W6V", "W6W", 1) + "/0/*)", "damaged"},
		"fixed key":           {"wpkh([73c5da0a/84h]0260b2003c386519fc9eadf2b5cf124dd8eea4c4e68d5e154050a9346ea98ce600/0/*)", "not an extended public key"},
		"no branch":           {"wpkh(" + key + ")", "no branch"},
		"no wildcard":         {"wpkh(" + key + "/0/5)", "does not end in /*"},
		"hardened wildcard":   {"wpkh(" + key + "/0/*h)", "does not end in /*"},
		"only a wildcard":     {"wpkh(" + key + "/*)", "does not end in /*"},
		"two steps":           {"wpkh(" + key + "/1/2/*)", "more than one step"},
		"hardened branch":     {"wpkh(" + key + "/0h/*)", "hardened branch"},
		"multipath of one":    {"wpkh(" + key + "/<0>/*)", "<0;1>"},
		"multipath no marks":  {"wpkh(" + key + "/0;1/*)", "<0;1>"},
		"multipath open":      {"wpkh(" + key + "/<0;1/*)", "<0;1>"},
		"branch twice":        {"wpkh(" + key + "/<1;1>/*)", "twice"},
		"the same line twice": {"wpkh(" + key + "/0/*)\nwpkh(" + key + "/0/*)", "twice"},
		"two wallets":         {"wpkh(" + key + "/0/*)\npkh(" + key + "/1/*)", "different wallets"},
		"cut":                 {"wpkh(" + key + "/0/*", "does not end in"},
		"wrong nesting":       {"sh(wpkh(" + key + "/0/*)", "does not end in"},
		"more after it":       {"wpkh(" + key + "/0/*)x", "does not end in"},
		"wrong checksum":      {"wpkh(" + key + "/0/*)#aaaaaaaa", "checksum"},
		"empty checksum":      {"wpkh(" + key + "/0/*)#", "checksum"},
		"foreign character":   {"wpkh(" + key + "/0/*)\x1b[2J", "character"},
		"too long":            {strings.Repeat("a", maxWalletText+1), "longer than"},
	}
	for name, c := range cases {
		_, err := ParseWallet(name, []byte(c.text), Mainnet)
		var we *WalletError
		if !errors.As(err, &we) || !strings.Contains(we.What, c.say) {
			t.Errorf("%s: got %v, want something about %q", name, err, c.say)
		}
	}
	if _, err := ParseWallet("x", []byte("wpkh("+key+"/0/*)"), "mainet"); err == nil {
		t.Error("an unknown network passed")
	}
}

// TestWalletPrivateKey: the text of a private key is neither taken nor
// repeated.
func TestWalletPrivateKey(t *testing.T) {
	const xprv = "xprv9s21ZrQH143K31xYSDQpPDxsXRTUcvj2iNHm5NUtrGiGG5e2DtALGdso3pGz6ssrdK4PFmM8NSpSBHNqPqm55Qn3LqFtT2emdEXVYsCzC2U"
	_, err := ParseWallet("x", []byte("wpkh([73c5da0a/84h]"+xprv+"/0/*)"), Mainnet)
	if err == nil || !strings.Contains(err.Error(), "PRIVATE") || strings.Contains(err.Error(), xprv[4:12]) {
		t.Errorf("got %v", err)
	}
}

func TestKeyScriptTypes(t *testing.T) {
	w := mustWallet(t, "wpkh([73c5da0a/84h/0h/0h]"+demoXpub84+"/0/*)", Mainnet)
	pub, err := w.PubKey(0, 0)
	if err != nil {
		t.Fatal(err)
	}
	script, redeem, err := KeyScript(P2SHP2WPKH, pub)
	if err != nil || hex.EncodeToString(script[2:22]) != hex.EncodeToString(btcutil.Hash160(redeem)) {
		t.Errorf("nested: %x %x %v", script, redeem, err)
	}
	if _, _, err := KeyScript(P2WSH, pub); err == nil {
		t.Error("a single-key script of type p2wsh")
	}
}

// TestWalletBIPVectors: valid single-key descriptors with an origin and /NUM/*
// or multipath derive the scripts the BIPs give; whatever the BIPs call invalid
// is never taken.
func TestWalletBIPVectors(t *testing.T) {
	invalid := 0
	for _, bip := range []string{"bip0380", "bip0381", "bip0382", "bip0383", "bip0384", "bip0385", "bip0386", "bip0387", "bip0389", "bip0390"} {
		var file struct {
			Invalid []struct{ Descriptor string }
		}
		if err := json.Unmarshal(vectorFile(t, "bips/"+bip+"_descriptors.json"), &file); err != nil {
			t.Fatal(err)
		}
		for _, v := range file.Invalid {
			invalid++
			if _, err := ParseWallet(bip, []byte(v.Descriptor), Mainnet); err == nil {
				t.Errorf("%s: invalid %s was taken", bip, v.Descriptor)
			}
		}
	}
	if invalid < 70 {
		t.Errorf("only %d invalid descriptors were tried", invalid)
	}
}

// TestWalletSparrowVectors: descriptors other coordinators export, with their
// checksums.
func TestWalletSparrowVectors(t *testing.T) {
	for file, branches := range map[string]int{
		"descriptor-receive.txt": 1, "descriptor-multipath.txt": 2,
		"descriptor-receive-change1.txt": 2, "descriptor-receive-change2.txt": 2,
	} {
		text := vectorFile(t, "sparrow/"+file)
		w, err := ParseWallet(file, text, Mainnet)
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		if len(w.Branches()) != branches || w.Account().Path.String() != "m/84h/0h/0h" {
			t.Errorf("%s: branches %v, path %v", file, w.Branches(), w.Account().Path)
		}
		if branches == 2 && !strings.HasSuffix(w.Descriptor(), "/<0;1>/*)#cpx4ean7") {
			t.Errorf("%s: canonical form %s", file, w.Descriptor())
		}
	}
}

// TestDescriptorChecksum uses the vectors of BIP380.
func TestDescriptorChecksum(t *testing.T) {
	if sum, err := DescriptorChecksum("raw(deadbeef)"); err != nil || sum != "89f8spxm" {
		t.Errorf("got %q, %v", sum, err)
	}
	for _, bad := range []string{"raw(deadbeef)#", "raw(deadbeef)#89f8spxmx", "raw(deadbeef)#89f8spx", "raw(deedbeef)#89f8spxm",
		"raw(deedbeef)##9f8spxm", "raw(\u00dc)#00000000"} {
		if _, err := checkDescriptorChecksum(bad); err == nil {
			t.Errorf("%q passed", bad)
		}
	}
}

func FuzzParseWallet(f *testing.F) {
	f.Add([]byte("wpkh([73c5da0a/84h/0h/0h]" + demoXpub84 + "/<0;1>/*)"))
	f.Add([]byte("sh(wpkh([73c5da0a/49'/1'/0']" + demoTpub49 + "/0/*))\n"))
	f.Add([]byte("tr([73c5da0a/86h/0h/0h]" + demoXpub86 + "/0/*)#xxxxxxxx"))
	f.Add([]byte("pkh([00000000]" + demoXpub86 + "/2147483647/*)"))
	f.Fuzz(func(t *testing.T, text []byte) {
		w, err := ParseWallet("fuzz", text, Mainnet)
		if err != nil {
			return
		}
		again, err := ParseWallet("again", []byte(w.Descriptor()), Mainnet)
		if err != nil {
			t.Fatalf("the canonical form %q is not taken: %v", w.Descriptor(), err)
		}
		if again.Descriptor() != w.Descriptor() {
			t.Fatalf("two canonical forms: %q, %q", w.Descriptor(), again.Descriptor())
		}
		for _, b := range w.Branches() {
			if _, err := w.Script(b, 0); err != nil {
				t.Fatalf("%q: no script at %d/0: %v", w.Descriptor(), b, err)
			}
		}
	})
}
