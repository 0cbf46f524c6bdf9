package policy_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/wellgate/wellgate/trust/identity"
	. "github.com/wellgate/wellgate/trust/policy"
)

func set(t *testing.T, rooms map[string]string) *Set {
	t.Helper()
	s, err := New(rooms)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

var (
	amina = identity.Who{Account: "a1", Kind: identity.Patient, Chart: 7}
	nair  = identity.Who{Account: "s1", Kind: identity.Staff, Role: identity.Clinician}
	nurse = identity.Who{Account: "s5", Kind: identity.Staff, Role: identity.Nurse}
	front = identity.Who{Account: "s2", Kind: identity.Staff, Role: identity.FrontDesk}
	admin = identity.Who{Account: "s3", Kind: identity.Staff, Role: identity.Administrator}
)

func TestItems(t *testing.T) {
	s := set(t, nil)
	lab := Item{Chart: 7, Kind: "patient", Type: "Observation"}
	secret := Item{Chart: 7, Kind: "patient", Type: "Observation", Labels: []string{"HIV"}}
	sealed := Item{Chart: 7, Kind: "patient", Type: "Observation", Labels: []string{"V"}}
	secretVisit := Item{Chart: 7, Kind: "patient", Type: "Appointment", Labels: []string{"PSY"}}
	opened := Context{Opened: true, Purpose: "TREAT"}
	for _, c := range []struct {
		name  string
		who   identity.Who
		a     Action
		it    Item
		ctx   Context
		allow bool
	}{
		{"own record", amina, Read, lab, Context{}, true},
		{"own sensitive record", amina, Read, secret, Context{}, true},
		{"another's record", amina, Read, Item{Chart: 8, Kind: "patient", Type: "Observation"}, Context{}, false},
		{"a patient without a record, and no record", identity.Who{Kind: identity.Patient}, Read, Item{Kind: "patient", Type: "Observation"}, Context{}, false},
		{"patient writes a result", amina, Write, lab, Context{Proved: true}, false},
		{"patient exports without proof", amina, Export, lab, Context{}, false},
		{"patient exports with proof", amina, Export, lab, Context{Proved: true}, true},
		{"clinician without a reason", nair, Read, lab, Context{}, false},
		{"clinician with a reason", nair, Read, lab, opened, true},
		{"clinician reads restricted", nair, Read, secret, opened, true},
		{"nurse reads very restricted", nurse, Read, sealed, opened, false},
		{"clinician reads very restricted", nair, Read, sealed, opened, true},
		{"front desk reads a result", front, Read, lab, opened, false},
		{"front desk reads an appointment", front, Read, Item{Chart: 7, Kind: "patient", Type: "Appointment"}, opened, true},
		{"front desk reads a psychiatric appointment", front, Read, secretVisit, opened, false},
		{"administrator reads a result", admin, Read, lab, opened, false},
		{"clinician exports", nair, Export, lab, Context{Opened: true, Proved: true}, false},
		{"front desk sees who looked", front, Looked, Item{Chart: 7, Kind: "patient"}, opened, false},
		{"nobody in particular reads", identity.Who{}, Read, lab, opened, false},
		{"front desk opens for treatment", front, Open, Item{Chart: 7, Kind: "patient"}, Context{Purpose: "TREAT"}, true},
		{"front desk opens for no reason we know", front, Open, Item{Chart: 7, Kind: "patient"}, Context{Purpose: "X"}, false},
		{"patient opens", amina, Open, Item{Chart: 7, Kind: "patient"}, Context{Purpose: "TREAT"}, false},
		{"administrator finds patients", admin, Find, Item{Kind: "patient"}, Context{}, false},
		{"unknown action", nair, "purge", lab, opened, false},
	} {
		if err := s.Item(c.who, c.a, c.it, c.ctx); (err == nil) != c.allow {
			t.Errorf("%s: %v, want allowed=%v", c.name, err, c.allow)
		}
	}
}

func TestPages(t *testing.T) {
	s := set(t, nil)
	for _, c := range []struct {
		name  string
		who   identity.Who
		p     Page
		ctx   Context
		allow bool
	}{
		{"own portal", amina, Page{Frame: "portal", Chart: 7}, Context{}, true},
		{"portal over another's record", amina, Page{Frame: "portal", Chart: 8}, Context{}, false},
		{"patient at the desk", amina, Page{Frame: "desk", Chart: 0}, Context{}, false},
		{"patient at the desk, own record", amina, Page{Frame: "desk", Chart: 7}, Context{Opened: true}, false},
		{"staff in the portal", nair, Page{Frame: "portal", Chart: 0}, Context{}, false},
		{"staff at the desk", nair, Page{Frame: "desk"}, Context{}, true},
		{"staff in a record not opened", nair, Page{Frame: "desk", Chart: 7}, Context{}, false},
		{"staff in an opened record", nair, Page{Frame: "desk", Chart: 7}, Context{Opened: true}, true},
		{"anonymous", identity.Who{}, Page{Frame: "portal"}, Context{}, false},
	} {
		if err := s.Page(c.who, c.p, c.ctx); (err == nil) != c.allow {
			t.Errorf("%s: %v, want allowed=%v", c.name, err, c.allow)
		}
	}
}

// Cedar skips a forbid that fails to evaluate and answers allow; the wrapper must deny.
func TestBrokenRuleDenies(t *testing.T) {
	s := set(t, map[string]string{"x": `@id("x.broken") forbid (principal, action, resource) when { resource.nonesuch == 1 };`})
	err := s.Item(amina, Read, Item{Chart: 7, Kind: "patient", Type: "Observation"}, Context{})
	if !errors.Is(err, ErrDenied) || !strings.Contains(err.Error(), "x.broken") {
		t.Fatalf("a rule that cannot be evaluated must deny and be named, got %v", err)
	}
}

func TestRefusesUnnamedRules(t *testing.T) {
	for name, text := range map[string]string{
		"no id":      `permit (principal, action, resource);`,
		"foreign id": `@id("base.mine") permit (principal, action, resource);`,
		"twice":      `@id("x.a") permit (principal, action, resource); @id("x.a") permit (principal, action, resource);`,
		"no cedar":   `allow everybody`,
	} {
		if _, err := New(map[string]string{"x": text}); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// A label that nobody here knows restricts like one that we know: the list of what is sensitive is never finished.
func TestAnyLabelRestricts(t *testing.T) {
	s := set(t, nil)
	hygienist := identity.Who{Account: "s7", Kind: identity.Staff, Role: identity.Hygienist}
	open := Context{Opened: true, Purpose: "TREAT"}
	for _, label := range []string{"R", "HIV", "SUD", "made-up"} {
		it := Item{Chart: 7, Kind: "patient", Type: "Patient", Labels: []string{label}}
		for _, who := range []identity.Who{hygienist, front} {
			if s.Item(who, Read, it, open) == nil {
				t.Errorf("%s reads what is labelled %s", who.Role, label)
			}
		}
		for _, who := range []identity.Who{nurse, amina} {
			if err := s.Item(who, Read, it, open); err != nil {
				t.Errorf("%s %s cannot read what is labelled %s: %v", who.Kind, who.Role, label, err)
			}
		}
	}
	if err := s.Item(hygienist, Read, Item{Chart: 7, Kind: "patient", Type: "Patient"}, open); err != nil {
		t.Errorf("a hygienist cannot read what has no label: %v", err)
	}
}
