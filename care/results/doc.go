// Package results shows laboratory and imaging results in words that the patient understands.
//
// It promises:
//   - A value is shown with the digits that the laboratory reported, never rounded and never converted.
//   - A status word ("usual", "a little high") comes only from the result's own interpretation or its own reference
//     range. Where neither says anything, the page says so. Nothing here is a diagnosis or advice.
//   - A result that was withdrawn keeps its place and loses its value.
//   - Every stored result can be found here, however incomplete: without a name, a unit, a date or a range.
//   - Nobody but the system (import, feeds) changes a final result; patients write none by any door; a clinician's
//     comment is never edited, only withdrawn by who wrote it.
//
// It owns Observation, DiagnosticReport and ClinicalImpression (a clinician's comment on a result).
//
// The texts about tests in words/*.json ("results.test.…", "results.what.…", "results.change.…") are ours and await
// clinical review; a practice approves them before patients rely on them.
package results
