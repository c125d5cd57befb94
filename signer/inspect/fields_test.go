package inspect_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/airlock-signer/airlock/signer/samples"
)

// fields of inspect-json.md, in its order, with the JSON type of each; a
// question mark allows null.
const fields = `
format number
file string
sha256 string?
encoding string?
verdict string
ownership string
psbt_version number?
network string
transaction object
transaction.txid string
transaction.version number
transaction.locktime number
transaction.weight number
transaction.vsize number
inputs array
inputs.index number
inputs.outpoint string
inputs.amount_sat number?
inputs.address string?
inputs.script_type string
inputs.sequence number
inputs.sighash string
inputs.amount_proven bool
inputs.owner string
inputs.wallet string?
inputs.path string?
inputs.signatures_have number
inputs.signatures_need number
outputs array
outputs.index number
outputs.amount_sat number
outputs.address string?
outputs.script_type string
outputs.script_hex string
outputs.kind string
outputs.proof string
outputs.path string?
totals object
totals.in_sat number?
totals.to_others_sat number
totals.back_to_us_sat number
totals.fee_sat number?
totals.fee_rate_sat_vb number?
totals.fee_percent number?
findings array
findings.code string
findings.severity string
findings.subject string
findings.index number
findings.message string
`

// walk lists the fields of a JSON value in their order, each once.
func walk(d *json.Decoder, prefix string, seen map[string]string, order *[]string) (string, error) {
	token, err := d.Token()
	if err != nil {
		return "", err
	}
	switch token {
	case json.Delim('{'):
		for d.More() {
			key, err := d.Token()
			if err != nil {
				return "", err
			}
			name := strings.TrimPrefix(prefix+"."+key.(string), ".")
			if _, ok := seen[name]; !ok {
				seen[name] = ""
				*order = append(*order, name)
			}
			kind, err := walk(d, name, seen, order)
			if err != nil {
				return "", err
			}
			if !strings.Contains(seen[name], kind) {
				seen[name] += kind + " "
			}
		}
		_, err = d.Token()
		return "object", err
	case json.Delim('['):
		for d.More() {
			if _, err := walk(d, prefix, seen, order); err != nil {
				return "", err
			}
		}
		_, err = d.Token()
		return "array", err
	}
	switch token.(type) {
	case string:
		return "string", nil
	case float64:
		return "number", nil
	case bool:
		return "bool", nil
	}
	return "null", nil
}

// TestEveryDocumentedField is there, in the documented order, with the
// documented type, in every document of a readable transaction.
func TestEveryDocumentedField(t *testing.T) {
	o := options()
	o.Wallets = demoWallets(t)
	for _, f := range samples.Stick() {
		if f.Verdict == "" || f.Verdict == "malformed" {
			continue
		}
		line, err := document(t, f.Name, f.Data, o).JSON()
		if err != nil {
			t.Fatal(err)
		}
		if strings.Count(string(line), "\n") != 1 || !strings.HasSuffix(string(line), "}\n") {
			t.Errorf("%s: not one line", f.Name)
		}
		seen, order := map[string]string{}, []string{}
		if _, err := walk(json.NewDecoder(strings.NewReader(string(line))), "", seen, &order); err != nil {
			t.Fatal(err)
		}
		var want []string
		for row := range strings.Lines(strings.TrimSpace(fields)) {
			name, kind, _ := strings.Cut(strings.TrimSpace(row), " ")
			want = append(want, name)
			base, nullable := strings.CutSuffix(kind, "?")
			for got := range strings.FieldsSeq(seen[name]) {
				if got != base && (got != "null" || !nullable) {
					t.Errorf("%s: %s is %s, want %s", f.Name, name, got, kind)
				}
			}
		}
		if !slices.Equal(order, want) {
			t.Fatalf("%s: fields\n%v, want\n%v", f.Name, order, want)
		}
	}
}
