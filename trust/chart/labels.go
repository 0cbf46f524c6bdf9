package chart

import (
	"bytes"
	"slices"
	"strings"

	"github.com/wellgate/wellgate/fhir"
)

// labelled is where security labels stand: on the resource, and, against the rules of FHIR, on what it holds inside.
type labelled struct {
	Meta      fhir.Meta `json:"meta"`
	Contained []inner   `json:"contained"`
	Entry     []struct {
		Resource inner `json:"resource"`
	} `json:"entry"`
}

type inner struct {
	Meta fhir.Meta `json:"meta"`
}

// known are the codes that policy names, as it spells them. Senders are not always that careful.
var known = []string{"R", "V", "42CFRPart2", "ETH", "PSY", "HIV", "SDV", "SEX", "STD"}

// labels are the codes of meta.security that restrict, sorted. They are found on every write and load. What is labelled and
// nobody can say how is restricted.
func labels(r fhir.Resource) []string {
	if raw := r.Raw(); !bytes.Contains(raw, []byte(`"security"`)) && !bytes.Contains(raw, []byte(`\u`)) { // escapes may spell it too
		return nil
	}
	v := fhir.View[labelled](r)
	all := v.Meta.Security
	for _, c := range v.Contained {
		all = append(all, c.Meta.Security...)
	}
	for _, e := range v.Entry {
		all = append(all, e.Resource.Meta.Security...)
	}
	var out []string
	for _, s := range all {
		if l := label(s.Code); l != "" {
			out = append(out, l)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func label(code string) string {
	code = strings.TrimSpace(code)
	switch strings.ToUpper(code) {
	case "":
		return "R"
	case "N", "L", "M", "U": // normal, low, moderate, unrestricted
		return ""
	}
	for _, k := range known {
		if strings.EqualFold(k, code) {
			return k
		}
	}
	return code
}
