// Package validate checks the structure of FHIR R4 resources: element names, JSON shapes, primitive types,
// cardinality, choice types, required bindings, targets of references, contained resources. It knows the base
// definitions (4.0.1); profiles, invariants and terminology beyond required bindings are not its business. No I/O.
//
// Two levels. Strict is for what this product writes. Lenient is for what others sent: an unknown element, a reference
// to an unusual type and the like are warnings, because the record keeps them as they came; a wrong JSON type, a wrong
// cardinality, a malformed primitive and a code outside a required set are errors on both levels.
//
// Issues say where and which rule, never the value: they are safe in a log and in an answer.
package validate

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/wellgate/wellgate/fhir"
)

// Level says how unusual content is treated.
type Level int

const (
	Strict Level = iota
	Lenient
)

// Severity of an issue.
type Severity string

const (
	Error   Severity = "error"
	Warning Severity = "warning"
)

// An Issue is one finding. Code is a FHIR issue type: structure, required, value, code-invalid, business-rule.
type Issue struct {
	Severity   Severity
	Code       string
	Expression string // element path: "Patient.name[0].given[1]"
	Text       string
}

func (i Issue) String() string { return fmt.Sprintf("%s: %s: %s", i.Severity, i.Expression, i.Text) }

// maxIssues is where a check stops: what is wrong in a hundred places is wrong.
const maxIssues = 100

// Resource checks one resource, Bundles with all their entries. Errors come first.
func Resource(r fhir.Resource, level Level) []Issue {
	c := checker{b: r.Raw(), level: level, stack: make([]step, 0, 16)}
	c.push(r.Type(), -1)
	c.resource(0, false)
	slices.SortStableFunc(c.issues, func(a, b Issue) int { return cmp.Compare(a.Severity, b.Severity) })
	return c.issues
}

// Err is nil if no issue is an error, otherwise an error that wraps fhir.ErrInvalid and tells the first ones.
func Err(issues []Issue) error {
	var texts []string
	for _, i := range issues {
		if i.Severity == Error && len(texts) < 5 {
			texts = append(texts, i.Expression+" "+i.Text)
		}
	}
	if texts == nil {
		return nil
	}
	return fmt.Errorf("%w: %s", fhir.ErrInvalid, strings.Join(texts, "; "))
}

// Outcome puts issues into the form a FHIR client reads.
func Outcome(issues []Issue) fhir.OperationOutcome {
	var o fhir.OperationOutcome
	for _, i := range issues {
		o.Issue = append(o.Issue, fhir.OperationOutcomeIssue{Severity: string(i.Severity), Code: i.Code, Diagnostics: i.Text, Expression: []string{i.Expression}})
	}
	return o
}
