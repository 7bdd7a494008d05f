package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/cairn-learn/cairn/internal/progress"
	"github.com/cairn-learn/cairn/internal/progress/sqlite"
	"github.com/cairn-learn/cairn/internal/workspace"
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

// openingPatience is how long a command that ends waits for the store, so that what
// was found out about it gets said.
const openingPatience = time.Second

// forget says what the learner has not heard about the store yet, and closes
// it.
func (a *app) forget() {
	if a.store == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), openingPatience)
	defer cancel()
	notices, _ := a.store.Opened(ctx) // an error was said by whoever needed the store
	a.sayOnce(notices)
	_ = a.store.Close() // everything that was said to be saved is on disk
}

// remembered waits until the store is open and says what the learner should
// hear about it.
func (a *app) remembered(ctx context.Context) (progress.Store, error) {
	store := a.progress()
	notices, err := store.Opened(ctx)
	if ctx.Err() == nil {
		a.sayOnce(notices)
	}
	return store, err
}

func (a *app) sayOnce(notices []string) {
	a.saying.Do(func() {
		for _, notice := range notices {
			fmt.Fprintf(a.err, "cairn: %s\n", notice)
		}
	})
}

// known sums up all exercises and what was read. Where that can't be found out it
// says so, and goes on without.
func (a *app) known(ctx context.Context) workspace.Known {
	store, err := a.remembered(ctx)
	if err == nil {
		var known workspace.Known
		if known, err = knownOf(ctx, store); err == nil {
			return known
		}
	}
	fmt.Fprintf(a.err, "cairn: %s\n", err)
	return workspace.Known{}
}

func knownOf(ctx context.Context, store progress.Store) (known workspace.Known, err error) {
	var err1, err2 error
	known.Records, err1 = store.Records(ctx)
	known.Read, err2 = store.Read(ctx)
	return known, errors.Join(err1, err2)
}
