package results

import (
	"bytes"
	"slices"
	"strings"
	"time"

	"github.com/wellgate/wellgate/fhir"
)

// This file reads FHIR resources into results.

func stateOf(status string) State {
	switch status {
	case "final":
		return Final
	case "registered":
		return Awaited
	case "preliminary", "partial":
		return Early
	case "amended", "corrected", "appended":
		return Corrected
	case "cancelled":
		return Cancelled
	case "entered-in-error":
		return Gone
	}
	return Uncertain
}

func fromObservation(e Doc, o fhir.Observation, in Input, zone *time.Location) *Result {
	r := &Result{Type: "Observation", ID: e.ID(), State: stateOf(o.Status), Taken: taken(o.EffectiveDateTime, o.EffectiveInstant, o.EffectivePeriod),
		Issued: o.Issued, Updated: e.Updated, By: o.Performer, specimen: o.Specimen, category: categoryOf(o.Category)}
	if o.EffectiveTiming != nil && r.Taken == "" && len(o.EffectiveTiming.Event) > 0 {
		r.Taken = o.EffectiveTiming.Event[0]
	}
	r.Name, r.codes = nameOf(o.Code, testByCode)
	r.Kind = kindOf(o.Category, o.Code, testByCode, specimenWords(o.Specimen, in))
	r.New = isNew(e.Updated, r.When(), in)
	if r.State == Gone {
		r.Value = Value{Form: Withdrawn}
		return r
	}
	at, _ := r.When().Time(zone)
	r.Value = valueOf(rawOf(o, bytes.Contains(e.Raw(), []byte(`"valueSampledData"`))))
	r.weigh(o.Interpretation, o.ReferenceRange, in.Person, at)
	for _, c := range o.Component {
		p := Result{State: r.State, Value: valueOf(rawOfPart(c))}
		p.Name, p.codes = nameOf(c.Code, testByCode)
		p.weigh(c.Interpretation, c.ReferenceRange, in.Person, at)
		r.Parts = append(r.Parts, p)
	}
	for _, n := range o.Note {
		if t := clean(n.Text); t != "" {
			r.Notes = append(r.Notes, t)
		}
	}
	return r
}

func (r *Result) weigh(words []fhir.CodeableConcept, ranges []fhir.ObservationReferenceRange, p Person, at time.Time) {
	r.Range, r.Others = chooseRange(ranges, r.Value, p, at)
	r.Status = statusOf(r.Value, words, r.Range)
	if r.Range != nil {
		if ranged := r.Range.place(r.Value); ranged != NotGiven && agree(r.Status, ranged) {
			r.Drawn = r.Value.Form == Number && r.Range.Text == ""
		}
	}
}

func fromReport(e Doc, d fhir.DiagnosticReport, in Input) *Result {
	r := &Result{Type: "DiagnosticReport", ID: e.ID(), State: stateOf(d.Status), Taken: taken(d.EffectiveDateTime, "", d.EffectivePeriod),
		Issued: d.Issued, Updated: e.Updated, category: categoryOf(d.Category)}
	r.By = append(append(r.By, d.ResultsInterpreter...), d.Performer...)
	r.Name, r.codes = nameOf(d.Code, panelByCode)
	r.Kind = kindOf(d.Category, d.Code, panelByCode, specimenWords(first(d.Specimen), in))
	r.New = isNew(e.Updated, r.When(), in)
	if r.category == unsaid && r.Name.Key != "" {
		r.category = ours
	}
	if r.State == Gone {
		r.Value = Value{Form: Withdrawn}
		return r
	}
	if t := strings.TrimSpace(d.Conclusion); t != "" {
		r.Conclusion = paragraphs(t)
	}
	for _, c := range d.ConclusionCode {
		if l := clean(c.Label()); l != "" && !slices.Contains(r.Conclusion, l) {
			r.Conclusion = append(r.Conclusion, l)
		}
	}
	r.Files = d.PresentedForm
	for _, i := range d.ImagingStudy {
		if ref := local(i); ref != "" {
			r.Images = append(r.Images, ref)
		}
	}
	return r
}

// isNew compares with the reader's last visit. Who was never here sees as new what is recent, not a whole history.
func isNew(updated time.Time, when fhir.DateTime, in Input) bool {
	if !in.Since.IsZero() {
		return updated.After(in.Since)
	}
	t, ok := when.Time(time.UTC)
	return ok && !in.Now.IsZero() && in.Now.Sub(t) < firstVisit
}
