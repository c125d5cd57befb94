package signer_test

import (
	"context"
	"errors"
	"testing"

	"github.com/airlock-signer/airlock/signer"
	"github.com/airlock-signer/airlock/signer/samples"
	"github.com/btcsuite/btcd/wire"
)

// Key types that the scenes set by hand (BIP174).
const (
	inPrevTx      = 0x00
	inWitnessUTXO = 0x01
	inPartialSig  = 0x02
	inRedeem      = 0x04
	inWitness     = 0x05
	inDerivation  = 0x06
	inFinalSig    = 0x07
	inFinalWit    = 0x08
	inTapKeySig   = 0x13
	outRedeem     = 0x00
	outWitness    = 0x01
	outDerivation = 0x02
)

func acceptUnproven(s *signer.Settings) { s.AcceptUnproven = true }

// spending makes the payment spend one coin of another type.
func spending(typ samples.Type) func(p *samples.Packet) {
	return func(p *samples.Packet) {
		p.Inputs, p.Outputs = nil, p.Outputs[:1]
		p.Spend(me.At(typ, 0, 3), 200_000)
		p.Change(me.At(typ, 1, 4), 99_000)
	}
}

func TestAmountRules(t *testing.T) {
	const max = 21_000_000 * 100_000_000
	coin := func(p *samples.Packet, sat int64) {
		p.Inputs = nil
		p.Spend(me.At(samples.P2WPKH, 0, 3), sat)
	}
	play(t, []scene{
		{about: "neither previous transaction nor witness UTXO", make: func(p *samples.Packet) {
			p.Inputs[0].Drop(inPrevTx)
			p.Inputs[0].Drop(inWitnessUTXO)
		}, want: "amount-missing fee-unknown"},
		{about: "previous transaction alone is enough", make: func(p *samples.Packet) { p.Inputs[0].Drop(inWitnessUTXO) }},

		{about: "p2wpkh without previous transaction", make: func(p *samples.Packet) { p.Inputs[0].WithoutPrevious() },
			want: "prevtx-missing"},
		{about: "the same, accepted for the session", make: func(p *samples.Packet) { p.Inputs[0].WithoutPrevious() },
			settings: acceptUnproven, want: "amounts-unproven"},
		{about: "the same in a preview", make: func(p *samples.Packet) { p.Inputs[0].WithoutPrevious() },
			preview: true, want: "prevtx-missing"},
		{about: "nested without previous transaction", make: func(p *samples.Packet) {
			spending(samples.P2SHP2WPKH)(p)
			p.Inputs[0].WithoutPrevious()
		}, want: "prevtx-missing"},
		{about: "a stranger's input without it", make: func(p *samples.Packet) {
			p.Spend(friend.At(samples.P2WPKH, 0, 1), 50_000).WithoutPrevious()
			p.Outputs[0].Amount += 50_000
		}, want: "foreign-input prevtx-missing signatures-needed"},
		{about: "a stranger's p2sh of which nothing is known", make: func(p *samples.Packet) {
			in := p.Spend(friend.At(samples.P2SHP2WPKH, 0, 1), 50_000)
			in.WithoutPrevious()
			in.Drop(inRedeem)
			in.Drop(inDerivation)
			p.Outputs[0].Amount += 50_000
		}, want: "foreign-input prevtx-missing signatures-needed"},
		{about: "accepting it where nothing is missing", settings: acceptUnproven},

		{about: "another previous transaction", make: func(p *samples.Packet) {
			other, _ := samples.Coin("other", p.Inputs[0].Script, 200_000)
			p.Inputs[0].Set(inPrevTx, nil, samples.TxBytes(other))
		}, want: "fee-unknown prevtx-mismatch"},
		{about: "accepting unproven amounts does not accept that", make: func(p *samples.Packet) {
			other, _ := samples.Coin("other", p.Inputs[0].Script, 200_000)
			p.Inputs[0].Set(inPrevTx, nil, samples.TxBytes(other))
		}, settings: acceptUnproven, want: "fee-unknown prevtx-mismatch"},
		{about: "an altered amount in the previous transaction", make: func(p *samples.Packet) {
			altered := p.Inputs[0].Previous.Copy()
			altered.TxOut[p.Inputs[0].Outpoint.Index].Value--
			p.Inputs[0].Set(inPrevTx, nil, samples.TxBytes(altered))
		}, want: "fee-unknown prevtx-mismatch"},
		{about: "an altered amount in both places", make: func(p *samples.Packet) {
			altered := p.Inputs[0].Previous.Copy()
			altered.TxOut[p.Inputs[0].Outpoint.Index].Value--
			p.Inputs[0].Set(inPrevTx, nil, samples.TxBytes(altered))
			p.Inputs[0].Claim(199_999)
		}, want: "fee-unknown prevtx-mismatch"},
		{about: "an altered witness of the previous transaction is not its txid", make: func(p *samples.Packet) {
			altered := p.Inputs[0].Previous.Copy()
			altered.TxIn[0].Witness[0][10] ^= 1
			p.Inputs[0].Set(inPrevTx, nil, samples.TxBytes(altered))
		}},
		{about: "an output that the previous transaction does not have", make: func(p *samples.Packet) {
			p.Inputs[0].Outpoint.Index = 2
		}, want: "fee-unknown prevtx-mismatch"},

		{about: "an altered amount in the witness UTXO", make: func(p *samples.Packet) { p.Inputs[0].Claim(199_999) },
			want: "utxo-conflict"},
		{about: "another script in the witness UTXO", make: func(p *samples.Packet) {
			p.Inputs[0].Set(inWitnessUTXO, nil, samples.TxOutBytes(wire.NewTxOut(200_000, friend.At(samples.P2WPKH, 0, 0).Script)))
		}, want: "utxo-conflict"},

		{about: "p2pkh with a witness UTXO alone", make: func(p *samples.Packet) {
			spending(samples.P2PKH)(p)
			p.Inputs[0].Claim(200_000)
			p.Inputs[0].WithoutPrevious()
		}, want: "fee-unknown legacy-witness-utxo"},
		{about: "the setting does not accept that", make: func(p *samples.Packet) {
			spending(samples.P2PKH)(p)
			p.Inputs[0].Claim(200_000)
			p.Inputs[0].WithoutPrevious()
		}, settings: acceptUnproven, want: "fee-unknown legacy-witness-utxo"},
		{about: "p2pkh with both", make: func(p *samples.Packet) {
			spending(samples.P2PKH)(p)
			p.Inputs[0].Claim(200_000)
		}},

		{about: "an output of all bitcoin and one satoshi", make: func(p *samples.Packet) { p.Outputs[0].Amount = max + 1 },
			want: "amount-range"},
		{about: "a negative output", make: func(p *samples.Packet) { p.Outputs[0].Amount = -1 },
			want: "amount-range"},
		{about: "the smallest number", make: func(p *samples.Packet) { p.Outputs[1].Amount = -1 << 63 },
			want: "amount-range"},
		{about: "two outputs that are too much together", make: func(p *samples.Packet) {
			p.Outputs[0].Amount, p.Outputs[1].Amount = max, max
		}, want: "amount-range"},
		{about: "coins that are too much together", make: func(p *samples.Packet) {
			coin(p, max)
			p.Spend(me.At(samples.P2WPKH, 0, 4), max)
		}, want: "amount-range"},
		{about: "a negative coin", make: func(p *samples.Packet) { coin(p, -5) }, want: "amount-range"},
		{about: "all bitcoin at once", make: func(p *samples.Packet) {
			coin(p, max)
			p.Outputs[0].Amount, p.Outputs[1].Amount = 1_000_000, max-1_010_000
		}},
		{about: "outputs exceed inputs", make: func(p *samples.Packet) { p.Outputs[1].Amount = 100_001 }, want: "fee-negative"},
		{about: "no fee at all", make: func(p *samples.Packet) { p.Outputs[1].Amount = 100_000 }, want: "fee-low"},
	})
}

// TestTaprootAmounts: which signature vouches for which amount.
func TestTaprootAmounts(t *testing.T) {
	mixed := func(p *samples.Packet) {
		p.Spend(me.At(samples.P2TR, 0, 0), 50_000)
		p.Outputs[0].Amount += 50_000
	}
	foreign := func(p *samples.Packet) {
		spending(samples.P2TR)(p)
		p.Spend(friend.At(samples.P2TR, 0, 0), 50_000)
		p.Outputs[0].Amount += 50_000
	}
	play(t, []scene{
		{about: "ours vouches for a stranger's taproot input", make: foreign, want: "foreign-input signatures-needed"},
		{about: "ours with ALL does too", make: func(p *samples.Packet) {
			foreign(p)
			p.Inputs[0].Sighash(1)
		}, want: "foreign-input sighash-all-taproot signatures-needed"},
		{about: "ours with SINGLE|ANYONECANPAY vouches for nothing", make: func(p *samples.Packet) {
			foreign(p)
			p.Inputs[0].Sighash(0x83)
		}, want: "fee-unknown foreign-input sighash-unsafe signatures-needed"},
		{about: "a stranger's taproot input beside our p2wpkh", make: func(p *samples.Packet) {
			p.Spend(friend.At(samples.P2TR, 0, 0), 50_000)
			p.Outputs[0].Amount += 50_000
		}, want: "fee-unknown foreign-input signatures-needed"},
		{about: "the same with its previous transaction", make: func(p *samples.Packet) {
			in := p.Spend(friend.At(samples.P2TR, 0, 0), 50_000)
			in.Set(inPrevTx, nil, samples.TxBytes(in.Previous))
			p.Outputs[0].Amount += 50_000
		}, want: "foreign-input signatures-needed"},
		{about: "ours does not vouch for a v0 input", make: func(p *samples.Packet) {
			mixed(p)
			p.Inputs[0].WithoutPrevious()
		}, want: "no-change other-account prevtx-missing"},
		{about: "without keys, taproot alone", make: foreign, preview: true},
		{about: "without keys, taproot and v0", make: mixed, preview: true, want: "fee-unknown"},
	})
}

func TestFeeRules(t *testing.T) {
	// pay makes a transaction with one coin, one payment, the rest back but the
	// fee.
	pay := func(in, out, fee int64) func(p *samples.Packet) {
		return func(p *samples.Packet) {
			p.Inputs, p.Outputs = nil, p.Outputs[:1]
			p.Spend(me.At(samples.P2WPKH, 0, 3), in)
			p.Outputs[0].Amount = out
			if rest := in - out - fee; rest > 0 {
				p.Change(me.At(samples.P2WPKH, 1, 4), rest)
			}
		}
	}
	self := func(in, fee int64) func(p *samples.Packet) {
		return func(p *samples.Packet) {
			p.Inputs, p.Outputs = nil, nil
			p.Spend(me.At(samples.P2WPKH, 0, 3), in)
			p.Change(me.At(samples.P2WPKH, 1, 4), in-fee)
		}
	}
	// The transaction with change weighs 562 units, 141 vB.
	const vsize = 141
	play(t, []scene{
		{about: "a tenth of the inputs, a million", make: pay(10_000_000, 5_000_000, 1_000_000), want: "fee-absurd fee-high"},
		{about: "a tenth, a satoshi less than a million", make: pay(9_999_990, 5_000_000, 999_999), want: "fee-high"},
		{about: "a million, less than a tenth", make: pay(10_000_010, 8_000_000, 1_000_000), want: "fee-high"},
		{about: "half of the inputs, 100,000", make: pay(200_000, 50_000, 100_000), want: "fee-absurd fee-high"},
		{about: "half, a satoshi less than 100,000", make: pay(199_998, 50_000, 99_999), want: "fee-high"},
		{about: "100,000, less than half", make: pay(200_001, 50_000, 100_000), want: "fee-high"},
		{about: "10,000 sat/vB", make: pay(1_000_000_000, 900_000_000, 10_000*vsize), want: "fee-absurd fee-high"},
		{about: "just below that", make: pay(1_000_000_000, 900_000_000, 10_000*vsize-1), want: "fee-high"},
		{about: "500 sat/vB and a satoshi", make: pay(1_000_000_000, 900_000_000, 500*vsize+1), want: "fee-high"},
		{about: "500 sat/vB", make: pay(1_000_000_000, 900_000_000, 500*vsize)},
		{about: "a twentieth of what leaves, 10,000", make: pay(1_000_000, 200_000, 10_000), want: "fee-high"},
		{about: "less than a twentieth", make: pay(1_000_000, 200_001, 10_000)},
		{about: "a twentieth, a satoshi less than 10,000", make: pay(1_000_000, 199_980, 9_999)},
		{about: "more than what leaves", make: pay(1_000_000, 9_999, 10_000), want: "fee-high"},
		{about: "more than what leaves, but small", make: pay(1_000_000, 9_000, 9_999)},
		{about: "nothing leaves, a twentieth of the inputs", make: self(200_000, 10_000), want: "fee-high self-transfer"},
		{about: "nothing leaves, less than a twentieth", make: self(200_020, 10_000), want: "self-transfer"},
		{about: "below 1 sat/vB", make: pay(1_000_000, 200_001, vsize-1), want: "fee-low"},
		{about: "1 sat/vB", make: pay(1_000_000, 200_001, vsize)},
		{about: "a preview knows the fee too", make: pay(200_000, 50_000, 100_000), preview: true, want: "fee-absurd fee-high"},
	})
}

// TestSignedBefore: what this session has signed already.
func TestSignedBefore(t *testing.T) {
	ledger := signer.NewLedger()
	first := reviewFile(t, ordinary().Bytes(), demoKey(t), mainnet, ledger)
	if _, err := signer.Sign(t.Context(), approve(t, first), demoKey(t), nil); err != nil {
		t.Fatal(err)
	}
	accepted := func(s *signer.Settings) { s.AcceptUnproven = true }
	play(t, []scene{
		{about: "the same transaction again", ledger: ledger},
		{about: "a fee bump", ledger: ledger, make: func(p *samples.Packet) { p.Outputs[1].Amount -= 500 }, want: "input-signed-before"},
		{about: "another coin", ledger: ledger, make: func(p *samples.Packet) {
			p.Inputs = nil
			p.Name = "another"
			p.Spend(me.At(samples.P2WPKH, 0, 3), 200_000)
		}},
		{about: "the fee attack: the same coin with another amount", ledger: ledger, settings: accepted, make: func(p *samples.Packet) {
			p.Inputs[0].WithoutPrevious()
			p.Inputs[0].Claim(250_000)
			p.Outputs[1].Amount += 50_000
		}, want: "amount-changed amounts-unproven input-signed-before"},
		{about: "the same transaction with another amount", ledger: ledger, settings: accepted, make: func(p *samples.Packet) {
			p.Inputs[0].WithoutPrevious()
			p.Inputs[0].Claim(200_100)
		}, want: "amount-changed amounts-unproven"},
		{about: "another session"},
	})
}

// TestAmountChangedAfterNoAnswer: a reader that keeps the signature, and says
// that the card was pulled, gets none for another amount.
func TestAmountChangedAfterNoAnswer(t *testing.T) {
	ledger, k := signer.NewLedger(), demoKey(t)
	lied := func(p *samples.Packet) {
		p.Inputs[0].WithoutPrevious()
		p.Inputs[0].Claim(200_100)
	}
	settings := mainnet
	settings.AcceptUnproven = true
	claimed := ordinary()
	lied(claimed)
	early := reviewFile(t, claimed.Bytes(), k, settings, ledger) // made before anything was asked
	first := reviewFile(t, ordinary().Bytes(), k, mainnet, ledger)
	pulled := &card{Key: k, sign: func(context.Context, []signer.Request, func(int)) ([]signer.Signature, error) { return nil, errPulled }}
	a := approve(t, first)
	var stopped *signer.InterruptedError
	if _, err := signer.Sign(t.Context(), a, pulled, nil); !errors.As(err, &stopped) {
		t.Fatal(err)
	}
	play(t, []scene{
		{about: "the same coin with another amount", ledger: ledger,
			settings: func(s *signer.Settings) { s.AcceptUnproven = true }, make: lied, want: "amount-changed amounts-unproven"},
		{about: "a fee bump", ledger: ledger, make: func(p *samples.Packet) { p.Outputs[1].Amount -= 500 }},
	})
	if _, err := signer.Sign(t.Context(), approve(t, early), k, nil); !errors.Is(err, signer.ErrReviewChanged) {
		t.Errorf("a review from before: %v", err)
	}
	if _, err := signer.Sign(t.Context(), a, k, nil); err != nil {
		t.Errorf("going on with the first: %v", err)
	}
}
