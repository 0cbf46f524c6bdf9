// Package desk is where staff start: find the right patient, say why, open the record.
//
// It promises: nobody is found by one identifier alone; nothing typed to find a person stands in an address; a record
// opens only for a stated reason, which the patient sees; and a record not opened answers as if it were not there.
package desk
