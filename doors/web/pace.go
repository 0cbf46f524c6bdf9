package web

import (
	"net/http"
	"time"
)

const (
	grace   = 10 * time.Second // that a connection may stand still
	minRate = 16 << 10         // bytes a second that whoever takes a long answer takes on the whole
)

// extend puts off the end of a connection's time for one more part of a long answer: 60 seconds are enough for a page, not
// for a whole record over a slow line. Who takes less than minRate is cut off.
func extend(w http.ResponseWriter, v *visit, n int) {
	if v != nil && v.d != nil {
		PaceOut(w, v.d.Clock(), n, minRate)
	}
}

// PaceOut gives whoever reads time for n more bytes at a rate. What cannot be told so, a test's recorder, is left alone.
func PaceOut(w http.ResponseWriter, now time.Time, n, rate int) {
	_ = http.NewResponseController(w).SetWriteDeadline(now.Add(grace + time.Duration(n)*time.Second/time.Duration(rate)))
}

// PaceIn gives whoever sends time for n more bytes at a rate.
func PaceIn(w http.ResponseWriter, now time.Time, n, rate int) {
	_ = http.NewResponseController(w).SetReadDeadline(now.Add(grace + time.Duration(n)*time.Second/time.Duration(rate)))
}
