package demo

import (
	"fmt"

	"github.com/wellgate/wellgate/fhir"
)

// This file: claims, what the plan answered, and the bill that is left. All amounts are whole cents.
// Procedure code tables under licence are not ours to ship: services carry the practice's own codes.

var (
	professional = hl7Code("claim-type", "professional", "Medical")
	oralClaim    = hl7Code("claim-type", "oral", "Dental")
)

func (l *life) writeBill(n *note, about []fhir.Reference) {
	v, here := n.v, n.here
	cents := visitKinds[v.kind].cents
	service := visitKinds[v.kind].name
	if v.work != nil {
		cents, service = v.work.cents, v.work.name
	}
	if cents == 0 || v.at.Before(l.now.AddDate(-2, 0, 0)) { // older accounts are closed and archived
		return
	}
	isDental := v.kind == cleaning || v.kind == dental
	kind, payer := professional, fmt.Sprint("payer", l.payer)
	if isDental {
		kind, payer = oralClaim, "dentalpayer"
	}
	code := fhir.CodeableConcept{Coding: []fhir.Coding{{System: local + "service", Code: fold(service), Display: service}}, Text: service}
	sent := v.end().AddDate(0, 0, 2)
	if sent.After(l.now) {
		return
	}
	c := fhir.Claim{
		ID: l.next(), Meta: l.labelled(nil, n.labels), Status: "active", Type: kind, Use: "claim", Patient: l.me, BillablePeriod: &fhir.Period{Start: day(v.at), End: day(v.at)}, Created: instant(sent),
		Enterer: l.dir.at("brannigan"), Insurer: l.dir.at(payer), Provider: l.dir.practice, Priority: bare("processpriority", "normal"),
		Insurance: []fhir.ClaimInsurance{{Sequence: new(1), Focal: new(true), Coverage: l.insure}},
		Item: []fhir.ClaimItem{{Sequence: new(1), ProductOrService: code, ServicedDate: day(v.at), Quantity: &fhir.Quantity{Value: "1"}, UnitPrice: usd(cents), Net: usd(cents),
			Encounter: []fhir.Reference{here}}},
		Total: usd(cents),
	}
	for i, a := range about {
		c.Diagnosis = append(c.Diagnosis, fhir.ClaimDiagnosis{Sequence: new(i + 1), DiagnosisReference: &a})
	}
	claim := l.add(sent, c)
	answered := v.end().AddDate(0, 0, 9)
	if answered.After(l.now) {
		return
	}
	owed := share(v, cents)
	l.writeAnswer(v, code, answer{ref(claim), kind, payer, cents, owed, here})
	if owed > 0 {
		l.writeInvoice(v, code, cents, owed)
	}
}

// share is what the patient pays: nothing for prevention, a fifth of a visit, half of larger dental work.
func share(v *visit, cents int) int {
	switch v.kind {
	case physical, wellChild, nurse, cleaning, prenatal:
		return 0
	case dental:
		if v.work.name == "Sealant" {
			return 0
		}
		return cents / 2
	}
	return cents / 5
}

type answer struct {
	claim       fhir.Reference
	kind        fhir.CodeableConcept
	payer       string
	cents, owed int
	here        fhir.Reference
}

func (l *life) writeAnswer(v *visit, code fhir.CodeableConcept, a answer) {
	at := v.end().AddDate(0, 0, 9)
	allowed := a.cents * 9 / 10
	owed := min(a.owed, allowed)
	part := func(kind, text string, cents int) fhir.ExplanationOfBenefitItemAdjudication {
		return fhir.ExplanationOfBenefitItemAdjudication{Category: hl7Code("adjudication", kind, text), Amount: usd(cents)}
	}
	l.add(at, fhir.ExplanationOfBenefit{
		ID: l.next(), Status: "active", Type: a.kind, Use: "claim", Patient: l.me, BillablePeriod: &fhir.Period{Start: day(v.at), End: day(v.at)}, Created: instant(at),
		Insurer: l.dir.at(a.payer), Provider: l.dir.practice, Claim: a.claim, Outcome: "complete", Disposition: "Processed",
		Insurance: []fhir.ExplanationOfBenefitInsurance{{Focal: new(true), Coverage: l.insure}},
		Item: []fhir.ExplanationOfBenefitItem{{Sequence: new(1), ProductOrService: code, ServicedDate: day(v.at), Encounter: []fhir.Reference{a.here},
			Adjudication: []fhir.ExplanationOfBenefitItemAdjudication{part("submitted", "Charged", a.cents), part("eligible", "Plan price", allowed), part("benefit", "Plan pays", allowed-owed), part("copay", "You pay", owed)}}},
		Total:   []fhir.ExplanationOfBenefitTotal{{Category: hl7Code("adjudication", "submitted", "Charged"), Amount: usd(a.cents)}, {Category: hl7Code("adjudication", "benefit", "Plan pays"), Amount: usd(allowed - owed)}, {Category: hl7Code("adjudication", "copay", "You pay"), Amount: usd(owed)}},
		Payment: &fhir.ExplanationOfBenefitPayment{Date: day(at), Amount: usd(allowed - owed)},
	})
}

func (l *life) writeInvoice(v *visit, code fhir.CodeableConcept, cents, owed int) {
	at := v.end().AddDate(0, 0, 10)
	if at.After(l.now) {
		at = l.now.AddDate(0, 0, -1)
	}
	owed = min(owed, cents*9/10)
	i := fhir.Invoice{
		ID: l.next(), Status: "balanced", Type: fhir.TextConcept("Your part of the bill"), Subject: l.me, Recipient: l.me, Date: instant(at), Issuer: l.dir.practice,
		LineItem: []fhir.InvoiceLineItem{{Sequence: new(1), ChargeItemCodeableConcept: &code, PriceComponent: []fhir.InvoiceLineItemPriceComponent{
			{Type: "base", Code: fhir.TextConcept("Price of the visit"), Amount: usd(cents)}, {Type: "deduction", Code: fhir.TextConcept("Paid or written off by your plan"), Amount: usd(owed - cents)}}}},
		TotalNet: usd(owed), TotalGross: usd(owed), PaymentTerms: "Due 30 days after the date of this bill. Ask us about paying in parts.",
	}
	i.Identifier = []fhir.Identifier{{System: local + "invoice", Value: "B" + at.Format("0601") + l.number()[3:6] + fmt.Sprint(int(l.n)%10)}}
	if v.at.After(l.days(-45)) {
		i.Status = "issued"
	}
	l.add(at, i)
}
