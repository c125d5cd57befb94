package session

import (
	"github.com/airlock-signer/airlock/airgap"
	"github.com/airlock-signer/airlock/reader"
	"github.com/airlock-signer/airlock/reader/card"
	"github.com/airlock-signer/airlock/reader/secret"
	"github.com/airlock-signer/airlock/signer"
)

// Event is something that happened. Those below a person makes; the others
// come from readers, media and the session's own work.
type Event interface{ event() }

// What a person does.
type (
	// ShowHome goes to the first screen. Leaving a review logs the card out.
	ShowHome struct{}
	// ShowFiles goes to the list of files and looks at the media again.
	ShowFiles struct{}
	// OpenFile reads and previews a file of State.Files.
	OpenFile struct{ File airgap.File }
	// GoOn leaves the preview for the card, or the review for the approval, or
	// a pause for another try.
	GoOn struct{}
	// ChooseSlot picks the card to use where several are in.
	ChooseSlot struct{ Name string }
	// RetrySlot opens the card in a slot again.
	RetrySlot struct{ Name string }
	// TypeWord is what was typed before a last PIN try.
	TypeWord struct{ Word string }
	// EnterPIN hands over a PIN: the session keeps and releases the buffer. It
	// never is a bubbletea message.
	EnterPIN struct{ PIN *secret.Buffer }
	// PageSeen says that an item of the review was on screen.
	PageSeen struct{ Item signer.Item }
	// Acknowledge a kind of caution.
	Acknowledge struct{ Code signer.Code }
	// TypeAmount is the typed confirmation: if it is right, the run is approved
	// and signing starts.
	TypeAmount struct{ Text string }
	// Back goes one step back. In a review it logs the card out; while signing
	// it pauses the run.
	Back struct{}
	// Discard drops a paused run and its signatures.
	Discard struct{}
	// WriteResult writes what waits to a volume.
	WriteResult struct{ Volume airgap.Volume }
	// WritePart ends a paused run and writes the signatures made so far.
	WritePart struct{}
	// SetSettings changes the settings of the sitting, before a review. A file
	// that is open is previewed anew.
	SetSettings struct{ Settings signer.Settings }
	// SwitchNetwork goes to State.OtherNetwork.
	SwitchNetwork struct{}
	// ToggleDemoCard puts the simulated card in or takes it out.
	ToggleDemoCard struct{}
	// Activity says that a key was pressed: the idle lock starts anew.
	Activity struct{}
)

// What happens by itself.
type (
	slotsChanged     struct{ snapshot reader.Snapshot }
	volumesChanged   struct{ volumes []airgap.Volume }
	isolationChanged struct{ isolation airgap.Isolation }
	scanned          struct {
		gen   int
		files []airgap.File
		note  string
	}
	fileOpened struct {
		gen     int
		tx      *signer.Transaction
		preview *signer.Report
		prev    *PreviousView
		err     error
	}
	cardOpened struct {
		slot       string
		insertions int
		card       card.Card
		err        error
	}
	unlocked struct {
		gen    int
		held   *held
		key    *cardKey
		pin    *secret.Buffer
		review *signer.Review // nil where the one kept holds
		ready  readyView
		pinOK  bool
		err    error
	}
	signProgress struct {
		gen      int
		progress signer.Progress
	}
	signed struct {
		gen    int
		result *signer.Result
		err    error
	}
	partMade struct {
		gen    int
		result *signer.Result
		err    error
	}
	written struct {
		gen    int
		volume airgap.Volume
		dir    string // that was written to
		done   []airgap.Written
		err    error
	}
	// cardDead: the card in a slot could not be logged out and was closed.
	cardDead struct {
		slot string
		held *held
	}
	// slotFree: the card held before is closed, the slot can be opened again.
	slotFree struct{ held *held }
	// slotLeft: an opening that came too late let go of the slot.
	slotLeft struct{ slot string }
	tick     struct{}
)

func (ShowHome) event()         {}
func (ShowFiles) event()        {}
func (OpenFile) event()         {}
func (GoOn) event()             {}
func (ChooseSlot) event()       {}
func (RetrySlot) event()        {}
func (TypeWord) event()         {}
func (EnterPIN) event()         {}
func (PageSeen) event()         {}
func (Acknowledge) event()      {}
func (TypeAmount) event()       {}
func (Back) event()             {}
func (Discard) event()          {}
func (WriteResult) event()      {}
func (WritePart) event()        {}
func (SetSettings) event()      {}
func (SwitchNetwork) event()    {}
func (ToggleDemoCard) event()   {}
func (Activity) event()         {}
func (slotsChanged) event()     {}
func (volumesChanged) event()   {}
func (isolationChanged) event() {}
func (scanned) event()          {}
func (fileOpened) event()       {}
func (cardOpened) event()       {}
func (unlocked) event()         {}
func (signProgress) event()     {}
func (signed) event()           {}
func (partMade) event()         {}
func (written) event()          {}
func (cardDead) event()         {}
func (slotFree) event()         {}
func (slotLeft) event()         {}
func (tick) event()             {}
