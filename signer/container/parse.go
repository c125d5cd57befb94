package container

import (
	"bytes"
	"context"
	"encoding/binary"
	"slices"
)

// What the parts of a parsed container cost in bytes of memory (a test holds
// them against the compiler), and what all of them together may cost beyond
// the size of the container: the 16 MiB of the rule book less a reserve for
// what is small. Every transaction that fits into a block fits: one of 111,000
// empty outputs takes 9 MiB.
const (
	pairCost = 96 + 4   // Pair, and its place in the order of keys
	mapCost  = 40       // Map
	inCost   = 96 + 8   // wire.TxIn and the pointer to it
	outCost  = 32 + 8   // wire.TxOut and the pointer to it
	slack    = 12 << 20 // bytes
)

// checker looks at one pair of a map; r is there for its bytes and place.
type checker func(r *reader, p Pair) error

// parser fills a Container.
type parser struct {
	ctx    context.Context
	c      *Container
	r      reader
	budget int // bytes of memory left
}

// Parse reads a PSBT version 0. Everything that the rule book calls malformed
// is an *Error with the place of the defect. A version 2 whose maps can be
// walked is an *Error that is ErrVersion2.
//
// The Container keeps raw: it must not be changed afterwards.
func Parse(raw []byte) (*Container, error) {
	return ParseContext(context.Background(), raw)
}

// ParseContext is Parse for files from outside: tens of MiB of public keys take
// many seconds, each being looked for on the curve. It ends with the context's
// error when that ends.
func ParseContext(ctx context.Context, raw []byte) (*Container, error) {
	if len(raw) == 0 {
		return nil, fail(0, "the file is empty")
	}
	if !bytes.HasPrefix(raw, []byte(Magic)) {
		return nil, fail(0, "this is not a PSBT: it does not start with the bytes 70 73 62 74 ff")
	}
	p := parser{
		ctx:    ctx,
		c:      &Container{Raw: raw},
		r:      reader{b: raw, off: len(Magic), end: len(raw)},
		budget: len(raw) + slack,
	}
	global, err := p.maps("the global map", -1, nil)
	if err != nil {
		return nil, err
	}
	p.c.Global = global[0]
	version, err := p.version()
	if err != nil {
		return nil, err
	}
	if version == 2 {
		return nil, p.version2()
	}
	if err := p.version0(); err != nil {
		return nil, err
	}
	return p.c, nil
}

// version reads PSBT_GLOBAL_VERSION; its absence means 0.
func (p *parser) version() (uint32, error) {
	v, ok := p.c.Global.Get(GlobalVersion)
	if !ok {
		return 0, nil
	}
	if len(v.KeyData) != 0 {
		return 0, fail(v.keyDataOffset(), "the key of the PSBT version has key data, which it must not have")
	}
	if len(v.Value) != 4 {
		return 0, fail(v.valueOffset(), "the PSBT version is %d bytes long, not 4", len(v.Value))
	}
	n := binary.LittleEndian.Uint32(v.Value)
	if n != 0 && n != 2 {
		return 0, fail(v.valueOffset(), "there is no PSBT version %d", n)
	}
	return n, nil
}

// version0 reads everything after the global map of a PSBT version 0.
func (p *parser) version0() error {
	r := reader{b: p.c.Raw, place: place{"the global map", -1}}
	for _, pair := range p.c.Global.Pairs {
		if err := checkGlobal(&r, pair); err != nil {
			return err
		}
	}
	tx, ok := p.c.Global.Get(GlobalUnsignedTx)
	if !ok {
		return fail(p.c.Global.End, "the global map has no unsigned transaction")
	}
	err := p.unsignedTx(tx)
	if err != nil {
		return err
	}
	if p.c.Inputs, err = p.maps("input", len(p.c.Tx.TxIn), checkInput); err != nil {
		return err
	}
	if p.c.Outputs, err = p.maps("output", len(p.c.Tx.TxOut), checkOutput); err != nil {
		return err
	}
	if n := p.r.left(); n != 0 {
		return fail(p.r.off, "bytes are left over after the maps of %d inputs and %d outputs: %d",
			len(p.c.Inputs), len(p.c.Outputs), n)
	}
	return nil
}

// version2 walks the maps of a PSBT version 2 and then refuses it. Its fields
// are not checked one by one: no version 2 is accepted.
func (p *parser) version2() error {
	if tx, ok := p.c.Global.Get(GlobalUnsignedTx); ok {
		return fail(tx.Start, "a PSBT version 2 carries an unsigned transaction, which only version 0 may")
	}
	if v, ok := p.c.Global.Get(GlobalTxVersion); !ok || len(v.Value) != 4 {
		return fail(p.c.Global.End, "a PSBT version 2 does not give its transaction version")
	}
	var counts [2]int
	for i, typ := range []uint64{GlobalInputCount, GlobalOutputCount} {
		n, err := p.count(typ)
		if err != nil {
			return err
		}
		counts[i] = n
	}
	for i, kind := range []string{"input", "output"} {
		if _, err := p.maps(kind, counts[i], nil); err != nil {
			return err
		}
	}
	if n := p.r.left(); n != 0 {
		return fail(p.r.off, "bytes are left over after the maps of %d inputs and %d outputs: %d", counts[0], counts[1], n)
	}
	v, _ := p.c.Global.Get(GlobalVersion)
	return &Error{
		Offset: v.valueOffset(),
		What: "PSBT version 2 is not supported by this station yet; " +
			"at the coordinator, save it as version 0",
		cause: ErrVersion2,
	}
}

// count reads an input or output count of version 2. A map is one byte at
// least, so the bytes that are left bound it.
func (p *parser) count(typ uint64) (int, error) {
	v, ok := p.c.Global.Get(typ)
	if !ok {
		return 0, fail(p.c.Global.End, "a PSBT version 2 does not say how many inputs and outputs it has")
	}
	r := reader{p.c.Raw, v.valueOffset(), v.End, place{"the global map", -1}}
	n, err := r.compactSize("a count")
	if err != nil {
		return 0, err
	}
	if err := r.finish("a count"); err != nil {
		return 0, err
	}
	if n > uint64(p.r.left()) {
		return 0, fail(v.valueOffset(), "%d maps are claimed and %d bytes are left", n, p.r.left())
	}
	return int(n), nil
}

// spend takes n things of a size in bytes from the budget.
func (p *parser) spend(n, size int, what string) error {
	if n > p.budget/size {
		return fail(p.r.off, "%d %s are more than a file of this size may hold", n, what)
	}
	p.budget -= n * size
	return nil
}

// maps reads the n maps of a kind; n = -1 reads the one of which there is only
// one. They are walked twice: first only counted, so that exactly what is
// needed is allocated, and only if the budget has it.
func (p *parser) maps(kind string, n int, check checker) ([]Map, error) {
	first := 0
	if n < 0 {
		first, n = -1, 1
	}
	pairs, err := p.countPairs(kind, first, n)
	if err != nil {
		return nil, err
	}
	if err := p.spend(n, mapCost, "maps"); err != nil {
		return nil, err
	}
	if err := p.spend(pairs, pairCost, "key-value pairs"); err != nil {
		return nil, err
	}
	maps, arena := make([]Map, n), make([]Pair, 0, pairs)
	for i := range maps {
		p.r.place = place{kind, first + i}
		if arena, err = p.fill(&maps[i], arena, check); err != nil {
			return nil, err
		}
	}
	return maps, nil
}

// countPairs counts the pairs of the next n maps and reads no further.
func (p *parser) countPairs(kind string, first, n int) (int, error) {
	r, pairs := p.r, 0
	for i := range n {
		r.place = place{kind, first + i}
		if r.left() == 0 {
			return 0, fail(r.off, "the file ends before %s", r.place)
		}
		for {
			_, ok, err := r.pair()
			if err != nil {
				return 0, err
			}
			if !ok {
				break
			}
			pairs++
		}
	}
	return pairs, nil
}

// fill reads one map, its pairs at the end of the arena.
func (p *parser) fill(m *Map, arena []Pair, check checker) ([]Pair, error) {
	first := len(arena)
	m.Start = p.r.off
	for {
		m.End = p.r.off
		pair, ok, err := p.r.pair()
		if err != nil {
			return nil, err
		}
		if !ok {
			break
		}
		arena = append(arena, pair)
	}
	m.Pairs = arena[first:len(arena):len(arena)]
	if err := checkUnique(m.Pairs, p.r.place); err != nil {
		return nil, err
	}
	if check == nil {
		return arena, nil
	}
	for i, pair := range m.Pairs {
		if i%64 == 0 && p.ctx.Err() != nil {
			return nil, p.ctx.Err()
		}
		if err := check(&p.r, pair); err != nil {
			return nil, err
		}
	}
	return arena, nil
}

// checkUnique refuses a key that stands twice in a map, known or unknown.
func checkUnique(pairs []Pair, in place) error {
	ascending := true
	for i := 1; i < len(pairs) && ascending; i++ {
		ascending = bytes.Compare(pairs[i-1].Key, pairs[i].Key) < 0
	}
	if ascending {
		return nil
	}
	order := make([]int32, len(pairs))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(a, b int32) int {
		if c := bytes.Compare(pairs[a].Key, pairs[b].Key); c != 0 {
			return c
		}
		return int(a) - int(b)
	})
	for i := 1; i < len(order); i++ {
		if again := pairs[order[i]]; bytes.Equal(pairs[order[i-1]].Key, again.Key) {
			return fail(again.Start, "a key of type 0x%02x stands twice in %s", again.Type, in)
		}
	}
	return nil
}

// unsignedTx reads the unsigned transaction. BIP174 wants it without witness,
// so a transaction without inputs is not taken for the marker of BIP144.
func (p *parser) unsignedTx(pair Pair) error {
	r := reader{p.c.Raw, pair.valueOffset(), pair.End, place{"the unsigned transaction", -1}}
	l, err := readUnsigned(&r)
	if err != nil {
		return err
	}
	if err := p.spend(l.ins, inCost, "inputs"); err != nil {
		return err
	}
	if err := p.spend(l.outs, outCost, "outputs"); err != nil {
		return err
	}
	p.c.Tx = l.msg(p.c.Raw)
	return nil
}
