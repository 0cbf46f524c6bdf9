package raw

import (
	"strings"
	"testing"
)

func TestSkip(t *testing.T) {
	long := strings.Repeat("x", 40)
	for _, value := range []string{`""`, `"a"`, `"\""`, `"\\"`, `"\\\""`, `"` + long + `"`, `"` + long + `\""`, `"` + long + `\\"`,
		`"` + strings.Repeat("x", 22) + `\"a"`, `"` + strings.Repeat("x", 23) + `\"a"`, `"` + strings.Repeat("x", 24) + `\"a"`, `"` + strings.Repeat(`\\`, 30) + `"`,
		`{}`, `[]`, `{"a":["}",{"b":"]"}]}`, `1.5e3`, `true`, `null`} {
		for _, rest := range []string{"", `,"b":1}`, `}`, `]`} {
			if got := Skip([]byte(value+rest), 0); got != len(value) {
				t.Errorf("Skip(%s%s) = %d, want %d", value, rest, got, len(value))
			}
		}
	}
}

func TestMembersElementsGet(t *testing.T) {
	b := []byte(`{"a":1,"\u0062\"":{"c":[1,"x",[2]]},"":null}`)
	got := ""
	for name, v := range Members(b) {
		got += name + "=" + string(v) + ";"
	}
	if got != `a=1;b"={"c":[1,"x",[2]]};=null;` {
		t.Error(got)
	}
	if string(Get(b, `b"`)) != `{"c":[1,"x",[2]]}` || Get(b, "c") != nil || string(Get(b, "")) != "null" || Get([]byte(`[1]`), "a") != nil {
		t.Error("Get")
	}
	got = ""
	for e := range Elements(Get(Get(b, `b"`), "c")) {
		got += string(e) + ";"
	}
	if got != `1;"x";[2];` {
		t.Error(got)
	}
	if Depth(b) != 4 || string(Compact([]byte(" { \"a b\" :\n[ 1 , \"\\\" \" ] } "))) != `{"a b":[1,"\" "]}` {
		t.Error("Depth or Compact")
	}
}

// On text that is no JSON the answers are useless, but there are answers.
func FuzzNoPanic(f *testing.F) {
	for _, s := range []string{`{"a":[1,"\`, `{"a`, `{"a"`, `{"a":`, `[`, `"`, `{"\":1}`, `{"":"`, "{\"\\u00"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for name, v := range Members(b) {
			Get(v, name)
			String(v)
		}
		for e := range Elements(b) {
			Skip(e, 0)
		}
		Depth(b)
		Compact(append([]byte(nil), b...))
	})
}
