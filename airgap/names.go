package airgap

import (
	"fmt"
	"path"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxName is the longest file name, in bytes, that every file system in use on
// media takes (255 on ext4; 255 UTF-16 units on FAT, never fewer than bytes).
const maxName = 255

// tempPrefix and tempSuffix frame the name of a file that is being written. The
// leading dot keeps it out of lists, this program's as well.
const (
	tempPrefix = ".airlock-"
	tempSuffix = ".tmp"
)

// ResultNames gives the names of results for an input's file name (or path, of
// which the last part counts):
//
//	payment.psbt         payment-part.psbt  payment-signed.psbt  payment-final.txn
//	payment-part.psbt    the same: what an earlier signer added to the name goes
//	payment-signed-2.txt payment-part.txt   payment-signed.txt   payment-final.txn
//	payment              payment-part.psbt  …
//
// part and signed keep the input's extension, and so its convention of
// encoding; final is hex. Whatever not every file system takes, or would not
// print, becomes "_", and long names are shortened, so that the results can be
// written to any medium.
func ResultNames(input string) (part, signed, final string) {
	stem, ext := splitName(path.Base(input))
	stem = resultSuffix.ReplaceAllString(stem, "")
	stem = portable(stem)
	// Room for "-signed", a number that Write may add, and the extension.
	stem = shorten(stem, maxName-len("-signed-999")-len(".psbt.base64"))
	if strings.Trim(stem, "._ ") == "" {
		stem = "transaction"
	}
	if isReserved(stem + "-part") {
		stem = "_" + stem
	}
	return stem + "-part" + ext, stem + "-signed" + ext, stem + "-final.txn"
}

// resultSuffix is what ResultNames, Write and other coordinators put at the end
// of a stem.
var resultSuffix = regexp.MustCompile(`(?i)-(part|signed|final)(-[0-9]{1,3})?$`)

// splitName parts a name into stem and an extension that files with a PSBT
// have; another one stays with the stem, and ".psbt" is used.
func splitName(name string) (stem, ext string) {
	ext = path.Ext(name)
	switch strings.ToLower(ext) {
	case ".psbt":
		return strings.TrimSuffix(name, ext), ext
	case ".txt", ".b64", ".base64", ".hex":
		stem = strings.TrimSuffix(name, ext)
		if inner := path.Ext(stem); strings.EqualFold(inner, ".psbt") {
			return strings.TrimSuffix(stem, inner), inner + ext
		}
		return stem, ext
	}
	return name, ".psbt"
}

// portable replaces what FAT forbids, what does not print, and broken UTF-8 by
// "_"; so too a leading dot, which hides, and a space or dot at the end, which
// FAT drops.
func portable(stem string) string {
	var out strings.Builder
	for i, r := range stem {
		if r == utf8.RuneError || !unicode.IsPrint(r) || strings.ContainsRune(forbidden, r) || i == 0 && r == '.' {
			r = '_'
		}
		out.WriteRune(r)
	}
	return strings.TrimRight(out.String(), " .")
}

// forbidden on FAT, exFAT and NTFS; "/" everywhere.
const forbidden = `"*/:<>?\|`

// isReserved: names of devices, whatever follows after a dot: computers with
// Windows open the device instead, and some file systems refuse them.
func isReserved(name string) bool {
	first, _, _ := strings.Cut(name, ".")
	return reserved.MatchString(strings.TrimRight(first, " "))
}

var reserved = regexp.MustCompile(`(?i)^(con|prn|aux|nul|(com|lpt)[0-9])$`)

// shorten cuts to at most n bytes, between characters.
func shorten(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return strings.TrimRight(s[:n], " .")
}

// checkName refuses a name that some medium would not take, or would change.
func checkName(name string) error {
	stem := strings.TrimRight(name, " .")
	if name == "" || len(name) > maxName || stem != name || portable(name) != name || isReserved(name) {
		return &MediumError{Condition: ErrName, Step: "create"}
	}
	return nil
}

// numbered is the n-th name for a result: "payment-signed.psbt", then
// "payment-signed-2.psbt", … The number goes before the extension.
func numbered(name string, n int) string {
	if n == 1 {
		return name
	}
	stem, ext := splitName(name)
	if e := path.Ext(name); ext == ".psbt" && !strings.HasSuffix(name, ext) {
		stem, ext = strings.TrimSuffix(name, e), e
	}
	number := fmt.Sprintf("-%d", n)
	return shorten(stem, maxName-len(number)-len(ext)) + number + ext
}
