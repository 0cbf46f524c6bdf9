package identity

import "net/http"

// Cookies knows the names and attributes of what browsers keep for us (SES-01): no domain, no script access, and, for
// the session, no life beyond the browser's.
type Cookies struct{ insecure bool }

const (
	cookieSession   = "sid"
	cookieStep      = "step"
	cookieChallenge = "challenge"
)

func (c Cookies) name(plain string) string {
	if c.insecure {
		return plain
	}
	return "__Host-" + plain
}

func (c Cookies) cookie(name, value string) *http.Cookie {
	k := &http.Cookie{Name: c.name(name), Value: value, Path: "/", HttpOnly: true, Secure: !c.insecure, SameSite: http.SameSiteLaxMode}
	if value == "" {
		k.MaxAge = -1
	}
	return k
}

func (c Cookies) read(r *http.Request, name string) string {
	k, err := r.Cookie(c.name(name))
	if err != nil {
		return ""
	}
	return k.Value
}

// Session is the token the request carries, "" if none.
func (c Cookies) Session(r *http.Request) string { return c.read(r, cookieSession) }

// Step is the sign-in in progress.
func (c Cookies) Step(r *http.Request) string { return c.read(r, cookieStep) }

// Challenge is the passkey challenge that is out.
func (c Cookies) Challenge(r *http.Request) string { return c.read(r, cookieChallenge) }

// SetStep keeps a step; "" removes it.
func (c Cookies) SetStep(w http.ResponseWriter, sealed string) {
	http.SetCookie(w, c.cookie(cookieStep, sealed))
}

// SetChallenge keeps a passkey challenge; "" removes it.
func (c Cookies) SetChallenge(w http.ResponseWriter, sealed string) {
	http.SetCookie(w, c.cookie(cookieChallenge, sealed))
}

// Grant sets the session cookie, removes the step behind it, and keeps the known-device cookie of a new device unless
// the computer is shared.
func (c Cookies) Grant(w http.ResponseWriter, g Grant) {
	http.SetCookie(w, c.cookie(cookieSession, g.Token))
	c.SetStep(w, "")
	c.SetChallenge(w, "")
	if g.deviceName != "" {
		k := c.cookie(g.deviceName, g.deviceValue)
		k.SameSite, k.MaxAge = http.SameSiteStrictMode, int(deviceLife.Seconds())
		http.SetCookie(w, k)
	}
}

// Clear removes the session cookie and any step in progress.
func (c Cookies) Clear(w http.ResponseWriter) {
	for _, name := range []string{cookieSession, cookieStep, cookieChallenge} {
		http.SetCookie(w, c.cookie(name, ""))
	}
}
