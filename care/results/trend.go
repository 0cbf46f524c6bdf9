package results

import (
	"math"
	"math/big"
	"slices"

	"github.com/wellgate/wellgate/fhir"
)

// A Point is one earlier or later result of the same test in the same unit.
type Point struct {
	*Result
	Y  float64
	OK bool // a plain number that can be drawn; "<5" can only be listed
}

// Trend lists the results of the same test in the same unit, oldest first, r itself among them. Withdrawn and cancelled
// ones, those in another unit and those without a date are left out: they cannot be compared.
func (b *Book) Trend(r *Result) []Point {
	if len(r.codes) == 0 || r.Value.Form != Number {
		return nil
	}
	var points []Point
	seen := map[*Result]bool{}
	for _, o := range b.byRef {
		if o.Type != "Observation" || seen[o] || o.Value.Form != Number || o.Value.Unit != r.Value.Unit || o.When().Precision() == fhir.Unknown ||
			o.State == Gone || o.State == Cancelled || !shares(o.codes, r.codes) {
			continue
		}
		seen[o] = true
		y, ok := o.Value.Digits.Float64()
		points = append(points, Point{Result: o, Y: y, OK: ok && o.Value.Comparator == "" && math.Abs(y) < 1e15})
	}
	slices.SortFunc(points, func(x, y Point) int {
		if c := x.When().Compare(y.When()); c != 0 {
			return c
		}
		if c := x.Issued.Compare(y.Issued); c != 0 {
			return c
		}
		if x.ID < y.ID {
			return -1
		}
		return 1
	})
	return points
}

func shares(x, y []string) bool {
	return slices.ContainsFunc(x, func(c string) bool { return slices.Contains(y, c) })
}

// Direction compares a result with the one before it.
type Direction string

const (
	NoDirection Direction = ""
	Same        Direction = "same"
	Higher      Direction = "higher"
	Lower       Direction = "lower"
	Closer      Direction = "closer" // to the range, from outside
	Reached     Direction = "reached"
	Further     Direction = "further"
)

// Previous is the drawable result before r in points, or nil.
func Previous(points []Point, r *Result) *Point {
	var prev *Point
	for i := range points {
		if points[i].Result == r {
			return prev
		}
		if points[i].OK {
			prev = &points[i]
		}
	}
	return nil
}

// direction says how r moved since prev. Beside a range it speaks of the range; without one only of higher and lower.
// A change under a twentieth is "about the same": tests vary that much by themselves. For clinical review.
func direction(r *Result, prev *Point) Direction {
	if prev == nil || r.Value.Form != Number || r.Value.Comparator != "" {
		return NoDirection
	}
	x, ok1 := rat(prev.Value.Digits)
	y, ok2 := rat(r.Value.Digits)
	if !ok1 || !ok2 {
		return NoDirection
	}
	if r.Range != nil && r.Range.Text == "" {
		before, after := r.Range.distance(x), r.Range.distance(y)
		switch {
		case before.Sign() == 0 && after.Sign() == 0:
			return NoDirection // usual then, usual now
		case after.Sign() == 0:
			return Reached
		case before.Sign()*after.Sign() >= 0 && !small(before, after):
			if new(big.Rat).Abs(after).Cmp(new(big.Rat).Abs(before)) < 0 {
				return Closer
			}
			return Further
		case before.Sign()*after.Sign() < 0:
			return NoDirection // from one side to the other
		}
		return Same
	}
	switch {
	case small(x, y):
		return Same
	case y.Cmp(x) > 0:
		return Higher
	}
	return Lower
}

// distance is how far x lies outside the range, negative below it.
func (r *Range) distance(x *big.Rat) *big.Rat {
	if low, ok := rat(r.Low); ok && x.Cmp(low) < 0 {
		return new(big.Rat).Sub(x, low)
	}
	if high, ok := rat(r.High); ok && x.Cmp(high) > 0 {
		return new(big.Rat).Sub(x, high)
	}
	return new(big.Rat)
}

var twentieth = big.NewRat(1, 20)

func small(x, y *big.Rat) bool {
	d := new(big.Rat).Abs(new(big.Rat).Sub(y, x))
	return d.Cmp(new(big.Rat).Mul(new(big.Rat).Abs(x), twentieth)) <= 0
}

// limits are the ends of the range as floats, for drawing only; comparing is exact.
func (r *Range) limits() (low, high *float64) {
	if f, ok := r.Low.Float64(); ok {
		low = &f
	}
	if f, ok := r.High.Float64(); ok {
		high = &f
	}
	return low, high
}
