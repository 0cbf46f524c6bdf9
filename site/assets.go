package site

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"sync"

	"github.com/andybalholm/brotli"
)

//go:embed assets/dist
var dist embed.FS

// An asset is one static file under its content-hashed path.
type asset struct {
	path, kind string
	raw        []byte
	br         func() []byte // brotli 11, made once, at the first request; nil for what is packed already
}

var kinds = map[string]string{
	".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml",
	".woff2": "font/woff2", ".png": "image/png",
}

// cold is what the service worker keeps for the offline page.
var cold = []string{"app.css", "app.js", "icons.svg", "figtree.woff2", "icon.svg"}

// A shelf holds every static file, by name and by path.
type shelf struct{ byName, byPath map[string]*asset }

// shelved reads the embedded files once. They are part of the binary: a fault is one of the build, so it panics.
var shelved = sync.OnceValue(func() shelf {
	s := shelf{map[string]*asset{}, map[string]*asset{}}
	entries, err := fs.ReadDir(dist, "assets/dist")
	if err != nil {
		panic("site: " + err.Error())
	}
	raw := map[string][]byte{}
	for _, e := range entries {
		if raw[e.Name()], err = dist.ReadFile("assets/dist/" + e.Name()); err != nil {
			panic("site: " + err.Error())
		}
	}
	for name, data := range raw {
		if path.Ext(name) != ".css" && name != "sw.js" {
			s.add(name, data)
		}
	}
	// The style sheet names fonts, the worker names everything: their own hashes come after theirs.
	css := raw["app.css"]
	for name, a := range s.byName {
		css = bytes.ReplaceAll(css, []byte(`"`+name+`"`), []byte(`"`+a.path+`"`))
		css = bytes.ReplaceAll(css, []byte("("+name+")"), []byte("("+a.path+")"))
	}
	s.add("app.css", css)
	var files []string
	for _, name := range cold {
		files = append(files, s.byName[name].path)
	}
	list := strings.Join(files, " ")
	sw := bytes.ReplaceAll(raw["sw.js"], []byte("@files"), []byte(list))
	sw = bytes.ReplaceAll(sw, []byte("@version"), []byte("static-"+digest([]byte(list))))
	s.put("sw.js", "/sw.js", sw)
	return s
})

func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:5])
}

func (s shelf) add(name string, data []byte) {
	ext := path.Ext(name)
	s.put(name, "/a/"+strings.TrimSuffix(name, ext)+"."+digest(data)+ext, data)
}

func (s shelf) put(name, at string, data []byte) {
	a := &asset{path: at, kind: kinds[path.Ext(name)], raw: data}
	if ext := path.Ext(name); ext == ".css" || ext == ".js" || ext == ".svg" {
		a.br = sync.OnceValue(func() []byte { return pack(data) })
	}
	s.byName[name], s.byPath[at] = a, a
}

func pack(data []byte) []byte {
	var b bytes.Buffer
	w := brotli.NewWriterLevel(&b, brotli.BestCompression)
	w.Write(data) // a bytes.Buffer does not fail
	w.Close()
	return b.Bytes()
}

// AssetPath is the path of a static file, named by its content so that it can be kept for ever. Asking for one that is
// not there is a mistake in the program and panics.
func AssetPath(name string) string {
	a := shelved().byName[name]
	if a == nil {
		panic("site.AssetPath: no asset " + name + "; add it to tools/assets")
	}
	return a.path
}

// Assets serves /a/… , the theme of every colour among them, and /sw.js. Mount it at "GET /a/" and "GET /sw.js", before
// sign-in and without a session: nothing here is about anybody.
func Assets() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a := shelved().byPath[r.URL.Path]
		if a == nil {
			a = themed(r.URL.Path)
		}
		if a == nil {
			http.NotFound(w, r)
			return
		}
		a.serve(w, r)
	})
}

func (a *asset) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", a.kind)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	if a.path == "/sw.js" {
		h.Set("Cache-Control", "no-cache") // the browser looks for a new release of its worker
	}
	data := a.raw
	if a.br != nil {
		h.Add("Vary", "Accept-Encoding")
		if accepts(r, "br") {
			h.Set("Content-Encoding", "br")
			data = a.br()
		}
	}
	if r.Method != http.MethodHead {
		w.Write(data) // a reader who left is no error of ours
	}
}

// accepts reads Accept-Encoding; "br;q=0" refuses.
func accepts(r *http.Request, coding string) bool {
	for part := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		name, params, _ := strings.Cut(strings.TrimSpace(part), ";")
		if strings.TrimSpace(name) == coding {
			q := strings.ReplaceAll(params, " ", "")
			return q != "q=0" && !strings.HasPrefix(q, "q=0.000") && q != "q=0.0" && q != "q=0.00"
		}
	}
	return false
}

// Manifest serves /manifest.webmanifest: the practice's portal as an app on the home screen.
func Manifest(p Practice) http.Handler {
	type icon struct {
		Src   string `json:"src"`
		Sizes string `json:"sizes"`
		Type  string `json:"type"`
	}
	data, err := json.Marshal(map[string]any{
		"name": p.Name, "short_name": p.Name, "start_url": "/", "scope": "/", "display": "standalone",
		"background_color": "#f5f4ef", "theme_color": "#ffffff",
		"icons": []icon{{AssetPath("icon.svg"), "any", "image/svg+xml"}, {AssetPath("icon-180.png"), "180x180", "image/png"}},
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err != nil {
			http.Error(w, "the manifest could not be made; check the practice's name", http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/manifest+json")
		w.Header().Set("Cache-Control", "public, max-age=3600")
		w.Write(data) // a reader who left is no error of ours
	})
}
