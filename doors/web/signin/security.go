package signin

import (
	"errors"
	"net/http"

	"github.com/wellgate/wellgate/site"
	"github.com/wellgate/wellgate/trust/identity"
)

// own is the person's security page.
type own struct {
	page     site.Page
	who      identity.Who
	factors  identity.Factors
	sessions []identity.SessionInfo
	bad      *problem
	fixes    []fix
	done     string // word key of what was just done
}

// said are the confirmations that a redirect may ask the page to say.
var said = map[string]bool{"passkey": true, "renamed": true, "removed": true, "password": true, "app": true, "appRemoved": true, "ended": true, "others": true}

func (p *Pages) security(w http.ResponseWriter, r *http.Request) error {
	o := own{}
	if d := r.URL.Query().Get("done"); said[d] {
		o.done = "security.done." + d
	}
	return p.showSecurity(w, r, o)
}

func (p *Pages) showSecurity(w http.ResponseWriter, r *http.Request, o own) (err error) {
	o.page, o.who = p.page(w, r, "security.title"), p.Who(r)
	o.page.Path = "/security"
	if o.factors, err = p.Identity.Accounts.Factors(r.Context(), o.who.Account); err != nil {
		return err
	}
	if o.sessions, err = p.Identity.Sessions.List(r.Context(), o.who.Account); err != nil {
		return err
	}
	o.fixes = checkup(o.factors, o.passwordAllowed(), r.UserAgent())
	status := http.StatusOK
	if o.bad != nil {
		o.page.Errors, status = true, o.bad.status
	}
	return p.show(w, r, status, o.page, securityPage(o))
}

// passwordAllowed: staff see password and app only where they have them (a demo).
func (o own) passwordAllowed() bool {
	return o.who.Kind == identity.Patient || o.factors.Password || o.factors.TOTP
}

func (p *Pages) addBegin(w http.ResponseWriter, r *http.Request) error {
	options, step, err := p.Identity.Passkeys.BeginAdd(r.Context(), p.Who(r))
	if err != nil {
		return p.jsonError(w, "/security", err)
	}
	p.Identity.Cookies.SetChallenge(w, step)
	return p.json(w, http.StatusOK, reply{PublicKey: options})
}

func (p *Pages) addFinish(w http.ResponseWriter, r *http.Request) error {
	in, err := read(r)
	if err != nil {
		return p.jsonError(w, "/security", err)
	}
	c := p.Identity.Cookies
	name := in.Name
	if name == "" {
		name = p.deviceName(w, r)
	}
	_, err = p.Identity.Passkeys.FinishAdd(r.Context(), p.Who(r), c.Challenge(r), name, in.Credential, p.From(r))
	if err != nil {
		return p.jsonError(w, "/security", err)
	}
	c.SetChallenge(w, "")
	return p.json(w, http.StatusOK, reply{Next: "/security?done=passkey"})
}

// deviceName names a new passkey after the browser that made it; its owner can rename it.
func (p *Pages) deviceName(w http.ResponseWriter, r *http.Request) string {
	return device(p.Page(w, r).Words, r.UserAgent())
}

// key is the page of one passkey.
type key struct {
	page site.Page
	key  identity.Passkey
	name string
	bad  *problem
}

func (p *Pages) passkey(r *http.Request) (identity.Passkey, error) {
	f, err := p.Identity.Accounts.Factors(r.Context(), p.Who(r).Account)
	if err != nil {
		return identity.Passkey{}, err
	}
	for _, k := range f.Passkeys {
		if k.ID == r.PathValue("id") {
			return k, nil
		}
	}
	return identity.Passkey{}, identity.ErrNotFound
}

func (p *Pages) passkeyPage(w http.ResponseWriter, r *http.Request) error {
	k, err := p.passkey(r)
	if err != nil {
		return err
	}
	return p.showKey(w, r, key{key: k, name: k.Name})
}

func (p *Pages) showKey(w http.ResponseWriter, r *http.Request, k key) error {
	k.page = p.page(w, r, "security.passkey.title")
	k.page.Path = "/security"
	status := http.StatusOK
	if k.bad != nil {
		k.page.Errors, status = true, k.bad.status
	}
	return p.show(w, r, status, k.page, passkeyPage(k))
}

func (p *Pages) rename(w http.ResponseWriter, r *http.Request) error {
	k, err := p.passkey(r)
	if err != nil {
		return err
	}
	name := r.PostFormValue("name")
	if blank(name) {
		words := p.Page(w, r).Words
		return p.showKey(w, r, key{key: k, bad: &problem{http.StatusUnprocessableEntity, "name", words.T("security.passkey.noName")}})
	}
	if err := p.Identity.Passkeys.Rename(r.Context(), p.Who(r), k.ID, name); err != nil {
		return err
	}
	return seeOther(w, r, "/security?done=renamed")
}

func (p *Pages) remove(w http.ResponseWriter, r *http.Request) error {
	k, err := p.passkey(r)
	if err != nil {
		return err
	}
	back := "/security/passkeys/" + k.ID
	if err := p.Identity.Passkeys.Remove(r.Context(), p.Who(r), k.ID, p.From(r)); err != nil {
		if bad := p.explain(w, p.Page(w, r).Words, "remove", "signin.refused", err); bad != nil {
			return p.showKey(w, r, key{key: k, name: k.Name, bad: bad})
		}
		return p.away(w, r, back, err)
	}
	if err := p.othersToo(r); err != nil {
		return err
	}
	return seeOther(w, r, "/security?done=removed")
}

// othersToo ends the other sessions when the form says so; a change of factor offers it (SES-07).
func (p *Pages) othersToo(r *http.Request) error {
	if r.PostFormValue("others") == "" {
		return nil
	}
	_, err := p.Identity.Sessions.EndOthers(r.Context(), p.Who(r))
	return err
}

// change is the page of a new password.
type change struct {
	page    site.Page
	suggest string
	has     bool
	min     int
	others  bool
	bad     *problem
}

func (p *Pages) newPasswordPage(w http.ResponseWriter, r *http.Request) error {
	if p.stale(r) {
		return seeOther(w, r, with("/signin/again", "/security/password"))
	}
	return p.showNewPassword(w, r, change{others: true})
}

// stale asks for the proof before a form is filled in, not after.
func (p *Pages) stale(r *http.Request) bool {
	return p.Clock().Sub(p.Who(r).Proved) > identity.ProofFresh
}

func (p *Pages) showNewPassword(w http.ResponseWriter, r *http.Request, c change) error {
	f, err := p.Identity.Accounts.Factors(r.Context(), p.Who(r).Account)
	if err != nil {
		return err
	}
	if p.Who(r).Kind == identity.Staff && !f.Password { // staff have passkeys only
		return identity.ErrNotFound
	}
	c.page = p.page(w, r, "security.password.title")
	c.page.Path = "/security"
	c.suggest, c.has, c.min = identity.Suggest(), f.Password, identity.MinPassword(f.TOTP)
	status := http.StatusOK
	if c.bad != nil {
		c.page.Errors, status = true, c.bad.status
	}
	return p.show(w, r, status, c.page, newPasswordPage(c))
}

func (p *Pages) newPassword(w http.ResponseWriter, r *http.Request) error {
	err := p.Identity.Passwords.Change(r.Context(), p.Who(r), r.PostFormValue("password"), p.From(r))
	if err != nil {
		if bad := p.explain(w, p.Page(w, r).Words, "password", "signin.refused", err); bad != nil {
			return p.showNewPassword(w, r, change{bad: bad, others: r.PostFormValue("others") != ""})
		}
		return p.away(w, r, "/security/password", err)
	}
	if err := p.othersToo(r); err != nil {
		return err
	}
	return seeOther(w, r, "/security?done=password")
}

// app is the page that sets an authenticator app up.
type app struct {
	page  site.Page
	setup identity.TOTPSetup
	has   bool
	bad   *problem
}

func (p *Pages) appPage(w http.ResponseWriter, r *http.Request) error {
	f, err := p.Identity.Accounts.Factors(r.Context(), p.Who(r).Account)
	if err != nil {
		return err
	}
	setup, err := p.Identity.OneTime.Begin(r.Context(), p.Who(r))
	if errors.Is(err, identity.ErrPasskeyOnly) {
		return identity.ErrNotFound
	}
	if err != nil {
		return p.away(w, r, "/security/app", err)
	}
	return p.showApp(w, r, app{setup: setup, has: f.TOTP})
}

func (p *Pages) showApp(w http.ResponseWriter, r *http.Request, a app) error {
	a.page = p.page(w, r, "security.app.title")
	a.page.Path = "/security"
	status := http.StatusOK
	if a.bad != nil {
		a.page.Errors, status = true, a.bad.status
	}
	return p.show(w, r, status, a.page, appPage(a))
}

func (p *Pages) app(w http.ResponseWriter, r *http.Request) error {
	step := r.PostFormValue("step")
	err := p.Identity.OneTime.Confirm(r.Context(), p.Who(r), step, r.PostFormValue("code"), p.From(r))
	if errors.Is(err, identity.ErrRefused) {
		setup, err2 := p.Identity.OneTime.Resume(r.Context(), p.Who(r), step)
		if err2 != nil {
			return p.away(w, r, "/security/app", err2)
		}
		return p.showApp(w, r, app{setup: setup, bad: p.explain(w, p.Page(w, r).Words, "code", "security.app.refused", err)})
	}
	if err != nil {
		return p.away(w, r, "/security/app", err)
	}
	return seeOther(w, r, "/security?done=app")
}

func (p *Pages) appRemove(w http.ResponseWriter, r *http.Request) error {
	if err := p.Identity.OneTime.Remove(r.Context(), p.Who(r), p.From(r)); err != nil {
		if bad := p.explain(w, p.Page(w, r).Words, "app", "signin.refused", err); bad != nil {
			return p.showSecurity(w, r, own{bad: bad})
		}
		return p.away(w, r, "/security", err)
	}
	return seeOther(w, r, "/security?done=appRemoved")
}

// sheet is the page of the recovery codes; codes are there once, right after they were made.
type sheet struct {
	page  site.Page
	left  int
	codes []string
	home  string
}

func (p *Pages) recoveryCodesPage(w http.ResponseWriter, r *http.Request) error {
	f, err := p.Identity.Accounts.Factors(r.Context(), p.Who(r).Account)
	if err != nil {
		return err
	}
	return p.showSheet(w, r, sheet{left: f.Recovery})
}

func (p *Pages) showSheet(w http.ResponseWriter, r *http.Request, s sheet) error {
	s.page = p.page(w, r, "security.recovery.title")
	s.page.Path, s.home = "/security", after(p.Who(r), "")
	return p.show(w, r, http.StatusOK, s.page, recoverySheet(s))
}

func (p *Pages) recoveryCodes(w http.ResponseWriter, r *http.Request) error {
	codes, err := p.Identity.OneTime.Recovery(r.Context(), p.Who(r), p.From(r))
	if err != nil {
		return p.away(w, r, "/security/recovery", err)
	}
	return p.showSheet(w, r, sheet{codes: codes, left: len(codes)})
}

func (p *Pages) endSession(w http.ResponseWriter, r *http.Request) error {
	who := p.Who(r)
	if err := p.Identity.Sessions.End(r.Context(), who.Account, r.PathValue("id"), who.Account); err != nil {
		return err
	}
	return seeOther(w, r, "/security?done=ended")
}

func (p *Pages) endOthers(w http.ResponseWriter, r *http.Request) error {
	if _, err := p.Identity.Sessions.EndOthers(r.Context(), p.Who(r)); err != nil {
		return err
	}
	return seeOther(w, r, "/security?done=others")
}
