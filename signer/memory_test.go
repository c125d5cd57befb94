package signer_test

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"

	"github.com/airlock-signer/airlock/signer"
	"github.com/airlock-signer/airlock/signer/container"
	"github.com/airlock-signer/airlock/signer/inspect"
	"github.com/airlock-signer/airlock/signer/samples"
)

const (
	mib = 1 << 20
	// memoryChild names the file that a child process of TestMemory looks at,
	// memoryWay how: as the station does, or as inspect.
	memoryChild, memoryWay = "AIRLOCK_TEST_MEMORY_FILE", "AIRLOCK_TEST_MEMORY_WAY"
)

// TestMemory holds the rule book's bound, twice the file and 16 MiB, over
// everything that is done with a file before a person decides: opening, preview,
// review, and inspect's two forms. Each file is looked at by a process of its
// own, whose garbage collector is told the bound and otherwise left idle: what
// the process needs beyond it shows in its peak of resident memory.
func TestMemory(t *testing.T) {
	if name := os.Getenv(memoryChild); name != "" {
		lookAt(t, name)
		return
	}
	if testing.Short() {
		t.Skip("SKIPPED in short mode: the race detector takes several times the memory")
	}
	if _, err := peak(); err != nil {
		t.Skipf("SKIPPED: this system does not tell the peak of resident memory: %v", err)
	}
	for name, file := range hostileFiles() {
		for _, enc := range []container.Encoding{container.Binary, container.Base64, container.Hex} {
			if enc != container.Binary && !strings.Contains(name, "encoded") {
				continue
			}
			t.Run(name+"/"+string(enc), func(t *testing.T) {
				path := filepath.Join(t.TempDir(), "hostile.psbt")
				if err := os.WriteFile(path, container.Encode(file(), enc), 0o600); err != nil {
					t.Fatal(err)
				}
				for _, way := range []string{"station", "inspect"} {
					// On a busy machine the collector may come late: what is needed
					// is the least of three tries.
					out, err := child(path, way)
					for tries := 1; err != nil && tries < 3; tries++ {
						out, err = child(path, way)
					}
					if err != nil {
						t.Fatalf("%s: %v\n%s", way, err, out)
					}
					for line := range strings.Lines(string(out)) {
						if _, said, ok := strings.Cut(line, "memory_test.go:"); ok {
							t.Logf("%s %s", way, strings.TrimSpace(said))
						}
					}
				}
			})
		}
	}
}

// child looks at a file in a process of its own.
func child(path, way string) ([]byte, error) {
	c := exec.Command(os.Args[0], "-test.run=^TestMemory$", "-test.v")
	c.Env = append(os.Environ(), memoryChild+"="+path, memoryWay+"="+way, "GOGC=off")
	return c.CombinedOutput()
}

// lookAt is the child: everything that is done with a file, and then the peak.
func lookAt(t *testing.T, name string) {
	key := demoKey(t)
	for _, path := range []string{"m/84h/0h/0h", "m/86h/0h/0h"} {
		if _, err := key.Account(t.Context(), samples.ParsePath(path)); err != nil {
			t.Fatal(err)
		}
	}
	debug.FreeOSMemory()
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil { // forget the peak so far
		t.Fatal(err)
	}
	before, err := peak()
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	bound := 2*int(info.Size()) + 16*mib
	debug.SetMemoryLimit(int64(bound - mib))
	look := lookAll
	if os.Getenv(memoryWay) == "inspect" {
		look = lookInspect
	}
	said := look(t, name, key)
	after, err := peak()
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("file %.1f MiB, used %.1f MiB of %.1f: %s", float64(info.Size())/mib, float64(after-before)/mib, float64(bound)/mib, said)
	if after-before > bound {
		t.Errorf("%d bytes used, at most %d are allowed", after-before, bound)
	}
}

// lookAll opens, previews and reviews as the station does.
func lookAll(t *testing.T, name string, key signer.Key) string {
	tx, err := signer.Open(readWhole(t, name), signer.DefaultLimits())
	if bad := (*signer.MalformedError)(nil); errors.As(err, &bad) {
		return err.Error()
	}
	if err != nil {
		t.Fatal(err)
	}
	r := tx.Preview(mainnet)
	said := fmt.Sprintf("%s, %d findings", r.Verdict, len(r.Findings))
	own := signer.Ownership{Fingerprint: key.Fingerprint(), HasFingerprint: true}
	for _, path := range tx.AccountsWanted(key.Fingerprint()) {
		if a, err := key.Account(t.Context(), path); err == nil {
			own.Accounts = append(own.Accounts, a)
		}
	}
	review, err := tx.Review(t.Context(), mainnet, own, signer.NewLedger())
	if err != nil {
		t.Fatal(err)
	}
	return said + fmt.Sprintf("; %s, %d findings", review.Report().Verdict, len(review.Report().Findings))
}

// lookInspect makes both forms of the document.
func lookInspect(t *testing.T, name string, _ signer.Key) string {
	w, err := signer.ParseWallet("mine", []byte("wpkh([73c5da0a/84h/0h/0h]"+me.Account("m/84h/0h/0h").String()+"/<0;1>/*)"), signer.Mainnet)
	if err != nil {
		t.Fatal(err)
	}
	o := inspect.Options{Network: signer.Mainnet, Limits: signer.DefaultLimits(), Wallets: []*signer.Wallet{w}}
	d, err := inspect.File(t.Context(), name, readWhole(t, name), o)
	if err == nil {
		err = errors.Join(d.WriteJSON(io.Discard), d.WriteText(io.Discard))
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(d.Verdict)
}

// readWhole reads a file into exactly as many bytes as it has.
func readWhole(t *testing.T, name string) []byte {
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, info.Size())
	if _, err := f.Read(b); err != nil {
		t.Fatal(err)
	}
	return b
}

// peak of resident memory, in bytes.
func peak() (int, error) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(status)) {
		if kib, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			n, err := strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(kib), " kB"))
			return n << 10, err
		}
	}
	return 0, errors.New("no VmHWM in /proc/self/status")
}

// rawTx writes an unsigned transaction of n and m copies of these parts, the
// inputs told apart by their outpoint.
func rawTx(n int, outs int, out []byte) []byte {
	b := []byte{2, 0, 0, 0}
	b = append(b, samples.Compact(uint64(n))...)
	for i := range n {
		var in [41]byte
		binary.LittleEndian.PutUint32(in[:], uint32(i+1))
		b = append(b, in[:]...)
	}
	b = append(b, samples.Compact(uint64(outs))...)
	b = append(b, bytes.Repeat(out, outs)...)
	return append(b, 0, 0, 0, 0)
}

func vector(b []byte) []byte { return append(samples.Compact(uint64(len(b))), b...) }

func field(key, value []byte) []byte { return append(vector(key), vector(value)...) }

// psbtOf puts maps (without their separators) behind an unsigned transaction.
func psbtOf(tx []byte, maps ...[]byte) []byte {
	b := append([]byte(container.Magic), field([]byte{0}, tx)...)
	b = append(b, 0)
	for _, m := range maps {
		b = append(append(b, m...), 0)
	}
	return b
}

func unhexed(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return b
}

// output writes an amount and a script.
func output(sat uint64, script []byte) []byte {
	return append(binary.LittleEndian.AppendUint64(nil, sat), vector(script)...)
}

// each joins n parts.
func each(n int, part func(i int) []byte) []byte {
	var b []byte
	for i := range n {
		b = append(b, part(i)...)
	}
	return b
}

func four(i int) []byte { return binary.BigEndian.AppendUint32(nil, uint32(i)) }

// hostileFiles are made to cost more than they weigh.
func hostileFiles() map[string]func() []byte {
	one := rawTx(1, 1, output(1000, unhexed("0014"+strings.Repeat("11", 20))))
	p2wpkh := output(600, unhexed("0014"+strings.Repeat("11", 20)))
	taproot := append([]byte{0x51, 32}, bytes.Repeat([]byte{7}, 32)...)
	pub := samples.Demo().At(samples.P2WPKH, 0, 0).PubKey.SerializeCompressed()
	origin := func(i int) []byte {
		b := []byte{0x73, 0xc5, 0xda, 0x0a, 84, 0, 0, 0x80, 0, 0, 0, 0x80, 0, 0, 0, 0x80, 0, 0, 0, 0}
		return binary.LittleEndian.AppendUint32(b, uint32(i))
	}
	padding := func(n int) []byte { return field([]byte{0xf0}, make([]byte, n)) }
	maps := func(n int, m []byte) []byte { return bytes.Repeat(append(m, 0), n) }
	return map[string]func() []byte{
		"encoded ordinary": func() []byte { return psbtOf(one, padding(24*mib), nil) },
		"encoded pairs": func() []byte {
			return psbtOf(one, append(padding(8*mib), each(150_000, func(i int) []byte { return field(append([]byte{0xf1}, four(i)...), []byte("value")) })...), nil)
		},
		"empty outputs of a block":  func() []byte { return append(psbtOf(rawTx(1, 110_000, output(0, nil)), nil), maps(110_000, nil)...) },
		"p2wpkh outputs of a block": func() []byte { return append(psbtOf(rawTx(1, 32_000, p2wpkh), nil), maps(32_000, nil)...) },
		"outputs beyond a block": func() []byte {
			return append(psbtOf(rawTx(1, 300_000, p2wpkh), padding(12*mib)), maps(300_000, nil)...)
		},
		"many empty outputs":  func() []byte { return append(psbtOf(rawTx(1, 8_000, output(0, nil)), nil), maps(8_000, nil)...) },
		"many p2wpkh outputs": func() []byte { return append(psbtOf(rawTx(1, 15_000, p2wpkh), nil), maps(15_000, nil)...) },
		"claimed outputs": func() []byte {
			return append(psbtOf(rawTx(1, 7_000, p2wpkh), nil), maps(7_000, field(append([]byte{2}, pub...), origin(7)))...)
		},
		"empty inputs of a block": func() []byte { return append(psbtOf(rawTx(24_000, 1, p2wpkh)), maps(24_001, nil)...) },
		"many empty inputs":       func() []byte { return append(psbtOf(rawTx(12_500, 1, p2wpkh)), maps(12_501, nil)...) },
		"inputs with a coin": func() []byte {
			return append(psbtOf(rawTx(5_500, 1, p2wpkh)), append(maps(5_500, append(field([]byte{1}, p2wpkh), field(append([]byte{6}, pub...), origin(0))...)), 0)...)
		},
		"a million witness items": func() []byte {
			n := 12 * mib
			return psbtOf(one, append(field([]byte{1}, p2wpkh), field([]byte{8}, append(samples.Compact(uint64(n)), make([]byte, n)...))...), nil)
		},
		"bad signatures": func() []byte {
			return psbtOf(one, append(field([]byte{1}, p2wpkh), each(100, func(i int) []byte {
				return field(append([]byte{2}, samples.Stranger(0).At(samples.P2WPKH, 0, uint32(i)).PubKey.SerializeCompressed()...), []byte{1, 1})
			})...), nil)
		},
		"a huge script": func() []byte { return psbtOf(rawTx(1, 1, output(1, bytes.Repeat([]byte{0x61}, 12*mib))), nil, nil) },
		"a huge payload": func() []byte {
			return psbtOf(rawTx(1, 1, output(1, append([]byte{0x6a}, bytes.Repeat([]byte{1, 0x41}, 6*mib)...))), nil, nil)
		},
		"a huge previous": func() []byte {
			prev := rawTx(1, 500_000, p2wpkh)
			return psbtOf(one, field([]byte{0}, prev), nil)
		},
		"taproot leaves": func() []byte {
			leaf := func(i int) []byte {
				return field(append([]byte{0x15, 0xc0}, append(bytes.Clone(pub[1:]), bytes.Repeat(four(i), 8)...)...), []byte{0x51, 0xc0})
			}
			return psbtOf(one, append(field([]byte{1}, output(1, taproot)), each(40_000, leaf)...), nil)
		},
		"a taproot tree": func() []byte {
			tree := each(127, func(i int) []byte { return append([]byte{byte(i + 1), 0xc0}, vector(make([]byte, 64<<10))...) })
			tree = append(tree, 128, 0xc0, 0, 128, 0xc0, 0)
			return psbtOf(rawTx(1, 1, output(1, taproot)), nil, append(field([]byte{5}, pub[1:]), field([]byte{6}, tree)...))
		},
	}
}
