package inspect

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"unicode/utf16"
	"unicode/utf8"
)

// JSON is what WriteJSON writes.
func (d *Document) JSON() ([]byte, error) {
	var b bytes.Buffer
	err := d.WriteJSON(&b)
	return b.Bytes(), err
}

// WriteJSON writes the document on one line, with a line feed. It is ASCII
// alone: whatever could move or hide text on a terminal stands as \uXXXX, and
// reads back the same. The lists are written element by element.
func (d *Document) WriteJSON(to io.Writer) error {
	w := &jsonWriter{out: bufio.NewWriter(to)}
	head := w.encode(d)
	w.raw(head[:max(len(head)-1, 0)]) // without its closing brace
	list(w, `,"inputs":`, d.Inputs())
	list(w, `,"outputs":`, d.Outputs())
	w.text(`,"totals":`)
	w.raw(w.encode(d.Totals))
	list(w, `,"findings":`, d.Findings())
	w.text("}\n")
	if w.err != nil {
		return w.err
	}
	return w.out.Flush()
}

// jsonWriter keeps the first error.
type jsonWriter struct {
	out *bufio.Writer
	buf bytes.Buffer
	err error
}

// encode gives a value as JSON in ASCII. It is good until the next one.
func (w *jsonWriter) encode(v any) []byte {
	w.buf.Reset()
	e := json.NewEncoder(&w.buf)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil && w.err == nil {
		w.err = err
	}
	return ascii(bytes.TrimSuffix(w.buf.Bytes(), []byte("\n")))
}

func (w *jsonWriter) raw(b []byte) {
	if _, err := w.out.Write(b); err != nil && w.err == nil {
		w.err = err
	}
}

func (w *jsonWriter) text(s string) { w.raw([]byte(s)) }

// list writes a named list, the elements one by one.
func list[T any](w *jsonWriter, name string, all iter.Seq[T]) {
	w.text(name + "[")
	comma := ""
	for v := range all {
		w.text(comma)
		w.raw(w.encode(v))
		comma = ","
	}
	w.text("]")
}

// ascii escapes every character beyond ASCII, and DEL. In JSON these stand in
// strings only.
func ascii(in []byte) []byte {
	if plainASCII(in) {
		return in
	}
	out := make([]byte, 0, len(in))
	for len(in) > 0 {
		r, n := utf8.DecodeRune(in)
		switch {
		case r < 0x7f:
			out = append(out, in[0])
		case r > 0xffff:
			hi, lo := utf16.EncodeRune(r)
			out = fmt.Appendf(out, `\u%04x\u%04x`, hi, lo)
		default:
			out = fmt.Appendf(out, `\u%04x`, r)
		}
		in = in[n:]
	}
	return out
}

func plainASCII(in []byte) bool {
	for _, c := range in {
		if c >= 0x7f {
			return false
		}
	}
	return true
}
