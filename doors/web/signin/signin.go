// Package signin is the pages of signing in and out, of proving again who one is, and of the person's own security page.
//
// It promises: a passkey comes first and everything else works without JavaScript; a refused sign-in says the same
// whatever was wrong; an address to go back to is a path of this site or is dropped; a factor changes only after a
// fresh proof; what is shown once is never shown again. It keeps no state: identity does.
package signin

import (
	"embed"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"github.com/wellgate/wellgate/internal/clock"
	"github.com/wellgate/wellgate/site"
	"github.com/wellgate/wellgate/trust/identity"
)

//go:embed words/*.json
var words embed.FS

// Words are the texts of these pages, for the catalogue.
func Words() embed.FS { return words }

// Config is what the pages need of the door they hang in.
type Config struct {
	Identity *identity.Identity
	Clock    clock.Clock
	// Page fills the frame: words, practice, theme, form token, navigation.
	Page func(http.ResponseWriter, *http.Request) site.Page
	// Who is here, as the door's check of the session said; no Account before sign-in.
	Who func(*http.Request) identity.Who
	// From is where the request comes from, with the peer's address as the door believes it.
	From func(*http.Request) identity.From
	// Exit is where the quick exit leads.
	Exit string
}

// A Route is one page or one act. The door checks the session, the form token and the headers.
type Route struct {
	Pattern  string
	Name     string
	SignedIn bool // only with a session
	Handle   func(http.ResponseWriter, *http.Request) error
}

// Pages answers for all routes of this package.
type Pages struct{ Config }

// New makes the pages.
func New(c Config) *Pages { return &Pages{c} }

// Routes lists every page, for the door to mount.
func (p *Pages) Routes() []Route {
	const anyone, signedIn = false, true
	return []Route{
		{"GET /signin", "signin", anyone, p.signin},
		{"POST /signin/password", "signin.password", anyone, p.password},
		{"POST /signin/work", "signin.work", anyone, p.work},
		{"GET /signin/code", "signin.code", anyone, p.codePage},
		{"POST /signin/code", "signin.code", anyone, p.code},
		{"GET /signin/recovery", "signin.recovery", anyone, p.recoveryPage},
		{"POST /signin/recovery", "signin.recovery", anyone, p.recovery},
		{"POST /signin/passkey/begin", "signin.passkey", anyone, p.passkeyBegin},
		{"POST /signin/passkey/finish", "signin.passkey", anyone, p.passkeyFinish},
		{"GET /signin/start", "signin.start", anyone, p.startPage},
		{"POST /signin/start", "signin.start", anyone, p.start},
		{"GET /signin/setup", "signin.setup", anyone, p.setupPage},
		{"POST /signin/setup", "signin.setup", anyone, p.setup},
		{"POST /signin/setup/begin", "signin.setup", anyone, p.setupBegin},
		{"POST /signin/setup/finish", "signin.setup", anyone, p.setupFinish},
		{"POST /signout", "signout", anyone, p.signout},
		{"GET /signout", "signout", anyone, p.signedOut},
		{"GET /session/exit", "session.exit", anyone, p.exit},
		{"POST /session/exit", "session.exit", anyone, p.exit},

		{"GET /signin/again", "signin.again", signedIn, p.againPage},
		{"POST /signin/again", "signin.again", signedIn, p.again},
		{"POST /signin/again/begin", "signin.again", signedIn, p.againBegin},
		{"POST /signin/again/finish", "signin.again", signedIn, p.againFinish},

		{"GET /security", "security", signedIn, p.security},
		{"POST /security/passkeys/begin", "security.passkey.add", signedIn, p.addBegin},
		{"POST /security/passkeys/finish", "security.passkey.add", signedIn, p.addFinish},
		{"GET /security/passkeys/{id}", "security.passkey", signedIn, p.passkeyPage},
		{"POST /security/passkeys/{id}/rename", "security.passkey.rename", signedIn, p.rename},
		{"POST /security/passkeys/{id}/remove", "security.passkey.remove", signedIn, p.remove},
		{"GET /security/password", "security.password", signedIn, p.newPasswordPage},
		{"POST /security/password", "security.password", signedIn, p.newPassword},
		{"GET /security/app", "security.app", signedIn, p.appPage},
		{"POST /security/app", "security.app", signedIn, p.app},
		{"POST /security/app/remove", "security.app.remove", signedIn, p.appRemove},
		{"GET /security/recovery", "security.recovery", signedIn, p.recoveryCodesPage},
		{"POST /security/recovery", "security.recovery", signedIn, p.recoveryCodes},
		{"POST /security/sessions/{id}/end", "security.session.end", signedIn, p.endSession},
		{"POST /security/sessions/end-others", "security.session.endOthers", signedIn, p.endOthers},
	}
}

// Local is next if it is a path of this site, else "": no open redirect.
func Local(next string) string {
	if len(next) > 1000 || !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") || strings.ContainsAny(next, "\\\r\n\t\x00") {
		return ""
	}
	u, err := url.Parse(next)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || strings.HasPrefix(u.Path, "//") {
		return ""
	}
	if u.Path == "/signout" || u.Path == "/session/exit" {
		return ""
	}
	return u.RequestURI()
}

// next is where the person was going.
func next(r *http.Request) string {
	if v := r.PostFormValue("next"); v != "" {
		return Local(v)
	}
	return Local(r.URL.Query().Get("next"))
}

func with(path, next string) string {
	if next == "" {
		return path
	}
	return path + "?next=" + url.QueryEscape(next)
}

// after is where a person goes who has just signed in.
func after(who identity.Who, next string) string {
	if next != "" {
		return next
	}
	if who.Kind == identity.Staff {
		return "/desk"
	}
	return "/"
}

func seeOther(w http.ResponseWriter, r *http.Request, to string) error {
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

// show renders a page in the frame of whoever is here.
func (p *Pages) show(w http.ResponseWriter, r *http.Request, status int, page site.Page, body templ.Component) error {
	frame := site.Plain
	if who := p.Who(r); who.Account != "" && !strings.HasPrefix(r.URL.Path, "/signin") {
		frame = site.Portal
		if who.Kind == identity.Staff {
			frame = site.Desk
		}
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	return frame(page, body).Render(r.Context(), w)
}

// page is the frame with a title.
func (p *Pages) page(w http.ResponseWriter, r *http.Request, title string) site.Page {
	pg := p.Page(w, r)
	pg.Title = pg.Words.T(title)
	return pg
}

// problem is what one refused form says, in the reader's language.
type problem struct {
	status int
	field  string
	text   string
}

func (b *problem) errors() []site.FieldError {
	if b == nil {
		return nil
	}
	return []site.FieldError{{ID: b.field, Text: b.text}}
}

func (b *problem) at(field string) string {
	if b == nil || b.field != field {
		return ""
	}
	return b.text
}

// explain turns an identity error into words for the field that it concerns; nil if it is not for a form to tell.
func (p *Pages) explain(w http.ResponseWriter, words site.Words, field, refused string, err error) *problem {
	var wait *identity.WaitError
	var bad *identity.PasswordError
	var work *identity.WorkError
	switch {
	case errors.As(err, &work):
		seconds := max(1, int(work.Puzzle.Until.Sub(p.Clock())/time.Second))
		w.Header().Set("Retry-After", strconv.Itoa(seconds))
		return &problem{http.StatusTooManyRequests, field, words.N("signin.work.wait", (seconds+59)/60)}
	case errors.As(err, &wait):
		seconds := int(wait.Until.Sub(p.Clock()) / time.Second)
		w.Header().Set("Retry-After", strconv.Itoa(max(1, seconds)))
		return &problem{http.StatusTooManyRequests, field, words.N("signin.wait", max(1, (seconds+59)/60))}
	case errors.Is(err, identity.ErrRefused):
		return &problem{http.StatusUnprocessableEntity, field, words.T(refused)}
	case errors.As(err, &bad):
		return &problem{http.StatusUnprocessableEntity, field, words.T("security.password."+string(bad.Reason), "min", bad.Min)}
	case errors.Is(err, identity.ErrLastFactor):
		return &problem{http.StatusConflict, field, words.T("security.last")}
	case errors.Is(err, identity.ErrLevel):
		return &problem{http.StatusForbidden, field, words.T("security.level")}
	case errors.Is(err, identity.ErrPasskeyOnly):
		return &problem{http.StatusForbidden, field, words.T("security.passkeyOnly")}
	}
	return nil
}

// away handles what every signed-in act may meet: a proof that is too old, a session that has ended.
func (p *Pages) away(w http.ResponseWriter, r *http.Request, back string, err error) error {
	switch {
	case errors.Is(err, identity.ErrStepUp):
		return seeOther(w, r, with("/signin/again", back))
	case errors.Is(err, identity.ErrNoSession):
		return seeOther(w, r, with("/signin", back))
	case errors.Is(err, identity.ErrStep):
		return seeOther(w, r, back)
	}
	return err
}

// reply is what passkey.ts and work.ts read: options to hand to the browser, or where to go.
type reply struct {
	PublicKey json.RawMessage `json:"publicKey,omitempty"`
	Next      string          `json:"next,omitempty"`
	Error     string          `json:"error,omitempty"`
	Seal      string          `json:"seal,omitempty"` // for work.ts: what to solve
	Bits      int             `json:"bits,omitempty"`
}

func (p *Pages) json(w http.ResponseWriter, status int, v reply) error {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	return json.NewEncoder(w).Encode(v)
}

// sent is what passkey.ts and work.ts send: the fields of the button's form, and at the end the browser's answer.
type sent struct {
	Credential json.RawMessage `json:"credential"`
	Shared     string          `json:"shared"`
	Next       string          `json:"next"`
	Name       string          `json:"name"`
	Login      string          `json:"login"`
}

func read(r *http.Request) (sent, error) {
	var s sent
	if err := json.NewDecoder(r.Body).Decode(&s); err != nil {
		return sent{}, identity.ErrRefused
	}
	s.Next = Local(s.Next)
	return s, nil
}

// jsonError answers script: what the form pages say in words, script gets as a status and a place to go.
func (p *Pages) jsonError(w http.ResponseWriter, back string, err error) error {
	switch {
	case errors.Is(err, identity.ErrStepUp):
		return p.json(w, http.StatusOK, reply{Next: with("/signin/again", back)})
	case errors.Is(err, identity.ErrStep), errors.Is(err, identity.ErrNoSession):
		return p.json(w, http.StatusOK, reply{Next: back})
	case errors.Is(err, identity.ErrRefused):
		return p.json(w, http.StatusUnauthorized, reply{Error: "refused"})
	case errors.Is(err, identity.ErrLevel):
		return p.json(w, http.StatusForbidden, reply{Error: "level"})
	case errors.Is(err, identity.ErrTaken):
		return p.json(w, http.StatusConflict, reply{Error: "taken"})
	}
	return err
}
