package signin

import (
	"strings"
	"testing"

	"github.com/wellgate/wellgate/trust/identity"
)

const newChrome = "Mozilla/5.0 (Windows NT 10.0) Chrome/156.0 Safari/537.36"

func TestCheckup(t *testing.T) {
	one, two := make([]identity.Passkey, 1), make([]identity.Passkey, 2)
	for name, c := range map[string]struct {
		f     identity.Factors
		words bool
		agent string
		want  string
	}{
		"nothing yet":            {identity.Factors{}, true, newChrome, "passkey"},
		"password and app":       {identity.Factors{Password: true, TOTP: true, Recovery: 8}, true, newChrome, "passkey"},
		"one passkey alone":      {identity.Factors{Passkeys: one}, true, newChrome, "spare"},
		"one passkey, staff":     {identity.Factors{Passkeys: one}, false, newChrome, "spare"},
		"two passkeys":           {identity.Factors{Passkeys: two}, false, newChrome, ""},
		"a passkey and the rest": {identity.Factors{Passkeys: one, Password: true, TOTP: true, Recovery: 3}, true, newChrome, ""},
		"few codes":              {identity.Factors{Passkeys: one, Password: true, TOTP: true, Recovery: 2}, true, newChrome, "codes"},
		"turned off":             {identity.Factors{Passkeys: two, Password: true, PasswordOff: true, TOTP: true, Recovery: 8}, true, newChrome, "off"},
		"at most three, the most urgent": {identity.Factors{Password: true, PasswordOff: true, TOTP: true, TOTPOff: true}, true,
			"Mozilla/5.0 (Windows NT 6.1) Chrome/100.0 Safari/537.36", "off passkey codes"},
	} {
		var got []string
		for _, f := range checkup(c.f, c.words, c.agent) {
			got = append(got, f.key)
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("%s: %q, want %q", name, s, c.want)
		}
	}
}

func TestOldBrowser(t *testing.T) {
	for agent, old := range map[string]bool{
		newChrome: false,
		"Mozilla/5.0 (Windows NT 6.1) AppleWebKit/537.36 Chrome/109.0.0.0 Safari/537.36":                          true,
		"Mozilla/5.0 (Windows NT 10.0) Chrome/109.0 Safari/537.36 Edg/109.0":                                      true,
		"Mozilla/5.0 (iPhone; CPU iPhone OS 15_7 like Mac OS X) AppleWebKit/605 Version/15.6 Mobile Safari/604.1": true,
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605 Version/26.1 Safari/605":                 false,
		"Mozilla/5.0 (X11; Linux) Gecko/20100101 Firefox/102.0":                                                   true,
		"Mozilla/5.0 (X11; Linux) Gecko/20100101 Firefox/115":                                                     false,
		"curl/8.5": false, "": false, "Firefox/": false, "Chrome/99999999999999999999": false,
	} {
		if oldBrowser(agent) != old {
			t.Errorf("%q: old is %v", agent, !old)
		}
	}
}

// The page says what to fix first, how strong each way in is, and where all sign-ins are listed.
func TestSecurityCheckup(t *testing.T) {
	h := newHouse(t)
	h.signin("")
	a := h.get("/security")
	a.says(t, "Check-up", "Add a passkey", "Strong", `href="/looked?show=account"`)
	if i, j := strings.Index(a.body, "Check-up"), strings.Index(a.body, `id="h-passkeys"`); i < 0 || j < i {
		t.Error("the check-up does not come first")
	}
	for _, lang := range []string{"es", "ar"} {
		h.lang = lang
		if b := h.get("/security"); b.status != 200 || strings.Contains(b.body, "security.check") {
			t.Errorf("%s: %d", lang, b.status)
		}
	}
}
