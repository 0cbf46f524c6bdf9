// Package records is where people read their record: medicines, conditions, allergies, vaccines, vitals, visits,
// documents, procedures, plans, the care team, and all of it along a timeline. Staff read the same pages on the desk.
//
// It promises:
//   - Nothing is invented and nothing true is lost: what has no name, date, unit or known status is shown and says so;
//     what was entered in error is not shown; what was ruled out is never shown as true.
//   - Plain words come first, the clinical name beside them; a person never has to know a code.
//   - An instruction for a medicine is shown whole or not at all: half a dosage is worse than "follow the label".
//   - A file leaves only under a type that its bytes and its record agree on, and never runs anything (FIL-04).
//   - Nothing outside is fetched or linked: what is kept elsewhere is named as such.
//
// It owns the clinical resource types that feeds and imports write; no patient and no member of staff writes them yet.
package records
