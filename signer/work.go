package signer

// work counts what costs time, so that a test can tell whether it grows faster
// than the file: timings never decide a test.
type work struct {
	hashed int // bytes, near enough
	points int // operations on the curve: keys derived or read, signatures checked
}

func (w *work) add(o work) { w.hashed, w.points = w.hashed+o.hashed, w.points+o.points }
