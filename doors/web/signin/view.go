package signin

import (
	"maps"
	"strings"

	"github.com/a-h/templ"

	"github.com/wellgate/wellgate/site"
	"github.com/wellgate/wellgate/trust/identity"
)

// asSecret makes a field one for passwords, which browsers may fill and nothing corrects.
func asSecret(in site.Input) site.Input {
	in.Type = "password"
	attrs := templ.Attributes{"dir": "ltr", "spellcheck": "false", "autocapitalize": "none"}
	maps.Copy(attrs, in.Attrs)
	in.Attrs = attrs
	return in
}

func quietIf(quiet bool) string {
	if quiet {
		return "quiet"
	}
	return ""
}

func keyRows(o own) []site.Row {
	var rows []site.Row
	for _, k := range o.factors.Passkeys {
		rows = append(rows, site.Row{Icon: "key-round", Title: k.Name, Detail: keyDates(o.page.Words, k), Href: templ.URL("/security/passkeys/" + k.ID)})
	}
	return rows
}

func keyDates(w site.Words, k identity.Passkey) string {
	s := w.T("security.passkey.added", "day", w.ShortDay(k.Created))
	if k.Used.IsZero() {
		return s + " " + w.T("security.passkey.unused")
	}
	return s + " " + w.T("security.passkey.used", "day", w.ShortDay(k.Used))
}

func passwordFacts(o own) []site.Fact {
	w := o.page.Words
	password := site.Fact{Term: w.T("security.password"), Text: w.T("security.password.none"), Change: site.Link{Text: w.T("security.set"), Href: "/security/password"}}
	if o.factors.Password {
		password.Text, password.Change.Text = w.T("security.password.since", "day", w.ShortDay(o.factors.PasswordSet)), ""
	}
	app := site.Fact{Term: w.T("security.app"), Text: w.T("security.app.none"), Change: site.Link{Text: w.T("security.set"), Href: "/security/app"}}
	if o.factors.TOTP {
		app.Text, app.Change.Text = w.T("security.app.since", "day", w.ShortDay(o.factors.TOTPSet)), ""
	}
	return []site.Fact{password, app}
}

// codesLeft says how many recovery codes are unused; English and Spanish plurals have no form of their own for none.
func codesLeft(w site.Words, n int) string {
	if n == 0 {
		return w.T("security.recovery.noneLeft")
	}
	return w.N("security.recovery.left", n)
}

func sessionRows(o own) []site.Row {
	w := o.page.Words
	var rows []site.Row
	for _, s := range o.sessions {
		row := site.Row{Icon: deviceIcon(s.Agent), Title: device(w, s.Agent),
			Detail: w.T("security.sessions.line", "when", w.ShortDayTime(s.Started), "seen", w.ShortDayTime(s.Seen), "ip", s.IP)}
		if s.ID == o.who.Session {
			row.Tag = site.Tag{Tone: "good", Icon: "check", Text: w.T("security.sessions.this")}
		} else {
			row.Action = endButton(o, s)
		}
		rows = append(rows, row)
	}
	return rows
}

// inApp opens the authenticator app of this device. Scheme and path are ours; identity escaped the rest.
func inApp(s identity.TOTPSetup) templ.SafeURL {
	return templ.SafeURL("otpauth://totp/" + strings.TrimPrefix(s.URI, "otpauth://totp/"))
}
