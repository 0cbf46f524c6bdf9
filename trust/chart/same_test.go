package chart_test

import (
	"context"
	"errors"
	"testing"

	"github.com/wellgate/wellgate/fhir"
	. "github.com/wellgate/wellgate/trust/chart"
)

// Two systems may call two people Patient/1. A name in common is not a person in common.
func TestOneIDTwoPeople(t *testing.T) {
	const stored = `{"resourceType":"Patient","id":"1","name":[{"family":"Smith","given":["John"]}],"birthDate":"1980-05-12","identifier":[{"value":"MR-7"}]}`
	for name, c := range map[string]struct {
		next string
		same bool
	}{
		"a new phone":                       {`{"resourceType":"Patient","id":"1","name":[{"family":"Smith","given":["John"]}],"birthDate":"1980-05-12","telecom":[{"system":"phone","value":"555-0101"}]}`, true},
		"a name at marriage":                {`{"resourceType":"Patient","id":"1","name":[{"family":"Jones","given":["John"]}],"birthDate":"1980-05-12"}`, true},
		"a corrected birthday, same number": {`{"resourceType":"Patient","id":"1","name":[{"family":"Smith"}],"birthDate":"1981-05-12","identifier":[{"value":"mr 7"}]}`, true},
		"no birthday, same family name":     {`{"resourceType":"Patient","id":"1","name":[{"family":"Smith"}]}`, true},
		"same name, another birthday":       {`{"resourceType":"Patient","id":"1","name":[{"family":"Smith","given":["John"]}],"birthDate":"1971-01-01"}`, false},
		"same first name, no birthday":      {`{"resourceType":"Patient","id":"1","name":[{"family":"Brown","given":["John"]}]}`, false},
		"same birthday, another name":       {`{"resourceType":"Patient","id":"1","name":[{"family":"Brown","given":["Ann"]}],"birthDate":"1980-05-12"}`, false},
		"nothing in common":                 {`{"resourceType":"Patient","id":"1","name":[{"family":"Brown","given":["Ann"]}],"birthDate":"1971-01-01","identifier":[{"value":"9"}]}`, false},
	} {
		t.Run(name, func(t *testing.T) {
			o := newPlace(t).open(t)
			o.deliver(t, parse(t, stored))
			_, err := o.Deliver(context.Background(), o.Begin(importer, "t"), Delivery{Resources: []fhir.Resource{parse(t, c.next)}})
			if c.same != (err == nil) || err != nil && !errors.Is(err, ErrRefused) {
				t.Errorf("taken as the same person: %v (%v)", err == nil, err)
			}
		})
	}
}
