package results

import "strings"

// Kind is the sort of sample or method, for the filter.
type Kind string

const (
	Blood   Kind = "blood"
	Urine   Kind = "urine"
	Imaging Kind = "imaging"
	Other   Kind = "other"
)

const loinc = "http://loinc.org"

// A test is one that we have plain words for: results.test.<key> names it, results.what.<key> says what it shows and
// results.change.<change> what can move it. One row stands for the LOINC codes that mean the same to a patient.
type test struct {
	key    string
	kind   Kind
	change string
	codes  string
}

// tests is the table of plain words. For clinical review.
var tests = []test{
	{"haemoglobin", Blood, "count", "718-7 20509-6 59260-0 30313-1 30350-3"},
	{"haematocrit", Blood, "count", "4544-3 20570-8 31100-1 48703-3"},
	{"red", Blood, "count", "789-8 26453-1"},
	{"white", Blood, "infection", "6690-2 26464-8 49498-9"},
	{"platelets", Blood, "infection", "777-3 26515-7 49497-1"},
	{"mcv", Blood, "count", "787-2 30428-7"},
	{"mch", Blood, "count", "785-6 28539-5"},
	{"mchc", Blood, "count", "786-4 28540-3"},
	{"rdw", Blood, "count", "788-0 21000-5 30385-9 30384-2"},
	{"mpv", Blood, "count", "32623-1 28542-9"},
	{"pdw", Blood, "count", "32207-3 51631-0"},
	{"neutrophils", Blood, "infection", "751-8 26499-4 770-8 26511-6"},
	{"lymphocytes", Blood, "infection", "731-0 26474-7 736-9 26478-8"},
	{"monocytes", Blood, "infection", "742-7 26484-6 5905-5 26485-3"},
	{"eosinophils", Blood, "infection", "711-2 26449-9 713-8 26450-7"},
	{"basophils", Blood, "infection", "704-7 26444-0 706-2 30180-4"},

	{"glucose", Blood, "food", "2339-0 2345-7 14749-6 15074-8 2340-8 41653-7"},
	{"fasting-glucose", Blood, "food", "1558-6 14771-0 76629-5"},
	{"hba1c", Blood, "hba1c", "4548-4 59261-8 17856-6 4549-2"},

	{"cholesterol", Blood, "fats", "2093-3 14647-2"},
	{"ldl", Blood, "fats", "18262-6 13457-7 2089-1 39469-2 22748-8"},
	{"hdl", Blood, "fats", "2085-9 14646-4"},
	{"non-hdl", Blood, "fats", "43396-1 70204-3"},
	{"triglycerides", Blood, "food", "2571-8 14927-8 3043-7"},

	{"creatinine", Blood, "kidney", "38483-4 2160-0 14682-9"},
	{"urea", Blood, "kidney", "6299-2 3094-0 22664-7 14937-7"},
	{"egfr", Blood, "kidney", "33914-3 48642-3 48643-1 62238-1 98979-8 69405-9 88293-6 50044-7 77147-7"},
	{"sodium", Blood, "salts", "2947-0 2951-2"},
	{"potassium", Blood, "salts", "6298-4 2823-3"},
	{"chloride", Blood, "salts", "2069-3 2075-0"},
	{"bicarbonate", Blood, "salts", "20565-8 2028-9 1963-8"},
	{"anion-gap", Blood, "salts", "33037-3 10466-1"},
	{"calcium", Blood, "salts", "49765-1 17861-6 2000-8"},
	{"magnesium", Blood, "salts", "19123-9 2601-3"},
	{"phosphate", Blood, "salts", "2777-1 14879-1"},
	{"urate", Blood, "kidney", "3084-1 14933-6"},

	{"alt", Blood, "liver", "1742-6 1743-4"},
	{"ast", Blood, "liver", "1920-8"},
	{"alp", Blood, "liver", "6768-6"},
	{"ggt", Blood, "liver", "2324-2"},
	{"bilirubin", Blood, "liver", "1975-2 14631-6 42719-5"},
	{"albumin", Blood, "protein", "1751-7 61151-7"},
	{"protein", Blood, "protein", "2885-2"},
	{"globulin", Blood, "protein", "10834-0 2336-6"},

	{"tsh", Blood, "thyroid", "3016-3 3015-5 11579-0"},
	{"t4", Blood, "thyroid", "3024-7 14920-3"},
	{"t3", Blood, "thyroid", "3051-0 14928-6"},

	{"ferritin", Blood, "iron", "2276-4 20567-4"},
	{"iron", Blood, "iron", "2498-4 14798-3"},
	{"iron-binding", Blood, "iron", "2500-7 14800-7"},
	{"iron-saturation", Blood, "iron", "2502-3"},
	{"b12", Blood, "vitamins", "2132-9 14685-2"},
	{"folate", Blood, "vitamins", "2284-8"},
	{"vitamin-d", Blood, "vitamins", "1989-3 62292-8 14635-7"},

	{"crp", Blood, "infection", "1988-5 30522-7"},
	{"esr", Blood, "infection", "30341-2 4537-7"},
	{"nt-probnp", Blood, "heart", "33762-6 83107-3"},
	{"bnp", Blood, "heart", "30934-4"},
	{"troponin", Blood, "heart", "89579-7 6598-7 10839-9 67151-1"},
	{"ck", Blood, "muscle", "2157-6"},
	{"inr", Blood, "clotting", "6301-6 34714-6"},
	{"pt", Blood, "clotting", "5902-2"},
	{"aptt", Blood, "clotting", "3173-2 14979-9"},
	{"d-dimer", Blood, "clotting", "48065-7 48066-5 7799-0"},
	{"psa", Blood, "psa", "2857-1 35741-8"},
	{"pregnancy", Blood, "", "21198-7 2118-8"},
	{"ige", Blood, "allergy", "6206-7 6273-7 6082-2 6246-3 6276-0 6106-9 6248-9 7258-7 6189-5 6085-5 6833-8 6095-4 6075-6 6844-5 6158-0"},

	{"urine-albumin", Urine, "urine", "14959-1 9318-7 32294-1 13705-9"},
	{"urine-glucose", Urine, "urine", "25428-4 5792-7"},
	{"urine-ketones", Urine, "urine", "2514-8 5797-6"},
	{"urine-protein", Urine, "urine", "20454-5 5804-0"},
	{"urine-blood", Urine, "urine", "5794-3"},
	{"urine-nitrite", Urine, "urine", "5802-4"},
	{"urine-white", Urine, "urine", "5799-2"},
	{"urine-bilirubin", Urine, "urine", "5770-3 20505-4"},
	{"urine-ph", Urine, "urine", "5803-2"},
	{"urine-gravity", Urine, "urine", "5811-5 2965-2"},
	{"urine-colour", Urine, "urine", "5778-6"},
	{"urine-clarity", Urine, "urine", "32167-9"},

	{"stool-blood", Other, "", "57905-2 29771-3 57803-9"},
	{"covid", Other, "", "94500-6 94309-2 94531-1 94558-4 97097-0"},
	{"ejection", Imaging, "", "10230-1 8806-2 18043-0"},
}

// panels have a name in plain words and nothing else: their tests speak for themselves.
var panels = []test{
	{"count", Blood, "", "58410-2 57021-8 69742-5 55429-5 24317-0"},
	{"salts", Blood, "", "51990-0 24320-4 24321-2 24326-1"},
	{"general", Blood, "", "24323-8 24322-0"},
	{"fats", Blood, "", "57698-3 24331-1"},
	{"liver", Blood, "", "24325-3"},
	{"kidney", Blood, "", "24362-6"},
	{"iron", Blood, "", "75689-0 50190-8"},
	{"thyroid", Blood, "", "24348-5"},
	{"clotting", Blood, "", "34528-0"},
	{"heart", Blood, "", "89577-1 55405-5"},
	{"haemoglobin", Blood, "", "24360-0"},
	{"urine", Urine, "", "24357-6 24356-8 50556-0 57020-0"},
}

// byCode indexes a table by LOINC code.
func byCode(table []test) map[string]test {
	m := map[string]test{}
	for _, t := range table {
		for c := range strings.FieldsSeq(t.codes) {
			m[c] = t
		}
	}
	return m
}

var (
	testByCode  = byCode(tests)
	panelByCode = byCode(panels)
)
