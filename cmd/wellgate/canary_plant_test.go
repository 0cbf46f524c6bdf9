package main

import (
	"encoding/base64"
	"encoding/json"
	"strings"
)

// The planted patient: every value is found nowhere else, in many scripts, in every kind of place a record has.
var planted = map[string]string{
	"family name": "Quillfeather-Oyelaran", "given name": "Zephyrine", "name in Arabic": "زمرّدة الكنعانية", "name in Chinese": "歐陽翡翠蘭",
	"name in Cyrillic": "Звездослава", "name in Devanagari": "चन्द्रकलिका", "name in Greek": "Χρυσοβαλάντω", "maiden name": "Brockenhurst-Vane",
	"street": "4711 Marmalade Crescent", "town": "Wobblethorpe-on-Sea", "postal code": "QX77-9ZK", "phone": "+15550147263", "mobile": "+15550198342",
	"patient's e-mail": "zephyrine.q@canary.example", "record number": "MRN-88412093-K", "identity number": "943-77-XC61",
	"contact's name": "Balthazar Underwinter", "contact's phone": "+15550176644", "photo": "Q0FOQVJZLVBIT1RPLTc3",
	"lab's name": "Plumbago serum canary test", "lab's value in words": "faintly heliotrope sediment", "lab's note": "specimen haemolysed near Tuesday quokka",
	"report's conclusion": "pattern in keeping with snozzcumber exposure", "condition": "Recurrent marzipan palsy", "condition's note": "worse beside the gasworks kiosk",
	"allergy": "Allergy to velveteen rabbits", "reaction": "turned periwinkle overnight", "medicine": "Obecalp forte 17 mg",
	"dose": "Take two before the third trombone", "vaccine": "Vaccine against Tuesday fever", "lot number": "LOT-XK-552-QUAGGA",
	"visit's reason": "fell off a unicycle indoors", "procedure": "Removal of imaginary tooth", "note's title": "Letter about the heron incident",
	"note's text": "Patient reports that the herons follow her home", "appointment's description": "Talk about the heron diary",
	"goal": "Walk to the lighthouse weekly", "plan": "Plan for calmer herons", "unknown element": "zzExtensionMurmuration",
	"file's first words": "FIRSTBYTES-OF-A-SCANNED-PAGE", "file's last words": "LASTBYTES-BEHIND-MANY-PAGES", "family history": "grandmother juggled adders",
	"service request": "Please measure the heron index", "message": "Am I allowed to feed the herons now?",
}

// What people type while they use the portal.
const (
	typedComment  = "The plumbago is nothing to fear, dear Zephyrine, breathe out."
	typedOther    = "She telephoned about the herons at dawn"
	typedSearch   = "heliotropeish sedimentary wish"
	typedAgent    = "CanaryBrowser/77.3 (Marsupial OS)"
	typedName     = "Fitzwilliam-Nobody"
	typedLogin    = "nobody.canary@wrong.example"
	typedPassword = "trombone heron wrong guess"
	newPassword   = "velvet umbrella tidal 88 quokka"
	typedCode     = "K7QW-ZZ2M-HERN"
	typedIP       = "203.0.113.177"
)

// plantedBundle is the planted patient as a file. Each value of planted stands in it, plain or, in files, as base64.
func plantedBundle() []byte {
	p := planted
	padding := strings.Repeat("page after page of a scanned letter, ", 6000)
	file := base64.StdEncoding.EncodeToString([]byte("%PDF-1.4\n" + p["file's first words"] + padding + p["file's last words"]))
	note := base64.StdEncoding.EncodeToString([]byte(p["note's text"]))
	me := `"subject":{"reference":"Patient/canary"}`
	pat := `"patient":{"reference":"Patient/canary"}`
	lab := `"category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"laboratory"}]}]`
	clinical := func(kind, code string) string {
		return `"clinicalStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/` + kind + `","code":"` + code + `"}]}`
	}
	text := func(name string) string { b, _ := json.Marshal(p[name]); return string(b) }
	rs := []string{
		`{"resourceType":"Patient","id":"canary","zzMurmuration":` + text("unknown element") + `,"identifier":[{"type":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v2-0203","code":"MR"}]},"system":"urn:oid:1.2.3","value":` + text("record number") + `},{"system":"http://hl7.org/fhir/sid/us-ssn","value":` + text("identity number") + `}],
		"name":[{"use":"official","family":` + text("family name") + `,"given":[` + text("given name") + `]},{"text":` + text("name in Arabic") + `},{"text":` + text("name in Chinese") + `},{"text":` + text("name in Cyrillic") + `},{"text":` + text("name in Devanagari") + `},{"text":` + text("name in Greek") + `},{"use":"maiden","family":` + text("maiden name") + `}],
		"telecom":[{"system":"phone","value":` + text("phone") + `},{"system":"phone","use":"mobile","value":` + text("mobile") + `},{"system":"email","value":` + text("patient's e-mail") + `}],
		"gender":"female","birthDate":"1971-03-09","address":[{"line":[` + text("street") + `],"city":` + text("town") + `,"postalCode":` + text("postal code") + `}],"photo":[{"contentType":"image/png","data":` + text("photo") + `}],
		"contact":[{"name":{"text":` + text("contact's name") + `},"telecom":[{"system":"phone","value":` + text("contact's phone") + `}]}]}`,
		`{"resourceType":"Observation","id":"can-lab","status":"final",` + lab + `,"code":{"text":` + text("lab's name") + `},` + me + `,"effectiveDateTime":"2026-11-20T09:00:00Z","valueString":` + text("lab's value in words") + `,"note":[{"text":` + text("lab's note") + `}]}`,
		`{"resourceType":"DiagnosticReport","id":"can-rep","status":"final",` + strings.ReplaceAll(lab, "observation-category", "diagnostic-service-sections") + `,"code":{"text":` + text("lab's name") + `},` + me + `,"effectiveDateTime":"2026-11-20T09:00:00Z","result":[{"reference":"Observation/can-lab"}],"conclusion":` + text("report's conclusion") + `}`,
		`{"resourceType":"Condition","id":"can-con",` + clinical("condition-clinical", "active") + `,"code":{"text":` + text("condition") + `},` + me + `,"note":[{"text":` + text("condition's note") + `}]}`,
		`{"resourceType":"AllergyIntolerance","id":"can-all",` + clinical("allergyintolerance-clinical", "active") + `,"code":{"text":` + text("allergy") + `},` + pat + `,"reaction":[{"manifestation":[{"text":` + text("reaction") + `}]}]}`,
		`{"resourceType":"MedicationRequest","id":"can-med","status":"active","intent":"order","medicationCodeableConcept":{"text":` + text("medicine") + `},` + me + `,"dosageInstruction":[{"text":` + text("dose") + `}]}`,
		`{"resourceType":"Immunization","id":"can-imm","status":"completed","vaccineCode":{"text":` + text("vaccine") + `},` + pat + `,"occurrenceDateTime":"2025-10-01","lotNumber":` + text("lot number") + `}`,
		`{"resourceType":"Encounter","id":"can-enc","status":"finished","class":{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"AMB"},` + me + `,"period":{"start":"2026-10-01T10:00:00Z"},"reasonCode":[{"text":` + text("visit's reason") + `}]}`,
		`{"resourceType":"Procedure","id":"can-pro","status":"completed","code":{"text":` + text("procedure") + `},` + me + `,"performedDateTime":"2026-09-01"}`,
		`{"resourceType":"DocumentReference","id":"can-doc","status":"current","type":{"text":` + text("note's title") + `},"description":` + text("note's title") + `,` + me + `,"date":"2026-10-02T10:00:00Z","content":[{"attachment":{"contentType":"text/plain","data":"` + note + `"}}]}`,
		`{"resourceType":"DocumentReference","id":"can-scan","status":"current","type":{"text":"Scan"},` + me + `,"date":"2026-10-03T10:00:00Z","content":[{"attachment":{"contentType":"application/pdf","url":"Binary/can-bin"}}]}`,
		`{"resourceType":"Binary","id":"can-bin","contentType":"application/pdf","data":"` + file + `"}`,
		`{"resourceType":"Appointment","id":"can-app","status":"booked","description":` + text("appointment's description") + `,"start":"2026-12-01T10:00:00Z","end":"2026-12-01T10:20:00Z","participant":[{"actor":{"reference":"Patient/canary"},"status":"accepted"}]}`,
		`{"resourceType":"Goal","id":"can-goal","lifecycleStatus":"active","description":{"text":` + text("goal") + `},` + me + `}`,
		`{"resourceType":"CarePlan","id":"can-plan","status":"active","intent":"plan","title":` + text("plan") + `,` + me + `}`,
		`{"resourceType":"FamilyMemberHistory","id":"can-fam","status":"completed",` + pat + `,"relationship":{"text":"grandmother"},"note":[{"text":` + text("family history") + `}]}`,
		`{"resourceType":"ServiceRequest","id":"can-req","status":"active","intent":"order","code":{"text":` + text("service request") + `},` + me + `}`,
		`{"resourceType":"Communication","id":"can-msg","status":"completed",` + me + `,"payload":[{"contentString":` + text("message") + `}]}`,
	}
	return []byte(`{"resourceType":"Bundle","type":"collection","entry":[{"resource":` + strings.Join(rs, `},{"resource":`) + `}]}`)
}
