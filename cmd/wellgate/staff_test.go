package main

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/wellgate/wellgate/trust/identity"
)

// SES-09: whoever is shut out, or given another role, is out at the very next request, with the page still open.
func TestStaffShutOutAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := context.Background()
	nurse := w.users[string(identity.Nurse)]
	b := w.as(nurse.name)
	if a := b.get("/desk"); a.status != 200 {
		t.Fatalf("before: %d", a.status)
	}
	if _, err := w.h.actOnStaff(ctx, staffAct{Login: nurse.login, Act: "role", Role: "billing"}); err != nil {
		t.Fatal(err)
	}
	if a := b.get("/desk"); a.status != 303 || !strings.HasPrefix(a.header.Get("Location"), "/signin") {
		t.Errorf("after another role: %d", a.status)
	}
	w.pass(time.Minute)
	b = w.browser()
	b.signin(nurse)
	if a := b.get("/desk"); a.status != 200 {
		t.Fatalf("signed in again: %d", a.status)
	}
	if _, err := w.h.actOnStaff(ctx, staffAct{Login: strings.ToUpper(nurse.login), Act: "disable"}); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/desk", "/desk/find", "/security"} {
		if a := b.get(path); a.status != 303 {
			t.Errorf("%s after the account was shut: %d", path, a.status)
		}
	}
	if _, err := w.h.actOnStaff(ctx, staffAct{Login: w.users["amina"].login, Act: "disable"}); err == nil {
		t.Error("a staff command shut a patient's account")
	}
	if a := w.as("amina").get("/"); a.status != 200 {
		t.Errorf("the patient: %d", a.status)
	}
	list, err := w.h.listStaff(ctx)
	if err != nil {
		t.Fatal(err)
	}
	unused := func() (open, unused int) {
		list, err := w.h.listStaff(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range list {
			if l.State != "shut" {
				open++
			}
			if l.Unused {
				unused++
			}
			if l.State == "shut" && (l.Unused || l.Live > 0 || l.Login != nurse.login) {
				t.Errorf("shut: %+v", l)
			}
		}
		return open, unused
	}
	if open, old := unused(); open != len(list)-1 || old != 0 {
		t.Errorf("today: %d open, %d unused", open, old)
	}
	w.pass(leaverAfter)
	if open, old := unused(); old != open {
		t.Errorf("sixty days later: %d open, %d unused", open, old)
	}
}
