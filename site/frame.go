package site

import (
	"slices"
	"strconv"
	"strings"

	"github.com/a-h/templ"
)

// headTitle is the browser's title: the page, then the practice; an error is said first (WCAG 3.3.1).
func (p Page) headTitle() string {
	t := p.Title
	if t != "" && p.Practice.Name != "" {
		t += " – "
	}
	t += p.Practice.Name
	if p.Errors {
		t = p.Words.T("site.errorPrefix") + " " + t
	}
	return t
}

// looks turns the person's choices into attributes of the root element.
func (p Page) looks() templ.Attributes {
	a := templ.Attributes{}
	if p.Theme == "light" || p.Theme == "dark" {
		a["data-theme"] = p.Theme
	}
	if p.Font == "easy" {
		a["data-font"] = "easy"
	}
	return a
}

// session tells the page's script when the session ends.
func (p Page) session() templ.Attributes {
	if p.Expires <= 0 || p.Person == "" {
		return nil
	}
	return templ.Attributes{"data-expires": strconv.Itoa(p.Expires)}
}

// name is the word key of the entry, the short one in the bottom bar.
func (n NavItem) name(dock bool) string {
	if dock && n.Short != "" {
		return n.Short
	}
	return n.Key
}

func (p Page) menu() []NavItem {
	if p.Menu != nil {
		return p.Menu
	}
	return []NavItem{{Icon: "shield-check", Key: "site.security", Href: "/security"}}
}

// docked are the places of the bottom bar, four at most; without any marked, the first four.
func (p Page) docked() []NavItem {
	var in []NavItem
	for _, n := range p.Nav {
		if n.Dock && len(in) < 4 {
			in = append(in, n)
		}
	}
	if len(in) == 0 {
		in = slices.Clone(p.Nav[:min(4, len(p.Nav))])
	}
	for i := range in {
		in[i].Gap = false
	}
	return in
}

func (p Page) undocked() []NavItem {
	var rest []NavItem
	docked := p.docked()
	for _, n := range p.Nav {
		out := true
		for _, d := range docked {
			out = out && d.Href != n.Href
		}
		if out {
			n.Gap = false
			rest = append(rest, n)
		}
	}
	return rest
}

// current marks the one entry whose path is the longest beginning of this page's.
func (p Page) current(n NavItem) templ.Attributes {
	best := ""
	for _, m := range p.Nav {
		if href := p.Base + m.Href; under(p.Path, href, p.Base) && len(href) > len(best) {
			best = href
		}
	}
	switch {
	case best == "" || best != p.Base+n.Href:
		return nil
	case p.Path == best:
		return templ.Attributes{"aria-current": "page"}
	}
	return templ.Attributes{"aria-current": "true"}
}

// under says whether path lies at or below href; the home page has nothing below it.
func under(path, href, base string) bool {
	return path == href || (href != base+"/" && href != base && strings.HasPrefix(path, strings.TrimSuffix(href, "/")+"/"))
}
