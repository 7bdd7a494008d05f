package grader

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/adrg/xdg"
	"github.com/gofrs/flock"
)

// scratch is the folder in which one cairn process puts what it needs for the
// time of a grade. A lock on it tells the next cairn whether its owner lives.
type scratch struct {
	dir  string
	lock *flock.Flock
}

// newScratch makes a scratch folder below cacheDir and removes those whose
// owner is gone.
func newScratch(cacheDir string) (*scratch, error) {
	if cacheDir == "" {
		cacheDir = filepath.Join(xdg.CacheHome, "cairn")
	}
	root := filepath.Join(cacheDir, "run")
	if err := os.MkdirAll(root, 0o700); err != nil {
		return nil, fmt.Errorf("cannot make a folder for temporary files: %w (set XDG_CACHE_HOME to a folder that you may write)", err)
	}
	// Made and swept under one lock, so that no folder is taken for a dead cairn's between its
	// birth and its locking.
	guard := flock.New(root + ".lock")
	if err := guard.Lock(); err != nil {
		return nil, fmt.Errorf("cannot lock %s: %w", guard.Path(), err)
	}
	defer guard.Close()
	sweep(root)
	dir, err := os.MkdirTemp(root, "cairn-")
	if err != nil {
		return nil, fmt.Errorf("cannot make a folder for temporary files: %w (set XDG_CACHE_HOME to a folder that you may write)", err)
	}
	s := &scratch{dir: dir, lock: flock.New(dir + ".lock")}
	if err := s.lock.Lock(); err != nil {
		return nil, fmt.Errorf("cannot lock %s.lock: %w", dir, err)
	}
	return s, nil
}

// sweep removes scratch folders whose lock nobody holds, and those without one: their
// owner was killed before it had it.
func sweep(root string) {
	entries, _ := os.ReadDir(root)
	for _, entry := range entries {
		dir := filepath.Join(root, strings.TrimSuffix(entry.Name(), ".lock"))
		if !strings.HasPrefix(entry.Name(), "cairn-") {
			continue
		}
		l := flock.New(dir + ".lock")
		if ok, err := l.TryLock(); err != nil || !ok {
			continue
		}
		_ = os.RemoveAll(dir)
		_ = os.Remove(l.Path())
		_ = l.Unlock()
	}
}

// folder makes a fresh folder; remove deletes it with all it holds.
func (s *scratch) folder(kind string) (dir string, remove func(), err error) {
	dir, err = os.MkdirTemp(s.dir, kind+"-")
	if err != nil {
		return "", nil, fmt.Errorf("cannot make a folder for temporary files: %w", err)
	}
	return dir, func() { _ = os.RemoveAll(dir) }, nil
}

func (s *scratch) close() error {
	return errors.Join(os.RemoveAll(s.dir), os.Remove(s.dir+".lock"), s.lock.Unlock())
}
