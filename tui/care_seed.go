package tui

import (
	"encoding/hex"
	"fmt"
	"strings"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/lipgloss"

	"github.com/airlock-signer/airlock/reader/seed"
	"github.com/airlock-signer/airlock/tui/session"
)

// The screens of a seed in the making. What is secret is drawn from its locked
// pages in body, and kept nowhere.

// seedHowScreen asks how the words come to be.
type seedHowScreen struct{ list menu }

// seedWays are the rows.
var seedWays = []struct {
	text string
	how  session.MakeSeed
}{
	{"12 new words, by this machine's random numbers", session.MakeSeed{Source: session.SeedKernel, Words: 12}},
	{"24 new words, by this machine's random numbers", session.MakeSeed{Source: session.SeedKernel, Words: 24}},
	{"12 new words, by this machine and dice together", session.MakeSeed{Source: session.SeedMixed, Words: 12}},
	{"24 new words, by this machine and dice together", session.MakeSeed{Source: session.SeedMixed, Words: 24}},
	{"12 new words, by dice alone", session.MakeSeed{Source: session.SeedDice, Words: 12}},
	{"24 new words, by dice alone", session.MakeSeed{Source: session.SeedDice, Words: 24}},
	{"Enter words that are on paper", session.MakeSeed{Source: session.SeedEntered}},
}

func (*seedHowScreen) title(st session.State) string { return taskTitle(st) }

func (s *seedHowScreen) body(_ session.State, z size) []string {
	p := newPage(z)
	p.add("The key of a card comes from 12 or 24 words. They are its backup: who has them has the bitcoin, and who loses both them and the card has none. Have pen and paper ready, and nobody and no camera near.")
	p.gap()
	var rows []string
	for _, w := range seedWays {
		rows = append(rows, w.text)
	}
	s.list.draw(p, rows)
	p.gap()
	switch how := seedWays[s.list.chosen].how; how.Source {
	case session.SeedKernel:
		p.add("The random numbers of the operating system's kernel: as good as this machine is.")
	case session.SeedMixed:
		p.add("Both are mixed, so that each alone would do: neither a bad machine nor bad dice make the words bad. %d rolls suffice without the machine.", seed.Rolls(how.Words))
	case session.SeedDice:
		p.add("%d rolls or more of a six-sided die, and nothing else. You can make the same words again by hand, and so check this station. The words are as good as your dice.", seed.Rolls(how.Words))
	default:
		p.add("12, 15, 18, 21 or 24 words in English (BIP39).")
	}
	return p.lines
}

func (s *seedHowScreen) keys(session.State, size) []binding {
	keys := []binding{{names: []string{"enter"}, help: "go on", do: func() action {
		return send{seedWays[s.list.clamp(len(seedWays))].how}
	}}}
	keys = append(keys, s.list.keys(len(seedWays))...)
	return append(keys, leaveKey())
}

// diceScreen counts rolls. They are not shown.
type diceScreen struct{}

func (diceScreen) title(st session.State) string { return taskTitle(st) }

func (diceScreen) body(st session.State, z size) []string {
	p := newPage(z)
	v := st.Care.Seed
	p.add("Roll a six-sided die and type each number, 1 to 6, as it falls. Do not choose, and do not leave any out. Other keys are ignored.")
	p.gap().styled(styleStrong, "%s, %d suffice alone", plural(v.Rolls, "roll", "rolls"), v.Enough)
	width := min(50, p.width-2)
	full := width * min(v.Rolls, v.Enough) / v.Enough
	p.gap().raw(styleGood.Render(strings.Repeat("█", full)) + strings.Repeat("░", width-full))
	p.gap()
	if v.Source == session.SeedDice {
		p.add("Write the rolls down as well if you want to make the words again by hand; burn that paper afterwards, for it is as good as the words.")
	} else {
		p.add("The machine's random numbers are mixed in when you press Enter, so fewer rolls will do.")
	}
	return p.lines
}

func (diceScreen) keys(session.State, size) []binding {
	return []binding{
		on("make the words", session.SecretTyped{}, "enter"),
		pressed(),
		{names: []string{"-"}, label: "Backspace", help: "take one back"},
		{names: []string{"-"}, label: "Ctrl+U", help: "delete all"},
		leaveKey(),
	}
}

// handScreen says how dice alone make these words.
type handScreen struct{}

func (handScreen) title(st session.State) string { return taskTitle(st) }

func (handScreen) body(st session.State, z size) []string {
	p := newPage(z)
	v := st.Care.Seed
	p.styled(styleStrong, "Your dice alone made these words. This is how to do it again.")
	p.gap().add("On another computer that is never online, with your %d rolls in place of 123456:", v.Rolls)
	p.gap().raw("    printf 123456 | sha256sum")
	digits := "all 64"
	if v.Count == 12 {
		digits = "the first 32"
	}
	p.gap().add("Of the hex digits that it prints, %s are the entropy of %d words (BIP39). They should be:", digits, v.Count)
	p.raw("")
	drawEntropy(p, v.Words)
	p.gap().add("This number is as secret as the words.")
	return p.lines
}

// drawEntropy draws the hex digits that the words stand for.
func drawEntropy(p *page, w *seed.Words) {
	e, err := w.Entropy()
	if err != nil {
		p.styled(styleBad, "%s", err.Error())
		return
	}
	defer e.Release()
	e.Use(func(b []byte) {
		for ; len(b) > 0; b = b[min(16, len(b)):] {
			p.raw("    " + groups(hex.EncodeToString(b[:min(16, len(b))])))
		}
	})
}

func (handScreen) keys(session.State, size) []binding {
	return []binding{on("go on to the words", session.GoOn{}, "enter"), leaveKey()}
}

// wordsPerPage are shown at once.
const wordsPerPage = 6

// wordsScreen shows the words, page by page.
type wordsScreen struct{ at int }

func (*wordsScreen) title(st session.State) string { return taskTitle(st) }

func (w *wordsScreen) pages(st session.State) int {
	return (st.Care.Seed.Words.Len() + wordsPerPage - 1) / wordsPerPage
}

func (w *wordsScreen) body(st session.State, z size) []string {
	p := newPage(z)
	words := st.Care.Seed.Words
	p.styled(styleStrong, "Write these words on paper, with their numbers. Page %d of %d.", w.at+1, w.pages(st))
	for i := w.at * wordsPerPage; i < min(words.Len(), (w.at+1)*wordsPerPage); i++ {
		p.gap().raw(fmt.Sprintf("      %2d   %s", i+1, styleStrong.Render(words.WordAt(i))))
	}
	p.gap().add("On paper only: no photo, no file, no printer. Afterwards some of them are asked back.")
	return p.lines
}

func (w *wordsScreen) keys(st session.State, _ size) []binding {
	var keys []binding
	if w.at < w.pages(st)-1 {
		keys = append(keys, local("next page", func() { w.at++ }, "enter", "right", "pgdown"))
	} else {
		keys = append(keys, on("all written down", session.GoOn{}, "enter"))
	}
	if w.at > 0 {
		keys = append(keys, local("page before", func() { w.at-- }, "left", "pgup"))
	}
	return append(keys, on("throw them away", session.Back{}, "esc"))
}

// askScreen asks a word back.
type askScreen struct{}

func (askScreen) title(st session.State) string { return taskTitle(st) }

func (askScreen) body(st session.State, z size) []string {
	p := newPage(z)
	v := st.Care.Seed
	p.add("Question %d of %d. Look at your paper.", v.Asked, v.Of)
	p.gap().styled(styleStrong, "Word %d:", v.Position)
	drawWord(p, st.Care)
	return p.lines
}

// drawWord draws the letters typed and the words that begin so.
func drawWord(p *page, v *session.CareView) {
	if v.Secret == nil {
		return
	}
	drawTyped(p, v.Secret)
	first, count := seed.Complete(v.Secret)
	p.gap()
	switch {
	case v.Secret.Len() == 0:
		p.add("The first four letters will do.")
	case count == 0:
		p.styled(styleCare, "No word of the list begins like this.")
	case count > 12:
		p.add("%d words begin like this.", count)
	default:
		p.styled(styleStrong, "%s", wordList(first, count))
	}
}

func wordList(first, count int) string {
	var b strings.Builder
	for i := range count {
		if i > 0 {
			b.WriteString("  ")
		}
		b.WriteString(seed.Word(first + i))
	}
	return b.String()
}

func (askScreen) keys(session.State, size) []binding {
	return []binding{on("next", session.SecretTyped{}, "enter"), pressed(), on("throw the words away", session.Back{}, "esc")}
}

// enterScreen takes words from paper.
type enterScreen struct{}

func (enterScreen) title(st session.State) string { return taskTitle(st) }

func (enterScreen) body(st session.State, z size) []string {
	p := newPage(z)
	v := st.Care
	words := v.Seed.Words
	n := words.Len()
	p.add("Type the words in their order, each ended with the space bar. After the last one press Enter.")
	p.gap()
	for row := 0; row*4 < n; row++ {
		line := ""
		for i := row * 4; i < min(n, row*4+4); i++ {
			line += fmt.Sprintf("%2d %-14s", i+1, words.WordAt(i))
		}
		p.raw("  " + strings.TrimRight(line, " "))
	}
	p.gap().styled(styleStrong, "Word %d:", n+1)
	drawWord(p, v)
	drawCheck(p, words)
	return p.lines
}

// drawCheck says how the words so far stand with the checksum.
func drawCheck(p *page, words *seed.Words) {
	if words.Check() == nil {
		p.gap().styled(styleGood, "These %d words fit together (checksum). If they are all, press Enter.", words.Len())
		return
	}
	var fits []string
	for index := range words.LastWords {
		fits = append(fits, seed.Word(index))
	}
	switch n := len(fits); {
	case n == 0:
	case n <= 16:
		p.gap().add("As the last word would fit: %s.", strings.Join(fits, " "))
	default:
		p.gap().add("%d of the 2048 words would fit as the last.", n)
	}
}

func (enterScreen) keys(session.State, size) []binding {
	return []binding{
		on("that is all", session.SecretTyped{}, "enter"),
		pressed(),
		on("", session.SecretBack{}, "backspace"),
		{names: []string{"-"}, label: "Space", help: "next word"},
		{names: []string{"-"}, label: "Backspace", help: "back"},
		leaveKey(),
	}
}

// passScreen asks whether there is a passphrase.
type passScreen struct{}

func (passScreen) title(st session.State) string { return taskTitle(st) }

func (passScreen) body(_ session.State, z size) []string {
	p := newPage(z)
	p.styled(styleStrong, "Without a passphrase the words alone make the key.")
	p.gap().add("A passphrase (BIP39) makes another key of the same words: who finds the words alone finds nothing. It must be on paper as well, elsewhere, and it must be exact. If you never used one, you have none.")
	return p.lines
}

func (passScreen) keys(session.State, size) []binding {
	return []binding{on("no passphrase", session.GoOn{}, "enter"), on("with a passphrase", session.WantPassphrase{}, "p"), leaveKey()}
}

// loadScreen shows the fingerprint before anything is loaded.
type loadScreen struct{ text textField }

func (*loadScreen) title(st session.State) string { return taskTitle(st) }

func (l *loadScreen) body(st session.State, z size) []string {
	p := newPage(z)
	v := st.Care.Seed
	with := "without a passphrase"
	if v.Passphrase {
		with = "with your passphrase"
	}
	p.add("These %d words %s make the key with this fingerprint:", v.Count, with)
	p.gap().raw("    " + styleStrong.Render(v.Fingerprint))
	p.gap().add("If you had this key before, compare it with your plan or with your wallet. If it is another, a word or the passphrase is not the same: leave, and begin again. If the key is new, write the fingerprint beside the words.")
	p.gap().add("Nothing is loaded yet. To load it into %s, type the last four characters of the fingerprint:", cardName(st.Care.Slot))
	return append(p.lines, l.text.view(lipgloss.NewStyle()))
}

func (l *loadScreen) keys(session.State, size) []binding {
	return []binding{{names: []string{"enter"}, help: "load it", do: func() action {
		text := l.text.value
		l.text.value = ""
		return send{session.TextTyped{Text: text}}
	}}, leaveKey()}
}

func (l *loadScreen) typed(msg tea.KeyMsg) { l.text.key(msg) }
