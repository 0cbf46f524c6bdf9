package site

import (
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

func catalogue(t *testing.T) *Catalogue {
	t.Helper()
	c, err := NewCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func files(en, es, ar string) fstest.MapFS {
	m := fstest.MapFS{}
	for lang, s := range map[string]string{"en": en, "es": es, "ar": ar} {
		if s != "" {
			m["words/"+lang+".json"] = &fstest.MapFile{Data: []byte(s)}
		}
	}
	return m
}

func TestCatalogueRefuses(t *testing.T) {
	ar := `{"x.n":{"one":"1","two":"2","few":"{n}","many":"{n}","other":"{n}"}}`
	for name, c := range map[string]struct {
		files fstest.MapFS
		says  string
	}{
		"a language without the key":      {files(`{"x.a":"A"}`, `{"x.a":"A"}`, ""), "missing in words/ar.json"},
		"English without the key":         {files("", `{"x.a":"A"}`, `{"x.a":"A"}`), "missing in words/en.json"},
		"a key written twice in a file":   {files(`{"x.a":"A","x.a":"B"}`, `{"x.a":"A"}`, `{"x.a":"A"}`), "duplicate"},
		"a key of somebody else":          {files(`{"site.help":"A"}`, `{"site.help":"A"}`, `{"site.help":"A"}`), "defined twice"},
		"another placeholder":             {files(`{"x.a":"{name}"}`, `{"x.a":"{nombre}"}`, `{"x.a":"{name}"}`), "placeholders"},
		"a forgotten placeholder":         {files(`{"x.a":"{name}"}`, `{"x.a":"A"}`, `{"x.a":"{name}"}`), "placeholders"},
		"a missing plural form":           {files(`{"x.n":{"one":"1","other":"{n}"}}`, `{"x.n":{"other":"{n}"}}`, ar), "plural forms"},
		"a missing Arabic dual":           {files(`{"x.n":{"one":"1","other":"{n}"}}`, `{"x.n":{"one":"1","other":"{n}"}}`, `{"x.n":{"one":"1","other":"{n}"}}`), `"two" is missing`},
		"plural in one language only":     {files(`{"x.n":"{n}"}`, `{"x.n":{"one":"1","other":"{n}"}}`, ar), "plural forms in one"},
		"a form that no language has":     {files(`{"x.n":{"dozen":"1","other":"{n}"}}`, "", ""), "CLDR"},
		"a text that is none":             {files(`{"x.n":3}`, "", ""), "must be a text"},
		"an empty text":                   {files(`{"x.a":""}`, `{"x.a":"A"}`, `{"x.a":"A"}`), `"other" is missing`},
		"a language nobody has taught it": {fstest.MapFS{"words/fr.json": {Data: []byte(`{"x.a":"A"}`)}}, "unknown"},
	} {
		if _, err := NewCatalogue(c.files); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: error %v, want one that says %q", name, err, c.says)
		}
	}
	if _, err := NewCatalogue(files(`{"x.n":{"one":"1","other":"{n}"}}`, `{"x.n":{"one":"1","other":"{n}"}}`, ar)); err != nil {
		t.Errorf("a good catalogue: %v", err)
	}
}

func TestWords(t *testing.T) {
	c := catalogue(t)
	if got := strings.Join(c.Langs(), " "); got != "en es ar" {
		t.Errorf("languages: %s", got)
	}
	en, es, ar := c.Words("en", nil), c.Words("es", nil), c.Words("ar", nil)
	for _, c := range []struct{ got, want string }{
		{en.T("site.help"), "Help"}, {es.T("site.help"), "Ayuda"}, {c.Words("xx", nil).T("site.help"), "Help"},
		{en.T("no.such"), "no.such"}, {Words{}.T("no.such"), "no.such"},
		{en.N("gallery.times", 1), "1 time"}, {en.N("gallery.times", 0), "0 times"}, {en.N("gallery.times", 12000), "12,000 times"},
		{es.N("gallery.times", 1), "1 hora"}, {es.N("gallery.times", 2), "2 horas"},
		{ar.N("gallery.times", 0), "لا أوقات"}, {ar.N("gallery.times", 1), "وقت واحد"}, {ar.N("gallery.times", 2), "وقتان"},
		{ar.N("gallery.times", 3), "3 أوقات"}, {ar.N("gallery.times", 11), "11 وقتًا"}, {ar.N("gallery.times", 100), "100 وقت"},
		{en.T("site.actingFor", "name", "<b>"), "You are looking at <b>’s record"},
		{ar.T("site.signedInAs", "name", "Amina"), "تم تسجيل الدخول باسم \u2068Amina\u2069"},
		{en.List("a"), "a"}, {en.List("a", "b"), "a and b"}, {es.List("a", "b", "c"), "a, b y c"},
		{en.Dir() + es.Dir() + ar.Dir(), "ltrltrrtl"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}

func TestDates(t *testing.T) {
	c := catalogue(t)
	zone, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Skip("no time zones here:", err)
	}
	at := time.Date(2026, 11, 18, 0, 6, 0, 0, time.UTC) // still the 17th in New York
	en, es, ar := c.Words("en", zone), c.Words("es", zone), c.Words("ar", zone)
	for _, c := range []struct{ got, want string }{
		{en.Day(at), "Tuesday 17 November 2026"}, {es.Day(at), "martes 17 de noviembre de 2026"}, {ar.Day(at), "الثلاثاء 17 نوفمبر 2026"},
		{en.DayMonth(at), "Tuesday 17 November"}, {en.ShortDay(at), "17 Nov 2026"}, {es.ShortDay(at), "17 nov 2026"}, {en.Month(at), "November 2026"},
		{es.Month(at), "noviembre de 2026"}, {en.Year(at), "2026"},
		{en.Time(at), "7:06\u00a0pm"}, {es.Time(at), "19:06"}, {ar.Time(at), "7:06\u00a0م"},
		{en.Time(at.Add(-7 * time.Hour)), "12:06\u00a0pm"}, {en.Time(at.Add(5 * time.Hour)), "12:06\u00a0am"},
		{en.DayTime(at), "Tuesday 17 November 2026, 7:06\u00a0pm"},
		{en.Relative(at, at), "Today"},
		{en.Relative(at.Add(-20*time.Hour), at), "Yesterday"}, {en.Relative(at.Add(6*time.Hour), at), "Tomorrow"}, {es.Relative(at.Add(-72*time.Hour), at), "14 nov 2026"},
		{en.Date("2019"), "2019"}, {en.Date("2019-03"), "March 2019"}, {en.Date("2019-03-04"), "4 Mar 2019"}, {es.Date("2019-03"), "marzo de 2019"},
		{en.Date("2026-11-18T00:06:00Z"), "17 Nov 2026"}, {en.Date("2026-11-17T23:06:00-05:00"), "17 Nov 2026"}, {en.Date(""), ""}, {en.Date("soon"), "soon"}, {en.Date("2019-13"), "2019-13"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}

func TestNumber(t *testing.T) {
	c := catalogue(t)
	en, ar := c.Words("en", nil), c.Words("ar", nil)
	for in, want := range map[string]string{
		"5.60": "5.60", "0": "0", "1200": "1200", "12000": "12,000", "1234567.890": "1,234,567.890", "-2.5": "−2.5",
		"<0.1": "<0.1", "1e5": "1e5", "": "", ".5": ".5", "5.": "5.", "1.2.3": "1.2.3",
	} {
		if got := en.Number(in); got != want {
			t.Errorf("Number(%q) = %q, want %q", in, got, want)
		}
	}
	if got := ar.Number("-2.5"); got != "\u2066−2.5\u2069" {
		t.Errorf("a sign in Arabic must keep its place: %q", got)
	}
	if got := ar.Number("5.60"); got != "5.60" {
		t.Errorf("Number in Arabic: %q", got)
	}
}
