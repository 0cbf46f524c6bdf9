package results

import (
	"errors"
	"reflect"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json"

	"github.com/wellgate/wellgate/fhir"
	"github.com/wellgate/wellgate/trust/identity"
)

// maxComment is how long a comment may be, in characters.
const maxComment = 2000

var (
	errNotYours  = errors.New("results: only the practice's systems and clinical staff write results")
	errFinal     = errors.New("results: a final result is changed by the laboratory's feed only")
	errKept      = errors.New("results: results and comments are never deleted; mark them entered in error")
	errNoComment = errors.New("results: only a clinician, nurse or dentist comments on a result")
	errShape     = errors.New("results: a comment is completed, has words of up to 2,000 characters, names its writer and says which result it is about")
	errEdit      = errors.New("results: a comment is not edited; who wrote it may mark it entered in error")
)

// comments says who may write to a patient about a result.
func comments(r identity.Role) bool {
	return r == identity.Clinician || r == identity.Nurse || r == identity.Dentist
}

// guardResult holds for Observation and DiagnosticReport. The practice's own systems (import, feeds) write and correct.
// Staff who treat may add, and may change what is not final yet. Nobody else writes; nobody deletes.
func guardResult(who identity.Who, old, new fhir.Resource) error {
	switch {
	case new.IsZero():
		return errKept
	case who.Machine():
		return nil
	case who.Kind != identity.Staff || !(comments(who.Role) || who.Role == identity.Hygienist):
		return errNotYours
	case old.IsZero():
		return nil
	}
	was := fhir.View[struct {
		Status string `json:"status"`
	}](old)
	if was.Status != "registered" && was.Status != "preliminary" && was.Status != "partial" {
		return errFinal
	}
	return nil
}

// guardComment holds for ClinicalImpression. A comment is written once, by who signs it; the patient may have read it, so
// afterwards it can only be withdrawn, by the same person, with every other element left as it was.
func guardComment(who identity.Who, old, new fhir.Resource) error {
	switch {
	case new.IsZero():
		return errKept
	case who.Machine():
		return nil // imports bring comments of other systems, and their corrections
	case who.Kind != identity.Staff || !comments(who.Role):
		return errNoComment
	}
	ci := fhir.Into[fhir.ClinicalImpression](new)
	if who.Practitioner == "" || ci.Assessor.Reference != who.Practitioner {
		return errShape
	}
	if !old.IsZero() {
		if ci.Status != "entered-in-error" || !onlyStatus(old, new) {
			return errEdit
		}
		return nil
	}
	n := utf8.RuneCountInString(ci.Summary)
	if ci.Status != "completed" || strings.TrimSpace(ci.Summary) == "" || n > maxComment || !aboutResults(ci) {
		return errShape
	}
	return nil
}

func aboutResults(ci fhir.ClinicalImpression) bool {
	for _, ref := range about(ci) {
		if strings.HasPrefix(ref, "Observation/") || strings.HasPrefix(ref, "DiagnosticReport/") {
			return true
		}
	}
	return false
}

// onlyStatus reports whether old and new differ in status, and in the version that the server keeps in meta, alone.
func onlyStatus(old, new fhir.Resource) bool {
	var a, b map[string]any
	if json.Unmarshal(old.Raw(), &a) != nil || json.Unmarshal(new.Raw(), &b) != nil {
		return false
	}
	for _, m := range []map[string]any{a, b} {
		delete(m, "status")
		if meta, ok := m["meta"].(map[string]any); ok {
			delete(meta, "versionId")
			delete(meta, "lastUpdated")
			if len(meta) == 0 {
				delete(m, "meta")
			}
		}
	}
	return reflect.DeepEqual(a, b)
}
