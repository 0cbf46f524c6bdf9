package records

import (
	"strings"

	"github.com/wellgate/wellgate/fhir"
)

// A Lookup follows a reference to a resource of this chart or of the practice's directory. What is there and not for this
// reader is found as a zero Resource: then a display that stands in its place is not shown either.
type Lookup func(ref string) (fhir.Resource, bool)

// A Label names something twice: in plain words where there are some, and as it was reported. Both empty: not named.
type Label struct {
	Plain    string // word key, "" if there are no plain words for it
	Clinical string // as reported
}

// Named reports whether there is anything to read.
func (l Label) Named() bool { return l.Plain != "" || l.Clinical != "" }

// LabelOf names a concept. SNOMED CT's tag, "(disorder)", says nothing to a reader and is dropped.
func LabelOf(c fhir.CodeableConcept) Label {
	l := Label{Clinical: untag(Readable(c))}
	for _, k := range c.Coding {
		if key, ok := plainWords[term{k.System, k.Code}]; ok {
			l.Plain = key
			break
		}
	}
	return l
}

// Readable is the concept's text or display. Unlike fhir's Label it never falls back to a bare code of a
// terminology: "44054006" is no word. A code without a system is the sender's own and may be one.
func Readable(c fhir.CodeableConcept) string {
	if t := strings.TrimSpace(c.Text); t != "" {
		return t
	}
	for _, k := range c.Coding {
		if d := strings.TrimSpace(k.Display); d != "" {
			return d
		}
	}
	for _, k := range c.Coding {
		if k.System == "" {
			return strings.TrimSpace(k.Code)
		}
	}
	return ""
}

func readables(cs []fhir.CodeableConcept) []string {
	var out []string
	for _, c := range cs {
		if r := untag(Readable(c)); r != "" {
			out = append(out, r)
		}
	}
	return out
}

func labels(cs []fhir.CodeableConcept) []Label {
	var out []Label
	for _, c := range cs {
		if l := LabelOf(c); l.Named() {
			out = addLabel(out, l)
		}
	}
	return out
}

// addLabel adds a label unless it names what is there already; of two names for one thing the plainer stays.
func addLabel(list []Label, l Label) []Label {
	for i, k := range list {
		if k.Plain != "" && k.Plain == l.Plain || strings.EqualFold(k.Clinical, l.Clinical) && (k.Plain == "" || l.Plain == "") {
			if k.Plain == "" {
				list[i] = l
			}
			return list
		}
	}
	return append(list, l)
}

func appendNew[T comparable](list []T, x T) []T {
	for _, y := range list {
		if x == y {
			return list
		}
	}
	return append(list, x)
}

// tags are SNOMED CT's semantic tags, which follow a fully specified name in brackets.
var tags = map[string]bool{"disorder": true, "finding": true, "procedure": true, "situation": true, "substance": true,
	"morphologic abnormality": true, "regime/therapy": true, "person": true, "occupation": true, "record artifact": true,
	"qualifier value": true, "observable entity": true, "event": true, "product": true, "organism": true,
	"physical object": true, "body structure": true, "environment": true, "medicinal product": true, "clinical drug": true,
	"record": true, "assessment scale": true, "navigational concept": true, "context-dependent category": true}

func untag(s string) string {
	if i := strings.LastIndex(s, " ("); i > 0 && strings.HasSuffix(s, ")") && tags[s[i+2:len(s)-1]] {
		return s[:i]
	}
	return s
}

// sameKey says whether two entries speak of one thing: the same code in a shared system, else the same words.
func sameKey(c fhir.CodeableConcept) string {
	for _, k := range c.Coding {
		if k.Code != "" && k.System != "" {
			return k.System + "|" + k.Code
		}
	}
	return strings.ToLower(strings.Join(strings.Fields(Readable(c)), " "))
}

// A Phrase is something to say in the reader's language: a word key and what goes into it.
type Phrase struct {
	Key   string
	N     int  // chooses the plural form
	Count bool // the key has plural forms
	Args  []any
}

func say(key string, args ...any) Phrase { return Phrase{Key: key, Args: args} }
func sayN(key string, n int, args ...any) Phrase {
	return Phrase{Key: key, N: n, Count: true, Args: args}
}

func first[T any](list []T) (zero T) {
	if len(list) > 0 {
		return list[0]
	}
	return zero
}

// statusOf is a status given as a concept; senders disagree about the system, so any system serves.
func statusOf(c fhir.CodeableConcept) string {
	for _, k := range c.Coding {
		if k.Code != "" {
			return strings.ToLower(k.Code)
		}
	}
	return strings.ToLower(strings.TrimSpace(c.Text))
}

func isTrue(b *bool) bool { return b != nil && *b }

func start(p *fhir.Period) fhir.DateTime {
	if p == nil {
		return ""
	}
	return p.Start
}

func end(p *fhir.Period) fhir.DateTime {
	if p == nil {
		return ""
	}
	return p.End
}

// firstDate is the first of ds that is present.
func firstDate(ds ...fhir.DateTime) fhir.DateTime {
	for _, d := range ds {
		if d != "" {
			return d
		}
	}
	return ""
}

// newest orders what is dated: newest first, undated last.
func newest(a, b fhir.DateTime) int { return b.Compare(a) }

// earlier is the earlier of two dates, passing over absent ones.
func earlier(a, b fhir.DateTime) fhir.DateTime {
	if a == "" || b != "" && b.Before(a) {
		return b
	}
	return a
}

func later(a, b fhir.DateTime) fhir.DateTime {
	if b.After(a) {
		return b
	}
	return a
}

// notes are the texts of annotations.
func notes(as []fhir.Annotation) []string {
	var out []string
	for _, a := range as {
		if t := strings.TrimSpace(a.Text); t != "" {
			out = append(out, t)
		}
	}
	return out
}

// PerPage is how many entries a list shows at once.
const PerPage = 50

// A Pager is a place in a long list.
type Pager struct {
	Page, Pages, Total int // Page counts from 1
	From, To           int // the entries shown, half open
}

// Paged finds page number n (as a request gave it) of total entries; what is out of range becomes the nearest page.
func Paged(n, total int) Pager {
	pages := max(1, (total+PerPage-1)/PerPage)
	n = min(max(n, 1), pages)
	return Pager{Page: n, Pages: pages, Total: total, From: (n - 1) * PerPage, To: min(n*PerPage, total)}
}

// Cut is the part of list that p shows.
func Cut[T any](list []T, p Pager) []T { return list[min(p.From, len(list)):min(p.To, len(list))] }
