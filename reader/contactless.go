package reader

import "strings"

// Contactless reports whether the card lies in a field instead of standing in a
// slot: by the ATR that such readers make up, or by the name of the reader. It
// is a hint for a sentence on screen and no more.
func (s Slot) Contactless() bool {
	if contactlessATR(s.ATR) {
		return true
	}
	for _, word := range strings.FieldsFunc(strings.ToUpper(s.Name), func(r rune) bool {
		return (r < 'A' || r > 'Z') && (r < '0' || r > '9')
	}) {
		switch word {
		case "CL", "PICC", "NFC", "RFID", "CONTACTLESS", "ACR122", "ACR122U", "ACR1252":
			return true
		}
	}
	return false
}
