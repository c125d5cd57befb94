package airgap

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// mount is one line of /proc/self/mountinfo (proc_pid_mountinfo(5)).
type mount struct {
	id           uint64
	major, minor uint32
	root         string // the part of the file system that is mounted
	point        string // where; outside text
	readOnly     bool
	fsType       string
	source       string
}

// maxMounts bounds what is kept of a mount table.
const maxMounts = 10_000

// parseMountinfo reads a mount table. A line that is no mount line is passed
// over: one odd entry must not hide the others.
func parseMountinfo(r io.Reader) ([]mount, error) {
	var mounts []mount
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if m, ok := parseMount(lines.Text()); ok {
			mounts = append(mounts, m)
		}
		if len(mounts) > maxMounts {
			return nil, fmt.Errorf("mount table: more than %d mounts", maxMounts)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("mount table: %w", err)
	}
	return mounts, nil
}

// parseMount takes "id parent major:minor root point options [optional…] - type
// source superoptions".
func parseMount(line string) (mount, bool) {
	before, after, found := strings.Cut(line, " - ")
	head, tail := strings.Fields(before), strings.Fields(after)
	if !found || len(head) < 6 || len(tail) < 1 {
		return mount{}, false
	}
	id, err := strconv.ParseUint(head[0], 10, 64)
	if err != nil {
		return mount{}, false
	}
	major, minor, ok := parseDevice(head[2])
	if !ok {
		return mount{}, false
	}
	m := mount{id: id, major: major, minor: minor, root: unescapeOctal(head[3]), point: unescapeOctal(head[4]), fsType: unescapeOctal(tail[0])}
	m.readOnly = hasOption(head[5], "ro")
	// An empty source leaves the field out: the super options come always last.
	if len(tail) > 1 {
		m.source = unescapeOctal(tail[1])
		m.readOnly = m.readOnly || hasOption(tail[len(tail)-1], "ro")
	}
	return m, strings.HasPrefix(m.point, "/")
}

// parseDevice takes "major:minor".
func parseDevice(s string) (major, minor uint32, ok bool) {
	a, b, found := strings.Cut(s, ":")
	x, err1 := strconv.ParseUint(a, 10, 32)
	y, err2 := strconv.ParseUint(b, 10, 32)
	return uint32(x), uint32(y), found && err1 == nil && err2 == nil
}

// hasOption looks for one word in a comma-separated list.
func hasOption(options, word string) bool {
	for o := range strings.SplitSeq(options, ",") {
		if o == word {
			return true
		}
	}
	return false
}

// unescapeOctal undoes the kernel's \ooo for space, tab, newline and backslash;
// a backslash without three octal digits stays.
func unescapeOctal(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+3 < len(s) {
			if n, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				out = append(out, byte(n))
				i += 3
				continue
			}
		}
		out = append(out, s[i])
	}
	return string(out)
}
