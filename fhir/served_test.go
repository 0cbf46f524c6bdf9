package fhir

import (
	"encoding/json"
	"testing"
	"time"
)

func TestAppendServed(t *testing.T) {
	at := time.Date(2026, 11, 23, 9, 0, 1, 234e6, time.UTC)
	const ours = `"versionId":"7","lastUpdated":"2026-11-23T09:00:01.234Z"`
	for in, want := range map[string]string{
		`{"resourceType":"Basic"}`:                                                       `{"resourceType":"Basic","meta":{` + ours + `}}`,
		`{"resourceType":"Basic","id":"a"}`:                                              `{"resourceType":"Basic","meta":{` + ours + `},"id":"a"}`,
		`{"id":"a","resourceType":"Basic"}`:                                              `{"meta":{` + ours + `},"id":"a","resourceType":"Basic"}`,
		`{"resourceType":"Basic","id":"a","meta":{}}`:                                    `{"resourceType":"Basic","id":"a","meta":{` + ours + `}}`,
		`{"resourceType":"Basic","meta":{"versionId":"1"},"id":"a"}`:                     `{"resourceType":"Basic","meta":{` + ours + `},"id":"a"}`,
		`{"resourceType":"Basic","meta":{"profile":["u"],"lastUpdated":"2020"}}`:         `{"resourceType":"Basic","meta":{` + ours + `,"profile":["u"]}}`,
		`{"resourceType":"Basic","meta":{"profile":["u"]},"id":"a"}`:                     `{"resourceType":"Basic","meta":{` + ours + `,"profile":["u"]},"id":"a"}`,
		`{"resourceType":"Basic","m\u0065ta":{"version\u0049d":"1","source":"x"}}`:       `{"resourceType":"Basic","m\u0065ta":{` + ours + `,"source":"x"}}`,
		`{"resourceType":"Basic","contained":[{"resourceType":"Basic","meta":{"a":1}}]}`: `{"resourceType":"Basic","meta":{` + ours + `},"contained":[{"resourceType":"Basic","meta":{"a":1}}]}`,
		`{"resourceType":"Basic","code":{"text":"\"meta\":{"}}`:                          `{"resourceType":"Basic","meta":{` + ours + `},"code":{"text":"\"meta\":{"}}`,
	} {
		r := Trusted("Basic", "a", []byte(in))
		got := string(r.AppendServed([]byte("x"), 7, at))[1:]
		if got != want {
			t.Errorf("%s\n gives %s\n want  %s", in, got, want)
		}
		if !json.Valid([]byte(got)) {
			t.Errorf("%s is no JSON", got)
		}
	}
}
