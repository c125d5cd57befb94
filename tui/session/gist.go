package session

import (
	"context"
	"errors"
	"maps"

	"github.com/airlock-signer/airlock/airgap"
	"github.com/airlock-signer/airlock/signer"
	"github.com/airlock-signer/airlock/signer/container"
)

// Bounds of the look into transactions for their gists.
const (
	gistFiles = 200
	gistBytes = 1 << 20 // of one file
)

// FileKey names a file among those on the media.
type FileKey struct{ Volume, Path string }

// KeyOf is the key of a file in State.Gists.
func KeyOf(f airgap.File) FileKey { return FileKey{f.Volume.ID, f.Path} }

// Gist is what a transaction file claims, in a line. It decides nothing: a file
// that is opened is read and previewed anew.
type Gist struct {
	Verdict signer.Verdict // of the preview; VerdictMalformed where it is no valid PSBT; "" where it could not be read
	Leaves  int64          // satoshis of the outputs that do not claim to be the person's own, without the fee
	Fee     signer.Amount
}

// GistProgress is how far the look into the transactions is.
type GistProgress struct{ Done, Total int }

// gisted brings one gist.
type gisted struct {
	gen      int
	key      FileKey
	gist     Gist
	progress GistProgress
}

// StopLooking ends the look through the media and into the files; what was
// found stays.
type StopLooking struct{}

func (gisted) event()      {}
func (StopLooking) event() {}

// gistsOf are the files that are looked into: the first of the list.
func gistsOf(files []airgap.File) []airgap.File {
	var list []airgap.File
	for _, f := range files {
		if f.Kind == airgap.KindPSBT && f.Trouble == "" && f.Size <= gistBytes && len(list) < gistFiles {
			list = append(list, f)
		}
	}
	return list
}

// lookInto makes the gists of the files in the background, one after another.
func (s *Session) lookInto(files []airgap.File) {
	todo := gistsOf(files)
	s.gists, s.gistProgress = nil, GistProgress{Total: len(todo)}
	if len(todo) == 0 {
		return
	}
	ctx, cancel := context.WithCancel(s.ctx)
	s.scanStop = cancel
	gen, media, limits, settings, post := s.scanGen, s.cfg.Media, s.cfg.Limits, s.settings, s.post
	limits.MaxFile = min(limits.MaxFile, gistBytes)
	go func() {
		defer cancel()
		for i, f := range todo {
			g := gistOf(ctx, media, f, limits, settings)
			if ctx.Err() != nil {
				return
			}
			post(gisted{gen, KeyOf(f), g, GistProgress{i + 1, len(todo)}})
		}
	}()
}

func gistOf(ctx context.Context, media Media, f airgap.File, l signer.Limits, settings signer.Settings) Gist {
	data, err := media.Read(ctx, f.Volume, f.Path, int64(l.MaxFile))
	if err != nil {
		return Gist{}
	}
	tx, err := signer.OpenContext(ctx, data, l)
	var malformed *signer.MalformedError
	if errors.As(err, &malformed) && !errors.Is(err, container.ErrVersion2) {
		return Gist{Verdict: signer.VerdictMalformed}
	}
	if err != nil {
		return Gist{}
	}
	r, err := tx.PreviewContext(ctx, settings)
	if err != nil {
		return Gist{}
	}
	g := Gist{Verdict: r.Verdict, Fee: r.Totals.Fee}
	for _, o := range r.Outputs {
		if !o.Claimed {
			g.Leaves += o.Amount
		}
	}
	return g
}

func (s *Session) onGisted(ev gisted) {
	if ev.gen != s.scanGen {
		return
	}
	next := maps.Clone(s.gists) // a State that was handed out keeps its own
	if next == nil {
		next = map[FileKey]Gist{}
	}
	next[ev.key] = ev.gist
	s.gists, s.gistProgress = next, ev.progress
}
