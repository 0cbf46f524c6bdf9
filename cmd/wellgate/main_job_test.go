package main

import (
	"net/url"
	"strings"
	"testing"
)

// The main job: a patient signs in and reads; a clinician opens the record with a reason, comments, and the patient sees
// both the comment and the visit.
func TestMainJob(t *testing.T) {
	w := newWorld(t)
	amina := w.as("amina")
	for path, want := range map[string]string{
		"/": "For you to do", "/results": "Test results", "/record": "Health record", "/medicines": "Metformin", "/looked": "Who looked",
	} {
		if a := amina.get(path); a.status != 200 || !strings.Contains(a.body, want) {
			t.Errorf("GET %s: %d, has %q: %v", path, a.status, want, strings.Contains(a.body, want))
		}
	}
	lab := w.first("amina", "Observation", "code=http://loinc.org|4548-4&_sort=-date")
	dr := w.as("priya")
	record := "/desk/" + w.users["amina"].public
	if a := dr.get(record + "/results/" + lab); a.status != 404 {
		t.Errorf("a record that was not opened answers %d", a.status)
	}
	if a := dr.post("/desk/find", url.Values{"family": {"rahman"}}); a.status != 422 {
		t.Errorf("one identifier finds: %d", a.status)
	}
	a := dr.post("/desk/find", url.Values{"given": {"amina"}, "number": {recordNo(w, "amina")}})
	if a.status != 200 || !strings.Contains(a.body, "Amina Rahman") {
		t.Errorf("two identifiers do not find: %d", a.status)
	}
	w.opens("priya", "amina", "TREAT")
	if a := dr.get(record + "/results/" + lab); a.status != 200 || !strings.Contains(a.body, "Amina Rahman") {
		t.Fatalf("the opened record answers %d", a.status)
	}
	const words = "This is better than last time. Keep going, Amina."
	if a := dr.post(record+"/results/"+lab+"/comments", url.Values{"text": {words}}); a.status != 303 {
		t.Fatalf("the comment: %d\n%s", a.status, a.body)
	}
	if a := amina.get("/results/" + lab); !strings.Contains(a.body, words) || !strings.Contains(a.body, "Nair") {
		t.Error("the patient does not see the comment")
	}
	looked := amina.get("/looked").body
	for _, want := range []string{"Nair", "doctor or clinician", "Appointment today", "Opened your record", "comments on results"} {
		if !strings.Contains(looked, want) {
			t.Errorf("who looked does not say %q", want)
		}
	}
	if a := w.as("miguel").get("/results/" + lab); a.status != 404 || strings.Contains(a.body, "Amina") {
		t.Errorf("another patient's result answers %d", a.status)
	}
}

func recordNo(w *world, name string) string {
	p, err := demoPatient(w, name)
	w.must(err)
	return p
}
