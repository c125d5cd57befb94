package session

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"path"
	"sort"

	"github.com/airlock-signer/airlock/airgap"
	"github.com/airlock-signer/airlock/signer"
	"github.com/airlock-signer/airlock/signer/container"
)

func (s *Session) onVolumes(v []airgap.Volume) {
	s.volumes = v
	s.mountedAnew()
	switch s.step {
	case StepHome, StepFiles:
		s.scan()
	}
}

// scan looks at all media again.
func (s *Session) scan() {
	s.stopScan()
	if s.ejecting() {
		return // it begins when that has ended
	}
	ctx, cancel := context.WithCancel(s.ctx)
	s.scanning, s.scanStop = true, cancel
	gen, media, post := s.scanGen, s.cfg.Media, s.post
	volumes := append([]airgap.Volume(nil), s.volumes...)
	go func() {
		defer cancel()
		ev := scanned{gen: gen}
		var all []airgap.Listing
		for _, v := range volumes {
			l, err := media.Scan(ctx, v)
			all = append(all, l)
			if err != nil {
				ev.note = err.Error()
			}
		}
		list := airgap.Merge(all...)
		if ev.files = list.Files; ev.note == "" {
			ev.note = list.Truncated
		}
		sort.SliceStable(ev.files, func(i, j int) bool { return rank(ev.files[i].Kind) < rank(ev.files[j].Kind) })
		post(ev)
	}()
}

// stopScan ends a look through the media; what it still finds is ignored.
func (s *Session) stopScan() {
	s.scanGen++
	s.scanning = false
	s.gistProgress.Total = s.gistProgress.Done
	if s.scanStop != nil {
		s.scanStop()
		s.scanStop = nil
	}
}

// rank puts what this station does not know behind, so that a stick full of
// other things does not bury the transactions.
func rank(k airgap.Kind) int {
	if k == airgap.KindOther {
		return 1
	}
	return 0
}

func (s *Session) onScanned(ev scanned) {
	if ev.gen != s.scanGen {
		return
	}
	s.files, s.filesNote, s.scanning = ev.files, ev.note, false
	s.gists, s.gistProgress, s.scanStop = nil, GistProgress{}, nil
	if s.step == StepFiles {
		s.lookInto(ev.files)
	}
}

// openFile reads a file once, and previews it. From here on only the bytes in
// memory count.
func (s *Session) openFile(f airgap.File) {
	if s.ejecting() {
		s.problem = "A medium is being ejected. Wait until that is done."
		return
	}
	s.stopScan()
	s.leave(StepOpening)
	s.job.file = &f
	media, limits, settings, files := s.cfg.Media, s.cfg.Limits, s.settings, s.files
	s.begin(func(ctx context.Context, gen int) Event {
		ev := fileOpened{gen: gen}
		var data []byte
		if data, ev.err = media.Read(ctx, f.Volume, f.Path, int64(limits.MaxFile)); ev.err != nil {
			return ev
		}
		if ev.tx, ev.err = signer.OpenContext(ctx, data, limits); ev.err == nil {
			ev.tx, ev.prev = findPrevious(ctx, media, files, f, ev.tx, limits)
			ev.preview, ev.err = ev.tx.PreviewContext(ctx, settings)
		}
		return ev
	})
	s.busy = "Reading the file"
}

// previewAgain makes the preview anew, with the settings as they are now. The
// medium is not read again.
func (s *Session) previewAgain() {
	tx, prev, settings := s.job.tx, s.job.previous, s.settings
	s.step, s.problem = StepOpening, ""
	s.begin(func(ctx context.Context, gen int) Event {
		preview, err := tx.PreviewContext(ctx, settings)
		return fileOpened{gen: gen, tx: tx, prev: prev, preview: preview, err: err}
	})
	s.busy = "Looking at the file again"
}

func (s *Session) onFileOpened(ev fileOpened) {
	if ev.gen != s.gen {
		return
	}
	s.busy = ""
	if ev.err != nil {
		s.step, s.problem = StepMalformed, sentence(ev.err)
		var malformed *signer.MalformedError
		s.job.malformed = errors.As(ev.err, &malformed) && !errors.Is(ev.err, container.ErrVersion2)
		return
	}
	s.job.tx, s.job.preview, s.job.previous = ev.tx, ev.preview, ev.prev
	s.job.other = ev.preview.OtherNetwork()
	s.step = StepPreview
}

// result is what a finished run has to write.
type result struct {
	signed  *signer.Result
	files   []outFile
	written []airgap.Written
	volume  airgap.Volume
	dir     string
	writing bool
	trouble string
}

type outFile struct {
	name string
	data []byte
}

func (r *result) view() ResultView {
	v := ResultView{Complete: r.signed.Complete, TxID: r.signed.TxID.String(), Added: r.signed.Added,
		Written: append([]airgap.Written(nil), r.written...), Volume: r.volume, Writing: r.writing, Trouble: r.trouble}
	for _, f := range r.files {
		v.Names = append(v.Names, f.name)
	}
	return v
}

// finish takes a run's result, logs the card out, and writes beside the file
// that was read.
func (s *Session) finish(res *signer.Result) {
	s.logout()
	s.forgetPIN()
	part, whole, final := airgap.ResultNames(path.Base(s.job.file.Path))
	r := &result{signed: res, dir: path.Dir(s.job.file.Path), volume: s.job.file.Volume}
	if res.Complete {
		tx := append([]byte(hex.EncodeToString(res.FinalTx)), '\n')
		r.files = []outFile{{whole, res.PSBT}, {final, tx}}
	} else {
		r.files = []outFile{{part, res.PSBT}}
	}
	s.job.result, s.job.approval = r, nil
	s.step, s.problem = StepResult, ""
	s.write(r.volume)
}

// write writes what is not yet written to a medium. Another medium than
// before gets all of it; where it has no such folder, at the top.
func (s *Session) write(v airgap.Volume) {
	r := s.job.result
	if s.step != StepResult || r == nil || r.writing {
		return
	}
	if v.Path != r.volume.Path {
		r.dir = "."
	}
	again := v.ID != r.volume.ID // mounted anew, at the same place perhaps: the same medium or not
	if again || v.Path != r.volume.Path {
		r.volume, r.written = v, nil
	}
	r.writing, r.trouble = true, ""
	media, dir, todo := s.cfg.Media, r.dir, r.files[len(r.written):]
	s.begin(func(ctx context.Context, gen int) Event {
		ev := written{gen: gen, volume: v, dir: dir}
		for _, f := range todo {
			w, err := media.Write(ctx, v, ev.dir, f.name, f.data)
			if again && ev.dir != "." && errors.Is(err, airgap.ErrNotFound) {
				ev.dir = "."
				w, err = media.Write(ctx, v, ev.dir, f.name, f.data)
			}
			if err != nil {
				ev.err = err
				return ev
			}
			ev.done = append(ev.done, w)
		}
		return ev
	})
}

func (s *Session) onWritten(ev written) {
	r := s.job.result
	if ev.gen != s.gen || r == nil {
		return
	}
	r.writing, r.dir = false, ev.dir
	r.written = append(r.written, ev.done...)
	if ev.err != nil {
		r.trouble = sentence(ev.err)
	}
}

// onIsolation looks at the network: one that comes up stops a run before the
// PIN or the next signature and logs the card out.
func (s *Session) onIsolation(i airgap.Isolation) {
	s.isolation = i
	s.careIsolation(i)
	if s.networkBlocks() {
		s.forgetPIN() // also that of a card that is out
		switch s.step {
		case StepPIN, StepUnlocking, StepReview, StepApprove, StepSigning:
			if s.job.key != nil || s.step != StepReview {
				s.lock(fmt.Sprintf("The network came up (%s), so the card was logged out. Switch it off to go on; what you saw is kept.", i.Blocking()[0].State))
			}
		}
	}
	s.advance()
}

// removable is package airgap as Media.
type removable struct{ *airgap.Volumes }

// NewMedia answers for Media with the machine's removable media.
func NewMedia(v *airgap.Volumes) Media { return removable{v} }

func (removable) Scan(ctx context.Context, v airgap.Volume) (airgap.Listing, error) {
	return airgap.Scan(ctx, v)
}

func (removable) Read(ctx context.Context, v airgap.Volume, path string, max int64) ([]byte, error) {
	return airgap.Read(ctx, v, path, max)
}

func (removable) Write(ctx context.Context, v airgap.Volume, dir, name string, data []byte) (airgap.Written, error) {
	return airgap.Write(ctx, v, dir, name, data)
}
