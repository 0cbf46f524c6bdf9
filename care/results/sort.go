package results

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/wellgate/wellgate/fhir"
)

// Category says whether a resource is a laboratory or imaging result at all.
type Category int

const (
	unsaid Category = iota
	ours
	theirs
)

// categories by code, whatever the system: observation-category, v2-0074 diagnostic services, US Core's LOINC parts.
var categories = map[string]Category{
	"laboratory": ours, "imaging": ours, "LAB": ours, "CH": ours, "HM": ours, "MB": ours, "MCB": ours, "MYC": ours, "SR": ours, "IMM": ours,
	"BLB": ours, "BG": ours, "TX": ours, "VR": ours, "GE": ours, "SP": ours, "CP": ours, "CY": ours, "CG": ours, "ICU": unsaid,
	"RAD": ours, "IMG": ours, "CT": ours, "NMR": ours, "NMS": ours, "RUS": ours, "OUS": ours, "VUS": ours, "CUS": ours, "RX": ours, "XRC": ours,
	"EC": ours, "EN": ours, "PF": ours,
	"LP29684-5": ours, "LP29708-2": ours, "LP7839-6": ours, "26436-6": ours, "18748-4": ours,
	"vital-signs": theirs, "vital-sign": theirs, "social-history": theirs, "survey": theirs, "exam": theirs, "therapy": theirs, "activity": theirs,
	"procedure": theirs, "34117-2": theirs, "11488-4": theirs, "18842-5": theirs, "28570-0": theirs, "11506-3": theirs, "clinical-note": theirs,
	"LP173421-1": theirs,
}

// categoryWords are for senders without codes.
var categoryWords = map[string]Category{
	"laboratory": ours, "lab": ours, "labs": ours, "imaging": ours, "radiology": ours, "pathology": ours, "microbiology": ours,
	"haematology": ours, "hematology": ours, "chemistry": ours, "x-ray": ours, "laboratorio": ours, "vital signs": theirs, "survey": theirs,
	"social history": theirs, "exam": theirs, "procedure": theirs,
}

// categoryOf: one category of ours is enough; some senders add others.
func categoryOf(cs []fhir.CodeableConcept) Category {
	found := unsaid
	for _, c := range cs {
		for _, k := range c.Coding {
			switch categories[k.Code] {
			case ours:
				return ours
			case theirs:
				found = theirs
			}
		}
		switch categoryWords[fold(c.Text)] {
		case ours:
			return ours
		case theirs:
			found = theirs
		}
	}
	return found
}

var imagingCodes = []string{"imaging", "RAD", "IMG", "CT", "NMR", "NMS", "RUS", "OUS", "VUS", "CUS", "RX", "XRC", "LP29684-5", "18748-4"}

// kindOf looks at category, our own table, the specimen and the words of the code, in this order.
func kindOf(cs []fhir.CodeableConcept, code fhir.CodeableConcept, table map[string]test, specimen string) Kind {
	for _, c := range cs {
		for _, k := range c.Coding {
			if slices.Contains(imagingCodes, k.Code) {
				return Imaging
			}
		}
		if w := fold(c.Text); w == "imaging" || w == "radiology" || w == "x-ray" {
			return Imaging
		}
	}
	if t, ok := known(code, table); ok {
		return t.kind
	}
	for _, words := range []string{specimen, code.Text, displays(code)} {
		w := fold(words)
		switch {
		case hasAny(w, "urine", "orina", "urinalysis"):
			return Urine
		case hasAny(w, "blood", "serum", "plasma", "sangre", "suero", "venous", "red cell"):
			return Blood
		case hasAny(w, "stool", "faeces", "feces", "swab", "sputum", "saliva", "tissue", "biopsy", "fluid"):
			return Other
		}
	}
	return Other
}

func hasAny(s string, words ...string) bool {
	return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(s, w) })
}

func displays(c fhir.CodeableConcept) string {
	var all []string
	for _, k := range c.Coding {
		all = append(all, k.Display)
	}
	return strings.Join(all, " ")
}

func known(c fhir.CodeableConcept, table map[string]test) (test, bool) {
	for _, k := range c.Coding {
		if k.System == loinc || k.System == "" {
			if t, ok := table[k.Code]; ok {
				return t, true
			}
		}
	}
	return test{}, false
}

// A Name is what a test is called: by us in plain words, and by who reported it.
type Name struct {
	Key      string // of our plain words; "" if we have none
	Panel    bool   // the key is a panel's
	Change   string // key of what can change it; "" if nothing is said
	Reported string // as reported, without method brackets; may be ""
	Code     string // of a test that has a code and no words
}

// nameOf also returns what makes two results the same test: their codes, else their folded name.
func nameOf(c fhir.CodeableConcept, table map[string]test) (n Name, codes []string) {
	if t, ok := known(c, table); ok {
		n.Key, n.Change = t.key, t.change
	}
	n.Panel = n.Key != "" && table["57698-3"].key != ""
	label := clean(c.Text)
	for _, k := range c.Coding {
		if k.Code != "" {
			codes = append(codes, k.System+"|"+k.Code)
		}
		if label == "" {
			label = clean(k.Display)
		}
		if n.Code == "" {
			n.Code = clean(k.Code)
		}
	}
	n.Reported = tidyName(label)
	if n.Reported != "" {
		n.Code = ""
	}
	if len(codes) == 0 && n.Reported != "" {
		codes = []string{"text|" + fold(n.Reported)}
	}
	return n, codes
}

// tidyName takes the laboratory's shorthand out of a LOINC name: "Leukocytes [#/volume] in Blood by Automated count".
func tidyName(s string) string {
	for {
		i := strings.IndexByte(s, '[')
		if i < 0 {
			break
		}
		j := strings.IndexByte(s[i:], ']')
		if j < 0 || len(s[:i])+len(s[i+j+1:]) < 3 {
			break
		}
		s = s[:i] + s[i+j+1:]
	}
	for _, tail := range []string{" by Automated count", " by Manual count", " by calculation", " by Test strip", " by High sensitivity method", " by Immunologic method", " - Serum or Plasma", " - Blood", " panel"} {
		s = strings.TrimSuffix(strings.TrimSpace(s), tail)
	}
	s = strings.TrimSuffix(clean(s), " IgE Ab in Serum")
	return clean(s)
}

func taken(at, instant fhir.DateTime, p *fhir.Period) fhir.DateTime {
	switch {
	case at.Precision() != fhir.Unknown:
		return at
	case instant.Precision() != fhir.Unknown:
		return instant
	case p != nil && p.Start.Precision() != fhir.Unknown:
		return p.Start
	case p != nil:
		return p.End
	}
	return ""
}

func first(refs []fhir.Reference) fhir.Reference {
	if len(refs) == 0 {
		return fhir.Reference{}
	}
	return refs[0]
}

func specimenWords(r fhir.Reference, in Input) string {
	if r.Display != "" {
		return r.Display
	}
	if in.Specimen != nil && r.Reference != "" {
		return in.Specimen(r)
	}
	return ""
}

// local is the reference without version or server, or "".
func local(r fhir.Reference) string {
	typ, id, ok := r.TypeID()
	if !ok {
		return ""
	}
	return typ + "/" + id
}

// paragraphs splits a report's text, keeping its line breaks.
func paragraphs(s string) []string {
	var all []string
	for p := range strings.SplitSeq(strings.ReplaceAll(s, "\r\n", "\n"), "\n\n") {
		if p = strings.TrimSpace(p); p != "" {
			all = append(all, p)
		}
	}
	return all
}

// attach gives every comment to the results it is about. A comment that reached the record since the last visit makes
// its result new.
func (b *Book) attach(in Input) {
	for _, e := range in.Comments {
		ci := fhir.Into[fhir.ClinicalImpression](e.Resource)
		c := Comment{ID: e.ID(), Text: strings.TrimSpace(ci.Summary), At: ci.Date, By: ci.Assessor, Updated: e.Updated, Withdrawn: ci.Status == "entered-in-error"}
		if c.At == "" {
			c.At = ci.EffectiveDateTime
		}
		if ci.Status == "in-progress" || (c.Text == "" && !c.Withdrawn) {
			continue // a draft is not for the patient yet
		}
		if c.Withdrawn {
			c.Text = ""
		}
		c.New = isNew(e.Updated, c.At, in)
		c.About = about(ci)
		for _, ref := range c.About {
			if r := b.byRef[ref]; r != nil {
				r.Comments = append(r.Comments, c)
				r.New = r.New || (c.New && !c.Withdrawn)
			}
		}
	}
	for _, r := range b.byRef {
		slices.SortStableFunc(r.Comments, func(x, y Comment) int { return y.At.Compare(x.At) })
	}
}

// about lists what a comment is about, each once. FHIR puts observations under finding and reports under investigation;
// some systems put reports under finding as well.
func about(ci fhir.ClinicalImpression) []string {
	var refs []string
	for _, f := range ci.Finding {
		refs = append(refs, local(f.ItemReference))
	}
	for _, i := range ci.Investigation {
		for _, ref := range i.Item {
			refs = append(refs, local(ref))
		}
	}
	slices.Sort(refs)
	return slices.Compact(refs)
}

// Filter is what the reader asked to see.
type Filter struct {
	Only  string // "", new, flagged, commented, blood, urine, imaging, other
	Words string // folded and split; each must be found
}

// Filters in the order of the page.
var Filters = []string{"", "new", "flagged", "commented", string(Blood), string(Urine), string(Imaging), string(Other)}

func (f Filter) lets(r *Result) bool {
	switch f.Only {
	case "":
		return true
	case "new":
		return r.New
	case "flagged":
		return r.Flagged()
	case "commented":
		return r.Commented()
	}
	return string(r.Kind) == f.Only
}

// Pick returns the groups that have something of f left, with only that in them. names are the words that a result
// can be found by, in the reader's language.
func (b *Book) Pick(f Filter, names func(*Result) string) []Group {
	words := strings.Fields(fold(f.Words))
	keep := func(r *Result) bool {
		if !f.lets(r) {
			return false
		}
		if len(words) == 0 {
			return true
		}
		text := fold(names(r))
		return !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(text, w) })
	}
	var out []Group
	for _, g := range b.Groups {
		n := Group{Report: g.Report}
		whole := g.Report != nil && keep(g.Report)
		for _, r := range g.Items {
			if keep(r) {
				n.Items = append(n.Items, r)
			}
		}
		if whole && len(n.Items) == 0 && f.Only != "flagged" && f.Only != "new" {
			n.Items = g.Items // the report itself was meant
		}
		if whole || len(n.Items) > 0 {
			out = append(out, n)
		}
	}
	return out
}

// Pages cuts groups into pages of about size rows; a group is never cut.
func Pages(groups []Group, size int) [][]Group {
	var pages [][]Group
	rows := 0
	for _, g := range groups {
		n := max(1, len(g.Items))
		if len(pages) == 0 || rows+n > size {
			pages = append(pages, nil)
			rows = 0
		}
		pages[len(pages)-1] = append(pages[len(pages)-1], g)
		rows += n
	}
	return pages
}

// fold makes words comparable: case, accents, Arabic vowel signs and letter forms, width.
func fold(s string) string {
	s = norm.NFKD.String(clean(s))
	s = strings.Map(func(r rune) rune {
		switch r {
		case 'ـ':
			return -1
		case 'أ', 'إ', 'آ', 'ٱ':
			return 'ا'
		case 'ى':
			return 'ي'
		case 'ة':
			return 'ه'
		}
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return unicode.ToLower(r)
	}, s)
	return strings.TrimSpace(s)
}
