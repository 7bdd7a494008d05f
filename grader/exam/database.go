package exam

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/cairn-learn/cairn/grader/safe"
)

// Database is the grade's database as the examiner sees it: a connection and a
// role of its own, past the proxy that records the program. The role may do what
// the program's may, and sees rows that a policy hides. Every statement finds the
// session as new. What a statement names must be a table, unless the exercise gave
// or X.Reshaped names it; otherwise the check fails.
type Database struct {
	c *C
}

// DB returns the grade's database.
func (c *C) DB() *Database {
	if c.session.opts.Database == nil {
		c.trouble(fmt.Errorf("check %s asks for a database, but the exercise declares none", c.spec.id))
	}
	return &Database{c: c}
}

// ask runs fn on the session's examiner connection, if what sql names is what the
// task has it to be. The session is as new: nothing that an earlier statement set
// or left in it lasts.
func (db *Database) ask(sql string, fn func(*pgx.Conn) error) {
	s := db.c.session
	s.dbMu.Lock()
	defer s.dbMu.Unlock()
	now, err := s.lookAgain(db.c.ctx, sql)
	if err != nil {
		db.refused(sql, err)
	}
	if f := now.fault(sql, s.given, s.x.reshaped); f != nil {
		db.c.Fail(*f)
	}
	if err := fn(s.db); err != nil {
		db.refused(sql, err)
	}
}

// lookAgain reads the schema, on a new connection if the examiner's was lost.
func (s *Session) lookAgain(ctx context.Context, sql string) (now *schema, err error) {
	if !s.db.IsClosed() {
		now, err = readSchema(ctx, s.db, sql)
	}
	if s.db.IsClosed() && ctx.Err() == nil {
		conn, err := s.connectExaminer(ctx)
		if err != nil {
			return nil, err
		}
		s.db = conn
		return readSchema(ctx, s.db, sql)
	}
	return now, err
}

// query runs sql and reads every row.
func (db *Database) query(sql string, args []any) (rows []map[string]any, affected int64) {
	db.ask(sql, func(conn *pgx.Conn) error {
		got, err := conn.Query(db.c.ctx, sql, args...)
		if err == nil {
			rows, err = pgx.CollectRows(got, pgx.RowToMap)
		}
		affected = got.CommandTag().RowsAffected()
		return err
	})
	return rows, affected
}

// lockWait is how long the examiner waits for a lock. A program that holds one for
// longer after its last answer has forgotten it.
func (l Limits) lockWait() time.Duration { return min(3*time.Second, l.Check/4) }

// statementTime is how long one statement of the examiner's may take. Only what
// the program has put into the database takes so long.
func (l Limits) statementTime() time.Duration { return l.Check / 2 }

// connectExaminer opens a connection for the examiner to the grade's database.
func (s *Session) connectExaminer(ctx context.Context) (*pgx.Conn, error) {
	config, err := pgx.ParseConfig(s.opts.Database.ExaminerURL())
	if err != nil {
		return nil, err
	}
	config.RuntimeParams["lock_timeout"] = fmt.Sprint(s.limits.lockWait().Milliseconds())
	config.RuntimeParams["statement_timeout"] = fmt.Sprint(s.limits.statementTime().Milliseconds())
	config.RuntimeParams["timezone"] = "UTC" // what it says of times is the same on every machine
	config.RuntimeParams["search_path"] = "public, pg_temp"
	config.DefaultQueryExecMode = pgx.QueryExecModeDescribeExec // names nothing in the session
	return pgx.ConnectConfig(ctx, config)
}

// refused ends the check: PostgreSQL did not do what the examiner asked. What the
// program has made of its database can be the cause, and is a finding; a server
// that went away, or has no room, is cairn's own trouble.
func (db *Database) refused(sql string, err error) {
	f := Finding{Did: "the examiner ran: " + safe.Line(sql), Expected: "the tables and columns of the task"}
	var pe *pgconn.PgError
	var scan pgx.ScanArgError
	switch {
	case db.c.outOfTime(err):
		db.c.Fail(Finding{Did: f.Did, Expected: "the check ends in time", Saw: db.c.session.LimitReached()})
	case errors.As(err, &pe) && pe.Code == "55P03":
		f.Expected = "nobody holds a lock on these rows for long"
		f.Saw = fmt.Sprintf("somebody held a lock on them for more than %s", db.c.session.limits.lockWait())
		f.Why = "A lock lasts as long as its transaction. One that is never ended keeps everybody else waiting."
	case errors.As(err, &pe) && pe.Code == "57014":
		f.Expected, f.Saw = "it ends at once", fmt.Sprintf("it did not end within %s: what the program has put behind these tables does not", db.c.session.limits.statementTime())
	case errors.As(err, &pe) && pe.Code == "57P01" && db.serverLives():
		f.Expected, f.Saw = "it ends with a result", "something in the database ended the examiner's session"
	case errors.As(err, &pe) && !troubleClass[pe.Code[:2]] && !strings.HasPrefix(pe.Code, "57P"):
		f.Saw = "PostgreSQL said: " + safe.Line(pe.Message)
	case errors.As(err, &scan):
		f.Saw = "the value is of another type: " + safe.Line(scan.Err.Error())
	default:
		db.c.trouble(fmt.Errorf("check %s: the examiner's own statement failed: %s: %w", db.c.spec.id, safe.Line(sql), err))
	}
	db.c.Fail(f)
}

// troubleClass are the classes of errors that are no program's doing: connection,
// resources, operator, system, configuration, internal.
var troubleClass = map[string]bool{"08": true, "53": true, "58": true, "F0": true, "XX": true}

// serverLives tells whether the server is still the one that the session began
// with, not started again since.
func (db *Database) serverLives() bool {
	s := db.c.session
	conn, err := s.connectExaminer(db.c.ctx)
	if err != nil {
		return false
	}
	started, err := startOf(db.c.ctx, conn)
	_ = conn.Close(db.c.ctx)
	return err == nil && started.Equal(s.dbStarted)
}

func startOf(ctx context.Context, conn *pgx.Conn) (started time.Time, err error) {
	err = conn.QueryRow(ctx, "select pg_catalog.pg_postmaster_start_time()").Scan(&started)
	return started, err
}

// outOfTime tells whether err is no more than that the check's time is over, which
// is the program's limit.
func (c *C) outOfTime(err error) bool {
	if !errors.Is(c.ctx.Err(), context.DeadlineExceeded) || c.session.ctx.Err() != nil || err == nil {
		return false
	}
	c.session.setLimit(fmt.Sprintf("the check %s took longer than %s", c.spec.id, c.session.limits.Check))
	return true
}

// Exec runs a statement and returns how many rows it affected.
func (db *Database) Exec(sql string, args ...any) int64 {
	_, n := db.query(sql, args)
	return n
}

// Rows runs a query and returns its rows by column name.
func (db *Database) Rows(sql string, args ...any) []map[string]any {
	rows, _ := db.query(sql, args)
	return rows
}

// Int runs a query that yields one row with one whole number. NULL is 0.
func (db *Database) Int(sql string, args ...any) int64 {
	var n *int64
	db.one(sql, args, &n)
	if n == nil {
		return 0
	}
	return *n
}

// Text runs a query that yields one row with one text. NULL is "".
func (db *Database) Text(sql string, args ...any) string {
	var t *string
	db.one(sql, args, &t)
	if t == nil {
		return ""
	}
	return *t
}

func (db *Database) one(sql string, args []any, dest any) {
	db.ask(sql, func(conn *pgx.Conn) error {
		err := conn.QueryRow(db.c.ctx, sql, args...).Scan(dest)
		if errors.Is(err, pgx.ErrNoRows) {
			db.c.Fail(Finding{
				Did:      "the examiner ran: " + safe.Line(sql),
				Expected: "one row",
				Saw:      "no row",
			})
		}
		return err
	})
}

// Hold is a transaction that the examiner keeps open, with the locks it took.
type Hold struct {
	tx   pgx.Tx
	conn *pgx.Conn
}

// Hold begins a transaction on a connection of its own, runs sql in it and
// keeps it open until Release or the end of the check.
func (db *Database) Hold(sql string, args ...any) *Hold {
	c := db.c
	conn, err := c.session.connectExaminer(c.ctx)
	if err != nil {
		c.trouble(fmt.Errorf("check %s: cannot connect to the database: %w", c.spec.id, err))
	}
	h := &Hold{conn: conn}
	c.atEnd(h.Release)
	now, err := readSchema(c.ctx, conn, sql)
	if err != nil {
		db.refused(sql, err)
	}
	if f := now.fault(sql, c.session.given, c.session.x.reshaped); f != nil {
		c.Fail(*f)
	}
	h.tx, err = conn.Begin(c.ctx)
	if err == nil {
		_, err = h.tx.Exec(c.ctx, sql, args...)
	}
	if err != nil {
		db.refused(sql, err)
	}
	c.Note("holds a transaction open: %s", safe.Line(sql))
	return h
}

// Release rolls the transaction back and gives its locks up. A second call does
// nothing.
func (h *Hold) Release() {
	if h.conn == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if h.tx != nil {
		_ = h.tx.Rollback(ctx)
	}
	_ = h.conn.Close(ctx)
	h.conn = nil
}
