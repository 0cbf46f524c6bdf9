package site

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestThemeContrast holds for whatever colour a practice picks.
func TestThemeContrast(t *testing.T) {
	check := func(t rapid.TB, hex string) {
		t.Helper()
		base := parse(hex)
		l, d := light(base), dark(base)
		sunken, midnight, deepNight := parse("#f1f0ea"), parse("#0e1618"), parse("#111b1e")
		for _, c := range []struct {
			what   string
			on, at rgb
			want   float64
		}{
			{"button", l.onBrand, l.brand, 5.5}, {"button, hover", l.onBrand, l.hover, 5.5},
			{"link on card", l.brand, white, 5.5}, {"link on paper", l.brand, paper, 5.5}, {"link on a hovered row", l.brand, sunken, 4.5},
			{"soft", l.softInk, l.soft, 7}, {"link in soft", l.brand, l.soft, 4.5}, {"deep", l.onDeep, l.deep, 5.5}, {"inverse button", l.deep, l.onDeep, 5.5},
			{"date tile", l.onDeep, mix(l.deep, black, .2), 5.5},
			{"dark button", d.onBrand, d.brand, 7}, {"dark button, hover", d.onBrand, d.hover, 7},
			{"dark link on card", d.brand, night, 8}, {"dark link on page", d.brand, midnight, 8}, {"dark link on a hovered row", d.brand, deepNight, 8},
			{"dark soft", d.softInk, d.soft, 7}, {"dark link in soft", d.brand, d.soft, 4.5}, {"dark deep", d.onDeep, d.deep, 7}, {"dark inverse button", d.deep, d.onDeep, 7},
			{"dark date tile", d.onDeep, mix(d.deep, black, .2), 7},
		} {
			if got := contrast(c.on, c.at); got < c.want {
				t.Errorf("%s: %s: %s on %s is %.2f : 1, want %.1f", hex, c.what, c.on.hex(), c.at.hex(), got, c.want)
			}
		}
	}
	for _, hex := range []string{defaultColour, "#000000", "#ffffff", "#ffd400", "#7a3e8f", "#38a3e0", "#c2552d", "#111111", "#00ff00", "#ff0000", "#0000ff"} {
		check(t, hex)
	}
	for range 6 { // rapid runs 100 each
		rapid.Check(t, func(t *rapid.T) { check(t, "#"+rapid.StringMatching(`[0-9a-f]{6}`).Draw(t, "colour")) })
	}
}

func TestThemeIsServed(t *testing.T) {
	get := func(path string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		Assets().ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		return w
	}
	w := get(ThemePath("#7A3E8F"))
	if w.Code != 200 || !strings.Contains(w.Body.String(), "--brand:#7a3e8f") || !strings.Contains(w.Header().Get("Cache-Control"), "immutable") {
		t.Errorf("theme: %d %v %s", w.Code, w.Header(), w.Body)
	}
	if a, b := ThemePath("not a colour;}"), ThemePath(""); a != b || a != ThemePath(defaultColour) {
		t.Errorf("what is no colour must give the default theme, got %s and %s", a, b)
	}
	for _, path := range []string{"/a/theme-7a3e8f.0000000000.css", "/a/theme-7a3e8f.css", "/a/theme-zzzzzz.0000000000.css", "/a/../words/en.json", "/a/app.css"} {
		if w := get(path); w.Code != 404 {
			t.Errorf("%s: %d, want 404", path, w.Code)
		}
	}
}
