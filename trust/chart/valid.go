package chart

import (
	"fmt"

	"github.com/wellgate/wellgate/fhir"
	"github.com/wellgate/wellgate/fhir/validate"
	"github.com/wellgate/wellgate/trust/identity"
)

// valid checks the structure of what is about to be stored. What people and rooms write is held to every rule; what the
// practice's tools and other systems bring keeps elements we do not know.
func valid(who identity.Who, r fhir.Resource) error {
	level := validate.Strict
	if who.Machine() {
		level = validate.Lenient
	}
	if err := validate.Err(validate.Resource(r, level)); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrInvalid, r.Ref(), err)
	}
	return nil
}
