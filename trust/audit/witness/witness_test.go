package witness

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/wellgate/wellgate/internal/clock"
)

var (
	seed  = sha256.Sum256([]byte("a witness's key for tests"))
	still = time.Date(2026, 12, 1, 2, 0, 0, 0, time.UTC)
)

// A testLog is a tree in memory with a signer.
type testLog struct {
	t      *testing.T
	sign   note.Signer
	key    string
	hashes []tlog.Hash
	size   int64
}

func newLog(t *testing.T, origin string) *testLog {
	t.Helper()
	s := sha256.Sum256([]byte(origin))
	private := ed25519.NewKeyFromSeed(s[:])
	key, err := note.NewEd25519VerifierKey(origin, private.Public().(ed25519.PublicKey))
	if err != nil {
		t.Fatal(err)
	}
	secret := base64.StdEncoding.EncodeToString(append([]byte{1}, s[:]...))
	sign, err := note.NewSigner("PRIVATE+KEY+" + origin + "+" + strings.Split(key, "+")[1] + "+" + secret)
	if err != nil {
		t.Fatal(err)
	}
	return &testLog{t: t, sign: sign, key: key}
}

func (l *testLog) ReadHashes(at []int64) ([]tlog.Hash, error) {
	var out []tlog.Hash
	for _, i := range at {
		out = append(out, l.hashes[i])
	}
	return out, nil
}

func (l *testLog) add(n int, what string) {
	for range n {
		h, err := tlog.StoredHashes(l.size, fmt.Appendf(nil, "%s %d", what, l.size), l)
		if err != nil {
			l.t.Fatal(err)
		}
		l.hashes = append(l.hashes, h...)
		l.size++
	}
}

// fork is a copy that goes its own way.
func (l *testLog) fork() *testLog {
	c := *l
	c.hashes = append([]tlog.Hash(nil), l.hashes...)
	return &c
}

func (l *testLog) checkpoint(size int64) []byte {
	l.t.Helper()
	root, err := tlog.TreeHash(size, l)
	if err != nil {
		l.t.Fatal(err)
	}
	b, err := note.Sign(&note.Note{Text: fmt.Sprintf("%s\n%d\n%s\n", l.sign.Name(), size, root)}, l.sign)
	if err != nil {
		l.t.Fatal(err)
	}
	return b
}

func (l *testLog) proof(old, size int64) tlog.TreeProof {
	l.t.Helper()
	if old == 0 || old >= size {
		return nil
	}
	p, err := tlog.ProveTree(size, old, l)
	if err != nil {
		l.t.Fatal(err)
	}
	return p
}

func newServer(t *testing.T, dir string, keys ...string) *Server {
	t.Helper()
	s, err := NewServer(Config{Name: "witness.test/w1", Seed: seed[:], Dir: dir, Logs: keys, Clock: clock.At(still)})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func ask(s http.Handler, body []byte) *httptest.ResponseRecorder {
	rec := httptest.NewRecorder()
	s.ServeHTTP(rec, httptest.NewRequest("POST", Path, bytes.NewReader(body)))
	return rec
}

func (l *testLog) ask(s http.Handler, old, size int64) *httptest.ResponseRecorder {
	l.t.Helper()
	return ask(s, request{old: old, proof: l.proof(old, size), note: l.checkpoint(size)}.render())
}

// The checkpoint and the cosignature that c2sp.org/tlog-cosignature shows parse; its key is not given there, so the message is
// checked by our own reading of the text in TestIndependent.
func TestSpecExample(t *testing.T) {
	const example = "old 20852014\n" +
		"PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=\njrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=\n" +
		"5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=\n/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=\n\n" +
		"example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n" +
		"— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
	q, err := parseRequest([]byte(example))
	if err != nil || q.old != 20852014 || len(q.proof) != 4 || q.origin != "example.com/behind-the-sofa" {
		t.Fatalf("%+v, %v", q, err)
	}
	if string(q.render()) != example {
		t.Error("it is not written as it was read")
	}
	line := "jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA=="
	b, err := base64.StdEncoding.DecodeString(line)
	if err != nil || len(b) != 4+stampLen+ed25519.SignatureSize || binary.BigEndian.Uint64(b[4:]) != 1679315147 {
		t.Errorf("the cosignature is not of the length and time that the text says: %d, %v", len(b), err)
	}
	if got := string(message(1679315147, []byte("example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"))); got !=
		"cosignature/v1\ntime 1679315147\nexample.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n" {
		t.Errorf("the message differs from the text: %q", got)
	}
}

// A cosignature is checked by hand, from the words of tlog-cosignature and signed-note alone.
func TestIndependent(t *testing.T) {
	l := newLog(t, "log.test/a")
	l.add(5, "entry")
	s := newServer(t, t.TempDir(), l.key)
	rec := l.ask(s, 0, 5)
	if rec.Code != 200 {
		t.Fatal(rec.Code, rec.Body)
	}
	fields := strings.Split(strings.TrimSuffix(rec.Body.String(), "\n"), " ")
	if len(fields) != 3 || fields[0] != "—" || fields[1] != "witness.test/w1" {
		t.Fatalf("not a signature line: %q", rec.Body)
	}
	b, err := base64.StdEncoding.Strict().DecodeString(fields[2])
	if err != nil || len(b) != 4+8+64 {
		t.Fatal(len(b), err)
	}
	public := ed25519.NewKeyFromSeed(seed[:]).Public().(ed25519.PublicKey)
	id := sha256.Sum256(append([]byte("witness.test/w1\n\x04"), public...))
	if !bytes.Equal(b[:4], id[:4]) {
		t.Error("the key id is not SHA-256(name, line end, 4, key)")
	}
	text, _, _ := strings.Cut(string(l.checkpoint(5)), "\n\n")
	msg := fmt.Sprintf("cosignature/v1\ntime %d\n%s\n", binary.BigEndian.Uint64(b[4:12]), text)
	if !ed25519.Verify(public, []byte(msg), b[12:]) || int64(binary.BigEndian.Uint64(b[4:12])) != still.Unix() {
		t.Error("the signature is not over the words of the text")
	}
	// A log's verifier passes over the line.
	v, err := note.NewVerifier(l.key)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := note.Open(append(l.checkpoint(5), rec.Body.Bytes()...), note.VerifierList(v)); err != nil || len(n.UnverifiedSigs) != 1 {
		t.Error(n, err)
	}
}

func TestAnswers(t *testing.T) {
	l, other := newLog(t, "log.test/a"), newLog(t, "log.test/b")
	l.add(300, "entry")
	other.add(3, "entry")
	stranger := newLog(t, "log.test/a")
	wrong := sha256.Sum256([]byte("another key"))
	stranger.sign = mustSigner(t, "log.test/a", wrong[:])
	stranger.add(300, "entry")
	s := newServer(t, t.TempDir(), l.key)
	if rec := l.ask(s, 0, 100); rec.Code != 200 {
		t.Fatal(rec.Code, rec.Body)
	}
	fork := l.fork()
	fork.size, fork.hashes = 90, fork.hashes[:tlog.StoredHashIndex(0, 90)]
	fork.add(210, "another entry")
	for _, c := range []struct {
		name string
		body []byte
		code int
		text string
	}{
		{"unknown log", request{note: other.checkpoint(3)}.render(), 404, ""},
		{"another key of the log's name", request{old: 100, proof: stranger.proof(100, 200), note: stranger.checkpoint(200)}.render(), 403, ""},
		{"old beyond the checkpoint", request{old: 101, note: l.checkpoint(100)}.render(), 400, ""},
		{"from elsewhere", request{old: 50, proof: l.proof(50, 200), note: l.checkpoint(200)}.render(), 409, "100\n"},
		{"from nothing", request{note: l.checkpoint(200)}.render(), 409, "100\n"},
		{"an older copy", request{note: l.checkpoint(60)}.render(), 409, "100\n"},
		{"the same tree, another root", request{old: 100, note: fork.checkpoint(100)}.render(), 409, "100\n"},
		{"a fork", request{old: 100, proof: fork.proof(100, 200), note: fork.checkpoint(200)}.render(), 422, ""},
		{"no proof", request{old: 100, note: l.checkpoint(200)}.render(), 422, ""},
		{"proof too long", append([]byte("old 100\n"+strings.Repeat(tlog.Hash{}.String()+"\n", 64)+"\n"), l.checkpoint(200)...), 400, ""},
		{"zero before the size", append([]byte("old 0100\n\n"), l.checkpoint(100)...), 400, ""},
		{"no words", nil, 400, ""},
		{"too long", bytes.Repeat([]byte("a"), bodyMax+1), 400, ""},
	} {
		rec := ask(s, c.body)
		if rec.Code != c.code || c.text != "" && rec.Body.String() != c.text {
			t.Errorf("%s: %d %q, want %d %q", c.name, rec.Code, rec.Body, c.code, c.text)
		}
		if kind := rec.Header().Get("Content-Type"); rec.Code == 409 && kind != "text/x.tlog.size" {
			t.Errorf("%s: 409 with %s", c.name, kind)
		}
	}
	// The proof of the fork is told to whoever comes next, who goes on being cosigned.
	rec := l.ask(s, 100, 200)
	if rec.Code != 200 {
		t.Fatal(rec.Code, rec.Body)
	}
	proof, err := base64.StdEncoding.DecodeString(rec.Header().Get(Conflict))
	if err != nil || !bytes.Equal(proof, fork.checkpoint(100)) {
		t.Errorf("the fork is not told: %q", proof)
	}
	if rec := l.ask(s, 200, 200); rec.Code != 200 {
		t.Errorf("the same tree again: %d", rec.Code)
	}
}

func mustSigner(t *testing.T, origin string, seed []byte) note.Signer {
	t.Helper()
	key, err := note.NewEd25519VerifierKey(origin, ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey))
	if err != nil {
		t.Fatal(err)
	}
	s, err := note.NewSigner("PRIVATE+KEY+" + origin + "+" + strings.Split(key, "+")[1] + "+" + base64.StdEncoding.EncodeToString(append([]byte{1}, seed...)))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Whatever two copies of a log ask at once, and whenever the witness is started again from its disk: what was cosigned is one
// history.
func TestOneHistory(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	dir := t.TempDir()
	a := newLog(t, "log.test/a")
	a.add(40, "entry")
	b := a.fork()
	a.add(200, "left")
	b.add(200, "right")
	var mu sync.Mutex
	cosigned := map[int64]string{}
	largest := int64(0)
	for range 20 {
		s := newServer(t, dir, a.key)
		var work sync.WaitGroup
		for i := range 8 {
			l, old := a, s.kept.newest("log.test/a").Size
			if i%2 == 1 {
				l = b
			}
			size := old + rng.Int64N(12)
			if size == 0 || size > 240 {
				continue
			}
			body := request{old: old, proof: l.proof(old, size), note: l.checkpoint(size)}.render()
			root, _ := tlog.TreeHash(size, l)
			work.Go(func() {
				if ask(s, body).Code != 200 {
					return
				}
				mu.Lock()
				defer mu.Unlock()
				if was, ok := cosigned[size]; ok && was != root.String() {
					t.Errorf("two trees of %d were cosigned", size)
				}
				cosigned[size], largest = root.String(), max(largest, size)
			})
		}
		work.Wait()
	}
	if largest < 50 {
		t.Fatalf("only %d entries were cosigned", largest)
	}
	left, right := 0, 0
	for size, root := range cosigned {
		ra, _ := tlog.TreeHash(size, a)
		rb, _ := tlog.TreeHash(size, b)
		if size > 40 && root == ra.String() {
			left++
		}
		if size > 40 && root == rb.String() {
			right++
		}
	}
	if left > 0 && right > 0 {
		t.Errorf("both sides of the fork were cosigned: %d and %d", left, right)
	}
}

// A memory that is damaged stops the witness; it never begins anew by itself.
func TestDamagedMemory(t *testing.T) {
	dir := t.TempDir()
	l := newLog(t, "log.test/a")
	l.add(9, "entry")
	s := newServer(t, dir, l.key)
	if rec := l.ask(s, 0, 9); rec.Code != 200 {
		t.Fatal(rec.Code)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.newest"))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	whole, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	for i := range whole {
		changed := bytes.Clone(whole)
		changed[i] ^= 1
		if err := os.WriteFile(files[0], changed, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := NewServer(Config{Name: "w", Seed: seed[:], Dir: dir, Logs: []string{l.key}, Clock: clock.At(still)}); err == nil {
			t.Fatalf("byte %d changed: it starts", i)
		}
	}
}

// The client believes nothing that does not verify, goes nowhere else and reads no more than it must.
func TestClient(t *testing.T) {
	l := newLog(t, "log.test/a")
	l.add(20, "entry")
	s := newServer(t, t.TempDir(), l.key)
	var answer http.Handler = s
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { answer.ServeHTTP(w, r) }))
	defer srv.Close()
	c, err := NewClient(s.Key(), srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ctx := context.Background()
	a, err := c.Add(ctx, 0, nil, l.checkpoint(10))
	if err != nil || !a.At.Equal(still) || len(a.Line) == 0 {
		t.Fatalf("%+v %v", a, err)
	}
	var size SizeError
	if _, err := c.Add(ctx, 0, nil, l.checkpoint(20)); !errors.As(err, &size) || size.Size != 10 {
		t.Errorf("%v", err)
	}
	if _, err := c.Add(ctx, 10, nil, l.checkpoint(20)); !errors.Is(err, ErrProof) {
		t.Errorf("%v", err)
	}
	followed := false
	for name, h := range map[string]http.HandlerFunc{
		"another's line": func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, "— witness.test/w1 "+base64.StdEncoding.EncodeToString(make([]byte, 76))+"\n")
		},
		"an old line":   func(w http.ResponseWriter, r *http.Request) { w.Write(a.Line) },
		"nothing":       func(w http.ResponseWriter, r *http.Request) {},
		"without end":   func(w http.ResponseWriter, r *http.Request) { w.Write(bytes.Repeat([]byte("a"), 4*answerMax)) },
		"size in words": func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(409) },
		"elsewhere": func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/else" {
				followed = true
			}
			http.Redirect(w, r, "/else", http.StatusTemporaryRedirect)
		},
	} {
		answer = h
		if _, err := c.Add(ctx, 10, l.proof(10, 20), l.checkpoint(20)); err == nil {
			t.Errorf("%s: believed", name)
		}
	}
	if followed {
		t.Error("the client followed a redirect")
	}
	for _, bad := range []string{"http://witness.example", "ftp://witness.example", "https://u:p@witness.example", "https://witness.example/?a", "witness.example", ""} {
		if _, err := NewClient(s.Key(), bad); err == nil {
			t.Errorf("%q is taken for an address", bad)
		}
	}
	if _, err := NewClient(l.key, "https://witness.example"); err == nil {
		t.Error("a log's key is taken for a witness's")
	}
}
