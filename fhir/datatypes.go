package fhir

// This file: the datatypes of R4 (https://hl7.org/fhir/R4/datatypes.html). What carries no type of its own:
// code, string, uri, url, canonical, id, markdown and base64Binary are string, the whole numbers are *int.

// Meta: metadata about a resource.
type Meta struct {
	VersionID   string   `json:"versionId,omitzero"`
	LastUpdated DateTime `json:"lastUpdated,omitzero"`
	Source      string   `json:"source,omitzero"`
	Profile     []string `json:"profile,omitzero"`
	Security    []Coding `json:"security,omitzero"`
	Tag         []Coding `json:"tag,omitzero"`
}

// Narrative: human-readable summary of the resource (essential clinical and business information).
type Narrative struct {
	Status string `json:"status,omitzero"` // generated | extensions | additional | empty
	Div    string `json:"div,omitzero"`
}

// Extension: optional extensions element.
type Extension struct {
	Extension            []Extension      `json:"extension,omitzero"`
	URL                  string           `json:"url,omitzero"`
	ValueBase64Binary    string           `json:"valueBase64Binary,omitzero"`
	ValueBoolean         *bool            `json:"valueBoolean,omitzero"`
	ValueCanonical       string           `json:"valueCanonical,omitzero"`
	ValueCode            string           `json:"valueCode,omitzero"`
	ValueDate            DateTime         `json:"valueDate,omitzero"`
	ValueDateTime        DateTime         `json:"valueDateTime,omitzero"`
	ValueDecimal         Decimal          `json:"valueDecimal,omitzero"`
	ValueID              string           `json:"valueId,omitzero"`
	ValueInstant         DateTime         `json:"valueInstant,omitzero"`
	ValueInteger         *int             `json:"valueInteger,omitzero"`
	ValueMarkdown        string           `json:"valueMarkdown,omitzero"`
	ValuePositiveInt     *int             `json:"valuePositiveInt,omitzero"`
	ValueString          string           `json:"valueString,omitzero"`
	ValueTime            string           `json:"valueTime,omitzero"`
	ValueUnsignedInt     *int             `json:"valueUnsignedInt,omitzero"`
	ValueURI             string           `json:"valueUri,omitzero"`
	ValueURL             string           `json:"valueUrl,omitzero"`
	ValueAddress         *Address         `json:"valueAddress,omitzero"`
	ValueAge             *Quantity        `json:"valueAge,omitzero"`
	ValueAnnotation      *Annotation      `json:"valueAnnotation,omitzero"`
	ValueAttachment      *Attachment      `json:"valueAttachment,omitzero"`
	ValueCodeableConcept *CodeableConcept `json:"valueCodeableConcept,omitzero"`
	ValueCoding          *Coding          `json:"valueCoding,omitzero"`
	ValueContactPoint    *ContactPoint    `json:"valueContactPoint,omitzero"`
	ValueDuration        *Quantity        `json:"valueDuration,omitzero"`
	ValueHumanName       *HumanName       `json:"valueHumanName,omitzero"`
	ValueIdentifier      *Identifier      `json:"valueIdentifier,omitzero"`
	ValueMoney           *Money           `json:"valueMoney,omitzero"`
	ValuePeriod          *Period          `json:"valuePeriod,omitzero"`
	ValueQuantity        *Quantity        `json:"valueQuantity,omitzero"`
	ValueRange           *Range           `json:"valueRange,omitzero"`
	ValueRatio           *Ratio           `json:"valueRatio,omitzero"`
	ValueReference       *Reference       `json:"valueReference,omitzero"`
}

// Coding: a reference to a code defined by a terminology system.
type Coding struct {
	System       string `json:"system,omitzero"`
	Version      string `json:"version,omitzero"`
	Code         string `json:"code,omitzero"`
	Display      string `json:"display,omitzero"`
	UserSelected *bool  `json:"userSelected,omitzero"`
}

// CodeableConcept: concept - reference to a terminology or just text.
type CodeableConcept struct {
	Coding []Coding `json:"coding,omitzero"`
	Text   string   `json:"text,omitzero"`
}

// Quantity: a measured or measurable amount.
type Quantity struct {
	Value      Decimal `json:"value,omitzero"`
	Comparator string  `json:"comparator,omitzero"` // < | <= | >= | > - how to understand the value
	Unit       string  `json:"unit,omitzero"`
	System     string  `json:"system,omitzero"`
	Code       string  `json:"code,omitzero"`
}

// Money: an amount of economic utility in some recognized currency.
type Money struct {
	Value    Decimal `json:"value,omitzero"`
	Currency string  `json:"currency,omitzero"`
}

// Range: set of values bounded by low and high.
type Range struct {
	Low  *Quantity `json:"low,omitzero"`
	High *Quantity `json:"high,omitzero"`
}

// Ratio: a ratio of two quantity values - a numerator and a denominator.
type Ratio struct {
	Numerator   *Quantity `json:"numerator,omitzero"`
	Denominator *Quantity `json:"denominator,omitzero"`
}

// Period: time range defined by start and end date/time.
type Period struct {
	Start DateTime `json:"start,omitzero"`
	End   DateTime `json:"end,omitzero"`
}

// Reference: a reference from one resource to another.
type Reference struct {
	Reference  string      `json:"reference,omitzero"`
	Type       string      `json:"type,omitzero"`
	Identifier *Identifier `json:"identifier,omitzero"`
	Display    string      `json:"display,omitzero"`
}

// Identifier: an identifier intended for computation.
type Identifier struct {
	Use      string          `json:"use,omitzero"` // usual | official | temp | secondary | old (If known)
	Type     CodeableConcept `json:"type,omitzero"`
	System   string          `json:"system,omitzero"`
	Value    string          `json:"value,omitzero"`
	Period   *Period         `json:"period,omitzero"`
	Assigner Reference       `json:"assigner,omitzero"`
}

// HumanName: name of a human - parts and usage.
type HumanName struct {
	Use    string   `json:"use,omitzero"` // usual | official | temp | nickname | anonymous | old | maiden
	Text   string   `json:"text,omitzero"`
	Family string   `json:"family,omitzero"`
	Given  []string `json:"given,omitzero"`
	Prefix []string `json:"prefix,omitzero"`
	Suffix []string `json:"suffix,omitzero"`
	Period *Period  `json:"period,omitzero"`
}

// Address: an address expressed using postal conventions (as opposed to gps or other location definition formats).
type Address struct {
	Use        string   `json:"use,omitzero"`  // home | work | temp | old | billing - purpose of this address
	Type       string   `json:"type,omitzero"` // postal | physical | both
	Text       string   `json:"text,omitzero"`
	Line       []string `json:"line,omitzero"`
	City       string   `json:"city,omitzero"`
	District   string   `json:"district,omitzero"`
	State      string   `json:"state,omitzero"`
	PostalCode string   `json:"postalCode,omitzero"`
	Country    string   `json:"country,omitzero"`
	Period     *Period  `json:"period,omitzero"`
}

// ContactPoint: details of a technology mediated contact point (phone, fax, email, etc.).
type ContactPoint struct {
	System string  `json:"system,omitzero"` // phone | fax | email | pager | url | sms | other
	Value  string  `json:"value,omitzero"`
	Use    string  `json:"use,omitzero"` // home | work | temp | old | mobile - purpose of this contact point
	Rank   *int    `json:"rank,omitzero"`
	Period *Period `json:"period,omitzero"`
}

// Attachment: content in a format defined elsewhere.
type Attachment struct {
	ContentType string   `json:"contentType,omitzero"`
	Data        string   `json:"data,omitzero"`
	URL         string   `json:"url,omitzero"`
	Size        *int     `json:"size,omitzero"`
	Hash        string   `json:"hash,omitzero"`
	Title       string   `json:"title,omitzero"`
	Creation    DateTime `json:"creation,omitzero"`
}

// Annotation: text node with attribution.
type Annotation struct {
	AuthorReference *Reference `json:"authorReference,omitzero"`
	AuthorString    string     `json:"authorString,omitzero"`
	Time            DateTime   `json:"time,omitzero"`
	Text            string     `json:"text,omitzero"`
}

// Timing: a timing schedule that specifies an event that may occur multiple times.
type Timing struct {
	Event  []DateTime      `json:"event,omitzero"`
	Repeat *TimingRepeat   `json:"repeat,omitzero"`
	Code   CodeableConcept `json:"code,omitzero"`
}

type TimingRepeat struct {
	BoundsDuration *Quantity `json:"boundsDuration,omitzero"`
	BoundsRange    *Range    `json:"boundsRange,omitzero"`
	BoundsPeriod   *Period   `json:"boundsPeriod,omitzero"`
	Count          *int      `json:"count,omitzero"`
	CountMax       *int      `json:"countMax,omitzero"`
	Duration       Decimal   `json:"duration,omitzero"`
	DurationMax    Decimal   `json:"durationMax,omitzero"`
	DurationUnit   string    `json:"durationUnit,omitzero"` // s | min | h | d | wk | mo | a - unit of time (UCUM)
	Frequency      *int      `json:"frequency,omitzero"`
	FrequencyMax   *int      `json:"frequencyMax,omitzero"`
	Period         Decimal   `json:"period,omitzero"`
	PeriodMax      Decimal   `json:"periodMax,omitzero"`
	PeriodUnit     string    `json:"periodUnit,omitzero"` // s | min | h | d | wk | mo | a - unit of time (UCUM)
	DayOfWeek      []string  `json:"dayOfWeek,omitzero"`  // mon | tue | wed | thu | fri | sat | sun
	TimeOfDay      []string  `json:"timeOfDay,omitzero"`
	When           []string  `json:"when,omitzero"`
	Offset         *int      `json:"offset,omitzero"`
}

// Dosage: how the medication is/was taken or should be taken.
type Dosage struct {
	Sequence                 *int                `json:"sequence,omitzero"`
	Text                     string              `json:"text,omitzero"`
	AdditionalInstruction    []CodeableConcept   `json:"additionalInstruction,omitzero"`
	PatientInstruction       string              `json:"patientInstruction,omitzero"`
	Timing                   *Timing             `json:"timing,omitzero"`
	AsNeededBoolean          *bool               `json:"asNeededBoolean,omitzero"`
	AsNeededCodeableConcept  *CodeableConcept    `json:"asNeededCodeableConcept,omitzero"`
	Site                     CodeableConcept     `json:"site,omitzero"`
	Route                    CodeableConcept     `json:"route,omitzero"`
	Method                   CodeableConcept     `json:"method,omitzero"`
	DoseAndRate              []DosageDoseAndRate `json:"doseAndRate,omitzero"`
	MaxDosePerPeriod         *Ratio              `json:"maxDosePerPeriod,omitzero"`
	MaxDosePerAdministration *Quantity           `json:"maxDosePerAdministration,omitzero"`
	MaxDosePerLifetime       *Quantity           `json:"maxDosePerLifetime,omitzero"`
}

type DosageDoseAndRate struct {
	Type         CodeableConcept `json:"type,omitzero"`
	DoseRange    *Range          `json:"doseRange,omitzero"`
	DoseQuantity *Quantity       `json:"doseQuantity,omitzero"`
	RateRatio    *Ratio          `json:"rateRatio,omitzero"`
	RateRange    *Range          `json:"rateRange,omitzero"`
	RateQuantity *Quantity       `json:"rateQuantity,omitzero"`
}

// Signature: a signature - xml digsig, jws, graphical image of signature, etc.
type Signature struct {
	Type         []Coding  `json:"type,omitzero"`
	When         DateTime  `json:"when,omitzero"`
	Who          Reference `json:"who,omitzero"`
	OnBehalfOf   Reference `json:"onBehalfOf,omitzero"`
	TargetFormat string    `json:"targetFormat,omitzero"`
	SigFormat    string    `json:"sigFormat,omitzero"`
	Data         string    `json:"data,omitzero"`
}
