package signer_test

import (
	"testing"

	"github.com/airlock-signer/airlock/signer"
	"github.com/airlock-signer/airlock/signer/samples"
)

// FuzzFields: a well-formed transaction with any field of any map, any output
// and any coin. Most bytes that FuzzReview makes are malformed; these are not.
func FuzzFields(f *testing.F) {
	add := func(where uint8, typ uint64, keyData, value []byte) {
		f.Add(where, typ, keyData, value, []byte{0x6a, 1, 1}, int64(0), int64(200_000), uint32(0xfffffffd), uint32(0))
	}
	add(0, inDerivation, thief.At(samples.P2WPKH, 0, 3).PubKey.SerializeCompressed(), samples.Origin(me.Fingerprint, samples.ParsePath("m/84h/0h/0h/0/3")))
	add(4, outDerivation, thief.At(samples.P2WPKH, 0, 3).PubKey.SerializeCompressed(), samples.Origin(me.Fingerprint, samples.ParsePath("m/84h/0h/0h/1h/3")))
	add(0, inFinalWit, nil, []byte{0})
	add(1, inFinalSig, nil, []byte{1, 1})
	add(2, inTapKeySig, nil, make([]byte, 64))
	add(3, 0x03, nil, []byte{3, 0, 0, 0})
	add(1, inRedeem, nil, []byte{0, 20, 1})
	add(0, inWitness, nil, []byte{0x51})
	add(4, 0x06, nil, []byte{0, 0xc0, 1, 0x51})
	add(2, 0x18, nil, make([]byte, 32))
	for _, typ := range []samples.Type{samples.P2WPKH, samples.P2SHP2WPKH, samples.P2PKH, samples.P2TR} {
		f.Add(uint8(9), uint64(0xfd), []byte{}, []byte{}, thief.At(typ, 0, 0).Script, int64(1), int64(-1), uint32(1), uint32(1))
	}
	own := signer.Ownership{Fingerprint: me.Fingerprint, HasFingerprint: true}
	for _, path := range []string{"m/84h/0h/0h", "m/86h/0h/0h", "m/44h/0h/0h", "m/49h/0h/0h"} {
		own.Accounts = append(own.Accounts, accountAt(path))
	}
	types := []samples.Type{samples.P2WPKH, samples.P2SHP2WPKH, samples.P2TR, samples.P2PKH}
	var spots []samples.Spot // deriving them is most of the work
	for i, one := range types {
		spots = append(spots, me.At(one, 0, uint32(i)))
	}
	back, other := me.At(samples.P2WPKH, 1, 0), thief.At(samples.P2WPKH, 0, 0).PubKey
	f.Fuzz(func(t *testing.T, where uint8, typ uint64, keyData, value, script []byte, pays, holds int64, sequence, lock uint32) {
		p := samples.NewPacket("fields")
		p.LockTime = lock
		for _, spot := range spots {
			p.Spend(spot, 50_000)
		}
		extra := p.Spend(samples.Spot{Type: samples.P2WPKH, Script: script, PubKey: other}, holds)
		extra.Sequence = sequence
		p.Change(back, 99_000)
		p.Pay(script, pays)
		maps := []*samples.Map{&p.Inputs[0].Map, &p.Inputs[1].Map, &p.Inputs[2].Map, &p.Inputs[3].Map, &p.Outputs[0].Map, &p.Outputs[1].Map, &extra.Map}
		maps[int(where)%len(maps)].Set(typ, keyData, value)
		tx, err := signer.Open(p.Bytes(), signer.Limits{MaxFile: 1 << 20})
		if err != nil {
			return
		}
		for _, s := range []signer.Settings{mainnet, {Network: signer.Signet, AcceptUnproven: true}} {
			checkReport(t, tx.Preview(s))
			r, err := tx.Review(t.Context(), s, own, nil)
			if err != nil {
				t.Fatal(err)
			}
			checkReport(t, r.Report())
		}
	})
}
