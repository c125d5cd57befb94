package session

import (
	"context"
	"crypto/rand"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/airlock-signer/airlock/airgap"
	"github.com/airlock-signer/airlock/reader"
	"github.com/airlock-signer/airlock/reader/card"
	"github.com/airlock-signer/airlock/reader/secret"
	"github.com/airlock-signer/airlock/reader/simcard"
	"github.com/airlock-signer/airlock/signer"
	"github.com/airlock-signer/airlock/signer/samples"
)

const testReader = "Test reader"

// sitting drives a session as the screens do: the real drivers, simulated
// readers, a folder as the stick.
type sitting struct {
	*testing.T
	s       *Session
	events  chan Event
	readers *simcard.Readers
	stick   string
	now     time.Time
	network chan airgap.Isolation
}

// quietNetwork is a machine without network.
func quietNetwork() airgap.Isolation {
	return airgap.Isolation{Items: []airgap.IsolationItem{{What: "network interfaces", State: "none"}}}
}

func networkUp() airgap.Isolation {
	return airgap.Isolation{Items: []airgap.IsolationItem{{What: "eth0", State: "eth0 is up", Detail: "Unplug the cable.", Blocks: true}}}
}

func newSitting(t *testing.T, change ...func(*Config)) *sitting {
	x := &sitting{T: t, events: make(chan Event, 64), readers: simcard.NewReaders(testReader), stick: t.TempDir(),
		now: time.Now(), network: make(chan airgap.Isolation, 1)}
	for _, f := range samples.Stick() {
		name := filepath.Join(x.stick, filepath.FromSlash(f.Name))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, f.Data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	cfg := Config{
		Readers: x.readers,
		OpenCard: func(ctx context.Context, tr card.Transport) (card.Card, error) {
			return reader.Open(ctx, tr, rand.Reader)
		},
		Media: NewMedia(airgap.NewVolumes([]string{x.stick})),
		WatchIsolation: func(ctx context.Context, emit func(airgap.Isolation)) {
			emit(quietNetwork())
			for {
				select {
				case i := <-x.network:
					emit(i)
				case <-ctx.Done():
					return
				}
			}
		},
		Settings: signer.Settings{Network: signer.Mainnet},
		Limits:   signer.DefaultLimits(),
		Now:      func() time.Time { return x.now },
	}
	for _, f := range change {
		f(&cfg)
	}
	x.s = New(cfg)
	ctx, cancel := context.WithCancel(context.Background())
	x.s.Start(ctx, func(ev Event) {
		select {
		case x.events <- ev:
		case <-ctx.Done():
		}
	})
	t.Cleanup(func() {
		done, stop := context.WithTimeout(context.Background(), 5*time.Second)
		defer stop()
		x.s.Close(done)
		cancel()
	})
	return x
}

// until brings events to the session until the state is as wanted.
func (x *sitting) until(what string, ok func(State) bool) State {
	x.Helper()
	timeout := time.After(20 * time.Second)
	for {
		st := x.s.State()
		if ok(st) {
			return st
		}
		select {
		case ev := <-x.events:
			x.s.Do(ev)
		case <-timeout:
			x.Fatalf("waited in vain for %s: step %d, problem %q, slots %+v", what, st.Step, st.Problem, st.Slots)
		}
	}
}

func (x *sitting) step(want Step) State {
	x.Helper()
	return x.until("step", func(st State) bool { return st.Step == want })
}

// demoCard makes a software card with the published keys.
func demoCard(t *testing.T, version, name string) *simcard.Satochip {
	t.Helper()
	c, err := simcard.NewSatochip(simcard.Demo(version, name))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (x *sitting) insert(c simcard.Card) {
	x.Helper()
	if err := x.readers.Insert(testReader, c); err != nil {
		x.Fatal(err)
	}
	x.until("the card to be opened", func(st State) bool {
		return len(st.Slots) == 1 && st.Slots[0].Present && !st.Slots[0].Opening && (st.Slots[0].Opened || st.Slots[0].Trouble != "")
	})
}

func (x *sitting) remove() {
	x.Helper()
	if err := x.readers.Remove(testReader); err != nil {
		x.Fatal(err)
	}
	x.until("the card to be out", func(st State) bool { return len(st.Slots) == 1 && !st.Slots[0].Present })
}

func (x *sitting) open(name string) State {
	x.Helper()
	x.s.Do(ShowFiles{})
	st := x.until("the files", func(st State) bool { return !st.Scanning && len(st.Files) > 0 })
	for _, f := range st.Files {
		if f.Path == name {
			x.s.Do(OpenFile{File: f})
			return x.until("the preview", func(st State) bool { return st.Step == StepPreview || st.Step == StepMalformed })
		}
	}
	x.Fatalf("%s is not among the files: %+v", name, st.Files)
	return State{}
}

func pinBuffer(t *testing.T, pin string) *secret.Buffer {
	t.Helper()
	b, err := secret.New(64)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Append([]byte(pin)...); err != nil {
		t.Fatal(err)
	}
	return b
}

func (x *sitting) pin(pin string) { x.s.Do(EnterPIN{PIN: pinBuffer(x.T, pin)}) }

// read sees every item, and acknowledges what wants it.
func (x *sitting) read() State {
	x.Helper()
	st := x.step(StepReview)
	for _, item := range st.Review.Items {
		x.s.Do(PageSeen{Item: item})
	}
	for _, c := range st.Review.Cautions {
		x.s.Do(Acknowledge{Code: c.Code})
	}
	return x.s.State()
}

// toApproval goes all the way to the amount.
func (x *sitting) toApproval(name string, c simcard.Card) State {
	x.Helper()
	x.insert(c)
	x.open(name)
	x.s.Do(GoOn{})
	x.step(StepPIN)
	x.pin(simcard.DemoPIN)
	x.read()
	x.s.Do(GoOn{})
	return x.step(StepApprove)
}

// files lists what is on the stick, hidden leftovers included.
func (x *sitting) files() map[string][]byte {
	x.Helper()
	found := map[string][]byte{}
	err := filepath.WalkDir(x.stick, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, _ := filepath.Rel(x.stick, p)
		found[filepath.ToSlash(rel)], err = os.ReadFile(p)
		return err
	})
	if err != nil {
		x.Fatal(err)
	}
	return found
}

// nothingWritten fails if the stick holds anything but the samples.
func (x *sitting) nothingWritten() {
	x.Helper()
	known := map[string]bool{}
	for _, f := range samples.Stick() {
		known[f.Name] = true
	}
	for name := range x.files() {
		if !known[name] {
			x.Errorf("%s was written", name)
		}
	}
}

func hasFinding(r *signer.Report, code signer.Code) bool {
	for _, f := range r.Findings {
		if f.Code == code {
			return true
		}
	}
	return false
}

func mentions(t *testing.T, text string, words ...string) {
	t.Helper()
	for _, w := range words {
		if !strings.Contains(strings.ToLower(text), strings.ToLower(w)) {
			t.Errorf("%q does not mention %q", text, w)
		}
	}
}
