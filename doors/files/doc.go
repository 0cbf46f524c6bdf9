// Package files is the door for files: FHIR bundles and Bulk Data NDJSON that a person or a job drops on us.
//
// It promises: a file is taken whole or not at all, with the place and the reason when not; ids and unknown elements stay
// as they came; a file that came before changes nothing; references inside a file are resolved, references by search
// ("Practitioner?identifier=…") find exactly one or the file is refused; and a compressed file cannot fill the machine.
package files
