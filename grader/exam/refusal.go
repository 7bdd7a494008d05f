package exam

import (
	"errors"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/cairn-learn/cairn/grader/report"
	"github.com/cairn-learn/cairn/grader/safe"
)

// Refusal is what PostgreSQL said in place of doing what it was asked.
type Refusal struct {
	Code       string // SQLSTATE: "23505"
	Message    string // one line, safe to show
	Detail     string // likewise, or ""
	Table      string // names of what refused, or ""
	Constraint string
}

// String is the refusal as the learner is to see it.
func (r *Refusal) String() string {
	text := r.Code + ": " + r.Message
	if r.Detail != "" {
		text += " " + r.Detail
	}
	return text
}

// Class tells whether the SQLSTATE is of a class: "23" are the constraints.
func (r *Refusal) Class(class string) bool { return strings.HasPrefix(r.Code, class) }

// Try runs a statement that PostgreSQL may refuse, and returns the refusal, nil
// when it was done. First is the first value that it returned, as text, "" for
// none. The statement and what came of it stand in the evidence. A lock that does
// not come within 300 ms is a refusal too, of SQLSTATE 55P03.
//
// What stands in the way of asking, such as a table that is not there, is a
// Refusal as well; trouble with the server is none, and ends the check.
func (db *Database) Try(sql string, args ...any) (first string, refused *Refusal) {
	began := time.Now()
	var affected pgconn.CommandTag
	db.ask(sql, func(conn *pgx.Conn) error {
		if _, err := conn.Exec(db.c.ctx, "set lock_timeout = '300ms'"); err != nil {
			return err
		}
		rows, err := conn.Query(db.c.ctx, sql, append([]any{pgx.QueryResultFormats{pgx.TextFormatCode}}, args...)...)
		if err == nil {
			for n := 0; rows.Next(); n++ {
				if raw := rows.RawValues(); n == 0 && len(raw) > 0 {
					first = string(raw[0])
				}
			}
			err, affected = rows.Err(), rows.CommandTag()
		}
		refused, err = refusal(err)
		return err
	})
	e := report.Entry{Kind: report.KindSQL, Actor: "examiner", Duration: time.Since(began), Text: strings.Join(strings.Fields(safe.Line(sql)), " "), Result: affected.String(), Failed: refused != nil}
	if refused != nil {
		first, e.Result = "", "ERROR "+refused.Code+" "+refused.Message
	}
	db.c.record(e, began)
	return first, refused
}

// refusal makes of an error of PostgreSQL's a Refusal, unless there is none or it
// is trouble with the server, which stays an error.
func refusal(err error) (*Refusal, error) {
	var pe *pgconn.PgError
	if !errors.As(err, &pe) || troubleClass[pe.Code[:2]] || strings.HasPrefix(pe.Code, "57") {
		return nil, err
	}
	return &Refusal{Code: pe.Code, Message: safe.Line(pe.Message), Detail: safe.Line(pe.Detail), Table: pe.TableName, Constraint: pe.ConstraintName}, nil
}
