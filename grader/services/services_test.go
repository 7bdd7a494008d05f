package services

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// testDir is the state folder of this run's tests: their server is theirs alone.
var testDir string

func TestMain(m *testing.M) {
	if child := os.Getenv("SERVICES_TEST_CHILD"); child != "" {
		childMain(child)
		return
	}
	os.Exit(runTests(m))
}

func runTests(m *testing.M) int {
	dir, err := os.MkdirTemp("", "cairn services ä")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	testDir = filepath.Join(dir, "state")
	defer func() { _, _ = Stop(context.Background(), Config{StateDir: testDir}, true) }()
	return m.Run()
}

// needEngine skips where there is no Docker engine. One that is there and doesn't work is an error.
func needEngine(t testing.TB) {
	t.Helper()
	info, err := CheckEngine(t.Context(), Config{})
	var un *Unavailable
	if errors.As(err, &un) && os.IsNotExist(un.Err) {
		t.Skip("needs Docker: ", un)
	}
	if err != nil {
		t.Fatal(err)
	}
	if !info.Images[0].Present {
		t.Fatalf("the image %s is missing: run make images", info.Images[0].Name)
	}
}

func openTest(t testing.TB, cfg Config) (Provider, *Postgres) {
	t.Helper()
	needEngine(t)
	if cfg.StateDir == "" {
		cfg.StateDir = testDir
	}
	provider, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := provider.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	p, err := provider.Postgres(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return provider, p
}

func takeTest(t testing.TB, p *Postgres, f Fixture) *Database {
	t.Helper()
	d, err := p.Database(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Release(false) })
	return d
}

func dial(t testing.TB, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatalf("connect: %v", err)
	}
	t.Cleanup(func() { closeConn(conn) })
	return conn
}

func exec(t testing.TB, conn *pgx.Conn, sql string) {
	t.Helper()
	if _, err := conn.Exec(t.Context(), sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

func text(t testing.TB, conn *pgx.Conn, sql string) string {
	t.Helper()
	var s string
	if err := conn.QueryRow(t.Context(), sql).Scan(&s); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return s
}

// shop has one object of each kind that changes hands.
var shop = Fixture{
	Name: "shop", MinVersion: 14, Extensions: []string{"vector", "pg_trgm"},
	SQL: `
create type size as enum ('s', 'm', 'l');
create domain cents as bigint check (value >= 0);
create type span as range (subtype = int4);
create type pair as (a int, b int);
create table items (id bigint generated always as identity primary key, name text not null, price cents, size size, embedding vector(3));
create table parted (id int, day date) partition by range (day);
create table parted_a partition of parted for values from ('2020-01-01') to ('2021-01-01');
create sequence tickets;
create view cheap as select * from items where price < 100;
create materialized view totals as select count(*) from items;
create function double(int) returns int language sql as 'select $1 * 2';
create procedure nothing() language sql as '';
create aggregate product(int) (sfunc = int4mul, stype = int);
create schema audit;
create table audit."Log Entries" (id serial primary key, what text);
create statistics items_stat on name, price from items;
insert into items (name, price) select 'item ' || i, i from generate_series(1, 1000) i;
`,
}

func TestCloneHoldsTheFixture(t *testing.T) {
	_, p := openTest(t, Config{})
	d := takeTest(t, p, shop)
	conn := dial(t, d.ProgramURL(""))
	if got := text(t, conn, "select count(*)::text from items"); got != "1000" {
		t.Errorf("items in the clone: %s, want 1000", got)
	}
	if got := text(t, conn, "select current_user::text"); got != d.Role {
		t.Errorf("the program is %s, want %s", got, d.Role)
	}
	if err := d.Verify(t.Context()); err != nil {
		t.Error(err)
	}
	examiner := dial(t, d.ExaminerURL())
	if got := text(t, examiner, "select current_setting('is_superuser') || ' ' || current_setting('application_name')"); got != "on cairn-examiner" {
		t.Errorf("the examiner is %q", got)
	}
}

func TestProgramOwnsItsDatabase(t *testing.T) {
	_, p := openTest(t, Config{})
	d := takeTest(t, p, shop)
	conn := dial(t, d.ProgramURL(""))
	for _, sql := range []string{
		"alter table items add note text",
		"alter table parted_a add check (id > 0)",
		"create index on parted (id)",
		"alter sequence tickets restart 5",
		"create or replace view cheap as select * from items where price < 50",
		"refresh materialized view totals",
		"create or replace function double(int) returns int language sql as 'select $1 + $1'",
		"drop procedure nothing()",
		"drop aggregate product(int)",
		"alter type size add value 'xl'",
		"alter domain cents add check (value < 1000000)",
		"alter type pair add attribute c int",
		"drop type span",
		"drop statistics items_stat",
		`alter table audit."Log Entries" add at timestamptz`,
		"create table audit.more (id int)",
		"create table mine (id int)",
		"create schema extra",
		"create temporary table scratch (id int)",
		"create extension hstore",
		"truncate items restart identity",
		"analyze items",
		"drop table items cascade",
	} {
		exec(t, conn, sql)
	}
	left := text(t, conn, `select coalesce(string_agg(relname, ', '), 'none') from pg_class c
		where relowner <> current_user::regrole and oid >= 16384 and relnamespace in ('public'::regnamespace, 'audit'::regnamespace)
		and not exists (select from pg_depend where objid = c.oid and deptype = 'e')`)
	if left != "none" {
		t.Errorf("not handed over: %s", left)
	}
}

func TestObjectsOfAnotherOwnerStayTheirs(t *testing.T) {
	_, p := openTest(t, Config{})
	d := takeTest(t, p, Fixture{Name: "tenants", SQL: `
		do $$ begin
			if not exists (select from pg_roles where rolname = 'tenants_owner') then create role tenants_owner; end if;
		end $$;
		create table invoices (tenant int, total int);
		insert into invoices values (1, 10), (2, 20);
		alter table invoices owner to tenants_owner;
		grant select, insert, update, delete on invoices to public;
		alter table invoices enable row level security;
		create policy own on invoices using (tenant = current_setting('app.tenant')::int);`})
	conn := dial(t, d.ProgramURL(""))
	exec(t, conn, "set app.tenant = '1'")
	if got := text(t, conn, "select sum(total)::text from invoices"); got != "10" {
		t.Errorf("the program sees invoices of %s, want 10: the policy must hold", got)
	}
	if _, err := conn.Exec(t.Context(), "alter table invoices disable row level security"); err == nil {
		t.Error("the program could switch the policy off")
	}
}

func TestProgramHasNoPowerOutside(t *testing.T) {
	_, p := openTest(t, Config{})
	d, other := takeTest(t, p, shop), takeTest(t, p, shop)
	victim := dial(t, other.ProgramURL(""))
	pid := text(t, victim, "select pg_backend_pid()::text")
	conn := dial(t, d.ProgramURL(""))
	const denied = "42501"
	for sql, code := range map[string]string{
		"copy (select 1) to program 'id'":                        denied,
		"copy (select 1) to '/tmp/x'":                            denied,
		"select pg_read_file('/etc/passwd')":                     denied,
		"select pg_terminate_backend(" + pid + ")":               denied,
		"select pg_cancel_backend(" + pid + ")":                  denied,
		"drop database " + shop.templateName():                   denied,
		"alter database " + shop.templateName() + " rename to x": denied,
		"drop database " + other.Name:                            denied,
		"create database mine":                                   denied,
		"create role mine":                                       denied,
		"alter role " + d.Role + " connection limit 1000":        denied,
		"alter role " + superuser + " password 'x'":              denied,
		"set role " + superuser:                                  denied,
		"alter system set work_mem = '1GB'":                      denied,
		"create extension dblink":                                denied,
		"set temp_file_limit = -1":                               denied,
		"select * from pg_authid":                                denied,
		"load 'auto_explain'":                                    denied,
		"alter database " + d.Name + " connection limit 1000":    denied,
		"create function f() returns int language c as 'a', 'b'": denied,
		"create subscription s connection '' publication p":      denied,
		"select pg_switch_wal()":                                 denied,
		"select lo_import('/etc/passwd')":                        denied,
		"grant " + other.Role + " to " + d.Role:                  denied,
		"create tablespace t location '/tmp'":                    denied,
		"comment on database " + d.Name + " is 'kept'":           denied,
		"drop database if exists " + d.Name + " with (force)":    denied,
		"select pg_reload_conf()":                                denied,
		"alter role " + d.Role + " superuser":                    denied,
		"select pg_stat_reset_shared('io')":                      denied,
	} {
		_, err := conn.Exec(t.Context(), sql)
		var pg *pgconn.PgError
		if !errors.As(err, &pg) || pg.Code != code {
			t.Errorf("%s: %v, want SQLSTATE %s", sql, err, code)
		}
	}
	for _, db := range []string{"postgres", "template1", "template0", shop.templateName(), other.Name} {
		url := strings.Replace(d.ProgramURL(""), "/"+d.Name+"?", "/"+db+"?", 1)
		if c, err := pgx.Connect(t.Context(), url); err == nil {
			closeConn(c)
			t.Errorf("the program could connect to %s", db)
		}
	}
	if got := text(t, victim, "select 'alive'"); got != "alive" {
		t.Error("the other program's session was hurt")
	}
}

func TestConnectionsStayInsideTheGrade(t *testing.T) {
	_, p := openTest(t, Config{})
	d, other := takeTest(t, p, shop), takeTest(t, p, shop)
	for range connectionLimit {
		dial(t, d.ProgramURL(""))
	}
	_, err := pgx.Connect(t.Context(), d.ProgramURL(""))
	var pg *pgconn.PgError
	if !errors.As(err, &pg) || pg.Code != "53300" {
		t.Errorf("connection %d: %v, want too_many_connections", connectionLimit+1, err)
	}
	if got := text(t, dial(t, other.ProgramURL("")), "select 'fine'"); got != "fine" {
		t.Error("the other grade can't connect")
	}
	n, err := d.CloseSessions(t.Context())
	if err != nil || n != connectionLimit {
		t.Errorf("closed %d sessions, %v, want %d", n, err, connectionLimit)
	}
}

func TestClonesAreApart(t *testing.T) {
	_, p := openTest(t, Config{})
	a := dial(t, takeTest(t, p, shop).ProgramURL(""))
	b := dial(t, takeTest(t, p, shop).ProgramURL(""))
	exec(t, a, "delete from items")
	exec(t, a, "select pg_advisory_lock(1)")
	if got := text(t, b, "select count(*) || ' ' || pg_try_advisory_lock(1) from items"); got != "1000 true" {
		t.Errorf("the other clone: %s", got)
	}
	c := dial(t, takeTest(t, p, shop).ProgramURL(""))
	if got := text(t, c, "select count(*)::text from items"); got != "1000" {
		t.Errorf("a clone after it holds %s items, want 1000", got)
	}
}

func TestTwoAtOnceShareOneServer(t *testing.T) {
	needEngine(t)
	dir := t.TempDir()
	t.Cleanup(func() { _, _ = Stop(context.Background(), Config{StateDir: dir}, true) })
	addrs := make([]string, 3)
	var wg sync.WaitGroup
	for i := range addrs {
		provider, err := Open(Config{StateDir: dir})
		if err != nil {
			t.Fatal(err)
		}
		defer provider.Close()
		wg.Go(func() {
			p, err := provider.Postgres(t.Context(), nil)
			if err != nil {
				t.Error(err)
				return
			}
			addrs[i] = p.Addr()
			d, err := p.Database(t.Context(), shop)
			if err != nil {
				t.Error(err)
				return
			}
			d.Release(false)
		})
	}
	wg.Wait()
	if addrs[0] != addrs[1] || addrs[0] != addrs[2] {
		t.Errorf("servers at %v, want one", addrs)
	}
	servers, err := List(t.Context(), Config{StateDir: dir})
	if err != nil || len(servers) != 1 || !servers[0].Running() {
		t.Errorf("servers: %+v, %v", servers, err)
	}
	if _, err := Stop(t.Context(), Config{StateDir: dir}, false); err == nil {
		t.Error("stop didn't mind the cairns that run")
	}
}

func TestServerStaysWarm(t *testing.T) {
	needEngine(t)
	provider, err := Open(Config{StateDir: testDir})
	if err != nil {
		t.Fatal(err)
	}
	p, err := provider.Postgres(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	addr, nonce := p.Addr(), p.server.nonce
	if err := provider.Close(); err != nil {
		t.Fatal(err)
	}
	_, next := openTest(t, Config{})
	if next.Addr() != addr || next.server.nonce != nonce {
		t.Errorf("the next cairn got %s, want the server at %s", next.Addr(), addr)
	}
}

func TestSpareIsTakenAndReplaced(t *testing.T) {
	_, p := openTest(t, Config{})
	if err := p.Prepare(t.Context(), shop); err != nil {
		t.Fatal(err)
	}
	spare := p.spares[shop.templateName()].db.Name
	d := takeTest(t, p, shop)
	if d.Name != spare {
		t.Errorf("got %s, want the spare %s", d.Name, spare)
	}
	d.Release(false)
	if err := p.Prepare(t.Context(), shop); err != nil {
		t.Fatal(err)
	}
	if next := takeTest(t, p, shop); next.Name == spare {
		t.Error("the same database was given out twice")
	}
}

func TestKept(t *testing.T) {
	provider, p := openTest(t, Config{})
	f := Fixture{Name: "keeper", SQL: "create table t (id int)"}
	d, err := p.Database(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	exec(t, dial(t, d.ProgramURL("")), "insert into t values (42)")
	d.Release(true)
	if err := provider.Close(); err != nil {
		t.Fatal(err)
	}
	provider, p = openTest(t, Config{})
	p.sweep(t.Context())
	if got := text(t, dial(t, d.ProgramURL("")), "select id::text from t"); got != "42" {
		t.Errorf("the kept database holds %s", got)
	}
	servers, err := List(t.Context(), Config{StateDir: testDir})
	if err != nil || len(servers) != 1 || len(servers[0].Kept()) != 1 || servers[0].Kept()[0].Fixture != "keeper" {
		t.Errorf("list: %+v, %v", servers, err)
	}
	takeTest(t, p, f)
	if err := provider.Close(); err != nil { // waits for the background
		t.Fatal(err)
	}
	_, p = openTest(t, Config{})
	if has(t, p, d.Name) {
		t.Error("the next grade of the fixture left the kept database")
	}
}

func has(t testing.TB, p *Postgres, database string) bool {
	t.Helper()
	dbs, err := p.databases(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range dbs {
		if d.Name == database {
			return true
		}
	}
	return false
}

func TestReleaseClosesSessionsAndDrops(t *testing.T) {
	provider, p := openTest(t, Config{NoSpare: true})
	d := takeTest(t, p, shop)
	conn := dial(t, d.ProgramURL(""))
	exec(t, conn, "begin; lock table items")
	d.Release(false)
	d.Release(true) // counts for nothing
	if err := provider.Close(); err != nil {
		t.Fatal(err)
	}
	_, p = openTest(t, Config{})
	if has(t, p, d.Name) {
		t.Error("the database is still there")
	}
	if err := conn.Ping(t.Context()); err == nil {
		t.Error("the program's session lives on")
	}
}

func TestPrune(t *testing.T) {
	provider, p := openTest(t, Config{})
	d := takeTest(t, p, shop)
	kept, err := p.Database(t.Context(), Fixture{Name: "pruned", SQL: "create table t (id int)"})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.keep(t.Context(), kept); err != nil {
		t.Fatal(err)
	}
	pruned, err := Prune(t.Context(), Config{StateDir: testDir})
	if err != nil {
		t.Fatal(err)
	}
	if has(t, p, kept.Name) || !has(t, p, d.Name) || !has(t, p, shop.templateName()) {
		t.Errorf("pruned %+v: want the kept one gone, the live one and its template there", pruned)
	}
	if err := provider.Close(); err != nil {
		t.Fatal(err)
	}
	if pruned, err = Prune(t.Context(), Config{StateDir: testDir}); err != nil {
		t.Fatal(err)
	}
	templates := 0
	for _, d := range pruned.Databases {
		if d.Template {
			templates++
		}
	}
	if templates == 0 {
		t.Errorf("with no cairn running, no template was pruned: %+v", pruned)
	}
}

func TestIdleServerEndsByItself(t *testing.T) {
	needEngine(t)
	dir := t.TempDir()
	cfg := Config{StateDir: dir, Idle: 3 * time.Second}
	t.Cleanup(func() { _, _ = Stop(context.Background(), cfg, true) })
	provider, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer provider.Close()
	p, err := provider.Postgres(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	e, err := connectEngine(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer e.close()
	waitRemoved(t, e, p.server.id)
	again, err := provider.Postgres(t.Context(), nil)
	if err != nil {
		t.Fatalf("after the idle server ended: %v", err)
	}
	if again.server.id == p.server.id {
		t.Error("the ended server was given out")
	}
	takeTest(t, again, Fixture{Name: "again", SQL: "create table t (id int)"})
}
