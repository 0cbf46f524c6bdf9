package chart_test

import (
	"context"
	"errors"
	"testing"

	"github.com/wellgate/wellgate/fhir"
	. "github.com/wellgate/wellgate/trust/chart"
)

// What names another person, several people or nobody known stands in nobody's record: it waits in intake, sealed.
func TestDeliverPutsNothingIntoAnotherPersonsRecord(t *testing.T) {
	for name, texts := range map[string][]string{
		"an id of another server": {
			`{"resourceType":"Observation","id":"x","status":"final","code":{"text":"c"},"subject":{"reference":"https://elsewhere.example/fhir/Patient/ana"}}`},
		"an id of another server, performed by a patient of ours": {
			`{"resourceType":"Observation","id":"x","status":"final","code":{"text":"c"},"subject":{"reference":"https://elsewhere.example/fhir/Patient/1"},"performer":[{"reference":"Patient/ana"}]}`},
		"an unknown patient, performed by one of ours": {
			`{"resourceType":"Observation","id":"x","status":"final","code":{"text":"c"},"subject":{"reference":"Patient/zoe"},"performer":[{"reference":"Patient/ana"}]}`},
		"a patient without a reference": {
			`{"resourceType":"Observation","id":"x","status":"final","code":{"text":"c"},"subject":{"display":"Zoe"},"performer":[{"reference":"Patient/ana"}]}`},
		"an unknown patient at a visit of ours": {
			`{"resourceType":"Observation","id":"x","status":"final","code":{"text":"c"},"subject":{"reference":"Patient/zoe"},"derivedFrom":[{"reference":"Observation/y"}]}`,
			`{"resourceType":"Observation","id":"y","status":"final","code":{"text":"c"},"subject":{"reference":"Patient/ana"}}`},
		"a group of two": {
			`{"resourceType":"Group","id":"x","type":"person","actual":true,"member":[{"entity":{"reference":"Patient/ana"}},{"entity":{"reference":"Patient/ben"}}]}`},
		"a group of strangers": {
			`{"resourceType":"Group","id":"x","type":"person","actual":true,"member":[{"entity":{"reference":"Patient/zoe"}}]}`},
		"an appointment of two": {
			`{"resourceType":"Appointment","id":"x","status":"booked","start":"2026-12-01T10:00:00Z","end":"2026-12-01T11:00:00Z","participant":[{"status":"accepted","actor":{"reference":"Patient/ana"}},{"status":"accepted","actor":{"reference":"Patient/ben","display":"Ben"}}]}`},
		"provenance of two people's results": {
			`{"resourceType":"Provenance","id":"x","recorded":"2026-11-01T00:00:00Z","target":[{"reference":"Observation/y"},{"reference":"Observation/z"}],"agent":[{"who":{"display":"Lab"}}]}`,
			`{"resourceType":"Observation","id":"y","status":"final","code":{"text":"c"},"subject":{"reference":"Patient/ana"}}`,
			`{"resourceType":"Observation","id":"z","status":"final","code":{"text":"c"},"subject":{"reference":"Patient/ben"}}`},
		"a file that two people's documents name": {
			`{"resourceType":"Binary","id":"x","contentType":"text/plain","data":"QQ=="}`,
			`{"resourceType":"DocumentReference","id":"y","status":"current","subject":{"reference":"Patient/ana"},"content":[{"attachment":{"url":"Binary/x"}}]}`,
			`{"resourceType":"DocumentReference","id":"z","status":"current","subject":{"reference":"Patient/ben"},"content":[{"attachment":{"url":"Binary/x"}}]}`},
	} {
		t.Run(name, func(t *testing.T) {
			o := newPlace(t).open(t)
			ana, ben := o.people(t)
			var rs []fhir.Resource
			for _, s := range texts {
				rs = append(rs, parse(t, s))
			}
			ctx := context.Background()
			d, err := o.Deliver(ctx, o.Begin(importer, "test"), Delivery{What: "test", Resources: rs, Intake: true})
			if err != nil || d.Created != len(rs) {
				t.Fatalf("%+v, %v", d, err)
			}
			for _, who := range []struct {
				name string
				c    func() (*Chart, *Act, error)
			}{
				{"ana", func() (*Chart, *Act, error) { return o.enter(ana, "portal", ana.Chart) }},
				{"ben", func() (*Chart, *Act, error) { return o.enter(ben, "portal", ben.Chart) }},
			} {
				c, _, err := who.c()
				must(t, err)
				if _, err := c.Get(ctx, rs[0].Type(), rs[0].ID()); !errors.Is(err, ErrNotFound) {
					t.Errorf("%s stands in the record of %s: %v", rs[0].Ref(), who.name, err)
				}
				if _, found := c.Resolve(ctx, rs[0].Ref()); found {
					t.Errorf("%s can be reached from the record of %s", rs[0].Ref(), who.name)
				}
			}
		})
	}
}

// Those who only take part do not move a resource away from whom it is about.
func TestDeliverFilesUnderWhomItIsAbout(t *testing.T) {
	o := newPlace(t).open(t)
	ana, _ := o.people(t)
	o.deliver(t, parse(t, `{"resourceType":"Observation","id":"x","status":"final","code":{"text":"c"},"subject":{"reference":"Patient/ana"},"performer":[{"reference":"Patient/ben"}]}`))
	c, _, err := o.enter(ana, "portal", ana.Chart)
	must(t, err)
	_, err = c.Get(context.Background(), "Observation", "x")
	must(t, err)
}

// Two systems may both call somebody Patient/1. The second must not take over the first one's record.
func TestDeliverRefusesAnotherPersonUnderAKnownID(t *testing.T) {
	o := newPlace(t).open(t)
	ana, _ := o.people(t)
	ctx := context.Background()
	_, err := o.Deliver(ctx, o.Begin(importer, "test"), Delivery{What: "test", Resources: []fhir.Resource{
		parse(t, `{"resourceType":"Patient","id":"ana","name":[{"family":"Other","given":["Olga"]}],"birthDate":"1950-01-01","identifier":[{"system":"urn:other","value":"7"}]}`),
		parse(t, lab("olgas-lab", "ana", "9.9")),
	}})
	if !errors.Is(err, ErrRefused) {
		t.Fatalf("another person took over the record: %v", err)
	}
	// A new name after a marriage, with number and birth date as before, is the same person.
	o.deliver(t, parse(t, `{"resourceType":"Patient","id":"ana","name":[{"family":"Anders"}],"birthDate":"1980-05-12","identifier":[{"system":"urn:mrn","value":"MR-0"}]}`))
	c, _, err := o.enter(ana, "portal", ana.Chart)
	must(t, err)
	if _, err := c.Get(ctx, "Observation", "olgas-lab"); !errors.Is(err, ErrNotFound) {
		t.Error("her result is there")
	}
}
