package vault

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"
)

// TestDictionaryGain says what the embedded dictionary saves on bundles and single resources that it has never seen.
func TestDictionaryGain(t *testing.T) {
	corpus := os.Getenv("WELLGATE_CORPUS")
	if corpus == "" {
		t.Skip("WELLGATE_CORPUS names no folder of synthetic patients")
	}
	none, err := newCodec(fstest.MapFS{}, MaxPlain)
	if err != nil {
		t.Fatal(err)
	}
	with, err := sharedCodec()
	if err != nil {
		t.Fatal(err)
	}
	for _, folder := range []string{"r4-2019", "uscore-2021", "uscore-2022"} {
		files, _ := filepath.Glob(filepath.Join(corpus, "synthea", folder, "*.json.gz"))
		var whole, wholeNone, wholeWith, one, oneNone, oneWith int
		for _, f := range files {
			var doc struct {
				Entry []struct{ Resource json.RawMessage }
			}
			if err := json.Unmarshal(gunzipped(t, f), &doc); err != nil {
				t.Fatal(err)
			}
			var all []byte
			for i, e := range doc.Entry {
				var b bytes.Buffer
				if err := json.Compact(&b, e.Resource); err != nil {
					t.Fatal(err)
				}
				all = append(all, b.Bytes()...)
				if i%7 == 0 && b.Len() < 8<<10 {
					one, oneNone, oneWith = one+b.Len(), oneNone+packed(none, b.Bytes()), oneWith+packed(with, b.Bytes())
				}
			}
			whole, wholeNone, wholeWith = whole+len(all), wholeNone+packed(none, all), wholeWith+packed(with, all)
		}
		t.Logf("%s: bundles %.4f without, %.4f with; single resources %.3f without, %.3f with (bytes a byte)", folder,
			float64(wholeNone)/float64(whole), float64(wholeWith)/float64(whole), float64(oneNone)/float64(one), float64(oneWith)/float64(one))
		if with.newest == 0 {
			t.Fatal("there is no dictionary")
		}
		if oneWith*3 > oneNone*2 || wholeWith > wholeNone { // at least a third of a single resource
			t.Errorf("%s: the dictionary does not pay", folder)
		}
	}
}

func packed(c *codec, plain []byte) int {
	_, _, body := c.pack(plain)
	return len(body)
}

func gunzipped(t *testing.T, file string) []byte {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func BenchmarkPack(b *testing.B) {
	none, err := newCodec(fstest.MapFS{}, MaxPlain)
	if err != nil {
		b.Fatal(err)
	}
	with, err := sharedCodec()
	if err != nil {
		b.Fatal(err)
	}
	one := []byte(`{"resourceType":"Observation","id":"abcdefghijklmnopqrstuvwxyz-1.2","status":"final","category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"laboratory","display":"laboratory"}]}],"code":{"coding":[{"system":"http://loinc.org","code":"2339-0","display":"Glucose"}],"text":"Glucose"},"subject":{"reference":"Patient/abcdefghijklmnopqrstuvwxyz-1.0"},"valueQuantity":{"value":5.4}}`)
	for name, plain := range map[string][]byte{"head": random(48), "one": one, "many": bytes.Repeat(one, 800)} {
		for dict, c := range map[string]*codec{"none": none, "dict": with} {
			b.Run(name+"/"+dict, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if coding, _, body := c.pack(plain); coding == codingZstd {
						c.release(body)
					}
				}
			})
		}
	}
}
