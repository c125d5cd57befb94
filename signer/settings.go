package signer

import "github.com/btcsuite/btcd/chaincfg"

// Network whose addresses and coin types are used. Testnet covers testnet3
// and testnet4.
type Network string

// Networks.
const (
	Mainnet Network = "mainnet"
	Testnet Network = "testnet"
	Signet  Network = "signet"
	Regtest Network = "regtest"
)

// Params gives the address encoding and key versions; nil for an unknown
// network.
func (n Network) Params() *chaincfg.Params {
	switch n {
	case Mainnet:
		return &chaincfg.MainNetParams
	case Testnet:
		return &chaincfg.TestNet3Params
	case Signet:
		return &chaincfg.SigNetParams
	case Regtest:
		return &chaincfg.RegressionNetParams
	}
	return nil
}

// CoinType of BIP44: 0 on mainnet, 1 elsewhere.
func (n Network) CoinType() uint32 {
	if n == Mainnet {
		return 0
	}
	return 1
}

// Unit in which a person reads and types amounts.
type Unit uint8

// Units.
const (
	BTC Unit = iota // eight decimals
	Sat
)

// Settings of a session that a review depends on. An Approval binds them.
type Settings struct {
	Network Network
	Unit    Unit
	// AcceptUnproven is "accept amounts without previous transactions": turns
	// prevtx-missing into the caution amounts-unproven.
	AcceptUnproven bool
	// Height is today's block height as a person typed it, 0 where none did.
	Height uint32
}
