// Package feed hands what happens in a goroutine to a screen, in order.
package feed

import "sync"

// Feed never blocks the one who pushes: while an editor has the terminal nobody
// reads, and what happens waits here.
type Feed[T any] struct {
	mu     sync.Mutex
	events []T
	closed bool
	wake   chan struct{}
}

// New returns a feed.
func New[T any]() *Feed[T] { return &Feed[T]{wake: make(chan struct{}, 1)} }

// Push adds an event. It may be called from several goroutines.
func (f *Feed[T]) Push(e T) {
	f.mu.Lock()
	f.events = append(f.events, e)
	f.mu.Unlock()
	f.signal()
}

// Finish says that nothing more will come.
func (f *Feed[T]) Finish() {
	f.mu.Lock()
	f.closed = true
	f.mu.Unlock()
	f.signal()
}

func (f *Feed[T]) signal() {
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// Next waits for events and returns all there are; more is false after the
// last. One reader at a time.
func (f *Feed[T]) Next() (events []T, more bool) {
	for {
		f.mu.Lock()
		events, more = f.events, !f.closed
		f.events = nil
		f.mu.Unlock()
		if len(events) > 0 || !more {
			return events, more
		}
		<-f.wake
	}
}
