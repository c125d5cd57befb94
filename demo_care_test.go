//go:build simulation

package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/airlock-signer/airlock/signer"
)

// TestDemoNewCard is the life of a new card in a real terminal: set up, a seed
// made of dice and the machine, loaded, tested, its public key on the stick.
func TestDemoNewCard(t *testing.T) {
	stick := filepath.Join(t.TempDir(), "stick")
	if err := os.Mkdir(stick, 0o755); err != nil {
		t.Fatal(err)
	}
	term := startTerminal(t, nil, program(t), "--demo", "--demo-card", "new", "--allow-network", "--media", stick)
	term.expect("nothing of it stays", "c cards")
	term.keys("i")
	term.expect("never set up")
	term.keys("c")
	term.expect("Choose a reader", "Enter this card")
	term.keys("Enter")
	term.expect("Set the card up", "Enter do it")
	term.shot("the page of a new card")
	setUpInTerminal(term)
	words := seedInTerminal(term)
	term.expect("The seed is loaded", "unlocked, master key", "Enter do it")
	if s := term.screen(); strings.Contains(s, words[0]) && strings.Contains(s, words[11]) {
		t.Errorf("the words are still on the screen:\n%s", s)
	}
	fingerprint := regexp.MustCompile(`master key ([0-9a-f]{8})`).FindStringSubmatch(term.screen())[1]
	term.keys("Down")
	term.expect("> Test")
	term.keys("Enter")
	term.expect("The test is passed", "Enter do it")
	term.keys("Enter") // the first row: public keys
	term.expect("84h  native segwit", "Enter show the key")
	term.keys("Enter")
	term.expect("Public key at m/84h/0h/0h", "First address", "Enter write it")
	term.shot("a public key")
	term.keys("Enter")
	term.expect("Written, read back and compared")
	checkExport(t, filepath.Join(stick, fingerprint+"-84h-0h-0h.txt"), fingerprint)
	term.keys("Escape")
	term.expect("Esc leave")
	term.keys("Escape")
	term.expect("Esc back, log out")
	term.keys("Escape")
	term.expect("Esc back", "Choose a reader")
	term.keys("Escape")
	term.expect("q quit")
	term.keys("q")
	term.expect("exit status 0")
}

// setUpInTerminal gives the card a PIN and a PUK; once they differ.
func setUpInTerminal(term *terminal) {
	term.Helper()
	term.keys("Enter")
	term.expect("The card gets a PIN and a PUK", "Enter go on")
	term.shot("the rules of setting up")
	term.keys("Enter")
	term.expect("New PIN:", "Ctrl+R show it")
	term.text("2468")
	term.expect("> ****")
	term.keys("C-r")
	term.expect("> 2468", "Ctrl+R hide it")
	term.keys("Enter")
	term.expect("New PIN once more:", "Ctrl+R show it")
	term.text("2469")
	term.expect("> ****")
	term.keys("Enter")
	term.expect("The two are not the same", "New PIN:", "Ctrl+R show it")
	for _, c := range []struct{ ask, text string }{
		{"New PIN:", "2468"}, {"New PIN once more:", "2468"}, {"New PUK:", "13579135"}, {"New PUK once more:", "13579135"},
	} {
		term.expect(c.ask, "Ctrl+R show it")
		term.text(c.text)
		term.expect("> " + strings.Repeat("*", len(c.text)))
		term.keys("Enter")
	}
	term.expect("The card is set up", "> Load a key", "Enter do it")
}

var wordLine = regexp.MustCompile(`(?m)^ +(\d+)   ([a-z]+) *$`)

// seedInTerminal makes 12 words of the machine and dice, answers what is asked
// of them, and loads them.
func seedInTerminal(term *terminal) []string {
	term.Helper()
	term.keys("Enter")
	term.expect("12 new words", "Enter go on")
	term.keys("Down", "Down")
	term.expect("> 12 new words, by this machine and dice")
	term.shot("how the words come to be")
	term.keys("Enter")
	term.expect("0 rolls, 50 suffice alone", "Enter make the words")
	term.text("3x1625461")
	term.expect("8 rolls, 50 suffice alone")
	term.keys("BSpace")
	term.expect("7 rolls")
	term.keys("Enter")
	words := make([]string, 12)
	read := func() {
		for _, m := range wordLine.FindAllStringSubmatch(term.screen(), -1) {
			n, _ := strconv.Atoi(m[1])
			words[n-1] = m[2]
		}
	}
	term.expect("Page 1 of 2", "Enter next page")
	read()
	term.keys("Enter")
	term.expect("Page 2 of 2", "Enter all written down")
	read()
	term.keys("Enter")
	answerInTerminal(term, words)
	term.expect("Without a passphrase the words alone", "Enter no passphrase")
	term.keys("Enter")
	s := term.expect("make the key with this fingerprint", "Enter load it")
	term.shot("the fingerprint, before anything is loaded")
	fp := regexp.MustCompile(`(?m)^ +([0-9a-f]{8}) *$`).FindStringSubmatch(s)
	if fp == nil {
		term.Fatalf("no fingerprint:\n%s", s)
	}
	term.text(fp[1][4:])
	term.expect("> " + fp[1][4:])
	term.keys("Enter")
	return words
}

var asked = regexp.MustCompile(`Question (\d+) of (\d+)[\s\S]*Word (\d+):`)

func answerInTerminal(term *terminal, words []string) {
	term.Helper()
	for question := 1; ; question++ {
		term.expect("Question "+strconv.Itoa(question)+" of", "Enter next")
		m := asked.FindStringSubmatch(term.screen())
		if m == nil {
			term.Fatalf("nothing is asked:\n%s", term.screen())
		}
		n, _ := strconv.Atoi(m[3])
		letters := words[n-1][:min(4, len(words[n-1]))]
		term.text(letters)
		term.expect("> "+letters, words[n-1])
		term.keys("Enter")
		if m[1] == m[2] {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// checkExport reads the file as a wallet.
func checkExport(t *testing.T, file, fingerprint string) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(data)), "\n")
	if len(lines) != 2 || !strings.HasPrefix(lines[0], "["+fingerprint+"/84h/0h/0h]xpub") {
		t.Fatalf("%q", data)
	}
	w, err := signer.ParseWallet("", []byte(lines[1]), signer.Mainnet)
	if err != nil || w.Descriptor() != lines[1] {
		t.Errorf("%q: %v", lines[1], err)
	}
}
