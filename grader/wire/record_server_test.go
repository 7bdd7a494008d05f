package wire_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/cairn-learn/cairn/grader/wire"
)

// rig is a proxy in front of a database of its own.
type rig struct {
	t     *testing.T
	db    db
	log   *wire.Log
	proxy *wire.Postgres
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{t: t, db: openDatabase(t), log: wire.NewLog()}
	r.proxy = r.listen("instance 1", nil)
	return r
}

func (r *rig) listen(name string, barrier *wire.Barrier) *wire.Postgres {
	r.t.Helper()
	proxy, err := wire.ListenPostgres(wire.Config{Upstream: r.db.addr, Name: name, Log: r.log, Barrier: barrier})
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() {
		if err := proxy.Close(); err != nil {
			r.t.Error(err)
		}
	})
	return proxy
}

func (r *rig) connect() *pgx.Conn { return connect(r.t, r.url()) }

func (r *rig) url() string { return r.db.ProgramURL(r.proxy.Addr()) }

// seen returns the statements since a mark, each on one line.
func (r *rig) seen(mark wire.Mark) []string {
	var lines []string
	for _, s := range r.log.Since(mark) {
		line := s.SQL
		if len(s.Params) > 0 {
			line += " [" + strings.Join(s.Params, ", ") + "]"
		}
		line += " → " + s.Tag
		if s.Err != nil {
			line += s.Err.Code
		}
		switch {
		case s.Pending:
			line += " pending"
		case s.Lost:
			line += " lost"
		case s.Skipped:
			line += " skipped"
		}
		if s.FirstRow != nil {
			line += fmt.Sprintf(" %s=%s", strings.Join(s.Columns, ","), strings.Join(s.FirstRow, ","))
		}
		if s.TxStatus != 0 {
			line += " " + string(s.TxStatus)
		}
		lines = append(lines, line)
	}
	return lines
}

func (r *rig) want(mark wire.Mark, want ...string) {
	r.t.Helper()
	if got := r.seen(mark); !slices.Equal(got, want) {
		r.t.Errorf("the log shows\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestExtendedProtocol(t *testing.T) {
	r := newRig(t)
	conn := r.connect()
	ctx := context.Background()
	before := time.Now()
	var n int
	var s string
	must(t, conn.QueryRow(ctx, "select $1::int + 1 as n, $2::text as s", 41, "größe").Scan(&n, &s))
	r.want(0, "select $1::int + 1 as n, $2::text as s [41, größe] → SELECT 1 n,s=42,größe I")
	got := r.log.Statements()[0]
	if got.Listener != "instance 1" || got.Session != 1 || got.Seq != 1 || got.Simple || got.Rows != 1 {
		t.Errorf("recorded as %+v", got)
	}
	if got.Start.Before(before) || got.Duration <= 0 || got.End().After(time.Now()) {
		t.Errorf("started %v, took %v; asked at %v", got.Start, got.Duration, before)
	}
	if got.Verb() != "SELECT" {
		t.Errorf("its verb is %q", got.Verb())
	}
}

// TestPreparedStatements runs one statement many times: the text came only once.
func TestPreparedStatements(t *testing.T) {
	r := newRig(t)
	conn := r.connect()
	ctx := context.Background()
	for i := range 3 {
		var n int
		must(t, conn.QueryRow(ctx, "select $1::int", i).Scan(&n))
	}
	_, err := conn.Prepare(ctx, "mine", "select $1::text")
	must(t, err)
	var s string
	must(t, conn.QueryRow(ctx, "mine", nil).Scan(new(*string)))
	must(t, conn.Deallocate(ctx, "mine"))
	must(t, conn.QueryRow(ctx, "select 'x'", pgx.QueryExecModeExec).Scan(&s))
	must(t, conn.QueryRow(ctx, "select $1::int", pgx.QueryExecModeDescribeExec, 7).Scan(new(int)))
	r.want(0,
		"select $1::int [0] → SELECT 1 int4=0 I",
		"select $1::int [1] → SELECT 1 int4=1 I",
		"select $1::int [2] → SELECT 1 int4=2 I",
		"select $1::text [NULL] → SELECT 1 text=NULL I",
		"select 'x' → SELECT 1 ?column?=x I",
		"select $1::int [7] → SELECT 1 int4=7 I",
	)
}

func TestSimpleProtocol(t *testing.T) {
	r := newRig(t)
	conn := r.connect()
	_, err := conn.PgConn().Exec(context.Background(), `
		create temp table t (id int);
		insert into t values (1), (2); -- two; rows
		begin; select id, 'a;b' as s from t order by id desc; update t set id = id / 0; commit`).ReadAll()
	if err == nil {
		t.Fatal("dividing by zero went well")
	}
	must(t, conn.Ping(context.Background()))
	r.want(0,
		"create temp table t (id int) → CREATE TABLE E",
		"insert into t values (1), (2) → INSERT 0 2 E",
		"-- two; rows\n\t\tbegin → BEGIN E",
		"select id, 'a;b' as s from t order by id desc → SELECT 2 id,s=2,a;b E",
		"update t set id = id / 0 → 22012 E",
		"commit →  skipped",
		"-- ping →  E",
	)
	all := r.log.Statements()
	if all[1].Rows != 2 || all[0].Rows != -1 || all[3].Rows != 2 || !all[0].Simple {
		t.Errorf("rows %d, %d, %d; simple %v", all[0].Rows, all[1].Rows, all[3].Rows, all[0].Simple)
	}
	for i, s := range all[1:5] {
		if s.Start.Before(all[i].End()) {
			t.Errorf("%q starts before %q is complete", s.SQL, all[i].SQL)
		}
	}
}

func TestBatch(t *testing.T) {
	r := newRig(t)
	conn := r.connect()
	ctx := context.Background()
	_, err := conn.Exec(ctx, "create temp table t (id int primary key, s text)")
	must(t, err)
	mark := r.log.Mark()
	var b pgx.Batch
	for i := range 3 {
		b.Queue("insert into t values ($1, $2)", i, fmt.Sprint("row ", i))
	}
	b.Queue("select count(*) from t")
	must(t, conn.SendBatch(ctx, &b).Close())
	r.want(mark,
		"insert into t values ($1, $2) [0, row 0] → INSERT 0 1 I",
		"insert into t values ($1, $2) [1, row 1] → INSERT 0 1 I",
		"insert into t values ($1, $2) [2, row 2] → INSERT 0 1 I",
		"select count(*) from t → SELECT 1 count=3 I",
	)

	mark = r.log.Mark()
	b = pgx.Batch{}
	b.Queue("insert into t values (7, 'new')")
	b.Queue("insert into t values ($1, $2)", 1, "again")
	b.Queue("delete from t")
	err = conn.SendBatch(ctx, &b).Close()
	var refused *pgconn.PgError
	if !errors.As(err, &refused) || refused.Code != "23505" {
		t.Fatalf("a duplicate gave %v", err)
	}
	r.want(mark,
		"insert into t values (7, 'new') → INSERT 0 1 I",
		"insert into t values ($1, $2) [1, again] → 23505 I",
		"delete from t →  skipped",
	)
	if e := r.log.Since(mark)[1].Err; e.Constraint != "t_pkey" || !strings.Contains(e.Detail, "(id)=(1)") || e.Message == "" {
		t.Errorf("recorded as %+v", e)
	}
}

func TestPipelineWithSeveralSyncs(t *testing.T) {
	r := newRig(t)
	conn := r.connect()
	p := conn.PgConn().StartPipeline(context.Background())
	for _, q := range []string{"select 1", "select 1/0", "select 2"} {
		p.SendQueryParams(q, nil, nil, nil, nil)
		if q == "select 1/0" {
			p.SendQueryParams("select 'never'", nil, nil, nil, nil)
		}
		must(t, p.Sync())
	}
	for range 6 {
		switch results, _ := p.GetResults(); results := results.(type) {
		case *pgconn.ResultReader:
			_, _ = results.Close()
		}
	}
	must(t, p.Close())
	r.want(0,
		"select 1 → SELECT 1 ?column?=1 I",
		"select 1/0 → 22012 I",
		"select 'never' →  skipped",
		"select 2 → SELECT 1 ?column?=2 I",
	)
}

func TestErrorsWhilePreparing(t *testing.T) {
	r := newRig(t)
	conn := r.connect()
	for _, mode := range []pgx.QueryExecMode{pgx.QueryExecModeCacheStatement, pgx.QueryExecModeExec} {
		if _, err := conn.Exec(context.Background(), "selekt $1", mode, "x"); err == nil {
			t.Fatal("nonsense ran")
		}
	}
	_, err := conn.Exec(context.Background(), "select $1::int", pgx.QueryExecModeExec, "x")
	if err == nil {
		t.Fatal("x is an int")
	}
	r.want(0,
		"selekt $1 → 42601 I",
		"selekt $1 [x] → 42601 I",
		"select $1::int [x] → 22P02 I",
	)
}

// TestErrorsAtTheEnd: the statement has run, and its commit fails.
func TestErrorsAtTheEnd(t *testing.T) {
	r := newRig(t)
	conn := r.connect()
	ctx := context.Background()
	_, err := conn.Exec(ctx, "create table t (id int unique deferrable initially deferred)")
	must(t, err)
	mark := r.log.Mark()
	if _, err := conn.Exec(ctx, "insert into t values ($1), ($1)", 1); err == nil {
		t.Fatal("a duplicate was committed")
	}
	must(t, answers(conn))
	r.want(mark, "insert into t values ($1), ($1) [1] → INSERT 0 223505 I", "select 1 → SELECT 1 ?column?=1 I")
}

func TestCopy(t *testing.T) {
	r := newRig(t)
	conn := r.connect()
	ctx := context.Background()
	_, err := conn.Exec(ctx, "create temp table t (id int, s text)")
	must(t, err)
	mark := r.log.Mark()
	rows := make([][]any, 5000)
	for i := range rows {
		rows[i] = []any{i, strings.Repeat("x", 100)}
	}
	n, err := conn.CopyFrom(ctx, pgx.Identifier{"t"}, []string{"id", "s"}, pgx.CopyFromRows(rows))
	if must(t, err); n != 5000 {
		t.Fatalf("%d rows copied", n)
	}
	var out strings.Builder
	_, err = conn.PgConn().CopyTo(ctx, &out, "copy t to stdout")
	if must(t, err); strings.Count(out.String(), "\n") != 5000 {
		t.Fatalf("%d bytes came back", out.Len())
	}
	_, err = conn.PgConn().CopyFrom(ctx, strings.NewReader("nonsense\n"), "copy t from stdin")
	if err == nil {
		t.Fatal("nonsense was copied")
	}
	must(t, conn.QueryRow(ctx, "select count(*) from t").Scan(&n))
	seen := r.seen(mark)
	// pgx asks for the types of the columns first.
	if i := slices.IndexFunc(seen, func(s string) bool { return strings.HasPrefix(s, "copy") }); i < 0 {
		t.Fatalf("no copy in %q", seen)
	} else if want := []string{
		`copy "t" ( "id", "s" ) from stdin binary → COPY 5000 I`,
		"copy t to stdout → COPY 5000 I",
		"copy t from stdin → 22P02 I",
		"select count(*) from t → SELECT 1 count=5000 I",
	}; !slices.Equal(seen[i:], want) {
		t.Errorf("the log shows %q", seen[i:])
	}
}

func TestLargeMessagesPassThrough(t *testing.T) {
	r := newRig(t)
	conn := r.connect()
	ctx := context.Background()
	large := strings.Repeat("0123456789", 1<<20)
	var back string
	must(t, conn.QueryRow(ctx, "select $1::text", large).Scan(&back))
	if back != large {
		t.Fatalf("%d bytes of %d came back", len(back), len(large))
	}
	long := "select '" + large[:100_000] + "' as s, 5 as five"
	var five int
	must(t, conn.QueryRow(ctx, long, pgx.QueryExecModeSimpleProtocol).Scan(&back, &five))
	all := r.log.Statements()
	if n := len(all[0].Params[0]); n > 600 || !strings.HasSuffix(all[0].Params[0], "…") {
		t.Errorf("the parameter is shown in %d bytes", n)
	}
	if n := len(all[1].SQL); n > 17<<10 || !strings.HasSuffix(all[1].SQL, "…") {
		t.Errorf("the text is shown in %d bytes", n)
	}
	if all[1].Tag != "SELECT 1" || len(all[1].FirstRow[0]) > 100 {
		t.Errorf("answered %q with %q", all[1].Tag, all[1].FirstRow)
	}
}
