package session

import (
	"strings"
	"testing"

	"github.com/airlock-signer/airlock/reader/simcard"
	"github.com/airlock-signer/airlock/signer"
)

// TestKeys compares with what the demo mnemonic is published with.
func TestKeys(t *testing.T) {
	x := atPage(t, demoCard(t, "0.12", "one"))
	x.task(TaskKeys)
	x.stage(StageUnlock)
	x.typeSecret(simcard.DemoPIN)
	x.stage(StageKeyKind)
	// BIP84 and BIP86, test vectors.
	for _, c := range []struct {
		kind        Kind
		xpub, first string
	}{
		{KindWPKH, "", "bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu"},
		{KindTR, "xpub6BgBgsespWvERF3LHQu6CnqdvfEvtMcQjYrcRzx53QJjSxarj2afYWcLteoGVky7D3UKDP9QyrLprQ3VCECoY49yfdDEHGCtMMj92pReUsQ", "bc1p5cyxnuxmeuwuvkwfem96lqzszd02n6xdcjrs20cac6yqjjwudpxqkedrcr"},
	} {
		x.s.Do(ShowKey{Kind: c.kind})
		st := x.stage(StageKey)
		k := st.Care.Key
		if k.First != c.first || c.xpub != "" && k.XPub != c.xpub {
			t.Errorf("%d: %+v", c.kind, k)
		}
		if w, err := signer.ParseWallet("", k.File()[len(k.Expression)+1:], signer.Mainnet); err != nil || w.Descriptor() != k.Descriptor {
			t.Errorf("%d: %v", c.kind, err)
		}
		x.s.Do(Back{})
		x.stage(StageKeyKind)
	}
	for _, bad := range []string{"", "m", "84h//0", "84h/x", "84hh", "m/2147483648", "01/2", strings.Repeat("1/", 10) + "1"} {
		x.s.Do(TextTyped{Text: bad})
		if st := x.s.State(); st.Problem == "" || st.Care.Stage != StageKeyKind {
			t.Errorf("%q was taken as a path", bad)
		}
	}
	x.s.Do(TextTyped{Text: "m/48'/0h/0H/2"})
	st := x.stage(StageKey)
	mentions(t, st.Care.Key.Expression, "["+demoFingerprint+"/48h/0h/0h/2]xpub")
	if st.Care.Key.Descriptor != "" {
		t.Error("a descriptor for a path that says nothing of scripts")
	}
	exportKey(t, x)
}

func exportKey(t *testing.T, x *sitting) {
	t.Helper()
	st := x.until("the stick", func(st State) bool { return len(st.Volumes) == 1 })
	x.s.Do(ExportKey{Volume: st.Volumes[0]})
	st = x.until("the export", func(st State) bool { return st.Care.Key.Written != nil || st.Problem != "" })
	if st.Problem != "" {
		t.Fatal(st.Problem)
	}
	if got := string(x.files()[st.Care.Key.Written.Path]); got != string(st.Care.Key.File()) {
		t.Errorf("%q on the stick", got)
	}
}
