package identity

import (
	_ "embed"
	"strings"
	"sync"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// commonWords is our own list of words that weak passwords are built from; one per line.
//
//go:embed common.txt
var commonWords string

var commonSet = sync.OnceValue(func() map[string]bool {
	set := map[string]bool{}
	for w := range strings.FieldsSeq(commonWords) {
		set[w] = true
	}
	return set
})

// Rows as people walk along them; digits and letters in order too.
var walks = []string{"qwertyuiop", "asdfghjkl", "zxcvbnm", "1234567890", "abcdefghijklmnopqrstuvwxyz", "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
	"qazwsxedcrfvtgbyhnujmikolp", "azertyuiop", "qwertzuiop", "!@#$%^&*()"}

var unleet = strings.NewReplacer("0", "o", "1", "i", "3", "e", "4", "a", "5", "s", "7", "t", "8", "b", "@", "a", "$", "s", "!", "i", "+", "t")

// blocked weighs the whole password (AUT-02): it is refused when nothing is left after taking away common words,
// context words, keyboard walks, repeats, and the digits and signs around them. Four common words or more in a row are
// a passphrase and pass, and so does one unknown word of five letters.
func blocked(password string, context ...string) Reason {
	s := cases.Fold().String(norm.NFKC.String(password))
	if repeats(s) || distinct(s) < 5 || walk(s) == len([]rune(s)) {
		return Pattern
	}
	own := contextWords(context)
	reason := Reason("")
	for _, form := range []string{s, unleet.Replace(s)} {
		switch words, rest, ofContext, walked := cover(form, own); {
		case rest > 4 || words-ofContext > 3:
			continue
		case ofContext > 0:
			return Context
		case words > 0:
			reason = Common
		case walked && reason == "":
			reason = Pattern
		case !hasLetter(form) && reason == "":
			reason = Pattern // digits and signs only, of a kind that no walk explains, are left to their length
			if distinct(form) > 6 {
				reason = ""
			}
		}
	}
	return reason
}

// contextWords are the parts, of four letters or more, of names and logins.
func contextWords(of []string) map[string]bool {
	set := map[string]bool{}
	for _, s := range of {
		s = cases.Fold().String(norm.NFKC.String(s))
		for _, w := range strings.FieldsFunc(s, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
			if len([]rune(w)) >= 4 {
				set[w] = true
			}
		}
		if whole := strings.Map(lettersOnly, s); len([]rune(whole)) >= 4 {
			set[whole] = true
		}
	}
	return set
}

func lettersOnly(r rune) rune {
	if unicode.IsLetter(r) {
		return r
	}
	return -1
}

// cover walks through s taking the longest known word, walk or repeat each time. rest counts letters it could not explain.
func cover(s string, own map[string]bool) (words, rest, ofContext int, walked bool) {
	common := commonSet()
	r := []rune(s)
	for i := 0; i < len(r); {
		if n, ctx := longestWord(r[i:], common, own); n > 0 {
			words++
			if ctx {
				ofContext++
			}
			i += n
			continue
		}
		if n := walk(string(r[i:])); n >= 4 {
			walked = true
			i += n
			continue
		}
		if unicode.IsLetter(r[i]) && (i == 0 || r[i] != r[i-1]) {
			rest++
		}
		i++
	}
	return words, rest, ofContext, walked
}

func longestWord(r []rune, common, own map[string]bool) (n int, ofContext bool) {
	for l := min(len(r), 32); l >= 4; l-- {
		w := string(r[:l])
		if own[w] {
			return l, true
		}
		if common[w] {
			return l, false
		}
	}
	return 0, false
}

// walk is how many runes from the start follow a row of keys, the alphabet or the digits, either way.
func walk(s string) int {
	r := []rune(s)
	best := 0
	for _, row := range walks {
		for _, step := range []int{1, -1} {
			best = max(best, along(r, []rune(row), step))
		}
	}
	return best
}

func along(s, row []rune, step int) int {
	if len(s) == 0 {
		return 0
	}
	at := -1
	for i, c := range row {
		if c == s[0] {
			at = i
		}
	}
	if at < 0 {
		return 0
	}
	n := 1
	for n < len(s) {
		at = (at + step + len(row)) % len(row)
		if s[n] != row[at] {
			break
		}
		n++
	}
	return n
}

// repeats says whether s is one piece of at most six runes over and over.
func repeats(s string) bool {
	r := []rune(s)
	for unit := 1; unit <= 6 && unit*2 <= len(r); unit++ {
		same := true
		for i := unit; i < len(r) && same; i++ {
			same = r[i] == r[i-unit]
		}
		if same {
			return true
		}
	}
	return false
}

func hasLetter(s string) bool { return strings.ContainsFunc(s, unicode.IsLetter) }

func distinct(s string) int {
	set := map[rune]bool{}
	for _, r := range s {
		set[r] = true
	}
	return len(set)
}
