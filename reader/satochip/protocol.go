package satochip

// Wire constants, protocol page "Transport" and "Commands".
const (
	cla = 0xB0

	insLogoutAll     = 0x60
	insExtendedKey   = 0x6D
	insAuthentikey   = 0x73 // of the seed, up to 0.11
	insSignHash      = 0x7A
	insSignSchnorr   = 0x7B // from 0.14
	insTweak         = 0x7C // from 0.14
	insVerifyPIN     = 0x42
	insStatus        = 0x3C
	insInitChannel   = 0x81
	insSealed        = 0x82
	insExportAuthKey = 0xAD // from 0.12

	insSetup        = 0x2A
	insChangePIN    = 0x44
	insUnblockPIN   = 0x46
	insImportSeed   = 0x6C
	insResetSeed    = 0x77
	insLabel        = 0x3D // from 0.12
	insCertificate  = 0x93 // from 0.12
	insChallenge    = 0x9A // from 0.12
	insFactoryReset = 0xFF // from 0.12, in clear

	keyLastDerived = 0xFF // key number: the key derived last
	optDefault     = 0x40 // of insExtendedKey, as the vendor sends it
	optFlushCache  = 0x80 // of insExtendedKey: empty the cache of nodes first

	maxDepth   = 10 // levels of a path
	minPINSize = 4
	maxPINSize = 16

	// What SETUP is told. The vendor's programs give the same tries and slots.
	setupPINTries = 5
	setupPUKTries = 3
	nodeSlots     = 32 // cached BIP32 nodes, 69 bytes of EEPROM each
	randomCodes   = 16 // bytes of PIN 1 and PUK 1, which nobody uses

	maxLabel   = 64 // bytes
	minSeed    = 16 // bytes (BIP32); the card would take 1
	maxSeed    = 64
	resetsLeft = 5 // insertions of a factory reset
)

// factoryPIN protects a card until SETUP; everybody knows it.
func factoryPIN() []byte { return []byte("Muscle00") }

// aid of the applet, "SatoChip" (the instance has one more byte, which SELECT
// need not give).
func aid() []byte { return []byte("SatoChip") }

// version is what GET STATUS tells: protocol and applet.
type version struct{ major, minor, appletMajor, appletMinor byte }

// Versions of the protocol that change what the driver does. Beyond lastKnown
// nothing is known: such a card is refused rather than tried.
const (
	firstWithChannel    = 11
	firstWithOwnKey     = 12 // authentikey made at installation, INS AD
	firstWithSchnorr    = 14
	lastKnown           = 14
	statusSize          = 12 // bytes; cards sold later add four feature policies
	statusSizePolicies  = 16
	statusSizeAccepted  = 64
	policySchnorrOffset = 13
)

func (v version) ownKey() bool  { return v.minor >= firstWithOwnKey }
func (v version) schnorr() bool { return v.minor >= firstWithSchnorr }
