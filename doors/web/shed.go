package web

import (
	"bytes"
	"context"
	"hash/maphash"
	"net/http"
	"strconv"
	"strings"

	"github.com/wellgate/wellgate/care"
	"github.com/wellgate/wellgate/internal/admit"
	"github.com/wellgate/wellgate/site"
)

// classOf says how urgent a room's page is: results and messages last of all to be shed, a whole record taken along first.
func classOf(room care.Room, r care.Route) admit.Class {
	switch {
	case r.Action == "export":
		return admit.Bulk
	case room.Name == "results" || room.Name == "messages":
		return admit.Care
	}
	return admit.Page
}

// ownClass is the same for the door's own pages.
func ownClass(pattern string) admit.Class {
	if _, path, _ := strings.Cut(pattern, " "); strings.HasPrefix(path, "/signin") {
		return admit.Signin
	}
	return admit.Page
}

// free are the door's pages that cost nothing, and that those who watch over the portal need most when it is busy.
func free(path string) bool { return asset(path) || path == "/healthz" || path == "/robots.txt" }

// enter takes a place for a request. Nothing has been asked of the store yet: the session counts as the browser says it.
func (d *Door) enter(r *http.Request) (*admit.Place, admit.Class, error) {
	class := admit.Page
	if _, pattern := d.mux.Handler(r); pattern != "" {
		class = d.classes[pattern]
	}
	who := Client(r, d.Identity.Cookies.Session(r))
	p, err := d.Gate.Enter(r.Context(), class, who)
	return p, class, err
}

// seed makes the numbers of clients differ from process to process.
var seed = maphash.MakeSeed()

// Client is whose request it is, for a fair share: what it identifies itself by ("" for nothing) and its address.
func Client(r *http.Request, key string) admit.Client {
	var addr uint64
	if ip, ok := RemoteIP(r); ok {
		addr = maphash.Comparable(seed, admit.Network(ip))
	}
	if key == "" {
		return admit.Client{Key: addr, Addr: addr}
	}
	return admit.Client{Key: maphash.String(seed, key), Addr: addr}
}

// A busy page is made once: a refusal must cost next to nothing.
type busy struct{ get, post []byte }

func (d *Door) busyPages() error {
	d.busy = map[string]busy{}
	for _, lang := range d.Words.Langs() {
		page := func(again bool) ([]byte, error) {
			p := site.Page{Words: d.Words.Words(lang, d.Practice.Zone), Practice: d.Practice, Exit: exitPath, Demo: d.Demo}
			p.Title = p.Words.T("web.error.busy.title")
			var b bytes.Buffer
			err := site.Plain(p, busyPage(p, again)).Render(context.Background(), &b)
			return b.Bytes(), err
		}
		var b busy
		var err error
		if b.get, err = page(true); err != nil {
			return err
		}
		if b.post, err = page(false); err != nil {
			return err
		}
		d.busy[lang] = b
	}
	return nil
}

// shed tells a browser to come back: at once, from memory.
func (d *Door) shed(w http.ResponseWriter, r *http.Request, class admit.Class) {
	pages := d.busy[d.tongue(r, "")]
	body := pages.get
	if r.Method == http.MethodPost {
		body = pages.post
	}
	h := w.Header()
	h.Set("Retry-After", strconv.Itoa(admit.Retry(class)))
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(http.StatusServiceUnavailable)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body)
	}
}
