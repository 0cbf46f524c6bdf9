package main

import (
	"bytes"
	"context"
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode/utf16"

	"github.com/wellgate/wellgate/store"
)

// A lookout knows the canaries in every form that a program may write them in, and finds them in bytes.
type lookout struct {
	byHead map[[4]byte][]form
}

type form struct {
	bytes []byte
	name  string // "street, base64"
}

// watch adds one canary: as it is, lower case, UTF-16, hex, base64 at each of its three alignments, base32, JSON and URL escapes.
func (l *lookout) watch(name, value string) {
	add := func(how string, b []byte) {
		if len(b) < 4 {
			return
		}
		if l.byHead == nil {
			l.byHead = map[[4]byte][]form{}
		}
		head := [4]byte(b)
		if !slices.ContainsFunc(l.byHead[head], func(f form) bool { return bytes.Equal(f.bytes, b) }) {
			l.byHead[head] = append(l.byHead[head], form{b, name + ", " + how})
		}
	}
	raw := []byte(value)
	add("clear", raw)
	add("lower case", []byte(strings.ToLower(value)))
	var wide, swapped, escaped []byte
	for _, u := range utf16.Encode([]rune(value)) {
		wide = append(wide, byte(u), byte(u>>8))
		swapped = append(swapped, byte(u>>8), byte(u))
		if u < 0x80 {
			escaped = append(escaped, byte(u))
		} else {
			escaped = fmt.Appendf(escaped, `\u%04x`, u)
		}
	}
	add("UTF-16LE", wide)
	add("UTF-16BE", swapped)
	add("JSON escapes", escaped)
	add("hex", []byte(hex.EncodeToString(raw)))
	add("HEX", []byte(strings.ToUpper(hex.EncodeToString(raw))))
	add("query", []byte(url.QueryEscape(value)))
	add("path", []byte(url.PathEscape(value)))
	for _, text := range [][]byte{raw, wide} {
		for skip := range 3 { // what stands before shifts the letters; the first and last group mix with the neighbours
			cut := text[min(skip, len(text)):]
			cut = cut[:len(cut)/3*3]
			add(fmt.Sprintf("base64+%d", skip), []byte(base64.StdEncoding.EncodeToString(cut)))
			add(fmt.Sprintf("base64url+%d", skip), []byte(base64.URLEncoding.EncodeToString(cut)))
		}
	}
	add("base32", []byte(base32.StdEncoding.EncodeToString(raw[:len(raw)/5*5])))
}

// find names the canaries in b.
func (l *lookout) find(b []byte) []string {
	hits := map[string]bool{}
	for i := 0; i+4 <= len(b); i++ {
		for _, f := range l.byHead[[4]byte(b[i:])] {
			if bytes.HasPrefix(b[i:], f.bytes) {
				hits[f.name] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(hits))
}

// folder looks through every byte of every file, and the files' names.
func (l *lookout) folder(t *testing.T, dir string) (hits []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil // a temporary file may go while we look
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return nil
		}
		for _, h := range l.find(append([]byte(d.Name()+"\n"), b...)) {
			hits = append(hits, d.Name()+": "+h)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return hits
}

// columns looks through every value of every table as the database gives it back, whole: pages split what is long.
func (l *lookout) columns(t *testing.T, dir string) (hits []string, values int) {
	t.Helper()
	ctx := context.Background()
	db, err := store.Open(ctx, "sqlite:"+filepath.Join(dir, storeFile))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.Query(ctx, "SELECT name FROM sqlite_master WHERE type = 'table'")
	if err != nil {
		t.Fatal(err)
	}
	var tables []string
	for rows.Next() {
		var n string
		if err := rows.Scan(&n); err != nil {
			t.Fatal(err)
		}
		tables = append(tables, n)
	}
	rows.Close()
	for _, table := range tables {
		found, n := l.table(t, db, table)
		hits, values = append(hits, found...), values+n
	}
	return hits, values
}

func (l *lookout) table(t *testing.T, db *store.DB, table string) (hits []string, values int) {
	t.Helper()
	rows, err := db.Query(context.Background(), "SELECT * FROM "+table)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		cells, into := make([]any, len(names)), make([]any, len(names))
		for i := range cells {
			into[i] = &cells[i]
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		for i, c := range cells {
			b, ok := c.([]byte)
			if !ok {
				b = fmt.Append(nil, c)
			}
			values++
			for _, h := range l.find(b) {
				hits = append(hits, fmt.Sprintf("%s.%s: %s", table, names[i], h))
			}
		}
	}
	return hits, values
}

// An overhearer stands at the door and keeps what leaves the page: addresses, titles and headers. Bodies it only remembers,
// to prove that the canaries were really there.
type overhearer struct {
	next http.Handler
	mu   sync.Mutex
	out  []string // "title of /x: words"
	body bytes.Buffer

	cookies []string
}

var (
	addressText = regexp.MustCompile(`(?i)\s(?:href|src|action|formaction|data-[a-z-]*(?:url|href|src))="([^"]*)"`)
	ownDevice   = regexp.MustCompile(`^(tel|mailto|otpauth):`) // a click opens a program on the person's own device, no server hears of it
	titleText   = regexp.MustCompile(`(?is)<title>(.*?)</title>`)
)

func (o *overhearer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rec := httptest.NewRecorder()
	o.next.ServeHTTP(rec, r)
	body := rec.Body.Bytes()
	o.mu.Lock()
	defer o.mu.Unlock()
	say := func(what, text string) { o.out = append(o.out, what+" of "+r.URL.Path+": "+text) }
	say("address", r.URL.String())
	say("referrer", r.Header.Get("Referer"))
	for k, vs := range rec.Header() {
		if k == "Content-Disposition" { // the name of a file that a person downloads is the person's
			continue
		}
		for _, v := range vs {
			if k == "Set-Cookie" {
				o.cookies = append(o.cookies, v)
				continue
			}
			say("header "+k, v)
		}
	}
	for _, m := range addressText.FindAllSubmatch(body, -1) {
		if !ownDevice.Match(m[1]) {
			say("link", string(m[1]))
		}
	}
	for _, m := range titleText.FindAllSubmatch(body, -1) {
		say("title", string(m[1]))
	}
	o.body.Write(body)
	maps.Copy(w.Header(), rec.Header())
	w.WriteHeader(rec.Code)
	w.Write(body)
}
