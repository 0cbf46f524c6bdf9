package web

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/language"

	"github.com/wellgate/wellgate/care"
	"github.com/wellgate/wellgate/fhir"
	"github.com/wellgate/wellgate/site"
	"github.com/wellgate/wellgate/trust/chart"
	"github.com/wellgate/wellgate/trust/identity"
)

// exitPath ends the session and leads on to Config.Exit, so that the quick exit works as a plain link too.
const exitPath = "/session/exit"

// Page fills the frame for a request: who is signed in, their language, theme and form token.
func (d *Door) Page(w http.ResponseWriter, r *http.Request) site.Page {
	return d.frame(w, r, visitOf(r))
}

func (d *Door) frame(w http.ResponseWriter, r *http.Request, v *visit) site.Page {
	p := site.Page{
		Words: d.speak(r, v), Practice: d.Practice, Theme: choice(r, "theme", "light", "dark"), Font: choice(r, "font", "easy"),
		CSRF: d.formToken(w, r), Path: r.URL.Path, Exit: exitPath, Demo: d.Demo,
	}
	if v.who.Account == "" {
		return p
	}
	p.Person = v.who.Name
	p.Printed = p.Words.T("web.printed", "when", p.Words.DayTime(d.Clock()), "who", v.who.Name, "practice", d.Practice.Name)
	if idle, latest, err := d.Identity.Sessions.Ends(r.Context(), v.token); err == nil {
		p.Expires = int(min(idle.Sub(d.Clock()), latest.Sub(d.Clock())) / time.Second)
	}
	if v.who.Kind == identity.Staff {
		p.Exit = ""
		p.Nav = []site.NavItem{{Icon: "inbox", Key: "web.desk", Href: "/desk", Dock: true}, {Icon: "user-round-search", Key: "site.find", Href: "/desk/find", Dock: true}}
		return p
	}
	p.Nav = d.nav
	return p
}

// speak chooses the language: what the person picked here, what their account says, what the browser asks for, English.
func (d *Door) speak(r *http.Request, v *visit) site.Words {
	own := ""
	if v != nil {
		own = v.who.Lang
	}
	return d.Words.Words(d.tongue(r, own), d.Practice.Zone)
}

// tongue is the language to speak: what was chosen in this browser, else the person's own, else what the browser asks for.
func (d *Door) tongue(r *http.Request, own string) string {
	langs := d.Words.Langs()
	pick := choice(r, "lang", langs...)
	if pick == "" && slices.Contains(langs, own) {
		pick = own
	}
	if pick == "" {
		wants, _, err := language.ParseAcceptLanguage(r.Header.Get("Accept-Language"))
		pick = langs[0]
		if err == nil && len(wants) > 0 && len(wants) < 50 {
			if _, i, c := d.matcher.Match(wants...); c > language.No {
				pick = langs[i]
			}
		}
	}
	return pick
}

// matcher is made once: it costs more than a page's head.
func matcher(c *site.Catalogue) language.Matcher {
	var tags []language.Tag
	for _, l := range c.Langs() {
		tags = append(tags, language.Make(l))
	}
	return language.NewMatcher(tags)
}

// choice reads a preference cookie that may only have known values.
func choice(r *http.Request, name string, values ...string) string {
	c, err := r.Cookie(name)
	if err != nil || !slices.Contains(values, c.Value) {
		return ""
	}
	return c.Value
}

// banner says whose record staff have open, and why. It is shown on every page of the record.
func (d *Door) banner(v *care.Visit, act *chart.Act) error {
	r, err := v.Chart.Patient(v.Context())
	if err != nil {
		return err
	}
	p := fhir.Into[fhir.Patient](r)
	v.Page.Patient = &site.Banner{
		Name: p.DisplayName(), Born: birth(v.Words, p.BirthDate, v.Now), Number: recordNumber(p), Reason: act.Reason,
		Flags: flags(v, p), Close: v.Base + "/leave",
	}
	v.Page.Nav = nil
	for _, n := range d.desk {
		if v.Chart.MayEnter(n.page) {
			v.Page.Nav = append(v.Page.Nav, n.NavItem)
		}
	}
	return nil
}

// birth is a date of birth with the age, as staff read it to be sure.
func birth(w site.Words, born fhir.DateTime, now time.Time) string {
	t, ok := born.Time(now.Location())
	if !ok {
		return w.T("web.unknown")
	}
	age := now.Year() - t.Year()
	if now.YearDay() < t.YearDay() {
		age--
	}
	return w.ShortDay(t) + ", " + w.N("web.years", age)
}

// recordNumber is the practice's own number of a patient: the identifier typed MR, else the first.
func recordNumber(p fhir.Patient) string {
	first := ""
	for _, id := range p.Identifier {
		if id.Value == "" {
			continue
		}
		if id.Type.Code("http://terminology.hl7.org/CodeSystem/v2-0203") == "MR" {
			return id.Value
		}
		if first == "" {
			first = id.Value
		}
	}
	return first
}

// flags are what nobody who opens the record may miss: allergies that matter, the language to speak.
func flags(v *care.Visit, p fhir.Patient) []site.Tag {
	var out []site.Tag
	found, err := v.Chart.Search(v.Context(), "AllergyIntolerance", "clinical-status=active")
	if err == nil {
		var names []string
		for _, e := range found {
			a := fhir.Into[fhir.AllergyIntolerance](e.Resource)
			if a.VerificationStatus.Code("http://terminology.hl7.org/CodeSystem/allergyintolerance-verification") == "refuted" {
				continue
			}
			if l := a.Code.Label(); l != "" {
				names = append(names, l)
			}
		}
		if len(names) > 3 {
			names = append(names[:3], "…")
		}
		if len(names) > 0 {
			out = append(out, site.Tag{Tone: "bad", Icon: "triangle-alert", Text: v.Words.T("web.allergy", "what", strings.Join(names, ", "))})
		}
	}
	for _, c := range p.Communication {
		if c.Preferred != nil && *c.Preferred && c.Language.Label() != "" && !strings.HasPrefix(c.Language.Code("urn:ietf:bcp:47"), "en") {
			out = append(out, site.Tag{Tone: "info", Icon: "globe", Text: v.Words.T("web.speaks", "language", c.Language.Label())})
		}
	}
	return out
}
