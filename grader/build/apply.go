package build

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"

	"github.com/cairn-learn/cairn/grader/report"
	"github.com/cairn-learn/cairn/grader/safe"
	"github.com/cairn-learn/cairn/grader/wire"
)

// DefaultApplyTimeout is how long applying the files of SQL may take together.
const DefaultApplyTimeout = 10 * time.Second

// connectTime is how long PostgreSQL may take to let somebody in.
const connectTime = 15 * time.Second

// Apply runs the files of a snapshot in a database, in the order of the request.
// Each has a session of its own and is sent in one go, so it is one transaction
// unless it says otherwise. It returns an *ApplyError when PostgreSQL refuses a
// statement, a *LimitError when that took too long, a *TroubleError when
// PostgreSQL is not able to, and the context's error when ctx was done. What a
// statement that is over its time has begun may still run for a moment.
func Apply(ctx context.Context, s *Snapshot, r Request, url string) error {
	if r.Timeout == 0 {
		r.Timeout = DefaultApplyTimeout
	}
	config, err := pgconn.ParseConfig(url)
	if err != nil {
		return applyTrouble(err)
	}
	// A statement that is cancelled ends with an error of its own, which tells how
	// many came before it; a connection that is closed tells nothing.
	config.ConnectTimeout = connectTime
	config.BuildContextWatcherHandler = func(c *pgconn.PgConn) ctxwatch.Handler {
		return &pgconn.CancelRequestContextWatcherHandler{Conn: c, DeadlineDelay: 2 * time.Second}
	}
	left := r.Timeout
	for _, name := range r.Edit {
		conn, err := pgconn.ConnectConfig(ctx, config) // which takes no time of the learner's
		if err == nil {
			began := time.Now()
			limited, cancel := context.WithTimeout(ctx, left)
			f := file{name: name, sql: script(s.Files[name])}
			var done int
			done, err = applyFile(limited, conn, f, r.Timeout)
			cancel()
			left -= time.Since(began)
			if endedSession(ctx, err, config, began) {
				err = &ApplyError{Diagnostics: []report.Diagnostic{f.endsItself(done)}}
			}
			end, stop := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
			_ = conn.Close(end)
			stop()
		} else {
			err = applyTrouble(err)
		}
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			return err
		}
	}
	return nil
}

// file is a file of SQL on its way.
type file struct{ name, sql string }

// applyFile returns how many statements were done.
func applyFile(ctx context.Context, conn *pgconn.PgConn, f file, limit time.Duration) (done int, err error) {
	results := conn.Exec(ctx, f.sql)
	for results.NextResult() {
		rows := results.ResultReader()
		for rows.NextRow() {
		}
		if _, err := rows.Close(); err == nil {
			done++
		}
	}
	err = results.Close()
	var refused *pgconn.PgError
	switch {
	case ctx.Err() != nil:
		return done, &LimitError{What: fmt.Sprintf("applying the SQL took longer than %v; it was at %s, line %d", limit, f.name, f.lineOf(done))}
	case errors.As(err, &refused) && !applyTroubles[refused.Code[:2]] && !strings.HasPrefix(refused.Code, "57P"):
		return done, &ApplyError{Diagnostics: []report.Diagnostic{f.diagnose(refused, done)}}
	case err != nil:
		return done, applyTrouble(err)
	case conn.TxStatus() != 'I':
		return done, &ApplyError{Diagnostics: []report.Diagnostic{f.unfinished()}}
	}
	return done, nil
}

// adminShutdown is the SQLSTATE of a session that was ended from outside, by
// pg_terminate_backend or with the whole server.
const adminShutdown = "57P01"

// endedSession tells whether an error says that a session was ended by itself: the
// server has run since before the session began, and no other role may end it.
func endedSession(ctx context.Context, err error, config *pgconn.Config, began time.Time) bool {
	var refused *pgconn.PgError
	if !errors.As(err, &refused) || refused.Code != adminShutdown {
		return false
	}
	conn, err := pgconn.ConnectConfig(ctx, config)
	if err != nil {
		return false
	}
	defer func() { _ = conn.Close(ctx) }()
	const ask = "select now() - pg_postmaster_start_time() > make_interval(secs => $1::float8)"
	since := strconv.FormatFloat(time.Since(began).Seconds(), 'f', -1, 64)
	answer := conn.ExecParams(ctx, ask, [][]byte{[]byte(since)}, nil, nil, nil).Read()
	return answer.Err == nil && len(answer.Rows) == 1 && string(answer.Rows[0][0]) == "t"
}

// endsItself names the statement that ended its own session.
func (f file) endsItself(done int) report.Diagnostic {
	d := report.Diagnostic{File: f.name, Line: f.lineOf(done), Message: "this ends the session that it runs in (SQLSTATE " + adminShutdown + ")", Help: "What the file has done up to there is rolled back. Take pg_terminate_backend out."}
	point(&d, []byte(f.sql))
	return d
}

// applyTroubles are the classes of errors that no statement is to blame for:
// connection, resources, system, configuration, internal.
var applyTroubles = map[string]bool{"08": true, "53": true, "58": true, "F0": true, "XX": true}

func applyTrouble(err error) error {
	return &TroubleError{What: "PostgreSQL could not be given the SQL", Do: "grade again", Err: err}
}

// lineOf is the line at which a statement begins, counted from 0.
func (f file) lineOf(statement int) int {
	all := wire.Script(f.sql)
	if len(all) == 0 {
		return 0
	}
	return lineAt(f.sql, all[min(statement, len(all)-1)].At)
}

// diagnose puts an error at its place: where PostgreSQL says, or else at the
// statement that failed, which is the one after those that are done.
func (f file) diagnose(e *pgconn.PgError, done int) report.Diagnostic {
	d := report.Diagnostic{File: f.name, Line: f.lineOf(done), Message: safe.Line(e.Message) + " (SQLSTATE " + e.Code + ")"}
	if runes := []rune(f.sql); e.Position > 0 && int(e.Position) <= len(runes)+1 {
		before := string(runes[:e.Position-1])
		d.Line = lineAt(before, len(before))
		d.Col = len(before) - strings.LastIndexByte(before, '\n')
	}
	if e.Detail != "" {
		d.Message += "\n" + safe.Line(e.Detail)
	}
	point(&d, []byte(f.sql))
	d.Help = sqlHelp(e)
	return d
}

// sqlHelps say in one sentence what beginners need to know about an error.
var sqlHelps = map[string]string{
	"42501": "The file runs as an ordinary role, which owns this database and nothing else of the server.",
	"42601": "PostgreSQL names the word at which it lost the thread: look just before it for a comma too many or too few, or an open parenthesis.",
	"42P07": "Each grade begins with a fresh database: something in the file makes this twice.",
	"42P01": "What a statement names must be made before it, further up in the file.",
	"25001": "The file is sent in one go, as one transaction, and this cannot be part of one.",
	"42830": "A foreign key refers to columns that are together a primary key or unique.",
}

func sqlHelp(e *pgconn.PgError) string {
	switch {
	case e.Code == "42601" && strings.Contains(e.Message, `"\"`):
		return `What begins with a backslash ` + psqlsOwn + "."
	case sqlHelps[e.Code] != "":
		return sqlHelps[e.Code]
	}
	return safe.Line(e.Hint)
}

// unfinished says where the transaction begins that the file does not end.
func (f file) unfinished() report.Diagnostic {
	d := report.Diagnostic{File: f.name, Message: "this transaction is never committed, so nothing of it lasts", Help: "End it with commit, or leave begin out: the file is one transaction anyway."}
	for _, p := range wire.Script(f.sql) {
		if slices.Equal(p.Words[:min(len(p.Words), 1)], []string{"begin"}) || len(p.Words) > 1 && p.Words[0] == "start" && p.Words[1] == "transaction" {
			d.Line = lineAt(f.sql, p.At)
		}
	}
	point(&d, []byte(f.sql))
	return d
}
