package site_test

import (
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/a-h/templ"

	"github.com/wellgate/wellgate/site"
)

// strictCSP is what doors/web sends; the gallery must live under it.
const strictCSP = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; manifest-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'; require-trusted-types-for 'script'; trusted-types sw"

func words(t testing.TB, lang string) site.Words {
	t.Helper()
	c, err := site.NewCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	return c.Words(lang, time.UTC)
}

// gallery is the page that shows every part, in the frame asked for.
func gallery(w site.Words, frame, theme, colour string) templ.Component {
	p := site.Page{
		Title: w.T("gallery.title"), Words: w, CSRF: "token", Path: "/gallery", Nav: site.GalleryNav(), Person: "Amina Rahman",
		Practice: site.Practice{Name: "Willowbrook Family Practice", Phone: "+1 555 0100", Emergency: "911", Colour: colour},
		Theme:    theme,
		Exit:     "/elsewhere", Printed: "Amina Rahman, 12 May 1984. 24 Nov 2026", Demo: true, Expires: 900,
	}
	switch frame {
	case "desk":
		p.Exit, p.Person = "", "Sam Okafor"
		p.Patient = &site.Banner{Name: "Amina Rahman", Born: "12 May 1984", Number: "943 476 5919", Reason: "Direct care", Close: "/desk/close",
			Flags: []site.Tag{{Tone: "bad", Icon: "triangle-alert", Text: "Allergy: penicillin"}, {Tone: "info", Icon: "globe", Text: "Bengali interpreter"}}}
		return site.Desk(p, site.Gallery(w))
	case "plain":
		p.Person, p.Nav, p.CSRF = "", nil, ""
		return site.Plain(p, site.Gallery(w))
	case "acting":
		p.Patient = &site.Banner{Name: "Maya Rahman", Flags: []site.Tag{{Text: "Full access"}}}
	}
	return site.Portal(p, site.Gallery(w))
}

// TestServe shows the gallery to a browser: WELLGATE_GALLERY=localhost:8455 go test ./site -run TestServe -timeout 0
func TestServe(t *testing.T) {
	addr := os.Getenv("WELLGATE_GALLERY")
	if addr == "" {
		t.Skip("WELLGATE_GALLERY names no address to serve the gallery at")
	}
	c, err := site.NewCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /a/", site.Assets())
	mux.Handle("GET /sw.js", site.Assets())
	mux.Handle("GET /manifest.webmanifest", site.Manifest(site.Practice{Name: "Willowbrook Family Practice"}))
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", strictCSP)
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		q := r.URL.Query()
		words := c.Words(q.Get("lang"), time.UTC)
		if err := gallery(words, q.Get("frame"), q.Get("theme"), q.Get("colour")).Render(r.Context(), w); err != nil {
			t.Error(err)
		}
	})
	t.Fatal(http.ListenAndServe(addr, mux))
}
