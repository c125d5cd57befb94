package signer_test

import (
	"bytes"
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"testing"
	"time"

	"github.com/airlock-signer/airlock/signer"
	"github.com/airlock-signer/airlock/signer/samples"
	"github.com/btcsuite/btcd/btcutil/psbt"
	"github.com/btcsuite/btcd/txscript"
	"github.com/btcsuite/btcd/wire"
)

// benchFile is a file to be measured with.
type benchFile struct {
	name string
	make func() []byte
}

// benchFiles are files of 1 to 5,000 inputs of each type, 500 inputs that bring
// a previous transaction of 100 kB each, and 500 that spend one and the same.
func benchFiles() []benchFile {
	var files []benchFile
	for _, typ := range allTypes {
		for _, n := range []int{1, 100, 5_000} {
			files = append(files, benchFile{fmt.Sprintf("%s/%d", typ, n), func() []byte { return benchPacket(typ, n, nil) }})
		}
	}
	wide := samples.Stranger(1).At(samples.P2WPKH, 0, 0).Script
	large := func(i int) *wire.MsgTx { // 100 kB
		tx, _ := samples.Coin(fmt.Sprint("large ", i), wide, 1_000)
		for range 3_220 {
			tx.AddTxOut(wire.NewTxOut(1_000, wide))
		}
		return tx
	}
	one := large(0)
	return append(files,
		benchFile{"p2wpkh-100kB-previous/500", func() []byte { return benchPacket(samples.P2WPKH, 500, large) }},
		benchFile{"p2wpkh-one-100kB-previous/500", func() []byte {
			return benchPacket(samples.P2WPKH, 500, func(int) *wire.MsgTx { return one })
		}})
}

// benchPacket spends n coins of the demo wallet, with change. previous gives the
// transaction that coin i is put into; nil: small ones.
func benchPacket(typ samples.Type, n int, previous func(i int) *wire.MsgTx) []byte {
	p := samples.NewPacket("bench")
	spots := make([]samples.Spot, 20) // deriving them is not what is measured
	for i := range spots {
		spots[i] = me.At(typ, 0, uint32(i))
	}
	prevs := make([]*wire.MsgTx, n)
	for i := range prevs {
		if previous != nil {
			prevs[i] = previous(i)
			prevs[i].TxOut[i] = wire.NewTxOut(100_000, spots[i%len(spots)].Script)
		}
	}
	for i, prev := range prevs {
		if spot := spots[i%len(spots)]; prev != nil {
			p.SpendFrom(spot, prev, uint32(i))
		} else {
			p.Spend(spot, 100_000)
		}
	}
	p.Change(me.At(typ, 1, 0), int64(n)*50_000)
	p.Pay(friend.At(samples.P2WPKH, 0, 0).Script, int64(n)*49_500)
	return p.Bytes()
}

// BenchmarkFiles measures what a person waits for: preview (file to first
// report), review (with the account keys of the card) and finish (from the
// card's signatures to the transaction for the network, the card's own work left
// out), and sets each beside btcutil/psbt with txscript doing its part on the
// same file in the same run: "x-btcutil" is how many times as long, "peak-MB"
// the most that the heap held beyond the file, "peak-x-btcutil" how many times
// as much as there.
func BenchmarkFiles(b *testing.B) {
	for _, f := range benchFiles() {
		b.Run(f.name, func(b *testing.B) {
			w := newWays(b, f.make())
			b.Run("preview", func(b *testing.B) { beside(b, w.preview, w.theirPreview) })
			b.Run("review", func(b *testing.B) { beside(b, w.review, w.theirReview) })
			b.Run("finish", func(b *testing.B) { beside(b, w.finish, w.theirFinish) })
		})
	}
}

// ways are the stages over one file, ours and theirs. None of them returns an
// error that can be gone on from.
type ways struct {
	b        *testing.B
	file     []byte // binary
	signed   []byte // the same with all signatures
	own      signer.Ownership
	key      *card // answers with the signatures that were made once
	approved func() signer.Approval
}

func newWays(b *testing.B, file []byte) *ways {
	b.Helper()
	soft := demoKey(b)
	made := map[[32]byte]signer.Signature{}
	w := &ways{b: b, file: file, key: &card{Key: soft}}
	w.key.sign = func(ctx context.Context, reqs []signer.Request, _ func(int)) ([]signer.Signature, error) {
		sigs := make([]signer.Signature, len(reqs))
		for i, r := range reqs {
			if sigs[i] = made[r.Digest]; sigs[i] == nil {
				one, err := soft.Sign(ctx, reqs[i:i+1], func(int) {})
				if err != nil {
					return nil, err
				}
				sigs[i], made[r.Digest] = one[0], one[0]
			}
		}
		return sigs, nil
	}
	tx := w.open()
	w.own = signer.Ownership{Fingerprint: soft.Fingerprint(), HasFingerprint: true, Can: soft.Can}
	for _, path := range tx.AccountsWanted(soft.Fingerprint()) {
		a, err := soft.Account(b.Context(), path)
		w.check(err)
		w.own.Accounts = append(w.own.Accounts, a)
	}
	review, err := tx.Review(b.Context(), mainnet, w.own, signer.NewLedger())
	w.check(err)
	w.approved = func() signer.Approval { return approve(b, review) }
	result, err := signer.Sign(b.Context(), w.approved(), w.key, nil)
	w.check(err)
	if !result.Complete {
		b.Fatal("not complete")
	}
	w.signed = result.PSBT
	return w
}

func (w *ways) check(err error) {
	if err != nil {
		w.b.Fatal(err)
	}
}

func (w *ways) open() *signer.Transaction {
	tx, err := signer.Open(w.file, signer.DefaultLimits())
	w.check(err)
	return tx
}

func (w *ways) preview() any { return w.open().Preview(mainnet) }

func (w *ways) review() any {
	r, err := w.open().Review(w.b.Context(), mainnet, w.own, nil)
	w.check(err)
	return r
}

func (w *ways) finish() any {
	result, err := signer.Sign(w.b.Context(), w.approved(), w.key, nil)
	w.check(err)
	return result
}

// theirParse reads the file and takes every amount from the previous
// transaction that its outpoint names.
func (w *ways) theirParse(file []byte) (*psbt.Packet, *txscript.MultiPrevOutFetcher) {
	p, err := psbt.NewFromRawBytes(bytes.NewReader(file), false)
	w.check(err)
	spent := txscript.NewMultiPrevOutFetcher(nil)
	for i, in := range p.UnsignedTx.TxIn {
		out := p.Inputs[i].WitnessUtxo
		if prev := p.Inputs[i].NonWitnessUtxo; prev != nil {
			if prev.TxHash() != in.PreviousOutPoint.Hash {
				w.b.Fatal("another previous transaction")
			}
			out = prev.TxOut[in.PreviousOutPoint.Index]
		}
		spent.AddPrevOut(in.PreviousOutPoint, out)
	}
	return p, spent
}

// theirPreview is what little it takes to show amounts, addresses and the fee.
func (w *ways) theirPreview() any {
	p, spent := w.theirParse(w.file)
	fee := int64(0)
	var addresses []string
	show := func(out *wire.TxOut) {
		_, list, _, err := txscript.ExtractPkScriptAddrs(out.PkScript, mainnet.Network.Params())
		w.check(err)
		addresses = append(addresses, list[0].EncodeAddress())
	}
	for _, in := range p.UnsignedTx.TxIn {
		out := spent.FetchPrevOutput(in.PreviousOutPoint)
		fee += out.Value
		show(out)
	}
	for _, out := range p.UnsignedTx.TxOut {
		fee -= out.Value
		show(out)
	}
	return []any{p, fee, addresses}
}

// theirReview also derives every key that is claimed and compares it.
func (w *ways) theirReview() any {
	shown, account := w.theirPreview(), w.own.Accounts[0]
	p := shown.([]any)[0].(*psbt.Packet)
	compare := func(path []uint32, key []byte) {
		node := account.Key
		for _, n := range path[len(account.Path):] {
			var err error
			node, err = node.Derive(n)
			w.check(err)
		}
		pub, err := node.ECPubKey()
		w.check(err)
		if got := pub.SerializeCompressed(); !bytes.HasSuffix(got, key) {
			w.b.Fatal("another key")
		}
	}
	for i := range p.Inputs {
		for _, d := range p.Inputs[i].Bip32Derivation {
			compare(d.Bip32Path, d.PubKey)
		}
		for _, d := range p.Inputs[i].TaprootBip32Derivation {
			compare(d.Bip32Path, d.XOnlyPubKey)
		}
	}
	return shown
}

// theirFinish finalises, extracts and runs the engine over every input.
func (w *ways) theirFinish() any {
	p, spent := w.theirParse(w.signed)
	w.check(psbt.MaybeFinalizeAll(p))
	tx, err := psbt.Extract(p)
	w.check(err)
	mid := txscript.NewTxSigHashes(tx, spent)
	for i, in := range tx.TxIn {
		out := spent.FetchPrevOutput(in.PreviousOutPoint)
		vm, err := txscript.NewEngine(out.PkScript, tx, i, txscript.StandardVerifyFlags, nil, mid, out.Value, spent)
		w.check(err)
		w.check(vm.Execute())
	}
	return tx
}

// beside measures ours as the benchmark, and then theirs as often.
func beside(b *testing.B, ours, theirs func() any) {
	b.ReportAllocs()
	for b.Loop() {
		ours()
	}
	mine, n := b.Elapsed(), b.N
	start := time.Now()
	for range min(n, 20) {
		theirs()
	}
	each := time.Since(start) / time.Duration(min(n, 20))
	b.ReportMetric(float64(mine)/float64(n)/float64(each), "x-btcutil")
	peakOurs, peakTheirs := peakHeap(ours), peakHeap(theirs)
	if min(peakOurs, peakTheirs) > 1e5 { // less is lost in the noise
		b.ReportMetric(peakOurs/1e6, "peak-MB")
		b.ReportMetric(peakOurs/peakTheirs, "peak-x-btcutil")
	}
}

// peakHeap is the most that the live heap grew while f ran, in bytes: garbage is
// collected often, and the heap looked at every millisecond.
func peakHeap(f func() any) float64 {
	defer debug.SetGCPercent(debug.SetGCPercent(10))
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	runtime.GC()
	metrics.Read(sample)
	before, most := sample[0].Value.Uint64(), uint64(0)
	done, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for tick := time.Tick(time.Millisecond); ; {
			select {
			case <-done:
				return
			case <-tick:
				metrics.Read(sample)
				most = max(most, sample[0].Value.Uint64())
			}
		}
	}()
	kept := f()
	close(done)
	<-stopped
	metrics.Read(sample)
	most = max(most, sample[0].Value.Uint64())
	runtime.KeepAlive(kept)
	return float64(most - min(most, before))
}
