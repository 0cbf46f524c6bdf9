package fhir

// This file: what is planned and asked for.

// CarePlan: healthcare plan for patient or group.
type CarePlan struct {
	ID                    string             `json:"id,omitzero"`
	Meta                  *Meta              `json:"meta,omitzero"`
	Text                  *Narrative         `json:"text,omitzero"`
	Contained             []Resource         `json:"contained,omitzero"`
	Extension             []Extension        `json:"extension,omitzero"`
	Identifier            []Identifier       `json:"identifier,omitzero"`
	InstantiatesCanonical []string           `json:"instantiatesCanonical,omitzero"`
	InstantiatesURI       []string           `json:"instantiatesUri,omitzero"`
	BasedOn               []Reference        `json:"basedOn,omitzero"`
	Replaces              []Reference        `json:"replaces,omitzero"`
	PartOf                []Reference        `json:"partOf,omitzero"`
	Status                string             `json:"status,omitzero"` // draft | active | on-hold | revoked | completed | entered-in-error | unknown
	Intent                string             `json:"intent,omitzero"` // proposal | plan | order | option
	Category              []CodeableConcept  `json:"category,omitzero"`
	Title                 string             `json:"title,omitzero"`
	Description           string             `json:"description,omitzero"`
	Subject               Reference          `json:"subject,omitzero"`
	Encounter             Reference          `json:"encounter,omitzero"`
	Period                *Period            `json:"period,omitzero"`
	Created               DateTime           `json:"created,omitzero"`
	Author                Reference          `json:"author,omitzero"`
	Contributor           []Reference        `json:"contributor,omitzero"`
	CareTeam              []Reference        `json:"careTeam,omitzero"`
	Addresses             []Reference        `json:"addresses,omitzero"`
	SupportingInfo        []Reference        `json:"supportingInfo,omitzero"`
	Goal                  []Reference        `json:"goal,omitzero"`
	Activity              []CarePlanActivity `json:"activity,omitzero"`
	Note                  []Annotation       `json:"note,omitzero"`
}

type CarePlanActivityDetail struct {
	Kind                   string            `json:"kind,omitzero"` // Appointment | CommunicationRequest | DeviceRequest | MedicationRequest | NutritionOrder | Task | …
	InstantiatesCanonical  []string          `json:"instantiatesCanonical,omitzero"`
	InstantiatesURI        []string          `json:"instantiatesUri,omitzero"`
	Code                   CodeableConcept   `json:"code,omitzero"`
	ReasonCode             []CodeableConcept `json:"reasonCode,omitzero"`
	ReasonReference        []Reference       `json:"reasonReference,omitzero"`
	Goal                   []Reference       `json:"goal,omitzero"`
	Status                 string            `json:"status,omitzero"` // not-started | scheduled | in-progress | on-hold | completed | cancelled | stopped | unknown | entered-in-error
	StatusReason           CodeableConcept   `json:"statusReason,omitzero"`
	DoNotPerform           *bool             `json:"doNotPerform,omitzero"`
	ScheduledTiming        *Timing           `json:"scheduledTiming,omitzero"`
	ScheduledPeriod        *Period           `json:"scheduledPeriod,omitzero"`
	ScheduledString        string            `json:"scheduledString,omitzero"`
	Location               Reference         `json:"location,omitzero"`
	Performer              []Reference       `json:"performer,omitzero"`
	ProductCodeableConcept *CodeableConcept  `json:"productCodeableConcept,omitzero"`
	ProductReference       *Reference        `json:"productReference,omitzero"`
	DailyAmount            *Quantity         `json:"dailyAmount,omitzero"`
	Quantity               *Quantity         `json:"quantity,omitzero"`
	Description            string            `json:"description,omitzero"`
}

type CarePlanActivity struct {
	OutcomeCodeableConcept []CodeableConcept       `json:"outcomeCodeableConcept,omitzero"`
	OutcomeReference       []Reference             `json:"outcomeReference,omitzero"`
	Progress               []Annotation            `json:"progress,omitzero"`
	Reference              Reference               `json:"reference,omitzero"`
	Detail                 *CarePlanActivityDetail `json:"detail,omitzero"`
}

// Goal: describes the intended objective(s) for a patient, group or organization.
type Goal struct {
	ID                   string            `json:"id,omitzero"`
	Meta                 *Meta             `json:"meta,omitzero"`
	Text                 *Narrative        `json:"text,omitzero"`
	Contained            []Resource        `json:"contained,omitzero"`
	Extension            []Extension       `json:"extension,omitzero"`
	Identifier           []Identifier      `json:"identifier,omitzero"`
	LifecycleStatus      string            `json:"lifecycleStatus,omitzero"` // proposed | planned | accepted | active | on-hold | completed | cancelled | entered-in-error | rejected
	AchievementStatus    CodeableConcept   `json:"achievementStatus,omitzero"`
	Category             []CodeableConcept `json:"category,omitzero"`
	Priority             CodeableConcept   `json:"priority,omitzero"`
	Description          CodeableConcept   `json:"description,omitzero"`
	Subject              Reference         `json:"subject,omitzero"`
	StartDate            DateTime          `json:"startDate,omitzero"`
	StartCodeableConcept *CodeableConcept  `json:"startCodeableConcept,omitzero"`
	Target               []GoalTarget      `json:"target,omitzero"`
	StatusDate           DateTime          `json:"statusDate,omitzero"`
	StatusReason         string            `json:"statusReason,omitzero"`
	ExpressedBy          Reference         `json:"expressedBy,omitzero"`
	Addresses            []Reference       `json:"addresses,omitzero"`
	Note                 []Annotation      `json:"note,omitzero"`
	OutcomeCode          []CodeableConcept `json:"outcomeCode,omitzero"`
	OutcomeReference     []Reference       `json:"outcomeReference,omitzero"`
}

type GoalTarget struct {
	Measure               CodeableConcept  `json:"measure,omitzero"`
	DetailQuantity        *Quantity        `json:"detailQuantity,omitzero"`
	DetailRange           *Range           `json:"detailRange,omitzero"`
	DetailCodeableConcept *CodeableConcept `json:"detailCodeableConcept,omitzero"`
	DetailString          string           `json:"detailString,omitzero"`
	DetailBoolean         *bool            `json:"detailBoolean,omitzero"`
	DetailInteger         *int             `json:"detailInteger,omitzero"`
	DetailRatio           *Ratio           `json:"detailRatio,omitzero"`
	DueDate               DateTime         `json:"dueDate,omitzero"`
	DueDuration           *Quantity        `json:"dueDuration,omitzero"`
}

// ServiceRequest: a request for a service to be performed.
type ServiceRequest struct {
	ID                      string            `json:"id,omitzero"`
	Meta                    *Meta             `json:"meta,omitzero"`
	Text                    *Narrative        `json:"text,omitzero"`
	Contained               []Resource        `json:"contained,omitzero"`
	Extension               []Extension       `json:"extension,omitzero"`
	Identifier              []Identifier      `json:"identifier,omitzero"`
	InstantiatesCanonical   []string          `json:"instantiatesCanonical,omitzero"`
	InstantiatesURI         []string          `json:"instantiatesUri,omitzero"`
	BasedOn                 []Reference       `json:"basedOn,omitzero"`
	Replaces                []Reference       `json:"replaces,omitzero"`
	Requisition             Identifier        `json:"requisition,omitzero"`
	Status                  string            `json:"status,omitzero"` // draft | active | on-hold | revoked | completed | entered-in-error | unknown
	Intent                  string            `json:"intent,omitzero"` // proposal | plan | directive | order | original-order | reflex-order | filler-order | instance-order | option
	Category                []CodeableConcept `json:"category,omitzero"`
	Priority                string            `json:"priority,omitzero"` // routine | urgent | asap | stat
	DoNotPerform            *bool             `json:"doNotPerform,omitzero"`
	Code                    CodeableConcept   `json:"code,omitzero"`
	OrderDetail             []CodeableConcept `json:"orderDetail,omitzero"`
	QuantityQuantity        *Quantity         `json:"quantityQuantity,omitzero"`
	QuantityRatio           *Ratio            `json:"quantityRatio,omitzero"`
	QuantityRange           *Range            `json:"quantityRange,omitzero"`
	Subject                 Reference         `json:"subject,omitzero"`
	Encounter               Reference         `json:"encounter,omitzero"`
	OccurrenceDateTime      DateTime          `json:"occurrenceDateTime,omitzero"`
	OccurrencePeriod        *Period           `json:"occurrencePeriod,omitzero"`
	OccurrenceTiming        *Timing           `json:"occurrenceTiming,omitzero"`
	AsNeededBoolean         *bool             `json:"asNeededBoolean,omitzero"`
	AsNeededCodeableConcept *CodeableConcept  `json:"asNeededCodeableConcept,omitzero"`
	AuthoredOn              DateTime          `json:"authoredOn,omitzero"`
	Requester               Reference         `json:"requester,omitzero"`
	PerformerType           CodeableConcept   `json:"performerType,omitzero"`
	Performer               []Reference       `json:"performer,omitzero"`
	LocationCode            []CodeableConcept `json:"locationCode,omitzero"`
	LocationReference       []Reference       `json:"locationReference,omitzero"`
	ReasonCode              []CodeableConcept `json:"reasonCode,omitzero"`
	ReasonReference         []Reference       `json:"reasonReference,omitzero"`
	Insurance               []Reference       `json:"insurance,omitzero"`
	SupportingInfo          []Reference       `json:"supportingInfo,omitzero"`
	Specimen                []Reference       `json:"specimen,omitzero"`
	BodySite                []CodeableConcept `json:"bodySite,omitzero"`
	Note                    []Annotation      `json:"note,omitzero"`
	PatientInstruction      string            `json:"patientInstruction,omitzero"`
	RelevantHistory         []Reference       `json:"relevantHistory,omitzero"`
}

// Task: a task to be performed.
type Task struct {
	ID                    string            `json:"id,omitzero"`
	Meta                  *Meta             `json:"meta,omitzero"`
	Text                  *Narrative        `json:"text,omitzero"`
	Contained             []Resource        `json:"contained,omitzero"`
	Extension             []Extension       `json:"extension,omitzero"`
	Identifier            []Identifier      `json:"identifier,omitzero"`
	InstantiatesCanonical string            `json:"instantiatesCanonical,omitzero"`
	InstantiatesURI       string            `json:"instantiatesUri,omitzero"`
	BasedOn               []Reference       `json:"basedOn,omitzero"`
	GroupIdentifier       Identifier        `json:"groupIdentifier,omitzero"`
	PartOf                []Reference       `json:"partOf,omitzero"`
	Status                string            `json:"status,omitzero"` // draft | requested | received | accepted | +
	StatusReason          CodeableConcept   `json:"statusReason,omitzero"`
	BusinessStatus        CodeableConcept   `json:"businessStatus,omitzero"`
	Intent                string            `json:"intent,omitzero"`   // unknown | proposal | plan | order | original-order | reflex-order | filler-order | instance-order | option
	Priority              string            `json:"priority,omitzero"` // routine | urgent | asap | stat
	Code                  CodeableConcept   `json:"code,omitzero"`
	Description           string            `json:"description,omitzero"`
	Focus                 Reference         `json:"focus,omitzero"`
	For                   Reference         `json:"for,omitzero"`
	Encounter             Reference         `json:"encounter,omitzero"`
	ExecutionPeriod       *Period           `json:"executionPeriod,omitzero"`
	AuthoredOn            DateTime          `json:"authoredOn,omitzero"`
	LastModified          DateTime          `json:"lastModified,omitzero"`
	Requester             Reference         `json:"requester,omitzero"`
	PerformerType         []CodeableConcept `json:"performerType,omitzero"`
	Owner                 Reference         `json:"owner,omitzero"`
	Location              Reference         `json:"location,omitzero"`
	ReasonCode            CodeableConcept   `json:"reasonCode,omitzero"`
	ReasonReference       Reference         `json:"reasonReference,omitzero"`
	Insurance             []Reference       `json:"insurance,omitzero"`
	Note                  []Annotation      `json:"note,omitzero"`
	RelevantHistory       []Reference       `json:"relevantHistory,omitzero"`
	Restriction           *TaskRestriction  `json:"restriction,omitzero"`
	Input                 []TaskInput       `json:"input,omitzero"`
	Output                []TaskOutput      `json:"output,omitzero"`
}

type TaskRestriction struct {
	Repetitions *int        `json:"repetitions,omitzero"`
	Period      *Period     `json:"period,omitzero"`
	Recipient   []Reference `json:"recipient,omitzero"`
}

type TaskInput struct {
	Type                 CodeableConcept  `json:"type,omitzero"`
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
	ValueOid             string           `json:"valueOid,omitzero"`
	ValuePositiveInt     *int             `json:"valuePositiveInt,omitzero"`
	ValueString          string           `json:"valueString,omitzero"`
	ValueTime            string           `json:"valueTime,omitzero"`
	ValueUnsignedInt     *int             `json:"valueUnsignedInt,omitzero"`
	ValueURI             string           `json:"valueUri,omitzero"`
	ValueURL             string           `json:"valueUrl,omitzero"`
	ValueUuid            string           `json:"valueUuid,omitzero"`
	ValueAddress         *Address         `json:"valueAddress,omitzero"`
	ValueAge             *Quantity        `json:"valueAge,omitzero"`
	ValueAnnotation      *Annotation      `json:"valueAnnotation,omitzero"`
	ValueAttachment      *Attachment      `json:"valueAttachment,omitzero"`
	ValueCodeableConcept *CodeableConcept `json:"valueCodeableConcept,omitzero"`
	ValueCoding          *Coding          `json:"valueCoding,omitzero"`
	ValueContactPoint    *ContactPoint    `json:"valueContactPoint,omitzero"`
	ValueCount           *Quantity        `json:"valueCount,omitzero"`
	ValueDistance        *Quantity        `json:"valueDistance,omitzero"`
	ValueDuration        *Quantity        `json:"valueDuration,omitzero"`
	ValueHumanName       *HumanName       `json:"valueHumanName,omitzero"`
	ValueIdentifier      *Identifier      `json:"valueIdentifier,omitzero"`
	ValueMoney           *Money           `json:"valueMoney,omitzero"`
	ValuePeriod          *Period          `json:"valuePeriod,omitzero"`
	ValueQuantity        *Quantity        `json:"valueQuantity,omitzero"`
	ValueRange           *Range           `json:"valueRange,omitzero"`
	ValueRatio           *Ratio           `json:"valueRatio,omitzero"`
	ValueReference       *Reference       `json:"valueReference,omitzero"`
	ValueSignature       *Signature       `json:"valueSignature,omitzero"`
	ValueTiming          *Timing          `json:"valueTiming,omitzero"`
	ValueDosage          *Dosage          `json:"valueDosage,omitzero"`
	ValueMeta            *Meta            `json:"valueMeta,omitzero"`
}

type TaskOutput struct {
	Type                 CodeableConcept  `json:"type,omitzero"`
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
	ValueOid             string           `json:"valueOid,omitzero"`
	ValuePositiveInt     *int             `json:"valuePositiveInt,omitzero"`
	ValueString          string           `json:"valueString,omitzero"`
	ValueTime            string           `json:"valueTime,omitzero"`
	ValueUnsignedInt     *int             `json:"valueUnsignedInt,omitzero"`
	ValueURI             string           `json:"valueUri,omitzero"`
	ValueURL             string           `json:"valueUrl,omitzero"`
	ValueUuid            string           `json:"valueUuid,omitzero"`
	ValueAddress         *Address         `json:"valueAddress,omitzero"`
	ValueAge             *Quantity        `json:"valueAge,omitzero"`
	ValueAnnotation      *Annotation      `json:"valueAnnotation,omitzero"`
	ValueAttachment      *Attachment      `json:"valueAttachment,omitzero"`
	ValueCodeableConcept *CodeableConcept `json:"valueCodeableConcept,omitzero"`
	ValueCoding          *Coding          `json:"valueCoding,omitzero"`
	ValueContactPoint    *ContactPoint    `json:"valueContactPoint,omitzero"`
	ValueCount           *Quantity        `json:"valueCount,omitzero"`
	ValueDistance        *Quantity        `json:"valueDistance,omitzero"`
	ValueDuration        *Quantity        `json:"valueDuration,omitzero"`
	ValueHumanName       *HumanName       `json:"valueHumanName,omitzero"`
	ValueIdentifier      *Identifier      `json:"valueIdentifier,omitzero"`
	ValueMoney           *Money           `json:"valueMoney,omitzero"`
	ValuePeriod          *Period          `json:"valuePeriod,omitzero"`
	ValueQuantity        *Quantity        `json:"valueQuantity,omitzero"`
	ValueRange           *Range           `json:"valueRange,omitzero"`
	ValueRatio           *Ratio           `json:"valueRatio,omitzero"`
	ValueReference       *Reference       `json:"valueReference,omitzero"`
	ValueSignature       *Signature       `json:"valueSignature,omitzero"`
	ValueTiming          *Timing          `json:"valueTiming,omitzero"`
	ValueDosage          *Dosage          `json:"valueDosage,omitzero"`
	ValueMeta            *Meta            `json:"valueMeta,omitzero"`
}

// Appointment: a booking of a healthcare event among patient(s), practitioner(s), related person(s) and/or device(s) for a specific date/time. this may result in one or more encounter(s).
type Appointment struct {
	ID                    string                   `json:"id,omitzero"`
	Meta                  *Meta                    `json:"meta,omitzero"`
	Text                  *Narrative               `json:"text,omitzero"`
	Contained             []Resource               `json:"contained,omitzero"`
	Extension             []Extension              `json:"extension,omitzero"`
	Identifier            []Identifier             `json:"identifier,omitzero"`
	Status                string                   `json:"status,omitzero"` // proposed | pending | booked | arrived | fulfilled | cancelled | noshow | entered-in-error | checked-in | …
	CancelationReason     CodeableConcept          `json:"cancelationReason,omitzero"`
	ServiceCategory       []CodeableConcept        `json:"serviceCategory,omitzero"`
	ServiceType           []CodeableConcept        `json:"serviceType,omitzero"`
	Specialty             []CodeableConcept        `json:"specialty,omitzero"`
	AppointmentType       CodeableConcept          `json:"appointmentType,omitzero"`
	ReasonCode            []CodeableConcept        `json:"reasonCode,omitzero"`
	ReasonReference       []Reference              `json:"reasonReference,omitzero"`
	Priority              *int                     `json:"priority,omitzero"`
	Description           string                   `json:"description,omitzero"`
	SupportingInformation []Reference              `json:"supportingInformation,omitzero"`
	Start                 DateTime                 `json:"start,omitzero"`
	End                   DateTime                 `json:"end,omitzero"`
	MinutesDuration       *int                     `json:"minutesDuration,omitzero"`
	Slot                  []Reference              `json:"slot,omitzero"`
	Created               DateTime                 `json:"created,omitzero"`
	Comment               string                   `json:"comment,omitzero"`
	PatientInstruction    string                   `json:"patientInstruction,omitzero"`
	BasedOn               []Reference              `json:"basedOn,omitzero"`
	Participant           []AppointmentParticipant `json:"participant,omitzero"`
	RequestedPeriod       []Period                 `json:"requestedPeriod,omitzero"`
}

type AppointmentParticipant struct {
	Type     []CodeableConcept `json:"type,omitzero"`
	Actor    Reference         `json:"actor,omitzero"`
	Required string            `json:"required,omitzero"` // required | optional | information-only
	Status   string            `json:"status,omitzero"`   // accepted | declined | tentative | needs-action
	Period   *Period           `json:"period,omitzero"`
}

// Schedule: a container for slots of time that may be available for booking appointments.
type Schedule struct {
	ID              string            `json:"id,omitzero"`
	Meta            *Meta             `json:"meta,omitzero"`
	Text            *Narrative        `json:"text,omitzero"`
	Contained       []Resource        `json:"contained,omitzero"`
	Extension       []Extension       `json:"extension,omitzero"`
	Identifier      []Identifier      `json:"identifier,omitzero"`
	Active          *bool             `json:"active,omitzero"`
	ServiceCategory []CodeableConcept `json:"serviceCategory,omitzero"`
	ServiceType     []CodeableConcept `json:"serviceType,omitzero"`
	Specialty       []CodeableConcept `json:"specialty,omitzero"`
	Actor           []Reference       `json:"actor,omitzero"`
	PlanningHorizon *Period           `json:"planningHorizon,omitzero"`
	Comment         string            `json:"comment,omitzero"`
}

// Slot: a slot of time on a schedule that may be available for booking appointments.
type Slot struct {
	ID              string            `json:"id,omitzero"`
	Meta            *Meta             `json:"meta,omitzero"`
	Text            *Narrative        `json:"text,omitzero"`
	Contained       []Resource        `json:"contained,omitzero"`
	Extension       []Extension       `json:"extension,omitzero"`
	Identifier      []Identifier      `json:"identifier,omitzero"`
	ServiceCategory []CodeableConcept `json:"serviceCategory,omitzero"`
	ServiceType     []CodeableConcept `json:"serviceType,omitzero"`
	Specialty       []CodeableConcept `json:"specialty,omitzero"`
	AppointmentType CodeableConcept   `json:"appointmentType,omitzero"`
	Schedule        Reference         `json:"schedule,omitzero"`
	Status          string            `json:"status,omitzero"` // busy | free | busy-unavailable | busy-tentative | entered-in-error
	Start           DateTime          `json:"start,omitzero"`
	End             DateTime          `json:"end,omitzero"`
	Overbooked      *bool             `json:"overbooked,omitzero"`
	Comment         string            `json:"comment,omitzero"`
}
