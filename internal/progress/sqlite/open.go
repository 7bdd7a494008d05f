package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/gofrs/flock"
	sqlite "modernc.org/sqlite" // registers the driver "sqlite"

	"github.com/cairn-learn/cairn/internal/progress"
)

// The result codes of SQLite that mean something to a learner.
const (
	codeBusy         = 5
	codeLocked       = 6
	codeReadOnly     = 8
	codeIO           = 10
	codeCorrupt      = 11
	codeFull         = 13
	codeCannotOpen   = 14
	codeNotADatabase = 26
)

// codeOf is the primary result code of an error of SQLite, 0 of others.
func codeOf(err error) int {
	var e *sqlite.Error
	if errors.As(err, &e) {
		return e.Code() & 0xff
	}
	return 0
}

// condition is what was found at the store's path.
type condition int

const (
	sound condition = iota
	absent
	outdated
	damaged
)

// sealedError says that nothing can be written here.
type sealedError struct{ cause error }

func (e *sealedError) Error() string { return e.cause.Error() }
func (e *sealedError) Unwrap() error { return e.cause }

// open finds the file in order, or brings it there. Where nothing can be
// written, it opens what there is to be read.
func (s *Store) open() error {
	err := s.openWritable()
	var sealed *sealedError
	if errors.As(err, &sealed) {
		return s.openSealed(sealed.cause)
	}
	return err
}

func (s *Store) openWritable() error {
	if err := os.MkdirAll(filepath.Dir(s.path), 0o700); err != nil {
		return &sealedError{err}
	}
	s.lock = flock.New(s.path+".lock", flock.SetPermissions(0o600))
	// A second round comes after the file was mended, a third when another cairn
	// was faster in between.
	for range 3 {
		if err := s.acquire(s.lock.TryRLockContext, "another cairn is putting it in order"); err != nil {
			return err
		}
		found, db, err := s.inspect()
		if err != nil || found == sound {
			s.db = db
			return err
		}
		if err := s.lock.Unlock(); err != nil {
			return fmt.Errorf("open your progress: %w", err)
		}
		if err := s.mend(); err != nil {
			return err
		}
	}
	return fmt.Errorf("open your progress: %s keeps changing", s.path)
}

// acquire takes the lock one way or the other. Where no lock file can be
// written, nothing can be.
func (s *Store) acquire(try func(context.Context, time.Duration) (bool, error), why string) error {
	ctx, cancel := context.WithTimeout(s.ctx, s.wait)
	defer cancel()
	_, err := try(ctx, 10*time.Millisecond)
	switch {
	case err == nil:
		return nil
	case s.ctx.Err() != nil:
		return progress.ErrClosed
	case ctx.Err() != nil:
		return &progress.LockedError{Path: s.path, Why: why}
	default:
		return &sealedError{err}
	}
}

// inspect opens the file and tells its condition. The database is returned only
// when it is sound.
func (s *Store) inspect() (condition, *sql.DB, error) {
	info, err := os.Stat(s.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if _, err := os.Lstat(s.path + "-wal"); err == nil {
			return damaged, nil, nil // a log without the file that it belongs to
		}
		return absent, nil, nil
	case err != nil:
		return 0, nil, &sealedError{err}
	case info.Size() == 0: // it is never empty: a new one is renamed into place when it is complete
		return damaged, nil, nil
	}
	db, err := sql.Open("sqlite", dsn(s.path, "", s.wait))
	if err != nil {
		return 0, nil, fmt.Errorf("open your progress: %w", err)
	}
	db.SetMaxOpenConns(1) // writes of one cairn queue here, in order
	found, err := s.examine(db)
	if err == nil && found == sound {
		return sound, db, nil
	}
	return found, nil, errors.Join(err, db.Close())
}

// examine asks SQLite for damage and compares versions.
func (s *Store) examine(db *sql.DB) (condition, error) {
	var said string
	err := db.QueryRowContext(s.ctx, "pragma quick_check(1)").Scan(&said)
	switch code := codeOf(err); {
	case code == codeCorrupt || code == codeNotADatabase:
		return damaged, nil
	case code == codeReadOnly || code == codeCannotOpen:
		return 0, &sealedError{err}
	case code == codeFull || code == codeIO && noRoom(s.path):
		return 0, &sealedError{errors.New("the disk is full")}
	case err != nil:
		return 0, s.explain("open your progress", err)
	case said != "ok":
		return damaged, nil
	}
	have := 0
	if err := db.QueryRowContext(s.ctx, "pragma user_version").Scan(&have); err != nil {
		return 0, s.explain("open your progress", err)
	}
	switch known := version(); {
	case have > known:
		return 0, &progress.NewerError{Path: s.path, Have: have, Known: known}
	case have < known:
		return outdated, nil
	}
	return sound, nil
}

// mend brings the file in order, while no other cairn has it open.
func (s *Store) mend() error {
	if err := s.acquire(s.lock.TryLockContext, "it must be put in order, and another cairn has it open"); err != nil {
		return err
	}
	defer func() { _ = s.lock.Unlock() }()
	found, db, err := s.inspect() // another cairn may have been here
	if err != nil {
		return err
	}
	switch found {
	case absent:
		return s.create()
	case damaged:
		if err := s.putAside(); err != nil {
			return err
		}
		return s.create()
	case outdated:
		return s.upgrade()
	default:
		return db.Close()
	}
}

// create makes a new file under another name and renames it when it is
// complete.
func (s *Store) create() error {
	name := s.path + ".new"
	for _, leftover := range []string{name, name + "-wal", name + "-shm"} {
		if err := os.Remove(leftover); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return &sealedError{err}
		}
	}
	if err := migrateFile(s.ctx, name, s.wait); err != nil {
		return s.explain("begin your progress", err)
	}
	if err := os.Rename(name, s.path); err != nil {
		return &sealedError{err}
	}
	return syncFolder(filepath.Dir(s.path))
}

// noRoom tells whether the disk that holds a file is full. SQLite calls what comes
// of that by several names.
func noRoom(path string) bool {
	const needed = 64 << 10 // the least that opening takes
	var disk syscall.Statfs_t
	return syscall.Statfs(filepath.Dir(path), &disk) == nil && uint64(disk.Bavail)*uint64(disk.Bsize) < needed
}

// putAside renames a damaged file and what belongs to it.
func (s *Store) putAside() error {
	base := s.path + ".damaged-" + time.Now().Format("20060102-150405")
	aside := base
	for n := 2; taken(aside); n++ {
		aside = fmt.Sprintf("%s-%d", base, n)
	}
	for _, suffix := range []string{"-wal", "-shm", ""} { // the file last: while it is there, it is still damaged
		if err := os.Rename(s.path+suffix, aside+suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("put the damaged %s aside: %w", s.path, err)
		}
	}
	s.notices = append(s.notices, fmt.Sprintf("your progress was damaged; it is kept as %s, and a new one was begun", aside))
	return nil
}

func taken(name string) bool {
	for _, suffix := range []string{"", "-wal"} {
		if _, err := os.Lstat(name + suffix); err == nil {
			return true
		}
	}
	return false
}

// upgrade brings an older file to this version, and keeps a copy of it as it
// was.
func (s *Store) upgrade() error {
	db, err := sql.Open("sqlite", dsn(s.path, "", s.wait))
	if err != nil {
		return fmt.Errorf("upgrade your progress: %w", err)
	}
	copied := s.path + ".before-" + strconv.Itoa(version())
	_ = os.Remove(copied) // half a copy of an upgrade that was killed
	_, err = db.ExecContext(s.ctx, "vacuum into ?", copied)
	if err = errors.Join(err, db.Close()); err != nil {
		return s.explain("copy your progress before its upgrade", err)
	}
	if err := migrateFile(s.ctx, s.path, s.wait); err != nil {
		return s.explain("upgrade your progress", err)
	}
	return nil
}

// openSealed opens the file to be read alone.
func (s *Store) openSealed(cause error) error {
	if inner := (*fs.PathError)(nil); errors.As(cause, &inner) {
		cause = inner.Err
	}
	s.unwritable = &progress.UnwritableError{Path: s.path, Err: cause}
	db, err := sql.Open("sqlite", dsn(s.path, "ro", s.wait))
	if err != nil {
		return s.unwritable
	}
	db.SetMaxOpenConns(1)
	have := 0
	err = db.QueryRowContext(s.ctx, "pragma user_version").Scan(&have)
	if err != nil || have != version() {
		_ = db.Close()
		return s.unwritable
	}
	s.db = db
	s.notices = append(s.notices, s.unwritable.Error())
	return nil
}

// dsn is the name under which the driver opens a file. Mode "ro" neither writes
// nor locks: nobody can write to such a file.
func dsn(path, mode string, wait time.Duration) string {
	q := url.Values{}
	q.Add("_pragma", fmt.Sprintf("busy_timeout(%d)", wait.Milliseconds()))
	q.Add("_pragma", "foreign_keys(1)")
	if mode == "ro" {
		q.Set("mode", "ro")
		q.Set("immutable", "1")
	} else {
		q.Set("mode", "rwc")
		q.Set("_txlock", "immediate")
		q.Add("_pragma", "journal_mode(wal)")
		q.Add("_pragma", "synchronous(full)")
	}
	return (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: q.Encode()}).String()
}

func syncFolder(name string) error {
	d, err := os.Open(name)
	if err != nil {
		return err
	}
	_ = d.Sync() // some file systems can't; the file itself is on disk
	return d.Close()
}
