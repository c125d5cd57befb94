package samples

import (
	"slices"

	"github.com/btcsuite/btcd/btcec/v2/schnorr"
	"github.com/btcsuite/btcd/txscript"
)

// Key types of scripts (BIP174, BIP371).
const (
	inWitnessScript  = 0x05
	inTapLeafScript  = 0x15
	inTapMerkleRoot  = 0x18
	outWitnessScript = 0x01
	outTapTree       = 0x06
)

// spendQuorum adds an input of an unregistered 2-of-2 with a key of ours.
func (s *shelf) spendQuorum(p *Packet) {
	script, spots := s.quorum("m/48h/0h/0h/2h/0/0")
	spot := spots[0]
	spot.Script = wsh(script)
	in := p.Spend(spot, 50_000)
	in.Derive(spots[1])
	in.Set(inWitnessScript, nil, script)
	p.Outputs[0].Amount += 50_000
}

// payQuorum replaces the change by an output of such a 2-of-2.
func (s *shelf) payQuorum(p *Packet) {
	script, spots := s.quorum("m/48h/0h/0h/2h/1/0")
	p.Outputs = p.Outputs[:1]
	out := p.Pay(wsh(script), 99_000)
	out.Derive(spots[0])
	out.Derive(spots[1])
	out.Set(outWitnessScript, nil, script)
}

// tree is a taproot output of one script behind a key.
type tree struct {
	script, leaf, control, root, encoded []byte // encoded as PSBT_OUT_TAP_TREE
}

func treeOf(key Spot, leaf []byte) tree {
	node := txscript.NewBaseTapLeaf(leaf)
	root := node.TapHash()
	out := txscript.ComputeTaprootOutputKey(key.PubKey, root[:])
	assembled := txscript.AssembleTaprootScriptTree(node)
	block := assembled.LeafMerkleProofs[0].ToControlBlock(key.PubKey)
	control, err := block.ToBytes()
	must(err)
	return tree{
		script: append([]byte{txscript.OP_1, 32}, schnorr.SerializePubKey(out)...),
		leaf:   append(slices.Clone(leaf), 0xc0), control: control, root: root[:],
		encoded: slices.Concat([]byte{0, 0xc0}, Compact(uint64(len(leaf))), leaf),
	}
}

// scriptCases: scripts that are not those behind the hash.
func scriptCases(s *shelf) {
	script, _ := s.quorum("m/48h/0h/0h/2h/1/0")
	other, _ := s.quorum("m/48h/0h/0h/2h/1/1")
	showing := func(script []byte, field uint64, value []byte) change {
		return func(p *Packet) { p.Pay(script, 600).Set(field, nil, value) }
	}

	s.refused("redeem-script-mismatch/hit-output", "redeem-script-mismatch", "An output shows another redeem script.", showing(sh(script), outRedeemScript, other))
	s.refused("redeem-script-mismatch/hit-empty", "redeem-script-mismatch", "An empty one.", showing(sh(script), outRedeemScript, nil))
	s.refused("redeem-script-mismatch/hit-none-belongs", "redeem-script-mismatch", "One where none belongs.", showing(wsh(script), outRedeemScript, script))
	s.refused("redeem-script-mismatch/hit-input", "redeem-script-mismatch", "Our nested input shows a stranger's.", s.spending(P2SHP2WPKH),
		input(0, func(in *Input) { in.Set(inRedeemScript, nil, s.friend.At(P2SHP2WPKH, 0, 0).Redeem) }))
	s.refused("redeem-script-mismatch/hit-native-input", "redeem-script-mismatch", "A native segwit input shows one.", input(0, func(in *Input) { in.Set(inRedeemScript, nil, script) }))
	s.clear("redeem-script-mismatch/miss-own", "Its own.", showing(sh(script), outRedeemScript, script))
	s.clear("redeem-script-mismatch/miss-input-without", "Our nested input without one: it is rebuilt.", s.spending(P2SHP2WPKH), input(0, func(in *Input) { in.Drop(inRedeemScript) }))
	s.clear("redeem-script-mismatch/miss-change-without", "Our nested change without one.", s.spending(P2SHP2WPKH), func(p *Packet) { p.Outputs[1].Drop(outRedeemScript) })

	s.refused("witness-script-mismatch/hit-output", "witness-script-mismatch", "An output shows another witness script.", showing(wsh(script), outWitnessScript, other))
	s.refused("witness-script-mismatch/hit-p2wpkh-input", "witness-script-mismatch", "Our single-key input shows one.", input(0, func(in *Input) { in.Set(inWitnessScript, nil, script) }))
	s.refused("witness-script-mismatch/hit-p2pkh", "witness-script-mismatch", "A legacy output shows one.", showing(s.friend.At(P2PKH, 0, 3).Script, outWitnessScript, script))
	s.clear("witness-script-mismatch/miss-own", "Its own.", showing(wsh(script), outWitnessScript, script))
	s.clear("witness-script-mismatch/miss-nested", "Its own, nested, without the redeem script.", showing(sh(wsh(script)), outWitnessScript, script))
	taprootCases(s, script)
	quorumCases(s, script)
}

// taprootCases: internal keys and trees that do not give the output key.
func taprootCases(s *shelf, script []byte) {
	showing := func(script []byte, field uint64, value []byte) change {
		return func(p *Packet) { p.Pay(script, 600).Set(field, nil, value) }
	}
	friend := s.friend.At(P2TR, 0, 0)
	internal := schnorr.SerializePubKey(friend.PubKey)
	full := treeOf(friend, script)
	s.refused("taproot-mismatch/hit-internal-key", "taproot-mismatch", "An output shows another internal key.", showing(s.friend.At(P2TR, 0, 1).Script, outTapInternalKey, internal))
	s.refused("taproot-mismatch/hit-tree", "taproot-mismatch", "An output shows a tree that it lacks.", func(p *Packet) {
		out := p.Pay(friend.Script, 600)
		out.Set(outTapInternalKey, nil, internal)
		out.Set(outTapTree, nil, full.encoded)
	})
	s.refused("taproot-mismatch/hit-tree-hidden", "taproot-mismatch", "An output with scripts behind its key shows the key alone.", showing(full.script, outTapInternalKey, internal))
	s.refused("taproot-mismatch/hit-input-key", "taproot-mismatch", "Our input shows a stranger's internal key.", s.spending(P2TR), input(0, func(in *Input) { in.Set(inTapInternalKey, nil, internal) }))
	s.refused("taproot-mismatch/hit-input-root", "taproot-mismatch", "Our input shows a merkle root that it lacks.", s.spending(P2TR), input(0, func(in *Input) { in.Set(inTapMerkleRoot, nil, full.root) }))
	s.refused("taproot-mismatch/hit-input-root-alone", "taproot-mismatch", "A merkle root, and no internal key to contradict it.", s.spending(P2TR), input(0, func(in *Input) {
		in.Drop(inTapInternalKey)
		in.Set(inTapMerkleRoot, nil, full.root)
	}))
	s.refused("taproot-mismatch/hit-input-leaf", "taproot-mismatch", "Our input shows a script with the control block of another.", s.spending(P2TR), input(0, func(in *Input) { in.Set(inTapLeafScript, full.control, full.leaf) }))
	s.refused("taproot-mismatch/hit-segwit", "taproot-mismatch", "A taproot field on a segwit v0 input.", input(0, func(in *Input) { in.Set(inTapInternalKey, nil, internal) }))
	s.clear("taproot-mismatch/miss-own", "Its own internal key.", showing(friend.Script, outTapInternalKey, internal))
	s.clear("taproot-mismatch/miss-tree", "A tree that it has.", func(p *Packet) {
		out := p.Pay(full.script, 600)
		out.Set(outTapInternalKey, nil, internal)
		out.Set(outTapTree, nil, full.encoded)
	})
	s.clear("taproot-mismatch/miss-without", "Our input without its internal key.", s.spending(P2TR), input(0, func(in *Input) { in.Drop(inTapInternalKey) }))
}

// quorumCases: our key in a script that is more than our key.
func quorumCases(s *shelf, script []byte) {
	leafKey := s.me.At(P2TR, 0, 0)
	ours := treeOf(leafKey, script)
	s.refused("script-unsupported/hit-quorum", "script-unsupported wallet-unregistered", "Our key in a 2-of-2 that is spent.", s.spendQuorum)
	s.refused("script-unsupported/hit-taproot-scripts", "script-unsupported wallet-unregistered", "Our key, with scripts behind it, is spent.", s.spending(P2TR), func(p *Packet) {
		spot := leafKey
		spot.Script = ours.script
		p.Spend(spot, 50_000).Set(inTapMerkleRoot, nil, ours.root)
		p.Outputs[0].Amount += 50_000
	})
	s.refused("script-unsupported/hit-card", "script-unsupported", "A card that makes no Schnorr signatures.", s.spending(P2TR)).NoSchnorr = true
	s.clear("script-unsupported/miss-card", "The same card, segwit v0.").NoSchnorr = true
	s.caution("script-unsupported/miss-stranger", "foreign-input", "Strangers' 2-of-2 is their affair.", s.spendQuorum, input(1, func(in *Input) { in.Drop(inBip32Derivation) }))

	s.refused("wallet-unregistered/hit-input", "script-unsupported wallet-unregistered", "Our key in a 2-of-2 that is spent.", s.spendQuorum)
	s.caution("wallet-unregistered/hit-output", "wallet-unregistered", "Our key in a 2-of-2 that is paid: not change.", s.payQuorum)
	s.caution("wallet-unregistered/hit-nested", "wallet-unregistered", "The same, nested.", s.payQuorum, func(p *Packet) {
		out := p.Outputs[1]
		out.Set(outRedeemScript, nil, out.Script)
		out.Script = sh(out.Script)
	})
	s.caution("wallet-unregistered/hit-taproot", "wallet-unregistered", "Our key with scripts behind it is paid.", s.spending(P2TR), func(p *Packet) {
		spot := leafKey
		spot.Script = ours.script
		p.Outputs = p.Outputs[:1]
		p.Change(spot, 99_000).Set(outTapTree, nil, ours.encoded)
	})
	s.clear("wallet-unregistered/miss-strangers", "A 2-of-2 of strangers is paid.", func(p *Packet) { s.payQuorum(p); p.Outputs[1].Drop(outBip32Derivation) })
}
