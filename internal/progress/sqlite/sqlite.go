// Package sqlite keeps progress in one SQLite file.
//
// The file is written in WAL mode with synchronous=FULL: a commit is on the disk
// before it is reported. Every cairn that has the file open holds a shared lock
// on a file beside it; making, upgrading and putting aside need that lock alone,
// so that none of it happens under another cairn's hands.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/adrg/xdg"
	"github.com/gofrs/flock"

	"github.com/cairn-learn/cairn/internal/progress"
)

// Path is where the learner's progress is kept: progress.db in cairn's folder
// among the user's data. It fails when there is no such place.
func Path() (string, error) {
	if os.Getenv("HOME") == "" && os.Getenv("XDG_DATA_HOME") == "" {
		return "", errors.New("there is no place for your progress: HOME is not set")
	}
	return filepath.Join(xdg.DataHome, "cairn", "progress.db"), nil
}

// Store is a progress.Store in a file.
type Store struct {
	path string
	wait time.Duration // for other cairns

	ctx    context.Context // ends when the store closes
	cancel context.CancelFunc
	opened chan struct{} // closed when the fields below are set

	db         *sql.DB // nil after an error
	lock       *flock.Flock
	notices    []string
	unwritable error // why it can only be read
	err        error

	closing  sync.Once
	closeErr error
}

var _ progress.Store = (*Store)(nil)

// patience is how long another cairn may write before this one gives up.
const patience = 5 * time.Second

// Open begins to open the store in the background and returns at once. What
// goes wrong is the error of every method; see Store.Opened.
func Open(path string) *Store { return open(path, patience) }

// OpenDefault is Open of the learner's Path.
func OpenDefault() *Store {
	path, err := Path()
	if err == nil {
		return Open(path)
	}
	s := newStore("", 0)
	s.err = err
	close(s.opened)
	return s
}

func newStore(path string, wait time.Duration) *Store {
	s := &Store{path: path, wait: wait, opened: make(chan struct{})}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s
}

func open(path string, wait time.Duration) *Store {
	s := newStore(path, wait)
	go func() {
		defer close(s.opened)
		if s.err = s.open(); s.err != nil && s.ctx.Err() != nil {
			s.err = progress.ErrClosed
		}
	}()
	return s
}

// Opened waits until the store is open; see progress.Store.
func (s *Store) Opened(ctx context.Context) ([]string, error) {
	select {
	case <-s.opened:
		return s.notices, s.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Close ends the use of the store. It waits for the store to open first.
func (s *Store) Close() error {
	s.closing.Do(func() {
		s.cancel()
		<-s.opened
		if s.db != nil {
			s.closeErr = s.db.Close()
		}
		if s.lock != nil {
			s.closeErr = errors.Join(s.closeErr, s.lock.Close())
		}
	})
	return s.closeErr
}

// read returns the database for a query.
func (s *Store) read(ctx context.Context) (*sql.DB, error) {
	if _, err := s.Opened(ctx); err != nil {
		return nil, err
	}
	if s.ctx.Err() != nil {
		return nil, progress.ErrClosed
	}
	return s.db, nil
}

// write runs fn in a transaction. All of it is kept, or nothing.
func (s *Store) write(ctx context.Context, what string, fn func(*sql.Tx) error) error {
	db, err := s.read(ctx)
	if err != nil {
		return err
	}
	if s.unwritable != nil {
		return s.unwritable
	}
	err = inTransaction(ctx, db, fn)
	if err != nil {
		return s.explain("save "+what, err)
	}
	return nil
}

func inTransaction(ctx context.Context, db *sql.DB, fn func(*sql.Tx) error) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := fn(tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

// exec is a write of one statement.
func (s *Store) exec(ctx context.Context, what, query string, args ...any) error {
	return s.write(ctx, what, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, query, args...)
		return err
	})
}

// rows runs a query and calls scan for every row.
func (s *Store) rows(ctx context.Context, what string, scan func(*sql.Rows) error, query string, args ...any) error {
	db, err := s.read(ctx)
	if err != nil {
		return err
	}
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return s.explain("read "+what, err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return s.explain("read "+what, err)
		}
	}
	if err := rows.Err(); err != nil {
		return s.explain("read "+what, err)
	}
	return nil
}

// nanos is a time as it is stored; the zero time is now.
func nanos(t time.Time) int64 {
	if t.IsZero() {
		t = time.Now()
	}
	return t.UnixNano()
}

func moment(n int64) time.Time { return time.Unix(0, n).UTC() }

// explain says an error of the database in the learner's words.
func (s *Store) explain(what string, err error) error {
	code := codeOf(err)
	if code == codeIO && noRoom(s.path) {
		code = codeFull
	}
	switch code {
	case codeBusy, codeLocked:
		return &progress.LockedError{Path: s.path, Why: "another cairn has been writing for longer than " + s.wait.String()}
	case codeFull:
		return fmt.Errorf("%s: the disk that holds %s is full; free some space there", what, s.path)
	case codeReadOnly, codeCannotOpen:
		return &progress.UnwritableError{Path: s.path, Err: err}
	case codeCorrupt, codeNotADatabase:
		return fmt.Errorf("%s: %s is damaged; the next start of cairn puts it aside and begins a new one: %w", what, s.path, err)
	}
	return fmt.Errorf("%s: %w", what, err)
}
