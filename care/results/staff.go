package results

import (
	"encoding/base64"
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/wellgate/wellgate/care"
)

func commentOne(v *care.Visit) error    { return comment(v, "Observation") }
func commentReport(v *care.Visit) error { return comment(v, "DiagnosticReport") }

// comment stores what a clinician wrote, or shows it again with what is wrong with it, or with how it reads.
func comment(v *care.Visit, typ string) error {
	o, err := load(v, typ, v.PathValue("id"))
	if err != nil {
		return err
	}
	o.Text = tidyText(v.PostFormValue("text"))
	n := utf8.RuneCountInString(o.Text)
	switch {
	case o.State == Gone:
		o.Error = v.Words.T("results.write.gone")
	case o.Text == "":
		o.Error = v.Words.T("results.write.empty")
	case n > maxComment:
		o.Error = v.Words.N("results.write.long", n-maxComment)
	}
	if o.Error != "" {
		return o.show(v, http.StatusUnprocessableEntity)
	}
	if v.PostFormValue("do") == "check" {
		r := reads(o.Text, langOf(o.Text, v.Words.Lang))
		o.Reading = &r
		return o.show(v, http.StatusOK)
	}
	if err := write(v, o.Result, o.Text); err != nil {
		return err
	}
	return v.Go(path(o.Result) + "?done=shown")
}

func withdrawal(v *care.Visit) error {
	ci, err := withdraw(v, v.PathValue("id"))
	if err != nil {
		return err
	}
	for _, ref := range about(ci) {
		if id, ok := strings.CutPrefix(ref, "Observation/"); ok {
			return v.Go("/results/" + id + "?done=withdrawn")
		}
		if id, ok := strings.CutPrefix(ref, "DiagnosticReport/"); ok {
			return v.Go("/results/report/" + id + "?done=withdrawn")
		}
	}
	return v.Go("/results")
}

// mayComment: the form is there for those the policy lets write, for results that can be commented on; and always with
// words that somebody typed, so that nothing is lost.
func mayComment(v *care.Visit, o *oneView) bool {
	return v.Base != "" && comments(v.Who.Role) && v.Who.Practitioner != "" && (o.State != Gone || o.Text != "")
}

// mine: only who wrote a comment may withdraw it.
func mine(v *care.Visit, c Comment) bool {
	return v.Base != "" && !c.Withdrawn && comments(v.Who.Role) && v.Who.Practitioner != "" && c.By.Reference == v.Who.Practitioner
}

// tidyText keeps what people type and drops what they cannot see: control characters, odd line ends, space around.
func tidyText(s string) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, ""), "\r\n", "\n")
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case r == '\r':
			return '\n'
		case unicode.IsControl(r) || r >= 0x202a && r <= 0x202e || r == '\ufeff':
			return -1
		}
		return r
	}, s)
	return strings.TrimSpace(s)
}

// langOf guesses the language of a comment: the script tells Arabic; otherwise it is taken to be the page's.
func langOf(text, page string) string {
	for _, r := range text {
		if unicode.Is(unicode.Arabic, r) {
			return "ar"
		}
	}
	if page == "ar" {
		return ""
	}
	return page
}

func decodeText(b64 string) string {
	raw, err := base64.StdEncoding.DecodeString(strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, b64))
	if err != nil || !utf8.Valid(raw) {
		return ""
	}
	return tidyText(string(raw))
}
