package main

import (
	"strings"
	"testing"
)

// The browser fetches the offline page with the session's cookie and keeps it on the device, so it names nobody, holds no
// token and is the same signed in and out.
func TestOfflinePageHoldsNobody(t *testing.T) {
	w := newWorld(t)
	for _, who := range []string{"amina", "priya"} {
		a := w.as(who).get("/offline")
		if a.status != 200 || !strings.Contains(a.body, "You are offline") {
			t.Fatalf("%s GET /offline: %d", who, a.status)
		}
		for _, private := range []string{"Amina", "Priya", "csrf", "/signout", "data-expires"} {
			if strings.Contains(a.body, private) {
				t.Errorf("the page that stays on the device of %s holds %q", who, private)
			}
		}
	}
}
