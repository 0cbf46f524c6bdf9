package web

import (
	"net/http"
	"testing"
)

// Only what a person does keeps a session alive (SES-05).
func TestBackground(t *testing.T) {
	for _, c := range []struct {
		header map[string]string
		want   bool
	}{
		{nil, false},
		{map[string]string{"Sec-Fetch-Mode": "navigate"}, false},
		{map[string]string{"Sec-Fetch-Mode": "cors"}, true},
		{map[string]string{"Sec-Fetch-Mode": "same-origin"}, true},
		{map[string]string{"Sec-Fetch-Mode": "no-cors"}, true}, // a picture in a page
		{map[string]string{"Sec-Fetch-Mode": "websocket"}, true},
		{map[string]string{"Sec-Fetch-Mode": "navigate", "Sec-Purpose": "prefetch;prerender"}, true},
		{map[string]string{"X-Poll": "1"}, true},
	} {
		r := &http.Request{Header: http.Header{}}
		for k, v := range c.header {
			r.Header.Set(k, v)
		}
		if got := background(r); got != c.want {
			t.Errorf("%v: background %v, want %v", c.header, got, c.want)
		}
	}
}
