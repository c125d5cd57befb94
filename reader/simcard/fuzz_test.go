package simcard

import "testing"

// FuzzTransmit sends streams of commands, in clear and through a channel, to
// cards of each version and state. A reply always ends in a status word.
func FuzzTransmit(f *testing.F) {
	// A stream is flag, length, command; flag 1 sends it through the channel.
	stream := func(commands ...[]byte) (s []byte) {
		for _, c := range commands {
			s = append(append(s, 1, byte(len(c))), c...)
			s = append(append(s, 0, byte(len(c))), c...)
		}
		return s
	}
	for ins := range 256 {
		f.Add(uint8(ins), stream(inner(byte(ins), 0xFF, 1, 0, 0), inner(byte(ins), 0, 0), inner(byte(ins), 0, 2)))
	}
	f.Add(uint8(2), stream(inner(0x6D, 1, 0x40, path(84|hard)...), inner(0x7A, 0xFF, 0, digestOf(1)...),
		inner(0x7C, 0xFF, 0, append([]byte{32}, digestOf(1)...)...), inner(0x7B, 0xFF, 0, digestOf(1)...)))
	f.Add(uint8(1), stream(inner(0x32, 3, 0, append([]byte{0, 0x0C, 1, 0, 0, 0, 0, 0, 0, 0, 0, 32}, digestOf(1)...)...), inner(0x35, 3, 0)))
	f.Add(uint8(9), stream(inner(0x2A, 0, 0, setupData("1234", "12345678")...), inner(0x42, 0, 0, []byte("1234")...)))
	cards := func(t *testing.T, kind uint8) *Satochip {
		o := Demo([]string{Satochip011, Satochip012, Satochip014}[kind%3], "a")
		o.TwoFactor = kind&4 != 0
		if kind&8 != 0 {
			o.PIN, o.PUK, o.Seed, o.TwoFactor = nil, nil, nil, false
		}
		if kind&16 != 0 {
			o.Seed = nil
		}
		return newSatochip(t, o)
	}
	f.Fuzz(func(t *testing.T, kind uint8, stream []byte) {
		card := cards(t, kind)
		h := connect(t, card)
		if kind&8 == 0 {
			h.expect(0x9000, inner(0x42, 0, 0, []byte(DemoPIN)...))
		}
		for n := 0; len(stream) > 1 && n < 16; n++ {
			size := min(int(stream[1]), len(stream)-2)
			apdu, inside := stream[2:2+size], stream[0]&1 != 0
			stream = stream[2+size:]
			if inside && size <= 175 { // what one message can carry
				h.counter += 2
				apdu = h.wrapped(apdu, h.counter-2)
			}
			if reply := card.Transmit(apdu); len(reply) < 2 || len(reply) > 258 {
				t.Fatalf("%x: reply %x", apdu, reply)
			}
		}
	})
}
