package airgap

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestPowerCuts takes, before every call of a write, a copy of what has reached
// the disk by then: the stick as it would be, had it been pulled there. e2fsck
// repairs each copy; on none may the final name bear half a file.
func TestPowerCuts(t *testing.T) {
	for kind, size := range map[string]int{"ext2": 1 << 20, "ext4": 4 << 20} {
		point := filepath.Join(t.TempDir(), "stick")
		image, _ := loopDiskOf(t, point, kind, size)
		v := folderVolume(t, point)
		if _, err := Write(t.Context(), v, "", "payment.psbt", payment()); err != nil {
			t.Fatal(err)
		}
		result := sample(100_000)
		var copies []string
		k := &script{kernel: linux{}, chunk: 30_000, before: func(string, int) error {
			copies = append(copies, copyOf(t, image))
			return nil
		}}
		if _, err := write(t.Context(), k, v, "", "payment-signed.psbt", result); err != nil {
			t.Fatal(err)
		}
		copies = append(copies, copyOf(t, image)) // at the moment it is said to be written
		whole := 0
		for i, c := range copies {
			at := "at the end"
			if i < len(k.calls) {
				at = "before " + k.calls[i]
			}
			got, there := repaired(t, c, "payment-signed.psbt")
			if there && got != string(result) {
				t.Errorf("%s, %s: the final name bears %d bytes", kind, at, len(got))
			}
			if there {
				whole++
			} else if i == len(copies)-1 {
				t.Errorf("%s: said to be written, and is not on the disk", kind)
			}
			if got, _ := repaired(t, c, "payment.psbt"); got != string(payment()) {
				t.Errorf("%s, %s: %d bytes of what was there before", kind, at, len(got))
			}
		}
		t.Logf("%s: %d cuts, the result is on %d of the copies", kind, len(copies), whole)
	}
}

func copyOf(t *testing.T, image string) string {
	t.Helper()
	data, err := os.ReadFile(image)
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "copy")
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// repaired is a file of an image that e2fsck has put in order.
func repaired(t *testing.T, image, file string) (string, bool) {
	t.Helper()
	// 1: repaired. More: it could not be.
	cmd := exec.Command("e2fsck", "-f", "-y", image)
	if out, err := cmd.CombinedOutput(); err != nil && cmd.ProcessState.ExitCode() != 1 {
		t.Fatalf("e2fsck: %v: %s", err, out)
	}
	list, err := exec.Command("debugfs", "-R", "ls -p /", image).Output()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(list), "/"+file+"/") {
		return "", false
	}
	got, err := exec.Command("debugfs", "-R", "cat "+file, image).Output()
	if err != nil {
		t.Fatal(err)
	}
	return string(got), true
}
