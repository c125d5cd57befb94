package seed

import (
	"errors"
	"strings"
	"testing"

	bip39 "github.com/tyler-smith/go-bip39"
)

func TestFind(t *testing.T) {
	for typed, tc := range map[string]struct {
		word string
		err  error
	}{
		"zoo":       {"zoo", nil},
		"abandon":   {"abandon", nil},
		"aban":      {"abandon", nil},
		"abando":    {"abandon", nil},
		"ABAN":      {"abandon", nil},
		"Act":       {"act", nil}, // also begins action, actor, actress, actual
		"acti":      {"action", nil},
		"aba":       {"", ErrAmbiguous}, // one word alone, but too short to mean it
		"ab":        {"", ErrAmbiguous},
		"z":         {"", ErrAmbiguous},
		"":          {"", ErrNotAWord},
		"abandons":  {"", ErrNotAWord},
		"abandoned": {"", ErrNotAWord},
		"abbn":      {"", ErrNotAWord},
		"zoo ":      {"", ErrNotAWord},
		"zoö":       {"", ErrNotAWord},
		"@bandon":   {"", ErrNotAWord}, // '@' + 32 is '`', not 'a'
	} {
		index, err := Find(text(t, typed))
		if !errors.Is(err, tc.err) || Word(index) != tc.word {
			t.Errorf("%q: %q, %v", typed, Word(index), err)
		}
	}
}

// TestFindAll: every word is found by itself and by its first four letters.
func TestFindAll(t *testing.T) {
	for i := range ListSize {
		word := Word(i)
		for _, typed := range []string{word, word[:min(len(word), tellingly)], strings.ToUpper(word)} {
			if index, err := Find(text(t, typed)); err != nil || index != i {
				t.Errorf("%q: %d, %v", typed, index, err)
			}
		}
	}
}

func TestComplete(t *testing.T) {
	for _, typed := range []string{"", "a", "ab", "aba", "ac", "act", "y", "z", "zo", "zoo", "zoos", "x", "S", "abandon", "abandoned", "1", "st"} {
		first, count := Complete(text(t, typed))
		var want []string
		for i := range ListSize {
			if typed != "" && strings.HasPrefix(Word(i), strings.ToLower(typed)) {
				want = append(want, Word(i))
			}
		}
		var got []string
		for i := first; i < first+count; i++ {
			got = append(got, Word(i))
		}
		if strings.Join(got, " ") != strings.Join(want, " ") {
			t.Errorf("%q: %v, want %v", typed, got, want)
		}
	}
}

func TestDecode(t *testing.T) {
	legal := "legal winner thank year wave sausage worth useful legal winner thank yellow"
	for name, tc := range map[string]struct {
		typed string
		want  error // its text; nil for the words of legal
	}{
		"whole":             {legal, nil},
		"spaces":            {"  " + strings.ReplaceAll(legal, " ", "   ") + " ", nil},
		"capitals":          {strings.ToUpper(legal), nil},
		"four letters":      {"lega winn than year wave saus wort usef lega winn than yell", nil},
		"checksum":          {strings.Replace(legal, "yellow", "year", 1), ErrChecksum},
		"two exchanged":     {strings.Replace(legal, "legal winner", "winner legal", 1), ErrChecksum},
		"eleven":            {strings.TrimSuffix(legal, " yellow"), &CountError{11}},
		"thirteen":          {legal + " zoo", &CountError{13}},
		"none":              {"  ", &CountError{0}},
		"thirty":            {strings.Repeat("zoo ", 30), &CountError{30}},
		"wrong word":        {strings.Replace(legal, "year", "yeer", 1), &WordError{4, ErrNotAWord}},
		"too short":         {strings.Replace(legal, "winner", "wi", 1), &WordError{2, ErrAmbiguous}},
		"comma":             {strings.ReplaceAll(legal, " ", ", "), &WordError{1, ErrNotAWord}},
		"tab":               {strings.Replace(legal, " ", "\t", 1), &WordError{1, ErrNotAWord}},
		"wrong after many":  {strings.Repeat("zoo ", 26) + "zo0", &WordError{27, ErrNotAWord}},
		"24 words, in part": {strings.Repeat("zoo ", 23), &CountError{23}},
	} {
		t.Run(name, func(t *testing.T) {
			w, err := Decode(text(t, tc.typed))
			if tc.want != nil {
				if err == nil || err.Error() != tc.want.Error() {
					t.Fatalf("error %v, want %v", err, tc.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer w.Release()
			if said(w) != legal {
				t.Errorf("words %s", said(w))
			}
		})
	}
	if _, err := Decode(text(t, "legal wi")); !errors.Is(err, ErrAmbiguous) {
		t.Errorf("does not unwrap: %v", err)
	}
}

// TestAskBack: only the word at the place passes.
func TestAskBack(t *testing.T) {
	w := fromEntropy(t, unhex(t, bip39Vectors[1].entropy))
	for i := range w.Len() {
		right := w.WordAt(i)
		for index := range ListSize {
			if w.Is(i, text(t, Word(index))) != (Word(index) == right) {
				t.Fatalf("word %d: %q against %q", i, Word(index), right)
			}
		}
		if !w.Is(i, text(t, right[:tellingly])) || w.Is(i, text(t, right[:2])) || w.Is(i, text(t, "")) {
			t.Errorf("word %d by its beginning", i)
		}
	}
	for _, i := range []int{-1, w.Len()} {
		if w.Is(i, text(t, "zoo")) || w.Is(i, text(t, "")) {
			t.Errorf("there is no word %d", i)
		}
	}
}

// FuzzDecodeWords: what is taken is a valid sentence to another implementation,
// and what that one takes is taken.
func FuzzDecodeWords(f *testing.F) {
	for _, v := range bip39Vectors {
		f.Add([]byte(v.words))
	}
	f.Add([]byte("lega winn than year wave saus wort usef lega winn than yell"))
	f.Add([]byte(strings.Repeat("zoo ", 40)))
	f.Add([]byte("\x00 \xff  aba"))
	f.Fuzz(func(t *testing.T, typed []byte) {
		w, err := Decode(buffer(t, typed))
		if err != nil {
			lower := strings.Join(strings.Fields(strings.ToLower(string(typed))), " ")
			if string(typed) == lower && bip39.IsMnemonicValid(lower) {
				t.Errorf("%q refused: %v", typed, err)
			}
			return
		}
		defer w.Release()
		if !bip39.IsMnemonicValid(said(w)) {
			t.Errorf("%q taken as %q", typed, said(w))
		}
		for i, word := range strings.Fields(string(typed)) {
			if !strings.HasPrefix(w.WordAt(i), strings.ToLower(word)) {
				t.Errorf("%q taken as %q", word, w.WordAt(i))
			}
		}
	})
}
