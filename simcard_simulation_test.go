//go:build simulation

package main

import (
	"bufio"
	"encoding/binary"
	"encoding/hex"
	"io"
	"net"
	"strings"
	"testing"
)

// virtualReader is vpcd's end of the wire: it listens, and a card that dials is
// in.
type virtualReader struct {
	t *testing.T
	net.Listener
	conn net.Conn
}

func (v *virtualReader) accept() {
	v.t.Helper()
	conn, err := v.Accept()
	if err != nil {
		v.t.Fatal(err)
	}
	v.conn = conn
}

// exchange sends a message and reads the answer; "" once the card is out.
func (v *virtualReader) exchange(message string) string {
	v.t.Helper()
	m, err := hex.DecodeString(message)
	if err != nil {
		v.t.Fatal(err)
	}
	if _, err := v.conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(m))), m...)); err != nil {
		return ""
	}
	var head [2]byte
	if _, err := io.ReadFull(v.conn, head[:]); err != nil {
		return ""
	}
	reply := make([]byte, binary.BigEndian.Uint16(head[:]))
	if _, err := io.ReadFull(v.conn, reply); err != nil {
		v.t.Fatal(err)
	}
	return hex.EncodeToString(reply)
}

// played is "airlock simcard" under test.
type played struct {
	*virtualReader
	in   *io.PipeWriter
	out  *bufio.Reader
	exit chan int
}

func play(t *testing.T, args ...string) *played {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	stdin, in := io.Pipe()
	out, stdout := io.Pipe()
	p := &played{&virtualReader{t: t, Listener: l}, in, bufio.NewReader(out), make(chan int, 1)}
	go func() {
		p.exit <- runSimcard(append([]string{"--vpcd", l.Addr().String()}, args...), stdin, stdout, stdout)
		stdout.Close()
	}()
	p.says("SIMULATED", "1234")
	return p
}

func (p *played) types(line string) {
	p.t.Helper()
	if _, err := io.WriteString(p.in, line+"\n"); err != nil {
		p.t.Fatal(err)
	}
}

// says reads one line, in which the words have to be.
func (p *played) says(words ...string) {
	p.t.Helper()
	line, err := p.out.ReadString('\n')
	if err != nil {
		p.t.Fatal(err)
	}
	for _, w := range words {
		if !strings.Contains(line, w) {
			p.t.Fatalf("it says %q, without %q", line, w)
		}
	}
}

const (
	selectCard = "00a40400085361746f43686970"
	getStatus  = "b03c0000"
)

func TestSimcardGoesInAndOut(t *testing.T) {
	p := play(t)
	p.accept()
	p.says("in: first card")
	if atr := p.exchange("04"); !strings.HasPrefix(atr, "3b") {
		t.Fatalf("ATR %q", atr)
	}
	if r := p.exchange(selectCard); r != "9000" {
		t.Fatalf("SELECT: %q", r)
	}
	if r := p.exchange(getStatus); r != "000c000605030101000101019000" {
		t.Fatalf("GET STATUS: %q", r)
	}
	p.types("out")
	p.says("out: first card")
	if r := p.exchange(getStatus); r != "" {
		t.Fatalf("a card that is out answers %q", r)
	}
	p.types("in")
	p.accept()
	p.says("in: first card")
	if r := p.exchange(getStatus); r != "6e00" {
		t.Fatalf("the card is still selected after it was out: %q", r)
	}
	p.types("swap")
	p.says("out: first card")
	p.accept()
	p.says("in: second card")
	p.types("quit")
	p.says("out: second card")
	if code := <-p.exit; code != 0 {
		t.Fatalf("exit status %d", code)
	}
}

func TestSimcardIsPulledAfterSoManyCommands(t *testing.T) {
	p := play(t, "--version", "0.14")
	p.accept()
	p.says("in:")
	p.exchange(selectCard)
	p.types("after two")
	p.says("not a number")
	p.types("after 2")
	p.types("dance")
	p.says("not understood", "dance") // so the line before was heard
	for i := range 2 {
		if r := p.exchange(getStatus); !strings.HasPrefix(r, "000e0001") {
			t.Fatalf("command %d: %q", i, r)
		}
	}
	if r := p.exchange(getStatus); r != "" {
		t.Fatalf("the third command is answered: %q", r)
	}
	p.says("out: first card")
	p.types("in")
	p.accept()
	p.says("in: first card")
	for range 5 {
		if r := p.exchange(selectCard); r != "9000" {
			t.Fatalf("the card is pulled twice: %q", r)
		}
	}
	p.in.Close() // the end of the input ends it as well
	p.says("out:")
	if code := <-p.exit; code != 0 {
		t.Fatalf("exit status %d", code)
	}
}

func TestSimcardStates(t *testing.T) {
	for state, status := range map[string]string{
		"ready":    "000c000605030101000101019000",
		"unseeded": "000c000605030101000001019000",
		"new":      "000c000600000000000000019000",
		"blocked":  "000c000600030101000101019000",
		"2fa":      "000c000605030101010101019000",
	} {
		p := play(t, "--state", state)
		p.accept()
		p.says("in:")
		p.exchange(selectCard)
		if r := p.exchange(getStatus); r != status {
			t.Errorf("%s: GET STATUS %q, want %q", state, r, status)
		}
		p.types("quit")
		p.says("out:")
		<-p.exit
	}
}

func TestSimcardRefusesWhatItDoesNotKnow(t *testing.T) {
	for _, args := range [][]string{{"--version", "0.13"}, {"--state", "angry"}, {"now"}, {"--pin", "1"}} {
		var out strings.Builder
		if code := runSimcard(args, strings.NewReader(""), io.Discard, &out); code != 2 || !strings.Contains(out.String(), "Usage:") {
			t.Errorf("%v: exit status %d, %q", args, code, out.String())
		}
	}
}

func TestSimcardNamesABadAddress(t *testing.T) {
	stdin, in := io.Pipe()
	out, stdout := io.Pipe()
	go runSimcard([]string{"--vpcd", "nowhere"}, stdin, stdout, stdout)
	p := &played{virtualReader: &virtualReader{t: t}, in: in, out: bufio.NewReader(out)}
	p.says("SIMULATED")
	p.says("out:", "missing port")
	in.Close()
}
