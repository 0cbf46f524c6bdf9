package main

import (
	"cmp"
	"errors"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/wellgate/wellgate/internal/durable"
	"github.com/wellgate/wellgate/site"
	"github.com/wellgate/wellgate/trust/audit"
	"github.com/wellgate/wellgate/trust/audit/witness"
)

// A config is practice.json: how the practice shows itself and where it is reached. It holds no secrets.
type config struct {
	Name           string          `json:"name"`                      // as patients know it
	Phone          string          `json:"phone"`                     // shown wherever a person may need help
	Emergency      string          `json:"emergency"`                 // the country's emergency number
	Colour         string          `json:"colour"`                    // one colour, #rrggbb; everything else derives from it
	Zone           string          `json:"zone"`                      // IANA time zone: opening hours, due dates, birthdays
	Host           string          `json:"host"`                      // the name in the address bar, e.g. portal.example; passkeys are bound to it
	Exit           string          `json:"exit"`                      // where the quick exit leads
	Log            string          `json:"log"`                       // audit log origin; never changed after the first entry
	Witnesses      []audit.Witness `json:"witnesses,omitempty"`       // who signs the audit log's checkpoints beside us: their key line and https address
	WitnessSeconds int             `json:"witness_seconds,omitempty"` // how often they are asked, at most; 60 if missing
	Store          string          `json:"store,omitempty"`           // where the records lie: postgres://user@host/database, or nothing for a file in the folder
}

// Files of a practice's folder.
const (
	configFile = "practice.json"
	storeFile  = "wellgate.db"
	keyFile    = "root.key"
	nextFile   = "root.key.next" // of a rotation that has begun
	socketFile = "control.sock"
	anchorFile = "anchor.log"
	lockName   = "lock"
)

var (
	colourText = regexp.MustCompile(`^#[0-9a-fA-F]{6}$`)
	hostText   = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$`)
)

// check says the first thing that is wrong, and how it should be.
func (c config) check() error {
	switch {
	case strings.TrimSpace(c.Name) == "":
		return problemf("name: the practice needs a name")
	case strings.TrimSpace(c.Phone) == "":
		return problemf("phone: patients need a number to call")
	case strings.TrimSpace(c.Emergency) == "":
		return problemf("emergency: give the country's emergency number, such as 911")
	case !colourText.MatchString(c.Colour):
		return problemf("colour: %q is not a colour like #0e5a5e", c.Colour)
	case !hostText.MatchString(c.Host):
		return problemf("host: %q is not a host name like portal.example", c.Host)
	case c.Exit != "" && !strings.HasPrefix(c.Exit, "https://"):
		return problemf("exit: give an https address")
	case c.Log == "":
		return problemf("log: the audit log needs a name")
	}
	if _, err := time.LoadLocation(c.Zone); err != nil || c.Zone == "" {
		return problemf("zone: %q is not a time zone like America/New_York", c.Zone)
	}
	for _, w := range c.Witnesses {
		if _, err := witness.NewClient(w.Key, w.URL); err != nil {
			return problemf("witnesses: %s: %v", w.URL, err)
		}
	}
	if c.WitnessSeconds < 0 {
		return problemf("witness_seconds: give how many seconds lie between two questions, or leave it out")
	}
	return checkStore(c.Store)
}

// inFolder is the word for the store that needs no server: a SQLite file in the practice's folder.
const inFolder = "sqlite"

// checkStore takes a database's address, or the word for the file in the folder. A password in it would be seen by whoever
// lists processes or reads practice.json.
func checkStore(address string) error {
	if address == "" || address == inFolder {
		return nil
	}
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" {
		return problemf("store: give postgres://user@host/database, or %s for a file in the practice's folder", inFolder)
	}
	if _, has := u.User.Password(); has || u.Query().Has("password") || u.Query().Has("sslpassword") {
		return problemf("store: leave the password out of the address; PostgreSQL's password file keeps it (~/.pgpass, or PGPASSFILE), or PGPASSWORD")
	}
	return nil
}

// storeURL is the address of the practice's store: the one a command was given, else practice.json's, else the folder's file.
func (c config) storeURL(dir, given string) (string, error) {
	address := cmp.Or(given, c.Store, inFolder)
	if address == inFolder {
		return "sqlite:" + filepath.Join(dir, storeFile), nil
	}
	return address, checkStore(address)
}

// practice is how the pages show it.
func (c config) practice() site.Practice {
	zone, err := time.LoadLocation(c.Zone)
	if err != nil {
		zone = time.UTC
	}
	return site.Practice{Name: c.Name, Phone: c.Phone, Emergency: c.Emergency, Colour: c.Colour, Zone: zone}
}

// readConfig reads practice.json strictly: a misspelt setting is an error, not a default.
func readConfig(dir string) (config, error) {
	path := filepath.Join(dir, configFile)
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return config{}, problemf("%s holds no practice (%s is missing); run `wellgate init --dir %s`", dir, configFile, dir)
	}
	if err != nil {
		return config{}, problemf("cannot read %s: %v", path, plain(err))
	}
	var c config
	if err := json.Unmarshal(b, &c, json.RejectUnknownMembers(true)); err != nil {
		return config{}, problemf("%s: %v", path, err)
	}
	if err := c.check(); err != nil {
		return config{}, problemf("%s: %v", path, err)
	}
	return c, nil
}

func writeConfig(dir string, c config) error {
	b, err := json.Marshal(c, jsontext.WithIndent("  "))
	if err != nil {
		return err
	}
	return durable.KeepFile(filepath.Join(dir, configFile), append(b, '\n'))
}

// makeDir makes a folder that only this user can read and that a power cut leaves, or says why not in one line.
func makeDir(dir string) error {
	var made []string
	for at := filepath.Clean(dir); at != filepath.Dir(at); at = filepath.Dir(at) {
		if _, err := os.Stat(at); err == nil {
			break
		}
		made = append(made, at)
	}
	err := os.MkdirAll(dir, 0o700)
	for _, at := range made {
		if err == nil {
			err = durable.KeepName(at)
		}
	}
	if err != nil {
		return problemf("cannot make the folder %s: %v; choose another with --dir", dir, plain(err))
	}
	probe, err := os.CreateTemp(dir, ".writable-*")
	if err != nil {
		return problemf("cannot write to the folder %s: %v; choose another with --dir", dir, plain(err))
	}
	probe.Close()
	return os.Remove(probe.Name())
}

// plain drops the path that an os error repeats.
func plain(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// listen takes a port, or says in one line that it is taken.
func listen(addr string) (net.Listener, error) {
	l, err := net.Listen("tcp", addr)
	if err == nil {
		return l, nil
	}
	var op *net.OpError
	if errors.As(err, &op) {
		return nil, problemf("cannot listen on %s: %v; choose another with --addr", addr, op.Err)
	}
	return nil, problemf("cannot listen on %s: %v", addr, err)
}

// loopback says whether an address can be reached from this computer only.
func loopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
