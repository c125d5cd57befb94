//go:build simulation

package main

import (
	"flag"
	"fmt"
	"sync"
	"time"

	"github.com/airlock-signer/airlock/reader/simcard"
	"github.com/airlock-signer/airlock/tui"
	"github.com/airlock-signer/airlock/tui/session"
)

// demoReader is the name of the simulated reader.
const demoReader = "Simulated reader"

// cardPace is about what a real card takes for an exchange, so that a demo
// shows the signing as it will be.
const cardPace = 150 * time.Millisecond

// demoFlag adds --demo: a simulated Satochip with published keys in a
// simulated reader, put in and taken out with a key. And --plain-input, for the
// test that a secret would be found in memory if the screen library saw it.
func demoFlag(fs *flag.FlagSet) func(*tui.Options) error {
	on := fs.Bool("demo", false, "training: a simulated card instead of the readers of this machine")
	which := fs.String("demo-card", "ready", "with --demo: ready, or new (as it leaves the drawer)")
	plain := fs.Bool("plain-input", false, "for tests: secrets pass through the screen library")
	return func(o *tui.Options) error {
		if *plain {
			tui.PlainInput(o)
		}
		if !*on {
			return nil
		}
		options, pin := simcard.Demo("0.14", "Demo savings"), simcard.DemoPIN
		switch *which {
		case "ready":
		case "new":
			options, pin = simcard.SatochipOptions{Version: simcard.Satochip014, Authentikey: options.Authentikey}, ""
		default:
			return fmt.Errorf("--demo-card is ready or new, not %q", *which)
		}
		satochip, err := simcard.NewSatochip(options)
		if err != nil {
			return err
		}
		readers := simcard.NewReaders(demoReader)
		o.Session.Readers = readers
		o.Session.Demo = newDemo(readers, simcard.WithFaults(satochip, slow), pin)
		return nil
	}
}

// slow answers like a card, not like a computer.
func slow(_ int, apdu []byte, next func([]byte) []byte) []byte {
	time.Sleep(cardPace)
	return next(apdu)
}

func newDemo(readers *simcard.Readers, c simcard.Card, pin string) *session.Demo {
	var mu sync.Mutex
	in := false
	return &session.Demo{
		PIN: pin,
		Toggle: func() {
			mu.Lock()
			defer mu.Unlock()
			in = !in
			if in {
				_ = readers.Insert(demoReader, c) // the reader is always there
			} else {
				_ = readers.Remove(demoReader)
			}
		},
		In: func() bool {
			mu.Lock()
			defer mu.Unlock()
			return in
		},
	}
}
