package signer

import (
	"bytes"

	"github.com/airlock-signer/airlock/signer/container"
	"github.com/btcsuite/btcd/btcec/v2/schnorr"
	"github.com/btcsuite/btcd/chaincfg/chainhash"
	"github.com/btcsuite/btcd/txscript"
)

// taprootFacts is what a map says about the inside of a p2tr script (BIP341,
// BIP371).
type taprootFacts struct {
	opened   bool     // internal key and tree, or a control block, give the output key
	wrong    bool     // … or give another one
	internal []byte   // x-only internal key
	rooted   bool     // an input: a merkle root is given
	leaves   [][]byte // of an input
	tree     []byte   // of an output
}

// scripts tells whether the file says that there are scripts behind the key.
func (f *taprootFacts) scripts() bool {
	return f != nil && (f.rooted || len(f.leaves) > 0 || f.tree != nil)
}

// holds tells whether the key is the internal key or stands in a leaf.
func (f *taprootFacts) holds(key [33]byte) bool {
	if bytes.Equal(f.internal, key[1:]) {
		return true
	}
	for _, leaf := range f.leaves {
		if holdsKey(leaf, key) {
			return true
		}
	}
	found := false
	eachLeaf(f.tree, func(_ int, _ byte, script []byte) bool {
		found = holdsKey(script, key)
		return !found
	})
	return found
}

// taprootInput reads the fields of an input that spends script; nil where there
// are none.
func taprootInput(m *container.Map, script []byte) *taprootFacts {
	var f taprootFacts
	given := false
	var root []byte
	for i := range m.Pairs {
		switch p := &m.Pairs[i]; p.Type {
		case container.InTapInternalKey:
			given, f.internal = true, p.Value
		case container.InTapMerkleRoot:
			given, root, f.rooted = true, p.Value, true
		case container.InTapLeafScript:
			given = true
			f.leaf(p.KeyData, p.Value, script)
		}
	}
	if !given {
		return nil
	}
	// Without a root the tree is unknown where leaves were given: then the
	// control blocks have spoken.
	if f.internal != nil && (f.rooted || len(f.leaves) == 0) {
		f.judge(taprootCommits(script, f.internal, root))
	}
	return &f
}

// taprootOutput reads the fields of an output that pays script; nil where there
// are none.
func taprootOutput(m *container.Map, script []byte) *taprootFacts {
	var f taprootFacts
	given := false
	var root []byte
	for i := range m.Pairs {
		switch p := &m.Pairs[i]; p.Type {
		case container.OutTapInternalKey:
			given, f.internal = true, p.Value
		case container.OutTapTree:
			given = true
			f.tree = p.Value
			var ok bool
			if root, ok = treeRoot(p.Value); !ok {
				f.wrong = true
			}
		}
	}
	if !given {
		return nil
	}
	if f.internal != nil {
		f.judge(taprootCommits(script, f.internal, root))
	}
	return &f
}

func (f *taprootFacts) judge(fits bool) {
	f.opened = f.opened || fits
	f.wrong = f.wrong || !fits
}

// leaf checks one leaf script with its control block against the script spent.
func (f *taprootFacts) leaf(control, value, script []byte) {
	block, err := txscript.ParseControlBlock(control)
	if err != nil || len(value) == 0 || scriptTypeOf(script) != P2TR {
		f.wrong = true
		return
	}
	leaf := value[:len(value)-1]
	f.judge(txscript.VerifyTaprootLeafCommitment(block, script[2:], leaf) == nil)
	f.leaves = append(f.leaves, leaf)
}

// taprootCommits tells whether internal key and merkle root (nil: no scripts)
// give the output key of script.
func taprootCommits(script, internal, root []byte) bool {
	if scriptTypeOf(script) != P2TR {
		return false
	}
	key, err := schnorr.ParsePubKey(internal)
	if err != nil {
		return false
	}
	output := txscript.ComputeTaprootOutputKey(key, root)
	return bytes.Equal(script[2:], schnorr.SerializePubKey(output))
}

// treeRoot computes the merkle root of PSBT_OUT_TAP_TREE: leaves in depth-first
// order, each with its depth and leaf version. Only the hashes that wait for
// their sibling are kept.
func treeRoot(tree []byte) (root []byte, ok bool) {
	var left [129]*chainhash.Hash // a finished subtree a depth
	ok = eachLeaf(tree, func(depth int, version byte, script []byte) bool {
		if left[0] != nil {
			return false
		}
		node := txscript.NewTapLeaf(txscript.TapscriptLeafVersion(version), script).TapHash()
		for ; depth > 0 && left[depth] != nil; depth-- {
			node = tapBranch(*left[depth], node)
			left[depth] = nil
		}
		left[depth] = &node
		return true
	})
	if !ok || left[0] == nil {
		return nil, false
	}
	return left[0][:], true
}

// eachLeaf walks the leaves of PSBT_OUT_TAP_TREE. It is false where they do not
// parse or yield says so.
func eachLeaf(tree []byte, yield func(depth int, version byte, script []byte) bool) bool {
	for len(tree) > 0 {
		if len(tree) < 3 || tree[0] > 128 {
			return false
		}
		script, rest, ok := takeVector(tree[2:])
		if !ok || !yield(int(tree[0]), tree[1], script) {
			return false
		}
		tree = rest
	}
	return true
}

// tapBranch joins two nodes, the smaller first (BIP341).
func tapBranch(a, b chainhash.Hash) chainhash.Hash {
	if bytes.Compare(a[:], b[:]) > 0 {
		a, b = b, a
	}
	return *chainhash.TaggedHash(chainhash.TagTapBranch, a[:], b[:])
}
