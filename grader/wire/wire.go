// Package wire stands between a program under examination and its services. A
// [Postgres] and a [Redis] are proxies that understand the protocols of these
// servers: they record what the program ran in a [Log] and inject faults. That of
// PostgreSQL holds answers at a [Barrier] too, so that a race happens every time.
//
// Bytes are forwarded as they came; frames are parsed in place on the way. What
// the parser does not understand is forwarded all the same and only ends the
// recording of that session, which the log then says.
package wire

import (
	"fmt"
	"time"
)

// Statement is one statement that the program ran, as seen on the wire.
type Statement struct {
	Seq      int      // order of start within the Log, from 1
	Listener string   // the proxy it went through, e.g. "instance 1"
	Session  int      // number of the connection, from 1, unique within the Log
	SQL      string   // as sent; a long text is cut and ends in "…"
	Params   []string // bound parameters as text, NULL as "NULL"
	Rows     int      // rows returned or affected, -1 where the server gives no number
	Tag      string   // tag of CommandComplete, e.g. "UPDATE 1"
	Err      *Error   // nil unless the server answered with an error

	// Start is when the request reached the proxy; for the second and later
	// statements of one simple query, when the one before was complete.
	Start time.Time
	// Duration runs from Start until the statement's CommandComplete or
	// ErrorResponse (or until the connection ended, if Lost). 0 while Pending.
	Duration time.Duration

	Pending bool // not answered yet
	Lost    bool // the connection ended before the answer
	Skipped bool // sent, but never run: an earlier one of the same pipeline failed
	Simple  bool // sent with the simple protocol

	// Columns and FirstRow show a glimpse of the result: the first few columns
	// of its first row, values cut short. Both are nil where there was no row.
	Columns  []string
	FirstRow []string

	// TxStatus is the transaction status that the server reported next: 'I'
	// idle, 'T' in a transaction, 'E' in a failed one; 0 while unknown.
	TxStatus byte
}

// Verb returns the first keyword of the statement in upper case, such as
// "SELECT", "BEGIN" or "COMMIT"; "" where there is none.
func (s Statement) Verb() string { return verb(s.SQL) }

// End returns when the statement was answered; Start while it is pending.
func (s Statement) End() time.Time { return s.Start.Add(s.Duration) }

// Error is what the server answered instead of a result.
type Error struct {
	Code       string // SQLSTATE
	Message    string
	Detail     string
	Constraint string
}

// Error returns the message with its SQLSTATE.
func (e *Error) Error() string {
	return fmt.Sprintf("%s (SQLSTATE %s)", e.Message, e.Code)
}

// Note is something that happened on the wire and belongs to no statement or command: a
// refused login, a session that could no longer be recorded, a fault that bit.
type Note struct {
	Time     time.Time
	Listener string
	Session  int // 0 where it belongs to none
	Text     string
}

// Limits of what a Log keeps. Text beyond them is cut, older statements go first.
const (
	maxStatements = 50_000 // commands included
	maxLogBytes   = 64 << 20
	maxNotes      = 1000
	maxSQL        = 16 << 10
	maxParam      = 512
	maxParams     = 100
	maxColumns    = 8
	maxValue      = 80
	maxMessage    = 1 << 10
)
