package signer

// Address at a branch of the descriptor and an index, on the wallet's network.
func (w *Wallet) Address(branch, index uint32) (string, error) {
	script, err := w.Script(branch, index)
	if err != nil {
		return "", err
	}
	return addressOf(script, w.network.Params()), nil
}
