package signer_test

import (
	"bytes"
	"crypto/sha256"
	"testing"

	"github.com/airlock-signer/airlock/signer"
	"github.com/airlock-signer/airlock/signer/samples"
	"github.com/btcsuite/btcd/btcec/v2/schnorr"
	"github.com/btcsuite/btcd/btcutil"
	"github.com/btcsuite/btcd/txscript"
)

// at names a key of ours anywhere, in a script of a type.
func at(typ samples.Type, path string) samples.Spot { return me.Spot(typ, path) }

// backTo replaces the change of the ordinary payment.
func backTo(s samples.Spot) func(p *samples.Packet) {
	return func(p *samples.Packet) {
		p.Outputs = p.Outputs[:1]
		p.Change(s, 99_000)
	}
}

// claim makes one spot's derivation speak for another spot's script.
func claim(script samples.Spot, key samples.Spot) func(p *samples.Packet) {
	return func(p *samples.Packet) {
		p.Outputs = p.Outputs[:1]
		out := p.Pay(script.Script, 99_000)
		out.Derive(key)
	}
}

// multisig is a 2-of-2 of keys of ours and a friend's, in key order of the
// arguments.
func multisig(path string) (script []byte, spots []samples.Spot) {
	spots = []samples.Spot{at(samples.P2WPKH, path), friend.Spot(samples.P2WPKH, path)}
	b := txscript.NewScriptBuilder().AddOp(txscript.OP_2)
	for _, s := range spots {
		b.AddData(s.PubKey.SerializeCompressed())
	}
	script, err := b.AddOp(txscript.OP_2).AddOp(txscript.OP_CHECKMULTISIG).Script()
	if err != nil {
		panic(err)
	}
	return script, spots
}

func wsh(script []byte) []byte {
	sum := sha256.Sum256(script)
	return append([]byte{0, 32}, sum[:]...)
}

func sh(script []byte) []byte {
	return append(append([]byte{txscript.OP_HASH160, 20}, btcutil.Hash160(script)...), txscript.OP_EQUAL)
}

// withMultisig spends or pays a p2wsh multisig of ours.
func spendMultisig(p *samples.Packet) *samples.Input {
	script, spots := multisig("m/48h/0h/0h/2h/0/0")
	spot := spots[0]
	spot.Script = wsh(script)
	in := p.Spend(spot, 50_000)
	in.Derive(spots[1])
	in.Set(inWitness, nil, script)
	p.Outputs[0].Amount += 50_000
	return in
}

func payMultisig(p *samples.Packet) *samples.Output {
	script, spots := multisig("m/48h/0h/0h/2h/1/0")
	p.Outputs = p.Outputs[:1]
	out := p.Pay(wsh(script), 99_000)
	out.Derive(spots[0])
	out.Derive(spots[1])
	out.Set(outWitness, nil, script)
	return out
}

func TestInputRules(t *testing.T) {
	const w = samples.P2WPKH
	swap := func(key samples.Spot) func(p *samples.Packet) {
		return func(p *samples.Packet) { p.Inputs[0].Drop(inDerivation); p.Inputs[0].Derive(key) }
	}
	named := func(s samples.Spot, fp [4]byte, path string) samples.Spot {
		s.Fingerprint = fp
		if path != "" {
			s.Path = samples.ParsePath(path)
		}
		return s
	}
	own := at(w, "m/84h/0h/0h/0/3")
	none := [4]byte{}
	play(t, []scene{
		{about: "a wrong key at a right path", make: swap(named(thief.At(w, 0, 3), me.Fingerprint, "m/84h/0h/0h/0/3")),
			want: "input-not-proven"},
		{about: "our key at a wrong path", make: swap(named(own, me.Fingerprint, "m/84h/0h/0h/0/4")), want: "input-not-proven"},
		{about: "another key of ours, right for its path", make: swap(at(w, "m/84h/0h/0h/0/4")), want: "input-not-proven"},
		{about: "another key of ours as well", make: func(p *samples.Packet) { p.Inputs[0].Derive(at(w, "m/84h/0h/0h/0/4")) },
			want: "input-not-proven"},
		{about: "a false claim in our name as well", make: func(p *samples.Packet) {
			p.Inputs[0].Derive(named(thief.At(w, 0, 4), me.Fingerprint, ""))
		}, want: "input-not-proven"},
		{about: "a stranger's claim as well", make: func(p *samples.Packet) { p.Inputs[0].Derive(thief.At(w, 0, 3)) }},
		{about: "a claim without fingerprint as well", make: func(p *samples.Packet) {
			p.Inputs[0].Derive(named(thief.At(w, 0, 3), none, ""))
		}},
		{about: "ours without its fingerprint", make: swap(named(own, none, ""))},
		{about: "ours under another fingerprint", make: swap(named(own, [4]byte{1, 2, 3, 4}, ""))},
		{about: "ours below the account, without fingerprint", make: swap(named(own, none, "m/0/3"))},
		{about: "no claim at all", make: func(p *samples.Packet) { p.Inputs[0].Drop(inDerivation) }, want: "nothing-to-sign"},

		{about: "our fingerprint at an account the card does not give", make: func(p *samples.Packet) {},
			own: func(o *signer.Ownership) { o.Accounts = nil }, want: "change-unproven nothing-to-sign"},
		{about: "somebody else's transaction", make: func(p *samples.Packet) {
			p.Inputs, p.Outputs = nil, p.Outputs[:1]
			p.Spend(friend.At(w, 0, 3), 200_000)
			p.Change(friend.At(w, 1, 0), 99_000)
		}, want: "nothing-to-sign"},
		{about: "somebody else pays us", make: func(p *samples.Packet) {
			p.Inputs = nil
			p.Spend(friend.At(w, 0, 3), 200_000)
		}, want: "nothing-to-sign"},
		{about: "somebody else pays along", make: func(p *samples.Packet) {
			p.Spend(friend.At(w, 0, 3), 50_000)
			p.Outputs[0].Amount += 50_000
		}, want: "foreign-input signatures-needed"},
		{about: "the card does not give the account of one input", make: func(p *samples.Packet) {
			p.Spend(at(w, "m/84h/0h/1h/0/0"), 50_000)
			p.Outputs[0].Amount += 50_000
		}, own: func(o *signer.Ownership) { o.Accounts = o.Accounts[:1] }, want: "foreign-input signatures-needed"},

		{about: "our key in an unregistered multisig", make: func(p *samples.Packet) { spendMultisig(p) },
			want: "script-unsupported signatures-needed wallet-unregistered"},
		{about: "the same, in a preview", make: func(p *samples.Packet) { spendMultisig(p) }, preview: true,
			want: "script-unsupported"},
		{about: "strangers' multisig", make: func(p *samples.Packet) {
			spendMultisig(p).Drop(inDerivation)
		}, want: "foreign-input signatures-needed"},
		{about: "a multisig that is not shown", make: func(p *samples.Packet) { spendMultisig(p).Drop(inWitness) },
			want: "input-not-proven"},
		{about: "a multisig without the key of ours it names", make: func(p *samples.Packet) {
			in := spendMultisig(p)
			in.Drop(inDerivation)
			in.Derive(at(w, "m/48h/0h/0h/2h/0/1"))
		}, want: "input-not-proven signatures-needed"},
		{about: "a card that cannot sign it", own: func(o *signer.Ownership) {
			o.Can = func(r signer.Request) error { return errNoSuchKey }
		}, want: "script-unsupported"},
		{about: "a card that can", own: func(o *signer.Ownership) {
			o.Can = func(r signer.Request) error { return nil }
		}},
	})
}

type plainError string

func (e plainError) Error() string { return string(e) }

const errNoSuchKey = plainError("it has no such key")

func TestChangeRules(t *testing.T) {
	const w = samples.P2WPKH
	right := at(w, "m/84h/0h/0h/1/4")
	as := func(s samples.Spot, fp [4]byte, path string) samples.Spot {
		s.Fingerprint, s.Path = fp, samples.ParsePath(path)
		return s
	}
	fake := as(thief.At(w, 1, 4), me.Fingerprint, "m/84h/0h/0h/1/4")
	play(t, []scene{
		{about: "a thief's key at our path", make: backTo(fake), want: "change-fraud no-change"},
		{about: "our key at a wrong path", make: backTo(as(right, me.Fingerprint, "m/84h/0h/0h/1/5")), want: "change-fraud no-change"},
		{about: "a thief's script that names our key", make: claim(thief.At(w, 1, 4), right), want: "change-fraud no-change"},
		{about: "our script that names our other key", make: claim(right, at(w, "m/84h/0h/0h/1/5")), want: "change-fraud no-change"},
		{about: "another key of ours as well", make: func(p *samples.Packet) { p.Outputs[1].Derive(at(w, "m/84h/0h/0h/1/5")) },
			want: "change-fraud no-change"},
		{about: "a false claim in our name as well", make: func(p *samples.Packet) {
			p.Outputs[1].Derive(as(thief.At(w, 1, 5), me.Fingerprint, "m/84h/0h/0h/1/5"))
		}, want: "change-fraud no-change"},
		{about: "strangers' claims as well", make: func(p *samples.Packet) { p.Outputs[1].Derive(thief.At(w, 1, 4)) }},
		{about: "a thief's own path is a payment", make: backTo(thief.At(w, 1, 4)), want: "no-change"},
		{about: "a path like ours without fingerprint", make: backTo(as(thief.At(w, 1, 4), [4]byte{}, "m/84h/0h/0h/1/4")),
			want: "change-unproven no-change"},
		{about: "the same, of another type of script", make: backTo(as(thief.At(samples.P2PKH, 1, 4), [4]byte{}, "m/84h/0h/0h/1/4")),
			want: "no-change"},
		{about: "a path that could be below any account", make: backTo(as(thief.At(w, 1, 4), [4]byte{}, "m/1/4")), want: "no-change"},
		{about: "change without fingerprint", make: backTo(as(right, [4]byte{}, "m/84h/0h/0h/1/4"))},
		{about: "change under another fingerprint", make: backTo(as(right, thief.Fingerprint, "m/84h/0h/0h/1/4"))},
		{about: "a payment to us that nothing says is ours", make: func(p *samples.Packet) { p.Outputs[1].Drop(outDerivation) },
			want: "no-change"},

		{about: "another account of the card", make: backTo(at(w, "m/84h/0h/1h/1/4")), want: "no-change other-account"},
		{about: "the same account under another purpose", make: backTo(at(samples.P2TR, "m/86h/0h/0h/1/4")), want: "no-change other-account"},
		{about: "an account the card does not give", make: backTo(at(w, "m/84h/0h/1h/1/4")),
			own: func(o *signer.Ownership) { o.Accounts = o.Accounts[:1] }, want: "change-unproven no-change"},
		{about: "a hardened step below the account", make: backTo(at(w, "m/84h/0h/0h/1h/4")),
			own: func(o *signer.Ownership) { o.Accounts = o.Accounts[:1] }, want: "change-unproven no-change"},
		{about: "the same, and the card gives that key", make: backTo(at(w, "m/84h/0h/0h/1h/4")), want: "no-change other-account"},
		{about: "coins of two accounts: nothing is change", make: func(p *samples.Packet) {
			p.Spend(at(w, "m/84h/0h/1h/0/0"), 50_000)
			p.Outputs[0].Amount += 50_000
		}, want: "no-change other-account"},
		{about: "coins of two accounts, no claims on outputs", make: func(p *samples.Packet) {
			p.Spend(at(w, "m/84h/0h/1h/0/0"), 50_000)
			p.Outputs[0].Amount += 50_000
			p.Outputs[1].Drop(outDerivation)
		}, want: "no-change"},

		{about: "another branch", make: backTo(at(w, "m/84h/0h/0h/2/4")), want: "path-unusual"},
		{about: "no branch", make: backTo(at(w, "m/84h/0h/0h/4")), want: "path-unusual"},
		{about: "one step more", make: backTo(at(w, "m/84h/0h/0h/1/4/0")), want: "path-unusual"},
		{about: "the account key itself", make: backTo(at(w, "m/84h/0h/0h")), want: "path-unusual"},
		{about: "another type of script under the same account", make: backTo(at(samples.P2TR, "m/84h/0h/0h/1/4")), want: "path-unusual"},
		{about: "200 beyond the highest index", make: backTo(at(w, "m/84h/0h/0h/1/203"))},
		{about: "201 beyond", make: backTo(at(w, "m/84h/0h/0h/1/204")), want: "path-far"},
		{about: "the last index there is", make: backTo(at(w, "m/84h/0h/0h/1/2147483647")), want: "path-far"},
		{about: "the branch of seals is paid", make: backTo(at(w, "m/84h/0h/0h/2147483647/0")), want: "path-reserved"},
		{about: "the branch of seals of a key further down", make: backTo(at(w, "m/84h/0h/0h/0/2147483647/0")), want: "path-reserved"},
		{about: "the branch of seals is spent", make: func(p *samples.Packet) {
			p.Inputs = nil
			p.Spend(at(w, "m/84h/0h/0h/2147483647/0"), 200_000)
		}, want: "path-reserved"},
		{about: "the branch before it", make: backTo(at(w, "m/84h/0h/0h/2147483646/0")), want: "path-unusual"},
	})
}

func TestScriptRules(t *testing.T) {
	script, _ := multisig("m/48h/0h/0h/2h/1/0")
	other, _ := multisig("m/48h/0h/0h/2h/1/1")
	internal := schnorr.SerializePubKey(friend.At(samples.P2TR, 0, 0).PubKey)
	key := friend.At(samples.P2TR, 0, 0).PubKey
	leaf := txscript.NewBaseTapLeaf(script)
	root := leaf.TapHash()
	tweaked := schnorr.SerializePubKey(txscript.ComputeTaprootOutputKey(key, root[:]))
	withTree := append([]byte{txscript.OP_1, 32}, tweaked...)
	tree := append([]byte{0, 0xc0, byte(len(script))}, script...)
	pay := func(spk []byte, set func(o *samples.Output)) func(p *samples.Packet) {
		return func(p *samples.Packet) { set(p.Pay(spk, 600)) }
	}
	play(t, []scene{
		{about: "our key in an unregistered multisig output", make: func(p *samples.Packet) { payMultisig(p) },
			want: "no-change wallet-unregistered"},
		{about: "the same, its script not shown", make: func(p *samples.Packet) { payMultisig(p).Drop(outWitness) },
			want: "change-unproven no-change"},
		{about: "the same, nested", make: func(p *samples.Packet) {
			out := payMultisig(p)
			out.Set(outRedeem, nil, out.Script)
			out.Script = sh(out.Script)
		}, want: "no-change wallet-unregistered"},
		{about: "bare p2sh", make: func(p *samples.Packet) {
			out := payMultisig(p)
			out.Drop(outWitness)
			out.Set(outRedeem, nil, script)
			out.Script = sh(script)
		}, want: "no-change wallet-unregistered"},
		{about: "a multisig without the key of ours it names", make: func(p *samples.Packet) {
			out := payMultisig(p)
			out.Drop(outDerivation)
			out.Derive(at(samples.P2WPKH, "m/48h/0h/0h/2h/1/7"))
		}, want: "change-fraud no-change"},
		{about: "another witness script", make: func(p *samples.Packet) { payMultisig(p).Set(outWitness, nil, other) },
			want: "change-fraud no-change witness-script-mismatch"},

		{about: "a redeem script of another address", make: pay(sh(script), func(o *samples.Output) { o.Set(outRedeem, nil, other) }),
			want: "redeem-script-mismatch"},
		{about: "its own", make: pay(sh(script), func(o *samples.Output) { o.Set(outRedeem, nil, script) })},
		{about: "a redeem script where none belongs", make: pay(wsh(script), func(o *samples.Output) { o.Set(outRedeem, nil, script) }),
			want: "redeem-script-mismatch"},
		{about: "our input with a redeem script of another", make: func(p *samples.Packet) {
			spending(samples.P2SHP2WPKH)(p)
			p.Inputs[0].Set(inRedeem, nil, friend.At(samples.P2SHP2WPKH, 0, 0).Redeem)
		}, want: "redeem-script-mismatch"},
		{about: "our input with a witness script", make: func(p *samples.Packet) { p.Inputs[0].Set(inWitness, nil, script) },
			want: "witness-script-mismatch"},
		{about: "a witness script of another address", make: pay(wsh(script), func(o *samples.Output) { o.Set(outWitness, nil, other) }),
			want: "witness-script-mismatch"},
		{about: "its own, nested without the redeem script", make: pay(sh(wsh(script)), func(o *samples.Output) { o.Set(outWitness, nil, script) })},

		{about: "a taproot output of another internal key", make: pay(friend.At(samples.P2TR, 0, 1).Script,
			func(o *samples.Output) { o.Set(0x05, nil, internal) }), want: "taproot-mismatch"},
		{about: "its own", make: pay(friend.At(samples.P2TR, 0, 0).Script, func(o *samples.Output) { o.Set(0x05, nil, internal) })},
		{about: "a tree that it lacks", make: pay(friend.At(samples.P2TR, 0, 0).Script, func(o *samples.Output) {
			o.Set(0x05, nil, internal)
			o.Set(0x06, nil, tree)
		}), want: "taproot-mismatch"},
		{about: "a tree that it has", make: pay(withTree, func(o *samples.Output) {
			o.Set(0x05, nil, internal)
			o.Set(0x06, nil, tree)
		})},
		{about: "taproot change with a tree", make: func(p *samples.Packet) {
			spending(samples.P2TR)(p)
			p.Outputs[1].Set(0x06, nil, tree)
		}, want: "change-fraud no-change taproot-mismatch"},
		{about: "an input of another internal key", make: func(p *samples.Packet) {
			spending(samples.P2TR)(p)
			p.Inputs[0].Set(0x17, nil, internal)
		}, want: "taproot-mismatch"},
		{about: "an input with a merkle root that it lacks", make: func(p *samples.Packet) {
			spending(samples.P2TR)(p)
			p.Inputs[0].Set(0x18, nil, root[:])
		}, want: "taproot-mismatch"},
		{about: "a taproot field on p2wpkh", make: func(p *samples.Packet) { p.Inputs[0].Set(0x17, nil, internal) },
			want: "taproot-mismatch"},
	})
}

func TestNetworkRules(t *testing.T) {
	testnet := func(s *signer.Settings) { s.Network = signer.Testnet }
	spend := func(path string, back string) func(p *samples.Packet) {
		return func(p *samples.Packet) {
			p.Inputs, p.Outputs = nil, p.Outputs[:1]
			p.Spend(at(samples.P2WPKH, path), 200_000)
			p.Change(at(samples.P2WPKH, back), 99_000)
		}
	}
	many := func(n int) func(p *samples.Packet) {
		return func(p *samples.Packet) {
			for i := range n - 1 {
				p.Spend(at(samples.P2WPKH, "m/84h/0h/"+string(rune('1'+i))+"h/0/0"), 50_000)
				p.Outputs[0].Amount += 50_000
			}
			p.Outputs[1].Drop(outDerivation)
		}
	}
	play(t, []scene{
		{about: "mainnet keys on testnet", settings: testnet, want: "network-mismatch"},
		{about: "testnet keys on mainnet", make: spend("m/84h/1h/0h/0/0", "m/84h/1h/0h/1/0"), want: "network-mismatch"},
		{about: "testnet keys on testnet", make: spend("m/84h/1h/0h/0/0", "m/84h/1h/0h/1/0"), settings: testnet},
		{about: "a path without a coin type", make: spend("m/0h/0/0", "m/0h/1/0"), settings: testnet},
		{about: "multisig's old purpose", make: spend("m/45h/0/0", "m/45h/1/0")},
		{about: "change on the other network", make: spend("m/84h/0h/0h/0/0", "m/84h/1h/0h/1/0"),
			want: "network-mismatch no-change other-account"},
		{about: "strangers' paths do not count", make: func(p *samples.Packet) {
			p.Inputs[0].Derive(friend.Spot(samples.P2WPKH, "m/84h/1h/0h/0/0"))
		}},
		{about: "a preview cannot tell", settings: testnet, preview: true},
		{about: "eight accounts", make: many(8), want: "no-change"},
		{about: "nine accounts", make: many(9), want: "no-change too-many-accounts"},
	})
}

// TestOwnOutputs: kinds, proofs and totals of what comes back.
func TestOwnOutputs(t *testing.T) {
	for _, c := range []struct {
		about   string
		make    func(p *samples.Packet)
		kind    signer.Kind
		claimed bool
		proof   string
		back    int64
	}{
		{"change", nil, signer.KindChange, false, "account m/84h/0h/0h of this card", 99_000},
		{"unusual", backTo(at(samples.P2WPKH, "m/84h/0h/0h/2/4")), signer.KindOwn, false, "account m/84h/0h/0h of this card", 99_000},
		{"far", backTo(at(samples.P2WPKH, "m/84h/0h/0h/1/900")), signer.KindOwn, false, "account m/84h/0h/0h of this card", 99_000},
		{"other account", backTo(at(samples.P2WPKH, "m/84h/0h/1h/1/4")), signer.KindPayment, true, "none", 0},
		{"fraud", claim(thief.At(samples.P2WPKH, 0, 0), at(samples.P2WPKH, "m/84h/0h/0h/1/4")), signer.KindPayment, true, "none", 0},
		{"payment", backTo(thief.At(samples.P2WPKH, 1, 4)), signer.KindPayment, false, "none", 0},
	} {
		t.Run(c.about, func(t *testing.T) {
			r := (&scene{make: c.make}).report(t)
			o := r.Outputs[1]
			if o.Kind != c.kind || o.Claimed != c.claimed || o.Proof != c.proof || r.Totals.BackToUs != c.back {
				t.Errorf("kind %s, claimed %v, proof %q, back %d", o.Kind, o.Claimed, o.Proof, r.Totals.BackToUs)
			}
		})
	}
}

// TestPreviewClaims: nothing is proven without keys, and fingerprints restrict
// what is claimed.
func TestPreviewClaims(t *testing.T) {
	tx, err := signer.Open(ordinary().Bytes(), signer.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	look := func(o signer.Ownership) *signer.Report {
		r, err := tx.Review(t.Context(), mainnet, o, nil)
		if err != nil {
			t.Fatal(err)
		}
		return r.Report()
	}
	for _, c := range []struct {
		about  string
		report *signer.Report
		owner  signer.Owner
		kind   signer.Kind
	}{
		{"preview", tx.Preview(mainnet), signer.Claimed, signer.KindUnknown},
		{"nothing given", look(signer.Ownership{}), signer.Claimed, signer.KindUnknown},
		{"its fingerprint", look(signer.Ownership{Fingerprints: [][4]byte{{9}, me.Fingerprint}}), signer.Claimed, signer.KindUnknown},
		{"another fingerprint", look(signer.Ownership{Fingerprints: [][4]byte{thief.Fingerprint}}), signer.Theirs, signer.KindPayment},
	} {
		in, out := c.report.Inputs[0], c.report.Outputs[1]
		if c.report.Checked || in.Owner != c.owner || out.Kind != c.kind || out.Claimed != (c.owner == signer.Claimed) || c.report.Totals.BackToUs != 0 {
			t.Errorf("%s: checked %v, owner %s, kind %s, claimed %v", c.about, c.report.Checked, in.Owner, out.Kind, out.Claimed)
		}
		if claimed := in.Path.String() == "m/84h/0h/0h/0/3" && bytes.Equal(in.Fingerprint[:], me.Fingerprint[:]); claimed != (c.owner == signer.Claimed) {
			t.Errorf("%s: path %v of %x", c.about, in.Path, in.Fingerprint)
		}
	}
}
