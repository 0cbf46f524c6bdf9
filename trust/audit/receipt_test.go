package audit

import (
	"bytes"
	"errors"
	"flag"
	"github.com/wellgate/wellgate/store/storetest"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wellgate/wellgate/store"
)

var update = flag.Bool("update", false, "write testdata/receipt.txt anew; old receipts must stay valid, so think twice")

func receiptBench(t *testing.T) (*bench, []byte) {
	b := newBench(t)
	b.fill(20, 3)
	b.sign(false)
	b.durable(7, `{"at":"2026-11-22T10:00:00Z","who":"Dr. Núñez","what":"opened the record"}`)
	b.sign(false)
	b.durable(8, "neighbour")
	b.fill(20, 3)
	text, err := b.log.Receipt(t.Context(), 7, 20)
	if err != nil {
		t.Fatal(err)
	}
	return b, text
}

func TestReceipt(t *testing.T) {
	b, text := receiptBench(t)
	got, err := VerifyReceipt(text, b.log.PublicKey())
	if err != nil {
		t.Fatal(err)
	}
	list, err := b.log.Of(t.Context(), 7, 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(list[0], got); diff != "" {
		t.Error(diff)
	}
	if !bytes.Contains(text, []byte(`"who":"Dr. Núñez"`)) {
		t.Error("the entry cannot be read in the receipt")
	}
	again, err := b.log.Receipt(t.Context(), 7, 20)
	if err != nil || !bytes.Equal(text, again) {
		t.Error("a second receipt of the same entry differs", err)
	}
	if _, err := VerifyReceipt(bytes.ReplaceAll(text, []byte("\n"), []byte("\r\n")), b.log.PublicKey()+"\n"); err != nil {
		t.Errorf("with Windows line ends: %v", err)
	}
}

// Every byte matters: whichever bit of whichever byte is flipped, the receipt is refused. None is decoration.
func TestReceiptEveryBitMatters(t *testing.T) {
	b, text := receiptBench(t)
	for i := range text {
		for bit := range 8 {
			changed := bytes.Clone(text)
			changed[i] ^= 1 << bit
			if _, err := VerifyReceipt(changed, b.log.PublicKey()); !errors.Is(err, ErrReceipt) {
				t.Fatalf("byte %d %q as %q: %v", i, text[i], changed[i], err)
			}
		}
		if _, err := VerifyReceipt(text[:i], b.log.PublicKey()); err == nil {
			t.Fatalf("cut to %d bytes: accepted", i)
		}
		if _, err := VerifyReceipt(append(text[:i:i], text[i+1:]...), b.log.PublicKey()); err == nil {
			t.Fatalf("byte %d %q left out: accepted", i, text[i])
		}
	}
}

func TestReceiptRefuses(t *testing.T) {
	b, text := receiptBench(t)
	s := string(text)
	salt := field(t, s, "salt: ")
	other, err := b.log.Receipt(t.Context(), 8, 21)
	if err != nil {
		t.Fatal(err)
	}
	for name, changed := range map[string]string{
		// The commitment hashes salt and entry in one run, so a byte must not be able to change sides.
		"a byte from entry to salt":    strings.Replace(strings.Replace(s, `entry: {`, `entry: `, 1), salt, salt+"7b", 1),
		"a byte from salt to entry":    strings.Replace(strings.Replace(s, `entry: {`, "entry: "+string(rune(0x41))+"{", 1), salt, salt[2:], 1),
		"another index":                strings.Replace(s, "index: 20", "index: 21", 1),
		"another chart":                strings.Replace(s, "chart: 7", "chart: 8", 1),
		"chart with a sign":            strings.Replace(s, "chart: 7", "chart: +7", 1),
		"another entry's place":        strings.Replace(string(other), field(t, string(other), "entry: "), field(t, s, "entry: "), 1),
		"a second entry line":          strings.Replace(s, "entry: ", "entry: {}\nentry: ", 1),
		"two proof lines swapped":      swapProof(t, s),
		"one proof line more":          strings.Replace(s, "\nproof: ", "\nproof: "+field(t, s, "proof: ")+"\nproof: ", 1),
		"words behind":                 s + "and much more\n",
		"words before":                 "See below.\n" + s,
		"unused bits of the signature": looseSignature(s),
		"upper-case hex":               strings.Replace(s, salt, strings.ToUpper(salt), 1),
		"nothing":                      "",
	} {
		if _, err := VerifyReceipt([]byte(changed), b.log.PublicKey()); !errors.Is(err, ErrReceipt) {
			t.Errorf("%s: %v", name, err)
		} else if strings.Contains(err.Error(), "Dr.") {
			t.Errorf("%s: the error tells the entry: %v", name, err)
		}
	}
	_, stranger, err := newSigner(origin, random(32))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := VerifyReceipt(text, stranger); !errors.Is(err, ErrReceipt) {
		t.Errorf("with another key: %v", err)
	}
	if _, err := VerifyReceipt(text, "no key"); err == nil {
		t.Error("with no key: accepted")
	}
}

// A witness's line beside ours would be text that no check of this version covers.
func TestReceiptHoldsOneSignature(t *testing.T) {
	b, text := receiptBench(t)
	other, err := b.log.Receipt(t.Context(), 8, 21)
	if err != nil {
		t.Fatal(err)
	}
	sig := string(other[strings.LastIndex(string(other), "— "):])
	if _, err := VerifyReceipt([]byte(string(text)+strings.Replace(sig, origin, "somebody", 1)), b.log.PublicKey()); !errors.Is(err, ErrReceipt) {
		t.Errorf("got %v", err)
	}
}

func field(t *testing.T, text, name string) string {
	t.Helper()
	_, rest, ok := strings.Cut(text, "\n"+name)
	if !ok {
		t.Fatalf("no line %q", name)
	}
	value, _, _ := strings.Cut(rest, "\n")
	return value
}

// looseSignature spells the same signature differently: two bits of its last base64 digit mean nothing.
func looseSignature(text string) string {
	const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	last := len(text) - len("x=\n")
	return text[:last] + string(digits[strings.IndexByte(digits, text[last])+1]) + "=\n"
}

func swapProof(t *testing.T, text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, "proof: ") {
			lines[i], lines[i+1] = lines[i+1], lines[i]
			return strings.Join(lines, "\n")
		}
	}
	t.Fatal("no proof lines")
	return ""
}

func TestReceiptOfOthers(t *testing.T) {
	b, _ := receiptBench(t)
	for _, at := range [][2]int64{{8, 20}, {7, 21}, {7, 10000}, {7, -1}} {
		if _, err := b.log.Receipt(t.Context(), at[0], at[1]); !errors.Is(err, ErrNoEntry) {
			t.Errorf("chart %d, index %d: %v", at[0], at[1], err)
		}
	}
}

// What opens under the chart's key must also be what the tree holds.
func TestChangedCommitmentIsRefused(t *testing.T) {
	storetest.SQLiteOnly(t, "it speaks SQLite's own SQL")
	b, _ := receiptBench(t)
	err := b.db.Write(t.Context(), func(tx *store.Tx) error {
		_, err := tx.Exec(t.Context(), `UPDATE audit_block SET hashes = zeroblob(32) WHERE first = 20`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.log.Of(t.Context(), 7, 0, 5); !errors.Is(err, ErrTampered) {
		t.Errorf("Of: %v", err)
	}
	if _, err := b.log.Receipt(t.Context(), 7, 20); !errors.Is(err, ErrTampered) {
		t.Errorf("Receipt: %v", err)
	}
}

// A receipt that its reader could not verify is not handed out.
func TestReceiptOverChangedTreeIsRefused(t *testing.T) {
	storetest.SQLiteOnly(t, "it speaks SQLite's own SQL")
	b, _ := receiptBench(t)
	err := b.db.Write(t.Context(), func(tx *store.Tx) error {
		_, err := tx.Exec(t.Context(), `UPDATE audit_tile SET data = zeroblob(length(data))`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.log.Receipt(t.Context(), 7, 20); !errors.Is(err, ErrTampered) {
		t.Errorf("Receipt: %v", err)
	}
}

// An entry may be any bytes, and the receipt of the newest entry needs no wait for the next second.
func TestReceiptOfAnyBytes(t *testing.T) {
	b := newBench(t)
	for i, plain := range []string{"", "x", "two\nlines", "tab\t", "\xff\xfe", " ", "a\r\n\r\ncheckpoint:\r\n", "\u2028", "checkpoint:", "é", string(random(3000)), "\x00"} {
		b.durable(1, plain)
		text, err := b.log.Receipt(t.Context(), 1, int64(i))
		if err != nil {
			t.Fatalf("%q: %v", plain, err)
		}
		got, err := VerifyReceipt(text, b.log.PublicKey())
		if err != nil || string(got.Plain) != plain {
			t.Errorf("%q became %q, %v", plain, got.Plain, err)
		}
	}
}

// Receipts in patients' hands must stay valid for ever, so one made by the first version is kept.
func TestOldReceiptStaysValid(t *testing.T) {
	const file, entry = "testdata/receipt.txt", `{"at":"2026-11-22T10:00:00Z","who":"Dr. Núñez","what":"opened the record"}`
	_, vkey, err := newSigner(origin, seed[:])
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		_, text := receiptBench(t)
		if err := os.WriteFile(file, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	got, err := VerifyReceipt(text, vkey)
	if err != nil || string(got.Plain) != entry || got.Index != 20 || got.Chart != 7 {
		t.Errorf("%+v, %v", got, err)
	}
}
