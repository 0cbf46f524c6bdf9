package appointments

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// A CalendarEvent is what a calendar file tells. It has no place for a reason, a clinician or a room.
type CalendarEvent struct {
	UID         string // opaque
	Stamp       time.Time
	Start       time.Time
	End         time.Time // zero: Minutes decide
	Minutes     int
	Summary     string // "Appointment at …"
	Description string // how to change it
}

// Calendar writes one event as RFC 5545 wants it: UTC times, CRLF, lines folded at 75 octets.
func Calendar(e CalendarEvent) []byte {
	const utc = "20060102T150405Z"
	var b strings.Builder
	line := func(name, value string) { fold(&b, name+":"+value) }
	line("BEGIN", "VCALENDAR")
	line("VERSION", "2.0")
	line("PRODID", "-//Wellgate//Patient portal//EN")
	line("BEGIN", "VEVENT")
	line("UID", escape(e.UID))
	line("DTSTAMP", e.Stamp.UTC().Format(utc))
	line("DTSTART", e.Start.UTC().Format(utc))
	switch {
	case e.End.After(e.Start):
		line("DTEND", e.End.UTC().Format(utc))
	case e.Minutes > 0:
		line("DURATION", "PT"+strconv.Itoa(e.Minutes)+"M")
	}
	line("SUMMARY", escape(e.Summary))
	if e.Description != "" {
		line("DESCRIPTION", escape(e.Description))
	}
	line("CLASS", "PRIVATE")
	line("END", "VEVENT")
	line("END", "VCALENDAR")
	return []byte(b.String())
}

// escape is RFC 5545 §3.3.11; control characters, which have no place in a text, are dropped.
func escape(s string) string {
	s = strings.NewReplacer(`\`, `\\`, ";", `\;`, ",", `\,`, "\r\n", `\n`, "\n", `\n`, "\r", `\n`).Replace(s)
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, s)
}

// fold breaks a line at 75 octets without cutting a character; a continuation begins with a space (§3.1).
func fold(b *strings.Builder, line string) {
	limit := 75
	for len(line) > limit {
		cut := limit
		for !utf8.RuneStart(line[cut]) {
			cut--
		}
		b.WriteString(line[:cut] + "\r\n ")
		line, limit = line[cut:], 74
	}
	b.WriteString(line + "\r\n")
}
