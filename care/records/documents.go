package records

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/wellgate/wellgate/fhir"
)

// A Document is one DocumentReference.
type Document struct {
	ID      string
	Label   Label
	Title   string // the sender's own title, when it says more than the type
	Note    bool   // written by a clinician about a visit
	Status  string // "" = current; else old, draft
	At      fhir.DateTime
	By      []Party
	From    Party // the organisation that keeps it
	Visits  []string
	Files   []File
	Related []string
}

// A File is one attachment.
type File struct {
	Part  int // its place in the document
	Type  string
	Size  int64 // 0 = not known
	Place Place
	Ref   string // of Stored: "Binary/x"
	Data  []byte // of Inside
}

// Place is where a file's bytes are.
type Place string

const (
	Inside    Place = "inside"    // in the document itself
	Stored    Place = "stored"    // in this record
	Elsewhere Place = "elsewhere" // on somebody else's server: never fetched, never linked
	Broken    Place = "broken"    // there, and unreadable
	Missing   Place = "missing"   // the document names no file
)

// Documents lists documents, newest first.
func Documents(ds []fhir.DocumentReference, find Lookup) []Document {
	var out []Document
	for _, d := range ds {
		if x, ok := DocumentOf(d, find); ok {
			out = append(out, x)
		}
	}
	slices.SortStableFunc(out, func(a, b Document) int { return newest(a.At, b.At) })
	return out
}

// DocumentOf reads one document; false if it was entered in error.
func DocumentOf(d fhir.DocumentReference, find Lookup) (Document, bool) {
	if d.Status == "entered-in-error" || d.DocStatus == "entered-in-error" {
		return Document{}, false
	}
	out := Document{ID: d.ID, Label: LabelOf(d.Type), Title: clean(strings.TrimSpace(d.Description)), At: d.Date,
		By: whoAll(d.Author, find), From: who(d.Custodian, find)}
	if d.Context != nil {
		out.At = firstDate(d.Date, start(d.Context.Period))
		for _, e := range d.Context.Encounter {
			if id := idOf(e, "Encounter"); id != "" {
				out.Visits = append(out.Visits, id)
			}
		}
	}
	switch {
	case d.Status == "superseded":
		out.Status = "old"
	case d.DocStatus == "preliminary":
		out.Status = "draft"
	}
	for _, c := range d.Category {
		out.Note = out.Note || c.Has("", "clinical-note")
	}
	for i, c := range d.Content {
		f := fileOf(c.Attachment)
		f.Part = i
		out.Files = append(out.Files, f)
		if a := c.Attachment; a != nil {
			out.At = firstDate(out.At, a.Creation)
			if out.Title == "" {
				out.Title = title(a.Title)
			}
		}
	}
	if len(out.Files) == 0 {
		out.Files = []File{{Place: Missing}}
	}
	if own := strings.TrimSpace(d.Type.Text); out.Title == "" && out.Label.Plain != "" && !slices.ContainsFunc(d.Type.Coding, func(k fhir.Coding) bool { return sameText(k.Display, own) }) {
		out.Title = clean(own) // the sender's own words: "Letter from the eye clinic"
	}
	if !out.Label.Named() && out.Title != "" {
		out.Label, out.Title = Label{Clinical: out.Title}, ""
	}
	if sameText(out.Title, out.Label.Clinical) {
		out.Title = ""
	}
	return out, true
}

// title drops what is an address or a file name rather than a title.
func title(s string) string {
	s = clean(strings.TrimSpace(s))
	if strings.Contains(s, "://") || strings.Contains(s, "Binary/") || strings.Contains(s, "/") && !strings.Contains(s, " ") {
		return ""
	}
	return s
}

func fileOf(a *fhir.Attachment) File {
	if a == nil {
		return File{Place: Missing}
	}
	f := File{Type: a.ContentType}
	if a.Size != nil && *a.Size > 0 {
		f.Size = int64(*a.Size)
	}
	switch {
	case a.Data != "":
		b, ok := base64Bytes(a.Data)
		if !ok {
			f.Place = Broken
			return f
		}
		f.Place, f.Data, f.Size = Inside, b, int64(len(b))
	case a.URL != "":
		if ref, ok := localBinary(a.URL); ok {
			f.Place, f.Ref = Stored, ref
		} else {
			f.Place = Elsewhere
		}
	default:
		f.Place = Missing
	}
	return f
}

// localBinary accepts "Binary/x", with or without a slash before it, and nothing that names a host.
func localBinary(url string) (string, bool) {
	url = strings.TrimPrefix(url, "/")
	typ, id, ok := fhir.SplitRef(url)
	if !ok || typ != "Binary" || url != "Binary/"+id {
		return "", false
	}
	return url, true
}

// Kinds are the distinct kinds of documents in a list, for its filter, most frequent first.
func Kinds(ds []Document) []Kind {
	index := map[string]int{}
	var out []Kind
	for _, d := range ds {
		k := kindKey(d)
		i, ok := index[k]
		if !ok {
			i = len(out)
			index[k] = i
			out = append(out, Kind{Key: k, Label: d.Label})
		}
		out[i].Count++
	}
	slices.SortStableFunc(out, func(a, b Kind) int { return b.Count - a.Count })
	return out
}

// A Kind is one choice of the filter.
type Kind struct {
	Key   string
	Label Label
	Count int
}

func kindKey(d Document) string {
	if d.Label.Plain != "" {
		return d.Label.Plain[strings.LastIndexByte(d.Label.Plain, '.')+1:]
	}
	if d.Label.Clinical == "" {
		return "other"
	}
	return ownWords(d.Label.Clinical)
}

// ownWords stands for a sender's own words in an address: they may tell of somebody's health, so they do not stand there
// themselves (WEB-07).
func ownWords(s string) string {
	sum := sha256.Sum256([]byte(strings.ToLower(s)))
	return "k" + hex.EncodeToString(sum[:5])
}

// OfKind keeps the documents of one kind; "" keeps all.
func OfKind(ds []Document, key string) []Document {
	if key == "" {
		return ds
	}
	return slices.DeleteFunc(slices.Clone(ds), func(d Document) bool { return kindKey(d) != key })
}
