package fhir

// This file: documents, messages and forms.

// DocumentReference: a reference to a document.
type DocumentReference struct {
	ID               string                       `json:"id,omitzero"`
	Meta             *Meta                        `json:"meta,omitzero"`
	Text             *Narrative                   `json:"text,omitzero"`
	Contained        []Resource                   `json:"contained,omitzero"`
	Extension        []Extension                  `json:"extension,omitzero"`
	MasterIdentifier Identifier                   `json:"masterIdentifier,omitzero"`
	Identifier       []Identifier                 `json:"identifier,omitzero"`
	Status           string                       `json:"status,omitzero"`    // current | superseded | entered-in-error
	DocStatus        string                       `json:"docStatus,omitzero"` // preliminary | final | amended | entered-in-error
	Type             CodeableConcept              `json:"type,omitzero"`
	Category         []CodeableConcept            `json:"category,omitzero"`
	Subject          Reference                    `json:"subject,omitzero"`
	Date             DateTime                     `json:"date,omitzero"`
	Author           []Reference                  `json:"author,omitzero"`
	Authenticator    Reference                    `json:"authenticator,omitzero"`
	Custodian        Reference                    `json:"custodian,omitzero"`
	RelatesTo        []DocumentReferenceRelatesTo `json:"relatesTo,omitzero"`
	Description      string                       `json:"description,omitzero"`
	SecurityLabel    []CodeableConcept            `json:"securityLabel,omitzero"`
	Content          []DocumentReferenceContent   `json:"content,omitzero"`
	Context          *DocumentReferenceContext    `json:"context,omitzero"`
}

type DocumentReferenceRelatesTo struct {
	Code   string    `json:"code,omitzero"` // replaces | transforms | signs | appends
	Target Reference `json:"target,omitzero"`
}

type DocumentReferenceContent struct {
	Attachment *Attachment `json:"attachment,omitzero"`
	Format     Coding      `json:"format,omitzero"`
}

type DocumentReferenceContext struct {
	Encounter         []Reference       `json:"encounter,omitzero"`
	Event             []CodeableConcept `json:"event,omitzero"`
	Period            *Period           `json:"period,omitzero"`
	FacilityType      CodeableConcept   `json:"facilityType,omitzero"`
	PracticeSetting   CodeableConcept   `json:"practiceSetting,omitzero"`
	SourcePatientInfo Reference         `json:"sourcePatientInfo,omitzero"`
	Related           []Reference       `json:"related,omitzero"`
}

// Binary: pure binary content defined by a format other than fhir.
type Binary struct {
	ID              string    `json:"id,omitzero"`
	Meta            *Meta     `json:"meta,omitzero"`
	ContentType     string    `json:"contentType,omitzero"`
	SecurityContext Reference `json:"securityContext,omitzero"`
	Data            string    `json:"data,omitzero"`
}

// Composition: a set of resources composed into a single coherent clinical statement with clinical attestation.
type Composition struct {
	ID              string                 `json:"id,omitzero"`
	Meta            *Meta                  `json:"meta,omitzero"`
	Text            *Narrative             `json:"text,omitzero"`
	Contained       []Resource             `json:"contained,omitzero"`
	Extension       []Extension            `json:"extension,omitzero"`
	Identifier      Identifier             `json:"identifier,omitzero"`
	Status          string                 `json:"status,omitzero"` // preliminary | final | amended | entered-in-error
	Type            CodeableConcept        `json:"type,omitzero"`
	Category        []CodeableConcept      `json:"category,omitzero"`
	Subject         Reference              `json:"subject,omitzero"`
	Encounter       Reference              `json:"encounter,omitzero"`
	Date            DateTime               `json:"date,omitzero"`
	Author          []Reference            `json:"author,omitzero"`
	Title           string                 `json:"title,omitzero"`
	Confidentiality string                 `json:"confidentiality,omitzero"`
	Attester        []CompositionAttester  `json:"attester,omitzero"`
	Custodian       Reference              `json:"custodian,omitzero"`
	RelatesTo       []CompositionRelatesTo `json:"relatesTo,omitzero"`
	Event           []CompositionEvent     `json:"event,omitzero"`
	Section         []CompositionSection   `json:"section,omitzero"`
}

type CompositionAttester struct {
	Mode  string    `json:"mode,omitzero"` // personal | professional | legal | official
	Time  DateTime  `json:"time,omitzero"`
	Party Reference `json:"party,omitzero"`
}

type CompositionRelatesTo struct {
	Code             string      `json:"code,omitzero"` // replaces | transforms | signs | appends
	TargetIdentifier *Identifier `json:"targetIdentifier,omitzero"`
	TargetReference  *Reference  `json:"targetReference,omitzero"`
}

type CompositionEvent struct {
	Code   []CodeableConcept `json:"code,omitzero"`
	Period *Period           `json:"period,omitzero"`
	Detail []Reference       `json:"detail,omitzero"`
}

type CompositionSection struct {
	Title       string               `json:"title,omitzero"`
	Code        CodeableConcept      `json:"code,omitzero"`
	Author      []Reference          `json:"author,omitzero"`
	Focus       Reference            `json:"focus,omitzero"`
	Text        *Narrative           `json:"text,omitzero"`
	Mode        string               `json:"mode,omitzero"` // working | snapshot | changes
	OrderedBy   CodeableConcept      `json:"orderedBy,omitzero"`
	Entry       []Reference          `json:"entry,omitzero"`
	EmptyReason CodeableConcept      `json:"emptyReason,omitzero"`
	Section     []CompositionSection `json:"section,omitzero"`
}

// Communication: a record of information transmitted from a sender to a receiver.
type Communication struct {
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
	InResponseTo          []Reference            `json:"inResponseTo,omitzero"`
	Status                string                 `json:"status,omitzero"` // preparation | in-progress | not-done | on-hold | stopped | completed | entered-in-error | unknown
	StatusReason          CodeableConcept        `json:"statusReason,omitzero"`
	Category              []CodeableConcept      `json:"category,omitzero"`
	Priority              string                 `json:"priority,omitzero"` // routine | urgent | asap | stat
	Medium                []CodeableConcept      `json:"medium,omitzero"`
	Subject               Reference              `json:"subject,omitzero"`
	Topic                 CodeableConcept        `json:"topic,omitzero"`
	About                 []Reference            `json:"about,omitzero"`
	Encounter             Reference              `json:"encounter,omitzero"`
	Sent                  DateTime               `json:"sent,omitzero"`
	Received              DateTime               `json:"received,omitzero"`
	Recipient             []Reference            `json:"recipient,omitzero"`
	Sender                Reference              `json:"sender,omitzero"`
	ReasonCode            []CodeableConcept      `json:"reasonCode,omitzero"`
	ReasonReference       []Reference            `json:"reasonReference,omitzero"`
	Payload               []CommunicationPayload `json:"payload,omitzero"`
	Note                  []Annotation           `json:"note,omitzero"`
}

type CommunicationPayload struct {
	ContentString     string      `json:"contentString,omitzero"`
	ContentAttachment *Attachment `json:"contentAttachment,omitzero"`
	ContentReference  *Reference  `json:"contentReference,omitzero"`
}

// Questionnaire: a structured set of questions.
type Questionnaire struct {
	ID              string              `json:"id,omitzero"`
	Meta            *Meta               `json:"meta,omitzero"`
	Text            *Narrative          `json:"text,omitzero"`
	Contained       []Resource          `json:"contained,omitzero"`
	Extension       []Extension         `json:"extension,omitzero"`
	URL             string              `json:"url,omitzero"`
	Identifier      []Identifier        `json:"identifier,omitzero"`
	Version         string              `json:"version,omitzero"`
	Name            string              `json:"name,omitzero"`
	Title           string              `json:"title,omitzero"`
	DerivedFrom     []string            `json:"derivedFrom,omitzero"`
	Status          string              `json:"status,omitzero"` // draft | active | retired | unknown
	Experimental    *bool               `json:"experimental,omitzero"`
	SubjectType     []string            `json:"subjectType,omitzero"`
	Date            DateTime            `json:"date,omitzero"`
	Publisher       string              `json:"publisher,omitzero"`
	Description     string              `json:"description,omitzero"`
	Jurisdiction    []CodeableConcept   `json:"jurisdiction,omitzero"`
	Purpose         string              `json:"purpose,omitzero"`
	Copyright       string              `json:"copyright,omitzero"`
	ApprovalDate    DateTime            `json:"approvalDate,omitzero"`
	LastReviewDate  DateTime            `json:"lastReviewDate,omitzero"`
	EffectivePeriod *Period             `json:"effectivePeriod,omitzero"`
	Code            []Coding            `json:"code,omitzero"`
	Item            []QuestionnaireItem `json:"item,omitzero"`
}

type QuestionnaireItemEnableWhen struct {
	Question        string     `json:"question,omitzero"`
	Operator        string     `json:"operator,omitzero"` // exists | = | != | > | < | >= | <=
	AnswerBoolean   *bool      `json:"answerBoolean,omitzero"`
	AnswerDecimal   Decimal    `json:"answerDecimal,omitzero"`
	AnswerInteger   *int       `json:"answerInteger,omitzero"`
	AnswerDate      DateTime   `json:"answerDate,omitzero"`
	AnswerDateTime  DateTime   `json:"answerDateTime,omitzero"`
	AnswerTime      string     `json:"answerTime,omitzero"`
	AnswerString    string     `json:"answerString,omitzero"`
	AnswerCoding    *Coding    `json:"answerCoding,omitzero"`
	AnswerQuantity  *Quantity  `json:"answerQuantity,omitzero"`
	AnswerReference *Reference `json:"answerReference,omitzero"`
}

type QuestionnaireItemAnswerOption struct {
	ValueInteger    *int       `json:"valueInteger,omitzero"`
	ValueDate       DateTime   `json:"valueDate,omitzero"`
	ValueTime       string     `json:"valueTime,omitzero"`
	ValueString     string     `json:"valueString,omitzero"`
	ValueCoding     *Coding    `json:"valueCoding,omitzero"`
	ValueReference  *Reference `json:"valueReference,omitzero"`
	InitialSelected *bool      `json:"initialSelected,omitzero"`
}

type QuestionnaireItemInitial struct {
	ValueBoolean    *bool       `json:"valueBoolean,omitzero"`
	ValueDecimal    Decimal     `json:"valueDecimal,omitzero"`
	ValueInteger    *int        `json:"valueInteger,omitzero"`
	ValueDate       DateTime    `json:"valueDate,omitzero"`
	ValueDateTime   DateTime    `json:"valueDateTime,omitzero"`
	ValueTime       string      `json:"valueTime,omitzero"`
	ValueString     string      `json:"valueString,omitzero"`
	ValueURI        string      `json:"valueUri,omitzero"`
	ValueAttachment *Attachment `json:"valueAttachment,omitzero"`
	ValueCoding     *Coding     `json:"valueCoding,omitzero"`
	ValueQuantity   *Quantity   `json:"valueQuantity,omitzero"`
	ValueReference  *Reference  `json:"valueReference,omitzero"`
}

type QuestionnaireItem struct {
	LinkID         string                          `json:"linkId,omitzero"`
	Definition     string                          `json:"definition,omitzero"`
	Code           []Coding                        `json:"code,omitzero"`
	Prefix         string                          `json:"prefix,omitzero"`
	Text           string                          `json:"text,omitzero"`
	Type           string                          `json:"type,omitzero"` // group | display | boolean | decimal | integer | date | dateTime +
	EnableWhen     []QuestionnaireItemEnableWhen   `json:"enableWhen,omitzero"`
	EnableBehavior string                          `json:"enableBehavior,omitzero"` // all | any
	Required       *bool                           `json:"required,omitzero"`
	Repeats        *bool                           `json:"repeats,omitzero"`
	ReadOnly       *bool                           `json:"readOnly,omitzero"`
	MaxLength      *int                            `json:"maxLength,omitzero"`
	AnswerValueSet string                          `json:"answerValueSet,omitzero"`
	AnswerOption   []QuestionnaireItemAnswerOption `json:"answerOption,omitzero"`
	Initial        []QuestionnaireItemInitial      `json:"initial,omitzero"`
	Item           []QuestionnaireItem             `json:"item,omitzero"`
}

// QuestionnaireResponse: a structured set of questions and their answers.
type QuestionnaireResponse struct {
	ID            string                      `json:"id,omitzero"`
	Meta          *Meta                       `json:"meta,omitzero"`
	Text          *Narrative                  `json:"text,omitzero"`
	Contained     []Resource                  `json:"contained,omitzero"`
	Extension     []Extension                 `json:"extension,omitzero"`
	Identifier    Identifier                  `json:"identifier,omitzero"`
	BasedOn       []Reference                 `json:"basedOn,omitzero"`
	PartOf        []Reference                 `json:"partOf,omitzero"`
	Questionnaire string                      `json:"questionnaire,omitzero"`
	Status        string                      `json:"status,omitzero"` // in-progress | completed | amended | entered-in-error | stopped
	Subject       Reference                   `json:"subject,omitzero"`
	Encounter     Reference                   `json:"encounter,omitzero"`
	Authored      DateTime                    `json:"authored,omitzero"`
	Author        Reference                   `json:"author,omitzero"`
	Source        Reference                   `json:"source,omitzero"`
	Item          []QuestionnaireResponseItem `json:"item,omitzero"`
}

type QuestionnaireResponseItemAnswer struct {
	ValueBoolean    *bool                       `json:"valueBoolean,omitzero"`
	ValueDecimal    Decimal                     `json:"valueDecimal,omitzero"`
	ValueInteger    *int                        `json:"valueInteger,omitzero"`
	ValueDate       DateTime                    `json:"valueDate,omitzero"`
	ValueDateTime   DateTime                    `json:"valueDateTime,omitzero"`
	ValueTime       string                      `json:"valueTime,omitzero"`
	ValueString     string                      `json:"valueString,omitzero"`
	ValueURI        string                      `json:"valueUri,omitzero"`
	ValueAttachment *Attachment                 `json:"valueAttachment,omitzero"`
	ValueCoding     *Coding                     `json:"valueCoding,omitzero"`
	ValueQuantity   *Quantity                   `json:"valueQuantity,omitzero"`
	ValueReference  *Reference                  `json:"valueReference,omitzero"`
	Item            []QuestionnaireResponseItem `json:"item,omitzero"`
}

type QuestionnaireResponseItem struct {
	LinkID     string                            `json:"linkId,omitzero"`
	Definition string                            `json:"definition,omitzero"`
	Text       string                            `json:"text,omitzero"`
	Answer     []QuestionnaireResponseItemAnswer `json:"answer,omitzero"`
	Item       []QuestionnaireResponseItem       `json:"item,omitzero"`
}

// Consent: a healthcare consumer's choices to permit or deny recipients or roles to perform actions for specific purposes and periods of time.
type Consent struct {
	ID               string                `json:"id,omitzero"`
	Meta             *Meta                 `json:"meta,omitzero"`
	Text             *Narrative            `json:"text,omitzero"`
	Contained        []Resource            `json:"contained,omitzero"`
	Extension        []Extension           `json:"extension,omitzero"`
	Identifier       []Identifier          `json:"identifier,omitzero"`
	Status           string                `json:"status,omitzero"` // draft | proposed | active | rejected | inactive | entered-in-error
	Scope            CodeableConcept       `json:"scope,omitzero"`
	Category         []CodeableConcept     `json:"category,omitzero"`
	Patient          Reference             `json:"patient,omitzero"`
	DateTime         DateTime              `json:"dateTime,omitzero"`
	Performer        []Reference           `json:"performer,omitzero"`
	Organization     []Reference           `json:"organization,omitzero"`
	SourceAttachment *Attachment           `json:"sourceAttachment,omitzero"`
	SourceReference  *Reference            `json:"sourceReference,omitzero"`
	Policy           []ConsentPolicy       `json:"policy,omitzero"`
	PolicyRule       CodeableConcept       `json:"policyRule,omitzero"`
	Verification     []ConsentVerification `json:"verification,omitzero"`
	Provision        *ConsentProvision     `json:"provision,omitzero"`
}

type ConsentPolicy struct {
	Authority string `json:"authority,omitzero"`
	URI       string `json:"uri,omitzero"`
}

type ConsentVerification struct {
	Verified         *bool     `json:"verified,omitzero"`
	VerifiedWith     Reference `json:"verifiedWith,omitzero"`
	VerificationDate DateTime  `json:"verificationDate,omitzero"`
}

type ConsentProvisionActor struct {
	Role      CodeableConcept `json:"role,omitzero"`
	Reference Reference       `json:"reference,omitzero"`
}

type ConsentProvisionData struct {
	Meaning   string    `json:"meaning,omitzero"` // instance | related | dependents | authoredby
	Reference Reference `json:"reference,omitzero"`
}

type ConsentProvision struct {
	Type          string                  `json:"type,omitzero"` // deny | permit
	Period        *Period                 `json:"period,omitzero"`
	Actor         []ConsentProvisionActor `json:"actor,omitzero"`
	Action        []CodeableConcept       `json:"action,omitzero"`
	SecurityLabel []Coding                `json:"securityLabel,omitzero"`
	Purpose       []Coding                `json:"purpose,omitzero"`
	Class         []Coding                `json:"class,omitzero"`
	Code          []CodeableConcept       `json:"code,omitzero"`
	DataPeriod    *Period                 `json:"dataPeriod,omitzero"`
	Data          []ConsentProvisionData  `json:"data,omitzero"`
	Provision     []ConsentProvision      `json:"provision,omitzero"`
}

// Provenance: who, what, when for a set of resources.
type Provenance struct {
	ID               string             `json:"id,omitzero"`
	Meta             *Meta              `json:"meta,omitzero"`
	Text             *Narrative         `json:"text,omitzero"`
	Contained        []Resource         `json:"contained,omitzero"`
	Extension        []Extension        `json:"extension,omitzero"`
	Target           []Reference        `json:"target,omitzero"`
	OccurredPeriod   *Period            `json:"occurredPeriod,omitzero"`
	OccurredDateTime DateTime           `json:"occurredDateTime,omitzero"`
	Recorded         DateTime           `json:"recorded,omitzero"`
	Policy           []string           `json:"policy,omitzero"`
	Location         Reference          `json:"location,omitzero"`
	Reason           []CodeableConcept  `json:"reason,omitzero"`
	Activity         CodeableConcept    `json:"activity,omitzero"`
	Agent            []ProvenanceAgent  `json:"agent,omitzero"`
	Entity           []ProvenanceEntity `json:"entity,omitzero"`
	Signature        []Signature        `json:"signature,omitzero"`
}

type ProvenanceAgent struct {
	Type       CodeableConcept   `json:"type,omitzero"`
	Role       []CodeableConcept `json:"role,omitzero"`
	Who        Reference         `json:"who,omitzero"`
	OnBehalfOf Reference         `json:"onBehalfOf,omitzero"`
}

type ProvenanceEntity struct {
	Role  string            `json:"role,omitzero"` // derivation | revision | quotation | source | removal
	What  Reference         `json:"what,omitzero"`
	Agent []ProvenanceAgent `json:"agent,omitzero"`
}

// OperationOutcome: information about the success/failure of an action.
type OperationOutcome struct {
	ID        string                  `json:"id,omitzero"`
	Meta      *Meta                   `json:"meta,omitzero"`
	Text      *Narrative              `json:"text,omitzero"`
	Contained []Resource              `json:"contained,omitzero"`
	Extension []Extension             `json:"extension,omitzero"`
	Issue     []OperationOutcomeIssue `json:"issue,omitzero"`
}

type OperationOutcomeIssue struct {
	Severity    string          `json:"severity,omitzero"` // fatal | error | warning | information
	Code        string          `json:"code,omitzero"`
	Details     CodeableConcept `json:"details,omitzero"`
	Diagnostics string          `json:"diagnostics,omitzero"`
	Location    []string        `json:"location,omitzero"`
	Expression  []string        `json:"expression,omitzero"`
}
