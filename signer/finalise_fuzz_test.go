package signer

import (
	"bytes"
	"testing"

	"github.com/airlock-signer/airlock/signer/container"
	"github.com/airlock-signer/airlock/signer/samples"
	"github.com/btcsuite/btcd/txscript"
	"github.com/btcsuite/btcd/wire"
)

// FuzzFinalise finalises and extracts whatever parses, reviewed or not: nothing
// but scriptSigs and witnesses is put in, what is complete serialises to a
// transaction that reads back the same, and the engine never panics over it.
func FuzzFinalise(f *testing.F) {
	for _, typ := range []samples.Type{samples.P2WPKH, samples.P2SHP2WPKH, samples.P2PKH, samples.P2TR} {
		me, p := samples.Demo(), samples.NewPacket("finalise")
		for i := range uint32(2) {
			p.Spend(me.At(typ, 0, i), 50_000)
		}
		p.Pay(samples.Stranger(0).At(typ, 0, 0).Script, 90_000)
		f.Add(p.Bytes())
		key := me.Private(me.AccountPath(typ) + "/0/0")
		if typ == samples.P2TR {
			p.Inputs[0].Set(container.InTapKeySig, nil, p.Signature(0, key, txscript.SigHashDefault))
		} else {
			p.Inputs[0].Set(container.InPartialSig, key.PubKey().SerializeCompressed(), p.Signature(0, key, txscript.SigHashAll))
		}
		f.Add(p.Bytes())
		p.Inputs[1].Set(container.InFinalScriptWitness, nil, []byte{2, 1, 0x51, 0})
		f.Add(p.Bytes())
		p.Inputs[1].Set(container.InFinalScriptSig, nil, []byte{1, 1})
		f.Add(p.Bytes())
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		tx, err := Open(file, Limits{MaxFile: 1 << 20})
		if err != nil || tx.summary {
			return
		}
		h, err := newHasher(tx.tx(), tx.spentOutputs())
		if err != nil {
			return
		}
		before := serialise(t, tx.tx())
		final, complete := finalise(tx.container, h)
		if !bytes.Equal(serialise(t, tx.tx()), before) {
			t.Fatal("the unsigned transaction was changed")
		}
		if !complete {
			return
		}
		whole, again := serialise(t, final), &wire.MsgTx{}
		if err := again.Deserialize(bytes.NewReader(whole)); err != nil {
			t.Fatalf("%x does not read back: %v", whole, err)
		}
		if !bytes.Equal(serialise(t, again), whole) {
			t.Fatalf("%x reads back as %x", whole, serialise(t, again))
		}
		for i := range again.TxIn {
			_ = h.executeInput(final, i) // any answer, but an answer
			again.TxIn[i].SignatureScript, again.TxIn[i].Witness = nil, nil
		}
		if !bytes.Equal(serialise(t, again), before) {
			t.Fatal("more than scriptSigs and witnesses was put in")
		}
	})
}

func serialise(t *testing.T, tx *wire.MsgTx) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := tx.Serialize(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
