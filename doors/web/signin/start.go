package signin

import (
	"errors"
	"net/http"

	"github.com/wellgate/wellgate/site"
	"github.com/wellgate/wellgate/trust/identity"
)

// first is the pages of a first sign-in with a one-time code from the practice (AUT-20).
type first struct {
	page site.Page
	bad  *problem
	name string
	app  *identity.TOTPSetup // nil for those who use a passkey only
}

func (p *Pages) startPage(w http.ResponseWriter, r *http.Request) error {
	pg := p.page(w, r, "signin.start.title")
	return p.show(w, r, http.StatusOK, pg, startPage(first{page: pg}))
}

func (p *Pages) start(w http.ResponseWriter, r *http.Request) error {
	step, err := p.Identity.Enrol.Begin(r.Context(), r.PostFormValue("code"), p.From(r))
	if err == nil {
		p.Identity.Cookies.SetStep(w, step)
		return seeOther(w, r, "/signin/setup")
	}
	f := first{page: p.page(w, r, "signin.start.title")}
	if f.bad = p.explain(w, f.page.Words, "code", "signin.start.refused", err); f.bad == nil {
		return err
	}
	f.page.Errors = true
	return p.show(w, r, f.bad.status, f.page, startPage(f))
}

func (p *Pages) setupPage(w http.ResponseWriter, r *http.Request) error {
	return p.showSetup(w, r, first{page: p.page(w, r, "signin.setup.title")})
}

func (p *Pages) showSetup(w http.ResponseWriter, r *http.Request, f first) error {
	acc, app, err := p.Identity.Enrol.Setup(r.Context(), p.Identity.Cookies.Step(r))
	if errors.Is(err, identity.ErrStep) {
		return seeOther(w, r, "/signin/start")
	}
	if err != nil {
		return err
	}
	f.name, f.app = acc.Name, app
	status := http.StatusOK
	if f.bad != nil {
		f.page.Errors, status = true, f.bad.status
	}
	return p.show(w, r, status, f.page, setupPage(f))
}

// setup takes password and app together.
func (p *Pages) setup(w http.ResponseWriter, r *http.Request) error {
	g, err := p.Identity.Enrol.FinishPassword(r.Context(), p.Identity.Cookies.Step(r), r.PostFormValue("password"),
		r.PostFormValue("code"), r.PostFormValue("shared") != "", p.From(r))
	if err == nil {
		p.Identity.Cookies.Grant(w, g)
		return seeOther(w, r, "/security/recovery")
	}
	if errors.Is(err, identity.ErrStep) {
		return seeOther(w, r, "/signin/start")
	}
	f := first{page: p.page(w, r, "signin.setup.title")}
	field := "password"
	if errors.Is(err, identity.ErrRefused) {
		field = "code"
	}
	if f.bad = p.explain(w, f.page.Words, field, "signin.code.refused", err); f.bad == nil {
		return err
	}
	return p.showSetup(w, r, f)
}

func (p *Pages) setupBegin(w http.ResponseWriter, r *http.Request) error {
	options, challenge, err := p.Identity.Enrol.BeginPasskey(r.Context(), p.Identity.Cookies.Step(r))
	if err != nil {
		return p.jsonError(w, "/signin/start", err)
	}
	p.Identity.Cookies.SetChallenge(w, challenge)
	return p.json(w, http.StatusOK, reply{PublicKey: options})
}

func (p *Pages) setupFinish(w http.ResponseWriter, r *http.Request) error {
	in, err := read(r)
	if err != nil {
		return p.jsonError(w, "/signin/setup", err)
	}
	g, err := p.Identity.Enrol.FinishPasskey(r.Context(), p.Identity.Cookies.Challenge(r), p.deviceName(w, r), in.Credential, in.Shared != "", p.From(r))
	if err != nil {
		return p.jsonError(w, "/signin/start", err)
	}
	p.Identity.Cookies.Grant(w, g)
	return p.json(w, http.StatusOK, reply{Next: "/security/recovery"})
}
