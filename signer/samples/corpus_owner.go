package samples

import (
	"fmt"
	"slices"
)

// inputCases: whose an input is.
func inputCases(s *shelf) {
	own := s.me.At(P2WPKH, 0, 3)
	mine, next := "m/84h/0h/0h/0/3", "m/84h/0h/0h/0/4"
	lying := s.thief.At(P2WPKH, 0, 3).as(s.me.Fingerprint, mine)
	claiming := func(claims ...Spot) change {
		return input(0, func(in *Input) {
			in.Drop(inBip32Derivation)
			for _, c := range claims {
				in.Derive(c)
			}
		})
	}
	s.refused("input-not-proven/hit-wrong-key", "input-not-proven", "A stranger's key at our path.", claiming(lying))
	s.refused("input-not-proven/hit-wrong-path", "input-not-proven", "Our key at a wrong path.", claiming(own.as(s.me.Fingerprint, next)))
	s.refused("input-not-proven/hit-other-script", "input-not-proven", "Another key of ours, right for its path, absent from the script.", claiming(s.me.At(P2WPKH, 0, 4)))
	s.refused("input-not-proven/hit-surplus", "input-not-proven", "Our key, and another of ours.", claiming(own, s.me.At(P2WPKH, 0, 4)))
	s.refused("input-not-proven/hit-decoy", "input-not-proven", "Our key, and a stranger's at another path of ours.", claiming(own, lying.as(s.me.Fingerprint, next)))
	s.refused("input-not-proven/hit-unshown", "input-not-proven", "Our key in a script that is not shown.", s.spendQuorum, input(1, func(in *Input) { in.Drop(inWitnessScript) }))
	s.refused("input-not-proven/hit-absent", "input-not-proven", "Our key listed for a 2-of-2 without it.", s.spendQuorum, input(1, func(in *Input) {
		in.Drop(inBip32Derivation)
		in.Derive(s.me.Spot(P2WPKH, "m/48h/0h/0h/2h/0/1"))
	}))
	s.clear("input-not-proven/miss-stranger-too", "Our key, and a stranger's under their own name.", claiming(own, s.thief.At(P2WPKH, 0, 3)))
	s.clear("input-not-proven/miss-no-fingerprint", "Our key, its fingerprint 00000000.", claiming(own.anonymous()))
	s.clear("input-not-proven/miss-other-fingerprint", "Our key under a stranger's fingerprint: the key counts.", claiming(own.as(s.thief.Fingerprint, mine)))
	s.clear("input-not-proven/miss-below-account", "Our key, with the path below the account and no fingerprint.", claiming(own.as([4]byte{}, "m/0/3")))
	s.clear("input-not-proven/miss-anonymous-too", "Our key, and a stranger's with fingerprint 00000000.", claiming(own, s.thief.At(P2WPKH, 0, 3).anonymous()))

	s.caution("foreign-input/hit-one", "foreign-input", "A stranger's input beside ours.", joined(s.friend.At(P2WPKH, 0, 1)))
	s.caution("foreign-input/hit-account-not-held", "foreign-input", "Our fingerprint at an account that the card does not give.", joined(s.me.Spot(P2WPKH, "m/84h/0h/1h/0/0"))).Accounts = []string{"m/84h/0h/0h"}
	s.caution("foreign-input/hit-unclaimed", "foreign-input", "An input that nothing is said about.", joined(s.me.At(P2WPKH, 0, 9)), input(1, func(in *Input) { in.Drop(inBip32Derivation) }))
	s.clear("foreign-input/miss-all-ours", "Two inputs of ours.", joined(s.me.At(P2WPKH, 0, 9)))
	theirs := func(p *Packet) { p.Inputs = nil; p.Spend(s.friend.At(P2WPKH, 0, 3), 200_000) }
	s.caution("foreign-input/miss-all-theirs", "nothing-to-sign", "Strangers' inputs alone.", theirs)

	s.caution("nothing-to-sign/hit-theirs", "nothing-to-sign", "Somebody else pays us.", theirs)
	s.caution("nothing-to-sign/hit-no-claim", "nothing-to-sign", "Our coin, but nothing says so.", claiming())
	s.caution("nothing-to-sign/hit-account-not-held", "change-unproven nothing-to-sign", "Our fingerprint, and a card that gives no account.").Accounts = []string{}
	s.clear("nothing-to-sign/miss-ours", "Our input.")
	s.refused("nothing-to-sign/miss-refused", "input-not-proven", "A false claim: other rules speak.", claiming(lying))
}

// changeCases: what comes back and what only says so.
func changeCases(s *shelf) {
	right := s.me.At(P2WPKH, 1, 4)
	path, next := "m/84h/0h/0h/1/4", "m/84h/0h/0h/1/5"
	thief := s.thief.At(P2WPKH, 1, 4)
	fraud := func(name, about string, do change) *Case {
		return s.refused("change-fraud/hit-"+name, "change-fraud", about, do)
	}
	fraud("wrong-key", "A thief's key at our path.", backTo(thief.as(s.me.Fingerprint, path)))
	fraud("wrong-path", "Our key at a wrong path.", backTo(right.as(s.me.Fingerprint, next)))
	fraud("right-claim", "A thief's script with our right key and path.", naming(thief.Script, right))
	fraud("other-index", "Our script with another key of ours, right for its path.", naming(right.Script, s.me.At(P2WPKH, 1, 5)))
	fraud("surplus", "Our key, and another of ours.", naming(right.Script, right, s.me.At(P2WPKH, 1, 5)))
	fraud("decoy", "Our key, and a thief's at another path of ours.", naming(right.Script, right, thief.as(s.me.Fingerprint, next)))
	fraud("absent", "Our key listed for a 2-of-2 without it.", func(p *Packet) {
		s.payQuorum(p)
		p.Outputs[1].Drop(outBip32Derivation)
		p.Outputs[1].Derive(s.me.Spot(P2WPKH, "m/48h/0h/0h/2h/1/7"))
	})
	tap := treeOf(s.me.At(P2TR, 1, 4), opReturn("x"))
	s.refused("change-fraud/hit-tree", "change-fraud taproot-mismatch", "Our taproot script, said to have a script behind it.", s.spending(P2TR),
		func(p *Packet) { p.Outputs[1].Set(outTapTree, nil, tap.encoded) })
	s.refused("change-fraud/hit-tree-alone", "change-fraud", "The same, and no internal key to contradict it.", s.spending(P2TR),
		func(p *Packet) { p.Outputs[1].Drop(outTapInternalKey); p.Outputs[1].Set(outTapTree, nil, tap.encoded) })
	s.refused("change-fraud/hit-hidden-tree", "change-fraud taproot-mismatch", "A script behind our taproot key that the file hides.", s.spending(P2TR),
		func(p *Packet) { p.Outputs[1].Script = tap.script })
	walletCases(s, tap)
	s.clear("change-fraud/miss-stranger-too", "Our key, and a stranger's under their own name.", naming(right.Script, right, thief))
	s.clear("change-fraud/miss-stranger", "A thief's key and path under their own name is a payment.", backTo(thief))
	s.clear("change-fraud/miss-no-fingerprint", "Our key, its fingerprint 00000000.", backTo(right.anonymous()))
	s.clear("change-fraud/miss-other-fingerprint", "Our key under a stranger's fingerprint: the key counts.", backTo(right.as(s.thief.Fingerprint, path)))

	s.caution("change-unproven/hit-path-like-ours", "change-unproven", "A path like ours, a stranger's key, no fingerprint.", backTo(thief.as([4]byte{}, path)))
	s.caution("change-unproven/hit-account-not-held", "change-unproven", "Our fingerprint at an account that the card does not give.", backTo(s.me.Spot(P2WPKH, "m/84h/0h/1h/1/4"))).Accounts = []string{"m/84h/0h/0h"}
	s.caution("change-unproven/hit-hardened", "change-unproven", "A hardened step below the account.", backTo(s.me.Spot(P2WPKH, "m/84h/0h/0h/1h/4"))).Accounts = []string{"m/84h/0h/0h"}
	s.caution("change-unproven/hit-unshown", "change-unproven", "Our key in a 2-of-2 that is not shown.", func(p *Packet) { s.payQuorum(p); p.Outputs[1].Drop(outWitnessScript) })
	s.clear("change-unproven/miss-other-type", "A path like ours, no fingerprint, in a script of another type.", backTo(s.thief.At(P2PKH, 1, 4).as([4]byte{}, path)))
	s.clear("change-unproven/miss-any-account", "A path that could be below any account, no fingerprint.", backTo(thief.as([4]byte{}, "m/1/4")))
	s.clear("change-unproven/miss-no-claim", "Our own address, but nothing says so: a payment.", func(p *Packet) { p.Outputs[1].Drop(outBip32Derivation) })
	s.clear("change-unproven/miss-proven", "Proven change.")
	accountCases(s)
}

// walletCases: what names a registered wallet and is not its.
func walletCases(s *shelf, tap tree) {
	path := "m/84h/0h/0h/1/4"
	fraud := func(name, about string, do change) *Case {
		return s.refused("change-fraud/hit-"+name, "change-fraud", about, do)
	}
	registered := func(c *Case, wallets ...string) { c.Wallets, c.NoCard = wallets, true }
	native := s.descriptor(P2WPKH, "m/84h/0h/0h")
	registered(fraud("wallet-type", "The key of a registered wallet in a script of another type.", backTo(s.me.Spot(P2TR, path))), native)
	registered(fraud("wallet-nested", "The script of a registered wallet, nested.", backTo(s.me.Spot(P2SHP2WPKH, path))), native)
	registered(s.refused("change-fraud/hit-wallet-tree", "change-fraud", "The key of a registered taproot wallet, with a script behind it.", s.spending(P2TR), func(p *Packet) {
		p.Outputs[1].Script = tap.script
		p.Outputs[1].Set(outTapTree, nil, tap.encoded)
	}), s.descriptor(P2TR, "m/86h/0h/0h"))
	registered(s.clear("change-fraud/miss-wallet", "Change of a registered wallet."), native)
}

// accountCases: other accounts of the card.
func accountCases(s *shelf) {
	registered := func(c *Case, wallets ...string) { c.Wallets, c.NoCard = wallets, true }
	native := s.descriptor(P2WPKH, "m/84h/0h/0h")
	s.caution("other-account/hit-next", "other-account", "Change in the next account of the card.", backTo(s.me.Spot(P2WPKH, "m/84h/0h/1h/1/4")))
	s.caution("other-account/hit-purpose", "other-account", "Change in the taproot account.", backTo(s.me.At(P2TR, 1, 4)))
	s.caution("other-account/hit-hardened", "other-account", "A hardened step below the account, and the card gives that key.", backTo(s.me.Spot(P2WPKH, "m/84h/0h/0h/1h/4")))
	s.caution("other-account/hit-several", "other-account", "Coins of two accounts: nothing is change.", joined(s.me.Spot(P2WPKH, "m/84h/0h/1h/0/0")))
	c := s.caution("other-account/hit-beside-wallet", "other-account", "A registered wallet is spent, another account of the card is paid.", backTo(s.me.Spot(P2WPKH, "m/84h/0h/1h/1/4")))
	c.Wallets = []string{native}
	s.clear("other-account/miss-same", "The account that is spent from.")
	registered(s.clear("other-account/miss-registered", "Two registered wallets: change goes to the other.", backTo(s.me.Spot(P2WPKH, "m/84h/0h/1h/1/4"))), native, s.descriptor(P2WPKH, "m/84h/0h/1h"))
	s.clear("other-account/miss-several-unclaimed", "Coins of two accounts, a payment alone.", joined(s.me.Spot(P2WPKH, "m/84h/0h/1h/0/0")), func(p *Packet) {
		p.Outputs[0].Amount += p.Outputs[1].Amount
		p.Outputs = p.Outputs[:1]
	})
}

// descriptor of an account of ours.
func (s *shelf) descriptor(t Type, path string) string {
	around := map[Type][2]string{P2PKH: {"pkh(", ")"}, P2SHP2WPKH: {"sh(wpkh(", "))"}, P2WPKH: {"wpkh(", ")"}, P2TR: {"tr(", ")"}}[t]
	return fmt.Sprintf("%s[%x%s]%s/<0;1>/*%s", around[0], s.me.Fingerprint, path[1:], s.me.Account(path), around[1])
}

// pathCases: where an own output lies.
func pathCases(s *shelf) {
	at := func(path string) change { return backTo(s.me.Spot(P2WPKH, path)) }
	for _, c := range []struct{ name, path, about string }{
		{"branch", "m/84h/0h/0h/2/4", "Another branch."},
		{"last-branch", "m/84h/0h/0h/2147483646/0", "The branch before the one kept for seals."},
		{"shallow", "m/84h/0h/0h/4", "No branch."}, {"deep", "m/84h/0h/0h/1/4/0", "A step more."}, {"account", "m/84h/0h/0h", "The account key itself."},
	} {
		s.caution("path-unusual/hit-"+c.name, "path-unusual", c.about, at(c.path))
	}
	s.caution("path-unusual/hit-type", "path-unusual", "A taproot script of the account of BIP84.", backTo(s.me.Spot(P2TR, "m/84h/0h/0h/1/4")))
	c := s.caution("path-unusual/hit-wallet", "path-unusual", "A branch that the registered wallet does not have.", at("m/84h/0h/0h/2/4"))
	c.Wallets, c.NoCard = []string{s.descriptor(P2WPKH, "m/84h/0h/0h")}, true
	s.clear("path-unusual/miss-change", "The branch for change.", at("m/84h/0h/0h/1/4"))
	s.clear("path-unusual/miss-receive", "The branch for receiving.", at("m/84h/0h/0h/0/4"))
	s.clear("path-unusual/miss-other-purpose", "An account of a purpose that says nothing about scripts.", func(p *Packet) {
		p.Inputs, p.Outputs = nil, p.Outputs[:1]
		p.Spend(s.me.Spot(P2WPKH, "m/0h/0/0"), 200_000)
		p.Change(s.me.Spot(P2WPKH, "m/0h/1/0"), 99_000)
	})

	s.caution("path-far/hit-201", "path-far", "201 beyond the highest index among our inputs.", at("m/84h/0h/0h/1/204"))
	s.clear("path-far/miss-200", "200 beyond.", at("m/84h/0h/0h/1/203"))
	s.caution("path-far/hit-last", "path-far", "The last index there is: who restores the wallet never finds it.", at("m/84h/0h/0h/1/2147483647"))
	s.caution("path-far/hit-unusual-too", "path-far path-unusual", "Far out on an unusual branch.", at("m/84h/0h/0h/7/1000000"))
	s.clear("path-far/miss-highest-counts", "The highest index among several inputs counts.", joined(s.me.At(P2WPKH, 0, 900)), at("m/84h/0h/0h/1/1100"))
	s.caution("path-far/hit-stranger-counts-not", "foreign-input path-far", "A stranger's index does not.", joined(s.friend.At(P2WPKH, 0, 900)), at("m/84h/0h/0h/1/1100"))

	s.refused("path-reserved/hit-paid", "path-reserved", "The branch of seals is paid.", at("m/84h/0h/0h/2147483647/0"))
	s.refused("path-reserved/hit-paid-deep", "path-reserved", "Deeper on the branch of seals.", at("m/84h/0h/0h/2147483647/7/7"))
	s.refused("path-reserved/hit-spent", "path-reserved", "The branch of seals is spent.", func(p *Packet) {
		p.Inputs = nil
		p.Spend(s.me.Spot(P2WPKH, "m/84h/0h/0h/2147483647/0"), 200_000)
	})
	s.caution("path-reserved/miss-before", "path-unusual", "The branch before it.", at("m/84h/0h/0h/2147483646/0"))
	s.caution("path-reserved/miss-index", "path-far", "The same number as an index.", at("m/84h/0h/0h/1/2147483647"))
}

// networkCases: coin types, networks, and too many accounts.
func networkCases(s *shelf) {
	move := func(from, back string) change {
		return func(p *Packet) {
			p.Inputs, p.Outputs = nil, p.Outputs[:1]
			p.Spend(s.me.Spot(P2WPKH, from), 200_000)
			p.Change(s.me.Spot(P2WPKH, back), 99_000)
		}
	}
	on := func(c *Case, network string) { c.Network = network }
	unlocked := func(p *Packet) { p.LockTime = 0 }
	on(s.refused("network-mismatch/hit-mainnet-keys", "network-mismatch", "Keys of mainnet, the station on testnet."), "testnet")
	on(s.refused("network-mismatch/hit-signet", "network-mismatch", "Keys of mainnet, the station on signet.", unlocked), "signet")
	s.refused("network-mismatch/hit-testnet-keys", "network-mismatch", "Keys of testnet on mainnet.", move("m/84h/1h/0h/0/0", "m/84h/1h/0h/1/0"))
	s.refused("network-mismatch/hit-bip87", "network-mismatch", "The purpose of BIP87 has a coin type too.", move("m/87h/1h/0h/0/0", "m/87h/1h/0h/1/0"))
	s.refused("network-mismatch/hit-change", "network-mismatch other-account", "Only the change is of testnet.", move("m/84h/0h/0h/0/0", "m/84h/1h/0h/1/0"))
	c := s.refused("network-mismatch/hit-wallet", "network-mismatch", "A registered wallet of mainnet, the station on regtest.", move("m/0h/0/0", "m/0h/1/0"), unlocked)
	c.Network, c.NoCard, c.Wallets = "regtest", true, []string{s.descriptor(P2WPKH, "m/0h")}
	on(s.clear("network-mismatch/miss-testnet", "Keys of testnet on testnet.", move("m/84h/1h/0h/0/0", "m/84h/1h/0h/1/0")), "testnet")
	on(s.clear("network-mismatch/miss-no-coin-type", "A path without a coin type.", move("m/0h/0/0", "m/0h/1/0")), "testnet")
	s.clear("network-mismatch/miss-45", "The old purpose of multisig has no coin type.", move("m/45h/1h/0h/0/0", "m/45h/1h/0h/1/0"))
	s.clear("network-mismatch/miss-other-chain", "The coin type of another chain is not that of another network.", move("m/84h/2h/0h/0/0", "m/84h/2h/0h/1/0"))
	s.clear("network-mismatch/miss-stranger", "A stranger's claim of testnet.", input(0, func(in *Input) { in.Derive(s.friend.Spot(P2WPKH, "m/84h/1h/0h/0/0")) }))

	accounts := func(n int) change {
		return func(p *Packet) {
			for i := 1; i < n; i++ {
				joined(s.me.Spot(P2WPKH, fmt.Sprintf("m/84h/0h/%dh/0/0", i)))(p)
			}
			p.Outputs = slices.Delete(p.Outputs, 1, 2)
			p.Outputs[0].Amount += 99_000
		}
	}
	s.refused("too-many-accounts/hit-9", "too-many-accounts", "Nine accounts of ours.", accounts(9))
	s.clear("too-many-accounts/miss-8", "Eight.", accounts(8))
	s.clear("too-many-accounts/miss-no-prefix", "Eight, and a key without any hardened step.", accounts(8), joined(s.me.Spot(P2WPKH, "m/0/7"))).Accounts =
		[]string{"m/84h/0h/0h", "m/84h/0h/1h", "m/84h/0h/2h", "m/84h/0h/3h", "m/84h/0h/4h", "m/84h/0h/5h", "m/84h/0h/6h", "m/84h/0h/7h", "m"}
	s.caution("too-many-accounts/miss-strangers", "foreign-input", "Eight of ours and one of a stranger.", accounts(8), joined(s.friend.Spot(P2WPKH, "m/84h/0h/9h/0/0")))
}
