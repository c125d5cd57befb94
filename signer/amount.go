package signer

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/btcsuite/btcd/btcutil"
)

// decimals of the unit BTC.
const decimals = 8

// String names the unit as it stands behind an amount: "BTC", "sat".
func (u Unit) String() string {
	if u == Sat {
		return "sat"
	}
	return "BTC"
}

// FormatAmount writes satoshis in the unit, without its name: eight decimals
// always for BTC ("0.00050000"), a whole number for Sat ("50000").
func FormatAmount(sat int64, u Unit) string {
	if u == Sat {
		return strconv.FormatInt(sat, 10)
	}
	sign, abs := "", uint64(sat)
	if sat < 0 {
		sign, abs = "-", -abs // exact for the smallest int64 too
	}
	return fmt.Sprintf("%s%d.%08d", sign, abs/btcutil.SatoshiPerBitcoin, abs%btcutil.SatoshiPerBitcoin)
}

// ParseAmount reads an amount that a person typed in the unit, in satoshis from
// 0 to 21,000,000 BTC. Spaces between digits are ignored. In BTC the decimal
// sign is a point or a comma, at most one, and zeros may follow the eighth
// decimal; so 1,000 is one bitcoin, never a thousand. In Sat there is none.
// Errors are sentences for the person.
func ParseAmount(text string, u Unit) (int64, error) {
	whole, fraction, err := amountDigits(text, u)
	if err != nil {
		return 0, err
	}
	if u != Sat {
		for len(fraction) < decimals {
			fraction += "0"
		}
		if strings.Trim(fraction[decimals:], "0") != "" {
			return 0, errors.New("a bitcoin has eight decimals: this amount has more")
		}
		whole += fraction[:decimals]
	}
	whole = strings.TrimLeft(whole, "0")
	if whole == "" {
		return 0, nil
	}
	sat, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || sat > btcutil.MaxSatoshi {
		return 0, errors.New("that is more than all bitcoin there will ever be")
	}
	return sat, nil
}

// amountDigits takes the spaces out and splits at the decimal sign. Both parts
// hold nothing but digits 0 to 9, and one of them at least one.
func amountDigits(text string, u Unit) (whole, fraction string, err error) {
	var digits strings.Builder
	point := -1
	for _, c := range strings.TrimSpace(text) {
		switch {
		case c >= '0' && c <= '9':
			digits.WriteRune(c)
		case c == ' ' || c == '\u00a0' || c == '\u202f': // also the no-break spaces of a copied text
		case (c == '.' || c == ',') && u == Sat:
			return "", "", errors.New("an amount in sat is a whole number: type it without point or comma")
		case (c == '.' || c == ',') && point < 0:
			point = digits.Len()
		case c == '.' || c == ',':
			return "", "", errors.New("type the amount with one decimal point and no other point or comma")
		default:
			return "", "", fmt.Errorf("type the amount in %v with digits only", u)
		}
	}
	if digits.Len() == 0 {
		return "", "", fmt.Errorf("type the amount in %v", u)
	}
	if digits.Len() > math.MaxUint8 {
		return "", "", errors.New("that is too long for an amount")
	}
	if point < 0 {
		return digits.String(), "", nil
	}
	return digits.String()[:point], digits.String()[point:], nil
}
