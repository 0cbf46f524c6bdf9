package results

import (
	"errors"
	"strings"
	"testing"

	"github.com/wellgate/wellgate/fhir"
	"github.com/wellgate/wellgate/trust/identity"
)

var (
	system   = identity.Who{Kind: identity.System}
	patient  = identity.Who{Kind: identity.Patient, Name: "Amal", Practitioner: ""}
	drNair   = identity.Who{Kind: identity.Staff, Role: identity.Clinician, Practitioner: "Practitioner/nair"}
	nurse    = identity.Who{Kind: identity.Staff, Role: identity.Nurse, Practitioner: "Practitioner/sam"}
	desk     = identity.Who{Kind: identity.Staff, Role: identity.FrontDesk, Practitioner: "Practitioner/mara"}
	hygiene  = identity.Who{Kind: identity.Staff, Role: identity.Hygienist, Practitioner: "Practitioner/hana"}
	forged   = identity.Who{Kind: identity.Patient, Role: identity.Clinician, Practitioner: "Practitioner/nair"}
	nobody   = identity.Who{}
	nameless = identity.Who{Kind: identity.Staff, Role: identity.Clinician}
	everyone = []identity.Who{system, patient, forged, drNair, nurse, desk, hygiene, nobody, nameless}
)

func TestGuardResult(t *testing.T) {
	of := func(status string) fhir.Resource { return lab(t, "x", `"status":"`+status+`"`).Resource }
	rep := aReport(t, "r", "").Resource
	var none fhir.Resource
	for _, c := range []struct {
		name     string
		who      identity.Who
		old, new fhir.Resource
		want     error
	}{
		{"a feed adds", system, none, of("final"), nil},
		{"a feed corrects", system, of("final"), of("corrected"), nil},
		{"a feed withdraws", system, of("final"), of("entered-in-error"), nil},
		{"not even a feed deletes", system, of("final"), none, errKept},
		{"a clinician adds", drNair, none, of("final"), nil},
		{"a hygienist adds", hygiene, none, of("final"), nil},
		{"a clinician completes", drNair, of("preliminary"), of("final"), nil},
		{"a clinician may not change a final one", drNair, of("final"), of("final"), errFinal},
		{"nor withdraw it", drNair, of("final"), of("entered-in-error"), errFinal},
		{"nor bring a withdrawn one back", drNair, of("entered-in-error"), of("final"), errFinal},
		{"nor change a corrected one", drNair, of("corrected"), of("corrected"), errFinal},
		{"a patient adds", patient, none, of("final"), errNotYours},
		{"a patient changes", patient, of("preliminary"), of("final"), errNotYours},
		{"a patient deletes", patient, of("preliminary"), none, errKept},
		{"a patient with a role", forged, none, of("final"), errNotYours},
		{"the front desk adds", desk, none, of("final"), errNotYours},
		{"nobody adds", nobody, none, of("final"), errNotYours},
		{"a patient adds a report", patient, none, rep, errNotYours},
		{"a clinician changes a final report", drNair, rep, rep, errFinal},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := Room().Guards["Observation"](c.who, c.old, c.new); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
			if err := Room().Guards["DiagnosticReport"](c.who, c.old, c.new); !errors.Is(err, c.want) {
				t.Errorf("as a report: got %v, want %v", err, c.want)
			}
		})
	}
}

func TestGuardComment(t *testing.T) {
	mk := func(status, by, about, text string) fhir.Resource {
		return doc(t, `{"resourceType":"ClinicalImpression","id":"c","status":"`+status+`","subject":{"reference":"Patient/p"},"assessor":{"reference":"`+by+`"},"summary":"`+text+`","finding":[{"itemReference":{"reference":"`+about+`"}}]}`).Resource
	}
	fine := mk("completed", "Practitioner/nair", "Observation/x", "Good.")
	gone := mk("entered-in-error", "Practitioner/nair", "Observation/x", "Good.")
	labelled := func(r fhir.Resource) fhir.Resource {
		r, err := r.With("meta", fhir.Meta{VersionID: r.ID() + "1", Security: []fhir.Coding{{Code: "R"}}})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	var none fhir.Resource
	for _, c := range []struct {
		name     string
		who      identity.Who
		old, new fhir.Resource
		want     error
	}{
		{"a clinician writes", drNair, none, fine, nil},
		{"a nurse writes", nurse, none, mk("completed", "Practitioner/sam", "DiagnosticReport/r", "Good."), nil},
		{"two thousand characters", drNair, none, mk("completed", "Practitioner/nair", "Observation/x", strings.Repeat("é", maxComment)), nil},
		{"one more", drNair, none, mk("completed", "Practitioner/nair", "Observation/x", strings.Repeat("é", maxComment+1)), errShape},
		{"no words", drNair, none, mk("completed", "Practitioner/nair", "Observation/x", "  "), errShape},
		{"not completed", drNair, none, mk("in-progress", "Practitioner/nair", "Observation/x", "Good."), errShape},
		{"in another's name", nurse, none, fine, errShape},
		{"by an account without a practitioner", nameless, none, mk("completed", "", "Observation/x", "Good."), errShape},
		{"about nothing", drNair, none, mk("completed", "Practitioner/nair", "Condition/x", "Good."), errShape},
		{"a hygienist writes", hygiene, none, mk("completed", "Practitioner/hana", "Observation/x", "Good."), errNoComment},
		{"the front desk writes", desk, none, mk("completed", "Practitioner/mara", "Observation/x", "Good."), errNoComment},
		{"a patient writes", patient, none, mk("completed", "", "Observation/x", "Good."), errNoComment},
		{"who wrote it withdraws it", drNair, fine, gone, nil},
		{"another withdraws it", nurse, fine, gone, errShape},
		{"another, in their own name", nurse, fine, mk("entered-in-error", "Practitioner/sam", "Observation/x", "Good."), errEdit},
		{"who wrote it edits it", drNair, fine, mk("completed", "Practitioner/nair", "Observation/x", "Bad."), errEdit},
		{"who wrote it edits while withdrawing", drNair, fine, mk("entered-in-error", "Practitioner/nair", "Observation/x", "Bad."), errEdit},
		{"who wrote it moves it", drNair, fine, mk("entered-in-error", "Practitioner/nair", "Observation/y", "Good."), errEdit},
		{"its label comes off", drNair, labelled(fine), gone, errEdit},
		{"its label stays", drNair, labelled(fine), labelled(gone), nil},
		{"it comes back", drNair, gone, fine, errEdit},
		{"a patient with a role writes", forged, none, fine, errNoComment},
		{"a patient withdraws it", patient, fine, gone, errNoComment},
		{"an import brings one", system, none, fine, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := Room().Guards["ClinicalImpression"](c.who, c.old, c.new); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
	for _, who := range everyone {
		if err := guardComment(who, fine, none); err == nil {
			t.Errorf("%+v deletes a comment", who)
		}
	}
}

// TestGuardNeverTells: a refusal goes to logs and pages; it must not carry what was written.
func TestGuardNeverTells(t *testing.T) {
	err := guardComment(desk, fhir.Resource{}, aComment(t, "c", "completed", "Observation/x", "canary-words").Resource)
	if err == nil || strings.Contains(err.Error(), "canary") {
		t.Errorf("got %v", err)
	}
}

func TestReads(t *testing.T) {
	for _, c := range []struct {
		text, lang string
		easy       bool
		longest    int
	}{
		{"Your sugar is a little high. Keep taking your pills. We will test again in May.", "en", true, 6},
		{"Keep walking every day, Amina. It is working.", "en", true, 5},
		{"The comprehensive metabolic evaluation demonstrates considerable abnormalities necessitating further investigation.", "en", false, 10},
		{strings.Repeat("word ", 20), "en", false, 20},
		{"Su azúcar está un poco alto. Siga con sus pastillas. Lo vemos en mayo.", "es", true, 6},
		{"La caracterización inmunofenotípica demuestra anormalidades hematológicas considerables.", "es", false, 7},
		{"سكرك مرتفع قليلًا. استمر على دوائك.", "ar", true, 3},
		{"", "en", true, 0},
		{"12.5 / 7.1", "en", true, 0},
	} {
		r := reads(c.text, c.lang)
		if r.Easy() != c.easy || r.Longest != c.longest {
			t.Errorf("%q: got %+v", c.text, r)
		}
	}
}

func TestTidyText(t *testing.T) {
	if got := tidyText(" a\r\nb\x00\u202ec\xff \n"); got != "a\nbc" {
		t.Errorf("got %q", got)
	}
}
