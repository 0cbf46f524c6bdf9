package site

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"
)

// TestBudgets is what a phone pays for the first page: bytes on the wire, brotli 11.
func TestBudgets(t *testing.T) {
	size := func(names ...string) (n int) {
		for _, name := range names {
			a := shelved().byName[name]
			if a.br != nil {
				n += len(a.br())
			} else {
				n += len(a.raw)
			}
		}
		return n
	}
	for _, b := range []struct {
		what  string
		got   int
		limit int
	}{
		{"style sheet", size("app.css"), 10 << 10},
		{"scripts, all of them", size("app.js", "passkey.js", "work.js", "sw.js"), 6 << 10},
		{"font", size("figtree.woff2"), 21 << 10},
		{"easier font, only when chosen", size("atkinson.woff2"), 34 << 10},
		{"icons", size("icons.svg"), 7 << 10},
		{"cold start", size("app.css", "app.js", "sw.js", "figtree.woff2", "icons.svg", "icon.svg"), 45 << 10},
	} {
		t.Logf("%s: %d bytes of %d", b.what, b.got, b.limit)
		if b.got > b.limit {
			t.Errorf("%s: %d bytes, the budget is %d", b.what, b.got, b.limit)
		}
	}
}

func TestAssetsAreServed(t *testing.T) {
	for name, a := range shelved().byName {
		r := httptest.NewRequest(http.MethodGet, a.path, nil)
		r.Header.Set("Accept-Encoding", "gzip, br")
		w := httptest.NewRecorder()
		Assets().ServeHTTP(w, r)
		body := io.Reader(w.Body)
		if w.Header().Get("Content-Encoding") == "br" {
			body = brotli.NewReader(body)
		}
		got, err := io.ReadAll(body)
		if err != nil || !bytes.Equal(got, a.raw) || w.Header().Get("Content-Type") == "" {
			t.Errorf("%s at %s: %d bytes of %d, %v, %v", name, a.path, len(got), len(a.raw), w.Header(), err)
		}
		if want := "immutable"; name != "sw.js" && !strings.Contains(w.Header().Get("Cache-Control"), want) {
			t.Errorf("%s: Cache-Control %q lacks %s", name, w.Header().Get("Cache-Control"), want)
		}
		r.Header.Set("Accept-Encoding", "gzip, br;q=0")
		w = httptest.NewRecorder()
		Assets().ServeHTTP(w, r)
		if !bytes.Equal(w.Body.Bytes(), a.raw) {
			t.Errorf("%s: packed for a reader who refuses it", name)
		}
	}
}

// TestNothingFromOutside: a style sheet or script that names another host would tell it who reads here.
func TestNothingFromOutside(t *testing.T) {
	outside := regexp.MustCompile(`(https?:)?//[a-z0-9-]+\.[a-z]+`)
	for _, name := range []string{"app.css", "app.js", "passkey.js", "work.js", "sw.js", "icons.svg"} {
		raw := string(shelved().byName[name].raw)
		raw = strings.ReplaceAll(raw, "http://www.w3.org/2000/svg", "")
		if m := outside.FindString(raw); m != "" {
			t.Errorf("%s names %s", name, m)
		}
		if m := regexp.MustCompile(`\beval\(|new Function|innerHTML|outerHTML|insertAdjacentHTML|document\.write|localStorage|sessionStorage|indexedDB`).FindString(raw); m != "" {
			t.Errorf("%s uses %s", name, m)
		}
	}
	css, sw := string(shelved().byName["app.css"].raw), string(shelved().byName["sw.js"].raw)
	for _, m := range regexp.MustCompile(`url\(([^)]*)\)`).FindAllStringSubmatch(css, -1) {
		if shelved().byPath[strings.Trim(m[1], `"'`)] == nil {
			t.Errorf("app.css names %s, which is not served", m[1])
		}
	}
	if strings.Contains(sw, "@files") || strings.Contains(sw, "@version") || !strings.Contains(sw, AssetPath("app.css")) {
		t.Errorf("the worker's list was not filled in: %s", sw)
	}
}

// TestIcons: an icon that the sprite lacks would draw nothing.
func TestIcons(t *testing.T) {
	sprite := string(shelved().byName["icons.svg"].raw)
	files, err := filepath.Glob("*.templ")
	if err != nil {
		t.Fatal(err)
	}
	more, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile(`(?:Icon(?:Flip)?\(|Icon: |icon: )"([a-z0-9-]+)"`)
	seen := 0
	for _, f := range append(files, more...) {
		src, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range named.FindAllStringSubmatch(string(src), -1) {
			seen++
			if !strings.Contains(sprite, `id="`+m[1]+`"`) {
				t.Errorf("%s: icon %s is not in the sprite; add it to assets/src/icons.txt", f, m[1])
			}
		}
	}
	if seen < 30 {
		t.Errorf("found %d icons in the sources; the search is broken", seen)
	}
}

// TestGenerated: what is committed is what the sources make.
func TestGenerated(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the generators")
	}
	run := func(args ...string) []byte {
		cmd := exec.Command("go", args...)
		var out, errs bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &errs
		if err := cmd.Run(); err != nil {
			t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, errs.Bytes())
		}
		return out.Bytes()
	}
	run("run", "-C", "../tools", "./assets", "-check")
	files, err := filepath.Glob("*.templ")
	if err != nil || len(files) == 0 {
		t.Fatalf("no templates: %v", err)
	}
	for _, f := range files {
		want := run("tool", "-modfile=../tools/go.mod", "templ", "generate", "-stdout", "-f", f)
		got, err := os.ReadFile(strings.TrimSuffix(f, ".templ") + "_templ.go")
		if err != nil {
			t.Fatal(err)
		}
		// templ writes the path as it was given; the committed file is generated from the root of the house.
		norm := regexp.MustCompile("`[^`\n]*\\.templ`")
		if !bytes.Equal(norm.ReplaceAll(got, nil), norm.ReplaceAll(want, nil)) {
			t.Errorf("%s: the generated code is stale; run templ generate -path ./site", f)
		}
	}
}
