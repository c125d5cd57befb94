package airgap

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// File is one ordinary file of a medium. Path is outside text, any bytes but
// NUL: escape it before it is shown.
type File struct {
	Volume   Volume
	Path     string // relative to the top of the volume, parts joined by "/"
	Size     int64  // bytes, as the file system claims
	ModTime  time.Time
	Kind     Kind
	Encoding string // EncodingBinary …; "" where there is none
	Trouble  string // a sentence where something is odd; "" otherwise
}

// Listing is what a look through one medium found.
type Listing struct {
	Files     []File // newest first
	Hidden    int    // names with a leading dot, and trash: passed over
	Skipped   int    // links, devices, FIFOs, sockets, other mounts: never opened; and folders that could not be read
	Truncated string // a sentence why not everything was looked at; "" when it was
}

// limits bound a look through a medium.
type limits struct {
	depth   int // folders within folders; the top is 0
	folders int
	entries int // names looked at
}

func scanLimits() limits { return limits{depth: 8, folders: 2_000, entries: 20_000} }

// Scan looks through a medium, the top folder first, and tells every ordinary
// file's kind from its first bytes. Links are never followed, devices and FIFOs
// never opened, other mounts never entered. When the medium goes away it gives
// what it found and ErrMediumGone; when ctx ends, what it found and its error.
func Scan(ctx context.Context, v Volume) (Listing, error) {
	return scan(ctx, v, scanLimits(), func(ScanProgress) {})
}

// ScanProgress is how far a look through a medium is. How much there is to look
// at is not known before the end.
type ScanProgress struct{ Folders, Names, Files int }

// ScanWith is Scan, and calls report from its own goroutine as it goes on: at
// each folder, within large ones again and again, and at the end.
func ScanWith(ctx context.Context, v Volume, report func(ScanProgress)) (Listing, error) {
	return scan(ctx, v, scanLimits(), report)
}

// Merge makes one listing of those of several media: all files, newest first;
// of the same time, in the order of the listings. Of sentences about what was
// not looked at it keeps the first.
func Merge(listings ...Listing) Listing {
	var all Listing
	for _, l := range listings {
		all.Files = append(all.Files, l.Files...)
		all.Hidden += l.Hidden
		all.Skipped += l.Skipped
		if all.Truncated == "" {
			all.Truncated = l.Truncated
		}
	}
	slices.SortStableFunc(all.Files, func(a, b File) int { return b.ModTime.Compare(a.ModTime) })
	return all
}

// scanner is one look through one medium, breadth first.
type scanner struct {
	v       Volume
	l       limits
	listing Listing
	queue   []place
	folders int
	entries int
	full    bool // as many names as the limit were looked at
	report  func(ScanProgress)
}

type place struct {
	path  string
	depth int
}

func scan(ctx context.Context, v Volume, l limits, report func(ScanProgress)) (Listing, error) {
	s := &scanner{v: v, l: l, queue: []place{{}}, report: report}
	var err error
	for len(s.queue) > 0 && err == nil && !s.full {
		p := s.queue[0]
		s.queue = s.queue[1:]
		if s.folders++; s.folders > s.l.folders {
			s.truncate("There are more than %d folders: not all were looked at.", s.l.folders)
			break
		}
		s.tell()
		err = s.folder(ctx, p)
	}
	s.tell()
	slices.SortStableFunc(s.listing.Files, func(a, b File) int {
		if c := b.ModTime.Compare(a.ModTime); c != 0 {
			return c
		}
		return strings.Compare(a.Path, b.Path)
	})
	return s.listing, err
}

func (s *scanner) tell() {
	s.report(ScanProgress{Folders: s.folders, Names: s.entries, Files: len(s.listing.Files)})
}

func (s *scanner) truncate(format string, args ...any) {
	if s.listing.Truncated == "" {
		s.listing.Truncated = fmt.Sprintf(format, args...)
	}
}

// folder looks at one folder. Only a medium that is gone and the end of ctx are
// errors: a folder that cannot be read is counted, and the others go on.
func (s *scanner) folder(ctx context.Context, p place) error {
	fd, err := s.v.openFolder(p.path)
	if err != nil {
		return s.skip(p, err)
	}
	dir := os.NewFile(uintptr(fd), "folder")
	defer dir.Close()
	for {
		// In batches: a folder may hold any number of names.
		names, err := dir.Readdirnames(256)
		for _, name := range names {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if s.entries++; s.entries > s.l.entries {
				s.full = true
				s.truncate("There are more than %d files: not all were looked at.", s.l.entries)
				return nil
			}
			if err := s.entry(fd, p, name); err != nil {
				return err
			}
		}
		s.tell()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return s.skip(p, err)
		}
	}
}

// skip counts what could not be read. The top folder must be readable.
func (s *scanner) skip(p place, err error) error {
	err = s.v.mediumError("list", err)
	if errors.Is(err, ErrMediumGone) || p.path == "" {
		return err
	}
	s.listing.Skipped++
	return nil
}

// entry looks at one name of an open folder.
func (s *scanner) entry(dir int, p place, name string) error {
	if isHidden(name) {
		s.listing.Hidden++
		return nil
	}
	path := name
	if p.path != "" {
		path = p.path + "/" + name
	}
	var st unix.Stat_t
	if err := unix.Fstatat(dir, name, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return s.skip(place{path: path}, err)
	}
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFDIR:
		if p.depth >= s.l.depth || len(path) > maxPath {
			s.truncate("Folders lie more than %d deep: not all were looked at.", s.l.depth)
			return nil
		}
		s.queue = append(s.queue, place{path: path, depth: p.depth + 1})
		return nil
	case unix.S_IFREG:
		return s.file(dir, path, name, st)
	}
	s.listing.Skipped++
	return nil
}

// file adds one ordinary file with what its first bytes tell.
func (s *scanner) file(dir int, path, name string, st unix.Stat_t) error {
	f := File{Volume: s.v, Path: path, Size: st.Size, ModTime: time.Unix(st.Mtim.Unix()), Kind: KindOther}
	head, err := readHead(dir, name)
	switch err = s.fileError(err); {
	case err != nil && errors.Is(err, ErrMediumGone):
		return err
	case err != nil:
		f.Trouble = err.Error()
	default:
		f.Kind, f.Encoding = sniff(head, int64(len(head)) == st.Size)
		if f.Kind == KindOther && strings.HasSuffix(strings.ToLower(name), ".psbt") {
			f.Trouble = "Named like a PSBT, but it does not begin like one."
		}
	}
	s.listing.Files = append(s.listing.Files, f)
	return nil
}

func (s *scanner) fileError(err error) error {
	if err == nil {
		return nil
	}
	return s.v.mediumError("list", err)
}

// readHead reads the first bytes of an ordinary file.
func readHead(dir int, name string) ([]byte, error) {
	fd, _, err := openFile(dir, name)
	if err != nil {
		return nil, err
	}
	file := os.NewFile(uintptr(fd), "file")
	defer file.Close()
	head, err := io.ReadAll(io.LimitReader(file, sniffSize))
	if err == nil && isJSON(head) {
		var more []byte
		more, err = io.ReadAll(io.LimitReader(file, sniffJSON-sniffSize))
		head = append(head, more...)
	}
	return head, err
}

// isHidden: what file managers do not show either, trash, and the temporary
// files of an earlier run of this program.
func isHidden(name string) bool {
	return strings.HasPrefix(name, ".") || name == "System Volume Information" || name == "$RECYCLE.BIN" || name == "lost+found"
}

// readChunk is how much is read between two looks at the context, in bytes.
const readChunk = 1 << 20

// Read reads one file of a medium whole, in one pass, into memory, and no more
// than max bytes: ErrTooLarge beyond. Memory follows what was read (up to twice
// that for a moment), not what the file system claims. A file that changes
// meanwhile is ErrChanging.
func Read(ctx context.Context, v Volume, path string, max int64) ([]byte, error) {
	list, err := parts(path)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, &MediumError{Condition: ErrNotAFile, Step: "read"}
	}
	name := list[len(list)-1]
	dir, err := v.openFolder(strings.TrimSuffix(strings.TrimSuffix(path, name), "/"))
	if err != nil {
		return nil, err
	}
	defer unix.Close(dir)
	fd, before, err := openFile(dir, name)
	if err != nil {
		return nil, v.mediumError("read", err)
	}
	file := os.NewFile(uintptr(fd), "file")
	defer file.Close()
	if before.Size > max {
		return nil, &MediumError{Condition: ErrTooLarge, Step: "read"}
	}
	data, err := readAll(ctx, file, max)
	if err != nil {
		return nil, v.readError(ctx, err)
	}
	var after unix.Stat_t
	if err := unix.Fstat(fd, &after); err != nil {
		return nil, v.mediumError("read", err)
	}
	if after.Size != int64(len(data)) || after.Size != before.Size || after.Mtim != before.Mtim {
		return nil, &MediumError{Condition: ErrChanging, Step: "read"}
	}
	return data, nil
}

func (v Volume) readError(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return v.mediumError("read", err)
}

// readAll reads to the end, in chunks that are joined once.
func readAll(ctx context.Context, r io.Reader, max int64) ([]byte, error) {
	var chunks [][]byte
	total := 0
	for {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		chunk := make([]byte, readChunk)
		n, err := io.ReadFull(r, chunk)
		total += n
		if int64(total) > max {
			return nil, &MediumError{Condition: ErrTooLarge, Step: "read"}
		}
		chunks = append(chunks, chunk[:n])
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			return slices.Concat(chunks...), nil
		}
		if err != nil {
			return nil, err
		}
	}
}
