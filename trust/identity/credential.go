package identity

import (
	"time"

	"github.com/go-webauthn/webauthn/webauthn"
)

const mostPasskeys = 20

// passkey is one credential in the sealed record.
type passkey struct {
	ID      string
	Name    string
	Created time.Time
	Used    time.Time `json:",omitzero"`
	Cred    webauthn.Credential
}

// Passkey as its owner sees it.
type Passkey struct {
	ID      string
	Name    string
	Created time.Time
	Used    time.Time // zero if never
	Synced  bool      // backed up, so it may be on several devices
}

func (p passkey) public() Passkey {
	return Passkey{ID: p.ID, Name: p.Name, Created: p.Created, Used: p.Used, Synced: p.Cred.Flags.BackupState}
}

// level: a passkey that can be copied between devices is AAL2, one bound to its device AAL3 (63B-4).
func level(cred webauthn.Credential) int {
	if cred.Flags.BackupEligible {
		return 2
	}
	return 3
}

// top is the highest level at which the account can sign in.
func (a *account) top() int {
	most := 0
	for _, p := range a.Passkeys {
		most = max(most, level(p.Cred))
	}
	if a.Password != nil && a.TOTP != nil {
		most = max(most, 2)
	}
	return most
}

// owner is the account as the WebAuthn library sees it.
type owner struct{ a *account }

func (o owner) WebAuthnID() []byte          { return o.a.Handle }
func (o owner) WebAuthnName() string        { return o.a.Login }
func (o owner) WebAuthnDisplayName() string { return o.a.Name }

func (o owner) WebAuthnCredentials() []webauthn.Credential {
	var out []webauthn.Credential
	for _, p := range o.a.Passkeys {
		out = append(out, p.Cred)
	}
	return out
}
