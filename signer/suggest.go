package signer

// OtherNetwork is the network to switch to where every path in the report that
// names a network names another one than the settings': Testnet, or Mainnet.
// "" where there is no such path, or not all of them do. In a Preview the paths
// are claims.
func (r *Report) OtherNetwork() Network {
	named, other := 0, 0
	look := func(p Path) {
		if coin, ok := p.coinType(); ok && coin <= 1 {
			named++
			if coin != r.Network.CoinType() {
				other++
			}
		}
	}
	for i := range r.Inputs {
		look(r.Inputs[i].Path)
	}
	for i := range r.Outputs {
		look(r.Outputs[i].Path)
	}
	switch {
	case other == 0 || other < named:
		return ""
	case r.Network == Mainnet:
		return Testnet
	}
	return Mainnet
}
