package signin

import (
	"errors"
	"net/http"

	"github.com/wellgate/wellgate/site"
	"github.com/wellgate/wellgate/trust/identity"
)

// proof is the step-up page (AUT-17): it comes between a person and a sensitive act, and goes back to the act.
type proof struct {
	page    site.Page
	next    string
	factors identity.Factors
	bad     *problem
}

func (p *Pages) againPage(w http.ResponseWriter, r *http.Request) error {
	return p.askAgain(w, r, proof{page: p.page(w, r, "signin.again.title"), next: next(r)})
}

func (p *Pages) askAgain(w http.ResponseWriter, r *http.Request, a proof) (err error) {
	if a.factors, err = p.Identity.Accounts.Factors(r.Context(), p.Who(r).Account); err != nil {
		return err
	}
	status := http.StatusOK
	if a.bad != nil {
		a.page.Errors, status = true, a.bad.status
	}
	return p.show(w, r, status, a.page, againPage(a))
}

func (p *Pages) again(w http.ResponseWriter, r *http.Request) error {
	g, err := p.Identity.Signin.Prove(r.Context(), p.Identity.Cookies.Session(r), r.PostFormValue("code"), p.From(r))
	if err == nil {
		p.Identity.Cookies.Grant(w, g)
		return seeOther(w, r, after(g.Who, next(r)))
	}
	if errors.Is(err, identity.ErrNoSession) {
		return seeOther(w, r, with("/signin", next(r)))
	}
	a := proof{page: p.page(w, r, "signin.again.title"), next: next(r)}
	if a.bad = p.explain(w, a.page.Words, "code", "signin.code.refused", err); a.bad == nil {
		return err
	}
	return p.askAgain(w, r, a)
}

func (p *Pages) againBegin(w http.ResponseWriter, r *http.Request) error {
	options, step, err := p.Identity.Passkeys.BeginProve(r.Context(), p.Who(r))
	if err != nil {
		return err
	}
	p.Identity.Cookies.SetChallenge(w, step)
	return p.json(w, http.StatusOK, reply{PublicKey: options})
}

func (p *Pages) againFinish(w http.ResponseWriter, r *http.Request) error {
	in, err := read(r)
	if err != nil {
		return p.jsonError(w, "/signin/again", err)
	}
	c := p.Identity.Cookies
	g, err := p.Identity.Passkeys.FinishProve(r.Context(), c.Session(r), c.Challenge(r), in.Credential, p.From(r))
	if err != nil {
		return p.jsonError(w, with("/signin/again", in.Next), err)
	}
	c.Grant(w, g)
	return p.json(w, http.StatusOK, reply{Next: after(g.Who, in.Next)})
}
