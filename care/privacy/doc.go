// Package privacy is where a patient sees who looked at their record, and takes the record away.
//
// It promises: every reading, writing, finding and opening of this record stands in the list, the patient's own included;
// each line can be kept as a receipt that proves itself without us; and the whole record leaves in one click, as FHIR for
// programs and as one page for people, with everything this person may see.
package privacy
