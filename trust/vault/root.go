package vault

import (
	"bytes"
	"context"
	"crypto/cipher"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"golang.org/x/crypto/argon2"
)

// rootFile is what a root key file holds, as JSON that a person can recognise.
type rootFile struct {
	About  string `json:"about"`
	Format int    `json:"format"`
	ID     string `json:"id"`
	KDF    string `json:"kdf"` // "none" or "argon2id"
	Memory uint32 `json:"memory_kib,omitempty"`
	Time   uint32 `json:"time,omitempty"`
	Lanes  uint8  `json:"lanes,omitempty"`
	Salt   string `json:"salt,omitempty"`
	Key    string `json:"key"`
}

const (
	rootAbout  = "Wellgate root key. Without it nothing in the store can be read. Keep a copy somewhere else, never with the backups."
	rootFormat = 1

	// OWASP and RFC 9106 accept these; 64 MiB stays possible on the smallest machine that runs a practice.
	argonMemory = 64 << 10 // KiB
	argonTime   = 3
	argonLanes  = 1
)

// fileRoot is a root key read from a file.
type fileRoot struct {
	redacted
	id   string
	wrap cipher.AEAD
}

func newFileRoot(key []byte) *fileRoot {
	return &fileRoot{id: rootID(key), wrap: newGCM(derive(key, "root wrap", 32))}
}

// rootID names a root key without telling it, and commits to it: 16 bytes in each wrapped key.
func rootID(key []byte) string { return hex.EncodeToString(derive(key, "root id", 16)) }

func (r *fileRoot) ID() string { return r.id }

func (r *fileRoot) Wrap(ctx context.Context, key, aad []byte) ([]byte, error) {
	return r.wrap.Seal([]byte(r.id), nil, key, aad), ctx.Err()
}

func (r *fileRoot) Unwrap(ctx context.Context, wrapped, aad []byte) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	box, ok := bytes.CutPrefix(wrapped, []byte(r.id))
	if !ok {
		return nil, fmt.Errorf("%w: it was made with another root key than %s", ErrRoot, r.id)
	}
	plain, err := r.wrap.Open(nil, nil, box, aad)
	if err != nil {
		return nil, ErrOpen
	}
	return plain, nil
}

// CreateRoot makes a new root key file (mode 0600, refuses to overwrite). With a passphrase the file is useless without it.
func CreateRoot(path string, passphrase []byte) (Root, error) {
	key := random(32)
	defer clear(key)
	file := rootFile{About: rootAbout, Format: rootFormat, ID: rootID(key), KDF: "none", Key: base64.StdEncoding.EncodeToString(key)}
	if len(passphrase) > 0 {
		salt := random(16)
		file.KDF, file.Memory, file.Time, file.Lanes = "argon2id", argonMemory, argonTime, argonLanes
		file.Salt = base64.StdEncoding.EncodeToString(salt)
		box := file.lock(passphrase, salt).Seal(nil, nil, key, file.aad())
		file.Key = base64.StdEncoding.EncodeToString(box)
	}
	text, err := json.MarshalIndent(file, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("vault: create root key: %w", err)
	}
	defer clear(text)
	if err := writeNew(path, append(text, '\n')); err != nil {
		return nil, fmt.Errorf("vault: create root key: %w", err)
	}
	return newFileRoot(key), nil
}

// writeNew never replaces a file: with a lost root key everything is lost.
func writeNew(path string, data []byte) (err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s is there already and is kept; choose another name: %w", path, fs.ErrExist)
	}
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil && runtime.GOOS != "windows" {
		var dir *os.File
		if dir, err = os.Open(filepath.Dir(path)); err == nil {
			err = dir.Sync()
			dir.Close()
		}
	}
	if err != nil {
		os.Remove(path)
	}
	return err
}

// OpenRoot reads a root key file. It refuses a file that other users can read.
func OpenRoot(path string, passphrase []byte) (Root, error) {
	file, err := readRoot(path)
	if err != nil {
		return nil, err
	}
	key, err := base64.StdEncoding.DecodeString(file.Key)
	if err != nil {
		return nil, fmt.Errorf("%w: %s is damaged; use the copy you keep elsewhere", ErrRoot, path)
	}
	defer clear(key)
	switch file.KDF {
	case "none":
		if len(passphrase) > 0 {
			return nil, fmt.Errorf("%w: %s has no passphrase; leave the passphrase away", ErrRoot, path)
		}
	case "argon2id":
		if len(passphrase) == 0 {
			return nil, fmt.Errorf("%w: %s is locked; give its passphrase", ErrRoot, path)
		}
		salt, err := base64.StdEncoding.DecodeString(file.Salt)
		if err != nil || file.Memory == 0 || file.Memory > 4<<20 || file.Time == 0 || file.Time > 64 || file.Lanes == 0 {
			return nil, fmt.Errorf("%w: %s is damaged; use the copy you keep elsewhere", ErrRoot, path)
		}
		if key, err = file.lock(passphrase, salt).Open(nil, nil, key, file.aad()); err != nil {
			return nil, fmt.Errorf("%w: the passphrase is not that of %s", ErrRoot, path)
		}
		defer clear(key)
	default:
		return nil, fmt.Errorf("%w: %s is locked by %q, which this version does not know", ErrRoot, path, file.KDF)
	}
	if len(key) != 32 || rootID(key) != file.ID {
		return nil, fmt.Errorf("%w: %s is damaged; use the copy you keep elsewhere", ErrRoot, path)
	}
	return newFileRoot(key), nil
}

func readRoot(path string) (rootFile, error) {
	var file rootFile
	f, err := os.Open(path)
	if err != nil {
		return file, fmt.Errorf("%w: %w", ErrRoot, err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return file, fmt.Errorf("%w: %w", ErrRoot, err)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return file, fmt.Errorf("%w: other users can read %s; run: chmod 600 %s", ErrRoot, path, path)
	}
	text, err := io.ReadAll(io.LimitReader(f, 64<<10))
	if err != nil {
		return file, fmt.Errorf("%w: %w", ErrRoot, err)
	}
	defer clear(text)
	if err := json.Unmarshal(text, &file); err != nil || file.About == "" {
		return file, fmt.Errorf("%w: %s is not a Wellgate root key file", ErrRoot, path)
	}
	if file.Format != rootFormat {
		return file, fmt.Errorf("%w: %s has format %d, which this version does not know", ErrRoot, path, file.Format)
	}
	return file, nil
}

// lock is the cipher that the passphrase makes. The derived key lives no longer than the call.
func (f *rootFile) lock(passphrase, salt []byte) cipher.AEAD {
	return newGCM(argon2.IDKey(passphrase, salt, f.Time, f.Memory, f.Lanes, 32))
}

// aad binds the locked key to its settings, so that nobody can weaken them.
func (f *rootFile) aad() []byte {
	return fmt.Appendf(nil, "wellgate root v%d %s %s %d %d %d %s", f.Format, f.ID, f.KDF, f.Memory, f.Time, f.Lanes, f.Salt)
}
