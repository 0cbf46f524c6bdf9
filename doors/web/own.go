package web

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/a-h/templ"

	"github.com/wellgate/wellgate/doors/web/signin"
	"github.com/wellgate/wellgate/site"
)

// own lists the door's own pages: public words, choices of looks, and what browsers ask for by fixed names.
func (d *Door) own() []Route {
	rs := []Route{
		{"GET /help", "help", Anyone, d.words("web.help.title", helpPage)},
		{"GET /privacy", "privacy-notice", Anyone, d.words("web.privacy.title", privacyPage)},
		{"GET /accessibility", "accessibility", Anyone, d.words("web.access.title", accessPage)},
		{"GET /offline", "offline", Anyone, d.offline},
		{"POST /preferences", "preferences", Anyone, d.prefer},
		{"GET /healthz", "health", Anyone, health},
		{"GET /robots.txt", "robots", Anyone, robots},
		{"GET /manifest.webmanifest", "manifest", Anyone, d.manifest},
		{"POST /session/stay", "session.stay", SignedIn, d.stay},
		{"GET /favicon.ico", "favicon", Anyone, favicon},
	}
	if d.Demo {
		rs = append(rs, Route{"GET /gallery", "gallery", Anyone, func(w http.ResponseWriter, r *http.Request) error {
			p := d.Page(w, r)
			p.Title = p.Words.T("web.gallery")
			return show(w, r, site.Plain(p, site.Gallery(p.Words)))
		}})
	}
	return rs
}

// asset says whether a path is a static file of site's, which needs no session.
func asset(path string) bool {
	return strings.HasPrefix(path, "/a/") || path == "/sw.js"
}

func (d *Door) words(title string, body func(site.Page) templ.Component) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		p := d.Page(w, r)
		p.Title = p.Words.T(title)
		frame := site.Plain
		if p.Person != "" && len(p.Nav) > 0 && visitOf(r).who.Chart != 0 {
			frame = site.Portal
		}
		return show(w, r, frame(p, body(p)))
	}
}

// offline is the page that a browser keeps on the device. It is the same for everybody: no name, no token, no session.
func (d *Door) offline(w http.ResponseWriter, r *http.Request) error {
	p := site.Page{Words: d.speak(r, visitOf(r)), Practice: d.Practice, Theme: choice(r, "theme", "light", "dark"), Font: choice(r, "font", "easy"), Demo: d.Demo}
	p.Title = p.Words.T("web.offline.title")
	return show(w, r, site.Plain(p, offlinePage(p)))
}

func show(w http.ResponseWriter, r *http.Request, c templ.Component) error {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	return c.Render(r.Context(), w)
}

// prefer keeps language, colours and letters in cookies that say nothing else, and goes back to the page.
func (d *Door) prefer(w http.ResponseWriter, r *http.Request) error {
	for name, values := range map[string][]string{
		"lang": d.Words.Langs(), "theme": {"light", "dark", "auto"}, "font": {"easy", "usual"},
	} {
		v := r.PostForm.Get(name)
		if !slices.Contains(values, v) {
			continue
		}
		http.SetCookie(w, &http.Cookie{Name: name, Value: v, Path: "/", MaxAge: 365 * 24 * 3600, Secure: d.TLS, HttpOnly: true, SameSite: http.SameSiteLaxMode})
		if who := visitOf(r).who; name == "lang" && who.Account != "" {
			if err := d.Identity.Accounts.SetLang(r.Context(), who, v); err != nil {
				return err
			}
		}
	}
	http.Redirect(w, r, back(r.PostForm.Get("next")), http.StatusSeeOther)
	return nil
}

// back is where a person was, if that is on this site.
func back(next string) string {
	if to := signin.Local(next); to != "" {
		return to
	}
	return "/"
}

func health(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "application/json")
	return json.NewEncoder(w).Encode(map[string]string{"status": "ok"})
}

func (d *Door) manifest(w http.ResponseWriter, r *http.Request) error {
	site.Manifest(d.Practice).ServeHTTP(w, r)
	return nil
}

// stay is the one key that keeps a session alive when its end is near (SES-04). It is an act of the person, though it
// arrives by script.
func (d *Door) stay(w http.ResponseWriter, r *http.Request) error {
	if _, err := d.Identity.Sessions.Touch(r.Context(), visitOf(r).token); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// favicon is asked for by browsers that read no page first.
func favicon(w http.ResponseWriter, r *http.Request) error {
	http.Redirect(w, r, site.AssetPath("icon.svg"), http.StatusMovedPermanently)
	return nil
}

func robots(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, err := w.Write([]byte("User-agent: *\nDisallow: /\n"))
	return err
}
