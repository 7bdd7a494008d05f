package wire

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// Log collects what several proxies see, in one order. It is bounded: when full,
// the oldest statements go. Safe for concurrent use.
type Log struct {
	mu       sync.Mutex
	records  []*record // in order of Seq, without gaps
	next     int       // Seq of the next record
	bytes    int
	dropped  int
	sessions int
	notes    []Note
	changed  chan struct{} // closed at the next change; nil while nobody waits
}

// NewLog returns an empty log.
func NewLog() *Log { return &Log{next: 1} }

// Mark is a point in a Log.
type Mark int

// Mark returns the present end of the log: statements started later are Since it.
func (l *Log) Mark() Mark {
	l.mu.Lock()
	defer l.mu.Unlock()
	return Mark(l.next)
}

// Statements returns a snapshot of every statement kept, in order of start.
func (l *Log) Statements() []Statement { return l.Since(0) }

// Since returns a snapshot of the statements started after mark was taken, in
// order of start.
func (l *Log) Since(mark Mark) []Statement {
	l.mu.Lock()
	copies := l.since(mark)
	l.mu.Unlock()
	return render(copies)
}

// since copies the records from mark on. The caller holds l.mu.
func (l *Log) since(mark Mark) []record {
	first := l.next - len(l.records)
	skip := min(max(int(mark)-first, 0), len(l.records))
	copies := make([]record, 0, len(l.records)-skip)
	for _, r := range l.records[skip:] {
		copies = append(copies, *r)
	}
	return copies
}

func render(records []record) []Statement {
	statements := make([]Statement, len(records))
	for i := range records {
		statements[i] = records[i].statement()
	}
	return statements
}

// Wait blocks until a statement started after mark satisfies match, and returns
// it. A statement is offered again when it changes, so that match can ask for a
// pending one as well as for an answered one. It fails when ctx ends first.
func (l *Log) Wait(ctx context.Context, mark Mark, match func(Statement) bool) (Statement, error) {
	for {
		l.mu.Lock()
		copies := l.since(mark)
		if l.changed == nil {
			l.changed = make(chan struct{})
		}
		changed := l.changed
		l.mu.Unlock()
		for _, s := range render(copies) {
			if match(s) {
				return s, nil
			}
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return Statement{}, fmt.Errorf("no such statement on the wire: %w", context.Cause(ctx))
		}
	}
}

// Dropped returns how many statements were forgotten because the log was full.
func (l *Log) Dropped() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.dropped
}

// Notes returns what happened beside the statements, in order of time.
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

// session hands out the number of a new connection.
func (l *Log) session() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sessions++
	return l.sessions
}

// begin adds a pending statement.
func (l *Log) begin(r *record) {
	l.mu.Lock()
	defer l.mu.Unlock()
	r.Seq = l.next
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
