package wire_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	_ "github.com/jackc/pgx/v5/stdlib"

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

func TestCancelReachesTheServer(t *testing.T) {
	r := newRig(t)
	conn := r.connect()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		_, err := conn.PgConn().Exec(ctx, "select pg_sleep(600)").ReadAll()
		done <- err
	}()
	_, err := r.log.Wait(context.Background(), 0, func(s wire.Statement) bool { return s.Pending })
	must(t, err)
	must(t, conn.PgConn().CancelRequest(context.Background()))
	var canceled *pgconn.PgError
	if err := <-done; !errors.As(err, &canceled) || canceled.Code != "57014" {
		t.Fatalf("the statement ended with %v", err)
	}
	cancel()
	r.want(0, "select pg_sleep(600) → 57014 I")
}

func TestLostStatements(t *testing.T) {
	r := newRig(t)
	conn := r.connect()
	go func() { _, _ = conn.PgConn().Exec(context.Background(), "select pg_sleep(600)").ReadAll() }()
	pending, err := r.log.Wait(context.Background(), 0, func(s wire.Statement) bool { return s.Pending })
	must(t, err)
	if pending.Duration != 0 {
		t.Errorf("a pending statement took %v", pending.Duration)
	}
	r.proxy.Cut()
	lost, err := r.log.Wait(context.Background(), 0, func(s wire.Statement) bool { return s.Lost })
	must(t, err)
	if lost.Pending || lost.Duration <= 0 {
		t.Errorf("recorded as %+v", lost)
	}
	admin := connect(t, r.db.ProgramURL(r.db.addr))
	_, err = admin.Exec(context.Background(), "select pg_terminate_backend(pid) from pg_stat_activity where query like '%pg_sleep(600)%' and pid <> pg_backend_pid()")
	must(t, err)
}

func TestTerminatedByTheServer(t *testing.T) {
	r := newRig(t)
	conn := r.connect()
	var pid int
	must(t, conn.QueryRow(context.Background(), "select pg_backend_pid()").Scan(&pid))
	admin := connect(t, r.db.ProgramURL(r.db.addr))
	_, err := admin.Exec(context.Background(), "select pg_terminate_backend($1)", pid)
	must(t, err)
	if err := conn.QueryRow(context.Background(), "select 1").Scan(new(int)); err == nil {
		t.Fatal("a session that was ended answers")
	}
	notes := r.log.Notes()
	if len(notes) == 1 && strings.Contains(notes[0].Text, "57P01") && notes[0].Session == 1 {
		return
	}
	for _, s := range r.log.Statements() {
		if s.Err != nil && s.Err.Code == "57P01" {
			return
		}
	}
	t.Errorf("nothing shows that the server ended the session: %v, %q", notes, r.seen(0))
}

func TestRefusedLogin(t *testing.T) {
	r := newRig(t)
	url := strings.Replace(r.url(), "//", "//nobody", 1)
	if _, err := pgx.Connect(context.Background(), url); err == nil {
		t.Fatal("anybody may log in")
	}
	notes := r.log.Notes()
	if len(notes) == 0 || !strings.Contains(notes[0].Text, "28P01") {
		t.Errorf("noted %v", notes)
	}
}

func TestDatabaseSQL(t *testing.T) {
	r := newRig(t)
	conn, err := sql.Open("pgx", r.url())
	must(t, err)
	defer conn.Close()
	tx, err := conn.Begin()
	must(t, err)
	var n int
	must(t, tx.QueryRow("select $1::bigint * 2", 21).Scan(&n))
	must(t, tx.Commit())
	r.want(0,
		"begin → BEGIN T",
		"select $1::bigint * 2 [21] → SELECT 1 ?column?=42 T",
		"commit → COMMIT I",
	)
}

// TestEncryptionIsDeclined: a program that would rather have TLS does without.
func TestEncryptionIsDeclined(t *testing.T) {
	r := newRig(t)
	must(t, answers(connect(t, strings.Replace(r.url(), "sslmode=disable", "sslmode=prefer", 1))))
	r.want(0, "select 1 → SELECT 1 ?column?=1 I")
	if _, err := pgx.Connect(context.Background(), strings.Replace(r.url(), "sslmode=disable", "sslmode=require", 1)); err == nil {
		t.Error("TLS was agreed on")
	}
	conn, err := net.Dial("tcp", r.proxy.Addr())
	must(t, err)
	defer conn.Close()
	for _, offer := range []string{"\x00\x00\x00\x08\x04\xd2\x16\x30", "\x00\x00\x00\x08\x04\xd2\x16\x2f"} { // GSSENCRequest, SSLRequest
		_, err := conn.Write([]byte(offer))
		must(t, err)
		var answer [1]byte
		if _, err := conn.Read(answer[:]); err != nil || answer[0] != 'N' {
			t.Errorf("answered %q, %v", answer, err)
		}
	}
}

func TestParameters(t *testing.T) {
	r := newRig(t)
	conn := r.connect()
	ctx := context.Background()
	_, err := conn.Exec(ctx, "create type mood as enum ('sad', 'glad')")
	must(t, err)
	at := time.Date(2026, 5, 4, 3, 2, 1, 500_000_000, time.UTC)
	for _, c := range []struct {
		of    string
		value any
		want  string
	}{
		{"smallint", -3, "-3"},
		{"bigint", int64(1) << 40, "1099511627776"},
		{"real", float32(0.1), "0.1"},
		{"double precision", 0.1, "0.1"},
		{"numeric", "12.340", "12.340"},
		{"boolean", true, "true"},
		{"text", "it's", "it's"},
		{"varchar", "v", "v"},
		{"uuid", "6ba7b810-9dad-11d1-80b4-00c04fd430c8", "6ba7b810-9dad-11d1-80b4-00c04fd430c8"},
		{"timestamptz", at, "2026-05-04 03:02:01.5Z"},
		{"timestamp", at, "2026-05-04 03:02:01.5"},
		{"date", at, "2026-05-04"},
		{"interval", 90 * time.Second, "00:01:30"},
		{"bytea", []byte{0, 255}, `\x00ff`},
		{"json", map[string]int{"a": 1}, `{"a":1}`},
		{"jsonb", map[string]int{"a": 1}, `{"a":1}`},
		{"int[]", []int{1, 2, 3}, "{1,2,3}"},
		{"bigint[]", []int64{}, "{}"},
		{"text[]", []string{"a", "b c"}, `{"a","b c"}`},
		{"text", nil, "NULL"},
		{"text", "", ""},
		{"mood", "glad", "glad"},
	} {
		mark := r.log.Mark()
		_, err := conn.Exec(ctx, "select $1::"+c.of, c.value)
		must(t, err)
		s := r.log.Since(mark)[0]
		if len(s.Params) != 1 || s.Params[0] != c.want {
			t.Errorf("%s %v is shown as %q, want %q", c.of, c.value, s.Params, c.want)
		}
		// PostgreSQL writes jsonb in its own way; all else comes back as it went.
		if c.value != nil && (len(s.FirstRow) != 1 || c.of != "jsonb" && s.FirstRow[0] != c.want) {
			t.Errorf("%s %v comes back as %q, want %q", c.of, c.value, s.FirstRow, c.want)
		}
	}
}
