package signer

import (
	"fmt"
	"strconv"
	"time"

	"github.com/btcsuite/btcd/wire"
)

// The station has neither the height of the chain nor a clock that it trusts.
// This is where the chain stood, near enough, when this release was made. Block
// 900,000 of mainnet was found on 2025-06-06; 534 days of 144 blocks later it is
// 976,896. The test networks have other heights: testnet3 is the furthest and
// stands for both of its kind; signet has had 144 blocks a day since
// 2020-09-01.
const (
	anchorMainnet = 977_000
	anchorTestnet = 5_000_000
	anchorSignet  = 327_000
)

// anchorDate is the day of the release.
var anchorDate = time.Date(2026, time.November, 22, 0, 0, 0, 0, time.UTC)

const (
	blocksADay      = 144
	farBlocks       = 5 * 365 * blocksADay // 262,800: five years
	locktimeIsTime  = 500_000_000          // nLockTime from here on is a time (BIP65)
	sequenceFinal   = wire.MaxTxInSequenceNum
	maxReplaceable  = sequenceFinal - 2 // BIP125
	relativeOff     = uint32(1) << 31   // BIP68
	relativeIsTime  = uint32(1) << 22   // BIP68, in units of 512 seconds
	relativeMask    = uint32(0xffff)    // BIP68
	relativeVersion = 2                 // BIP68: from this transaction version on
)

func anchorHeight(n Network) uint32 {
	switch n {
	case Testnet:
		return anchorTestnet
	case Signet:
		return anchorSignet
	case Regtest:
		return 0
	}
	return anchorMainnet
}

// findInputDuplicate: an outpoint spent twice.
func findInputDuplicate(a *assessment, s *sayer) {
	seen := make(map[wire.OutPoint]int, len(a.msg.TxIn))
	for i, in := range a.msg.TxIn {
		if first, ok := seen[in.PreviousOutPoint]; ok {
			s.input(i, CodeInputDuplicate, sentences{
				fmt.Sprintf("This input spends the same coin as input %d.", first),
				"A coin can be spent once; counted twice, it hides the real fee.",
				"Do not use this file. Make the transaction again at the coordinator.",
			})
			continue
		}
		seen[in.PreviousOutPoint] = i
	}
}

// findTxLarge: weight above 4,000,000 (no block takes it), or above 400,000
// (most of the network does not pass it on).
func findTxLarge(a *assessment, s *sayer) {
	switch w := a.report.Weight; {
	case w > maxWeight:
		s.transaction(CodeTxTooLarge, sentences{
			fmt.Sprintf("The transaction weighs %s units; a whole block has room for %s.", thousands(w), thousands(maxWeight)),
			"It can never confirm.",
			"Spend fewer coins, or pay fewer people, in one transaction.",
		})
	case w > standardWeight:
		s.transaction(CodeTxLarge, sentences{
			fmt.Sprintf("The transaction weighs %s units, more than the %s that the network passes on by itself.", thousands(w), thousands(standardWeight)),
			"It may not reach a miner.", "",
		})
	}
}

// findTxVersion: a version other than 1, 2 or 3 (tx-version-unusual); version 3
// is a note (BIP431).
func findTxVersion(a *assessment, s *sayer) {
	switch v := a.msg.Version; v {
	case 1, 2:
	case 3:
		s.transaction(CodeTruc, sentences{what: "The transaction has version 3: the network keeps it and what spends it small (BIP431)."})
	default:
		s.transaction(CodeTxVersionUnusual, sentences{
			fmt.Sprintf("The transaction has version %d, which has no meaning yet.", v),
			"The network may not pass it on.", "",
		})
	}
}

// findLocktime: the absolute lock, where some input puts it in force. A height
// far above where the chain can be, or a date more than five years after the
// release, is locktime-future; with today's height given, any height more than
// a day ahead of it is (a coordinator may have seen newer blocks).
func findLocktime(a *assessment, s *sayer) {
	lock := a.msg.LockTime
	if lock == 0 {
		return
	}
	if !a.locked() {
		s.transaction(CodeLocktimeInert, sentences{what: "A lock time is set, but no input puts it in force."})
		return
	}
	if lock >= locktimeIsTime {
		when := time.Unix(int64(lock), 0).UTC()
		what := fmt.Sprintf("The network takes this transaction only after %s (UTC).", when.Format("2006-01-02 15:04"))
		if when.After(anchorDate.AddDate(5, 0, 0)) {
			s.transaction(CodeLocktimeFuture, futureLock(what))
			return
		}
		s.transaction(CodeLocktimeTime, sentences{what: what})
		return
	}
	what := fmt.Sprintf("The network takes this transaction only after block %s.", thousands(int64(lock)))
	limit := uint64(anchorHeight(a.settings.Network)) + farBlocks
	if h := a.settings.Height; h != 0 {
		limit = uint64(h) + blocksADay
		if lock > h {
			what += fmt.Sprintf(" That is %s blocks from the height you gave, some %s days.", thousands(int64(lock-h)), thousands(int64((lock-h)/blocksADay)))
		}
	}
	if uint64(lock) > limit {
		s.transaction(CodeLocktimeFuture, futureLock(what))
		return
	}
	s.transaction(CodeLocktimeHeight, sentences{what: what})
}

func futureLock(what string) sentences {
	return sentences{what, "Until then the payment cannot confirm, and whoever holds the signed transaction waits with it.", ""}
}

// locked tells whether some input puts the lock time in force (BIP65).
func (a *assessment) locked() bool {
	for _, in := range a.msg.TxIn {
		if in.Sequence != sequenceFinal {
			return true
		}
	}
	return false
}

// findRelativeLock: a relative lock (BIP68) is part of no single-key wallet. It
// counts as locktime-future.
func findRelativeLock(a *assessment, s *sayer) {
	if uint32(a.msg.Version) < relativeVersion {
		return
	}
	for i, in := range a.msg.TxIn {
		n := in.Sequence & relativeMask
		if in.Sequence&relativeOff != 0 || n == 0 {
			continue
		}
		age := fmt.Sprintf("%s blocks", thousands(int64(n)))
		if in.Sequence&relativeIsTime != 0 {
			age = fmt.Sprintf("%.1f days", float64(n)*512/86400)
		}
		s.input(i, CodeLocktimeFuture, sentences{
			fmt.Sprintf("The network takes this transaction only once the coin of this input is %s old.", age),
			"Until then the payment cannot confirm. Ordinary wallets do not set this.", "",
		})
	}
}

// findReplaceable: some input's sequence is below 0xfffffffe (BIP125).
func findReplaceable(a *assessment, s *sayer) {
	for _, in := range a.msg.TxIn {
		if in.Sequence <= maxReplaceable {
			s.transaction(CodeReplaceable, sentences{what: "Until it confirms, the transaction can be replaced by one with a higher fee."})
			return
		}
	}
}

// thousands writes a number with commas: 912,345.
func thousands(n int64) string {
	digits := strconv.FormatInt(n, 10)
	out := ""
	for len(digits) > 3 && digits[len(digits)-4] != '-' {
		out = "," + digits[len(digits)-3:] + out
		digits = digits[:len(digits)-3]
	}
	return digits + out
}
