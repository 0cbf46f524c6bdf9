package demo

import (
	"fmt"
	"time"

	"github.com/wellgate/wellgate/fhir"
)

const (
	practiceName  = "Willowbrook Health & Dental"
	practicePhone = "(608) 555-0100"
	zoneName      = "America/Chicago"
	town          = "Fairhollow"
	state         = "WI"
)

// A directory is what all patients share.
type directory struct {
	namer
	all      []fhir.Resource
	staff    []StaffMember
	practice fhir.Reference
	rooms    [3]fhir.Reference // medical, dental, phone
	refs     []named           // staff and outside organizations by key
	pictures [4][]byte         // dental X-rays: two mouths, each healthy and with bone loss
	err      error
}

type named struct {
	key string
	ref fhir.Reference
}

// worker is a row of the staff table.
type worker struct {
	key, given, family, prefix, suffix string
	role, title                        string // identity role; words on the page
	taxonomy, specialty                string // NUCC code where we are sure of it
	sex                                string
	languages                          []string
	hero                               bool
	story                              string
}

var workers = []worker{
	{key: "nair", given: "Priya", family: "Nair", prefix: "Dr.", suffix: "MD", role: "clinician", title: "Family doctor", taxonomy: "207Q00000X", specialty: "Family medicine", sex: "female", languages: []string{"en", "hi"}, hero: true, story: "the family doctor: comment on a result and see it arrive"},
	{key: "okafor", given: "Sam", family: "Okafor", suffix: "RN", role: "nurse", title: "Nurse", taxonomy: "163W00000X", specialty: "Nursing", sex: "male", languages: []string{"en"}, story: "the nurse"},
	{key: "osei", given: "Daniel", family: "Osei", prefix: "Dr.", suffix: "DDS", role: "dentist", title: "Dentist", taxonomy: "122300000X", specialty: "Dentistry", sex: "male", languages: []string{"en", "fr"}, story: "the dentist"},
	{key: "lindqvist", given: "Ingrid", family: "Lindqvist", suffix: "RDH", role: "hygienist", title: "Dental hygienist", taxonomy: "124Q00000X", specialty: "Dental hygiene", sex: "female", languages: []string{"en", "sv"}, story: "the dental hygienist"},
	{key: "vega", given: "Marisol", family: "Vega", role: "front-desk", title: "Front desk", sex: "female", languages: []string{"en", "es"}, hero: true, story: "the front desk: find a patient by two details and a reason"},
	{key: "brannigan", given: "Tom", family: "Brannigan", role: "billing", title: "Billing", sex: "male", languages: []string{"en"}, story: "billing"},
	{key: "adeyemi", given: "Ruth", family: "Adeyemi", role: "privacy-officer", title: "Privacy officer", sex: "female", languages: []string{"en"}, story: "the privacy officer"},
	{key: "watanabe", given: "Kenji", family: "Watanabe", role: "administrator", title: "Practice manager", sex: "male", languages: []string{"en", "ja"}, story: "the practice manager"},
}

// insurers are invented payers; a person's payer is an index.
var insurers = []string{"Prairie Mutual Health Plan", "Lakeland Employee Plan", "Senior Care Federal Plan", "Badger Family Assistance"}

const dentalInsurer = "Heartland Dental Benefit"

// outsiders are organizations whose letters and results arrive.
var outsiders = []struct{ key, name, kind, line string }{
	{"lab", "Riverbend Reference Laboratory", "Diagnostic laboratory", "400 Canal Street"},
	{"eyes", "Lakeside Eye Clinic", "Eye clinic", "18 Shore Road"},
	{"heart", "Northgate Heart Clinic", "Heart clinic", "2200 Northgate Avenue"},
	{"kidney", "Ridgeview Kidney Clinic", "Kidney clinic", "71 Ridge Road"},
	{"imaging", "Fairhollow Imaging", "X-ray and scans", "6 Depot Street"},
	{"pharmacy", "Corner Pharmacy", "Pharmacy", "9 Main Street"},
}

func newDirectory(seed uint64, now time.Time) (*directory, error) {
	d := &directory{namer: namer{seed: seed, owner: "directory"}}
	d.addPractice()
	for _, o := range outsiders {
		d.organization(o.key, o.name, o.kind, o.line, "prov")
	}
	for i, n := range insurers {
		d.organization(fmt.Sprint("payer", i), n, "Health plan", "PO Box 1", "pay")
	}
	d.organization("dentalpayer", dentalInsurer, "Dental plan", "PO Box 2", "pay")
	for i := range workers {
		d.addWorker(i, now)
	}
	for i := range d.pictures {
		b, err := xray(i/2+1, i%2 == 1)
		if err != nil {
			return nil, err
		}
		d.pictures[i] = b
	}
	return d, d.err
}

// at is the reference of a member of staff or an outside organization.
func (d *directory) at(key string) fhir.Reference {
	for _, n := range d.refs {
		if n.key == key {
			return n.ref
		}
	}
	panic("demo: nobody in the directory is called " + key)
}

func workerOf(key string) *worker {
	for i := range workers {
		if workers[i].key == key {
			return &workers[i]
		}
	}
	panic("demo: no member of staff is called " + key)
}

func (w *worker) name() string {
	s := w.given + " " + w.family
	if w.prefix != "" {
		s = w.prefix + " " + s
	}
	return s
}

func (d *directory) add(v any) string {
	r, err := fhir.New(v)
	if err != nil {
		if d.err == nil {
			d.err = fmt.Errorf("demo: author the directory's %T: %w", v, err)
		}
		return ""
	}
	d.all = append(d.all, r)
	return r.Ref()
}

func address(line string) fhir.Address {
	return fhir.Address{Use: "work", Line: []string{line}, City: town, State: state, PostalCode: "53999", Country: "US"}
}

func (d *directory) addPractice() {
	where := address("12 Mill Lane")
	d.practice = fhir.Reference{Display: practiceName, Reference: d.add(fhir.Organization{
		ID: d.next(), Meta: profile("us-core-organization"), Active: new(true), Name: practiceName,
		Identifier: []fhir.Identifier{{System: "http://hl7.org/fhir/sid/us-npi", Value: npi(100)}},
		Type:       one(hl7Code("organization-type", "prov", "Healthcare provider")),
		Telecom:    []fhir.ContactPoint{{System: "phone", Value: practicePhone, Use: "work"}, {System: "email", Value: "front.desk@example.com", Use: "work"}},
		Address:    []fhir.Address{where},
	})}
	for i, room := range []struct{ name, about string }{
		{"Willowbrook medical rooms", "Ground floor, step-free. Check in at the front desk."},
		{"Willowbrook dental rooms", "First floor, with a lift. Check in at the front desk."},
		{"By phone", "We ring you. Be somewhere quiet if you can."},
	} {
		d.rooms[i] = fhir.Reference{Display: room.name, Reference: d.add(fhir.Location{
			ID: d.next(), Meta: profile("us-core-location"), Status: "active", Name: room.name, Description: room.about, Mode: "instance",
			Type:    one(fhir.TextConcept("Clinic")),
			Telecom: []fhir.ContactPoint{{System: "phone", Value: practicePhone, Use: "work"}},
			Address: &where, ManagingOrganization: d.practice,
		})}
	}
}

func (d *directory) organization(key, name, kind, line, code string) {
	r := d.add(fhir.Organization{
		ID: d.next(), Meta: profile("us-core-organization"), Active: new(true), Name: name,
		Type:    one(hl7Code("organization-type", code, kind)),
		Telecom: []fhir.ContactPoint{{System: "phone", Value: fmt.Sprintf("(608) 555-01%02d", 80+len(d.refs)), Use: "work"}},
		Address: []fhir.Address{address(line)},
	})
	d.refs = append(d.refs, named{key, fhir.Reference{Reference: r, Display: name}})
}

func (d *directory) addWorker(i int, now time.Time) {
	w := &workers[i]
	name := fhir.HumanName{Use: "official", Text: w.name(), Family: w.family, Given: []string{w.given}}
	if w.prefix != "" {
		name.Prefix = []string{w.prefix}
	}
	if w.suffix != "" {
		name.Suffix = []string{w.suffix}
	}
	p := fhir.Practitioner{
		ID: d.next(), Meta: profile("us-core-practitioner"), Active: new(true), Name: []fhir.HumanName{name}, Gender: w.sex,
		Identifier: []fhir.Identifier{{System: local + "staff", Value: fmt.Sprintf("S%03d", 101+i)}},
		Telecom:    []fhir.ContactPoint{{System: "phone", Value: fmt.Sprintf("(608) 555-01%02d", 1+i), Use: "work"}, {System: "email", Value: w.login(), Use: "work"}},
		Address:    []fhir.Address{address("12 Mill Lane")},
	}
	if w.taxonomy != "" {
		p.Identifier = append([]fhir.Identifier{{System: "http://hl7.org/fhir/sid/us-npi", Value: npi(101 + i)}}, p.Identifier...)
		p.Qualification = []fhir.PractitionerQualification{{Code: fhir.TextConcept(w.specialty)}}
	}
	for _, lang := range w.languages {
		p.Communication = append(p.Communication, language(lang))
	}
	who := fhir.Reference{Reference: d.add(p), Display: w.name()}
	d.refs = append(d.refs, named{w.key, who})
	role := fhir.PractitionerRole{
		ID: d.next(), Meta: profile("us-core-practitionerrole"), Active: new(true), Practitioner: who, Organization: d.practice,
		Period:   &fhir.Period{Start: day(now.AddDate(-7, -i, 0))},
		Code:     one(fhir.TextConcept(w.title)),
		Location: []fhir.Reference{d.rooms[0]},
		Telecom:  []fhir.ContactPoint{{System: "phone", Value: practicePhone, Use: "work"}},
	}
	if w.role == "dentist" || w.role == "hygienist" {
		role.Location = []fhir.Reference{d.rooms[1]}
	}
	if w.taxonomy != "" {
		role.Specialty = one(fhir.Concept("http://nucc.org/provider-taxonomy", w.taxonomy, w.specialty))
	}
	d.add(role)
	d.staff = append(d.staff, StaffMember{Practitioner: who.Reference, Name: w.name(), Login: w.login(), Role: w.role, Hero: w.hero, Story: w.story})
}

func (w *worker) login() string { return fold(w.given) + "." + fold(w.family) + "@example.com" }

// npi makes a number with a right check digit in a range that is not given out (real ones begin with 1 or 2).
func npi(n int) string {
	s := fmt.Sprintf("9%08d", n)
	sum := 24 // the prefix 80840
	for i := range s {
		v := int(s[i] - '0')
		if (len(s)-i)%2 == 1 {
			if v *= 2; v > 9 {
				v -= 9
			}
		}
		sum += v
	}
	return s + fmt.Sprint((10-sum%10)%10)
}

func language(code string) fhir.CodeableConcept {
	names := map[string]string{"en": "English", "es": "Spanish", "ar": "Arabic", "zh": "Chinese", "ja": "Japanese", "ru": "Russian", "hi": "Hindi", "fr": "French", "sv": "Swedish", "vi": "Vietnamese"}
	return fhir.CodeableConcept{Coding: []fhir.Coding{{System: "urn:ietf:bcp:47", Code: code, Display: names[code]}}, Text: names[code]}
}
