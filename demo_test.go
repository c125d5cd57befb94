//go:build simulation

package main

import (
	"bytes"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/btcsuite/btcd/btcutil/psbt"
	"github.com/btcsuite/btcd/txscript"
	"github.com/btcsuite/btcd/wire"
)

// TestDemoFromStickToSignedTransaction is the main job in the demo, driven by
// keys in a real terminal.
func TestDemoFromStickToSignedTransaction(t *testing.T) {
	stick := sampleStick(t)
	term := startTerminal(t, nil, program(t), "--demo", "--allow-network", "--media", stick)
	term.expect("SIMULATED", "PIN is 1234", "22 transaction files", "Enter open a file")
	term.shot("first screen")
	term.keys("Enter")
	term.choose("payment.psbt")
	term.shot("the files on the stick")
	term.keys("Enter")
	term.expect("CLAIMED", "Enter go on to the card")
	term.shot("what the file claims")
	term.keys("Enter")
	term.expect("Insert the card", "i insert card")
	term.keys("i")
	term.expect("PIN:", "Enter unlock")
	term.text("1234")
	term.expect("> ****")
	term.shot("the PIN")
	term.keys("Enter")
	s := term.expect("CLEAR", "back to you", "fee", "Enter next page")
	term.shot("the review")
	if strings.Contains(s, "1234") {
		t.Error("the PIN is on the screen")
	}
	term.readReview()
	term.text("0.0025")
	term.expect("> 0.0025")
	term.shot("the approval")
	term.keys("Enter")
	term.expect("The card signs input 2 of 3")
	term.shot("signing")
	term.expect("payment-signed.psbt", "payment-final.txn", "read back", "Enter back to the files")
	term.shot("the result")
	checkSigned(t, filepath.Join(stick, "payment.psbt"))
	term.keys("h")
	term.expect("q quit")
	term.keys("q")
	term.expect("exit status 0")
}

// checkSigned accepts the result only as implementations that are not ours see
// it: btcutil/psbt reads the signed file, txscript's engine runs every input.
func checkSigned(t *testing.T, unsigned string) {
	t.Helper()
	base := strings.TrimSuffix(unsigned, ".psbt")
	signed, err := os.ReadFile(base + "-signed.psbt")
	if err != nil {
		t.Fatal(err)
	}
	packet, err := psbt.NewFromRawBytes(bytes.NewReader(signed), false)
	if err != nil {
		t.Fatalf("btcutil/psbt: %v", err)
	}
	text, err := os.ReadFile(base + "-final.txn")
	if err != nil {
		t.Fatal(err)
	}
	raw, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	var tx wire.MsgTx
	if err := tx.Deserialize(bytes.NewReader(raw)); err != nil {
		t.Fatal(err)
	}
	prev := map[wire.OutPoint]*wire.TxOut{}
	for i, in := range packet.Inputs {
		op := packet.UnsignedTx.TxIn[i].PreviousOutPoint
		prev[op] = in.NonWitnessUtxo.TxOut[op.Index]
	}
	fetch := txscript.NewMultiPrevOutFetcher(prev)
	hashes := txscript.NewTxSigHashes(&tx, fetch)
	for i, in := range tx.TxIn {
		out := prev[in.PreviousOutPoint]
		vm, err := txscript.NewEngine(out.PkScript, &tx, i, txscript.StandardVerifyFlags, nil, hashes, out.Value, fetch)
		if err == nil {
			err = vm.Execute()
		}
		if err != nil {
			t.Errorf("input %d: %v", i, err)
		}
	}
}
