package signin

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/netip"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/wellgate/wellgate/trust/identity"
)

var workField = regexp.MustCompile(`name="work" value="([^"]*)"`)

// While passwords are being guessed, script gets a puzzle before the form goes, and a page without script says to wait and
// keeps what it was given for the next try (AUT-15).
func TestWork(t *testing.T) {
	h := newHouse(t)
	if a := h.script("/signin/work", `{"login":"amina@example.org"}`); a.status != 200 || a.body != "{}\n" {
		t.Fatalf("in peace: %d %s", a.status, a.body)
	}
	for i := range 201 {
		from := identity.From{IP: netip.AddrFrom4([4]byte{11, byte(i), 1, 1})}
		h.id.Signin.Password(t.Context(), fmt.Sprintf("stuffed%d@example.org", i), "not a password", false, from)
	}
	a := h.script("/signin/work", `{"login":"`+h.patient.Login+`"}`)
	var puzzle struct {
		Seal string
		Bits int
	}
	if err := json.Unmarshal([]byte(a.body), &puzzle); err != nil || puzzle.Bits < 16 {
		t.Fatalf("under attack: %d %s", a.status, a.body)
	}
	work := ""
	for n := 0; work == ""; n++ {
		s := puzzle.Seal + "." + strconv.Itoa(n)
		if sum := sha256.Sum256([]byte(s)); sum[0] == 0 && sum[1] == 0 && sum[2]>>(24-puzzle.Bits) == 0 {
			work = s
		}
	}
	if a := h.post("/signin/password", "login", h.patient.Login, "password", pass, "work", work); a.status != 303 {
		t.Errorf("solved: %d", a.status)
	}

	a = h.post("/signin/password", "login", h.patient.Login, "password", pass)
	if a.status != 429 || a.header.Get("Retry-After") != "30" {
		t.Fatalf("without script: %d, Retry-After %q", a.status, a.header.Get("Retry-After"))
	}
	a.says(t, "Wait 1 minute")
	kept := workField.FindStringSubmatch(a.body)
	if kept == nil || kept[1] == "" {
		t.Fatal("the page keeps nothing for the next try")
	}
	if a := h.post("/signin/password", "login", h.patient.Login, "password", pass, "work", kept[1]); a.status != 429 {
		t.Errorf("before the wait was over: %d", a.status)
	}
	h.pass(30 * time.Second)
	if a := h.post("/signin/password", "login", h.patient.Login, "password", pass, "work", kept[1]); a.status != 303 {
		t.Errorf("after the wait: %d", a.status)
	}
}
