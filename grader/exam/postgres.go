package exam

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cairn-learn/cairn/grader/wire"
)

// Statements returns what the program has run on its database connections since
// the check began, in the order in which the statements began.
func (c *C) Statements() []wire.Statement { return c.session.statements.Since(c.mark) }

// Barrier arms the barrier: each database session that has had its first answer
// to a SELECT on the table is held until the given number of sessions have. It
// lets go early when the missing ones wait for a lock, and otherwise 300 ms after
// anything has moved, at the latest after 3 s. It makes a race that is possible happen every time, and it delays
// correct code by a moment only. It is disarmed when the check ends.
func (c *C) Barrier(parties int, table string) *Barrier {
	if c.session.barrier == nil {
		c.trouble(fmt.Errorf("check %s asks for the barrier, but the exercise declares no database", c.spec.id))
	}
	c.session.barrier.Arm(parties, table)
	c.Note("holds the answers to SELECT on %s until %d sessions have read", table, parties)
	return &Barrier{c.session.barrier}
}

// Barrier is an armed barrier.
type Barrier struct{ b *wire.Barrier }

// Outcome tells what the barrier has seen so far.
func (b *Barrier) Outcome() wire.Outcome { return b.b.Outcome() }

// Faults does harm to the connections between program and PostgreSQL. Every
// fault ends with the check.
type Faults struct {
	faults
	proxies []*wire.Postgres
}

// Postgres returns the faults for the instances with the given indexes, or for
// every instance when none is given.
func (c *C) Postgres(instances ...int) *Faults {
	f := &Faults{faults: faults{c: c, service: "PostgreSQL"}}
	for i, p := range c.session.programs {
		if p.proxy != nil && (len(instances) == 0 || slices.Contains(instances, i)) {
			f.proxies = append(f.proxies, p.proxy)
			f.wires = append(f.wires, p.proxy)
		}
	}
	if len(f.proxies) == 0 {
		c.trouble(fmt.Errorf("check %s asks for faults of a database that the exercise does not declare", c.spec.id))
	}
	f.endWithCheck()
	return f
}

// CutAfter closes a connection once, at the given point of the first statement
// that matches.
func (f *Faults) CutAfter(match func(wire.Statement) bool, when wire.CutPoint) {
	f.record("will cut the connection at a chosen statement")
	for _, p := range f.proxies {
		p.CutAfter(match, when)
	}
}

// statementResult is a statement's outcome in a few words.
func statementResult(st wire.Statement) string {
	switch {
	case st.Pending:
		return "no answer"
	case st.Err != nil:
		return fmt.Sprintf("ERROR %s %s", st.Err.Code, st.Err.Message)
	case len(st.FirstRow) > 0:
		return fmt.Sprintf("%s: %s", rowCount(st.Rows), firstRow(st))
	case st.Rows >= 0 && !strings.HasPrefix(st.Tag, "BEGIN"):
		return rowCount(st.Rows)
	default:
		return st.Tag
	}
}

// firstRow is the first row's columns with their names: "id 7, balance 100".
func firstRow(st wire.Statement) string {
	cells := make([]string, len(st.FirstRow))
	for i, v := range st.FirstRow {
		cells[i] = v
		if i < len(st.Columns) && st.Columns[i] != "" {
			cells[i] = st.Columns[i] + " " + v
		}
	}
	return strings.Join(cells, ", ")
}

func rowCount(n int) string {
	if n == 1 {
		return "1 row"
	}
	return fmt.Sprintf("%d rows", n)
}
