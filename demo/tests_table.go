package demo

// A test is one measurement a laboratory reports, in US conventional units.
type test struct {
	key, loinc, name string
	unit, ucum       string
	places           int
	ranges           []span
	usual, spread    float64 // where healthy adults lie; 0 = the middle of the range
	noise            float64 // how much one draw differs from the next
	least, most      float64 // what a course may not leave
	panicLow         float64
	panicHigh        float64
}

// A span is a reference range for a sex (0 = both) and ages from ≤ age < to. none marks an open side.
type span struct {
	sex       byte
	from, to  int
	low, high float64
}

const none = -1

func both(low, high float64) []span { return []span{{0, 0, 200, low, high}} }

func bySex(fl, fh, ml, mh float64) []span {
	return []span{{'f', 0, 200, fl, fh}, {'m', 0, 200, ml, mh}}
}

var tests = []test{
	{key: "glucose", loinc: "2345-7", name: "Glucose", unit: "mg/dL", ucum: "mg/dL", ranges: both(65, 99), usual: 88, spread: 5, noise: 4, least: 52, most: 420, panicLow: 50, panicHigh: 400},
	{key: "bun", loinc: "3094-0", name: "Urea nitrogen (BUN)", unit: "mg/dL", ucum: "mg/dL", ranges: []span{{0, 0, 18, 5, 18}, {0, 18, 60, 7, 20}, {0, 60, 200, 8, 23}}, noise: 1.3, least: 4, most: 90},
	{key: "creatinine", loinc: "2160-0", name: "Creatinine", unit: "mg/dL", ucum: "mg/dL", places: 2, ranges: []span{{0, 0, 3, 0.2, 0.4}, {0, 3, 12, 0.3, 0.7}, {0, 12, 18, 0.5, 1.0}, {'f', 18, 200, 0.55, 1.02}, {'m', 18, 200, 0.7, 1.28}}, noise: 0.03, least: 0.2, most: 6},
	{key: "egfr", loinc: "98979-8", name: "Kidney filtration rate (eGFR)", unit: "mL/min/1.73 m²", ucum: "mL/min/{1.73_m2}", ranges: both(60, none)},
	{key: "sodium", loinc: "2951-2", name: "Sodium", unit: "mmol/L", ucum: "mmol/L", ranges: both(135, 145), usual: 140, spread: 1.2, noise: 0.8, least: 122, most: 155, panicLow: 125, panicHigh: 155},
	{key: "potassium", loinc: "2823-3", name: "Potassium", unit: "mmol/L", ucum: "mmol/L", places: 1, ranges: both(3.5, 5.1), usual: 4.2, spread: 0.2, noise: 0.15, least: 2.8, most: 6.2, panicLow: 2.9, panicHigh: 6.0},
	{key: "chloride", loinc: "2075-0", name: "Chloride", unit: "mmol/L", ucum: "mmol/L", ranges: both(98, 107), usual: 102.5, spread: 1, noise: 0.8, least: 88, most: 116},
	{key: "co2", loinc: "2028-9", name: "Carbon dioxide, total", unit: "mmol/L", ucum: "mmol/L", ranges: both(21, 31), usual: 25.5, spread: 1, noise: 0.8, least: 14, most: 38},
	{key: "calcium", loinc: "17861-6", name: "Calcium", unit: "mg/dL", ucum: "mg/dL", places: 1, ranges: both(8.6, 10.3), usual: 9.4, spread: 0.15, noise: 0.1, least: 7.5, most: 12},
	{key: "protein", loinc: "2885-2", name: "Protein, total", unit: "g/dL", ucum: "g/dL", places: 1, ranges: both(6.1, 8.1), usual: 7.1, spread: 0.2, noise: 0.1, least: 5, most: 9},
	{key: "albumin", loinc: "1751-7", name: "Albumin", unit: "g/dL", ucum: "g/dL", places: 1, ranges: both(3.5, 5.1), usual: 4.3, spread: 0.15, noise: 0.08, least: 2.5, most: 5.4},
	{key: "bilirubin", loinc: "1975-2", name: "Bilirubin, total", unit: "mg/dL", ucum: "mg/dL", places: 1, ranges: both(0.2, 1.2), usual: 0.6, spread: 0.12, noise: 0.06, least: 0.2, most: 4},
	{key: "alp", loinc: "6768-6", name: "Alkaline phosphatase", unit: "U/L", ucum: "U/L", ranges: []span{{0, 0, 18, 100, 390}, {0, 18, 200, 35, 125}}, noise: 4, least: 20, most: 600},
	{key: "ast", loinc: "1920-8", name: "AST (liver enzyme)", unit: "U/L", ucum: "U/L", ranges: both(10, 40), usual: 22, spread: 3, noise: 2, least: 8, most: 400},
	{key: "alt", loinc: "1742-6", name: "ALT (liver enzyme)", unit: "U/L", ucum: "U/L", ranges: bySex(6, 40, 9, 50), usual: 21, spread: 4, noise: 2.5, least: 6, most: 500},

	{key: "chol", loinc: "2093-3", name: "Cholesterol, total", unit: "mg/dL", ucum: "mg/dL", ranges: both(none, 200)},
	{key: "tg", loinc: "2571-8", name: "Triglycerides", unit: "mg/dL", ucum: "mg/dL", ranges: both(none, 150), usual: 98, spread: 18, noise: 9, least: 40, most: 390},
	{key: "hdl", loinc: "2085-9", name: "HDL cholesterol", unit: "mg/dL", ucum: "mg/dL", ranges: bySex(50, none, 40, none), usual: 57, spread: 5, noise: 2, least: 25, most: 95},
	{key: "ldl", loinc: "13457-7", name: "LDL cholesterol, calculated", unit: "mg/dL", ucum: "mg/dL", ranges: both(none, 100), usual: 88, spread: 9, noise: 4, least: 35, most: 260},
	{key: "nonhdl", loinc: "43396-1", name: "Non-HDL cholesterol", unit: "mg/dL", ucum: "mg/dL", ranges: both(none, 130)},

	{key: "hba1c", loinc: "4548-4", name: "Hemoglobin A1c", unit: "%", ucum: "%", places: 1, ranges: both(4.0, 5.6), usual: 5.3, spread: 0.1, noise: 0.1, least: 4.2, most: 14},

	{key: "wbc", loinc: "6690-2", name: "White blood cells", unit: "10³/µL", ucum: "10*3/uL", places: 1, ranges: []span{{0, 0, 6, 5.0, 15.5}, {0, 6, 18, 4.5, 13.5}, {0, 18, 200, 4.0, 11.0}}, noise: 0.5, least: 2, most: 25},
	{key: "rbc", loinc: "789-8", name: "Red blood cells", unit: "10⁶/µL", ucum: "10*6/uL", places: 2, ranges: []span{{0, 0, 12, 3.9, 5.3}, {'f', 12, 200, 3.8, 5.1}, {'m', 12, 200, 4.2, 5.8}}},
	{key: "hgb", loinc: "718-7", name: "Hemoglobin", unit: "g/dL", ucum: "g/dL", places: 1, ranges: []span{{0, 0, 2, 10.5, 13.5}, {0, 2, 12, 11.5, 15.5}, {'f', 12, 200, 11.7, 15.5}, {'m', 12, 18, 12.5, 16.5}, {'m', 18, 200, 13.2, 17.1}}, noise: 0.2, least: 6.5, most: 19, panicLow: 7},
	{key: "hct", loinc: "4544-3", name: "Hematocrit", unit: "%", ucum: "%", places: 1, ranges: []span{{0, 0, 2, 33, 39}, {0, 2, 12, 34.5, 45}, {'f', 12, 200, 35, 45}, {'m', 12, 18, 37, 49}, {'m', 18, 200, 38.5, 50}}},
	{key: "mcv", loinc: "787-2", name: "Red cell size (MCV)", unit: "fL", ucum: "fL", places: 1, ranges: []span{{0, 0, 6, 70, 86}, {0, 6, 12, 77, 95}, {0, 12, 200, 80, 100}}, noise: 0.6, least: 62, most: 115},
	{key: "mch", loinc: "785-6", name: "Hemoglobin per red cell (MCH)", unit: "pg", ucum: "pg", places: 1, ranges: []span{{0, 0, 6, 23, 31}, {0, 6, 12, 25, 33}, {0, 12, 200, 26.5, 33}}},
	{key: "rdw", loinc: "788-0", name: "Red cell width (RDW)", unit: "%", ucum: "%", places: 1, ranges: both(11.0, 15.0), usual: 13, spread: 0.4, noise: 0.2, least: 10.5, most: 24},
	{key: "plt", loinc: "777-3", name: "Platelets", unit: "10³/µL", ucum: "10*3/uL", ranges: both(140, 400), usual: 250, spread: 30, noise: 12, least: 60, most: 700},

	{key: "ferritin", loinc: "2276-4", name: "Ferritin (iron stores)", unit: "ng/mL", ucum: "ng/mL", ranges: []span{{0, 0, 12, 10, 60}, {'f', 12, 200, 16, 150}, {'m', 12, 200, 30, 400}}, noise: 2, least: 3, most: 900},
	{key: "iron", loinc: "2498-4", name: "Iron", unit: "µg/dL", ucum: "ug/dL", ranges: both(45, 160), noise: 8, least: 12, most: 220},
	{key: "tibc", loinc: "2500-7", name: "Iron binding capacity", unit: "µg/dL", ucum: "ug/dL", ranges: both(250, 450), noise: 10, least: 180, most: 560},
	{key: "b12", loinc: "2132-9", name: "Vitamin B12", unit: "pg/mL", ucum: "pg/mL", ranges: both(200, 1100), usual: 480, spread: 80, noise: 30, least: 90, most: 1900},
	{key: "tsh", loinc: "3016-3", name: "Thyroid stimulating hormone (TSH)", unit: "mIU/L", ucum: "m[IU]/L", places: 2, ranges: both(0.4, 4.5), usual: 1.9, spread: 0.4, noise: 0.2, least: 0.05, most: 60},
	{key: "ft4", loinc: "3024-7", name: "Thyroxine, free (T4)", unit: "ng/dL", ucum: "ng/dL", places: 1, ranges: both(0.8, 1.8), usual: 1.2, spread: 0.1, noise: 0.06, least: 0.3, most: 4},
	{key: "vitd", loinc: "62292-8", name: "Vitamin D, 25-hydroxy", unit: "ng/mL", ucum: "ng/mL", ranges: both(30, 100), usual: 41, spread: 5, noise: 2, least: 6, most: 120},
	{key: "acr", loinc: "9318-7", name: "Albumin/creatinine ratio, urine", unit: "mg/g", ucum: "mg/g", ranges: both(none, 30), usual: 9, spread: 3, noise: 1.5, least: 2, most: 900},
	{key: "inr", loinc: "6301-6", name: "INR (clotting time)", unit: "{INR}", ucum: "{INR}", places: 1, ranges: both(0.9, 1.1), usual: 1.0, spread: 0.03, noise: 0.25, least: 0.9, most: 5.5, panicHigh: 5},
	{key: "psa", loinc: "2857-1", name: "Prostate specific antigen (PSA)", unit: "ng/mL", ucum: "ng/mL", places: 1, ranges: []span{{'m', 0, 60, none, 4.0}, {'m', 60, 200, none, 4.5}}, usual: 1.3, spread: 0.3, noise: 0.12, least: 0.1, most: 40},
	{key: "crp", loinc: "1988-5", name: "C-reactive protein (CRP)", unit: "mg/L", ucum: "mg/L", places: 1, ranges: both(none, 8.0), usual: 2.1, spread: 0.6, noise: 0.5, least: 0.3, most: 200},
	{key: "uric", loinc: "3084-1", name: "Uric acid", unit: "mg/dL", ucum: "mg/dL", places: 1, ranges: bySex(2.5, 6.2, 3.5, 7.2), noise: 0.2, least: 2, most: 13},
	{key: "bnp", loinc: "33762-6", name: "NT-proBNP (heart strain)", unit: "pg/mL", ucum: "pg/mL", ranges: []span{{0, 0, 75, none, 125}, {0, 75, 200, none, 450}}, usual: 80, spread: 15, noise: 25, least: 10, most: 20000},
	{key: "lead", loinc: "5671-3", name: "Lead", unit: "µg/dL", ucum: "ug/dL", places: 1, ranges: both(none, 3.5), usual: 1.4, spread: 0.3, noise: 0.2, least: 0.5, most: 20},
	{key: "gtt", loinc: "1504-0", name: "Glucose, 1 hour after a 50 g drink", unit: "mg/dL", ucum: "mg/dL", ranges: both(none, 140), usual: 118, spread: 8, noise: 4, least: 60, most: 260},
	{key: "cd4", loinc: "24467-3", name: "CD4 cells", unit: "cells/µL", ucum: "{cells}/uL", ranges: both(500, 1500), usual: 720, spread: 60, noise: 35, least: 20, most: 2000},
	{key: "ttg", loinc: "46128-5", name: "Tissue transglutaminase IgA", unit: "U/mL", ucum: "U/mL", places: 1, ranges: both(none, 4.0), usual: 1.0, spread: 0.3, noise: 0.4, least: 0.5, most: 120},
}

// A panel is what is ordered and reported together; a panel of one test is reported under the test's own name.
type panel struct {
	key, loinc, name string
	members          []string
}

var panels = []panel{
	{"cmp", "24323-8", "Comprehensive metabolic panel", []string{"glucose", "bun", "creatinine", "egfr", "sodium", "potassium", "chloride", "co2", "calcium", "protein", "albumin", "bilirubin", "alp", "ast", "alt"}},
	{"bmp", "51990-0", "Basic metabolic panel", []string{"glucose", "bun", "creatinine", "egfr", "sodium", "potassium", "chloride", "co2", "calcium"}},
	{"lipid", "24331-1", "Lipid panel", []string{"chol", "tg", "hdl", "ldl", "nonhdl"}},
	{"cbc", "58410-2", "Complete blood count", []string{"wbc", "rbc", "hgb", "hct", "mcv", "mch", "rdw", "plt"}},
	{"hba1c", "4548-4", "Hemoglobin A1c", []string{"hba1c"}},
	{"irons", "", "Iron studies", []string{"ferritin", "iron", "tibc"}},
	{"ferritin", "2276-4", "Ferritin", []string{"ferritin"}},
	{"thyroid", "", "Thyroid tests", []string{"tsh", "ft4"}},
	{"tsh", "3016-3", "Thyroid stimulating hormone", []string{"tsh"}},
	{"vitd", "62292-8", "Vitamin D", []string{"vitd"}},
	{"b12", "2132-9", "Vitamin B12", []string{"b12"}},
	{"acr", "9318-7", "Urine albumin/creatinine ratio", []string{"acr"}},
	{"inr", "6301-6", "INR", []string{"inr"}},
	{"psa", "2857-1", "Prostate specific antigen", []string{"psa"}},
	{"crp", "1988-5", "C-reactive protein", []string{"crp"}},
	{"uric", "3084-1", "Uric acid", []string{"uric"}},
	{"bnp", "33762-6", "NT-proBNP", []string{"bnp"}},
	{"liver", "", "Liver enzymes", []string{"alt", "ast", "albumin"}},
	{"lead", "5671-3", "Lead", []string{"lead"}},
	{"gtt", "1504-0", "Pregnancy glucose screen", []string{"gtt"}},
	{"cd4", "24467-3", "CD4 count", []string{"cd4"}},
	{"ttg", "46128-5", "Celiac antibody", []string{"ttg"}},
}

func testOf(key string) *test {
	for i := range tests {
		if tests[i].key == key {
			return &tests[i]
		}
	}
	return nil
}

func panelOf(key string) *panel {
	for i := range panels {
		if panels[i].key == key {
			return &panels[i]
		}
	}
	return nil
}

// rangeFor is the reference range for somebody of this sex and age; ok is false where there is none.
func (t *test) rangeFor(sex byte, age int) (s span, ok bool) {
	for _, s := range t.ranges {
		if (s.sex == 0 || s.sex == sex) && age >= s.from && age < s.to {
			return s, true
		}
	}
	return span{}, false
}

// flag is the HL7 interpretation of v: N, L, H, LL, HH.
func (t *test) flag(v float64, s span) string {
	switch {
	case t.panicLow > 0 && v < t.panicLow:
		return "LL"
	case t.panicHigh > 0 && v > t.panicHigh:
		return "HH"
	case s.low != none && v < s.low:
		return "L"
	case s.high != none && v > s.high:
		return "H"
	}
	return "N"
}
