package session

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/airlock-signer/airlock/airgap"
	"github.com/airlock-signer/airlock/signer"
)

// Bounds of the search for previous transactions. A transaction of the greatest
// weight has 4 MB, twice that in hex.
const (
	searchFiles = 500
	searchBytes = 128 << 20
	searchTx    = 8<<20 + 1024
)

// PreviousView says what became of the previous transactions that a file
// lacks.
type PreviousView struct {
	Missing int             // that the file lacks
	Found   []FoundPrevious // of those, in the order of finding
	Stopped string          // a sentence why not every file was looked at; "" where it was
}

// FoundPrevious is one that was found, and where. File is outside text.
type FoundPrevious struct {
	TxID string
	File string // name of the volume and path in it
}

// findPrevious looks for what a transaction lacks among the files on the media:
// those in the folder of the file first, then as they are listed. A txid proves
// what is found, whoever put it there.
func findPrevious(ctx context.Context, media Media, files []airgap.File, opened airgap.File, tx *signer.Transaction, l signer.Limits) (*signer.Transaction, *PreviousView) {
	missing := tx.MissingPrevious()
	if len(missing) == 0 {
		return tx, nil
	}
	view := &PreviousView{Missing: len(missing)}
	looked, total := 0, int64(0)
	for _, f := range nearest(files, opened) {
		max := searchSize(f, l)
		if max == 0 || f.Size > max {
			continue
		}
		if looked++; looked > searchFiles || total+f.Size > searchBytes {
			view.Stopped = fmt.Sprintf("The search ended after %d files.", looked-1)
			break
		}
		data, err := media.Read(ctx, f.Volume, f.Path, max)
		total += int64(len(data))
		if ctx.Err() != nil {
			break
		}
		if err != nil {
			continue // the file named is not that one; the medium's trouble shows elsewhere
		}
		had := len(tx.FoundPrevious())
		tx = tx.WithPrevious(signer.FindPrevious(data, missing, l))
		for _, txid := range tx.FoundPrevious()[had:] {
			view.Found = append(view.Found, FoundPrevious{txid.String(), path.Join(f.Volume.Name(), f.Path)})
		}
		if missing = tx.MissingPrevious(); len(missing) == 0 {
			break
		}
	}
	return tx, view
}

// searchSize is how many bytes of a file are read; 0 where it can hold no
// transaction.
func searchSize(f airgap.File, l signer.Limits) int64 {
	switch f.Kind {
	case airgap.KindPSBT:
		return int64(l.MaxFile)
	case airgap.KindTransaction:
		return searchTx
	case airgap.KindOther: // raw bytes are known by name alone
		switch strings.ToLower(path.Ext(f.Path)) {
		case ".txn", ".tx", ".rawtx":
			return searchTx
		}
	}
	return 0
}

// nearest puts the files of the opened one's folder first, and leaves that one
// out.
func nearest(files []airgap.File, opened airgap.File) []airgap.File {
	var near, far []airgap.File
	for _, f := range files {
		switch {
		case f.Volume.Path == opened.Volume.Path && f.Path == opened.Path:
		case f.Volume.Path == opened.Volume.Path && path.Dir(f.Path) == path.Dir(opened.Path):
			near = append(near, f)
		default:
			far = append(far, f)
		}
	}
	return slices.Concat(near, far)
}
