package simcard

import (
	"crypto/pbkdf2"
	"crypto/sha256"
	"crypto/sha512"
)

// What everybody knows about the demo card. Nothing it holds is worth money.
const (
	DemoMnemonic = "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about"
	DemoPIN      = "1234"
	DemoPUK      = "87654321"
)

// DemoSeed is the BIP39 seed of DemoMnemonic without a passphrase, 64 bytes.
func DemoSeed() []byte {
	seed, err := pbkdf2.Key(sha512.New, DemoMnemonic, []byte("mnemonic"), 2048, 64)
	if err != nil {
		return nil // only for lengths that are out of range
	}
	return seed
}

// Demo is the demo card of that version. name tells one demo card from another:
// the same name is the same card each time, with the same authentikey.
func Demo(version, name string) SatochipOptions {
	key := sha256.Sum256([]byte("airlock/simulated-satochip/" + name))
	return SatochipOptions{
		Version:     version,
		PIN:         []byte(DemoPIN),
		PUK:         []byte(DemoPUK),
		Seed:        DemoSeed(),
		Label:       name,
		Authentikey: key[:],
	}
}
