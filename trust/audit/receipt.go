package audit

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/wellgate/wellgate/trust/audit/witness"
)

// receiptHead is part of version 1 and never changes: old receipts must stay verifiable.
const receiptHead = `Wellgate audit receipt, version 1

This file proves that the entry below stands in the practice's audit log.
Once the checkpoint at the end was signed, nobody could change, move or remove
the entry unseen. Keep this file as it is: any change to it makes it invalid.

To check it, get the log's public key from the practice, or better from
somebody who does not work there, and run
  wellgate audit verify --receipt FILE --key PUBLIC-KEY
This needs no account and no network. It can also be done by hand:
  A         = SHA-256 of the salt's 16 bytes followed by the entry's bytes
  B         = SHA-256 of chart (8 bytes, big-endian) followed by the bytes of sealed
  leaf hash = SHA-256 of one zero byte, A and B
Follow the proof lines from the leaf hash as RFC 6962 section 2.1.1 says. You
must arrive at the third line of the checkpoint. Its signature is Ed25519, in
the form of c2sp.org/signed-note.

`

// receiptHead2 is that of version 2, whose checkpoint witnesses signed too. It never changes either.
const receiptHead2 = `Wellgate audit receipt, version 2

This file proves that the entry below stands in the practice's audit log.
Once the checkpoint at the end was signed, nobody could change, move or remove
the entry unseen. Witnesses who do not belong to the practice signed it too:
the practice cannot show another history to anybody who asks for their
signatures. Keep this file as it is: any change to it makes it invalid.

To check it, get the log's public key from the practice, or better from
somebody who does not work there, and each witness's key from the witness, and run
  wellgate audit verify --receipt FILE --key PUBLIC-KEY --witness WITNESS-KEY
This needs no account and no network. It can also be done by hand:
  A         = SHA-256 of the salt's 16 bytes followed by the entry's bytes
  B         = SHA-256 of chart (8 bytes, big-endian) followed by the bytes of sealed
  leaf hash = SHA-256 of one zero byte, A and B
Follow the proof lines from the leaf hash as RFC 6962 section 2.1.1 says. You
must arrive at the third line of the checkpoint. Its first signature is Ed25519, in
the form of c2sp.org/signed-note, the others are of c2sp.org/tlog-cosignature
by the keys in the witness lines.

`

const receiptMax = 16 << 20

// receipt is all that VerifyReceipt needs besides the key.
type receipt struct {
	Stored
	salt   []byte
	sealed [sha256.Size]byte
	proof  tlog.RecordProof
	signed []string // key lines of the witnesses whose signatures follow the log's; none in version 1
	note   []byte
}

// Receipt proves to anyone that one entry is in the log: the entry, its salt, an inclusion proof and a checkpoint,
// as one text file that VerifyReceipt (and `wellgate audit verify --receipt`) checks offline. The smallest checkpoint that
// covers the entry is taken, one that a witness signed before any other; if none does yet, one is signed now. So the same
// entry gives the same bytes each time, until a witness signs or the checkpoints of its day are thinned to one each hour.
func (l *Log) Receipt(ctx context.Context, chart, index int64) ([]byte, error) {
	text, err := l.receipt(ctx, chart, index)
	if err != nil {
		return nil, fmt.Errorf("audit: Receipt: %w", err)
	}
	// Hand out nothing that its reader could not verify.
	if _, err := VerifyReceipt(text, l.vkey); err != nil {
		return nil, fmt.Errorf("audit: Receipt: %w: entry %d is not what was signed: %w; %s", ErrTampered, index, err, remedy)
	}
	return text, nil
}

func (l *Log) receipt(ctx context.Context, chart, index int64) ([]byte, error) {
	if err := l.settle(ctx); err != nil {
		return nil, err
	}
	b, err := blockAt(ctx, l.c.DB, index)
	if err != nil {
		return nil, err
	}
	if b.chart != chart {
		return nil, ErrNoEntry // not yours and not there answer alike
	}
	o, err := b.open(ctx, l.c.Seal)
	if err != nil {
		return nil, b.explain(err)
	}
	signed, by, err := l.cosigned(ctx, index)
	if err == nil && signed == nil {
		signed, err = checkpointAt(ctx, l.c.DB, index)
	}
	if err == nil && signed == nil {
		signed, err = l.Checkpoint(ctx)
	}
	if err != nil {
		return nil, err
	}
	c, _, err := openCheckpoint(signed, l.verifier)
	if err != nil {
		return nil, fmt.Errorf("%w: the checkpoint over entry %d: %w; %s", ErrTampered, index, err, remedy)
	}
	proof, err := tlog.ProveRecord(c.size, index, hashReader(ctx, l.c.DB))
	if err != nil {
		return nil, err
	}
	at := int(index - b.first)
	salt := salt(o.seed, at)
	s := Stored{Index: index, Chart: chart, Plain: o.entries[at]}
	return receipt{s, salt[:], sealedHash(b.first, b.data), proof, by, signed}.render(), nil
}

func (r receipt) render() []byte {
	var b bytes.Buffer
	if len(r.signed) == 0 {
		b.WriteString(receiptHead)
	} else {
		b.WriteString(receiptHead2)
	}
	if oneLine(r.Plain) {
		fmt.Fprintf(&b, "entry: %s\n", r.Plain)
	} else {
		fmt.Fprintf(&b, "entry-base64: %s\n", base64.StdEncoding.EncodeToString(r.Plain))
	}
	fmt.Fprintf(&b, "salt: %x\nchart: %d\nindex: %d\nsealed: %x\n", r.salt, r.Chart, r.Index, r.sealed)
	for _, h := range r.proof {
		fmt.Fprintf(&b, "proof: %s\n", h)
	}
	for _, w := range r.signed {
		fmt.Fprintf(&b, "witness: %s\n", w)
	}
	fmt.Fprintf(&b, "\ncheckpoint:\n%s", r.note)
	return b.Bytes()
}

// oneLine says whether an entry can stand in the text as it is, and come back from it.
func oneLine(plain []byte) bool {
	return utf8.Valid(plain) && !bytes.ContainsFunc(plain, func(r rune) bool {
		return unicode.IsControl(r) || r == '\u2028' || r == '\u2029'
	})
}

// VerifyReceipt checks a receipt against the log's public key and returns the entry. Any change to the text is
// ErrReceipt; line ends may be those of Windows, since mail programs change them. Each of witnesses (key lines) must have
// signed the checkpoint too.
func VerifyReceipt(receipt []byte, vkey string, witnesses ...string) (Stored, error) {
	v, err := note.NewVerifier(strings.TrimSpace(vkey))
	if err != nil {
		return Stored{}, fmt.Errorf("audit: VerifyReceipt: the public key is not a signed-note key line (name+hash+key): %w", err)
	}
	keys, err := witnessKeys(witnesses)
	if err != nil {
		return Stored{}, fmt.Errorf("audit: VerifyReceipt: %w", err)
	}
	s, err := verifyReceipt(receipt, v, keys)
	if err != nil {
		return Stored{}, fmt.Errorf("%w: %w", ErrReceipt, err)
	}
	return s, nil
}

func verifyReceipt(text []byte, v note.Verifier, demanded []*witness.Key) (Stored, error) {
	if len(text) > receiptMax {
		return Stored{}, fmt.Errorf("it is longer than %d bytes", receiptMax)
	}
	text = bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n"))
	r, err := parseReceipt(text)
	if err != nil {
		return Stored{}, err
	}
	// One receipt has one spelling, so no byte of it is decoration that could be changed to mislead its reader.
	if !bytes.Equal(r.render(), text) {
		return Stored{}, errors.New("its text was changed")
	}
	c, n, err := openCheckpoint(r.note, v)
	if err != nil {
		return Stored{}, fmt.Errorf("its checkpoint: %w", err)
	}
	if err := r.cosignatures(n); err != nil {
		return Stored{}, err
	}
	for _, k := range demanded {
		if !slices.Contains(r.signed, k.String()) {
			return Stored{}, fmt.Errorf("the witness %s did not sign its checkpoint", k.Name())
		}
	}
	commitment := sha256.Sum256(append(append([]byte(nil), r.salt...), r.Plain...))
	hash := newLeaf(commitment, r.Chart, r.sealed).hash()
	if err := tlog.CheckRecord(r.proof, c.size, c.root, r.Index, hash); err != nil {
		return Stored{}, fmt.Errorf("entry %d is not in the signed tree: %w", r.Index, err)
	}
	return r.Stored, nil
}

// cosignatures checks that nothing stands behind the log's signature but one of each witness that the receipt names, in order.
func (r receipt) cosignatures(n *note.Note) error {
	bare := witness.Only(n)
	if !sole(bare, n) || !bytes.HasPrefix(r.note, bare) {
		return errors.New("its checkpoint holds more than a receipt may")
	}
	rest := r.note[len(bare):]
	for _, w := range r.signed {
		k, err := witness.ParseKey(w)
		if err != nil || k.String() != w {
			return errors.New("a witness's key is malformed")
		}
		line, _, ok := k.Cosigned(r.note)
		if !ok || !bytes.HasPrefix(rest, line) {
			return fmt.Errorf("the signature of the witness %s does not hold", k.Name())
		}
		rest = rest[len(line):]
	}
	if len(rest) > 0 {
		return errors.New("its checkpoint holds more than a receipt may")
	}
	return nil
}

// parseReceipt reads loosely; verifyReceipt compares with what render makes of the result.
func parseReceipt(text []byte) (receipt, error) {
	var r receipt
	body, ok := bytes.CutPrefix(text, []byte(receiptHead))
	if !ok {
		if body, ok = bytes.CutPrefix(text, []byte(receiptHead2)); !ok {
			return r, errors.New("it does not begin as a receipt of version 1 or 2 does")
		}
	}
	fields, signed, ok := bytes.Cut(body, []byte("\n\ncheckpoint:\n"))
	if !ok {
		return r, errors.New("it has no checkpoint")
	}
	r.note = signed
	for line := range strings.SplitSeq(string(fields), "\n") {
		name, value, _ := strings.Cut(line, ": ")
		if err := r.set(name, value); err != nil {
			return r, errors.New("it has a malformed line") // which may hold part of the entry, so is not repeated
		}
	}
	return r, nil
}

func (r *receipt) set(name, value string) (err error) {
	switch name {
	case "entry":
		r.Plain = []byte(value)
	case "entry-base64":
		r.Plain, err = base64.StdEncoding.Strict().DecodeString(value)
	case "salt":
		// A salt of another length would move bytes between salt and entry and prove an entry that never was.
		if r.salt, err = hex.DecodeString(value); err == nil && len(r.salt) != saltSize {
			err = hex.ErrLength
		}
	case "chart":
		r.Chart, err = strconv.ParseInt(value, 10, 64)
	case "index":
		r.Index, err = strconv.ParseInt(value, 10, 64)
	case "sealed":
		var b []byte
		if b, err = hex.DecodeString(value); err == nil && len(b) != sha256.Size {
			err = hex.ErrLength
		}
		copy(r.sealed[:], b)
	case "witness":
		r.signed = append(r.signed, value)
	case "proof":
		var h tlog.Hash
		h, err = tlog.ParseHash(value)
		r.proof = append(r.proof, h)
	default:
		err = errors.New("unknown")
	}
	return err
}
