package vault

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/klauspost/compress/dict"
	"github.com/klauspost/compress/zstd"

	"github.com/wellgate/wellgate/store"
)

// sample is one made-up record; they resemble each other as records do.
func sample(i int) []byte {
	return fmt.Appendf(nil, `{"resourceType":"Observation","id":"o%d","status":"final","category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"laboratory"}]}],"code":{"coding":[{"system":"http://loinc.org","code":"%d-%d"}]},"valueQuantity":{"value":%d.%d,"unit":"mg/dL","system":"http://unitsofmeasure.org"}}`,
		i*7919, i*31%9999, i%10, i*17%300, i%10)
}

func trained(t *testing.T, id uint32) []byte {
	t.Helper()
	var samples [][]byte
	for i := range 400 {
		samples = append(samples, sample(i))
	}
	d, err := dict.BuildZstdDict(samples, dict.Options{MaxDictSize: 16 << 10, HashBytes: 6, ZstdDictID: id, ZstdLevel: zstd.SpeedFastest})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// What an older program sealed, with an older dictionary or none, opens for ever; what a newer one sealed is refused
// with the reason.
func TestDictionaries(t *testing.T) {
	first, second := trained(t, 1), trained(t, 2)
	folders := []fstest.MapFS{
		{"README.md": {Data: []byte("x")}},
		{"001.zdict": {Data: first}},
		{"001.zdict": {Data: first}, "002.zdict": {Data: second}},
	}
	var codecs []*codec
	for _, f := range folders {
		c, err := newCodec(f, MaxPlain)
		if err != nil {
			t.Fatal(err)
		}
		codecs = append(codecs, c)
	}
	plain := sample(5000)
	sizes := []int{}
	for wrote, c := range codecs {
		coding, id, body := c.pack(plain)
		body = bytes.Clone(body)
		if coding != codingZstd || int(id) != wrote {
			t.Fatalf("codec %d packed with coding %d, dictionary %d", wrote, coding, id)
		}
		sizes = append(sizes, len(body))
		for reads, r := range codecs {
			got, err := r.unpack(id, body)
			if reads < wrote {
				if !errors.Is(err, ErrOpen) || !strings.Contains(err.Error(), "newer version") {
					t.Errorf("codec %d on dictionary %d: %v", reads, wrote, err)
				}
				continue
			}
			if err != nil || !bytes.Equal(got, plain) {
				t.Errorf("codec %d on dictionary %d: %v", reads, wrote, err)
			}
		}
	}
	if sizes[1]*2 > sizes[0] {
		t.Errorf("the dictionary does not help: %v bytes", sizes)
	}
}

func TestDictionaryFilesAreChecked(t *testing.T) {
	good := trained(t, 3)
	for name, data := range map[string][]byte{"004.zdict": good, "x.zdict": good, "000.zdict": good, "70000.zdict": good, "003.zdict": []byte("no")} {
		if _, err := newCodec(fstest.MapFS{name: {Data: data}}, MaxPlain); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
	if _, err := sharedCodec(); err != nil { // those that ship
		t.Fatal(err)
	}
}

func TestPackKeepsTheSmaller(t *testing.T) {
	c, err := newCodec(fstest.MapFS{}, 4<<20)
	if err != nil {
		t.Fatal(err)
	}
	noise := random(100_000)
	if coding, _, body := c.pack(noise); coding != codingRaw || !bytes.Equal(body, noise) {
		t.Errorf("noise: coding %d, %d bytes", coding, len(body))
	}
	if coding, _, body := c.pack(make([]byte, 100_000)); coding != codingZstd || len(body) > 100 {
		t.Errorf("zeros: coding %d, %d bytes", coding, len(body))
	}
}

// A frame that claims or holds more than a record may is refused before memory is spent on it.
func TestUnpackIsCapped(t *testing.T) {
	c, err := newCodec(fstest.MapFS{}, 4<<20)
	if err != nil {
		t.Fatal(err)
	}
	w, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	if err != nil {
		t.Fatal(err)
	}
	var bomb bytes.Buffer
	w.Reset(&bomb)
	block := make([]byte, 1<<20)
	for range 6 {
		if _, err := w.Write(block); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for name, frame := range map[string][]byte{"unsized": bomb.Bytes(), "sized": w.EncodeAll(make([]byte, 6<<20), nil)} {
		if _, err := c.unpack(0, frame); !errors.Is(err, ErrOpen) {
			t.Errorf("%s bomb of %d bytes: %v", name, len(frame), err)
		}
	}
	if got, err := c.unpack(0, w.EncodeAll(make([]byte, 4<<20), nil)); err != nil || len(got) != 4<<20 {
		t.Errorf("as much as allowed: %d bytes, %v", len(got), err)
	}
}

// XAES-256-GCM is public: the vectors of c2sp.org/XAES-256-GCM say whether the derivation is its.
func TestRecordKeyIsXAES(t *testing.T) {
	// Key 01 × 32, nonce "ABCDEFGHIJKL…": Kx is derived from the first 12 bytes of the nonce.
	plain := bytes.Repeat([]byte{1}, 32)
	k := keyOver(bytes.Clone(plain))
	key, _ := k.recordKey([]byte("ABCDEFGHIJKL"))
	if got := fmt.Sprintf("%x", key); got != "c8612c9ed53fe43e8e005b828a1631a0bbcb6ab2f46514ec4f439fcfd0fa969b" {
		t.Fatalf("derived %s", got)
	}
}

// The record check differs for every key and salt, so no sealed record can name two keys.
func TestKeyCheck(t *testing.T) {
	a, b := keyOver(random(32)), keyOver(random(32))
	salt, other := random(saltLen), random(saltLen)
	keyA, checkA := a.recordKey(salt)
	keyB, checkB := b.recordKey(salt)
	keyC, checkC := a.recordKey(other)
	if checkA == checkB || checkA == checkC || keyA == keyB || keyA == keyC || bytes.Equal(keyA[:16], checkA[:]) {
		t.Fatal("keys or checks repeat")
	}
	if keyAgain, checkAgain := a.recordKey(salt); keyAgain != keyA || checkAgain != checkA {
		t.Fatal("not deterministic")
	}
}

// Even the same keys open nothing in another practice.
func TestPlacesNameThePractice(t *testing.T) {
	codec, err := sharedCodec()
	if err != nil {
		t.Fatal(err)
	}
	plain := random(32)
	keks := map[uint32]*kek{1: newKEK(1, plain)}
	a := &Vault{db: &store.DB{}, practice: [16]byte{1}, codec: codec, keks: keks, last: 1}
	b := &Vault{db: &store.DB{}, practice: [16]byte{2}, codec: codec, keks: keks, last: 1}
	wrapped := a.wrap(keks[1], "chart/1", plain)
	if _, err := a.unwrap(t.Context(), "chart/1", wrapped); err != nil {
		t.Fatal(err)
	}
	if _, err := b.unwrap(t.Context(), "chart/1", wrapped); !errors.Is(err, ErrOpen) {
		t.Errorf("a key of another practice: %v", err)
	}
	at := Place{Chart: 1, Kind: KindLog, Seq: 1}
	sealed, err := a.newKey(plain).Seal(at, []byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.newKey(plain).Open(at, sealed); !errors.Is(err, ErrOpen) {
		t.Errorf("a record of another practice: %v", err)
	}
}
