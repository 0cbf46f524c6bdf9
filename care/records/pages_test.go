package records

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/wellgate/wellgate/trust/chart"
	"github.com/wellgate/wellgate/trust/identity"
	"github.com/wellgate/wellgate/trust/policy"
)

// entry is how to make entry %d of each list, and where it is read.
var entries = map[string]string{
	"/medicines":  `{"resourceType":"MedicationRequest","id":"e%[1]d","status":"active","intent":"order","subject":{"reference":"Patient/me"},"medicationCodeableConcept":{"text":"Entry %[1]d"},"authoredOn":"2024-01-02"}`,
	"/conditions": `{"resourceType":"Condition","id":"e%[1]d","clinicalStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/condition-clinical","code":"active"}]},"subject":{"reference":"Patient/me"},"code":{"text":"Entry %[1]d"}}`,
	"/allergies":  `{"resourceType":"AllergyIntolerance","id":"e%[1]d","patient":{"reference":"Patient/me"},"code":{"text":"Entry %[1]d"}}`,
	"/vaccines":   `{"resourceType":"Immunization","id":"e%[1]d","status":"completed","patient":{"reference":"Patient/me"},"vaccineCode":{"text":"Entry %[1]d"},"occurrenceDateTime":"2024"}`,
	"/vitals":     `{"resourceType":"Observation","id":"e%[1]d","status":"final","category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"vital-signs"}]}],"subject":{"reference":"Patient/me"},"code":{"text":"Entry %[1]d"},"valueQuantity":{"value":1.5,"unit":"x"}}`,
	"/visits":     `{"resourceType":"Encounter","id":"e%[1]d","status":"finished","class":{"code":"AMB"},"type":[{"text":"Entry %[1]d"}],"subject":{"reference":"Patient/me"},"period":{"start":"2024-03"}}`,
	"/notes":      `{"resourceType":"DocumentReference","id":"e%[1]d","status":"current","category":[{"coding":[{"code":"clinical-note"}]}],"subject":{"reference":"Patient/me"},"type":{"text":"Entry %[1]d"},"content":[{"attachment":{"contentType":"text/plain","data":"SGVsbG8="}}]}`,
	"/documents":  `{"resourceType":"DocumentReference","id":"e%[1]d","status":"current","subject":{"reference":"Patient/me"},"type":{"text":"Entry %[1]d"},"content":[{"attachment":{"contentType":"text/plain","data":"SGVsbG8="}}]}`,
	"/procedures": `{"resourceType":"Procedure","id":"e%[1]d","status":"completed","subject":{"reference":"Patient/me"},"code":{"text":"Entry %[1]d"}}`,
}

var plainPages = []string{"/record", "/medicines", "/conditions", "/allergies", "/vaccines", "/vitals", "/visits", "/notes",
	"/documents", "/care-team", "/procedures", "/plan", "/timeline", "/timeline?kind=visit", "/documents?kind=none", "/visits?page=99", "/visits?page=x"}

// TestNothing: an empty record reads sensibly everywhere, in each language and in both frames.
func TestNothing(t *testing.T) {
	p := open(t)
	for _, lang := range []string{"en", "es", "ar"} {
		for _, url := range plainPages {
			for _, who := range []identity.Who{p.amina(), p.staff(identity.Clinician)} {
				pg := p.page(who, lang, url)
				pg.sound(lang + " " + url)
				if url != "/record" && !strings.HasPrefix(url, "/allergies") {
					if len(pg.all("main .empty")) != 1 {
						t.Errorf("%s %s: an empty list must say so", lang, url)
					}
				}
			}
		}
	}
	p.page(p.amina(), "en", "/allergies").has("main .note", "No allergies are written down here")
	p.page(p.amina(), "en", "/allergies").lacks("main", "No known allergies")
	p.page(p.amina(), "ar", "/medicines").has("main", "لا توجد أدوية مسجلة")
	p.page(p.amina(), "es", "/medicines").has("main", "No hay medicinas anotadas")
}

func TestOneAndAThousand(t *testing.T) {
	for url, format := range entries {
		t.Run(url, func(t *testing.T) {
			p := open(t, fmt.Sprintf(format, 0))
			one := p.page(p.amina(), "en", url)
			one.sound(url)
			one.has("main .list", "Entry 0")
			one.count("main .pager", 0)
			p.deliver(many(1000, format)...)
			first := p.page(p.amina(), "en", url)
			first.sound(url)
			first.count("main .list li", PerPage)
			first.has("main", "Showing 1 to 50 of 1000")
			first.count("main .pager a", 1)
			last := p.page(p.amina(), "en", url+"?page=20")
			last.count("main .list li", PerPage)
			last.has("main", "Showing 951 to 1000 of 1000")
			p.page(p.amina(), "en", url+"?page=19").count("main .pager a", 2)
			seen := map[string]bool{}
			for n := range 20 {
				for _, h := range p.page(p.amina(), "en", fmt.Sprintf("%s?page=%d", url, n+1)).all("main .list .t") {
					seen[text(h)] = true
				}
			}
			if len(seen) != 1000 {
				t.Errorf("%d different entries over all pages, want 1000", len(seen))
			}
			p.page(p.amina(), "en", "/record").sound("/record")
			p.page(p.staff(identity.Nurse), "ar", "/record").sound("/record on the desk")
			p.page(p.amina(), "en", "/timeline").sound("/timeline")
		})
	}
}

const odd = "\u003cscript\u003ealert(1)\u003c/script\u003e"

// TestOddEntries: what is missing is said, what was ruled out is not shown as true, what is hostile is text.
func TestOddEntries(t *testing.T) {
	p := open(t,
		`{"resourceType":"Condition","id":"c1","subject":{"reference":"Patient/me"}}`,
		`{"resourceType":"Condition","id":"c2","subject":{"reference":"Patient/me"},"code":{"text":"Cancer"},"clinicalStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/condition-clinical","code":"active"}]},"verificationStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/condition-ver-status","code":"refuted"}]}}`,
		`{"resourceType":"Condition","id":"c3","subject":{"reference":"Patient/me"},"code":{"text":"Typo disease"},"verificationStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/condition-ver-status","code":"entered-in-error"}]}}`,
		`{"resourceType":"Condition","id":"c4","subject":{"reference":"Patient/me"},"code":{"coding":[{"system":"http://snomed.info/sct","code":"38341003","display":"Hypertensive disorder"}]},"clinicalStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/condition-clinical","code":"active"}]},"onsetDateTime":"2019"}`,
		`{"resourceType":"Condition","id":"c5","subject":{"reference":"Patient/me"},"code":{"text":"`+odd+`"},"clinicalStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/condition-clinical","code":"active"}]},"note":[{"text":"`+odd+`"}]}`,
		`{"resourceType":"MedicationRequest","id":"m1","status":"active","intent":"order","subject":{"reference":"Patient/me"},"medicationReference":{"reference":"Medication/nowhere"},"requester":{"reference":"Practitioner/nobody"}}`,
		`{"resourceType":"MedicationRequest","id":"m2","status":"entered-in-error","intent":"order","subject":{"reference":"Patient/me"},"medicationCodeableConcept":{"text":"Wrongamab"}}`,
		`{"resourceType":"Immunization","id":"i1","status":"not-done","patient":{"reference":"Patient/me"},"vaccineCode":{"text":"Flu jab"},"occurrenceDateTime":"2024-10","statusReason":{"text":"Had a cold"}}`,
		`{"resourceType":"Encounter","id":"v1","status":"cancelled","class":{"code":"AMB"},"subject":{"reference":"Patient/me"}}`,
		`{"resourceType":"AllergyIntolerance","id":"a1","patient":{"reference":"Patient/me"},"code":{"coding":[{"system":"http://snomed.info/sct","code":"716186003"}]},"recordedDate":"2025-03-04"}`)
	amina := p.amina()
	c := p.page(amina, "en", "/conditions")
	c.sound("/conditions")
	c.has("main .list", "Not named", "High blood pressure", "Hypertensive disorder", "Since 2019", "<script>alert(1)</script>")
	c.lacks("main", "Typo disease")
	c.has("main section", "Checked and ruled out")
	c.count("main script", 0)
	for _, s := range c.all("main section") {
		if strings.HasPrefix(text(s), "Now") && strings.Contains(text(s), "Cancer") {
			t.Error("a refuted condition stands among what is there now")
		}
	}
	m := p.page(amina, "en", "/medicines")
	m.has("main .list", "Not named", "Follow the label")
	m.lacks("main", "Wrongamab")
	p.page(amina, "en", "/vaccines").has("main .list", "Flu jab", "Not given: Had a cold", "Oct")
	p.page(amina, "en", "/visits").has("main .list", "Visit to the practice", "Cancelled", "Date not known")
	p.page(amina, "en", "/allergies").has("main .note", "No known allergies", "Checked on 4 Mar 2025")
	tl := p.page(amina, "en", "/timeline")
	tl.has("main .time", "Checked and ruled out", "Date not known", "Not given")
	tl.lacks("main", "Typo disease", "Wrongamab")
	// No title holds anything of the record.
	for _, url := range plainPages {
		for _, word := range []string{"Cancer", "pressure", "Flu"} {
			p.page(amina, "en", url).lacks("head title", word)
		}
	}
}

func TestVisitPage(t *testing.T) {
	p := open(t,
		`{"resourceType":"Encounter","id":"v1","status":"finished","class":{"code":"AMB"},"type":[{"coding":[{"system":"http://snomed.info/sct","code":"185345009"}],"text":"Encounter for symptom"}],"subject":{"reference":"Patient/me"},"period":{"start":"2024-03-04T09:00:00Z","end":"2024-03-04T09:20:00Z"},"reasonCode":[{"text":"Sore throat"}],"participant":[{"individual":{"display":"Dr Nair"}}]}`,
		`{"resourceType":"Encounter","id":"v2","status":"entered-in-error","class":{"code":"AMB"},"subject":{"reference":"Patient/me"}}`,
		`{"resourceType":"DocumentReference","id":"d1","status":"current","category":[{"coding":[{"code":"clinical-note"}]}],"subject":{"reference":"Patient/me"},"context":{"encounter":[{"reference":"Encounter/v1"}]},"content":[{"attachment":{"contentType":"text/plain","data":"IyBQbGFuClJlc3QgYW5kIGRyaW5rLgoKLSBjb21lIGJhY2sgaWYgd29yc2U="}}]}`,
		`{"resourceType":"DiagnosticReport","id":"r1","status":"final","code":{"text":"Throat swab"},"subject":{"reference":"Patient/me"},"encounter":{"reference":"Encounter/v1"}}`,
		`{"resourceType":"Procedure","id":"p1","status":"completed","code":{"text":"Swab taken"},"subject":{"reference":"Patient/me"},"encounter":{"reference":"Encounter/v1"}}`,
		`{"resourceType":"Immunization","id":"i1","status":"completed","vaccineCode":{"text":"Other day's jab"},"patient":{"reference":"Patient/me"},"encounter":{"reference":"Encounter/v9"},"occurrenceDateTime":"2024"}`,
		`{"resourceType":"Observation","id":"o1","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"8310-5"}]},"subject":{"reference":"Patient/me"},"encounter":{"reference":"Encounter/v1"},"valueQuantity":{"value":38.4,"unit":"Cel","code":"Cel"}}`)
	pg := p.page(p.amina(), "en", "/visits/v1")
	pg.sound("/visits/v1")
	pg.has("h1", "Visit about a symptom")
	pg.has("main", "Dr Nair", "Sore throat", "Monday 4 March 2024, 9:00 am to 9:20 am", "Rest and drink.", "come back if worse", "Swab taken", "38.4 °C")
	pg.has("main h3", "Plan")
	pg.lacks("main", "Other day")
	found := false
	for _, a := range pg.all("main a") {
		found = found || attr(a, "href") == "/results/r1" && strings.Contains(text(a), "Throat swab")
	}
	if !found {
		t.Error("the result of the visit is not linked")
	}
	for _, url := range []string{"/visits/v2", "/visits/none", "/documents/none", "/vitals/none", "/documents/d1/file?part=7", "/documents/d1/file?part=x"} {
		if p.visit(p.amina(), "en", url); !errors.Is(p.err, chart.ErrNotFound) {
			t.Errorf("%s: %v, want not found", url, p.err)
		}
	}
	desk := p.page(p.staff(identity.Dentist), "en", "/visits/v1")
	for _, a := range desk.all("main a") {
		if h := attr(a, "href"); !strings.HasPrefix(h, "/desk/") {
			t.Errorf("on the desk a link leads out of the record: %q", h)
		}
	}
}

func TestVitalPage(t *testing.T) {
	weight := `{"resourceType":"Observation","id":"w%[1]d","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"29463-7"}]},"subject":{"reference":"Patient/me"},"effectiveDateTime":"20%02[1]d-01-02","valueQuantity":{"value":7%[1]d.50,"unit":"kg"}}`
	p := open(t, append(many(3, weight),
		`{"resourceType":"Observation","id":"lb","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"29463-7"}]},"subject":{"reference":"Patient/me"},"effectiveDateTime":"1999","valueQuantity":{"value":150,"unit":"lb"}}`,
		`{"resourceType":"Observation","id":"bp","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"55284-4"}]},"subject":{"reference":"Patient/me"},"effectiveDateTime":"2024-01-02","component":[{"code":{"coding":[{"system":"http://loinc.org","code":"8480-6"}]},"valueQuantity":{"value":128,"unit":"mmHg"}},{"code":{"coding":[{"system":"http://loinc.org","code":"8462-4"}]},"valueQuantity":{"value":79,"unit":"mmHg"}}]}`,
		`{"resourceType":"Observation","id":"no","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"8867-4"}]},"subject":{"reference":"Patient/me"},"dataAbsentReason":{"coding":[{"code":"not-performed"}]}}`)...)
	pg := p.page(p.amina(), "en", "/vitals/29463-7")
	pg.sound("/vitals/29463-7")
	pg.has("h1", "Weight")
	pg.has("main", "72.50", "150 lb", "70.50")
	pg.lacks("head title", "Weight")
	p.page(p.amina(), "en", "/vitals/85354-9").has("main", "128/79")
	p.page(p.amina(), "ar", "/vitals/85354-9").has("main", "128/79", "ضغط الدم")
	p.page(p.amina(), "en", "/vitals/8867-4").has("main", "Not measured")
	p.page(p.amina(), "en", "/vitals").has("main .list", "72.50 kg", "128/79 mmHg", "Not measured")
}

func TestDocumentPage(t *testing.T) {
	doc := func(id, attachments string) string {
		return fmt.Sprintf(`{"resourceType":"DocumentReference","id":%q,"status":"current","type":{"text":"Letter"},"date":"2026-11-17T09:00:00Z","subject":{"reference":"Patient/me"},"content":[%s]}`, id, attachments)
	}
	const png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
	p := open(t,
		doc("text", `{"attachment":{"contentType":"text/plain","data":"RGVhciA8Yj5BbWluYTwvYj4sCgphbGwgaXMgd2VsbC4="}}`),
		doc("away", `{"attachment":{"contentType":"application/pdf","url":"https://elsewhere.example/secret.pdf","title":"secret.pdf"}}`),
		doc("gone", `{"attachment":{"contentType":"application/pdf","url":"Binary/gone"}}`),
		doc("none", `{"attachment":{"contentType":"application/pdf"}}`),
		doc("img", `{"attachment":{"contentType":"image/png","data":"`+png+`"}},{"attachment":{"contentType":"text/html","data":"PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg=="}}`),
		`{"resourceType":"Binary","id":"pdf1","contentType":"application/pdf","securityContext":{"reference":"Patient/me"},"data":"JVBERi0xLjcKaGVsbG8="}`,
		doc("pdf", `{"attachment":{"contentType":"application/pdf","url":"Binary/pdf1"}}`))
	amina := p.amina()
	txt := p.page(amina, "en", "/documents/text")
	txt.sound("/documents/text")
	txt.has("main .card p", "Dear <b>Amina</b>,", "all is well.")
	txt.count("main .card b", 0)
	for url, says := range map[string]string{"/documents/away": "kept somewhere else", "/documents/gone": "not here", "/documents/none": "not here"} {
		pg := p.page(amina, "en", url)
		pg.sound(url)
		pg.has("main .note", says, "(608) 555-0100")
		pg.lacks("main", "elsewhere.example", "Save a copy")
		if p.visit(amina, "en", url+"/file"); !errors.Is(p.err, chart.ErrNotFound) {
			t.Errorf("%s/file: %v, want not found", url, p.err)
		}
	}
	img := p.page(amina, "en", "/documents/img")
	img.sound("/documents/img")
	img.count("main img", 1)
	if src := attr(img.all("main img")[0], "src"); src != "/documents/img/file?part=0&show=1" {
		t.Errorf("the picture comes from %q", src)
	}
	img.has("main", "We can’t show this kind of file here")
	for url, want := range map[string][2]string{
		"/documents/img/file?part=0&show=1": {"image/png", "inline"},
		"/documents/img/file?part=0":        {"image/png", "attachment"},
		"/documents/img/file?part=1&show=1": {"application/octet-stream", "attachment"},
		"/documents/pdf/file?show=1":        {"application/pdf", "attachment"},
		"/documents/text/file":              {"text/plain; charset=utf-8", "attachment"},
	} {
		w := p.visit(amina, "en", url)
		if p.err != nil {
			t.Fatalf("%s: %v", url, p.err)
		}
		h := w.Header()
		if h.Get("Content-Type") != want[0] || !strings.HasPrefix(h.Get("Content-Disposition"), want[1]+`; filename="document-2026-11-17`) ||
			h.Get("Content-Security-Policy") != "sandbox; default-src 'none'" || h.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %v", url, h)
		}
		if h.Get("Content-Length") != fmt.Sprint(w.Body.Len()) {
			t.Errorf("%s: says %s bytes, sends %d", url, h.Get("Content-Length"), w.Body.Len())
		}
	}
	if b := p.visit(amina, "en", "/documents/pdf/file").Body.String(); b != "%PDF-1.7\nhello" {
		t.Errorf("the PDF came as %q", b)
	}
}

// TestDesk: who treats sees the essentials first; who does not sees nothing clinical, and no list that looks empty.
func TestDesk(t *testing.T) {
	p := open(t,
		`{"resourceType":"AllergyIntolerance","id":"a","criticality":"high","patient":{"reference":"Patient/me"},"code":{"text":"Penicillin"}}`,
		`{"resourceType":"Condition","id":"c","clinicalStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/condition-clinical","code":"active"}]},"subject":{"reference":"Patient/me"},"code":{"text":"Gout"}}`,
		`{"resourceType":"MedicationRequest","id":"m","status":"active","intent":"order","subject":{"reference":"Patient/me"},"medicationCodeableConcept":{"text":"Allopurinol"}}`,
		`{"resourceType":"DiagnosticReport","id":"r","status":"final","code":{"text":"Urate"},"subject":{"reference":"Patient/me"}}`)
	for _, role := range []identity.Role{identity.Clinician, identity.Nurse, identity.Dentist, identity.Hygienist} {
		pg := p.page(p.staff(role), "en", "/record")
		pg.sound("/record as " + string(role))
		pg.has("main", "Penicillin", "Can be serious", "Gout", "Allopurinol", "Urate")
		if first := pg.all("main section")[0]; !strings.Contains(text(first), "Penicillin") {
			t.Errorf("as %s the first card is %.80q, want the allergies", role, text(first))
		}
		pg.lacks("main", "Something wrong?")
	}
	for _, role := range []identity.Role{identity.FrontDesk, identity.Billing, identity.PrivacyOfficer} {
		pg := p.page(p.staff(role), "en", "/record")
		pg.has("main", "Your role does not show health information")
		pg.lacks("main", "Penicillin", "Gout", "Allopurinol", "Urate", "No allergies", "Nothing recorded")
		for _, url := range []string{"/medicines", "/allergies", "/documents", "/timeline"} {
			if p.visit(p.staff(role), "en", url); !errors.Is(p.err, policy.ErrDenied) {
				t.Errorf("%s as %s: %v, want denied", url, role, p.err)
			}
		}
	}
}

// TestGuard: nobody writes these types by hand, whichever door they come by.
func TestGuard(t *testing.T) {
	for typ, g := range Room().Guards {
		for who, allowed := range map[identity.Kind]bool{identity.System: true, identity.Staff: false, identity.Patient: false, "": false} {
			err := g(identity.Who{Kind: who, Role: identity.Clinician}, parse(t, `{"resourceType":"`+typ+`","id":"x"}`), parse(t, `{"resourceType":"`+typ+`","id":"x"}`))
			if (err == nil) != allowed {
				t.Errorf("%s by %q: %v", typ, who, err)
			}
		}
	}
}

func TestHomeCards(t *testing.T) {
	p := open(t, many(5, entries["/documents"])...)
	who := p.amina()
	cardsFor := func(who identity.Who) int {
		act := p.h.Begin(who, "home")
		c, err := p.h.Enter(context.Background(), act, policy.Page{Name: "home", Room: "home", Frame: "portal", Chart: p.num})
		if err != nil {
			t.Fatal(err)
		}
		cards, err := home(context.Background(), visitOf(p, who, c))
		if err != nil {
			t.Fatal(err)
		}
		return len(cards)
	}
	if n := cardsFor(who); n != 0 {
		t.Errorf("a first visit has nothing new, got %d cards", n)
	}
	who.Since = today.AddDate(0, 0, -1)
	if n := cardsFor(who); n != newDocuments+1 {
		t.Errorf("%d cards for 5 new documents, want %d and one for the rest", n, newDocuments)
	}
	who.Since = today.AddDate(0, 0, 1)
	if n := cardsFor(who); n != 0 {
		t.Errorf("%d cards though nothing came since", n)
	}
}
