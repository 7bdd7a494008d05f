package main

import (
	"context"
	"fmt"
	"sync"

	"github.com/cairn-learn/cairn/internal/progress"
	"github.com/cairn-learn/cairn/internal/progress/sqlite"
)

// memory is what cairn remembers of the learner, opened when first asked for.
type memory struct {
	opening sync.Once
	store   progress.Store
	saying  sync.Once
}

// progress begins to open the store in the background.
func (m *memory) progress() progress.Store {
	m.opening.Do(func() { m.store = sqlite.OpenDefault() })
	return m.store
}

// forget closes the store, where it was opened.
func (m *memory) forget() {
	if m.store != nil {
		_ = m.store.Close() // everything that was said to be saved is on disk
	}
}

// remembered waits until the store is open and says what the learner should
// hear about it.
func (a *app) remembered(ctx context.Context) (progress.Store, error) {
	store := a.progress()
	notices, err := store.Opened(ctx)
	a.saying.Do(func() {
		for _, notice := range notices {
			fmt.Fprintf(a.err, "cairn: %s\n", notice)
		}
	})
	return store, err
}

// records sums up all exercises. Where they can't be read it says so, and goes
// on without.
func (a *app) records(ctx context.Context) map[string]progress.Record {
	store, err := a.remembered(ctx)
	if err == nil {
		var records map[string]progress.Record
		if records, err = store.Records(ctx); err == nil {
			return records
		}
	}
	fmt.Fprintf(a.err, "cairn: %s\n", err)
	return nil
}
