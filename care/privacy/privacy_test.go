package privacy

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wellgate/wellgate/site"
	"github.com/wellgate/wellgate/trust/chart"
	"github.com/wellgate/wellgate/trust/identity"
)

func words(t *testing.T, lang string) site.Words {
	t.Helper()
	c, err := site.NewCatalogue(files)
	if err != nil {
		t.Fatal(err)
	}
	return c.Words(lang, time.UTC)
}

var (
	nair = chart.Look{Who: "Dr. Priya Nair", Kind: identity.Staff, Role: identity.Clinician, Action: "read", Purpose: chart.Treatment,
		Reason: "Appointment today", Types: map[string]int{"Observation": 12, "Patient": 1, "Condition": 1}, Outcome: "ok"}
	lab     = chart.Look{Who: "Lab", Kind: identity.ServiceKind, Action: "read", Purpose: chart.Treatment, Types: map[string]int{"Observation": 2}, Outcome: "ok"}
	self    = chart.Look{Who: "Amina", Kind: identity.Patient, Self: true, Action: "read", Outcome: "ok"}
	refused = chart.Look{Who: "Ben", Kind: identity.Patient, Action: "read", Outcome: "refused"}
)

func TestLinesReadLikeSentences(t *testing.T) {
	w := words(t, "en")
	for _, c := range []struct{ got, want string }{
		{who(w, nair), "Dr. Priya Nair, doctor or clinician"},
		{what(w, nair), "Saw: results and measurements (12) and conditions"},
		{why(w, nair), "For your care: Appointment today"},
		{who(w, lab), "Lab, a connected system"},
		{what(w, lab), "Saw: results and measurements (2)"},
		{why(w, lab), "Connected for your care"},
		{what(w, chart.Look{Kind: identity.ServiceKind, Action: "find", Outcome: "ok"}), "Found you by a number of yours"},
		{who(w, self), "You"},
		{why(w, self), ""},
		{what(w, refused), "Tried to open your record and was refused"},
		{what(w, chart.Look{Action: "account", What: "signin"}), "Signed in"},
		{what(w, chart.Look{Action: "account", What: "nonesuch"}), "Something changed in your account"},
		{what(w, chart.Look{Action: "read", Types: map[string]int{"NewThing": 2}, Outcome: "ok"}), "Saw: other things (2)"},
		{what(w, chart.Look{Action: "brandnew", Outcome: "ok"}), "Opened a page"},
		{who(w, chart.Look{}), "Somebody not signed in"},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}

// Whatever stands in the log, every language has words for it.
func TestEveryRoleAndActionHasWords(t *testing.T) {
	for _, lang := range []string{"en", "es", "ar"} {
		w := words(t, lang)
		for _, r := range []identity.Role{identity.Clinician, identity.Nurse, identity.Dentist, identity.Hygienist, identity.FrontDesk,
			identity.Billing, identity.PrivacyOfficer, identity.Administrator, identity.Auditor} {
			if !w.Has("privacy.role." + string(r)) {
				t.Errorf("%s: no words for role %s", lang, r)
			}
		}
		for _, a := range []string{"read", "write", "export", "find", "find.system", "open", "close"} {
			for _, key := range []string{"privacy.did." + a, "privacy.did." + a + ".bare"} {
				if !w.Has(key) {
					t.Errorf("%s: no %s", lang, key)
				}
			}
		}
		for _, e := range []identity.EventKind{identity.EventSignin, identity.EventSigninFailed, identity.EventSignout, identity.EventSessionEnded,
			identity.EventProved, identity.EventProveFailed, identity.EventFactorOff, identity.EventFactorAdded, identity.EventFactorRemoved,
			identity.EventFactorChanged, identity.EventRecoveryUsed, identity.EventNewDevice, identity.EventAccountCreated,
			identity.EventCloneSuspected, identity.EventAccountChanged, identity.EventAccountDisabled, identity.EventAccountEnabled,
			identity.EventEnrolIssued, identity.EventTokenMade, identity.EventTokenRevoked} {
			if !w.Has("privacy.account." + string(e)) {
				t.Errorf("%s: no words for event %s", lang, e)
			}
		}
		for _, p := range []chart.Purpose{chart.Treatment, chart.Payment, chart.Operations} {
			for _, key := range []string{"privacy.purpose." + string(p), "privacy.purpose.system." + string(p)} {
				if !w.Has(key) {
					t.Errorf("%s: no %s", lang, key)
				}
			}
		}
	}
}

func TestViewsAndVisitors(t *testing.T) {
	now := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	at := func(l chart.Look, days int) chart.Look { l.At = now.AddDate(0, 0, -days); return l }
	front := chart.Look{Who: "Marisol Vega", Kind: identity.Staff, Outcome: "refused"}
	got := visitors([]chart.Look{at(nair, 1), at(self, 1), at(nair, 2), at(front, 2), at(chart.Look{Who: "Old", Kind: identity.Staff, Outcome: "ok"}, 9)}, now.AddDate(0, 0, -7))
	if len(got) != 1 || got[0].name != "Dr. Priya Nair" {
		t.Errorf("visitors this week: %+v", got)
	}
	for _, c := range []struct {
		v     view
		l     chart.Look
		shows bool
	}{
		{practice, nair, true}, {practice, lab, true}, {mine, lab, false}, {practice, self, false}, {practice, refused, true}, {mine, self, true}, {mine, nair, false}, {all, self, true}, {all, nair, true},
	} {
		if c.v.shows(c.l) != c.shows {
			t.Errorf("view %s shows %s: %v", c.v, c.l.Who, !c.shows)
		}
	}
	if viewOf("'; DROP TABLE") != practice {
		t.Error("an unknown view is not the usual one")
	}
}

func TestFlattenNamesEveryElementOnce(t *testing.T) {
	got := flatten([]byte(`{"resourceType":"Observation","meta":{"versionId":"1"},"text":{"div":"<div>x</div>"},"status":"final","name":[{"given":["A","B"]}],"valueQuantity":{"value":5.60},"data":"` + strings.Repeat("x", 5000) + `"}`))
	got[len(got)-1][1] = got[len(got)-1][1][:3]
	want := [][2]string{{"status", "final"}, {"name 1 given 1", "A"}, {"name 1 given 2", "B"}, {"valueQuantity value", "5.60"}, {"data", "xxx"}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if got := flatten([]byte(`{"broken`)); got != nil {
		t.Errorf("broken JSON gave %v", got)
	}
}
