package session

import (
	"github.com/airlock-signer/airlock/airgap"
	"github.com/airlock-signer/airlock/reader"
	"github.com/airlock-signer/airlock/reader/card"
	"github.com/airlock-signer/airlock/signer"
)

// Step is where the sitting stands. Each has a screen of its own.
type Step uint8

// The steps, in the order of the main job.
const (
	StepHome      Step = iota // cards, media and network at a glance
	StepFiles                 // the files on the media
	StepOpening               // a file is being read and previewed
	StepMalformed             // the file cannot be used: State.Malformed, and State.Problem says why
	StepPreview               // what the file claims, before any card
	StepCard                  // waiting for a card that can be used (or for the network to go down)
	StepPIN                   // the card is known, nobody is logged in
	StepUnlocking             // the PIN is being checked, account keys read, the review made
	StepReview                // what would be signed, proven
	StepApprove               // the amount is typed
	StepSigning               // the card signs
	StepPaused                // the run stopped half-way; what is verified is kept
	StepFailed                // the run was discarded; State.Problem says why
	StepResult                // signed; written, or waiting for a medium
	StepCards                 // the list of readers and cards
	StepCare                  // the page of one card: State.Care
	StepCareTask              // something that card does: State.Care.Stage
)

// State is one moment of the sitting: what the screens draw. It is a value;
// nothing in it changes after it was handed out.
type State struct {
	Step Step
	// Problem is a sentence about what went wrong last and what to do; "" where
	// nothing did. It may quote outside text: it is escaped where it is drawn.
	Problem string

	Slots        []SlotView
	SlotsTrouble string // no service, no reader: a sentence; "" where there is a reader
	Volumes      []airgap.Volume
	Files        []airgap.File
	Scanning     bool
	Gists        map[FileKey]Gist // of transaction files, as far as they were looked into
	Gisting      GistProgress
	FilesNote    string // why not everything was looked at; "" where it was
	Isolation    airgap.Isolation
	AllowNetwork bool // training: the network does not block
	Demo         *DemoView
	Settings     signer.Settings

	File      *airgap.File   // the file opened
	Preview   *signer.Report // of File; nil while opening
	Malformed bool           // File is no valid PSBT (false: unreadable, or of a version not supported)
	// Previous says where previous transactions that File lacks were looked for;
	// nil where it lacks none.
	Previous *PreviousView
	// OtherNetwork is what SwitchNetwork goes to: every path of File is of it. ""
	// where the settings fit.
	OtherNetwork signer.Network
	Card         *SlotView // the card the job is done with
	PIN          PINView
	Busy         string // what StepOpening or StepUnlocking is doing
	Review       *ReviewView
	Progress     signer.Progress
	Result       *ResultView
	Eject        *EjectView // the medium ejected last; nil where there is nothing to say
	Blank        bool       // nobody was there for a while: nothing is shown until Activity
	// Doubt is about keyboards that appeared: nothing else goes on meanwhile. nil
	// where none did.
	Doubt *DoubtView
	// KeyboardsUnknown: this machine does not tell which keyboards it has, so a
	// new one is not noticed.
	KeyboardsUnknown bool
	Unwritten        bool // leaving would lose what was signed
	Locked           bool // the card was logged out during the review: the PIN is wanted again before signing
	Care             *CareView
	Turn             int // another screen is due when it changes, within a step
}

// Blocking lists what keeps the station from asking for a PIN: empty where
// nothing does.
func (s State) Blocking() []airgap.IsolationItem {
	if s.AllowNetwork {
		return nil
	}
	return s.Isolation.Blocking()
}

// SlotView is one reader and the card in it.
type SlotView struct {
	reader.Slot
	Opening  bool
	Opened   bool      // Info holds
	Info     card.Info // where Opened
	Code     string    // identity code to compare with the printed plan; "" where the card has none
	SeenPIN  bool      // this identity took a PIN in this sitting before
	Trouble  string    // why the card cannot be used; "" where it can
	LoggedIn bool
}

// Usable reports whether a PIN may be asked for this card.
func (v SlotView) Usable() bool { return v.Opened && v.Trouble == "" }

// PINView is what the PIN screen needs.
type PINView struct {
	Left     int    // tries left, -1 unknown
	WantWord string // word to be typed before the last try; "" where none is wanted
	WordDone bool
	Wrong    bool // the last PIN was wrong
}

// DemoView describes the simulated card of a demo.
type DemoView struct {
	PIN      string // published demo PIN, no secret; "" where the person chooses it
	Inserted bool
}

// ReviewView is the review and the account of what was shown.
type ReviewView struct {
	Report       *signer.Report
	Items        []signer.Item
	Seen         []bool // of each item
	Cautions     []CautionView
	Confirmation signer.Confirmation
	Earlier      []signer.Earlier // transactions of this sitting that spend the same coins
	ToSign       int              // inputs that this card would sign
	CanApprove   bool             // verdict allows, something to sign, all seen, all acknowledged
	Fingerprint  string           // of the master key, 8 hex digits
}

// CautionView is one kind of caution.
type CautionView struct {
	Code         signer.Code
	Places       []signer.Finding
	Acknowledged bool
}

// ResultView is a finished run.
type ResultView struct {
	Complete bool
	TxID     string
	Added    int      // signatures made
	Names    []string // file names to be written, in order
	Written  []airgap.Written
	Volume   airgap.Volume // written to
	Writing  bool
	Trouble  string // why it is not written yet; "" where it is
}

// Done reports whether everything is on the medium, read back and compared.
func (r ResultView) Done() bool { return len(r.Names) > 0 && len(r.Written) == len(r.Names) }
