// Command samples writes made-up resources, one per line, for training a compression dictionary: records of the demo, and
// resources in the shapes that other systems send, with the codes, profiles and extensions that are common in the field.
// The same flags give the same lines.
//
//	go run ./demo/samples | go run ./trust/vault/dicttrain -id 1 > trust/vault/dict/001.zdict
//
// What it writes ends up in clear in the program: nothing here may come from anybody's data.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/wellgate/wellgate/demo"
	"github.com/wellgate/wellgate/fhir"
)

func main() {
	practices := flag.Int("practices", 2, "how many demo practices")
	each := flag.Int("each", 400, "how many resources of each common shape")
	flag.Parse()
	if err := write(os.Stdout, *practices, *each); err != nil {
		fmt.Fprintln(os.Stderr, "samples:", err)
		os.Exit(1)
	}
}

func write(to io.Writer, practices, each int) error {
	out := bufio.NewWriter(to)
	put := func(s string) { out.WriteString(s + "\n") }
	for seed := range practices {
		p, err := demo.Generate(uint64(seed+1), time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC))
		if err != nil {
			return err
		}
		for i, patient := range p.Patients {
			if i%3 != 0 { // a third of it is enough
				continue
			}
			for _, r := range append([]fhir.Resource{patient.Resource}, patient.Record...) {
				if len(r.Raw()) < 8<<10 {
					put(string(r.Raw()))
				}
			}
		}
	}
	m := maker{Rand: rand.New(rand.NewPCG(7, 11))}
	for range each {
		m.front = m.letters(26) // ids of one record share their front
		for _, s := range shapes {
			for range s.weight {
				put(m.fill(s.text))
			}
		}
		for _, s := range lines {
			put(m.fill(s))
		}
	}
	return out.Flush()
}

// A maker fills the places of a shape: «name» or «name argument».
type maker struct {
	*rand.Rand
	front string
}

func (m maker) fill(text string) string {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(text, "«")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		place, after, _ := strings.Cut(rest, "»")
		text = after
		name, arg, _ := strings.Cut(place, " ")
		b.WriteString(m.value(name, arg))
	}
}

func (m maker) value(name, arg string) string {
	day := time.Date(1990+m.IntN(36), time.Month(1+m.IntN(12)), 1+m.IntN(28), m.IntN(24), m.IntN(60), m.IntN(60), 0, time.UTC)
	switch name {
	case "id":
		return m.front + "-" + strconv.FormatInt(1+m.Int64N(3), 36) + "." + strconv.FormatInt(m.Int64N(1200), 36)
	case "other": // something of the practice
		return m.letters(26) + "-" + m.letters(16)
	case "letters":
		return m.letters(26)
	case "hex":
		return fmt.Sprintf("%012x", m.Uint64()&0xffffffffffff)
	case "uuid":
		return fmt.Sprintf("%08x-%04x-4%03x-%04x-%012x", m.Uint32(), m.Uint32()&0xffff, m.Uint32()&0xfff, m.Uint32()&0xffff, m.Uint64()&0xffffffffffff)
	case "date":
		return day.Format(time.DateOnly)
	case "time":
		return day.Format("2006-01-02T15:04:05") + m.of("Z", "-04:00", "-05:00", "+00:00", "-06:00", "-07:00")
	case "milli":
		return day.Format("2006-01-02T15:04:05.") + fmt.Sprintf("%03d", m.IntN(1000)) + m.of("Z", "-04:00", "-05:00", "+00:00")
	case "n":
		most, _ := strconv.Atoi(arg)
		return strconv.Itoa(1 + m.IntN(max(1, most)))
	case "dec":
		return strconv.FormatFloat(m.Float64()*200, 'f', m.IntN(5), 64)
	case "of":
		return m.of(strings.Split(arg, "|")...)
	case "concept": // system|code|display…
		f := strings.Split(concepts[arg][m.IntN(len(concepts[arg]))], "|")
		return fmt.Sprintf(`"coding":[{"system":"%s","code":"%s","display":"%s"}],"text":"%s"`, systems[arg], f[0], f[1], f[1])
	case "coding":
		f := strings.Split(concepts[arg][m.IntN(len(concepts[arg]))], "|")
		return fmt.Sprintf(`"system":"%s","code":"%s","display":"%s"`, systems[arg], f[0], f[1])
	case "given":
		return m.of("James", "Mary", "Robert", "Patricia", "John", "Jennifer", "Michael", "Linda", "David", "Elizabeth", "Maria", "José", "Aisha", "Wei", "Olga")
	case "family":
		return m.of("Smith", "Johnson", "Williams", "Brown", "Jones", "Garcia", "Miller", "Davis", "Rodriguez", "Martinez", "Nguyen", "Kim", "Haddad", "Ivanova")
	case "phone":
		return fmt.Sprintf("555-%03d-%04d", m.IntN(1000), m.IntN(10000))
	}
	panic("samples: no such place: " + name)
}

func (m maker) of(choices ...string) string { return choices[m.IntN(len(choices))] }

func (m maker) letters(n int) string {
	const alphabet = "abcdefghijklmnopqrstuvwxyz234567"
	b := make([]byte, n)
	for i := range b {
		b[i] = alphabet[m.IntN(len(alphabet))]
	}
	return string(b)
}
