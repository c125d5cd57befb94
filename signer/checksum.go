package signer

import "strings"

// The alphabets of BIP380: characters a descriptor may have, in groups of 32,
// and those of its checksum (bech32's).
const (
	descriptorAlphabet = "0123456789()[],'/*abcdefgh@:$%{}" +
		"IJKLMNOPQRSTUVWXYZ&+-.;<=>?!^_|~" +
		"ijklmnopqrstuvwxyzABCDEFGH`#\"\\ "
	checksumAlphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
	checksumLength   = 8
)

// descriptorPolymod is one step of the BCH code of BIP380.
func descriptorPolymod(c uint64, value uint64) uint64 {
	top := c >> 35
	c = (c&0x7ffffffff)<<5 ^ value
	for i, g := range [...]uint64{0xf5dee51989, 0xa9fdca3312, 0x1bab10e32d, 0x3706b1677a, 0x644d626ffd} {
		if top>>i&1 == 1 {
			c ^= g
		}
	}
	return c
}

// DescriptorChecksum is the eight-character checksum of a descriptor without
// one (BIP380). A character outside the descriptor alphabet is a *WalletError.
func DescriptorChecksum(text string) (string, error) {
	c, class, count := uint64(1), uint64(0), 0
	for i := range len(text) {
		pos := strings.IndexByte(descriptorAlphabet, text[i])
		if pos < 0 {
			return "", walletErrorf("the descriptor has a character at position %d that no descriptor can have", i+1)
		}
		c = descriptorPolymod(c, uint64(pos&31))
		class = class*3 + uint64(pos>>5)
		if count++; count == 3 {
			c = descriptorPolymod(c, class)
			class, count = 0, 0
		}
	}
	if count > 0 {
		c = descriptorPolymod(c, class)
	}
	for range checksumLength {
		c = descriptorPolymod(c, 0)
	}
	c ^= 1
	var sum [checksumLength]byte
	for i := range sum {
		sum[i] = checksumAlphabet[c>>(5*(checksumLength-1-i))&31]
	}
	return string(sum[:]), nil
}

// checkDescriptorChecksum verifies the checksum where there is one and returns
// the descriptor without it.
func checkDescriptorChecksum(text string) (string, error) {
	body, sum, found := strings.Cut(text, "#")
	want, err := DescriptorChecksum(body)
	if err != nil {
		return "", err
	}
	if found && sum != want {
		return "", walletErrorf("the checksum of the descriptor does not match: it was mistyped, cut or altered; export it again")
	}
	return body, nil
}
