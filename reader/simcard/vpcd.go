package simcard

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"golang.org/x/sys/unix"
)

// VPCDAddress is where the virtual reader of Debian's vsmartcard-vpcd listens.
const VPCDAddress = "127.0.0.1:35963"

// redial is the pause between two tries to reach vpcd.
const redial = 100 * time.Millisecond

// Control messages of vpcd: a message of one byte. Only vpcdATR is answered.
const (
	vpcdOff   byte = 0
	vpcdOn    byte = 1
	vpcdReset byte = 2
	vpcdATR   byte = 4
)

// ErrPulled says that the card gave no reply, as one does that is pulled out.
var ErrPulled = errors.New("simcard: the card was pulled out")

// ServeVPCD plays a card into a virtual reader: it is in the reader while
// connected, and out when ctx ends, which is no error. It dials until vpcd
// listens, and again when vpcd goes away. A card that gives no reply is pulled:
// ErrPulled. inserted, if not nil, is called each time the card is in.
//
// The protocol: messages both ways have 2 bytes of big-endian length. vpcd sends
// commands, or one byte of control: 0 power off, 1 power on, 2 reset, 4 asks for
// the ATR (frankmorgner/vsmartcard, virtualsmartcard/src/vpcd/vpcd.h).
func ServeVPCD(ctx context.Context, addr string, c Card, inserted func()) error {
	var dialer net.Dialer
	for {
		conn, err := dialer.DialContext(ctx, "tcp", addr)
		if err == nil {
			c.Reset()
			if inserted != nil {
				inserted()
			}
			if err = serveVPCD(ctx, conn, c); errors.Is(err, ErrPulled) {
				if ctx.Err() != nil {
					return nil
				}
				return err
			}
		}
		var address *net.AddrError
		if errors.As(err, &address) {
			return fmt.Errorf("simcard: %w", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(redial):
		}
	}
}

// serveVPCD answers on one connection until it or ctx ends.
func serveVPCD(ctx context.Context, conn net.Conn, c Card) error {
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer func() {
		stop()
		_ = conn.Close()
	}()
	for {
		acknowledge(conn)
		message, err := readMessage(conn)
		if err != nil {
			return err
		}
		var reply []byte
		switch {
		case len(message) == 0:
			continue
		case len(message) > 1:
			if reply = c.Transmit(message); reply == nil {
				return ErrPulled
			}
		case message[0] == vpcdATR:
			reply = c.ATR()
		case message[0] == vpcdOff || message[0] == vpcdOn || message[0] == vpcdReset:
			c.Reset()
			continue
		default:
			continue
		}
		if _, err := conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(reply))), reply...)); err != nil {
			return err
		}
	}
}

func readMessage(r io.Reader) ([]byte, error) {
	var head [2]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	message := make([]byte, binary.BigEndian.Uint16(head[:]))
	_, err := io.ReadFull(r, message)
	return message, err
}

// acknowledge has the kernel acknowledge at once what comes in next (tcp(7)).
// vpcd writes a message in two parts and sends the second when the first was
// acknowledged, which the kernel otherwise puts off for 40 ms.
func acknowledge(conn net.Conn) {
	c, ok := conn.(*net.TCPConn)
	if !ok {
		return
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) { // without it, it is slow
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_QUICKACK, 1)
	})
}
