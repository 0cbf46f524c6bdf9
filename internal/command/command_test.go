package command

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

type root struct {
	Serve serveCmd `cmd:"" help:"Serve it."`
	Store struct {
		Copy copyCmd `cmd:"" help:"Copy it."`
	} `cmd:"" help:"The store."`
}

type common struct {
	Dir string `default:"." help:"Folder."`
}

type serveCmd struct {
	common
	PublicKey string        `required:"" help:"Key."`
	Wait      time.Duration `default:"2s" help:"Wait."`
	N         uint8         `default:"3" help:"Number."`
	JSON      bool          `help:"As JSON."`
	Mode      string        `default:"a" enum:"a,b" help:"Mode."`
	ran       bool
}

func (c *serveCmd) Run(ctx context.Context) error { c.ran = true; return ctx.Err() }

type copyCmd struct {
	File string   `type:"existingfile" help:"File."`
	Path []string `arg:"" name:"path" type:"path" help:"Paths."`
}

func (*copyCmd) Run() error { return errors.New("copied") }

func parse(args ...string) (*root, Run, string, error) {
	var r root
	var out strings.Builder
	run, err := Program{Name: "x", About: "About x.", Commands: &r, Out: &out}.Parse(args)
	return &r, run, out.String(), err
}

func TestParse(t *testing.T) {
	r, run, _, err := parse("serve", "--public-key", "k", "--wait=5m", "--json", "--n", "9", "--mode=b")
	if err != nil || run(t.Context()) != nil {
		t.Fatal(err)
	}
	want := serveCmd{common{"."}, "k", 5 * time.Minute, 9, true, "b", true}
	if !reflect.DeepEqual(r.Serve, want) {
		t.Errorf("%+v", r.Serve)
	}
	file := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	r, run, _, err = parse("store", "copy", "one", "--file", file, "--", "--two")
	if err != nil || run(t.Context()).Error() != "copied" {
		t.Fatal(err)
	}
	if len(r.Store.Copy.Path) != 2 || !filepath.IsAbs(r.Store.Copy.Path[0]) || filepath.Base(r.Store.Copy.Path[1]) != "--two" {
		t.Errorf("%+v", r.Store.Copy)
	}
}

func TestParseRefuses(t *testing.T) {
	for line, want := range map[string]string{
		"":                                      "expected one of serve, store",
		"nonsense":                              "unexpected argument nonsense",
		"serve":                                 "missing flags: --public-key=STRING",
		"serve --public-key":                    "--public-key: expected",
		"serve --public-key=k x":                "unexpected argument x",
		"serve --public-key=k --n=300":          `--n: "300" is no uint8`,
		"serve --public-key=k --mode=c":         "one of a,b",
		"serve --public-key=k --jsom":           "unknown flag --jsom",
		"serve --public-key=k --json=perhaps":   "is no bool",
		"store":                                 "expected one of copy",
		"store copy":                            "expected <path> ...",
		"store copy x --file=/there/is/no/file": "is no file that is there",
	} {
		if _, _, _, err := parse(strings.Fields(line)...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", line, err, want)
		}
	}
}

func TestHelp(t *testing.T) {
	for line, want := range map[string]string{
		"--help":            "Usage: x <command>\n\nAbout x.\n\nFlags:\n  --help    Show this help.\n\nCommands:\n  serve         Serve it.\n  store copy    Copy it.\n",
		"serve --help":      "Usage: x serve --public-key=STRING\n\nServe it.\n\nFlags:\n  --help                 Show this help.\n  --dir=\".\"",
		"store copy --help": "Usage: x store copy <path> ...",
	} {
		if _, _, out, err := parse(strings.Fields(line)...); !errors.Is(err, ErrHelp) || !strings.HasPrefix(out, want) {
			t.Errorf("%q: %v\n%s", line, err, out)
		}
	}
}
