package signer

import (
	"fmt"
	"iter"
	"slices"
)

// status is what the proof of ownership of one input or output came to.
type status uint8

const (
	stranger status = iota // nothing names us
	proven                 // rebuilt from a key of ours
	claimed                // a derivation is given and nothing was there to prove it with
	away                   // our fingerprint, at an account we do not hold
	like                   // no fingerprint, a path like ours, another key
	policy                 // our key in a script that is right, and belongs to no registered wallet
	opaque                 // our key is named for a script whose inside the file does not show
	fraud                  // it names us and is not what it says
)

// standing is that, with what it is based on.
type standing struct {
	status status
	why    string // for fraud: what is wrong, as a sentence
	// Where proven: the key, its place, and the type of the script. Where
	// merely claimed: path and fingerprint of the first claim.
	key         [33]byte
	path        Path
	fingerprint [4]byte
	spot        spot
	script      ScriptType
}

// inside is what a script shows of itself beyond its hash.
type inside struct {
	redeem, witness []byte
	taproot         *taprootFacts
}

// judge proves or disproves that script is ours; nil where nothing names us.
// known is false where the file does not say what an input spends.
func (r *keyring) judge(c *claims, script []byte, known bool, in inside) *standing {
	if len(c.ours)+len(c.lies)+len(c.like) == 0 && c.away == nil {
		return nil
	}
	s := &standing{}
	if c.first != nil {
		s.path, s.fingerprint = c.first.path(), c.first.fingerprint
	}
	switch {
	case len(c.lies) > 0:
		s.status, s.path = fraud, c.lies[0]
		s.why = fmt.Sprintf("The file says that the key at %v is yours, but it is another key.", c.lies[0])
		return s
	case len(c.ours) == 0 && c.away != nil:
		s.status, s.path = away, c.away
		return s
	case len(c.ours) == 0 && len(c.like) > 0:
		s.status, s.path = like, c.like[0]
		return s
	}
	own := &c.ours[0]
	s.path, s.key = own.path, own.key
	if !known {
		s.status = opaque
		return s
	}
	for i := range c.ours {
		if spot, t, ok := c.ours[i].rebuild(script); ok {
			s.status, s.spot, s.script = proven, spot, t
			s.key, s.path = c.ours[i].key, c.ours[i].path
			break
		}
	}
	if s.status == proven {
		switch {
		case len(c.ours) > 1:
			s.status, s.why = fraud, "The script is that of one key of yours, but the file names another of your keys for it too."
		case in.taproot != nil && in.taproot.tree != nil:
			s.status, s.why = fraud, "The script is that of your key alone, but the file says that other scripts can spend it too."
		}
		return s
	}
	s.status, s.why = lookInside(c, script, in)
	return s
}

// lookInside says what a script that names keys of ours is, where it is not
// the script of such a key alone.
func lookInside(c *claims, script []byte, in inside) (status, string) {
	for i := range c.ours {
		for _, s := range c.ours[i].spots {
			if s.holder.wallet != nil {
				return fraud, fmt.Sprintf("The file says that this script belongs to your %s, but that wallet does not have it.", s.holder.proof())
			}
		}
	}
	holds := func(key [33]byte) bool { return holdsKey(script, key) }
	switch scriptTypeOf(script) {
	case P2TR:
		t := in.taproot
		if t == nil {
			t = &taprootFacts{}
		}
		if t.wrong {
			return fraud, "The taproot script names your key, but what the file shows of its inside does not belong to it."
		}
		if !t.opened {
			return fraud, "The taproot script is not the one of the key of yours that the file names for it."
		}
		holds = t.holds
	case P2SH, P2WSH:
		inner, known, fits := innermost(script, in.redeem, in.witness)
		switch {
		case !fits:
			return fraud, "The script that the file shows for your key is not the one behind this address."
		case !known:
			return c.hidden()
		}
		holds = func(key [33]byte) bool { return holdsKey(inner, key) }
	}
	for i := range c.ours {
		if own := &c.ours[i]; !holds(own.key) {
			return fraud, fmt.Sprintf("The file names your key at %v for a script in which it does not occur.", own.path)
		}
	}
	return policy, ""
}

// hidden says what a script is that the file does not show, where a key of ours
// is named for it. Behind a path whose purpose is that of single keys it can be
// nobody's quorum: it would have been rebuilt.
func (c *claims) hidden() (status, string) {
	for i := range c.ours {
		if own := &c.ours[i]; own.path.singlePurpose() {
			return fraud, fmt.Sprintf("The file names your key at %v for a script that is not the one of this key.", own.path)
		}
	}
	return opaque, ""
}

// innermost follows p2sh and p2wsh to the script that is run. known is false
// where the file does not show it; fits is false where it shows another.
func innermost(script, redeem, witness []byte) (inner []byte, known, fits bool) {
	if scriptTypeOf(script) == P2SH {
		if redeem == nil {
			return nil, false, true
		}
		if !redeemMatches(script, redeem) {
			return nil, false, false
		}
		script = redeem
		if scriptTypeOf(script) != P2WSH {
			return script, true, true
		}
	}
	if witness == nil {
		return nil, false, true
	}
	return witness, true, witnessScriptMatches(script, witness)
}

// own proves what can be proven of every input and output, inputs first.
func (a *assessment) own() error {
	for i := range a.tx.ins {
		if err := a.ctx.Err(); err != nil {
			return err
		}
		f := &a.tx.ins[i]
		if !a.checked {
			a.in[i].standing = a.orNobody(a.claim(inputDerivations(f.fields)))
			continue
		}
		c := a.ring.read(inputDerivations(f.fields))
		a.in[i].standing = a.orNobody(a.ring.judge(&c, f.spent.PkScript, f.known, inside{f.redeem, f.witness, f.taproot}))
	}
	if err := a.ownFinal(); err != nil {
		return err
	}
	for i := range a.tx.outs {
		if err := a.ctx.Err(); err != nil {
			return err
		}
		f := &a.tx.outs[i]
		if !a.checked {
			a.out[i].standing = a.orNobody(a.claim(outputDerivations(f.fields)))
			continue
		}
		c := a.ring.read(outputDerivations(f.fields))
		a.out[i].standing = a.orNobody(a.ring.judge(&c, a.msg.TxOut[i].PkScript, true, inside{f.redeem, f.witness, f.taproot}))
	}
	return nil
}

// orNobody is s or, where that is nil, the one standing that all share that do
// not name us.
func (a *assessment) orNobody(s *standing) *standing {
	if s == nil {
		return a.nobody
	}
	return s
}

// claim notes what is claimed where nothing can be proven. With fingerprints
// given, only what names one of them counts. Nil where there is no claim.
func (a *assessment) claim(all iter.Seq[derivation]) *standing {
	for d := range all {
		if len(a.fingerprints) == 0 || slices.Contains(a.fingerprints, d.fingerprint) {
			return &standing{status: claimed, path: d.path(), fingerprint: d.fingerprint}
		}
	}
	return nil
}

// ownFinal looks for inputs of ours among those that are final and carry no
// derivation: a finaliser takes them out (BIP174).
func (a *assessment) ownFinal() error {
	if !a.checked {
		return nil
	}
	var inputs []int
	var types []ScriptType
	highest := uint32(0)
	for i := range a.in {
		f, s := &a.tx.ins[i], a.in[i].standing
		if s.status == proven && len(s.spot.rest) > 0 {
			last := s.spot.rest[len(s.spot.rest)-1]
			highest = max(highest, last)
		}
		if t := f.singleKeyType(); f.final && !f.claims && t != "" {
			inputs = append(inputs, i)
			if !slices.Contains(types, t) {
				types = append(types, t)
			}
		}
	}
	if len(inputs) == 0 {
		return nil
	}
	known, err := a.ring.index(a.ctx, types, highest)
	if err != nil {
		return err
	}
	for _, i := range inputs {
		script := a.tx.ins[i].spent.PkScript
		if own, ok := known[string(script)]; ok {
			if spot, t, ok := own.rebuild(script); ok {
				a.in[i].standing = &standing{status: proven, key: own.key, path: own.path, spot: spot, script: t}
			}
		}
	}
	return nil
}
