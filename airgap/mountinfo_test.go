package airgap

import (
	"os"
	"slices"
	"strings"
	"testing"
)

func TestParseMountinfo(t *testing.T) {
	text := strings.Join([]string{
		"27 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard",
		`36 35 8:17 / /media/u/MY\040STICK\134\011 rw,nosuid shared:1 master:2 - vfat /dev/sdb1 rw,uid=1000`,
		"37 35 8:33 / /media/u/two ro,nosuid - exfat /dev/sdc1 rw",
		"38 35 8:49 /sub /media/u/three rw - ext4 /dev/sdd1 ro,errors=remount-ro",
		"39 35 0:45 / /empty/source rw - tmpfs  rw",
		"40 35 0:46 / relative rw - tmpfs none rw",
		"41 35 0:47 / /a - b rw - tmpfs none rw",
		"no mount line",
		"42 35 999999999999:1 / /x rw - vfat /dev/x rw",
		"43 35 8:1 / /x rw",
		"",
		`44 35 8:65 / /odd\0escape\ rw - fuseblk /dev/sde1 rw`,
	}, "\n")
	mounts, err := parseMountinfo(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	want := []mount{
		{27, 254, 0, "/", "/", false, "ext4", "/dev/vda"},
		{36, 8, 17, "/", "/media/u/MY STICK\\\t", false, "vfat", "/dev/sdb1"},
		{37, 8, 33, "/", "/media/u/two", true, "exfat", "/dev/sdc1"},
		{38, 8, 49, "/sub", "/media/u/three", true, "ext4", "/dev/sdd1"},
		{39, 0, 45, "/", "/empty/source", false, "tmpfs", "rw"},
		{44, 8, 65, "/", `/odd\0escape\`, false, "fuseblk", "/dev/sde1"},
	}
	if !slices.Equal(mounts, want) {
		t.Errorf("got %+v", mounts)
	}
}

func TestParseMountinfoIsBounded(t *testing.T) {
	line := "27 1 254:0 / / rw - ext4 /dev/vda rw\n"
	if _, err := parseMountinfo(strings.NewReader(strings.Repeat(line, maxMounts+1))); err == nil {
		t.Error("too many mounts were kept")
	}
	if _, err := parseMountinfo(strings.NewReader(strings.Repeat("x", 2<<20))); err == nil {
		t.Error("an endless line was kept")
	}
}

func TestParseTheRealMountinfo(t *testing.T) {
	f, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		t.Skipf("SKIPPED: %v", err)
	}
	defer f.Close()
	mounts, err := parseMountinfo(f)
	if err != nil || !slices.ContainsFunc(mounts, func(m mount) bool { return m.point == "/" }) {
		t.Errorf("no root among %d mounts: %v", len(mounts), err)
	}
}

func FuzzMountinfo(f *testing.F) {
	f.Add(`36 35 8:17 / /media/u/MY\040STICK rw,nosuid shared:1 - vfat /dev/sdb1 rw`)
	f.Add("27 1 254:0 / / rw - ext4  rw")
	f.Add(" - ")
	f.Add(`1 1 1:1 \ /\777\04 a - b`)
	f.Fuzz(func(t *testing.T, text string) {
		mounts, err := parseMountinfo(strings.NewReader(text))
		if err != nil {
			return
		}
		if len(mounts) > strings.Count(text, "\n")+1 {
			t.Fatal("more mounts than lines")
		}
		for _, m := range mounts {
			if !strings.HasPrefix(m.point, "/") || len(m.point) > len(text) {
				t.Fatalf("%+v", m)
			}
		}
	})
}

func TestUnescapeHex(t *testing.T) {
	for in, want := range map[string]string{`MY\x20STICK`: "MY STICK", `a\x2fb`: "a/b", `\x`: `\x`, `\x4`: `\x4`, `\xzz`: `\xzz`, "": "", `\x41`: "A"} {
		if got := unescapeHex(in); got != want {
			t.Errorf("%q: %q", in, got)
		}
	}
}
