package simcard

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"testing"
)

// vpcd is the reader's end: it listens, and a card that dials is in.
type vpcd struct {
	t    *testing.T
	l    net.Listener
	conn net.Conn
}

func listen(t *testing.T, addr string) *vpcd {
	t.Helper()
	l, err := net.Listen("tcp", addr)
	must(t, err)
	t.Cleanup(func() { l.Close() })
	return &vpcd{t: t, l: l}
}

func (v *vpcd) accept() {
	v.t.Helper()
	conn, err := v.l.Accept()
	must(v.t, err)
	v.conn = conn
}

func (v *vpcd) send(message ...byte) {
	v.t.Helper()
	_, err := v.conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(message))), message...))
	must(v.t, err)
}

func (v *vpcd) receive() []byte {
	v.t.Helper()
	reply, err := readMessage(v.conn)
	must(v.t, err)
	return reply
}

// out reports whether the card is out.
func (v *vpcd) out() bool {
	_, err := readMessage(v.conn)
	return errors.Is(err, io.EOF)
}

func TestServeVPCD(t *testing.T) {
	v := listen(t, "127.0.0.1:0")
	c := newSatochip(t, Demo(Satochip012, "a"))
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	inserted := make(chan struct{}, 9)
	serve := func() {
		done <- ServeVPCD(ctx, v.l.Addr().String(), c, func() { inserted <- struct{}{} })
	}
	go serve()
	v.accept()
	<-inserted
	v.send(4)
	if !bytes.Equal(v.receive(), c.ATR()) {
		t.Error("ATR")
	}
	v.send(selectSatochip...)
	if r := v.receive(); !bytes.Equal(r, []byte{0x90, 0}) {
		t.Errorf("SELECT: %x", r)
	}
	// Resets, and what a later vpcd might send, are not answered.
	for _, control := range []byte{1, 2, 0} {
		v.send(selectSatochip...)
		v.receive()
		v.send(control)
		v.send(9)
		v.send()
		v.send(getStatus...)
		if r := v.receive(); !bytes.Equal(r, []byte{0x6E, 0}) {
			t.Errorf("after control message %d: %x", control, r)
		}
	}
	// vpcd goes away and is back: so is the card.
	v.conn.Close()
	v.accept()
	<-inserted
	cancel()
	if err := <-done; err != nil || !v.out() {
		t.Errorf("pulled: %v", err)
	}
	ctx, cancel = context.WithCancel(context.Background())
	go serve()
	v.accept()
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestServeVPCDWaits: vpcd comes up after the card.
func TestServeVPCDWaits(t *testing.T) {
	v := listen(t, "127.0.0.1:0")
	addr := v.l.Addr().String()
	v.l.Close()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- ServeVPCD(ctx, addr, newSatochip(t, SatochipOptions{}), nil) }()
	v = listen(t, addr)
	v.accept()
	v.send(4)
	if len(v.receive()) == 0 {
		t.Error("no ATR")
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if err := ServeVPCD(context.Background(), "nowhere", mute{}, nil); err == nil {
		t.Error("an address without a port")
	}
}

func TestPulledWhileServed(t *testing.T) {
	v := listen(t, "127.0.0.1:0")
	done := make(chan error, 1)
	c := WithFaults(newSatochip(t, SatochipOptions{}), PullAfter(1, nil))
	go func() { done <- ServeVPCD(context.Background(), v.l.Addr().String(), c, nil) }()
	v.accept()
	v.send(selectSatochip...)
	v.receive()
	v.send(getStatus...)
	if err := <-done; !errors.Is(err, ErrPulled) || !v.out() {
		t.Errorf("pulled: %v", err)
	}
}
