package fhir

import "strings"

// Label is what a person may read: the text, else the first display, else the first code.
func (c CodeableConcept) Label() string {
	if t := strings.TrimSpace(c.Text); t != "" {
		return t
	}
	for _, k := range c.Coding {
		if k.Display != "" {
			return k.Display
		}
	}
	for _, k := range c.Coding {
		if k.Code != "" {
			return k.Code
		}
	}
	return ""
}

// Code is the code that c has in system, or "".
func (c CodeableConcept) Code(system string) string {
	for _, k := range c.Coding {
		if k.System == system {
			return k.Code
		}
	}
	return ""
}

// Has reports whether c has the code in the system; an empty system matches any.
func (c CodeableConcept) Has(system, code string) bool {
	for _, k := range c.Coding {
		if k.Code == code && (system == "" || k.System == system) {
			return true
		}
	}
	return false
}

// Display is the name in its own order: the text if there is one (it knows the script's order), else
// prefix, given names, family, suffix.
func (n HumanName) Display() string {
	if t := strings.TrimSpace(n.Text); t != "" {
		return t
	}
	var parts []string
	for _, group := range [][]string{n.Prefix, n.Given, {n.Family}, n.Suffix} {
		for _, p := range group {
			if p = strings.TrimSpace(p); p != "" {
				parts = append(parts, p)
			}
		}
	}
	return strings.Join(parts, " ")
}

// BestName chooses among names: usual, then official, then one without a use, then any that is not old, maiden or
// temporary, then any. Names without content are passed over. Zero if there is none.
func BestName(names []HumanName) HumanName {
	rank := map[string]int{"usual": 0, "official": 1, "": 2, "nickname": 3, "anonymous": 3, "temp": 4, "maiden": 5, "old": 5}
	best, found := 9, HumanName{}
	for _, n := range names {
		r, known := rank[n.Use]
		if !known {
			r = 3
		}
		if r < best && n.Display() != "" {
			best, found = r, n
		}
	}
	return found
}

// DisplayName is how the person is called, or "".
func (p Patient) DisplayName() string       { return BestName(p.Name).Display() }
func (p Practitioner) DisplayName() string  { return BestName(p.Name).Display() }
func (p RelatedPerson) DisplayName() string { return BestName(p.Name).Display() }

// TypeID splits a literal reference "Patient/1", "Patient/1/_history/2" or "https://host/fhir/Patient/1";
// false for contained (#x), urn: and conditional references.
func (r Reference) TypeID() (typ, id string, ok bool) { return SplitRef(r.Reference) }

// RefTo is the reference to a resource.
func RefTo(r Resource) Reference { return Reference{Reference: r.Ref()} }

// Concept makes a CodeableConcept of one coding, whose display is also its text; TextConcept one of words alone.
func Concept(system, code, display string) CodeableConcept {
	return CodeableConcept{Coding: []Coding{{System: system, Code: code, Display: display}}, Text: display}
}
func TextConcept(s string) CodeableConcept { return CodeableConcept{Text: s} }

// SplitRef is Reference.TypeID on the reference's text.
func SplitRef(ref string) (typ, id string, ok bool) {
	if ref == "" || ref[0] == '#' || strings.HasPrefix(ref, "urn:") || strings.ContainsAny(ref, "?|") {
		return "", "", false
	}
	ref, _, _ = strings.Cut(ref, "#")
	if i := strings.Index(ref, "/_history"); i >= 0 && (len(ref) == i+9 || ref[i+9] == '/') {
		ref = ref[:i]
	}
	slash := strings.LastIndexByte(ref, '/')
	if slash < 0 {
		return "", "", false
	}
	typ, id = ref[:slash], ref[slash+1:]
	typ = typ[strings.LastIndexByte(typ, '/')+1:]
	return typ, id, KnownType(typ) && ValidID(id)
}

// ValidID reports whether id is a FHIR id: 1 to 64 of A-Z a-z 0-9 - .
func ValidID(id string) bool {
	if len(id) == 0 || len(id) > 64 {
		return false
	}
	for i := range len(id) {
		c := id[i]
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '.') {
			return false
		}
	}
	return true
}
