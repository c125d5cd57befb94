package signer

import (
	"fmt"
	"slices"

	"github.com/airlock-signer/airlock/signer/plain"
)

// findInputNotProven: our fingerprint and path with a key that is not ours
// there; our key absent from the script it is listed for; surplus or decoy
// derivations that name us; or a script whose inside the file does not show.
func findInputNotProven(a *assessment, s *sayer) {
	for i := range a.in {
		st := a.in[i].standing
		why := st.why
		switch {
		case st.status == fraud:
		case st.status == opaque && a.tx.ins[i].known:
			why = fmt.Sprintf("The file names your key at %v for this input, but does not show the script that has it.", st.path)
		default:
			continue
		}
		s.input(i, CodeInputNotProven, sentences{
			why,
			"The station cannot know what it would sign.",
			"Do not use this file. Check that the coordinator has the wallet of this card, and make the transaction again.",
		})
	}
}

// findChangeFraud: the same on an output, or an output that names a registered
// wallet but whose script is not that wallet's.
func findChangeFraud(a *assessment, s *sayer) {
	for i := range a.out {
		if st := a.out[i].standing; st.status == fraud {
			s.output(i, CodeChangeFraud, sentences{
				st.why,
				fmt.Sprintf("It is made to look like your change, and %s would go to somebody else.", a.amount(a.msg.TxOut[i].Value)),
				"Do not use this file, and do not trust the computer that made it.",
			})
		}
	}
}

// findChangeUnproven: an output that looks like change, but nothing proves it:
// our key below a hardened step, in an account whose key the station does not
// hold, or in a script that the file does not show; or a path like ours, of a
// script type like our inputs', without a fingerprint.
func findChangeUnproven(a *assessment, s *sayer) {
	types := map[ScriptType]bool{}
	for i := range a.in {
		if a.in[i].standing.status == proven {
			types[scriptTypeOf(a.tx.ins[i].spent.PkScript)] = true
		}
	}
	for i := range a.out {
		st := a.out[i].standing
		if st.status == away || st.status == opaque || st.status == like && types[scriptTypeOf(a.msg.TxOut[i].PkScript)] {
			s.output(i, CodeChangeUnproven, sentences{
				fmt.Sprintf("The file says that this output is yours (%v), but nothing proves it. It counts as leaving.", st.path),
				"If it is not yours, the money is gone.", "",
			})
		}
	}
}

// findWalletUnregistered: our key in a multisig or policy that is not
// registered; nothing of it is called change.
func findWalletUnregistered(a *assessment, s *sayer) {
	for i := range a.in {
		if st := a.in[i].standing; st.status == policy {
			s.input(i, CodeWalletUnregistered, sentences{
				fmt.Sprintf("Your key at %v is one of several in this input's script, and that wallet is not registered here.", st.path),
				"The station cannot tell which outputs of it come back to you.", "",
			})
		}
	}
	for i := range a.out {
		if st := a.out[i].standing; st.status == policy {
			s.output(i, CodeWalletUnregistered, sentences{
				fmt.Sprintf("Your key at %v is one of several in this output's script, and that wallet is not registered here. It counts as leaving.", st.path),
				"Others may be able to spend it without you.", "",
			})
		}
	}
}

// findOtherAccount: an output in an account of the card that is not the one all
// our inputs come from. Between hardened accounts there is only the card's
// word.
func findOtherAccount(a *assessment, s *sayer) {
	for i := range a.out {
		o := &a.out[i]
		if !o.other {
			continue
		}
		account := o.standing.spot.holder.account.Path
		s.output(i, CodeOtherAccount, sentences{
			fmt.Sprintf("The card says this is its %s, which is not the one that everything here is spent from. It counts as leaving.", accountName(account)),
			"If the card or its reader is false, the money is gone.", "",
		})
	}
}

// accountName says "account 1 (m/84h/0h/1h)" for a path of BIP44's kind.
func accountName(p Path) string {
	if _, ok := p.coinType(); ok && len(p) == 3 && p[2] >= HardenedOffset {
		return fmt.Sprintf("account %d (%v)", p[2]-HardenedOffset, p)
	}
	return fmt.Sprintf("account %v", p)
}

// reserved tells whether the key stands on the branch kept for seals, or on
// that of an account key that a descriptor gives further down. As a mere index
// the number means nothing.
func (st *standing) reserved() bool {
	rest := st.spot.rest
	if st.status != proven || len(rest) == 0 {
		return false
	}
	return rest[0] == sealBranch || slices.Contains(rest[:len(rest)-1], sealBranch)
}

// findPathReserved: spends or pays the branch kept for wallet seals.
func findPathReserved(a *assessment, s *sayer) {
	bad := sentences{
		"This uses the branch of your account that is kept for sealing wallets.",
		"A signature from there could pass for the seal of a wallet.",
		"Do not use this file. No wallet uses that branch by itself.",
	}
	for i := range a.in {
		if a.in[i].standing.reserved() {
			s.input(i, CodePathReserved, bad)
		}
	}
	for i := range a.out {
		if a.out[i].standing.reserved() {
			s.output(i, CodePathReserved, bad)
		}
	}
}

// findPathUnusual: our own output off the wallet's usual branches, or of a
// script that a wallet of that account would not look for.
func findPathUnusual(a *assessment, s *sayer) {
	for i := range a.out {
		if o := &a.out[i]; o.back && !o.usual && !o.standing.reserved() {
			s.output(i, CodePathUnusual, sentences{
				fmt.Sprintf("This output is yours, but at the unusual place %v (%s).", o.standing.path, o.script),
				"Your wallet may not find the money there without help.", "",
			})
		}
	}
}

// findPathFar: an index more than 200 beyond the highest among our inputs.
func findPathFar(a *assessment, s *sayer) {
	for i := range a.out {
		if o := &a.out[i]; o.back && o.far && !o.standing.reserved() {
			s.output(i, CodePathFar, sentences{
				fmt.Sprintf("This output is yours, but far out: %v, while the highest index among your inputs is %d.", o.standing.path, a.top),
				"A wallet that is restored may not look that far; somebody could ask money for telling where it is.", "",
			})
		}
	}
}

// ofOurs tells whether the path of a standing is one of our derivations.
func (st *standing) ofOurs() bool {
	switch st.status {
	case proven, policy, opaque, fraud, away:
		return true
	}
	return false
}

// findNetworkMismatch: our derivations carry the coin type of the other
// network, or a wallet's keys belong to it. Paths without a coin type never do.
func findNetworkMismatch(a *assessment, s *sayer) {
	if !a.checked {
		return
	}
	other := func(st *standing) bool {
		coin, ok := st.path.coinType()
		return ok && st.ofOurs() && coin <= 1 && coin != a.settings.Network.CoinType()
	}
	remedy := "Check which network the coordinator is on, and make the transaction again."
	if all, some := a.allOfOurs(other); some && all {
		to := Testnet
		if a.settings.Network != Mainnet {
			to = Mainnet
		}
		remedy = fmt.Sprintf("Everything of yours here is of %s: switch the station to %s if that is what you meant.", to, to)
	}
	bad := sentences{
		fmt.Sprintf("The file names a key of yours that belongs to another network than %s.", a.settings.Network),
		"Addresses would be shown in the wrong form, and money could go where no wallet of yours looks.",
		remedy,
	}
	for i, w := range a.wallets {
		if w != nil && w.OtherNetwork() {
			s.wallet(i, CodeNetworkMismatch, sentences{
				fmt.Sprintf("The keys of wallet %s belong to another network than %s.", plain.Text(w.Name), a.settings.Network),
				bad.cost, "Switch the station to the wallet's network, or take the wallet of this one.",
			})
		}
	}
	for i := range a.in {
		if other(a.in[i].standing) {
			s.input(i, CodeNetworkMismatch, bad)
		}
	}
	for i := range a.out {
		if other(a.out[i].standing) {
			s.output(i, CodeNetworkMismatch, bad)
		}
	}
}

// allOfOurs tells whether what holds for all, or for some, of the inputs and
// outputs that name us.
func (a *assessment) allOfOurs(holds func(*standing) bool) (all, some bool) {
	all = true
	look := func(st *standing) {
		if st.ofOurs() {
			yes := holds(st)
			all, some = all && yes, some || yes
		}
	}
	for i := range a.in {
		look(a.in[i].standing)
	}
	for i := range a.out {
		look(a.out[i].standing)
	}
	return all, some
}

// findTooManyAccounts: more than 8 distinct hardened prefixes that name us.
func findTooManyAccounts(a *assessment, s *sayer) {
	if !a.checked || len(a.ring.prefixes) <= maxAccounts {
		return
	}
	s.transaction(CodeTooManyAccounts, sentences{
		fmt.Sprintf("The file names more than %d accounts of yours.", maxAccounts),
		"Nobody could follow what goes where.",
		"Spend from fewer accounts in one transaction.",
	})
}

// findForeignInput: inputs that are not ours next to inputs that are.
func findForeignInput(a *assessment, s *sayer) {
	if a.ours == 0 {
		return
	}
	for i := range a.in {
		var what string
		switch st := a.in[i].standing; st.status {
		case stranger, like:
			what = "This input is not yours: somebody else pays along in this transaction."
		case away:
			what = fmt.Sprintf("This input names your card at %v, but the station does not hold that account, so it counts as somebody else's.", st.path)
		default:
			continue
		}
		s.input(i, CodeForeignInput, sentences{what, "Who gives and who gets what is harder to see: check what comes back to you.", ""})
	}
}

// findNothingToSign: no input is ours. A fingerprint at an account the station
// does not hold proves nothing.
func findNothingToSign(a *assessment, s *sayer) {
	if !a.checked || a.ours > 0 {
		return
	}
	for i := range a.in {
		if a.asks(i) {
			return // claimed and refused: other rules speak
		}
	}
	s.transaction(CodeNothingToSign, sentences{
		"No input of this transaction belongs to this card or to a registered wallet.",
		"You can read it, but there is nothing to sign. It may be another card's.", "",
	})
}

// findNoChange: nothing leaves (self-transfer), or everything does (no-change).
func findNoChange(a *assessment, s *sayer) {
	if a.ours == 0 {
		return
	}
	switch t := &a.report.Totals; {
	case t.BackToUs == 0 && t.ToOthers > 0:
		s.transaction(CodeNoChange, sentences{what: "Everything that is spent leaves: nothing comes back to you."})
	case t.ToOthers == 0 && t.BackToUs > 0:
		s.transaction(CodeSelfTransfer, sentences{what: "Nothing leaves but the fee: everything comes back to you."})
	}
}
