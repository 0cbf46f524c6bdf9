package appointments

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/wellgate/wellgate/fhir"
)

var today = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

func as[T any](t *testing.T, js ...string) []T {
	t.Helper()
	var out []T
	for _, j := range js {
		r, err := fhir.Parse([]byte(j))
		if err != nil {
			t.Fatalf("%v in %s", err, j)
		}
		out = append(out, fhir.Into[T](r))
	}
	return out
}

func noNames(r fhir.Reference) string { return r.Display }

func TestOf(t *testing.T) {
	const people = `"participant":[{"actor":{"reference":"Patient/me","display":"Amina"},"status":%q},{"actor":{"reference":"Practitioner/1","display":"Dr Nair"},"status":"accepted"},{"actor":{"reference":"Practitioner/2","display":"Dr No"},"status":"declined"},{"actor":{"reference":"Location/1","display":"Room 3"},"status":"accepted"}]`
	for _, c := range []struct {
		name, in string
		want     Appointment
	}{
		{"booked", `"status":"booked","start":"2026-12-01T09:00:00Z","serviceType":[{"text":"Check-up"}],` + fmt.Sprintf(people, "accepted"),
			Appointment{ID: "a", Status: Booked, Way: InPerson, Start: "2026-12-01T09:00:00Z", What: "Check-up", With: []string{"Dr Nair"}, Where: "Room 3"}},
		{"booked, waiting for the patient's yes", `"status":"booked",` + fmt.Sprintf(people, "needs-action"),
			Appointment{ID: "a", Status: Booked, Way: InPerson, With: []string{"Dr Nair"}, Where: "Room 3", Confirm: true}},
		{"proposed by the practice", `"status":"proposed",` + fmt.Sprintf(people, "needs-action"),
			Appointment{ID: "a", Status: Offered, Way: InPerson, With: []string{"Dr Nair"}, Where: "Room 3"}},
		{"asked for by the patient", `"status":"proposed","requestedPeriod":[{"start":"2026-12"}]`,
			Appointment{ID: "a", Status: Asked, Way: InPerson, Start: "2026-12"}},
		{"cancelled, with why", `"status":"cancelled","cancelationReason":{"coding":[{"code":"prov","display":"The doctor is ill"}]}`,
			Appointment{ID: "a", Status: Cancelled, Way: InPerson, Why: "The doctor is ill"}},
		{"by phone", `"status":"booked","minutesDuration":20,"serviceType":[{"text":"Telephone call"}]`,
			Appointment{ID: "a", Status: Booked, Way: ByPhone, What: "Telephone call", Minutes: 20}},
		{"by video", `"status":"booked","appointmentType":{"text":"Video visit"}`, Appointment{ID: "a", Status: Booked, Way: ByVideo, What: "Video visit"}},
		{"missed", `"status":"noshow"`, Appointment{ID: "a", Status: Missed, Way: InPerson}},
		{"a status of tomorrow", `"status":"teleported"`, Appointment{ID: "a", Status: Unclear, Way: InPerson}},
	} {
		got, ok := Of(as[fhir.Appointment](t, `{"resourceType":"Appointment","id":"a",`+c.in+`}`)[0], noNames)
		if !ok {
			t.Errorf("%s: not there", c.name)
		}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s:\n%s", c.name, d)
		}
	}
	if _, ok := Of(as[fhir.Appointment](t, `{"resourceType":"Appointment","id":"a","status":"entered-in-error"}`)[0], noNames); ok {
		t.Error("an appointment entered in error is shown")
	}
}

// TestNext: what the big block on the home page may show.
func TestNext(t *testing.T) {
	at := func(id string, s Status, start string) Appointment {
		return Appointment{ID: id, Status: s, Start: fhir.DateTime(start), Minutes: 20}
	}
	for _, c := range []struct {
		name string
		in   []Appointment
		want string
	}{
		{"nothing", nil, ""},
		{"the soonest", []Appointment{at("far", Booked, "2027-01-01T09:00:00Z"), at("near", Booked, "2026-11-24T09:00:00Z")}, "near"},
		{"not a cancelled one", []Appointment{at("off", Cancelled, "2026-11-24T09:00:00Z"), at("on", Booked, "2026-12-24T09:00:00Z")}, "on"},
		{"not one that is only asked for", []Appointment{at("asked", Asked, "2026-11-24T09:00:00Z")}, ""},
		{"not one that was", []Appointment{at("was", Booked, "2026-11-22T09:00:00Z")}, ""},
		{"one that is going on", []Appointment{at("now", Booked, "2026-11-23T08:50:00Z")}, "now"},
		{"one that has just ended is over", []Appointment{at("over", Booked, "2026-11-23T08:40:00Z")}, ""},
		{"one without a time never", []Appointment{at("no", Booked, "")}, ""},
	} {
		ahead, past := Split(c.in, today)
		if len(ahead)+len(past) != len(c.in) {
			t.Errorf("%s: appointments got lost", c.name)
		}
		for _, a := range ahead {
			if a.Status == Cancelled {
				t.Errorf("%s: a cancelled appointment is announced", c.name)
			}
		}
		if got, _ := Next(ahead); got.ID != c.want {
			t.Errorf("%s: %q, want %q", c.name, got.ID, c.want)
		}
	}
}

// TestSplitKeepsAll: every appointment is in one list, and both are in order.
func TestSplitKeepsAll(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := rapid.SliceOf(rapid.Custom(func(t *rapid.T) Appointment {
			a := Appointment{Status: rapid.SampledFrom([]Status{Booked, Asked, Offered, Here, Done, Cancelled, Missed, Unclear}).Draw(t, "status")}
			if rapid.Bool().Draw(t, "timed") {
				a.Start = fhir.Instant(today.Add(time.Duration(rapid.IntRange(-9999, 9999).Draw(t, "minutes")) * time.Minute))
			}
			return a
		})).Draw(t, "all")
		ahead, past := Split(all, today)
		if len(ahead)+len(past) != len(all) {
			t.Fatal("one is lost")
		}
		for i := 1; i < len(ahead); i++ {
			if ahead[i].Start != "" && ahead[i].Start.Before(ahead[i-1].Start) {
				t.Fatal("to come: not soonest first")
			}
		}
		for i := 1; i < len(past); i++ {
			if past[i].Start.After(past[i-1].Start) {
				t.Fatal("the rest: not newest first")
			}
		}
	})
}

func TestToDos(t *testing.T) {
	task := func(status, rest string) string {
		return fmt.Sprintf(`{"resourceType":"Task","id":"t","status":%q,"intent":"order"%s}`, status, rest)
	}
	mine := `,"for":{"reference":"Patient/me"},"code":{"text":"Fill in a form"}`
	got := ToDos(as[fhir.Task](t,
		task("requested", mine),
		task("ready", mine+`,"owner":{"reference":"Patient/me"},"restriction":{"period":{"end":"2026-12-01"}}`),
		task("in-progress", `,"for":{"reference":"Patient/me"},"description":"Bring your card","focus":{"reference":"Appointment/x"}`),
		task("completed", mine),
		task("requested", mine+`,"owner":{"reference":"Practitioner/1"}`),
		task("requested", mine+`,"performerType":[{"text":"Pharmacist"}]`),
		task("requested", `,"code":{"text":"Nobody's"}`)))
	want := []ToDo{{What: "Fill in a form", Due: "2026-12-01"}, {What: "Fill in a form"}, {What: "Bring your card", Appointment: "x"}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestCalendar(t *testing.T) {
	got := Calendar(CalendarEvent{UID: "abc-1@wellgate", Stamp: today, Start: today.AddDate(0, 0, 1), Minutes: 20,
		Summary:     "Appointment at Willow; Oak, & Söhne – a practice whose name is longer than one line of a calendar file may be",
		Description: "To change or cancel, call (608) 555-0100.\nBEGIN:VEVENT\x00"})
	want, err := os.ReadFile("testdata/appointment.ics")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(strings.ReplaceAll(string(want), "\r\n", "\n"), strings.ReplaceAll(string(got), "\r\n", "\n")); d != "" {
		t.Errorf("testdata/appointment.ics:\n%s", d)
	}
	for line := range strings.SplitSeq(strings.TrimSuffix(string(got), "\r\n"), "\r\n") {
		if len(line) > 75 || strings.ContainsAny(line, "\r\n\x00") {
			t.Errorf("line of %d octets: %q", len(line), line)
		}
	}
}

// TestCalendarFolds: whatever the texts, lines are short, characters whole, and unfolding gives the text back.
func TestCalendarFolds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.String().Draw(t, "summary")
		out := string(Calendar(CalendarEvent{UID: "u", Stamp: today, Start: today, Summary: s}))
		for line := range strings.SplitSeq(strings.TrimSuffix(out, "\r\n"), "\r\n") {
			if len(line) > 75 {
				t.Fatalf("%d octets", len(line))
			}
		}
		if !strings.Contains(strings.ReplaceAll(out, "\r\n ", ""), "\r\nSUMMARY:"+escape(s)+"\r\n") {
			t.Fatalf("%q does not unfold to the summary %q", out, s)
		}
	})
}
