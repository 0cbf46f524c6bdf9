package fhir

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// An instant is written as time's own words write it.
func TestInstant(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at := time.Unix(rapid.Int64Range(-70000000000, 260000000000).Draw(t, "s"), rapid.Int64Range(0, 999999999).Draw(t, "ns")).In(time.FixedZone("", rapid.IntRange(-43200, 43200).Draw(t, "zone")))
		if got, want := string(appendInstant(nil, at)), at.UTC().Format("2006-01-02T15:04:05.000Z07:00"); got != want {
			t.Fatalf("%s, not %s", got, want)
		}
	})
}
