package demo

import "strings"

type dateIn struct{ member, value string }

// datesOf finds the members of a resource that hold a day or a moment.
func datesOf(raw string) (out []dateIn) {
	for {
		i := strings.Index(raw, `":"`)
		if i < 0 {
			return out
		}
		name := raw[strings.LastIndexByte(raw[:i], '"')+1 : i]
		raw = raw[i+3:]
		if len(raw) > 10 && raw[4] == '-' && raw[7] == '-' && (raw[0] == '1' || raw[0] == '2') && (raw[10] == '"' || raw[10] == 'T') {
			out = append(out, dateIn{name, raw[:strings.IndexByte(raw, '"')]})
		}
	}
}
