package exam

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/cairn-learn/cairn/grader/report"
	"github.com/cairn-learn/cairn/grader/safe"
)

// Plan is a node of a plan that PostgreSQL has run, with all below it. Numbers that
// a machine's speed has a part in are left out.
type Plan struct {
	Node       string   `json:"Node Type"` // "Index Scan"
	Relation   string   `json:"Relation Name"`
	Index      string   `json:"Index Name"`
	Function   string   `json:"Function Name"`
	Direction  string   `json:"Scan Direction"`
	IndexCond  string   `json:"Index Cond"`
	Filter     string   `json:"Filter"`
	SortKey    []string `json:"Sort Key"`
	Presorted  []string `json:"Presorted Key"`
	Loops      int64    `json:"Actual Loops"`
	PerLoop    float64  `json:"Actual Rows"` // of one loop, on average
	Removed    float64  `json:"Rows Removed by Filter"`
	HeapVisits int64    `json:"Heap Fetches"` // of an Index Only Scan
	Hit        int64    `json:"Shared Hit Blocks"`
	Read       int64    `json:"Shared Read Blocks"`
	WALBytes   int64    `json:"WAL Bytes"`
	Plans      []*Plan  `json:"Plans"`
}

// Buffers is how many pages the node and all below it have looked at, whether they
// were in memory or not: the same number on every machine.
func (p *Plan) Buffers() int64 { return p.Hit + p.Read }

// Rows is how many rows the node has passed on in all of its loops.
func (p *Plan) Rows() int64 { return int64(p.PerLoop*float64(max(p.Loops, 1)) + 0.5) }

// RemovedRows is how many rows the node's filter has thrown away.
func (p *Plan) RemovedRows() int64 { return int64(p.Removed*float64(max(p.Loops, 1)) + 0.5) }

// All goes through the node and those below it, with how far below each is.
func (p *Plan) All() iter.Seq2[int, *Plan] {
	return func(yield func(int, *Plan) bool) { p.walk(0, yield) }
}

func (p *Plan) walk(depth int, yield func(int, *Plan) bool) bool {
	if !yield(depth, p) {
		return false
	}
	for _, below := range p.Plans {
		if !below.walk(depth+1, yield) {
			return false
		}
	}
	return true
}

// alike are settings under which plans come out the same on every machine.
const alike = "set local max_parallel_workers_per_gather = 0; set local jit = off"

// Explain runs a statement under EXPLAIN ANALYZE and returns its plan, without
// parallel workers. Before it run the statements of before, in the same
// transaction, which is rolled back: nothing of it lasts. What PostgreSQL refuses
// is a Refusal, as with Try.
//
// What the planner has to look up once about a relation is among the buffers of
// the first statement of a session that needs it.
func (db *Database) Explain(sql string, before ...string) (*Plan, *Refusal) {
	began := time.Now()
	var explained []struct{ Plan *Plan }
	var refused *Refusal
	db.ask(sql, func(conn *pgx.Conn) error {
		tx, err := conn.Begin(db.c.ctx)
		if err != nil {
			return err
		}
		defer func() { _ = tx.Rollback(context.WithoutCancel(db.c.ctx)) }()
		script := strings.Join(append([]string{alike}, before...), ";\n")
		var text []byte
		if _, err = conn.PgConn().Exec(db.c.ctx, script).ReadAll(); err == nil {
			err = tx.QueryRow(db.c.ctx, "explain (analyze, buffers, wal, timing off, format json) "+sql).Scan(&text)
		}
		if err == nil {
			err = json.Unmarshal(text, &explained)
		}
		refused, err = refusal(err)
		return err
	})
	e := report.Entry{Kind: report.KindSQL, Actor: "examiner", Duration: time.Since(began), Text: "explain analyze " + strings.Join(strings.Fields(safe.Line(sql)), " "), Failed: refused != nil}
	if refused == nil && (len(explained) != 1 || explained[0].Plan == nil) {
		db.c.trouble(fmt.Errorf("PostgreSQL explained nothing of: %s", safe.Line(sql)))
	}
	var plan *Plan
	if refused != nil {
		e.Result = "ERROR " + refused.Code + " " + refused.Message
	} else {
		plan = explained[0].Plan
		e.Result = fmt.Sprintf("%d buffers", plan.Buffers())
	}
	db.c.record(e, began)
	return plan, refused
}
