// Package pcsctest runs a pcscd of a test's own, with Debian's virtual reader
// (package vsmartcard-vpcd) in it: its socket, its configuration and its reader
// are apart from the machine's. The service can be stopped and started, and the
// reader unplugged and plugged in while the service runs. For tests alone.
//
// A card is put in by connecting to CardAddr and answering vpcd's messages
// (two bytes of length, big endian, then an APDU or one byte of control), and
// taken out by closing that connection.
package pcsctest

import (
	_ "embed"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	// Reader is the name under which the service lists the virtual reader.
	Reader = friendlyName + " 00 00"

	friendlyName = "Airlock Test Reader"
	socketEnv    = "PCSCLITE_CSOCK_NAME" // read by libpcsclite at its first use

	daemon = "/usr/sbin/pcscd"
	driver = "/usr/lib/pcsc/drivers/serial/libifdvpcd.so"

	// patience bounds every wait; it is far longer than any takes.
	patience = 30 * time.Second
)

//go:embed testdata/plug.c
var plugSource string

// Service is a private pcscd. Its methods fail the test where they cannot do
// what they are asked to.
type Service struct {
	t    testing.TB
	dir  string
	port int

	process *exec.Cmd
	exited  chan struct{}
}

// New prepares a service, not started, and sets the environment so that this
// process and its children use it. libpcsclite looks at the environment once:
// nothing in this process may have used PC/SC before the first New. One service
// at a time; it ends with the test.
//
// Where pcscd cannot be run the test is skipped, saying why; with CI set it
// fails, so that a missing package cannot pass for a success.
func New(t testing.TB) *Service {
	t.Helper()
	for _, file := range []string{daemon, driver} {
		if _, err := os.Stat(file); err != nil {
			unable(t, fmt.Sprintf("%s is missing: apt-get install pcscd vsmartcard-vpcd", file))
		}
	}
	// The same folder for all tests of a process, for libpcsclite remembers it.
	dir := filepath.Join(os.TempDir(), fmt.Sprintf("airlock-pcsc-%d", os.Getpid()))
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatalf("pcsctest: another service of this process is there: %v", err)
	}
	s := &Service{t: t, dir: dir, port: freePort(t)}
	t.Cleanup(func() {
		s.stop()
		if t.Failed() {
			t.Logf("pcscd said:\n%s", s.Log())
		}
		os.RemoveAll(dir)
	})
	s.configure()
	if out, err := s.command("true").CombinedOutput(); err != nil {
		unable(t, fmt.Sprintf("this user cannot make a mount namespace to run pcscd in (root can): %v\n%s", err, out))
	}
	t.Setenv(socketEnv, s.socket())
	return s
}

// unable skips the test, or fails it on CI.
func unable(t testing.TB, why string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatalf("pcsctest: %s", why)
	}
	t.Skipf("SKIPPED, nothing was tested through the real pcscd: %s", why)
}

// Env is what a program has to have in its environment to use this service.
func (s *Service) Env() []string { return []string{socketEnv + "=" + s.socket()} }

// CardAddr is where the virtual reader listens for a card while it is plugged
// in and the service runs: "127.0.0.1:port".
func (s *Service) CardAddr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)) }

// Log is what pcscd said, over all its starts. It logs no APDUs.
func (s *Service) Log() string {
	text, _ := os.ReadFile(s.path("log"))
	return string(text)
}

func (s *Service) socket() string          { return s.path("comm") }
func (s *Service) path(name string) string { return filepath.Join(s.dir, name) }

// configure lays out a folder of drivers with one for the test reader alone,
// as pcscd expects it, and an empty one for readers that are no USB devices.
func (s *Service) configure() {
	s.t.Helper()
	flags, err := exec.Command("pkg-config", "--cflags", "libpcsclite").Output()
	if err != nil {
		unable(s.t, fmt.Sprintf("no libpcsclite-dev or pkg-config: %v", err))
	}
	bundle := s.path("drivers/airlock.bundle/Contents")
	for _, dir := range []string{bundle + "/Linux", s.path("conf")} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			s.t.Fatal(err)
		}
	}
	virtual, err := os.ReadFile(driver)
	if err != nil {
		s.t.Fatal(err)
	}
	for name, data := range map[string][]byte{
		s.path("plug.c"):       []byte(plugSource),
		s.path("vpcd.so"):      virtual, // its own folder will be covered
		bundle + "/Info.plist": []byte(infoPlist),
	} {
		if err := os.WriteFile(name, data, 0o644); err != nil {
			s.t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(s.path("events"), 0o600); err != nil {
		s.t.Fatal(err)
	}
	args := append([]string{"-shared", "-fPIC", "-o", bundle + "/Linux/plug.so", s.path("plug.c"), "-ldl"}, strings.Fields(string(flags))...)
	if out, err := exec.Command("cc", args...).CombinedOutput(); err != nil {
		s.t.Fatalf("pcsctest: cc: %v\n%s", err, out)
	}
}

// infoPlist describes the driver; the numbers are those plug.c gives its device.
const infoPlist = `<?xml version="1.0" encoding="UTF-8"?>
<plist version="1.0"><dict>
<key>CFBundleExecutable</key> <string>plug.so</string>
<key>ifdVendorID</key> <array> <string>0xA1A1</string> </array>
<key>ifdProductID</key> <array> <string>0xA1A1</string> </array>
<key>ifdFriendlyName</key> <array> <string>` + friendlyName + `</string> </array>
</dict></plist>
`

// Start starts the service and waits until it answers.
func (s *Service) Start() {
	s.t.Helper()
	if s.process != nil {
		s.t.Fatal("pcsctest: the service runs already")
	}
	// pcscd's own socket is compiled in; it takes another one as systemd hands
	// them over, as descriptor 3.
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: s.socket(), Net: "unix"})
	if err != nil {
		s.t.Fatal(err)
	}
	defer l.Close()
	l.SetUnlinkOnClose(false)
	passed, err := l.File()
	if err != nil {
		s.t.Fatal(err)
	}
	defer passed.Close()
	log, err := os.OpenFile(s.path("log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		s.t.Fatal(err)
	}
	defer log.Close()

	c := s.command(fmt.Sprintf("LISTEN_FDS=1 LISTEN_PID=$$ LD_PRELOAD=%s exec %s --foreground --info --config %s",
		s.path("drivers/airlock.bundle/Contents/Linux/plug.so"), daemon, s.path("conf")))
	c.Env = append(os.Environ(),
		"AIRLOCK_TEST_DRIVER="+s.path("vpcd.so"),
		"AIRLOCK_TEST_PORT="+strconv.Itoa(s.port),
		"AIRLOCK_TEST_UNPLUGGED="+s.path("unplugged"),
		"AIRLOCK_TEST_EVENTS="+s.path("events"))
	c.ExtraFiles = []*os.File{passed}
	c.Stdout, c.Stderr = log, log
	if err := c.Start(); err != nil {
		s.t.Fatalf("pcsctest: %v", err)
	}
	s.process, s.exited = c, make(chan struct{})
	go func(done chan struct{}) {
		_ = c.Wait()
		close(done)
	}(s.exited)
	// Clients may come already: the socket keeps them until the service is ready.
	s.until("the service has its reader", func() bool { return s.plugged() == s.listening() })
}
