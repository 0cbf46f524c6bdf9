package main

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
)

func TestTrain(t *testing.T) {
	var lines strings.Builder
	for i := range 500 {
		fmt.Fprintf(&lines, `{"resourceType":"Condition","id":"c%d","clinicalStatus":{"coding":[{"code":"active"}]},"code":{"text":"condition number %d"}}`+"\n", i*37, i)
	}
	var out bytes.Buffer
	if err := train(strings.NewReader(lines.String()), &out, 7, 8<<10, 300); err != nil {
		t.Fatal(err)
	}
	info, err := zstd.InspectDictionary(out.Bytes())
	if err != nil || info.ID() != 7 {
		t.Fatalf("not a dictionary with number 7: %v", err)
	}
	for _, bad := range []struct {
		id    uint32
		lines string
	}{{0, lines.String()}, {65536, lines.String()}, {1, "too\nfew\n"}} {
		if err := train(strings.NewReader(bad.lines), &out, bad.id, 8<<10, 300); err == nil {
			t.Errorf("id %d with %d bytes was accepted", bad.id, len(bad.lines))
		}
	}
}
