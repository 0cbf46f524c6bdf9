package demo

// A medicine is a product with the directions as the label says them.
type medicine struct {
	key, rx, name string // rx is empty where we are not sure of the code: the words are the truth then
	use           string // the directions
	dose          float64
	unit          string
	often         int // times a day; 0 = when needed
	supply        int // units dispensed
	days          int // that they last
	refills       int
	stop          string // why it ended, if it did
}

var medicines = []medicine{
	{"metformin500", "861007", "Metformin 500 mg tablet", "Take 1 tablet with breakfast and 1 with supper.", 1, "tablet", 2, 180, 90, 3, "Dose changed"},
	{"metformin1000", "861004", "Metformin 1,000 mg tablet", "Take 1 tablet with breakfast and 1 with supper.", 1, "tablet", 2, 180, 90, 3, "Dose changed"},
	{"glipizide", "", "Glipizide 5 mg tablet", "Take 1 tablet 30 minutes before breakfast.", 1, "tablet", 1, 90, 90, 3, ""},
	{"empagliflozin", "", "Empagliflozin 10 mg tablet", "Take 1 tablet in the morning. Pause it when you are vomiting or cannot eat.", 1, "tablet", 1, 90, 90, 3, ""},
	{"insulin", "", "Insulin glargine 100 units/mL pen", "Inject your dose under the skin once a day, at bedtime.", 14, "unit", 1, 15, 90, 3, ""},
	{"lispro", "", "Insulin lispro 100 units/mL pen", "Inject with each meal as your plan says.", 5, "unit", 3, 15, 60, 5, ""},
	{"lisinopril10", "314076", "Lisinopril 10 mg tablet", "Take 1 tablet in the morning.", 1, "tablet", 1, 90, 90, 3, "Dry cough"},
	{"lisinopril20", "314077", "Lisinopril 20 mg tablet", "Take 1 tablet in the morning.", 1, "tablet", 1, 90, 90, 3, ""},
	{"losartan50", "979492", "Losartan 50 mg tablet", "Take 1 tablet in the morning.", 1, "tablet", 1, 90, 90, 3, "Blood pressure still above goal; changed to amlodipine"},
	{"amlodipine5", "197361", "Amlodipine 5 mg tablet", "Take 1 tablet once a day.", 1, "tablet", 1, 90, 90, 3, "Ankle swelling"},
	{"hctz", "310798", "Hydrochlorothiazide 25 mg tablet", "Take 1 tablet in the morning.", 1, "tablet", 1, 90, 90, 3, ""},
	{"metoprolol", "", "Metoprolol succinate 50 mg extended-release tablet", "Take 1 tablet in the morning. Do not crush it.", 1, "tablet", 1, 90, 90, 3, ""},
	{"furosemide", "313988", "Furosemide 40 mg tablet", "Take 1 tablet in the morning.", 1, "tablet", 1, 90, 90, 3, ""},
	{"atorvastatin20", "617310", "Atorvastatin 20 mg tablet", "Take 1 tablet in the evening.", 1, "tablet", 1, 90, 90, 3, ""},
	{"atorvastatin40", "617311", "Atorvastatin 40 mg tablet", "Take 1 tablet in the evening.", 1, "tablet", 1, 90, 90, 3, ""},
	{"atorvastatin80", "259255", "Atorvastatin 80 mg tablet", "Take 1 tablet in the evening.", 1, "tablet", 1, 90, 90, 3, ""},
	{"simvastatin20", "312961", "Simvastatin 20 mg tablet", "Take 1 tablet in the evening.", 1, "tablet", 1, 90, 90, 3, ""},
	{"apixaban25", "", "Apixaban 2.5 mg tablet", "Take 1 tablet in the morning and 1 in the evening. Do not miss a dose.", 1, "tablet", 2, 180, 90, 3, ""},
	{"apixaban5", "1364445", "Apixaban 5 mg tablet", "Take 1 tablet in the morning and 1 in the evening. Do not miss a dose.", 1, "tablet", 2, 180, 90, 3, ""},
	{"warfarin", "855332", "Warfarin 5 mg tablet", "Take the dose on your yellow card, in the evening.", 1, "tablet", 1, 90, 90, 3, ""},
	{"aspirin81", "243670", "Aspirin 81 mg tablet", "Take 1 tablet with breakfast.", 1, "tablet", 1, 90, 90, 3, ""},
	{"allopurinol100", "197319", "Allopurinol 100 mg tablet", "Take 2 tablets with breakfast and plenty of water.", 2, "tablet", 1, 180, 90, 3, ""},
	{"tamsulosin", "", "Tamsulosin 0.4 mg capsule", "Take 1 capsule 30 minutes after supper.", 1, "capsule", 1, 90, 90, 3, ""},
	{"acetaminophen", "198440", "Acetaminophen 500 mg tablet", "Take 1 or 2 tablets when needed, up to 6 tablets a day.", 2, "tablet", 0, 100, 30, 2, ""},
	{"naproxen", "198014", "Naproxen 500 mg tablet", "Take 1 tablet with food, twice a day, for up to 10 days.", 1, "tablet", 2, 20, 10, 0, "No longer needed; not advised with kidney disease or blood thinners"},
	{"levothyroxine50", "", "Levothyroxine 50 mcg tablet", "Take 1 tablet with water 30 minutes before breakfast.", 1, "tablet", 1, 90, 90, 3, "Dose changed"},
	{"levothyroxine75", "", "Levothyroxine 75 mcg tablet", "Take 1 tablet with water 30 minutes before breakfast.", 1, "tablet", 1, 90, 90, 3, ""},
	{"iron325", "310325", "Ferrous sulfate 325 mg tablet", "Take 1 tablet every other day with juice, away from tea and milk.", 1, "tablet", 1, 45, 90, 1, "Iron stores are full again"},
	{"vitamind", "", "Vitamin D3 1,000 unit tablet", "Take 1 tablet a day with food.", 1, "tablet", 1, 90, 90, 3, ""},
	{"folicacid", "", "Folic acid 1 mg tablet", "Take 1 tablet a day, but not on methotrexate day.", 1, "tablet", 1, 90, 90, 3, ""},
	{"methotrexate", "", "Methotrexate 2.5 mg tablet", "Take 6 tablets together ONCE A WEEK, on Monday.", 6, "tablet", 1, 72, 84, 1, ""},
	{"prenatal", "", "Prenatal vitamin tablet", "Take 1 tablet a day with food.", 1, "tablet", 1, 90, 90, 3, ""},
	{"alendronate", "", "Alendronate 70 mg tablet", "Take 1 tablet once a week with a full glass of water, then stay upright for 30 minutes.", 1, "tablet", 1, 12, 84, 3, "Planned break after 10 years"},
	{"omeprazole", "198051", "Omeprazole 20 mg capsule", "Take 1 capsule before breakfast.", 1, "capsule", 1, 90, 90, 1, "No longer needed"},
	{"albuterol", "745679", "Albuterol inhaler 90 mcg", "Take 2 puffs when you wheeze or are short of breath. Use the spacer.", 2, "puff", 0, 1, 60, 3, ""},
	{"fluticasone44", "895994", "Fluticasone inhaler 44 mcg", "Take 2 puffs in the morning and 2 in the evening, every day. Rinse your mouth after.", 2, "puff", 2, 1, 30, 5, ""},
	{"tiotropium", "", "Tiotropium inhaler 2.5 mcg", "Take 2 puffs once a day.", 2, "puff", 1, 1, 30, 5, ""},
	{"loratadine", "311372", "Loratadine 10 mg tablet", "Take 1 tablet a day in hay fever season.", 1, "tablet", 1, 90, 90, 1, ""},
	{"loratadine5", "665078", "Loratadine 5 mg chewable tablet", "Chew 2 tablets a day in hay fever season.", 2, "tablet", 1, 60, 30, 2, ""},
	{"hydrocortisone", "106258", "Hydrocortisone 1% cream", "Put a thin layer on itchy patches twice a day, for up to 7 days.", 1, "application", 2, 1, 30, 2, ""},
	{"sumatriptan", "", "Sumatriptan 50 mg tablet", "Take 1 tablet at the start of a migraine. You may take one more after 2 hours.", 1, "tablet", 0, 9, 30, 5, ""},
	{"sertraline50", "312941", "Sertraline 50 mg tablet", "Take 1 tablet in the morning.", 1, "tablet", 1, 90, 90, 1, ""},
	{"sertraline100", "", "Sertraline 100 mg tablet", "Take 1 tablet in the morning.", 1, "tablet", 1, 90, 90, 1, ""},
	{"fluoxetine10", "", "Fluoxetine 10 mg capsule", "Take 1 capsule in the morning.", 1, "capsule", 1, 30, 30, 2, ""},
	{"biktarvy", "", "Bictegravir, emtricitabine and tenofovir alafenamide tablet", "Take 1 tablet at the same time every day.", 1, "tablet", 1, 30, 30, 11, ""},
	{"naltrexone", "", "Naltrexone 50 mg tablet", "Take 1 tablet a day.", 1, "tablet", 1, 30, 30, 2, "Course finished"},
	{"methylphenidate", "", "Methylphenidate 18 mg extended-release tablet", "Take 1 tablet before school.", 1, "tablet", 1, 30, 30, 0, ""},
	{"mesalamine", "", "Mesalamine 1.2 g delayed-release tablet", "Take 2 tablets once a day with food.", 2, "tablet", 1, 180, 90, 3, ""},
	{"prednisone", "312617", "Prednisone 5 mg tablet", "Take as the step-down sheet says, with breakfast.", 1, "tablet", 1, 84, 42, 0, "Course finished"},
	{"donepezil", "", "Donepezil 5 mg tablet", "Take 1 tablet at bedtime.", 1, "tablet", 1, 90, 90, 3, ""},
	{"latanoprost", "", "Latanoprost 0.005% eye drops", "Put 1 drop in each eye in the evening.", 1, "drop", 1, 1, 30, 5, ""},
	// short courses
	{"amoxicillin", "308191", "Amoxicillin 500 mg capsule", "Take 1 capsule twice a day for 10 days. Finish the course.", 1, "capsule", 2, 20, 10, 0, ""},
	{"amoxicillinliquid", "", "Amoxicillin 400 mg/5 mL liquid", "Give the marked dose twice a day for 10 days. Finish the course.", 5, "mL", 2, 100, 10, 0, ""},
	{"azithromycin", "", "Azithromycin 250 mg tablet", "Take 2 tablets on the first day, then 1 a day for 4 days.", 1, "tablet", 1, 6, 5, 0, ""},
	{"nitrofurantoin", "", "Nitrofurantoin 100 mg capsule", "Take 1 capsule twice a day with food for 5 days.", 1, "capsule", 2, 10, 5, 0, ""},
	{"ibuprofen", "310965", "Ibuprofen 200 mg tablet", "Take 2 tablets with food every 6 hours when needed, for up to 3 days.", 2, "tablet", 0, 24, 3, 0, ""},
	{"chlorhexidine", "", "Chlorhexidine 0.12% mouth rinse", "Rinse with half an ounce for 30 seconds twice a day, then spit it out.", 15, "mL", 2, 473, 14, 0, ""},
}

func medicineOf(key string) *medicine {
	for i := range medicines {
		if medicines[i].key == key {
			return &medicines[i]
		}
	}
	return nil
}

// An allergen is what somebody must not have, and what happens if they do.
type allergen struct {
	key, sct, name, kind, category, criticality string
	reaction, reactionSCT, severity             string
	note                                        string
}

var allergens = []allergen{
	{"penicillin", "91936005", "Penicillin", "allergy", "medication", "high", "Hives and swelling of the lips", "247472004", "moderate", "Happened in childhood after two doses. Avoid amoxicillin too."},
	{"sulfa", "91939003", "Sulfa antibiotics", "allergy", "medication", "low", "Skin rash", "271807003", "mild", ""},
	{"aspirin", "", "Aspirin", "intolerance", "medication", "low", "Stomach pain", "", "moderate", "Stomach ulcer many years ago."},
	{"codeine", "", "Codeine", "intolerance", "medication", "low", "Nausea and vomiting", "422587007", "moderate", ""},
	{"latex", "300916003", "Latex", "allergy", "environment", "low", "Itchy skin where it touched", "418290006", "mild", "Use latex-free gloves in the dental chair."},
	{"peanut", "91935009", "Peanut", "allergy", "food", "high", "Trouble breathing and hives", "39579001", "severe", "Carries two epinephrine auto-injectors. School has the plan."},
	{"egg", "91930004", "Egg", "allergy", "food", "low", "Hives", "247472004", "mild", "Baked egg is tolerated. Flu vaccine is safe."},
	{"shellfish", "300913006", "Shellfish", "allergy", "food", "high", "Swelling of the face", "41291007", "moderate", ""},
	{"cat", "232347008", "Cats", "allergy", "environment", "low", "Wheeze and itchy eyes", "267036007", "mild", ""},
}
