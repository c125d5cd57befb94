package container

import "github.com/btcsuite/btcd/btcec/v2/schnorr"

const (
	hashLen  = 32
	xonlyLen = 32
	pubLen   = 33
	// maxDepth is how deep a leaf may lie in a taproot tree (BIP341).
	maxDepth = 128
	// leafMask takes the leaf version out of the first byte of a control block
	// (BIP341); a leaf version is even.
	leafMask = 0xfe
)

// checkTaprootInput looks at the fields of BIP371 and BIP373 in an input map.
func checkTaprootInput(r *reader, p Pair) error {
	switch p.Type {
	case InTapKeySig:
		if err := checkBare(r, p); err != nil {
			return err
		}
		return checkSchnorr(r, p)
	case InTapScriptSig:
		if err := checkKeyLen(r, p, xonlyLen+hashLen); err != nil {
			return err
		}
		if err := onCurveX(r, p, p.KeyData[:xonlyLen], p.keyDataOffset()); err != nil {
			return err
		}
		return checkSchnorr(r, p)
	case InTapLeafScript:
		return checkLeafScript(r, p)
	case InTapBip32Derivation:
		return checkTapDerivation(r, p)
	case InTapInternalKey:
		return checkInternalKey(r, p)
	case InTapMerkleRoot:
		return checkBareLen(r, p, hashLen)
	case InMusig2Participants:
		return checkParticipants(r, p)
	case InMusig2PubNonce:
		return checkMusig2(r, p, 66)
	case InMusig2PartialSig:
		return checkMusig2(r, p, 32)
	}
	return nil
}

// checkSchnorr wants a signature with or without a sighash byte (BIP341).
func checkSchnorr(r *reader, p Pair) error {
	if n := len(p.Value); n != 64 && n != 65 {
		return fail(p.valueOffset(), "the signature of type 0x%02x in %s is %d bytes long, not 64 or 65", p.Type, r.place, n)
	}
	return nil
}

// onCurveX wants an x-only public key (BIP340) that is a point of the curve.
func onCurveX(r *reader, p Pair, key []byte, at int) error {
	if _, err := schnorr.ParsePubKey(key); err != nil {
		return fail(at, "the x-only public key of type 0x%02x in %s is not on the curve", p.Type, r.place)
	}
	return nil
}

func checkInternalKey(r *reader, p Pair) error {
	if err := checkBareLen(r, p, xonlyLen); err != nil {
		return err
	}
	return onCurveX(r, p, p.Value, p.valueOffset())
}

// checkLeafScript wants a control block (BIP341) as key data, and a value that
// ends with the leaf version the control block has.
func checkLeafScript(r *reader, p Pair) error {
	n := len(p.KeyData)
	if n < 1+xonlyLen || (n-1-xonlyLen)%hashLen != 0 || (n-1-xonlyLen)/hashLen > maxDepth {
		return fail(p.keyDataOffset(), "the control block in %s is %d bytes long: it is 33+32·m with m up to %d", r.place, n, maxDepth)
	}
	if err := onCurveX(r, p, p.KeyData[1:1+xonlyLen], p.keyDataOffset()+1); err != nil {
		return err
	}
	if len(p.Value) == 0 {
		return fail(p.valueOffset(), "a taproot leaf script in %s has no leaf version", r.place)
	}
	version := p.Value[len(p.Value)-1]
	if version&^leafMask != 0 {
		return fail(p.End-1, "a taproot leaf script in %s has the odd leaf version 0x%02x", r.place, version)
	}
	if want := p.KeyData[0] & leafMask; version != want {
		return fail(p.End-1, "a taproot leaf script in %s has leaf version 0x%02x and its control block 0x%02x", r.place, version, want)
	}
	return nil
}

// checkTapDerivation wants an x-only key, leaf hashes that their count
// precedes, and a path.
func checkTapDerivation(r *reader, p Pair) error {
	if err := checkKeyLen(r, p, xonlyLen); err != nil {
		return err
	}
	if err := onCurveX(r, p, p.KeyData, p.keyDataOffset()); err != nil {
		return err
	}
	v := r.inside(p)
	n, err := readCount(&v, hashLen, "the number of leaf hashes")
	if err != nil {
		return err
	}
	if _, err := v.take(uint64(n)*hashLen, "a list of leaf hashes"); err != nil {
		return err
	}
	return checkPath(r, p, p.Value[len(p.Value)-v.left():])
}

// checkTapTree wants leaves in depth-first order that make one whole binary
// tree (BIP371).
func checkTapTree(r *reader, p Pair) error {
	if err := checkBare(r, p); err != nil {
		return err
	}
	var t tree
	v := r.inside(p)
	for v.left() != 0 {
		at := v.off
		if t.whole() {
			return fail(at, "the taproot tree in %s goes on after it is complete", r.place)
		}
		head, err := v.take(2, "a leaf of the taproot tree")
		if err != nil {
			return err
		}
		if head[1]&^leafMask != 0 {
			return fail(at+1, "a leaf of the taproot tree in %s has the odd leaf version 0x%02x", r.place, head[1])
		}
		if _, err := v.vector("the length of a leaf script", "a leaf script"); err != nil {
			return err
		}
		if !t.add(int(head[0])) {
			return fail(at, "a leaf of the taproot tree in %s cannot stand at depth %d", r.place, head[0])
		}
	}
	if !t.whole() {
		return fail(p.End, "the taproot tree in %s is empty or lacks leaves", r.place)
	}
	return nil
}

// tree follows the shape of a taproot tree while its leaves come in. left[d]
// is a finished left subtree at depth d that waits for its sibling; deepest is
// the greatest such d.
type tree struct {
	left    [maxDepth + 1]bool
	deepest int
}

func (t *tree) whole() bool { return t.left[0] }

// add puts the next leaf at a depth and joins what it completes. It is false
// where no leaf can stand at that depth.
func (t *tree) add(depth int) bool {
	if depth > maxDepth || depth < t.deepest {
		return false
	}
	for depth > 0 && t.left[depth] {
		t.left[depth] = false
		depth--
	}
	t.left[depth] = true
	t.deepest = depth
	return true
}

// checkCompressed wants a compressed public key. Some taproot tools would put
// an x-only key there.
func checkCompressed(r *reader, p Pair, key []byte, at int) error {
	if key[0] != 2 && key[0] != 3 {
		return fail(at, "the public key of type 0x%02x in %s is not compressed", p.Type, r.place)
	}
	return onCurve(r, p, key, at)
}

// checkParticipants wants an aggregate key and one or more participants
// (BIP373).
func checkParticipants(r *reader, p Pair) error {
	if err := checkKeyLen(r, p, pubLen); err != nil {
		return err
	}
	if err := checkCompressed(r, p, p.KeyData, p.keyDataOffset()); err != nil {
		return err
	}
	if n := len(p.Value); n == 0 || n%pubLen != 0 {
		return fail(p.valueOffset(), "the list of participants in %s is %d bytes long, not 33·n", r.place, n)
	}
	for i := 0; i < len(p.Value); i += pubLen {
		if err := checkCompressed(r, p, p.Value[i:i+pubLen], p.valueOffset()+i); err != nil {
			return err
		}
	}
	return nil
}

// checkMusig2 wants a participant's and the aggregate key, perhaps a leaf hash,
// and a value of n bytes (BIP373).
func checkMusig2(r *reader, p Pair, n int) error {
	if l := len(p.KeyData); l != 2*pubLen && l != 2*pubLen+hashLen {
		return fail(p.keyDataOffset(), "the key data of type 0x%02x in %s is %d bytes long, not 66 or 98", p.Type, r.place, l)
	}
	for i := range 2 {
		if err := checkCompressed(r, p, p.KeyData[i*pubLen:][:pubLen], p.keyDataOffset()+i*pubLen); err != nil {
			return err
		}
	}
	return checkValueLen(r, p, n)
}
