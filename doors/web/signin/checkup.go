package signin

import (
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"github.com/wellgate/wellgate/site"
	"github.com/wellgate/wellgate/trust/identity"
)

// mostFixes bounds the check-up: a short list gets done.
const mostFixes = 3

// A fix is one thing that would make an account safer, and where it is done. Its words are security.check.<key>.
type fix struct {
	key, icon, tone string
	href            templ.SafeURL // "" where nothing here can do it
}

// checkup finds what to fix, most urgent first. words says that the account may have a password.
func checkup(f identity.Factors, words bool, agent string) []fix {
	both := f.Password && f.TOTP
	var out []fix
	switch {
	case f.PasswordOff:
		out = append(out, fix{"off", "triangle-alert", "warn", "/security/password"})
	case f.TOTPOff:
		out = append(out, fix{"off", "triangle-alert", "warn", "/security/app"})
	}
	switch {
	case len(f.Passkeys) == 0:
		out = append(out, fix{"passkey", "fingerprint-pattern", "info", "#passkeys"})
	case len(f.Passkeys) == 1 && !both:
		out = append(out, fix{"spare", "fingerprint-pattern", "warn", "#passkeys"})
	}
	if words && both && f.Recovery < 3 {
		out = append(out, fix{"codes", "key-round", "warn", "/security/recovery"})
	}
	if oldBrowser(agent) {
		out = append(out, fix{"browser", "globe", "warn", ""})
	}
	return out[:min(len(out), mostFixes)]
}

func fixRows(w site.Words, fixes []fix) []site.Row {
	rows := make([]site.Row, len(fixes))
	for i, f := range fixes {
		rows[i] = site.Row{Icon: f.icon, Tone: f.tone, Title: w.T("security.check." + f.key), Detail: w.T("security.check." + f.key + ".text"), Href: f.href}
	}
	return rows
}

// oldest are the first versions that still were mended when this was written. Edge, Opera and Samsung's browser say which
// Chrome they are made of; Safari says Version.
var oldest = []struct {
	mark string
	from int
}{{"Firefox/", 115}, {"Chrome/", 120}, {"Version/", 16}}

// oldBrowser says that a browser is known and no longer mended by its makers. It shuts nobody out.
func oldBrowser(agent string) bool {
	for _, o := range oldest {
		_, rest, found := strings.Cut(agent, o.mark)
		if !found {
			continue
		}
		end := strings.IndexFunc(rest, func(r rune) bool { return r < '0' || r > '9' })
		if end < 0 {
			end = len(rest)
		}
		n, err := strconv.Atoi(rest[:end])
		return err == nil && n < o.from
	}
	return false
}
