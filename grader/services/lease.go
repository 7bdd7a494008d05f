package services

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/gofrs/flock"
)

// state is the folder where the cairns of one user meet: one lock per service, held while its
// server is looked for and started, and one lock per running cairn, its lease.
type state struct{ dir string }

// id names the folder in labels, so that two users of one engine never touch each other's servers.
// It is drawn once and kept in the folder: a path alone is the same in many containers.
func (s state) id(ctx context.Context) (string, error) {
	unlock, err := s.lock(ctx, "leases", nil)
	if err != nil {
		return "", err
	}
	defer unlock()
	file := filepath.Join(s.dir, "id")
	if data, err := os.ReadFile(file); err == nil && len(data) > 0 {
		return string(data), nil
	}
	id := strings.ToLower(rand.Text()[:12])
	if err := os.WriteFile(file, []byte(id), 0o600); err != nil {
		return "", unavailable(err, "make it writable", "the file %s cannot be written", file)
	}
	return id, nil
}

func (s state) leases() string { return filepath.Join(s.dir, "leases") }

func (s state) prepare() error {
	if err := os.MkdirAll(s.leases(), 0o700); err != nil {
		return unavailable(err, "make it writable, or point XDG_STATE_HOME to a folder that is",
			"the folder %s, where cairn keeps its locks, cannot be written", s.dir)
	}
	return nil
}

// lock takes the named lock. Where another cairn holds it, it calls busy, unless nil, and waits.
func (s state) lock(ctx context.Context, name string, busy func()) (unlock func(), err error) {
	if err := s.prepare(); err != nil {
		return nil, err
	}
	l := flock.New(filepath.Join(s.dir, name+".lock"))
	ok, err := l.TryLock()
	if err == nil && !ok {
		if busy != nil {
			busy()
		}
		ok, err = l.TryLockContext(ctx, 10*time.Millisecond)
	}
	switch {
	case ok && err == nil:
		return func() { _ = l.Close() }, nil
	case ctx.Err() != nil:
		return nil, fmt.Errorf("wait for another cairn: %w", context.Cause(ctx))
	}
	return nil, unavailable(err, "check the folder's permissions", "the lock %s cannot be taken", l.Path())
}

// A lease lives as long as its process: the kernel drops the lock at its end, even by kill -9.
// What is made under it is named after it.
type lease struct {
	id   string
	lock *flock.Flock

	mu    sync.Mutex
	made  int
	holds map[string]bool // names of databases in use, or ahead
}

// newName is a name that was never given out, and that the lease holds from now on.
func (l *lease) newName() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.made++
	name := fmt.Sprintf("cairn_%s_%d", l.id, l.made)
	l.holds[name] = true
	return name
}

// forget tells that a name is no longer in use: what still bears it may be swept.
func (l *lease) forget(name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.holds, name)
}

func (l *lease) holding(name string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.holds[name]
}

// take makes a lease. Making and judging leases happen under one lock, so that no one takes a
// lease for dead between its file's birth and its locking.
func (s state) take(ctx context.Context) (*lease, error) {
	unlock, err := s.lock(ctx, "leases", nil)
	if err != nil {
		return nil, err
	}
	defer unlock()
	id := strings.ToLower(rand.Text()[:8])
	l := flock.New(filepath.Join(s.leases(), id))
	if ok, err := l.TryLock(); err != nil || !ok {
		return nil, unavailable(err, "check the folder's permissions", "the lease %s cannot be taken", l.Path())
	}
	return &lease{id: id, lock: l, holds: map[string]bool{}}, nil
}

// giveUp ends the lease.
func (l *lease) giveUp() error {
	err := os.Remove(l.lock.Path())
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return errors.Join(err, l.lock.Close())
}

// live tells which of the leases belong to a running process, and forgets the others. With no
// ids it judges every lease there is.
func (s state) live(ctx context.Context, ids ...string) (map[string]bool, error) {
	unlock, err := s.lock(ctx, "leases", nil)
	if err != nil {
		return nil, err
	}
	defer unlock()
	if len(ids) == 0 {
		entries, err := os.ReadDir(s.leases())
		if err != nil {
			return nil, fmt.Errorf("list leases: %w", err)
		}
		for _, e := range entries {
			ids = append(ids, e.Name())
		}
	}
	live := map[string]bool{}
	for _, id := range ids {
		if alive, err := held(filepath.Join(s.leases(), id)); err != nil {
			return nil, fmt.Errorf("judge lease %s: %w", id, err)
		} else if alive {
			live[id] = true
		}
	}
	return live, nil
}

// held tells whether a process holds the lease file, and removes one that nobody holds.
func held(path string) (bool, error) {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return false, nil
	} else if err != nil {
		return false, err
	}
	l := flock.New(path)
	defer l.Close()
	free, err := l.TryLock()
	if err != nil {
		return false, err
	}
	if free {
		return false, os.Remove(path)
	}
	return true, nil
}
