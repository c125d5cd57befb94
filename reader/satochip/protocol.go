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

	keyLastDerived = 0xFF // key number: the key derived last
	optDefault     = 0x40 // of insExtendedKey, as the vendor sends it
	optFlushCache  = 0x80 // of insExtendedKey: empty the cache of nodes first

	maxDepth   = 10 // levels of a path
	minPINSize = 4
	maxPINSize = 16
)

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
