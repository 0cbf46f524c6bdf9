// Command assets builds site/assets/dist from site/assets/src: one style sheet, the script modules, the icon sprite.
// The results are committed, so that building Wellgate needs Go alone.
//
//	go run -C tools ./assets                      after changing a source
//	go run -C tools ./assets -icons DIR           also draw the sprite anew from DIR, the icons of npm's lucide-static
//
// -check writes nothing and fails when a committed file is not what its sources make.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/evanw/esbuild/pkg/api"
)

const site = "../site/assets"

// copied go from source to dist as they are.
var copied = []string{"figtree.woff2", "atkinson.woff2", "icon.svg", "icon-180.png"}

func main() {
	log.SetFlags(0)
	icons := flag.String("icons", "", "directory of Lucide's SVG files; draws the sprite anew")
	check := flag.Bool("check", false, "write nothing; fail when dist is stale")
	flag.Parse()
	if *icons != "" {
		if err := sprite(*icons); err != nil {
			log.Fatal("assets: ", err)
		}
	}
	files, err := build()
	if err != nil {
		log.Fatal("assets: ", err)
	}
	for name, data := range files {
		path := filepath.Join(site, "dist", name)
		if *check {
			if old, err := os.ReadFile(path); err != nil || !bytes.Equal(old, data) {
				log.Fatalf("assets: %s is stale; run: go run -C tools ./assets", path)
			}
			continue
		}
		if err := os.WriteFile(path, data, 0o644); err != nil {
			log.Fatal("assets: ", err)
		}
	}
}

// build makes every file of dist.
func build() (map[string][]byte, error) {
	if err := os.WriteFile(filepath.Join(site, "src", "places.css"), places(), 0o644); err != nil {
		return nil, err
	}
	r := api.Build(api.BuildOptions{
		EntryPoints:       []string{site + "/src/app.css", site + "/src/app.ts", site + "/src/passkey.ts", site + "/src/work.ts", site + "/src/sw.ts"},
		Outdir:            "dist",
		Bundle:            true,
		MinifyWhitespace:  true,
		MinifyIdentifiers: true,
		MinifySyntax:      true,
		Format:            api.FormatESModule,
		External:          []string{"*.woff2"},
		Charset:           api.CharsetUTF8,
		LegalComments:     api.LegalCommentsNone,
		Engines:           []api.Engine{{Name: api.EngineChrome, Version: "100"}, {Name: api.EngineSafari, Version: "15.4"}, {Name: api.EngineFirefox, Version: "102"}},
	})
	for _, m := range append(r.Errors, r.Warnings...) {
		return nil, fmt.Errorf("%s: %+v", m.Text, m.Location)
	}
	files := map[string][]byte{}
	for _, f := range r.OutputFiles {
		files[filepath.Base(f.Path)] = f.Contents
	}
	for _, name := range append([]string{"icons.svg"}, copied...) {
		data, err := os.ReadFile(filepath.Join(site, "src", name))
		if err != nil {
			return nil, err
		}
		files[name] = data
	}
	return files, nil
}

// places makes .p0 … .p100 and .w0 … .w100: positions without inline style, which the CSP forbids.
func places() []byte {
	var b bytes.Buffer
	b.WriteString("@layer util{")
	for i := range 101 {
		fmt.Fprintf(&b, ".p%d{--p:%d%%}.w%d{--w:%d%%}", i, i, i, i)
	}
	b.WriteString("}\n")
	return b.Bytes()
}

var (
	inner = regexp.MustCompile(`(?s)<svg[^>]*>(.*)</svg>`)
	space = regexp.MustCompile(`\s*\n\s*`)
)

// sprite joins the icons named in icons.txt.
func sprite(dir string) error {
	list, err := os.ReadFile(filepath.Join(site, "src", "icons.txt"))
	if err != nil {
		return err
	}
	var b strings.Builder
	b.WriteString(`<svg xmlns="http://www.w3.org/2000/svg"><!-- Lucide, ISC; see NOTICE.md -->`)
	for _, name := range strings.Fields(string(list)) {
		raw, err := os.ReadFile(filepath.Join(dir, name+".svg"))
		if err != nil {
			return err
		}
		m := inner.FindSubmatch(raw)
		if m == nil {
			return fmt.Errorf("%s is no SVG", name)
		}
		body := strings.ReplaceAll(space.ReplaceAllString(strings.TrimSpace(string(m[1])), ""), " />", "/>")
		fmt.Fprintf(&b, `<symbol id="%s" viewBox="0 0 24 24">%s</symbol>`, name, body)
	}
	b.WriteString("</svg>\n")
	return os.WriteFile(filepath.Join(site, "src", "icons.svg"), []byte(b.String()), 0o644)
}
