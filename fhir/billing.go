package fhir

// This file: who pays, and what for.

// Coverage: insurance or medical plan or a payment agreement.
type Coverage struct {
	ID                string                      `json:"id,omitzero"`
	Meta              *Meta                       `json:"meta,omitzero"`
	Text              *Narrative                  `json:"text,omitzero"`
	Contained         []Resource                  `json:"contained,omitzero"`
	Extension         []Extension                 `json:"extension,omitzero"`
	Identifier        []Identifier                `json:"identifier,omitzero"`
	Status            string                      `json:"status,omitzero"` // active | cancelled | draft | entered-in-error
	Type              CodeableConcept             `json:"type,omitzero"`
	PolicyHolder      Reference                   `json:"policyHolder,omitzero"`
	Subscriber        Reference                   `json:"subscriber,omitzero"`
	SubscriberID      string                      `json:"subscriberId,omitzero"`
	Beneficiary       Reference                   `json:"beneficiary,omitzero"`
	Dependent         string                      `json:"dependent,omitzero"`
	Relationship      CodeableConcept             `json:"relationship,omitzero"`
	Period            *Period                     `json:"period,omitzero"`
	Payor             []Reference                 `json:"payor,omitzero"`
	Class             []CoverageClass             `json:"class,omitzero"`
	Order             *int                        `json:"order,omitzero"`
	Network           string                      `json:"network,omitzero"`
	CostToBeneficiary []CoverageCostToBeneficiary `json:"costToBeneficiary,omitzero"`
	Subrogation       *bool                       `json:"subrogation,omitzero"`
	Contract          []Reference                 `json:"contract,omitzero"`
}

type CoverageClass struct {
	Type  CodeableConcept `json:"type,omitzero"`
	Value string          `json:"value,omitzero"`
	Name  string          `json:"name,omitzero"`
}

type CoverageCostToBeneficiaryException struct {
	Type   CodeableConcept `json:"type,omitzero"`
	Period *Period         `json:"period,omitzero"`
}

type CoverageCostToBeneficiary struct {
	Type          CodeableConcept                      `json:"type,omitzero"`
	ValueQuantity *Quantity                            `json:"valueQuantity,omitzero"`
	ValueMoney    *Money                               `json:"valueMoney,omitzero"`
	Exception     []CoverageCostToBeneficiaryException `json:"exception,omitzero"`
}

// Claim: claim, pre-determination or pre-authorization.
type Claim struct {
	ID             string                `json:"id,omitzero"`
	Meta           *Meta                 `json:"meta,omitzero"`
	Text           *Narrative            `json:"text,omitzero"`
	Contained      []Resource            `json:"contained,omitzero"`
	Extension      []Extension           `json:"extension,omitzero"`
	Identifier     []Identifier          `json:"identifier,omitzero"`
	Status         string                `json:"status,omitzero"` // active | cancelled | draft | entered-in-error
	Type           CodeableConcept       `json:"type,omitzero"`
	SubType        CodeableConcept       `json:"subType,omitzero"`
	Use            string                `json:"use,omitzero"` // claim | preauthorization | predetermination
	Patient        Reference             `json:"patient,omitzero"`
	BillablePeriod *Period               `json:"billablePeriod,omitzero"`
	Created        DateTime              `json:"created,omitzero"`
	Enterer        Reference             `json:"enterer,omitzero"`
	Insurer        Reference             `json:"insurer,omitzero"`
	Provider       Reference             `json:"provider,omitzero"`
	Priority       CodeableConcept       `json:"priority,omitzero"`
	Prescription   Reference             `json:"prescription,omitzero"`
	Payee          *ClaimPayee           `json:"payee,omitzero"`
	Facility       Reference             `json:"facility,omitzero"`
	CareTeam       []ClaimCareTeam       `json:"careTeam,omitzero"`
	SupportingInfo []ClaimSupportingInfo `json:"supportingInfo,omitzero"`
	Diagnosis      []ClaimDiagnosis      `json:"diagnosis,omitzero"`
	Procedure      []ClaimProcedure      `json:"procedure,omitzero"`
	Insurance      []ClaimInsurance      `json:"insurance,omitzero"`
	Item           []ClaimItem           `json:"item,omitzero"`
	Total          *Money                `json:"total,omitzero"`
}

type ClaimPayee struct {
	Type  CodeableConcept `json:"type,omitzero"`
	Party Reference       `json:"party,omitzero"`
}

type ClaimCareTeam struct {
	Sequence      *int            `json:"sequence,omitzero"`
	Provider      Reference       `json:"provider,omitzero"`
	Responsible   *bool           `json:"responsible,omitzero"`
	Role          CodeableConcept `json:"role,omitzero"`
	Qualification CodeableConcept `json:"qualification,omitzero"`
}

type ClaimSupportingInfo struct {
	Sequence        *int            `json:"sequence,omitzero"`
	Category        CodeableConcept `json:"category,omitzero"`
	Code            CodeableConcept `json:"code,omitzero"`
	TimingDate      DateTime        `json:"timingDate,omitzero"`
	TimingPeriod    *Period         `json:"timingPeriod,omitzero"`
	ValueBoolean    *bool           `json:"valueBoolean,omitzero"`
	ValueString     string          `json:"valueString,omitzero"`
	ValueQuantity   *Quantity       `json:"valueQuantity,omitzero"`
	ValueAttachment *Attachment     `json:"valueAttachment,omitzero"`
	ValueReference  *Reference      `json:"valueReference,omitzero"`
	Reason          CodeableConcept `json:"reason,omitzero"`
}

type ClaimDiagnosis struct {
	Sequence                 *int              `json:"sequence,omitzero"`
	DiagnosisCodeableConcept *CodeableConcept  `json:"diagnosisCodeableConcept,omitzero"`
	DiagnosisReference       *Reference        `json:"diagnosisReference,omitzero"`
	Type                     []CodeableConcept `json:"type,omitzero"`
	OnAdmission              CodeableConcept   `json:"onAdmission,omitzero"`
	PackageCode              CodeableConcept   `json:"packageCode,omitzero"`
}

type ClaimProcedure struct {
	Sequence                 *int              `json:"sequence,omitzero"`
	Type                     []CodeableConcept `json:"type,omitzero"`
	Date                     DateTime          `json:"date,omitzero"`
	ProcedureCodeableConcept *CodeableConcept  `json:"procedureCodeableConcept,omitzero"`
	ProcedureReference       *Reference        `json:"procedureReference,omitzero"`
	Udi                      []Reference       `json:"udi,omitzero"`
}

type ClaimInsurance struct {
	Sequence            *int       `json:"sequence,omitzero"`
	Focal               *bool      `json:"focal,omitzero"`
	Identifier          Identifier `json:"identifier,omitzero"`
	Coverage            Reference  `json:"coverage,omitzero"`
	BusinessArrangement string     `json:"businessArrangement,omitzero"`
	PreAuthRef          []string   `json:"preAuthRef,omitzero"`
	ClaimResponse       Reference  `json:"claimResponse,omitzero"`
}

type ClaimItem struct {
	Sequence                *int              `json:"sequence,omitzero"`
	CareTeamSequence        []int             `json:"careTeamSequence,omitzero"`
	DiagnosisSequence       []int             `json:"diagnosisSequence,omitzero"`
	ProcedureSequence       []int             `json:"procedureSequence,omitzero"`
	InformationSequence     []int             `json:"informationSequence,omitzero"`
	Revenue                 CodeableConcept   `json:"revenue,omitzero"`
	Category                CodeableConcept   `json:"category,omitzero"`
	ProductOrService        CodeableConcept   `json:"productOrService,omitzero"`
	Modifier                []CodeableConcept `json:"modifier,omitzero"`
	ProgramCode             []CodeableConcept `json:"programCode,omitzero"`
	ServicedDate            DateTime          `json:"servicedDate,omitzero"`
	ServicedPeriod          *Period           `json:"servicedPeriod,omitzero"`
	LocationCodeableConcept *CodeableConcept  `json:"locationCodeableConcept,omitzero"`
	LocationAddress         *Address          `json:"locationAddress,omitzero"`
	LocationReference       *Reference        `json:"locationReference,omitzero"`
	Quantity                *Quantity         `json:"quantity,omitzero"`
	UnitPrice               *Money            `json:"unitPrice,omitzero"`
	Factor                  Decimal           `json:"factor,omitzero"`
	Net                     *Money            `json:"net,omitzero"`
	Encounter               []Reference       `json:"encounter,omitzero"`
}

// ExplanationOfBenefit: explanation of benefit resource.
type ExplanationOfBenefit struct {
	ID             string                                 `json:"id,omitzero"`
	Meta           *Meta                                  `json:"meta,omitzero"`
	Text           *Narrative                             `json:"text,omitzero"`
	Contained      []Resource                             `json:"contained,omitzero"`
	Extension      []Extension                            `json:"extension,omitzero"`
	Identifier     []Identifier                           `json:"identifier,omitzero"`
	Status         string                                 `json:"status,omitzero"` // active | cancelled | draft | entered-in-error
	Type           CodeableConcept                        `json:"type,omitzero"`
	SubType        CodeableConcept                        `json:"subType,omitzero"`
	Use            string                                 `json:"use,omitzero"` // claim | preauthorization | predetermination
	Patient        Reference                              `json:"patient,omitzero"`
	BillablePeriod *Period                                `json:"billablePeriod,omitzero"`
	Created        DateTime                               `json:"created,omitzero"`
	Enterer        Reference                              `json:"enterer,omitzero"`
	Insurer        Reference                              `json:"insurer,omitzero"`
	Provider       Reference                              `json:"provider,omitzero"`
	Claim          Reference                              `json:"claim,omitzero"`
	ClaimResponse  Reference                              `json:"claimResponse,omitzero"`
	Outcome        string                                 `json:"outcome,omitzero"` // queued | complete | error | partial
	Disposition    string                                 `json:"disposition,omitzero"`
	CareTeam       []ExplanationOfBenefitCareTeam         `json:"careTeam,omitzero"`
	SupportingInfo []ExplanationOfBenefitSupportingInfo   `json:"supportingInfo,omitzero"`
	Diagnosis      []ExplanationOfBenefitDiagnosis        `json:"diagnosis,omitzero"`
	Procedure      []ExplanationOfBenefitProcedure        `json:"procedure,omitzero"`
	Insurance      []ExplanationOfBenefitInsurance        `json:"insurance,omitzero"`
	Item           []ExplanationOfBenefitItem             `json:"item,omitzero"`
	Adjudication   []ExplanationOfBenefitItemAdjudication `json:"adjudication,omitzero"`
	Total          []ExplanationOfBenefitTotal            `json:"total,omitzero"`
	Payment        *ExplanationOfBenefitPayment           `json:"payment,omitzero"`
	ProcessNote    []ExplanationOfBenefitProcessNote      `json:"processNote,omitzero"`
}

type ExplanationOfBenefitCareTeam struct {
	Sequence      *int            `json:"sequence,omitzero"`
	Provider      Reference       `json:"provider,omitzero"`
	Responsible   *bool           `json:"responsible,omitzero"`
	Role          CodeableConcept `json:"role,omitzero"`
	Qualification CodeableConcept `json:"qualification,omitzero"`
}

type ExplanationOfBenefitSupportingInfo struct {
	Sequence        *int            `json:"sequence,omitzero"`
	Category        CodeableConcept `json:"category,omitzero"`
	Code            CodeableConcept `json:"code,omitzero"`
	TimingDate      DateTime        `json:"timingDate,omitzero"`
	TimingPeriod    *Period         `json:"timingPeriod,omitzero"`
	ValueBoolean    *bool           `json:"valueBoolean,omitzero"`
	ValueString     string          `json:"valueString,omitzero"`
	ValueQuantity   *Quantity       `json:"valueQuantity,omitzero"`
	ValueAttachment *Attachment     `json:"valueAttachment,omitzero"`
	ValueReference  *Reference      `json:"valueReference,omitzero"`
	Reason          Coding          `json:"reason,omitzero"`
}

type ExplanationOfBenefitDiagnosis struct {
	Sequence                 *int              `json:"sequence,omitzero"`
	DiagnosisCodeableConcept *CodeableConcept  `json:"diagnosisCodeableConcept,omitzero"`
	DiagnosisReference       *Reference        `json:"diagnosisReference,omitzero"`
	Type                     []CodeableConcept `json:"type,omitzero"`
	OnAdmission              CodeableConcept   `json:"onAdmission,omitzero"`
	PackageCode              CodeableConcept   `json:"packageCode,omitzero"`
}

type ExplanationOfBenefitProcedure struct {
	Sequence                 *int              `json:"sequence,omitzero"`
	Type                     []CodeableConcept `json:"type,omitzero"`
	Date                     DateTime          `json:"date,omitzero"`
	ProcedureCodeableConcept *CodeableConcept  `json:"procedureCodeableConcept,omitzero"`
	ProcedureReference       *Reference        `json:"procedureReference,omitzero"`
	Udi                      []Reference       `json:"udi,omitzero"`
}

type ExplanationOfBenefitInsurance struct {
	Focal      *bool     `json:"focal,omitzero"`
	Coverage   Reference `json:"coverage,omitzero"`
	PreAuthRef []string  `json:"preAuthRef,omitzero"`
}

type ExplanationOfBenefitItemAdjudication struct {
	Category CodeableConcept `json:"category,omitzero"`
	Reason   CodeableConcept `json:"reason,omitzero"`
	Amount   *Money          `json:"amount,omitzero"`
	Value    Decimal         `json:"value,omitzero"`
}

type ExplanationOfBenefitItem struct {
	Sequence                *int                                   `json:"sequence,omitzero"`
	CareTeamSequence        []int                                  `json:"careTeamSequence,omitzero"`
	DiagnosisSequence       []int                                  `json:"diagnosisSequence,omitzero"`
	ProcedureSequence       []int                                  `json:"procedureSequence,omitzero"`
	InformationSequence     []int                                  `json:"informationSequence,omitzero"`
	Revenue                 CodeableConcept                        `json:"revenue,omitzero"`
	Category                CodeableConcept                        `json:"category,omitzero"`
	ProductOrService        CodeableConcept                        `json:"productOrService,omitzero"`
	Modifier                []CodeableConcept                      `json:"modifier,omitzero"`
	ProgramCode             []CodeableConcept                      `json:"programCode,omitzero"`
	ServicedDate            DateTime                               `json:"servicedDate,omitzero"`
	ServicedPeriod          *Period                                `json:"servicedPeriod,omitzero"`
	LocationCodeableConcept *CodeableConcept                       `json:"locationCodeableConcept,omitzero"`
	LocationAddress         *Address                               `json:"locationAddress,omitzero"`
	LocationReference       *Reference                             `json:"locationReference,omitzero"`
	Quantity                *Quantity                              `json:"quantity,omitzero"`
	UnitPrice               *Money                                 `json:"unitPrice,omitzero"`
	Factor                  Decimal                                `json:"factor,omitzero"`
	Net                     *Money                                 `json:"net,omitzero"`
	Encounter               []Reference                            `json:"encounter,omitzero"`
	NoteNumber              []int                                  `json:"noteNumber,omitzero"`
	Adjudication            []ExplanationOfBenefitItemAdjudication `json:"adjudication,omitzero"`
}

type ExplanationOfBenefitTotal struct {
	Category CodeableConcept `json:"category,omitzero"`
	Amount   *Money          `json:"amount,omitzero"`
}

type ExplanationOfBenefitPayment struct {
	Type             CodeableConcept `json:"type,omitzero"`
	Adjustment       *Money          `json:"adjustment,omitzero"`
	AdjustmentReason CodeableConcept `json:"adjustmentReason,omitzero"`
	Date             DateTime        `json:"date,omitzero"`
	Amount           *Money          `json:"amount,omitzero"`
	Identifier       Identifier      `json:"identifier,omitzero"`
}

type ExplanationOfBenefitProcessNote struct {
	Number *int   `json:"number,omitzero"`
	Type   string `json:"type,omitzero"` // display | print | printoper
	Text   string `json:"text,omitzero"`
}

// Invoice: invoice containing chargeitems from an account.
type Invoice struct {
	ID                  string                          `json:"id,omitzero"`
	Meta                *Meta                           `json:"meta,omitzero"`
	Text                *Narrative                      `json:"text,omitzero"`
	Contained           []Resource                      `json:"contained,omitzero"`
	Extension           []Extension                     `json:"extension,omitzero"`
	Identifier          []Identifier                    `json:"identifier,omitzero"`
	Status              string                          `json:"status,omitzero"` // draft | issued | balanced | cancelled | entered-in-error
	CancelledReason     string                          `json:"cancelledReason,omitzero"`
	Type                CodeableConcept                 `json:"type,omitzero"`
	Subject             Reference                       `json:"subject,omitzero"`
	Recipient           Reference                       `json:"recipient,omitzero"`
	Date                DateTime                        `json:"date,omitzero"`
	Participant         []InvoiceParticipant            `json:"participant,omitzero"`
	Issuer              Reference                       `json:"issuer,omitzero"`
	Account             Reference                       `json:"account,omitzero"`
	LineItem            []InvoiceLineItem               `json:"lineItem,omitzero"`
	TotalPriceComponent []InvoiceLineItemPriceComponent `json:"totalPriceComponent,omitzero"`
	TotalNet            *Money                          `json:"totalNet,omitzero"`
	TotalGross          *Money                          `json:"totalGross,omitzero"`
	PaymentTerms        string                          `json:"paymentTerms,omitzero"`
	Note                []Annotation                    `json:"note,omitzero"`
}

type InvoiceParticipant struct {
	Role  CodeableConcept `json:"role,omitzero"`
	Actor Reference       `json:"actor,omitzero"`
}

type InvoiceLineItemPriceComponent struct {
	Type   string          `json:"type,omitzero"` // base | surcharge | deduction | discount | tax | informational
	Code   CodeableConcept `json:"code,omitzero"`
	Factor Decimal         `json:"factor,omitzero"`
	Amount *Money          `json:"amount,omitzero"`
}

type InvoiceLineItem struct {
	Sequence                  *int                            `json:"sequence,omitzero"`
	ChargeItemReference       *Reference                      `json:"chargeItemReference,omitzero"`
	ChargeItemCodeableConcept *CodeableConcept                `json:"chargeItemCodeableConcept,omitzero"`
	PriceComponent            []InvoiceLineItemPriceComponent `json:"priceComponent,omitzero"`
}
