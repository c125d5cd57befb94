package samples

import (
	"crypto/sha256"
	"slices"
	"strings"

	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcutil"
	"github.com/btcsuite/btcd/txscript"
)

// Case is one transaction and what a review with the demo card must make of it.
type Case struct {
	// Name is the family and what it is about. For the rule book's codes it is
	// the code and either hit-… (the code must be found) or miss-… (a
	// transaction close to it: it must not).
	Name   string
	Family string // FamilyRule, FamilyHostile or FamilyOrdinary
	About  string // a sentence for people
	Data   []byte
	Setting

	Verdict string   // clear, caution, refused or malformed
	Codes   []string // the refusals and cautions, all of them, each once, sorted
}

// The families of the corpus.
const (
	FamilyRule     = "rule"     // the rule book, code by code
	FamilyHostile  = "hostile"  // what an attacker would try
	FamilyOrdinary = "ordinary" // what coordinators make every day
)

// Setting is what a case is reviewed with, where that is not the ordinary: on
// mainnet, with a card that gives every account it is asked for.
type Setting struct {
	Network        string   // mainnet where empty
	AcceptUnproven bool     // amounts without previous transactions
	Height         uint32   // today's height, as a person typed it
	Before         []byte   // a file that this session has signed before
	Accounts       []string // the only accounts that the card gives; nil: all it is asked for
	NoCard         bool     // registered wallets alone
	Wallets        []string // descriptors of registered wallets
	NoSchnorr      bool     // a card that makes ECDSA signatures only
}

// Corpus is the whole of it, in the order of the rule book, then the hostile
// families, then ordinary transactions. The same call gives the same bytes.
func Corpus() []Case {
	s := &shelf{me: Demo(), thief: Stranger(0), friend: Stranger(1)}
	for _, fill := range []func(*shelf){
		amountCases, signedBeforeCases, feeCases, transactionCases, lockCases, sighashCases, signatureCases, finalCases,
		scriptCases, inputCases, changeCases, pathCases, networkCases, outputCases, noteCases,
		hostileKeys, hostileChange, hostileAmounts, hostileSignatures, hostileText, hostileForms,
		ordinaryCore, ordinarySparrow, ordinaryElectrum, ordinaryOthers, ordinaryHabits,
	} {
		fill(s)
	}
	out := make([]Case, len(s.cases))
	for i, c := range s.cases {
		out[i] = *c
	}
	return out
}

// shelf collects cases.
type shelf struct {
	me, thief, friend *Keys
	cases             []*Case
}

// change alters the ordinary payment.
type change func(p *Packet)

// base is a payment as coordinators make them every day: one coin of 200,000
// sat, half of it to a friend, change, a fee of one percent.
func (s *shelf) base(name string) *Packet {
	p := NewPacket(name)
	p.Spend(s.me.At(P2WPKH, 0, 3), 200_000)
	p.Pay(s.friend.At(P2WPKH, 0, 0).Script, 100_000)
	p.Change(s.me.At(P2WPKH, 1, 4), 99_000)
	return p
}

// file is the ordinary payment with changes.
func (s *shelf) file(name string, changes ...change) []byte {
	p := s.base(name)
	for _, do := range changes {
		do(p)
	}
	return p.Bytes()
}

func (s *shelf) add(verdict, name, codes, about string, changes []change) *Case {
	family := FamilyRule
	for _, f := range []string{FamilyHostile, FamilyOrdinary} {
		if strings.HasPrefix(name, f+"/") {
			family = f
		}
	}
	c := &Case{Name: name, Family: family, About: about, Data: s.file(name, changes...), Verdict: verdict, Codes: strings.Fields(codes)}
	slices.Sort(c.Codes)
	s.cases = append(s.cases, c)
	return c
}

func (s *shelf) clear(name, about string, changes ...change) *Case {
	return s.add(verdictClear, name, "", about, changes)
}

func (s *shelf) caution(name, codes, about string, changes ...change) *Case {
	return s.add(verdictCaution, name, codes, about, changes)
}

func (s *shelf) refused(name, codes, about string, changes ...change) *Case {
	return s.add(verdictRefused, name, codes, about, changes)
}

func (s *shelf) malformed(name, about string, changes ...change) *Case {
	return s.add(verdictMalformed, name, "", about, changes)
}

// Changes that many cases share.

// spending makes the payment spend one coin of another type, with change of
// the same.
func (s *shelf) spending(t Type) change {
	return func(p *Packet) {
		p.Inputs, p.Outputs = nil, p.Outputs[:1]
		p.Spend(s.me.At(t, 0, 3), 200_000)
		p.Change(s.me.At(t, 1, 4), 99_000)
	}
}

// backTo replaces the change.
func backTo(to Spot) change {
	return func(p *Packet) {
		p.Outputs = p.Outputs[:1]
		p.Change(to, 99_000)
	}
}

// naming replaces the change by a script with the claim of another spot.
func naming(script []byte, claims ...Spot) change {
	return func(p *Packet) {
		p.Outputs = p.Outputs[:1]
		out := p.Pay(script, 99_000)
		for _, c := range claims {
			out.Derive(c)
		}
	}
}

// joined adds a coin of 50,000 sat, which goes to the payment.
func joined(from Spot) change {
	return func(p *Packet) {
		p.Spend(from, 50_000)
		p.Outputs[0].Amount += 50_000
	}
}

// input changes one input.
func input(i int, do func(in *Input)) change { return func(p *Packet) { do(p.Inputs[i]) } }

// paying adds an output, whose amount the change gives.
func paying(script []byte, sat int64) change {
	return func(p *Packet) {
		p.Pay(script, sat)
		p.Outputs[1].Amount -= sat
	}
}

// as is a spot under another fingerprint and path: a lie, or a coordinator that
// does not know better.
func (s Spot) as(fingerprint [4]byte, path string) Spot {
	s.Fingerprint, s.Path = fingerprint, ParsePath(path)
	return s
}

// anonymous is a spot whose coordinator did not know the master key.
func (s Spot) anonymous() Spot {
	s.Fingerprint = [4]byte{}
	return s
}

// sign puts a signature of a key into an input.
func sign(i int, key *btcec.PrivateKey, hashType txscript.SigHashType) change {
	return func(p *Packet) { p.AddSignature(i, key, hashType) }
}

// finish finalises an input.
func finish(i int, key *btcec.PrivateKey) change { return func(p *Packet) { p.Finish(i, key) } }

// Scripts.

// program is a witness program of n equal bytes.
func program(version byte, n int) []byte {
	op := version
	if version > 0 {
		op = txscript.OP_1 + version - 1
	}
	return append([]byte{op, byte(n)}, slices.Repeat([]byte{7}, n)...)
}

// opReturn carries data in one push.
func opReturn(data string) []byte {
	script, err := txscript.NewScriptBuilder().AddOp(txscript.OP_RETURN).AddFullData([]byte(data)).Script()
	must(err)
	return script
}

// anchor is pay-to-anchor.
func anchor() []byte { return []byte{txscript.OP_1, 2, 0x4e, 0x73} }

func wsh(script []byte) []byte {
	sum := sha256.Sum256(script)
	return append([]byte{txscript.OP_0, 32}, sum[:]...)
}

func sh(script []byte) []byte {
	return append(append([]byte{txscript.OP_HASH160, 20}, btcutil.Hash160(script)...), txscript.OP_EQUAL)
}

// quorum is a 2-of-2 of a key of ours and a friend's, and where they stand.
func (s *shelf) quorum(path string) (script []byte, spots [2]Spot) {
	spots = [2]Spot{s.me.Spot(P2WPKH, path), s.friend.Spot(P2WPKH, path)}
	b := txscript.NewScriptBuilder().AddOp(txscript.OP_2)
	for _, spot := range spots {
		b.AddData(spot.PubKey.SerializeCompressed())
	}
	script, err := b.AddOp(txscript.OP_2).AddOp(txscript.OP_CHECKMULTISIG).Script()
	must(err)
	return script, spots
}
