package demo

import (
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"strings"
	"time"

	"github.com/wellgate/wellgate/fhir"
)

// This file: letters as PDF and pictures as PNG, made small and without compression (see the package promise).

// sha1base64 is the hash that FHIR R4 attachments carry.
func sha1base64(b []byte) string {
	h := sha1.Sum(b)
	return base64.StdEncoding.EncodeToString(h[:])
}

func (l *life) file(contentType, title string, b []byte) *File {
	l.files = append(l.files, File{Ref: "Binary/" + l.next(), ContentType: contentType, Title: title, Bytes: b})
	return &l.files[len(l.files)-1]
}

// A letter comes from an outside clinic.
type letter struct {
	from, code, title string
	paragraphs        []string
}

var eyeLetter = letter{"eyes", "11488-4", "Letter from the eye clinic", []string{
	"Thank you for asking us to see this patient for the yearly diabetes eye check.",
	"Sight with glasses is 20/20 in both eyes. Photographs of the back of both eyes show no diabetic changes and no swelling. Eye pressure is 15 on the right and 16 on the left.",
	"Result: no diabetic eye disease, the same as last year. Next check in 12 months. Please keep blood sugar and blood pressure at goal."}}
var heartLetter = letter{"heart", "11488-4", "Letter from the heart clinic", []string{
	"We saw your patient in our clinic. Breathing on the stairs is a little better. Weight is steady and there is no swelling.",
	"Ultrasound of the heart: pumping strength 42 percent, slightly better than 38 percent last year. Mild leak of the mitral valve, unchanged.",
	"We suggest the same tablets, daily weights, and a blood test for kidneys and potassium in three months. We will see the patient again in six months."}}
var kidneyLetter = letter{"kidney", "11488-4", "Letter from the kidney clinic", []string{
	"Thank you for sending this patient with stage 3 kidney disease. Blood pressure in clinic was 132 over 74. There is no pain and no trouble passing water.",
	"Kidney ultrasound shows two kidneys of normal size without blockage. Protein in the urine is raised, which fits diabetes and blood pressure.",
	"Please avoid anti-inflammatory tablets such as ibuprofen and naproxen. Blood and urine tests every four months. We are glad to see the patient again if eGFR falls below 30."}}
var referral = letter{"", "57133-1", "Referral letter", []string{
	"Thank you for seeing this patient. The history, medicines and allergies are in the record summary that goes with this letter.",
	"We would value your view on the next step. The patient has asked to receive a copy of your answer."}}

func (l *life) writeLetters() {
	switch {
	case l.cond("diabetes2"):
		l.sendLetter(eyeLetter, 9+l.index*11%200)
		l.sendLetter(eyeLetter, 380+l.index*7%40)
	case l.cond("diabetes1"):
		l.sendLetter(eyeLetter, 120)
	}
	if l.cond("heartfailure") || l.cond("coronary") {
		l.sendLetter(heartLetter, 44+l.index)
	}
	if l.cond("ckd3") {
		l.sendLetter(kidneyLetter, 88+l.index)
	}
	if l.cond("cataract") || l.cond("colitis") || l.cond("rheumatoid") || l.special == "miguel" {
		l.sendLetter(referral, 61+l.index)
	}
	if l.teeth == decayed || l.teeth == gumDisease {
		l.writePicture(150 + l.index*5)
	}
	if l.cond("bones") || l.cond("thinbones") {
		l.writeBoneScan(210 + l.index)
	}
}

func (l *life) sendLetter(t letter, daysAgo int) {
	d := workday(l.days(-daysAgo), true)
	at := time.Date(d.Year(), d.Month(), d.Day(), 15, 10, 0, 0, d.Location())
	from := l.dir.practice
	if t.from != "" {
		from = l.dir.at(t.from)
	}
	b := l.pdf(t, from.Display, at)
	doc := l.writeDocument(document{at: at, code: t.code, title: t.title, file: l.file("application/pdf", t.title, b), who: from, period: &fhir.Period{Start: instant(at), End: instant(at)}})
	l.add(at, fhir.Provenance{
		ID: l.next(), Meta: profile("us-core-provenance"), Target: []fhir.Reference{ref(doc)}, Recorded: instant(at.Add(20 * time.Minute)),
		Agent: []fhir.ProvenanceAgent{{Type: hl7Code("provenance-participant-type", "author", "Author"), Who: from}, {Type: fhir.Concept("http://hl7.org/fhir/us/core/CodeSystem/us-core-provenance-participant-type", "transmitter", "Sent by"), Who: from}},
	})
}

func (l *life) pdf(t letter, from string, at time.Time) []byte {
	p := newSheet(t.title, at)
	p.line(from, 15, true, 20)
	p.line(town+", "+state, 10, false, 40)
	to := practiceName
	if t.from == "" {
		to = "Specialist clinic"
	}
	for _, s := range []string{said(at), "To: " + to, "About: " + westernName(l.called()) + ", born " + said(l.born), "Record number: " + l.number()} {
		p.line(s, 10, false, 17)
	}
	p.y -= 14
	for _, s := range t.paragraphs {
		p.paragraph(s, 11, 16)
		p.y -= 9
	}
	p.y -= 11
	p.line("Signed electronically, "+from, 11, false, 0)
	return p.bytes()
}

// writePicture is a small drawing in the manner of a dental X-ray, with its report.
func (l *life) writePicture(daysAgo int) {
	at := workday(l.days(-daysAgo), true)
	if i := l.lastVisit(cleaning, at); i >= 0 {
		at = l.visits[i].at.Add(12 * time.Minute)
	}
	title := "Dental X-ray"
	f := l.file("image/png", title, l.dir.pictures[l.index%2*2+map[bool]int{true: 1}[l.teeth == gumDisease]])
	l.writeDocument(document{at: at, title: title, file: f, who: l.dir.at("osei")})
	finding := "No new decay between the teeth. Bone level normal."
	switch {
	case l.teeth == gumDisease:
		finding = "Even loss of bone height of 2 to 3 mm around the molars. No decay below fillings."
	case l.teeth == decayed:
		finding = "Small dark area in one back tooth, to be filled. Bone level normal."
	}
	l.imaging(at, "Dental X-ray, bitewing", finding, l.dir.at("osei"), f)
}

// lastVisit is the index of the last kept visit of a kind before t, or -1.
func (l *life) lastVisit(k kind, t time.Time) int {
	found := -1
	for i := range l.visits {
		if v := &l.visits[i]; v.kind == k && v.missed == "" && v.at.Before(t) {
			found = i
		}
	}
	return found
}

func (l *life) imaging(at time.Time, name, finding string, by fhir.Reference, f *File) {
	att := fhir.Attachment{ContentType: "text/plain; charset=utf-8", Title: name, Data: base64.StdEncoding.EncodeToString([]byte(name + "\n\n" + finding + "\n"))}
	forms := []fhir.Attachment{att}
	if f != nil {
		forms = append(forms, fhir.Attachment{ContentType: f.ContentType, URL: f.Ref, Title: f.Title, Size: new(len(f.Bytes)), Hash: sha1base64(f.Bytes)})
	}
	r := fhir.DiagnosticReport{
		ID: l.next(), Meta: profile("us-core-diagnosticreport-note"), Status: "final",
		Category: []fhir.CodeableConcept{fhir.Concept(loinc, "LP29684-5", "Radiology")}, Code: fhir.Concept(loinc, "18748-4", name), Subject: l.me,
		EffectiveDateTime: instant(at), Issued: instant(at.Add(3 * time.Hour)), Performer: []fhir.Reference{by}, Conclusion: finding, PresentedForm: forms,
	}
	r.Code.Text = name
	l.add(at.Add(3*time.Hour), r)
}

func (l *life) writeBoneScan(daysAgo int) {
	d := workday(l.days(-daysAgo), true)
	at := time.Date(d.Year(), d.Month(), d.Day(), 11, 20, 0, 0, d.Location())
	l.imaging(at, "Bone density scan", "Hip T-score -"+map[bool]string{true: "2.7, osteoporosis.", false: "1.8, low bone density."}[l.cond("bones")]+" Change since the last scan is within the error of the method.", l.dir.at("imaging"), nil)
}

// xray draws four teeth in sixteen greys. It is stored, not compressed.
func xray(variant int, loss bool) ([]byte, error) {
	const w, h = 224, 144
	grey := make(color.Palette, 16)
	for i := range grey {
		grey[i] = color.Gray{Y: uint8(i * 17)}
	}
	img := image.NewPaletted(image.Rect(0, 0, w, h), grey)
	bone := 66.0
	if loss {
		bone = 82
	}
	for y := range h {
		for x := range w {
			img.SetColorIndex(x, y, shade(float64(x), float64(y), bone, variant))
		}
	}
	var b bytes.Buffer
	enc := png.Encoder{CompressionLevel: png.NoCompression}
	if err := enc.Encode(&b, img); err != nil {
		return nil, fmt.Errorf("demo: draw a picture: %w", err)
	}
	return b.Bytes(), nil
}

// shade is the brightness of a point: crowns and roots on a bed of bone, a dark pulp, now and then a white filling.
func shade(x, y, bone float64, variant int) uint8 {
	v := 1.0
	if y > bone+float64(int(x)/7%3) {
		v = 5 + float64((int(x)*7+int(y)*11)%5-2)*0.4
	}
	t := min(3, int(x)/56)
	cx := 30 + float64(t)*55
	dx := math.Abs(x - cx)
	width := 22.0
	if y > 58 {
		width = 20 - float64((y-58)*0.18)
	}
	if y < 24+float64(dx*dx)/60 || y > 132 || dx > width {
		return uint8(max(0, v))
	}
	v = 10 - dx/8
	if y < 46 && (dx > width-6 || y < 32) {
		v = 13
	}
	if dx < 4 && y > 50 && y < 120 || dx < 8 && y > 42 && y < 56 {
		v = 4
	}
	if (t+variant)%4 == 0 && y < 40 && dx < 10 {
		v = 15
	}
	if (t+variant)%4 == 2 && y > 30 && y < 42 && x-cx > 9 {
		v = 6
	}
	return uint8(max(0, min(15, v)))
}

// westernName writes a name with the letters that the PDF's own fonts have.
func westernName(s string) string {
	return strings.NewReplacer("ủ", "u", "ễ", "e", "ō", "o").Replace(s)
}
