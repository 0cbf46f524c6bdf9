package fhir

// This file: what somebody has, had, or was done.

// Condition: detailed information about conditions, problems or diagnoses.
type Condition struct {
	ID                 string              `json:"id,omitzero"`
	Meta               *Meta               `json:"meta,omitzero"`
	Text               *Narrative          `json:"text,omitzero"`
	Contained          []Resource          `json:"contained,omitzero"`
	Extension          []Extension         `json:"extension,omitzero"`
	Identifier         []Identifier        `json:"identifier,omitzero"`
	ClinicalStatus     CodeableConcept     `json:"clinicalStatus,omitzero"`
	VerificationStatus CodeableConcept     `json:"verificationStatus,omitzero"`
	Category           []CodeableConcept   `json:"category,omitzero"`
	Severity           CodeableConcept     `json:"severity,omitzero"`
	Code               CodeableConcept     `json:"code,omitzero"`
	BodySite           []CodeableConcept   `json:"bodySite,omitzero"`
	Subject            Reference           `json:"subject,omitzero"`
	Encounter          Reference           `json:"encounter,omitzero"`
	OnsetDateTime      DateTime            `json:"onsetDateTime,omitzero"`
	OnsetAge           *Quantity           `json:"onsetAge,omitzero"`
	OnsetPeriod        *Period             `json:"onsetPeriod,omitzero"`
	OnsetRange         *Range              `json:"onsetRange,omitzero"`
	OnsetString        string              `json:"onsetString,omitzero"`
	AbatementDateTime  DateTime            `json:"abatementDateTime,omitzero"`
	AbatementAge       *Quantity           `json:"abatementAge,omitzero"`
	AbatementPeriod    *Period             `json:"abatementPeriod,omitzero"`
	AbatementRange     *Range              `json:"abatementRange,omitzero"`
	AbatementString    string              `json:"abatementString,omitzero"`
	RecordedDate       DateTime            `json:"recordedDate,omitzero"`
	Recorder           Reference           `json:"recorder,omitzero"`
	Asserter           Reference           `json:"asserter,omitzero"`
	Stage              []ConditionStage    `json:"stage,omitzero"`
	Evidence           []ConditionEvidence `json:"evidence,omitzero"`
	Note               []Annotation        `json:"note,omitzero"`
}

type ConditionStage struct {
	Summary    CodeableConcept `json:"summary,omitzero"`
	Assessment []Reference     `json:"assessment,omitzero"`
	Type       CodeableConcept `json:"type,omitzero"`
}

type ConditionEvidence struct {
	Code   []CodeableConcept `json:"code,omitzero"`
	Detail []Reference       `json:"detail,omitzero"`
}

// AllergyIntolerance: allergy or intolerance (generally: risk of adverse reaction to a substance).
type AllergyIntolerance struct {
	ID                 string                       `json:"id,omitzero"`
	Meta               *Meta                        `json:"meta,omitzero"`
	Text               *Narrative                   `json:"text,omitzero"`
	Contained          []Resource                   `json:"contained,omitzero"`
	Extension          []Extension                  `json:"extension,omitzero"`
	Identifier         []Identifier                 `json:"identifier,omitzero"`
	ClinicalStatus     CodeableConcept              `json:"clinicalStatus,omitzero"`
	VerificationStatus CodeableConcept              `json:"verificationStatus,omitzero"`
	Type               string                       `json:"type,omitzero"`        // allergy | intolerance - Underlying mechanism (if known)
	Category           []string                     `json:"category,omitzero"`    // food | medication | environment | biologic
	Criticality        string                       `json:"criticality,omitzero"` // low | high | unable-to-assess
	Code               CodeableConcept              `json:"code,omitzero"`
	Patient            Reference                    `json:"patient,omitzero"`
	Encounter          Reference                    `json:"encounter,omitzero"`
	OnsetDateTime      DateTime                     `json:"onsetDateTime,omitzero"`
	OnsetAge           *Quantity                    `json:"onsetAge,omitzero"`
	OnsetPeriod        *Period                      `json:"onsetPeriod,omitzero"`
	OnsetRange         *Range                       `json:"onsetRange,omitzero"`
	OnsetString        string                       `json:"onsetString,omitzero"`
	RecordedDate       DateTime                     `json:"recordedDate,omitzero"`
	Recorder           Reference                    `json:"recorder,omitzero"`
	Asserter           Reference                    `json:"asserter,omitzero"`
	LastOccurrence     DateTime                     `json:"lastOccurrence,omitzero"`
	Note               []Annotation                 `json:"note,omitzero"`
	Reaction           []AllergyIntoleranceReaction `json:"reaction,omitzero"`
}

type AllergyIntoleranceReaction struct {
	Substance     CodeableConcept   `json:"substance,omitzero"`
	Manifestation []CodeableConcept `json:"manifestation,omitzero"`
	Description   string            `json:"description,omitzero"`
	Onset         DateTime          `json:"onset,omitzero"`
	Severity      string            `json:"severity,omitzero"` // mild | moderate | severe (of event as a whole)
	ExposureRoute CodeableConcept   `json:"exposureRoute,omitzero"`
	Note          []Annotation      `json:"note,omitzero"`
}

// Procedure: an action that is being or was performed on a patient.
type Procedure struct {
	ID                    string                 `json:"id,omitzero"`
	Meta                  *Meta                  `json:"meta,omitzero"`
	Text                  *Narrative             `json:"text,omitzero"`
	Contained             []Resource             `json:"contained,omitzero"`
	Extension             []Extension            `json:"extension,omitzero"`
	Identifier            []Identifier           `json:"identifier,omitzero"`
	InstantiatesCanonical []string               `json:"instantiatesCanonical,omitzero"`
	InstantiatesURI       []string               `json:"instantiatesUri,omitzero"`
	BasedOn               []Reference            `json:"basedOn,omitzero"`
	PartOf                []Reference            `json:"partOf,omitzero"`
	Status                string                 `json:"status,omitzero"` // preparation | in-progress | not-done | on-hold | stopped | completed | entered-in-error | unknown
	StatusReason          CodeableConcept        `json:"statusReason,omitzero"`
	Category              CodeableConcept        `json:"category,omitzero"`
	Code                  CodeableConcept        `json:"code,omitzero"`
	Subject               Reference              `json:"subject,omitzero"`
	Encounter             Reference              `json:"encounter,omitzero"`
	PerformedDateTime     DateTime               `json:"performedDateTime,omitzero"`
	PerformedPeriod       *Period                `json:"performedPeriod,omitzero"`
	PerformedString       string                 `json:"performedString,omitzero"`
	PerformedAge          *Quantity              `json:"performedAge,omitzero"`
	PerformedRange        *Range                 `json:"performedRange,omitzero"`
	Recorder              Reference              `json:"recorder,omitzero"`
	Asserter              Reference              `json:"asserter,omitzero"`
	Performer             []ProcedurePerformer   `json:"performer,omitzero"`
	Location              Reference              `json:"location,omitzero"`
	ReasonCode            []CodeableConcept      `json:"reasonCode,omitzero"`
	ReasonReference       []Reference            `json:"reasonReference,omitzero"`
	BodySite              []CodeableConcept      `json:"bodySite,omitzero"`
	Outcome               CodeableConcept        `json:"outcome,omitzero"`
	Report                []Reference            `json:"report,omitzero"`
	Complication          []CodeableConcept      `json:"complication,omitzero"`
	ComplicationDetail    []Reference            `json:"complicationDetail,omitzero"`
	FollowUp              []CodeableConcept      `json:"followUp,omitzero"`
	Note                  []Annotation           `json:"note,omitzero"`
	FocalDevice           []ProcedureFocalDevice `json:"focalDevice,omitzero"`
	UsedReference         []Reference            `json:"usedReference,omitzero"`
	UsedCode              []CodeableConcept      `json:"usedCode,omitzero"`
}

type ProcedurePerformer struct {
	Function   CodeableConcept `json:"function,omitzero"`
	Actor      Reference       `json:"actor,omitzero"`
	OnBehalfOf Reference       `json:"onBehalfOf,omitzero"`
}

type ProcedureFocalDevice struct {
	Action      CodeableConcept `json:"action,omitzero"`
	Manipulated Reference       `json:"manipulated,omitzero"`
}

// Immunization: immunization event information.
type Immunization struct {
	ID                 string                        `json:"id,omitzero"`
	Meta               *Meta                         `json:"meta,omitzero"`
	Text               *Narrative                    `json:"text,omitzero"`
	Contained          []Resource                    `json:"contained,omitzero"`
	Extension          []Extension                   `json:"extension,omitzero"`
	Identifier         []Identifier                  `json:"identifier,omitzero"`
	Status             string                        `json:"status,omitzero"` // completed | entered-in-error | not-done
	StatusReason       CodeableConcept               `json:"statusReason,omitzero"`
	VaccineCode        CodeableConcept               `json:"vaccineCode,omitzero"`
	Patient            Reference                     `json:"patient,omitzero"`
	Encounter          Reference                     `json:"encounter,omitzero"`
	OccurrenceDateTime DateTime                      `json:"occurrenceDateTime,omitzero"`
	OccurrenceString   string                        `json:"occurrenceString,omitzero"`
	Recorded           DateTime                      `json:"recorded,omitzero"`
	PrimarySource      *bool                         `json:"primarySource,omitzero"`
	ReportOrigin       CodeableConcept               `json:"reportOrigin,omitzero"`
	Location           Reference                     `json:"location,omitzero"`
	Manufacturer       Reference                     `json:"manufacturer,omitzero"`
	LotNumber          string                        `json:"lotNumber,omitzero"`
	ExpirationDate     DateTime                      `json:"expirationDate,omitzero"`
	Site               CodeableConcept               `json:"site,omitzero"`
	Route              CodeableConcept               `json:"route,omitzero"`
	DoseQuantity       *Quantity                     `json:"doseQuantity,omitzero"`
	Performer          []ImmunizationPerformer       `json:"performer,omitzero"`
	Note               []Annotation                  `json:"note,omitzero"`
	ReasonCode         []CodeableConcept             `json:"reasonCode,omitzero"`
	ReasonReference    []Reference                   `json:"reasonReference,omitzero"`
	IsSubpotent        *bool                         `json:"isSubpotent,omitzero"`
	SubpotentReason    []CodeableConcept             `json:"subpotentReason,omitzero"`
	Education          []ImmunizationEducation       `json:"education,omitzero"`
	ProgramEligibility []CodeableConcept             `json:"programEligibility,omitzero"`
	FundingSource      CodeableConcept               `json:"fundingSource,omitzero"`
	Reaction           []ImmunizationReaction        `json:"reaction,omitzero"`
	ProtocolApplied    []ImmunizationProtocolApplied `json:"protocolApplied,omitzero"`
}

type ImmunizationPerformer struct {
	Function CodeableConcept `json:"function,omitzero"`
	Actor    Reference       `json:"actor,omitzero"`
}

type ImmunizationEducation struct {
	DocumentType     string   `json:"documentType,omitzero"`
	Reference        string   `json:"reference,omitzero"`
	PublicationDate  DateTime `json:"publicationDate,omitzero"`
	PresentationDate DateTime `json:"presentationDate,omitzero"`
}

type ImmunizationReaction struct {
	Date     DateTime  `json:"date,omitzero"`
	Detail   Reference `json:"detail,omitzero"`
	Reported *bool     `json:"reported,omitzero"`
}

type ImmunizationProtocolApplied struct {
	Series                 string            `json:"series,omitzero"`
	Authority              Reference         `json:"authority,omitzero"`
	TargetDisease          []CodeableConcept `json:"targetDisease,omitzero"`
	DoseNumberPositiveInt  *int              `json:"doseNumberPositiveInt,omitzero"`
	DoseNumberString       string            `json:"doseNumberString,omitzero"`
	SeriesDosesPositiveInt *int              `json:"seriesDosesPositiveInt,omitzero"`
	SeriesDosesString      string            `json:"seriesDosesString,omitzero"`
}

// Encounter: an interaction during which services are provided to the patient.
type Encounter struct {
	ID              string                    `json:"id,omitzero"`
	Meta            *Meta                     `json:"meta,omitzero"`
	Text            *Narrative                `json:"text,omitzero"`
	Contained       []Resource                `json:"contained,omitzero"`
	Extension       []Extension               `json:"extension,omitzero"`
	Identifier      []Identifier              `json:"identifier,omitzero"`
	Status          string                    `json:"status,omitzero"` // planned | arrived | triaged | in-progress | onleave | finished | cancelled +
	StatusHistory   []EncounterStatusHistory  `json:"statusHistory,omitzero"`
	Class           Coding                    `json:"class,omitzero"`
	ClassHistory    []EncounterClassHistory   `json:"classHistory,omitzero"`
	Type            []CodeableConcept         `json:"type,omitzero"`
	ServiceType     CodeableConcept           `json:"serviceType,omitzero"`
	Priority        CodeableConcept           `json:"priority,omitzero"`
	Subject         Reference                 `json:"subject,omitzero"`
	EpisodeOfCare   []Reference               `json:"episodeOfCare,omitzero"`
	BasedOn         []Reference               `json:"basedOn,omitzero"`
	Participant     []EncounterParticipant    `json:"participant,omitzero"`
	Appointment     []Reference               `json:"appointment,omitzero"`
	Period          *Period                   `json:"period,omitzero"`
	Length          *Quantity                 `json:"length,omitzero"`
	ReasonCode      []CodeableConcept         `json:"reasonCode,omitzero"`
	ReasonReference []Reference               `json:"reasonReference,omitzero"`
	Diagnosis       []EncounterDiagnosis      `json:"diagnosis,omitzero"`
	Account         []Reference               `json:"account,omitzero"`
	Hospitalization *EncounterHospitalization `json:"hospitalization,omitzero"`
	Location        []EncounterLocation       `json:"location,omitzero"`
	ServiceProvider Reference                 `json:"serviceProvider,omitzero"`
	PartOf          Reference                 `json:"partOf,omitzero"`
}

type EncounterStatusHistory struct {
	Status string  `json:"status,omitzero"` // planned | arrived | triaged | in-progress | onleave | finished | cancelled +
	Period *Period `json:"period,omitzero"`
}

type EncounterClassHistory struct {
	Class  Coding  `json:"class,omitzero"`
	Period *Period `json:"period,omitzero"`
}

type EncounterParticipant struct {
	Type       []CodeableConcept `json:"type,omitzero"`
	Period     *Period           `json:"period,omitzero"`
	Individual Reference         `json:"individual,omitzero"`
}

type EncounterDiagnosis struct {
	Condition Reference       `json:"condition,omitzero"`
	Use       CodeableConcept `json:"use,omitzero"`
	Rank      *int            `json:"rank,omitzero"`
}

type EncounterHospitalization struct {
	PreAdmissionIdentifier Identifier        `json:"preAdmissionIdentifier,omitzero"`
	Origin                 Reference         `json:"origin,omitzero"`
	AdmitSource            CodeableConcept   `json:"admitSource,omitzero"`
	ReAdmission            CodeableConcept   `json:"reAdmission,omitzero"`
	DietPreference         []CodeableConcept `json:"dietPreference,omitzero"`
	SpecialCourtesy        []CodeableConcept `json:"specialCourtesy,omitzero"`
	SpecialArrangement     []CodeableConcept `json:"specialArrangement,omitzero"`
	Destination            Reference         `json:"destination,omitzero"`
	DischargeDisposition   CodeableConcept   `json:"dischargeDisposition,omitzero"`
}

type EncounterLocation struct {
	Location     Reference       `json:"location,omitzero"`
	Status       string          `json:"status,omitzero"` // planned | active | reserved | completed
	PhysicalType CodeableConcept `json:"physicalType,omitzero"`
	Period       *Period         `json:"period,omitzero"`
}

// Device: item used in healthcare.
type Device struct {
	ID                 string             `json:"id,omitzero"`
	Meta               *Meta              `json:"meta,omitzero"`
	Text               *Narrative         `json:"text,omitzero"`
	Contained          []Resource         `json:"contained,omitzero"`
	Extension          []Extension        `json:"extension,omitzero"`
	Identifier         []Identifier       `json:"identifier,omitzero"`
	Definition         Reference          `json:"definition,omitzero"`
	UdiCarrier         []DeviceUdiCarrier `json:"udiCarrier,omitzero"`
	Status             string             `json:"status,omitzero"` // active | inactive | entered-in-error | unknown
	StatusReason       []CodeableConcept  `json:"statusReason,omitzero"`
	DistinctIdentifier string             `json:"distinctIdentifier,omitzero"`
	Manufacturer       string             `json:"manufacturer,omitzero"`
	ManufactureDate    DateTime           `json:"manufactureDate,omitzero"`
	ExpirationDate     DateTime           `json:"expirationDate,omitzero"`
	LotNumber          string             `json:"lotNumber,omitzero"`
	SerialNumber       string             `json:"serialNumber,omitzero"`
	DeviceName         []DeviceDeviceName `json:"deviceName,omitzero"`
	ModelNumber        string             `json:"modelNumber,omitzero"`
	PartNumber         string             `json:"partNumber,omitzero"`
	Type               CodeableConcept    `json:"type,omitzero"`
	Patient            Reference          `json:"patient,omitzero"`
	Owner              Reference          `json:"owner,omitzero"`
	Location           Reference          `json:"location,omitzero"`
	URL                string             `json:"url,omitzero"`
	Note               []Annotation       `json:"note,omitzero"`
}

type DeviceUdiCarrier struct {
	DeviceIdentifier string `json:"deviceIdentifier,omitzero"`
	Issuer           string `json:"issuer,omitzero"`
	Jurisdiction     string `json:"jurisdiction,omitzero"`
	CarrierAIDC      string `json:"carrierAIDC,omitzero"`
	CarrierHRF       string `json:"carrierHRF,omitzero"`
	EntryType        string `json:"entryType,omitzero"` // barcode | rfid | manual +
}

type DeviceDeviceName struct {
	Name string `json:"name,omitzero"`
	Type string `json:"type,omitzero"` // udi-label-name | user-friendly-name | patient-reported-name | manufacturer-name | model-name | other
}
