package results

import (
	"strings"
	"unicode"
)

// A Reading says how easily a text reads.
type Reading struct {
	Age     int // reading age; 0 if it cannot be told
	Longest int // words of the longest sentence
}

// Easy: sentences under 20 words, and a reading age of 11 or less where it can be told.
func (r Reading) Easy() bool { return r.Longest < 20 && r.Age <= 11 }

// reads estimates the reading age: Flesch-Kincaid for English, Fernández Huerta for Spanish. For other languages only
// sentences are measured; their formulas do not carry over.
func reads(text, lang string) Reading {
	sentences, words, syllables, longest := 0, 0, 0, 0
	for _, s := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(".!?؟\n", r) }) {
		n := 0
		for w := range strings.FieldsSeq(s) {
			if !strings.ContainsFunc(w, unicode.IsLetter) {
				continue
			}
			n++
			if n > 1 && unicode.IsUpper([]rune(w)[0]) {
				syllables++ // a name: its reader knows it
				continue
			}
			syllables += syllablesOf(w)
		}
		if n > 0 {
			sentences++
			words += n
			longest = max(longest, n)
		}
	}
	r := Reading{Longest: longest}
	if words == 0 {
		return r
	}
	perSentence, perWord := float64(words)/float64(sentences), float64(syllables)/float64(words)
	switch lang {
	case "en":
		r.Age = clampAge(0.39*perSentence + 11.8*perWord - 15.59 + 5)
	case "es":
		ease := 206.84 - 60*perWord - 1.02*perSentence // 100 very easy, 0 very hard
		r.Age = clampAge(5 + (110-ease)/8)
	}
	return r
}

func clampAge(f float64) int { return min(max(int(f+0.5), 5), 22) }

// syllablesOf counts groups of vowels; English's silent e is not one.
func syllablesOf(word string) int {
	word = strings.TrimFunc(strings.ToLower(word), func(r rune) bool { return !unicode.IsLetter(r) })
	n, in := 0, false
	for _, r := range word {
		v := strings.ContainsRune("aeiouyáéíóúüàèìòù", r)
		if v && !in {
			n++
		}
		in = v
	}
	if n > 1 && strings.HasSuffix(word, "e") && !strings.HasSuffix(word, "le") {
		n--
	}
	return max(n, 1)
}
