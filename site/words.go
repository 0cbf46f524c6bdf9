package site

import (
	"embed"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
)

//go:embed words/*.json
var ownWords embed.FS

// Words speaks one language to one reader: catalogue texts, dates, numbers.
// Catalogues are JSON files words/en.json, es.json, ar.json: {"results.title": "Test results",
// "results.new": {"one": "{n} new result", "other": "{n} new results"}}. Rooms bring their own, keys prefixed with the room.
type Words struct {
	Lang string
	Zone *time.Location
	cat  *Catalogue
}

// Catalogue holds every text of the product.
type Catalogue struct {
	langs []string
	texts map[string]map[string]text // language, key
}

// A text holds one form per CLDR plural category; a plain text is the form "other" alone.
type text map[string]string

// fallback is the language a missing key falls back to; it leads the list of languages.
const fallback = "en"

// forms lists the plural categories each language must spell out. The others may be given and fall back to "other".
var forms = map[string][]string{
	"en": {"one", "other"},
	"es": {"one", "other"},
	"ar": {"one", "two", "few", "many", "other"},
}

// NewCatalogue reads words/*.json from this package and from each file system; a key that two files define, that a
// language lacks, or whose placeholders differ between languages, is an error.
func NewCatalogue(files ...fs.FS) (*Catalogue, error) {
	c := &Catalogue{texts: map[string]map[string]text{}}
	gallery, err := galleryWords()
	if err != nil {
		return nil, fmt.Errorf("site.NewCatalogue: %w", err)
	}
	for _, fsys := range append([]fs.FS{ownWords, gallery}, files...) {
		if err := c.read(fsys); err != nil {
			return nil, err
		}
	}
	for lang := range c.texts {
		if lang != fallback {
			c.langs = append(c.langs, lang)
		}
	}
	slices.Sort(c.langs)
	slices.Reverse(c.langs) // Español before العربية
	c.langs = append([]string{fallback}, c.langs...)
	return c, c.check()
}

func (c *Catalogue) read(fsys fs.FS) error {
	names, err := fs.Glob(fsys, "words/*.json")
	if err != nil {
		return fmt.Errorf("site.NewCatalogue: %w", err)
	}
	for _, name := range names {
		raw, err := fs.ReadFile(fsys, name)
		if err != nil {
			return fmt.Errorf("site.NewCatalogue: %w", err)
		}
		var got map[string]any
		if err := json.Unmarshal(raw, &got); err != nil { // also refuses a key written twice
			return fmt.Errorf("site.NewCatalogue: %s: %w", name, err)
		}
		lang := strings.TrimSuffix(path.Base(name), ".json")
		if forms[lang] == nil {
			return fmt.Errorf("site.NewCatalogue: %s: language %q is unknown; add its plural forms and dates to package site", name, lang)
		}
		if c.texts[lang] == nil {
			c.texts[lang] = map[string]text{}
		}
		for key, v := range got {
			t, err := asText(v)
			if err != nil {
				return fmt.Errorf("site.NewCatalogue: %s: %s: %w", name, key, err)
			}
			if _, taken := c.texts[lang][key]; taken {
				return fmt.Errorf("site.NewCatalogue: %s: %s is defined twice; prefix keys with the room's name", name, key)
			}
			c.texts[lang][key] = t
		}
	}
	return nil
}

func asText(v any) (text, error) {
	switch v := v.(type) {
	case string:
		return text{"other": v}, nil
	case map[string]any:
		t := text{}
		for form, s := range v {
			s, ok := s.(string)
			if !ok || !slices.Contains([]string{"zero", "one", "two", "few", "many", "other"}, form) {
				return nil, fmt.Errorf("form %q must be a text under a CLDR plural category", form)
			}
			t[form] = s
		}
		return t, nil
	}
	return nil, fmt.Errorf("must be a text or an object of plural forms")
}

var placeholder = regexp.MustCompile(`\{[a-z][A-Za-z0-9]*\}`)

// holes lists the placeholders of s except {n}, which a plural form may leave out ("a new result").
func holes(s string, plural bool) string {
	seen := map[string]bool{}
	for _, h := range placeholder.FindAllString(s, -1) {
		if !plural || h != "{n}" {
			seen[h] = true
		}
	}
	return strings.Join(slices.Sorted(maps.Keys(seen)), " ")
}

func (c *Catalogue) check() error {
	keys := map[string]bool{}
	for _, texts := range c.texts {
		for key := range texts {
			keys[key] = true
		}
	}
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		if err := c.checkKey(key); err != nil {
			return fmt.Errorf("site.NewCatalogue: %w", err)
		}
	}
	return nil
}

func (c *Catalogue) checkKey(key string) error {
	want, ok := c.texts[fallback][key]
	if !ok {
		return fmt.Errorf("%s: missing in words/%s.json", key, fallback)
	}
	many := len(want) > 1
	for _, lang := range c.langs {
		t, ok := c.texts[lang][key]
		if !ok {
			return fmt.Errorf("%s: missing in words/%s.json", key, lang)
		}
		if (len(t) > 1) != many {
			return fmt.Errorf("%s: has plural forms in one language and none in another (words/%s.json)", key, lang)
		}
		need := []string{"other"}
		if many {
			need = forms[lang]
		}
		for _, form := range need {
			if t[form] == "" {
				return fmt.Errorf("%s: form %q is missing in words/%s.json", key, form, lang)
			}
		}
		for form, s := range t {
			if got, want := holes(s, many), holes(want["other"], many); got != want {
				return fmt.Errorf("%s: placeholders of %q are [%s] in words/%s.json, want [%s]", key, form, got, lang, want)
			}
		}
	}
	return nil
}

// Words speaks lang, or English when the catalogue does not have it, with times told in zone.
func (c *Catalogue) Words(lang string, zone *time.Location) Words {
	if c.texts[lang] == nil {
		lang = fallback
	}
	return Words{Lang: lang, Zone: zone, cat: c}
}

// Langs lists the languages, English first.
func (c *Catalogue) Langs() []string { return slices.Clone(c.langs) }

// Langs lists the languages the reader may choose from.
func (w Words) Langs() []string {
	if w.cat == nil {
		return nil
	}
	return w.cat.Langs()
}

// In is the same catalogue in another language, for the name of a language in itself.
func (w Words) In(lang string) Words {
	w.Lang = lang
	return w
}

// Has says whether key exists, for texts that come by code ("results.plain.4548-4").
func (w Words) Has(key string) bool {
	if w.cat == nil {
		return false
	}
	_, ok := w.cat.texts[fallback][key]
	return ok
}

// T is the text of key with {name} placeholders filled from pairs ("name", value, …); a missing key shows the English text.
func (w Words) T(key string, pairs ...any) string { return w.fill(w.find(key)["other"], key, pairs) }

// N is T with plural forms chosen by n, which also fills {n}.
func (w Words) N(key string, n int, pairs ...any) string {
	t := w.find(key)
	s := t["other"]
	if f, ok := t[category(w.Lang, n)]; ok {
		s = f
	}
	return w.fill(s, key, append([]any{"n", w.Number(strconv.Itoa(n))}, pairs...))
}

func (w Words) find(key string) text {
	if w.cat == nil {
		return nil
	}
	if t, ok := w.cat.texts[w.Lang][key]; ok {
		return t
	}
	return w.cat.texts[fallback][key]
}

func (w Words) fill(s, key string, pairs []any) string {
	if s == "" {
		return key
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		s = strings.ReplaceAll(s, "{"+fmt.Sprint(pairs[i])+"}", w.Isolate(fmt.Sprint(pairs[i+1])))
	}
	return s
}

var categories = map[plural.Form]string{plural.Zero: "zero", plural.One: "one", plural.Two: "two", plural.Few: "few", plural.Many: "many"}

func category(lang string, n int) string {
	if n < 0 {
		n = -n
	}
	return categories[plural.Cardinal.MatchPlural(language.Make(lang), n, 0, 0, 0, 0)]
}
