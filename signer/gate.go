package signer

import (
	"errors"
	"fmt"
	"slices"
	"sync"
)

// ItemKind is what kind of thing must have been on screen.
type ItemKind uint8

// The kinds, in the order of the screens.
const (
	ItemBalance ItemKind = iota // the verdict and the line that sums
	ItemPayment                 // one output that leaves, in full
	ItemBack                    // all outputs that come back, with their proof
	ItemFinding                 // one code with all its places
)

// Item is one thing that must have been on screen before a review can be
// approved. Index is the output of an ItemPayment, Code the code of an
// ItemFinding; otherwise they are zero.
type Item struct {
	Kind  ItemKind
	Index int
	Code  Code
}

// gate is a review's own account of what a person was shown, acknowledged and
// typed. Its zero value has seen nothing. A review is used by screens and by
// commands that run beside them, so it has a lock.
type gate struct {
	mu        sync.Mutex
	seen      map[Item]bool
	acked     map[Code]bool
	confirmed bool
}

// leaves tells whether an output takes money away from us: everything that is
// not proven to come back.
func (o *Output) leaves() bool { return o.Kind != KindChange && o.Kind != KindOwn }

// Items lists everything that must have been on screen, in the order of the
// screens: the balance, each payment, what comes back, each code found.
func (r *Review) Items() []Item {
	items := []Item{{Kind: ItemBalance}}
	back := false
	for i := range r.report.Outputs {
		if o := &r.report.Outputs[i]; o.leaves() {
			items = append(items, Item{Kind: ItemPayment, Index: o.Index})
		} else {
			back = true
		}
	}
	if back {
		items = append(items, Item{Kind: ItemBack})
	}
	for _, code := range r.codes(Note) {
		items = append(items, Item{Kind: ItemFinding, Code: code})
	}
	return items
}

// codes lists each code found once that is at least this severe, in the order
// of the report: the most severe first.
func (r *Review) codes(least Severity) []Code {
	var codes []Code
	listed := map[Code]bool{}
	for i := range r.report.Findings {
		f := &r.report.Findings[i]
		if f.worst() >= least && !listed[f.Code] {
			listed[f.Code] = true
			codes = append(codes, f.Code)
		}
	}
	return codes
}

// worst is the severity of the finding or of its code, whichever is worse: they
// are the same unless something is broken.
func (f *Finding) worst() Severity { return max(f.Severity, f.Code.Severity()) }

// Shown notes that an item was on screen, whole. An item that the review does
// not have changes nothing.
func (r *Review) Shown(item Item) {
	if !r.has(item) {
		return
	}
	r.gate.mu.Lock()
	defer r.gate.mu.Unlock()
	if r.gate.seen == nil {
		r.gate.seen = map[Item]bool{}
	}
	r.gate.seen[item] = true
}

// has tells whether the review has such an item, without listing them all.
func (r *Review) has(item Item) bool {
	switch item.Kind {
	case ItemBalance:
		return item == Item{Kind: ItemBalance}
	case ItemPayment:
		outs := r.report.Outputs
		i := item.Index
		return item.Code == "" && i >= 0 && i < len(outs) && outs[i].Index == i && outs[i].leaves()
	case ItemBack:
		return item == Item{Kind: ItemBack} &&
			slices.ContainsFunc(r.report.Outputs, func(o Output) bool { return !o.leaves() })
	case ItemFinding:
		return item.Index == 0 && len(r.Places(item.Code)) > 0
	}
	return false
}

// Seen tells whether an item was on screen.
func (r *Review) Seen(item Item) bool {
	r.gate.mu.Lock()
	defer r.gate.mu.Unlock()
	return r.gate.seen[item]
}

// Cautions lists the codes that want an acknowledgement, in the order of the
// report. Where the verdict is refused there is none: no acknowledgement
// carries a refusal.
func (r *Review) Cautions() []Code {
	if r.refused() {
		return nil
	}
	return r.codes(Caution)
}

// Places lists the findings of a code: what one acknowledgement covers.
func (r *Review) Places(code Code) []Finding {
	var places []Finding
	for _, f := range r.report.Findings {
		if f.Code == code {
			places = append(places, f)
		}
	}
	return places
}

// Acknowledge takes the person's word for one code. It is an error before the
// code was on screen with all its places, and for a code that wants none.
func (r *Review) Acknowledge(code Code) error {
	if !slices.Contains(r.Cautions(), code) {
		return fmt.Errorf("there is nothing to acknowledge about %s", code)
	}
	if !r.Seen(Item{Kind: ItemFinding, Code: code}) {
		return errors.New("read the page about this finding to its end first")
	}
	r.gate.mu.Lock()
	defer r.gate.mu.Unlock()
	if r.gate.acked == nil {
		r.gate.acked = map[Code]bool{}
	}
	r.gate.acked[code] = true
	return nil
}

// Acknowledged tells whether a code was acknowledged.
func (r *Review) Acknowledged(code Code) bool {
	r.gate.mu.Lock()
	defer r.gate.mu.Unlock()
	return r.gate.acked[code]
}

// Confirmation is what a person types to approve.
type Confirmation struct {
	Amount int64  // satoshis
	What   string // "the amount that leaves", or "the fee" where nothing leaves
	Text   string // the amount in Settings.Unit as it stands on the page: "0.00050000"
}

// Confirmation gives the amount to type: what leaves, without the fee, or the
// fee where nothing leaves.
func (r *Review) Confirmation() Confirmation {
	c := Confirmation{Amount: r.report.Totals.ToOthers, What: "the amount that leaves"}
	if c.Amount == 0 {
		c = Confirmation{Amount: r.report.Totals.Fee.Sat, What: "the fee"}
	}
	c.Text = FormatAmount(c.Amount, r.settings.Unit)
	return c
}

// Confirm compares what was typed with the Confirmation, as numbers in
// Settings.Unit (see ParseAmount for the spellings). Its error is a sentence
// for the person; after it the review is not confirmed, even if it was before.
func (r *Review) Confirm(typed string) error {
	want := r.Confirmation()
	got, err := ParseAmount(typed, r.settings.Unit)
	if err == nil && got != want.Amount {
		err = fmt.Errorf("that is not %s: look at it again and type %s as the page shows it, in %v", want.What, want.What, r.settings.Unit)
	}
	if err == nil && want.Amount == 0 && !r.report.Totals.Fee.Known {
		err = errors.New("the fee is not known, so this transaction cannot be approved")
	}
	r.gate.mu.Lock()
	defer r.gate.mu.Unlock()
	r.gate.confirmed = err == nil
	return err
}

// refused tells whether anything found refuses.
func (r *Review) refused() bool {
	if v := r.report.Verdict; v != VerdictClear && v != VerdictCaution {
		return true
	}
	return slices.ContainsFunc(r.report.Findings, func(f Finding) bool { return f.worst() >= Refuse })
}
