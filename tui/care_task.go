package tui

import (
	"fmt"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/lipgloss"

	"github.com/airlock-signer/airlock/signer/plain"
	"github.com/airlock-signer/airlock/tui/session"
)

// careTask is something that a card does, stage by stage: each has a screen of
// its own behind this one.
type careTask struct{ stage screen }

func (c *careTask) of(st session.State) screen {
	if c.stage == nil && st.Care != nil {
		c.stage = stageScreen(st.Care.Stage)
	}
	if c.stage == nil {
		return busyScreen{}
	}
	return c.stage
}

func (c *careTask) title(st session.State) string           { return c.of(st).title(st) }
func (c *careTask) body(st session.State, z size) []string  { return c.of(st).body(st, z) }
func (c *careTask) keys(st session.State, z size) []binding { return c.of(st).keys(st, z) }
func (c *careTask) typed(msg tea.KeyMsg) {
	if t, ok := c.stage.(typing); ok {
		t.typed(msg)
	}
}

// stageScreen makes the screen of a stage.
func stageScreen(g session.Stage) screen {
	switch g {
	case session.StageRules:
		return rulesScreen{}
	case session.StageUnlock, session.StagePIN, session.StagePUK, session.StageNewPIN, session.StageNewPINAgain,
		session.StageNewPUK, session.StageNewPUKAgain, session.StagePassphrase, session.StagePassAgain:
		return &codeScreen{}
	case session.StageName:
		return &nameScreen{}
	case session.StageConfirm:
		return &confirmScreen{}
	case session.StageGone:
		return goneScreen{}
	case session.StageDone:
		return attestScreen{}
	case session.StageKeyKind:
		return &keyKindScreen{}
	case session.StageKey:
		return &keyScreen{}
	case session.StageReset:
		return resetScreen{}
	case session.StageSeedHow:
		return &seedHowScreen{}
	case session.StageSeedDice:
		return diceScreen{}
	case session.StageSeedHand:
		return handScreen{}
	case session.StageSeedWords:
		return &wordsScreen{}
	case session.StageSeedAsk:
		return askScreen{}
	case session.StageSeedEnter:
		return enterScreen{}
	case session.StageSeedPass:
		return passScreen{}
	case session.StageSeedConfirm:
		return &loadScreen{}
	}
	return workingScreen{}
}

// taskTitles stand in the title bar.
var taskTitles = map[session.Task]string{
	session.TaskSetup: "Set up", session.TaskUnlock: "Unlock", session.TaskSeed: "Load a key", session.TaskUnblock: "Unblock the PIN",
	session.TaskKeys: "Public keys", session.TaskTest: "Test", session.TaskAttest: "Origin", session.TaskName: "Name",
	session.TaskChangePIN: "Change the PIN", session.TaskLogout: "Log out", session.TaskErase: "Erase the key", session.TaskReset: "Factory reset",
}

func taskTitle(st session.State) string {
	if st.Care == nil {
		return "Card"
	}
	return careTitle(taskTitles[st.Care.Task], st)
}

func leaveKey() binding { return on("leave", session.Back{}, "esc") }

// workingScreen is shown while the card works.
type workingScreen struct{}

func (workingScreen) title(st session.State) string { return taskTitle(st) }

func (workingScreen) body(st session.State, z size) []string {
	p := newPage(z)
	p.add("%s ...", plain.Text(st.Busy))
	p.gap().add("Leave the card where it is.")
	if st.Care != nil && st.Care.Slot.Contactless() {
		p.gap().add(positioning)
	}
	return p.lines
}

func (workingScreen) keys(st session.State, _ size) []binding {
	return append(demoKey(st), on("stop", session.Back{}, "esc"))
}

// rulesScreen says the rules before codes are typed.
type rulesScreen struct{}

func (rulesScreen) title(st session.State) string { return taskTitle(st) }

func (rulesScreen) body(st session.State, z size) []string {
	p := newPage(z)
	v := st.Care
	r := v.Setup
	switch v.Task {
	case session.TaskSetup:
		p.styled(styleStrong, "The card gets a PIN and a PUK. Choose them, and write them down, before you go on.")
		p.gap().hang("PIN  ", fmt.Sprintf("%d to %d characters, asked for each time the card is used. After %d wrong ones it is blocked.", r.PIN.Min, r.PIN.Max, r.PINTries))
		p.gap().hang("PUK  ", fmt.Sprintf("%d to %d characters, other than the PIN. It unblocks a blocked PIN. After %d wrong ones only a factory reset helps, which erases the key. It cannot be changed later.", r.PUK.Min, r.PUK.Max, r.PUKTries))
		p.gap().add("Nobody can read them from the card. Without PIN and PUK the key is lost, unless its words are on paper or on another card. Keep the PUK apart from the card.")
		if v.Slot.Code != "" {
			p.gap().add("Write the card's code on your plan as well: %s. It tells this card from a false one.", v.Slot.Code)
		}
		p.gap().add("Each is typed twice. What you type is not shown, unless you press Ctrl+R.")
	case session.TaskUnblock:
		p.styled(styleStrong, "The PIN of this card is blocked. Its PUK unblocks it.")
		p.gap().add("%s left for the PUK. After the last wrong one nothing unblocks this card: only a factory reset frees it, which erases its key, and the key then needs its backup.", plural(v.Slot.Info.PUKTries, "try is", "tries are"))
		if v.KeepsPIN {
			p.gap().add("The PIN stays the one it was. If you do not know it any more, do not unblock: it would only be blocked again.")
		} else {
			p.gap().add("You choose a new PIN after it.")
		}
	case session.TaskChangePIN:
		p.styled(styleStrong, "The PIN of this card is changed. The PUK, the key and the name stay.")
		p.gap().add("First type the PIN as it is now, then the new one twice: %d to %d characters.", v.Setup.PIN.Min, v.Setup.PIN.Max)
	}
	return p.lines
}

func (rulesScreen) keys(session.State, size) []binding {
	return []binding{on("go on", session.GoOn{}, "enter"), leaveKey()}
}

// nameScreen asks for a name.
type nameScreen struct{ text textField }

func (*nameScreen) title(st session.State) string { return taskTitle(st) }

func (n *nameScreen) body(st session.State, z size) []string {
	p := newPage(z)
	p.add("The name is on the card, and is shown once the card is unlocked. It is no secret: who has the PIN can read it.")
	p.add("It has up to %d bytes. An empty one takes the name away.", st.Care.LabelMax)
	p.gap().add("Name:")
	return append(p.lines, n.text.tail(lipgloss.NewStyle(), p.width-4))
}

func (n *nameScreen) keys(session.State, size) []binding {
	return []binding{{names: []string{"enter"}, help: "write it", do: func() action {
		return send{session.TextTyped{Text: n.text.value}}
	}}, leaveKey()}
}

func (n *nameScreen) typed(msg tea.KeyMsg) { n.text.key(msg) }

// confirmScreen says what is lost, and wants characters typed.
type confirmScreen struct{ text textField }

func (*confirmScreen) title(st session.State) string { return taskTitle(st) }

func (c *confirmScreen) body(st session.State, z size) []string {
	p := newPage(z)
	v := st.Care
	what := "fingerprint of the key"
	if v.Task == session.TaskReset {
		what = "code of the card"
		p.styled(styleBad, "EVERYTHING ON THIS CARD WILL BE ERASED: its key, PIN, PUK and name.")
	} else {
		p.styled(styleBad, "THE KEY ON THIS CARD WILL BE ERASED. The PIN, the PUK and the name stay.")
	}
	p.gap().add("Bitcoin that only this key can spend is lost for good, unless the words are on paper or the key is on another card. Nobody can bring it back.")
	if v.Warning != "" {
		p.gap().styled(styleCare, "%s", plain.Text(v.Warning))
	}
	if v.Task == session.TaskReset {
		p.gap().add("It takes %d steps. The first is done with the card where it is; for each of the others it is taken out and put back in.", 5)
	}
	if v.Confirm == "" {
		p.gap().add("To go on, type the word \"erase\":")
		return append(p.lines, c.text.view(lipgloss.NewStyle()))
	}
	p.gap().add("The %s:", what)
	p.raw("    " + styleStrong.Render(v.Confirm))
	p.gap().add("To go on, type its last four characters:")
	return append(p.lines, c.text.view(lipgloss.NewStyle()))
}

func (c *confirmScreen) keys(st session.State, _ size) []binding {
	help := "erase"
	if st.Care.Task == session.TaskErase {
		help = "go on to the PIN"
	}
	return []binding{{names: []string{"enter"}, help: help, do: func() action {
		text := c.text.value
		c.text.value = ""
		return send{session.TextTyped{Text: text}}
	}}, on("leave it as it is", session.Back{}, "esc")}
}

func (c *confirmScreen) typed(msg tea.KeyMsg) { c.text.key(msg) }

// goneScreen waits for the card that went away while it worked.
type goneScreen struct{}

func (goneScreen) title(st session.State) string { return taskTitle(st) }

func (goneScreen) body(st session.State, z size) []string {
	p := newPage(z)
	p.styled(styleCare, "THE CARD WENT AWAY WHILE IT WORKED")
	p.gap().add("Put the same card back. It is recognised by its code, unlocked again, and goes on by itself. Another card gets nothing.")
	p.gap()
	for _, v := range st.Slots {
		p.hang("  "+shorten(plain.Text(v.Name), 30)+": ", slotText(v))
	}
	if st.Care.Slot.Contactless() {
		p.gap().add(positioning)
	}
	return p.lines
}

func (goneScreen) keys(st session.State, _ size) []binding { return append(demoKey(st), leaveKey()) }

// attestScreen is what a card showed of its origin.
type attestScreen struct{}

func (attestScreen) title(st session.State) string { return taskTitle(st) }

func (attestScreen) body(st session.State, z size) []string {
	p := newPage(z)
	a := st.Care.Attested
	if a == nil {
		return nil
	}
	switch {
	case !a.Certificate:
		p.styled(styleCare, "NO CERTIFICATE")
		p.gap().add("This card has no certificate of its maker. That proves nothing either way: cards that somebody loaded with the program themselves have none, nor have simulated ones.")
	case a.Genuine:
		p.styled(styleGood, "GENUINE")
		p.gap().add("The card has a certificate of its maker for the key that identifies it.")
	default:
		p.styled(styleBad, "NOT PROVEN TO BE GENUINE")
		p.gap().add("The card has a certificate, but it does not prove that the card is the maker's.")
	}
	if a.Issuer != "" {
		p.hang("Issuer  ", plain.Text(a.Issuer))
	}
	if a.Note != "" {
		p.gap().add("%s", plain.Text(a.Note))
	}
	if a.Alive {
		p.gap().add("It signed a fresh random number with its identity key, so it is the card that has this code:")
		p.raw("    " + styleStrong.Render(st.Care.Slot.Code))
	} else {
		p.gap().styled(styleBad, "It did not prove that it holds its identity key.")
	}
	p.gap().add("A genuine card can still have been used by somebody before you. Set it up yourself, and compare its code with your plan each time.")
	return p.lines
}

func (attestScreen) keys(session.State, size) []binding {
	return []binding{on("back to the card", session.GoOn{}, "enter", "esc")}
}

// resetScreen guides through the insertions of a factory reset.
type resetScreen struct{}

func (resetScreen) title(st session.State) string { return taskTitle(st) }

func (resetScreen) body(st session.State, z size) []string {
	p := newPage(z)
	r := st.Care.Reset
	if r == nil {
		return nil
	}
	p.styled(styleStrong, "Step %d of %d is done.", r.Done, r.Total)
	p.gap()
	bar := ""
	for i := range r.Total {
		if i < r.Done {
			bar += "███ "
		} else {
			bar += "░░░ "
		}
	}
	p.raw("  " + bar)
	p.gap()
	switch {
	case r.Working:
		p.add("The card is being told. Leave it where it is.")
	case r.In:
		p.styled(styleStrong, "Now take the card out.")
	default:
		p.styled(styleStrong, "Now put the same card back in.")
	}
	p.gap().add("Until the last step nothing is erased. Leaving here, or using the card for anything else, starts the count over.")
	return p.lines
}

func (resetScreen) keys(st session.State, _ size) []binding {
	return append(demoKey(st), on("stop the reset", session.Back{}, "esc"))
}
