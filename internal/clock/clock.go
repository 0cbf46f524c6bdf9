// Package clock gives every part of the house its time from outside, so that a test can move it.
package clock

import "time"

// A Clock tells the present time in UTC. Code never calls time.Now itself; main hands out System.
type Clock func() time.Time

// System is the machine's clock.
func System() time.Time { return time.Now().UTC() }

// At is a clock that stands still.
func At(t time.Time) Clock { return func() time.Time { return t } }
