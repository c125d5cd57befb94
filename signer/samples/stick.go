package samples

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/btcsuite/btcd/txscript"
)

// SampleFile is one file of the sample stick.
type SampleFile struct {
	Name  string // path on the stick, with slashes
	Data  []byte
	About string // one line for people
	// Verdict of a review with the demo card: clear, caution, refused or
	// malformed; empty for what is no transaction.
	Verdict string
	// Codes are the cautions and refusals expected, each once, sorted as text.
	Codes []string
}

// The verdicts (plain words, so that this package needs none of those it
// tests).
const (
	verdictClear     = "clear"
	verdictCaution   = "caution"
	verdictRefused   = "refused"
	verdictMalformed = "malformed"
)

// Stick is the sample stick: one file for each thing worth seeing once, in the
// order in which its README explains them. No coin is spent by two different
// transactions.
func Stick() []SampleFile {
	files := []SampleFile{payment()}
	files = append(files, payments()...)
	files = append(files, cautions()...)
	files = append(files, refusals()...)
	files = append(files, malformations()...)
	files = append(files, wallets()...)
	return append(files, SampleFile{Name: "README.txt", Data: readme(files), About: "this text"})
}

// mainPayment is the first thing anybody signs: three coins, one payment,
// change.
func mainPayment() *Packet {
	me := Demo()
	p := NewPacket("payment")
	p.Spend(me.At(P2WPKH, 0, 3), 150_000)
	p.Spend(me.At(P2WPKH, 0, 7), 120_000)
	p.Spend(me.At(P2WPKH, 1, 2), 90_000)
	p.Pay(Stranger(0).At(P2WPKH, 0, 0).Script, 250_000)
	p.Change(me.At(P2WPKH, 1, 4), 108_338)
	return p
}

func payment() SampleFile {
	return SampleFile{Name: "payment.psbt", Data: mainPayment().Bytes(), Verdict: verdictClear,
		About: "begin here: an ordinary payment of 0.00250000 BTC from three coins"}
}

// payments are ordinary.
func payments() []SampleFile {
	me := Demo()
	one := func(name string, t Type, in, pay, fee int64, to Spot) *Packet {
		p := NewPacket(name)
		p.Spend(me.At(t, 0, 0), in)
		p.Pay(to.Script, pay)
		p.Change(me.At(t, 1, 0), in-pay-fee)
		return p
	}
	taproot := one("taproot", P2TR, 210_000, 140_000, 850, Stranger(1).At(P2TR, 0, 0))
	taproot.Spend(me.At(P2TR, 0, 1), 40_000)
	taproot.Outputs[1].Amount += 40_000
	nested := one("nested", P2SHP2WPKH, 300_000, 175_000, 830, Stranger(0).At(P2SHP2WPKH, 0, 0))
	legacy := one("legacy", P2PKH, 260_000, 120_000, 1_130, Stranger(2).At(P2PKH, 0, 0))

	many := NewPacket("many")
	many.Spend(me.At(P2WPKH, 0, 8), 2_000_000)
	left := int64(2_000_000 - 2_700)
	for i := range uint32(12) {
		sat := int64(40_000 + 5_000*i)
		many.Pay(Stranger(int(i)).At(P2WPKH, 0, 10+i).Script, sat)
		left -= sat
	}
	many.Change(me.At(P2WPKH, 1, 5), left)

	self := NewPacket("self")
	self.Spend(me.At(P2WPKH, 0, 9), 61_000)
	self.Spend(me.At(P2WPKH, 0, 10), 52_000)
	self.Change(me.At(P2WPKH, 1, 6), 113_000-900)

	return []SampleFile{
		{Name: "more/payment-text.psbt", Data: mainPayment().Base64(), Verdict: verdictClear, About: "payment.psbt again, as base64 text"},
		{Name: "more/payment-hex.psbt", Data: mainPayment().Hex(), Verdict: verdictClear, About: "payment.psbt again, as hexadecimal text"},
		{Name: "more/payment-taproot.psbt", Data: taproot.Bytes(), Verdict: verdictClear, About: "a payment from a taproot account"},
		{Name: "more/payment-nested.psbt", Data: nested.Bytes(), Verdict: verdictClear, About: "a payment from a nested segwit account"},
		{Name: "more/payment-legacy.psbt", Data: legacy.Bytes(), Verdict: verdictClear, About: "a payment from a legacy account"},
		{Name: "more/payment-many.psbt", Data: many.Bytes(), Verdict: verdictClear, About: "twelve payments at once"},
		{Name: "more/to-yourself.psbt", Data: self.Bytes(), Verdict: verdictClear, About: "two coins put together: nothing leaves but the fee"},
	}
}

// cautions are legitimate but unusual. Each builds on a base that is clear.
func cautions() []SampleFile {
	me := Demo()
	base := func(name string, pay, back int64) *Packet {
		p := NewPacket(name)
		p.Spend(me.At(P2WPKH, 0, 4), 400_000)
		p.Pay(Stranger(1).At(P2WPKH, 0, 4).Script, pay)
		p.Change(me.At(P2WPKH, 1, 7), back)
		return p
	}
	fee := base("high-fee", 200_000, 186_000)

	data := base("data", 150_000, 249_000)
	script, err := txscript.NullDataScript([]byte("Hello from the sample stick"))
	must(err)
	data.Pay(script, 0)

	dust := base("dust", 200_000, 198_910)
	dust.Pay(Stranger(2).At(P2WPKH, 0, 4).Script, 200)

	far := base("far", 150_000, 0)
	far.Outputs = far.Outputs[:1]
	far.Change(me.At(P2WPKH, 1, 90_000), 249_100)

	locked := base("locked", 150_000, 249_100)
	locked.LockTime = 1_600_000

	foreign := base("foreign", 300_000, 179_000)
	foreign.Spend(Stranger(0).At(P2WPKH, 0, 5), 80_000)

	return []SampleFile{
		{Name: "caution/high-fee.psbt", Data: fee.Bytes(), Verdict: verdictCaution, Codes: []string{"fee-high"},
			About: "the fee is 7 % of what is paid"},
		{Name: "caution/data-output.psbt", Data: data.Bytes(), Verdict: verdictCaution, Codes: []string{"data-output"},
			About: "an output that carries a text and no money"},
		{Name: "caution/dust.psbt", Data: dust.Bytes(), Verdict: verdictCaution, Codes: []string{"output-dust"},
			About: "an output too small to be worth spending"},
		{Name: "caution/far-change.psbt", Data: far.Bytes(), Verdict: verdictCaution, Codes: []string{"path-far"},
			About: "change at an index so far out that wallets would not find it"},
		{Name: "caution/locked.psbt", Data: locked.Bytes(), Verdict: verdictCaution, Codes: []string{"locktime-future"},
			About: "not valid before a block more than ten years away"},
		{Name: "caution/foreign-input.psbt", Data: foreign.Bytes(), Verdict: verdictCaution, Codes: []string{"foreign-input"},
			About: "somebody else's coin is spent along with yours"},
	}
}

// refusals are dangerous.
func refusals() []SampleFile {
	me := Demo()
	base := func(name string) *Packet {
		p := NewPacket(name)
		p.Spend(me.At(P2WPKH, 0, 5), 500_000)
		p.Spend(me.At(P2WPKH, 0, 6), 70_000)
		p.Pay(Stranger(2).At(P2WPKH, 0, 6).Script, 330_000)
		p.Change(me.At(P2WPKH, 1, 8), 239_000)
		return p
	}
	missing := base("missing")
	missing.Inputs[0].WithoutPrevious()
	missing.Inputs[1].WithoutPrevious()

	altered := base("altered")
	altered.Inputs[1].Claim(60_000)
	altered.Outputs[1].Amount -= 10_000

	// The thief's own script, with a derivation that calls it our change.
	fake := base("fake-change")
	mine, thief := me.At(P2WPKH, 1, 8), Stranger(0).At(P2WPKH, 0, 9)
	fake.Outputs = fake.Outputs[:1]
	thief.Fingerprint, thief.Path = mine.Fingerprint, mine.Path
	fake.Change(thief, 239_000)

	absurd := base("absurd")
	absurd.Outputs = absurd.Outputs[:1]
	absurd.Outputs[0].Amount = 200_000

	none := base("none")
	none.Inputs[0].Sighash(uint32(txscript.SigHashNone))

	return []SampleFile{
		{Name: "refused/no-previous.psbt", Data: missing.Bytes(), Verdict: verdictRefused, Codes: []string{"prevtx-missing"},
			About: "the previous transactions are missing, so that nothing proves the amounts"},
		{Name: "refused/altered-amount.psbt", Data: altered.Bytes(), Verdict: verdictRefused, Codes: []string{"utxo-conflict"},
			About: "a coin is said to be smaller than it is: the difference would be lost"},
		{Name: "refused/fake-change.psbt", Data: fake.Bytes(), Verdict: verdictRefused, Codes: []string{"change-fraud"},
			About: "an output that calls itself your change and pays somebody else"},
		{Name: "refused/absurd-fee.psbt", Data: absurd.Bytes(), Verdict: verdictRefused, Codes: []string{"fee-absurd", "fee-high"},
			About: "the change was left out: more goes to the miners than to anybody"},
		{Name: "refused/sighash-none.psbt", Data: none.Bytes(), Verdict: verdictRefused, Codes: []string{"sighash-unsafe"},
			About: "asks for a signature that would let anybody change where the money goes"},
	}
}

// malformations are no transactions.
func malformations() []SampleFile {
	whole := mainPayment().Bytes()
	twice := mainPayment()
	twice.Inputs[1].Pairs = append(twice.Inputs[1].Pairs, twice.Inputs[1].Pairs[0])
	text := mainPayment().Base64()
	return []SampleFile{
		{Name: "malformed/cut-off.psbt", Data: whole[:len(whole)*2/3], Verdict: verdictMalformed, About: "the last third is missing, as after an interrupted copy"},
		{Name: "malformed/same-key-twice.psbt", Data: twice.Bytes(), Verdict: verdictMalformed, About: "one field is there twice, so that two programs could read it differently"},
		{Name: "malformed/bad-text.psbt", Data: bytes.Replace(text, []byte("A"), []byte("*"), 1), Verdict: verdictMalformed, About: "a character that base64 does not have"},
	}
}

// wallets are descriptors of the demo keys' accounts. Their checksums were made
// by another implementation of BIP380 than the project's.
func wallets() []SampleFile {
	me := Demo()
	var out []SampleFile
	for _, w := range []struct {
		kind                              Type
		name, before, after, about, check string
	}{
		{P2WPKH, "native", "wpkh(", ")", "native segwit", "qf45pmyh"},
		{P2TR, "taproot", "tr(", ")", "taproot", "xf07c0qd"},
		{P2SHP2WPKH, "nested", "sh(wpkh(", "))", "nested segwit", "zmygnj3e"},
		{P2PKH, "legacy", "pkh(", ")", "legacy", "kw28l7md"},
	} {
		path := me.AccountPath(w.kind)
		text := fmt.Sprintf("%s[%x%s]%s/<0;1>/*%s#%s\n", w.before, me.Fingerprint, path[1:], me.Account(path), w.after, w.check)
		out = append(out, SampleFile{Name: "wallets/" + w.name + ".txt", Data: []byte(text),
			About: "the demo card's " + w.about + " account, for airlock inspect --wallet"})
	}
	return out
}

// readme explains each file in a line.
func readme(files []SampleFile) []byte {
	var b strings.Builder
	b.WriteString(`Sample transactions for trying out Airlock.

They are made from published test keys: "abandon" eleven times, then "about".
Everybody has these keys. NEVER SEND MONEY to any address in these files: it
would be gone at once. The coins they spend do not exist: nothing here can be
sent.
`)
	titles := []struct{ verdict, title string }{
		{verdictClear, "Clear: nothing unusual"},
		{verdictCaution, "Caution: legitimate but unusual. Acknowledge what you understand, then approve"},
		{verdictRefused, "Refused: dangerous. There is no way on, and that is the lesson"},
		{verdictMalformed, "Malformed: not valid files"},
		{"", "Not transactions"},
	}
	for _, t := range titles {
		fmt.Fprintf(&b, "\n%s\n\n", t.title)
		for _, f := range files {
			if f.Verdict == t.verdict {
				fmt.Fprintf(&b, "  %s\n      %s\n", f.Name, f.About)
			}
		}
	}
	return []byte(b.String())
}
