package tui

import (
	"strings"
	"testing"

	tea "github.com/charmbracelet/bubbletea"

	"github.com/airlock-signer/airlock/signer"
	"github.com/airlock-signer/airlock/signer/samples"
	"github.com/airlock-signer/airlock/tui/session"
)

func TestSettingsScreen(t *testing.T) {
	p := play(t)
	ready(p)
	p.press("s")
	p.golden("settings")
	p.press("down", "down")
	for _, r := range "912x34567890123" { // letters and too many digits do nothing
		p.press(string(r))
	}
	p.m.Update(tea.KeyMsg{Type: tea.KeyBackspace})
	p.golden("settings-height")
	p.press("down", "right")
	p.golden("settings-weakened")
	p.press("esc")
	if p.m.state.Settings != (signer.Settings{Network: signer.Mainnet}) {
		t.Errorf("left with Esc: %+v", p.m.state.Settings)
	}
	p.press("s", "right", "down", "left", "down", "8", "0", "0", "down", "right", "enter")
	want := signer.Settings{Network: signer.Regtest, Unit: signer.Sat, Height: 800, AcceptUnproven: true}
	if p.m.state.Settings != want {
		t.Errorf("%+v", p.m.state.Settings)
	}
	p.golden("home-weakened")
}

// TestSettingsOnPreview: the file is looked at again, and the banner stands.
func TestSettingsOnPreview(t *testing.T) {
	p := play(t)
	ready(p)
	p.open("refused/no-previous.psbt")
	p.press("s", "up", "right", "enter")
	p.step(session.StepPreview)
	p.golden("preview-unproven")
	if len(p.m.stack) != 0 {
		t.Error("the settings are still open")
	}
	p.press("s", "enter") // nothing changed
	if len(p.m.stack) != 0 || p.m.state.Step != session.StepPreview {
		t.Error("using the same settings again does not lead back")
	}
}

func TestNetworkOffer(t *testing.T) {
	p := play(t)
	ready(p)
	p.press("s", "down", "right", "enter")
	p.open("payment.psbt")
	p.golden("preview-other-network")
	p.press("n")
	p.step(session.StepPreview)
	if strings.Contains(p.m.View(), "switch") || p.m.state.Settings.Network != signer.Mainnet {
		t.Error(p.m.View())
	}
}

// TestEarlierScreen: what changed since the one signed before.
func TestEarlierScreen(t *testing.T) {
	me := samples.Demo()
	file := func(name string, back int64, to int) samples.SampleFile {
		p := samples.NewPacket("bump")
		p.Spend(me.At(samples.P2WPKH, 0, 0), 300_000)
		p.Pay(samples.Stranger(3).At(samples.P2TR, 0, 0).Script, 200_000)
		p.Pay(samples.Stranger(to).At(samples.P2WPKH, 0, 0).Script, 50_000)
		p.Change(me.At(samples.P2WPKH, 1, 0), back)
		return samples.SampleFile{Name: name, Data: p.Bytes()}
	}
	p := play(t, file("first.psbt", 49_000, 4), file("second.psbt", 45_000, 5))
	ready(p)
	p.toReview("first.psbt")
	for range 8 {
		if !p.m.state.Review.CanApprove {
			p.press("enter")
		}
	}
	p.press("enter")
	p.step(session.StepApprove)
	for _, r := range "0.0025" {
		p.press(string(r))
	}
	p.press("enter")
	p.until("the result", func(st session.State) bool { return st.Result != nil && st.Result.Done() })
	p.press("h")
	p.step(session.StepHome)
	p.toReview("second.psbt")
	for !strings.Contains(p.m.View(), "Compared with") {
		p.press("enter")
	}
	p.golden("review-earlier")
}

// TestRefusedHasNoWayOn: no page of a refused review offers one.
func TestRefusedHasNoWayOn(t *testing.T) {
	p := play(t)
	ready(p)
	s := p.toReview("refused/fake-change.psbt")
	p.golden("review-refused")
	for range len(s.pages) {
		for _, word := range []string{"approve", "acknowledge ", "sign,"} {
			help := strings.Join(p.m.help(s), " ")
			if strings.Contains(help, word) {
				t.Errorf("page %d offers %q", s.at+1, help)
			}
		}
		p.press("enter", "a")
	}
	p.golden("review-refused-last")
	if p.m.state.Step != session.StepReview {
		t.Error("there was a way on")
	}
}

// TestPartWantsAWord: a paused run ends as a part only after the word.
func TestPartWantsAWord(t *testing.T) {
	p := play(t)
	ready(p)
	s := newPausedScreen()
	st := session.State{Step: session.StepPaused, Progress: signer.Progress{Made: 1, Total: 3}, Settings: signer.Settings{Network: signer.Mainnet}}
	p.m.state, p.m.screen, p.m.settled = st, s, true
	p.golden("paused")
	s.part.open = true
	p.golden("paused-part")
	do := func() action { return s.part.keys()[0].do() }
	if do() != nil {
		t.Error("written without the word")
	}
	s.part.text.value = "part"
	if got, ok := do().(send); !ok || len(got) != 1 || got[0] != (session.WritePart{}) {
		t.Error("the word does nothing")
	}
	st.Progress.Made = 0
	for _, b := range s.keys(st, p.m.room()) {
		if strings.Contains(b.help, "so far") {
			t.Error("offered with nothing signed")
		}
	}
}

func TestPlaces(t *testing.T) {
	for want, index := range map[string][]int{
		"input 7":                             {7, 7},
		"inputs 0, 1 (2 places)":              {1, 0},
		"inputs 0 to 4, 7, 9 (7 places)":      {0, 1, 2, 3, 4, 7, 9},
		"inputs 3, 5, 6, 10 to 12 (6 places)": {3, 5, 6, 10, 11, 12},
		"inputs 4, 6, 8 (3 places)":           {8, 6, 4, 4},
	} {
		if got := placesText(signer.SubjectInput, index); got != want {
			t.Errorf("%v: %q, want %q", index, got, want)
		}
	}
}
