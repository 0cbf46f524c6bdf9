package witness

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/wellgate/wellgate/internal/clock"
)

// Path is where the server is asked; it is appended to the witness's address.
const Path = "/add-checkpoint"

// Conflict is the header by which our server tells whoever asks for a log of a checkpoint that the log signed and that does
// not fit into what was cosigned, as base64. Other witnesses do not send it, other logs do not read it.
const Conflict = "Wellgate-Conflict"

const (
	sizeType = "text/x.tlog.size"
	bodyMax  = 64 << 10
	proofMax = 63
)

// Config is what a Server needs.
type Config struct {
	Name  string // as key lines name it, such as witness.example/w1
	Seed  []byte // 32 bytes of its Ed25519 key
	Dir   string // keeps what was cosigned; one process uses it
	Logs  []string
	Clock clock.Clock
	Note  func(origin, what string) // is told of each fork and refusal of a known log; nil for nobody
}

// Server answers add-checkpoint.
type Server struct {
	signer *signer
	logs   map[string][]note.Verifier // by origin
	note   func(origin, what string)

	mu   sync.Mutex // checking against the newest and keeping the new one are one step
	kept *memory
}

// NewServer reads what was cosigned before. It refuses a memory that it cannot read: forgetting would be signing anything.
func NewServer(c Config) (*Server, error) {
	if c.Clock == nil || c.Dir == "" {
		return nil, errors.New("witness: NewServer: Config needs Dir and Clock")
	}
	sign, err := newSigner(c.Name, c.Seed, c.Clock)
	if err != nil {
		return nil, fmt.Errorf("witness: NewServer: %w", err)
	}
	s := &Server{signer: sign, logs: map[string][]note.Verifier{}, note: c.Note}
	for _, line := range c.Logs {
		v, err := note.NewVerifier(strings.TrimSpace(line))
		if err != nil {
			return nil, fmt.Errorf("witness: NewServer: a log's key must be its line (name+hash+key): %w", err)
		}
		s.logs[v.Name()] = append(s.logs[v.Name()], v)
	}
	if s.kept, err = openMemory(c.Dir, s.logs); err != nil {
		return nil, fmt.Errorf("witness: NewServer: %w", err)
	}
	return s, nil
}

// Key is the line that logs and verifiers know the witness by.
func (s *Server) Key() string { return s.signer.Key.String() }

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != Path {
		http.NotFound(w, r)
		return
	}
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "POST a checkpoint", http.StatusMethodNotAllowed)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, bodyMax))
	if err != nil {
		http.Error(w, "the request could not be read, or is too long", http.StatusBadRequest)
		return
	}
	q, err := parseRequest(body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.answer(w, q)
}

// A request is an add-checkpoint body.
type request struct {
	old    int64
	proof  tlog.TreeProof
	note   []byte
	origin string
}

func parseRequest(body []byte) (q request, err error) {
	head, signed, ok := bytes.Cut(body, []byte("\n\n"))
	if !ok {
		return q, errors.New("no empty line before the checkpoint")
	}
	lines := strings.Split(string(head), "\n")
	old, ok := strings.CutPrefix(lines[0], "old ")
	if q.old, err = parseSize(old); !ok || err != nil {
		return q, errors.New("the first line must be: old SIZE")
	}
	if len(lines)-1 > proofMax {
		return q, fmt.Errorf("more than %d lines of proof", proofMax)
	}
	for _, l := range lines[1:] {
		h, err := tlog.ParseHash(l)
		if err != nil {
			return q, errors.New("a line of the proof is not a hash")
		}
		q.proof = append(q.proof, h)
	}
	q.note = signed
	q.origin, _, _ = strings.Cut(string(signed), "\n")
	return q, nil
}

func (q request) render() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "old %d\n", q.old)
	for _, h := range q.proof {
		fmt.Fprintf(&b, "%s\n", h)
	}
	b.WriteString("\n")
	b.Write(q.note)
	return b.Bytes()
}

// answer goes through tlog-witness's checks in their order.
func (s *Server) answer(w http.ResponseWriter, q request) {
	keys, known := s.logs[q.origin]
	if !known {
		http.Error(w, "unknown log", http.StatusNotFound)
		return
	}
	var tree Tree
	var n *note.Note
	err := errors.New("no key")
	for _, v := range keys {
		if tree, n, err = Open(q.note, v); err == nil {
			break
		}
	}
	if err != nil {
		http.Error(w, "no signature by a key of the log", http.StatusForbidden)
		return
	}
	if q.old > tree.Size {
		http.Error(w, "old is larger than the checkpoint", http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.kept.conflict(q.origin); c != nil {
		w.Header().Set(Conflict, base64.StdEncoding.EncodeToString(c))
	}
	newest := s.kept.newest(q.origin)
	if q.old != newest.Size {
		s.tell(q.origin, fmt.Sprintf("asked from %d, cosigned %d", q.old, newest.Size))
		s.elsewhere(w, newest.Size)
		return
	}
	if !consistent(newest, tree, q.proof) {
		s.fork(w, q.origin, newest, tree, n)
		return
	}
	if err := s.cosign(w, q.origin, tree, n); err != nil {
		s.tell(q.origin, err.Error())
		http.Error(w, "the checkpoint could not be kept", http.StatusInternalServerError)
	}
}

// elsewhere says what was cosigned newest.
func (s *Server) elsewhere(w http.ResponseWriter, size int64) {
	w.Header().Set("Content-Type", sizeType)
	w.WriteHeader(http.StatusConflict)
	fmt.Fprintf(w, "%d\n", size)
}

// consistent says whether next contains newest.
func consistent(newest, next Tree, proof tlog.TreeProof) bool {
	switch {
	case newest.Size == 0: // nothing was cosigned: the first tree is taken as it is
		return len(proof) == 0
	case newest.Size == next.Size:
		return len(proof) == 0 && newest.Root == next.Root
	default:
		return tlog.CheckTree(proof, next.Size, next.Root, newest.Size, newest.Root) == nil
	}
}

// fork refuses and keeps what may be proof. A bad proof over a good tree proves nothing against the log, but whoever is told
// checks for himself.
func (s *Server) fork(w http.ResponseWriter, origin string, newest, tree Tree, n *note.Note) {
	s.tell(origin, fmt.Sprintf("FORK: a signed tree of %d entries does not contain the tree of %d that was cosigned", tree.Size, newest.Size))
	if err := s.kept.keepConflict(origin, Only(n)); err != nil {
		s.tell(origin, err.Error())
	}
	if newest.Size == tree.Size && newest.Root != tree.Root {
		s.elsewhere(w, newest.Size)
		return
	}
	http.Error(w, "the checkpoint does not contain what was cosigned", http.StatusUnprocessableEntity)
}

func (s *Server) cosign(w http.ResponseWriter, origin string, tree Tree, n *note.Note) error {
	if err := s.kept.keep(origin, tree, Only(n)); err != nil {
		return err
	}
	signed, err := note.Sign(&note.Note{Text: n.Text}, s.signer)
	if err != nil {
		return err
	}
	_, err = w.Write(signed[len(n.Text)+1:])
	if err != nil {
		s.tell(origin, "the answer did not arrive")
	}
	return nil
}

func (s *Server) tell(origin, what string) {
	if s.note != nil {
		s.note(origin, what)
	}
}
