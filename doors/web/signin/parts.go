package signin

import (
	"strconv"
	"strings"

	"github.com/wellgate/wellgate/site"
	"github.com/wellgate/wellgate/trust/identity"
)

// Names that user agents carry, most specific first: Edge and Opera also say Chrome, Chrome also says Safari.
var browsers = [][2]string{{"Edg", "Edge"}, {"OPR/", "Opera"}, {"SamsungBrowser", "Samsung Internet"}, {"Firefox", "Firefox"}, {"FxiOS", "Firefox"},
	{"CriOS", "Chrome"}, {"Chrome", "Chrome"}, {"Safari", "Safari"}}

var systems = [][2]string{{"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Android", "Android"}, {"Windows", "Windows"}, {"Mac OS X", "Mac"},
	{"CrOS", "Chromebook"}, {"Linux", "Linux"}}

func named(agent string, names [][2]string) string {
	for _, n := range names {
		if strings.Contains(agent, n[0]) {
			return n[1]
		}
	}
	return ""
}

// device says in plain words which browser a user agent is.
func device(w site.Words, agent string) string {
	b, s := named(agent, browsers), named(agent, systems)
	switch {
	case b != "" && s != "":
		return w.T("security.device", "browser", b, "system", s)
	case b != "" || s != "":
		return b + s
	}
	return w.T("security.device.unknown")
}

func deviceIcon(agent string) string {
	switch named(agent, systems) {
	case "iPhone", "iPad", "Android":
		return "smartphone"
	}
	return "laptop"
}

func blank(s string) bool { return strings.TrimSpace(s) == "" }

// modules is a QR code as one path of runs, with its quiet zone of four.
func modules(q identity.QR) string {
	var b strings.Builder
	for y := range q.Size {
		for x := 0; x < q.Size; x++ {
			if !q.Dark[y*q.Size+x] {
				continue
			}
			from := x
			for x < q.Size && q.Dark[y*q.Size+x] {
				x++
			}
			n := strconv.Itoa(x - from)
			b.WriteString("M" + strconv.Itoa(from+4) + " " + strconv.Itoa(y+4) + "h" + n + "v1h-" + n + "z")
		}
	}
	return b.String()
}

func viewBox(q identity.QR) string {
	n := strconv.Itoa(q.Size + 8)
	return "0 0 " + n + " " + n
}

// spaced breaks a secret into groups of four, as people type it.
func spaced(s string) string {
	var parts []string
	for len(s) > 4 {
		parts, s = append(parts, s[:4]), s[4:]
	}
	return strings.Join(append(parts, s), " ")
}
