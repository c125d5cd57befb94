package seed

import (
	"errors"
	"reflect"
	"testing"

	"golang.org/x/sys/unix"
)

// counting is a kernel whose random bytes are 0, 1, 2, …
func counting(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(i)
	}
	return len(p), nil
}

func mixer(t *testing.T, words int, also ...Source) *Mixer {
	t.Helper()
	m, err := NewMixer(words, also...)
	if err != nil {
		t.Fatal(err)
	}
	m.random = counting
	t.Cleanup(m.Release)
	return m
}

// TestMixVectors: made with Python's hashlib from the definition at Mixer.
func TestMixVectors(t *testing.T) {
	for name, tc := range map[string]struct {
		words int
		dice  string
		card  string
		want  string
	}{
		"kernel alone":           {24, "", "", "fc89023e2725fc54cee94991d0231b0c667579f4266126fc54730a3922ea1e82"},
		"kernel alone, 12 words": {12, "", "", "fc89023e2725fc54cee94991d0231b0c"},
		"dice":                   {24, "35261", "", "16cf4f3b6e3bde102a55fa2c64395a6a9fd649c371b0454bbbb3ee963ac8e76d"},
		"dice and card":          {24, "35261", "\xaa\xbb", "17435b378524496cd95877a9079d43b5baaa3a3bc3f590ad6260470f42b8b05f"},
		"the same from a card":   {24, "", "35261", "451f37c8c92c8c46036016152542209beb99d847ba17252507aa62ccd63e16ca"},
	} {
		t.Run(name, func(t *testing.T) {
			var also []Source
			if tc.card != "" {
				also = append(also, CardBytes)
			}
			if tc.dice != "" {
				also = append(also, DiceRolls)
			}
			m := mixer(t, tc.words, also...)
			// In the other order than they are hashed.
			if tc.card != "" {
				if err := m.AddCard(text(t, tc.card)); err != nil {
					t.Fatal(err)
				}
			}
			if tc.dice != "" {
				if err := m.AddDice(rolled(t, tc.dice), 0); err != nil {
					t.Fatal(err)
				}
			}
			if err := m.DrawKernel(); err != nil {
				t.Fatal(err)
			}
			entropy, err := m.Mix()
			if err != nil {
				t.Fatal(err)
			}
			defer entropy.Release()
			if got := opened(entropy); got != tc.want {
				t.Errorf("got %s", got)
			}
		})
	}
}

// TestMixOnlyWhenComplete: no result before the last source, none twice.
func TestMixOnlyWhenComplete(t *testing.T) {
	m := mixer(t, 12, DiceRolls, CardBytes)
	missing := func(want ...Source) {
		t.Helper()
		var e *MissingError
		if _, err := m.Mix(); !errors.As(err, &e) || !reflect.DeepEqual(e.Sources, want) {
			t.Fatalf("mixed too early: %v, want %v missing", err, want)
		}
	}
	missing(Kernel, DiceRolls, CardBytes)
	if err := m.DrawKernel(); err != nil {
		t.Fatal(err)
	}
	missing(DiceRolls, CardBytes)
	if err := m.DrawKernel(); !errors.Is(err, ErrSource) {
		t.Errorf("the kernel twice: %v", err)
	}
	if err := m.AddCard(text(t, "x")); err != nil {
		t.Fatal(err)
	}
	missing(DiceRolls)
	var few *TooFewError
	if err := m.AddDice(rolled(t, ""), 0); !errors.As(err, &few) {
		t.Errorf("no rolls: %v", err)
	}
	var doubt *DoubtError
	if err := m.AddDice(rolled(t, "11111111"), ^Doubt(0)); !errors.As(err, &doubt) {
		t.Errorf("the same face: %v", err)
	}
	missing(DiceRolls)
	if err := m.AddDice(rolled(t, "35261"), 0); err != nil {
		t.Fatal(err)
	}
	entropy, err := m.Mix()
	if err != nil {
		t.Fatal(err)
	}
	entropy.Release()
	if _, err := m.Mix(); !errors.Is(err, ErrMixed) {
		t.Errorf("mixed twice: %v", err)
	}
	if err := m.AddDice(rolled(t, "35261"), 0); !errors.Is(err, ErrMixed) {
		t.Errorf("added afterwards: %v", err)
	}
}

func TestMixerRefuses(t *testing.T) {
	var count *CountError
	if _, err := NewMixer(15); !errors.As(err, &count) {
		t.Errorf("15 words: %v", err)
	}
	if _, err := NewMixer(12, sources); !errors.Is(err, ErrSource) {
		t.Errorf("unknown source: %v", err)
	}
	m := mixer(t, 24)
	if err := m.AddCard(text(t, "not announced")); !errors.Is(err, ErrSource) {
		t.Errorf("not announced: %v", err)
	}
	m = mixer(t, 24, CardBytes)
	for _, n := range []int{0, maxCard + 1} {
		if err := m.AddCard(buffer(t, make([]byte, n))); err == nil {
			t.Errorf("%d bytes of a card were taken", n)
		}
	}
	for name, random := range map[string]func([]byte) (int, error){
		"error":     func([]byte) (int, error) { return -1, unix.ENOSYS },
		"short":     func(p []byte) (int, error) { counting(p); return len(p) - 1, nil },
		"untouched": func(p []byte) (int, error) { return len(p), nil },
	} {
		m.random = random
		if err := m.DrawKernel(); !errors.Is(err, ErrKernel) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestKernel: the real one gives something else each time.
func TestKernel(t *testing.T) {
	seen := map[string]bool{}
	for range 3 {
		m, err := NewMixer(24)
		if err != nil {
			t.Fatal(err)
		}
		if err := m.DrawKernel(); err != nil {
			t.Fatal(err)
		}
		entropy, err := m.Mix()
		if err != nil {
			t.Fatal(err)
		}
		seen[opened(entropy)] = true
		entropy.Release()
	}
	if len(seen) != 3 {
		t.Error("the same entropy twice")
	}
}
