package lockout

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math/bits"
	"net/http"
	"net/netip"
	"strconv"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/wellgate/wellgate/trust/identity"
)

const ownersWord = "violet kettle harbour 9"

// An owner is whose account is attacked: with password, app and passkey, and one device that the account knows.
type owner struct {
	id, login, secret string
	cookie            func(string) string // of the known device
	key               softKey
}

var ownersHome = netip.MustParseAddr("192.0.2.17")

// enrol makes the owner's account and signs in once.
func (s *siege) enrol(ctx context.Context, origin string) error {
	o := &s.owner
	o.login = "owner@example.org"
	acc, err := s.accounts.Accounts.Create(ctx, identity.Account{Kind: identity.Patient, Name: "An Owner", Login: o.login, Chart: 7})
	if err != nil {
		return err
	}
	o.id = acc.ID
	setup, err := s.accounts.OneTime.Set(ctx, o.id)
	if err != nil {
		return err
	}
	o.secret = setup.Secret
	if err := s.accounts.Passwords.Set(ctx, o.id, ownersWord); err != nil {
		return err
	}
	g, err := s.word(ctx)
	if err != nil {
		return err
	}
	jar := &cookieJar{header: http.Header{}}
	s.accounts.Cookies.Grant(jar, g)
	o.cookie = jar.read
	if o.key, err = newSoftKey(origin); err != nil {
		return err
	}
	options, step, err := s.accounts.Passkeys.BeginAdd(ctx, g.Who)
	if err != nil {
		return err
	}
	answer, err := o.key.create(options)
	if err != nil {
		return err
	}
	_, err = s.accounts.Passkeys.FinishAdd(ctx, g.Who, step, "phone", answer, identity.From{IP: ownersHome})
	return err
}

// byPassword signs the owner in on the device that is known, at home.
func (s *siege) byPassword(ctx context.Context) error {
	_, err := s.word(ctx)
	return err
}

func (s *siege) word(ctx context.Context) (identity.Grant, error) {
	from := identity.From{IP: ownersHome, Agent: "owner", Cookie: s.owner.cookie}
	step, err := s.accounts.Signin.Password(ctx, s.owner.login, ownersWord, false, from)
	if err != nil {
		return identity.Grant{}, fmt.Errorf("password: %w", err)
	}
	code, err := totp.GenerateCode(s.owner.secret, s.now)
	if err != nil {
		return identity.Grant{}, err
	}
	g, err := s.accounts.Signin.Code(ctx, step, code, from)
	if err != nil {
		return identity.Grant{}, fmt.Errorf("code: %w", err)
	}
	return g, nil
}

// byPasskey signs the owner in from wherever they are.
func (s *siege) byPasskey(ctx context.Context) error {
	options, step, err := s.accounts.Passkeys.BeginSignin(ctx)
	if err != nil {
		return err
	}
	answer, err := s.owner.key.answer(options)
	if err != nil {
		return err
	}
	if _, err = s.accounts.Passkeys.FinishSignin(ctx, step, answer, true, s.anywhere()); err != nil {
		return fmt.Errorf("passkey: %w", err)
	}
	return nil
}

// cookieJar keeps what a sign-in sets.
type cookieJar struct{ header http.Header }

func (j *cookieJar) Header() http.Header         { return j.header }
func (j *cookieJar) Write(b []byte) (int, error) { return len(b), nil }
func (j *cookieJar) WriteHeader(int)             {}

func (j *cookieJar) read(name string) string {
	for _, c := range (&http.Response{Header: j.header}).Cookies() {
		if c.Name == name {
			return c.Value
		}
	}
	return ""
}

// solve does the work that a guesser is asked for.
func solve(p identity.Puzzle) string {
	text := []byte(p.Seal + ".")
	for n := int64(0); ; n++ {
		try := strconv.AppendInt(text, n, 10)
		sum := sha256.Sum256(try)
		if bits.LeadingZeros32(binary.BigEndian.Uint32(sum[:4])) >= p.Bits {
			return string(try)
		}
	}
}

// A softKey is a passkey in software: as much of WebAuthn as one P-256 key without attestation needs.
type softKey struct {
	origin string
	id     []byte
	handle []byte
	key    *ecdsa.PrivateKey
	count  uint32
}

func newSoftKey(origin string) (softKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	id := make([]byte, 32)
	rand.Read(id)
	return softKey{origin: origin, id: id, key: key}, err
}

type creation struct {
	Challenge string
	RP        struct{ ID string }
	User      struct{ ID string }
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func (k *softKey) client(typ, challenge string) []byte {
	b, _ := json.Marshal(map[string]any{"type": typ, "challenge": challenge, "origin": k.origin, "crossOrigin": false})
	return b
}

func (k *softKey) data(rp string, flags byte) []byte {
	h := sha256.Sum256([]byte(rp))
	return binary.BigEndian.AppendUint32(append(h[:], flags), k.count)
}

const (
	present  = 0x01
	verified = 0x04
	attested = 0x40
)

func (k *softKey) create(options []byte) ([]byte, error) {
	var o creation
	if err := json.Unmarshal(options, &o); err != nil {
		return nil, err
	}
	var err error
	if k.handle, err = base64.RawURLEncoding.DecodeString(o.User.ID); err != nil {
		return nil, err
	}
	pub, err := k.key.PublicKey.ECDH()
	if err != nil {
		return nil, err
	}
	point := pub.Bytes()                                         // 4, x, y
	cose := []byte{0xa5, 1, 2, 3, 0x26, 0x20, 1, 0x21, 0x58, 32} // {1: 2, 3: -7, -1: 1, -2: x, -3: y}
	cose = append(append(append(cose, point[1:33]...), 0x22, 0x58, 32), point[33:]...)
	data := append(k.data(o.RP.ID, present|verified|attested), make([]byte, 16)...) // no model
	data = append(binary.BigEndian.AppendUint16(data, uint16(len(k.id))), k.id...)
	data = append(data, cose...)
	object := []byte("\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x58") // {"fmt": "none", "attStmt": {}, "authData": …}
	object = append(append(object, byte(len(data))), data...)
	return k.reply(map[string]string{"clientDataJSON": b64(k.client("webauthn.create", o.Challenge)), "attestationObject": b64(object)})
}

func (k *softKey) answer(options []byte) ([]byte, error) {
	var o struct{ Challenge, RpID string }
	if err := json.Unmarshal(options, &o); err != nil {
		return nil, err
	}
	k.count++
	client := k.client("webauthn.get", o.Challenge)
	hash := sha256.Sum256(client)
	data := k.data(o.RpID, present|verified)
	sum := sha256.Sum256(append(data[:len(data):len(data)], hash[:]...))
	sig, err := ecdsa.SignASN1(rand.Reader, k.key, sum[:])
	if err != nil {
		return nil, err
	}
	return k.reply(map[string]string{"clientDataJSON": b64(client), "authenticatorData": b64(data), "signature": b64(sig), "userHandle": b64(k.handle)})
}

func (k *softKey) reply(response map[string]string) ([]byte, error) {
	return json.Marshal(map[string]any{"id": b64(k.id), "rawId": b64(k.id), "type": "public-key", "response": response, "clientExtensionResults": struct{}{}})
}

// Explain prints a duration as days and hours.
func Explain(d time.Duration) string {
	if d == 0 {
		return "never"
	}
	return fmt.Sprintf("%d h %02d min", int(d.Hours()), int(d.Minutes())%60)
}
