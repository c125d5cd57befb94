//go:build simulation

package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/airlock-signer/airlock/reader/pcsctest"
)

// hand is a hand with cards: `airlock simcard` behind the real pcscd.
type hand struct {
	*testing.T
	in    io.Writer
	lines chan string
}

func newHand(t *testing.T, s *pcsctest.Service, args ...string) *hand {
	t.Helper()
	cmd := exec.Command(program(t), append([]string{"simcard", "--vpcd", s.CardAddr()}, args...)...)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	h := &hand{T: t, in: in, lines: make(chan string, 256)}
	go func() {
		defer close(h.lines)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			h.lines <- lines.Text()
		}
	}()
	t.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait() // its status says nothing: the input has ended
	})
	return h
}

// do gives a command and waits until the line is there that tells it is done.
func (h *hand) do(command, said string) {
	h.Helper()
	if command != "" {
		if _, err := fmt.Fprintln(h.in, command); err != nil {
			h.Fatal(err)
		}
	}
	timeout := time.After(waiting)
	for said != "" {
		select {
		case line, ok := <-h.lines:
			if !ok {
				h.Fatalf("the card player ended before %q", said)
			}
			if strings.HasPrefix(line, said) {
				return
			}
		case <-timeout:
			h.Fatalf("the card player never said %q", said)
		}
	}
}

// openPayment goes from the first screen to the card.
func openPayment(term *terminal) {
	term.Helper()
	term.expect("Enter open a file")
	term.keys("Enter")
	term.choose("payment.psbt")
	term.keys("Enter")
	term.expect("CLAIMED", "Enter go on to the card")
	term.keys("Enter")
}

func typePIN(term *terminal, pin string) {
	term.Helper()
	term.expect("PIN:", "Enter unlock")
	term.text(pin)
	term.expect("> " + strings.Repeat("*", len(pin)))
	term.keys("Enter")
}

// written lists the files of the stick that are not samples.
func written(t *testing.T, stick string) []string {
	t.Helper()
	var found []string
	entries, err := os.ReadDir(stick)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !e.IsDir() && e.Name() != "payment.psbt" && e.Name() != "README.txt" {
			found = append(found, e.Name())
		}
	}
	return found
}

// TestPCSC is the main job through the real pcscd, Debian's virtual reader and
// github.com/ebfe/scard: a wrong PIN, and a card that is pulled between two
// signatures and put back.
func TestPCSC(t *testing.T) {
	service := pcsctest.New(t)
	stick := sampleStick(t)
	term := startTerminal(t, service.Env(), program(t), "--allow-network", "--media", stick)
	term.expect("pcscd) is not running", "Enter open a file")
	service.Start()
	term.expect(pcsctest.Reader[:20], "no card")
	h := newHand(t, service)
	h.do("", "in: ")
	term.expect("Satochip 0.12, ready")
	openPayment(term)
	typePIN(term, "9999")
	term.expect("Wrong PIN. 4 tries are left.")
	typePIN(term, "1234")
	term.expect("CLEAR", "back to you")
	term.readReview()
	h.do("after 3", "")
	term.text("0.0025")
	term.keys("Enter")
	term.expect("PAUSED after 1 of 3", "taken out")
	if names := written(t, stick); len(names) > 0 {
		t.Errorf("written before the run was whole: %v", names)
	}
	h.do("in", "in: ")
	term.expect("payment-signed.psbt", "payment-final.txn", "read back", "Enter back to the files")
	checkSigned(t, filepath.Join(stick, "payment.psbt"))
	// The station is still usable: another file, up to its review.
	term.keys("Enter")
	term.choose("caution/data-output.psbt")
	term.keys("Enter")
	term.expect("CLAIMED", "Enter go on to the card")
	term.keys("Enter")
	typePIN(term, "1234")
	term.expect("CAUTION")
}

// TestPCSCReaderGoneAndBack unplugs the reader during the review and in the
// middle of signing, and puts it back.
func TestPCSCReaderGoneAndBack(t *testing.T) {
	service := pcsctest.New(t)
	service.Start()
	stick := sampleStick(t)
	h := newHand(t, service)
	h.do("", "in: ")
	term := startTerminal(t, service.Env(), program(t), "--allow-network", "--media", stick)
	term.expect("Satochip 0.12, ready")
	openPayment(term)
	typePIN(term, "1234")
	term.readReview()
	h.do("out", "out: ")
	service.Unplug()
	term.expect("review is kept")
	term.text("0.0025")
	term.keys("Enter")
	term.expect("No smart card reader is plugged in")
	if names := written(t, stick); len(names) > 0 {
		t.Errorf("written without a card: %v", names)
	}
	service.Plug()
	term.expect("no card")
	h.do("in", "in: ")
	term.expect("payment-signed.psbt", "payment-final.txn", "read back")
	checkSigned(t, filepath.Join(stick, "payment.psbt"))
}
