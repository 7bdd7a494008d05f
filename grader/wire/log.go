package wire

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// Log collects what several proxies see, SQL and Redis commands in one order. It
// is bounded: when full, the oldest go. Safe for concurrent use.
type Log struct {
	mu       sync.Mutex
	records  []entry // in order of their numbers, without gaps
	next     int     // number of the next one
	bytes    int
	dropped  int
	sessions int
	notes    []Note
	scripts  scripts
	changed  chan struct{} // closed at the next change; nil while nobody waits
}

// entry is what a Log keeps of a statement or a command.
type entry interface {
	number(seq int)
	size() int // in memory, roughly
}

// NewLog returns an empty log.
func NewLog() *Log { return &Log{next: 1} }

// Mark is a point in a Log, for statements and commands alike.
type Mark int

// Mark returns the present end of the log: what starts later is Since it.
func (l *Log) Mark() Mark {
	l.mu.Lock()
	defer l.mu.Unlock()
	return Mark(l.next)
}

// Statements returns a snapshot of every statement kept, in order of start.
func (l *Log) Statements() []Statement { return l.Since(0) }

// Since returns a snapshot of the statements started after mark was taken, in
// order of start.
func (l *Log) Since(mark Mark) []Statement { return snapshot(l, mark, (*record).statement) }

// Commands returns a snapshot of every command kept, in order of start.
func (l *Log) Commands() []Command { return l.CommandsSince(0) }

// CommandsSince returns a snapshot of the commands started after mark was taken,
// in order of start.
func (l *Log) CommandsSince(mark Mark) []Command {
	return snapshot(l, mark, (*commandRecord).command)
}

// Wait blocks until a statement started after mark satisfies match, and returns
// it. A statement is offered again when it changes, so that match can ask for a
// pending one as well as for an answered one. It fails when ctx ends first.
func (l *Log) Wait(ctx context.Context, mark Mark, match func(Statement) bool) (Statement, error) {
	return await(ctx, l, "statement", l.Since, mark, match)
}

// WaitCommand is Wait for a command.
func (l *Log) WaitCommand(ctx context.Context, mark Mark, match func(Command) bool) (Command, error) {
	return await(ctx, l, "command", l.CommandsSince, mark, match)
}

// snapshot copies the records of one kind from mark on under the lock, and
// renders them outside of it.
func snapshot[R any, T any](l *Log, mark Mark, render func(*R) T) []T {
	l.mu.Lock()
	first := l.next - len(l.records)
	skip := min(max(int(mark)-first, 0), len(l.records))
	var copies []R
	for _, r := range l.records[skip:] {
		if r, ok := any(r).(*R); ok {
			copies = append(copies, *r)
		}
	}
	l.mu.Unlock()
	rendered := make([]T, len(copies))
	for i := range copies {
		rendered[i] = render(&copies[i])
	}
	return rendered
}

func await[T any](ctx context.Context, l *Log, what string, since func(Mark) []T, mark Mark, match func(T) bool) (T, error) {
	for {
		l.mu.Lock()
		if l.changed == nil {
			l.changed = make(chan struct{})
		}
		changed := l.changed
		l.mu.Unlock()
		for _, t := range since(mark) {
			if match(t) {
				return t, nil
			}
		}
		select {
		case <-changed:
		case <-ctx.Done():
			var none T
			return none, fmt.Errorf("no such %s on the wire: %w", what, context.Cause(ctx))
		}
	}
}

// Dropped returns how many statements and commands were forgotten because the log was full.
func (l *Log) Dropped() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.dropped
}

// Notes returns what happened beside them, in order of time.
func (l *Log) Notes() []Note {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]Note(nil), l.notes...)
}

func (l *Log) note(listener string, session int, format string, args ...any) {
	n := Note{Time: time.Now(), Listener: listener, Session: session, Text: fmt.Sprintf(format, args...)}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.notes) < maxNotes {
		l.notes = append(l.notes, n)
	}
	l.signal()
}

func (l *Log) noteBlind(listener string, session int, side string, err error) {
	l.note(listener, session, "%s sent %v: this connection is not recorded any further", side, err)
}

func (l *Log) noteFlood(listener string, session int) {
	l.note(listener, session, "the program sent %d requests without reading an answer: this connection is closed", maxQueue)
}

// session hands out the number of a new connection.
func (l *Log) session() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sessions++
	return l.sessions
}

// begin adds a pending statement or command.
func (l *Log) begin(r entry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	r.number(l.next)
	l.next++
	l.records = append(l.records, r)
	l.bytes += r.size()
	for len(l.records) > 1 && (len(l.records) > maxStatements || l.bytes > maxLogBytes) {
		l.bytes -= l.records[0].size()
		l.records[0] = nil
		l.records = l.records[1:]
		l.dropped++
	}
	l.signal()
}

// update changes records under the lock, so that no snapshot sees half a change.
func (l *Log) update(change func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	change()
	l.signal()
}

// signal wakes those who wait for a change. The caller holds l.mu.
func (l *Log) signal() {
	if l.changed != nil {
		close(l.changed)
		l.changed = nil
	}
}
