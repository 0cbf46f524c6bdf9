package wellgate_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
)

const module = "github.com/wellgate/wellgate/"

// may lists, for each folder, what of ours it may import (docs/DESIGN.md, "Arrows"). The first row that fits wins. A name
// stands for the package and all below it; "same" for the folder's own tree.
var may = []struct{ from, to, why string }{
	{"cmd", "*", ""},
	{"internal", "", "internal/* are small tools that know nothing of the house"},
	{"doors", "same care trust/chart trust/identity trust/policy trust/audit site fhir hl7 feed", "a door ends at chart; it owns no tables and opens no keys"},
	{"care", "same-room care-itself trust/chart trust/identity site fhir", "rooms meet in the chart and in the feed, nowhere else"},
	{"duty", "same care-itself trust/chart trust/audit trust/policy trust/identity feed store site fhir", ""},
	{"notify", "same feed store site trust/identity", ""},
	{"trust/chart", "same trust/journal trust/vault trust/policy trust/audit trust/identity feed fhir store", "chart is the one door to a record"},
	{"trust/journal", "same trust/vault store", "the journal knows bytes and sequence numbers only"},
	{"trust/identity", "same trust/vault store", ""},
	{"trust/policy", "trust/identity", "policy weighs facts; it reads no store"},
	{"trust/vault", "same store", "keys know nothing of what they seal"},
	{"trust/audit", "same store", "the log knows entries as bytes"},
	{"feed", "same store", ""},
	{"store", "same", "the store knows no tables"},
	{"site", "same", "site is looks and words"},
	{"hl7", "same fhir", "a standard's word is pure"},
	{"fhir", "same", "a standard's word is pure"},
	{"demo", "same fhir", "the demo makes FHIR and nothing else"},
}

// pure may not be imported by these folders: a standard's word does no I/O, and rules of a room decide without it.
var impure = []string{"net/http", "database/sql", "html/template", "os", "github.com/a-h/templ"}

func TestArrows(t *testing.T) {
	walk(t, func(t *testing.T, p string, f *ast.File) {
		dir := path.Dir(p)
		for _, im := range f.Imports {
			pkg := strings.Trim(im.Path.Value, `"`)
			if path.Dir(dir) == "care" && path.Base(p) == path.Base(dir)+".go" || dir == "fhir" || strings.HasPrefix(dir, "fhir/") && !strings.HasPrefix(dir, "fhir/internal") {
				for _, no := range impure {
					if pkg == no {
						t.Errorf("%s imports %s: rules and standards stay pure", p, pkg)
					}
				}
			}
			to, ours := strings.CutPrefix(pkg, module)
			if !ours || to == "internal" || strings.HasPrefix(to, "internal/") && !within(dir, "internal") {
				continue
			}
			if ok, why := allowed(dir, to); !ok {
				t.Errorf("%s imports %s: no such arrow. %s", p, to, why)
			}
		}
	})
}

func allowed(dir, to string) (bool, string) {
	for _, r := range may {
		if !within(dir, r.from) {
			continue
		}
		for _, ok := range strings.Fields(r.to) {
			switch {
			case ok == "*":
				return true, ""
			case ok == "same" && within(to, r.from):
				return true, ""
			case ok == "same-room" && room(dir) != "" && room(dir) == room(to):
				return true, ""
			case ok == "care-itself" && to == "care":
				return true, ""
			case ok != "same" && within(to, ok) && !(ok == "trust/chart" && to != "trust/chart"):
				return true, ""
			}
		}
		return false, r.why
	}
	return false, "the folder has no row in arch_test.go"
}

func within(dir, tree string) bool { return dir == tree || strings.HasPrefix(dir, tree+"/") }

// room is the folder of care that dir is in.
func room(dir string) string {
	rest, ok := strings.CutPrefix(dir, "care/")
	if !ok {
		return ""
	}
	name, _, _ := strings.Cut(rest, "/")
	return name
}

// Every package says at its top what it is for; product code asks an injected clock and leaves no globals that change.
func TestHouseRules(t *testing.T) {
	docs := map[string]bool{}
	walk(t, func(t *testing.T, p string, f *ast.File) {
		dir := path.Dir(p)
		if f.Doc != nil {
			docs[dir] = true
		} else if _, seen := docs[dir]; !seen {
			docs[dir] = false
		}
		if within(dir, "cmd") || within(dir, "internal/clock") || strings.HasSuffix(dir, "test") {
			return
		}
		ast.Inspect(f, func(n ast.Node) bool {
			call, ok := n.(*ast.SelectorExpr)
			if ok && call.Sel.Name == "Now" {
				if x, ok := call.X.(*ast.Ident); ok && x.Name == "time" {
					t.Errorf("%s calls time.Now: take the time from a clock.Clock", p)
				}
			}
			return true
		})
	})
	for dir, has := range docs {
		if !has {
			t.Errorf("%s has no package comment: say what it promises", dir)
		}
	}
}

// The pages' escaping rests on templ; these two functions switch it off.
func TestNoRawHTML(t *testing.T) {
	err := filepath.WalkDir(".", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(p, ".templ") {
			return err
		}
		b, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		for _, bad := range []string{"templ.Raw(", "templ.JSUnsafe", " onclick=", " style=", "javascript:"} {
			if strings.Contains(string(b), bad) {
				t.Errorf("%s holds %q", p, bad)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// walk parses every Go file of the product, tests and generated code left out.
func walk(t *testing.T, see func(*testing.T, string, *ast.File)) {
	t.Helper()
	err := filepath.WalkDir(".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		p = filepath.ToSlash(p)
		if d.IsDir() && (p == "tools" || p == "test" || d.Name() == "testdata" || d.Name() == "node_modules" || strings.HasPrefix(d.Name(), ".") && p != ".") {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(p, ".go") || strings.HasSuffix(p, "_test.go") {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), p, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		see(t, p, f)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
