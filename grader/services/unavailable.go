package services

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// Unavailable is cairn's own trouble: a service that a grade needs can't be had. It is never the
// learner's fault, and a grade that meets it is ungraded.
type Unavailable struct {
	What string // what happened, one sentence without a full stop
	Do   string // the one thing to do about it
	Err  error  // the cause, may be nil
}

// Error is What and Do in one line.
func (e *Unavailable) Error() string {
	if e.Do == "" {
		return e.What
	}
	return e.What + ": " + e.Do
}

func (e *Unavailable) Unwrap() error { return e.Err }

func unavailable(err error, do, format string, args ...any) *Unavailable {
	return &Unavailable{What: fmt.Sprintf(format, args...), Do: do, Err: err}
}

// explainSQL turns an error of the server into Unavailable. A cancelled context stays what it is.
func explainSQL(ctx context.Context, err error, doing string) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return fmt.Errorf("%s: %w", doing, context.Cause(ctx))
	}
	var already *Unavailable
	if errors.As(err, &already) {
		return err
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		switch pg.Code {
		case "53100":
			return unavailable(err, "run cairn services prune", "the memory disk of PostgreSQL is full (%s)", doing)
		case "53200":
			return unavailable(err, "close other programs or give Docker more memory", "PostgreSQL ran out of memory (%s)", doing)
		case "53300":
			return unavailable(err, "end other grades or run cairn services stop", "PostgreSQL has no connection left (%s)", doing)
		case "57P01", "57P02", "57P03":
			return unavailable(err, "grade again, cairn starts it anew", "PostgreSQL was stopped (%s)", doing)
		}
		return unavailable(err, "run cairn services stop and grade again", "PostgreSQL refused (%s): %s", doing, pg.Message)
	}
	if isLost(err) {
		return unavailable(err, "grade again, cairn starts it anew", "the connection to PostgreSQL was lost (%s)", doing)
	}
	return unavailable(err, "run cairn services stop and grade again", "%s failed: %s", doing, oneLine(err))
}

// isLost tells whether the server went away, rather than refused.
func isLost(err error) bool {
	var connect *pgconn.ConnectError
	var netErr net.Error
	return errors.As(err, &connect) || errors.As(err, &netErr) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed)
}

// oneLine is the error's first line.
func oneLine(err error) string {
	line, _, _ := strings.Cut(strings.TrimSpace(err.Error()), "\n")
	return line
}
