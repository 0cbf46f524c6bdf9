package demo

import (
	"slices"
	"time"
)

// An illness is a short trouble that brings somebody in once.
type illness struct {
	key, sct, icd, name string
	from, to            int // age
	sex                 byte
	months              []time.Month // when it goes round; empty = any time
	days                int          // until it is over
	says, finds, plan   string
	medicine            string
	test                *quickTest
	temp                float64 // °F
}

// A quickTest is done in the room and read as a word.
type quickTest struct{ loinc, name, result string }

var winter = []time.Month{time.October, time.November, time.December, time.January, time.February, time.March}

var illnesses = []illness{
	{key: "cold", sct: "54150009", icd: "J06.9", name: "Common cold", to: 100, months: winter, days: 9, temp: 99.1,
		says: "Runny nose, sore throat and cough for three days. Eating and drinking well. No shortness of breath.", finds: "Throat pink without pus. Ears clear. Chest clear on both sides.",
		plan: "Viral cold. Rest, fluids, honey for cough over age 1. No antibiotic needed. Come back if there is fever for more than three days or trouble breathing."},
	{key: "strep", sct: "43878008", icd: "J02.0", name: "Strep throat", from: 4, to: 45, months: winter, days: 10, temp: 101.4, medicine: "amoxicillin",
		says: "Sore throat and fever since yesterday, painful to swallow. No cough.", finds: "Red throat with white patches, tender glands in the neck. No rash.",
		plan: "Strep test positive. Antibiotic course; stay home for the first 24 hours. New toothbrush after two days.", test: &quickTest{"78012-2", "Strep A, rapid test", "Detected"}},
	{key: "ear", sct: "3110003", icd: "H66.90", name: "Ear infection", to: 9, months: winter, days: 10, temp: 101.8, medicine: "amoxicillinliquid",
		says: "Pulling at the ear and up all night. Runny nose for five days.", finds: "Right eardrum red and bulging, left normal. Chest clear.",
		plan: "Middle ear infection. Antibiotic liquid and pain relief by weight. Better within two days or call us."},
	{key: "flu", sct: "6142004", icd: "J11.1", name: "Influenza", from: 3, to: 90, months: []time.Month{time.December, time.January, time.February}, days: 10, temp: 102.3,
		says: "Sudden fever, chills and aching all over since last night. Dry cough.", finds: "Looks tired, drinking. Throat red, chest clear, oxygen normal.",
		plan: "Flu. Rest and fluids, fever medicine by weight. Warning signs given in writing.", test: &quickTest{"80382-5", "Influenza A, rapid test", "Detected"}},
	{key: "covid", sct: "840539006", icd: "U07.1", name: "COVID-19", from: 5, to: 95, days: 12, temp: 100.6,
		says: "Fever, headache and loss of smell for two days. Contact at work tested positive.", finds: "Breathing easily, speaks full sentences. Chest clear.",
		plan: "COVID-19, mild. Stay home until fever-free for a day; mask for five more. Oxygen meter advice given.", test: &quickTest{"94500-6", "COVID-19 PCR", "Detected"}},
	{key: "uti", sct: "68566005", icd: "N39.0", name: "Bladder infection", from: 17, to: 92, sex: 'f', days: 6, temp: 98.9, medicine: "nitrofurantoin",
		says: "Burning when passing water and going often for two days. No back pain or fever.", finds: "Belly soft, slight tenderness above the bladder. No tenderness over the kidneys.",
		plan: "Bladder infection. Short antibiotic course, plenty of water. Call if fever or back pain starts."},
	{key: "sinus", sct: "36971009", icd: "J32.9", name: "Sinus infection", from: 12, to: 80, months: winter, days: 14, temp: 99.4,
		says: "Blocked nose and face pressure for eight days, slowly easing.", finds: "Tender over the left cheek. Clear chest.", plan: "Likely viral. Salt-water rinses and pain relief. Antibiotic only if worse again after day ten."},
	{key: "bronchitis", sct: "10509002", icd: "J20.9", name: "Acute bronchitis", from: 16, to: 95, months: winter, days: 18, temp: 99.0,
		says: "Cough with yellow phlegm for ten days. Sleeps badly because of it. No chest pain.", finds: "Scattered wheeze that clears with cough. Oxygen normal.", plan: "Bronchitis, expected to last up to three weeks. No antibiotic. Honey, fluids, come back if short of breath."},
	{key: "stomach", sct: "25374005", icd: "K52.9", name: "Stomach bug", to: 85, days: 4, temp: 99.3,
		says: "Vomiting and loose stools since yesterday, now keeping down small sips. No blood.", finds: "Moist mouth, belly soft. Not dehydrated.", plan: "Viral stomach bug. Small sips often, oral rehydration. Wash hands well. Back to school or work two days after it stops."},
	{key: "ankle", sct: "44465007", icd: "S93.409A", name: "Sprained ankle", from: 8, to: 65, days: 28, temp: 98.2, medicine: "ibuprofen",
		says: "Rolled the left ankle yesterday. Can take weight with a limp.", finds: "Swelling at the outer ankle. No tenderness over bone; can walk four steps.", plan: "Sprain; no X-ray needed by the ankle rules. Ice, raise, support, early movement. Full sport in three to four weeks."},
	{key: "pinkeye", sct: "9826008", icd: "H10.9", name: "Pink eye", to: 40, days: 6, temp: 98.6,
		says: "Red, sticky right eye since this morning. Sight is normal.", finds: "Red eye with watery discharge, pupil normal, no pain with light.", plan: "Viral pink eye. Clean with cooled boiled water, own towel. Come back if painful or sight changes."},
	{key: "rash", sct: "40275004", icd: "L25.9", name: "Contact rash", from: 3, to: 75, days: 10, temp: 98.4, medicine: "hydrocortisone",
		says: "Itchy red patch on the forearm after gardening.", finds: "Red raised patch of two inches with tiny blisters, no spreading redness.", plan: "Contact rash. Cool cloths, mild steroid cream for a week, gloves next time."},
	{key: "back", sct: "279039007", icd: "M54.50", name: "Low back strain", from: 20, to: 78, days: 21, temp: 98.3,
		says: "Back pain after lifting a box three days ago. No leg weakness, bladder normal.", finds: "Stiff lower back, straight leg raise normal, strength normal.", plan: "Simple back strain. Keep moving, heat, acetaminophen. Warning signs reviewed."},
}

// catches picks an illness that goes round at d and fits the person.
func (l *life) catches(d time.Time) *illness {
	age := l.ageAt(d)
	var fits []int
	for i := range illnesses {
		ill := &illnesses[i]
		if age < ill.from || age >= ill.to || ill.sex != 0 && ill.sex != l.sex || ill.key == "back" && l.cond("backpain") {
			continue
		}
		if len(ill.months) > 0 && !slices.Contains(ill.months, d.Month()) {
			continue
		}
		fits = append(fits, i)
	}
	if len(fits) == 0 {
		return nil
	}
	return &illnesses[pick(l, fits)]
}

// treatment is what may safely be given for ill: nobody gets what they are allergic to, nor what does not suit a pregnancy.
func (l *life) treatment(ill *illness) string {
	if ill.medicine == "amoxicillin" || ill.medicine == "amoxicillinliquid" {
		if slices.Contains(l.allergic, "penicillin") {
			return "azithromycin"
		}
		if l.age() < 10 && ill.medicine == "amoxicillin" {
			return "amoxicillinliquid"
		}
	}
	if ill.medicine == "ibuprofen" && (l.cond("ckd3") || l.cond("af") || l.cond("heartfailure") || slices.Contains(l.allergic, "aspirin") || l.weeks > 0) {
		return ""
	}
	if ill.medicine == "nitrofurantoin" && l.cond("ckd3") {
		return ""
	}
	return ill.medicine
}
