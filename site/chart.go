package site

import "time"

// Trend is values over time: a picture for those who like one, a table for those who do not.
type Trend struct {
	ID, Title, Desc string // Desc says in words what the picture shows
	Unit            string
	Curves          []Curve // one, or two that belong together (blood pressure)
	Low, High       *float64
	Band            string // "Your target: 53 or lower"; "" leaves the band unnamed
}

// Curve is one line; Name tells two apart.
type Curve struct {
	Name   string
	Points []Point // any order
}

// Point is one value. Text is the value as written ("5.60"); Note goes in the table.
type Point struct {
	At         time.Time
	Value      float64
	Text, Note string
}
