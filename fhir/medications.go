package fhir

// This file: medicines.

// Medication: definition of a medication.
type Medication struct {
	ID           string                 `json:"id,omitzero"`
	Meta         *Meta                  `json:"meta,omitzero"`
	Text         *Narrative             `json:"text,omitzero"`
	Contained    []Resource             `json:"contained,omitzero"`
	Extension    []Extension            `json:"extension,omitzero"`
	Identifier   []Identifier           `json:"identifier,omitzero"`
	Code         CodeableConcept        `json:"code,omitzero"`
	Status       string                 `json:"status,omitzero"` // active | inactive | entered-in-error
	Manufacturer Reference              `json:"manufacturer,omitzero"`
	Form         CodeableConcept        `json:"form,omitzero"`
	Amount       *Ratio                 `json:"amount,omitzero"`
	Ingredient   []MedicationIngredient `json:"ingredient,omitzero"`
	Batch        *MedicationBatch       `json:"batch,omitzero"`
}

type MedicationIngredient struct {
	ItemCodeableConcept *CodeableConcept `json:"itemCodeableConcept,omitzero"`
	ItemReference       *Reference       `json:"itemReference,omitzero"`
	IsActive            *bool            `json:"isActive,omitzero"`
	Strength            *Ratio           `json:"strength,omitzero"`
}

type MedicationBatch struct {
	LotNumber      string   `json:"lotNumber,omitzero"`
	ExpirationDate DateTime `json:"expirationDate,omitzero"`
}

// MedicationRequest: ordering of medication for patient or group.
type MedicationRequest struct {
	ID                        string                            `json:"id,omitzero"`
	Meta                      *Meta                             `json:"meta,omitzero"`
	Text                      *Narrative                        `json:"text,omitzero"`
	Contained                 []Resource                        `json:"contained,omitzero"`
	Extension                 []Extension                       `json:"extension,omitzero"`
	Identifier                []Identifier                      `json:"identifier,omitzero"`
	Status                    string                            `json:"status,omitzero"` // active | on-hold | cancelled | completed | entered-in-error | stopped | draft | unknown
	StatusReason              CodeableConcept                   `json:"statusReason,omitzero"`
	Intent                    string                            `json:"intent,omitzero"` // proposal | plan | order | original-order | reflex-order | filler-order | instance-order | option
	Category                  []CodeableConcept                 `json:"category,omitzero"`
	Priority                  string                            `json:"priority,omitzero"` // routine | urgent | asap | stat
	DoNotPerform              *bool                             `json:"doNotPerform,omitzero"`
	ReportedBoolean           *bool                             `json:"reportedBoolean,omitzero"`
	ReportedReference         *Reference                        `json:"reportedReference,omitzero"`
	MedicationCodeableConcept *CodeableConcept                  `json:"medicationCodeableConcept,omitzero"`
	MedicationReference       *Reference                        `json:"medicationReference,omitzero"`
	Subject                   Reference                         `json:"subject,omitzero"`
	Encounter                 Reference                         `json:"encounter,omitzero"`
	SupportingInformation     []Reference                       `json:"supportingInformation,omitzero"`
	AuthoredOn                DateTime                          `json:"authoredOn,omitzero"`
	Requester                 Reference                         `json:"requester,omitzero"`
	Performer                 Reference                         `json:"performer,omitzero"`
	PerformerType             CodeableConcept                   `json:"performerType,omitzero"`
	Recorder                  Reference                         `json:"recorder,omitzero"`
	ReasonCode                []CodeableConcept                 `json:"reasonCode,omitzero"`
	ReasonReference           []Reference                       `json:"reasonReference,omitzero"`
	InstantiatesCanonical     []string                          `json:"instantiatesCanonical,omitzero"`
	InstantiatesURI           []string                          `json:"instantiatesUri,omitzero"`
	BasedOn                   []Reference                       `json:"basedOn,omitzero"`
	GroupIdentifier           Identifier                        `json:"groupIdentifier,omitzero"`
	CourseOfTherapyType       CodeableConcept                   `json:"courseOfTherapyType,omitzero"`
	Insurance                 []Reference                       `json:"insurance,omitzero"`
	Note                      []Annotation                      `json:"note,omitzero"`
	DosageInstruction         []Dosage                          `json:"dosageInstruction,omitzero"`
	DispenseRequest           *MedicationRequestDispenseRequest `json:"dispenseRequest,omitzero"`
	Substitution              *MedicationRequestSubstitution    `json:"substitution,omitzero"`
	PriorPrescription         Reference                         `json:"priorPrescription,omitzero"`
	DetectedIssue             []Reference                       `json:"detectedIssue,omitzero"`
	EventHistory              []Reference                       `json:"eventHistory,omitzero"`
}

type MedicationRequestDispenseRequestInitialFill struct {
	Quantity *Quantity `json:"quantity,omitzero"`
	Duration *Quantity `json:"duration,omitzero"`
}

type MedicationRequestDispenseRequest struct {
	InitialFill            *MedicationRequestDispenseRequestInitialFill `json:"initialFill,omitzero"`
	DispenseInterval       *Quantity                                    `json:"dispenseInterval,omitzero"`
	ValidityPeriod         *Period                                      `json:"validityPeriod,omitzero"`
	NumberOfRepeatsAllowed *int                                         `json:"numberOfRepeatsAllowed,omitzero"`
	Quantity               *Quantity                                    `json:"quantity,omitzero"`
	ExpectedSupplyDuration *Quantity                                    `json:"expectedSupplyDuration,omitzero"`
	Performer              Reference                                    `json:"performer,omitzero"`
}

type MedicationRequestSubstitution struct {
	AllowedBoolean         *bool            `json:"allowedBoolean,omitzero"`
	AllowedCodeableConcept *CodeableConcept `json:"allowedCodeableConcept,omitzero"`
	Reason                 CodeableConcept  `json:"reason,omitzero"`
}

// MedicationStatement: record of medication being taken by a patient.
type MedicationStatement struct {
	ID                        string            `json:"id,omitzero"`
	Meta                      *Meta             `json:"meta,omitzero"`
	Text                      *Narrative        `json:"text,omitzero"`
	Contained                 []Resource        `json:"contained,omitzero"`
	Extension                 []Extension       `json:"extension,omitzero"`
	Identifier                []Identifier      `json:"identifier,omitzero"`
	BasedOn                   []Reference       `json:"basedOn,omitzero"`
	PartOf                    []Reference       `json:"partOf,omitzero"`
	Status                    string            `json:"status,omitzero"` // active | completed | entered-in-error | intended | stopped | on-hold | unknown | not-taken
	StatusReason              []CodeableConcept `json:"statusReason,omitzero"`
	Category                  CodeableConcept   `json:"category,omitzero"`
	MedicationCodeableConcept *CodeableConcept  `json:"medicationCodeableConcept,omitzero"`
	MedicationReference       *Reference        `json:"medicationReference,omitzero"`
	Subject                   Reference         `json:"subject,omitzero"`
	Context                   Reference         `json:"context,omitzero"`
	EffectiveDateTime         DateTime          `json:"effectiveDateTime,omitzero"`
	EffectivePeriod           *Period           `json:"effectivePeriod,omitzero"`
	DateAsserted              DateTime          `json:"dateAsserted,omitzero"`
	InformationSource         Reference         `json:"informationSource,omitzero"`
	DerivedFrom               []Reference       `json:"derivedFrom,omitzero"`
	ReasonCode                []CodeableConcept `json:"reasonCode,omitzero"`
	ReasonReference           []Reference       `json:"reasonReference,omitzero"`
	Note                      []Annotation      `json:"note,omitzero"`
	Dosage                    []Dosage          `json:"dosage,omitzero"`
}

// MedicationDispense: dispensing a medication to a named patient.
type MedicationDispense struct {
	ID                          string                          `json:"id,omitzero"`
	Meta                        *Meta                           `json:"meta,omitzero"`
	Text                        *Narrative                      `json:"text,omitzero"`
	Contained                   []Resource                      `json:"contained,omitzero"`
	Extension                   []Extension                     `json:"extension,omitzero"`
	Identifier                  []Identifier                    `json:"identifier,omitzero"`
	PartOf                      []Reference                     `json:"partOf,omitzero"`
	Status                      string                          `json:"status,omitzero"` // preparation | in-progress | cancelled | on-hold | completed | entered-in-error | stopped | declined | unknown
	StatusReasonCodeableConcept *CodeableConcept                `json:"statusReasonCodeableConcept,omitzero"`
	StatusReasonReference       *Reference                      `json:"statusReasonReference,omitzero"`
	Category                    CodeableConcept                 `json:"category,omitzero"`
	MedicationCodeableConcept   *CodeableConcept                `json:"medicationCodeableConcept,omitzero"`
	MedicationReference         *Reference                      `json:"medicationReference,omitzero"`
	Subject                     Reference                       `json:"subject,omitzero"`
	Context                     Reference                       `json:"context,omitzero"`
	SupportingInformation       []Reference                     `json:"supportingInformation,omitzero"`
	Performer                   []MedicationDispensePerformer   `json:"performer,omitzero"`
	Location                    Reference                       `json:"location,omitzero"`
	AuthorizingPrescription     []Reference                     `json:"authorizingPrescription,omitzero"`
	Type                        CodeableConcept                 `json:"type,omitzero"`
	Quantity                    *Quantity                       `json:"quantity,omitzero"`
	DaysSupply                  *Quantity                       `json:"daysSupply,omitzero"`
	WhenPrepared                DateTime                        `json:"whenPrepared,omitzero"`
	WhenHandedOver              DateTime                        `json:"whenHandedOver,omitzero"`
	Destination                 Reference                       `json:"destination,omitzero"`
	Receiver                    []Reference                     `json:"receiver,omitzero"`
	Note                        []Annotation                    `json:"note,omitzero"`
	DosageInstruction           []Dosage                        `json:"dosageInstruction,omitzero"`
	Substitution                *MedicationDispenseSubstitution `json:"substitution,omitzero"`
	DetectedIssue               []Reference                     `json:"detectedIssue,omitzero"`
	EventHistory                []Reference                     `json:"eventHistory,omitzero"`
}

type MedicationDispensePerformer struct {
	Function CodeableConcept `json:"function,omitzero"`
	Actor    Reference       `json:"actor,omitzero"`
}

type MedicationDispenseSubstitution struct {
	WasSubstituted   *bool             `json:"wasSubstituted,omitzero"`
	Type             CodeableConcept   `json:"type,omitzero"`
	Reason           []CodeableConcept `json:"reason,omitzero"`
	ResponsibleParty []Reference       `json:"responsibleParty,omitzero"`
}
