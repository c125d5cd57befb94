package container

// Magic starts every PSBT (BIP174): "psbt" and a separator.
const Magic = "psbt\xff"

// Key types of the global map (BIP174, BIP370, BIP375).
const (
	GlobalUnsignedTx       uint64 = 0x00
	GlobalXpub             uint64 = 0x01
	GlobalTxVersion        uint64 = 0x02 // v2 only
	GlobalFallbackLocktime uint64 = 0x03 // v2 only
	GlobalInputCount       uint64 = 0x04 // v2 only
	GlobalOutputCount      uint64 = 0x05 // v2 only
	GlobalTxModifiable     uint64 = 0x06 // v2 only
	GlobalSPECDHShare      uint64 = 0x07 // v2 only
	GlobalSPDLEQ           uint64 = 0x08 // v2 only
	GlobalVersion          uint64 = 0xfb
	GlobalProprietary      uint64 = 0xfc
)

// Key types of an input map (BIP174, BIP127, BIP370, BIP371, BIP373, BIP375).
const (
	InNonWitnessUTXO         uint64 = 0x00
	InWitnessUTXO            uint64 = 0x01
	InPartialSig             uint64 = 0x02
	InSighashType            uint64 = 0x03
	InRedeemScript           uint64 = 0x04
	InWitnessScript          uint64 = 0x05
	InBip32Derivation        uint64 = 0x06
	InFinalScriptSig         uint64 = 0x07
	InFinalScriptWitness     uint64 = 0x08
	InPorCommitment          uint64 = 0x09
	InRIPEMD160              uint64 = 0x0a
	InSHA256                 uint64 = 0x0b
	InHASH160                uint64 = 0x0c
	InHASH256                uint64 = 0x0d
	InPreviousTxid           uint64 = 0x0e // v2 only
	InOutputIndex            uint64 = 0x0f // v2 only
	InSequence               uint64 = 0x10 // v2 only
	InRequiredTimeLocktime   uint64 = 0x11 // v2 only
	InRequiredHeightLocktime uint64 = 0x12 // v2 only
	InTapKeySig              uint64 = 0x13
	InTapScriptSig           uint64 = 0x14
	InTapLeafScript          uint64 = 0x15
	InTapBip32Derivation     uint64 = 0x16
	InTapInternalKey         uint64 = 0x17
	InTapMerkleRoot          uint64 = 0x18
	InMusig2Participants     uint64 = 0x1a
	InMusig2PubNonce         uint64 = 0x1b
	InMusig2PartialSig       uint64 = 0x1c
	InSPECDHShare            uint64 = 0x1d // v2 only
	InSPDLEQ                 uint64 = 0x1e // v2 only
	InProprietary            uint64 = 0xfc
)

// Key types of an output map (BIP174, BIP370, BIP371, BIP373, BIP375).
const (
	OutRedeemScript       uint64 = 0x00
	OutWitnessScript      uint64 = 0x01
	OutBip32Derivation    uint64 = 0x02
	OutAmount             uint64 = 0x03 // v2 only
	OutScript             uint64 = 0x04 // v2 only
	OutTapInternalKey     uint64 = 0x05
	OutTapTree            uint64 = 0x06
	OutTapBip32Derivation uint64 = 0x07
	OutMusig2Participants uint64 = 0x08
	OutSPV0Info           uint64 = 0x09 // v2 only
	OutSPV0Label          uint64 = 0x0a // v2 only
	OutProprietary        uint64 = 0xfc
)
