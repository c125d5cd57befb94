package tui

import (
	"strings"
	"testing"

	tea "github.com/charmbracelet/bubbletea"

	"github.com/airlock-signer/airlock/airgap"
	"github.com/airlock-signer/airlock/reader/simcard"
	"github.com/airlock-signer/airlock/tui/session"
)

func ready(p *player) {
	p.Helper()
	p.until("the first look", func(st session.State) bool {
		return len(st.Slots) == 1 && len(st.Volumes) == 1 && !st.Scanning && len(st.Files) > 0 && len(st.Isolation.Items) > 0
	})
}

// TestMainJobScreens takes a picture of each screen of the main job.
func TestMainJobScreens(t *testing.T) {
	p := play(t)
	ready(p)
	p.golden("home")
	p.press("enter")
	p.step(session.StepFiles)
	p.until("the gists", func(st session.State) bool {
		return !st.Scanning && st.Gisting.Total > 0 && st.Gisting.Done == st.Gisting.Total
	})
	p.golden("files")
	p.press("esc")
	p.open("payment.psbt")
	p.golden("preview")
	p.press("enter")
	p.golden("card")
	p.insert()
	p.step(session.StepPIN)
	p.golden("pin")
	p.pin("12")
	p.golden("pin-typed")
	p.pin("34")
	p.press("enter")
	p.step(session.StepReview)
	p.golden("review-1")
	p.press("d")
	p.golden("details")
	p.press("pgdown")
	p.golden("details-2")
	p.press("esc", "enter")
	p.golden("review-2-payment")
	p.press("c")
	for _, r := range "bc1q" {
		p.press(string(r))
	}
	p.golden("compare")
	p.press("esc", "enter")
	p.golden("review-3-back")
	for range 8 {
		if !p.m.state.Review.CanApprove {
			p.press("enter")
		}
	}
	p.golden("review-last")
	p.press("enter")
	p.step(session.StepApprove)
	p.golden("approve")
	for _, r := range "0.0025" {
		p.press(string(r))
	}
	p.press("enter")
	p.until("the result", func(st session.State) bool { return st.Result != nil && st.Result.Done() })
	p.golden("result")
	p.press("e")
	p.until("the end of ejecting", func(st session.State) bool { return st.Eject != nil && !st.Eject.Running })
	p.golden("result-ejected")
}

// TestEjectScreens: several media are asked for, and ejecting is said.
func TestEjectScreens(t *testing.T) {
	p := play(t)
	ready(p)
	p.press("e")
	p.until("the end of ejecting", func(st session.State) bool { return st.Eject != nil && !st.Eject.Running && !st.Scanning })
	p.golden("home-ejected")
	st := p.m.state
	other := st.Volumes[0]
	other.Label, other.ID, other.FSType, other.Folder, other.ReadOnly = "BACKUP", "other", "vfat", false, true
	p.m.state.Volumes = append(st.Volumes, other)
	p.m.Update(keyMsg("e"))
	p.m.Update(keyMsg("down"))
	p.m.state.Volumes = append(st.Volumes, other)
	p.golden("eject-which")
	p.m.state = st
	e := *st.Eject
	e.Safe, e.Sentence = true, airgap.EjectResult{State: airgap.EjectSafe}.Sentence()
	p.m.state.Eject = &e
	p.press("esc")
	p.m.state.Eject = &e
	p.golden("home-ejected-safe")
}

// TestOtherScreens takes pictures of what is not every day.
func TestOtherScreens(t *testing.T) {
	for _, c := range []struct{ name, file string }{
		{"preview-refused", "refused/no-previous.psbt"},
		{"malformed", "malformed/cut-off.psbt"},
	} {
		p := play(t)
		ready(p)
		p.open(c.file)
		p.golden(c.name)
	}
	p := play(t)
	ready(p)
	p.open("caution/high-fee.psbt")
	p.insert()
	p.press("enter")
	p.pin("9999")
	p.press("enter")
	p.until("the wrong PIN", func(st session.State) bool { return st.Step == session.StepPIN && st.PIN.Wrong })
	p.golden("pin-wrong")
	p.pin(simcard.DemoPIN)
	p.press("enter")
	p.step(session.StepReview)
	p.golden("review-caution-1")
	for !strings.Contains(p.m.View(), "acknowledge it") {
		p.press("enter")
	}
	p.golden("review-caution-finding")
	p.press("a")
	p.golden("review-caution-acknowledged")
	p.network <- airgap.Isolation{Items: []airgap.IsolationItem{{What: "eth0", State: "eth0 is up, with an address", Detail: "Unplug its cable, or switch it off.", Blocks: true}}}
	p.until("the lock", func(st session.State) bool { return st.Locked })
	p.golden("review-locked-by-network")
	p.press("esc", "enter")
	p.step(session.StepCard)
	p.golden("card-blocked-by-network")
}

// TestEarlyKeysAreIgnored: a key held down before a screen appeared must not
// answer it.
func TestEarlyKeysAreIgnored(t *testing.T) {
	p := play(t)
	ready(p)
	p.m.Update(tea.KeyMsg{Type: tea.KeyEnter})
	if p.m.state.Step != session.StepFiles {
		t.Fatalf("step %d", p.m.state.Step)
	}
	p.until("the files", func(st session.State) bool { return !st.Scanning && len(st.Files) > 0 })
	p.m.settled = false
	seq := p.m.seq
	p.m.Update(tea.KeyMsg{Type: tea.KeyEnter})
	if p.m.state.Step != session.StepFiles {
		t.Error("an early Enter opened a file")
	}
	p.m.Update(settledMsg{seq})
	if p.m.settled {
		t.Error("the keyboard counts as quiet though a key came since")
	}
	if strings.Contains(p.m.View(), "Enter open") {
		t.Error("keys are shown that do not work")
	}
}

// TestEmptyPIN: Enter with nothing typed leaves everything as it is.
func TestEmptyPIN(t *testing.T) {
	p := play(t)
	ready(p)
	p.open("payment.psbt")
	p.insert()
	p.press("enter")
	p.step(session.StepPIN)
	before := p.in.hidden
	p.press("enter", "enter", "enter")
	if p.in.hidden != before+3 || p.in.into == nil {
		t.Errorf("the secret mode was switched on %d times", p.in.hidden-before)
	}
	p.pin(simcard.DemoPIN)
	p.press("enter")
	p.step(session.StepReview)
}

func TestSmallWindow(t *testing.T) {
	p := play(t)
	p.m.Update(tea.WindowSizeMsg{Width: 60, Height: 20})
	if !strings.Contains(p.m.View(), "80 columns") {
		t.Error(p.m.View())
	}
}

// TestKeyboardScreens: a keyboard that appears while a PIN is typed ends the
// secret mode, stands in the place of everything, and goes with its code.
func TestKeyboardScreens(t *testing.T) {
	p := play(t)
	ready(p)
	p.open("payment.psbt")
	p.insert()
	p.press("enter")
	p.step(session.StepPIN)
	p.pin("12")
	p.boards <- []airgap.Keyboard{{Node: "input9", Name: "Fast\x1b[2J keyboard", Phys: "usb-1/input0"}}
	p.until("the doubt", func(st session.State) bool { return st.Doubt != nil })
	code := p.m.state.Doubt.Code
	p.picture("keyboard", strings.ReplaceAll(p.m.View(), code, "482913"))
	if p.in.into != nil {
		t.Error("the keyboard is in its secret mode still")
	}
	p.press("esc", "q", "enter")
	if p.m.state.Doubt == nil || p.m.state.Doubt.Code == code {
		t.Fatal("a wrong code changed nothing")
	}
	for _, r := range p.m.state.Doubt.Code {
		p.press(string(r))
	}
	p.press("enter")
	p.step(session.StepPIN)
	if p.in.into == nil {
		t.Error("the keyboard is not in its secret mode")
	}
	p.boards <- []airgap.Keyboard{{Node: "input9", Phys: "usb-1/input0"}, {Node: "input10", Name: "Another"}}
	p.until("the doubt", func(st session.State) bool { return st.Doubt != nil })
	for range 5 {
		p.press("1", "enter")
	}
	p.golden("keyboard-no-code")
}

// TestBlankScreen: nothing is seen, the key that brings it back does nothing
// else, and a PIN that was begun is forgotten.
func TestBlankScreen(t *testing.T) {
	p := play(t)
	ready(p)
	p.open("payment.psbt")
	p.insert()
	p.press("enter")
	p.step(session.StepPIN)
	p.pin("12")
	st := p.m.state
	st.Blank = true
	p.m.state = st
	p.m.enter()
	if strings.TrimSpace(p.m.View()) != "" || p.in.into != nil {
		t.Errorf("secret mode %v, on screen:\n%s", p.in.into != nil, p.m.View())
	}
	p.m.state.Turn-- // the session's own turn: it is awake
	p.press("esc")
	if p.m.state.Blank || p.m.state.Step != session.StepPIN || p.in.into == nil || p.in.into.Len() != 0 {
		t.Errorf("blank %v, step %d", p.m.state.Blank, p.m.state.Step)
	}
}
