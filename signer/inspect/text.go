package inspect

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/airlock-signer/airlock/signer"
	"github.com/airlock-signer/airlock/signer/plain"
)

// width of the text form, in characters.
const width = 80

// verdictLines say what each verdict means and what to do.
var verdictLines = [...]struct {
	verdict signer.Verdict
	line    string
}{
	{signer.VerdictClear, "CLEAR: nothing unusual was found."},
	{signer.VerdictCaution, "CAUTION: legitimate but unusual. Read the findings below."},
	{signer.VerdictRefused, "REFUSED: the station will not sign this. The findings say why."},
	{signer.VerdictMalformed, "MALFORMED: this is not a valid PSBT. Save it again at the coordinator, or choose another file."},
	{Unreadable, "UNREADABLE: the file could not be read."},
}

// Text is the document for people, 80 characters wide: the facts of the JSON in
// the order of the station's screens. Everything in it is safe to print: names and
// messages of a report are escaped by package signer already.
func (d *Document) Text() string {
	var b strings.Builder
	_ = d.WriteText(&b) // a Builder takes everything
	return b.String()
}

// WriteText writes Text piece by piece.
func (d *Document) WriteText(to io.Writer) error {
	w := &writer{bufio.NewWriter(to)}
	d.text(w)
	return w.Flush() // also gives the first error before it
}

func (d *Document) text(w *writer) {
	w.line(plain.Text(d.File))
	for _, v := range verdictLines {
		if v.verdict == d.Verdict {
			w.wrap(2, v.line)
		}
	}
	if d.Error != "" {
		w.wrap(2, sentence(d.Error))
	}
	if d.SHA256 != nil {
		w.linef("  SHA-256 %s", *d.SHA256)
	}
	if d.Transaction == nil || d.Totals == nil || d.PSBTVersion == nil || d.Encoding == nil {
		return
	}
	w.wrap(2, fmt.Sprintf("PSBT version %d, %s, %s; ownership %s", *d.PSBTVersion, *d.Encoding, d.Network, d.Ownership))
	w.line("")
	w.totals(d)
	w.outputs(d)
	w.inputs(d)
	w.transaction(d.Transaction)
	w.findings(d)
}

type writer struct{ *bufio.Writer }

func (w *writer) line(s string)                 { w.WriteString(s + "\n") }
func (w *writer) linef(format string, a ...any) { w.line(fmt.Sprintf(format, a...)) }

// wrap writes text at an indent, broken at spaces. A word longer than a line is
// broken where the line ends; nothing is cut off.
func (w *writer) wrap(indent int, text string) {
	room, used := width-indent, 0
	margin := strings.Repeat(" ", indent)
	for word := range strings.FieldsSeq(text) {
		runes := []rune(word)
		if used > 0 && used+1+len(runes) > room {
			w.WriteByte('\n')
			used = 0
		}
		for len(runes) > 0 {
			switch used {
			case 0:
				w.WriteString(margin)
			default:
				w.WriteByte(' ')
				used++
			}
			n := min(len(runes), room-used)
			w.WriteString(string(runes[:n]))
			runes, used = runes[n:], used+n
			if len(runes) > 0 {
				w.WriteByte('\n')
				used = 0
			}
		}
	}
	if used > 0 {
		w.WriteByte('\n')
	}
}

// btc writes an amount that may not be known.
func btc(sat *int64) string {
	if sat == nil {
		return "unknown"
	}
	return signer.FormatAmount(*sat, signer.BTC)
}

// totals is the balance: in = to others + back to you + fee.
func (w *writer) totals(d *Document) {
	t := d.Totals
	w.linef("  In         %18s BTC", btc(t.In))
	w.linef("  To others  %18s BTC", btc(&t.ToOthers))
	w.linef("  Back to us %18s BTC", btc(&t.BackToUs))
	fee := fmt.Sprintf("  Fee        %18s BTC", btc(t.Fee))
	if t.FeeRate != nil && t.FeePercent != nil {
		of := "of what leaves"
		if t.ToOthers == 0 {
			of = "of the inputs"
		}
		fee += fmt.Sprintf("   %.2f sat/vB, %.2f %% %s", *t.FeeRate, *t.FeePercent, of)
	}
	w.line(fee)
}

// address writes it in groups of four, as the screens do, twelve on a line: a
// long one does not leave a last group that is overlooked.
func (w *writer) address(a string) {
	for len(a) > 0 {
		line := a[:min(len(a), 48)]
		a = a[len(line):]
		var groups []string
		for len(line) > 0 {
			n := min(len(line), 4)
			groups, line = append(groups, line[:n]), line[n:]
		}
		w.line("    " + strings.Join(groups, " "))
	}
}

func (w *writer) outputs(d *Document) {
	for out := range d.Outputs() {
		w.linef("\n  Output %d: %s   %s BTC   %s", out.Index, out.Kind, btc(&out.Amount), out.ScriptType)
		switch {
		case out.Address != nil:
			w.address(*out.Address)
		case out.ScriptHex == "":
			w.line("    no address: the script is empty")
		default:
			w.wrap(4, "no address; script "+out.ScriptHex)
		}
		if out.Path != nil {
			w.wrap(4, "path "+*out.Path)
		}
		if out.Proof != "" && out.Proof != "none" {
			w.wrap(4, "proven by "+out.Proof)
		}
	}
}

func (w *writer) inputs(d *Document) {
	for in := range d.Inputs() {
		proven := "amount not proven"
		if in.AmountProven {
			proven = "amount proven"
		}
		w.linef("\n  Input %d: %s   %s BTC   %s   %s", in.Index, in.Owner, btc(in.Amount), in.ScriptType, proven)
		if in.Address != nil {
			w.address(*in.Address)
		}
		w.wrap(4, "spends "+in.Outpoint)
		if in.Wallet != nil {
			w.wrap(4, "wallet "+*in.Wallet)
		}
		if in.Path != nil {
			w.wrap(4, "path "+*in.Path)
		}
		w.wrap(4, fmt.Sprintf("sequence 0x%08x, sighash %s, signatures %d of %d", in.Sequence, in.Sighash, in.SignaturesHave, in.SignaturesNeed))
	}
}

func (w *writer) transaction(t *Transaction) {
	w.linef("\n  Transaction %s", t.TxID)
	w.wrap(4, fmt.Sprintf("version %d, lock time %d, estimated %d weight units, %d vB", t.Version, t.LockTime, t.Weight, t.VSize))
}

// findings come last, so that they are what stands above the prompt.
func (w *writer) findings(d *Document) {
	none := true
	for f := range d.Findings() {
		none = false
		place := string(f.Subject)
		if f.Subject != signer.SubjectTransaction {
			place += fmt.Sprintf(" %d", f.Index)
		}
		w.linef("\n  %s %s (%s)", strings.ToUpper(f.Severity), f.Code, place)
		w.wrap(4, f.Message)
	}
	if none {
		w.line("\n  No findings.")
	}
}

// sentence gives a text a capital and a full stop.
func sentence(s string) string {
	if s == "" {
		return s
	}
	if c := s[0]; c >= 'a' && c <= 'z' {
		s = string(c-'a'+'A') + s[1:]
	}
	if strings.HasSuffix(s, ".") {
		return s
	}
	return s + "."
}
