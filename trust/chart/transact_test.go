package chart_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/wellgate/wellgate/fhir"
	. "github.com/wellgate/wellgate/trust/chart"
	"github.com/wellgate/wellgate/trust/identity"
	"github.com/wellgate/wellgate/trust/journal"
	"github.com/wellgate/wellgate/trust/policy"
)

// visit is a bundle as a practice's system sends it: a new patient, a result, and people and places that others bring too.
func visit(n int, extra ...string) string {
	entries := append([]string{
		fmt.Sprintf(`{"fullUrl":"urn:uuid:p-%[1]d","resource":{"resourceType":"Patient","id":"given-%[1]d","name":[{"family":"Okafor%[1]d","given":["Ada"]}],"birthDate":"1980-01-0%[2]d","identifier":[{"system":"urn:mrn","value":"V-%[1]d"}]},"request":{"method":"POST","url":"Patient"}}`, n, n%9+1),
		`{"fullUrl":"urn:uuid:doc","resource":{"resourceType":"Practitioner","identifier":[{"system":"urn:npi","value":"77"}],"name":[{"family":"Shared"}]},"request":{"method":"POST","url":"Practitioner"}}`,
		fmt.Sprintf(`{"fullUrl":"urn:uuid:o-%[1]d","resource":{"resourceType":"Observation","status":"final","code":{"text":"Glucose"},"subject":{"reference":"urn:uuid:p-%[1]d"},"performer":[{"reference":"urn:uuid:doc"}],"valueString":"%[1]d"},"request":{"method":"POST","url":"Observation"}}`, n),
	}, extra...)
	return `{"resourceType":"Bundle","type":"transaction","entry":[` + strings.Join(entries, ",") + `]}`
}

func request(method, url, resource, more string) string {
	if resource != "" {
		resource = `"resource":` + resource + `,`
	}
	return fmt.Sprintf(`{%s"request":{"method":"%s","url":"%s"%s}}`, resource, method, url, more)
}

func bundle(entries ...string) string {
	return `{"resourceType":"Bundle","type":"transaction","entry":[` + strings.Join(entries, ",") + `]}`
}

func (o *opened) transact(text string) ([]Done, error) {
	return o.transactAs(importer, text)
}

func (o *opened) transactAs(who identity.Who, text string) ([]Done, error) {
	_, entries, err := fhir.ReadBundle(strings.NewReader(text))
	if err != nil {
		return nil, err
	}
	return o.Transact(context.Background(), o.Begin(who, "test"), Transaction{What: "test", Entries: entries})
}

func (o *opened) mustTransact(t *testing.T, text string) []Done {
	t.Helper()
	done, err := o.transact(text)
	must(t, err)
	return done
}

func (o *opened) patients(t *testing.T) int {
	t.Helper()
	nums, err := o.journal.Charts(context.Background(), journal.Patient)
	must(t, err)
	return len(nums)
}

func TestTransactionAssignsIdsAndLinks(t *testing.T) {
	o := newPlace(t).open(t)
	ctx := context.Background()
	first, second := o.mustTransact(t, visit(1)), o.mustTransact(t, visit(2))
	if first[0].Status != 201 || first[2].Status != 201 || first[0].Version != 1 || first[0].Modified.IsZero() || first[0].ID == "given-1" {
		t.Fatalf("%+v", first)
	}
	if second[1].Status != 200 || second[1].ID != first[1].ID {
		t.Errorf("a practitioner whom the directory has became another: %+v, %+v", first[1], second[1])
	}
	num, ok, err := o.PatientChart(ctx, first[0].ID)
	if err != nil || !ok {
		t.Fatal(err)
	}
	c := o.System(o.Begin(importer, "t"), num)
	e, err := c.Get(ctx, "Observation", first[2].ID)
	must(t, err)
	for _, want := range []string{`"reference":"Patient/` + first[0].ID + `"`, `"reference":"Practitioner/` + first[1].ID + `"`} {
		if !strings.Contains(string(e.Raw()), want) {
			t.Errorf("%s lacks %s", e.Raw(), want)
		}
	}
	if refs, err := o.Matching(ctx, o.Begin(importer, "t"), "Patient", "identifier=urn:mrn|V-2"); err != nil || len(refs) != 1 {
		t.Error(refs, err)
	}
}

func TestTransactionIsAllOrNothing(t *testing.T) {
	o := newPlace(t).open(t)
	for name, bad := range map[string]string{
		"invalid":    request("POST", "Observation", `{"resourceType":"Observation","status":"nonsense","code":{"text":"x"},"subject":{"reference":"urn:uuid:p-1"}}`, ""),
		"nobody":     request("POST", "Observation", `{"resourceType":"Observation","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/stranger"}}`, ""),
		"no match":   request("POST", "Observation", `{"resourceType":"Observation","status":"final","code":{"text":"x"},"subject":{"reference":"urn:uuid:p-1"},"performer":[{"reference":"Practitioner?identifier=urn:npi|none"}]}`, ""),
		"ifMatch":    request("PUT", "Observation/new", `{"resourceType":"Observation","id":"new","status":"final","code":{"text":"x"},"subject":{"reference":"urn:uuid:p-1"}}`, `,"ifMatch":"W/\"3\""`),
		"patch":      request("PATCH", "Observation/new", `{"resourceType":"Binary","contentType":"application/json"}`, ""),
		"twice":      request("PUT", "Observation/x", `{"resourceType":"Observation","id":"x","status":"final","code":{"text":"x"},"subject":{"reference":"urn:uuid:p-1"}}`, "") + `,` + request("PUT", "Observation?_id=x", `{"resourceType":"Observation","id":"x","status":"final","code":{"text":"y"},"subject":{"reference":"urn:uuid:p-1"}}`, ""),
		"not served": request("DELETE", "Observation?code=x", "", ""),
	} {
		if done, err := o.transact(visit(1, bad)); err == nil || done != nil {
			t.Errorf("%s: %+v, %v", name, done, err)
		}
		if n := o.patients(t); n != 0 {
			t.Fatalf("%s left %d patients behind", name, n)
		}
		if refs, _ := o.Matching(context.Background(), o.Begin(importer, "t"), "Practitioner", "identifier=urn:npi|77"); len(refs) != 0 {
			t.Fatalf("%s left a practitioner behind", name)
		}
	}
}

func TestTransactionAsksPolicyAndGuards(t *testing.T) {
	p := newPlace(t)
	refused := errors.New("guard")
	p.guard = map[string]Guard{"Observation": func(who identity.Who, old, new fhir.Resource) error {
		if new.IsZero() {
			return refused
		}
		return nil
	}}
	o := p.open(t)
	done := o.mustTransact(t, visit(1))
	if _, err := o.transactAs(identity.Who{Account: "x", Kind: identity.Staff, Role: identity.FrontDesk}, visit(2)); !errors.Is(err, policy.ErrDenied) {
		t.Error("policy was not asked:", err)
	}
	if _, err := o.transact(bundle(request("DELETE", "Observation/"+done[2].ID, "", ""))); !errors.Is(err, ErrRefused) {
		t.Error("the guard was not asked:", err)
	}
}

func TestTransactionConditions(t *testing.T) {
	o := newPlace(t).open(t)
	patient := `{"resourceType":"Patient","name":[{"family":"Once"}],"identifier":[{"system":"urn:mrn","value":"C-1"}]}`
	create := bundle(`{"fullUrl":"urn:uuid:p","resource":`+patient+`,"request":{"method":"POST","url":"Patient","ifNoneExist":"identifier=urn:mrn|C-1"}}`,
		request("POST", "Condition", `{"resourceType":"Condition","subject":{"reference":"urn:uuid:p"},"identifier":[{"system":"urn:c","value":"1"}],"code":{"text":"x"}}`, `,"ifNoneExist":"identifier=urn:c|1"`))
	a, b := o.mustTransact(t, create), o.mustTransact(t, create)
	if a[0].Status != 201 || b[0].Status != 200 || a[0].ID != b[0].ID || a[1].ID != b[1].ID || b[1].Status != 200 || o.patients(t) != 1 {
		t.Fatalf("%+v\n%+v", a, b)
	}
	obs := func(value string) string {
		return `{"resourceType":"Observation","id":"own","status":"final","code":{"text":"x"},"subject":{"reference":"Patient?identifier=urn:mrn|C-1"},"valueString":"` + value + `"}`
	}
	if d := o.mustTransact(t, bundle(request("PUT", "Observation/own", obs("1"), "")))[0]; d.Status != 201 || d.ID != "own" {
		t.Errorf("%+v", d)
	}
	if d := o.mustTransact(t, bundle(request("PUT", "Observation/own", obs("2"), `,"ifMatch":"W/\"1\""`)))[0]; d.Status != 200 || d.Version != 2 {
		t.Errorf("%+v", d)
	}
	if d := o.mustTransact(t, bundle(request("PUT", "Observation/own", obs("2"), "")))[0]; d.Status != 200 || d.Version != 2 {
		t.Errorf("what did not change made a version: %+v", d)
	}
	if _, err := o.transact(bundle(request("PUT", "Observation/own", obs("3"), `,"ifMatch":"W/\"1\""`))); !errors.Is(err, ErrVersion) {
		t.Error(err)
	}
	if d := o.mustTransact(t, bundle(request("DELETE", "Observation/own", "", ""), request("DELETE", "Observation/never", "", ""))); d[0].Status != 204 || d[1].Status != 204 {
		t.Errorf("%+v", d)
	}
	num, _, err := o.PatientChart(context.Background(), a[0].ID)
	must(t, err)
	defer func() { // what was deleted comes back as its next version: 1 and 2 were written, 3 is the deletion
		back := o.mustTransact(t, bundle(request("PUT", "Observation/own", obs("4"), "")))[0]
		if back.Status != 201 || back.Version != 4 {
			t.Errorf("back again: %+v", back)
		}
		ours := bundle(request("DELETE", "Condition/"+a[1].ID, "", ""))
		o.mustTransact(t, ours)
		again := o.mustTransact(t, bundle(request("PUT", "Condition/"+a[1].ID, `{"resourceType":"Condition","id":"`+a[1].ID+`","subject":{"reference":"Patient/`+a[0].ID+`"},"code":{"text":"again"}}`, "")))[0]
		if again.Version != 3 {
			t.Errorf("ours again: %+v", again)
		}
	}()
	if _, err := o.System(o.Begin(importer, "t"), num).Get(context.Background(), "Observation", "own"); !errors.Is(err, ErrNotFound) {
		t.Error("deleted and still there:", err)
	}
}

// An id that looks like one of ours leads nobody into the directory or into somebody else's record.
func TestTransactionIdsCannotBeForged(t *testing.T) {
	o := newPlace(t).open(t)
	done := o.mustTransact(t, visit(1))
	for _, other := range []string{done[0].ID, done[1].ID} {
		pub, _, _ := strings.Cut(other, "-")
		id := pub + "-zzz"
		text := bundle(request("PUT", "Patient/"+id, `{"resourceType":"Patient","id":"`+id+`","name":[{"family":"Forged"}]}`, ""))
		if _, err := o.transact(text); !errors.Is(err, ErrRefused) {
			t.Errorf("a second patient got into chart %s: %v", pub, err)
		}
	}
}

// Bundles of different patients that bring the same practitioners are taken side by side; each shared one is stored once.
func TestTransactionsSideBySide(t *testing.T) {
	o := newPlace(t).open(t)
	const writers, each = 4, 12
	var wg sync.WaitGroup
	ids := make([][]string, writers)
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				n := w*each + i
				own := fmt.Sprintf(`{"resourceType":"Practitioner","identifier":[{"system":"urn:npi","value":"%d"}],"name":[{"family":"D%d"}]}`, 100+n%8, n%8)
				done, err := o.transact(visit(n, request("POST", "Practitioner", own, "")))
				if err != nil {
					t.Errorf("writer %d: %v", w, err)
					return
				}
				ids[w] = append(ids[w], done[1].ID)
			}
		})
	}
	wg.Wait()
	for _, w := range ids {
		for _, id := range w {
			if id != ids[0][0] {
				t.Fatal("one practitioner has two ids")
			}
		}
	}
	refs, err := o.Matching(context.Background(), o.Begin(importer, "t"), "Practitioner", "")
	must(t, err)
	if len(refs) != 9 || o.patients(t) != writers*each {
		t.Errorf("%d practitioners, want 9; %d patients", len(refs), o.patients(t))
	}
}

// Deliveries to the directory that bring the same thing at once each make a version of it: none is written over unseen.
func TestDeliveriesToOneDirectory(t *testing.T) {
	o := newPlace(t).open(t)
	var wg sync.WaitGroup
	const writers = 24
	for w := range writers {
		wg.Go(func() {
			r, err := fhir.Parse([]byte(fmt.Sprintf(`{"resourceType":"Organization","id":"org","name":"Name %d"}`, w)))
			if err == nil {
				_, err = o.Deliver(context.Background(), o.Begin(importer, "t"), Delivery{What: "test", Resources: []fhir.Resource{r}})
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	num, ok, err := o.Locate(context.Background(), o.Begin(importer, "t"), "Organization", "org")
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	e, err := o.System(o.Begin(importer, "t"), num).Get(context.Background(), "Organization", "org")
	if err != nil || e.Version != writers {
		t.Errorf("version %d after %d deliveries, %v", e.Version, writers, err)
	}
}
