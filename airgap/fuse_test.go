package airgap

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// fuseDisk is a stick that the real kernel mounts and this test answers for, in
// the protocol of FUSE (linux/fuse.h, 7.31): one folder of files in memory. It
// can fail at any request, vanish at any request, have FAT's ways, and knows
// what would have survived, had its power been cut.
type fuseDisk struct {
	mu      sync.Mutex
	names   map[string]uint64
	files   map[uint64]*fuseFile
	flushed map[string]uint64 // names as of the last flush of the folder
	next    uint64

	fat      bool                       // names as FAT has them; neither links nor RENAME_NOREPLACE
	onOp     func(r fuseRequest) fuseDo // nil: all goes well
	requests int                        // of those that onOp was asked about
}

// fuseFile has what was written, and what of it was flushed.
type fuseFile struct{ data, flushed []byte }

// fuseRequest is one request that goes to the medium; n counts them.
type fuseRequest struct {
	op, size uint32
	offset   uint64
	n        int
}

// fuseDo is what to do with a request: nothing special, an error, or vanishing
// without an answer.
type fuseDo struct {
	errno  unix.Errno
	vanish bool
}

// Requests, by their numbers in linux/fuse.h.
const (
	fuseLookup, fuseForget, fuseGetattr, fuseSetattr       = 1, 2, 3, 4
	fuseUnlink, fuseRename, fuseLink                       = 10, 12, 13
	fuseOpen, fuseRead, fuseWrite, fuseStatfs, fuseRelease = 14, 15, 16, 17, 18
	fuseFsync, fuseFlush, fuseInit                         = 20, 25, 26
	fuseOpendir, fuseReaddir, fuseReleasedir, fuseFsyncdir = 27, 28, 29, 30
	fuseCreate, fuseInterrupt, fuseBatchForget             = 35, 36, 42
	fuseRename2                                            = 45

	fuseRoot    = 1
	fuseMaxData = 4096 // one page a request, so that each offset can fail
	fuseHeader  = 40
)

func newFuseDisk(files map[string][]byte) *fuseDisk {
	d := &fuseDisk{names: map[string]uint64{}, files: map[uint64]*fuseFile{}, next: fuseRoot + 1}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		d.names[name], d.files[d.next] = d.next, &fuseFile{files[name], files[name]}
		d.next++
	}
	d.flushed = maps.Clone(d.names)
	return d
}

// mount has the kernel mount it (there must be a file on it), and answers until it is unmounted or vanishes.
func (d *fuseDisk) mount(t *testing.T, point string) (unmount func()) {
	t.Helper()
	fd, err := unix.Open("/dev/fuse", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Skipf("SKIPPED, NO FAILING MEDIUM TRIED (needs /dev/fuse): %v", err)
	}
	options := fmt.Sprintf("fd=%d,rootmode=40000,user_id=0,group_id=0,max_read=%d", fd, fuseMaxData)
	if err := unix.Mount("airlock-test", point, "fuse", unix.MS_NODEV|unix.MS_NOSUID, options); err != nil {
		_ = unix.Close(fd)
		t.Skipf("SKIPPED, NO FAILING MEDIUM TRIED (needs root): %v", err)
	}
	first := slices.Min(slices.Collect(maps.Keys(d.names)))
	done := make(chan struct{})
	go func() {
		defer close(done)
		d.serve(fd)
		_ = unix.Close(fd) // for the kernel: it has vanished
	}()
	var once sync.Once
	unmount = func() {
		once.Do(func() {
			_ = unix.Unmount(point, unix.MNT_DETACH)
			<-done
		})
	}
	t.Cleanup(unmount)
	// Go polls the files it opens, and a poll that this process has to answer
	// itself may stop it. Once told that there is none, the kernel asks no more.
	file, err := unix.Open(filepath.Join(point, first), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = unix.Poll([]unix.PollFd{{Fd: int32(file), Events: unix.POLLIN}}, 0)
	_ = unix.Close(file)
	return unmount
}

// on has a say about every request from now on.
func (d *fuseDisk) on(say func(r fuseRequest) fuseDo) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.onOp = say
}

func (d *fuseDisk) serve(fd int) {
	buf := make([]byte, 64<<10)
	for {
		n, err := unix.Read(fd, buf)
		if err == unix.EINTR || err == unix.ENOENT || err == unix.EAGAIN {
			continue
		}
		if err != nil || n < fuseHeader {
			return // unmounted
		}
		u32, u64 := binary.LittleEndian.Uint32, binary.LittleEndian.Uint64
		op, unique, node, body := u32(buf[4:]), u64(buf[8:]), u64(buf[16:]), buf[fuseHeader:n]
		if op == fuseForget || op == fuseBatchForget || op == fuseInterrupt {
			continue // without an answer
		}
		do := d.ask(op, body)
		if do.vanish {
			return
		}
		var out []byte
		errno := do.errno
		if errno == 0 {
			d.mu.Lock()
			out, errno = d.answer(op, node, body)
			d.mu.Unlock()
		}
		if errno != 0 {
			out = nil
		}
		head := binary.LittleEndian.AppendUint32(nil, uint32(16+len(out)))
		head = binary.LittleEndian.AppendUint32(head, uint32(-int32(errno)))
		head = binary.LittleEndian.AppendUint64(head, unique)
		_, _ = unix.Write(fd, append(head, out...)) // a caller that was killed is not there any more
	}
}

// ask lets the test have its say about what goes to the medium.
func (d *fuseDisk) ask(op uint32, body []byte) fuseDo {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.onOp == nil || op == fuseInit || op == fuseStatfs {
		return fuseDo{}
	}
	r := fuseRequest{op: op, n: d.requests}
	d.requests++
	if op == fuseRead || op == fuseWrite || op == fuseReaddir {
		r.offset, r.size = binary.LittleEndian.Uint64(body[8:]), binary.LittleEndian.Uint32(body[16:])
	}
	return d.onOp(r)
}

// find looks a name up, as FAT does without regard to case.
func (d *fuseDisk) find(name string) (key string, node uint64) {
	if node, ok := d.names[name]; ok || !d.fat {
		return name, node
	}
	for other, node := range d.names {
		if strings.EqualFold(other, name) {
			return other, node
		}
	}
	return name, 0
}

// refuses: what one FAT driver or another does not take.
func (d *fuseDisk) refuses(name string) bool {
	if !d.fat {
		return false
	}
	stem, _, _ := strings.Cut(strings.ToLower(name), ".")
	reserved := slices.Contains([]string{"con", "prn", "aux", "nul"}, stem) ||
		len(stem) == 4 && (strings.HasPrefix(stem, "com") || strings.HasPrefix(stem, "lpt")) && stem[3] >= '0' && stem[3] <= '9'
	return reserved || strings.ContainsAny(name, `"*/:<>?\|`) || strings.HasSuffix(name, " ") || strings.HasSuffix(name, ".") ||
		strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0xfffd })
}

// attr is struct fuse_attr.
func (d *fuseDisk) attr(node uint64) []byte {
	mode, size := uint32(unix.S_IFDIR|0o755), 0
	if f := d.files[node]; f != nil {
		mode, size = unix.S_IFREG|0o644, len(f.data)
	}
	b := make([]byte, 88)
	binary.LittleEndian.PutUint64(b, node)
	binary.LittleEndian.PutUint64(b[8:], uint64(size))
	binary.LittleEndian.PutUint64(b[32:], 1_700_000_000) // mtime
	binary.LittleEndian.PutUint32(b[60:], mode)
	binary.LittleEndian.PutUint32(b[64:], 1)
	binary.LittleEndian.PutUint32(b[80:], 4096)
	return b
}

// entry is struct fuse_entry_out, nothing of it to be cached.
func (d *fuseDisk) entry(node uint64) []byte {
	b := make([]byte, 40)
	binary.LittleEndian.PutUint64(b, node)
	return append(b, d.attr(node)...)
}

func cString(b []byte) string { s, _, _ := bytes.Cut(b, []byte{0}); return string(s) }

// answer does one request.
func (d *fuseDisk) answer(op uint32, node uint64, body []byte) ([]byte, unix.Errno) {
	switch op {
	case fuseInit:
		b := make([]byte, 64)
		binary.LittleEndian.PutUint32(b, 7)
		binary.LittleEndian.PutUint32(b[4:], 31)
		binary.LittleEndian.PutUint32(b[20:], fuseMaxData)
		return b, 0
	case fuseGetattr, fuseSetattr:
		if f := d.files[node]; op == fuseSetattr && f != nil && body[0]&8 != 0 { // a new size
			f.data = slices.Clone(f.data[:min(uint64(len(f.data)), binary.LittleEndian.Uint64(body[16:]))])
		}
		return append(make([]byte, 16), d.attr(node)...), 0
	case fuseStatfs:
		b := make([]byte, 80)
		for i := range 3 {
			binary.LittleEndian.PutUint64(b[8*i:], 1000)
		}
		binary.LittleEndian.PutUint32(b[40:], 4096)
		binary.LittleEndian.PutUint32(b[44:], 255)
		binary.LittleEndian.PutUint32(b[48:], 4096)
		return b, 0
	case fuseOpen, fuseOpendir:
		return make([]byte, 16), 0
	case fuseFlush, fuseRelease, fuseReleasedir:
		return nil, 0
	case fuseFsync:
		if f := d.files[node]; f != nil {
			f.flushed = slices.Clone(f.data)
		}
		return nil, 0
	case fuseFsyncdir:
		d.flushed = maps.Clone(d.names)
		return nil, 0
	case fuseRead, fuseWrite, fuseReaddir:
		return d.transfer(op, node, body)
	}
	return d.name(op, body)
}

// transfer reads or writes.
func (d *fuseDisk) transfer(op uint32, node uint64, body []byte) ([]byte, unix.Errno) {
	offset, size := binary.LittleEndian.Uint64(body[8:]), uint64(binary.LittleEndian.Uint32(body[16:]))
	if op == fuseReaddir {
		return d.list(offset, size), 0
	}
	f := d.files[node]
	if f == nil {
		return nil, unix.EIO
	}
	if op == fuseRead {
		from := min(offset, uint64(len(f.data)))
		return slices.Clone(f.data[from:min(from+size, uint64(len(f.data)))]), 0
	}
	data := make([]byte, max(uint64(len(f.data)), offset+size))
	copy(data, f.data)
	copy(data[offset:], body[40:40+size])
	f.data = data
	return binary.LittleEndian.AppendUint64(nil, size), 0
}

// list is as many entries from offset on as fit.
func (d *fuseDisk) list(offset, size uint64) []byte {
	var out []byte
	names := slices.Sorted(maps.Keys(d.names))
	for i := int(offset); i < len(names); i++ {
		name := names[i]
		e := binary.LittleEndian.AppendUint64(nil, d.names[name])
		e = binary.LittleEndian.AppendUint64(e, uint64(i+1))
		e = binary.LittleEndian.AppendUint32(e, uint32(len(name)))
		e = binary.LittleEndian.AppendUint32(e, unix.DT_REG)
		e = append(e, name...)
		e = append(e, make([]byte, (8-len(e)%8)%8)...)
		if uint64(len(out)+len(e)) > size {
			break
		}
		out = append(out, e...)
	}
	return out
}

// name does what names are part of.
func (d *fuseDisk) name(op uint32, body []byte) ([]byte, unix.Errno) {
	switch op {
	case fuseLookup:
		if _, node := d.find(cString(body)); node != 0 {
			return d.entry(node), 0
		}
		return nil, unix.ENOENT
	case fuseCreate:
		key, node := d.find(cString(body[16:]))
		if d.refuses(key) {
			return nil, unix.EINVAL
		}
		if node != 0 {
			return nil, unix.EEXIST
		}
		d.names[key], d.files[d.next] = d.next, &fuseFile{}
		d.next++
		return append(d.entry(d.next-1), make([]byte, 16)...), 0
	case fuseUnlink:
		key, node := d.find(cString(body))
		if node == 0 {
			return nil, unix.ENOENT
		}
		delete(d.names, key)
		return nil, 0
	case fuseRename, fuseRename2:
		return nil, d.rename(op, body)
	case fuseLink:
		return nil, unix.EPERM
	}
	return nil, unix.ENOSYS
}

func (d *fuseDisk) rename(op uint32, body []byte) unix.Errno {
	flags, names := uint32(0), body[8:]
	if op == fuseRename2 {
		flags, names = binary.LittleEndian.Uint32(body[8:]), body[16:]
	}
	if d.fat && flags != 0 {
		return unix.EINVAL
	}
	from, node := d.find(cString(names))
	to, taken := d.find(cString(names[len(cString(names))+1:]))
	switch {
	case node == 0:
		return unix.ENOENT
	case d.refuses(to):
		return unix.EINVAL
	case taken != 0 && flags&unix.RENAME_NOREPLACE != 0:
		return unix.EEXIST
	}
	delete(d.names, from)
	d.names[to] = node
	return 0
}

// survivors are names and contents after a power cut: of contents what was
// flushed; of names all, or those of the last flush of the folder.
func (d *fuseDisk) survivors(allNames bool) map[string][]byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	names := d.flushed
	if allNames {
		names = d.names
	}
	left := map[string][]byte{}
	for name, node := range names {
		left[name] = slices.Clone(d.files[node].flushed)
	}
	return left
}
