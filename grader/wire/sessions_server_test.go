package wire_test

import (
	"context"
	"database/sql"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	_ "github.com/jackc/pgx/v5/stdlib"

	"github.com/cairn-learn/cairn/grader/wire"
)

func TestCancelReachesTheServer(t *testing.T) {
	r := newRig(t)
	conn := r.connect()
	done := make(chan error, 1)
	go func() {
		_, err := conn.PgConn().Exec(context.Background(), "select pg_sleep(600)").ReadAll()
		done <- err
	}()
	look := connect(t, r.db.ProgramURL(r.db.addr))
	until(func() bool { return r.waits(look, "Timeout") })
	must(t, conn.PgConn().CancelRequest(context.Background()))
	var canceled *pgconn.PgError
	if err := <-done; !errors.As(err, &canceled) || canceled.Code != "57014" {
		t.Fatalf("the statement ended with %v", err)
	}
	r.want(0, "select pg_sleep(600) → 57014 I")
}

// TestCancelByContext: pgx drops the connection, and asks for the cancel on one of
// its own. Without it the server would sleep on.
func TestCancelByContext(t *testing.T) {
	r := newRig(t)
	conn, look := r.connect(), connect(t, r.db.ProgramURL(r.db.addr))
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- conn.QueryRow(ctx, "select pg_sleep(600)").Scan(nil) }()
	until(func() bool { return r.waits(look, "Timeout") })
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("the statement ended with %v", err)
	}
	until(func() bool { return !r.waits(look, "Timeout") })
	s, err := r.log.Wait(context.Background(), 0, func(s wire.Statement) bool { return !s.Pending })
	must(t, err)
	if !s.Lost && (s.Err == nil || s.Err.Code != "57014") {
		t.Errorf("recorded as %+v", s)
	}
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
	_, err = admin.Exec(context.Background(), "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and query like '%pg_sleep(600)%' and pid <> pg_backend_pid()")
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
