package results

import (
	"math/big"
	"slices"
	"strings"

	"github.com/wellgate/wellgate/fhir"
)

// Status is how a value stands to what is usual, as the result itself says.
type Status int

const (
	NotGiven Status = iota
	Usual
	LittleLow
	Low
	VeryLow
	LittleHigh
	High
	VeryHigh
	Outside    // abnormal, direction not said
	FarOutside // critically abnormal, direction not said
	Positive
	Negative
	Unclear // the test could not tell
)

// Flagged reports whether s deserves a second look: outside the usual range, positive or unclear.
func (s Status) Flagged() bool { return s != NotGiven && s != Usual && s != Negative }

// slight is how far beyond a limit still counts as "a little": a tenth of the range's width, or of the limit where the
// range has one end. Evidence: words and pictures that keep near-usual values calm cut false alarm without hiding
// extreme ones (Zikmund-Fisher, JAMIA 2017). For clinical review.
var slight = big.NewRat(1, 10)

// statusOf weighs what a result says of itself. The laboratory's own word comes first; a range decides only where that
// is silent, says merely "abnormal", or where a goal set for this person exists. A goal never hides a critical mark.
func statusOf(v Value, words []fhir.CodeableConcept, r *Range) Status {
	said, ranged := interpretation(words), NotGiven
	if v.Form == Withdrawn {
		return NotGiven
	}
	if r != nil {
		ranged = r.place(v)
	}
	switch {
	case said == VeryLow, said == VeryHigh, said == FarOutside:
		return said
	case r != nil && r.Goal && ranged != NotGiven:
		return ranged
	case said == NotGiven:
		return ranged
	case said == Outside && ranged.Flagged():
		return ranged
	case said == Low && ranged == LittleLow, said == High && ranged == LittleHigh:
		return ranged // same side, said more exactly
	}
	return said
}

// agree reports whether drawing v on r would contradict s.
func agree(s, ranged Status) bool {
	side := func(s Status) int {
		switch s {
		case LittleLow, Low, VeryLow:
			return -1
		case LittleHigh, High, VeryHigh:
			return 1
		case Usual, Negative:
			return 0
		}
		return 2
	}
	return side(s) == side(ranged) || (side(s) == 2 && ranged.Flagged())
}

// codes of http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation and its ancestor v2-0078. Those about
// change (U, D, B, W) or about a germ's resistance (S, I, R …) say nothing of "usual" and are left out.
var interpretations = map[string]Status{
	"N": Usual, "L": Low, "LL": VeryLow, "LU": VeryLow, "LX": Low, "<": Low,
	"H": High, "HH": VeryHigh, "HU": VeryHigh, "HX": High, ">": High,
	"A": Outside, "AA": FarOutside, "EX": Outside,
	"POS": Positive, "DET": Positive, "RR": Positive, "WR": Positive,
	"NEG": Negative, "ND": Negative, "NR": Negative,
	"IND": Unclear, "E": Unclear, "EQU": Unclear,
}

// words that senders write instead of a code.
var interpretationWords = map[string]Status{
	"normal": Usual, "within normal limits": Usual, "within normal range": Usual, "wnl": Usual, "low": Low, "below low normal": Low,
	"critically low": VeryLow, "critical low": VeryLow, "high": High, "above high normal": High, "elevated": High,
	"critically high": VeryHigh, "critical high": VeryHigh, "abnormal": Outside, "critically abnormal": FarOutside, "critical": FarOutside,
	"positive": Positive, "detected": Positive, "reactive": Positive, "negative": Negative, "not detected": Negative,
	"non-reactive": Negative, "nonreactive": Negative, "indeterminate": Unclear, "equivocal": Unclear, "inconclusive": Unclear,
}

// interpretation is the gravest of what is said; low and high together are merely "outside".
func interpretation(words []fhir.CodeableConcept) Status {
	var all []Status
	for _, w := range words {
		if s := oneInterpretation(w); s != NotGiven {
			all = append(all, s)
		}
	}
	if len(all) == 0 {
		return NotGiven
	}
	low := slices.ContainsFunc(all, func(s Status) bool { return s == Low || s == VeryLow })
	high := slices.ContainsFunc(all, func(s Status) bool { return s == High || s == VeryHigh })
	if low && high {
		return Outside
	}
	return slices.MaxFunc(all, func(a, b Status) int { return gravity(a) - gravity(b) })
}

func oneInterpretation(w fhir.CodeableConcept) Status {
	for _, k := range w.Coding {
		if s := interpretations[strings.ToUpper(strings.TrimSpace(k.Code))]; s != NotGiven {
			return s
		}
	}
	for _, k := range w.Coding {
		if s := interpretationWords[fold(k.Display)]; s != NotGiven {
			return s
		}
	}
	if s := interpretationWords[fold(w.Text)]; s != NotGiven {
		return s
	}
	return interpretations[strings.ToUpper(strings.TrimSpace(w.Text))]
}

func gravity(s Status) int {
	return slices.Index([]Status{NotGiven, Usual, Negative, Unclear, Outside, Positive, LittleLow, LittleHigh, Low, High, FarOutside, VeryLow, VeryHigh}, s)
}

// verdict reads a worded value. Only words that mean one thing are read.
func verdict(text string) Status {
	switch fold(text) {
	case "positive", "pos", "detected", "reactive", "present", "positivo", "detectado", "reactivo":
		return Positive
	case "negative", "neg", "not detected", "non-reactive", "nonreactive", "non reactive", "absent", "none seen", "none detected", "negativo", "no detectado", "no reactivo":
		return Negative
	case "indeterminate", "equivocal", "inconclusive", "indeterminado", "no concluyente":
		return Unclear
	}
	return NotGiven
}
