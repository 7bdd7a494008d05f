package services

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"
)

// state is the folder where the cairns of one user meet: one lock per service, held while its
// server is looked for and started, and one lock per running cairn, its lease.
type state struct{ dir string }

// id names the folder in labels, so that two users of one engine never touch each other's servers.
func (s state) id() string {
	host, _ := os.Hostname()
	sum := sha256.Sum256([]byte(host + "\x00" + s.dir))
	return hex.EncodeToString(sum[:6])
}

func (s state) leases() string { return filepath.Join(s.dir, "leases") }

func (s state) prepare() error {
	if err := os.MkdirAll(s.leases(), 0o700); err != nil {
		return unavailable(err, "make it writable, or point XDG_STATE_HOME to a folder that is",
			"the folder %s, where cairn keeps its locks, cannot be written", s.dir)
	}
	return nil
}

// lock takes the named lock, waiting for another cairn that holds it.
func (s state) lock(ctx context.Context, name string) (unlock func(), err error) {
	if err := s.prepare(); err != nil {
		return nil, err
	}
	l := flock.New(filepath.Join(s.dir, name+".lock"))
	ok, err := l.TryLockContext(ctx, 10*time.Millisecond)
	switch {
	case ctx.Err() != nil:
		return nil, fmt.Errorf("wait for another cairn: %w", context.Cause(ctx))
	case err != nil || !ok:
		return nil, unavailable(err, "check the folder's permissions", "the lock %s cannot be taken", l.Path())
	}
	return func() { _ = l.Close() }, nil
}

// A lease lives as long as its process: the kernel drops the lock at its end, even by kill -9.
type lease struct {
	id   string
	lock *flock.Flock
}

// take makes a lease. Making and judging leases happen under one lock, so that no one takes a
// lease for dead between its file's birth and its locking.
func (s state) take(ctx context.Context) (*lease, error) {
	unlock, err := s.lock(ctx, "leases")
	if err != nil {
		return nil, err
	}
	defer unlock()
	id := strings.ToLower(rand.Text()[:8])
	l := flock.New(filepath.Join(s.leases(), id))
	if ok, err := l.TryLock(); err != nil || !ok {
		return nil, unavailable(err, "check the folder's permissions", "the lease %s cannot be taken", l.Path())
	}
	return &lease{id: id, lock: l}, nil
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
	unlock, err := s.lock(ctx, "leases")
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
