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
// role of its own, past the proxy that records the program.
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

// query runs sql on the session's examiner connection and reads every row.
func (db *Database) query(sql string, args []any) (rows []map[string]any, affected int64) {
	s := db.c.session
	s.dbMu.Lock()
	defer s.dbMu.Unlock()
	got, err := s.db.Query(db.c.ctx, sql, args...)
	if err == nil {
		rows, err = pgx.CollectRows(got, pgx.RowToMap)
	}
	if err != nil {
		db.refused(sql, err)
	}
	return rows, got.CommandTag().RowsAffected()
}

// lockWait is how long the examiner waits for a lock. A program that holds one
// for longer after its last answer has forgotten it.
const lockWait = 3 * time.Second

// connectExaminer opens a connection for the examiner to the grade's database.
func (s *Session) connectExaminer(ctx context.Context) (*pgx.Conn, error) {
	config, err := pgx.ParseConfig(s.opts.Database.ExaminerURL())
	if err != nil {
		return nil, err
	}
	config.RuntimeParams["lock_timeout"] = fmt.Sprint(lockWait.Milliseconds())
	return pgx.ConnectConfig(ctx, config)
}

// refused ends the check: PostgreSQL did not do what the examiner asked. When
// the schema is not the contract's, or a lock stands in the way, that is a
// finding; anything else is cairn's own trouble.
func (db *Database) refused(sql string, err error) {
	var pe *pgconn.PgError
	if errors.As(err, &pe) && pe.Code == "55P03" {
		db.c.Fail(Finding{
			Did:      "the examiner ran: " + safe.Line(sql),
			Expected: "nobody holds a lock on these rows for long",
			Saw:      fmt.Sprintf("somebody held a lock on them for more than %s", lockWait),
			Why:      "A lock lasts as long as its transaction. One that is never ended keeps everybody else waiting.",
		})
	}
	if errors.As(err, &pe) && strings.HasPrefix(pe.Code, "42") {
		db.c.Fail(Finding{
			Did:      "the examiner ran: " + safe.Line(sql),
			Expected: "the tables and columns of the task",
			Saw:      "PostgreSQL said: " + safe.Line(pe.Message),
		})
	}
	db.c.trouble(fmt.Errorf("check %s: the examiner's own statement failed: %s: %w", db.c.spec.id, safe.Line(sql), err))
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
	s := db.c.session
	s.dbMu.Lock()
	defer s.dbMu.Unlock()
	err := s.db.QueryRow(db.c.ctx, sql, args...).Scan(dest)
	if errors.Is(err, pgx.ErrNoRows) {
		db.c.Fail(Finding{
			Did:      "the examiner ran: " + safe.Line(sql),
			Expected: "one row",
			Saw:      "no row",
		})
	}
	if err != nil {
		db.refused(sql, err)
	}
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
