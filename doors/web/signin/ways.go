package signin

import (
	"errors"
	"net/http"

	"github.com/wellgate/wellgate/site"
	"github.com/wellgate/wellgate/trust/identity"
)

// form is a sign-in page as it is drawn, again with what was typed when it came back.
type form struct {
	page   site.Page
	next   string
	login  string
	shared bool
	bad    *problem
	second identity.Second
	work   string // what this form shows for itself after a wait
}

func (p *Pages) signin(w http.ResponseWriter, r *http.Request) error {
	if who := p.Who(r); who.Account != "" {
		return seeOther(w, r, after(who, next(r)))
	}
	pg := p.page(w, r, "signin.title")
	return p.show(w, r, http.StatusOK, pg, signinPage(form{page: pg, next: next(r)}))
}

func (p *Pages) password(w http.ResponseWriter, r *http.Request) error {
	f := form{next: next(r), login: r.PostFormValue("login"), shared: r.PostFormValue("shared") != ""}
	from := p.From(r)
	from.Work = r.PostFormValue("work")
	step, err := p.Identity.Signin.Password(r.Context(), f.login, r.PostFormValue("password"), f.shared, from)
	if err == nil {
		p.Identity.Cookies.SetStep(w, step)
		return seeOther(w, r, with("/signin/code", f.next))
	}
	f.page = p.page(w, r, "signin.title")
	f.page.Path = "/signin"
	if asked := (*identity.WorkError)(nil); errors.As(err, &asked) {
		f.work = asked.Puzzle.Seal
	}
	if f.bad = p.explain(w, f.page.Words, "login", "signin.refused", err); f.bad == nil {
		return err
	}
	f.page.Errors = true
	return p.show(w, r, f.bad.status, f.page, signinPage(f))
}

// work tells script what a try costs now, so that the form goes with it done. Without script the form's answer says to wait.
func (p *Pages) work(w http.ResponseWriter, r *http.Request) error {
	in, err := read(r)
	if err != nil { // what holds no login costs nothing; its form will be answered
		return p.json(w, http.StatusOK, reply{})
	}
	puzzle, err := p.Identity.Signin.Work(r.Context(), in.Login, p.From(r))
	if err != nil {
		return err
	}
	if puzzle == nil {
		return p.json(w, http.StatusOK, reply{})
	}
	return p.json(w, http.StatusOK, reply{Seal: puzzle.Seal, Bits: puzzle.Bits})
}

// step draws the second step, or goes back to the first if there is none in progress.
func (p *Pages) step(w http.ResponseWriter, r *http.Request, f form, recovery bool) error {
	second, err := p.Identity.Signin.Second(r.Context(), p.Identity.Cookies.Step(r))
	if errors.Is(err, identity.ErrStep) {
		return seeOther(w, r, with("/signin", f.next))
	}
	if err != nil {
		return err
	}
	f.second = second
	status := http.StatusOK
	if f.bad != nil {
		f.page.Errors, status = true, f.bad.status
	}
	switch {
	case !second.App && !second.Recovery:
		return p.show(w, r, status, f.page, noSecondPage(f))
	case recovery || !second.App:
		return p.show(w, r, status, f.page, recoveryPage(f))
	}
	return p.show(w, r, status, f.page, codePage(f))
}

func (p *Pages) codePage(w http.ResponseWriter, r *http.Request) error {
	return p.step(w, r, form{page: p.page(w, r, "signin.code.title"), next: next(r)}, false)
}

func (p *Pages) recoveryPage(w http.ResponseWriter, r *http.Request) error {
	return p.step(w, r, form{page: p.page(w, r, "signin.recovery.title"), next: next(r)}, true)
}

func (p *Pages) code(w http.ResponseWriter, r *http.Request) error {
	g, err := p.Identity.Signin.Code(r.Context(), p.Identity.Cookies.Step(r), r.PostFormValue("code"), p.From(r))
	return p.second(w, r, g, err, false)
}

func (p *Pages) recovery(w http.ResponseWriter, r *http.Request) error {
	g, err := p.Identity.Signin.Recovery(r.Context(), p.Identity.Cookies.Step(r), r.PostFormValue("code"), p.From(r))
	return p.second(w, r, g, err, true)
}

func (p *Pages) second(w http.ResponseWriter, r *http.Request, g identity.Grant, err error, recovery bool) error {
	to := next(r)
	if err == nil {
		p.Identity.Cookies.Grant(w, g)
		if recovery && to == "" {
			to = "/security#recovery" // one code fewer; this is the time to look
		}
		return seeOther(w, r, after(g.Who, to))
	}
	if errors.Is(err, identity.ErrStep) {
		return seeOther(w, r, with("/signin", to))
	}
	title, refused := "signin.code.title", "signin.code.refused"
	if recovery {
		title, refused = "signin.recovery.title", "signin.recovery.refused"
	}
	f := form{page: p.page(w, r, title), next: to}
	if f.bad = p.explain(w, f.page.Words, "code", refused, err); f.bad == nil {
		return err
	}
	return p.step(w, r, f, recovery)
}

func (p *Pages) passkeyBegin(w http.ResponseWriter, r *http.Request) error {
	options, step, err := p.Identity.Passkeys.BeginSignin(r.Context())
	if err != nil {
		return err
	}
	p.Identity.Cookies.SetChallenge(w, step)
	return p.json(w, http.StatusOK, reply{PublicKey: options})
}

func (p *Pages) passkeyFinish(w http.ResponseWriter, r *http.Request) error {
	in, err := read(r)
	if err != nil {
		return p.jsonError(w, "/signin", err)
	}
	g, err := p.Identity.Passkeys.FinishSignin(r.Context(), p.Identity.Cookies.Challenge(r), in.Credential, in.Shared != "", p.From(r))
	if err != nil {
		return p.jsonError(w, with("/signin", in.Next), err)
	}
	p.Identity.Cookies.Grant(w, g)
	return p.json(w, http.StatusOK, reply{Next: after(g.Who, in.Next)})
}

// signout ends the session on the server and clears what the browser holds of it (SES-06). On a shared computer that is
// everything; on one's own the known-device cookie and the choice of language stay.
func (p *Pages) signout(w http.ResponseWriter, r *http.Request) error {
	shared, err := p.end(w, r)
	if err != nil {
		return err
	}
	clear := `"cache", "storage"`
	if shared {
		clear = `"cache", "cookies", "storage"`
	}
	w.Header().Set("Clear-Site-Data", clear)
	return seeOther(w, r, "/signout")
}

func (p *Pages) end(w http.ResponseWriter, r *http.Request) (shared bool, err error) {
	if who := p.Who(r); who.Account != "" {
		live, err := p.Identity.Sessions.List(r.Context(), who.Account)
		if err != nil {
			return false, err
		}
		for _, s := range live {
			shared = shared || s.ID == who.Session && s.Shared
		}
	}
	if err := p.Identity.Sessions.Signout(r.Context(), p.Identity.Cookies.Session(r), p.From(r)); err != nil {
		return false, err
	}
	p.Identity.Cookies.Clear(w)
	return shared, nil
}

func (p *Pages) signedOut(w http.ResponseWriter, r *http.Request) error {
	if p.Who(r).Account != "" {
		return seeOther(w, r, "/")
	}
	pg := p.page(w, r, "signin.out.title")
	return p.show(w, r, http.StatusOK, pg, signedOutPage(pg))
}

// exit leaves quickly: it ends the session and goes elsewhere at once, as a plain link so that it works without script.
// A link on somebody else's page does not end the session.
func (p *Pages) exit(w http.ResponseWriter, r *http.Request) error {
	site := r.Header.Get("Sec-Fetch-Site")
	if r.Method == http.MethodPost || site == "same-origin" || site == "" {
		if _, err := p.end(w, r); err != nil {
			return err
		}
	}
	w.Header().Set("Referrer-Policy", "no-referrer")
	if r.Method == http.MethodPost {
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	return seeOther(w, r, p.Exit)
}
