package records

import (
	"context"
	"errors"
	"strings"

	"github.com/wellgate/wellgate/care"
	"github.com/wellgate/wellgate/fhir"
	"github.com/wellgate/wellgate/trust/chart"
	"github.com/wellgate/wellgate/trust/identity"
)

// finder follows references once per request.
func finder(v *care.Visit) Lookup {
	type answer struct {
		r  fhir.Resource
		ok bool
	}
	seen := map[string]answer{}
	return func(ref string) (fhir.Resource, bool) {
		a, known := seen[ref]
		if !known {
			if a.r, a.ok = v.Chart.Resolve(v.Context(), ref); !a.ok {
				a.ok = v.Chart.Hidden(v.Context(), ref)
			}
			seen[ref] = a
		}
		return a.r, a.ok
	}
}

// read searches the chart and reads what it finds into a struct.
func read[T any](ctx context.Context, c *chart.Chart, typ, query string) ([]T, error) {
	es, err := c.Search(ctx, typ, query)
	if err != nil {
		return nil, err
	}
	out := make([]T, len(es))
	for i, e := range es {
		out[i] = fhir.Into[T](e.Resource)
	}
	return out, nil
}

func readMedicines(v *care.Visit, find Lookup) ([]Medicine, error) {
	ctx := v.Context()
	rs, err := read[fhir.MedicationRequest](ctx, v.Chart, "MedicationRequest", "")
	if err != nil {
		return nil, err
	}
	ss, err := read[fhir.MedicationStatement](ctx, v.Chart, "MedicationStatement", "")
	return Medicines(rs, ss, find), err
}

func readProblems(v *care.Visit) ([]Problem, error) {
	cs, err := read[fhir.Condition](v.Context(), v.Chart, "Condition", "")
	return Problems(cs), err
}

func readAllergies(v *care.Visit) (AllergyList, error) {
	as, err := read[fhir.AllergyIntolerance](v.Context(), v.Chart, "AllergyIntolerance", "")
	return Allergies(as), err
}

func readVaccines(v *care.Visit, find Lookup) ([]Vaccine, error) {
	is, err := read[fhir.Immunization](v.Context(), v.Chart, "Immunization", "")
	return Vaccines(is, find), err
}

// readVitals finds vitals by category and, for senders that leave it out, by code. query narrows both: "encounter=…".
func readVitals(v *care.Visit, query string) ([]Vital, error) {
	ctx := v.Context()
	seen := map[string]bool{}
	var all []fhir.Observation
	for _, q := range []string{"category=vital-signs", "code=" + strings.Join(VitalCodes(), ",")} {
		if query != "" {
			q += "&" + query
		}
		os, err := read[fhir.Observation](ctx, v.Chart, "Observation", q)
		if err != nil {
			return nil, err
		}
		for _, o := range os {
			if !seen[o.ID] {
				seen[o.ID] = true
				all = append(all, o)
			}
		}
	}
	return Vitals(all), nil
}

func readVisits(v *care.Visit, find Lookup) ([]Visit, error) {
	es, err := read[fhir.Encounter](v.Context(), v.Chart, "Encounter", "")
	return Visits(es, find), err
}

func readDocuments(v *care.Visit, query string, find Lookup) ([]Document, error) {
	ds, err := read[fhir.DocumentReference](v.Context(), v.Chart, "DocumentReference", query)
	return Documents(ds, find), err
}

// readDocument is one document; what was entered in error is not there.
func readDocument(v *care.Visit, find Lookup) (Document, error) {
	e, err := v.Chart.Get(v.Context(), "DocumentReference", v.PathValue("id"))
	if err != nil {
		return Document{}, err
	}
	d, ok := DocumentOf(fhir.Into[fhir.DocumentReference](e.Resource), find)
	if !ok {
		return Document{}, chart.ErrNotFound
	}
	return d, nil
}

func readDeeds(v *care.Visit, query string, find Lookup) ([]Deed, error) {
	ps, err := read[fhir.Procedure](v.Context(), v.Chart, "Procedure", query)
	return Deeds(ps, find), err
}

func readPlans(v *care.Visit, find Lookup) ([]Plan, []Aim, error) {
	cs, err := read[fhir.CarePlan](v.Context(), v.Chart, "CarePlan", "")
	if err != nil {
		return nil, nil, err
	}
	gs, err := read[fhir.Goal](v.Context(), v.Chart, "Goal", "")
	ps, aims := Plans(cs, gs, find)
	return ps, aims, err
}

func readTeam(v *care.Visit, find Lookup) ([]Member, error) {
	p, err := v.Chart.Patient(v.Context())
	if err != nil && !errors.Is(err, chart.ErrNotFound) {
		return nil, err
	}
	var patient fhir.Patient
	if !p.IsZero() {
		patient = fhir.Into[fhir.Patient](p)
	}
	ts, err := read[fhir.CareTeam](v.Context(), v.Chart, "CareTeam", "")
	return CareTeam(patient, ts, find), err
}

// readEvents reads the timeline; kind "" is everything.
func readEvents(v *care.Visit, kind string, find Lookup) ([]Event, error) {
	var rs []fhir.Resource
	for _, k := range EventKinds {
		if kind != "" && kind != k {
			continue
		}
		for _, typ := range typesOf[k] {
			es, err := v.Chart.Search(v.Context(), typ, "")
			if err != nil {
				return nil, err
			}
			for _, e := range es {
				rs = append(rs, e.Resource)
			}
		}
	}
	return Events(rs, find), nil
}

// treats says whether this person may see clinical matter at all; the others get an overview without any, because
// an empty list would read as "no allergies".
func treats(w identity.Who) bool {
	if w.Kind != identity.Staff {
		return true
	}
	switch w.Role {
	case identity.Clinician, identity.Nurse, identity.Dentist, identity.Hygienist:
		return true
	}
	return false
}

// seesAll says whether nothing is held back from this person by a label; others are told that something may be.
func seesAll(w identity.Who) bool {
	return w.Kind != identity.Staff || w.Role == identity.Clinician
}
