package fhir

// This file: people and places.

// Patient: information about an individual or animal receiving health care services.
type Patient struct {
	ID                   string                 `json:"id,omitzero"`
	Meta                 *Meta                  `json:"meta,omitzero"`
	Text                 *Narrative             `json:"text,omitzero"`
	Contained            []Resource             `json:"contained,omitzero"`
	Extension            []Extension            `json:"extension,omitzero"`
	Identifier           []Identifier           `json:"identifier,omitzero"`
	Active               *bool                  `json:"active,omitzero"`
	Name                 []HumanName            `json:"name,omitzero"`
	Telecom              []ContactPoint         `json:"telecom,omitzero"`
	Gender               string                 `json:"gender,omitzero"` // male | female | other | unknown
	BirthDate            DateTime               `json:"birthDate,omitzero"`
	DeceasedBoolean      *bool                  `json:"deceasedBoolean,omitzero"`
	DeceasedDateTime     DateTime               `json:"deceasedDateTime,omitzero"`
	Address              []Address              `json:"address,omitzero"`
	MaritalStatus        CodeableConcept        `json:"maritalStatus,omitzero"`
	MultipleBirthBoolean *bool                  `json:"multipleBirthBoolean,omitzero"`
	MultipleBirthInteger *int                   `json:"multipleBirthInteger,omitzero"`
	Photo                []Attachment           `json:"photo,omitzero"`
	Contact              []PatientContact       `json:"contact,omitzero"`
	Communication        []PatientCommunication `json:"communication,omitzero"`
	GeneralPractitioner  []Reference            `json:"generalPractitioner,omitzero"`
	ManagingOrganization Reference              `json:"managingOrganization,omitzero"`
	Link                 []PatientLink          `json:"link,omitzero"`
}

type PatientContact struct {
	Relationship []CodeableConcept `json:"relationship,omitzero"`
	Name         *HumanName        `json:"name,omitzero"`
	Telecom      []ContactPoint    `json:"telecom,omitzero"`
	Address      *Address          `json:"address,omitzero"`
	Gender       string            `json:"gender,omitzero"` // male | female | other | unknown
	Organization Reference         `json:"organization,omitzero"`
	Period       *Period           `json:"period,omitzero"`
}

type PatientCommunication struct {
	Language  CodeableConcept `json:"language,omitzero"`
	Preferred *bool           `json:"preferred,omitzero"`
}

type PatientLink struct {
	Other Reference `json:"other,omitzero"`
	Type  string    `json:"type,omitzero"` // replaced-by | replaces | refer | seealso
}

// RelatedPerson: a person that is related to a patient, but who is not a direct target of care.
type RelatedPerson struct {
	ID            string                       `json:"id,omitzero"`
	Meta          *Meta                        `json:"meta,omitzero"`
	Text          *Narrative                   `json:"text,omitzero"`
	Contained     []Resource                   `json:"contained,omitzero"`
	Extension     []Extension                  `json:"extension,omitzero"`
	Identifier    []Identifier                 `json:"identifier,omitzero"`
	Active        *bool                        `json:"active,omitzero"`
	Patient       Reference                    `json:"patient,omitzero"`
	Relationship  []CodeableConcept            `json:"relationship,omitzero"`
	Name          []HumanName                  `json:"name,omitzero"`
	Telecom       []ContactPoint               `json:"telecom,omitzero"`
	Gender        string                       `json:"gender,omitzero"` // male | female | other | unknown
	BirthDate     DateTime                     `json:"birthDate,omitzero"`
	Address       []Address                    `json:"address,omitzero"`
	Photo         []Attachment                 `json:"photo,omitzero"`
	Period        *Period                      `json:"period,omitzero"`
	Communication []RelatedPersonCommunication `json:"communication,omitzero"`
}

type RelatedPersonCommunication struct {
	Preferred *bool `json:"preferred,omitzero"`
}

// Practitioner: a person with a formal responsibility in the provisioning of healthcare or related services.
type Practitioner struct {
	ID            string                      `json:"id,omitzero"`
	Meta          *Meta                       `json:"meta,omitzero"`
	Text          *Narrative                  `json:"text,omitzero"`
	Contained     []Resource                  `json:"contained,omitzero"`
	Extension     []Extension                 `json:"extension,omitzero"`
	Identifier    []Identifier                `json:"identifier,omitzero"`
	Active        *bool                       `json:"active,omitzero"`
	Name          []HumanName                 `json:"name,omitzero"`
	Telecom       []ContactPoint              `json:"telecom,omitzero"`
	Address       []Address                   `json:"address,omitzero"`
	Gender        string                      `json:"gender,omitzero"` // male | female | other | unknown
	BirthDate     DateTime                    `json:"birthDate,omitzero"`
	Photo         []Attachment                `json:"photo,omitzero"`
	Qualification []PractitionerQualification `json:"qualification,omitzero"`
	Communication []CodeableConcept           `json:"communication,omitzero"`
}

type PractitionerQualification struct {
	Identifier []Identifier    `json:"identifier,omitzero"`
	Code       CodeableConcept `json:"code,omitzero"`
	Period     *Period         `json:"period,omitzero"`
	Issuer     Reference       `json:"issuer,omitzero"`
}

// PractitionerRole: roles/organizations the practitioner is associated with.
type PractitionerRole struct {
	ID                     string                          `json:"id,omitzero"`
	Meta                   *Meta                           `json:"meta,omitzero"`
	Text                   *Narrative                      `json:"text,omitzero"`
	Contained              []Resource                      `json:"contained,omitzero"`
	Extension              []Extension                     `json:"extension,omitzero"`
	Identifier             []Identifier                    `json:"identifier,omitzero"`
	Active                 *bool                           `json:"active,omitzero"`
	Period                 *Period                         `json:"period,omitzero"`
	Practitioner           Reference                       `json:"practitioner,omitzero"`
	Organization           Reference                       `json:"organization,omitzero"`
	Code                   []CodeableConcept               `json:"code,omitzero"`
	Specialty              []CodeableConcept               `json:"specialty,omitzero"`
	Location               []Reference                     `json:"location,omitzero"`
	HealthcareService      []Reference                     `json:"healthcareService,omitzero"`
	Telecom                []ContactPoint                  `json:"telecom,omitzero"`
	AvailableTime          []PractitionerRoleAvailableTime `json:"availableTime,omitzero"`
	NotAvailable           []PractitionerRoleNotAvailable  `json:"notAvailable,omitzero"`
	AvailabilityExceptions string                          `json:"availabilityExceptions,omitzero"`
	Endpoint               []Reference                     `json:"endpoint,omitzero"`
}

type PractitionerRoleAvailableTime struct {
	DaysOfWeek         []string `json:"daysOfWeek,omitzero"` // mon | tue | wed | thu | fri | sat | sun
	AllDay             *bool    `json:"allDay,omitzero"`
	AvailableStartTime string   `json:"availableStartTime,omitzero"`
	AvailableEndTime   string   `json:"availableEndTime,omitzero"`
}

type PractitionerRoleNotAvailable struct {
	Description string  `json:"description,omitzero"`
	During      *Period `json:"during,omitzero"`
}

// Organization: a grouping of people or organizations with a common purpose.
type Organization struct {
	ID         string                `json:"id,omitzero"`
	Meta       *Meta                 `json:"meta,omitzero"`
	Text       *Narrative            `json:"text,omitzero"`
	Contained  []Resource            `json:"contained,omitzero"`
	Extension  []Extension           `json:"extension,omitzero"`
	Identifier []Identifier          `json:"identifier,omitzero"`
	Active     *bool                 `json:"active,omitzero"`
	Type       []CodeableConcept     `json:"type,omitzero"`
	Name       string                `json:"name,omitzero"`
	Alias      []string              `json:"alias,omitzero"`
	Telecom    []ContactPoint        `json:"telecom,omitzero"`
	Address    []Address             `json:"address,omitzero"`
	PartOf     Reference             `json:"partOf,omitzero"`
	Contact    []OrganizationContact `json:"contact,omitzero"`
	Endpoint   []Reference           `json:"endpoint,omitzero"`
}

type OrganizationContact struct {
	Purpose CodeableConcept `json:"purpose,omitzero"`
	Name    *HumanName      `json:"name,omitzero"`
	Telecom []ContactPoint  `json:"telecom,omitzero"`
	Address *Address        `json:"address,omitzero"`
}

// Location: details and position information for a physical place.
type Location struct {
	ID                     string                     `json:"id,omitzero"`
	Meta                   *Meta                      `json:"meta,omitzero"`
	Text                   *Narrative                 `json:"text,omitzero"`
	Contained              []Resource                 `json:"contained,omitzero"`
	Extension              []Extension                `json:"extension,omitzero"`
	Identifier             []Identifier               `json:"identifier,omitzero"`
	Status                 string                     `json:"status,omitzero"` // active | suspended | inactive
	OperationalStatus      Coding                     `json:"operationalStatus,omitzero"`
	Name                   string                     `json:"name,omitzero"`
	Alias                  []string                   `json:"alias,omitzero"`
	Description            string                     `json:"description,omitzero"`
	Mode                   string                     `json:"mode,omitzero"` // instance | kind
	Type                   []CodeableConcept          `json:"type,omitzero"`
	Telecom                []ContactPoint             `json:"telecom,omitzero"`
	Address                *Address                   `json:"address,omitzero"`
	PhysicalType           CodeableConcept            `json:"physicalType,omitzero"`
	Position               *LocationPosition          `json:"position,omitzero"`
	ManagingOrganization   Reference                  `json:"managingOrganization,omitzero"`
	PartOf                 Reference                  `json:"partOf,omitzero"`
	HoursOfOperation       []LocationHoursOfOperation `json:"hoursOfOperation,omitzero"`
	AvailabilityExceptions string                     `json:"availabilityExceptions,omitzero"`
	Endpoint               []Reference                `json:"endpoint,omitzero"`
}

type LocationPosition struct {
	Longitude Decimal `json:"longitude,omitzero"`
	Latitude  Decimal `json:"latitude,omitzero"`
	Altitude  Decimal `json:"altitude,omitzero"`
}

type LocationHoursOfOperation struct {
	DaysOfWeek  []string `json:"daysOfWeek,omitzero"` // mon | tue | wed | thu | fri | sat | sun
	AllDay      *bool    `json:"allDay,omitzero"`
	OpeningTime string   `json:"openingTime,omitzero"`
	ClosingTime string   `json:"closingTime,omitzero"`
}

// CareTeam: planned participants in the coordination and delivery of care for a patient or group.
type CareTeam struct {
	ID                   string                `json:"id,omitzero"`
	Meta                 *Meta                 `json:"meta,omitzero"`
	Text                 *Narrative            `json:"text,omitzero"`
	Contained            []Resource            `json:"contained,omitzero"`
	Extension            []Extension           `json:"extension,omitzero"`
	Identifier           []Identifier          `json:"identifier,omitzero"`
	Status               string                `json:"status,omitzero"` // proposed | active | suspended | inactive | entered-in-error
	Category             []CodeableConcept     `json:"category,omitzero"`
	Name                 string                `json:"name,omitzero"`
	Subject              Reference             `json:"subject,omitzero"`
	Encounter            Reference             `json:"encounter,omitzero"`
	Period               *Period               `json:"period,omitzero"`
	Participant          []CareTeamParticipant `json:"participant,omitzero"`
	ReasonCode           []CodeableConcept     `json:"reasonCode,omitzero"`
	ReasonReference      []Reference           `json:"reasonReference,omitzero"`
	ManagingOrganization []Reference           `json:"managingOrganization,omitzero"`
	Telecom              []ContactPoint        `json:"telecom,omitzero"`
	Note                 []Annotation          `json:"note,omitzero"`
}

type CareTeamParticipant struct {
	Role       []CodeableConcept `json:"role,omitzero"`
	Member     Reference         `json:"member,omitzero"`
	OnBehalfOf Reference         `json:"onBehalfOf,omitzero"`
	Period     *Period           `json:"period,omitzero"`
}
