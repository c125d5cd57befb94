package pcsctest

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// command runs shell commands in a mount namespace of their own, in which pcscd
// has a /run/pcscd of its own, for the file with its process id, and sees no
// driver but the test's, so that it leaves the machine's readers alone. A user
// who is not root gets it together with a user namespace, where the system allows.
func (s *Service) command(then string) *exec.Cmd {
	c := exec.Command("/bin/sh", "-ec", fmt.Sprintf(`
[ -d /run/pcscd ] || mkdir /run/pcscd
mount -t tmpfs none /run/pcscd
mount --bind %s /usr/lib/pcsc/drivers
%s`, s.path("drivers"), then))
	// Ends with this process whatever happens to that.
	c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if os.Geteuid() == 0 {
		c.SysProcAttr.Unshareflags = syscall.CLONE_NEWNS
		return c
	}
	c.SysProcAttr.Cloneflags = syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS
	c.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}
	c.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}
	return c
}

// Stop stops the service: its socket is gone, as on a machine without one.
func (s *Service) Stop() {
	s.t.Helper()
	if s.process == nil {
		s.t.Fatal("pcsctest: the service does not run")
	}
	s.stop()
}

func (s *Service) stop() {
	if s.process == nil {
		return
	}
	_ = os.Remove(s.socket())
	_ = s.process.Process.Signal(syscall.SIGTERM)
	select {
	case <-s.exited:
	case <-time.After(5 * time.Second): // a driver that hangs can hold it up
		_ = s.process.Process.Kill()
		<-s.exited
	}
	s.process = nil
}

// Unplug pulls the reader out, with the card that is in it. Where the service
// runs it goes on running, and Unplug returns when it has let go of the reader.
func (s *Service) Unplug() {
	s.t.Helper()
	if err := os.WriteFile(s.path("unplugged"), nil, 0o644); err != nil {
		s.t.Fatal(err)
	}
	s.rescan("the reader is gone")
}

// Plug puts the reader back. Cards can be put in when it returns.
func (s *Service) Plug() {
	s.t.Helper()
	if err := os.Remove(s.path("unplugged")); err != nil {
		s.t.Fatal(err)
	}
	s.rescan("the reader is back")
}

func (s *Service) plugged() bool {
	_, err := os.Stat(s.path("unplugged"))
	return err != nil
}

// rescan tells the service that the bus changed, and waits until it has seen it.
func (s *Service) rescan(what string) {
	s.t.Helper()
	if s.process == nil {
		return
	}
	events, err := os.OpenFile(s.path("events"), os.O_RDWR, 0)
	if err != nil {
		s.t.Fatal(err)
	}
	defer events.Close()
	if _, err := events.Write([]byte{0}); err != nil {
		s.t.Fatal(err)
	}
	s.until(what, func() bool { return s.plugged() == s.listening() })
}

// UntilLogged waits until pcscd has said something at least n times:
// "Card inserted", "Card Removed".
func (s *Service) UntilLogged(what string, n int) {
	s.t.Helper()
	s.until(fmt.Sprintf("%q %d times", what, n), func() bool { return strings.Count(s.Log(), what) >= n })
}

// listening tells whether the reader waits for cards. To connect would be to put
// one in, so the kernel is asked (proc(5), /proc/net/tcp; state 0A is LISTEN).
func (s *Service) listening() bool {
	table, err := os.ReadFile("/proc/net/tcp")
	if err != nil {
		s.t.Fatal(err)
	}
	port := fmt.Sprintf(":%04X", s.port)
	for line := range strings.Lines(string(table)) {
		f := strings.Fields(line)
		if len(f) > 3 && strings.HasSuffix(f[1], port) && f[3] == "0A" {
			return true
		}
	}
	return false
}

// until waits for a condition, and fails the test where it does not come or the
// service dies meanwhile.
func (s *Service) until(what string, is func() bool) {
	s.t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if is() {
			return
		}
		select {
		case <-s.exited:
			s.t.Fatalf("pcsctest: pcscd ended before %s", what)
		default:
		}
	}
	s.t.Fatalf("pcsctest: waited too long until %s", what)
}

// freePort finds a TCP port that nobody uses now.
func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp4", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// Pull pulls the reader out while a card in it is being asked something: the
// exchange ends as the plug is out.
func (s *Service) Pull(c interface{ Remove() }) {
	s.t.Helper()
	if err := os.WriteFile(s.path("unplugged"), nil, 0o644); err != nil {
		s.t.Fatal(err)
	}
	c.Remove()
	s.rescan("the reader is gone")
}
