package main

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/airlock-signer/airlock/airgap"
	"github.com/airlock-signer/airlock/reader"
	"github.com/airlock-signer/airlock/reader/card"
	"github.com/airlock-signer/airlock/signer"
	"github.com/airlock-signer/airlock/signer/plain"
	"github.com/airlock-signer/airlock/tui"
	"github.com/airlock-signer/airlock/tui/session"
)

// folders is a flag that may be given more than once.
type folders []string

func (f *folders) String() string     { return fmt.Sprint(*f) }
func (f *folders) Set(s string) error { *f = append(*f, s); return nil }

// stationFlags is the help on them.
func stationFlags() []string {
	return []string{
		"--media FOLDER     use a folder like a stick, besides the removable media; may be repeated",
		"--network NAME     mainnet (default), testnet, signet or regtest",
		"--allow-network    training: do not mind that this machine has a network; said on every screen",
	}
}

// runStation is `airlock` itself: the station on this terminal.
func runStation(args []string, _ io.Reader, _, stderr io.Writer) int {
	fs := flag.NewFlagSet("airlock", flag.ContinueOnError)
	fs.SetOutput(stderr)
	var media folders
	fs.Usage = func() { usage(stderr) }
	fs.Var(&media, "media", "")
	network := fs.String("network", string(signer.Mainnet), "")
	allow := fs.Bool("allow-network", false, "")
	demo := demoFlag(fs)
	if err := fs.Parse(args); err != nil {
		return 2
	}
	net := signer.Network(*network)
	if fs.NArg() > 0 || net.Params() == nil {
		usage(stderr)
		return 2
	}
	for _, folder := range media {
		if info, err := os.Stat(folder); err != nil || !info.IsDir() {
			fmt.Fprintf(stderr, "airlock: --media %s: there is no such folder\n", plain.Text(folder))
			return 2
		}
	}
	if err := guardProcess(); err != nil {
		fmt.Fprintf(stderr, "airlock: this process cannot be kept from leaving its memory behind: %s\n", plain.Text(err.Error()))
		return 1
	}
	// Before anything asks a library for anything. Where it cannot be had, the
	// isolation says so.
	denied := airgap.DenyNetwork()
	cfg := session.Config{
		Readers: reader.NewPCSC(func(string) {}), // the screen says what matters; there is no log
		OpenCard: func(ctx context.Context, t card.Transport) (card.Card, error) {
			return reader.Open(ctx, t, rand.Reader)
		},
		ResetStep:      reader.ResetStep,
		Media:          session.NewMedia(airgap.NewVolumes(media)),
		WatchIsolation: watchIsolation(airgap.DenialItem(denied)),
		WatchKeyboards: func(ctx context.Context, emit func([]airgap.Keyboard, error)) {
			airgap.WatchKeyboards(ctx, os.DirFS("/"), emit)
		},
		WatchPresses: airgap.WatchPresses,
		AllowNetwork: *allow,
		Settings:     signer.Settings{Network: net},
		Limits:       signer.DefaultLimits(),
	}
	options := tui.Options{Session: cfg, In: os.Stdin, Out: os.Stdout}
	if err := demo(&options); err != nil {
		fmt.Fprintf(stderr, "airlock: %s\n", plain.Text(err.Error()))
		return 1
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	if err := tui.Run(ctx, options); err != nil {
		fmt.Fprintf(stderr, "airlock: %s\n", plain.Text(err.Error()))
		return 1
	}
	return 0
}

// watchIsolation watches this machine; more is what was found otherwise.
func watchIsolation(more ...airgap.IsolationItem) func(context.Context, func(airgap.Isolation)) {
	return func(ctx context.Context, emit func(airgap.Isolation)) {
		airgap.WatchIsolation(ctx, os.DirFS("/"), func(i airgap.Isolation) { emit(i.With(more...)) })
	}
}

// guardProcess keeps the memory of this process from being dumped or traced by
// others of the same user.
func guardProcess() error {
	return errors.Join(
		unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0),
		unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}),
	)
}
