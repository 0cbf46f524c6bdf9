package privacy

import (
	"bytes"
	"time"

	"github.com/wellgate/wellgate/care"
	"github.com/wellgate/wellgate/fhir"
	"github.com/wellgate/wellgate/trust/chart"
)

// takeJSON writes the whole record as one FHIR Bundle of type collection, resources byte for byte as they are stored, and
// after them what of the practice's directory they refer to. Loading it into an empty practice gives the same record.
func takeJSON(v *care.Visit) error {
	download(v, "application/fhir+json", "my-record-"+v.Now.Format(time.DateOnly)+".json")
	w := v.W
	if _, err := w.Write([]byte(`{"resourceType":"Bundle","type":"collection","timestamp":"` + v.Now.UTC().Format(time.RFC3339) + `","entry":[`)); err != nil {
		return err
	}
	first := true
	write := func(r fhir.Resource) error {
		var b bytes.Buffer
		if !first {
			b.WriteByte(',')
		}
		first = false
		b.WriteString("\n" + `{"resource":`)
		b.Write(r.Raw())
		b.WriteByte('}')
		_, err := w.Write(b.Bytes())
		return err
	}
	if err := everything(v, func(e chart.Entry) error { return write(e.Resource) }, write); err != nil {
		return err
	}
	_, err := w.Write([]byte("\n]}\n"))
	return err
}

// everything calls own for each resource of the record, then others once for each directory resource they refer to.
func everything(v *care.Visit, own func(chart.Entry) error, others func(fhir.Resource) error) error {
	mine, refs := map[string]bool{}, []string{}
	for e, err := range v.Chart.All(v.Context()) {
		if err != nil {
			return err
		}
		mine[e.Ref()] = true
		for _, l := range e.References() {
			refs = append(refs, l.Value)
		}
		if err := own(e); err != nil {
			return err
		}
	}
	for len(refs) > 0 {
		ref := refs[0]
		refs = refs[1:]
		if mine[ref] {
			continue
		}
		mine[ref] = true
		r, ok := v.Chart.Resolve(v.Context(), ref)
		if !ok {
			continue
		}
		for _, l := range r.References() { // a role leads to its person and place
			refs = append(refs, l.Value)
		}
		if err := others(r); err != nil {
			return err
		}
	}
	return nil
}
