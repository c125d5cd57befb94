//go:build simulation

package main

import (
	"crypto/pbkdf2"
	"crypto/sha512"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/btcsuite/btcd/btcutil/hdkeychain"
	"github.com/btcsuite/btcd/chaincfg"

	"github.com/airlock-signer/airlock/reader/pcsctest"
)

// The secrets of these tests. Their pieces are nowhere in the program, which
// each test shows before it types them.
const (
	secretPIN        = "83602957"
	wrongPIN         = "50718264"
	secretPUK        = "64907318"
	secretPassphrase = "Tq7!vRz2 kW9#mLx4 pB6$gHn8 cJ5"
	paperWords       = "legal winner thank year wave sausage worth useful legal winner thank yellow"
)

// secretKeys are the BIP39 seed of the words and the passphrase, and the private
// part of its master key.
func secretKeys(t *testing.T) (seed, master string) {
	t.Helper()
	s, err := pbkdf2.Key(sha512.New, paperWords, []byte("mnemonic"+secretPassphrase), 2048, 64)
	if err != nil {
		t.Fatal(err)
	}
	key, err := hdkeychain.NewMaster(s, &chaincfg.MainNetParams)
	if err != nil {
		t.Fatal(err)
	}
	private, err := key.ECPrivKey()
	if err != nil {
		t.Fatal(err)
	}
	return string(s), string(private.Serialize())
}

// watched is the station behind the real pcscd, with its memory, what it wrote
// to the terminal and what it left in files under search. Its card is played by
// another process: that one has to hold the PIN.
//
// It is started where a core file would be written if it did nothing about it,
// and so that Go ends a crash with one.
type watched struct {
	*terminal
	*haystack
	secrets map[string]string
	service *pcsctest.Service
	hand    *hand
	stick   string
	dir     string // its working folder
	output  string // file with all that went to the terminal
	pid     int
}

// How Go collects garbage: never, so that all of it stays to be found; or all the
// time, so that stacks are moved and leave their old places behind.
const (
	garbageStays = "GOGC=off"
	garbageMoves = "GOGC=1"
)

func watch(t *testing.T, garbage string, secrets map[string]string, card []string, flags ...string) *watched {
	t.Helper()
	w := &watched{haystack: newHaystack(secrets), secrets: secrets, service: pcsctest.New(t), stick: sampleStick(t), dir: t.TempDir()}
	w.service.Start()
	w.hand = newHand(t, w.service, card...)
	w.hand.do("", "in: ")
	args := []string{"sh", "-c", `cd "$0" && { ulimit -c unlimited || true; } && exec "$@"`, w.dir,
		program(t), "--allow-network", "--media", w.stick}
	w.terminal = startTerminal(t, append(w.service.Env(), "GOTRACEBACK=crash", garbage), append(args, flags...)...)
	w.output = filepath.Join(t.TempDir(), "output")
	w.tmux("pipe-pane", "-o", "exec cat > '"+w.output+"'")
	w.expect("Satochip 0.12", "Enter open a file")
	w.pid = w.child()
	for of := range secrets {
		if found, inside := searchMemory(t, w.pid, w.haystack).outside(of); len(found)+inside > 0 {
			t.Fatalf("in memory before it was typed: %v", found)
		}
	}
	return w
}

func (w *watched) tmux(args ...string) string {
	w.Helper()
	out, err := exec.Command("tmux", append([]string{"-S", w.socket}, args...)...).CombinedOutput()
	if err != nil {
		w.Fatalf("tmux: %v: %s", err, out)
	}
	return strings.TrimSpace(string(out))
}

// child is the station: the one process that the terminal's shell has started.
func (w *watched) child() int {
	w.Helper()
	shell := w.tmux("display-message", "-p", "#{pane_pid}")
	processes, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		w.Fatal(err)
	}
	for _, dir := range processes {
		stat, _ := os.ReadFile(dir + "/stat") // empty where it has ended
		_, rest, _ := strings.Cut(string(stat), ") ")
		if f := strings.Fields(rest); len(f) < 2 || f[1] != shell {
			continue
		}
		if exe, err := os.Readlink(dir + "/exe"); err != nil && os.Getuid() != 0 {
			noMemory(w.T, err)
		} else if exe == program(w.T) {
			pid, _ := strconv.Atoi(filepath.Base(dir))
			return pid
		}
	}
	w.Fatalf("no station among the children of %s", shell)
	return 0
}

// search looks for each secret: in the locked pages it must be as often as
// copies says, and nowhere else.
func (w *watched) search(when string, copies map[string]int) {
	w.Helper()
	begin := time.Now()
	img := searchMemory(w.T, w.pid, w.haystack)
	for of, secret := range w.secrets {
		found, inside := img.outside(of)
		for i, s := range found {
			if i == 10 {
				w.Errorf("%s: … and %d more", when, len(found)-i)
				break
			}
			w.Errorf("%s: %v", when, s)
		}
		if want := copies[of] * (len(secret) - fragment + 1); inside != want {
			w.Errorf("%s: %d pieces of the %s in locked pages, want %d", when, inside, of, want)
		}
	}
	w.Logf("%s: %d MiB searched in %v, %d guard pages", when, img.size>>20, time.Since(begin).Round(time.Millisecond), img.missed)
}

// leave ends the station and searches what it leaves behind.
func (w *watched) leave() {
	w.Helper()
	w.keys("q")
	w.left("exit status 0")
}

// left waits for the end of the station and searches what it left behind.
func (w *watched) left(end string) {
	w.Helper()
	w.expect(end)
	texts := map[string]string{"pcscd's log": w.service.Log()}
	read := func(name string, d os.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			var text []byte
			text, err = os.ReadFile(name)
			texts[name] = string(text)
		}
		return err
	}
	for _, dir := range []string{filepath.Dir(w.output), w.stick, w.dir} {
		if err := filepath.WalkDir(dir, read); err != nil {
			w.Fatal(err)
		}
	}
	for deadline := time.Now().Add(waiting); !strings.Contains(texts[w.output], end); {
		if time.Now().After(deadline) {
			w.Fatal("the output was not recorded")
		}
		text, err := os.ReadFile(w.output)
		if err != nil {
			w.Fatal(err)
		}
		texts[w.output] = string(text)
	}
	for name, text := range texts {
		w.each([]byte(text), func(n needle, at int) { w.Errorf("%s as %s in %s at byte %d", n.of, n.form, name, at) })
	}
}

// press types a PIN without Enter.
func (w *watched) press(pin string) {
	w.Helper()
	w.expect("PIN:", "Enter unlock")
	w.text(pin)
	w.expect("> " + strings.Repeat("*", len(pin)))
}

// TestSecretsOfASigningRun: from the moment it is typed the PIN is in its locked
// page and nowhere else, and once the card is logged out nowhere at all. A wrong
// PIN is gone when the card has refused it.
func TestSecretsOfASigningRun(t *testing.T) {
	for _, garbage := range []string{garbageStays, garbageMoves} {
		t.Run(garbage, func(t *testing.T) { signingRun(t, garbage) })
	}
}

func signingRun(t *testing.T, garbage string) {
	w := watch(t, garbage, map[string]string{"PIN": secretPIN, "wrong PIN": wrongPIN}, []string{"--pin", secretPIN})
	openPayment(w.terminal)
	w.press(wrongPIN)
	w.search("a PIN is typed", map[string]int{"wrong PIN": 1})
	w.keys("Enter")
	w.expect("Wrong PIN. 4 tries are left.")
	w.search("the card has refused it", nil)
	w.press(secretPIN)
	w.keys("Enter")
	w.expect("CLEAR", "leave, log out")
	w.search("the review, unlocked", map[string]int{"PIN": 1})
	w.keys("Escape")
	w.expect("CLAIMED", "Enter go on to the card")
	w.search("logged out", nil)
	w.keys("Enter")
	w.press(secretPIN)
	w.keys("Enter")
	w.expect("CLEAR", "leave, log out")
	w.readReview()
	w.text("0.0025")
	w.expect("> 0.0025")
	w.keys("Enter")
	w.expect("payment-signed.psbt", "payment-final.txn", "Enter back to the files", "read back")
	checkSigned(t, filepath.Join(w.stick, "payment.psbt"))
	w.keys("h")
	w.expect("q quit")
	w.search("signed, and back on the first screen", nil)
	w.leave()
}

// TestSecretModeOff is the same search with the secret input mode off: it must
// find the PIN, unlocked and still after the log-out.
func TestSecretModeOff(t *testing.T) {
	w := watch(t, garbageStays, map[string]string{"PIN": secretPIN}, []string{"--pin", secretPIN}, "--plain-input")
	openPayment(w.terminal)
	w.press(secretPIN)
	w.keys("Enter")
	w.expect("CLEAR", "leave, log out")
	for _, when := range []string{"unlocked", "logged out"} {
		if when == "logged out" {
			w.keys("Escape")
			w.expect("CLAIMED", "Enter go on to the card")
		}
		found, _ := searchMemory(t, w.pid, w.haystack).outside("PIN")
		if len(found) == 0 {
			t.Errorf("%s: the search finds no PIN that the screen library saw", when)
		}
		for _, s := range found[:min(len(found), 4)] {
			t.Logf("%s: %v", when, s)
		}
	}
}

// TestSecretsOfANewCard: PIN and PUK of a set-up, and the passphrase of a seed,
// typed twice each; and the seed and the master key made of them.
func TestSecretsOfANewCard(t *testing.T) {
	seed, master := secretKeys(t)
	w := watch(t, garbageStays, map[string]string{
		"PIN": secretPIN, "PUK": secretPUK, "passphrase": secretPassphrase, "seed": seed, "master key": master,
	}, []string{"--state", "new"})
	w.keys("c")
	w.expect("Choose a reader", "Enter this card")
	w.keys("Enter")
	w.expect("Set the card up", "Enter do it")
	w.keys("Enter")
	w.expect("The card gets a PIN and a PUK", "Enter go on")
	w.keys("Enter")
	for _, c := range [][2]string{{"New PIN:", secretPIN}, {"New PIN once more:", secretPIN}, {"New PUK:", secretPUK}, {"New PUK once more:", secretPUK}} {
		w.enter(c[0], c[1])
		w.keys("Enter")
	}
	w.expect("The card is set up", "> Load a key", "Enter do it")
	w.search("set up", map[string]int{"PIN": 1})
	w.enterWords(paperWords)
	w.keys("p")
	w.enter("Passphrase:", secretPassphrase)
	w.keys("Enter")
	w.enter("Passphrase once more:", secretPassphrase)
	w.search("typed twice", map[string]int{"PIN": 1, "passphrase": 2})
	w.keys("Enter")
	fingerprint := w.fingerprint()
	w.search("the key is made", map[string]int{"PIN": 1, "passphrase": 2, "seed": 1})
	w.text(fingerprint[4:])
	w.expect("> " + fingerprint[4:])
	w.keys("Enter")
	w.expect("The seed is loaded", "unlocked, master key "+fingerprint, "Enter do it")
	w.search("the seed is loaded", map[string]int{"PIN": 1})
	w.keys("Escape")
	w.expect("Esc back", "Choose a reader")
	w.keys("Escape")
	w.expect("q quit")
	w.search("logged out", nil)
	w.leave()
}

// enter types what a screen asks for, without Enter.
func (w *watched) enter(ask, text string) {
	w.Helper()
	w.expect(ask, "Ctrl+R show it")
	w.text(text)
	w.expect("> " + strings.Repeat("*", len(text)))
}

// enterWords goes from the page of the card to the question for a passphrase.
func (w *watched) enterWords(words string) {
	w.Helper()
	w.keys("Enter")
	w.expect("12 new words", "Enter go on")
	w.keys("Down", "Down", "Down", "Down", "Down", "Down")
	w.expect("> Enter words that are on paper")
	w.keys("Enter")
	w.expect("Word 1:", "Enter that is all")
	for i, word := range strings.Fields(words) {
		w.text(word + " ")
		w.expect(fmt.Sprintf("Word %d:", i+2))
	}
	w.expect("fit together")
	w.keys("Enter")
	w.expect("Without a passphrase the words alone", "Enter no passphrase")
}

// fingerprint reads it from the screen before the seed is loaded.
func (w *watched) fingerprint() string {
	w.Helper()
	s := w.expect("make the key with this fingerprint", "Enter load it")
	for _, line := range strings.Split(s, "\n") {
		if line = strings.TrimSpace(line); len(line) == 8 && strings.Trim(line, "0123456789abcdef") == "" {
			return line
		}
	}
	w.Fatalf("no fingerprint:\n%s", s)
	return ""
}
