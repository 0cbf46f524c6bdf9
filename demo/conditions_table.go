package demo

// A condition is something a person lives with: how it is coded, how it is followed, and how a clinician writes of it.
type condition struct {
	key, sct, icd, name string
	months              int      // between reviews; 0 = seen at the yearly visit only
	panels              []string // drawn at every review
	yearly              []string // drawn once a year
	courses             []trend  // how it moves values, unless the person's own trends say otherwise
	control             string   // the value that says how it goes …
	good, poor          float64  // … well up to good, badly from poor; good > poor when more is better
	says                []string // what the patient reports
	plan                [3]string
	labels              []string // sensitivity
	dental              bool
	yearOnly            bool // the year is all that is known of the onset
}

var conditions = []condition{
	{key: "diabetes2", sct: "44054006", icd: "E11.9", name: "Type 2 diabetes", months: 4, panels: []string{"hba1c"}, yearly: []string{"lipid", "acr"}, control: "hba1c", good: 7.0, poor: 8.5,
		courses: []trend{{"hba1c", [][2]float64{{5, 7.9}, {0, 7.2}}, false}, {"tg", [][2]float64{{5, 172}, {0, 148}}, false}},
		says:    []string{"Checks sugar at home on most mornings, usually between 110 and 150. No low readings and no thirst at night.", "Taking tablets with meals and rarely misses one. Walks after supper on most days. Feet feel normal.", "Finds evenings hardest for snacks. No numbness in the feet, no blurred vision. No hypoglycemia."},
		plan:    [3]string{"A1c at goal. Continue the present medicines, foot care and yearly eye check. Repeat A1c in 4 to 6 months.|A1c at goal and no low readings. Same treatment; praised the steady work.", "A1c above goal but not far. Reviewed meals and activity together; no change of dose today. Repeat A1c in 3 to 4 months.|A1c still above goal. Agreed on a walk after supper and fewer sweet drinks; repeat in 4 months.|A1c a little above goal. Feet and skin checked, pulses felt, sensation intact. Continue and repeat in 4 months.", "A1c well above goal. Talked through options, including adding a medicine. Home log and review in 3 months.|A1c well above goal. Checked how tablets are taken and what gets in the way; dietitian offered. Review in 3 months."}},
	{key: "diabetes1", sct: "46635009", icd: "E10.9", name: "Type 1 diabetes", months: 4, panels: []string{"hba1c"}, yearly: []string{"bmp", "acr", "tsh"}, control: "hba1c", good: 7.0, poor: 8.5,
		says: []string{"Wears a glucose sensor; about 65 percent of readings in range. One mild low after sport, treated with juice.", "Counts carbohydrate for most meals. Two night-time alarms last month. No visit to an emergency room."},
		plan: [3]string{"Control is good. Same basal dose; keep the sick-day plan on the fridge.", "Close to target. Moved the evening dose up by one unit and reviewed the sick-day plan.", "Above target. Reviewed pump and pen use with the nurse; weekly upload of readings for a month."}},
	{key: "hypertension", sct: "59621000", icd: "I10", name: "High blood pressure", months: 6, yearly: []string{"bmp"}, control: "systolic", good: 134, poor: 150,
		courses: []trend{{"systolic", [][2]float64{{5, 143}, {2, 136}, {0, 131}}, false}, {"diastolic", [][2]float64{{5, 87}, {2, 83}, {0, 79}}, false}},
		says:    []string{"Home readings mostly in the 120s and 130s. No headache, chest pain or swelling.", "Takes blood pressure tablets every morning. Has cut down on salty snacks.", "Forgot the home cuff this month. No dizziness on standing."},
		plan:    [3]string{"Blood pressure at goal. Continue.|At goal at home and here. No change.", "Slightly above goal today. Recheck at home twice a day for one week and send the readings through the portal.|A little high today, better at home. No change of dose; recheck at the next visit.", "Above goal on repeat. Reviewed salt, sleep and pain medicines; nurse check in 2 weeks before changing the dose."}},
	{key: "lipids", sct: "55822004", icd: "E78.5", name: "High blood fats", months: 12, yearly: []string{"lipid", "liver"}, control: "ldl", good: 100, poor: 140,
		courses: []trend{{"ldl", [][2]float64{{5, 132}, {4, 96}, {0, 84}}, false}, {"tg", [][2]float64{{5, 178}, {0, 149}}, false}},
		says:    []string{"Takes the statin at night, no muscle pain.", "No side effects from the statin."},
		plan:    [3]string{"LDL at goal on treatment. Continue the statin.", "LDL a little above goal. Continue and repeat in 6 months.", "LDL above goal. Discussed a higher dose."}},
	{key: "cholesterol", sct: "13644009", icd: "E78.00", name: "High cholesterol", months: 12, yearly: []string{"lipid", "liver"}, control: "ldl", good: 110, poor: 150,
		courses: []trend{{"ldl", [][2]float64{{5, 158}, {4, 124}, {0, 101}}, false}},
		says:    []string{"Eats less fried food than before. No chest pain with exercise.", "Takes the statin on most nights, no muscle pain."},
		plan:    [3]string{"Cholesterol much better. Continue.", "Improving. Continue and repeat in 6 months.", "Still high. Talked about family history and agreed to treatment."}},
	{key: "prediabetes", sct: "15777000", icd: "R73.03", name: "Prediabetes", months: 6, panels: []string{"hba1c"}, control: "hba1c", good: 5.9, poor: 6.3,
		courses: []trend{{"hba1c", [][2]float64{{5, 5.6}, {1.5, 5.9}, {0, 5.9}}, false}},
		says:    []string{"Has swapped sugary drinks for water and walks at lunch.", "Joined the lifestyle program, two sessions so far."},
		plan:    [3]string{"Sugar level steady. Keep the changes going; repeat in 6 to 12 months.", "In the prediabetes range. Program referral renewed.", "Near the diabetes range. Repeat in 3 months; discussed metformin."}},
	{key: "asthma", sct: "195967001", icd: "J45.909", name: "Asthma", months: 6,
		says: []string{"Wheeze with colds and after running in cold air. Uses the reliever less than twice a week.", "No night cough. Uses the preventer with a spacer. No days off because of breathing."},
		plan: [3]string{"Well controlled. Same inhalers, technique good, written action plan reviewed.", "Well controlled. Same inhalers, technique good, written action plan reviewed.", "Not well controlled."}},
	{key: "copd", sct: "13645005", icd: "J44.9", name: "COPD", months: 6,
		courses: []trend{{"spo2", [][2]float64{{5, 95}, {0, 93}}, false}},
		says:    []string{"Short of breath on one flight of stairs, unchanged. Morning cough with clear phlegm.", "One chest cold this winter, settled without steroids. Smoking 8 to 10 a day."},
		plan:    [3]string{"Stable. Inhaler technique checked, pulmonary exercise offered again, stop-smoking support offered.", "Stable. Inhaler technique checked, pulmonary exercise offered again, stop-smoking support offered.", "Worse."}},
	{key: "ckd3", sct: "433144002", icd: "N18.30", name: "Chronic kidney disease, stage 3", months: 4, panels: []string{"bmp"}, yearly: []string{"cbc", "acr"}, control: "egfr", good: 50, poor: 35,
		courses: []trend{{"creatinine", [][2]float64{{5, 1.2}, {0, 1.5}}, false}, {"acr", [][2]float64{{5, 45}, {0, 78}}, false}, {"bun", [][2]float64{{5, 22}, {0, 28}}, false}, {"hgb", [][2]float64{{5, 13}, {0, 12.1}}, false}},
		says:    []string{"Drinks well, no ankle swelling, no ibuprofen or naproxen at home.", "Passing water normally. Knows to pause tablets when vomiting."},
		plan:    [3]string{"Kidney function steady. Keep blood pressure at goal and avoid anti-inflammatory tablets.", "Kidney function reduced but steady over the last year. Doses checked against eGFR. Repeat in 4 months.", "Kidney function lower. Kidney clinic letter sent; doses reviewed."}},
	{key: "hypothyroid", sct: "40930008", icd: "E03.9", name: "Underactive thyroid", months: 12, yearly: []string{"thyroid"}, control: "tsh", good: 4.5, poor: 8,
		courses: []trend{{"tsh", [][2]float64{{5, 3.4}, {2.5, 4.9}, {0, 2.6}}, false}},
		says:    []string{"Energy is good, weight steady, takes the tablet before breakfast.", "A bit tired in winter. No palpitations."},
		plan:    [3]string{"TSH in range. Same dose, repeat in a year.", "TSH above range. Dose checked, spacing from iron and calcium explained, repeat in 8 weeks.", "TSH high. Dose raised."}},
	{key: "iron", sct: "87522002", icd: "D50.9", name: "Low iron anemia", months: 4, panels: []string{"cbc", "ferritin"}, control: "hgb", good: 11.7, poor: 9.5,
		courses: []trend{{"mcv", [][2]float64{{5, 86}, {1.8, 79}, {0.5, 81}, {0, 83}}, false}, {"rdw", [][2]float64{{5, 13}, {1.8, 16.2}, {0, 14.6}}, false}, {"iron", [][2]float64{{5, 80}, {1.8, 34}, {0, 58}}, false}, {"tibc", [][2]float64{{5, 350}, {1.8, 448}, {0, 402}}, false}},
		says:    []string{"Less tired than before. Takes iron every other day with orange juice; mild constipation only.", "Heavy periods for about a year. No black stools, no weight loss."},
		plan:    [3]string{"Hemoglobin back in range. Continue iron for 3 more months to fill the stores.", "Hemoglobin rising. Continue iron every other day, repeat in 8 to 12 weeks.", "Anemia. Iron started, stool test and gynecology advice arranged."}},
	{key: "pregnancy", sct: "77386006", icd: "Z34.90", name: "Pregnancy",
		says: []string{"Baby moves every day. No bleeding, no headache, no swelling of the face.", "Sleeping on the left side. Mild heartburn."},
		plan: [3]string{"Pregnancy going well. Signs that need a call today were reviewed.", "Pregnancy going well. Signs that need a call today were reviewed.", ""}},
	{key: "depression", sct: "370143000", icd: "F32.9", name: "Depression", months: 6, labels: []string{"PSY"}, control: "phq9", good: 9, poor: 15,
		courses: []trend{{"phq9", [][2]float64{{5, 14}, {2, 8}, {0.6, 9}, {0, 5}}, false}},
		says:    []string{"Mood is steadier. Sleeping six to seven hours. No thoughts of self-harm.", "Back to seeing friends once a week. Counseling every two weeks. No thoughts of self-harm."},
		plan:    [3]string{"Much improved. Continue treatment for at least 6 months after feeling well; safety plan in place.", "Partly better. Continue counseling, review in 6 weeks; safety plan in place.", "Still unwell. Counseling brought forward; safety plan reviewed."}},
	{key: "anxiety", sct: "21897009", icd: "F41.1", name: "Anxiety", months: 4, labels: []string{"PSY"}, control: "gad7", good: 7, poor: 14,
		courses: []trend{{"gad7", [][2]float64{{1, 14}, {0.5, 9}, {0, 5}}, false}},
		says:    []string{"Fewer worries at bedtime. Breathing exercises help. No panic since spring.", "Baby sleeps better and so does she. No thoughts of self-harm."},
		plan:    [3]string{"Good progress. Same dose, review in 4 months.", "Improving. Continue counseling and the present dose.", "Still anxious most days."}},
	{key: "gout", sct: "90560007", icd: "M10.9", name: "Gout", months: 8, panels: []string{"uric"}, control: "uric", good: 6.0, poor: 8,
		courses: []trend{{"uric", [][2]float64{{5, 8.2}, {3, 6.6}, {0, 5.8}}, false}},
		says:    []string{"No attack since the last visit.", "One sore big toe after a family party, gone in three days."},
		plan:    [3]string{"Uric acid at goal. Continue allopurinol; keep a supply for attacks.", "Uric acid coming down. Continue, repeat in 3 months.", "Uric acid high. Discussed daily treatment."}},
	{key: "eczema", sct: "24079001", icd: "L20.9", name: "Eczema", says: []string{"Itchy patches in the elbow folds in winter. Moisturizer twice a day helps."}, plan: [3]string{"Mild. Moisturizer every day, steroid cream for flares up to 7 days.", "Mild. Moisturizer every day, steroid cream for flares up to 7 days.", ""}},
	{key: "migraine", sct: "37796009", icd: "G43.909", name: "Migraine", months: 12, yearOnly: true, says: []string{"Two attacks a month with light sensitivity and nausea; the tablet works within an hour.", "Attacks come with missed meals and short nights. No new features."}, plan: [3]string{"Pattern unchanged, no warning signs. Limit attack tablets to 9 days a month.", "Pattern unchanged, no warning signs. Limit attack tablets to 9 days a month.", ""}},
	{key: "af", sct: "49436004", icd: "I48.91", name: "Atrial fibrillation", months: 6, yearly: []string{"cbc", "bmp"}, courses: []trend{{"pulse", [][2]float64{{5, 84}, {0, 74}}, false}}, says: []string{"No palpitations or fainting. No bleeding or black stools.", "Heart feels steady. Bruises easily on the arms, otherwise no bleeding."}, plan: [3]string{"Rate controlled. Continue the blood thinner; bleeding advice given again.", "Rate controlled. Continue the blood thinner; bleeding advice given again.", ""}},
	{key: "heartfailure", sct: "84114007", icd: "I50.9", name: "Heart failure", months: 4, panels: []string{"bnp"}, yearly: []string{"bmp"}, control: "bnp", good: 900, poor: 2000, courses: []trend{{"bnp", [][2]float64{{3, 1800}, {0, 1000}}, false}}, says: []string{"Sleeps on two pillows, unchanged. Weighs every morning; within two pounds of target.", "Can walk to the corner and back. No ankle swelling in the morning."}, plan: [3]string{"Stable. Keep daily weights; call if up 3 pounds in a day or 5 in a week.", "Stable. Keep daily weights; call if up 3 pounds in a day or 5 in a week.", "More fluid than last time. Water tablet adjusted, nurse call in 3 days."}},
	{key: "coronary", sct: "53741008", icd: "I25.10", name: "Coronary artery disease", months: 6, yearly: []string{"lipid", "cbc"}, says: []string{"No chest pain. Has not needed the spray.", "Climbs one flight without chest pain."}, plan: [3]string{"Stable. Continue aspirin and statin.", "Stable. Continue aspirin and statin.", ""}},
	{key: "knees", sct: "239873007", icd: "M17.9", name: "Osteoarthritis of the knees", yearOnly: true, says: []string{"Stiff for ten minutes in the morning. Stairs are slow."}, plan: [3]string{"Exercises for the thigh muscles, acetaminophen before long walks.", "Exercises for the thigh muscles, acetaminophen before long walks.", ""}},
	{key: "bones", sct: "64859006", icd: "M81.0", name: "Osteoporosis", months: 12, yearly: []string{"vitd", "bmp"}, says: []string{"No falls since the last visit. Grab rails fitted in the bathroom."}, plan: [3]string{"Calcium in food, vitamin D daily, balance class. Bone scan every two years.", "Calcium in food, vitamin D daily, balance class. Bone scan every two years.", ""}},
	{key: "thinbones", sct: "312894000", icd: "M85.80", name: "Low bone density", says: []string{"Takes vitamin D. Walks four times a week."}, plan: [3]string{"Repeat bone scan in two years.", "Repeat bone scan in two years.", ""}},
	{key: "reflux", sct: "235595009", icd: "K21.9", name: "Acid reflux", yearOnly: true, says: []string{"Heartburn after late meals only. No trouble swallowing."}, plan: [3]string{"Smaller evening meals; lowest dose that works.", "Smaller evening meals; lowest dose that works.", ""}},
	{key: "obesity", sct: "414916001", icd: "E66.9", name: "Obesity", months: 6, yearly: []string{"hba1c"}, says: []string{"Keeps a food diary on the phone and walks to work.", "Joined a gym, two sessions a week."}, plan: [3]string{"Weight and waist reviewed without blame. Next small goal agreed.", "Weight and waist reviewed without blame. Next small goal agreed.", ""}},
	{key: "hayfever", sct: "61582004", icd: "J30.9", name: "Hay fever", yearOnly: true, says: []string{"Sneezing and itchy eyes in May and June."}, plan: [3]string{"Antihistamine in season.", "Antihistamine in season.", ""}},
	{key: "adhd", sct: "406506008", icd: "F90.9", name: "ADHD", months: 6, says: []string{"Teachers report steady work. Appetite is less at lunch, good at supper. Sleeps well."}, plan: [3]string{"Height, weight and blood pressure on track. Same dose on school days.", "Height, weight and blood pressure on track. Same dose on school days.", ""}},
	{key: "hiv", sct: "86406008", icd: "Z21", name: "HIV infection", months: 6, panels: []string{"cd4"}, yearly: []string{"cmp", "cbc"}, labels: []string{"HIV"}, says: []string{"Takes the tablet daily, no missed doses. Feels well."}, plan: [3]string{"Virus undetectable. Continue; undetectable means it is not passed on through sex.", "Virus undetectable. Continue; undetectable means it is not passed on through sex.", ""}},
	{key: "alcohol", sct: "7200002", icd: "F10.21", name: "Alcohol dependence, in remission", months: 6, panels: []string{"liver"}, labels: []string{"ETH"}, courses: []trend{{"ast", [][2]float64{{5, 78}, {3, 44}, {0, 29}}, false}, {"alt", [][2]float64{{5, 69}, {3, 48}, {0, 33}}, false}}, says: []string{"No alcohol since the spring before last. Goes to the Tuesday group."}, plan: [3]string{"Sober and well supported. Liver enzymes settling.", "Sober and well supported. Liver enzymes settling.", ""}},
	{key: "vitd", sct: "34713006", icd: "E55.9", name: "Low vitamin D", yearly: []string{"vitd"}, months: 12, courses: []trend{{"vitd", [][2]float64{{5, 20}, {2, 17}, {1, 30}, {0, 37}}, false}}, says: []string{"Takes vitamin D with breakfast."}, plan: [3]string{"Level recovering. Continue the daily dose.", "Level recovering. Continue the daily dose.", ""}},
	{key: "prostate", sct: "266569009", icd: "N40.1", name: "Enlarged prostate", months: 12, yearly: []string{"psa"}, courses: []trend{{"psa", [][2]float64{{5, 2.4}, {0, 3.1}}, false}}, says: []string{"Up once or twice a night. Flow is better on the capsule."}, plan: [3]string{"Symptoms mild on treatment. PSA yearly after shared decision.", "Symptoms mild on treatment. PSA yearly after shared decision.", ""}},
	{key: "sleepapnea", sct: "78275009", icd: "G47.33", name: "Sleep apnea", months: 12, says: []string{"Uses the CPAP machine about six hours a night and wakes rested."}, plan: [3]string{"Good use of CPAP. New mask ordered.", "Good use of CPAP. New mask ordered.", ""}},
	{key: "rheumatoid", sct: "69896004", icd: "M06.9", name: "Rheumatoid arthritis", months: 4, panels: []string{"cbc", "liver", "crp"}, control: "crp", good: 8, poor: 20, says: []string{"Morning stiffness for twenty minutes. Hands are less swollen.", "One flare in the wrists after a busy week. No fever or mouth sores."}, plan: [3]string{"Low disease activity. Methotrexate safety tests in range; repeat every 3 months.", "Some activity. Safety tests reviewed; rheumatology letter noted.", "Flare. Rheumatology asked for an earlier visit."}},
	{key: "colitis", sct: "64766004", icd: "K51.90", name: "Ulcerative colitis", months: 6, panels: []string{"crp"}, yearly: []string{"irons"}, control: "crp", good: 8, poor: 20, says: []string{"Two formed stools a day, no blood.", "A few loose days in exam week, otherwise well."}, plan: [3]string{"In remission. Continue mesalamine; surveillance as the bowel clinic advised.", "Mild symptoms. Stool test sent.", "Flare. Short steroid course agreed with the bowel clinic."}},
	{key: "celiac", sct: "396331005", icd: "K90.0", name: "Celiac disease", months: 12, yearly: []string{"ttg", "irons"}, courses: []trend{{"ttg", [][2]float64{{3, 41}, {2, 9}, {0, 2.1}}, false}}, says: []string{"Gluten-free at home; careful in the dining hall."}, plan: [3]string{"Antibody level falling, which fits a good diet.", "Antibody level falling, which fits a good diet.", ""}},
	{key: "memory", sct: "52448006", icd: "F03.90", name: "Dementia, mild", months: 6, yearly: []string{"b12"}, says: []string{"Repeats questions but manages meals with a daily visit. Son keeps the tablet box."}, plan: [3]string{"Slow change. Support at home reviewed with the family; advance plan on file.", "Slow change. Support at home reviewed with the family; advance plan on file.", ""}},
	{key: "backpain", sct: "279039007", icd: "M54.50", name: "Low back pain", says: []string{"Ache after long sitting. No leg weakness or numbness."}, plan: [3]string{"Keep moving; exercises shown.", "Keep moving; exercises shown.", ""}},
	{key: "pcos", sct: "237055002", icd: "E28.2", name: "Polycystic ovary syndrome", months: 12, yearly: []string{"hba1c"}, says: []string{"Periods every five to six weeks."}, plan: [3]string{"Reviewed cycle and skin. No treatment wanted now.", "Reviewed cycle and skin. No treatment wanted now.", ""}},
	{key: "hearing", sct: "15188001", icd: "H91.90", name: "Hearing loss", yearOnly: true, says: []string{"Wears both hearing aids."}, plan: [3]string{"Speak face to face; aids cleaned.", "Speak face to face; aids cleaned.", ""}},
	{key: "glaucoma", sct: "23986001", icd: "H40.9", name: "Glaucoma", yearOnly: true, says: []string{"Uses the eye drops every evening."}, plan: [3]string{"Eye clinic follows the pressure.", "Eye clinic follows the pressure.", ""}},
	{key: "cataract", sct: "193570009", icd: "H26.9", name: "Cataract", says: []string{"Glare from headlights at night."}, plan: [3]string{"Eye clinic will decide on the operation.", "Eye clinic will decide on the operation.", ""}},
	{key: "caries", sct: "80967001", icd: "K02.9", name: "Tooth decay", dental: true},
	{key: "periodontitis", sct: "41565005", icd: "K05.30", name: "Gum disease (periodontitis)", dental: true},
}

func conditionOf(key string) *condition {
	for i := range conditions {
		if conditions[i].key == key {
			return &conditions[i]
		}
	}
	return nil
}
