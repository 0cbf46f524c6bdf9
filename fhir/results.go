package fhir

// This file: what was measured and seen.

// Observation: measurements and simple assertions.
type Observation struct {
	ID                   string                      `json:"id,omitzero"`
	Meta                 *Meta                       `json:"meta,omitzero"`
	Text                 *Narrative                  `json:"text,omitzero"`
	Contained            []Resource                  `json:"contained,omitzero"`
	Extension            []Extension                 `json:"extension,omitzero"`
	Identifier           []Identifier                `json:"identifier,omitzero"`
	BasedOn              []Reference                 `json:"basedOn,omitzero"`
	PartOf               []Reference                 `json:"partOf,omitzero"`
	Status               string                      `json:"status,omitzero"` // registered | preliminary | final | amended +
	Category             []CodeableConcept           `json:"category,omitzero"`
	Code                 CodeableConcept             `json:"code,omitzero"`
	Subject              Reference                   `json:"subject,omitzero"`
	Focus                []Reference                 `json:"focus,omitzero"`
	Encounter            Reference                   `json:"encounter,omitzero"`
	EffectiveDateTime    DateTime                    `json:"effectiveDateTime,omitzero"`
	EffectivePeriod      *Period                     `json:"effectivePeriod,omitzero"`
	EffectiveTiming      *Timing                     `json:"effectiveTiming,omitzero"`
	EffectiveInstant     DateTime                    `json:"effectiveInstant,omitzero"`
	Issued               DateTime                    `json:"issued,omitzero"`
	Performer            []Reference                 `json:"performer,omitzero"`
	ValueQuantity        *Quantity                   `json:"valueQuantity,omitzero"`
	ValueCodeableConcept *CodeableConcept            `json:"valueCodeableConcept,omitzero"`
	ValueString          string                      `json:"valueString,omitzero"`
	ValueBoolean         *bool                       `json:"valueBoolean,omitzero"`
	ValueInteger         *int                        `json:"valueInteger,omitzero"`
	ValueRange           *Range                      `json:"valueRange,omitzero"`
	ValueRatio           *Ratio                      `json:"valueRatio,omitzero"`
	ValueTime            string                      `json:"valueTime,omitzero"`
	ValueDateTime        DateTime                    `json:"valueDateTime,omitzero"`
	ValuePeriod          *Period                     `json:"valuePeriod,omitzero"`
	DataAbsentReason     CodeableConcept             `json:"dataAbsentReason,omitzero"`
	Interpretation       []CodeableConcept           `json:"interpretation,omitzero"`
	Note                 []Annotation                `json:"note,omitzero"`
	BodySite             CodeableConcept             `json:"bodySite,omitzero"`
	Method               CodeableConcept             `json:"method,omitzero"`
	Specimen             Reference                   `json:"specimen,omitzero"`
	Device               Reference                   `json:"device,omitzero"`
	ReferenceRange       []ObservationReferenceRange `json:"referenceRange,omitzero"`
	HasMember            []Reference                 `json:"hasMember,omitzero"`
	DerivedFrom          []Reference                 `json:"derivedFrom,omitzero"`
	Component            []ObservationComponent      `json:"component,omitzero"`
}

type ObservationReferenceRange struct {
	Low       *Quantity         `json:"low,omitzero"`
	High      *Quantity         `json:"high,omitzero"`
	Type      CodeableConcept   `json:"type,omitzero"`
	AppliesTo []CodeableConcept `json:"appliesTo,omitzero"`
	Age       *Range            `json:"age,omitzero"`
	Text      string            `json:"text,omitzero"`
}

type ObservationComponent struct {
	Code                 CodeableConcept             `json:"code,omitzero"`
	ValueQuantity        *Quantity                   `json:"valueQuantity,omitzero"`
	ValueCodeableConcept *CodeableConcept            `json:"valueCodeableConcept,omitzero"`
	ValueString          string                      `json:"valueString,omitzero"`
	ValueBoolean         *bool                       `json:"valueBoolean,omitzero"`
	ValueInteger         *int                        `json:"valueInteger,omitzero"`
	ValueRange           *Range                      `json:"valueRange,omitzero"`
	ValueRatio           *Ratio                      `json:"valueRatio,omitzero"`
	ValueTime            string                      `json:"valueTime,omitzero"`
	ValueDateTime        DateTime                    `json:"valueDateTime,omitzero"`
	ValuePeriod          *Period                     `json:"valuePeriod,omitzero"`
	DataAbsentReason     CodeableConcept             `json:"dataAbsentReason,omitzero"`
	Interpretation       []CodeableConcept           `json:"interpretation,omitzero"`
	ReferenceRange       []ObservationReferenceRange `json:"referenceRange,omitzero"`
}

// DiagnosticReport: a diagnostic report - a combination of request information, atomic results, images, interpretation, as well as formatted reports.
type DiagnosticReport struct {
	ID                 string                  `json:"id,omitzero"`
	Meta               *Meta                   `json:"meta,omitzero"`
	Text               *Narrative              `json:"text,omitzero"`
	Contained          []Resource              `json:"contained,omitzero"`
	Extension          []Extension             `json:"extension,omitzero"`
	Identifier         []Identifier            `json:"identifier,omitzero"`
	BasedOn            []Reference             `json:"basedOn,omitzero"`
	Status             string                  `json:"status,omitzero"` // registered | partial | preliminary | final +
	Category           []CodeableConcept       `json:"category,omitzero"`
	Code               CodeableConcept         `json:"code,omitzero"`
	Subject            Reference               `json:"subject,omitzero"`
	Encounter          Reference               `json:"encounter,omitzero"`
	EffectiveDateTime  DateTime                `json:"effectiveDateTime,omitzero"`
	EffectivePeriod    *Period                 `json:"effectivePeriod,omitzero"`
	Issued             DateTime                `json:"issued,omitzero"`
	Performer          []Reference             `json:"performer,omitzero"`
	ResultsInterpreter []Reference             `json:"resultsInterpreter,omitzero"`
	Specimen           []Reference             `json:"specimen,omitzero"`
	Result             []Reference             `json:"result,omitzero"`
	ImagingStudy       []Reference             `json:"imagingStudy,omitzero"`
	Media              []DiagnosticReportMedia `json:"media,omitzero"`
	Conclusion         string                  `json:"conclusion,omitzero"`
	ConclusionCode     []CodeableConcept       `json:"conclusionCode,omitzero"`
	PresentedForm      []Attachment            `json:"presentedForm,omitzero"`
}

type DiagnosticReportMedia struct {
	Comment string    `json:"comment,omitzero"`
	Link    Reference `json:"link,omitzero"`
}

// ImagingStudy: a set of images produced in single study (one or more series of references images).
type ImagingStudy struct {
	ID                 string               `json:"id,omitzero"`
	Meta               *Meta                `json:"meta,omitzero"`
	Text               *Narrative           `json:"text,omitzero"`
	Contained          []Resource           `json:"contained,omitzero"`
	Extension          []Extension          `json:"extension,omitzero"`
	Identifier         []Identifier         `json:"identifier,omitzero"`
	Status             string               `json:"status,omitzero"` // registered | available | cancelled | entered-in-error | unknown
	Modality           []Coding             `json:"modality,omitzero"`
	Subject            Reference            `json:"subject,omitzero"`
	Encounter          Reference            `json:"encounter,omitzero"`
	Started            DateTime             `json:"started,omitzero"`
	BasedOn            []Reference          `json:"basedOn,omitzero"`
	Referrer           Reference            `json:"referrer,omitzero"`
	Interpreter        []Reference          `json:"interpreter,omitzero"`
	Endpoint           []Reference          `json:"endpoint,omitzero"`
	NumberOfSeries     *int                 `json:"numberOfSeries,omitzero"`
	NumberOfInstances  *int                 `json:"numberOfInstances,omitzero"`
	ProcedureReference Reference            `json:"procedureReference,omitzero"`
	ProcedureCode      []CodeableConcept    `json:"procedureCode,omitzero"`
	Location           Reference            `json:"location,omitzero"`
	ReasonCode         []CodeableConcept    `json:"reasonCode,omitzero"`
	ReasonReference    []Reference          `json:"reasonReference,omitzero"`
	Note               []Annotation         `json:"note,omitzero"`
	Description        string               `json:"description,omitzero"`
	Series             []ImagingStudySeries `json:"series,omitzero"`
}

type ImagingStudySeriesPerformer struct {
	Function CodeableConcept `json:"function,omitzero"`
	Actor    Reference       `json:"actor,omitzero"`
}

type ImagingStudySeriesInstance struct {
	Uid      string `json:"uid,omitzero"`
	SopClass Coding `json:"sopClass,omitzero"`
	Number   *int   `json:"number,omitzero"`
	Title    string `json:"title,omitzero"`
}

type ImagingStudySeries struct {
	Uid               string                        `json:"uid,omitzero"`
	Number            *int                          `json:"number,omitzero"`
	Modality          Coding                        `json:"modality,omitzero"`
	Description       string                        `json:"description,omitzero"`
	NumberOfInstances *int                          `json:"numberOfInstances,omitzero"`
	Endpoint          []Reference                   `json:"endpoint,omitzero"`
	BodySite          Coding                        `json:"bodySite,omitzero"`
	Laterality        Coding                        `json:"laterality,omitzero"`
	Specimen          []Reference                   `json:"specimen,omitzero"`
	Started           DateTime                      `json:"started,omitzero"`
	Performer         []ImagingStudySeriesPerformer `json:"performer,omitzero"`
	Instance          []ImagingStudySeriesInstance  `json:"instance,omitzero"`
}

// Specimen: sample for analysis.
type Specimen struct {
	ID                  string               `json:"id,omitzero"`
	Meta                *Meta                `json:"meta,omitzero"`
	Text                *Narrative           `json:"text,omitzero"`
	Contained           []Resource           `json:"contained,omitzero"`
	Extension           []Extension          `json:"extension,omitzero"`
	Identifier          []Identifier         `json:"identifier,omitzero"`
	AccessionIdentifier Identifier           `json:"accessionIdentifier,omitzero"`
	Status              string               `json:"status,omitzero"` // available | unavailable | unsatisfactory | entered-in-error
	Type                CodeableConcept      `json:"type,omitzero"`
	Subject             Reference            `json:"subject,omitzero"`
	ReceivedTime        DateTime             `json:"receivedTime,omitzero"`
	Parent              []Reference          `json:"parent,omitzero"`
	Request             []Reference          `json:"request,omitzero"`
	Collection          *SpecimenCollection  `json:"collection,omitzero"`
	Processing          []SpecimenProcessing `json:"processing,omitzero"`
	Container           []SpecimenContainer  `json:"container,omitzero"`
	Condition           []CodeableConcept    `json:"condition,omitzero"`
	Note                []Annotation         `json:"note,omitzero"`
}

type SpecimenCollection struct {
	Collector                    Reference        `json:"collector,omitzero"`
	CollectedDateTime            DateTime         `json:"collectedDateTime,omitzero"`
	CollectedPeriod              *Period          `json:"collectedPeriod,omitzero"`
	Duration                     *Quantity        `json:"duration,omitzero"`
	Quantity                     *Quantity        `json:"quantity,omitzero"`
	Method                       CodeableConcept  `json:"method,omitzero"`
	BodySite                     CodeableConcept  `json:"bodySite,omitzero"`
	FastingStatusCodeableConcept *CodeableConcept `json:"fastingStatusCodeableConcept,omitzero"`
	FastingStatusDuration        *Quantity        `json:"fastingStatusDuration,omitzero"`
}

type SpecimenProcessing struct {
	Description  string          `json:"description,omitzero"`
	Procedure    CodeableConcept `json:"procedure,omitzero"`
	Additive     []Reference     `json:"additive,omitzero"`
	TimeDateTime DateTime        `json:"timeDateTime,omitzero"`
	TimePeriod   *Period         `json:"timePeriod,omitzero"`
}

type SpecimenContainer struct {
	Identifier              []Identifier     `json:"identifier,omitzero"`
	Description             string           `json:"description,omitzero"`
	Type                    CodeableConcept  `json:"type,omitzero"`
	Capacity                *Quantity        `json:"capacity,omitzero"`
	SpecimenQuantity        *Quantity        `json:"specimenQuantity,omitzero"`
	AdditiveCodeableConcept *CodeableConcept `json:"additiveCodeableConcept,omitzero"`
	AdditiveReference       *Reference       `json:"additiveReference,omitzero"`
}

// ClinicalImpression: a clinical assessment performed when planning treatments and management strategies for a patient.
type ClinicalImpression struct {
	ID                       string                            `json:"id,omitzero"`
	Meta                     *Meta                             `json:"meta,omitzero"`
	Text                     *Narrative                        `json:"text,omitzero"`
	Contained                []Resource                        `json:"contained,omitzero"`
	Extension                []Extension                       `json:"extension,omitzero"`
	Identifier               []Identifier                      `json:"identifier,omitzero"`
	Status                   string                            `json:"status,omitzero"` // in-progress | completed | entered-in-error
	StatusReason             CodeableConcept                   `json:"statusReason,omitzero"`
	Code                     CodeableConcept                   `json:"code,omitzero"`
	Description              string                            `json:"description,omitzero"`
	Subject                  Reference                         `json:"subject,omitzero"`
	Encounter                Reference                         `json:"encounter,omitzero"`
	EffectiveDateTime        DateTime                          `json:"effectiveDateTime,omitzero"`
	EffectivePeriod          *Period                           `json:"effectivePeriod,omitzero"`
	Date                     DateTime                          `json:"date,omitzero"`
	Assessor                 Reference                         `json:"assessor,omitzero"`
	Previous                 Reference                         `json:"previous,omitzero"`
	Problem                  []Reference                       `json:"problem,omitzero"`
	Investigation            []ClinicalImpressionInvestigation `json:"investigation,omitzero"`
	Protocol                 []string                          `json:"protocol,omitzero"`
	Summary                  string                            `json:"summary,omitzero"`
	Finding                  []ClinicalImpressionFinding       `json:"finding,omitzero"`
	PrognosisCodeableConcept []CodeableConcept                 `json:"prognosisCodeableConcept,omitzero"`
	PrognosisReference       []Reference                       `json:"prognosisReference,omitzero"`
	SupportingInfo           []Reference                       `json:"supportingInfo,omitzero"`
	Note                     []Annotation                      `json:"note,omitzero"`
}

type ClinicalImpressionInvestigation struct {
	Code CodeableConcept `json:"code,omitzero"`
	Item []Reference     `json:"item,omitzero"`
}

type ClinicalImpressionFinding struct {
	ItemCodeableConcept CodeableConcept `json:"itemCodeableConcept,omitzero"`
	ItemReference       Reference       `json:"itemReference,omitzero"`
	Basis               string          `json:"basis,omitzero"`
}
