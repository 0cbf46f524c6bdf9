package privacy

import (
	"slices"
	"strings"

	"github.com/wellgate/wellgate/fhir"
	"github.com/wellgate/wellgate/site"
)

// said holds the members in which people wrote sentences, and the values that are not one quantity. They stand in the row
// itself: what is printed must hold the doctor's words, not only that there were some.
type said struct {
	Summary      string                 `json:"summary"`
	Description  string                 `json:"description"`
	Instruction  string                 `json:"patientInstruction"`
	Note         []fhir.Annotation      `json:"note"`
	Payload      []payload              `json:"payload"`
	Dosage       []labelled             `json:"dosageInstruction"`
	StatedDosage []labelled             `json:"dosage"`
	Component    []component            `json:"component"`
	Reaction     []reaction             `json:"reaction"`
	Reason       []fhir.CodeableConcept `json:"reasonCode"`
	Telecom      []contact              `json:"telecom"`
	Address      []address              `json:"address"`
}

type payload struct {
	ContentString string `json:"contentString"`
}

type labelled struct {
	Text string `json:"text"`
}

type contact struct {
	Value string `json:"value"`
}

type component struct {
	Code          fhir.CodeableConcept `json:"code"`
	ValueQuantity *fhir.Quantity       `json:"valueQuantity"`
	ValueConcept  fhir.CodeableConcept `json:"valueCodeableConcept"`
	ValueString   string               `json:"valueString"`
}

type reaction struct {
	Manifestation []fhir.CodeableConcept `json:"manifestation"`
}

type address struct {
	Text       string   `json:"text"`
	Line       []string `json:"line"`
	City       string   `json:"city"`
	State      string   `json:"state"`
	PostalCode string   `json:"postalCode"`
}

func (a address) String() string {
	if a.Text != "" {
		return a.Text
	}
	parts := append(slices.Clone(a.Line), a.City, strings.TrimSpace(a.State+" "+a.PostalCode))
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), ", ")
}

// texts are the lines of r that a person wrote or would look for, each once; what already stands as the row's name is left out.
func texts(r fhir.Resource, what string) (out []string) {
	s := fhir.View[said](r)
	add := func(t string) {
		if t = strings.TrimSpace(t); t != "" && t != what && !slices.Contains(out, t) {
			out = append(out, t)
		}
	}
	for _, c := range s.Component {
		add(strings.TrimSpace(c.Code.Label() + " " + amount(c.ValueQuantity, c.ValueConcept, c.ValueString)))
	}
	add(s.Summary)
	add(s.Description)
	for _, d := range append(s.Dosage, s.StatedDosage...) {
		add(d.Text)
	}
	for _, c := range s.Reaction {
		for _, m := range c.Manifestation {
			add(m.Label())
		}
	}
	for _, c := range s.Reason {
		add(c.Label())
	}
	for _, p := range s.Payload {
		add(p.ContentString)
	}
	for _, n := range s.Note {
		add(n.Text)
	}
	add(s.Instruction)
	for _, c := range s.Telecom {
		add(c.Value)
	}
	for _, a := range s.Address {
		add(a.String())
	}
	return out
}

// amount is a value as a person writes it.
func amount(q *fhir.Quantity, c fhir.CodeableConcept, s string) string {
	switch {
	case q != nil:
		return strings.TrimSpace(q.Comparator + " " + string(q.Value) + " " + q.Unit)
	case c.Label() != "":
		return c.Label()
	}
	return s
}

// stands says how something stands; a status without a word of ours is shown as it came.
func stands(w site.Words, status string) string {
	if key := "privacy.status." + strings.ToLower(strings.ReplaceAll(status, " ", "-")); status != "" && w.Has(key) {
		return w.T(key)
	}
	return status
}
