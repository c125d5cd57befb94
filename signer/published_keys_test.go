package signer

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcutil"
	"github.com/btcsuite/btcd/btcutil/hdkeychain"
	"github.com/btcsuite/btcd/chaincfg"
	"github.com/btcsuite/btcd/txscript"
)

// pathOf reads m/0h/1 in any of the ways the BIPs mark a hardened step.
func pathOf(t *testing.T, text string) Path {
	t.Helper()
	p := Path{}
	for _, step := range strings.Split(text, "/")[1:] {
		digits := strings.TrimRight(step, "hH'")
		n, err := strconv.ParseUint(digits, 10, 31)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if digits != step {
			n += uint64(HardenedOffset)
		}
		p = append(p, uint32(n))
	}
	return p
}

// TestBIP32 derives every chain of the BIP from its seed and, where the last
// steps are not hardened, from the account key above them as a review does.
func TestBIP32(t *testing.T) {
	text := strings.NewReplacer("<sub>", "", "</sub>", "").Replace(string(vectorFile(t, "bips/bip0032_test_vectors.txt")))
	seeds := regexp.MustCompile(`Seed \(hex\): ([0-9a-f]+)`).FindAllStringSubmatchIndex(text, -1)
	chain := regexp.MustCompile(`\* Chain (m\S*)\s+\*\* ext pub: (\w+)\s+\*\* ext prv: (\w+)`)
	chains := 0
	for i, at := range seeds {
		end := len(text)
		if i+1 < len(seeds) {
			end = seeds[i+1][0]
		}
		master, err := hdkeychain.NewMaster(unhex(t, text[at[2]:at[3]]), &chaincfg.MainNetParams)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range chain.FindAllStringSubmatch(text[at[0]:end], -1) {
			chains++
			checkChain(t, master, pathOf(t, c[1]), c[2], c[3])
		}
	}
	if len(seeds) != 4 || chains < 17 {
		t.Errorf("%d seeds and %d chains in the text", len(seeds), chains)
	}
	checkBadKeys(t, text)
}

func checkChain(t *testing.T, master *hdkeychain.ExtendedKey, path Path, pub, prv string) {
	t.Helper()
	key, account, above := master, master, 0
	for i, n := range path {
		child, err := key.Derive(n)
		if err != nil {
			t.Fatal(err)
		}
		key = child
		if n >= HardenedOffset {
			account, above = child, i+1
		}
	}
	public, err := key.Neuter()
	if err != nil || public.String() != pub || key.String() != prv {
		t.Errorf("%v: %v %v (%v)", path, public, key, err)
	}
	below, err := account.Neuter()
	if err != nil {
		t.Fatal(err)
	}
	h, ok := newHolder(&Account{Path: path[:above], Key: below}, nil)
	if !ok {
		t.Fatalf("%v: the account key is not taken", path)
	}
	want, err := public.ECPubKey()
	if err != nil {
		t.Fatal(err)
	}
	if got, ok := h.key(path[above:]); !ok || !bytes.Equal(got[:], want.SerializeCompressed()) {
		t.Errorf("%v: derived %x below its account key", path, got)
	}
}

// checkBadKeys: none of the BIP's invalid extended keys can become a wallet.
func checkBadKeys(t *testing.T, text string) {
	t.Helper()
	bad := regexp.MustCompile(`\* ([1-9A-HJ-NP-Za-km-z]{100,}) \(`).FindAllStringSubmatch(text, -1)
	if len(bad) != 16 {
		t.Errorf("%d invalid keys in the text", len(bad))
	}
	for _, b := range bad {
		for _, origin := range []string{"[00000000]", "[d34db33f/84h/0h/0h]", ""} {
			if _, err := ParseWallet("bad", []byte("wpkh("+origin+b[1]+"/0/*)"), Mainnet); err == nil {
				t.Errorf("%s%s was taken", origin, b[1])
			}
		}
	}
}

// TestPurposes derives accounts, keys, scripts and addresses of BIP49, BIP84 and
// BIP86 from the account key their texts publish.
func TestPurposes(t *testing.T) {
	for _, c := range []struct {
		file, account string
		network       Network
		kind          ScriptType
		spots         map[string]Path
	}{
		{"bip0049", `account0Xpub = (upub\w+)`, Testnet, P2SHP2WPKH, map[string]Path{"2Mww8dCYPUpKHofjgcXcBCEGmniw9CoaiD2": {0, 0}}},
		{"bip0084", `\n  xpub  = (zpub\w+)`, Mainnet, P2WPKH, map[string]Path{
			"bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu": {0, 0}, "bc1qnjg0jd8228aq7egyzacy8cys3knf9xvrerkf9g": {0, 1},
			"bc1q8c6fshw2dlwun7ekn9qwf37cu2rn755upcp6el": {1, 0}}},
		{"bip0086", `(?s)Account 0, root.*?xpub = (xpub\w+)`, Mainnet, P2TR, map[string]Path{
			"bc1p5cyxnuxmeuwuvkwfem96lqzszd02n6xdcjrs20cac6yqjjwudpxqkedrcr": {0, 0},
			"bc1p4qhjn9zdvkux4e44uhx8tc55attvtyu358kutcqkudyccelu0was9fqzwh": {0, 1},
			"bc1p3qkhfews2uk44qtvauqyr2ttdsw7svhkl9nkm9s9c3x4ax5h60wqwruhk7": {1, 0}}},
	} {
		text := string(vectorFile(t, "bips/"+c.file+"_test_vectors.txt"))
		m := regexp.MustCompile(c.account).FindStringSubmatch(text)
		if m == nil {
			t.Fatalf("%s: no account key in the text", c.file)
		}
		key, err := hdkeychain.NewKeyFromString(slip132(t, m[1], c.network))
		if err != nil {
			t.Fatal(err)
		}
		h, ok := newHolder(&Account{Key: key}, nil)
		if !ok {
			t.Fatalf("%s: the account key is not taken", c.file)
		}
		for address, path := range c.spots {
			if !strings.Contains(text, address) {
				t.Errorf("%s does not publish %s", c.file, address)
			}
			raw, _ := h.key(path)
			pub, err := btcec.ParsePubKey(raw[:])
			if err != nil {
				t.Fatal(err)
			}
			script, _, err := KeyScript(c.kind, pub)
			if err != nil || addressOf(script, c.network.Params()) != address {
				t.Errorf("%s %v: %s (%v), published %s", c.file, path, addressOf(script, c.network.Params()), err, address)
			}
		}
	}
}

// slip132 turns the ypub and zpub forms, which name a script type, into the
// plain xpub of BIP32.
func slip132(t *testing.T, key string, n Network) string {
	t.Helper()
	k, err := hdkeychain.NewKeyFromString(key)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := k.CloneWithVersion(n.Params().HDPublicKeyID[:])
	if err != nil {
		t.Fatal(err)
	}
	return plain.String()
}

// TestCoreAddresses: each script of Bitcoin Core's list has the address of the
// list on its own network, and no address of another network or an invalid one
// is ever shown for it.
func TestCoreAddresses(t *testing.T) {
	var list [][3]any
	if err := json.Unmarshal(vectorFile(t, "bitcoin-core/key_io_valid.json"), &list); err != nil {
		t.Fatal(err)
	}
	networks := map[string]Network{"main": Mainnet, "testnet4": Testnet, "signet": Signet, "regtest": Regtest}
	seen := map[Network]int{}
	for _, v := range list {
		about := v[2].(map[string]any)
		if about["isPrivkey"].(bool) {
			checkWIF(t, v[0].(string), v[1].(string))
			continue
		}
		n, ok := networks[about["chain"].(string)]
		if !ok {
			t.Fatalf("unknown chain %v", about["chain"])
		}
		seen[n]++
		script := unhex(t, v[1].(string))
		if got := addressOf(script, n.Params()); got != v[0] {
			t.Errorf("%x on %s: %s, want %s", script, n, got, v[0])
		}
		other := Mainnet
		if n == Mainnet {
			other = Testnet
		}
		if addressOf(script, other.Params()) == v[0] {
			t.Errorf("%x has the same address on %s and %s", script, n, other)
		}
	}
	for _, n := range networks {
		if seen[n] < 10 {
			t.Errorf("%d addresses on %s", seen[n], n)
		}
	}
}

// checkWIF reads a private key of the list: the tests' keys come in this form.
func checkWIF(t *testing.T, text, key string) {
	t.Helper()
	wif, err := btcutil.DecodeWIF(text)
	if err != nil || hex.EncodeToString(wif.PrivKey.Serialize()) != key {
		t.Errorf("%s: %v", text, err)
	}
}

// TestCoreInvalidAddresses: what Core calls an invalid address is none that the
// station writes: it does not come back from any script it could stand for.
func TestCoreInvalidAddresses(t *testing.T) {
	var list [][]string
	if err := json.Unmarshal(vectorFile(t, "bitcoin-core/key_io_invalid.json"), &list); err != nil {
		t.Fatal(err)
	}
	if len(list) < 60 {
		t.Errorf("%d invalid addresses", len(list))
	}
	for _, v := range list {
		for _, n := range []Network{Mainnet, Testnet, Signet, Regtest} {
			a, err := btcutil.DecodeAddress(v[0], n.Params())
			if err != nil || !a.IsForNet(n.Params()) {
				continue
			}
			script, err := txscript.PayToAddrScript(a)
			if err == nil && addressOf(script, n.Params()) == v[0] {
				t.Errorf("%s is written for %x on %s", v[0], script, n)
			}
		}
	}
}
