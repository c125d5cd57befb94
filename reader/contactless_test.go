package reader

import "testing"

func TestContactless(t *testing.T) {
	for _, c := range []struct {
		name string
		atr  []byte
		want bool
	}{
		{"Alcor Micro AU9540 00 00", []byte{0x3B, 0xFA, 0x18, 0x00}, false},
		{"ACS ACR122U PICC Interface 00 00", nil, true},
		{"OMNIKEY 5422 CL 00 00", nil, true},
		{"Clever reader", nil, false},
		{"Generic reader", []byte{0x3B, 0x80, 0x80, 0x01, 0x01}, true},
	} {
		if got := (Slot{Name: c.name, ATR: c.atr}).Contactless(); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}
